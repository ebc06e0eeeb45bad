// RUN: txc-opt %s -pass-pipeline='builtin.module(txc-recognize-softmax{remarks})' \
// RUN:   -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: @stable
// CHECK-SAME:    %[[X:.*]]: tensor<3x4xf32>
// CHECK-NEXT:    %[[Y:.*]] = tx.softmax %[[X]] 1
// CHECK-NEXT:    return %[[Y]]
func.func @stable(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %0 = tx.reduce max %x [1] : tensor<3x4xf32>
  %1 = tx.sub %x, %0 : tensor<3x4xf32>, tensor<3x1xf32>
  %2 = tx.exp %1 : tensor<3x4xf32>
  %3 = tx.reduce sum %2 [1] : tensor<3x4xf32>
  %4 = tx.div %2, %3 : tensor<3x4xf32>, tensor<3x1xf32>
  return %4 : tensor<3x4xf32>
}

// -----

// CHECK-LABEL: @without_maximum
// CHECK:         tx.softmax %{{.*}} 0 : tensor<3x4xf32>
func.func @without_maximum(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %0 = tx.exp %x : tensor<3x4xf32>
  %1 = tx.reduce sum %0 [0] : tensor<3x4xf32>
  %2 = tx.reciprocal %1 : tensor<1x4xf32>
  %3 = tx.mul %2, %0 : tensor<1x4xf32>, tensor<3x4xf32>
  return %3 : tensor<3x4xf32>
}

// -----

// CHECK-LABEL: @other_axis
// CHECK-NOT:     tx.softmax
func.func @other_axis(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %0 = tx.reduce max %x [0] : tensor<3x4xf32>
  %1 = tx.sub %x, %0 : tensor<3x4xf32>, tensor<1x4xf32>
  %2 = tx.exp %1 : tensor<3x4xf32>
  %3 = tx.reduce sum %2 [1] : tensor<3x4xf32>
  // expected-remark @+1 {{not recognized as softmax: the maximum and the sum are along different axes}}
  %4 = tx.div %2, %3 : tensor<3x4xf32>, tensor<3x1xf32>
  return %4 : tensor<3x4xf32>
}
