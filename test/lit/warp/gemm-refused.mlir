// RUN: txc-opt %s -txc-gemm-to-warp -split-input-file -verify-diagnostics

// Words of four by factors that come in twos.
func.func @stored(%x: tensor<4x8xbf16>, %w: !pack.tensor<8x5xbf16, #pack.panels<16, depth 4>>) -> tensor<4x5xf32> {
  // expected-error @below {{a GPU's matrix instructions read no panels like these, found '!pack.tensor}}
  %r = kernel.gemm [#tx.expr<4>, #tx.expr<5>, #tx.expr<8>] (%x : tensor<4x8xbf16>, %w : !pack.tensor<8x5xbf16, #pack.panels<16, depth 4>>)
      maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] -> tensor<4x5xf32> {
  ^bb0(%acc: f32):
    kernel.yield %acc : f32
  }
  return %r : tensor<4x5xf32>
}

// -----

func.func @doubles(%x: tensor<4x8xf64>, %w: tensor<8x5xf64>) -> tensor<4x5xf64> {
  // expected-error @below {{no matrix instruction multiplies 'f64' by 'f64'}}
  %r = kernel.gemm [#tx.expr<4>, #tx.expr<5>, #tx.expr<8>] (%x : tensor<4x8xf64>, %w : tensor<8x5xf64>)
      maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] -> tensor<4x5xf64> {
  ^bb0(%acc: f64):
    kernel.yield %acc : f64
  }
  return %r : tensor<4x5xf64>
}

// -----

func.func @division(%x: tensor<4x8xf32>, %w: tensor<2x4x5xf32>) -> tensor<4x5xf32> {
  // expected-error @below {{a GPU's product needs strides along m, n and k; the right operand's map has none}}
  %r = kernel.gemm [#tx.expr<4>, #tx.expr<5>, #tx.expr<8>] (%x : tensor<4x8xf32>, %w : tensor<2x4x5xf32>)
      maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k mod 2, k floordiv 2, n)>, affine_map<(m, n, k) -> (m, n)>] -> tensor<4x5xf32> {
  ^bb0(%acc: f32):
    kernel.yield %acc : f32
  }
  return %r : tensor<4x5xf32>
}
