//===- StaticValues.cpp - what is known before a run ---------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/layout/StaticValues.h"
#include "dialects/tx/RunTimeSymbols.h"

using namespace mlir;
using namespace txc;

/// Bytes of a tensor whose dims are all static.
static int64_t getBytes(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return type.getNumElements() * static_cast<int64_t>(llvm::divideCeil(
                                     type.getElementTypeBitWidth(), 8));
}

/// Whether an attribute of the op, where a slice starts for example, depends on
/// a symbol, which only a run knows.
static bool hasSymbol(Operation *op) {
  WalkResult result = op->getAttrDictionary().walk([](tx::SymExprAttr expr) {
    return expr.getConstant() ? WalkResult::skip() : WalkResult::interrupt();
  });
  return result.wasInterrupted();
}

StaticValues::StaticValues(func::FuncOp function) {
  for (Block *block : tx::getBlocks(function))
    for (Operation &op : *block)
      visit(&op);
}

void StaticValues::visit(Operation *op) {
  if (isa<tx::WeightOp, tx::ConstantOp>(op)) {
    sourceBytes[op->getResult(0)] = getBytes(op->getResult(0));
    return;
  }
  if (op->getNumOperands() == 0 || op->getNumRegions() != 0 ||
      !isMemoryEffectFree(op) || hasSymbol(op) ||
      op->getDialect()->getNamespace() != tx::TxDialect::getDialectNamespace())
    return;
  int64_t bytes = 0;
  for (Value operand : op->getOperands()) {
    auto it = sourceBytes.find(operand);
    if (it == sourceBytes.end())
      return;
    bytes += it->second;
  }
  for (Value result : op->getResults())
    if (!cast<RankedTensorType>(result.getType()).hasStaticShape() ||
        getBytes(result) > bytes)
      return;
  for (Value result : op->getResults())
    sourceBytes[result] = bytes;
}
