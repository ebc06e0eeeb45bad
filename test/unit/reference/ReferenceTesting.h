//===- ReferenceTesting.h - one-op programs for tests -----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Runs an op, given as text, on tensors, given as lists of numbers.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_REFERENCE_REFERENCETESTING_H
#define TXC_TEST_UNIT_REFERENCE_REFERENCETESTING_H

#include "compiler/reference/Interpreter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace txc::test {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

class ReferenceTest : public ::testing::Test {
protected:
  ReferenceTest();

  /// `type` as in IR: "f32", "ui8".
  HostTensor tensor(llvm::StringRef type, llvm::ArrayRef<int64_t> dims,
                    llvm::ArrayRef<double> values);
  HostTensor vector(llvm::StringRef type, llvm::ArrayRef<double> values) {
    return tensor(type, static_cast<int64_t>(values.size()), values);
  }
  /// 0, 1, 2, …
  HostTensor counting(llvm::StringRef type, llvm::ArrayRef<int64_t> dims);

  /// The results of "tx.neg %0 : tensor<3xf32>", whose operands are %0, %1, …
  /// On a fault no results, and `errors` holds the diagnostics.
  llvm::SmallVector<HostTensor> runAll(llvm::StringRef op,
                                       llvm::ArrayRef<HostTensor> inputs,
                                       unsigned numResults = 1);
  /// The first result; an empty tensor on a fault.
  HostTensor run(llvm::StringRef op, llvm::ArrayRef<HostTensor> inputs);
  /// The numbers of the first result.
  std::vector<double> values(llvm::StringRef op,
                             llvm::ArrayRef<HostTensor> inputs);
  /// The diagnostics of an op that must fail.
  std::string fault(llvm::StringRef op, llvm::ArrayRef<HostTensor> inputs);

  mlir::MLIRContext context;
  SymbolValues symbols;
  std::string errors;

private:
  mlir::ScopedDiagnosticHandler handler;
};

std::vector<double> toDoubles(const HostTensor &tensor);

/// Elements equal, NaN to NaN, signs of zero too.
::testing::Matcher<std::vector<double>> same(std::vector<double> expected);

/// Elements that differ by at most `ulps` units in the last place of f32.
::testing::Matcher<std::vector<double>> nearF32(std::vector<double> expected,
                                                double ulps = 1);

} // namespace txc::test

#endif // TXC_TEST_UNIT_REFERENCE_REFERENCETESTING_H
