//===- ChooseDims.cpp - shapes that a model takes ------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/driver/ChooseDims.h"
#include "dialects/tx/Tx.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

namespace {

struct Requirement {
  SymExprAttr lhs;
  StringRef relation;
  SymExprAttr rhs;

  /// `gap` is lhs - rhs.
  bool holdsAt(int64_t gap) const {
    return relation == "eq" ? gap == 0 : relation == "le" ? gap <= 0 : gap != 0;
  }
};

class DimChooser {
public:
  explicit DimChooser(ModuleOp module);

  std::optional<SymbolValues> choose(const DimWish &wish);

private:
  void wishFor(const DimWish &wish);
  std::optional<int64_t> getGap(const Requirement &requirement) const;
  bool isMet(const Requirement &requirement) const;
  bool meet(const Requirement &requirement);
  bool solveFor(StringAttr symbol, const Requirement &requirement);

  tx::SymbolBounds bounds;
  std::vector<Requirement> requirements;
  llvm::SetVector<StringAttr> symbols;
  llvm::DenseSet<StringAttr> outerSymbols;
  SymbolValues values;
};

} // namespace

DimChooser::DimChooser(ModuleOp module) : bounds(tx::getSymbolBounds(module)) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  for (Type type : main.getArgumentTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor)
      continue;
    for (auto [axis, dim] : llvm::enumerate(tx::getDims(tensor))) {
      llvm::SetVector<StringAttr> found;
      collectSymbols(dim, found);
      symbols.insert(found.begin(), found.end());
      if (axis == 0)
        outerSymbols.insert(found.begin(), found.end());
    }
  }
  if (auto list = module->getAttrOfType<ArrayAttr>("tx.requirements"))
    for (auto fields : list.getAsRange<ArrayAttr>())
      requirements.push_back({cast<SymExprAttr>(fields[0]),
                              cast<StringAttr>(fields[1]).getValue(),
                              cast<SymExprAttr>(fields[2])});
}

void DimChooser::wishFor(const DimWish &wish) {
  values.clear();
  int64_t inner = wish.inner;
  for (StringAttr symbol : symbols) {
    bool isOuter = outerSymbols.contains(symbol);
    tx::SymbolBounds::Range range = bounds.get(symbol);
    int64_t value = std::max(isOuter ? wish.outer : inner, range.lower);
    values[symbol] = range.upper ? std::min(value, *range.upper) : value;
    if (!isOuter)
      inner += wish.step;
  }
}

/// lhs - rhs; nothing where only a run gives a symbol its value.
std::optional<int64_t>
DimChooser::getGap(const Requirement &requirement) const {
  std::optional<int64_t> lhs = evaluate(requirement.lhs, values);
  std::optional<int64_t> rhs = evaluate(requirement.rhs, values);
  if (!lhs || !rhs)
    return std::nullopt;
  return *lhs - *rhs;
}

bool DimChooser::isMet(const Requirement &requirement) const {
  std::optional<int64_t> gap = getGap(requirement);
  return !gap || requirement.holdsAt(*gap);
}

/// Gives a symbol the nearest value with which the requirement holds, if the
/// two sides are linear in it.
bool DimChooser::solveFor(StringAttr symbol, const Requirement &requirement) {
  int64_t &value = values[symbol];
  int64_t old = value;
  int64_t gap = *getGap(requirement);
  ++value;
  int64_t slope = getGap(requirement).value_or(gap) - gap;
  value = old;
  if (slope == 0)
    return false;
  if (requirement.relation == "ne")
    ++value;
  else if (requirement.relation == "eq")
    value -= gap / slope;
  else
    value -=
        (slope > 0 ? 1 : -1) * llvm::divideCeilSigned(gap, std::abs(slope));
  tx::SymbolBounds::Range range = bounds.get(symbol);
  bool isInside =
      value >= range.lower && (!range.upper || value <= *range.upper);
  if (isInside && isMet(requirement))
    return true;
  value = old;
  return false;
}

/// Changes one symbol of an unmet requirement, of its right side if that helps.
bool DimChooser::meet(const Requirement &requirement) {
  llvm::SetVector<StringAttr> found;
  collectSymbols(requirement.rhs, found);
  collectSymbols(requirement.lhs, found);
  return llvm::any_of(found, [&](StringAttr symbol) {
    return symbols.contains(symbol) && solveFor(symbol, requirement);
  });
}

std::optional<SymbolValues> DimChooser::choose(const DimWish &wish) {
  // What meets one requirement may break another one.
  static constexpr int numRounds = 8;
  wishFor(wish);
  for (int round = 0; round < numRounds; ++round) {
    bool changed = false;
    for (const Requirement &requirement : requirements) {
      if (isMet(requirement))
        continue;
      if (!meet(requirement))
        return std::nullopt;
      changed = true;
    }
    if (!changed)
      return values;
  }
  return std::nullopt;
}

std::optional<SymbolValues> txc::chooseDims(ModuleOp module,
                                            const DimWish &wish) {
  return DimChooser(module).choose(wish);
}
