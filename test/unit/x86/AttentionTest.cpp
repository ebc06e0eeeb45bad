//===- AttentionTest.cpp - Attention against a reference --------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Generates, compiles and runs attention for every CPU level, and compares it
/// with the formula in double precision.
///
//===----------------------------------------------------------------------===//

#include "test/unit/x86/AttentionHarness.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>

using namespace txc;
using namespace txc::test;
using namespace txc::x86;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double epsilon = 0x1p-24;
constexpr double bf16Epsilon = 0x1p-8;

/// The score of one key, and a bound of the error that f32 makes in it.
struct Score {
  double value, error;
};

Score scoreOf(AttentionOperands &operands, int64_t b, int64_t h, int64_t s,
              int64_t t) {
  const AttentionCase &test = operands.test;
  double value = 0, magnitude = 0;
  for (int64_t d = 0; d < test.size; ++d) {
    double product =
        double(operands.at(operands.q, operands.qStrides, b, h, s, d)) *
        operands.at(operands.k, operands.kStrides, b, h / test.group, t, d) *
        test.scale;
    value += product;
    magnitude += std::abs(product);
  }
  // The scaled query rounds, then `size` products and sums: Higham,
  // section 3.1.
  double error = (test.size + 2) * epsilon * magnitude;
  if (test.type == DotType::bf16)
    error += (2 * bf16Epsilon + bf16Epsilon * bf16Epsilon) * magnitude;
  auto cap = [&] {
    if (!test.softcap)
      return;
    value = *test.softcap * std::tanh(value / *test.softcap);
    error += 8 * epsilon * std::abs(*test.softcap);
  };
  if (!test.softcapAfterMask)
    cap();
  if (test.mask == MaskKind::Boolean) {
    if (operands.maskAt(b, h, s, t) == 0)
      value = -infinity;
  } else if (test.mask != MaskKind::None) {
    double bias = operands.maskAt(b, h, s, t);
    // Huge biases absorb the score in f32, and that is what models rely on.
    value = std::abs(bias) > 1e30 ? bias : value + bias;
    if (std::abs(bias) < 1e30)
      error += epsilon * std::abs(value);
  }
  if (test.softcapAfterMask)
    cap();
  if (test.causalOffset && t > s + *test.causalOffset)
    value = -infinity;
  if (test.hasValidKeys && t >= operands.validKeys[b])
    value = -infinity;
  return {value, error};
}

/// Checks the output of one query.
void expectRow(AttentionOperands &operands, int64_t b, int64_t h, int64_t s) {
  const AttentionCase &test = operands.test;
  std::vector<double> weights(test.keys);
  double greatest = -infinity, scoreError = 0, sum = 0;
  for (int64_t t = 0; t < test.keys; ++t) {
    Score score = scoreOf(operands, b, h, s, t);
    weights[t] = score.value;
    greatest = std::max(greatest, score.value);
    scoreError = std::max(scoreError, score.error);
  }
  bool isEmpty = greatest == -infinity && test.keys > 0;
  for (double &weight : weights) {
    weight = isEmpty ? 1.0 : std::exp(weight - greatest);
    sum += weight;
  }
  for (int64_t d = 0; d < test.valueSize; ++d) {
    float got = operands.at(operands.o, operands.oStrides, b, h, s, d);
    double exact = 0, magnitude = 0;
    for (int64_t t = 0; t < test.keys; ++t) {
      // What isn't seen may be NaN.
      if (weights[t] == 0)
        continue;
      double term =
          weights[t] / sum *
          operands.at(operands.v, operands.vStrides, b, h / test.group, t, d);
      exact += term;
      magnitude += std::abs(term);
    }
    if (isEmpty && test.fullyMasked == FullyMasked::NaN) {
      ASSERT_TRUE(std::isnan(got)) << got;
      continue;
    }
    if (isEmpty && test.fullyMasked == FullyMasked::Zero) {
      ASSERT_EQ(got, 0);
      continue;
    }
    // A weight is off by twice the scores' error (its own and the maximum's)
    // and a few roundings of exp; the sums over keys round once for each.
    double relative = 2 * scoreError + 2 * (test.keys + 16) * epsilon;
    // With bf16 that is too much to be linear, and both factors round.
    if (test.type == DotType::bf16)
      relative = std::exp(relative) * std::pow(1 + bf16Epsilon, 2) - 1;
    double bound = relative * magnitude;
    ASSERT_LE(std::abs(got - exact), bound)
        << "at " << b << ", " << h << ", " << s << ", " << d << " got " << got
        << " for " << exact;
  }
}

class AttentionTest : public testing::TestWithParam<size_t> {
protected:
  using Fill = llvm::function_ref<void(AttentionOperands &)>;
  const TestCpu &cpu() const { return testCpus()[GetParam()]; }
  /// Compiles a kernel for the first of \p cases and runs all of them on it:
  /// they may differ in dims other than a head's sizes. \p fill changes the
  /// operands.
  void run(llvm::ArrayRef<AttentionCase> cases, Fill fill = nullptr);
  void runTyped(llvm::ArrayRef<AttentionCase> cases, Fill fill);

  std::mt19937 random{11}; // NOLINT(bugprone-random-generator-seed)
};

void AttentionTest::run(llvm::ArrayRef<AttentionCase> cases, Fill fill) {
  for (DotType type : {DotType::f32, DotType::bf16}) {
    if (!hasDotInstruction(type, cpu().target))
      continue;
    std::vector<AttentionCase> typed = cases;
    for (AttentionCase &test : typed)
      test.type = type;
    runTyped(typed, fill);
  }
}

void AttentionTest::runTyped(llvm::ArrayRef<AttentionCase> cases, Fill fill) {
  auto kernel = AttentionKernel::create(cases.front(), cpu());
  ASSERT_TRUE(bool(kernel)) << toString(kernel.takeError());
  if (!cpu().canRun)
    return;
  for (const AttentionCase &test : cases) {
    SCOPED_TRACE(testing::Message()
                 << cpu().name << " " << test.batch << "x" << test.heads << "/"
                 << test.group << ", " << test.queries << " queries, "
                 << test.keys << " keys, sizes " << test.size << " and "
                 << test.valueSize << ", " << getName(test.type).str());
    AttentionOperands operands(test, random);
    if (fill)
      fill(operands);
    // Two ranges, as two workers would run them.
    int64_t tasks = kernel->taskCount(test);
    kernel->run(operands, 0, tasks / 2);
    kernel->run(operands, tasks / 2, tasks);
    for (int64_t b = 0; b < test.batch; ++b)
      for (int64_t h = 0; h < test.heads; ++h)
        for (int64_t s = 0; s < test.queries; ++s) {
          expectRow(operands, b, h, s);
          if (HasFatalFailure())
            return;
        }
  }
}

TEST_P(AttentionTest, Lengths) {
  std::vector<AttentionCase> cases;
  for (int64_t queries : {1, 7, 16, 33, 64, 65, 100})
    for (int64_t keys : {1, 5, 12, 64, 253, 300})
      cases.push_back({1, 1, 1, queries, keys, 20, 20});
  cases.push_back({2, 3, 1, 9, 0, 20, 20});
  cases.push_back({2, 3, 1, 0, 9, 20, 20});
  run(cases);
}

// More blocks of queries than go through the keys together.
TEST_P(AttentionTest, ManyBlocks) {
  for (std::optional<int64_t> causalOffset :
       {std::optional<int64_t>(), std::optional<int64_t>(-7)}) {
    AttentionCase test{1, 1, 1, 301, 260, 16, 16};
    test.causalOffset = causalOffset;
    test.fullyMasked = FullyMasked::Zero;
    run(test);
  }
}

// Tasks that go through the keys together give what each gives alone.
TEST_P(AttentionTest, RangesOfTasksChangeNoBits) {
  if (!cpu().canRun)
    return;
  for (DotType type : {DotType::f32, DotType::bf16}) {
    if (!hasDotInstruction(type, cpu().target))
      continue;
    AttentionCase test{1, 2, 1, 355, 300, 24, 24};
    test.causalOffset = 100;
    test.type = type;
    auto kernel = AttentionKernel::create(test, cpu());
    ASSERT_TRUE(bool(kernel)) << toString(kernel.takeError());
    AttentionOperands operands(test, random);
    int64_t tasks = kernel->taskCount(test);
    kernel->run(operands, 0, tasks);
    std::vector<float> together(operands.o.begin(), operands.o.end());
    for (int64_t length : {1, 3, 5}) {
      for (float &x : operands.o)
        x = NAN;
      for (int64_t task = 0; task < tasks; task += length)
        kernel->run(operands, task, std::min(task + length, tasks));
      ASSERT_TRUE(
          std::equal(together.begin(), together.end(), operands.o.begin()));
    }
  }
}

TEST_P(AttentionTest, HeadSizes) {
  for (int64_t size : {1, 8, 16, 48, 64, 72, 80, 128})
    run(AttentionCase{1, 2, 1, 10, 30, size, size});
  run(AttentionCase{1, 1, 1, 10, 30, 24, 40});
  run(AttentionCase{1, 1, 1, 10, 30, 256, 256});
}

TEST_P(AttentionTest, LayoutsAndGroups) {
  for (HeadLayout layout : {HeadLayout::HeadMajor, HeadLayout::SequenceMajor,
                            HeadLayout::ElementMajor}) {
    AttentionCase test{2, 6, 3, 40, 270, 20, 24};
    test.layout = layout;
    run(test);
  }
}

TEST_P(AttentionTest, Causal) {
  for (int64_t offset : {0, 3, 200, -5}) {
    for (FullyMasked fullyMasked :
         {FullyMasked::NaN, FullyMasked::Zero, FullyMasked::Uniform}) {
      AttentionCase test{1, 2, 1, 70, 300, 16, 20};
      test.causalOffset = offset;
      test.fullyMasked = fullyMasked;
      AttentionCase shorter = test, fewer = test;
      shorter.keys = 21;
      fewer.queries = 3;
      run({test, shorter, fewer});
    }
  }
}

TEST_P(AttentionTest, ValidKeys) {
  AttentionCase test{4, 2, 1, 20, 300, 16, 16};
  test.hasValidKeys = true;
  test.fullyMasked = FullyMasked::Zero;
  AttentionCase fewer = test;
  fewer.queries = 2;
  run({test, fewer}, [](AttentionOperands &operands) {
    operands.validKeys[0] = 17;
    operands.validKeys[1] = 299;
    operands.validKeys[2] = 0;
    // What lies behind is not looked at.
    for (int64_t t = 17; t < 300; ++t)
      for (int64_t d = 0; d < 16; ++d) {
        operands.at(operands.k, operands.kStrides, 0, 0, t, d) = NAN;
        operands.at(operands.v, operands.vStrides, 0, 1, t, d) = NAN;
      }
  });
}

TEST_P(AttentionTest, AdditiveMasks) {
  for (MaskKind kind : {MaskKind::Additive, MaskKind::AdditivePerKey}) {
    AttentionCase test{2, 2, 1, 37, 261, 20, 20};
    test.mask = kind;
    AttentionCase shorter = test, fewer = test;
    shorter.keys = 9;
    fewer.queries = 4;
    run({test, shorter, fewer}, [&](AttentionOperands &operands) {
      std::uniform_real_distribution<float> uniform(-3, 3);
      for (float &bias : operands.mask)
        bias = random() % 4 == 0 ? -3.4e38f : uniform(random);
    });
  }
}

TEST_P(AttentionTest, LowestBiasOnAllKeysAverages) {
  for (MaskKind kind : {MaskKind::Additive, MaskKind::AdditivePerKey}) {
    AttentionCase test{1, 1, 1, 20, 300, 20, 20};
    test.mask = kind;
    AttentionCase fewer = test;
    fewer.queries = 1;
    run({test, fewer}, [&](AttentionOperands &operands) {
      for (float &bias : operands.mask)
        bias = std::numeric_limits<float>::lowest();
    });
  }
}

TEST_P(AttentionTest, BooleanMasks) {
  for (FullyMasked fullyMasked :
       {FullyMasked::NaN, FullyMasked::Zero, FullyMasked::Uniform}) {
    AttentionCase test{1, 2, 1, 37, 261, 20, 20};
    test.mask = MaskKind::Boolean;
    test.fullyMasked = fullyMasked;
    AttentionCase fewer = test;
    fewer.queries = 3;
    run({test, fewer}, [&](AttentionOperands &operands) {
      for (float &seen : operands.mask)
        seen = random() % 2;
      for (int64_t t = 0; t < 261; ++t)
        operands.maskAt(0, 1, 2, t) = 0;
    });
  }
}

TEST_P(AttentionTest, Softcap) {
  for (bool afterMask : {false, true}) {
    AttentionCase test{1, 2, 1, 20, 30, 20, 20};
    test.softcap = 1.5;
    test.softcapAfterMask = afterMask;
    test.mask = MaskKind::Additive;
    test.causalOffset = 10;
    AttentionCase fewer = test;
    fewer.queries = 3;
    run({test, fewer}, [&](AttentionOperands &operands) {
      std::uniform_real_distribution<float> uniform(-3, 3);
      for (float &bias : operands.mask)
        bias = uniform(random);
    });
  }
}

TEST_P(AttentionTest, LargeScores) {
  AttentionCase test{1, 1, 1, 20, 600, 16, 16};
  test.scale = 40;
  AttentionCase fewer = test;
  fewer.queries = 2;
  run({test, fewer});
}

INSTANTIATE_TEST_SUITE_P(Cpus, AttentionTest, testing::Range<size_t>(0, 3),
                         [](const testing::TestParamInfo<size_t> &info) {
                           std::string name = testCpus()[info.param].name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

} // namespace
