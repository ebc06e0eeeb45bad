// RUN: txc-opt %s -txc-lower-to-kernel -split-input-file | FileCheck %s

// A convolution is a product of window rows, channels last, with a matrix that
// is made of the filters when the image is written. What is element-wise
// before it is computed in the same order.
// CHECK-LABEL: @channels_last
// CHECK-SAME:    %[[X:.*]]: tensor<1x8x20xf32>
// CHECK:         %[[EXP:.*]] = kernel.map [#tx.expr<1>, #tx.expr<20>, #tx.expr<8>] ins(%[[X]]
// CHECK:         %[[WINDOWS:.*]] = kernel.map [#tx.expr<1>, #tx.expr<18>, #tx.expr<3>, #tx.expr<8>] ins(%[[EXP]]
// CHECK:         %[[FILTERS:.*]] = kernel.stored @filters_taps : tensor<24x16xf32>
// CHECK:         %[[ROWS:.*]] = tx.reshape %[[WINDOWS]] {{.*}} to tensor<18x24xf32>
// CHECK:         kernel.gemm {{.*}}(%[[ROWS]] : tensor<18x24xf32>, %[[FILTERS]] : tensor<24x16xf32>)
// CHECK:       func.func private @filters_taps() -> tensor<24x16xf32>
// CHECK:         %[[LAST:.*]] = tx.transpose %{{.*}} [0, 2, 1]
// CHECK:         %[[FLAT:.*]] = tx.reshape %[[LAST]] {{.*}} to tensor<16x24xf32>
// CHECK:         tx.transpose %[[FLAT]] [1, 0]
func.func @channels_last(%x: tensor<1x8x20xf32>) -> tensor<1x16x18xf32> {
  %w = kernel.stored @filters : tensor<16x8x3xf32>
  %e = tx.exp %x : tensor<1x8x20xf32>
  %y = tx.conv %e, %w strides [1] low [0] high [0] dilations [1] groups 1 : tensor<1x8x20xf32>, tensor<16x8x3xf32>
  return %y : tensor<1x16x18xf32>
}
func.func private @filters() -> tensor<16x8x3xf32> {
  %w = tx.weight "w" : tensor<16x8x3xf32>
  return %w : tensor<16x8x3xf32>
}

// -----

// Where something else reads the tensor too, it has its own order.
// CHECK-LABEL: @two_readers
// CHECK:         kernel.map [#tx.expr<1>, #tx.expr<8>, #tx.expr<20>] ins
func.func @two_readers(%x: tensor<1x8x20xf32>, %w: tensor<16x8x3xf32>) -> (tensor<1x8x20xf32>, tensor<1x16x18xf32>) {
  %e = tx.exp %x : tensor<1x8x20xf32>
  %y = tx.conv %e, %w strides [1] low [0] high [0] dilations [1] groups 1 : tensor<1x8x20xf32>, tensor<16x8x3xf32>
  return %e, %y : tensor<1x8x20xf32>, tensor<1x16x18xf32>
}

// -----

// With few channels the taps are last: longer runs of a row-major input.
// CHECK-LABEL: @few_channels
// CHECK:         kernel.map [#tx.expr<1>, #tx.expr<18>, #tx.expr<3>, #tx.expr<5>] ins
func.func @few_channels(%x: tensor<1x3x22xf32>, %w: tensor<16x3x5xf32>) -> tensor<1x16x18xf32> {
  %y = tx.conv %x, %w strides [1] low [0] high [0] dilations [1] groups 1 : tensor<1x3x22xf32>, tensor<16x3x5xf32>
  return %y : tensor<1x16x18xf32>
}

// -----

// Padding is copied once, channels last; windows are read from that.
// CHECK-LABEL: @padded
// CHECK:         %[[PADDED:.*]] = kernel.map [#tx.expr<1>, #tx.expr<24>, #tx.expr<3>] tables
// CHECK:         kernel.map [#tx.expr<1>, #tx.expr<20>, #tx.expr<5>, #tx.expr<3>] ins(%[[PADDED]]
// CHECK-NOT:       arith.select
// CHECK:         kernel.gemm
func.func @padded(%x: tensor<1x3x22xf32>, %w: tensor<16x3x5xf32>) -> tensor<1x16x20xf32> {
  %y = tx.conv %x, %w strides [1] low [1] high [1] dilations [1] groups 1 : tensor<1x3x22xf32>, tensor<16x3x5xf32>
  return %y : tensor<1x16x20xf32>
}

// -----

// A norm along the places of a channel, too, is written channels last.
// CHECK-DAG:   #[[ROW:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG:   #[[LAST:.*]] = affine_map<(d0, d1, d2) -> (d0, d2, d1)>
// CHECK-LABEL: @norm
// CHECK:         kernel.rows {{.*}} row 1 ins({{.*}}) maps [#[[ROW]], #[[LAST]]] -> tensor<1x20x8xf32>
func.func @norm(%x: tensor<1x8x20xf32>, %w: tensor<16x8x3xf32>) -> tensor<1x16x18xf32> {
  %n = tx.layer_norm %x {axes = 1 : i64, epsilon = 1.0e-5 : f64} : tensor<1x8x20xf32>
  %y = tx.conv %n, %w strides [1] low [0] high [0] dilations [1] groups 1 : tensor<1x8x20xf32>, tensor<16x8x3xf32>
  return %y : tensor<1x16x18xf32>
}

// -----

// The places become tokens without a copy: they are neighbours in memory.
// CHECK-LABEL: @tokens
// CHECK:         %[[SUMS:.*]] = kernel.gemm
// CHECK-NOT:     kernel.map
// CHECK:         %[[TOKENS:.*]] = tx.reshape %{{.*}} to tensor<1x9x16xf32>
// CHECK:         kernel.map [#tx.expr<1>, #tx.expr<9>, #tx.expr<16>] ins(%[[TOKENS]]
func.func @tokens(%x: tensor<1x3x12x12xf32>, %w: tensor<16x3x4x4xf32>) -> tensor<1x9x16xf32> {
  %y = tx.conv %x, %w strides [4, 4] low [0, 0] high [0, 0] dilations [1, 1] groups 1 : tensor<1x3x12x12xf32>, tensor<16x3x4x4xf32>
  %flat = tx.reshape %y : tensor<1x16x3x3xf32> to tensor<1x16x9xf32>
  %tokens = tx.transpose %flat [0, 2, 1] : tensor<1x16x9xf32>
  %e = tx.exp %tokens : tensor<1x9x16xf32>
  return %e : tensor<1x9x16xf32>
}

// -----

// With groups: a product a group. Windows overlap in a copy of the input, with
// its padding: window p begins at element p * stride * channels. Half precision
// is summed in f32.
// CHECK-DAG:   #[[WINDOW:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2 * 4 + d4)>
// CHECK-DAG:   #[[FILTER:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d4, d3)>
// CHECK-DAG:   #[[RESULT:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d1 * 3 + d3)>
// CHECK-LABEL: @grouped
// CHECK:         %[[PADDED:.*]] = kernel.map [#tx.expr<1>, #tx.expr<2>, #tx.expr<24>, #tx.expr<2>] tables
// CHECK-DAG:     %[[ROWS:.*]] = tx.reshape %[[PADDED]] : tensor<1x2x24x2xf32> to tensor<1x2x48xf32>
// CHECK-DAG:     %[[FILTERS:.*]] = kernel.stored @filters_groups : tensor<2x10x3xf32>
// CHECK:         kernel.gemm [#tx.expr<1>, #tx.expr<2>, #tx.expr<10>, #tx.expr<3>, #tx.expr<10>](%[[ROWS]] : {{.*}}, %[[FILTERS]] : {{.*}}) maps [#[[WINDOW]], #[[FILTER]], #[[RESULT]]] -> tensor<1x10x6xf16>
// CHECK:           arith.truncf %{{.*}} : f32 to f16
func.func @grouped(%x: tensor<1x4x22xf16>) -> tensor<1x6x10xf16> {
  %w = kernel.stored @filters : tensor<6x2x5xf16>
  %y = tx.conv %x, %w strides [2] low [1] high [1] dilations [1] groups 2 : tensor<1x4x22xf16>, tensor<6x2x5xf16>
  return %y : tensor<1x6x10xf16>
}
func.func private @filters() -> tensor<6x2x5xf16> {
  %w = tx.weight "w" : tensor<6x2x5xf16>
  return %w : tensor<6x2x5xf16>
}

// -----

// Only along the last dim do windows overlap; taps of the others are copied.
// CHECK-LABEL: @grouped_2d
// CHECK:         %[[ROWS:.*]] = kernel.map [#tx.expr<1>, #tx.expr<2>, #tx.expr<6>, #tx.expr<9>, #tx.expr<3>, #tx.expr<4>] tables
// CHECK:         kernel.gemm [#tx.expr<1>, #tx.expr<2>, #tx.expr<6>, #tx.expr<5>, #tx.expr<3>, #tx.expr<60>]
func.func @grouped_2d(%x: tensor<1x8x8x9xf32>, %w: tensor<6x4x3x5xf32>) -> tensor<1x6x6x5xf32> {
  %y = tx.conv %x, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] groups 2 : tensor<1x8x8x9xf32>, tensor<6x4x3x5xf32>
  return %y : tensor<1x6x6x5xf32>
}

// -----

// A channel a group: neighbouring channels are multiplied side by side, also
// where taps are dilated.
// CHECK-DAG:   #[[PLACE:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1 + d3 * 2, d2)>
// CHECK-DAG:   #[[TAP:.*]] = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
// CHECK-LABEL: @depthwise
// CHECK:         %[[PADDED:.*]] = kernel.map [#tx.expr<1>, #tx.expr<24>, #tx.expr<32>] tables
// CHECK:         kernel.rows [#tx.expr<1>, #tx.expr<20>, #tx.expr<32>, #tx.expr<3>] row 1 ins(%[[PADDED]], {{.*}}) maps [#[[PLACE]], #[[TAP]],
// CHECK:           %[[PRODUCT:.*]] = arith.mulf
// CHECK:           kernel.reduce sum %[[PRODUCT]]
func.func @depthwise(%x: tensor<1x32x20xf32>, %w: tensor<32x1x3xf32>) -> tensor<1x32x20xf32> {
  %y = tx.conv %x, %w strides [1] low [2] high [2] dilations [2] groups 32 : tensor<1x32x20xf32>, tensor<32x1x3xf32>
  return %y : tensor<1x32x20xf32>
}

// -----

// Dilated taps of several channels have no window that is contiguous.
// CHECK-LABEL: @dilated
// CHECK:         kernel.rows
// CHECK:         kernel.reduce sum
func.func @dilated(%x: tensor<1x4x22xf32>, %w: tensor<6x2x5xf32>) -> tensor<1x6x14xf32> {
  %y = tx.conv %x, %w strides [1] low [0] high [0] dilations [2] groups 2 : tensor<1x4x22xf32>, tensor<6x2x5xf32>
  return %y : tensor<1x6x14xf32>
}
