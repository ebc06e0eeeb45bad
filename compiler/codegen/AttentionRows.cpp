//===- AttentionRows.cpp - attention of any type, row by row -------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/AttentionRows.h"
#include "compiler/codegen/Lanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace txc;
using kernel::AttentionOp;
using tx::SymExprAttr;

/// Numbers of the iteration dims.
enum Dim : unsigned { B, H, S, T, D, E };

/// Scores and sums are f32 at least.
static FloatType getSumType(AttentionOp op) {
  auto type = cast<FloatType>(getScalarType(op.getQ().getType()));
  return type.getWidth() < 32 ? Float32Type::get(op.getContext()) : type;
}

static int64_t getNumLanes(AttentionOp op, const VectorTarget &target) {
  return target.lanes(static_cast<int>(getSumType(op).getWidth()));
}

namespace {

class RowEmitter {
public:
  RowEmitter(KernelFunction &function, AttentionOp op)
      : function(function), code(function.getCode()), op(op),
        sumType(getSumType(op)),
        vectorType(
            VectorType::get(getNumLanes(op, function.getTarget()), sumType)),
        point(6) {}

  void emit();

private:
  void decodeTask(Value task);
  void emitRow();
  Value emitScore(Value key);
  Value addMask(Value score);
  Value getCounts(Value key);
  Value emitDot();
  Value emitScores();
  Value emitWeights(Value largest);
  void emitOutput(Value sum);

  SmallVector<LaneValue> getPlace();
  Value loadElement(unsigned operand, AffineMap map, Lanes &lanes);
  Value constant(double value) { return code.constant(sumType, value); }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) {
    return arith::CmpFOp::create(code.builder, code.loc, predicate, x, y);
  }
  Value size(Dim dim) { return function.getValue(op.getSize(dim)); }
  Value scorePointer(Value key) {
    return code.advance(code.pointerTo(function.getScratch()), key, sumType);
  }
  Value sumAcross(Value vector) {
    return vector::ReductionOp::create(code.builder, code.loc,
                                       vector::CombiningKind::ADD, vector,
                                       arith::FastMathFlags::reassoc);
  }
  /// Runs `body(first, lanes, carried)` for vectors that cover [0, end).
  using Carried = SmallVector<Value>;
  Carried loopLanes(Value end, ValueRange init,
                    function_ref<Carried(Value, Lanes &, ValueRange)> body);

  KernelFunction &function;
  x86::CodeBuilder &code;
  AttentionOp op;
  FloatType sumType;
  VectorType vectorType;
  SmallVector<LaneValue> point;
  /// The number of keys, and of queries where there are sequences.
  Value keys;
  /// The first row of the sequence; null where there are none.
  Value firstRow;
};

} // namespace

RowEmitter::Carried
RowEmitter::loopLanes(Value end, ValueRange init,
                      function_ref<Carried(Value, Lanes &, ValueRange)> body) {
  int64_t count = vectorType.getDimSize(0);
  Value full = code.roundDown(end, count);
  Carried carried = code.loop(code.index(0), full, count, init,
                              [&](Value first, ValueRange inner) {
                                Lanes lanes(function, count, nullptr);
                                return body(first, lanes, inner);
                              });
  // Once or not at all.
  return code.loop(
      full, end, count, carried, [&](Value first, ValueRange inner) {
        Lanes lanes(function, count,
                    code.firstLanes(vectorType, code.sub(end, first)));
        return body(first, lanes, inner);
      });
}

/// The point at which the maps are taken.
SmallVector<LaneValue> RowEmitter::getPlace() {
  SmallVector<LaneValue> place = point;
  if (firstRow)
    for (Dim dim : {S, T})
      place[dim] = {code.add(point[dim].value, firstRow)};
  return place;
}

/// The operand's element at `point` in the type of sums.
Value RowEmitter::loadElement(unsigned operand, AffineMap map, Lanes &lanes) {
  auto type = cast<RankedTensorType>(op->getOperand(operand).getType());
  LinearAccess access = LinearAccess::get(map, type, op.getSymbols());
  LaneValue element = lanes.getElement(access, op.getSymbols(), getPlace());
  Value value =
      lanes.load(function.getOperand(operand), element, getScalarType(type))
          .value;
  Type from = getElementTypeOrSelf(value);
  if (from.isInteger() || from == sumType)
    return value;
  Type to = isa<VectorType>(value.getType()) ? Type(vectorType) : sumType;
  return arith::ExtFOp::create(code.builder, code.loc, to, value);
}

void RowEmitter::decodeTask(Value task) {
  for (Dim dim : {S, H}) {
    point[dim] = {code.rem(task, size(dim))};
    task = code.div(task, size(dim));
  }
  point[B] = {task};
  keys = size(T);
  if (!op.getStarts())
    return;
  unsigned starts = *op.getStartsNumber();
  firstRow = loadCount(function, starts, task);
  keys = code.sub(loadCount(function, starts, code.add(task, 1)), firstRow);
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

Value RowEmitter::emitDot() {
  Carried sums = loopLanes(
      size(D), {code.constant(vectorType, 0)},
      [&](Value first, Lanes &lanes, ValueRange carried) -> Carried {
        point[D] = {first, 1};
        Value q = lanes.getVector({loadElement(0, op.getQMap(), lanes)});
        Value k = lanes.getVector({loadElement(1, op.getKMap(), lanes)});
        // Lanes outside the mask are loaded as zeros, but for broadcast ones.
        Value product = arith::MulFOp::create(code.builder, code.loc, q, k);
        if (lanes.getMask())
          product =
              arith::SelectOp::create(code.builder, code.loc, lanes.getMask(),
                                      product, code.constant(vectorType, 0));
        return {
            arith::AddFOp::create(code.builder, code.loc, carried[0], product)};
      });
  return sumAcross(sums[0]);
}

/// Whether the key counts as far as positions decide; null if it always does.
Value RowEmitter::getCounts(Value key) {
  Value counts;
  auto require = [&](arith::CmpIPredicate predicate, Value limit) {
    Value holds = code.compare(predicate, key, limit);
    counts = counts ? Value(arith::AndIOp::create(code.builder, code.loc,
                                                  counts, holds))
                    : holds;
  };
  if (op.getCausal()) {
    Value last = code.add(point[S].value, function.getValue(*op.getCausal()));
    require(arith::CmpIPredicate::sle, last);
    if (op.getWindow())
      require(arith::CmpIPredicate::sgt,
              code.sub(last, static_cast<int64_t>(*op.getWindow())));
  }
  if (std::optional<unsigned> lengths = op.getLengthsNumber())
    require(arith::CmpIPredicate::slt,
            loadCount(function, *lengths, point[B].value));
  return counts;
}

Value RowEmitter::addMask(Value score) {
  if (!op.getMask())
    return score;
  Lanes one(function, 1, nullptr);
  Value mask = loadElement(3, op.getMaskMap(), one);
  if (mask.getType().isInteger(1))
    return code.select(mask, score,
                       constant(-std::numeric_limits<double>::infinity()));
  return arith::AddFOp::create(code.builder, code.loc, score, mask);
}

Value RowEmitter::emitScore(Value key) {
  auto multiply = [&](Value x, double factor) -> Value {
    return arith::MulFOp::create(code.builder, code.loc, x, constant(factor));
  };
  Value score = multiply(emitDot(), op.getScale().convertToDouble());
  if (op.getSoftcap()) {
    double cap = op.getSoftcap()->convertToDouble();
    Value ratio =
        arith::DivFOp::create(code.builder, code.loc, score, constant(cap));
    score = multiply(math::TanhOp::create(code.builder, code.loc, ratio), cap);
  }
  score = addMask(score);
  if (Value counts = getCounts(key))
    score = code.select(counts, score,
                        constant(-std::numeric_limits<double>::infinity()));
  return score;
}

/// Stores the scores of the row; returns the largest.
Value RowEmitter::emitScores() {
  Value least = constant(-std::numeric_limits<double>::infinity());
  return code.loop(code.index(0), keys, 1, {least},
                   [&](Value key, ValueRange largest) -> Carried {
                     point[T] = {key};
                     Value score = emitScore(key);
                     code.store(score, scorePointer(key));
                     return {arith::MaximumFOp::create(code.builder, code.loc,
                                                       largest[0], score)};
                   })[0];
}

//===----------------------------------------------------------------------===//
// Softmax and output
//===----------------------------------------------------------------------===//

/// Scores become weights, up to the factor 1 / sum; returns the sum.
Value RowEmitter::emitWeights(Value largest) {
  Value isMasked = compare(arith::CmpFPredicate::OEQ, largest,
                           constant(-std::numeric_limits<double>::infinity()));
  Value splat = code.splat(largest, vectorType);
  Carried sums = loopLanes(
      keys, {code.constant(vectorType, 0)},
      [&](Value first, Lanes &lanes, ValueRange carried) -> Carried {
        Value place = scorePointer(first);
        // Scratch has room for whole vectors.
        Value scores = code.load(vectorType, place);
        Value weights = math::ExpOp::create(
            code.builder, code.loc,
            arith::SubFOp::create(code.builder, code.loc, scores, splat));
        if (op.getMaskedRow() != tx::MaskedRow::nan) {
          double weight = op.getMaskedRow() == tx::MaskedRow::uniform ? 1 : 0;
          weights =
              code.select(isMasked, code.constant(vectorType, weight), weights);
        }
        code.store(weights, place);
        if (lanes.getMask())
          weights = code.select(lanes.getMask(), weights,
                                code.constant(vectorType, 0));
        return {
            arith::AddFOp::create(code.builder, code.loc, carried[0], weights)};
      });
  return sumAcross(sums[0]);
}

void RowEmitter::emitOutput(Value sum) {
  // No keys, or a masked row that is to be zero.
  Value isZero = compare(arith::CmpFPredicate::OEQ, sum, constant(0));
  Value inverse =
      arith::DivFOp::create(code.builder, code.loc, constant(1), sum);
  inverse = code.splat(code.select(isZero, constant(0), inverse), vectorType);
  RankedTensorType type = op.getResult().getType();
  LinearAccess access =
      LinearAccess::get(op.getResultMap(), type, op.getSymbols());
  auto emitVector = [&](Value first, Lanes &lanes, ValueRange) -> Carried {
    point[E] = {first, 1};
    Value total = code.loop(
        code.index(0), keys, 1, {code.constant(vectorType, 0)},
        [&](Value key, ValueRange carried) -> Carried {
          point[T] = {key};
          Value weight = code.load(sumType, scorePointer(key));
          Value v = lanes.getVector({loadElement(2, op.getVMap(), lanes)});
          Value product = arith::MulFOp::create(
              code.builder, code.loc, code.splat(weight, vectorType), v);
          return {arith::AddFOp::create(code.builder, code.loc, carried[0],
                                        product)};
        })[0];
    Value result =
        arith::MulFOp::create(code.builder, code.loc, total, inverse);
    Type scalar = getScalarType(type);
    if (scalar != sumType)
      result = arith::TruncFOp::create(code.builder, code.loc,
                                       vectorType.clone(scalar), result);
    lanes.store({result}, function.getResult(0),
                lanes.getElement(access, op.getSymbols(), getPlace()));
    return {};
  };
  loopLanes(size(E), {}, emitVector);
}

void RowEmitter::emit() {
  for (LaneValue &index : point)
    index = {code.index(0)};
  code.loop(function.getTaskBegin(), function.getTaskEnd(), 1, [&](Value task) {
    decodeTask(task);
    if (!firstRow)
      return emitRow();
    // Tasks are as many as the longest sequence has; others have ended before.
    code.ifThen(code.compare(arith::CmpIPredicate::slt, point[S].value, keys),
                [&] { emitRow(); });
  });
}

void RowEmitter::emitRow() {
  Value largest = emitScores();
  emitOutput(emitWeights(largest));
}

//===----------------------------------------------------------------------===//
// Interface
//===----------------------------------------------------------------------===//

Value txc::loadCount(KernelFunction &function, unsigned operand, Value index) {
  x86::CodeBuilder &code = function.getCode();
  Lanes one(function, 1, nullptr);
  Value count =
      one.load(function.getOperand(operand), {index}, code.builder.getI64Type())
          .value;
  return arith::IndexCastOp::create(code.builder, code.loc, code.indexType(),
                                    count);
}

void txc::emitAttentionRows(KernelFunction &function, AttentionOp op) {
  RowEmitter(function, op).emit();
}

SymExprAttr txc::getAttentionRowsTaskCount(AttentionOp op) {
  return tx::mul(tx::mul(op.getSize(B), op.getSize(H)), op.getSize(S));
}

SymExprAttr txc::getAttentionRowsScratchBytes(AttentionOp op,
                                              const VectorTarget &target) {
  SymExprAttr scores = tx::add(op.getSize(T), getNumLanes(op, target));
  int64_t bytes = getSumType(op).getWidth() / 8;
  return tx::mul(tx::ceilDiv(tx::mul(scores, bytes), 64), 64);
}
