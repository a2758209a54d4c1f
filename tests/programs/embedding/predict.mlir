// eval: 3 samples
module @nnc_eval {
  func.func public @main(
      %arg0: tensor<3x2xf32> {nnc.name = "table.table", nnc.role = "weight"},
      %arg1: tensor<2x2xf32> {nnc.name = "dense1.w", nnc.role = "weight"},
      %arg2: tensor<2xf32> {nnc.name = "dense1.b", nnc.role = "weight"},
      %arg3: tensor<2x2xf32> {nnc.name = "dense2.w", nnc.role = "weight"},
      %arg4: tensor<2xf32> {nnc.name = "dense2.b", nnc.role = "weight"},
      %arg5: tensor<3xi32> {nnc.name = "x", nnc.role = "input"}
  ) -> (
      tensor<3x3xf32> {nnc.kind = "prediction", nnc.name = "output"}
  ) {
    // table > gather (embedding.nn:3)
    %0 = "stablehlo.gather"(%arg0, %arg5) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2>}> : (tensor<3x2xf32>, tensor<3xi32>) -> tensor<3x2xf32>
    %1 = stablehlo.constant dense<0> : tensor<3xi32>
    %2 = stablehlo.constant dense<3> : tensor<3xi32>
    %3 = stablehlo.compare GE, %arg5, %1, SIGNED : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi1>
    %4 = stablehlo.compare LT, %arg5, %2, SIGNED : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi1>
    %5 = stablehlo.and %3, %4 : tensor<3xi1>
    %6 = stablehlo.broadcast_in_dim %5, dims = [0] : (tensor<3xi1>) -> tensor<3x2xi1>
    %7 = stablehlo.constant dense<0x00000000> : tensor<3x2xf32>  // 0
    %8 = stablehlo.select %6, %0, %7 : tensor<3x2xi1>, tensor<3x2xf32>
    // dense1 (embedding.nn:5)
    %9 = stablehlo.dot_general %8, %arg1, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
    %10 = stablehlo.broadcast_in_dim %arg2, dims = [1] : (tensor<2xf32>) -> tensor<3x2xf32>
    %11 = stablehlo.add %9, %10 : tensor<3x2xf32>
    // dense1 > tanh (embedding.nn:5)
    %12 = stablehlo.tanh %11 : tensor<3x2xf32>
    // dense2 (embedding.nn:5)
    %13 = stablehlo.dot_general %12, %arg3, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
    %14 = stablehlo.broadcast_in_dim %arg4, dims = [1] : (tensor<2xf32>) -> tensor<3x2xf32>
    %15 = stablehlo.add %13, %14 : tensor<3x2xf32>
    // dense2 > tanh (embedding.nn:5)
    %16 = stablehlo.tanh %15 : tensor<3x2xf32>
    // transpose (embedding.nn:6)
    %17 = stablehlo.transpose %arg0, dims = [1, 0] : (tensor<3x2xf32>) -> tensor<2x3xf32>
    // embedding.nn:6
    %18 = stablehlo.dot_general %16, %17, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<2x3xf32>) -> tensor<3x3xf32>
    // softmax > max (embedding.nn:7)
    %19 = stablehlo.constant dense<0xFF800000> : tensor<f32>  // -inf
    %20 = stablehlo.reduce(%18 init: %19) applies stablehlo.maximum across dimensions = [1] : (tensor<3x3xf32>, tensor<f32>) -> tensor<3xf32>
    %21 = stablehlo.reshape %20 : (tensor<3xf32>) -> tensor<3x1xf32>
    // softmax > stop_gradient (embedding.nn:7)
    %22 = stablehlo.optimization_barrier %21 : tensor<3x1xf32>
    // softmax (embedding.nn:7)
    %23 = stablehlo.reshape %22 : (tensor<3x1xf32>) -> tensor<3xf32>
    %24 = stablehlo.broadcast_in_dim %23, dims = [0] : (tensor<3xf32>) -> tensor<3x3xf32>
    %25 = stablehlo.subtract %18, %24 : tensor<3x3xf32>
    // softmax > exp (embedding.nn:7)
    %26 = stablehlo.exponential %25 : tensor<3x3xf32>
    // softmax > sum (embedding.nn:7)
    %27 = stablehlo.constant dense<0x00000000> : tensor<f32>  // 0
    %28 = stablehlo.reduce(%26 init: %27) applies stablehlo.add across dimensions = [1] : (tensor<3x3xf32>, tensor<f32>) -> tensor<3xf32>
    // softmax (embedding.nn:7)
    %29 = stablehlo.broadcast_in_dim %28, dims = [0] : (tensor<3xf32>) -> tensor<3x3xf32>
    %30 = stablehlo.divide %26, %29 : tensor<3x3xf32>
    return %30 : tensor<3x3xf32>
  }
}
