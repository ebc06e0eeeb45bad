//===- PackArena.cpp - offsets of tensors that share memory --------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/memory/PackArena.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

namespace {
/// Where a tensor begins and ends: expressions, and their typical values.
struct Place {
  SymExprAttr begin, end;
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
  SymExprAttr findOffset(SymExprAttr bytes, ArrayRef<Place> conflicts) const;
  SymExprAttr getEnd(ArrayRef<Place> all) const;
  Place makePlace(SymExprAttr begin, SymExprAttr bytes) const;
  bool isAtMost(SymExprAttr lhs, SymExprAttr rhs) const {
    return bounds.compare(tx::Predicate::le, lhs, rhs) == true;
  }

  SymExprAttr zero;
  ArrayRef<ArenaTensor> tensors;
  const tx::SymbolBounds &bounds;
  function_ref<int64_t(SymExprAttr)> estimate;
  SmallVector<Place> places;
};
} // namespace

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
  llvm::SetVector<std::pair<SymExprAttr, SymExprAttr>> seen;
  SmallVector<Place> conflicts;
  for (unsigned other : placed) {
    const Place &place = places[other];
    bool isApart = tensors[other].last < tensor.first ||
                   tensor.last < tensors[other].first;
    if (!isApart && seen.insert({place.begin, place.end}))
      conflicts.push_back(place);
  }
  return conflicts;
}

Place ArenaPacker::makePlace(SymExprAttr begin, SymExprAttr bytes) const {
  SymExprAttr end = add(begin, bytes);
  return {begin, end, estimate(begin), estimate(end)};
}

/// An expression that is at least the end of all of them.
SymExprAttr ArenaPacker::getEnd(ArrayRef<Place> all) const {
  SymExprAttr end = zero;
  for (const Place &place : all)
    if (isAtMost(end, place.end))
      end = place.end;
    else if (!isAtMost(place.end, end))
      end = max(end, place.end);
  return end;
}

SymExprAttr ArenaPacker::findOffset(SymExprAttr bytes,
                                    ArrayRef<Place> conflicts) const {
  // A gap begins where a tensor ends.
  SmallVector<Place> candidates = {makePlace(zero, bytes)};
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
    SymExprAttr offset = findOffset(bytes, getConflicts(number, placed));
    places[number] = makePlace(offset, bytes);
    placed.push_back(number);
  }
  PackedArena arena;
  for (const Place &place : places)
    arena.offsets.push_back(place.begin);
  arena.bytes = getEnd(places);
  return arena;
}

PackedArena txc::packArena(MLIRContext *context, ArrayRef<ArenaTensor> tensors,
                           const tx::SymbolBounds &bounds,
                           function_ref<int64_t(SymExprAttr)> estimate) {
  return ArenaPacker(context, tensors, bounds, estimate).pack();
}
