//===- CacheToState.cpp - past and present become state ------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/attention/CacheToState.h"
#include "dialects/tx/Tx.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

/// The dim of the buffers along the sequence axis.
constexpr StringLiteral kCapacity = "kv_capacity";

namespace {
/// present = concat(past, fresh) along `axis`, past an input, present an
/// output.
struct CachePair {
  BlockArgument past;
  tx::ConcatOp concat;
  unsigned output;

  Value getFresh() const { return concat->getOperand(1); }
  SymExprAttr getLength() const {
    return tx::getDim(cast<RankedTensorType>(past.getType()), getAxis());
  }
  SymExprAttr getGrowth() const {
    return tx::getDim(cast<RankedTensorType>(getFresh().getType()), getAxis());
  }
  int64_t getAxis() const {
    return static_cast<int64_t>(tx::ConcatOp(concat).getAxis());
  }
};
} // namespace

/// The name of a plain symbol, or null.
static StringAttr matchSymbol(SymExprAttr expr) {
  llvm::SetVector<StringAttr> symbols;
  collectSymbols(expr, symbols);
  if (symbols.size() != 1 ||
      expr != tx::getSymbolExpr(expr.getContext(), symbols[0]))
    return nullptr;
  return symbols[0];
}

static SmallVector<CachePair> findPairs(func::FuncOp function) {
  SmallVector<CachePair> pairs;
  Operation *terminator = function.getBody().front().getTerminator();
  for (BlockArgument argument : function.getArguments()) {
    if (!argument.hasOneUse())
      continue;
    auto concat = dyn_cast<tx::ConcatOp>(*argument.user_begin());
    if (!concat || concat.getOperands().size() != 2 ||
        concat.getOperands().front() != argument)
      continue;
    auto output = llvm::find(terminator->getOperands(), concat.getResult());
    CachePair pair{
        argument, concat,
        static_cast<unsigned>(output - terminator->getOperands().begin())};
    if (output != terminator->getOperands().end() &&
        matchSymbol(pair.getLength()))
      pairs.push_back(pair);
  }
  return pairs;
}

/// The state in place of the concatenation's result.
static void replacePair(const CachePair &pair, StringRef name) {
  tx::ConcatOp concat = pair.concat;
  MLIRContext *context = concat.getContext();
  OpBuilder b(concat);
  RankedTensorType type = concat.getType();
  SmallVector<SymExprAttr> dims = tx::getDims(type);
  dims[pair.getAxis()] = tx::getSymbolExpr(context, kCapacity);
  auto stateType = tx::StateType::get(
      context, tx::getTensorType(dims, type.getElementType()));
  Value state = tx::StateAppendOp::create(b, concat.getLoc(), stateType, name,
                                          pair.getFresh(), pair.getAxis(),
                                          pair.getLength());
  Value valid = tx::StateReadOp::create(b, concat.getLoc(), type, state);
  concat.replaceAllUsesWith(valid);
  concat.erase();
}

static void declareSymbols(ModuleOp module, StringAttr length) {
  Builder b(module.getContext());
  NamedAttrList symbols(module->getAttrOfType<DictionaryAttr>("tx.symbols"));
  symbols.set(kCapacity, b.getI64ArrayAttr({1}));
  module->setAttr("tx.symbols", symbols.getDictionary(module.getContext()));
  module->setAttr("tx.state_length", length);
  module->setAttr("tx.state_capacity", b.getStringAttr(kCapacity));
}

LogicalResult txc::convertCacheToState(func::FuncOp function) {
  SmallVector<CachePair> pairs = findPairs(function);
  if (pairs.empty())
    return success();
  SymExprAttr length = pairs.front().getLength();
  SymExprAttr growth = pairs.front().getGrowth();
  for (const CachePair &pair : pairs)
    if (pair.getLength() != length || pair.getGrowth() != growth)
      return function.emitError("the caches grow differently: one from ")
             << length.str() << " by " << growth.str() << ", another from "
             << pair.getLength().str() << " by " << pair.getGrowth().str()
             << "; compile without -state=kv";
  Operation *terminator = function.getBody().front().getTerminator();
  llvm::BitVector pastInputs(function.getNumArguments());
  llvm::BitVector presentOutputs(function.getNumResults());
  for (const CachePair &pair : pairs) {
    auto name = function.getArgAttrOfType<StringAttr>(pair.past.getArgNumber(),
                                                      "tx.name");
    pastInputs.set(pair.past.getArgNumber());
    presentOutputs.set(pair.output);
    replacePair(pair, name ? name.getValue() : "state");
  }
  terminator->eraseOperands(presentOutputs);
  if (failed(function.eraseArguments(pastInputs)) ||
      failed(function.eraseResults(presentOutputs)))
    return function.emitError(
        "the cache's inputs and outputs can't be removed");
  declareSymbols(function->getParentOfType<ModuleOp>(), matchSymbol(length));
  return success();
}

namespace {
struct CacheToStatePass
    : PassWrapper<CacheToStatePass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CacheToStatePass)

  StringRef getArgument() const override { return "txc-cache-to-state"; }
  StringRef getDescription() const override {
    return "Keep a decoder's key/value cache in the session";
  }
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic() && failed(convertCacheToState(function)))
        signalPassFailure();
  }
};
} // namespace

std::unique_ptr<Pass> txc::createCacheToStatePass() {
  return std::make_unique<CacheToStatePass>();
}
