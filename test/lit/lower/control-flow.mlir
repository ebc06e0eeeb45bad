// RUN: txc-opt %s -txc-lower-to-kernel -cse -txc-fuse | FileCheck %s

// Phases stay in their branches; what both read is computed before. A branch
// yields what is known under the names that the symbols have there.

!x = tensor<?x4xf32, #tx.dims<[N, 4]>>
!two = tensor<?x4xf32, #tx.dims<[2 * N, 4]>>
!y = tensor<?x4xf32, #tx.dims<[K, 4]>>

// CHECK-LABEL: func.func @branches
func.func @branches(%c: tensor<i1>, %x: !x) -> !y {
  // CHECK: %[[OUTER:.*]] = kernel.map
  // CHECK-SAME: -> tensor<?x4xf32, #tx.dims<[N, 4]>>
  // CHECK: tx.if %{{.*}} : tensor<i1> defines ["K"] -> tensor<?x4xf32, #tx.dims<[K, 4]>> {
  %outer = tx.exp %x : !x
  %r = tx.if %c : tensor<i1> defines ["K"] -> !y {
    // CHECK: %[[TWO:.*]] = kernel.call "txc_concat"(%[[OUTER]], %[[OUTER]])
    // CHECK: tx.yield %[[TWO]] : tensor<?x4xf32, #tx.dims<[2 * N, 4]>> defines [#tx.expr<2 * N>]
    %two = tx.concat %outer, %outer 0 : !x, !x
    tx.yield %two : !two defines [#tx.expr<2 * N>]
  } else {
    // CHECK: tx.require <1> {{ *}}le <N> "rows"
    // The two maps are one phase.
    // CHECK: kernel.map
    // CHECK-NOT: kernel.map
    // CHECK: tx.yield
    tx.require #tx.expr<1> le #tx.expr<N> "rows"
    %a = tx.neg %outer : !x
    %b = tx.tanh %a : !x
    tx.yield %b : !x defines [#tx.expr<N>]
  }
  return %r : !y
}

// What a loop computes from outside is not computed in it.

// CHECK-LABEL: func.func @loop
func.func @loop(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<?x4xf32, #tx.dims<[T, 4]>>) {
  // CHECK: kernel.map
  // CHECK: tx.loop "i" to <T> carries %{{.*}} : tensor<4xf32>
  // CHECK: kernel.map
  // CHECK-NOT: kernel.map
  // CHECK: tx.yield
  %outer = tx.exp %x : tensor<4xf32>
  %r:2 = tx.loop "i" to <T> carries %x : tensor<4xf32> -> tensor<4xf32>, tensor<?x4xf32, #tx.dims<[T, 4]>> {
  ^bb0(%v: tensor<4xf32>):
    %next = tx.add %v, %outer : tensor<4xf32>, tensor<4xf32>
    tx.yield %next, %next : tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#1 : tensor<4xf32>, tensor<?x4xf32, #tx.dims<[T, 4]>>
}
