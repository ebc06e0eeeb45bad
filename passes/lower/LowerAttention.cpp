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

namespace {
/// The body of a rotary embedding, which computes in f32 or better.
struct Rotation {
  const NestBuilder::Body &body;
  Type scalar;

  Value select(Value condition, Value yes, Value no) const {
    return arith::SelectOp::create(body.b, body.loc, condition, yes, no);
  }
  Value isLess(Value a, Value c) const {
    return arith::CmpIOp::create(body.b, body.loc, arith::CmpIPredicate::slt, a,
                                 c);
  }
  /// x cos - partner sin if x is the first of its pair, x cos + partner sin if
  /// it is the second.
  Value rotate(Value x, Value partner, Value cosine, Value sine,
               Value isFirst) const {
    OpBuilder &b = body.b;
    sine = widen(body, sine);
    Value signedSine =
        select(isFirst, arith::NegFOp::create(b, body.loc, sine), sine);
    Value kept =
        arith::MulFOp::create(b, body.loc, widen(body, x), widen(body, cosine));
    Value moved =
        arith::MulFOp::create(b, body.loc, widen(body, partner), signedSine);
    return narrowTo(body, scalar,
                    arith::AddFOp::create(b, body.loc, kept, moved));
  }
};
} // namespace

/// Pairs of two halves: the row is blocks, each half of what is rotated, and
/// the partners in one of the first two are the other one, in the same order.
/// So all operands are read along the row. Null if the row is no whole blocks.
static Operation *lowerRotaryOfHalves(OpBuilder &b, RotaryEmbeddingOp op) {
  RankedTensorType type = op.getX().getType();
  SmallVector<SymExprAttr> dims = getDims(type);
  std::optional<int64_t> half =
      getDims(op.getCos().getType()).back().getConstant();
  std::optional<int64_t> row = dims.back().getConstant();
  if (op.getInterleaved() || !half || !row || *half == 0 || *row % *half != 0)
    return nullptr;
  MLIRContext *context = b.getContext();
  SmallVector<SymExprAttr> sizes = dims;
  sizes.back() = getConstantExpr(context, *row / *half);
  sizes.push_back(getConstantExpr(context, *half));
  unsigned block = dims.size() - 1;
  AffineExpr blockDim = b.getAffineDimExpr(block);
  AffineExpr place = b.getAffineDimExpr(block + 1);
  auto map = [&](AffineExpr last) {
    SmallVector<AffineExpr> exprs;
    for (unsigned d = 0; d < block; ++d)
      exprs.push_back(b.getAffineDimExpr(d));
    exprs.push_back(last);
    return AffineMap::get(sizes.size(), 0, exprs, context);
  };
  AffineExpr beside = *row == 2 * *half ? 1 - blockDim : 1 - blockDim % 2;
  NestBuilder nest(b, op.getLoc(), sizes);
  nest.addInput(op.getX(), map(blockDim * *half + place));
  nest.addInput(op.getX(), map(beside * *half + place));
  for (Value angle : {op.getCos(), op.getSin()}) {
    // cos and sin broadcast to x's leading dims.
    SmallVector<SymExprAttr> angleDims =
        getDims(cast<RankedTensorType>(angle.getType()));
    unsigned offset = dims.size() - angleDims.size();
    SmallVector<AffineExpr> exprs;
    for (auto [d, dim] : llvm::enumerate(ArrayRef(angleDims).drop_back()))
      exprs.push_back(dim.isConstant(1) ? b.getAffineConstantExpr(0)
                                        : b.getAffineDimExpr(offset + d));
    exprs.push_back(place);
    nest.addInput(angle, AffineMap::get(sizes.size(), 0, exprs, context));
  }
  nest.addResult(type, map(blockDim * *half + place));
  return nest.build([&](const NestBuilder::Body &body) {
    Value i = body.index(block);
    Rotation rotation{body, body.scalars[0].getType()};
    Value result = rotation.rotate(body.scalars[0], body.scalars[1],
                                   body.scalars[2], body.scalars[3],
                                   rotation.isLess(i, body.constantIndex(1)));
    if (*row != 2 * *half)
      result = rotation.select(rotation.isLess(i, body.constantIndex(2)),
                               result, body.scalars[0]);
    return SmallVector<Value>{result};
  });
}

/// Every element is x cos + partner sin, the partner being the other element of
/// its pair; elements behind the rotated ones pass through.
static LoweredValues lowerRotary(OpBuilder &b, RotaryEmbeddingOp op) {
  if (Operation *map = lowerRotaryOfHalves(b, op))
    return SmallVector<Value>(map->getResults());
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
    Rotation rotation{body, body.scalars[0].getType()};
    Value isRotated = rotation.isLess(i, rotated);
    Value isFirst, pair, partner;
    if (op.getInterleaved()) {
      Value bit = arith::AndIOp::create(builder, loc, i, one);
      isFirst = rotation.isLess(bit, one);
      pair = arith::ShRUIOp::create(builder, loc, i, one);
      partner = arith::XOrIOp::create(builder, loc, i, one);
    } else {
      isFirst = rotation.isLess(i, halfSize);
      Value up = arith::AddIOp::create(builder, loc, i, halfSize);
      Value down = arith::SubIOp::create(builder, loc, i, halfSize);
      pair = rotation.select(isFirst, i, down);
      partner = rotation.select(isFirst, up, down);
    }
    // Places outside the rotated part read element 0 and are not used.
    Value zero = body.constantIndex(0);
    pair = rotation.select(isRotated, pair, zero);
    partner = rotation.select(isRotated, partner, zero);
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
    Value result =
        rotation.rotate(element, body.fetch(x, place), body.fetch(cos, angle),
                        body.fetch(sin, angle), isFirst);
    return SmallVector<Value>{rotation.select(isRotated, result, element)};
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
