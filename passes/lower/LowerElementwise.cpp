//===- LowerElementwise.cpp - element-wise ops to kernel.map -------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "passes/lower/Lowerings.h"
#include "passes/lower/NestBuilder.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

/// A zero divisor of an integer division is a fault of the run; the division
/// itself, which would trap, gets a 1.
static Value checkDivisor(const NestBuilder::Body &body, Value divisor) {
  Value zero = body.constant(divisor.getType(), 0);
  Value isValid = arith::CmpIOp::create(
      body.b, body.loc, arith::CmpIPredicate::ne, divisor, zero);
  kernel::CheckOp::create(body.b, body.loc, isValid,
                          kernel::Fault::division_by_zero, /*found=*/Value(),
                          /*limit=*/Value());
  return arith::SelectOp::create(body.b, body.loc, isValid, divisor,
                                 body.constant(divisor.getType(), 1));
}

/// How many element-wise ops may lie between an op and the convolutions that
/// read it. Activations are shorter; without an end, each further op of a chain
/// would look at all that follow, and at each in every way that leads there.
static constexpr unsigned kOpsToConvolution = 8;

static bool isReadChannelsLast(Value value, unsigned distance) {
  return distance > 0 && !value.use_empty() &&
         llvm::all_of(value.getUsers(), [&](Operation *user) {
           return readsChannelsLast(user) ||
                  (isa<ElementwiseInterface>(user) &&
                   user->getResult(0).getType() == value.getType() &&
                   isReadChannelsLast(user->getResult(0), distance - 1));
         });
}

bool txc::isReadChannelsLast(Value value) {
  return ::isReadChannelsLast(value, kOpsToConvolution);
}

/// `operand` broadcast to `rank` dims, with the channels (dim 1) at the end.
static Value moveChannelsLast(OpBuilder &b, Location loc, Value operand,
                              int64_t rank) {
  auto type = cast<RankedTensorType>(operand.getType());
  SmallVector<SymExprAttr> dims = getDims(type);
  SymExprAttr one = getConstantExpr(b.getContext(), 1);
  dims.insert(dims.begin(), rank - type.getRank(), one);
  if (type.getRank() < rank)
    operand = ReshapeOp::create(
        b, loc, getTensorType(dims, type.getElementType()), operand);
  return TransposeOp::create(b, loc, operand, getChannelsLast(rank));
}

LoweredValues txc::lowerElementwise(OpBuilder &b, Operation *op) {
  auto elementwise = dyn_cast<ElementwiseInterface>(op);
  if (!elementwise)
    return SmallVector<Value>();
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  bool channelsLast = isReadChannelsLast(op->getResult(0));
  SmallVector<Value> operands(op->getOperands());
  RankedTensorType order = type;
  if (channelsLast) {
    for (Value &operand : operands)
      operand = moveChannelsLast(b, op->getLoc(), operand, type.getRank());
    SmallVector<SymExprAttr> dims = getDims(type);
    order =
        getTensorType(applyPermutation(dims, getChannelsLast(type.getRank())),
                      type.getElementType());
  }
  NestBuilder nest(b, op->getLoc(), getDims(order));
  for (Value operand : operands)
    nest.addInput(operand);
  nest.addResult(order);
  Operation *map = nest.build([&](const NestBuilder::Body &body) {
    SmallVector<Value> scalars(body.scalars);
    if (isa<DivOp, RemOp, ModOp>(op) && !isa<FloatType>(scalars[1].getType()))
      scalars[1] = checkDivisor(body, scalars[1]);
    return SmallVector<Value>{
        elementwise.buildScalar(body.b, body.loc, scalars)};
  });
  if (channelsLast)
    return SmallVector<Value>{TransposeOp::create(
        b, op->getLoc(), map->getResult(0),
        invertPermutationVector(getChannelsLast(type.getRank())))};
  return SmallVector<Value>(map->getResults());
}

Value txc::materialize(OpBuilder &b, Location loc, Value view) {
  auto type = cast<RankedTensorType>(view.getType());
  NestBuilder nest(b, loc, getDims(type));
  nest.addInput(view);
  nest.addResult(type);
  return nest
      .build([&](const NestBuilder::Body &body) {
        return SmallVector<Value>(body.scalars);
      })
      ->getResult(0);
}
