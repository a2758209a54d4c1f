// eval: 3 samples
module @nnc_eval {
  func.func public @main(
      %arg0: tensor<1xf32> {nnc.name = "rate", nnc.role = "weight"},
      %arg1: tensor<3x4xf32> {nnc.name = "input", nnc.role = "input"}
  ) -> (
      tensor<3x1xf32> {nnc.kind = "prediction", nnc.name = "output"}
  ) {
    // reshape (scan.nn:7)
    %0 = stablehlo.reshape %arg1 : (tensor<3x4xf32>) -> tensor<3x4x1xf32>
    // zeros > fill (scan.nn:7)
    %1 = stablehlo.constant dense<0x00000000> : tensor<f32>  // 0
    // scan.nn:7
    %2 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f32>) -> tensor<3x1xf32>
    %3 = stablehlo.transpose %0, dims = [1, 0, 2] : (tensor<3x4x1xf32>) -> tensor<4x3x1xf32>
    // sigmoid (scan.nn:8)
    %4 = stablehlo.logistic %arg0 : tensor<1xf32>
    // scan.nn:8
    %5 = stablehlo.constant dense<0> : tensor<i32>
    %6:4 = stablehlo.while(%i7 = %5, %i8 = %2, %i9 = %3, %i10 = %4) : tensor<i32>, tensor<3x1xf32>, tensor<4x3x1xf32>, tensor<1xf32>
    cond {
      %11 = stablehlo.constant dense<4> : tensor<i32>
      %12 = stablehlo.compare LT, %i7, %11, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %12 : tensor<i1>
    } do {
      %13 = stablehlo.constant dense<1> : tensor<i32>
      %14 = stablehlo.add %i7, %13 : tensor<i32>
      %15 = stablehlo.constant dense<0> : tensor<i32>
      %16 = stablehlo.dynamic_slice %i9, %i7, %15, %15, sizes = [1, 3, 1] : (tensor<4x3x1xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x3x1xf32>
      %17 = stablehlo.reshape %16 : (tensor<1x3x1xf32>) -> tensor<3x1xf32>
      %18 = stablehlo.subtract %17, %i8 : tensor<3x1xf32>
      %19 = stablehlo.broadcast_in_dim %i10, dims = [1] : (tensor<1xf32>) -> tensor<3x1xf32>
      %20 = stablehlo.multiply %19, %18 : tensor<3x1xf32>
      %21 = stablehlo.add %i8, %20 : tensor<3x1xf32>
      stablehlo.return %14, %21, %i9, %i10 : tensor<i32>, tensor<3x1xf32>, tensor<4x3x1xf32>, tensor<1xf32>
    }
    return %6#1 : tensor<3x1xf32>
  }
}
