// RUN: txc-opt %s -txc-outline-weights -txc-lower-to-kernel -txc-choose-layouts -split-input-file | FileCheck %s

// A gemm's weight is stored in panels.
// CHECK-LABEL: @gemm
// CHECK:         %[[W:.*]] = kernel.stored @recipe : !pack.tensor<6x4xf32, #pack.panels<16>>
// CHECK:         kernel.gemm {{.*}}, %[[W]] :
func.func @gemm(%x: tensor<5x6xf32>) -> tensor<5x4xf32> {
  %w = tx.weight "w" : tensor<6x4xf32>
  %y = tx.matmul %x, %w : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  return %y : tensor<5x4xf32>
}

// -----

// A tied embedding is stored once: the gather reads the gemm's panels, whose
// first index is the column of the table.
// CHECK-LABEL: @tied
// CHECK:         %[[W:.*]] = kernel.stored @{{.*}} : !pack.tensor<8x100xf32, #pack.panels<16>>
// CHECK-NOT:     kernel.stored
// CHECK:         kernel.map {{.*}} tables(%[[W]] :
// CHECK:           kernel.check
// CHECK:           %[[ID:.*]] = arith.select
// CHECK:           %[[COLUMN:.*]] = kernel.index 1
// CHECK:           kernel.fetch %{{.*}}[%[[COLUMN]], %[[ID]]]
// CHECK:         kernel.gemm {{.*}}, %[[W]] :
func.func @tied(%ids: tensor<5xi64>) -> tensor<5x100xf32> {
  %table = tx.weight "table" : tensor<100x8xf32>
  %x = tx.gather %table, %ids 0 : tensor<100x8xf32>, tensor<5xi64>
  %t = tx.transpose %table [1, 0] : tensor<100x8xf32>
  %y = tx.matmul %x, %t : tensor<5x8xf32>, tensor<8x100xf32> to tensor<5x100xf32>
  return %y : tensor<5x100xf32>
}
