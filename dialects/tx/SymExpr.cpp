//===- SymExpr.cpp - integer expressions of symbolic dims ----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/tx/SymExpr.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace txc::tx;

//===----------------------------------------------------------------------===//
// Order of atoms and monomials
//===----------------------------------------------------------------------===//

static int compareExprs(SymExprAttr lhs, SymExprAttr rhs);

static int compareAtoms(AtomAttr lhs, AtomAttr rhs) {
  if (lhs == rhs)
    return 0;
  // Symbols come before functions.
  if (int order = lhs.getFunction().compare(rhs.getFunction()))
    return order;
  if (int order = lhs.getName().getValue().compare(rhs.getName().getValue()))
    return order;
  for (auto [a, b] : llvm::zip(lhs.getArguments(), rhs.getArguments()))
    if (int order = compareExprs(cast<SymExprAttr>(a), cast<SymExprAttr>(b)))
      return order;
  return 0;
}

/// Graded lexicographic: a monomial order, which exact division relies on.
/// Negative if `lhs` is printed before `rhs`, that is, if it is larger.
static int compareFactors(ArrayRef<AtomAttr> lhs, ArrayRef<AtomAttr> rhs) {
  if (lhs.size() != rhs.size())
    return lhs.size() > rhs.size() ? -1 : 1;
  for (auto [a, b] : llvm::zip(lhs, rhs))
    if (int order = compareAtoms(a, b))
      return order;
  return 0;
}

static int compareExprs(SymExprAttr lhs, SymExprAttr rhs) {
  if (lhs.getTerms().size() != rhs.getTerms().size())
    return lhs.getTerms().size() < rhs.getTerms().size() ? -1 : 1;
  for (auto [a, b] : llvm::zip(lhs.getTerms(), rhs.getTerms())) {
    if (int order = compareFactors(a.getFactors(), b.getFactors()))
      return order;
    if (a.getCoefficient() != b.getCoefficient())
      return a.getCoefficient() < b.getCoefficient() ? -1 : 1;
  }
  return 0;
}

//===----------------------------------------------------------------------===//
// Normal form
//===----------------------------------------------------------------------===//

namespace {
struct Term {
  int64_t coefficient;
  SmallVector<AtomAttr> factors;
};
} // namespace

static Term toTerm(MonomialAttr monomial) {
  return {monomial.getCoefficient(), llvm::to_vector(monomial.getFactors())};
}

static SymExprAttr normalize(MLIRContext *context, SmallVector<Term> terms) {
  for (Term &term : terms)
    llvm::sort(term.factors,
               [](AtomAttr a, AtomAttr b) { return compareAtoms(a, b) < 0; });
  llvm::sort(terms, [](const Term &a, const Term &b) {
    return compareFactors(a.factors, b.factors) < 0;
  });
  SmallVector<MonomialAttr> monomials;
  for (size_t i = 0; i < terms.size();) {
    int64_t coefficient = 0;
    size_t j = i;
    for (; j < terms.size() && terms[j].factors == terms[i].factors; ++j)
      coefficient =
          llvm::AddOverflow(coefficient, terms[j].coefficient, coefficient)
              ? std::numeric_limits<int64_t>::max()
              : coefficient;
    if (coefficient != 0)
      monomials.push_back(
          MonomialAttr::get(context, coefficient, terms[i].factors));
    i = j;
  }
  return SymExprAttr::get(context, monomials);
}

static SymExprAttr getFunctionExpr(StringRef function, SymExprAttr lhs,
                                   SymExprAttr rhs) {
  MLIRContext *context = lhs.getContext();
  auto atom = AtomAttr::get(context, StringAttr::get(context), function,
                            {Attribute(lhs), Attribute(rhs)});
  return normalize(context, {Term{1, {atom}}});
}

SymExprAttr txc::tx::getConstantExpr(MLIRContext *context, int64_t value) {
  return normalize(context, {Term{value, {}}});
}

SymExprAttr txc::tx::getSymbolExpr(MLIRContext *context, StringRef name) {
  auto atom = AtomAttr::get(context, StringAttr::get(context, name), "", {});
  return normalize(context, {Term{1, {atom}}});
}

std::optional<int64_t> SymExprAttr::getConstant() const {
  if (getTerms().empty())
    return 0;
  if (getTerms().size() == 1 && getTerms().front().getFactors().empty())
    return getTerms().front().getCoefficient();
  return std::nullopt;
}

bool SymExprAttr::isConstant(int64_t value) const {
  return getConstant() == value;
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

SymExprAttr txc::tx::add(SymExprAttr lhs, SymExprAttr rhs) {
  SmallVector<Term> terms;
  for (MonomialAttr term : lhs.getTerms())
    terms.push_back(toTerm(term));
  for (MonomialAttr term : rhs.getTerms())
    terms.push_back(toTerm(term));
  return normalize(lhs.getContext(), std::move(terms));
}

/// The product saturates: a dim so large is refused when it is bound.
static Term multiply(const Term &lhs, const Term &rhs) {
  Term result = lhs;
  if (llvm::MulOverflow(lhs.coefficient, rhs.coefficient, result.coefficient))
    result.coefficient = std::numeric_limits<int64_t>::max();
  llvm::append_range(result.factors, rhs.factors);
  return result;
}

SymExprAttr txc::tx::mul(SymExprAttr lhs, SymExprAttr rhs) {
  SmallVector<Term> terms;
  for (MonomialAttr a : lhs.getTerms())
    for (MonomialAttr b : rhs.getTerms())
      terms.push_back(multiply(toTerm(a), toTerm(b)));
  return normalize(lhs.getContext(), std::move(terms));
}

SymExprAttr txc::tx::add(SymExprAttr lhs, int64_t rhs) {
  return add(lhs, getConstantExpr(lhs.getContext(), rhs));
}

SymExprAttr txc::tx::mul(SymExprAttr lhs, int64_t rhs) {
  return mul(lhs, getConstantExpr(lhs.getContext(), rhs));
}

SymExprAttr txc::tx::sub(SymExprAttr lhs, SymExprAttr rhs) {
  return add(lhs, mul(rhs, -1));
}

SymExprAttr txc::tx::product(MLIRContext *context,
                             ArrayRef<SymExprAttr> exprs) {
  SymExprAttr result = getConstantExpr(context, 1);
  for (SymExprAttr expr : exprs)
    result = mul(result, expr);
  return result;
}

/// `dividend / divisor` for monomials, if it is one.
static std::optional<Term> divideMonomials(MonomialAttr dividend,
                                           MonomialAttr divisor) {
  if (dividend.getCoefficient() % divisor.getCoefficient() != 0)
    return std::nullopt;
  Term quotient = toTerm(dividend);
  quotient.coefficient /= divisor.getCoefficient();
  for (AtomAttr factor : divisor.getFactors()) {
    auto *it = llvm::find(quotient.factors, factor);
    if (it == quotient.factors.end())
      return std::nullopt;
    quotient.factors.erase(it);
  }
  return quotient;
}

SymExprAttr txc::tx::divideExactly(SymExprAttr dividend, SymExprAttr divisor) {
  MLIRContext *context = dividend.getContext();
  if (divisor.getTerms().empty())
    return nullptr;
  // Long division by the leading term; each step removes the dividend's.
  SymExprAttr remainder = dividend;
  SmallVector<Term> quotient;
  while (!remainder.getTerms().empty()) {
    std::optional<Term> term = divideMonomials(remainder.getTerms().front(),
                                               divisor.getTerms().front());
    if (!term)
      return nullptr;
    quotient.push_back(*term);
    remainder = sub(remainder, mul(normalize(context, {*term}), divisor));
  }
  return normalize(context, std::move(quotient));
}

/// The function that `expr` is a sum of with `rest`, if it has one term that is
/// `sign` times a function of that name.
static AtomAttr matchFunction(SymExprAttr expr, StringRef function,
                              int64_t sign, SymExprAttr &rest) {
  for (MonomialAttr term : expr.getTerms()) {
    if (term.getCoefficient() != sign || term.getFactors().size() != 1 ||
        term.getFactors().front().getFunction() != function)
      continue;
    rest = sub(expr, normalize(expr.getContext(), {toTerm(term)}));
    return term.getFactors().front();
  }
  return nullptr;
}

static SymExprAttr getArgument(AtomAttr function, unsigned index) {
  return cast<SymExprAttr>(function.getArguments()[index]);
}

/// floor((floor(a / c) + k) / d) = floor((a + k * c) / (c * d)) for numbers c,
/// d and k, or null.
static SymExprAttr mergeDivisions(SymExprAttr dividend, int64_t divisor) {
  SymExprAttr rest;
  AtomAttr inner = matchFunction(dividend, "floordiv", 1, rest);
  if (!inner || !rest.getConstant())
    return nullptr;
  std::optional<int64_t> first = getArgument(inner, 1).getConstant();
  int64_t both;
  if (!first || *first <= 0 || llvm::MulOverflow(*first, divisor, both))
    return nullptr;
  return floorDiv(add(getArgument(inner, 0), mul(rest, *first)), both);
}

SymExprAttr txc::tx::floorDiv(SymExprAttr lhs, SymExprAttr rhs) {
  if (SymExprAttr exact = divideExactly(lhs, rhs))
    return exact;
  std::optional<int64_t> divisor = rhs.getConstant();
  if (!divisor || *divisor <= 0)
    return getFunctionExpr("floordiv", lhs, rhs);
  // floor((q * d + r) / d) = q + floor(r / d), term by term.
  MLIRContext *context = lhs.getContext();
  SmallVector<Term> quotient, remainder;
  for (MonomialAttr monomial : lhs.getTerms()) {
    Term term = toTerm(monomial);
    int64_t q = llvm::divideFloorSigned(term.coefficient, *divisor);
    int64_t r = term.coefficient - q * *divisor;
    // Only constants and multiples are split off: floordiv(3*S, 2) stays.
    if (r != 0 && !term.factors.empty()) {
      remainder.push_back(std::move(term));
      continue;
    }
    quotient.push_back({q, term.factors});
    if (r != 0)
      remainder.push_back({r, term.factors});
  }
  SymExprAttr rest = normalize(context, std::move(remainder));
  SymExprAttr whole = normalize(context, std::move(quotient));
  if (rest.getConstant())
    return whole; // 0 <= rest < divisor
  if (SymExprAttr merged = mergeDivisions(rest, *divisor))
    return add(whole, merged);
  return add(whole, getFunctionExpr("floordiv", rest, rhs));
}

SymExprAttr txc::tx::floorDiv(SymExprAttr lhs, int64_t rhs) {
  return floorDiv(lhs, getConstantExpr(lhs.getContext(), rhs));
}

SymExprAttr txc::tx::ceilDiv(SymExprAttr lhs, int64_t rhs) {
  return floorDiv(add(lhs, rhs - 1), rhs);
}

SymExprAttr txc::tx::mod(SymExprAttr lhs, SymExprAttr rhs) {
  return sub(lhs, mul(rhs, floorDiv(lhs, rhs)));
}

/// Nested extrema share their arguments, so their list can be exponentially
/// longer than what they are in memory.
static constexpr size_t maxOperands = 8;

/// Adds to `operands` what `expr` is an extremum of: max(a, b) + c is that of
/// a + c and b + c, and c - min(a, b) that of c - a and c - b. False if these
/// are too many.
static bool collectOperands(SymExprAttr expr, bool isMax,
                            SmallVectorImpl<SymExprAttr> &operands) {
  SymExprAttr rest;
  for (int64_t sign : {1, -1})
    if (AtomAttr inner = matchFunction(
            expr, isMax == (sign == 1) ? "max" : "min", sign, rest))
      return llvm::all_of(inner.getArguments(), [&](Attribute argument) {
        return collectOperands(
            add(rest, mul(cast<SymExprAttr>(argument), sign)), isMax, operands);
      });
  // What differs by a number from another is at least or at most that one.
  for (SymExprAttr &other : operands)
    if (std::optional<int64_t> difference = sub(expr, other).getConstant()) {
      if ((*difference >= 0) == isMax)
        other = expr;
      return true;
    }
  operands.push_back(expr);
  return operands.size() <= maxOperands;
}

static SymExprAttr extremum(StringRef function, SymExprAttr lhs,
                            SymExprAttr rhs, bool isMax) {
  if (std::optional<int64_t> difference = sub(lhs, rhs).getConstant())
    return (*difference >= 0) == isMax ? lhs : rhs;
  SmallVector<SymExprAttr> operands;
  if (!collectOperands(lhs, isMax, operands) ||
      !collectOperands(rhs, isMax, operands))
    operands = {lhs, rhs};
  llvm::sort(operands, [](SymExprAttr a, SymExprAttr b) {
    return compareExprs(a, b) < 0;
  });
  SymExprAttr result = operands.front();
  for (SymExprAttr operand : ArrayRef(operands).drop_front())
    result = getFunctionExpr(function, result, operand);
  return result;
}

SymExprAttr txc::tx::max(SymExprAttr lhs, SymExprAttr rhs) {
  return extremum("max", lhs, rhs, /*isMax=*/true);
}

SymExprAttr txc::tx::min(SymExprAttr lhs, SymExprAttr rhs) {
  return extremum("min", lhs, rhs, /*isMax=*/false);
}

//===----------------------------------------------------------------------===//
// Traversal
//===----------------------------------------------------------------------===//

static SymExprAttr applyFunction(StringRef function, SymExprAttr lhs,
                                 SymExprAttr rhs) {
  if (function == "floordiv")
    return floorDiv(lhs, rhs);
  return function == "max" ? max(lhs, rhs) : min(lhs, rhs);
}

namespace {
/// Replaces symbols by expressions. Each function is visited once, however
/// often it is mentioned: nested ones share their arguments, so what they are
/// written out can be exponentially longer than what they are in memory.
class Substitution {
public:
  explicit Substitution(const DenseMap<StringAttr, SymExprAttr> &values)
      : values(values) {}

  SymExprAttr apply(SymExprAttr expr) {
    MLIRContext *context = expr.getContext();
    SymExprAttr result = getConstantExpr(context, 0);
    for (MonomialAttr monomial : expr.getTerms()) {
      SymExprAttr term = getConstantExpr(context, monomial.getCoefficient());
      for (AtomAttr atom : monomial.getFactors())
        term = mul(term, apply(atom));
      result = add(result, term);
    }
    return result;
  }

private:
  SymExprAttr apply(AtomAttr atom) {
    if (atom.getFunction().empty()) {
      auto it = values.find(atom.getName());
      return it != values.end()
                 ? it->second
                 : getSymbolExpr(atom.getContext(), atom.getName());
    }
    if (SymExprAttr known = functions.lookup(atom))
      return known;
    SymExprAttr lhs = apply(cast<SymExprAttr>(atom.getArguments()[0]));
    SymExprAttr rhs = apply(cast<SymExprAttr>(atom.getArguments()[1]));
    return functions[atom] = applyFunction(atom.getFunction(), lhs, rhs);
  }

  const DenseMap<StringAttr, SymExprAttr> &values;
  DenseMap<AtomAttr, SymExprAttr> functions;
};

/// The value of an expression, each function's taken once.
class Evaluation {
public:
  explicit Evaluation(const DenseMap<StringAttr, int64_t> &values)
      : values(values) {}

  std::optional<int64_t> get(SymExprAttr expr) {
    int64_t result = 0;
    for (MonomialAttr monomial : expr.getTerms()) {
      int64_t term = monomial.getCoefficient();
      for (AtomAttr atom : monomial.getFactors()) {
        std::optional<int64_t> factor = get(atom);
        if (!factor || llvm::MulOverflow(term, *factor, term))
          return std::nullopt;
      }
      if (llvm::AddOverflow(result, term, result))
        return std::nullopt;
    }
    return result;
  }

private:
  std::optional<int64_t> get(AtomAttr atom) {
    if (atom.getFunction().empty()) {
      auto it = values.find(atom.getName());
      return it == values.end() ? std::nullopt
                                : std::optional<int64_t>(it->second);
    }
    if (auto it = functions.find(atom); it != functions.end())
      return it->second;
    auto lhs = get(cast<SymExprAttr>(atom.getArguments()[0]));
    auto rhs = get(cast<SymExprAttr>(atom.getArguments()[1]));
    return functions[atom] = apply(atom.getFunction(), lhs, rhs);
  }

  static std::optional<int64_t> apply(StringRef function,
                                      std::optional<int64_t> lhs,
                                      std::optional<int64_t> rhs) {
    if (!lhs || !rhs)
      return std::nullopt;
    if (function == "max")
      return std::max(*lhs, *rhs);
    if (function == "min")
      return std::min(*lhs, *rhs);
    if (*rhs == 0)
      return std::nullopt;
    return llvm::divideFloorSigned(*lhs, *rhs);
  }

  const DenseMap<StringAttr, int64_t> &values;
  DenseMap<AtomAttr, std::optional<int64_t>> functions;
};
} // namespace

SymExprAttr
txc::tx::substitute(SymExprAttr expr,
                    const DenseMap<StringAttr, SymExprAttr> &values) {
  return Substitution(values).apply(expr);
}

static void collectSymbols(SymExprAttr expr,
                           llvm::SetVector<StringAttr> &symbols,
                           DenseSet<AtomAttr> &functions) {
  for (MonomialAttr monomial : expr.getTerms())
    for (AtomAttr atom : monomial.getFactors()) {
      if (atom.getFunction().empty())
        symbols.insert(atom.getName());
      else if (functions.insert(atom).second)
        for (Attribute argument : atom.getArguments())
          collectSymbols(cast<SymExprAttr>(argument), symbols, functions);
    }
}

void txc::tx::collectSymbols(SymExprAttr expr,
                             llvm::SetVector<StringAttr> &symbols) {
  DenseSet<AtomAttr> functions;
  ::collectSymbols(expr, symbols, functions);
}

std::optional<int64_t>
txc::tx::evaluate(SymExprAttr expr,
                  const DenseMap<StringAttr, int64_t> &values) {
  return Evaluation(values).get(expr);
}
