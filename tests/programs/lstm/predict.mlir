// eval: 3 samples
module @nnc_eval {
  func.func public @main(
      %arg0: tensor<1x8xf32> {nnc.name = "lstm1.w", nnc.role = "weight"},
      %arg1: tensor<2x8xf32> {nnc.name = "lstm1.u", nnc.role = "weight"},
      %arg2: tensor<8xf32> {nnc.name = "lstm1.b", nnc.role = "weight"},
      %arg3: tensor<2x1xf32> {nnc.name = "dense1.w", nnc.role = "weight"},
      %arg4: tensor<1xf32> {nnc.name = "dense1.b", nnc.role = "weight"},
      %arg5: tensor<3x4xf32> {nnc.name = "input", nnc.role = "input"}
  ) -> (
      tensor<3x1xf32> {nnc.kind = "prediction", nnc.name = "output"}
  ) {
    // reshape (lstm.nn:6)
    %0 = stablehlo.reshape %arg5 : (tensor<3x4xf32>) -> tensor<3x4x1xf32>
    // lstm1 (lstm.nn:7)
    %1 = stablehlo.dot_general %0, %arg0, contracting_dims = [2] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x4x1xf32>, tensor<1x8xf32>) -> tensor<3x4x8xf32>
    %2 = stablehlo.broadcast_in_dim %arg2, dims = [2] : (tensor<8xf32>) -> tensor<3x4x8xf32>
    %3 = stablehlo.add %1, %2 : tensor<3x4x8xf32>
    // lstm1 > zeros > fill (lstm.nn:7)
    %4 = stablehlo.constant dense<0x00000000> : tensor<f32>  // 0
    // lstm1 (lstm.nn:7)
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<3x2xf32>
    %6 = stablehlo.transpose %3, dims = [1, 0, 2] : (tensor<3x4x8xf32>) -> tensor<4x3x8xf32>
    %7 = stablehlo.constant dense<0> : tensor<i32>
    %8:5 = stablehlo.while(%i9 = %7, %i10 = %5, %i11 = %5, %i12 = %6, %i13 = %arg1) : tensor<i32>, tensor<3x2xf32>, tensor<3x2xf32>, tensor<4x3x8xf32>, tensor<2x8xf32>
    cond {
      %14 = stablehlo.constant dense<4> : tensor<i32>
      %15 = stablehlo.compare LT, %i9, %14, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %15 : tensor<i1>
    } do {
      %16 = stablehlo.constant dense<1> : tensor<i32>
      %17 = stablehlo.add %i9, %16 : tensor<i32>
      %18 = stablehlo.constant dense<0> : tensor<i32>
      %19 = stablehlo.dynamic_slice %i12, %i9, %18, %18, sizes = [1, 3, 8] : (tensor<4x3x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x3x8xf32>
      %20 = stablehlo.reshape %19 : (tensor<1x3x8xf32>) -> tensor<3x8xf32>
      // lstm1 > split (lstm.nn:7)
      %21 = stablehlo.slice %20 [0:3, 0:2] : (tensor<3x8xf32>) -> tensor<3x2xf32>
      %22 = stablehlo.slice %20 [0:3, 2:4] : (tensor<3x8xf32>) -> tensor<3x2xf32>
      %23 = stablehlo.slice %20 [0:3, 4:6] : (tensor<3x8xf32>) -> tensor<3x2xf32>
      %24 = stablehlo.slice %20 [0:3, 6:8] : (tensor<3x8xf32>) -> tensor<3x2xf32>
      // lstm1 (lstm.nn:7)
      %25 = stablehlo.dot_general %i10, %i13, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<2x8xf32>) -> tensor<3x8xf32>
      // lstm1 > split (lstm.nn:7)
      %26 = stablehlo.slice %25 [0:3, 0:2] : (tensor<3x8xf32>) -> tensor<3x2xf32>
      %27 = stablehlo.slice %25 [0:3, 2:4] : (tensor<3x8xf32>) -> tensor<3x2xf32>
      %28 = stablehlo.slice %25 [0:3, 4:6] : (tensor<3x8xf32>) -> tensor<3x2xf32>
      %29 = stablehlo.slice %25 [0:3, 6:8] : (tensor<3x8xf32>) -> tensor<3x2xf32>
      // lstm1 (lstm.nn:7)
      %30 = stablehlo.add %22, %27 : tensor<3x2xf32>
      // lstm1 > sigmoid (lstm.nn:7)
      %31 = stablehlo.logistic %30 : tensor<3x2xf32>
      // lstm1 (lstm.nn:7)
      %32 = stablehlo.multiply %31, %i11 : tensor<3x2xf32>
      %33 = stablehlo.add %21, %26 : tensor<3x2xf32>
      // lstm1 > sigmoid (lstm.nn:7)
      %34 = stablehlo.logistic %33 : tensor<3x2xf32>
      // lstm1 (lstm.nn:7)
      %35 = stablehlo.add %23, %28 : tensor<3x2xf32>
      // lstm1 > tanh (lstm.nn:7)
      %36 = stablehlo.tanh %35 : tensor<3x2xf32>
      // lstm1 (lstm.nn:7)
      %37 = stablehlo.multiply %34, %36 : tensor<3x2xf32>
      %38 = stablehlo.add %32, %37 : tensor<3x2xf32>
      %39 = stablehlo.add %24, %29 : tensor<3x2xf32>
      // lstm1 > sigmoid (lstm.nn:7)
      %40 = stablehlo.logistic %39 : tensor<3x2xf32>
      // lstm1 > tanh (lstm.nn:7)
      %41 = stablehlo.tanh %38 : tensor<3x2xf32>
      // lstm1 (lstm.nn:7)
      %42 = stablehlo.multiply %40, %41 : tensor<3x2xf32>
      stablehlo.return %17, %42, %38, %i12, %i13 : tensor<i32>, tensor<3x2xf32>, tensor<3x2xf32>, tensor<4x3x8xf32>, tensor<2x8xf32>
    }
    // dense1 (lstm.nn:8)
    %43 = stablehlo.dot_general %8#1, %arg3, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<2x1xf32>) -> tensor<3x1xf32>
    %44 = stablehlo.broadcast_in_dim %arg4, dims = [1] : (tensor<1xf32>) -> tensor<3x1xf32>
    %45 = stablehlo.add %43, %44 : tensor<3x1xf32>
    return %45 : tensor<3x1xf32>
  }
}
