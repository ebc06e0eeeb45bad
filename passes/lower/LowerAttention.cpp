//===- LowerAttention.cpp - attention and rotary embeddings --------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/lower/Lowerings.h"
#include "passes/lower/NestBuilder.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

static LoweredValues lowerAttentionOp(OpBuilder &b, AttentionOp op) {
  MLIRContext *context = b.getContext();
  RankedTensorType q = op.getQ().getType(), k = op.getK().getType();
  SmallVector<SymExprAttr> sizes = getDims(q);
  sizes.insert(sizes.begin() + 3, getDim(k, 2));
  if (op.getStarts()) {
    auto starts = cast<RankedTensorType>(op.getStarts().getType());
    sizes[0] = add(getDim(starts, 0), -1);
    sizes[2] = sizes[3] = *op.getSpan();
  }
  sizes.push_back(getDim(op.getV().getType(), 3));
  enum { B, H, S, T, D, E, kNumDims };
  auto dim = [&](unsigned d) { return b.getAffineDimExpr(d); };
  auto map = [&](ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(kNumDims, 0, exprs, context);
  };
  // The verifier made sure that each key head serves a known number of query
  // heads, or all.
  AffineExpr head = dim(H);
  // Sequences lie one after the other in the rows of the only batch.
  AffineExpr batch = op.getStarts() ? b.getAffineConstantExpr(0) : dim(B);
  if (getDim(k, 1).isConstant(1))
    head = b.getAffineConstantExpr(0);
  else if (getDim(q, 1) != getDim(k, 1))
    head =
        head.floorDiv(*divideExactly(getDim(q, 1), getDim(k, 1)).getConstant());
  MappedOperands operands(context, kNumDims);
  Value qBase = operands.add(op.getQ(), map({batch, dim(H), dim(S), dim(D)}));
  Value kBase = operands.add(op.getK(), map({batch, head, dim(T), dim(D)}));
  Value vBase = operands.add(op.getV(), map({batch, head, dim(T), dim(E)}));
  Value mask;
  if (op.getMask()) {
    auto type = cast<RankedTensorType>(op.getMask().getType());
    SmallVector<AffineExpr> exprs;
    for (auto [d, size] : llvm::enumerate(getDims(type)))
      exprs.push_back(size.isConstant(1) ? b.getAffineConstantExpr(0)
                                         : dim(4 - type.getRank() + d));
    mask = operands.add(op.getMask(), map(exprs));
  }
  operands.addDirect(map({batch, dim(H), dim(S), dim(E)}));
  auto attention = kernel::AttentionOp::create(
      b, op.getLoc(), op.getType(), qBase, kBase, vBase, mask, op.getLengths(),
      op.getStarts(),
      b.getArrayAttr(SmallVector<Attribute>(sizes.begin(), sizes.end())),
      operands.getSymbols(), operands.getMaps(), op.getScaleAttr(),
      op.getCausalAttr(), op.getWindowAttr(), op.getSoftcapAttr(),
      op.getMaskedRowAttr(), kernel::PrecisionAttr());
  return SmallVector<Value>{attention.getResult()};
}

/// Every element is x cos + partner sin, the partner being the other element of
/// its pair; elements behind the rotated ones pass through.
static LoweredValues lowerRotary(OpBuilder &b, RotaryEmbeddingOp op) {
  RankedTensorType type = op.getX().getType();
  auto cosType = op.getCos().getType();
  SymExprAttr half = getDims(cosType).back();
  unsigned last = type.getRank() - 1;
  NestBuilder nest(b, op.getLoc(), getDims(type));
  nest.addInput(op.getX());
  unsigned x = nest.addTable(op.getX());
  unsigned cos = nest.addTable(op.getCos());
  unsigned sin = nest.addTable(op.getSin());
  nest.addResult(type);
  Operation *map = nest.build([&](const NestBuilder::Body &body) {
    OpBuilder &builder = body.b;
    Location loc = body.loc;
    Value i = body.index(last), halfSize = body.size(half);
    Value one = body.constantIndex(1), two = body.constantIndex(2);
    Value rotated = arith::MulIOp::create(builder, loc, halfSize, two);
    auto less = [&](Value a, Value c) -> Value {
      return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, a,
                                   c);
    };
    auto select = [&](Value condition, Value yes, Value no) -> Value {
      return arith::SelectOp::create(builder, loc, condition, yes, no);
    };
    Value isRotated = less(i, rotated);
    Value isFirst, pair, partner;
    if (op.getInterleaved()) {
      Value bit = arith::AndIOp::create(builder, loc, i, one);
      isFirst = less(bit, one);
      pair = arith::ShRUIOp::create(builder, loc, i, one);
      partner = arith::XOrIOp::create(builder, loc, i, one);
    } else {
      isFirst = less(i, halfSize);
      Value up = arith::AddIOp::create(builder, loc, i, halfSize);
      Value down = arith::SubIOp::create(builder, loc, i, halfSize);
      pair = select(isFirst, i, down);
      partner = select(isFirst, up, down);
    }
    // Places outside the rotated part read element 0 and are not used.
    Value zero = body.constantIndex(0);
    pair = select(isRotated, pair, zero);
    partner = select(isRotated, partner, zero);
    SmallVector<Value> place, angle;
    for (unsigned d = 0; d < last; ++d)
      place.push_back(body.index(d));
    // cos and sin broadcast to x's leading dims.
    unsigned offset = type.getRank() - cosType.getRank();
    for (auto [d, dim] :
         llvm::enumerate(ArrayRef(getDims(cosType)).drop_back()))
      angle.push_back(dim.isConstant(1) ? zero : body.index(offset + d));
    place.push_back(partner);
    angle.push_back(pair);
    Value element = body.scalars[0];
    Type scalar = element.getType();
    auto widen = [&](Value value) -> Value {
      if (cast<FloatType>(value.getType()).getWidth() >= 32)
        return value;
      return arith::ExtFOp::create(builder, loc, builder.getF32Type(), value);
    };
    Value wide = widen(element);
    Value cosine = widen(body.fetch(cos, angle));
    Value sine = widen(body.fetch(sin, angle));
    Value other = widen(body.fetch(x, place));
    Value signedSine =
        select(isFirst, arith::NegFOp::create(builder, loc, sine), sine);
    Value result = arith::AddFOp::create(
        builder, loc, arith::MulFOp::create(builder, loc, wide, cosine),
        arith::MulFOp::create(builder, loc, other, signedSine));
    if (result.getType() != scalar)
      result = arith::TruncFOp::create(builder, loc, scalar, result);
    return SmallVector<Value>{select(isRotated, result, element)};
  });
  return SmallVector<Value>(map->getResults());
}

LoweredValues txc::lowerAttention(OpBuilder &b, Operation *op) {
  if (auto attention = dyn_cast<AttentionOp>(op))
    return lowerAttentionOp(b, attention);
  if (auto rotary = dyn_cast<RotaryEmbeddingOp>(op))
    return lowerRotary(b, rotary);
  return SmallVector<Value>();
}
