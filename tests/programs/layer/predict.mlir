// eval: 3 samples
module @nnc_eval {
  func.func public @main(
      %arg0: tensor<2x3xf32> {nnc.name = "dense1.w", nnc.role = "weight"},
      %arg1: tensor<3xf32> {nnc.name = "dense1.b", nnc.role = "weight"},
      %arg2: tensor<2x3xf32> {nnc.name = "rbf1.centre", nnc.role = "weight"},
      %arg3: tensor<2x1xf32> {nnc.name = "dense2.w", nnc.role = "weight"},
      %arg4: tensor<1xf32> {nnc.name = "dense2.b", nnc.role = "weight"},
      %arg5: tensor<3x2xf32> {nnc.name = "input", nnc.role = "input"}
  ) -> (
      tensor<3x1xf32> {nnc.kind = "prediction", nnc.name = "output"}
  ) {
    // dense1 (layer.nn:14)
    %0 = stablehlo.dot_general %arg5, %arg0, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<2x3xf32>) -> tensor<3x3xf32>
    %1 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<3xf32>) -> tensor<3x3xf32>
    %2 = stablehlo.add %0, %1 : tensor<3x3xf32>
    // dense1 > swish > sigmoid (layer.nn:2)
    %3 = stablehlo.logistic %2 : tensor<3x3xf32>
    // dense1 > swish (layer.nn:2)
    %4 = stablehlo.multiply %2, %3 : tensor<3x3xf32>
    // rbf1 (layer.nn:8)
    %5 = stablehlo.broadcast_in_dim %4, dims = [0, 2] : (tensor<3x3xf32>) -> tensor<3x2x3xf32>
    %6 = stablehlo.broadcast_in_dim %arg2, dims = [1, 2] : (tensor<2x3xf32>) -> tensor<3x2x3xf32>
    %7 = stablehlo.subtract %5, %6 : tensor<3x2x3xf32>
    %8 = stablehlo.multiply %7, %7 : tensor<3x2x3xf32>
    // rbf1 > sum (layer.nn:8)
    %9 = stablehlo.constant dense<0x00000000> : tensor<f32>  // 0
    %10 = stablehlo.reduce(%8 init: %9) applies stablehlo.add across dimensions = [2] : (tensor<3x2x3xf32>, tensor<f32>) -> tensor<3x2xf32>
    // rbf1 (layer.nn:8)
    %11 = stablehlo.negate %10 : tensor<3x2xf32>
    // rbf1 > exp (layer.nn:8)
    %12 = stablehlo.exponential %11 : tensor<3x2xf32>
    // dense2 (layer.nn:16)
    %13 = stablehlo.dot_general %12, %arg3, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<2x1xf32>) -> tensor<3x1xf32>
    %14 = stablehlo.broadcast_in_dim %arg4, dims = [1] : (tensor<1xf32>) -> tensor<3x1xf32>
    %15 = stablehlo.add %13, %14 : tensor<3x1xf32>
    return %15 : tensor<3x1xf32>
  }
}
