// RUN: txc-opt %s -pass-pipeline='builtin.module(txc-recognize-attention,canonicalize)' -split-input-file | FileCheck %s

// Opset 23 has attention as a node, with causality in its boolean mask.
// CHECK-LABEL: @causal_in_mask
// CHECK-SAME:    %[[PAD:[a-z0-9]+]]: tensor<?x1x1x?xi1
// CHECK-NEXT:    tx.attention {{.*}} mask %[[PAD]] : {{.*}} {causal = #tx.expr<0>, masked_row = #tx<masked_row zero>
func.func @causal_in_mask(%q: tensor<?x4x?x8xf32, #tx.dims<[B, 4, S, 8]>>, %pad: tensor<?x1x1x?xi1, #tx.dims<[B, 1, 1, S]>>)
    -> tensor<?x4x?x8xf32, #tx.dims<[B, 4, S, 8]>> {
  %i = tx.iota : tensor<?xi64, #tx.dims<[S]>>
  %row = tx.reshape %i : tensor<?xi64, #tx.dims<[S]>> to tensor<?x1xi64, #tx.dims<[S, 1]>>
  %c = tx.compare gt %i, %row : tensor<?xi64, #tx.dims<[S]>>, tensor<?x1xi64, #tx.dims<[S, 1]>>
  %n = tx.not %c : tensor<?x?xi1, #tx.dims<[S, S]>>
  %n4 = tx.reshape %n : tensor<?x?xi1, #tx.dims<[S, S]>> to tensor<1x1x?x?xi1, #tx.dims<[1, 1, S, S]>>
  %m = tx.and %n4, %pad : tensor<1x1x?x?xi1, #tx.dims<[1, 1, S, S]>>, tensor<?x1x1x?xi1, #tx.dims<[B, 1, 1, S]>>
  %y = tx.attention %q, %q, %q mask %m : tensor<?x1x?x?xi1, #tx.dims<[B, 1, S, S]>> {scale = 0.5 : f64, masked_row = #tx<masked_row zero>} : tensor<?x4x?x8xf32, #tx.dims<[B, 4, S, 8]>>, tensor<?x4x?x8xf32, #tx.dims<[B, 4, S, 8]>>, tensor<?x4x?x8xf32, #tx.dims<[B, 4, S, 8]>>
  return %y : tensor<?x4x?x8xf32, #tx.dims<[B, 4, S, 8]>>
}

// -----

// A mask that lets every key count is none; a finite one makes rows uniform.
// CHECK-LABEL: @constant_and_finite
// CHECK-SAME:    %[[Q:.*]]: tensor<1x4x3x8xf32>, %[[M:.*]]: tensor<3x3xi1>
// CHECK-DAG:     tx.attention %[[Q]], %[[Q]], %[[Q]] {masked_row = #tx<masked_row nan>
// CHECK-DAG:     tx.attention %[[Q]], %[[Q]], %[[Q]] mask %[[M]] : tensor<3x3xi1> {masked_row = #tx<masked_row uniform>
func.func @constant_and_finite(%q: tensor<1x4x3x8xf32>, %m: tensor<3x3xi1>) -> (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) {
  %true = tx.constant dense<true> : tensor<1x1x3x1xi1>
  %all = tx.broadcast %true : tensor<1x1x3x1xi1> to tensor<1x1x3x3xi1>
  %0 = tx.attention %q, %q, %q mask %all : tensor<1x1x3x3xi1> {scale = 0.5 : f64, masked_row = #tx<masked_row nan>} : tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>
  %zero = tx.constant dense<0.0> : tensor<f32>
  %low = tx.constant dense<-3.0E+38> : tensor<f32>
  %float = tx.select %m, %zero, %low : tensor<3x3xi1>, tensor<f32>, tensor<f32>
  %1 = tx.attention %q, %q, %q mask %float : tensor<3x3xf32> {scale = 0.5 : f64, masked_row = #tx<masked_row nan>} : tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>
  return %0, %1 : tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>
}

// -----

// Beside a causal offset a finite mask stays a float: a row of masked keys is
// the mean of the keys up to it, not of all.
// CHECK-LABEL: @finite_beside_causal
// CHECK:         tx.attention {{.*}} mask %{{.*}} : tensor<3x3xf32> {causal = #tx.expr<0>, masked_row = #tx<masked_row nan>
func.func @finite_beside_causal(%q: tensor<1x4x3x8xf32>, %m: tensor<3x3xi1>) -> tensor<1x4x3x8xf32> {
  %zero = tx.constant dense<0.0> : tensor<f32>
  %low = tx.constant dense<-3.0E+38> : tensor<f32>
  %float = tx.select %m, %zero, %low : tensor<3x3xi1>, tensor<f32>, tensor<f32>
  %0 = tx.attention %q, %q, %q mask %float : tensor<3x3xf32> {scale = 0.5 : f64, causal = #tx.expr<0>, masked_row = #tx<masked_row nan>} : tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>
  return %0 : tensor<1x4x3x8xf32>
}

// -----

// With static dims masks are constants; two past keys make the offset 2. The
// second one is no causal mask.
// CHECK-LABEL: @constants
// CHECK-DAG:     %[[M:.*]] = tx.constant dense<{{\[\[}}true, false], [true, false]]> : tensor<2x2xi1>
// CHECK-DAG:     tx.attention %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}} {causal = #tx.expr<2>, masked_row = #tx<masked_row nan>
// CHECK-DAG:     tx.attention {{.*}} mask %[[M]] : tensor<2x2xi1> {masked_row = #tx<masked_row uniform>
func.func @constants(%q: tensor<1x1x2x8xf32>, %k: tensor<1x1x4x8xf32>) -> (tensor<1x1x2x8xf32>, tensor<1x1x2x8xf32>) {
  %causal = tx.constant dense<[[[[true, true, true, false], [true, true, true, true]]]]> : tensor<1x1x2x4xi1>
  %0 = tx.attention %q, %k, %k mask %causal : tensor<1x1x2x4xi1> {scale = 0.5 : f64, masked_row = #tx<masked_row nan>} : tensor<1x1x2x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>
  %first = tx.constant dense<[[0.0, -3.0e+38], [0.0, -3.0e+38]]> : tensor<2x2xf32>
  %1 = tx.attention %q, %q, %q mask %first : tensor<2x2xf32> {scale = 0.5 : f64, masked_row = #tx<masked_row nan>} : tensor<1x1x2x8xf32>, tensor<1x1x2x8xf32>, tensor<1x1x2x8xf32>
  return %0, %1 : tensor<1x1x2x8xf32>, tensor<1x1x2x8xf32>
}

// -----

// One row for all queries: the last key is padding, nothing is causal.
// CHECK-LABEL: @repeated_row
// CHECK:         %[[M:.*]] = tx.constant dense<{{\[\[}}true, true, false]]> : tensor<1x3xi1>
// CHECK-NEXT:    tx.attention {{.*}} mask %[[M]] : tensor<1x3xi1> {masked_row
func.func @repeated_row(%q: tensor<1x1x2x8xf32>, %k: tensor<1x1x3x8xf32>) -> tensor<1x1x2x8xf32> {
  %row = tx.constant dense<[[true, true, false]]> : tensor<1x3xi1>
  %0 = tx.attention %q, %k, %k mask %row : tensor<1x3xi1> {scale = 0.5 : f64, masked_row = #tx<masked_row nan>} : tensor<1x1x2x8xf32>, tensor<1x1x3x8xf32>, tensor<1x1x3x8xf32>
  return %0 : tensor<1x1x2x8xf32>
}
