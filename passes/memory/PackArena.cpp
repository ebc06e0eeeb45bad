//===- PackArena.cpp - offsets of tensors that share memory --------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/memory/PackArena.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

/// The largest number of polynomials an offset is the maximum of.
constexpr size_t kMaxTerms = 6;

namespace {
/// The maximum of some polynomials, none of which is known to be at most
/// another one. Flat: nested, the maxima of each tensor would hold those of the
/// tensors below it, each several times.
using Maximum = SmallVector<SymExprAttr, 4>;

/// Where a tensor begins and ends: expressions, and their typical values.
struct Place {
  Maximum begin, end;
  int64_t typicalBegin = 0, typicalEnd = 0;
};

class ArenaPacker {
public:
  ArenaPacker(MLIRContext *context, ArrayRef<ArenaTensor> tensors,
              const tx::SymbolBounds &bounds,
              function_ref<int64_t(SymExprAttr)> estimate)
      : zero(tx::getConstantExpr(context, 0)), tensors(tensors), bounds(bounds),
        estimate(estimate), places(tensors.size()) {}

  PackedArena pack();

private:
  SmallVector<unsigned> getOrder() const;
  SmallVector<Place> getConflicts(unsigned tensor,
                                  ArrayRef<unsigned> placed) const;
  Maximum findOffset(SymExprAttr bytes, ArrayRef<Place> conflicts) const;
  Maximum getEnd(ArrayRef<Place> all) const;
  Place makePlace(const Maximum &begin, SymExprAttr bytes) const;

  void include(Maximum &maximum, SymExprAttr expr) const;
  void shorten(Maximum &maximum) const;
  SymExprAttr cover(SymExprAttr lhs, SymExprAttr rhs) const;
  bool isAtMost(SymExprAttr lhs, SymExprAttr rhs) const {
    return bounds.compare(tx::Predicate::le, lhs, rhs) == true;
  }
  bool isAtMost(const Maximum &lhs, const Maximum &rhs) const;
  int64_t estimateMaximum(const Maximum &maximum) const;
  SymExprAttr toExpr(const Maximum &maximum) const;

  SymExprAttr zero;
  ArrayRef<ArenaTensor> tensors;
  const tx::SymbolBounds &bounds;
  function_ref<int64_t(SymExprAttr)> estimate;
  SmallVector<Place> places;
};
} // namespace

/// Enough for the maxima to compare so; not needed.
bool ArenaPacker::isAtMost(const Maximum &lhs, const Maximum &rhs) const {
  return llvm::all_of(lhs, [&](SymExprAttr a) {
    return llvm::any_of(rhs, [&](SymExprAttr b) { return isAtMost(a, b); });
  });
}

int64_t ArenaPacker::estimateMaximum(const Maximum &maximum) const {
  int64_t result = 0;
  for (SymExprAttr expr : maximum)
    result = std::max(result, estimate(expr));
  return result;
}

SymExprAttr ArenaPacker::toExpr(const Maximum &maximum) const {
  SymExprAttr result = zero;
  for (SymExprAttr expr : maximum)
    result = result == zero ? expr : max(result, expr);
  return result;
}

void ArenaPacker::include(Maximum &maximum, SymExprAttr expr) const {
  for (SymExprAttr other : maximum)
    if (isAtMost(expr, other))
      return;
  llvm::erase_if(maximum,
                 [&](SymExprAttr other) { return isAtMost(other, expr); });
  maximum.push_back(expr);
  if (maximum.size() > kMaxTerms)
    shorten(maximum);
}

/// A polynomial that is at least both, with the larger one of the two's terms
/// for each product of symbols; null if that can't be told.
SymExprAttr ArenaPacker::cover(SymExprAttr lhs, SymExprAttr rhs) const {
  MLIRContext *context = zero.getContext();
  llvm::MapVector<ArrayRef<tx::AtomAttr>, std::pair<int64_t, int64_t>> pairs;
  for (tx::MonomialAttr monomial : lhs.getTerms())
    pairs[monomial.getFactors()].first = monomial.getCoefficient();
  for (tx::MonomialAttr monomial : rhs.getTerms())
    pairs[monomial.getFactors()].second = monomial.getCoefficient();
  SymExprAttr sum = zero;
  for (auto [atoms, pair] : pairs) {
    auto product =
        tx::SymExprAttr::get(context, tx::MonomialAttr::get(context, 1, atoms));
    auto [a, b] = pair;
    if (a != b && isAtMost(zero, product))
      a = std::max(a, b);
    else if (a != b && isAtMost(product, zero))
      a = std::min(a, b);
    else if (a != b)
      return nullptr;
    sum = add(sum, mul(product, a));
  }
  return sum;
}

/// Replaces two polynomials by one that covers them: the two where that wastes
/// least.
void ArenaPacker::shorten(Maximum &maximum) const {
  SymExprAttr best;
  std::pair<size_t, size_t> pair;
  for (size_t i = 0; i < maximum.size(); ++i)
    for (size_t j = 0; j < i; ++j) {
      SymExprAttr sum = cover(maximum[i], maximum[j]);
      if (sum && (!best || estimate(sum) < estimate(best))) {
        best = sum;
        pair = {i, j};
      }
    }
  if (!best) {
    // Something may be negative, so only a function is at least both.
    pair = {1, 0};
    best = max(maximum[0], maximum[1]);
  }
  maximum.erase(maximum.begin() + pair.first);
  maximum.erase(maximum.begin() + pair.second);
  include(maximum, best);
}

SmallVector<unsigned> ArenaPacker::getOrder() const {
  SmallVector<std::tuple<unsigned, int64_t, unsigned>> keys;
  for (auto [i, tensor] : llvm::enumerate(tensors))
    keys.emplace_back(tensor.stage, -estimate(tensor.bytes), i);
  llvm::sort(keys);
  return llvm::map_to_vector(keys, [](auto key) { return std::get<2>(key); });
}

/// The places that are taken while the tensor is needed. Equal layers of a
/// model have equal places: each is there once.
SmallVector<Place> ArenaPacker::getConflicts(unsigned number,
                                             ArrayRef<unsigned> placed) const {
  const ArenaTensor &tensor = tensors[number];
  llvm::DenseSet<std::pair<ArrayRef<SymExprAttr>, ArrayRef<SymExprAttr>>> seen;
  SmallVector<Place> conflicts;
  for (unsigned other : placed) {
    const Place &place = places[other];
    bool isApart = tensors[other].last < tensor.first ||
                   tensor.last < tensors[other].first;
    if (!isApart && seen.insert({place.begin, place.end}).second)
      conflicts.push_back(place);
  }
  return conflicts;
}

Place ArenaPacker::makePlace(const Maximum &begin, SymExprAttr bytes) const {
  Maximum end = llvm::map_to_vector<4>(
      begin, [&](SymExprAttr expr) { return add(expr, bytes); });
  return {begin, end, estimateMaximum(begin), estimateMaximum(end)};
}

/// At least the end of all of them.
Maximum ArenaPacker::getEnd(ArrayRef<Place> all) const {
  Maximum end = {zero};
  for (const Place &place : all)
    for (SymExprAttr expr : place.end)
      include(end, expr);
  return end;
}

Maximum ArenaPacker::findOffset(SymExprAttr bytes,
                                ArrayRef<Place> conflicts) const {
  // A gap begins where a tensor ends.
  SmallVector<Place> candidates = {makePlace({zero}, bytes)};
  for (const Place &conflict : conflicts)
    candidates.push_back(makePlace(conflict.end, bytes));
  auto order = llvm::to_vector(llvm::seq<size_t>(candidates.size()));
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::pair(candidates[a].typicalBegin, a) <
           std::pair(candidates[b].typicalBegin, b);
  });
  // Numbers rule out most candidates; what holds for them has to be proven.
  auto fitsTypically = [](const Place &candidate, const Place &conflict) {
    return candidate.typicalEnd <= conflict.typicalBegin ||
           conflict.typicalEnd <= candidate.typicalBegin;
  };
  auto fitsAlways = [&](const Place &candidate, const Place &conflict) {
    return isAtMost(conflict.end, candidate.begin) ||
           isAtMost(candidate.end, conflict.begin);
  };
  for (size_t number : order) {
    const Place &candidate = candidates[number];
    auto fits = [&](auto test) {
      return llvm::all_of(conflicts, [&](const Place &conflict) {
        return test(candidate, conflict);
      });
    };
    if (fits(fitsTypically) && fits(fitsAlways))
      return candidate.begin;
  }
  return getEnd(conflicts);
}

PackedArena ArenaPacker::pack() {
  SmallVector<unsigned> placed;
  for (unsigned number : getOrder()) {
    SymExprAttr bytes = tensors[number].bytes;
    places[number] =
        makePlace(findOffset(bytes, getConflicts(number, placed)), bytes);
    placed.push_back(number);
  }
  PackedArena arena;
  for (const Place &place : places)
    arena.offsets.push_back(toExpr(place.begin));
  arena.bytes = toExpr(getEnd(places));
  return arena;
}

PackedArena txc::packArena(MLIRContext *context, ArrayRef<ArenaTensor> tensors,
                           const tx::SymbolBounds &bounds,
                           function_ref<int64_t(SymExprAttr)> estimate) {
  return ArenaPacker(context, tensors, bounds, estimate).pack();
}
