//===- AttentionReferenceTest.cpp - attention and rotary embedding --------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Expected numbers: the formulas in NumPy in f64, the unmasked and causal ones
/// also by ONNX Runtime.
//
//===----------------------------------------------------------------------===//

#include "test/unit/reference/ReferenceTesting.h"

using namespace mlir;
using namespace txc;
using namespace txc::test;
using ::testing::HasSubstr;

namespace {
class AttentionReference : public ReferenceTest {
protected:
  /// Four query heads over two key heads, two queries, three keys.
  std::vector<double> attend(StringRef operands, StringRef attributes,
                             ArrayRef<HostTensor> more = {}) {
    SmallVector<HostTensor> inputs = {
        tensor("f64", {1, 4, 2, 3},
               {0.5,  1, 0.5,  -1.5, 1, 0.5,  -0.5, 0.5,  0.5, 0.5,  0,   0.5,
                -0.5, 0, -0.5, 0.5,  0, -0.5, -1,   -0.5, 0,   -0.5, 1.5, 1}),
        tensor("f64", {1, 2, 3, 3},
               {-2.5, -2, 0, -0.5, 0, 0, 2, -1, -0.5, 2, 0.5, 0.5, -0.5, -1.5,
                0, 0, -1, -0.5}),
        tensor("f64", {1, 2, 3, 2},
               {0, -1, 0, 0, 0, -0.5, 0.5, 1, 0.25, -0.75, 0.75, -0.5})};
    llvm::append_range(inputs, more);
    return values(("tx.attention %0, %1, %2 " + operands + " {" + attributes +
                   "} : tensor<1x4x2x3xf64>, tensor<1x2x3x3xf64>, "
                   "tensor<1x2x3x2xf64>")
                      .str(),
                  inputs);
  }
};

constexpr StringLiteral kPlain =
    "scale = 0.5, masked_row = #tx<masked_row nan>";
} // namespace

TEST_F(AttentionReference, GroupedHeads) {
  EXPECT_THAT(attend("", kPlain),
              nearF32({0, -0.325275673513, 0, -0.618778339933, 0, -0.5, 0,
                       -0.439563918754, 0.5, -0.31452999815, 0.518055155802,
                       0.0652746242669, 0.45799300133, -0.49427159967, 0.5,
                       0.360263528772}));
}

TEST_F(AttentionReference, CausalWithAnOffsetAndAWindow) {
  symbols[StringAttr::get(&context, "P")] = 1;
  EXPECT_THAT(attend("", (kPlain + ", causal = #tx.expr<P>").str()),
              nearF32({0, -0.182425523806, 0, -0.618778339933, 0, -0.5, 0,
                       -0.439563918754, 0.330205325206, -0.188562723557,
                       0.518055155802, 0.0652746242669, 0.287011799508,
                       -0.490917403445, 0.5, 0.360263528772}));
  // One key a query is left: the one at s + 1.
  EXPECT_THAT(attend("", (kPlain + ", causal = #tx.expr<P>, window = 1").str()),
              nearF32({0, 0, 0, -0.5, 0, 0, 0, -0.5, 0.25, -0.75, 0.75, -0.5,
                       0.25, -0.75, 0.75, -0.5}));
}

TEST_F(AttentionReference, FloatMask) {
  HostTensor mask = tensor("f64", {2, 3}, {0, -1.5, 0.5, 2, -kInf, 1});
  EXPECT_THAT(attend("mask %3 : tensor<2x3xf64>", kPlain, mask),
              nearF32({0, -0.5, 0, -0.991006895019, 0, -0.712298867478, 0,
                       -0.75, 0.652032694968, -0.221541557294, 0.555675034706,
                       0.665949791762, 0.648690691858, -0.366097164933,
                       0.526672648486, 0.839964109082}));
  // One for each head, the same for all queries.
  HostTensor heads =
      tensor("f64", {4, 1, 3}, {0, 0, 0, 0, 0, 0, -1, 0, 1, 0, 0, 0});
  EXPECT_THAT(attend("mask %3 : tensor<4x1x3xf64>", kPlain, heads),
              nearF32({0, -0.325275673513, 0, -0.618778339933, 0, -0.5, 0,
                       -0.439563918754, 0.61037109494, -0.497260852413,
                       0.622150515419, -0.370548881702, 0.45799300133,
                       -0.49427159967, 0.5, 0.360263528772}));
}

TEST_F(AttentionReference, FullyMaskedRows) {
  HostTensor mask = tensor("i1", {2, 3}, {1, 0, 1, 0, 0, 0});
  auto masked = [&](StringRef row) {
    return attend(
        "mask %3 : tensor<2x3xi1>",
        ("scale = 0.5, masked_row = #tx<masked_row " + row + ">").str(), mask);
  };
  EXPECT_THAT(masked("nan"),
              nearF32({0, -0.591212761903, kNan, kNan, 0, -0.865529289315, kNan,
                       kNan, 0.669794674794, -0.0187680487631, kNan, kNan,
                       0.699546694435, -0.197280166609, kNan, kNan}));
  EXPECT_THAT(masked("uniform"),
              nearF32({0, -0.591212761903, 0, -0.5, 0, -0.865529289315, 0, -0.5,
                       0.669794674794, -0.0187680487631, 0.5, -0.25 / 3,
                       0.699546694435, -0.197280166609, 0.5, -0.25 / 3}));
  EXPECT_THAT(masked("zero"),
              nearF32({0, -0.591212761903, 0, 0, 0, -0.865529289315, 0, 0,
                       0.669794674794, -0.0187680487631, 0, 0, 0.699546694435,
                       -0.197280166609, 0, 0}));
}

TEST_F(AttentionReference, Lengths) {
  HostTensor lengths = vector("i64", {2});
  EXPECT_THAT(attend("lengths %3 : tensor<1xi64>", kPlain, lengths),
              nearF32({0, -0.182425523806, 0, -0.622459331202, 0, -0.5, 0,
                       -0.377540668798, 0.330205325206, -0.188562723557,
                       0.4056148328, 0.339303829603, 0.287011799508,
                       -0.490917403445, 0.438728746717, 0.571101227018}));
}

TEST_F(AttentionReference, Softcap) {
  EXPECT_THAT(attend("", "scale = 2.0, softcap = 1.5, "
                         "masked_row = #tx<masked_row nan>"),
              nearF32({0, -0.364837628336, 0, -0.579314724841, 0, -0.5, 0,
                       -0.453744080842, 0.5, -0.509694846672, 0.546653029102,
                       0.346530210191, 0.438289591334, -0.601035284407, 0.5,
                       0.645014781304}));
}

TEST_F(AttentionReference, Sequences) {
  HostTensor q = tensor("f64", {1, 1, 3, 2}, {1, 0.5, -0.5, 2, 1.5, -1});
  HostTensor k = tensor("f64", {1, 1, 3, 2}, {0.5, 1, 1, -1.5, 2, 0.5});
  HostTensor v = tensor("f64", {1, 1, 3, 2}, {1, -2, 0.5, 3, -1, 0.25});
  auto getText = [](StringRef starts, StringRef span, StringRef more) {
    return ("tx.attention %0, %1, %2 starts %3 : " + starts + " span <" + span +
            "> {scale = 0.5, " + more +
            "masked_row = #tx<masked_row nan>} : tensor<1x1x3x2xf64>, "
            "tensor<1x1x3x2xf64>, tensor<1x1x3x2xf64>")
        .str();
  };
  HostTensor two = vector("i64", {0, 1, 3});
  EXPECT_THAT(values(getText("tensor<3xi64>", "2", ""), {q, k, v, two}),
              nearF32({1, -2, -0.777929202952, 0.657129794587, -0.156735248671,
                       1.79598537744}));
  EXPECT_THAT(values(getText("tensor<3xi64>", "2", "causal = #tx.expr<0>, "),
                     {q, k, v, two}),
              nearF32({1, -2, 0.5, 3, -0.156735248671, 1.79598537744}));
  HostTensor one = vector("i64", {0, 0, 3, 3});
  EXPECT_THAT(values(getText("tensor<4xi64>", "5", "causal = #tx.expr<0>, "),
                     {q, k, v, one}),
              nearF32({1, -2, 0.96622665443, -1.6622665443, -0.0414478875831,
                       1.4176540891}));
  EXPECT_THAT(fault(getText("tensor<4xi64>", "2", ""), {q, k, v, one}),
              HasSubstr("rows from 0 up to 3, at most 2"));
  EXPECT_THAT(fault(getText("tensor<2xi64>", "2", ""),
                    {q, k, v, vector("i64", {0, 2})}),
              HasSubstr("don't have all rows"));
}

TEST_F(AttentionReference, NoKeysGiveZero) {
  HostTensor q = counting("f32", {1, 1, 1, 2});
  HostTensor empty = tensor("f32", {1, 1, 0, 2}, {});
  EXPECT_THAT(values("tx.attention %0, %1, %2 {scale = 1.0, "
                     "masked_row = #tx<masked_row nan>} : tensor<1x1x1x2xf32>, "
                     "tensor<1x1x0x2xf32>, tensor<1x1x0x2xf32>",
                     {q, empty, empty}),
              same({0, 0}));
}

TEST_F(AttentionReference, RotaryEmbedding) {
  HostTensor x =
      tensor("f32", {1, 1, 2, 6},
             {1, -1, 1, 0, -1.25, -0.25, 0, 0.25, -1, -1, 0.25, -0.5});
  HostTensor cos =
      tensor("f32", {1, 2, 2},
             {0.955336511135, 0.453596115112, -0.416146844625, 0.7648422122});
  HostTensor sin =
      tensor("f32", {1, 2, 2},
             {0.295520216227, 0.891207337379, 0.909297406673, -0.644217669964});
  auto rotate = [&](StringRef attributes) {
    return values(("tx.rotary_embedding %0, %1, %2 " + attributes +
                   " : tensor<1x1x2x6xf32>, tensor<1x2x2xf32>, "
                   "tensor<1x2x2xf32>")
                      .str(),
                  {x, cos, sin});
  };
  EXPECT_THAT(
      rotate(""),
      nearF32({0.659816294909, -0.453596115112, 1.25085672736, -0.891207337379,
               -1.25, -0.25, 0.909297406673, -0.453007116914, 0.416146844625,
               -0.925896629691, 0.25, -0.5}));
  EXPECT_THAT(
      rotate("{interleaved}"),
      nearF32({1.25085672736, -0.659816294909, 0.453596115112, 0.891207337379,
               -1.25, -0.25, -0.227324351668, -0.104036711156, -1.40905988216,
               -0.120624542236, 0.25, -0.5}));
  HostTensor wide = counting("f32", {4});
  EXPECT_THAT(fault("tx.rotary_embedding %0, %1, %2 : tensor<1x1x2x6xf32>, "
                    "tensor<4xf32>, tensor<4xf32>",
                    {x, wide, wide}),
              HasSubstr("do not fit"));
}
