//===- GemmTest.cpp - Matrix products against a reference -------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Generates, compiles and runs matrix products for every CPU level, and
/// compares them with sums in double precision.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/Gemm.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "test/unit/x86/GemmHarness.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir;
using namespace txc;
using namespace txc::test;
using namespace txc::x86;

namespace {

class GemmTest : public testing::TestWithParam<size_t> {
protected:
  const TestCpu &cpu() const { return testCpus()[GetParam()]; }
  /// Compiles a kernel for the first of \p cases and runs all of them on it. If
  /// they aren't fixed they may differ in their dims.
  void run(ArrayRef<GemmCase> cases);

  std::mt19937 random{7}; // NOLINT(bugprone-random-generator-seed)
};

/// A row of A as it is multiplied, and what its sums are scaled by.
struct Factors {
  std::vector<float> row;
  float scale = 1;
};

Factors getFactors(GemmOperands &operands, int64_t batch, int64_t row) {
  Factors factors;
  float above = 0, below = 0;
  for (int64_t k = 0; k < operands.test.k; ++k) {
    float x = operands.aAt(batch, row, k);
    factors.row.push_back(x);
    above = std::max(above, x);
    below = std::max(below, -x);
  }
  if (operands.test.type == DotType::bf16)
    llvm::transform(factors.row, factors.row.begin(), roundToBf16);
  if (operands.test.type == DotType::i8) {
    float range = above + below;
    float factor = std::min(254 / range, std::numeric_limits<float>::max());
    for (float &x : factors.row)
      x = std::nearbyint(x * factor);
    factors.scale = range / 254;
  }
  return factors;
}

void expectProduct(GemmOperands &operands) {
  const GemmCase &test = operands.test;
  for (int64_t i = 0; i < test.batch; ++i) {
    for (int64_t row = 0; row < test.m; ++row) {
      Factors factors = getFactors(operands, i, row);
      for (int64_t column = 0; column < test.n; ++column) {
        double bias = operands.bias[column], sum = 0, magnitude = 0;
        for (int64_t p = 0; p < test.k; ++p) {
          double product = double(factors.row[p]) * operands.getB(i, p, column);
          sum += product;
          magnitude += std::abs(product);
        }
        float got = operands.c[(i * test.m + row) * test.n + column];
        if (test.type == DotType::i8) {
          // Integers add up exactly; then each operation rounds once.
          ASSERT_EQ(got, float(sum) * factors.scale + float(bias))
              << "at " << i << ", " << row << ", " << column;
          continue;
        }
        // Each of the k products and k + 1 sums rounds once: Higham, Accuracy
        // and Stability of Numerical Algorithms, section 3.1.
        double bound = (test.k + 2) * 0x1p-24 * (magnitude + std::abs(bias));
        ASSERT_LE(std::abs(got - (sum + bias)), bound)
            << "at " << i << ", " << row << ", " << column;
      }
    }
  }
}

void GemmTest::run(ArrayRef<GemmCase> cases) {
  auto kernel = GemmKernel::create(cases.front(), cpu());
  ASSERT_TRUE(bool(kernel)) << toString(kernel.takeError());
  if (!cpu().canRun)
    return;
  for (const GemmCase &test : cases) {
    SCOPED_TRACE(testing::Message()
                 << cpu().name << " batch " << test.batch << ", " << test.m
                 << "x" << test.n << "x" << test.k << ", A " << int(test.a)
                 << ", B " << int(test.b) << ", type " << int(test.type)
                 << (test.fixed ? ", static" : ", dynamic"));
    GemmOperands operands(test, random);
    // Two ranges, as two workers would run them.
    int64_t tasks = kernel->taskCount(test);
    kernel->run(operands, 0, tasks / 3);
    kernel->run(operands, tasks / 3, tasks);
    expectProduct(operands);
    if (HasFatalFailure())
      return;
  }
}

TEST_P(GemmTest, EveryRowCount) {
  std::vector<GemmCase> cases;
  for (int64_t m = 1; m <= 26; ++m)
    cases.push_back({1, m, 48, 20});
  run(cases);
}

TEST_P(GemmTest, EveryColumnTail) {
  for (Weights weights : {Weights::Packed, Weights::RowMajor}) {
    std::vector<GemmCase> cases;
    for (int64_t n = 70; n >= 1; --n)
      cases.push_back({1, 5, n, 7, Order::RowMajor, weights});
    run(cases);
  }
}

TEST_P(GemmTest, EveryLayout) {
  for (Order a : {Order::RowMajor, Order::ColumnMajor, Order::Gapped}) {
    for (Weights b : {Weights::Packed, Weights::RowMajor, Weights::Transposed,
                      Weights::Gapped}) {
      std::vector<GemmCase> cases;
      for (Guard guard : {Guard::Front, Guard::Back})
        for (int64_t k : {37, 16, 15, 1})
          cases.push_back({2, 29, 53, k, a, b, /*fixed=*/false, guard});
      run(cases);
    }
  }
}

TEST_P(GemmTest, SeveralBlocks) {
  // One block of rows, two, and three; the last has fewer.
  for (int64_t m : {101, 149, 313})
    run(GemmCase{1, m, 300, 64, Order::RowMajor, Weights::Packed, true});
  run(GemmCase{2, 150, 131, 33, Order::RowMajor, Weights::Transposed});
}

TEST_P(GemmTest, StaticShapes) {
  run(GemmCase{1, 1, 32, 48, Order::RowMajor, Weights::Packed, true});
  run(GemmCase{3, 7, 19, 5, Order::ColumnMajor, Weights::RowMajor, true});
}

TEST_P(GemmTest, FewColumns) {
  for (int64_t n : {1, 2, 3, 4})
    for (int64_t m : {1, 7, 100})
      for (int64_t k : {1, 16, 37})
        for (Guard guard : {Guard::Front, Guard::Back})
          run(GemmCase{1, m, n, k, Order::RowMajor, Weights::Packed, true,
                       guard});
  // Other weights for each batch, and rows that are not side by side.
  run(GemmCase{2, 9, 3, 20, Order::RowMajor, Weights::Packed, true});
  run(GemmCase{1, 9, 3, 20, Order::ColumnMajor, Weights::Packed, true});
  run(GemmCase{1, 9, 3, 20, Order::RowMajor, Weights::RowMajor, true});
}

TEST_P(GemmTest, OnePanelMore) {
  for (int64_t n : {16, 40, 47, 48, 80, 127})
    for (int64_t m : {2, 13, 30})
      run(GemmCase{1, m, n, 33, Order::RowMajor, Weights::Packed, true});
}

TEST_P(GemmTest, SplitsLongSums) {
  run(GemmCase{1, 17, 40, 2500, Order::RowMajor, Weights::Packed, true});
  // Several blocks of columns use the rows packed for the first.
  run(GemmCase{1, 14, 200, 2500, Order::RowMajor, Weights::Packed, true});
  run(GemmCase{1, 2, 200, 2500, Order::RowMajor, Weights::Packed, true});
  run(GemmCase{1, 1, 70, 9000, Order::RowMajor, Weights::Packed, true});
  run(GemmCase{2, 13, 20, 2057, Order::RowMajor, Weights::RowMajor});
}

/// Rows that panels stream through, and one more.
const GemmCase fewRows[] = {
    {1, 1, 90, 259, Order::RowMajor, Weights::Packed, true},
    {1, 2, 33, 37, Order::RowMajor, Weights::Packed, true, Guard::Front},
    {1, 3, 16, 64, Order::ColumnMajor, Weights::Packed, true},
    {1, 4, 7, 5, Order::RowMajor, Weights::Packed, true},
    {1, 5, 33, 37, Order::RowMajor, Weights::Packed, true},
    // Several blocks of columns, and batches that share nothing.
    {3, 4, 300, 40, Order::Gapped, Weights::Packed, true}};

TEST_P(GemmTest, FewRows) {
  for (const GemmCase &test : fewRows)
    run(test);
}

TEST_P(GemmTest, EmptyDims) {
  run({{1, 9, 20, 5}, {1, 0, 20, 5}, {0, 3, 20, 5}, {1, 9, 20, 0}});
  GemmCase dense{1, 9, 20, 5, Order::RowMajor, Weights::RowMajor};
  GemmCase noColumns = dense, noSteps = dense;
  noColumns.n = 0;
  noSteps.k = 0;
  run({dense, noColumns, noSteps});
  run(GemmCase{1, 9, 20, 0, Order::RowMajor, Weights::RowMajor, true});
}

/// Types whose left operand is converted, with weights in panels.
class NarrowGemmTest : public GemmTest {
protected:
  void runNarrow(ArrayRef<GemmCase> cases) {
    for (DotType type : {DotType::bf16, DotType::i8}) {
      std::vector<GemmCase> typed = cases;
      for (GemmCase &test : typed)
        test.type = type;
      GemmTest::run(typed);
    }
  }
};

TEST_P(NarrowGemmTest, EveryRowCount) {
  std::vector<GemmCase> cases;
  for (int64_t m = 1; m <= 26; ++m)
    cases.push_back({1, m, 48, 20});
  runNarrow(cases);
}

TEST_P(NarrowGemmTest, EveryColumnTail) {
  std::vector<GemmCase> cases;
  for (int64_t n = 70; n >= 1; --n)
    cases.push_back({1, 5, n, 7});
  runNarrow(cases);
}

TEST_P(NarrowGemmTest, EveryLayout) {
  for (Order a : {Order::RowMajor, Order::ColumnMajor, Order::Gapped}) {
    std::vector<GemmCase> cases;
    for (Guard guard : {Guard::Front, Guard::Back})
      for (int64_t k : {67, 66, 65, 64, 63, 37, 16, 3, 2, 1})
        cases.push_back({2, 29, 53, k, a, Weights::Packed, false, guard});
    runNarrow(cases);
  }
}

TEST_P(NarrowGemmTest, FewRows) {
  for (const GemmCase &test : fewRows)
    runNarrow(test);
}

TEST_P(NarrowGemmTest, StaticShapes) {
  runNarrow(GemmCase{1, 101, 300, 64, Order::RowMajor, Weights::Packed, true});
  runNarrow(GemmCase{1, 1, 32, 48, Order::RowMajor, Weights::Packed, true});
}

TEST_P(NarrowGemmTest, SplitsLongSums) {
  runNarrow(GemmCase{1, 17, 40, 10001, Order::RowMajor, Weights::Packed, true});
  runNarrow(GemmCase{1, 50, 20, 9003});
  runNarrow(GemmCase{1, 4, 20, 9003, Order::RowMajor, Weights::Packed, true});
}

TEST_P(NarrowGemmTest, EmptyDims) {
  runNarrow({{1, 9, 20, 5}, {1, 0, 20, 5}, {0, 3, 20, 5}, {1, 9, 20, 0}});
}

TEST_P(NarrowGemmTest, KeepsNaNInItsRow) {
  for (DotType type : {DotType::bf16, DotType::i8}) {
    GemmCase test{1, 5, 20, 70};
    test.type = type;
    auto kernel = GemmKernel::create(test, cpu());
    ASSERT_TRUE(bool(kernel)) << toString(kernel.takeError());
    if (!cpu().canRun)
      return;
    for (float nan : {std::numeric_limits<float>::quiet_NaN(),
                      -std::numeric_limits<float>::quiet_NaN()}) {
      GemmOperands operands(test, random);
      operands.aAt(0, 3, 65) = nan;
      kernel->run(operands, 0, kernel->taskCount(test));
      for (int64_t i = 0; i < operands.c.size(); ++i)
        ASSERT_EQ(std::isnan(operands.c[i]), i / test.n == 3) << i;
    }
  }
}

TEST_P(GemmTest, RejectsTypesWithoutAtom) {
  std::unique_ptr<MLIRContext> context = makeKernelContext();
  OpBuilder builder(context.get());
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  auto halves = MemRefType::get({ShapedType::kDynamic}, builder.getF16Type());
  auto function = func::FuncOp::create(
      loc, "gemm",
      builder.getFunctionType({halves, builder.getIndexType()}, {}));
  module->push_back(function);
  builder.setInsertionPointToStart(function.addEntryBlock());
  Value buffer = function.getArgument(0), zero = function.getArgument(1);
  auto store = [](OpBuilder &, Location, Value, Value, Value, Value, Value) {};
  GemmSpec spec{cpu().target,
                chooseGemmSchedule(cpu().target, {}),
                {},
                zero,
                zero,
                zero,
                {buffer, {}, {zero, zero}},
                {buffer, {}, {zero, zero}},
                false,
                store};
  std::string message;
  ScopedDiagnosticHandler handler(context.get(), [&](Diagnostic &diagnostic) {
    message = diagnostic.str();
    return success();
  });
  EXPECT_TRUE(failed(emitGemmTasks(builder, loc, spec, zero, zero, buffer)));
  EXPECT_NE(message.find("f16"), std::string::npos) << message;
}

std::string getCpuName(const testing::TestParamInfo<size_t> &info) {
  std::string name = testCpus()[info.param].name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Cpus, GemmTest, testing::Range<size_t>(0, 3),
                         getCpuName);
INSTANTIATE_TEST_SUITE_P(Cpus, NarrowGemmTest, testing::Range<size_t>(0, 3),
                         getCpuName);

} // namespace
