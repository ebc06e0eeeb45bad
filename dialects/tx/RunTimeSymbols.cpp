//===- RunTimeSymbols.cpp - dims that depend on data ---------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/tx/RunTimeSymbols.h"
#include "mlir/IR/AttrTypeSubElements.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

RunTimeSymbols::RunTimeSymbols(func::FuncOp function) {
  for (auto define : function.getOps<DefineSymbolOp>())
    if (order.insert(define.getSymbolAttr()))
      numbers[define.getSymbolAttr()] = order.size();
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

/// The symbols that types and attributes of an op and its body mention.
static llvm::SetVector<StringAttr> getMentionedSymbols(Operation *op) {
  llvm::SetVector<StringAttr> symbols;
  AttrTypeWalker walker;
  walker.addWalk([&](SymExprAttr expr) {
    collectSymbols(expr, symbols);
    return WalkResult::skip();
  });
  op->walk([&](Operation *nested) {
    for (NamedAttribute attribute : nested->getAttrs())
      walker.walk(attribute.getValue());
    for (Type type : nested->getResultTypes())
      walker.walk(type);
  });
  return symbols;
}

void txc::tx::placeBehindDefinitions(func::FuncOp function) {
  llvm::DenseMap<StringAttr, DefineSymbolOp> definitions;
  for (auto define : function.getOps<DefineSymbolOp>())
    definitions[define.getSymbolAttr()] = define;
  if (definitions.empty())
    return;
  for (auto symbolic :
       llvm::make_early_inc_range(function.getOps<SymbolicOp>()))
    for (StringAttr symbol : getMentionedSymbols(symbolic)) {
      DefineSymbolOp define = definitions.lookup(symbol);
      if (define && symbolic->isBeforeInBlock(define))
        symbolic->moveAfter(define);
    }
}

LogicalResult txc::tx::verifyRunTimeSymbols(func::FuncOp function) {
  RunTimeSymbols all(function);
  llvm::DenseSet<StringAttr> defined;
  for (Operation &op : function.getOps()) {
    if (auto define = dyn_cast<DefineSymbolOp>(op)) {
      if (!defined.insert(define.getSymbolAttr()).second)
        return define.emitOpError("the symbol is defined already");
      continue;
    }
    for (StringAttr symbol : getMentionedSymbols(&op))
      if (all.contains(symbol) && !defined.contains(symbol))
        return op.emitOpError("mentions the symbol ")
               << symbol << " before it is defined";
  }
  return success();
}
