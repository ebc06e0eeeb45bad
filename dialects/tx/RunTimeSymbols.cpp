//===- RunTimeSymbols.cpp - dims that depend on data ---------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/tx/RunTimeSymbols.h"
#include "mlir/IR/AttrTypeSubElements.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

static bool isControlFlow(Operation *op) { return isa<IfOp, LoopOp>(op); }

static void collectBlocks(Block &block, SmallVectorImpl<Block *> &blocks) {
  blocks.push_back(&block);
  for (Operation &op : block)
    if (isControlFlow(&op))
      for (Region &region : op.getRegions())
        collectBlocks(region.front(), blocks);
}

SmallVector<Block *> txc::tx::getBlocks(func::FuncOp function) {
  SmallVector<Block *> blocks;
  collectBlocks(function.getBody().front(), blocks);
  return blocks;
}

bool txc::tx::hasControlFlow(func::FuncOp function) {
  return llvm::any_of(function.getBody().front(),
                      [](Operation &op) { return isControlFlow(&op); });
}

//===----------------------------------------------------------------------===//
// Definitions
//===----------------------------------------------------------------------===//

SmallVector<StringAttr> txc::tx::getDefinedSymbols(Operation *op) {
  SmallVector<StringAttr> symbols;
  auto addAll = [&](ArrayAttr names) {
    llvm::append_range(symbols, names.getAsRange<StringAttr>());
  };
  if (auto define = dyn_cast<DefineSymbolOp>(op))
    symbols.push_back(define.getSymbolAttr());
  if (auto branches = dyn_cast<IfOp>(op))
    addAll(branches.getSymbols());
  if (auto loop = dyn_cast<LoopOp>(op)) {
    symbols.push_back(loop.getIndexAttr());
    addAll(loop.getSymbols());
  }
  return symbols;
}

bool txc::tx::definesEarly(IfOp op) {
  for (unsigned i : {0, 1}) {
    llvm::SetVector<StringAttr> mentioned;
    for (auto expr : op.getYield(i).getExprs().getAsRange<SymExprAttr>())
      collectSymbols(expr, mentioned);
    WalkResult result = op->getRegion(i).walk([&](Operation *nested) {
      for (StringAttr symbol : getDefinedSymbols(nested))
        if (mentioned.contains(symbol))
          return WalkResult::interrupt();
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return false;
  }
  return true;
}

void RunTimeSymbols::number(ArrayRef<StringAttr> symbols) {
  for (StringAttr symbol : symbols)
    if (order.insert(symbol))
      numbers[symbol] = order.size();
}

/// The symbols of an op count before those of its blocks, unless they are known
/// only where a branch ends: what is written there moves no buffer of theirs.
void RunTimeSymbols::number(Block &block) {
  for (Operation &op : block) {
    auto branches = dyn_cast<IfOp>(op);
    bool isLate = branches && !definesEarly(branches);
    if (!isLate)
      number(getDefinedSymbols(&op));
    if (isControlFlow(&op))
      for (Region &region : op.getRegions())
        number(region.front());
    if (isLate)
      number(getDefinedSymbols(&op));
  }
}

RunTimeSymbols::RunTimeSymbols(func::FuncOp function) {
  number(function.getBody().front());
}

unsigned RunTimeSymbols::getStage(SymExprAttr expr) const {
  if (numbers.empty())
    return 0;
  llvm::SetVector<StringAttr> symbols;
  collectSymbols(expr, symbols);
  unsigned stage = 0;
  for (StringAttr symbol : symbols)
    stage = std::max(stage, numbers.lookup(symbol));
  return stage;
}

StringAttr RunTimeSymbols::getLast(SymExprAttr expr) const {
  unsigned stage = getStage(expr);
  return stage ? order[stage - 1] : StringAttr();
}

//===----------------------------------------------------------------------===//
// Uses
//===----------------------------------------------------------------------===//

/// The symbols that types and attributes of an op and its body mention; a
/// branch's or loop's blocks speak for themselves.
static llvm::SetVector<StringAttr> getMentionedSymbols(Operation *op) {
  llvm::SetVector<StringAttr> symbols;
  AttrTypeWalker walker;
  walker.addWalk([&](SymExprAttr expr) {
    collectSymbols(expr, symbols);
    return WalkResult::skip();
  });
  auto visit = [&](Operation *nested) {
    for (NamedAttribute attribute : nested->getAttrs())
      walker.walk(attribute.getValue());
    for (Type type : nested->getResultTypes())
      walker.walk(type);
  };
  if (isControlFlow(op))
    visit(op);
  else
    op->walk(visit);
  return symbols;
}

void txc::tx::placeBehindDefinitions(func::FuncOp function) {
  SmallVector<Block *> blocks = getBlocks(function);
  llvm::DenseMap<StringAttr, Operation *> definitions;
  for (Block *block : blocks)
    for (Operation &op : *block)
      for (StringAttr symbol : getDefinedSymbols(&op))
        definitions[symbol] = &op;
  if (definitions.empty())
    return;
  for (Block *block : blocks)
    for (auto symbolic :
         llvm::make_early_inc_range(block->getOps<SymbolicOp>()))
      for (StringAttr symbol : getMentionedSymbols(symbolic)) {
        Operation *definition = definitions.lookup(symbol);
        if (definition && definition->getBlock() == block &&
            symbolic->isBeforeInBlock(definition))
          symbolic->moveAfter(definition);
      }
}

namespace {
class SymbolVerifier {
public:
  explicit SymbolVerifier(func::FuncOp function) : all(function) {}

  /// `defined`: the symbols that are known where the block begins.
  LogicalResult verify(Block &block, llvm::DenseSet<StringAttr> defined);

private:
  LogicalResult checkMentions(Operation *op,
                              const llvm::DenseSet<StringAttr> &defined) const;

  RunTimeSymbols all;
  llvm::DenseSet<StringAttr> everDefined;
};
} // namespace

LogicalResult
SymbolVerifier::checkMentions(Operation *op,
                              const llvm::DenseSet<StringAttr> &defined) const {
  for (StringAttr symbol : getMentionedSymbols(op))
    if (all.contains(symbol) && !defined.contains(symbol))
      return op->emitOpError("mentions the symbol ")
             << symbol << " before it is defined";
  return success();
}

LogicalResult SymbolVerifier::verify(Block &block,
                                     llvm::DenseSet<StringAttr> defined) {
  for (Operation &op : block) {
    SmallVector<StringAttr> symbols = getDefinedSymbols(&op);
    for (StringAttr symbol : symbols)
      if (!everDefined.insert(symbol).second)
        return op.emitOpError("the symbol is defined already");
    // A loop's symbols are known in it, those of branches behind them.
    llvm::DenseSet<StringAttr> known = defined;
    defined.insert_range(symbols);
    if (failed(checkMentions(&op, defined)))
      return failure();
    if (isControlFlow(&op))
      for (Region &region : op.getRegions())
        if (failed(verify(region.front(), isa<LoopOp>(op) ? defined : known)))
          return failure();
  }
  return success();
}

LogicalResult txc::tx::verifyRunTimeSymbols(func::FuncOp function) {
  return SymbolVerifier(function).verify(function.getBody().front(), {});
}
