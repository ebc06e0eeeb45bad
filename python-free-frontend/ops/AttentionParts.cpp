//===- AttentionParts.cpp - heads and masks of attention operators --------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/ops/AttentionParts.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::Predicate;
using tx::SymExprAttr;

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

Value frontend::splitHeads(NodeContext &context, Value x, int64_t heads) {
  if (!x)
    return {};
  Exprs dims = tx::getDims(typeOf(x));
  SymExprAttr size = tx::floorDiv(dims[2], heads);
  return context.transpose(
      context.reshape(x, {dims[0], dims[1], context.getExpr(heads), size}),
      {0, 2, 1, 3});
}

Value frontend::mergeHeads(NodeContext &context, Value x) {
  if (!x)
    return {};
  Exprs dims = tx::getDims(typeOf(x));
  return context.reshape(context.transpose(x, {0, 2, 1, 3}),
                         {dims[0], dims[2], tx::mul(dims[1], dims[3])});
}

Value frontend::repeatHeads(NodeContext &context, Value x, SymExprAttr heads) {
  if (!x)
    return {};
  Exprs dims = tx::getDims(typeOf(x));
  if (dims[1] == heads)
    return x;
  SymExprAttr group = tx::floorDiv(heads, dims[1]);
  Exprs repeated = {dims[0], dims[1], group, dims[2], dims[3]};
  x = context.broadcastTo(context.unsqueeze(x, {2}), repeated);
  return context.reshape(x, {dims[0], heads, dims[2], dims[3]});
}

Value frontend::scaleBySize(NodeContext &context, Value x, SymExprAttr size) {
  if (!x)
    return {};
  Builder &builder = context.getBuilder();
  Type elementType = typeOf(x).getElementType();
  Type wide = elementType.isF64() ? elementType : builder.getF32Type();
  Type i64 = context.getBuilder().getI64Type();
  Value number = context.getExprTensor(RankedTensorType::get({}, i64), size);
  Value root = context.create<tx::SqrtOp>(context.cast(number, wide));
  return context.create<tx::MulOp>(
      x, context.cast(context.create<tx::ReciprocalOp>(root), elementType));
}

double frontend::resolveScale(NodeContext &context, Value &q, double scale) {
  if (scale != 0 || !q)
    return scale;
  SymExprAttr size = tx::getDims(typeOf(q)).back();
  if (std::optional<int64_t> known = size.getConstant())
    return 1 / std::sqrt(static_cast<double>(std::max<int64_t>(*known, 1)));
  q = scaleBySize(context, q, size);
  return 1;
}

Value frontend::appendToPast(NodeContext &context, Value past, Value fresh) {
  if (!past || !fresh)
    return fresh;
  for (int64_t axis : {0, 1, 3})
    if (past)
      past = context.withDim(past, axis, tx::getDim(typeOf(fresh), axis),
                             "dims of past and present keys");
  if (!past)
    return {};
  return context.create<tx::ConcatOp>(
      ValueRange(ArrayRef<Value>({past, fresh})), 2);
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

Value frontend::restrictMask(NodeContext &context, Value mask, Value allowed,
                             Type floatType) {
  if (!mask || !allowed)
    return mask ? mask : allowed;
  if (typeOf(mask).getElementType().isInteger(1))
    return context.createElementwise<tx::AndOp>(mask, allowed);
  Value never =
      context.getScalar(floatType, -std::numeric_limits<double>::infinity());
  return context.createSelect(allowed, mask, never);
}

Value frontend::padMask(NodeContext &context, Value mask, SymExprAttr length,
                        bool mayBeShorter) {
  if (!mask)
    return {};
  RankedTensorType type = typeOf(mask);
  int64_t last = type.getRank() - 1;
  SymExprAttr found = tx::getDim(type, last);
  if (found == length || found.isConstant(1))
    return mask;
  bool isShorter = context.getBounds()
                       .compare(Predicate::lt, found, length)
                       .value_or(mayBeShorter);
  if (!isShorter)
    return context.withDim(mask, last, length, "the mask's keys and K's");
  SymExprAttr missing = tx::sub(length, found);
  if (failed(context.require(found, Predicate::le, length,
                             "a mask has no more keys than K")))
    return {};
  SmallVector<Attribute> low(type.getRank(), context.getExpr(0)), high = low;
  high[last] = missing;
  bool isBool = type.getElementType().isInteger(1);
  Value never =
      context.getScalar(type.getElementType(),
                        isBool ? 0 : -std::numeric_limits<double>::infinity());
  return context.create<tx::PadOp>(mask, OptionalOperand{never},
                                   tx::PadMode::constant,
                                   context.getBuilder().getArrayAttr(low),
                                   context.getBuilder().getArrayAttr(high));
}

/// x with the dim at `axis` being `size`, which it is already or repeats to.
static Value repeatDim(NodeContext &context, Value x, int64_t axis,
                       SymExprAttr size, const Twine &what) {
  Exprs dims = tx::getDims(typeOf(x));
  SymExprAttr dim = dims[axis];
  if (dim == size || dim.isConstant(1))
    return x;
  SymExprAttr one = context.getExpr(1);
  if (context.getBounds().compare(Predicate::ne, dim, one).value_or(false))
    return context.withDim(x, axis, size, what);
  if (failed(context.require(tx::mul(tx::sub(dim, size), tx::sub(dim, one)),
                             Predicate::eq, context.getExpr(0),
                             what + " must be equal or 1")))
    return {};
  dims[axis] = size;
  return context.broadcastTo(x, dims);
}

Value frontend::matchMask(NodeContext &context, Value mask,
                          ArrayRef<SymExprAttr> scores) {
  if (!mask)
    return {};
  int64_t rank = typeOf(mask).getRank();
  if (rank > 4)
    return context.unsupported("its mask has more than four dims");
  for (int64_t d = 1; mask && d <= rank; ++d)
    mask = repeatDim(context, mask, rank - d, context.resolve(scores[4 - d]),
                     "dims of the mask and the scores");
  return mask;
}

Value frontend::createWindowMask(NodeContext &context, KeyWindow window,
                                 Value lengths, SymExprAttr offset,
                                 SymExprAttr queries, SymExprAttr keys) {
  Type i64 = context.getBuilder().getI64Type();
  auto iota = [&](SymExprAttr size, ArrayRef<SymExprAttr> dims) {
    Value places = context.getIota(size, i64);
    return context.reshape(places, dims);
  };
  SymExprAttr one = context.getExpr(1);
  Value place = iota(queries, {queries, one});
  auto scalar = RankedTensorType::get({}, i64);
  place =
      context.create<tx::AddOp>(place, context.getExprTensor(scalar, offset));
  if (lengths) {
    SymExprAttr batch = tx::getDim(typeOf(lengths), 0);
    Value starts = context.reshape(lengths, {batch, one, one, one});
    place = context.create<tx::AddOp>(place, starts);
  }
  Value distance = context.create<tx::SubOp>(place, iota(keys, {one, keys}));
  Value allowed;
  auto restrict = [&](Predicate predicate, int64_t limit) {
    Value inside = context.create<tx::CompareOp>(
        predicate, distance,
        context.getScalar(i64, static_cast<double>(limit)));
    allowed = allowed ? context.create<tx::AndOp>(allowed, inside) : inside;
  };
  if (window.left)
    restrict(Predicate::le, *window.left);
  if (window.right)
    restrict(Predicate::ge, -*window.right);
  return allowed;
}
