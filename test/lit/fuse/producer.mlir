// RUN: txc-opt %s -txc-lower-to-kernel -txc-fuse -split-input-file | FileCheck %s

// A chain of element-wise ops is one map.
// CHECK-LABEL: @chain
// CHECK:         kernel.map
// CHECK:         %[[EXP:.*]] = math.exp
// CHECK-NEXT:    arith.negf %[[EXP]]
// CHECK-NOT:     kernel.map
func.func @chain(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %a = tx.exp %x : tensor<4x6xf32>
  %b = tx.neg %a : tensor<4x6xf32>
  return %b : tensor<4x6xf32>
}

// -----

// An embedding is read where it is normalized.
// CHECK-LABEL: @embedding
// CHECK-NOT:     kernel.map
// CHECK:         kernel.rows
// CHECK:         kernel.fetch
func.func @embedding(%table: tensor<100x8xf32>, %ids: tensor<5xi64>) -> tensor<5x8xf32> {
  %x = tx.gather %table, %ids 0 : tensor<100x8xf32>, tensor<5xi64>
  %y = tx.layer_norm %x {axes = 1, epsilon = 1.0e-5} : tensor<5x8xf32>
  return %y : tensor<5x8xf32>
}

// -----

// Not if every element would be computed again for each of its readers.
// CHECK-LABEL: @repeated
// CHECK:         kernel.map
// CHECK:         math.exp
// CHECK:         kernel.map
func.func @repeated(%x: tensor<6xf32>, %y: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %a = tx.exp %x : tensor<6xf32>
  %b = tx.add %a, %y : tensor<6xf32>, tensor<4x6xf32>
  return %b : tensor<4x6xf32>
}

// -----

// Nor if another phase reads it too.
// CHECK-LABEL: @two_readers
// CHECK:         kernel.map
// CHECK:         kernel.map
func.func @two_readers(%x: tensor<4x6xf32>) -> (tensor<4x6xf32>, tensor<4x6xf32>) {
  %a = tx.exp %x : tensor<4x6xf32>
  %b = tx.neg %a : tensor<4x6xf32>
  return %a, %b : tensor<4x6xf32>, tensor<4x6xf32>
}

// -----

// What a phase reads twice at one point is computed once.
// CHECK-LABEL: @shared_producer
// CHECK:         kernel.map
// CHECK-COUNT-1: math.exp
// CHECK-NOT:     math.exp
// CHECK:         return
func.func @shared_producer(%x: tensor<?x8xf32, #tx.dims<[B, 8]>>) -> tensor<?x8xf32, #tx.dims<[B, 8]>> {
  %e = tx.exp %x : tensor<?x8xf32, #tx.dims<[B, 8]>>
  %r = tx.mul %e, %e : tensor<?x8xf32, #tx.dims<[B, 8]>>, tensor<?x8xf32, #tx.dims<[B, 8]>>
  return %r : tensor<?x8xf32, #tx.dims<[B, 8]>>
}
