//===- ControlFlow.cpp - branches and loops that a run decides ------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The members of GraphImporter that build ops with regions from subgraphs.
//
//===----------------------------------------------------------------------===//

#include "python-free-frontend/GraphImporter.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::SymExprAttr;

/// What a region uses of a value around it. Dims get an op of their own, a
/// reshape to what they are: so they can be solved for in the region alone.
/// What is known is known in the region.
Value GraphImporter::capture(Block &block, Value value) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&block);
  Operation *op = value.getDefiningOp();
  if (isa_and_present<tx::ConstantOp, tx::SymbolicOp, tx::WeightOp>(op))
    return builder.clone(*op)->getResult(0);
  if (typeOf(value).hasStaticShape())
    return value;
  return tx::ReshapeOp::create(builder, value.getLoc(), value.getType(), value);
}

static StringAttr getName(SymExprAttr symbol) {
  return symbol.getTerms().front().getFactors().front().getName();
}

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

namespace {
/// The dims of a branch's results that the other branch has different ones for.
struct BranchDims {
  SmallVector<Attribute> symbols;
  SmallVector<Attribute> thenExprs, elseExprs;
};
} // namespace

/// Whether the expression is known where the region is not run.
static bool isKnownOutside(SymExprAttr expr, Region &region) {
  llvm::SetVector<StringAttr> mentioned;
  tx::collectSymbols(expr, mentioned);
  WalkResult result = region.walk([&](Operation *op) {
    return llvm::any_of(
               tx::getDefinedSymbols(op),
               [&](StringAttr symbol) { return mentioned.contains(symbol); })
               ? WalkResult::interrupt()
               : WalkResult::advance();
  });
  return !result.wasInterrupted();
}

NodeResults GraphImporter::importIf(Frame &frame, const onnx::Node &node,
                                    Value condition,
                                    const onnx::Graph &thenGraph,
                                    const onnx::Graph &elseGraph) {
  OpBuilder::InsertionGuard guard(builder);
  Location loc = getLoc(frame, node);
  // The types of the results are known when the branches are.
  auto draft =
      tx::IfOp::create(builder, loc, TypeRange(), condition, ArrayAttr());
  auto fail = [&](const Twine &reason) {
    draft.erase();
    if (!reason.isTriviallyEmpty())
      report(frame, &node, reason);
    return NodeResults();
  };
  SmallVector<NodeResults> branches;
  for (const onnx::Graph *graph : {&thenGraph, &elseGraph}) {
    Region &region = draft->getRegion(branches.size());
    Frame body;
    body.parent = &frame;
    body.block = builder.createBlock(&region);
    auto knownSymbols = runTimeSymbols;
    DimSymbols outer = symbols.enterScope(region);
    branches.push_back(importGraph(body, *graph, {}));
    symbols.leaveScope(outer);
    runTimeSymbols = std::move(knownSymbols);
    if (branches.back().failed())
      return fail("");
  }
  ArrayRef<Value> thenValues = branches[0].getValues();
  ArrayRef<Value> elseValues = branches[1].getValues();
  if (thenValues.size() != elseValues.size())
    return fail("its branches have different numbers of outputs");

  BranchDims dims;
  SmallVector<Type> types;
  llvm::DenseMap<std::pair<SymExprAttr, SymExprAttr>, SymExprAttr> merged;
  for (auto [i, x, y] : llvm::enumerate(thenValues, elseValues)) {
    if (typeOf(x).getRank() != typeOf(y).getRank() ||
        typeOf(x).getElementType() != typeOf(y).getElementType())
      return fail("its branches give output " + Twine(i) +
                  " different element types or numbers of dims");
    Exprs result;
    for (auto [axis, pair] : llvm::enumerate(
             llvm::zip(tx::getDims(typeOf(x)), tx::getDims(typeOf(y))))) {
      auto [a, b] = pair;
      if (a == b && isKnownOutside(a, draft.getThenRegion())) {
        result.push_back(a);
        continue;
      }
      SymExprAttr &symbol = merged[{a, b}];
      if (!symbol) {
        symbol = symbols.declareRunTime(
            (node.outputs[i] + "." + Twine(axis)).str(), {});
        dims.symbols.push_back(getName(symbol));
        dims.thenExprs.push_back(a);
        dims.elseExprs.push_back(b);
      }
      result.push_back(symbol);
    }
    types.push_back(tx::getTensorType(result, typeOf(x).getElementType()));
  }
  builder.setInsertionPoint(draft);
  auto op = tx::IfOp::create(builder, loc, types, condition,
                             builder.getArrayAttr(dims.symbols));
  for (unsigned i : {0, 1}) {
    Region &region = op->getRegion(i);
    region.takeBody(draft->getRegion(i));
    builder.setInsertionPointToEnd(&region.front());
    tx::YieldOp::create(
        builder, loc, branches[i].getValues(),
        builder.getArrayAttr(i == 0 ? dims.thenExprs : dims.elseExprs));
  }
  draft.erase();
  return NodeResults(llvm::to_vector_of<Value>(op.getResults()));
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

namespace {
/// One try at a loop: which dims of carried values change is known when its
/// body is built.
class LoopDraft {
public:
  LoopDraft(OpBuilder &builder, DimSymbols &symbols, Location loc,
            StringRef name, const LoopParts &parts,
            ArrayRef<SmallVector<bool>> varies);

  /// Notes which dims of the next carried values are others; whether there are
  /// any that were not expected to be.
  bool findChanges(ArrayRef<Value> next, const DimSymbols &symbols,
                   MutableArrayRef<SmallVector<bool>> varies) const;
  /// The dims of the next carried values that are the loop's symbols.
  void setNext(ArrayRef<Value> next, ArrayRef<SmallVector<bool>> varies);
  /// Carries a number that the symbols tell, as a scalar.
  void carry(SymExprAttr expr);
  /// Whether the expression changes from one iteration to the next.
  bool changes(SymExprAttr expr) const;

  tx::LoopOp op;
  SymExprAttr index;
  SmallVector<Attribute> names, starts, nextExprs;
  SmallVector<Value> inits, next;

private:
  Value makeScalar(SymExprAttr expr);

  OpBuilder &builder;
  Location loc;
};
} // namespace

LoopDraft::LoopDraft(OpBuilder &builder, DimSymbols &symbols, Location loc,
                     StringRef name, const LoopParts &parts,
                     ArrayRef<SmallVector<bool>> varies)
    : index(symbols.declareRunTime((name + ".index").str(), {})),
      inits(parts.inits), builder(builder), loc(loc) {
  SmallVector<Type> types;
  for (auto [init, changing] : llvm::zip_equal(inits, varies)) {
    Exprs dims = tx::getDims(typeOf(init));
    for (auto [axis, dim] : llvm::enumerate(dims)) {
      if (!changing[axis])
        continue;
      starts.push_back(dim);
      dim = symbols.declareRunTime((name + "." + Twine(axis)).str(), {});
      names.push_back(getName(dim));
    }
    types.push_back(tx::getTensorType(dims, typeOf(init).getElementType()));
  }
  op =
      tx::LoopOp::create(builder, loc, TypeRange(), Value(), ValueRange(),
                         getName(index), parts.trips, ArrayAttr(), ArrayAttr());
  builder.createBlock(&op.getBody(), {}, types,
                      SmallVector<Location>(types.size(), loc));
}

bool LoopDraft::findChanges(ArrayRef<Value> values, const DimSymbols &symbols,
                            MutableArrayRef<SmallVector<bool>> varies) const {
  bool areNew = false;
  for (auto [argument, value, changing] :
       llvm::zip_equal(op->getRegion(0).getArguments(), values, varies))
    for (auto [axis, pair] : llvm::enumerate(llvm::zip_equal(
             tx::getDims(typeOf(argument)), tx::getDims(typeOf(value))))) {
      auto [before, after] = pair;
      if (changing[axis] || symbols.resolve(before) == after)
        continue;
      changing[axis] = areNew = true;
    }
  return areNew;
}

void LoopDraft::setNext(ArrayRef<Value> values,
                        ArrayRef<SmallVector<bool>> varies) {
  next = llvm::to_vector(values);
  for (auto [value, changing] : llvm::zip_equal(values, varies))
    for (auto [axis, dim] : llvm::enumerate(tx::getDims(typeOf(value))))
      if (changing[axis])
        nextExprs.push_back(dim);
}

bool LoopDraft::changes(SymExprAttr expr) const {
  llvm::SetVector<StringAttr> mentioned;
  tx::collectSymbols(expr, mentioned);
  return llvm::any_of(mentioned, [&](StringAttr symbol) {
    return symbol == getName(index) || llvm::is_contained(names, symbol);
  });
}

Value LoopDraft::makeScalar(SymExprAttr expr) {
  auto type = RankedTensorType::get({}, builder.getI64Type());
  Attribute value = tx::getExprTensor(type, expr);
  return builder.getContext()
      ->getLoadedDialect<tx::TxDialect>()
      ->materializeConstant(builder, value, type, loc)
      ->getResult(0);
}

void LoopDraft::carry(SymExprAttr expr) {
  llvm::DenseMap<StringAttr, SymExprAttr> first, second;
  MLIRContext *context = builder.getContext();
  first[getName(index)] = tx::getConstantExpr(context, 0);
  second[getName(index)] = tx::add(index, tx::getConstantExpr(context, 1));
  for (auto [name, start, later] : llvm::zip_equal(names, starts, nextExprs)) {
    first[cast<StringAttr>(name)] = cast<SymExprAttr>(start);
    second[cast<StringAttr>(name)] = cast<SymExprAttr>(later);
  }
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(&op.getBody().front());
  next.push_back(makeScalar(tx::substitute(expr, second)));
  builder.setInsertionPoint(op);
  inits.push_back(makeScalar(tx::substitute(expr, first)));
  op.getBody().addArgument(inits.back().getType(), loc);
}

static bool isTrue(Value condition) {
  std::optional<Exprs> exprs = tx::matchExprs(condition);
  return exprs && exprs->size() == 1 && exprs->front().isConstant(1);
}

NodeResults GraphImporter::importLoop(Frame &frame, const onnx::Node &node,
                                      const LoopParts &parts, BuildLoop build) {
  OpBuilder::InsertionGuard guard(builder);
  Location loc = getLoc(frame, node);
  StringRef name = node.outputs.empty() ? StringRef() : node.outputs.front();
  size_t numCarried = parts.inits.size();
  SmallVector<SmallVector<bool>> varies;
  for (Value init : parts.inits)
    varies.emplace_back(typeOf(init).getRank(), false);
  std::optional<LoopDraft> draft;
  NodeResults built;
  auto fail = [&](const Twine &reason) {
    draft->op.erase();
    if (!reason.isTriviallyEmpty())
      report(frame, &node, reason);
    return NodeResults();
  };
  // Each try finds dims that change, of which there are not many.
  while (true) {
    OpBuilder::InsertPoint here = builder.saveInsertionPoint();
    DimSymbols before = symbols;
    auto knownSymbols = runTimeSymbols;
    draft.emplace(builder, symbols, loc, name, parts, varies);
    Block &block = draft->op.getBody().front();
    DimSymbols outer = symbols.enterScope(draft->op.getBody());
    SmallVector<Value> carried;
    for (BlockArgument argument : block.getArguments())
      carried.push_back(capture(block, argument));
    builder.setInsertionPointToEnd(&block);
    built = build(&block, draft->index, carried);
    runTimeSymbols = std::move(knownSymbols);
    if (built.failed()) {
      symbols.leaveScope(outer);
      return fail("");
    }
    ArrayRef<Value> next = built.getValues()
                               .drop_front(parts.condition ? 1 : 0)
                               .take_front(numCarried);
    for (auto [i, init, value] : llvm::enumerate(parts.inits, next)) {
      if (typeOf(init).getRank() == typeOf(value).getRank() &&
          typeOf(init).getElementType() == typeOf(value).getElementType())
        continue;
      symbols.leaveScope(outer);
      return fail("what it carries as input " + Twine(i) +
                  " changes its element type or number of dims");
    }
    if (!draft->findChanges(next, symbols, varies)) {
      draft->setNext(next, varies);
      symbols.leaveScope(outer);
      break;
    }
    draft->op.erase();
    symbols.dropScope(before);
    builder.restoreInsertionPoint(here);
  }
  ArrayRef<Value> values = built.getValues();
  Value condition = parts.condition;
  SmallVector<Value> yielded;
  if (condition) {
    if (isTrue(condition) && isTrue(values.front()) && parts.trips)
      condition = {};
    else
      yielded.push_back(values.front());
    values = values.drop_front();
  }
  Region &body = draft->op.getBody();
  SmallVector<Type> types;
  for (BlockArgument argument : body.getArguments())
    types.push_back(argument.getType());
  SmallVector<Type> stackTypes;
  ArrayRef<Value> elements = values.drop_front(numCarried);
  if (!elements.empty() && !parts.trips)
    return fail("its outputs have an element for each of any number of "
                "iterations");
  for (Value element : elements) {
    Exprs dims = tx::getDims(typeOf(element));
    for (SymExprAttr dim : dims)
      if (draft->changes(dim) || !isKnownOutside(dim, body))
        return fail("the dims of an output differ between iterations");
    dims.insert(dims.begin(), condition ? draft->index : parts.trips);
    stackTypes.push_back(
        tx::getTensorType(dims, typeOf(element).getElementType()));
  }

  // Behind the loop its symbols have other names: what is demanded of a result
  // has to hold in the end only. Scalars carry the numbers there.
  llvm::MapVector<SymExprAttr, unsigned> carriers;
  SmallVector<Type> resultTypes = types;
  llvm::append_range(resultTypes, stackTypes);
  for (Type type : resultTypes)
    for (SymExprAttr dim : tx::getDims(cast<RankedTensorType>(type)))
      if (draft->changes(dim) &&
          carriers.insert({dim, draft->inits.size()}).second) {
        draft->carry(dim);
        types.push_back(draft->inits.back().getType());
      }
  llvm::append_range(types, stackTypes);
  llvm::append_range(yielded, draft->next);
  llvm::append_range(yielded, elements);
  builder.setInsertionPointToEnd(&body.front());
  tx::YieldOp::create(builder, loc, yielded,
                      builder.getArrayAttr(draft->nextExprs));
  builder.setInsertionPoint(draft->op);
  auto op = tx::LoopOp::create(builder, loc, types, condition, draft->inits,
                               getName(draft->index), parts.trips,
                               builder.getArrayAttr(draft->names),
                               builder.getArrayAttr(draft->starts));
  op.getBody().takeBody(body);
  draft->op.erase();
  builder.setInsertionPointAfter(op);

  llvm::DenseMap<SymExprAttr, SymExprAttr> renamed;
  for (auto [expr, place] : carriers) {
    SymExprAttr symbol = symbols.declareRunTime((name + ".dim").str(), {});
    renamed[expr] = symbol;
    tx::DefineSymbolOp::create(builder, loc, getName(symbol),
                               op.getResult(place));
  }
  SmallVector<Value> results;
  for (size_t i = 0; i < op.getNumResults(); ++i) {
    if (i >= numCarried && i < draft->inits.size())
      continue;
    Value result = op.getResult(i);
    Exprs dims = tx::getDims(typeOf(result));
    for (SymExprAttr &dim : dims)
      if (SymExprAttr symbol = renamed.lookup(dim))
        dim = symbol;
    auto type = tx::getTensorType(dims, typeOf(result).getElementType());
    results.push_back(
        type == result.getType()
            ? result
            : tx::ReshapeOp::create(builder, loc, type, result).getResult());
  }
  return NodeResults(std::move(results));
}
