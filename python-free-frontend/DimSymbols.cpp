//===- DimSymbols.cpp - the symbolic dims of a module under construction --===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/DimSymbols.h"
#include "mlir/IR/AttrTypeSubElements.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::MonomialAttr;
using tx::Predicate;
using tx::SymExprAttr;

DimSymbols::DimSymbols(ModuleOp module, ArrayRef<DimOption> options)
    : module(module), context(module.getContext()), options(options) {}

//===----------------------------------------------------------------------===//
// Declaration
//===----------------------------------------------------------------------===//

SymExprAttr DimSymbols::declare(StringRef text) {
  const auto *option = llvm::find_if(
      options, [&](const DimOption &option) { return option.name == text; });
  namesInUse.insert(text);
  if (option != options.end() && option->upper == option->lower)
    return tx::getConstantExpr(context, option->lower);
  if (!isDimName(text) && option == options.end())
    if (SymExprAttr expr = parseDimText(context, text, names)) {
      // A name in it may be fixed or not declared yet.
      llvm::SetVector<StringAttr> mentioned;
      tx::collectSymbols(expr, mentioned);
      llvm::DenseMap<StringAttr, SymExprAttr> values;
      for (StringAttr name : mentioned)
        values[name] = declare(name);
      return tx::substitute(expr, values);
    }
  auto symbol = StringAttr::get(context, text);
  if (symbols.insert(symbol) && option != options.end()) {
    symbolBounds.set(symbol, {option->lower, option->upper});
    globalBounds.set(symbol, {option->lower, option->upper});
  }
  return tx::getSymbolExpr(context, text);
}

SymExprAttr DimSymbols::declareRunTime(StringRef hint,
                                       tx::SymbolBounds::Range range) {
  std::string name = hint.str();
  for (unsigned number = 2; !namesInUse.insert(name).second; ++number)
    name = (hint + "." + Twine(number)).str();
  auto symbol = StringAttr::get(context, name);
  symbols.insert(symbol);
  runTimeSymbols.insert(symbol);
  symbolBounds.set(symbol, range);
  globalBounds.set(symbol, range);
  writeSymbols();
  return tx::getSymbolExpr(context, name);
}

/// The name in \p names that is spelled most like \p name; empty if none is.
static StringRef findNearest(StringRef name, const llvm::StringSet<> &names) {
  StringRef nearest;
  unsigned least = name.size() / 2 + 1;
  for (const auto &candidate : names) {
    unsigned distance = name.edit_distance(candidate.getKey());
    if (distance < least) {
      least = distance;
      nearest = candidate.getKey();
    }
  }
  return nearest;
}

void DimSymbols::publish(std::vector<ImportProblem> &problems) {
  for (const DimOption &option : options) {
    if (namesInUse.contains(option.name))
      continue;
    ImportProblem problem;
    problem.reason = "no input has a dim \"" + option.name + "\"";
    StringRef nearest = findNearest(option.name, namesInUse);
    SmallVector<StringRef> all;
    for (const auto &name : namesInUse)
      all.push_back(name.getKey());
    llvm::sort(all);
    if (!nearest.empty())
      problem.advice = ("-dim " + nearest).str();
    else if (!all.empty())
      problem.advice = "one of " + llvm::join(all, ", ");
    problems.push_back(std::move(problem));
  }
  writeSymbols();
}

void DimSymbols::writeSymbols() {
  Builder builder(context);
  SmallVector<NamedAttribute> ranges;
  for (StringAttr symbol : symbols) {
    tx::SymbolBounds::Range range = globalBounds.get(symbol);
    SmallVector<Attribute> ends = {builder.getI64IntegerAttr(range.lower)};
    if (range.upper)
      ends.push_back(builder.getI64IntegerAttr(*range.upper));
    ranges.emplace_back(symbol, builder.getArrayAttr(ends));
  }
  module->setAttr("tx.symbols", builder.getDictionaryAttr(ranges));
}

//===----------------------------------------------------------------------===//
// Equal dims
//===----------------------------------------------------------------------===//

/// \p difference without the factors that all its terms share: a dim that makes
/// it zero whatever the others are makes the quotient zero.
static SymExprAttr dropCommonFactors(SymExprAttr difference) {
  ArrayRef<MonomialAttr> terms = difference.getTerms();
  for (tx::AtomAttr atom : terms.front().getFactors()) {
    bool isCommon = atom.getFunction().empty() &&
                    llvm::all_of(terms, [&](MonomialAttr term) {
                      return llvm::is_contained(term.getFactors(), atom);
                    });
    if (!isCommon)
      continue;
    SymExprAttr symbol =
        tx::getSymbolExpr(difference.getContext(), atom.getName());
    return dropCommonFactors(tx::divideExactly(difference, symbol));
  }
  return difference;
}

/// The value that makes `difference` zero for the symbol of its term `term`, if
/// the symbol occurs there only and divides out.
static SymExprAttr solveFor(SymExprAttr difference, MonomialAttr term) {
  if (term.getFactors().size() != 1 ||
      !term.getFactors().front().getFunction().empty())
    return nullptr;
  StringAttr symbol = term.getFactors().front().getName();
  MLIRContext *context = difference.getContext();
  SymExprAttr linear =
      tx::mul(tx::getSymbolExpr(context, symbol), term.getCoefficient());
  SymExprAttr rest = tx::sub(linear, difference);
  llvm::SetVector<StringAttr> others;
  tx::collectSymbols(rest, others);
  if (others.contains(symbol))
    return nullptr;
  return tx::divideExactly(rest,
                           tx::getConstantExpr(context, term.getCoefficient()));
}

/// Whether the expression is known only after the symbol: it mentions a
/// run-time symbol that was declared behind it.
bool DimSymbols::mentionsLater(SymExprAttr expr, StringAttr symbol) const {
  llvm::SetVector<StringAttr> mentioned;
  tx::collectSymbols(expr, mentioned);
  auto order = [&](StringAttr name) { return llvm::find(symbols, name); };
  return llvm::any_of(mentioned, [&](StringAttr other) {
    return runTimeSymbols.contains(other) &&
           (!runTimeSymbols.contains(symbol) || order(other) > order(symbol));
  });
}

LogicalResult DimSymbols::unify(SymExprAttr lhs, SymExprAttr rhs) {
  if (lhs == rhs)
    return success();
  SymExprAttr difference = dropCommonFactors(tx::sub(lhs, rhs));
  // Prefer the symbol that was declared last: the first inputs keep their dims.
  StringAttr best;
  SymExprAttr bestValue;
  bool bestIsPlain = false;
  for (MonomialAttr term : difference.getTerms()) {
    SymExprAttr value = solveFor(difference, term);
    if (!value || symbolBounds.upperBound(value).value_or(0) < 0)
      continue;
    StringAttr symbol = term.getFactors().front().getName();
    if (mentionsLater(value, symbol))
      continue;
    // `total = past + seq` rather than `past = total - seq`.
    SymExprAttr plain = tx::getSymbolExpr(context, symbol);
    bool isPlain = lhs == plain || rhs == plain;
    auto order = [&](StringAttr name) { return llvm::find(symbols, name); };
    if (best && (isPlain < bestIsPlain ||
                 (isPlain == bestIsPlain && order(symbol) < order(best))))
      continue;
    best = symbol;
    bestValue = value;
    bestIsPlain = isPlain;
  }
  return success(best && eliminate(best, bestValue));
}

bool DimSymbols::eliminate(StringAttr symbol, SymExprAttr value) {
  tx::SymbolBounds::Range range = symbolBounds.get(symbol);
  SymExprAttr lower = tx::getConstantExpr(context, range.lower);
  if (symbolBounds.compare(Predicate::lt, value, lower).value_or(false))
    return false;
  SymExprAttr upper =
      range.upper ? tx::getConstantExpr(context, *range.upper) : nullptr;
  if (upper &&
      symbolBounds.compare(Predicate::gt, value, upper).value_or(false))
    return false;
  substituteEverywhere(symbol, value);
  SymExprAttr plain = tx::getSymbolExpr(context, symbol);
  if (scope) {
    addRequirement(plain, Predicate::eq, value,
                   "the dim " + symbol.getValue() + " is other than " +
                       value.str());
    return true;
  }
  if (runTimeSymbols.contains(symbol))
    addRequirement(plain, Predicate::eq, value,
                   "the data make " + symbol.getValue() + " other than " +
                       value.str());
  // The bounds that the symbol had now hold for the value.
  std::string sentence =
      (llvm::Twine("the dim ") + symbol.getValue() + " is out of its range")
          .str();
  (void)require(lower, Predicate::le, value, sentence);
  if (upper)
    (void)require(value, Predicate::le, upper, sentence);
  writeSymbols();
  return true;
}

void DimSymbols::substituteEverywhere(StringAttr symbol, SymExprAttr value) {
  if (!scope && !runTimeSymbols.contains(symbol))
    symbols.remove(symbol);
  llvm::DenseMap<StringAttr, SymExprAttr> values = {{symbol, value}};
  for (auto &[other, expr] : eliminated)
    expr = tx::substitute(expr, values);
  eliminated[symbol] = value;
  if (!scope)
    for (Requirement &requirement : requirements) {
      requirement.lhs = tx::substitute(requirement.lhs, values);
      requirement.rhs = tx::substitute(requirement.rhs, values);
    }
  using TypeResult = std::pair<Type, WalkResult>;
  using AttributeResult = std::pair<Attribute, WalkResult>;
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](SymExprAttr expr) {
    return AttributeResult(tx::substitute(expr, values), WalkResult::skip());
  });
  replacer.addReplacement([&](RankedTensorType type) {
    if (!type.getEncoding())
      return TypeResult(type, WalkResult::skip());
    SmallVector<SymExprAttr> dims = tx::getDims(type);
    for (SymExprAttr &dim : dims)
      dim = tx::substitute(dim, values);
    return TypeResult(tx::getTensorType(dims, type.getElementType()),
                      WalkResult::skip());
  });
  auto replaceIn = [&](Operation *op) {
    replacer.recursivelyReplaceElementsIn(op, /*replaceAttrs=*/true,
                                          /*replaceLocs=*/false,
                                          /*replaceTypes=*/true);
  };
  if (!scope)
    return replaceIn(module);
  for (Operation &op : scope->getOps())
    replaceIn(&op);
}

//===----------------------------------------------------------------------===//
// Scopes
//===----------------------------------------------------------------------===//

DimSymbols DimSymbols::enterScope(Region &region) {
  DimSymbols outer = *this;
  scope = &region;
  return outer;
}

void DimSymbols::leaveScope(const DimSymbols &outer) {
  eliminated = outer.eliminated;
  symbolBounds = outer.symbolBounds;
  for (StringAttr symbol : runTimeSymbols)
    if (!outer.runTimeSymbols.contains(symbol))
      symbolBounds.set(symbol, globalBounds.get(symbol));
  scope = outer.scope;
}

void DimSymbols::dropScope(const DimSymbols &outer) {
  *this = outer;
  writeSymbols();
}

//===----------------------------------------------------------------------===//
// Requirements
//===----------------------------------------------------------------------===//

/// Whether `lhs <= rhs` says of one symbol that it has a bound; narrows it
/// then.
static bool narrow(tx::SymbolBounds &bounds, SymExprAttr lhs, SymExprAttr rhs) {
  // 0 <= rest + coefficient * symbol.
  SymExprAttr difference = tx::sub(rhs, lhs);
  llvm::SetVector<StringAttr> symbols;
  tx::collectSymbols(difference, symbols);
  if (symbols.size() != 1)
    return false;
  SymExprAttr symbol = tx::getSymbolExpr(lhs.getContext(), symbols[0]);
  tx::SymbolBounds::Range range = bounds.get(symbols[0]);
  if (auto rest = tx::sub(difference, symbol).getConstant())
    range.lower = std::max(range.lower, -*rest);
  else if (auto rest = tx::add(difference, symbol).getConstant())
    range.upper = std::min(range.upper.value_or(*rest), *rest);
  else
    return false;
  bounds.set(symbols[0], range);
  return true;
}

/// In a scope it is a check behind the last definition of what it mentions.
void DimSymbols::addRequirement(SymExprAttr lhs, Predicate predicate,
                                SymExprAttr rhs, const Twine &sentence) {
  if (!scope) {
    requirements.push_back({lhs, predicate, rhs, sentence.str()});
    return;
  }
  llvm::SetVector<StringAttr> mentioned;
  tx::collectSymbols(lhs, mentioned);
  tx::collectSymbols(rhs, mentioned);
  OpBuilder b = OpBuilder::atBlockBegin(&scope->front());
  for (Operation &op : scope->front())
    if (llvm::any_of(tx::getDefinedSymbols(&op), [&](StringAttr symbol) {
          return mentioned.contains(symbol);
        }))
      b.setInsertionPointAfter(&op);
  tx::RequireOp::create(b, scope->getLoc(), lhs, predicate, rhs,
                        sentence.str());
}

LogicalResult DimSymbols::require(SymExprAttr lhs, Predicate predicate,
                                  SymExprAttr rhs, const Twine &sentence) {
  if (std::optional<bool> known = symbolBounds.compare(predicate, lhs, rhs))
    return success(*known);
  bool isRange = predicate == Predicate::le && narrow(symbolBounds, lhs, rhs);
  if (isRange && !scope) {
    globalBounds = symbolBounds;
    writeSymbols();
    return success();
  }
  addRequirement(lhs, predicate, rhs, sentence);
  return success();
}

/// Whether a requirement holds in any run; after a unification it may.
static bool alwaysHolds(const tx::SymbolBounds &bounds, SymExprAttr lhs,
                        Predicate predicate, SymExprAttr rhs) {
  if (bounds.compare(predicate, lhs, rhs).value_or(false))
    return true;
  // x <= x * x for all integers.
  return predicate == Predicate::le && tx::mul(lhs, lhs) == rhs;
}

void DimSymbols::finish() {
  writeSymbols();
  Builder builder(context);
  SmallVector<Attribute> list;
  for (const Requirement &requirement : requirements) {
    if (alwaysHolds(symbolBounds, requirement.lhs, requirement.predicate,
                    requirement.rhs))
      continue;
    list.push_back(builder.getArrayAttr(
        {requirement.lhs,
         builder.getStringAttr(tx::stringifyPredicate(requirement.predicate)),
         requirement.rhs, builder.getStringAttr(requirement.sentence)}));
  }
  module->setAttr("tx.requirements", builder.getArrayAttr(list));
}
