// RUN: txc-opt %s -pass-pipeline='builtin.module(txc-recognize-activations{remarks})' \
// RUN:   -split-input-file -verify-diagnostics | FileCheck %s

// x * (0.5 * (1 + erf(x / 1.41421354)))
// CHECK-LABEL: @gelu_erf
// CHECK-SAME:    %[[X:.*]]: tensor<4xf32>
// CHECK:         %[[Y:.*]] = tx.gelu erf %[[X]]
// CHECK-NEXT:    return %[[Y]]
func.func @gelu_erf(%x: tensor<4xf32>) -> tensor<4xf32> {
  %root = tx.constant dense<1.41421354> : tensor<f32>
  %one = tx.constant dense<1.0> : tensor<f32>
  %half = tx.constant dense<0.5> : tensor<f32>
  %0 = tx.div %x, %root : tensor<4xf32>, tensor<f32>
  %1 = tx.erf %0 : tensor<4xf32>
  %2 = tx.add %1, %one : tensor<4xf32>, tensor<f32>
  %3 = tx.mul %half, %2 : tensor<f32>, tensor<4xf32>
  %4 = tx.mul %x, %3 : tensor<4xf32>, tensor<4xf32>
  return %4 : tensor<4xf32>
}

// -----

// (x * (1 + erf(x * 0.707106769))) * 0.5, in f16
// CHECK-LABEL: @gelu_erf_half_last
// CHECK:         tx.gelu erf %{{.*}} : tensor<4xf16>
func.func @gelu_erf_half_last(%x: tensor<4xf16>) -> tensor<4xf16> {
  %root = tx.constant dense<0.707106769> : tensor<f16>
  %one = tx.constant dense<1.0> : tensor<f16>
  %half = tx.constant dense<0.5> : tensor<f16>
  %0 = tx.mul %x, %root : tensor<4xf16>, tensor<f16>
  %1 = tx.erf %0 : tensor<4xf16>
  %2 = tx.add %one, %1 : tensor<f16>, tensor<4xf16>
  %3 = tx.mul %x, %2 : tensor<4xf16>, tensor<4xf16>
  %4 = tx.mul %3, %half : tensor<4xf16>, tensor<f16>
  return %4 : tensor<4xf16>
}

// -----

// (x * 0.5) * (1 + tanh(0.797884583 * (x + 0.0447149985 * pow(x, 3))))
// CHECK-LABEL: @gelu_tanh
// CHECK-SAME:    %[[X:.*]]: tensor<4xf32>
// CHECK:         %[[Y:.*]] = tx.gelu tanh %[[X]]
// CHECK-NEXT:    return %[[Y]]
func.func @gelu_tanh(%x: tensor<4xf32>) -> tensor<4xf32> {
  %one = tx.constant dense<1.0> : tensor<f32>
  %half = tx.constant dense<0.5> : tensor<f32>
  %three = tx.constant dense<3.0> : tensor<f32>
  %cubic = tx.constant dense<0.0447149985> : tensor<f32>
  %root = tx.constant dense<0.797884583> : tensor<f32>
  %0 = tx.mul %x, %half : tensor<4xf32>, tensor<f32>
  %1 = tx.pow %x, %three : tensor<4xf32>, tensor<f32>
  %2 = tx.mul %1, %cubic : tensor<4xf32>, tensor<f32>
  %3 = tx.add %x, %2 : tensor<4xf32>, tensor<4xf32>
  %4 = tx.mul %3, %root : tensor<4xf32>, tensor<f32>
  %5 = tx.tanh %4 : tensor<4xf32>
  %6 = tx.add %5, %one : tensor<4xf32>, tensor<f32>
  %7 = tx.mul %0, %6 : tensor<4xf32>, tensor<4xf32>
  return %7 : tensor<4xf32>
}

// -----

// 0.5 * x * (1 + tanh(x * 0.797884583 * (1 + 0.0447149985 * x * x)))
// CHECK-LABEL: @gelu_tanh_factored
// CHECK:         tx.gelu tanh
func.func @gelu_tanh_factored(%x: tensor<4xf32>) -> tensor<4xf32> {
  %one = tx.constant dense<1.0> : tensor<f32>
  %half = tx.constant dense<0.5> : tensor<f32>
  %cubic = tx.constant dense<0.0447149985> : tensor<f32>
  %root = tx.constant dense<0.797884583> : tensor<f32>
  %0 = tx.mul %x, %cubic : tensor<4xf32>, tensor<f32>
  %1 = tx.mul %0, %x : tensor<4xf32>, tensor<4xf32>
  %2 = tx.add %1, %one : tensor<4xf32>, tensor<f32>
  %3 = tx.mul %x, %root : tensor<4xf32>, tensor<f32>
  %4 = tx.mul %3, %2 : tensor<4xf32>, tensor<4xf32>
  %5 = tx.tanh %4 : tensor<4xf32>
  %6 = tx.add %5, %one : tensor<4xf32>, tensor<f32>
  %7 = tx.mul %x, %half : tensor<4xf32>, tensor<f32>
  %8 = tx.mul %7, %6 : tensor<4xf32>, tensor<4xf32>
  return %8 : tensor<4xf32>
}

// -----

// CHECK-LABEL: @sigmoids
// CHECK-SAME:    %[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>
// CHECK-DAG:     %[[SILU:.*]] = tx.silu %[[X]]
// CHECK-DAG:     %[[QUICK:.*]] = tx.gelu sigmoid %[[X]]
// CHECK-DAG:     %[[GATE:.*]] = tx.sigmoid %[[X]]
// CHECK-DAG:     %[[GATED:.*]] = tx.mul %[[GATE]], %[[Y]]
// CHECK:         return %[[SILU]], %[[QUICK]], %[[GATED]]
func.func @sigmoids(%x: tensor<4xf32>, %y: tensor<4xf32>)
    -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %one = tx.constant dense<1.0> : tensor<f32>
  %quick = tx.constant dense<1.702> : tensor<f32>
  %0 = tx.neg %x : tensor<4xf32>
  %1 = tx.exp %0 : tensor<4xf32>
  %2 = tx.add %one, %1 : tensor<f32>, tensor<4xf32>
  %3 = tx.reciprocal %2 : tensor<4xf32>
  %4 = tx.mul %x, %3 : tensor<4xf32>, tensor<4xf32>
  %5 = tx.mul %x, %quick : tensor<4xf32>, tensor<f32>
  %6 = tx.sigmoid %5 : tensor<4xf32>
  %7 = tx.mul %6, %x : tensor<4xf32>, tensor<4xf32>
  %8 = tx.sigmoid %x : tensor<4xf32>
  %9 = tx.mul %8, %y : tensor<4xf32>, tensor<4xf32>
  return %4, %7, %9 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// Another constant, and another value.
// CHECK-LABEL: @near_misses
// CHECK-NOT:     tx.gelu
func.func @near_misses(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %one = tx.constant dense<1.0> : tensor<f32>
  %half = tx.constant dense<0.5> : tensor<f32>
  %other = tx.constant dense<0.7> : tensor<f32>
  %root = tx.constant dense<0.707106769> : tensor<f32>
  %0 = tx.mul %x, %other : tensor<4xf32>, tensor<f32>
  // expected-remark @+1 {{not recognized as GELU: 1 + it is not multiplied by half of the value it depends on}}
  %1 = tx.erf %0 : tensor<4xf32>
  %2 = tx.add %1, %one : tensor<4xf32>, tensor<f32>
  %3 = tx.mul %half, %2 : tensor<f32>, tensor<4xf32>
  %4 = tx.mul %x, %3 : tensor<4xf32>, tensor<4xf32>
  %5 = tx.mul %x, %root : tensor<4xf32>, tensor<f32>
  // expected-remark @+1 {{not recognized as GELU: 1 + it is not multiplied by half of the value it depends on}}
  %6 = tx.erf %5 : tensor<4xf32>
  %7 = tx.add %6, %one : tensor<4xf32>, tensor<f32>
  %8 = tx.mul %half, %7 : tensor<f32>, tensor<4xf32>
  %9 = tx.mul %y, %8 : tensor<4xf32>, tensor<4xf32>
  return %4, %9 : tensor<4xf32>, tensor<4xf32>
}

// -----

// An erf whose only reader is the function's end.
// CHECK-LABEL: @returned_erf
// CHECK:         tx.erf
func.func @returned_erf(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-remark @+1 {{not recognized as GELU: its only user does not add 1 to it}}
  %y = tx.erf %x : tensor<4xf32>
  return %y : tensor<4xf32>
}
