// RUN: txc-opt %s -txc-outline-weights -split-input-file | FileCheck %s

// A computation on weights alone is a recipe; equal ones are one.
// CHECK-LABEL: @main
// CHECK:         %[[W:.*]] = kernel.stored @recipe : tensor<6x4xf32>
// CHECK:         tx.matmul %{{.*}}, %[[W]]
// CHECK-LABEL: func.func private @recipe()
// CHECK:         tx.weight "w"
// CHECK:         tx.transpose
// CHECK-NOT:     @recipe_0
func.func @main(%x: tensor<5x6xf32>) -> (tensor<5x4xf32>, tensor<5x4xf32>) {
  %w = tx.weight "w" : tensor<4x6xf32>
  %t = tx.transpose %w [1, 0] : tensor<4x6xf32>
  %y = tx.matmul %x, %t : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  %w2 = tx.weight "w" : tensor<4x6xf32>
  %t2 = tx.transpose %w2 [1, 0] : tensor<4x6xf32>
  %z = tx.matmul %x, %t2 : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  return %y, %z : tensor<5x4xf32>, tensor<5x4xf32>
}

// -----

// Decoding an int8 weight to f32 would store four times the bytes.
// CHECK-LABEL: @decode
// CHECK:         %[[W:.*]] = kernel.stored @recipe : tensor<64xi8>
// CHECK:         tx.cast %[[W]]
func.func @decode(%x: tensor<64xf32>) -> tensor<64xf32> {
  %w = tx.weight "w" : tensor<64xi8>
  %f = tx.cast %w : tensor<64xi8> to tensor<64xf32>
  %y = tx.mul %x, %f : tensor<64xf32>, tensor<64xf32>
  return %y : tensor<64xf32>
}

// -----

// A decoder's row of a table of masks: which one, a run decides.
// CHECK-LABEL: @row_of_table
// CHECK:         %[[T:.*]] = kernel.stored @recipe : tensor<16x4xf32>
// CHECK:         tx.slice %[[T]] [#tx.expr<P>, #tx.expr<0>]
func.func @row_of_table(%x: tensor<?x4xf32, #tx.dims<[P, 4]>>, %y: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %t = tx.weight "t" : tensor<16x4xf32>
  %row = tx.slice %t [#tx.expr<P>, #tx.expr<0>] [1, 1] : tensor<16x4xf32> to tensor<1x4xf32>
  %z = tx.mul %row, %y : tensor<1x4xf32>, tensor<1x4xf32>
  return %z : tensor<1x4xf32>
}
