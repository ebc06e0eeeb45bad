//===- AccuracyTest.cpp - how much two results may differ ----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/txc/Accuracy.h"
#include "mlir/IR/Builders.h"
#include "runtime/txc.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace txc;
using namespace txc::tool;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

run::Array makeFloats(std::vector<float> values) {
  run::Array array;
  array.type = TXC_FLOAT32;
  array.dims = {static_cast<int64_t>(values.size())};
  const char *bytes = reinterpret_cast<const char *>(values.data());
  array.data.assign(bytes, bytes + values.size() * sizeof(float));
  return array;
}

run::Array makeInts(std::vector<int64_t> values) {
  run::Array array;
  array.type = TXC_INT64;
  array.dims = {static_cast<int64_t>(values.size())};
  const char *bytes = reinterpret_cast<const char *>(values.data());
  array.data.assign(bytes, bytes + values.size() * sizeof(int64_t));
  return array;
}

TEST(Accuracy, MeasuresTheLargestError) {
  run::Array expected = makeFloats({3, 4, -5});
  Difference difference =
      compare(makeFloats({3, 4.5, -5.25}), expected, expected);
  EXPECT_DOUBLE_EQ(difference.largest, 0.5);
  EXPECT_DOUBLE_EQ(difference.rms, std::sqrt(50.0 / 3));
  EXPECT_FALSE(difference.isTolerable());
}

TEST(Accuracy, ToleratesRounding) {
  run::Array expected = makeFloats({1, 2});
  EXPECT_TRUE(
      compare(makeFloats({1 + 0x1p-22f, 2 - 0x1p-22f}), expected, expected)
          .isTolerable());
  EXPECT_FALSE(
      compare(makeFloats({1 + 0x1p-18f, 2}), expected, expected).isTolerable());
}

TEST(Accuracy, ToleratesWhatPerturbationMoves) {
  run::Array expected = makeFloats({1, 2});
  run::Array moved = makeFloats({1.001F, 2});
  EXPECT_TRUE(compare(makeFloats({1, 2.03F}), expected, moved).isTolerable());
  EXPECT_FALSE(compare(makeFloats({1, 2.04F}), expected, moved).isTolerable());
}

TEST(Accuracy, TakesSpecialsForEqualOnlyToThemselves) {
  run::Array expected = makeFloats({kNan, kInfinity, 1});
  EXPECT_EQ(compare(expected, expected, expected).largest, 0);
  for (const run::Array &found :
       {makeFloats({1, kInfinity, 1}), makeFloats({kNan, -kInfinity, 1}),
        makeFloats({kNan, kNan, 1}), makeFloats({kNan, kInfinity, kNan})})
    EXPECT_FALSE(compare(found, expected, expected).isTolerable());
  // A perturbed NaN does not make everything tolerable.
  EXPECT_FALSE(compare(makeFloats({2}), makeFloats({1}), makeFloats({kNan}))
                   .isTolerable());
}

TEST(Accuracy, WantsEqualIntegersAndShapes) {
  run::Array expected = makeInts({7, 8});
  EXPECT_TRUE(compare(makeInts({7, 8}), expected, expected).isTolerable());
  EXPECT_FALSE(
      compare(makeInts({7, 9}), expected, makeInts({7, 9})).isTolerable());
  EXPECT_FALSE(compare(makeInts({7, 8, 9}), expected, expected).isTolerable());
  EXPECT_FALSE(compare(makeFloats({7, 8}), expected, expected).isTolerable());
}

TEST(Accuracy, ComparesDirectionsOfNarrowResults) {
  using txc::kernel::Precision;
  run::Array expected = makeFloats({3, 4});
  // cos = (3 · 4 + 4 · 3) / 25
  Difference turned = compare(makeFloats({4, 3}), expected, expected);
  EXPECT_DOUBLE_EQ(turned.cosine, 0.96);
  EXPECT_FALSE(turned.isTolerable(Precision::int8));
  Difference close = compare(makeFloats({3.2F, 3.85F}), expected, expected);
  EXPECT_TRUE(close.isTolerable(Precision::int8));
  EXPECT_FALSE(close.isTolerable(Precision::bf16));
  EXPECT_FALSE(compare(makeFloats({kNan, 4}), expected, expected)
                   .isTolerable(Precision::int8));
  EXPECT_TRUE(compare(makeFloats({0}), makeFloats({0}), makeFloats({0}))
                  .isTolerable(Precision::bf16));
}

TEST(Accuracy, PerturbsByOneUnit) {
  mlir::MLIRContext context;
  mlir::Builder b(&context);
  for (mlir::FloatType type :
       {mlir::FloatType(b.getF32Type()), mlir::FloatType(b.getF16Type()),
        mlir::FloatType(b.getBF16Type()), mlir::FloatType(b.getF64Type())}) {
    HostTensor tensor = llvm::cantFail(HostTensor::allocate(type, {3000}));
    for (int64_t i = 0; i < 3000; ++i)
      tensor.setDouble(i, 1 + i / 3500.0);
    HostTensor moved = llvm::cantFail(perturb(tensor, /*seed=*/1));
    double unit =
        std::ldexp(1.0, 1 - static_cast<int>(type.getFPMantissaWidth()));
    int64_t counts[3] = {};
    for (int64_t i = 0; i < 3000; ++i) {
      double units = (moved.getDouble(i) - tensor.getDouble(i)) / unit;
      ASSERT_LE(std::abs(units), 1) << tensor.getDouble(i);
      ++counts[units < 0 ? 0 : units > 0 ? 2 : 1];
    }
    for (int64_t count : counts)
      EXPECT_GT(count, 800);
  }
}

TEST(Accuracy, LeavesIntegersAndZeroAlone) {
  mlir::MLIRContext context;
  mlir::Builder b(&context);
  HostTensor ints =
      llvm::cantFail(HostTensor::allocate(b.getIntegerType(64), {100}));
  for (int64_t i = 0; i < 100; ++i)
    ints.setInt(i, 1000 + i);
  ints = llvm::cantFail(perturb(ints, 1));
  for (int64_t i = 0; i < 100; ++i)
    EXPECT_EQ(ints.getInt(i), 1000 + i);
  HostTensor zeros =
      llvm::cantFail(HostTensor::allocate(b.getF32Type(), {100}));
  zeros = llvm::cantFail(perturb(zeros, 1));
  for (int64_t i = 0; i < 100; ++i)
    EXPECT_EQ(zeros.getDouble(i), 0);
}

} // namespace
