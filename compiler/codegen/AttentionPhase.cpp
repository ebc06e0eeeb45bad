//===- AttentionPhase.cpp - code of kernel.attention ---------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/AttentionPhase.h"
#include "compiler/codegen/AttentionRows.h"
#include "compiler/codegen/Lanes.h"
#include "compiler/codegen/x86/Attention.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <numeric>

using namespace mlir;
using namespace txc;
using kernel::AttentionOp;
using tx::SymExprAttr;
using x86::AttentionSpec;
using x86::StridedOperand;

/// Numbers of the iteration dims.
enum Dim : unsigned { B, H, S, T, D, E };

/// Numbers of the operands.
enum Operand : unsigned { Q, K, V, Mask };

//===----------------------------------------------------------------------===//
// What the blocked generator takes
//===----------------------------------------------------------------------===//

/// Larger heads would not leave room for a block of keys in the caches.
constexpr int64_t kMaxHeadSize = 256;

namespace {
/// A tensor over batches, heads, queries or keys, and elements.
struct HeadOperand {
  LinearAccess access;
  /// Query heads that share a head of the tensor.
  int64_t group = 1;
  SymExprAttr headStride;
};

/// An attention by strides.
struct StridedAttention {
  HeadOperand q, k, v, result;
  int64_t group = 1, size = 0, valueSize = 0;
};
} // namespace

/// The tensor's strides, if it is found by them: a head is the query head or
/// the query head divided by the group.
static std::optional<HeadOperand> getHeadOperand(AttentionOp op, AffineMap map,
                                                 RankedTensorType type) {
  Type element = type.getElementType();
  if (!element.isF32() && !element.isF16() && !element.isBF16())
    return std::nullopt;
  HeadOperand operand{LinearAccess::get(map, type, op.getSymbols()), 1, {}};
  const LinearAccess &access = operand.access;
  operand.headStride = access.strides[H];
  if (access.terms.empty())
    return operand;
  const LinearAccess::Term &term = access.terms.front();
  auto quotient = dyn_cast<AffineBinaryOpExpr>(term.expr);
  if (access.terms.size() != 1 || !operand.headStride.isConstant(0) ||
      term.expr.getKind() != AffineExprKind::FloorDiv ||
      quotient.getLHS() != getAffineDimExpr(H, op.getContext()))
    return std::nullopt;
  auto divisor = dyn_cast<AffineConstantExpr>(quotient.getRHS());
  if (!divisor)
    return std::nullopt;
  operand.group = divisor.getValue();
  operand.headStride = term.stride;
  return operand;
}

/// What the operands and sizes are, or nothing when the blocked generator
/// doesn't take them.
static std::optional<StridedAttention> getStrided(AttentionOp op) {
  auto q = getHeadOperand(op, op.getQMap(), op.getQ().getType());
  auto k = getHeadOperand(op, op.getKMap(), op.getK().getType());
  auto v = getHeadOperand(op, op.getVMap(), op.getV().getType());
  auto result = getHeadOperand(op, op.getResultMap(), op.getResult().getType());
  std::optional<int64_t> size = op.getSize(D).getConstant();
  std::optional<int64_t> valueSize = op.getSize(E).getConstant();
  if (!q || !k || !v || !result || !size || !valueSize)
    return std::nullopt;
  // Numbers of 16 bits are read as vectors.
  auto isReadable = [](Value value, const HeadOperand &operand, Dim dim) {
    return getElementTypeOrSelf(value.getType()).isF32() ||
           operand.access.strides[dim].isConstant(1);
  };
  if (!isReadable(op.getQ(), *q, D) || !isReadable(op.getK(), *k, D) ||
      !isReadable(op.getV(), *v, E))
    return std::nullopt;
  bool fits = *size >= 1 && *size <= kMaxHeadSize && *valueSize >= 1 &&
              *valueSize <= kMaxHeadSize;
  if (!fits || q->group != 1 || result->group != 1 || k->group != v->group)
    return std::nullopt;
  return StridedAttention{*q, *k, *v, *result, k->group, *size, *valueSize};
}

static x86::AttentionSchedule chooseSchedule(AttentionOp op,
                                             const VectorTarget &target) {
  bool isBf16 = op.getPrecision() == kernel::Precision::bf16;
  return x86::chooseAttentionSchedule(target, isBf16 ? x86::DotType::bf16
                                                     : x86::DotType::f32);
}

static bool hasMask(AttentionOp op) { return op.getMask() || op.getWindow(); }

static x86::AttentionHead getHead(AttentionOp op,
                                  const StridedAttention &attention) {
  return {attention.size, attention.valueSize,
          /*packsValues=*/!attention.v.access.strides[E].isConstant(1),
          hasMask(op),
          /*hasNarrowKeys=*/
          !getElementTypeOrSelf(op.getK().getType()).isF32(),
          /*hasNarrowValues=*/
          !getElementTypeOrSelf(op.getV().getType()).isF32()};
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

namespace {

class BlockedEmitter {
public:
  BlockedEmitter(KernelFunction &function, AttentionOp op,
                 const StridedAttention &attention)
      : function(function), code(function.getCode()), op(op),
        attention(attention) {}

  LogicalResult emit();

private:
  OpFoldResult fold(SymExprAttr expr) {
    if (std::optional<int64_t> constant = expr.getConstant())
      return code.builder.getIndexAttr(*constant);
    return function.getValue(expr);
  }
  StridedOperand getOperand(Value tensor, Value buffer,
                            const HeadOperand &operand, Dim row, Dim column);
  Value emitMask(ArrayRef<LaneValue> point, Value valid);
  Value emitWindow(Lanes &lanes, ArrayRef<LaneValue> point);
  Value emitLength(Value batch);
  bool hasKeyMask();
  Value emitSeenKeys(Value batch);

  KernelFunction &function;
  x86::CodeBuilder &code;
  AttentionOp op;
  const StridedAttention &attention;
};

} // namespace

StridedOperand BlockedEmitter::getOperand(Value tensor, Value buffer,
                                          const HeadOperand &operand, Dim row,
                                          Dim column) {
  const LinearAccess &access = operand.access;
  StridedOperand strided{buffer, {}, {}, getElementTypeOrSelf(tensor)};
  if (!access.offset.isConstant(0))
    strided.offset = function.getValue(access.offset);
  for (SymExprAttr stride : {access.strides[B], operand.headStride,
                             access.strides[row], access.strides[column]})
    strided.strides.push_back(fold(stride));
  return strided;
}

/// Whether the keys lie in the queries' windows: t > s + causal - window.
Value BlockedEmitter::emitWindow(Lanes &lanes, ArrayRef<LaneValue> point) {
  SymExprAttr reach =
      tx::add(*op.getCausal(), -static_cast<int64_t>(*op.getWindow()));
  LaneValue last = lanes.add(point[S], {function.getValue(reach)});
  return arith::CmpIOp::create(
      code.builder, code.loc, arith::CmpIPredicate::sgt,
      lanes.getVector(point[T]), lanes.getVector(last));
}

/// Biases of the keys at `point`, or whether they count.
Value BlockedEmitter::emitMask(ArrayRef<LaneValue> point, Value valid) {
  Lanes lanes(function, function.getTarget().lanes(32), valid);
  Value window = op.getWindow() ? emitWindow(lanes, point) : Value();
  if (!op.getMask())
    return window;
  auto type = cast<RankedTensorType>(op.getMask().getType());
  LinearAccess access =
      LinearAccess::get(op.getMaskMap(), type, op.getSymbols());
  LaneValue element = lanes.getElement(access, op.getSymbols(), point);
  Value mask = lanes.getVector(
      lanes.load(function.getOperand(Mask), element, getScalarType(type)));
  if (type.getElementType().isInteger(1)) {
    if (window)
      mask = arith::AndIOp::create(code.builder, code.loc, mask, window);
    return mask;
  }
  auto f32 = lanes.getVectorType(code.builder.getF32Type());
  unsigned width = type.getElementTypeBitWidth();
  if (width < 32)
    mask = arith::ExtFOp::create(code.builder, code.loc, f32, mask);
  if (width > 32)
    mask = arith::TruncFOp::create(code.builder, code.loc, f32, mask);
  if (!window)
    return mask;
  Value excluded = code.constant(f32, -std::numeric_limits<double>::infinity());
  return code.select(window, mask, excluded);
}

/// Valid keys of a batch, within [0, T].
Value BlockedEmitter::emitLength(Value batch) {
  Value length = loadCount(function, *op.getLengthsNumber(), batch);
  length = code.min(length, function.getValue(op.getSize(T)));
  return code.max(length, 0);
}

/// Whether a boolean mask hides keys of a batch from all of its queries.
bool BlockedEmitter::hasKeyMask() {
  return op.getMask() && !op.getStarts() &&
         op.getMask().getType().getElementType().isInteger(1) &&
         !op.getMaskMap().isFunctionOfDim(H) &&
         !op.getMaskMap().isFunctionOfDim(S);
}

/// The number of keys up to the last one that the mask of keys shows. Padding
/// comes last, mostly: what follows costs nothing then.
Value BlockedEmitter::emitSeenKeys(Value batch) {
  Value keys = function.getValue(op.getSize(T));
  int64_t count = function.getTarget().lanes(32);
  auto type = VectorType::get(count, code.builder.getI32Type());
  Value zero = code.index(0);
  Value none = arith::ConstantOp::create(code.builder, code.loc,
                                         code.builder.getZeroAttr(type));
  SmallVector<int32_t> steps(count);
  std::iota(steps.begin(), steps.end(), 1);
  Value ramp = arith::ConstantOp::create(
      code.builder, code.loc,
      DenseElementsAttr::get(type, ArrayRef<int32_t>(steps)));
  auto update = [&](Value key, Value last, Value valid) -> SmallVector<Value> {
    Lanes lanes(function, count, valid);
    LinearAccess access = LinearAccess::get(
        op.getMaskMap(), op.getMask().getType(), op.getSymbols());
    SmallVector<LaneValue> point = {{batch},  {zero}, {zero},
                                    {key, 1}, {zero}, {zero}};
    LaneValue element = lanes.getElement(access, op.getSymbols(), point);
    Value isSeen = lanes.getVector(lanes.load(
        function.getOperand(Mask), element, code.builder.getI1Type()));
    if (valid)
      isSeen = arith::AndIOp::create(code.builder, code.loc, isSeen, valid);
    Value first =
        code.splat(arith::IndexCastOp::create(code.builder, code.loc,
                                              code.builder.getI32Type(), key),
                   type);
    Value ends = arith::AddIOp::create(code.builder, code.loc, first, ramp);
    return {code.select(isSeen, ends, last)};
  };
  Value full = code.roundDown(keys, count);
  SmallVector<Value> last =
      code.loop(zero, full, count, {none}, [&](Value key, ValueRange carried) {
        return update(key, carried.front(), Value());
      });
  // Once or not at all.
  last = code.loop(full, keys, count, last, [&](Value key, ValueRange carried) {
    return update(key, carried.front(),
                  code.firstLanes(type, code.sub(keys, key)));
  });
  Value end = vector::ReductionOp::create(
      code.builder, code.loc, vector::CombiningKind::MAXSI, last.front());
  return arith::IndexCastOp::create(code.builder, code.loc, code.indexType(),
                                    end);
}

static x86::FullyMasked getFullyMasked(tx::MaskedRow row) {
  switch (row) {
  case tx::MaskedRow::uniform:
    return x86::FullyMasked::Uniform;
  case tx::MaskedRow::zero:
    return x86::FullyMasked::Zero;
  case tx::MaskedRow::nan:
    return x86::FullyMasked::NaN;
  }
  llvm_unreachable("all kinds are handled");
}

LogicalResult BlockedEmitter::emit() {
  AttentionSpec spec;
  spec.target = function.getTarget();
  spec.schedule = chooseSchedule(op, spec.target);
  spec.batch = fold(op.getSize(B));
  spec.heads = fold(op.getSize(H));
  spec.queries = fold(op.getSize(S));
  spec.keys = fold(op.getSize(T));
  spec.group = attention.group;
  spec.size = attention.size;
  spec.valueSize = attention.valueSize;
  spec.q = getOperand(op.getQ(), function.getOperand(Q), attention.q, S, D);
  spec.k = getOperand(op.getK(), function.getOperand(K), attention.k, T, D);
  spec.v = getOperand(op.getV(), function.getOperand(V), attention.v, T, E);
  spec.o =
      getOperand(op.getResult(), function.getResult(0), attention.result, S, E);
  spec.scale = op.getScale().convertToDouble();
  if (op.getSoftcap())
    spec.softcap = op.getSoftcap()->convertToDouble();
  spec.fullyMasked = getFullyMasked(op.getMaskedRow());

  auto mask = [&](OpBuilder &, Location, Value b, Value h, Value s, Value t,
                  Value valid) {
    Value zero = code.index(0);
    if (op.getStarts()) {
      Value row = loadCount(function, *op.getStartsNumber(), b);
      s = code.add(s, row);
      t = code.add(t, row);
    }
    return emitMask({{b}, {h}, {s}, {t, 1}, {zero}, {zero}}, valid);
  };
  if (hasMask(op)) {
    spec.mask = mask;
    spec.maskIsPerKey = !op.getWindow() && !op.getMaskMap().isFunctionOfDim(S);
  }
  auto causalOffset = [&](OpBuilder &, Location, Value) {
    return function.getValue(*op.getCausal());
  };
  if (op.getCausal())
    spec.causalOffset = causalOffset;
  auto validKeys = [&](OpBuilder &, Location, Value b) {
    Value seen = hasKeyMask() ? emitSeenKeys(b) : Value();
    if (!op.getLengths())
      return seen;
    Value length = emitLength(b);
    return seen ? code.min(seen, length) : length;
  };
  if (op.getLengths() || hasKeyMask())
    spec.validKeys = validKeys;
  auto firstRow = [&](OpBuilder &, Location, Value b) {
    return loadCount(function, *op.getStartsNumber(), b);
  };
  if (op.getStarts())
    spec.firstRow = firstRow;
  return x86::emitAttentionTasks(code.builder, code.loc, spec,
                                 function.getTaskBegin(), function.getTaskEnd(),
                                 function.getScratch());
}

//===----------------------------------------------------------------------===//
// Interface
//===----------------------------------------------------------------------===//

LogicalResult txc::emitAttention(KernelFunction &function, AttentionOp op) {
  if (std::optional<StridedAttention> attention = getStrided(op))
    return BlockedEmitter(function, op, *attention).emit();
  emitAttentionRows(function, op);
  return success();
}

SymExprAttr txc::getAttentionTaskCount(AttentionOp op,
                                       const VectorTarget &target) {
  if (!getStrided(op))
    return getAttentionRowsTaskCount(op);
  int64_t queries = chooseSchedule(op, target).queryBlock;
  return tx::mul(tx::mul(op.getSize(B), op.getSize(H)),
                 tx::ceilDiv(op.getSize(S), queries));
}

SymExprAttr txc::getAttentionScratchBytes(AttentionOp op,
                                          const VectorTarget &target) {
  std::optional<StridedAttention> attention = getStrided(op);
  if (!attention)
    return getAttentionRowsScratchBytes(op, target);
  int64_t bytes = x86::attentionScratchBytes(target, chooseSchedule(op, target),
                                             getHead(op, *attention));
  return tx::getConstantExpr(op.getContext(), bytes);
}
