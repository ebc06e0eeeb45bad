//===- ValueTableTest.cpp - the shape program ----------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/program/ValueTable.h"
#include "dialects/tx/Tx.h"
#include "test/unit/x86/KernelJit.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace txc;

namespace {

class ValueTableTest : public ::testing::Test {
protected:
  ValueTableTest() : context(test::makeKernelContext()) {
    context->loadDialect<tx::TxDialect>();
  }

  StringAttr name(StringRef text) {
    return StringAttr::get(context.get(), text);
  }
  tx::SymExprAttr symbol(StringRef text) {
    return tx::getSymbolExpr(context.get(), text);
  }

  /// Compiles the table's function and runs it.
  std::vector<int64_t> run(const ValueTable &table,
                           std::vector<int64_t> symbols) {
    OwningOpRef<ModuleOp> module =
        ModuleOp::create(UnknownLoc::get(context.get()));
    OpBuilder b = OpBuilder::atBlockEnd(module->getBody());
    table.buildFunction(b, module->getLoc(), "evaluate");
    auto jit = test::KernelJit::create(*module, test::testCpus().front());
    if (!jit) {
      ADD_FAILURE() << llvm::toString(jit.takeError());
      return {};
    }
    auto evaluate =
        (*jit)->lookupPlain<void(const int64_t *, int64_t *)>("evaluate");
    if (!evaluate) {
      ADD_FAILURE() << llvm::toString(evaluate.takeError());
      return {};
    }
    std::vector<int64_t> values(table.size());
    (*evaluate)(symbols.data(), values.data());
    return values;
  }

  std::unique_ptr<MLIRContext> context;
};

TEST_F(ValueTableTest, EqualExpressionsShareAnIndex) {
  ValueTable table({name("B"), name("S")});
  int32_t first = table.getIndex(add(symbol("B"), symbol("S")));
  EXPECT_EQ(table.getIndex(add(symbol("S"), symbol("B"))), first);
  EXPECT_EQ(table.matchSymbol(symbol("S")), 1);
  EXPECT_EQ(table.matchSymbol(add(symbol("S"), 1)), std::nullopt);
}

TEST_F(ValueTableTest, CodeAgreesWithTheExpressions) {
  ValueTable table({name("B"), name("S")});
  tx::SymExprAttr b = symbol("B"), s = symbol("S");
  std::vector<tx::SymExprAttr> exprs = {
      tx::getConstantExpr(context.get(), 42),
      add(mul(b, s), -7),
      floorDiv(add(s, -9), 4),
      max(mul(b, 3), s),
      min(floorDiv(s, b), ceilDiv(mul(s, 5), 3)),
      mul(mul(b, b), max(b, s))};
  for (tx::SymExprAttr expr : exprs)
    table.getIndex(expr);
  for (int64_t bValue : {1, 2, 5})
    for (int64_t sValue : {0, 1, 8, 100}) {
      std::vector<int64_t> values = run(table, {bValue, sValue});
      ASSERT_EQ(values.size(), exprs.size());
      for (auto [expr, value] : llvm::zip(exprs, values))
        EXPECT_EQ(value, *tx::evaluate(
                             expr, {{name("B"), bValue}, {name("S"), sValue}}))
            << expr.str();
    }
}

TEST_F(ValueTableTest, SizesSaturateAndDivisionsDoNotTrap) {
  ValueTable table({name("B"), name("S")});
  table.getIndex(mul(symbol("B"), symbol("S")));
  table.getIndex(floorDiv(symbol("B"), symbol("S")));
  constexpr int64_t huge = int64_t(1) << 40;
  EXPECT_EQ(run(table, {huge, huge})[0], std::numeric_limits<int64_t>::max());
  EXPECT_EQ(run(table, {huge, 0})[1], 0);
}

} // namespace
