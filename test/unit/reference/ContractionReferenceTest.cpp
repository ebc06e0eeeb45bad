//===- ContractionReferenceTest.cpp - products, convolutions, pooling -----===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Expected numbers: NumPy, ONNX Runtime.
//
//===----------------------------------------------------------------------===//

#include "test/unit/reference/ReferenceTesting.h"

using namespace mlir;
using namespace txc;
using namespace txc::test;

using ContractionReference = ReferenceTest;

/// 0, 1, 2, … plus `offset`.
static HostTensor shifted(HostTensor tensor, int64_t offset) {
  for (int64_t i = 0; i < tensor.getNumElements(); ++i)
    tensor.setInt(i, tensor.getInt(i) + offset);
  return tensor;
}

TEST_F(ContractionReference, Matmul) {
  HostTensor a = shifted(counting("f32", {2, 2, 3}), -4);
  HostTensor b =
      tensor("f32", {3, 4}, {-7, -5, -3, -1, 1, 3, 5, 7, 9, 11, 13, 15});
  EXPECT_THAT(values("tx.matmul %0, %1 : tensor<2x2x3xf32>, tensor<3x4xf32> to "
                     "tensor<2x2x4xf32>",
                     {a, b}),
              same({7, -11, -29, -47, 16, 16, 16, 16, 25, 43, 61, 79, 34, 70,
                    106, 142}));
}

TEST_F(ContractionReference, MatmulBroadcastsBatches) {
  HostTensor a = shifted(counting("f64", {2, 1, 2, 2}), -3);
  HostTensor b = shifted(counting("f64", {3, 2, 1}), -2);
  EXPECT_THAT(
      values("tx.matmul %0, %1 : tensor<2x1x2x2xf64>, tensor<3x2x1xf64> "
             "to tensor<2x3x2x1xf64>",
             {a, b}),
      same({8, 2, -2, 0, -12, -2, -4, -10, 2, 4, 8, 18}));
}

TEST_F(ContractionReference, MatmulAcrossBlocks) {
  // Larger than a block in both dims; row i of lhs is i, column j of rhs is j.
  HostTensor a = counting("f32", {70, 1}), b = counting("f32", {1, 300});
  HostTensor y =
      run("tx.matmul %0, %1 : tensor<70x1xf32>, tensor<1x300xf32> to "
          "tensor<70x300xf32>",
          {a, b});
  for (int64_t i = 0; i < 70; ++i)
    for (int64_t j = 0; j < 300; ++j)
      ASSERT_EQ(y.getInt(i * 300 + j), i * j);
}

TEST_F(ContractionReference, MatmulOfBytesGivesWords) {
  HostTensor a = tensor("ui8", {1, 3}, {255, 255, 255});
  HostTensor b = tensor("i8", {3, 1}, {-128, -128, 127});
  EXPECT_THAT(values("tx.matmul %0, %1 : tensor<1x3xui8>, tensor<3x1xi8> to "
                     "tensor<1x1xi32>",
                     {a, b}),
              same({-32895}));
}

TEST_F(ContractionReference, Conv) {
  HostTensor x = counting("f32", {1, 2, 4, 5});
  HostTensor w = shifted(counting("f32", {2, 2, 3, 2}), -5);
  HostTensor y = run("tx.conv %0, %1 strides [2, 1] low [1, 0] high [1, 1] "
                     "dilations [1, 2] groups 1 : tensor<1x2x4x5xf32>, "
                     "tensor<2x2x3x2xf32>",
                     {x, w});
  EXPECT_THAT(y.getDims(), ::testing::ElementsAre(1, 2, 2, 4));
  EXPECT_THAT(toDoubles(y), same({426, 438, 450, 192, 572, 578, 584, 220, 1722,
                                  1830, 1938, 936, 3596, 3746, 3896, 1876}));
}

TEST_F(ContractionReference, ConvInGroups) {
  HostTensor x = counting("f32", {2, 4, 5});
  HostTensor w = shifted(counting("f32", {4, 2, 3}), -9);
  EXPECT_THAT(
      values("tx.conv %0, %1 strides [1] low [1] high [1] dilations [1] "
             "groups 2 : tensor<2x4x5xf32>, tensor<4x2x3xf32>",
             {x, w}),
      same({-56,  -110, -149, -188, -152, 16,   16,   13,   10,   -8,
            328,  472,  505,  538,  336,  640,  958,  1027, 1096, 720,
            -536, -890, -929, -968, -712, 16,   -44,  -47,  -50,  -88,
            808,  1132, 1165, 1198, 736,  1600, 2338, 2407, 2476, 1600}));
}

TEST_F(ContractionReference, ConvTranspose) {
  HostTensor x = counting("f32", {1, 2, 2, 3});
  HostTensor w = shifted(counting("f32", {2, 2, 2, 2}), -6);
  HostTensor y =
      run("tx.conv_transpose %0, %1 strides [1, 2] low [0, 1] high [1, 0] "
          "output_padding [0, 0] dilations [2, 1] groups 1 : "
          "tensor<1x2x2x3xf32>, tensor<2x2x2x2xf32>",
          {x, w});
  EXPECT_THAT(y.getDims(), ::testing::ElementsAre(1, 2, 3, 5));
  EXPECT_THAT(toDoubles(y), same({18, 8,  16, 4,  14, 12, -4, 10, -8, 8,
                                  30, 24, 32, 24, 34, 42, 40, 48, 44, 54,
                                  60, 52, 66, 56, 72, 54, 56, 64, 64, 74}));
}

TEST_F(ContractionReference, ConvTransposeInGroups) {
  HostTensor x = counting("f32", {1, 4, 3});
  HostTensor w = shifted(counting("f32", {4, 1, 2}), -3);
  EXPECT_THAT(values("tx.conv_transpose %0, %1 strides [2] low [1] high [0] "
                     "output_padding [1] dilations [1] groups 2 : "
                     "tensor<1x4x3xf32>, tensor<4x1x2xf32>",
                     {x, w}),
              same({0, -7, -2, -11, -4, 0, 48, 37, 54, 41, 60, 0}));
}

namespace {
class PoolReference : public ReferenceTest {
protected:
  /// A window of 3x2 with strides of 2 and one row and column of low padding.
  std::vector<double> pool(StringRef kind, StringRef modifiers) {
    HostTensor x = tensor("f32", {1, 1, 5, 6},
                          {0, 7, 1, 8, 2, 9,  3, 10, 4, 11, 5, 12, 6, 0, 7,
                           1, 8, 2, 9, 3, 10, 4, 11, 5, 12, 6, 0,  7, 1, 8});
    return values(("tx.pool " + kind +
                   " %0 window [3, 2] strides [2, 2] low [1, 1] high [0, 0] "
                   "dilations [1, 1] " +
                   modifiers + " : tensor<1x1x5x6xf32>")
                      .str(),
                  {x});
  }
};
} // namespace

TEST_F(PoolReference, Maximum) {
  EXPECT_THAT(pool("max", ""), same({3, 10, 11, 9, 10, 11}));
  EXPECT_THAT(pool("max", "ceil"),
              same({3, 10, 11, 12, 9, 10, 11, 12, 12, 10, 11, 8}));
  HostTensor x = vector("i8", {-5, -3, -9}).withDims({1, 1, 3});
  EXPECT_THAT(values("tx.pool max %0 window [2] strides [1] low [1] high [0] "
                     "dilations [1] : tensor<1x1x3xi8>",
                     {x}),
              same({-5, -3, -3}));
}

TEST_F(PoolReference, Average) {
  EXPECT_THAT(pool("average", ""),
              nearF32({1.5, 5.5, 6.5, 6, 17. / 3, 20. / 3}));
  EXPECT_THAT(pool("average", "{count_padding}"),
              nearF32({0.5, 11. / 3, 13. / 3, 3, 17. / 3, 20. / 3}));
  // Behind the high padding nothing counts.
  EXPECT_THAT(pool("average", "ceil {count_padding}"),
              nearF32({0.5, 11. / 3, 13. / 3, 7, 3, 17. / 3, 20. / 3, 19. / 3,
                       5.25, 4.75, 5.75, 6.5}));
}
