//===- GpuAttention.cpp - what kernels of attention share ----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/ptx/GpuAttention.h"
#include "compiler/codegen/KernelFunction.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace txc;
using namespace txc::ptx;
using kernel::AttentionOp;

static FloatType getSumType(AttentionOp op) {
  auto type = cast<FloatType>(getScalarType(op.getQ().getType()));
  return type.getWidth() < 32 ? Float32Type::get(op.getContext()) : type;
}

GpuAttention::GpuAttention(GpuFunction &function, AttentionOp op)
    : function(function), b(function.getBuilder()), op(op),
      sumType(getSumType(op)), point(6) {
  llvm::fill(point, function.index(0));
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// An element of an i64 operand of rank 1: a length, or a sequence's start.
Value GpuAttention::loadCount(unsigned operand, Value index) {
  Value count =
      function.load(function.getBuffer(operand), index, b.getI64Type());
  return arith::IndexCastOp::create(b, b.getIndexType(), count);
}

LinearAccess GpuAttention::getAccess(AffineMap map, Type type) {
  return LinearAccess::get(map, cast<RankedTensorType>(type), op.getSymbols());
}

Value GpuAttention::getNumber(AffineMap map, Type type) {
  Values place = point;
  if (firstRow)
    for (Dim dim : {S, T})
      place[dim] = function.add(place[dim], firstRow);
  return function.getElementNumber(getAccess(map, type), op.getSymbols(),
                                   place);
}

Value GpuAttention::loadElement(unsigned operand, AffineMap map) {
  Type type = op->getOperand(operand).getType();
  Value element = function.load(function.getBuffer(operand),
                                getNumber(map, type), getScalarType(type));
  if (element.getType().isInteger() || element.getType() == sumType)
    return element;
  return arith::ExtFOp::create(b, sumType, element);
}

void GpuAttention::emitSequence() {
  keys = size(T);
  if (!op.getStarts())
    return;
  unsigned starts = *op.getStartsNumber();
  firstRow = loadCount(starts, point[B]);
  Value next = loadCount(starts, function.add(point[B], function.index(1)));
  keys = arith::SubIOp::create(b, next, firstRow);
}

void GpuAttention::storeResult(Value result, Value column) {
  Type type = op.getResult().getType();
  Type scalar = getScalarType(type);
  if (scalar != sumType)
    result = arith::TruncFOp::create(b, scalar, result);
  // Keys have no part in the result's map.
  point[T] = function.index(0);
  point[E] = column;
  function.store(result, function.getBuffer(op->getNumOperands()),
                 getNumber(op.getResultMap(), type));
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

Value GpuAttention::getKeysEnd() {
  Value end = keys;
  if (op.getCausal()) {
    Value last = function.add(point[S], function.getValue(*op.getCausal()));
    end = min(end, function.add(last, function.index(1)));
  }
  if (std::optional<unsigned> lengths = op.getLengthsNumber())
    end = min(end, loadCount(*lengths, point[B]));
  return end;
}

Value GpuAttention::addMask(Value score) {
  if (!op.getMask())
    return score;
  Value mask = loadElement(Mask, op.getMaskMap());
  if (mask.getType().isInteger(1))
    return function.select(mask, score, constant(kNoScore));
  return arith::AddFOp::create(b, score, mask);
}

Value GpuAttention::getScore(Value dot, Value key, Value end) {
  Value counts = function.isLess(key, end);
  Value scale = constant(op.getScale().convertToDouble());
  Value score = arith::MulFOp::create(b, dot, scale);
  if (op.getSoftcap()) {
    Value cap = constant(op.getSoftcap()->convertToDouble());
    Value ratio = arith::DivFOp::create(b, score, cap);
    score = arith::MulFOp::create(b, math::TanhOp::create(b, ratio), cap);
  }
  score = addMask(score);
  if (op.getCausal() && op.getWindow()) {
    Value last = function.add(point[S], function.getValue(*op.getCausal()));
    int64_t width = static_cast<int64_t>(*op.getWindow());
    Value isNear =
        function.isLess(function.add(last, function.index(-width)), key);
    counts = arith::AndIOp::create(b, counts, isNear);
  }
  return function.select(counts, score, constant(kNoScore));
}

Value GpuAttention::getMaskedResult(Value column) {
  switch (op.getMaskedRow()) {
  case tx::MaskedRow::zero:
    return constant(0);
  case tx::MaskedRow::nan:
    return constant(std::numeric_limits<double>::quiet_NaN());
  case tx::MaskedRow::uniform:
    break;
  }
  point[E] = column;
  Value sum = function.loop(function.index(0), keys, 1, {constant(0)},
                            [&](Value key, ValueRange carried) -> Values {
                              point[T] = key;
                              return {arith::AddFOp::create(
                                  b, carried[0], loadElement(V, op.getVMap()))};
                            })[0];
  Value count = arith::IndexCastOp::create(b, b.getI64Type(), keys);
  return arith::DivFOp::create(b, sum,
                               arith::SIToFPOp::create(b, sumType, count));
}
