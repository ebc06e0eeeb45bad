// RUN: txc-opt %s -pass-pipeline='builtin.module(txc-recognize-layer-norm{remarks})' \
// RUN:   -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: @division
// CHECK-SAME:    %[[X:.*]]: tensor<2x5x8xf32>
// CHECK-DAG:     %[[G:.*]] = tx.weight "gamma"
// CHECK-DAG:     %[[B:.*]] = tx.weight "beta"
// CHECK:         %[[Y:.*]] = tx.layer_norm %[[X]] scale %[[G]] : tensor<8xf32> bias %[[B]] : tensor<8xf32> {axes = 1 : i64, epsilon = 9.{{[0-9]*}}E-6 : f64}
// CHECK-NEXT:    return %[[Y]]
func.func @division(%x: tensor<2x5x8xf32>) -> tensor<2x5x8xf32> {
  %g = tx.weight "gamma" : tensor<8xf32>
  %b = tx.weight "beta" : tensor<8xf32>
  %e = tx.constant dense<1.0e-5> : tensor<f32>
  %m = tx.reduce mean %x [2] : tensor<2x5x8xf32>
  %d = tx.sub %x, %m : tensor<2x5x8xf32>, tensor<2x5x1xf32>
  %s = tx.mul %d, %d : tensor<2x5x8xf32>, tensor<2x5x8xf32>
  %v = tx.reduce mean %s [2] : tensor<2x5x8xf32>
  %a = tx.add %v, %e : tensor<2x5x1xf32>, tensor<f32>
  %r = tx.sqrt %a : tensor<2x5x1xf32>
  %n = tx.div %d, %r : tensor<2x5x8xf32>, tensor<2x5x1xf32>
  %0 = tx.mul %n, %g : tensor<2x5x8xf32>, tensor<8xf32>
  %1 = tx.add %b, %0 : tensor<8xf32>, tensor<2x5x8xf32>
  return %1 : tensor<2x5x8xf32>
}

// -----

// Over two dims, without epsilon, scale and bias, in f16 between casts.
// CHECK-LABEL: @reciprocal
// CHECK-SAME:    %[[X:.*]]: tensor<2x5x8xf16>
// CHECK-NEXT:    %[[Y:.*]] = tx.layer_norm %[[X]] {axes = 2 : i64, epsilon = 0.000000e+00 : f64} : tensor<2x5x8xf16>
// CHECK-NEXT:    return %[[Y]]
func.func @reciprocal(%h: tensor<2x5x8xf16>) -> tensor<2x5x8xf16> {
  %x = tx.cast %h : tensor<2x5x8xf16> to tensor<2x5x8xf32>
  %two = tx.constant dense<2.0> : tensor<f32>
  %m = tx.reduce mean %x [1, 2] : tensor<2x5x8xf32>
  %d = tx.sub %x, %m : tensor<2x5x8xf32>, tensor<2x1x1xf32>
  %s = tx.pow %d, %two : tensor<2x5x8xf32>, tensor<f32>
  %v = tx.reduce mean %s [1, 2] : tensor<2x5x8xf32>
  %q = tx.sqrt %v : tensor<2x1x1xf32>
  %r = tx.reciprocal %q : tensor<2x1x1xf32>
  %n = tx.mul %r, %d : tensor<2x1x1xf32>, tensor<2x5x8xf32>
  %0 = tx.cast %n : tensor<2x5x8xf32> to tensor<2x5x8xf16>
  return %0 : tensor<2x5x8xf16>
}

// -----

// A scale that is not per channel stays outside, and so does what follows it.
// CHECK-LABEL: @modulated
// CHECK:         tx.layer_norm %{{[^ ]*}} {
// CHECK-NEXT:    tx.mul
// CHECK-NEXT:    tx.add
func.func @modulated(%x: tensor<2x5x8xf32>, %g: tensor<2x1x8xf32>, %b: tensor<8xf32>) -> tensor<2x5x8xf32> {
  %n = tx.layer_norm %x {axes = 1 : i64, epsilon = 1.0e-5 : f64} : tensor<2x5x8xf32>
  %0 = tx.mul %n, %g : tensor<2x5x8xf32>, tensor<2x1x8xf32>
  %1 = tx.add %0, %b : tensor<2x5x8xf32>, tensor<8xf32>
  return %1 : tensor<2x5x8xf32>
}

// -----

// (n + b) * g: the scale comes too late.
// CHECK-LABEL: @bias_first
// CHECK:         tx.layer_norm %{{[^ ]*}} bias
// CHECK-NEXT:    tx.mul
func.func @bias_first(%x: tensor<5x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<5x8xf32> {
  %n = tx.layer_norm %x {axes = 1 : i64, epsilon = 1.0e-5 : f64} : tensor<5x8xf32>
  %0 = tx.add %n, %b : tensor<5x8xf32>, tensor<8xf32>
  %1 = tx.mul %0, %g : tensor<5x8xf32>, tensor<8xf32>
  return %1 : tensor<5x8xf32>
}

// -----

// The variance around zero is not that of the numerator.
// CHECK-LABEL: @other_variance
// CHECK-NOT:     tx.layer_norm
func.func @other_variance(%x: tensor<5x8xf32>) -> tensor<5x8xf32> {
  %m = tx.reduce mean %x [1] : tensor<5x8xf32>
  %d = tx.sub %x, %m : tensor<5x8xf32>, tensor<5x1xf32>
  %s = tx.mul %x, %x : tensor<5x8xf32>, tensor<5x8xf32>
  %v = tx.reduce mean %s [1] : tensor<5x8xf32>
  %r = tx.sqrt %v : tensor<5x1xf32>
  // expected-remark @+1 {{not recognized as layer norm: the variance is not that of the centred numerator}}
  %n = tx.div %d, %r : tensor<5x8xf32>, tensor<5x1xf32>
  return %n : tensor<5x8xf32>
}
