// RUN: txc-opt %s -txc-gemm-to-warp=sm=75 -verify-diagnostics

func.func @main(%x: tensor<4x8xf16>, %w: tensor<8x5xf16>) -> tensor<4x5xf32> {
  // expected-error @below {{the matrix instruction of 'f16' needs sm_80, found sm_75}}
  %r = kernel.gemm [#tx.expr<4>, #tx.expr<5>, #tx.expr<8>] (%x : tensor<4x8xf16>, %w : tensor<8x5xf16>)
      maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] -> tensor<4x5xf32> {
  ^bb0(%acc: f32):
    kernel.yield %acc : f32
  }
  return %r : tensor<4x5xf32>
}
