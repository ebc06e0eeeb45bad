// RUN: txc-opt %s -pass-pipeline='builtin.module(txc-recognize-rotary-embedding{remarks},canonicalize,cse)' \
// RUN:   -split-input-file -verify-diagnostics | FileCheck %s

// Llama: angles [B, S, 4] doubled, cos and sin of them, halves rotated.
// CHECK-LABEL: @halves
// CHECK-SAME:    %[[X:.*]]: tensor<2x3x5x8xf32>, %[[ANGLES:.*]]: tensor<2x5x4xf32>
// CHECK-DAG:     %[[COS:.*]] = tx.cos %[[ANGLES]] : tensor<2x5x4xf32>
// CHECK-DAG:     %[[COS4:.*]] = tx.reshape %[[COS]] : tensor<2x5x4xf32> to tensor<2x1x5x4xf32>
// CHECK-DAG:     %[[SIN:.*]] = tx.sin %[[ANGLES]] : tensor<2x5x4xf32>
// CHECK-DAG:     %[[SIN4:.*]] = tx.reshape %[[SIN]] : tensor<2x5x4xf32> to tensor<2x1x5x4xf32>
// CHECK:         %[[Y:.*]] = tx.rotary_embedding %[[X]], %[[COS4]], %[[SIN4]] : tensor
// CHECK-NEXT:    return %[[Y]]
func.func @halves(%x: tensor<2x3x5x8xf32>, %angles: tensor<2x5x4xf32>) -> tensor<2x3x5x8xf32> {
  %doubled = tx.concat %angles, %angles 2 : tensor<2x5x4xf32>, tensor<2x5x4xf32>
  %cos = tx.cos %doubled : tensor<2x5x8xf32>
  %cos4 = tx.reshape %cos : tensor<2x5x8xf32> to tensor<2x1x5x8xf32>
  %sin = tx.sin %doubled : tensor<2x5x8xf32>
  %sin4 = tx.reshape %sin : tensor<2x5x8xf32> to tensor<2x1x5x8xf32>
  %a = tx.slice %x [#tx.expr<0>, #tx.expr<0>, #tx.expr<0>, #tx.expr<0>] [1, 1, 1, 1] : tensor<2x3x5x8xf32> to tensor<2x3x5x4xf32>
  %b = tx.slice %x [#tx.expr<0>, #tx.expr<0>, #tx.expr<0>, #tx.expr<4>] [1, 1, 1, 1] : tensor<2x3x5x8xf32> to tensor<2x3x5x4xf32>
  %nb = tx.neg %b : tensor<2x3x5x4xf32>
  %r = tx.concat %nb, %a 3 : tensor<2x3x5x4xf32>, tensor<2x3x5x4xf32>
  %xc = tx.mul %x, %cos4 : tensor<2x3x5x8xf32>, tensor<2x1x5x8xf32>
  %rs = tx.mul %r, %sin4 : tensor<2x3x5x8xf32>, tensor<2x1x5x8xf32>
  %y = tx.add %xc, %rs : tensor<2x3x5x8xf32>, tensor<2x3x5x8xf32>
  return %y : tensor<2x3x5x8xf32>
}

// -----

// GPT-J: neighbours rotated, angles repeated; only 4 of 6 elements turn.
// CHECK-LABEL: @interleaved_partial
// CHECK-SAME:    %[[X:.*]]: tensor<5x6xf32>, %[[COS:.*]]: tensor<5x2xf32>, %[[SIN:.*]]: tensor<5x2xf32>
// CHECK-NEXT:    %[[Y:.*]] = tx.rotary_embedding %[[X]], %[[COS]], %[[SIN]] {interleaved} : tensor<5x6xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @interleaved_partial(%all: tensor<5x6xf32>, %cos: tensor<5x2xf32>, %sin: tensor<5x2xf32>) -> tensor<5x6xf32> {
  %x = tx.slice %all [#tx.expr<0>, #tx.expr<0>] [1, 1] : tensor<5x6xf32> to tensor<5x4xf32>
  %rest = tx.slice %all [#tx.expr<0>, #tx.expr<4>] [1, 1] : tensor<5x6xf32> to tensor<5x2xf32>
  %c1 = tx.reshape %cos : tensor<5x2xf32> to tensor<5x2x1xf32>
  %c2 = tx.broadcast %c1 : tensor<5x2x1xf32> to tensor<5x2x2xf32>
  %c = tx.reshape %c2 : tensor<5x2x2xf32> to tensor<5x4xf32>
  %s1 = tx.reshape %sin : tensor<5x2xf32> to tensor<5x2x1xf32>
  %s2 = tx.concat %s1, %s1 2 : tensor<5x2x1xf32>, tensor<5x2x1xf32>
  %s = tx.reshape %s2 : tensor<5x2x2xf32> to tensor<5x4xf32>
  %a = tx.slice %x [#tx.expr<0>, #tx.expr<0>] [1, 2] : tensor<5x4xf32> to tensor<5x2xf32>
  %b = tx.slice %x [#tx.expr<0>, #tx.expr<1>] [1, 2] : tensor<5x4xf32> to tensor<5x2xf32>
  %nb = tx.neg %b : tensor<5x2xf32>
  %nb1 = tx.reshape %nb : tensor<5x2xf32> to tensor<5x2x1xf32>
  %a1 = tx.reshape %a : tensor<5x2xf32> to tensor<5x2x1xf32>
  %r2 = tx.concat %nb1, %a1 2 : tensor<5x2x1xf32>, tensor<5x2x1xf32>
  %r = tx.reshape %r2 : tensor<5x2x2xf32> to tensor<5x4xf32>
  %xc = tx.mul %x, %c : tensor<5x4xf32>, tensor<5x4xf32>
  %rs = tx.mul %r, %s : tensor<5x4xf32>, tensor<5x4xf32>
  %y = tx.add %rs, %xc : tensor<5x4xf32>, tensor<5x4xf32>
  %out = tx.concat %y, %rest 1 : tensor<5x4xf32>, tensor<5x2xf32>
  return %out : tensor<5x6xf32>
}

// -----

// Each half computed on its own.
// CHECK-LABEL: @parts
// CHECK-SAME:    %[[X:.*]]: tensor<5x8xf32>, %[[COS:.*]]: tensor<5x4xf32>, %[[SIN:.*]]: tensor<5x4xf32>
// CHECK-NEXT:    %[[Y:.*]] = tx.rotary_embedding %[[X]], %[[COS]], %[[SIN]] : tensor
// CHECK-NEXT:    return %[[Y]]
func.func @parts(%x: tensor<5x8xf32>, %cos: tensor<5x4xf32>, %sin: tensor<5x4xf32>) -> tensor<5x8xf32> {
  %a = tx.slice %x [#tx.expr<0>, #tx.expr<0>] [1, 1] : tensor<5x8xf32> to tensor<5x4xf32>
  %b = tx.slice %x [#tx.expr<0>, #tx.expr<4>] [1, 1] : tensor<5x8xf32> to tensor<5x4xf32>
  %ac = tx.mul %a, %cos : tensor<5x4xf32>, tensor<5x4xf32>
  %bs = tx.mul %b, %sin : tensor<5x4xf32>, tensor<5x4xf32>
  %bc = tx.mul %b, %cos : tensor<5x4xf32>, tensor<5x4xf32>
  %as = tx.mul %sin, %a : tensor<5x4xf32>, tensor<5x4xf32>
  %first = tx.sub %ac, %bs : tensor<5x4xf32>, tensor<5x4xf32>
  %second = tx.add %bc, %as : tensor<5x4xf32>, tensor<5x4xf32>
  %y = tx.concat %first, %second 1 : tensor<5x4xf32>, tensor<5x4xf32>
  return %y : tensor<5x8xf32>
}

// -----

// Angles of a table: nothing says that its halves are the same.
// CHECK-LABEL: @unknown_angles
// CHECK-NOT:     tx.rotary_embedding
func.func @unknown_angles(%x: tensor<5x8xf32>) -> tensor<5x8xf32> {
  %cos = tx.weight "cos" : tensor<5x8xf32>
  %sin = tx.weight "sin" : tensor<5x8xf32>
  %a = tx.slice %x [#tx.expr<0>, #tx.expr<0>] [1, 1] : tensor<5x8xf32> to tensor<5x4xf32>
  %b = tx.slice %x [#tx.expr<0>, #tx.expr<4>] [1, 1] : tensor<5x8xf32> to tensor<5x4xf32>
  %nb = tx.neg %b : tensor<5x4xf32>
  %r = tx.concat %nb, %a 1 : tensor<5x4xf32>, tensor<5x4xf32>
  %xc = tx.mul %x, %cos : tensor<5x8xf32>, tensor<5x8xf32>
  %rs = tx.mul %r, %sin : tensor<5x8xf32>, tensor<5x8xf32>
  // expected-remark @+1 {{not recognized as rotary embedding: the two angles of a pair are not provably the same}}
  %y = tx.add %xc, %rs : tensor<5x8xf32>, tensor<5x8xf32>
  return %y : tensor<5x8xf32>
}

// -----

// The other half is negated: a rotation the other way round is another one.
// CHECK-LABEL: @other_direction
// CHECK-NOT:     tx.rotary_embedding
func.func @other_direction(%x: tensor<5x8xf32>, %angles: tensor<5x4xf32>) -> tensor<5x8xf32> {
  %c = tx.concat %angles, %angles 1 : tensor<5x4xf32>, tensor<5x4xf32>
  %a = tx.slice %x [#tx.expr<0>, #tx.expr<0>] [1, 1] : tensor<5x8xf32> to tensor<5x4xf32>
  %b = tx.slice %x [#tx.expr<0>, #tx.expr<4>] [1, 1] : tensor<5x8xf32> to tensor<5x4xf32>
  %na = tx.neg %a : tensor<5x4xf32>
  %r = tx.concat %b, %na 1 : tensor<5x4xf32>, tensor<5x4xf32>
  %xc = tx.mul %x, %c : tensor<5x8xf32>, tensor<5x8xf32>
  %rs = tx.mul %r, %c : tensor<5x8xf32>, tensor<5x8xf32>
  %y = tx.add %xc, %rs : tensor<5x8xf32>, tensor<5x8xf32>
  return %y : tensor<5x8xf32>
}

// -----

// One angle for all pairs: the op would turn the first pair only.
// CHECK-LABEL: @one_angle
// CHECK-NOT:     tx.rotary_embedding
func.func @one_angle(%x: tensor<5x8xf32>, %cos: tensor<5x1xf32>, %sin: tensor<5x1xf32>) -> tensor<5x8xf32> {
  %a = tx.slice %x [#tx.expr<0>, #tx.expr<0>] [1, 1] : tensor<5x8xf32> to tensor<5x4xf32>
  %b = tx.slice %x [#tx.expr<0>, #tx.expr<4>] [1, 1] : tensor<5x8xf32> to tensor<5x4xf32>
  %ac = tx.mul %a, %cos : tensor<5x4xf32>, tensor<5x1xf32>
  %bs = tx.mul %b, %sin : tensor<5x4xf32>, tensor<5x1xf32>
  %bc = tx.mul %b, %cos : tensor<5x4xf32>, tensor<5x1xf32>
  %as = tx.mul %a, %sin : tensor<5x4xf32>, tensor<5x1xf32>
  %first = tx.sub %ac, %bs : tensor<5x4xf32>, tensor<5x4xf32>
  %second = tx.add %bc, %as : tensor<5x4xf32>, tensor<5x4xf32>
  %y = tx.concat %first, %second 1 : tensor<5x4xf32>, tensor<5x4xf32>
  return %y : tensor<5x8xf32>
}
