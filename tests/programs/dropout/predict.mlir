// eval: 3 samples
module @nnc_eval {
  func.func public @main(
      %arg0: tensor<2x4xf32> {nnc.name = "dense1.w", nnc.role = "weight"},
      %arg1: tensor<4xf32> {nnc.name = "dense1.b", nnc.role = "weight"},
      %arg2: tensor<4x1xf32> {nnc.name = "dense2.w", nnc.role = "weight"},
      %arg3: tensor<1xf32> {nnc.name = "dense2.b", nnc.role = "weight"},
      %arg4: tensor<3x2xf32> {nnc.name = "input", nnc.role = "input"}
  ) -> (
      tensor<3x1xf32> {nnc.kind = "prediction", nnc.name = "output"}
  ) {
    // dense1 (dropout.nn:3)
    %0 = stablehlo.dot_general %arg4, %arg0, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<2x4xf32>) -> tensor<3x4xf32>
    %1 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<4xf32>) -> tensor<3x4xf32>
    %2 = stablehlo.add %0, %1 : tensor<3x4xf32>
    // dense1 > relu > max (dropout.nn:3)
    %3 = stablehlo.constant dense<0x00000000> : tensor<f32>  // 0
    %4 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f32>) -> tensor<3x4xf32>
    %5 = stablehlo.maximum %2, %4 : tensor<3x4xf32>
    // dense2 (dropout.nn:5)
    %6 = stablehlo.dot_general %5, %arg2, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x4xf32>, tensor<4x1xf32>) -> tensor<3x1xf32>
    %7 = stablehlo.broadcast_in_dim %arg3, dims = [1] : (tensor<1xf32>) -> tensor<3x1xf32>
    %8 = stablehlo.add %6, %7 : tensor<3x1xf32>
    return %8 : tensor<3x1xf32>
  }
}
