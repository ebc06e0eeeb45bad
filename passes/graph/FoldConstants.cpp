//===- FoldConstants.cpp - evaluate what is known at compile time ---------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/graph/FoldConstants.h"
#include "compiler/reference/Interpreter.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace txc;

static bool isSmall(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape() &&
         tensor.getNumElements() <= tx::kMaxConstantElements;
}

/// Tensors without an element, whatever they are computed of.
static bool isEmpty(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape() && tensor.getNumElements() == 0;
}

static bool foldEmpty(Operation *op) {
  if (!isa_and_present<tx::TxDialect>(op->getDialect()) || !isPure(op) ||
      op->hasTrait<OpTrait::ConstantLike>() || op->getNumResults() == 0 ||
      !llvm::all_of(op->getResultTypes(), isEmpty))
    return false;
  OpBuilder builder(op);
  SmallVector<Value> constants;
  for (Type type : op->getResultTypes())
    constants.push_back(tx::ConstantOp::create(
        builder, op->getLoc(),
        DenseElementsAttr::getFromRawBuffer(cast<ShapedType>(type), {})));
  op->replaceAllUsesWith(constants);
  op->erase();
  return true;
}

/// The results' values, or a failure if the op can't be folded.
static FailureOr<SmallVector<HostTensor>> evaluateConstant(Operation *op) {
  if (!isa_and_present<tx::TxDialect>(op->getDialect()) || !isPure(op) ||
      op->hasTrait<OpTrait::ConstantLike>() || op->getNumResults() == 0 ||
      !llvm::all_of(op->getResultTypes(), isSmall))
    return failure();
  SmallVector<HostTensor> operands;
  for (Value operand : op->getOperands()) {
    DenseElementsAttr elements;
    if (!matchPattern(operand, m_Constant(&elements)))
      return failure();
    llvm::Expected<HostTensor> tensor = HostTensor::fromAttr(elements);
    if (!tensor) {
      // An element type that the interpreter does not know stays unfolded.
      llvm::consumeError(tensor.takeError());
      return failure();
    }
    operands.push_back(std::move(*tensor));
  }
  SmallVector<const HostTensor *> pointers;
  for (const HostTensor &operand : operands)
    pointers.push_back(&operand);
  return evaluateOp(op, pointers, SymbolValues(),
                    [] { return InFlightDiagnostic(); });
}

Attribute txc::foldWithReference(Operation *op) {
  if (op->getNumResults() != 1)
    return nullptr;
  FailureOr<SmallVector<HostTensor>> results = evaluateConstant(op);
  return succeeded(results) ? results->front().toAttr() : Attribute();
}

bool txc::foldConstants(Operation *root) {
  bool changed = false;
  // Operands come before their users, so one walk folds chains. What a folded
  // op leaves unused is no longer an operand of anything: later cleaning
  // removes it.
  root->walk([&](Operation *op) {
    if (foldEmpty(op)) {
      changed = true;
      return;
    }
    FailureOr<SmallVector<HostTensor>> results = evaluateConstant(op);
    if (failed(results))
      return;
    OpBuilder builder(op);
    SmallVector<Value> constants;
    for (const HostTensor &result : *results)
      constants.push_back(
          tx::ConstantOp::create(builder, op->getLoc(), result.toAttr()));
    op->replaceAllUsesWith(constants);
    op->erase();
    changed = true;
  });
  return changed;
}
