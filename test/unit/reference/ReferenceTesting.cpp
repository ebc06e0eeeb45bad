//===- ReferenceTesting.cpp - one-op programs for tests -------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/reference/ReferenceTesting.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace txc;
using namespace txc::test;

ReferenceTest::ReferenceTest()
    : handler(&context, [this](Diagnostic &diagnostic) {
        errors += diagnostic.str() + "\n";
        return success();
      }) {
  context.loadDialect<tx::TxDialect, func::FuncDialect>();
}

HostTensor ReferenceTest::tensor(StringRef type, ArrayRef<int64_t> dims,
                                 ArrayRef<double> values) {
  HostTensor result =
      llvm::cantFail(HostTensor::allocate(parseType(type, &context), dims));
  EXPECT_EQ(result.getNumElements(), static_cast<int64_t>(values.size()));
  for (auto [place, value] : llvm::enumerate(values))
    result.setDouble(static_cast<int64_t>(place), value);
  return result;
}

HostTensor ReferenceTest::counting(StringRef type, ArrayRef<int64_t> dims) {
  HostTensor result =
      llvm::cantFail(HostTensor::allocate(parseType(type, &context), dims));
  for (int64_t i = 0; i < result.getNumElements(); ++i)
    result.setInt(i, i);
  return result;
}

SmallVector<HostTensor> ReferenceTest::runAll(StringRef op,
                                              ArrayRef<HostTensor> inputs,
                                              unsigned numResults) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "func.func @main(";
  SmallVector<const HostTensor *> operands;
  for (auto [number, input] : llvm::enumerate(inputs)) {
    os << (number ? ", " : "") << "%" << number << ": " << input.getType();
    operands.push_back(&input);
  }
  os << ") {\n  %r:" << numResults << " = " << op << "\n  return\n}\n";
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(text, ParserConfig(&context));
  if (!module) {
    ADD_FAILURE() << errors << "in\n" << text;
    return {};
  }
  auto function = cast<func::FuncOp>(module->getBody()->front());
  FailureOr<SmallVector<HostTensor>> results =
      evaluateOp(&function.getBody().front().front(), operands, symbols);
  return succeeded(results) ? std::move(*results) : SmallVector<HostTensor>();
}

HostTensor ReferenceTest::run(StringRef op, ArrayRef<HostTensor> inputs) {
  SmallVector<HostTensor> results = runAll(op, inputs);
  EXPECT_EQ(errors, "");
  return results.empty() ? HostTensor() : results.front();
}

std::vector<double> ReferenceTest::values(StringRef op,
                                          ArrayRef<HostTensor> inputs) {
  return toDoubles(run(op, inputs));
}

std::string ReferenceTest::fault(StringRef op, ArrayRef<HostTensor> inputs) {
  EXPECT_TRUE(runAll(op, inputs).empty()) << op.str();
  return std::exchange(errors, "");
}

std::vector<double> txc::test::toDoubles(const HostTensor &tensor) {
  std::vector<double> values(tensor.getNumElements());
  for (auto [i, value] : llvm::enumerate(values))
    value = tensor.getDouble(static_cast<int64_t>(i));
  return values;
}

static bool isSame(double x, double y) {
  if (std::isnan(x) || std::isnan(y))
    return std::isnan(x) && std::isnan(y);
  return x == y && std::signbit(x) == std::signbit(y);
}

namespace {
MATCHER_P(sameNumbers, expected, "") {
  return arg.size() == expected.size() &&
         std::equal(arg.begin(), arg.end(), expected.begin(), isSame);
}

MATCHER_P2(nearNumbers, expected, tolerance, "") {
  return arg.size() == expected.size() &&
         std::equal(arg.begin(), arg.end(), expected.begin(),
                    [&](double x, double y) {
                      return isSame(x, y) ||
                             std::fabs(x - y) <= tolerance * std::fabs(y);
                    });
}
} // namespace

::testing::Matcher<std::vector<double>>
txc::test::same(std::vector<double> expected) {
  return sameNumbers(std::move(expected));
}

::testing::Matcher<std::vector<double>>
txc::test::nearF32(std::vector<double> expected, double ulps) {
  return nearNumbers(std::move(expected),
                     ulps * std::numeric_limits<float>::epsilon());
}
