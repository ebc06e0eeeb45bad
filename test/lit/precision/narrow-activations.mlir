// RUN: txc-opt %s -txc-narrow-activations -split-input-file | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
#all = affine_map<(m, n) -> (m, n)>

// What only a product in bf16 reads is rounded where it is made.
// CHECK-LABEL: @rounds_everywhere
// CHECK:         %[[X:.*]] = kernel.map {{.*}} -> tensor<5x6xbf16>
// CHECK:           %[[NUMBER:.*]] = arith.negf
// CHECK-NEXT:      %[[ROUNDED:.*]] = arith.truncf %[[NUMBER]] fastmath<afn> : f32 to bf16
// CHECK-NEXT:      kernel.yield %[[ROUNDED]] : bf16
// CHECK:         kernel.gemm {{.*}}(%[[X]] : tensor<5x6xbf16>,
// CHECK-SAME:      -> tensor<5x4xf32>
func.func @rounds_everywhere(%a: tensor<5x6xf32>) -> tensor<5x4xf32> {
  %w = kernel.stored @recipe : !pack.tensor<6x4xbf16, #pack.panels<16, depth 2>>
  %x = kernel.map [#tx.expr<5>, #tx.expr<6>] ins(%a : tensor<5x6xf32>) maps [#all, #all] -> tensor<5x6xf32> {
  ^bb0(%e: f32):
    %n = arith.negf %e : f32
    kernel.yield %n : f32
  }
  %y = kernel.gemm [#tx.expr<5>, #tx.expr<4>, #tx.expr<6>] (%x : tensor<5x6xf32>, %w : !pack.tensor<6x4xbf16, #pack.panels<16, depth 2>>) maps [#x, #w, #y] precision bf16 -> tensor<5x4xf32> {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  return %y : tensor<5x4xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// The first product's result is an input of the second one's epilogue, too.
// CHECK-LABEL: @another_reader
// CHECK:         kernel.gemm {{.*}} -> tensor<5x6xf32>
// CHECK-NOT:     truncf
func.func @another_reader(%x: tensor<5x6xf32>) -> tensor<5x6xf32> {
  %w = kernel.stored @recipe : !pack.tensor<6x6xbf16, #pack.panels<16, depth 2>>
  %y = kernel.gemm [#tx.expr<5>, #tx.expr<6>, #tx.expr<6>] (%x : tensor<5x6xf32>, %w : !pack.tensor<6x6xbf16, #pack.panels<16, depth 2>>) maps [#x, #w, #y] precision bf16 -> tensor<5x6xf32> {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  %z = kernel.gemm [#tx.expr<5>, #tx.expr<6>, #tx.expr<6>] (%y : tensor<5x6xf32>, %w : !pack.tensor<6x6xbf16, #pack.panels<16, depth 2>>) ins(%y : tensor<5x6xf32>) maps [#x, #w, #y, #y] precision bf16 -> tensor<5x6xf32> {
  ^bb0(%sum: f32, %e: f32):
    %r = arith.addf %sum, %e : f32
    kernel.yield %r : f32
  }
  return %z : tensor<5x6xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
#q = affine_map<(b, h, s, t, d, e) -> (s, h * 4 + d)>
#k = affine_map<(b, h, s, t, d, e) -> (t, h * 4 + d + 8)>
#v = affine_map<(b, h, s, t, d, e) -> (t, h * 4 + e + 16)>
#o = affine_map<(b, h, s, t, d, e) -> (b, s, h, e)>

// Reshapes follow; attention's result is another such tensor.
// CHECK-LABEL: @attention
// CHECK:         %[[QKV:.*]] = kernel.gemm {{.*}} -> tensor<10x24xbf16>
// CHECK:         %[[VIEW:.*]] = tx.reshape %[[QKV]] : tensor<10x24xbf16> to tensor<1x10x24xbf16>
// CHECK:         %[[BACK:.*]] = tx.reshape %[[VIEW]] : tensor<1x10x24xbf16> to tensor<10x24xbf16>
// CHECK:         %[[O:.*]] = kernel.attention {{.*}}(%[[BACK]] : tensor<10x24xbf16>, %[[BACK]] : {{.*}} -> tensor<1x10x2x4xbf16>
// CHECK:         %[[ROWS:.*]] = tx.reshape %[[O]] : tensor<1x10x2x4xbf16> to tensor<10x8xbf16>
// CHECK:         kernel.gemm {{.*}}(%[[ROWS]] : tensor<10x8xbf16>
func.func @attention(%x: tensor<10x8xf32>) -> tensor<10x8xf32> {
  %w = kernel.stored @recipe : !pack.tensor<8x24xbf16, #pack.panels<16, depth 2>>
  %qkv = kernel.gemm [#tx.expr<10>, #tx.expr<24>, #tx.expr<8>] (%x : tensor<10x8xf32>, %w : !pack.tensor<8x24xbf16, #pack.panels<16, depth 2>>) maps [#x, #w, #y] precision bf16 -> tensor<10x24xf32> {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  %view = tx.reshape %qkv : tensor<10x24xf32> to tensor<1x10x24xf32>
  %back = tx.reshape %view : tensor<1x10x24xf32> to tensor<10x24xf32>
  %o = kernel.attention [#tx.expr<1>, #tx.expr<2>, #tx.expr<10>, #tx.expr<10>, #tx.expr<4>, #tx.expr<4>] (%back : tensor<10x24xf32>, %back : tensor<10x24xf32>, %back : tensor<10x24xf32>) maps [#q, #k, #v, #o] precision bf16 {scale = 0.5 : f64, masked_row = #tx<masked_row zero>} -> tensor<1x10x2x4xf32>
  %rows = tx.reshape %o : tensor<1x10x2x4xf32> to tensor<10x8xf32>
  %w2 = kernel.stored @recipe2 : !pack.tensor<8x8xbf16, #pack.panels<16, depth 2>>
  %y = kernel.gemm [#tx.expr<10>, #tx.expr<8>, #tx.expr<8>] (%rows : tensor<10x8xf32>, %w2 : !pack.tensor<8x8xbf16, #pack.panels<16, depth 2>>) maps [#x, #w, #y] precision bf16 -> tensor<10x8xf32> {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  return %y : tensor<10x8xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
#q = affine_map<(b, h, s, t, d, e) -> (s, d)>
#k = affine_map<(b, h, s, t, d, e) -> (d, t)>
#v = affine_map<(b, h, s, t, d, e) -> (t, e)>
#o = affine_map<(b, h, s, t, d, e) -> (s, e)>

// The elements of a key don't lie side by side.
// CHECK-LABEL: @transposed_keys
// CHECK:         kernel.gemm {{.*}} -> tensor<8x8xf32>
// CHECK:         kernel.attention {{.*}}(%{{.*}} : tensor<8x8xf32>, %{{.*}} : tensor<8x8xf32>, %{{.*}} : tensor<8x8xf32>)
func.func @transposed_keys(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %w = kernel.stored @recipe : !pack.tensor<8x8xbf16, #pack.panels<16, depth 2>>
  %kv = kernel.gemm [#tx.expr<8>, #tx.expr<8>, #tx.expr<8>] (%x : tensor<8x8xf32>, %w : !pack.tensor<8x8xbf16, #pack.panels<16, depth 2>>) maps [#x, #w, #y] precision bf16 -> tensor<8x8xf32> {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  %o = kernel.attention [#tx.expr<1>, #tx.expr<1>, #tx.expr<8>, #tx.expr<8>, #tx.expr<8>, #tx.expr<8>] (%x : tensor<8x8xf32>, %kv : tensor<8x8xf32>, %kv : tensor<8x8xf32>) maps [#q, #k, #v, #o] precision bf16 {scale = 0.5 : f64, masked_row = #tx<masked_row zero>} -> tensor<8x8xf32>
  return %o : tensor<8x8xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// What leaves the model keeps its type, and so does what i8 are made of.
// CHECK-LABEL: @leaves
// CHECK:         kernel.gemm {{.*}} precision bf16 -> tensor<6x6xf32>
// CHECK:         kernel.gemm {{.*}} precision bf16 -> tensor<6x6xf32>
// CHECK:         kernel.gemm {{.*}}(%{{.*}} : tensor<6x6xf32>, {{.*}} precision int8
func.func @leaves(%x: tensor<6x6xf32>) -> (tensor<6x6xf32>, tensor<6x6xf32>) {
  %w = kernel.stored @recipe : !pack.tensor<6x6xbf16, #pack.panels<16, depth 2>>
  %w8 = kernel.stored @recipe8 : !pack.tensor<6x6xi8, #pack.panels<16, depth 4, shift 1>>
  %a = kernel.gemm [#tx.expr<6>, #tx.expr<6>, #tx.expr<6>] (%x : tensor<6x6xf32>, %w : !pack.tensor<6x6xbf16, #pack.panels<16, depth 2>>) maps [#x, #w, #y] precision bf16 -> tensor<6x6xf32> {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  %b = kernel.gemm [#tx.expr<6>, #tx.expr<6>, #tx.expr<6>] (%a : tensor<6x6xf32>, %w : !pack.tensor<6x6xbf16, #pack.panels<16, depth 2>>) maps [#x, #w, #y] precision bf16 -> tensor<6x6xf32> {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  %c = kernel.gemm [#tx.expr<6>, #tx.expr<6>, #tx.expr<6>] (%b : tensor<6x6xf32>, %w8 : !pack.tensor<6x6xi8, #pack.panels<16, depth 4, shift 1>>) maps [#x, #w, #y] precision int8 -> tensor<6x6xf32> {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  return %a, %c : tensor<6x6xf32>, tensor<6x6xf32>
}
