//===- LowerGroupedConv.cpp - convolutions with groups -------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "passes/layout/ExtendRecipe.h"
#include "passes/lower/PaddedWindow.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;
using kernel::Combine;

using Body = NestBuilder::Body;

namespace {
/// The sizes of a convolution with groups; those of its filters are known.
struct GroupedConv {
  explicit GroupedConv(ConvOp op)
      : op(op), sumType(getSumType(op.getType().getElementType())),
        groups(static_cast<int64_t>(op.getGroups())),
        x(getDims(op.getX().getType())), out(getDims(op.getType())),
        w(op.getW().getType().getShape()), low(op.getLow()), high(op.getHigh()),
        spatial(static_cast<unsigned>(w.size()) - 2), outputs(w[0] / groups),
        channels(w[1]) {}

  bool isDepthwise() const { return channels == 1 && outputs == 1; }
  int64_t taps(unsigned i) const { return w[2 + i]; }
  bool isPadded(unsigned i) const { return low[i] != 0 || high[i] != 0; }

  ConvOp op;
  Type sumType;
  int64_t groups;
  SmallVector<SymExprAttr> x, out;
  ArrayRef<int64_t> w, low, high;
  unsigned spatial;
  /// Of one group.
  int64_t outputs, channels;
};
} // namespace

/// The filters in another order, as numbers that are summed. Of a weight it is
/// another weight.
static Value reorderFilters(OpBuilder &b, const GroupedConv &conv,
                            StringRef kind,
                            function_ref<Value(OpBuilder &, Value)> reorder) {
  ConvOp op = conv.op;
  auto stored = op.getW().getDefiningOp<kernel::StoredOp>();
  bool isNarrow = op.getType().getElementType() != conv.sumType;
  if (stored)
    return extendRecipe(b, stored, kind, [&](OpBuilder &b, Value w) -> Value {
      auto type = cast<RankedTensorType>(w.getType());
      if (isNarrow)
        w = CastOp::create(b, w.getLoc(), type.clone(conv.sumType), w,
                           /*saturate=*/false);
      return reorder(b, w);
    });
  Value filters = reorder(b, op.getW());
  if (!isNarrow)
    return filters;
  auto type = cast<RankedTensorType>(filters.getType());
  NestBuilder nest(b, op.getLoc(), getDims(type));
  nest.addInput(filters);
  nest.addResult(type.clone(conv.sumType));
  return nest
      .build([](const Body &body) {
        return SmallVector<Value>{widen(body, body.scalars[0])};
      })
      ->getResult(0);
}

static Value reshape(OpBuilder &b, Value x, ArrayRef<int64_t> dims) {
  auto type = cast<RankedTensorType>(x.getType());
  return ReshapeOp::create(
      b, x.getLoc(), RankedTensorType::get(dims, type.getElementType()), x);
}

//===----------------------------------------------------------------------===//
// A product a group
//===----------------------------------------------------------------------===//

/// The copy of x in which windows overlap, as [n, g, p…, the rest].
static Value buildOverlappingWindows(OpBuilder &b, const GroupedConv &conv) {
  MLIRContext *context = b.getContext();
  ConvOp op = conv.op;
  unsigned last = conv.spatial - 1;
  SmallVector<SymExprAttr> sizes = {conv.x[0],
                                    getConstantExpr(context, conv.groups)};
  for (unsigned i = 0; i < last; ++i)
    sizes.push_back(conv.out[2 + i]);
  unsigned firstTap = sizes.size() + 1;
  sizes.push_back(add(conv.x[2 + last], conv.low[last] + conv.high[last]));
  for (unsigned i = 0; i < last; ++i)
    sizes.push_back(getConstantExpr(context, conv.taps(i)));
  sizes.push_back(getConstantExpr(context, conv.channels));
  unsigned channel = sizes.size() - 1;

  NestBuilder nest(b, op.getLoc(), sizes);
  unsigned table = nest.addTable(op.getX());
  nest.addResult(getTensorType(sizes, conv.sumType));
  Operation *rows = nest.build([&](const Body &body) {
    OpBuilder &b = body.b;
    Location loc = body.loc;
    SmallVector<PaddedPlace> places;
    for (unsigned i = 0; i < last; ++i)
      places.push_back(
          {getWindowPlace(body, body.index(2 + i), op.getStrides()[i],
                          body.index(firstTap + i), op.getDilations()[i],
                          op.getLow()[i]),
           conv.isPadded(i)});
    places.push_back(
        {arith::SubIOp::create(b, loc, body.index(2 + last),
                               body.constantIndex(op.getLow()[last])),
         conv.isPadded(last)});
    Value inGroup = arith::MulIOp::create(b, loc, body.index(1),
                                          body.constantIndex(conv.channels));
    PaddedElement element = fetchPadded(
        body, table, conv.x, body.index(0),
        arith::AddIOp::create(b, loc, inGroup, body.index(channel)), places);
    Value zero = body.constant(element.value.getType(), 0);
    return SmallVector<Value>{widen(body, selectOr(body, element, zero))};
  });

  SmallVector<SymExprAttr> flat(ArrayRef(sizes).take_front(2 + last));
  flat.push_back(product(context, ArrayRef(sizes).drop_front(2 + last)));
  return ReshapeOp::create(b, op.getLoc(), getTensorType(flat, conv.sumType),
                           rows->getResult(0));
}

/// [O, C, t…] as [g, (t of the last dim, t…, c), o].
static Value buildGroupFilters(OpBuilder &b, const GroupedConv &conv) {
  return reorderFilters(b, conv, "groups", [&](OpBuilder &b, Value w) {
    SmallVector<int64_t> dims = {conv.groups, conv.outputs};
    llvm::append_range(dims, conv.w.drop_front(1));
    auto lastTap = static_cast<int64_t>(dims.size()) - 1;
    SmallVector<int64_t> order = {0, lastTap};
    for (int64_t d = 3; d < lastTap; ++d)
      order.push_back(d);
    order.append({2, 1});
    w = TransposeOp::create(b, w.getLoc(), reshape(b, w, dims), order);
    int64_t rows = llvm::product_of(conv.w.drop_front(1));
    return reshape(b, w, {conv.groups, rows, conv.outputs});
  });
}

/// The gemm's batch dims are n, g and the places but those of the last spatial
/// dim, which are its rows.
static Value buildGroupProducts(OpBuilder &b, const GroupedConv &conv) {
  MLIRContext *context = b.getContext();
  ConvOp op = conv.op;
  unsigned last = conv.spatial - 1;
  Value windows = buildOverlappingWindows(b, conv);
  Value filters = buildGroupFilters(b, conv);
  int64_t rowLength = llvm::product_of(conv.w.drop_front(1));
  int64_t step = op.getStrides()[last] * (rowLength / conv.taps(last));

  SmallVector<SymExprAttr> sizes = {conv.x[0],
                                    getConstantExpr(context, conv.groups)};
  llvm::append_range(sizes, ArrayRef(conv.out).drop_front(2));
  unsigned m = 2 + last, n = m + 1, k = m + 2;
  sizes.push_back(getConstantExpr(context, conv.outputs));
  sizes.push_back(getConstantExpr(context, rowLength));
  auto dim = [&](unsigned d) { return getAffineDimExpr(d, context); };
  SmallVector<AffineExpr> window, result = {dim(0)};
  for (unsigned d = 0; d < m; ++d)
    window.push_back(dim(d));
  window.push_back(dim(m) * step + dim(k));
  for (unsigned d = 2; d <= m; ++d)
    result.push_back(dim(d));
  result.push_back(dim(1) * conv.outputs + dim(n));

  auto mapTo = [&](ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(sizes.size(), 0, exprs, context);
  };
  MappedOperands operands(context, sizes.size());
  Value lhs = operands.add(windows, mapTo(window));
  Value rhs = operands.add(filters, mapTo({dim(1), dim(k), dim(n)}));
  operands.addDirect(mapTo(result));
  SmallVector<SymExprAttr> resultDims = {conv.out[0]};
  llvm::append_range(resultDims, ArrayRef(conv.out).drop_front(2));
  resultDims.push_back(conv.out[1]);
  return buildGemm(b, op.getLoc(),
                   getTensorType(resultDims, op.getType().getElementType()),
                   lhs, rhs, sizes, operands);
}

//===----------------------------------------------------------------------===//
// A channel a group
//===----------------------------------------------------------------------===//

/// [n, places…, c]: neighbouring channels are lanes of a vector, which takes a
/// multiplication and an addition a tap.
static Value buildDepthwiseSums(OpBuilder &b, const GroupedConv &conv) {
  MLIRContext *context = b.getContext();
  ConvOp op = conv.op;
  unsigned spatial = conv.spatial;
  Value padded = buildPadded(b, op, conv.sumType);
  Value filters =
      reorderFilters(b, conv, "depthwise", [&](OpBuilder &b, Value w) -> Value {
        SmallVector<int64_t> dims(conv.w.drop_front(2));
        dims.insert(dims.begin(), conv.w[0]);
        SmallVector<int64_t> order;
        for (unsigned i = 0; i < spatial; ++i)
          order.push_back(1 + i);
        order.push_back(0);
        return TransposeOp::create(b, w.getLoc(), reshape(b, w, dims), order);
      });

  SmallVector<SymExprAttr> sizes = {conv.out[0]};
  llvm::append_range(sizes, ArrayRef(conv.out).drop_front(2));
  sizes.push_back(conv.out[1]);
  unsigned channel = 1 + spatial, firstTap = 2 + spatial;
  SmallVector<SymExprAttr> resultDims = sizes;
  for (unsigned i = 0; i < spatial; ++i)
    sizes.push_back(getConstantExpr(context, conv.taps(i)));
  auto dim = [&](unsigned d) { return getAffineDimExpr(d, context); };
  SmallVector<AffineExpr> place = {dim(0)}, tap;
  for (unsigned i = 0; i < spatial; ++i) {
    place.push_back(dim(1 + i) * op.getStrides()[i] +
                    dim(firstTap + i) * op.getDilations()[i]);
    tap.push_back(dim(firstTap + i));
  }
  place.push_back(dim(channel));
  tap.push_back(dim(channel));
  NestBuilder nest(b, op.getLoc(), sizes, spatial);
  nest.addInput(padded, AffineMap::get(sizes.size(), 0, place, context));
  nest.addInput(filters, AffineMap::get(sizes.size(), 0, tap, context));
  nest.addResult(getTensorType(resultDims, op.getType().getElementType()),
                 AffineMap::getMultiDimIdentityMap(sizes.size(), context)
                     .getMajorSubMap(firstTap));
  return nest
      .build([&](const Body &body) {
        Value product = arith::MulFOp::create(body.b, body.loc, body.scalars[0],
                                              body.scalars[1]);
        return SmallVector<Value>{narrowTo(body, op.getType().getElementType(),
                                           body.reduce(Combine::sum, product))};
      })
      ->getResult(0);
}

LoweredValues txc::lowerGroupedConv(OpBuilder &b, ConvOp op) {
  if (!op.getW().getType().hasStaticShape())
    return SmallVector<Value>();
  GroupedConv conv(op);
  if (conv.spatial == 0 ||
      (!conv.isDepthwise() && op.getDilations().back() != 1))
    return SmallVector<Value>();
  Value sums = conv.isDepthwise() ? buildDepthwiseSums(b, conv)
                                  : buildGroupProducts(b, conv);
  return SmallVector<Value>{TransposeOp::create(
      b, op.getLoc(), sums,
      invertPermutationVector(getChannelsLast(op.getType().getRank())))};
}
