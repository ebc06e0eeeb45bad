// RUN: txc-opt %s -txc-lower-to-kernel -txc-fuse -split-input-file | FileCheck %s

// What a copy transposes is written transposed.
// CHECK-DAG: #[[SWAP:.*]] = affine_map<(d0, d1, d2) -> (d1, d0)>
// CHECK-LABEL: @transposed
// CHECK:         kernel.gemm {{.*}} #[[SWAP]]] -> tensor<3x5xf32>
// CHECK-NOT:     kernel.map
// CHECK:         return
func.func @transposed(%x: tensor<5x8xf32>, %w: tensor<8x3xf32>) -> tensor<3x5xf32> {
  %p = tx.matmul %x, %w : tensor<5x8xf32>, tensor<8x3xf32> to tensor<5x3xf32>
  %t = tx.transpose %p [1, 0] : tensor<5x3xf32>
  return %t : tensor<3x5xf32>
}

// -----

// A copy of a part has a buffer that the whole does not fit into.
// CHECK-LABEL: @part
// CHECK:         %[[P:.*]] = kernel.gemm {{.*}} -> tensor<5x3xf32>
// CHECK:         kernel.map [#tx.expr<2>, #tx.expr<3>] ins(%[[P]]
func.func @part(%x: tensor<5x8xf32>, %w: tensor<8x3xf32>) -> tensor<2x3xf32> {
  %p = tx.matmul %x, %w : tensor<5x8xf32>, tensor<8x3xf32> to tensor<5x3xf32>
  %s = tx.slice %p [#tx.expr<0>, #tx.expr<0>] [1, 1] : tensor<5x3xf32> to tensor<2x3xf32>
  return %s : tensor<2x3xf32>
}

// -----

// So does what is computed of a part.
// CHECK-LABEL: @computed_part
// CHECK:         %[[P:.*]] = kernel.gemm {{.*}} -> tensor<5x3xf32>
// CHECK:         kernel.map [#tx.expr<2>, #tx.expr<3>] ins(%[[P]]
func.func @computed_part(%x: tensor<5x8xf32>, %w: tensor<8x3xf32>) -> tensor<2x3xf32> {
  %p = tx.matmul %x, %w : tensor<5x8xf32>, tensor<8x3xf32> to tensor<5x3xf32>
  %s = tx.slice %p [#tx.expr<0>, #tx.expr<0>] [1, 1] : tensor<5x3xf32> to tensor<2x3xf32>
  %e = tx.exp %s : tensor<2x3xf32>
  return %e : tensor<2x3xf32>
}
