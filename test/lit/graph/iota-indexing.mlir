// RUN: txc-opt %s -pass-pipeline='builtin.module(txc-iota-indexing{remarks},canonicalize)' \
// RUN:   -split-input-file -verify-diagnostics | FileCheck %s

// torch's newer exporter: GatherND at pairs (b, t).
// CHECK-LABEL: @pairs
// CHECK-SAME:    %[[M:.*]]: tensor<?x?xi1, #tx.dims<[B, T]>>
// CHECK-NEXT:    %[[V:.*]] = tx.reshape %[[M]] : tensor<?x?xi1, #tx.dims<[B, T]>> to tensor<?x1x1x?xi1, #tx.dims<[B, 1, 1, T]>>
// CHECK-NEXT:    return %[[V]]
func.func @pairs(%m: tensor<?x?xi1, #tx.dims<[B, T]>>) -> tensor<?x1x1x?xi1, #tx.dims<[B, 1, 1, T]>> {
  %b = tx.iota : tensor<?xi64, #tx.dims<[B]>>
  %b1 = tx.reshape %b : tensor<?xi64, #tx.dims<[B]>> to tensor<?x1x1x1xi64, #tx.dims<[B, 1, 1, 1]>>
  %b2 = tx.broadcast %b1 : tensor<?x1x1x1xi64, #tx.dims<[B, 1, 1, 1]>> to tensor<?x1x1x?xi64, #tx.dims<[B, 1, 1, T]>>
  %b3 = tx.reshape %b2 : tensor<?x1x1x?xi64, #tx.dims<[B, 1, 1, T]>> to tensor<?x1x1x?x1xi64, #tx.dims<[B, 1, 1, T, 1]>>
  %t = tx.iota : tensor<?xi64, #tx.dims<[T]>>
  %t1 = tx.reshape %t : tensor<?xi64, #tx.dims<[T]>> to tensor<1x1x1x?xi64, #tx.dims<[1, 1, 1, T]>>
  %t2 = tx.broadcast %t1 : tensor<1x1x1x?xi64, #tx.dims<[1, 1, 1, T]>> to tensor<?x1x1x?xi64, #tx.dims<[B, 1, 1, T]>>
  %t3 = tx.reshape %t2 : tensor<?x1x1x?xi64, #tx.dims<[B, 1, 1, T]>> to tensor<?x1x1x?x1xi64, #tx.dims<[B, 1, 1, T, 1]>>
  %i = tx.concat %b3, %t3 4 : tensor<?x1x1x?x1xi64, #tx.dims<[B, 1, 1, T, 1]>>, tensor<?x1x1x?x1xi64, #tx.dims<[B, 1, 1, T, 1]>>
  %0 = tx.gather_nd %m, %i 0 : tensor<?x?xi1, #tx.dims<[B, T]>>, tensor<?x1x1x?x2xi64, #tx.dims<[B, 1, 1, T, 2]>>
  return %0 : tensor<?x1x1x?xi1, #tx.dims<[B, 1, 1, T]>>
}

// -----

// torch's older exporter: the flattened mask (one column) at b * T + t.
// CHECK-LABEL: @flattened
// CHECK-SAME:    %[[M:.*]]: tensor<?x?xi1, #tx.dims<[B, T]>>
// CHECK-NEXT:    %[[V:.*]] = tx.reshape %[[M]] : {{.*}} to tensor<?x1x?x1xi1, #tx.dims<[B, 1, T, 1]>>
// CHECK-NEXT:    return %[[V]]
func.func @flattened(%m: tensor<?x?xi1, #tx.dims<[B, T]>>) -> tensor<?x1x?x1xi1, #tx.dims<[B, 1, T, 1]>> {
  %flat = tx.reshape %m : tensor<?x?xi1, #tx.dims<[B, T]>> to tensor<?x1xi1, #tx.dims<[B * T, 1]>>
  %length = tx.symbolic #tx.exprs<[T] : tensor<1xi64>>
  %b = tx.iota : tensor<?xi64, #tx.dims<[B]>>
  %b1 = tx.reshape %b : tensor<?xi64, #tx.dims<[B]>> to tensor<?x1x1xi64, #tx.dims<[B, 1, 1]>>
  %b2 = tx.mul %b1, %length : tensor<?x1x1xi64, #tx.dims<[B, 1, 1]>>, tensor<1xi64>
  %t = tx.iota : tensor<?xi64, #tx.dims<[T]>>
  %i = tx.add %t, %b2 : tensor<?xi64, #tx.dims<[T]>>, tensor<?x1x1xi64, #tx.dims<[B, 1, 1]>>
  %0 = tx.gather %flat, %i 0 : tensor<?x1xi1, #tx.dims<[B * T, 1]>>, tensor<?x1x?xi64, #tx.dims<[B, 1, T]>>
  return %0 : tensor<?x1x?x1xi1, #tx.dims<[B, 1, T, 1]>>
}

// -----

// Positions P, P + 1, … of a table of 48: the first rows, if there are as many.
// CHECK:       module attributes {tx.requirements = {{\[\[}}#tx.expr<P + S>, "le", #tx.expr<48>, "node \22pos\22 (Gather): it reads beyond the dim: P + S <= 48"]]}
// CHECK-LABEL: @positions
// CHECK:         %[[T:.*]] = tx.weight "table"
// CHECK-NEXT:    tx.slice %[[T]] [#tx.expr<P>, #tx.expr<0>] [1, 1] : tensor<48x8xf32> to tensor<?x8xf32, #tx.dims<[S, 8]>>
func.func @positions() -> tensor<?x8xf32, #tx.dims<[S, 8]>> {
  %table = tx.weight "table" : tensor<48x8xf32>
  %past = tx.symbolic #tx.exprs<[P] : tensor<i64>>
  %s = tx.iota : tensor<?xi64, #tx.dims<[S]>>
  %i = tx.add %s, %past : tensor<?xi64, #tx.dims<[S]>>, tensor<i64>
  %0 = tx.gather %table, %i 0 : tensor<48x8xf32>, tensor<?xi64, #tx.dims<[S]>> loc("pos"("Gather"))
  return %0 : tensor<?x8xf32, #tx.dims<[S, 8]>>
}

// -----

// The columns of a matrix in the order of its rows.
// CHECK-LABEL: @transposed
// CHECK:         tx.transpose %{{.*}} [1, 0] : tensor<3x5xf32>
func.func @transposed(%x: tensor<3x5xf32>) -> tensor<5x3xf32> {
  %row = tx.constant dense<[[[0], [1], [2]], [[0], [1], [2]], [[0], [1], [2]], [[0], [1], [2]], [[0], [1], [2]]]> : tensor<5x3x1xi64>
  %column = tx.constant dense<[[[0], [0], [0]], [[1], [1], [1]], [[2], [2], [2]], [[3], [3], [3]], [[4], [4], [4]]]> : tensor<5x3x1xi64>
  %i = tx.concat %row, %column 2 : tensor<5x3x1xi64>, tensor<5x3x1xi64>
  %0 = tx.gather_nd %x, %i 0 : tensor<3x5xf32>, tensor<5x3x2xi64>
  return %0 : tensor<5x3xf32>
}

// -----

// CHECK-LABEL: @near_misses
// CHECK-COUNT-3: tx.gather
func.func @near_misses(%x: tensor<4x4xf32>, %data: tensor<4x1xi64>, %m: tensor<?x?xi1, #tx.dims<[B, T]>>)
    -> (tensor<4xf32>, tensor<4xf32>, tensor<?x?xi1, #tx.dims<[B, U]>>) {
  %i = tx.constant dense<[[0], [1], [2], [3]]> : tensor<4x1xi64>
  %diagonal = tx.concat %i, %i 1 : tensor<4x1xi64>, tensor<4x1xi64>
  // expected-remark @+1 {{not recognized as view: the indices are a diagonal}}
  %0 = tx.gather_nd %x, %diagonal 0 : tensor<4x4xf32>, tensor<4x2xi64>
  %mixed = tx.concat %data, %i 1 : tensor<4x1xi64>, tensor<4x1xi64>
  // expected-remark @+1 {{not recognized as view: the indices are not arithmetic on ranges}}
  %1 = tx.gather_nd %x, %mixed 0 : tensor<4x4xf32>, tensor<4x2xi64>
  // U may be larger than T: indices then reach into the next row.
  %flat = tx.reshape %m : tensor<?x?xi1, #tx.dims<[B, T]>> to tensor<?xi1, #tx.dims<[B * T]>>
  %length = tx.symbolic #tx.exprs<[T] : tensor<i64>>
  %b = tx.iota : tensor<?xi64, #tx.dims<[B]>>
  %b1 = tx.reshape %b : tensor<?xi64, #tx.dims<[B]>> to tensor<?x1xi64, #tx.dims<[B, 1]>>
  %b2 = tx.mul %b1, %length : tensor<?x1xi64, #tx.dims<[B, 1]>>, tensor<i64>
  %u = tx.iota : tensor<?xi64, #tx.dims<[U]>>
  %j = tx.add %b2, %u : tensor<?x1xi64, #tx.dims<[B, 1]>>, tensor<?xi64, #tx.dims<[U]>>
  %2 = tx.gather %flat, %j 0 : tensor<?xi1, #tx.dims<[B * T]>>, tensor<?x?xi64, #tx.dims<[B, U]>>
  return %0, %1, %2 : tensor<4xf32>, tensor<4xf32>, tensor<?x?xi1, #tx.dims<[B, U]>>
}
