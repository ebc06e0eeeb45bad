// RUN: txc-opt %s -pass-pipeline='builtin.module(txc-recognize-rms-norm{remarks})' \
// RUN:   -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: @weight_first
// CHECK-SAME:    %[[X:.*]]: tensor<2x5x8xf32>, %[[G:.*]]: tensor<8xf32>
// CHECK-NEXT:    %[[Y:.*]] = tx.rms_norm %[[X]] scale %[[G]] : tensor<8xf32> {axes = 1 : i64, epsilon = {{.*}}E-7 : f64} : tensor<2x5x8xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @weight_first(%x: tensor<2x5x8xf32>, %g: tensor<8xf32>) -> tensor<2x5x8xf32> {
  %e = tx.constant dense<1.0e-6> : tensor<f32>
  %s = tx.mul %x, %x : tensor<2x5x8xf32>, tensor<2x5x8xf32>
  %v = tx.reduce mean %s [2] : tensor<2x5x8xf32>
  %a = tx.add %e, %v : tensor<f32>, tensor<2x5x1xf32>
  %q = tx.sqrt %a : tensor<2x5x1xf32>
  %r = tx.reciprocal %q : tensor<2x5x1xf32>
  %n = tx.mul %x, %r : tensor<2x5x8xf32>, tensor<2x5x1xf32>
  %0 = tx.mul %g, %n : tensor<8xf32>, tensor<2x5x8xf32>
  return %0 : tensor<2x5x8xf32>
}

// -----

// f16 in, f32 inside, f16 out; the scale multiplies in f16.
// CHECK-LABEL: @half
// CHECK-SAME:    %[[H:.*]]: tensor<5x8xf16>, %[[G:.*]]: tensor<1x8xf16>
// CHECK:         %[[S:.*]] = tx.reshape %[[G]] : tensor<1x8xf16> to tensor<8xf16>
// CHECK-NEXT:    %[[Y:.*]] = tx.rms_norm %[[H]] scale %[[S]]
// CHECK-NEXT:    return %[[Y]]
func.func @half(%h: tensor<5x8xf16>, %g: tensor<1x8xf16>) -> tensor<5x8xf16> {
  %x = tx.cast %h : tensor<5x8xf16> to tensor<5x8xf32>
  %e = tx.constant dense<1.0e-6> : tensor<f32>
  %minus_half = tx.constant dense<-0.5> : tensor<f32>
  %s = tx.mul %x, %x : tensor<5x8xf32>, tensor<5x8xf32>
  %v = tx.reduce mean %s [1] : tensor<5x8xf32>
  %a = tx.add %v, %e : tensor<5x1xf32>, tensor<f32>
  %r = tx.pow %a, %minus_half : tensor<5x1xf32>, tensor<f32>
  %n = tx.mul %x, %r : tensor<5x8xf32>, tensor<5x1xf32>
  %0 = tx.cast %n : tensor<5x8xf32> to tensor<5x8xf16>
  %1 = tx.mul %0, %g : tensor<5x8xf16>, tensor<1x8xf16>
  return %1 : tensor<5x8xf16>
}

// -----

// CHECK-LABEL: @other_numerator
// CHECK-NOT:     tx.rms_norm
func.func @other_numerator(%x: tensor<5x8xf32>, %y: tensor<5x8xf32>) -> tensor<5x8xf32> {
  %s = tx.mul %x, %x : tensor<5x8xf32>, tensor<5x8xf32>
  %v = tx.reduce mean %s [1] : tensor<5x8xf32>
  %q = tx.sqrt %v : tensor<5x1xf32>
  // expected-remark @+1 {{not recognized as RMS norm: the mean square is that of another tensor than the numerator}}
  %n = tx.div %y, %q : tensor<5x8xf32>, tensor<5x1xf32>
  return %n : tensor<5x8xf32>
}

// -----

// A mean over the first dim is no norm of rows.
// CHECK-LABEL: @columns
// CHECK-NOT:     tx.rms_norm
func.func @columns(%x: tensor<5x8xf32>) -> tensor<5x8xf32> {
  %s = tx.mul %x, %x : tensor<5x8xf32>, tensor<5x8xf32>
  %v = tx.reduce mean %s [0] : tensor<5x8xf32>
  %q = tx.sqrt %v : tensor<1x8xf32>
  %n = tx.div %x, %q : tensor<5x8xf32>, tensor<1x8xf32>
  return %n : tensor<5x8xf32>
}
