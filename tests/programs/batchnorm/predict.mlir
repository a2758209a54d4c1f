// eval: 3 samples
module @nnc_eval {
  func.func public @main(
      %arg0: tensor<2x3xf32> {nnc.name = "dense1.w", nnc.role = "weight"},
      %arg1: tensor<3xf32> {nnc.name = "dense1.b", nnc.role = "weight"},
      %arg2: tensor<3xf32> {nnc.name = "batchnorm1.scale", nnc.role = "weight"},
      %arg3: tensor<3xf32> {nnc.name = "batchnorm1.shift", nnc.role = "weight"},
      %arg4: tensor<3x1xf32> {nnc.name = "dense2.w", nnc.role = "weight"},
      %arg5: tensor<1xf32> {nnc.name = "dense2.b", nnc.role = "weight"},
      %arg6: tensor<3xf32> {nnc.name = "batchnorm1.running_mean", nnc.role = "state"},
      %arg7: tensor<3xf32> {nnc.name = "batchnorm1.running_var", nnc.role = "state"},
      %arg8: tensor<3x2xf32> {nnc.name = "input", nnc.role = "input"}
  ) -> (
      tensor<3x1xf32> {nnc.kind = "prediction", nnc.name = "output"}
  ) {
    // dense1 (batchnorm.nn:3)
    %0 = stablehlo.dot_general %arg8, %arg0, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<2x3xf32>) -> tensor<3x3xf32>
    %1 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<3xf32>) -> tensor<3x3xf32>
    %2 = stablehlo.add %0, %1 : tensor<3x3xf32>
    // batchnorm1 (batchnorm.nn:4)
    %3 = stablehlo.broadcast_in_dim %arg6, dims = [1] : (tensor<3xf32>) -> tensor<3x3xf32>
    %4 = stablehlo.subtract %2, %3 : tensor<3x3xf32>
    %5 = stablehlo.broadcast_in_dim %arg2, dims = [1] : (tensor<3xf32>) -> tensor<3x3xf32>
    %6 = stablehlo.multiply %5, %4 : tensor<3x3xf32>
    %7 = stablehlo.constant dense<0x3A83126F> : tensor<f32>  // 0.001
    %8 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<f32>) -> tensor<3xf32>
    %9 = stablehlo.add %arg7, %8 : tensor<3xf32>
    // batchnorm1 > sqrt (batchnorm.nn:4)
    %10 = stablehlo.sqrt %9 : tensor<3xf32>
    // batchnorm1 (batchnorm.nn:4)
    %11 = stablehlo.broadcast_in_dim %10, dims = [1] : (tensor<3xf32>) -> tensor<3x3xf32>
    %12 = stablehlo.divide %6, %11 : tensor<3x3xf32>
    %13 = stablehlo.broadcast_in_dim %arg3, dims = [1] : (tensor<3xf32>) -> tensor<3x3xf32>
    %14 = stablehlo.add %12, %13 : tensor<3x3xf32>
    // relu > max (batchnorm.nn:5)
    %15 = stablehlo.constant dense<0x00000000> : tensor<f32>  // 0
    %16 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<f32>) -> tensor<3x3xf32>
    %17 = stablehlo.maximum %14, %16 : tensor<3x3xf32>
    // dense2 (batchnorm.nn:6)
    %18 = stablehlo.dot_general %17, %arg4, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x3xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
    %19 = stablehlo.broadcast_in_dim %arg5, dims = [1] : (tensor<1xf32>) -> tensor<3x1xf32>
    %20 = stablehlo.add %18, %19 : tensor<3x1xf32>
    return %20 : tensor<3x1xf32>
  }
}
