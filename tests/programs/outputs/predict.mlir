// eval: 3 samples
module @nnc_eval {
  func.func public @main(
      %arg0: tensor<2x3xf32> {nnc.name = "h.w", nnc.role = "weight"},
      %arg1: tensor<3xf32> {nnc.name = "h.b", nnc.role = "weight"},
      %arg2: tensor<3x2xf32> {nnc.name = "back.w", nnc.role = "weight"},
      %arg3: tensor<2xf32> {nnc.name = "back.b", nnc.role = "weight"},
      %arg4: tensor<3x1xf32> {nnc.name = "guess.w", nnc.role = "weight"},
      %arg5: tensor<1xf32> {nnc.name = "guess.b", nnc.role = "weight"},
      %arg6: tensor<3x2xf32> {nnc.name = "input", nnc.role = "input"}
  ) -> (
      tensor<3x2xf32> {nnc.kind = "prediction", nnc.name = "back"},
      tensor<3x1xf32> {nnc.kind = "prediction", nnc.name = "guess"}
  ) {
    // h (outputs.nn:3)
    %0 = stablehlo.dot_general %arg6, %arg0, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<2x3xf32>) -> tensor<3x3xf32>
    %1 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<3xf32>) -> tensor<3x3xf32>
    %2 = stablehlo.add %0, %1 : tensor<3x3xf32>
    // h > tanh (outputs.nn:3)
    %3 = stablehlo.tanh %2 : tensor<3x3xf32>
    // back (outputs.nn:4)
    %4 = stablehlo.dot_general %3, %arg2, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x3xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
    %5 = stablehlo.broadcast_in_dim %arg3, dims = [1] : (tensor<2xf32>) -> tensor<3x2xf32>
    %6 = stablehlo.add %4, %5 : tensor<3x2xf32>
    // guess (outputs.nn:5)
    %7 = stablehlo.dot_general %3, %arg4, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x3xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
    %8 = stablehlo.broadcast_in_dim %arg5, dims = [1] : (tensor<1xf32>) -> tensor<3x1xf32>
    %9 = stablehlo.add %7, %8 : tensor<3x1xf32>
    return %6, %9 : tensor<3x2xf32>, tensor<3x1xf32>
  }
}
