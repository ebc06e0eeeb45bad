//===- SymbolBounds.cpp - what symbols' ranges tell of expressions -------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/tx/SymExpr.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace txc::tx;

namespace {
/// An interval; a missing end is infinite.
struct Interval {
  std::optional<int64_t> lower, upper;
};
} // namespace

SymbolBounds::Range SymbolBounds::get(StringAttr symbol) const {
  auto it = ranges.find(symbol);
  return it == ranges.end() ? Range() : it->second;
}

static std::optional<int64_t> addEnds(std::optional<int64_t> a,
                                      std::optional<int64_t> b) {
  int64_t sum;
  if (!a || !b || llvm::AddOverflow(*a, *b, sum))
    return std::nullopt;
  return sum;
}

static std::optional<int64_t> mulEnds(std::optional<int64_t> a,
                                      std::optional<int64_t> b) {
  int64_t product;
  if (!a || !b || llvm::MulOverflow(*a, *b, product))
    return std::nullopt;
  return product;
}

static Interval scale(Interval interval, int64_t coefficient) {
  Interval result{mulEnds(interval.lower, coefficient),
                  mulEnds(interval.upper, coefficient)};
  if (coefficient < 0)
    std::swap(result.lower, result.upper);
  return result;
}

/// Only for factors of one sign; anything else is unbounded.
static Interval multiply(Interval a, Interval b) {
  auto isNegative = [](Interval x) {
    return x.lower.value_or(-1) < 0 && x.upper.value_or(1) <= 0;
  };
  if (isNegative(a))
    return scale(multiply(scale(a, -1), b), -1);
  if (isNegative(b))
    return scale(multiply(a, scale(b, -1)), -1);
  bool bothPositive = a.lower.value_or(-1) >= 0 && b.lower.value_or(-1) >= 0;
  if (!bothPositive)
    return {};
  return {mulEnds(a.lower, b.lower), mulEnds(a.upper, b.upper)};
}

namespace {
/// Interval arithmetic that takes each function once: nested ones share their
/// arguments.
class Bounding {
public:
  explicit Bounding(const SymbolBounds &bounds) : bounds(bounds) {}

  Interval get(SymExprAttr expr) {
    Interval sum{0, 0};
    for (MonomialAttr monomial : expr.getTerms()) {
      Interval product{1, 1};
      for (AtomAttr atom : monomial.getFactors())
        product = multiply(product, get(atom));
      Interval term = scale(product, monomial.getCoefficient());
      sum = {addEnds(sum.lower, term.lower), addEnds(sum.upper, term.upper)};
    }
    return sum;
  }

private:
  Interval get(AtomAttr atom) {
    if (atom.getFunction().empty()) {
      SymbolBounds::Range range = bounds.get(atom.getName());
      return {range.lower, range.upper};
    }
    if (auto it = functions.find(atom); it != functions.end())
      return it->second;
    Interval a = get(cast<SymExprAttr>(atom.getArguments()[0]));
    Interval b = get(cast<SymExprAttr>(atom.getArguments()[1]));
    return functions[atom] = atom.getFunction() == "floordiv"
                                 ? boundFloorDiv(a, b)
                                 : boundExtremum(atom, a, b);
  }

  /// For b >= 1: it grows with a, and the larger b is, the nearer it is to 0,
  /// or to -1 from below.
  static Interval boundFloorDiv(Interval a, Interval b) {
    if (b.lower.value_or(0) < 1)
      return {};
    auto divide = [&](int64_t x, bool nearZero) -> int64_t {
      if (!nearZero)
        return llvm::divideFloorSigned(x, *b.lower);
      if (b.upper)
        return llvm::divideFloorSigned(x, *b.upper);
      return x < 0 ? -1 : 0;
    };
    Interval result;
    if (a.lower)
      result.lower = divide(*a.lower, /*nearZero=*/*a.lower >= 0);
    if (a.upper)
      result.upper = divide(*a.upper, /*nearZero=*/*a.upper < 0);
    return result;
  }

  static Interval boundExtremum(AtomAttr atom, Interval a, Interval b) {
    bool isMax = atom.getFunction() == "max";
    // The bound on the winning side needs one end, the other needs both.
    auto pick = [&](std::optional<int64_t> x, std::optional<int64_t> y,
                    bool either) -> std::optional<int64_t> {
      if (x && y)
        return isMax ? std::max(*x, *y) : std::min(*x, *y);
      return either ? (x ? x : y) : std::nullopt;
    };
    return {pick(a.lower, b.lower, isMax), pick(a.upper, b.upper, !isMax)};
  }

  const SymbolBounds &bounds;
  DenseMap<AtomAttr, Interval> functions;
};
} // namespace

static Interval boundExpr(const SymbolBounds &bounds, SymExprAttr expr) {
  return Bounding(bounds).get(expr);
}

std::optional<int64_t> SymbolBounds::lowerBound(SymExprAttr expr) const {
  return boundExpr(*this, expr).lower;
}

std::optional<int64_t> SymbolBounds::upperBound(SymExprAttr expr) const {
  return boundExpr(*this, expr).upper;
}

std::optional<bool> SymbolBounds::compare(Predicate predicate, SymExprAttr lhs,
                                          SymExprAttr rhs) const {
  SymExprAttr difference = sub(lhs, rhs);
  Interval interval = boundExpr(*this, difference);
  bool isZero = interval.lower == 0 && interval.upper == 0;
  bool isPositive = interval.lower.value_or(0) > 0;
  bool isNegative = interval.upper.value_or(0) < 0;
  bool notNegative = interval.lower.value_or(-1) >= 0;
  bool notPositive = interval.upper.value_or(1) <= 0;
  auto decide = [](bool yes, bool no) -> std::optional<bool> {
    if (yes || no)
      return yes;
    return std::nullopt;
  };
  switch (predicate) {
  case Predicate::eq:
    return decide(isZero, isPositive || isNegative);
  case Predicate::ne:
    return decide(isPositive || isNegative, isZero);
  case Predicate::lt:
    return decide(isNegative, notNegative);
  case Predicate::le:
    return decide(notPositive, isPositive);
  case Predicate::gt:
    return decide(isPositive, notPositive);
  case Predicate::ge:
    return decide(notNegative, isNegative);
  }
  llvm_unreachable("all predicates are handled");
}
