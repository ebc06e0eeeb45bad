// RUN: txc-opt %s -txc-outline-weights -txc-lower-to-kernel -txc-keep-precision -txc-choose-layouts -split-input-file | FileCheck %s

// A weight of f16 stays one, in panels of numbers; the left factor becomes f32
// where it is made.
// CHECK-LABEL: @f16
// CHECK-DAG:     %[[W:.*]] = kernel.stored @{{.*}} : !pack.tensor<6x4xf16, #pack.panels<16>>
// CHECK-DAG:     %[[X:.*]] = kernel.map {{.*}} -> tensor<5x6xf32>
// CHECK:         kernel.gemm {{.*}}(%[[X]] : tensor<5x6xf32>, %[[W]] : {{.*}} -> tensor<5x4xf16>
// CHECK-NOT:     precision
func.func @f16(%x: tensor<5x6xf16>) -> tensor<5x4xf16> {
  %e = tx.exp %x : tensor<5x6xf16>
  %w = tx.weight "w" : tensor<6x4xf16>
  %y = tx.matmul %e, %w : tensor<5x6xf16>, tensor<6x4xf16> to tensor<5x4xf16>
  return %y : tensor<5x4xf16>
}

// -----

// bf16 factors are what precision bf16 makes of others.
// CHECK-LABEL: @bf16
// CHECK:         %[[W:.*]] = kernel.stored @{{.*}} : !pack.tensor<6x4xbf16, #pack.panels<16, depth 2>>
// CHECK:         kernel.gemm {{.*}} : tensor<5x6xbf16>, %[[W]] : {{.*}} precision bf16 -> tensor<5x4xbf16>
func.func @bf16(%x: tensor<5x6xbf16>) -> tensor<5x4xbf16> {
  %w = tx.weight "w" : tensor<6x4xbf16>
  %y = tx.matmul %x, %w : tensor<5x6xbf16>, tensor<6x4xbf16> to tensor<5x4xbf16>
  return %y : tensor<5x4xbf16>
}

// -----

// f32 is not touched, and two tensors of the run stay as they are.
// CHECK-LABEL: @others
// CHECK:         kernel.gemm {{.*}} : tensor<5x6xf32>, {{.*}} : !pack.tensor<6x4xf32, #pack.panels<16>>)
// CHECK-NOT:     precision
// CHECK:         kernel.gemm {{.*}} : tensor<5x6xf16>, {{.*}} : tensor<6x4xf16>)
// CHECK-NOT:     precision
func.func @others(%x: tensor<5x6xf32>, %a: tensor<5x6xf16>, %b: tensor<6x4xf16>)
    -> (tensor<5x4xf32>, tensor<5x4xf16>) {
  %w = tx.weight "w" : tensor<6x4xf32>
  %y = tx.matmul %x, %w : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  %z = tx.matmul %a, %b : tensor<5x6xf16>, tensor<6x4xf16> to tensor<5x4xf16>
  return %y, %z : tensor<5x4xf32>, tensor<5x4xf16>
}
