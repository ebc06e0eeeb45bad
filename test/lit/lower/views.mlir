// RUN: txc-opt %s -txc-lower-to-kernel -split-input-file | FileCheck %s

// A transpose that a phase reads is a map of that phase.
// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[SWAP:.*]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-LABEL: @transpose
// CHECK-SAME:    %[[X:.*]]: tensor<4x6xf32>
// CHECK-NEXT:    kernel.map {{.*}} ins(%[[X]] : tensor<4x6xf32>) maps [#[[SWAP]], #[[ID]]]
func.func @transpose(%x: tensor<4x6xf32>) -> tensor<6x4xf32> {
  %t = tx.transpose %x [1, 0] : tensor<4x6xf32>
  %y = tx.exp %t : tensor<6x4xf32>
  return %y : tensor<6x4xf32>
}

// -----

// So is a slice; a symbolic start is a symbol of the map.
// CHECK: #[[SLICE:.*]] = affine_map<(d0)[s0] -> (d0 * 2 + s0)>
// CHECK-LABEL: @slice
// CHECK:         kernel.map [#tx.expr<4>]  symbols [#tx.expr<S>] {{.*}} maps [#[[SLICE]],
func.func @slice(%x: tensor<?xf32, #tx.dims<[S + 8]>>) -> tensor<4xf32> {
  %s = tx.slice %x [#tx.expr<S>] [2] : tensor<?xf32, #tx.dims<[S + 8]>> to tensor<4xf32>
  %y = tx.neg %s : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// A reshape of a row-major tensor only renames it; one of a view that merges
// dims needs a copy of the view.
// CHECK-LABEL: @merge
// CHECK-SAME:    %[[X:.*]]: tensor<2x3x4xf32>
// CHECK:         %[[COPY:.*]] = kernel.map {{.*}} ins(%[[X]] : tensor<2x3x4xf32>)
// CHECK:         tx.reshape %[[COPY]] : tensor<3x2x4xf32> to tensor<3x8xf32>
func.func @merge(%x: tensor<2x3x4xf32>) -> tensor<3x8xf32> {
  %t = tx.transpose %x [1, 0, 2] : tensor<2x3x4xf32>
  %r = tx.reshape %t : tensor<3x2x4xf32> to tensor<3x8xf32>
  %y = tx.neg %r : tensor<3x8xf32>
  return %y : tensor<3x8xf32>
}

// -----

// One that splits dims composes with the view.
// CHECK: #[[SPLIT:.*]] = affine_map<(d0, d1, d2) -> (d1 * 2 + d2, d0)>
// CHECK-LABEL: @split
// CHECK-NEXT:    kernel.map {{.*}} maps [#[[SPLIT]],
func.func @split(%x: tensor<4x3xf32>) -> tensor<3x2x2xf32> {
  %t = tx.transpose %x [1, 0] : tensor<4x3xf32>
  %r = tx.reshape %t : tensor<3x4xf32> to tensor<3x2x2xf32>
  %y = tx.neg %r : tensor<3x2x2xf32>
  return %y : tensor<3x2x2xf32>
}

// -----

// The first rows of a table, under other dims, are read from the table.
// CHECK: #[[ROWS:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: @prefix
// CHECK-SAME:    %[[TABLE:.*]]: tensor<32x8xf32>
// CHECK-NEXT:    kernel.map {{.*}} ins(%[[TABLE]] : tensor<32x8xf32>) maps [#[[ROWS]],
func.func @prefix(%table: tensor<32x8xf32>) -> tensor<1x?x8xf32, #tx.dims<[1, S, 8]>> {
  %s = tx.slice %table [#tx.expr<0>, #tx.expr<0>] [1, 1] : tensor<32x8xf32> to tensor<?x8xf32, #tx.dims<[S, 8]>>
  %r = tx.reshape %s : tensor<?x8xf32, #tx.dims<[S, 8]>> to tensor<1x?x8xf32, #tx.dims<[1, S, 8]>>
  %y = tx.neg %r : tensor<1x?x8xf32, #tx.dims<[1, S, 8]>>
  return %y : tensor<1x?x8xf32, #tx.dims<[1, S, 8]>>
}
