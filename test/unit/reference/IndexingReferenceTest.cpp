//===- IndexingReferenceTest.cpp - gathers and scatters -------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Expected numbers: by hand, from the formulas of ONNX.
//
//===----------------------------------------------------------------------===//

#include "test/unit/reference/ReferenceTesting.h"

using namespace mlir;
using namespace txc;
using namespace txc::test;
using ::testing::HasSubstr;

using IndexingReference = ReferenceTest;

TEST_F(IndexingReference, Gather) {
  HostTensor x = counting("f32", {2, 3, 2});
  HostTensor indices = tensor("i64", {2, 2}, {2, 0, -1, -3});
  StringRef op = "tx.gather %0, %1 1 : tensor<2x3x2xf32>, tensor<2x2xi64>";
  HostTensor y = run(op, {x, indices});
  EXPECT_THAT(y.getDims(), ::testing::ElementsAre(2, 2, 2, 2));
  EXPECT_THAT(toDoubles(y),
              same({4, 5, 0, 1, 4, 5, 0, 1, 10, 11, 6, 7, 10, 11, 6, 7}));
  indices.setInt(1, 3);
  EXPECT_THAT(fault(op, {x, indices}), HasSubstr("index 3 is outside [-3, 3)"));
  indices.setInt(1, -4);
  EXPECT_THAT(fault(op, {x, indices}), HasSubstr("index -4 is outside"));
}

TEST_F(IndexingReference, GatherElements) {
  HostTensor x = counting("i32", {3, 3});
  HostTensor indices = tensor("i64", {2, 2}, {1, 2, -3, 0});
  EXPECT_THAT(values("tx.gather_elements %0, %1 0 : tensor<3x3xi32>, "
                     "tensor<2x2xi64>",
                     {x, indices}),
              same({3, 7, 0, 1}));
  HostTensor wide = counting("i64", {1, 4});
  EXPECT_THAT(fault("tx.gather_elements %0, %1 0 : tensor<3x3xi32>, "
                    "tensor<1x4xi64>",
                    {x, wide}),
              HasSubstr("the indices have 4 elements in dim 1, the tensor 3"));
}

TEST_F(IndexingReference, GatherNd) {
  HostTensor x = counting("f32", {2, 2, 2});
  HostTensor pairs = tensor("i64", {2, 2}, {0, 1, -1, 0});
  EXPECT_THAT(
      values("tx.gather_nd %0, %1 0 : tensor<2x2x2xf32>, tensor<2x2xi64>",
             {x, pairs}),
      same({2, 3, 4, 5}));
  HostTensor batched = tensor("i64", {2, 1}, {1, 0});
  EXPECT_THAT(
      values("tx.gather_nd %0, %1 1 : tensor<2x2x2xf32>, tensor<2x1xi64>",
             {x, batched}),
      same({2, 3, 4, 5}));
}

TEST_F(IndexingReference, ScatterElementsKinds) {
  HostTensor x = tensor("f32", {1, 4}, {1, 2, 3, 4});
  HostTensor indices = tensor("i64", {1, 3}, {1, -1, 1});
  HostTensor updates = tensor("f32", {1, 3}, {10, 0.5, -3});
  auto scatter = [&](StringRef kind) {
    return values(("tx.scatter_elements " + kind +
                   " %0, %1, %2 1 : tensor<1x4xf32>, tensor<1x3xi64>, "
                   "tensor<1x3xf32>")
                      .str(),
                  {x, indices, updates});
  };
  EXPECT_THAT(scatter("replace"), same({1, -3, 3, 0.5}));
  EXPECT_THAT(scatter("add"), same({1, 9, 3, 4.5}));
  EXPECT_THAT(scatter("mul"), same({1, -60, 3, 2}));
  EXPECT_THAT(scatter("max"), same({1, 10, 3, 4}));
  EXPECT_THAT(scatter("min"), same({1, -3, 3, 0.5}));
  EXPECT_EQ(x.getDouble(1), 2) << "the operand was written";
}

TEST_F(IndexingReference, ScatterNd) {
  HostTensor x = counting("i64", {3, 2});
  HostTensor indices = tensor("i64", {2, 1}, {2, -3});
  HostTensor updates = tensor("i64", {2, 2}, {10, 20, 30, 40});
  StringRef types = ": tensor<3x2xi64>, tensor<2x1xi64>, tensor<2x2xi64>";
  EXPECT_THAT(values(("tx.scatter_nd replace %0, %1, %2" + types).str(),
                     {x, indices, updates}),
              same({30, 40, 2, 3, 10, 20}));
  EXPECT_THAT(values(("tx.scatter_nd add %0, %1, %2" + types).str(),
                     {x, indices, updates}),
              same({30, 41, 2, 3, 14, 25}));
  HostTensor narrow = counting("i64", {2, 1});
  EXPECT_THAT(fault("tx.scatter_nd add %0, %1, %2 : tensor<3x2xi64>, "
                    "tensor<2x1xi64>, tensor<2x1xi64>",
                    {x, indices, narrow}),
              HasSubstr("do not fit"));
  indices.setInt(0, 3);
  EXPECT_THAT(fault(("tx.scatter_nd replace %0, %1, %2" + types).str(),
                    {x, indices, updates}),
              HasSubstr("index 3 is outside"));
}
