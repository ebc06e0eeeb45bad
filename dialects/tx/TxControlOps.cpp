//===- TxControlOps.cpp - what a run decides ------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/tx/Tx.h"

using namespace mlir;
using namespace txc::tx;

static LogicalResult verifyCondition(Operation *op, Value condition) {
  auto type = cast<RankedTensorType>(condition.getType());
  if (type.getElementType().isInteger(1) &&
      !getElementCount(type).isConstant(0))
    return success();
  return op->emitOpError("expected a condition of one i1, found ") << type;
}

/// The rank and the element type; dims may have other names.
static LogicalResult verifySimilar(Operation *op, Type given, Type expected,
                                   const Twine &what) {
  auto from = cast<RankedTensorType>(given);
  auto to = cast<RankedTensorType>(expected);
  if (from.getRank() == to.getRank() &&
      from.getElementType() == to.getElementType())
    return success();
  return op->emitOpError() << what << " is " << from << ", expected " << to;
}

static LogicalResult verifyExprs(Operation *op, ArrayAttr exprs,
                                 ArrayAttr symbols) {
  if (exprs.size() == symbols.size())
    return success();
  return op->emitOpError("expected a value for each of ")
         << symbols.size() << " symbols, found " << exprs.size();
}

//===----------------------------------------------------------------------===//
// tx.if
//===----------------------------------------------------------------------===//

YieldOp IfOp::getYield(unsigned region) {
  return cast<YieldOp>((*this)->getRegion(region).front().getTerminator());
}

LogicalResult IfOp::verify() {
  if (failed(verifyCondition(*this, getCondition())))
    return failure();
  for (Region &region : (*this)->getRegions()) {
    auto yield = dyn_cast<YieldOp>(region.front().getTerminator());
    if (!yield || region.getNumArguments() != 0)
      return emitOpError("expected regions without arguments that end with a "
                         "tx.yield");
    if (yield.getValues().size() != getNumResults())
      return yield.emitOpError("expected ")
             << getNumResults() << " values, found "
             << yield.getValues().size();
    if (failed(verifyExprs(yield, yield.getExprs(), getSymbols())))
      return failure();
    for (auto [i, pair] : llvm::enumerate(
             llvm::zip(yield.getValues().getTypes(), getResultTypes())))
      if (failed(verifySimilar(yield, std::get<0>(pair), std::get<1>(pair),
                               "value " + Twine(i))))
        return failure();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// tx.loop
//===----------------------------------------------------------------------===//

YieldOp LoopOp::getYield() {
  return cast<YieldOp>(getBody().front().getTerminator());
}

Value LoopOp::getNextCondition() {
  return getCondition() ? getYield().getValues().front() : Value();
}

OperandRange LoopOp::getCarried() {
  return getYield().getValues().slice(getCondition() ? 1 : 0,
                                      getInits().size());
}

OperandRange LoopOp::getElements() {
  return getYield().getValues().drop_front((getCondition() ? 1 : 0) +
                                           getInits().size());
}

/// A stack's type without its first dim.
static RankedTensorType getElementOfStack(RankedTensorType stack) {
  return getTensorType(ArrayRef(getDims(stack)).drop_front(),
                       stack.getElementType());
}

LogicalResult LoopOp::verify() {
  if (!getCondition() && !getTrips())
    return emitOpError("nothing ends it");
  auto yield = dyn_cast<YieldOp>(getBody().front().getTerminator());
  if (!yield)
    return emitOpError("expected a region that ends with a tx.yield");
  size_t numCarried = getInits().size();
  if (getNumResults() < numCarried ||
      getBody().getNumArguments() != numCarried ||
      yield.getValues().size() != getNumResults() + (getCondition() ? 1 : 0))
    return emitOpError("expected a carried argument and result for each of ")
           << numCarried << " initial values, found "
           << getBody().getNumArguments() << " arguments, " << getNumResults()
           << " results and " << yield.getValues().size() << " yielded values";
  if (getCondition() && (failed(verifyCondition(*this, getCondition())) ||
                         failed(verifyCondition(yield, getNextCondition()))))
    return failure();
  if (failed(verifyExprs(*this, getStarts(), getSymbols())) ||
      failed(verifyExprs(yield, yield.getExprs(), getSymbols())))
    return failure();
  for (size_t i = 0; i < numCarried; ++i) {
    Type type = getBody().getArgument(i).getType();
    if (type != getResult(i).getType())
      return emitOpError("argument and result ")
             << i << " differ: " << type << " and " << getResult(i).getType();
    if (failed(verifySimilar(*this, getInits()[i].getType(), type,
                             "initial value " + Twine(i))) ||
        failed(verifySimilar(yield, getCarried()[i].getType(), type,
                             "carried value " + Twine(i))))
      return failure();
  }
  for (auto [element, stack] : llvm::zip(getElements(), getStacks())) {
    auto type = cast<RankedTensorType>(stack.getType());
    if (type.getRank() == 0 || !getTrips())
      return emitOpError("a stack needs a first dim, and a number of trips "
                         "that says how much room it takes");
    if (failed(verifySimilar(yield, element.getType(), getElementOfStack(type),
                             "an element of a stack")))
      return failure();
  }
  return success();
}
