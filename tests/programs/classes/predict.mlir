// eval: 3 samples
module @nnc_eval {
  func.func public @main(
      %arg0: tensor<2x4xf32> {nnc.name = "dense1.w", nnc.role = "weight"},
      %arg1: tensor<4xf32> {nnc.name = "dense1.b", nnc.role = "weight"},
      %arg2: tensor<4x3xf32> {nnc.name = "dense2.w", nnc.role = "weight"},
      %arg3: tensor<3xf32> {nnc.name = "dense2.b", nnc.role = "weight"},
      %arg4: tensor<3x2xf32> {nnc.name = "input", nnc.role = "input"}
  ) -> (
      tensor<3x3xf32> {nnc.kind = "prediction", nnc.name = "output"}
  ) {
    // dense1 (classes.nn:3)
    %0 = stablehlo.dot_general %arg4, %arg0, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<2x4xf32>) -> tensor<3x4xf32>
    %1 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<4xf32>) -> tensor<3x4xf32>
    %2 = stablehlo.add %0, %1 : tensor<3x4xf32>
    // dense1 > relu > max (classes.nn:3)
    %3 = stablehlo.constant dense<0x00000000> : tensor<f32>  // 0
    %4 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f32>) -> tensor<3x4xf32>
    %5 = stablehlo.maximum %2, %4 : tensor<3x4xf32>
    // dense2 (classes.nn:4)
    %6 = stablehlo.dot_general %5, %arg2, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x4xf32>, tensor<4x3xf32>) -> tensor<3x3xf32>
    %7 = stablehlo.broadcast_in_dim %arg3, dims = [1] : (tensor<3xf32>) -> tensor<3x3xf32>
    %8 = stablehlo.add %6, %7 : tensor<3x3xf32>
    // dense2 > softmax > max (classes.nn:4)
    %9 = stablehlo.constant dense<0xFF800000> : tensor<f32>  // -inf
    %10 = stablehlo.reduce(%8 init: %9) applies stablehlo.maximum across dimensions = [1] : (tensor<3x3xf32>, tensor<f32>) -> tensor<3xf32>
    %11 = stablehlo.reshape %10 : (tensor<3xf32>) -> tensor<3x1xf32>
    // dense2 > softmax > stop_gradient (classes.nn:4)
    %12 = stablehlo.optimization_barrier %11 : tensor<3x1xf32>
    // dense2 > softmax (classes.nn:4)
    %13 = stablehlo.reshape %12 : (tensor<3x1xf32>) -> tensor<3xf32>
    %14 = stablehlo.broadcast_in_dim %13, dims = [0] : (tensor<3xf32>) -> tensor<3x3xf32>
    %15 = stablehlo.subtract %8, %14 : tensor<3x3xf32>
    // dense2 > softmax > exp (classes.nn:4)
    %16 = stablehlo.exponential %15 : tensor<3x3xf32>
    // dense2 > softmax > sum (classes.nn:4)
    %17 = stablehlo.constant dense<0x00000000> : tensor<f32>  // 0
    %18 = stablehlo.reduce(%16 init: %17) applies stablehlo.add across dimensions = [1] : (tensor<3x3xf32>, tensor<f32>) -> tensor<3xf32>
    // dense2 > softmax (classes.nn:4)
    %19 = stablehlo.broadcast_in_dim %18, dims = [0] : (tensor<3xf32>) -> tensor<3x3xf32>
    %20 = stablehlo.divide %16, %19 : tensor<3x3xf32>
    return %20 : tensor<3x3xf32>
  }
}
