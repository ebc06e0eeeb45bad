// RUN: txc-opt %s -pass-pipeline='builtin.module(txc-recognize-byte-products{remarks})' \
// RUN:   -split-input-file -verify-diagnostics | FileCheck %s

// The zero of the left factor leaves the sum as the sum of a column times it.
// CHECK-LABEL: @left_zero
// CHECK-SAME:    %[[X:.*]]: tensor<5x8xui8>, %[[P:.*]]: tensor<i32>
// CHECK-DAG:     %[[W:.*]] = tx.weight "w"
// CHECK-DAG:     %[[ONES:.*]] = tx.constant dense<1> : tensor<1x8xi8>
// CHECK-DAG:     %[[SUM:.*]] = tx.matmul %[[X]], %[[W]] : tensor<5x8xui8>, tensor<8x4xi8> to tensor<5x4xi32>
// CHECK-DAG:     %[[COLUMNS:.*]] = tx.matmul %[[ONES]], %[[W]]
// CHECK:         %[[MOVED:.*]] = tx.mul %[[P]], %[[COLUMNS]]
// CHECK:         %[[Y:.*]] = tx.sub %[[SUM]], %[[MOVED]]
// CHECK:         return %[[Y]]
func.func @left_zero(%x: tensor<5x8xui8>, %p: tensor<i32>) -> tensor<5x4xi32> {
  %w = tx.weight "w" : tensor<8x4xi8>
  %0 = tx.cast %x : tensor<5x8xui8> to tensor<5x8xi32>
  %1 = tx.sub %0, %p : tensor<5x8xi32>, tensor<i32>
  %2 = tx.cast %w : tensor<8x4xi8> to tensor<8x4xi32>
  %3 = tx.matmul %1, %2 : tensor<5x8xi32>, tensor<8x4xi32> to tensor<5x4xi32>
  return %3 : tensor<5x4xi32>
}

// -----

// An unsigned weight becomes signed; its usual zero of 128 vanishes.
// CHECK-LABEL: @unsigned_weight
// CHECK-SAME:    %[[X:.*]]: tensor<5x8xui8>
// CHECK-DAG:     %[[SIGN:.*]] = tx.constant dense<-128> : tensor<i8>
// CHECK-DAG:     %[[BITS:.*]] = tx.cast %{{.*}} : tensor<8x4xui8> to tensor<8x4xi8>
// CHECK:         %[[W:.*]] = tx.xor %[[BITS]], %[[SIGN]]
// CHECK:         %[[Y:.*]] = tx.matmul %[[X]], %[[W]]
// CHECK-NEXT:    return %[[Y]]
func.func @unsigned_weight(%x: tensor<5x8xui8>) -> tensor<5x4xi32> {
  %w = tx.weight "w" : tensor<8x4xui8>
  %q = tx.constant dense<128> : tensor<i32>
  %0 = tx.cast %x : tensor<5x8xui8> to tensor<5x8xi32>
  %1 = tx.cast %w : tensor<8x4xui8> to tensor<8x4xi32>
  %2 = tx.sub %1, %q : tensor<8x4xi32>, tensor<i32>
  %3 = tx.matmul %0, %2 : tensor<5x8xi32>, tensor<8x4xi32> to tensor<5x4xi32>
  return %3 : tensor<5x4xi32>
}

// -----

// Zeros on both sides: the right one is multiplied by the sum of a row, and by
// the left one as often as products are summed.
// CHECK-LABEL: @two_zeros
// CHECK-SAME:    %[[X:.*]]: tensor<5x8xi8>, %[[P:.*]]: tensor<5x1xi32>, %[[Q:.*]]: tensor<4xi32>
// CHECK-DAG:     %[[COUNT:.*]] = tx.constant dense<8> : tensor<i32>
// CHECK-DAG:     %[[COLUMNS:.*]] = tx.matmul %{{.*}}, %{{.*}} : tensor<1x8xi8>, tensor<8x4xi8>
// CHECK:         %[[Q8:.*]] = tx.mul %[[Q]], %[[COUNT]]
// CHECK:         %[[REST:.*]] = tx.sub %[[COLUMNS]], %[[Q8]]
// CHECK:         %[[LEFT:.*]] = tx.mul %[[P]], %[[REST]]
// CHECK:         %[[ROWS:.*]] = tx.reduce sum %{{.*}} [1] : tensor<5x8xi32>
// CHECK:         %[[RIGHT:.*]] = tx.mul %[[ROWS]], %[[Q]]
func.func @two_zeros(%x: tensor<5x8xi8>, %p: tensor<5x1xi32>, %q: tensor<4xi32>) -> tensor<5x4xi32> {
  %w = tx.weight "w" : tensor<8x4xi8>
  %0 = tx.cast %x : tensor<5x8xi8> to tensor<5x8xi32>
  %1 = tx.sub %0, %p : tensor<5x8xi32>, tensor<5x1xi32>
  %2 = tx.cast %w : tensor<8x4xi8> to tensor<8x4xi32>
  %3 = tx.sub %2, %q : tensor<8x4xi32>, tensor<4xi32>
  %4 = tx.matmul %1, %3 : tensor<5x8xi32>, tensor<8x4xi32> to tensor<5x4xi32>
  return %4 : tensor<5x4xi32>
}

// -----

// Quantized and dequantized: integers are summed, then scaled once.
// CHECK-LABEL: @dequantized
// CHECK-SAME:    %[[X:.*]]: tensor<5x8xi8>, %[[S:.*]]: tensor<f32>, %[[T:.*]]: tensor<4xf32>
// CHECK:         %[[SUM:.*]] = tx.matmul %[[X]], %{{.*}} : tensor<5x8xi8>, tensor<8x4xi8> to tensor<5x4xi32>
// CHECK:         %[[REAL:.*]] = tx.cast %[[SUM]] : tensor<5x4xi32> to tensor<5x4xf32>
// CHECK:         %[[SCALE:.*]] = tx.mul %[[S]], %[[T]]
// CHECK:         tx.mul %[[REAL]], %[[SCALE]]
func.func @dequantized(%x: tensor<5x8xi8>, %s: tensor<f32>, %t: tensor<4xf32>) -> tensor<5x4xf32> {
  %w = tx.weight "w" : tensor<8x4xi8>
  %0 = tx.cast %x : tensor<5x8xi8> to tensor<5x8xf32>
  %1 = tx.mul %0, %s : tensor<5x8xf32>, tensor<f32>
  %2 = tx.cast %w : tensor<8x4xi8> to tensor<8x4xf32>
  %3 = tx.mul %2, %t : tensor<8x4xf32>, tensor<4xf32>
  %4 = tx.matmul %1, %3 : tensor<5x8xf32>, tensor<8x4xf32> to tensor<5x4xf32>
  return %4 : tensor<5x4xf32>
}

// -----

// Only the weight is quantized: it stays bytes.
// CHECK-LABEL: @weight_only
// CHECK-SAME:    %[[X:.*]]: tensor<5x8xf32>, %[[T:.*]]: tensor<4xf32>
// CHECK:         %[[W:.*]] = tx.weight "w"
// CHECK-NEXT:    %[[SUM:.*]] = tx.matmul %[[X]], %[[W]] : tensor<5x8xf32>, tensor<8x4xi8> to tensor<5x4xf32>
// CHECK-NEXT:    tx.mul %[[SUM]], %[[T]]
func.func @weight_only(%x: tensor<5x8xf32>, %t: tensor<4xf32>) -> tensor<5x4xf32> {
  %w = tx.weight "w" : tensor<8x4xi8>
  %0 = tx.cast %w : tensor<8x4xi8> to tensor<8x4xf32>
  %1 = tx.mul %0, %t : tensor<8x4xf32>, tensor<4xf32>
  %2 = tx.matmul %x, %1 : tensor<5x8xf32>, tensor<8x4xf32> to tensor<5x4xf32>
  return %2 : tensor<5x4xf32>
}

// -----

// A scale for each row of the weight can't leave the sum.
// CHECK-LABEL: @scale_along_k
// CHECK:         tx.matmul %{{.*}} : tensor<5x8xf32>, tensor<8x4xf32>
func.func @scale_along_k(%x: tensor<5x8xf32>, %t: tensor<8x1xf32>) -> tensor<5x4xf32> {
  %w = tx.weight "w" : tensor<8x4xi8>
  %0 = tx.cast %w : tensor<8x4xi8> to tensor<8x4xf32>
  %1 = tx.mul %0, %t : tensor<8x4xf32>, tensor<8x1xf32>
  // expected-remark @+1 {{not recognized as product of bytes: the right zero or scale differs along the summed dim}}
  %2 = tx.matmul %x, %1 : tensor<5x8xf32>, tensor<8x4xf32> to tensor<5x4xf32>
  return %2 : tensor<5x4xf32>
}

// -----

// More products than i32 holds for sure.
// CHECK-LABEL: @long_sum
// CHECK:         tx.matmul %{{.*}} : tensor<1x40000xf32>, tensor<40000x4xf32>
func.func @long_sum(%x: tensor<1x40000xi8>, %s: tensor<f32>) -> tensor<1x4xf32> {
  %w = tx.weight "w" : tensor<40000x4xi8>
  %0 = tx.cast %x : tensor<1x40000xi8> to tensor<1x40000xf32>
  %1 = tx.mul %0, %s : tensor<1x40000xf32>, tensor<f32>
  %2 = tx.cast %w : tensor<40000x4xi8> to tensor<40000x4xf32>
  %3 = tx.mul %2, %s : tensor<40000x4xf32>, tensor<f32>
  // expected-remark @+1 {{an integer sum could overflow}}
  %4 = tx.matmul %1, %3 : tensor<1x40000xf32>, tensor<40000x4xf32> to tensor<1x4xf32>
  return %4 : tensor<1x4xf32>
}

// -----

// A zero that bytes can't hold would have to be subtracted from the sum of
// floats, which cancels.
// CHECK-LABEL: @moved_weight
// CHECK-NOT:     tx.xor
// CHECK:         tx.matmul %{{.*}} : tensor<5x8xf32>, tensor<8x4xf32>
func.func @moved_weight(%x: tensor<5x8xf32>, %t: tensor<4xf32>) -> tensor<5x4xf32> {
  %w = tx.weight "w" : tensor<8x4xui8>
  %q = tx.constant dense<100> : tensor<i32>
  %0 = tx.cast %w : tensor<8x4xui8> to tensor<8x4xi32>
  %1 = tx.sub %0, %q : tensor<8x4xi32>, tensor<i32>
  %2 = tx.cast %1 : tensor<8x4xi32> to tensor<8x4xf32>
  %3 = tx.mul %2, %t : tensor<8x4xf32>, tensor<4xf32>
  // expected-remark @+1 {{not recognized as product of bytes: the weight's zero is not 0 as i8}}
  %4 = tx.matmul %x, %3 : tensor<5x8xf32>, tensor<8x4xf32> to tensor<5x4xf32>
  return %4 : tensor<5x4xf32>
}
