// RUN: txc-opt %s -txc-smooth-channels -split-input-file | FileCheck %s
// RUN: txc-opt %s -txc-tap-channels -split-input-file | FileCheck %s --check-prefix=TAP

// The norm takes over the division; who else reads it multiplies. Channels of
// next to nothing count as a small part of a mean one.
// CHECK-LABEL: func.func @norm(
// CHECK-NOT:     tx.channel_maxima
// CHECK-DAG:     %[[W:.*]] = tx.weight "w"
// CHECK-DAG:     %[[ABS:.*]] = tx.abs %[[W]]
// CHECK-DAG:     %[[ROWS:.*]] = tx.reduce max %[[ABS]] [1]
// CHECK-DAG:     %[[X:.*]] = tx.constant dense<[1.000000e+00, 1.600000e+01, 0.0665283203, 0.0665283203]> : tensor<4xf32>
// CHECK:         %[[S:.*]] = tx.sqrt
// CHECK:         %[[COLUMN:.*]] = tx.reshape %[[S]] : tensor<4xf32> to tensor<4x1xf32>
// CHECK:         %[[V:.*]] = tx.mul %[[W]], %[[COLUMN]]
// CHECK:         %[[INVERSE:.*]] = tx.reciprocal %[[S]]
// CHECK:         %[[SCALE:.*]] = tx.mul %{{.*}}, %[[INVERSE]]
// CHECK:         %[[BIAS:.*]] = tx.mul %{{.*}}, %[[INVERSE]]
// CHECK:         %[[N:.*]] = tx.layer_norm %{{.*}} scale %[[SCALE]] : tensor<4xf32> bias %[[BIAS]]
// CHECK:         %[[WHOLE:.*]] = tx.mul %[[N]], %[[S]]
// CHECK:         %[[FLAT:.*]] = tx.reshape %[[N]] : tensor<2x5x4xf32> to tensor<10x4xf32>
// CHECK:         tx.matmul %[[FLAT]], %[[V]]
// CHECK:         tx.add %{{.*}}, %[[WHOLE]]
// TAP-LABEL: func.func @norm(
// TAP-SAME:      -> (tensor<2x5x4xf32>, tensor<4xf32> {tx.name = "txc.channels.0"})
// TAP:         %[[N:.*]] = tx.layer_norm
// TAP:         %[[ABS:.*]] = tx.abs %[[N]]
// TAP:         tx.reduce max %[[ABS]] [0, 1]
func.func @norm(%x: tensor<2x5x4xf32>) -> tensor<2x5x4xf32> attributes {
    tx.channel_maxima = [dense<[1.0, 16.0, 0.03125, 0.0]> : tensor<4xf32>]} {
  %scale = tx.weight "scale" : tensor<4xf32>
  %bias = tx.weight "bias" : tensor<4xf32>
  %n = tx.layer_norm %x scale %scale : tensor<4xf32> bias %bias : tensor<4xf32> {axes = 1, epsilon = 1.0e-12} : tensor<2x5x4xf32>
  %flat = tx.reshape %n : tensor<2x5x4xf32> to tensor<10x4xf32>
  %w = tx.weight "w" : tensor<4x4xf32>
  %y = tx.matmul %flat, %w : tensor<10x4xf32>, tensor<4x4xf32> to tensor<10x4xf32>
  %z = tx.reshape %y : tensor<10x4xf32> to tensor<2x5x4xf32>
  %sum = tx.add %z, %n : tensor<2x5x4xf32>, tensor<2x5x4xf32>
  return %sum : tensor<2x5x4xf32>
}

// -----

// A norm without a scale gets one. Products of one tensor share its factors.
// CHECK-LABEL: func.func @shared(
// CHECK:         %[[MOST:.*]] = tx.maximum %{{.*}}, %{{.*}} : tensor<4x1xf32>
// CHECK:         %[[INVERSE:.*]] = tx.reciprocal
// CHECK:         %[[N:.*]] = tx.rms_norm %{{.*}} scale %[[INVERSE]]
// CHECK-NEXT:    tx.matmul %[[N]], %{{.*}} to tensor<5x3xf32>
// CHECK-NEXT:    tx.matmul %[[N]], %{{.*}} to tensor<5x2xf32>
func.func @shared(%x: tensor<5x4xf32>) -> (tensor<5x3xf32>, tensor<5x2xf32>) attributes {
    tx.channel_maxima = [dense<1.0> : tensor<4xf32>]} {
  %n = tx.rms_norm %x {axes = 1, epsilon = 1.0e-12} : tensor<5x4xf32>
  %w0 = tx.weight "w0" : tensor<4x3xf32>
  %y0 = tx.matmul %n, %w0 : tensor<5x4xf32>, tensor<4x3xf32> to tensor<5x3xf32>
  %w1 = tx.weight "w1" : tensor<4x2xf32>
  %y1 = tx.matmul %n, %w1 : tensor<5x4xf32>, tensor<4x2xf32> to tensor<5x2xf32>
  return %y0, %y1 : tensor<5x3xf32>, tensor<5x2xf32>
}

// -----

// The values' columns and bias are divided where attention is before.
// CHECK-LABEL: func.func @attention(
// CHECK-DAG:     %[[WV:.*]] = tx.weight "v"
// CHECK-DAG:     %[[INVERSE:.*]] = tx.reciprocal
// CHECK-DAG:     %[[V:.*]] = tx.mul %[[WV]], %[[INVERSE]] : tensor<6x6xf32>, tensor<6xf32>
// CHECK:         %[[P:.*]] = tx.matmul %{{.*}}, %[[V]]
// CHECK:         %[[B:.*]] = tx.weight "b"
// CHECK:         %[[BIAS:.*]] = tx.mul %[[B]], %[[INVERSE]]
// CHECK:         tx.add %[[P]], %[[BIAS]]
// CHECK-NOT:     tx.mul
// CHECK:         tx.attention
// CHECK-NOT:     tx.mul
// CHECK:         return
func.func @attention(%x: tensor<1x5x6xf32>, %qk: tensor<1x2x5x3xf32>) -> tensor<1x5x4xf32> attributes {
    tx.channel_maxima = [dense<1.0> : tensor<6xf32>, dense<1.0> : tensor<6xf32>]} {
  %wv = tx.weight "v" : tensor<6x6xf32>
  %y = tx.matmul %x, %wv : tensor<1x5x6xf32>, tensor<6x6xf32> to tensor<1x5x6xf32>
  %b = tx.weight "b" : tensor<6xf32>
  %v = tx.add %y, %b : tensor<1x5x6xf32>, tensor<6xf32>
  %heads = tx.reshape %v : tensor<1x5x6xf32> to tensor<1x5x2x3xf32>
  %vt = tx.transpose %heads [0, 2, 1, 3] : tensor<1x5x2x3xf32>
  %a = tx.attention %qk, %qk, %vt {masked_row = #tx<masked_row zero>, scale = 1.0 : f64} : tensor<1x2x5x3xf32>, tensor<1x2x5x3xf32>, tensor<1x2x5x3xf32>
  %at = tx.transpose %a [0, 2, 1, 3] : tensor<1x2x5x3xf32>
  %merged = tx.reshape %at : tensor<1x5x2x3xf32> to tensor<1x5x6xf32>
  %w = tx.weight "w" : tensor<6x4xf32>
  %z = tx.matmul %merged, %w : tensor<1x5x6xf32>, tensor<6x4xf32> to tensor<1x5x4xf32>
  return %z : tensor<1x5x4xf32>
}

// -----

// What makes the tensor divides at its end, unless something else reads it.
// CHECK-LABEL: func.func @epilogue(
// CHECK:         %[[G:.*]] = tx.gelu
// CHECK-NEXT:    %[[D:.*]] = tx.mul %[[G]], %{{.*}} : tensor<5x4xf32>, tensor<4xf32>
// CHECK-NEXT:    tx.matmul %[[D]]
// CHECK:         %[[H:.*]] = tx.exp
// CHECK-NEXT:    tx.matmul %[[H]]
func.func @epilogue(%x: tensor<5x4xf32>) -> (tensor<5x3xf32>, tensor<5x3xf32>, tensor<5x4xf32>) attributes {
    tx.channel_maxima = [dense<1.0> : tensor<4xf32>, dense<1.0> : tensor<4xf32>]} {
  %w0 = tx.weight "w0" : tensor<4x3xf32>
  %w1 = tx.weight "w1" : tensor<4x3xf32>
  %g = tx.gelu erf %x : tensor<5x4xf32>
  %y = tx.matmul %g, %w0 : tensor<5x4xf32>, tensor<4x3xf32> to tensor<5x3xf32>
  %e = tx.exp %x : tensor<5x4xf32>
  %z = tx.matmul %e, %w1 : tensor<5x4xf32>, tensor<4x3xf32> to tensor<5x3xf32>
  return %y, %z, %e : tensor<5x3xf32>, tensor<5x3xf32>, tensor<5x4xf32>
}

// -----

// One weight behind two tensors keeps one form, by the larger maxima.
// CHECK-LABEL: func.func @tied(
// CHECK:         tx.constant dense<[2.000000e+00, 1.000000e+00]>
// CHECK:         %[[V:.*]] = tx.mul %{{.*}}, %{{.*}} : tensor<2x3xf32>, tensor<2x1xf32>
// CHECK:         tx.matmul %{{.*}}, %[[V]]
// CHECK:         tx.matmul %{{.*}}, %[[V]]
func.func @tied(%x: tensor<5x2xf32>) -> (tensor<5x3xf32>, tensor<5x3xf32>) attributes {
    tx.channel_maxima = [dense<1.0> : tensor<2xf32>, dense<[2.0, 0.5]> : tensor<2xf32>]} {
  %w = tx.weight "w" : tensor<2x3xf32>
  %a = tx.tanh %x : tensor<5x2xf32>
  %y = tx.matmul %a, %w : tensor<5x2xf32>, tensor<2x3xf32> to tensor<5x3xf32>
  %b = tx.sin %x : tensor<5x2xf32>
  %z = tx.matmul %b, %w : tensor<5x2xf32>, tensor<2x3xf32> to tensor<5x3xf32>
  return %y, %z : tensor<5x3xf32>, tensor<5x3xf32>
}
