//===- LowerElementwise.cpp - element-wise ops to kernel.map -------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Dialect/Arith/IR/Arith.h"
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

LoweredValues txc::lowerElementwise(OpBuilder &b, Operation *op) {
  auto elementwise = dyn_cast<ElementwiseInterface>(op);
  if (!elementwise)
    return SmallVector<Value>();
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  NestBuilder nest(b, op->getLoc(), getDims(type));
  for (Value operand : op->getOperands())
    nest.addInput(operand);
  nest.addResult(type);
  Operation *map = nest.build([&](const NestBuilder::Body &body) {
    SmallVector<Value> scalars(body.scalars);
    if (isa<DivOp, RemOp, ModOp>(op) && !isa<FloatType>(scalars[1].getType()))
      scalars[1] = checkDivisor(body, scalars[1]);
    return SmallVector<Value>{
        elementwise.buildScalar(body.b, body.loc, scalars)};
  });
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
