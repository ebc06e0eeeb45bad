//===- ReductionReferenceTest.cpp - reductions and scans ------------------===//
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
using ::testing::HasSubstr;

using ReductionReference = ReferenceTest;

TEST_F(ReductionReference, Kinds) {
  HostTensor x = counting("f32", {2, 3, 2});
  StringRef type = " : tensor<2x3x2xf32>";
  auto reduce = [&](StringRef arguments) {
    return values(("tx.reduce " + arguments + type).str(), {x});
  };
  EXPECT_THAT(reduce("sum %0 [0, 2]"), same({14, 22, 30}));
  EXPECT_THAT(reduce("mean %0 [1]"), same({2, 3, 8, 9}));
  EXPECT_THAT(reduce("max %0 [1, 2]"), same({5, 11}));
  EXPECT_THAT(reduce("min %0 [0, 1, 2]"), same({0}));
  EXPECT_THAT(reduce("prod %0 [0]"), same({0, 7, 16, 27, 40, 55}));
  HostTensor y = run("tx.reduce sum %0 [0, 2] : tensor<2x3x2xf32>", {x});
  EXPECT_THAT(y.getDims(), ::testing::ElementsAre(1, 3, 1));
}

TEST_F(ReductionReference, SumsAreExactBeforeTheOnlyRounding) {
  // In f32 one of the ones would be lost at each step.
  HostTensor x = vector("f32", {16777216, 1, 1, 1, 1});
  EXPECT_THAT(values("tx.reduce sum %0 [0] : tensor<5xf32>", {x}),
              same({16777220}));
}

TEST_F(ReductionReference, NanAndEmpty) {
  HostTensor x = vector("f32", {1, kNan, 2});
  EXPECT_THAT(values("tx.reduce max %0 [0] : tensor<3xf32>", {x}),
              same({kNan}));
  EXPECT_THAT(values("tx.reduce min %0 [0] : tensor<3xf32>", {x}),
              same({kNan}));
  HostTensor empty = tensor("f32", {2, 0}, {});
  auto reduce = [&](StringRef kind) {
    return values(("tx.reduce " + kind + " %0 [1] : tensor<2x0xf32>").str(),
                  {empty});
  };
  EXPECT_THAT(reduce("sum"), same({0, 0}));
  EXPECT_THAT(reduce("prod"), same({1, 1}));
  EXPECT_THAT(reduce("max"), same({-kInf, -kInf}));
  EXPECT_THAT(reduce("min"), same({kInf, kInf}));
  EXPECT_THAT(reduce("mean"), same({kNan, kNan}));
  HostTensor none = tensor("i8", {0}, {});
  EXPECT_THAT(values("tx.reduce max %0 [0] : tensor<0xi8>", {none}),
              same({-128}));
  EXPECT_THAT(fault("tx.reduce mean %0 [0] : tensor<0xi8>", {none}),
              HasSubstr("the mean of no integers"));
}

TEST_F(ReductionReference, Integers) {
  HostTensor x = vector("i8", {100, 100, -1});
  EXPECT_THAT(values("tx.reduce sum %0 [0] : tensor<3xi8>", {x}), same({-57}));
  EXPECT_THAT(values("tx.reduce mean %0 [0] : tensor<3xi8>", {x}), same({66}));
  HostTensor y = vector("i1", {0, 1, 0});
  EXPECT_THAT(values("tx.reduce max %0 [0] : tensor<3xi1>", {y}), same({1}));
  EXPECT_THAT(values("tx.reduce min %0 [0] : tensor<3xi1>", {y}), same({0}));
}

TEST_F(ReductionReference, ArgReduce) {
  HostTensor x = tensor("f32", {2, 4}, {3, 1, 3, 1, 5, kNan, 7, kNan});
  auto find = [&](StringRef kind, StringRef attributes) {
    return values(
        ("tx.arg_reduce " + kind + " %0 1 " + attributes + " : tensor<2x4xf32>")
            .str(),
        {x});
  };
  EXPECT_THAT(find("max", ""), same({0, 1}));
  EXPECT_THAT(find("max", "{last}"), same({2, 3}));
  EXPECT_THAT(find("min", ""), same({1, 1}));
  EXPECT_THAT(find("min", "{last}"), same({3, 3}));
  HostTensor y = tensor("ui8", {3, 1}, {1, 255, 2});
  EXPECT_THAT(values("tx.arg_reduce max %0 0 : tensor<3x1xui8>", {y}),
              same({1}));
}

TEST_F(ReductionReference, Cumsum) {
  HostTensor x = counting("f32", {2, 3});
  auto sum = [&](StringRef attributes) {
    return values(("tx.cumsum %0 1 " + attributes + " : tensor<2x3xf32>").str(),
                  {x});
  };
  EXPECT_THAT(sum(""), same({0, 1, 3, 3, 7, 12}));
  EXPECT_THAT(sum("{exclusive}"), same({0, 0, 1, 0, 3, 7}));
  EXPECT_THAT(sum("{reverse}"), same({3, 3, 2, 12, 9, 5}));
  EXPECT_THAT(sum("{exclusive, reverse}"), same({3, 2, 0, 9, 5, 0}));
  EXPECT_THAT(values("tx.cumsum %0 0 : tensor<2x3xf32>", {x}),
              same({0, 1, 2, 3, 5, 7}));
}

TEST_F(ReductionReference, Topk) {
  HostTensor x = tensor("f32", {2, 4}, {3, 1, 3, 2, 0, 5, 5, -1});
  StringRef types = " : tensor<2x4xf32> to tensor<2x3xf32>, tensor<2x3xi64>";
  auto top = runAll(("tx.topk %0 1" + types).str(), {x}, 2);
  ASSERT_EQ(top.size(), 2u) << errors;
  EXPECT_THAT(toDoubles(top[0]), same({3, 3, 2, 5, 5, 0}));
  EXPECT_THAT(toDoubles(top[1]), same({0, 2, 3, 1, 2, 0}));
  auto least = runAll(("tx.topk %0 1 {smallest}" + types).str(), {x}, 2);
  ASSERT_EQ(least.size(), 2u) << errors;
  EXPECT_THAT(toDoubles(least[0]), same({1, 2, 3, -1, 0, 5}));
  EXPECT_THAT(toDoubles(least[1]), same({1, 3, 0, 3, 0, 1}));
  EXPECT_TRUE(runAll("tx.topk %0 0 : tensor<2x4xf32> to tensor<3x4xf32>, "
                     "tensor<3x4xi64>",
                     {x}, 2)
                  .empty());
  EXPECT_THAT(errors, HasSubstr("cannot take 3 of 2 elements"));
}

TEST_F(ReductionReference, TopkAlongAnOuterAxis) {
  HostTensor x = tensor("i32", {3, 2}, {1, 6, 5, 2, 3, 4});
  auto top = runAll("tx.topk %0 0 : tensor<3x2xi32> to tensor<2x2xi32>, "
                    "tensor<2x2xi64>",
                    {x}, 2);
  ASSERT_EQ(top.size(), 2u) << errors;
  EXPECT_THAT(toDoubles(top[0]), same({5, 6, 3, 4}));
  EXPECT_THAT(toDoubles(top[1]), same({1, 0, 2, 2}));
}

TEST_F(ReductionReference, NonzeroListsThePlacesOfTrueElements) {
  HostTensor x = tensor("i1", {2, 3}, {1, 0, 1, 0, 0, 1});
  auto places =
      runAll("tx.nonzero %0 : tensor<2x3xi1> to tensor<2x3xi64>", {x}, 1);
  ASSERT_EQ(places.size(), 1u) << errors;
  EXPECT_THAT(toDoubles(places[0]), same({0, 0, 1, 0, 2, 2}));
  EXPECT_TRUE(
      runAll("tx.nonzero %0 : tensor<2x3xi1> to tensor<2x4xi64>", {x}, 1)
          .empty());
  EXPECT_THAT(errors, HasSubstr("there are 3"));
}

TEST_F(ReductionReference, TopkOfUnsignedIntegers) {
  HostTensor x = counting("ui64", {3});
  x.setInt(1, -1); // 2^64 - 1
  auto top = runAll(
      "tx.topk %0 0 : tensor<3xui64> to tensor<2xui64>, tensor<2xi64>", {x}, 2);
  ASSERT_EQ(top.size(), 2u) << errors;
  EXPECT_THAT(toDoubles(top[1]), same({1, 2}));
}
