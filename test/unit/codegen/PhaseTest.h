//===- PhaseTest.h - phases against their definition -----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_TEST_UNIT_CODEGEN_PHASETEST_H
#define TXC_TEST_UNIT_CODEGEN_PHASETEST_H

#include "test/unit/codegen/NestReference.h"
#include "gtest/gtest.h"
#include <random>

namespace txc::test {

/// The parameter that stands for a simulated GPU; those below are CPU levels.
constexpr size_t kGpuParameter = 3;

/// One test a CPU level, and one on a GPU.
class PhaseTest : public testing::TestWithParam<size_t> {
protected:
  bool isGpu() const { return GetParam() == kGpuParameter; }
  const TestCpu &cpu() const { return testCpus()[GetParam()]; }

  /// Compiles a function body, whose arguments are operands of its one phase,
  /// and compares its results with the definition for each of \p cases.
  /// Integers are in [0, `indexLimit`), floats in [-1, 1].
  void expectDefinition(llvm::StringRef text, llvm::ArrayRef<Symbols> cases);

  /// Replaces the random operands of a case.
  std::function<void(std::vector<NumberTensor> &)> adjustOperands;
  int64_t indexLimit = 3;
  /// The end of every buffer that touches an inaccessible page.
  Guard guard = Guard::Back;
  /// Into how many ranges of tasks a run is cut.
  int64_t pieces = 2;
  /// The fault of the last run.
  txc_fault fault = {};

private:
  /// Compiles the phase; null, with a failure unless it is one that only a CPU
  /// computes.
  using Run = std::function<void(llvm::ArrayRef<Buffer *> operands,
                                 llvm::ArrayRef<Buffer *> results,
                                 const Symbols &symbols)>;
  Run compile(const PhaseProgram &program);
  Run compileForGpu(const PhaseProgram &program);
  NumberTensor makeRandom(mlir::Type type, const Symbols &symbols);

  std::mt19937 random{11};
};

std::string getCpuName(const testing::TestParamInfo<size_t> &info);

#define TXC_INSTANTIATE_PHASE_TESTS(suite)                                     \
  INSTANTIATE_TEST_SUITE_P(                                                    \
      Cpus, suite, testing::Range<size_t>(0, kGpuParameter + 1), getCpuName)

} // namespace txc::test

#endif // TXC_TEST_UNIT_CODEGEN_PHASETEST_H
