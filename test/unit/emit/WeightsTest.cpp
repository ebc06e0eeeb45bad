//===- WeightsTest.cpp - Planning and writing of weights ----------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Offsets, deduplication and streaming of a WeightsImage.
///
//===----------------------------------------------------------------------===//

#include "compiler/emit/Weights.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cstring>
#include <string>

using llvm::Error;
using txc::WeightsImage;

namespace {

WeightsImage::Producer fillWith(char value, int *calls = nullptr) {
  return [=](llvm::MutableArrayRef<char> bytes) {
    if (calls)
      ++*calls;
    std::memset(bytes.data(), value, bytes.size());
    return Error::success();
  };
}

std::string writeAll(WeightsImage &weights) {
  std::string image;
  llvm::cantFail(weights.write([&](llvm::ArrayRef<char> bytes) {
    EXPECT_EQ(bytes.size() % WeightsImage::alignment, 0u);
    image.append(bytes.begin(), bytes.end());
    return Error::success();
  }));
  return image;
}

TEST(WeightsImage, PlansOffsetsBeforeBytes) {
  WeightsImage weights;
  int calls = 0;
  EXPECT_TRUE(weights.empty());
  EXPECT_EQ(weights.add(13, "", fillWith('a', &calls)), 0u);
  EXPECT_EQ(weights.add(64, "", fillWith('b', &calls)), 64u);
  EXPECT_EQ(weights.add(1, "", fillWith('c', &calls)), 128u);
  EXPECT_EQ(weights.add(1 << 16, "", fillWith('d', &calls)), 4096u);
  EXPECT_EQ(weights.getSize(), 4096u + (1 << 16));
  EXPECT_EQ(weights.getNumEntries(), 4u);
  EXPECT_EQ(calls, 0);
}

TEST(WeightsImage, WritesEntriesAndZerosBetween) {
  WeightsImage weights;
  weights.add(13, "", fillWith('a'));
  weights.add(1 << 16, "", fillWith('d'));
  weights.add(3, "", fillWith('e'));
  std::string image = writeAll(weights);
  std::string expected = std::string(13, 'a') + std::string(4096 - 13, '\0') +
                         std::string(1 << 16, 'd') + "eee" +
                         std::string(61, '\0');
  EXPECT_EQ(image.size(), weights.getSize());
  EXPECT_EQ(image, expected);
}

TEST(WeightsImage, StoresEqualKeysOnce) {
  WeightsImage weights;
  int calls = 0;
  uint64_t first = weights.add(100, "tied", fillWith('x', &calls));
  uint64_t other = weights.add(100, "other", fillWith('y', &calls));
  EXPECT_EQ(weights.add(100, "tied", fillWith('z', &calls)), first);
  EXPECT_NE(first, other);
  EXPECT_EQ(weights.getNumEntries(), 2u);
  std::string image = writeAll(weights);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(image[first], 'x');
  EXPECT_EQ(image.find('z'), std::string::npos);
}

TEST(WeightsImage, PlansBeyond4GiB) {
  WeightsImage weights;
  uint64_t large = (uint64_t(3) << 30) + 5;
  EXPECT_EQ(weights.add(large, "", fillWith('a')), 0u);
  uint64_t second = weights.add(large, "", fillWith('b'));
  EXPECT_EQ(second, (uint64_t(3) << 30) + 4096);
  EXPECT_EQ(weights.add(8, "", fillWith('c')), second + large - 5 + 64);
}

TEST(WeightsImage, StopsAtTheFirstError) {
  WeightsImage weights;
  int calls = 0;
  weights.add(8, "", fillWith('a', &calls));
  weights.add(8, "", [](llvm::MutableArrayRef<char>) -> Error {
    return llvm::createStringError("tensor \"w\" is truncated");
  });
  weights.add(8, "", fillWith('c', &calls));
  Error error =
      weights.write([](llvm::ArrayRef<char>) { return Error::success(); });
  EXPECT_EQ(llvm::toString(std::move(error)), "tensor \"w\" is truncated");
  EXPECT_EQ(calls, 1);
}

TEST(WeightsImage, PassesOnErrorsOfTheSink) {
  WeightsImage weights;
  weights.add(8, "", fillWith('a'));
  Error error = weights.write([](llvm::ArrayRef<char>) -> Error {
    return llvm::createStringError("disk full");
  });
  EXPECT_EQ(llvm::toString(std::move(error)), "disk full");
}

} // namespace
