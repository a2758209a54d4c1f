// eval: 3 samples
module @nnc_eval {
  func.func public @main(
      %arg0: tensor<3x3x1x2xf32> {nnc.name = "conv1.k", nnc.role = "weight"},
      %arg1: tensor<2xf32> {nnc.name = "conv1.b", nnc.role = "weight"},
      %arg2: tensor<2x2x2x3xf32> {nnc.name = "conv2.k", nnc.role = "weight"},
      %arg3: tensor<3x1xf32> {nnc.name = "dense1.w", nnc.role = "weight"},
      %arg4: tensor<1xf32> {nnc.name = "dense1.b", nnc.role = "weight"},
      %arg5: tensor<3x16xf32> {nnc.name = "input", nnc.role = "input"}
  ) -> (
      tensor<3x1xf32> {nnc.kind = "prediction", nnc.name = "output"}
  ) {
    // reshape (conv.nn:6)
    %0 = stablehlo.reshape %arg5 : (tensor<3x16xf32>) -> tensor<3x4x4x1xf32>
    // conv1 > convolve (conv.nn:7)
    %1 = stablehlo.convolution(%0, %arg0) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[1, 1], [1, 1]], lhs_dilate = [1, 1], rhs_dilate = [1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<3x4x4x1xf32>, tensor<3x3x1x2xf32>) -> tensor<3x4x4x2xf32>
    // conv1 (conv.nn:7)
    %2 = stablehlo.broadcast_in_dim %arg1, dims = [3] : (tensor<2xf32>) -> tensor<3x4x4x2xf32>
    %3 = stablehlo.add %1, %2 : tensor<3x4x4x2xf32>
    // conv1 > relu > max (conv.nn:7)
    %4 = stablehlo.constant dense<0x00000000> : tensor<f32>  // 0
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<3x4x4x2xf32>
    %6 = stablehlo.maximum %3, %5 : tensor<3x4x4x2xf32>
    // maxpool > window_max (conv.nn:8)
    %7 = stablehlo.constant dense<0xFF800000> : tensor<f32>  // -inf
    %8 = "stablehlo.reduce_window"(%6, %7) <{padding = dense<[[0, 0], [0, 0], [0, 0], [0, 0]]> : tensor<4x2xi64>, window_dimensions = array<i64: 1, 2, 2, 1>, window_strides = array<i64: 1, 2, 2, 1>}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %9 = stablehlo.maximum %a, %b : tensor<f32>
      stablehlo.return %9 : tensor<f32>
    }) : (tensor<3x4x4x2xf32>, tensor<f32>) -> tensor<3x2x2x2xf32>
    // conv2 > convolve (conv.nn:9)
    %10 = stablehlo.convolution(%8, %arg2) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [2, 2], pad = [[0, 0], [0, 0]], lhs_dilate = [1, 1], rhs_dilate = [1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<3x2x2x2xf32>, tensor<2x2x2x3xf32>) -> tensor<3x1x1x3xf32>
    // flatten > reshape (conv.nn:10)
    %11 = stablehlo.reshape %10 : (tensor<3x1x1x3xf32>) -> tensor<3x3xf32>
    // dense1 (conv.nn:11)
    %12 = stablehlo.dot_general %11, %arg3, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x3xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
    %13 = stablehlo.broadcast_in_dim %arg4, dims = [1] : (tensor<1xf32>) -> tensor<3x1xf32>
    %14 = stablehlo.add %12, %13 : tensor<3x1xf32>
    return %14 : tensor<3x1xf32>
  }
}
