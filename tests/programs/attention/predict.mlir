// eval: 3 samples
module @nnc_eval {
  func.func public @main(
      %arg0: tensor<4xf32> {nnc.name = "transformer1.layernorm1.scale", nnc.role = "weight"},
      %arg1: tensor<4xf32> {nnc.name = "transformer1.layernorm1.shift", nnc.role = "weight"},
      %arg2: tensor<4x12xf32> {nnc.name = "transformer1.attention1.dense1.w", nnc.role = "weight"},
      %arg3: tensor<12xf32> {nnc.name = "transformer1.attention1.dense1.b", nnc.role = "weight"},
      %arg4: tensor<4x4xf32> {nnc.name = "transformer1.attention1.dense2.w", nnc.role = "weight"},
      %arg5: tensor<4xf32> {nnc.name = "transformer1.attention1.dense2.b", nnc.role = "weight"},
      %arg6: tensor<4xf32> {nnc.name = "transformer1.layernorm2.scale", nnc.role = "weight"},
      %arg7: tensor<4xf32> {nnc.name = "transformer1.layernorm2.shift", nnc.role = "weight"},
      %arg8: tensor<4x16xf32> {nnc.name = "transformer1.dense1.w", nnc.role = "weight"},
      %arg9: tensor<16xf32> {nnc.name = "transformer1.dense1.b", nnc.role = "weight"},
      %arg10: tensor<16x4xf32> {nnc.name = "transformer1.dense2.w", nnc.role = "weight"},
      %arg11: tensor<4xf32> {nnc.name = "transformer1.dense2.b", nnc.role = "weight"},
      %arg12: tensor<4x1xf32> {nnc.name = "dense1.w", nnc.role = "weight"},
      %arg13: tensor<1xf32> {nnc.name = "dense1.b", nnc.role = "weight"},
      %arg14: tensor<3x12xf32> {nnc.name = "input", nnc.role = "input"}
  ) -> (
      tensor<3x1xf32> {nnc.kind = "prediction", nnc.name = "output"}
  ) {
    // reshape (attention.nn:6)
    %0 = stablehlo.reshape %arg14 : (tensor<3x12xf32>) -> tensor<3x3x4xf32>
    // transformer1 > layernorm1 > mean (attention.nn:7)
    %1 = stablehlo.constant dense<0x00000000> : tensor<f32>  // 0
    %2 = stablehlo.reduce(%0 init: %1) applies stablehlo.add across dimensions = [2] : (tensor<3x3x4xf32>, tensor<f32>) -> tensor<3x3xf32>
    %3 = stablehlo.constant dense<0x40800000> : tensor<f32>  // 4
    %4 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f32>) -> tensor<3x3xf32>
    %5 = stablehlo.divide %2, %4 : tensor<3x3xf32>
    // transformer1 > layernorm1 (attention.nn:7)
    %6 = stablehlo.broadcast_in_dim %5, dims = [0, 1] : (tensor<3x3xf32>) -> tensor<3x3x4xf32>
    %7 = stablehlo.subtract %0, %6 : tensor<3x3x4xf32>
    %8 = stablehlo.broadcast_in_dim %arg0, dims = [2] : (tensor<4xf32>) -> tensor<3x3x4xf32>
    %9 = stablehlo.multiply %8, %7 : tensor<3x3x4xf32>
    %10 = stablehlo.multiply %7, %7 : tensor<3x3x4xf32>
    // transformer1 > layernorm1 > mean (attention.nn:7)
    %11 = stablehlo.constant dense<0x00000000> : tensor<f32>  // 0
    %12 = stablehlo.reduce(%10 init: %11) applies stablehlo.add across dimensions = [2] : (tensor<3x3x4xf32>, tensor<f32>) -> tensor<3x3xf32>
    %13 = stablehlo.divide %12, %4 : tensor<3x3xf32>
    %14 = stablehlo.reshape %13 : (tensor<3x3xf32>) -> tensor<3x3x1xf32>
    // transformer1 > layernorm1 (attention.nn:7)
    %15 = stablehlo.constant dense<0x3A83126F> : tensor<f32>  // 0.001
    %16 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<f32>) -> tensor<3x3x1xf32>
    %17 = stablehlo.add %14, %16 : tensor<3x3x1xf32>
    // transformer1 > layernorm1 > sqrt (attention.nn:7)
    %18 = stablehlo.sqrt %17 : tensor<3x3x1xf32>
    // transformer1 > layernorm1 (attention.nn:7)
    %19 = stablehlo.reshape %18 : (tensor<3x3x1xf32>) -> tensor<3x3xf32>
    %20 = stablehlo.broadcast_in_dim %19, dims = [0, 1] : (tensor<3x3xf32>) -> tensor<3x3x4xf32>
    %21 = stablehlo.divide %9, %20 : tensor<3x3x4xf32>
    %22 = stablehlo.broadcast_in_dim %arg1, dims = [2] : (tensor<4xf32>) -> tensor<3x3x4xf32>
    %23 = stablehlo.add %21, %22 : tensor<3x3x4xf32>
    // transformer1 > attention1 > dense1 (attention.nn:7)
    %24 = stablehlo.dot_general %23, %arg2, contracting_dims = [2] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x3x4xf32>, tensor<4x12xf32>) -> tensor<3x3x12xf32>
    %25 = stablehlo.broadcast_in_dim %arg3, dims = [2] : (tensor<12xf32>) -> tensor<3x3x12xf32>
    %26 = stablehlo.add %24, %25 : tensor<3x3x12xf32>
    // transformer1 > attention1 > split (attention.nn:7)
    %27 = stablehlo.slice %26 [0:3, 0:3, 0:4] : (tensor<3x3x12xf32>) -> tensor<3x3x4xf32>
    %28 = stablehlo.slice %26 [0:3, 0:3, 4:8] : (tensor<3x3x12xf32>) -> tensor<3x3x4xf32>
    %29 = stablehlo.slice %26 [0:3, 0:3, 8:12] : (tensor<3x3x12xf32>) -> tensor<3x3x4xf32>
    // transformer1 > attention1 > looked > rearrange (attention.nn:7)
    %30 = stablehlo.reshape %27 : (tensor<3x3x4xf32>) -> tensor<3x3x2x2xf32>
    %31 = stablehlo.transpose %30, dims = [0, 2, 1, 3] : (tensor<3x3x2x2xf32>) -> tensor<3x2x3x2xf32>
    %32 = stablehlo.reshape %28 : (tensor<3x3x4xf32>) -> tensor<3x3x2x2xf32>
    %33 = stablehlo.reshape %29 : (tensor<3x3x4xf32>) -> tensor<3x3x2x2xf32>
    %34 = stablehlo.transpose %33, dims = [0, 2, 1, 3] : (tensor<3x3x2x2xf32>) -> tensor<3x2x3x2xf32>
    // transformer1 > attention1 > looked > transpose (attention.nn:7)
    %35 = stablehlo.transpose %32, dims = [0, 2, 3, 1] : (tensor<3x3x2x2xf32>) -> tensor<3x2x2x3xf32>
    // transformer1 > attention1 > looked (attention.nn:7)
    %36 = stablehlo.dot_general %31, %35, batching_dims = [0, 1] x [0, 1], contracting_dims = [3] x [2], precision = [HIGHEST, HIGHEST] : (tensor<3x2x3x2xf32>, tensor<3x2x2x3xf32>) -> tensor<3x2x3x3xf32>
    %37 = stablehlo.constant dense<0x3FB504F3> : tensor<f32>  // 1.4142135623730951
    %38 = stablehlo.broadcast_in_dim %37, dims = [] : (tensor<f32>) -> tensor<3x2x3x3xf32>
    %39 = stablehlo.divide %36, %38 : tensor<3x2x3x3xf32>
    // transformer1 > attention1 > looked > index (attention.nn:7)
    %40 = stablehlo.iota dim = 2 : tensor<2x3x3xf32>
    %41 = stablehlo.iota dim = 1 : tensor<2x3x3xf32>
    // transformer1 > attention1 > looked (attention.nn:7)
    %42 = stablehlo.compare GT, %40, %41, FLOAT : (tensor<2x3x3xf32>, tensor<2x3x3xf32>) -> tensor<2x3x3xi1>
    // transformer1 > attention1 > looked > where (attention.nn:7)
    %43 = stablehlo.constant dense<0xCE6E6B28> : tensor<f32>  // -1000000000
    %44 = stablehlo.broadcast_in_dim %42, dims = [1, 2, 3] : (tensor<2x3x3xi1>) -> tensor<3x2x3x3xi1>
    %45 = stablehlo.broadcast_in_dim %43, dims = [] : (tensor<f32>) -> tensor<3x2x3x3xf32>
    %46 = stablehlo.select %44, %45, %39 : tensor<3x2x3x3xi1>, tensor<3x2x3x3xf32>
    // transformer1 > attention1 > looked > softmax > max (attention.nn:7)
    %47 = stablehlo.constant dense<0xFF800000> : tensor<f32>  // -inf
    %48 = stablehlo.reduce(%46 init: %47) applies stablehlo.maximum across dimensions = [3] : (tensor<3x2x3x3xf32>, tensor<f32>) -> tensor<3x2x3xf32>
    %49 = stablehlo.reshape %48 : (tensor<3x2x3xf32>) -> tensor<3x2x3x1xf32>
    // transformer1 > attention1 > looked > softmax > stop_gradient (attention.nn:7)
    %50 = stablehlo.optimization_barrier %49 : tensor<3x2x3x1xf32>
    // transformer1 > attention1 > looked > softmax (attention.nn:7)
    %51 = stablehlo.reshape %50 : (tensor<3x2x3x1xf32>) -> tensor<3x2x3xf32>
    %52 = stablehlo.broadcast_in_dim %51, dims = [0, 1, 2] : (tensor<3x2x3xf32>) -> tensor<3x2x3x3xf32>
    %53 = stablehlo.subtract %46, %52 : tensor<3x2x3x3xf32>
    // transformer1 > attention1 > looked > softmax > exp (attention.nn:7)
    %54 = stablehlo.exponential %53 : tensor<3x2x3x3xf32>
    // transformer1 > attention1 > looked > softmax > sum (attention.nn:7)
    %55 = stablehlo.constant dense<0x00000000> : tensor<f32>  // 0
    %56 = stablehlo.reduce(%54 init: %55) applies stablehlo.add across dimensions = [3] : (tensor<3x2x3x3xf32>, tensor<f32>) -> tensor<3x2x3xf32>
    // transformer1 > attention1 > looked > softmax (attention.nn:7)
    %57 = stablehlo.broadcast_in_dim %56, dims = [0, 1, 2] : (tensor<3x2x3xf32>) -> tensor<3x2x3x3xf32>
    %58 = stablehlo.divide %54, %57 : tensor<3x2x3x3xf32>
    // transformer1 > attention1 > looked (attention.nn:7)
    %59 = stablehlo.dot_general %58, %34, batching_dims = [0, 1] x [0, 1], contracting_dims = [3] x [2], precision = [HIGHEST, HIGHEST] : (tensor<3x2x3x3xf32>, tensor<3x2x3x2xf32>) -> tensor<3x2x3x2xf32>
    // transformer1 > attention1 > looked > rearrange (attention.nn:7)
    %60 = stablehlo.transpose %59, dims = [0, 2, 1, 3] : (tensor<3x2x3x2xf32>) -> tensor<3x3x2x2xf32>
    %61 = stablehlo.reshape %60 : (tensor<3x3x2x2xf32>) -> tensor<3x3x4xf32>
    // transformer1 > attention1 > dense2 (attention.nn:7)
    %62 = stablehlo.dot_general %61, %arg4, contracting_dims = [2] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x3x4xf32>, tensor<4x4xf32>) -> tensor<3x3x4xf32>
    %63 = stablehlo.broadcast_in_dim %arg5, dims = [2] : (tensor<4xf32>) -> tensor<3x3x4xf32>
    %64 = stablehlo.add %62, %63 : tensor<3x3x4xf32>
    // transformer1 > add (attention.nn:7)
    %65 = stablehlo.add %64, %0 : tensor<3x3x4xf32>
    // transformer1 > layernorm2 > mean (attention.nn:7)
    %66 = stablehlo.constant dense<0x00000000> : tensor<f32>  // 0
    %67 = stablehlo.reduce(%65 init: %66) applies stablehlo.add across dimensions = [2] : (tensor<3x3x4xf32>, tensor<f32>) -> tensor<3x3xf32>
    %68 = stablehlo.divide %67, %4 : tensor<3x3xf32>
    // transformer1 > layernorm2 (attention.nn:7)
    %69 = stablehlo.broadcast_in_dim %68, dims = [0, 1] : (tensor<3x3xf32>) -> tensor<3x3x4xf32>
    %70 = stablehlo.subtract %65, %69 : tensor<3x3x4xf32>
    %71 = stablehlo.broadcast_in_dim %arg6, dims = [2] : (tensor<4xf32>) -> tensor<3x3x4xf32>
    %72 = stablehlo.multiply %71, %70 : tensor<3x3x4xf32>
    %73 = stablehlo.multiply %70, %70 : tensor<3x3x4xf32>
    // transformer1 > layernorm2 > mean (attention.nn:7)
    %74 = stablehlo.constant dense<0x00000000> : tensor<f32>  // 0
    %75 = stablehlo.reduce(%73 init: %74) applies stablehlo.add across dimensions = [2] : (tensor<3x3x4xf32>, tensor<f32>) -> tensor<3x3xf32>
    %76 = stablehlo.divide %75, %4 : tensor<3x3xf32>
    %77 = stablehlo.reshape %76 : (tensor<3x3xf32>) -> tensor<3x3x1xf32>
    // transformer1 > layernorm2 (attention.nn:7)
    %78 = stablehlo.add %77, %16 : tensor<3x3x1xf32>
    // transformer1 > layernorm2 > sqrt (attention.nn:7)
    %79 = stablehlo.sqrt %78 : tensor<3x3x1xf32>
    // transformer1 > layernorm2 (attention.nn:7)
    %80 = stablehlo.reshape %79 : (tensor<3x3x1xf32>) -> tensor<3x3xf32>
    %81 = stablehlo.broadcast_in_dim %80, dims = [0, 1] : (tensor<3x3xf32>) -> tensor<3x3x4xf32>
    %82 = stablehlo.divide %72, %81 : tensor<3x3x4xf32>
    %83 = stablehlo.broadcast_in_dim %arg7, dims = [2] : (tensor<4xf32>) -> tensor<3x3x4xf32>
    %84 = stablehlo.add %82, %83 : tensor<3x3x4xf32>
    // transformer1 > dense1 (attention.nn:7)
    %85 = stablehlo.dot_general %84, %arg8, contracting_dims = [2] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x3x4xf32>, tensor<4x16xf32>) -> tensor<3x3x16xf32>
    %86 = stablehlo.broadcast_in_dim %arg9, dims = [2] : (tensor<16xf32>) -> tensor<3x3x16xf32>
    %87 = stablehlo.add %85, %86 : tensor<3x3x16xf32>
    // transformer1 > dense1 > gelu (attention.nn:7)
    %88 = stablehlo.constant dense<0x3F000000> : tensor<f32>  // 0.5
    %89 = stablehlo.broadcast_in_dim %88, dims = [] : (tensor<f32>) -> tensor<3x3x16xf32>
    %90 = stablehlo.multiply %89, %87 : tensor<3x3x16xf32>
    %91 = stablehlo.broadcast_in_dim %37, dims = [] : (tensor<f32>) -> tensor<3x3x16xf32>
    %92 = stablehlo.divide %87, %91 : tensor<3x3x16xf32>
    // transformer1 > dense1 > gelu > erf (attention.nn:7)
    %93 = func.call @erf_3x3x16xf32(%92) : (tensor<3x3x16xf32>) -> tensor<3x3x16xf32>
    // transformer1 > dense1 > gelu (attention.nn:7)
    %94 = stablehlo.constant dense<0x3F800000> : tensor<f32>  // 1
    %95 = stablehlo.broadcast_in_dim %94, dims = [] : (tensor<f32>) -> tensor<3x3x16xf32>
    %96 = stablehlo.add %95, %93 : tensor<3x3x16xf32>
    %97 = stablehlo.multiply %90, %96 : tensor<3x3x16xf32>
    // transformer1 > dense2 (attention.nn:7)
    %98 = stablehlo.dot_general %97, %arg10, contracting_dims = [2] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x3x16xf32>, tensor<16x4xf32>) -> tensor<3x3x4xf32>
    %99 = stablehlo.broadcast_in_dim %arg11, dims = [2] : (tensor<4xf32>) -> tensor<3x3x4xf32>
    %100 = stablehlo.add %98, %99 : tensor<3x3x4xf32>
    // transformer1 > add (attention.nn:7)
    %101 = stablehlo.add %100, %65 : tensor<3x3x4xf32>
    // mean (attention.nn:8)
    %102 = stablehlo.constant dense<0x00000000> : tensor<f32>  // 0
    %103 = stablehlo.reduce(%101 init: %102) applies stablehlo.add across dimensions = [1] : (tensor<3x3x4xf32>, tensor<f32>) -> tensor<3x4xf32>
    %104 = stablehlo.constant dense<0x40400000> : tensor<f32>  // 3
    %105 = stablehlo.broadcast_in_dim %104, dims = [] : (tensor<f32>) -> tensor<3x4xf32>
    %106 = stablehlo.divide %103, %105 : tensor<3x4xf32>
    // dense1 (attention.nn:9)
    %107 = stablehlo.dot_general %106, %arg12, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x4xf32>, tensor<4x1xf32>) -> tensor<3x1xf32>
    %108 = stablehlo.broadcast_in_dim %arg13, dims = [1] : (tensor<1xf32>) -> tensor<3x1xf32>
    %109 = stablehlo.add %107, %108 : tensor<3x1xf32>
    return %109 : tensor<3x1xf32>
  }
  func.func private @erf_3x3x16xf32(%arg0: tensor<3x3x16xf32>) -> tensor<3x3x16xf32> {
    %0 = stablehlo.constant dense<0x3F800000> : tensor<3x3x16xf32>  // 1
    %1 = stablehlo.abs %arg0 : tensor<3x3x16xf32>
    %2 = stablehlo.multiply %arg0, %arg0 : tensor<3x3x16xf32>
    %3 = stablehlo.constant dense<0x38A4B518> : tensor<3x3x16xf32>  // 7.853861e-5
    %4 = stablehlo.multiply %3, %2 : tensor<3x3x16xf32>
    %5 = stablehlo.constant dense<0xBA51FB80> : tensor<3x3x16xf32>  // -0.00080101936
    %6 = stablehlo.add %4, %5 : tensor<3x3x16xf32>
    %7 = stablehlo.multiply %6, %2 : tensor<3x3x16xf32>
    %8 = stablehlo.constant dense<0x3BAA02D9> : tensor<3x3x16xf32>  // 0.0051883276
    %9 = stablehlo.add %7, %8 : tensor<3x3x16xf32>
    %10 = stablehlo.multiply %9, %2 : tensor<3x3x16xf32>
    %11 = stablehlo.constant dense<0xBCDBFC87> : tensor<3x3x16xf32>  // -0.026853812
    %12 = stablehlo.add %10, %11 : tensor<3x3x16xf32>
    %13 = stablehlo.multiply %12, %2 : tensor<3x3x16xf32>
    %14 = stablehlo.constant dense<0x3DE7167B> : tensor<3x3x16xf32>  // 0.11283585
    %15 = stablehlo.add %13, %14 : tensor<3x3x16xf32>
    %16 = stablehlo.multiply %15, %2 : tensor<3x3x16xf32>
    %17 = stablehlo.constant dense<0xBEC0939F> : tensor<3x3x16xf32>  // -0.37612626
    %18 = stablehlo.add %16, %17 : tensor<3x3x16xf32>
    %19 = stablehlo.multiply %18, %2 : tensor<3x3x16xf32>
    %20 = stablehlo.constant dense<0x3F906EBB> : tensor<3x3x16xf32>  // 1.1283791670955126
    %21 = stablehlo.add %19, %20 : tensor<3x3x16xf32>
    %22 = stablehlo.multiply %arg0, %21 : tensor<3x3x16xf32>
    %23 = stablehlo.maximum %1, %0 : tensor<3x3x16xf32>
    %24 = stablehlo.divide %0, %23 : tensor<3x3x16xf32>
    %25 = stablehlo.multiply %24, %24 : tensor<3x3x16xf32>
    %26 = stablehlo.constant dense<0x3CBE9CF4> : tensor<3x3x16xf32>  // 0.0232682
    %27 = stablehlo.multiply %26, %25 : tensor<3x3x16xf32>
    %28 = stablehlo.constant dense<0xBE0E0868> : tensor<3x3x16xf32>  // -0.13870394
    %29 = stablehlo.add %27, %28 : tensor<3x3x16xf32>
    %30 = stablehlo.multiply %29, %25 : tensor<3x3x16xf32>
    %31 = stablehlo.constant dense<0x3EBCCBD0> : tensor<3x3x16xf32>  // 0.36874247
    %32 = stablehlo.add %30, %31 : tensor<3x3x16xf32>
    %33 = stablehlo.multiply %32, %25 : tensor<3x3x16xf32>
    %34 = stablehlo.constant dense<0xBF151CF8> : tensor<3x3x16xf32>  // -0.5824733
    %35 = stablehlo.add %33, %34 : tensor<3x3x16xf32>
    %36 = stablehlo.multiply %35, %25 : tensor<3x3x16xf32>
    %37 = stablehlo.constant dense<0x3F1EF9E3> : tensor<3x3x16xf32>  // 0.62100046
    %38 = stablehlo.add %36, %37 : tensor<3x3x16xf32>
    %39 = stablehlo.multiply %38, %25 : tensor<3x3x16xf32>
    %40 = stablehlo.constant dense<0xBEFD28C0> : tensor<3x3x16xf32>  // -0.49445153
    %41 = stablehlo.add %39, %40 : tensor<3x3x16xf32>
    %42 = stablehlo.multiply %41, %25 : tensor<3x3x16xf32>
    %43 = stablehlo.constant dense<0x3EAE5471> : tensor<3x3x16xf32>  // 0.340488
    %44 = stablehlo.add %42, %43 : tensor<3x3x16xf32>
    %45 = stablehlo.multiply %44, %25 : tensor<3x3x16xf32>
    %46 = stablehlo.constant dense<0xBE8C5880> : tensor<3x3x16xf32>  // -0.2741127
    %47 = stablehlo.add %45, %46 : tensor<3x3x16xf32>
    %48 = stablehlo.multiply %47, %25 : tensor<3x3x16xf32>
    %49 = stablehlo.constant dense<0x3F1056E6> : tensor<3x3x16xf32>  // 0.56382594
    %50 = stablehlo.add %48, %49 : tensor<3x3x16xf32>
    %51 = stablehlo.constant dense<0xC127A483> : tensor<3x3x16xf32>  // -10.477664
    %52 = stablehlo.multiply %51, %25 : tensor<3x3x16xf32>
    %53 = stablehlo.constant dense<0x414FA29C> : tensor<3x3x16xf32>  // 12.9772
    %54 = stablehlo.add %52, %53 : tensor<3x3x16xf32>
    %55 = stablehlo.multiply %54, %25 : tensor<3x3x16xf32>
    %56 = stablehlo.constant dense<0xC0EFDB4A> : tensor<3x3x16xf32>  // -7.4955187
    %57 = stablehlo.add %55, %56 : tensor<3x3x16xf32>
    %58 = stablehlo.multiply %57, %25 : tensor<3x3x16xf32>
    %59 = stablehlo.constant dense<0x403AF1FA> : tensor<3x3x16xf32>  // 2.921019
    %60 = stablehlo.add %58, %59 : tensor<3x3x16xf32>
    %61 = stablehlo.multiply %60, %25 : tensor<3x3x16xf32>
    %62 = stablehlo.constant dense<0xBF81F437> : tensor<3x3x16xf32>  // -1.0152653
    %63 = stablehlo.add %61, %62 : tensor<3x3x16xf32>
    %64 = stablehlo.multiply %63, %25 : tensor<3x3x16xf32>
    %65 = stablehlo.constant dense<0x3ED7FC3E> : tensor<3x3x16xf32>  // 0.42184634
    %66 = stablehlo.add %64, %65 : tensor<3x3x16xf32>
    %67 = stablehlo.multiply %66, %25 : tensor<3x3x16xf32>
    %68 = stablehlo.constant dense<0xBE906C5D> : tensor<3x3x16xf32>  // -0.28207674
    %69 = stablehlo.add %67, %68 : tensor<3x3x16xf32>
    %70 = stablehlo.multiply %69, %25 : tensor<3x3x16xf32>
    %71 = stablehlo.constant dense<0x3F106EB9> : tensor<3x3x16xf32>  // 0.5641895
    %72 = stablehlo.add %70, %71 : tensor<3x3x16xf32>
    %73 = stablehlo.constant dense<0x40000000> : tensor<3x3x16xf32>  // 2
    %74 = stablehlo.compare LT, %1, %73, FLOAT : (tensor<3x3x16xf32>, tensor<3x3x16xf32>) -> tensor<3x3x16xi1>
    %75 = stablehlo.select %74, %50, %72 : tensor<3x3x16xi1>, tensor<3x3x16xf32>
    %76 = stablehlo.negate %2 : tensor<3x3x16xf32>
    %77 = stablehlo.exponential %76 : tensor<3x3x16xf32>
    %78 = stablehlo.multiply %77, %24 : tensor<3x3x16xf32>
    %79 = stablehlo.multiply %78, %75 : tensor<3x3x16xf32>
    %80 = stablehlo.subtract %0, %79 : tensor<3x3x16xf32>
    %81 = stablehlo.sign %arg0 : tensor<3x3x16xf32>
    %82 = stablehlo.multiply %80, %81 : tensor<3x3x16xf32>
    %83 = stablehlo.constant dense<0x3F800000> : tensor<3x3x16xf32>  // 1
    %84 = stablehlo.compare LT, %1, %83, FLOAT : (tensor<3x3x16xf32>, tensor<3x3x16xf32>) -> tensor<3x3x16xi1>
    %85 = stablehlo.select %84, %22, %82 : tensor<3x3x16xi1>, tensor<3x3x16xf32>
    return %85 : tensor<3x3x16xf32>
  }
}
