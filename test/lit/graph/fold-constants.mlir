// RUN: txc-opt %s -pass-pipeline='builtin.module(txc-fold-constants,canonicalize)' | FileCheck %s

// A chain of floats; each op rounds to f32.
// CHECK-LABEL: @chain
// CHECK-NEXT:    %[[C:.*]] = tx.constant dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf32>
// CHECK-NEXT:    return %[[C]]
func.func @chain() -> tensor<2xf32> {
  %x = tx.constant dense<[4.0, 16.0]> : tensor<2xf32>
  %0 = tx.sqrt %x : tensor<2xf32>
  %1 = tx.reciprocal %0 : tensor<2xf32>
  return %1 : tensor<2xf32>
}

// CHECK-LABEL: @depends_on_an_input
// CHECK:         tx.exp %arg0
func.func @depends_on_an_input(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = tx.exp %x : tensor<2xf32>
  return %0 : tensor<2xf32>
}

// A float iota has no operands and is known.
// CHECK-LABEL: @iota
// CHECK-NEXT:    tx.constant dense<[0.000000e+00, 1.000000e+00, 2.000000e+00]> : tensor<3xf16>
func.func @iota() -> tensor<3xf16> {
  %0 = tx.iota : tensor<3xf16>
  return %0 : tensor<3xf16>
}

// 4096 elements are the most a constant has.
// CHECK-LABEL: @largest
// CHECK-NEXT:    tx.constant dense<1.000000e+00> : tensor<4096xf32>
func.func @largest() -> tensor<4096xf32> {
  %x = tx.constant dense<1.0> : tensor<f32>
  %0 = tx.broadcast %x : tensor<f32> to tensor<4096xf32>
  return %0 : tensor<4096xf32>
}

// CHECK-LABEL: @too_large
// CHECK:         tx.broadcast
func.func @too_large() -> tensor<4097xf32> {
  %x = tx.constant dense<1.0> : tensor<f32>
  %0 = tx.broadcast %x : tensor<f32> to tensor<4097xf32>
  return %0 : tensor<4097xf32>
}

// A fault is the run's, and no diagnostic now.
// CHECK-LABEL: @fault
// CHECK:         tx.div
func.func @fault() -> tensor<1xi32> {
  %x = tx.constant dense<1> : tensor<1xi32>
  %y = tx.constant dense<0> : tensor<1xi32>
  %0 = tx.div %x, %y : tensor<1xi32>, tensor<1xi32>
  return %0 : tensor<1xi32>
}

// A start that only a run knows.
// CHECK-LABEL: @symbolic_start
// CHECK:         tx.slice
func.func @symbolic_start() -> tensor<1xf32> {
  %x = tx.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %0 = tx.slice %x [#tx.expr<P>] [1] : tensor<2xf32> to tensor<1xf32>
  return %0 : tensor<1xf32>
}

// CHECK-LABEL: @weight
// CHECK:         tx.weight
// CHECK:         tx.neg
func.func @weight() -> tensor<2xf32> {
  %x = tx.weight "w" : tensor<2xf32>
  %0 = tx.neg %x : tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

// A tensor without an element is known, whatever it is computed of.
// CHECK-LABEL: @empty
// CHECK-NEXT:    %[[C:.*]] = tx.constant dense<> : tensor<2x0xf32>
// CHECK-NEXT:    return %[[C]]
func.func @empty(%x: tensor<2x4xf32>) -> tensor<2x0xf32> {
  %s = tx.slice %x [#tx.expr<0>, #tx.expr<4>] [1, 1] : tensor<2x4xf32> to tensor<2x0xf32>
  %y = tx.exp %s : tensor<2x0xf32>
  return %y : tensor<2x0xf32>
}
