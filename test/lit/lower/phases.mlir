// RUN: txc-opt %s -txc-lower-to-kernel -cse -split-input-file | FileCheck %s

// The batch dims of a matmul with one right operand are rows.
// CHECK-LABEL: @matmul
// CHECK-SAME:    %[[X:.*]]: tensor<?x?x8xf32
// CHECK:         %[[ROWS:.*]] = tx.reshape %[[X]] {{.*}} to tensor<?x8xf32, #tx.dims<[B * S, 8]>>
// CHECK:         kernel.gemm [#tx.expr<B * S>, #tx.expr<5>, #tx.expr<8>](%[[ROWS]]
func.func @matmul(%x: tensor<?x?x8xf32, #tx.dims<[B, S, 8]>>, %w: tensor<8x5xf32>) -> tensor<?x?x5xf32, #tx.dims<[B, S, 5]>> {
  %y = tx.matmul %x, %w : tensor<?x?x8xf32, #tx.dims<[B, S, 8]>>, tensor<8x5xf32> to tensor<?x?x5xf32, #tx.dims<[B, S, 5]>>
  return %y : tensor<?x?x5xf32, #tx.dims<[B, S, 5]>>
}

// -----

// A reduction iterates over the kept dims, then over the reduced ones.
// CHECK-DAG: #[[IN:.*]] = affine_map<(d0, d1, d2) -> (d0, d2, d1)>
// CHECK-DAG: #[[OUT:.*]] = affine_map<(d0, d1, d2) -> (d0, 0, d1)>
// CHECK-LABEL: @reduce
// CHECK:         kernel.rows [#tx.expr<2>, #tx.expr<4>, #tx.expr<3>] row 1 {{.*}} maps [#[[IN]], #[[OUT]]]
// CHECK:         %[[SUM:.*]] = kernel.reduce  sum
// CHECK:         kernel.yield %[[SUM]]
func.func @reduce(%x: tensor<2x3x4xf32>) -> tensor<2x1x4xf32> {
  %y = tx.reduce sum %x [1] : tensor<2x3x4xf32>
  return %y : tensor<2x1x4xf32>
}

// -----

// A gather checks its indices, which may count from the end.
// CHECK-LABEL: @gather
// CHECK:         kernel.map
// CHECK:         %[[OK:.*]] = arith.cmpi ult
// CHECK:         kernel.check %[[OK]]  index_out_of_range(%{{.*}} of %{{.*}})
// CHECK:         kernel.fetch
func.func @gather(%x: tensor<10x4xf32>, %i: tensor<3xi64>) -> tensor<3x4xf32> {
  %y = tx.gather %x, %i 0 : tensor<10x4xf32>, tensor<3xi64>
  return %y : tensor<3x4xf32>
}

// -----

// Grouped heads: query head h reads key head h / 3.
// CHECK: #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 floordiv 3, d3, d4)>
// CHECK-LABEL: @attention
// CHECK:         kernel.attention {{.*}} maps [#{{.*}}, #[[K]],
func.func @attention(%q: tensor<1x6x2x8xf32>, %k: tensor<1x2x5x8xf32>, %v: tensor<1x2x5x8xf32>) -> tensor<1x6x2x8xf32> {
  %o = tx.attention %q, %k, %v {scale = 1.0, masked_row = #tx<masked_row zero>} : tensor<1x6x2x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>
  return %o : tensor<1x6x2x8xf32>
}

// -----

// One head for all of an unknown number, and two for 2 * G each.
// CHECK-DAG: #[[ONE:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, 0, d3, d4)>
// CHECK-DAG: #[[TWO:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 floordiv 2, d3, d4)>
// CHECK-LABEL: @unknown_heads
// CHECK:         kernel.attention {{.*}} maps [#{{.*}}, #[[ONE]],
// CHECK:         kernel.attention {{.*}} maps [#{{.*}}, #[[TWO]],
func.func @unknown_heads(%q: tensor<1x?x2x8xf32, #tx.dims<[1, 2 * G, 2, 8]>>, %one: tensor<1x1x5x8xf32>, %k: tensor<1x?x5x8xf32, #tx.dims<[1, G, 5, 8]>>)
    -> (tensor<1x?x2x8xf32, #tx.dims<[1, 2 * G, 2, 8]>>, tensor<1x?x2x8xf32, #tx.dims<[1, 2 * G, 2, 8]>>) {
  %a = tx.attention %q, %one, %one {scale = 1.0, masked_row = #tx<masked_row zero>} : tensor<1x?x2x8xf32, #tx.dims<[1, 2 * G, 2, 8]>>, tensor<1x1x5x8xf32>, tensor<1x1x5x8xf32>
  %b = tx.attention %q, %k, %k {scale = 1.0, masked_row = #tx<masked_row zero>} : tensor<1x?x2x8xf32, #tx.dims<[1, 2 * G, 2, 8]>>, tensor<1x?x5x8xf32, #tx.dims<[1, G, 5, 8]>>, tensor<1x?x5x8xf32, #tx.dims<[1, G, 5, 8]>>
  return %a, %b : tensor<1x?x2x8xf32, #tx.dims<[1, 2 * G, 2, 8]>>, tensor<1x?x2x8xf32, #tx.dims<[1, 2 * G, 2, 8]>>
}

// -----

// A routine reads its operands in memory: a constant among them is written.
// CHECK-LABEL: @constant
// CHECK:         %[[ONE:.*]] = kernel.map [#tx.expr<2>]
// CHECK:         kernel.call "txc_concat"(%{{.*}}, %[[ONE]])
func.func @constant(%x: tensor<3xf32>) -> tensor<5xf32> {
  %one = tx.constant dense<1.0> : tensor<2xf32>
  %y = tx.concat %x, %one 0 : tensor<3xf32>, tensor<2xf32>
  return %y : tensor<5xf32>
}

// -----

// A symbol is defined between two phases; who counts and who lists the places
// are phases.
// CHECK-LABEL: @nonzero
// CHECK:         %[[COUNT:.*]] = kernel.rows
// CHECK:         %[[SCALAR:.*]] = tx.reshape %[[COUNT]]
// CHECK-NEXT:    tx.define_symbol "n" %[[SCALAR]]
// CHECK-NEXT:    kernel.call "txc_nonzero"(%{{.*}}) [#tx.expr<n>, #tx.expr<2>, #tx.expr<S>, #tx.expr<3>] tasks <1>
func.func @nonzero(%x: tensor<?x3xi1, #tx.dims<[S, 3]>>) -> tensor<2x?xi64, #tx.dims<[2, n]>> {
  %i = tx.cast %x : tensor<?x3xi1, #tx.dims<[S, 3]>> to tensor<?x3xi64, #tx.dims<[S, 3]>>
  %sum = tx.reduce sum %i [0, 1] : tensor<?x3xi64, #tx.dims<[S, 3]>>
  %count = tx.reshape %sum : tensor<1x1xi64> to tensor<i64>
  tx.define_symbol "n" %count : tensor<i64>
  %y = tx.nonzero %x : tensor<?x3xi1, #tx.dims<[S, 3]>> to tensor<2x?xi64, #tx.dims<[2, n]>>
  return %y : tensor<2x?xi64, #tx.dims<[2, n]>>
}

// -----

// The shape of what a run counts, a constant to the folder, is written when it
// is known.
// CHECK-LABEL: @shape
// CHECK-NEXT:    tx.define_symbol "n"
// CHECK-NEXT:    kernel.map {{.*}}tensor<2xi64>
func.func @shape(%n: tensor<i64>) -> tensor<2xi64> {
  %shape = tx.symbolic #tx.exprs<[n, 8] : tensor<2xi64>>
  tx.define_symbol "n" %n : tensor<i64>
  return %shape : tensor<2xi64>
}
