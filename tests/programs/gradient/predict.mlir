// eval: 3 samples
module @nnc_eval {
  func.func public @main(
      %arg0: tensor<1x2xf32> {nnc.name = "dense1.w", nnc.role = "weight"},
      %arg1: tensor<2xf32> {nnc.name = "dense1.b", nnc.role = "weight"},
      %arg2: tensor<2x1xf32> {nnc.name = "dense2.w", nnc.role = "weight"},
      %arg3: tensor<1xf32> {nnc.name = "dense2.b", nnc.role = "weight"},
      %arg4: tensor<3x1xf32> {nnc.name = "input", nnc.role = "input"}
  ) -> (
      tensor<3x1xf32> {nnc.kind = "prediction", nnc.name = "output"}
  ) {
    // dense1 (gradient.nn:3)
    %0 = stablehlo.dot_general %arg4, %arg0, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x1xf32>, tensor<1x2xf32>) -> tensor<3x2xf32>
    %1 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<2xf32>) -> tensor<3x2xf32>
    %2 = stablehlo.add %0, %1 : tensor<3x2xf32>
    // dense1 > tanh (gradient.nn:3)
    %3 = stablehlo.tanh %2 : tensor<3x2xf32>
    // dense2 (gradient.nn:3)
    %4 = stablehlo.dot_general %3, %arg2, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<2x1xf32>) -> tensor<3x1xf32>
    %5 = stablehlo.broadcast_in_dim %arg3, dims = [1] : (tensor<1xf32>) -> tensor<3x1xf32>
    %6 = stablehlo.add %4, %5 : tensor<3x1xf32>
    return %6 : tensor<3x1xf32>
  }
}
