// RUN: txc-opt %s -txc-lower-to-kernel -txc-fuse -split-input-file | FileCheck %s

// Bias, activation and residual end up in the gemm, through the reshape that
// cuts its rows into batches.
// CHECK-LABEL: @bias_gelu_residual
// CHECK-SAME:    %[[X:.*]]: tensor<?x?x8xf32, {{.*}}>, %[[W:.*]]: tensor<8x8xf32>, %[[BIAS:.*]]: tensor<8xf32>
// CHECK-DAG:     %[[ROWS:.*]] = tx.reshape %[[X]]
// CHECK:         kernel.gemm [#tx.expr<B * S>, #tx.expr<8>, #tx.expr<8>]({{.*}}) ins(%[[BIAS]], %{{.*}} : tensor<8xf32>, tensor<?x8xf32
// CHECK:         arith.addf
// CHECK:         math.erf
// CHECK-NOT:     kernel.map
// CHECK:         return
func.func @bias_gelu_residual(%x: tensor<?x?x8xf32, #tx.dims<[B, S, 8]>>, %w: tensor<8x8xf32>, %bias: tensor<8xf32>) -> tensor<?x?x8xf32, #tx.dims<[B, S, 8]>> {
  %p = tx.matmul %x, %w : tensor<?x?x8xf32, #tx.dims<[B, S, 8]>>, tensor<8x8xf32> to tensor<?x?x8xf32, #tx.dims<[B, S, 8]>>
  %b = tx.add %p, %bias : tensor<?x?x8xf32, #tx.dims<[B, S, 8]>>, tensor<8xf32>
  %g = tx.gelu erf %b : tensor<?x?x8xf32, #tx.dims<[B, S, 8]>>
  %r = tx.add %g, %x : tensor<?x?x8xf32, #tx.dims<[B, S, 8]>>, tensor<?x?x8xf32, #tx.dims<[B, S, 8]>>
  return %r : tensor<?x?x8xf32, #tx.dims<[B, S, 8]>>
}

// -----

// A product that is also returned stays one.
// CHECK-LABEL: @returned
// CHECK:         kernel.gemm
// CHECK:         kernel.map
func.func @returned(%x: tensor<4x8xf32>, %w: tensor<8x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %p = tx.matmul %x, %w : tensor<4x8xf32>, tensor<8x8xf32> to tensor<4x8xf32>
  %e = tx.exp %p : tensor<4x8xf32>
  return %p, %e : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// The transpose that merges heads is the order in which attention writes.
// CHECK: #[[MERGED:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d2, d1, d5)>
// CHECK-LABEL: @heads
// CHECK:         %[[O:.*]] = kernel.attention {{.*}}, #[[MERGED]]]
// CHECK-NOT:     kernel.map
// CHECK:         tx.reshape %[[O]] : tensor<1x3x2x8xf32> to tensor<1x3x16xf32>
func.func @heads(%q: tensor<1x2x3x8xf32>) -> tensor<1x3x16xf32> {
  %o = tx.attention %q, %q, %q {scale = 1.0, masked_row = #tx<masked_row zero>} : tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>
  %t = tx.transpose %o [0, 2, 1, 3] : tensor<1x2x3x8xf32>
  %m = tx.reshape %t : tensor<1x3x2x8xf32> to tensor<1x3x16xf32>
  return %m : tensor<1x3x16xf32>
}
