//===- SymExprTest.cpp - expressions of symbols --------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/tx/Tx.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/MathExtras.h"
#include "gtest/gtest.h"
#include <random>

using namespace mlir;
using namespace txc::tx;

namespace {

/// The dialect has to be there before the fixture's members are made.
struct TxContext : MLIRContext {
  TxContext() { loadDialect<TxDialect>(); }
};

class SymExprTest : public ::testing::Test {
protected:
  SymExprAttr c(int64_t value) { return getConstantExpr(&context, value); }
  SymExprAttr s(StringRef name) { return getSymbolExpr(&context, name); }
  StringAttr name(StringRef text) { return StringAttr::get(&context, text); }

  TxContext context;
  SymExprAttr b = s("B"), t = s("T");
};

TEST_F(SymExprTest, RingArithmeticHasOneForm) {
  EXPECT_EQ(mul(add(b, t), add(b, t)),
            add(add(mul(b, b), mul(mul(b, t), 2)), mul(t, t)));
  EXPECT_EQ(sub(add(b, t), t), b);
  EXPECT_EQ(sub(b, b), c(0));
  EXPECT_EQ(mul(b, 0), c(0));
}

TEST_F(SymExprTest, ExactQuotientsAreSimplified) {
  EXPECT_EQ(floorDiv(mul(mul(b, t), 384), t), mul(b, 384));
  SymExprAttr sum = add(b, t);
  EXPECT_EQ(divideExactly(mul(sum, add(b, 3)), sum), add(b, 3));
  EXPECT_EQ(divideExactly(add(mul(b, t), 1), b), SymExprAttr());
  EXPECT_EQ(divideExactly(b, c(0)), SymExprAttr());
}

TEST_F(SymExprTest, DivisionRoundsDownAndSplitsMultiples) {
  EXPECT_EQ(floorDiv(c(-7), 2), c(-4));
  EXPECT_EQ(ceilDiv(c(7), 2), c(4));
  EXPECT_EQ(floorDiv(add(mul(b, 4), 3), 2), add(mul(b, 2), 1));
  EXPECT_EQ(mod(mul(b, 6), c(3)), c(0));
}

TEST_F(SymExprTest, ExtremaOfComparableOperandsAreDecided) {
  EXPECT_EQ(max(add(b, 1), b), add(b, 1));
  EXPECT_EQ(min(add(b, 1), b), b);
  EXPECT_EQ(max(b, t), max(t, b));
}

TEST_F(SymExprTest, NestedFunctionsAreOne) {
  // Three convolutions, one after the other.
  EXPECT_EQ(floorDiv(add(floorDiv(floorDiv(t, 5), 2), -3), 2),
            sub(floorDiv(add(t, -10), 20), c(1)));
  EXPECT_EQ(floorDiv(floorDiv(t, b), 2).str(), "floordiv(floordiv(T, B), 2)");
  EXPECT_EQ(max(c(0), add(max(c(-1), add(t, -2)), 1)), max(c(0), add(t, -1)));
  EXPECT_EQ(max(t, max(b, max(t, c(0)))), max(max(c(0), t), b));
  // A slice that leaves out one token, concatenated to it.
  EXPECT_EQ(max(t, add(sub(t, min(t, c(1))), 1)), max(t, c(1)));
  EXPECT_EQ(min(add(t, -1), sub(t, max(b, c(2)))), min(add(t, -2), sub(t, b)));
}

TEST_F(SymExprTest, LongExtremaStayNested) {
  SymExprAttr expr = b;
  int64_t expected = 3;
  for (int i = 0; i < 40; ++i) {
    expr = max(add(expr, mul(t, i + 1)), mul(b, i + 2));
    expected = std::max<int64_t>(expected + 2 * (i + 1), 3 * (i + 2));
  }
  llvm::DenseMap<StringAttr, int64_t> values = {{name("B"), 3}, {name("T"), 2}};
  EXPECT_EQ(evaluate(expr, values), expected);
}

TEST_F(SymExprTest, TextIsReadable) {
  EXPECT_EQ(add(mul(b, t), -2).str(), "B * T + -2");
  EXPECT_EQ(floorDiv(t, 14).str(), "floordiv(T, 14)");
  EXPECT_EQ(s("batch size").str(), "\"batch size\"");
  EXPECT_EQ(s("max").str(), "\"max\"");
}

TEST_F(SymExprTest, BoundsDecideComparisons) {
  SymbolBounds bounds;
  bounds.set(name("B"), {1, 8});
  EXPECT_EQ(bounds.compare(Predicate::ge, b, c(1)), true);
  EXPECT_EQ(bounds.compare(Predicate::eq, b, c(0)), false);
  EXPECT_EQ(bounds.compare(Predicate::lt, b, c(5)), std::nullopt);
  EXPECT_EQ(bounds.compare(Predicate::ne, t, c(-1)), true);
  EXPECT_EQ(bounds.upperBound(mul(b, b)), 64);
  EXPECT_EQ(bounds.lowerBound(floorDiv(add(b, 3), 2)), 2);
  EXPECT_EQ(bounds.upperBound(t), std::nullopt);
  EXPECT_EQ(bounds.lowerBound(sub(b, c(3))), -2);
  // Rounded up, as exporters write it.
  SymExprAttr ceil = mul(floorDiv(mul(t, -1), 4), -1);
  EXPECT_EQ(bounds.lowerBound(ceil), 0);
  EXPECT_EQ(bounds.lowerBound(mul(ceil, b)), 0);
  EXPECT_EQ(bounds.upperBound(sub(c(0), mul(ceil, b))), 0);
}

TEST_F(SymExprTest, OverflowHasNoValue) {
  llvm::DenseMap<StringAttr, int64_t> values;
  values[name("B")] = int64_t(1) << 40;
  EXPECT_EQ(evaluate(mul(b, b), values), std::nullopt);
  EXPECT_EQ(evaluate(b, values), int64_t(1) << 40);
  EXPECT_EQ(evaluate(t, values), std::nullopt);
}

/// A random expression next to what its operations give on numbers.
// Written out it has 2^60 symbols.
TEST_F(SymExprTest, SharedArgumentsAreVisitedOnce) {
  SymExprAttr nested = b;
  for (int64_t i = 1; i <= 60; ++i)
    nested = max(add(nested, t), sub(c(i), nested));
  llvm::SetVector<StringAttr> symbols;
  collectSymbols(nested, symbols);
  EXPECT_EQ(symbols.size(), 2u);
  auto expected = [](int64_t b, int64_t t) {
    for (int64_t i = 1; i <= 60; ++i)
      b = std::max(b + t, i - b);
    return b;
  };
  EXPECT_EQ(evaluate(nested, {{name("B"), 5}, {name("T"), 2}}), expected(5, 2));
  SymExprAttr known = substitute(nested, {{name("T"), c(3)}});
  EXPECT_EQ(evaluate(known, {{name("B"), 4}}), expected(4, 3));
  EXPECT_FALSE(SymbolBounds().upperBound(nested));
}

TEST_F(SymExprTest, NormalFormKeepsTheValueAndBoundsHold) {
  std::mt19937 random(7);
  auto pick = [&](int n) { return static_cast<int>(random() % n); };
  SymbolBounds bounds;
  bounds.set(name("B"), {1, 9});
  bounds.set(name("T"), {1, std::nullopt});
  for (int round = 0; round < 2000; ++round) {
    int64_t bValue = 1 + pick(9), tValue = 1 + pick(9);
    llvm::DenseMap<StringAttr, int64_t> values;
    values[name("B")] = bValue;
    values[name("T")] = tValue;
    SymExprAttr expr = b;
    int64_t expected = bValue;
    for (int step = 0; step < 6; ++step) {
      int64_t number = pick(7) - 3;
      SymExprAttr operand = pick(2) ? t : c(number);
      int64_t value = operand == t ? tValue : number;
      switch (pick(8)) {
      case 0:
        expr = add(expr, operand), expected += value;
        break;
      case 1:
        expr = sub(operand, expr), expected = value - expected;
        break;
      case 2:
        expr = mul(expr, operand), expected *= value;
        break;
      case 3:
        expr = floorDiv(expr, tValue),
        expected = llvm::divideFloorSigned(expected, tValue);
        break;
      case 4:
        expr = max(expr, operand), expected = std::max(expected, value);
        break;
      default:
        expr = mod(expr, c(bValue));
        expected -= bValue * llvm::divideFloorSigned(expected, bValue);
        break;
      case 6:
        expr = floorDiv(expr, b),
        expected = llvm::divideFloorSigned(expected, bValue);
        break;
      case 7:
        expr = min(operand, expr), expected = std::min(expected, value);
        break;
      }
    }
    ASSERT_EQ(evaluate(expr, values), expected) << expr.str();
    ASSERT_LE(bounds.lowerBound(expr).value_or(expected), expected)
        << expr.str();
    ASSERT_GE(bounds.upperBound(expr).value_or(expected), expected)
        << expr.str();
  }
}

} // namespace
