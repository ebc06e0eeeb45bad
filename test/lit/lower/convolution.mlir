// RUN: txc-opt %s -txc-lower-to-kernel -split-input-file | FileCheck %s

// A convolution is a product of window rows, channels last, with a matrix that
// is made of the filters when the image is written. What is element-wise
// before it is computed in the same order.
// CHECK-LABEL: @channels_last
// CHECK-SAME:    %[[X:.*]]: tensor<1x8x20xf32>
// CHECK:         %[[EXP:.*]] = kernel.map [#tx.expr<1>, #tx.expr<20>, #tx.expr<8>] ins(%[[X]]
// CHECK:         %[[WINDOWS:.*]] = kernel.map [#tx.expr<1>, #tx.expr<18>, #tx.expr<3>, #tx.expr<8>] tables(%[[EXP]]
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
// CHECK:         kernel.map [#tx.expr<1>, #tx.expr<18>, #tx.expr<3>, #tx.expr<5>] tables
func.func @few_channels(%x: tensor<1x3x22xf32>, %w: tensor<16x3x5xf32>) -> tensor<1x16x18xf32> {
  %y = tx.conv %x, %w strides [1] low [0] high [0] dilations [1] groups 1 : tensor<1x3x22xf32>, tensor<16x3x5xf32>
  return %y : tensor<1x16x18xf32>
}

// -----

// Half precision is summed in f32.
// CHECK-LABEL: @grouped
// CHECK:         kernel.rows
// CHECK:         %[[PRODUCT:.*]] = arith.mulf %{{.*}}, %{{.*}} : f32
// CHECK:         %[[SUM:.*]] = kernel.reduce  sum %[[PRODUCT]] : f32
// CHECK:         arith.truncf %[[SUM]] : f32 to f16
func.func @grouped(%x: tensor<1x4x22xf16>, %w: tensor<6x2x5xf16>) -> tensor<1x6x18xf16> {
  %y = tx.conv %x, %w strides [1] low [0] high [0] dilations [1] groups 2 : tensor<1x4x22xf16>, tensor<6x2x5xf16>
  return %y : tensor<1x6x18xf16>
}
