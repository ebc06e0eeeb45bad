//===- MovementReferenceTest.cpp - data movement --------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Expected numbers: by hand, padding by numpy.pad.
//
//===----------------------------------------------------------------------===//

#include "test/unit/reference/ReferenceTesting.h"

using namespace mlir;
using namespace txc;
using namespace txc::test;

using MovementReference = ReferenceTest;

TEST_F(MovementReference, ReshapeSharesTheBytes) {
  HostTensor x = counting("f32", {2, 3});
  HostTensor y = run("tx.reshape %0 : tensor<2x3xf32> to tensor<3x2xf32>", {x});
  EXPECT_THAT(y.getDims(), ::testing::ElementsAre(3, 2));
  EXPECT_EQ(y.getBytes().data(), x.getBytes().data());
}

TEST_F(MovementReference, Transpose) {
  HostTensor x = counting("i32", {2, 3, 2});
  EXPECT_THAT(values("tx.transpose %0 [2, 0, 1] : tensor<2x3x2xi32>", {x}),
              same({0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11}));
}

TEST_F(MovementReference, TransposeOfEveryElementSizeAcrossTiles) {
  // More than one tile of 64 in both dims, and a rest.
  for (StringRef type : {"i8", "f16", "f32", "f64"}) {
    HostTensor x = counting(type, {70, 2, 130});
    HostTensor y =
        run(("tx.transpose %0 [2, 1, 0] : tensor<70x2x130x" + type + ">").str(),
            {x});
    for (int64_t i = 0; i < 130; ++i)
      for (int64_t j = 0; j < 2; ++j)
        for (int64_t k = 0; k < 70; ++k)
          ASSERT_EQ(y.getDouble((i * 2 + j) * 70 + k),
                    x.getDouble((k * 2 + j) * 130 + i))
              << type.str();
  }
}

TEST_F(MovementReference, Broadcast) {
  HostTensor x = tensor("f16", {2, 1}, {1, 2});
  EXPECT_THAT(
      values("tx.broadcast %0 : tensor<2x1xf16> to tensor<2x2x3xf16>", {x}),
      same({1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2}));
}

TEST_F(MovementReference, SliceWithSteps) {
  HostTensor x = counting("f32", {4, 5});
  EXPECT_THAT(values("tx.slice %0 [#tx.expr<3>, #tx.expr<0>] [-2, 3] : "
                     "tensor<4x5xf32> to tensor<2x2xf32>",
                     {x}),
              same({15, 18, 5, 8}));
  EXPECT_THAT(fault("tx.slice %0 [#tx.expr<3>, #tx.expr<0>] [1, 1] : "
                    "tensor<4x5xf32> to tensor<2x5xf32>",
                    {x}),
              ::testing::HasSubstr("elements 3 to 4 are outside dim 0"));
}

TEST_F(MovementReference, SliceTakesSymbolicStarts) {
  HostTensor x = counting("f32", {4});
  symbols[StringAttr::get(&context, "P")] = 2;
  EXPECT_THAT(values("tx.slice %0 [#tx.expr<P>] [1] : tensor<4xf32> to "
                     "tensor<2xf32>",
                     {x}),
              same({2, 3}));
  EXPECT_THAT(fault("tx.slice %0 [#tx.expr<Q>] [1] : tensor<4xf32> to "
                    "tensor<2xf32>",
                    {x}),
              ::testing::HasSubstr("the symbol \"Q\" of Q has no value"));
}

TEST_F(MovementReference, Concat) {
  HostTensor x = counting("i8", {2, 2}), y = counting("i8", {2, 1});
  HostTensor empty = counting("i8", {2, 0});
  EXPECT_THAT(values("tx.concat %0, %1, %2 1 : tensor<2x2xi8>, tensor<2x0xi8>, "
                     "tensor<2x1xi8>",
                     {x, empty, y}),
              same({0, 1, 0, 2, 3, 1}));
}

TEST_F(MovementReference, PadConstant) {
  HostTensor x = counting("f32", {2, 2}), value = tensor("f32", {}, {9});
  EXPECT_THAT(
      values("tx.pad constant %0, %1 : tensor<f32> [#tx.expr<1>, #tx.expr<-1>] "
             "[#tx.expr<0>, #tx.expr<1>] : tensor<2x2xf32>",
             {x, value}),
      same({9, 9, 1, 9, 3, 9}));
  EXPECT_THAT(values("tx.pad constant %0 [#tx.expr<0>, #tx.expr<1>] "
                     "[#tx.expr<0>, #tx.expr<0>] : tensor<2x2xf32>",
                     {x}),
              same({0, 0, 1, 0, 2, 3}));
}

TEST_F(MovementReference, PadModes) {
  HostTensor x = counting("f32", {3});
  auto pad = [&](StringRef mode) {
    return values(
        ("tx.pad " + mode + " %0 [#tx.expr<5>] [#tx.expr<4>] : tensor<3xf32>")
            .str(),
        {x});
  };
  EXPECT_THAT(pad("reflect"), same({1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2}));
  EXPECT_THAT(pad("edge"), same({0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2}));
  EXPECT_THAT(pad("wrap"), same({1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0}));
  HostTensor one = tensor("f32", {1}, {7}), none = tensor("f32", {0}, {});
  StringRef amounts = " [#tx.expr<1>] [#tx.expr<1>] : ";
  EXPECT_THAT(
      values(("tx.pad reflect %0" + amounts + "tensor<1xf32>").str(), {one}),
      same({7, 7, 7}));
  EXPECT_THAT(
      fault(("tx.pad edge %0" + amounts + "tensor<0xf32>").str(), {none}),
      ::testing::HasSubstr("no element to pad with"));
}

TEST_F(MovementReference, Constants) {
  symbols[StringAttr::get(&context, "S")] = 7;
  EXPECT_THAT(values("tx.constant dense<[1.5, 2.0]> : tensor<2xf32>", {}),
              same({1.5, 2}));
  EXPECT_THAT(
      values("tx.symbolic #tx.exprs<[S, S * S + 2] : tensor<2xi64>>", {}),
      same({7, 51}));
  EXPECT_THAT(values("tx.iota : tensor<3xf16>", {}), same({0, 1, 2}));
}
