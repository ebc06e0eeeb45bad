//===- LowerWindow.cpp - convolutions and pooling ------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "passes/layout/ExtendRecipe.h"
#include "passes/lower/PaddedWindow.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;
using kernel::Combine;

using Body = NestBuilder::Body;

static SymExprAttr constantExpr(OpBuilder &b, int64_t value) {
  return getConstantExpr(b.getContext(), value);
}

/// x[row, channel, p * stride + k * dilation - low]: `p` and `k` are iteration
/// dims that begin at `firstPlace` and `firstTap`.
template <typename WindowOp>
static PaddedElement fetchWindow(const Body &body, unsigned table, WindowOp op,
                                 Value row, Value channel, unsigned firstPlace,
                                 unsigned firstTap) {
  SmallVector<PaddedPlace> places;
  for (unsigned i = 0; i < op.getStrides().size(); ++i) {
    bool mayLeave = op.getLow()[i] != 0 || op.getHigh()[i] != 0;
    if constexpr (std::is_same_v<WindowOp, PoolOp>)
      mayLeave |= op.getCeil();
    places.push_back(
        {getWindowPlace(body, body.index(firstPlace + i), op.getStrides()[i],
                        body.index(firstTap + i), op.getDilations()[i],
                        op.getLow()[i]),
         mayLeave});
  }
  return fetchPadded(body, table, getDims(op.getX().getType()), row, channel,
                     places);
}

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

SmallVector<int64_t> txc::getChannelsLast(int64_t rank) {
  SmallVector<int64_t> permutation = {0};
  for (int64_t d = 2; d < rank; ++d)
    permutation.push_back(d);
  permutation.push_back(1);
  return permutation;
}

bool txc::readsChannelsLast(Operation *op) {
  // Fewer make runs that are shorter than those along the last spatial dim.
  constexpr int64_t kLeastChannels = 8;
  auto conv = dyn_cast<ConvOp>(op);
  return conv && conv.getW().getType().getDimSize(1) *
                         static_cast<int64_t>(conv.getGroups()) >=
                     kLeastChannels;
}

static bool isPadded(ConvOp op) {
  auto isNotZero = [](int64_t pad) { return pad != 0; };
  return llvm::any_of(op.getLow(), isNotZero) ||
         llvm::any_of(op.getHigh(), isNotZero);
}

/// Padding is copied together with x, channels last, so that no window has to
/// ask where it is.
static bool hasChannelsLast(ConvOp op) {
  return readsChannelsLast(op) || isPadded(op);
}

/// The windows of x as rows ("im2col"): [N, places…, taps…, C] if channels are
/// read last, else [N, places…, C, taps…].
static Value buildWindowRows(OpBuilder &b, ConvOp op) {
  MLIRContext *context = b.getContext();
  RankedTensorType x = op.getX().getType(), w = op.getW().getType();
  bool channelsLast = hasChannelsLast(op);
  unsigned spatial = x.getRank() - 2;
  SmallVector<SymExprAttr> out = getDims(op.getType());
  SmallVector<SymExprAttr> sizes = {out[0]};
  llvm::append_range(sizes, ArrayRef(out).drop_front(2));
  unsigned firstTap = 1 + spatial + (channelsLast ? 0 : 1);
  unsigned channel = channelsLast ? 1 + (2 * spatial) : 1 + spatial;
  llvm::append_range(sizes, ArrayRef(getDims(w)).drop_front(2));
  sizes.insert(sizes.begin() + channel, getDim(x, 1));

  SmallVector<AffineExpr> place = {b.getAffineDimExpr(0)};
  for (unsigned i = 0; i < spatial; ++i)
    place.push_back(b.getAffineDimExpr(1 + i) * op.getStrides()[i] +
                    b.getAffineDimExpr(firstTap + i) * op.getDilations()[i]);
  Value source = op.getX();
  bool movesChannels = isPadded(op);
  if (movesChannels)
    source = buildPadded(b, op, x.getElementType());
  place.insert(movesChannels ? place.end() : place.begin() + 1,
               b.getAffineDimExpr(channel));
  NestBuilder nest(b, op.getLoc(), sizes);
  nest.addInput(source, AffineMap::get(sizes.size(), 0, place, context));
  nest.addResult(getTensorType(sizes, x.getElementType()));
  return nest
      .build([](const Body &body) { return SmallVector<Value>(body.scalars); })
      ->getResult(0);
}

/// The filters as a matrix whose columns are the output channels; its rows are
/// in the order of buildWindowRows. Of a weight it is another weight, which has
/// a stored layout of its own.
static Value buildFilterColumns(OpBuilder &b, ConvOp op) {
  bool channelsLast = hasChannelsLast(op);
  auto build = [&](OpBuilder &b, Value w) -> Value {
    Location loc = w.getLoc();
    auto type = cast<RankedTensorType>(w.getType());
    if (channelsLast)
      w = TransposeOp::create(b, loc, w, getChannelsLast(type.getRank()));
    SmallVector<SymExprAttr> dims = getDims(type);
    SymExprAttr taps = product(type.getContext(), ArrayRef(dims).drop_front(1));
    w = ReshapeOp::create(
        b, loc, getTensorType({dims[0], taps}, type.getElementType()), w);
    return TransposeOp::create(b, loc, w, ArrayRef<int64_t>{1, 0});
  };
  if (auto stored = op.getW().getDefiningOp<kernel::StoredOp>())
    return extendRecipe(b, stored, channelsLast ? "taps" : "filters", build);
  return build(b, op.getW());
}

/// A convolution without groups is a product of window rows and filters.
static LoweredValues lowerConvAsMatmul(OpBuilder &b, ConvOp op) {
  MLIRContext *context = b.getContext();
  Location loc = op.getLoc();
  RankedTensorType type = op.getType();
  Value rows = buildWindowRows(b, op);
  SmallVector<SymExprAttr> out = getDims(type);
  SmallVector<SymExprAttr> rowDims = {out[0]};
  llvm::append_range(rowDims, ArrayRef(out).drop_front(2));
  Value filters = buildFilterColumns(b, op);
  auto filterType = cast<RankedTensorType>(filters.getType());
  rows = ReshapeOp::create(
      b, loc,
      getTensorType({product(context, rowDims), getDim(filterType, 0)},
                    filterType.getElementType()),
      rows);
  auto matmul = MatmulOp::create(b, loc, rows, filters);
  LoweredValues product = lowerMatmul(b, matmul);
  matmul.erase();
  if (failed(product))
    return failure();
  // [N, places…, O] seen as [N, O, places…].
  rowDims.push_back(out[1]);
  Value result = ReshapeOp::create(
      b, loc, getTensorType(rowDims, type.getElementType()), product->front());
  return SmallVector<Value>{TransposeOp::create(
      b, loc, result,
      invertPermutationVector(getChannelsLast(type.getRank())))};
}

/// Grouped: each output element sums over the taps of its group's channels.
static LoweredValues lowerConvAsNest(OpBuilder &b, ConvOp op) {
  RankedTensorType w = op.getW().getType();
  SmallVector<SymExprAttr> sizes = getDims(op.getType());
  unsigned rank = sizes.size(), spatial = rank - 2;
  llvm::append_range(sizes, ArrayRef(getDims(w)).drop_front(1));
  NestBuilder nest(b, op.getLoc(), sizes, spatial + 1);
  unsigned table = nest.addTable(op.getX());
  SmallVector<AffineExpr> filter = {b.getAffineDimExpr(1)};
  for (unsigned d = 0; d <= spatial; ++d)
    filter.push_back(b.getAffineDimExpr(rank + d));
  nest.addInput(op.getW(),
                AffineMap::get(sizes.size(), 0, filter, b.getContext()));
  nest.addResult(op.getType(),
                 b.getMultiDimIdentityMap(sizes.size()).getMajorSubMap(rank));
  int64_t perGroup = w.getDimSize(0) / static_cast<int64_t>(op.getGroups());
  Operation *rows = nest.build([&](const Body &body) {
    Value group = arith::DivUIOp::create(body.b, body.loc, body.index(1),
                                         body.constantIndex(perGroup));
    Value channel =
        arith::MulIOp::create(body.b, body.loc, group, body.size(getDim(w, 1)));
    channel =
        arith::AddIOp::create(body.b, body.loc, channel, body.index(rank));
    PaddedElement element =
        fetchWindow(body, table, op, body.index(0), channel, 2, rank + 1);
    Value zero = body.constant(element.value.getType(), 0);
    Value x = selectOr(body, element, zero);
    Value product = arith::MulFOp::create(body.b, body.loc, widen(body, x),
                                          widen(body, body.scalars[0]));
    return SmallVector<Value>{narrowTo(body, op.getType().getElementType(),
                                       body.reduce(Combine::sum, product))};
  });
  return SmallVector<Value>(rows->getResults());
}

static LoweredValues lowerConv(OpBuilder &b, ConvOp op) {
  if (op.getGroups() == 1)
    return lowerConvAsMatmul(b, op);
  LoweredValues lowered = lowerGroupedConv(b, op);
  if (failed(lowered) || !lowered->empty())
    return lowered;
  return lowerConvAsNest(b, op);
}

namespace {
/// Where a transposed convolution's output element finds tap k of its window:
/// place (q + low - k * dilation) / stride, if that is whole and inside x.
struct TransposedTap {
  SmallVector<Value> place;
  Value isInside;
};
} // namespace

/// The output's spatial dims begin at iteration dim 2, the taps at `firstTap`.
static TransposedTap getTransposedTap(const Body &body, ConvTransposeOp op,
                                      unsigned firstTap) {
  OpBuilder &b = body.b;
  Location loc = body.loc;
  TransposedTap tap;
  for (unsigned i = 0; i < op.getStrides().size(); ++i) {
    Value reach =
        arith::MulIOp::create(b, loc, body.index(firstTap + i),
                              body.constantIndex(op.getDilations()[i]));
    Value index = arith::AddIOp::create(b, loc, body.index(2 + i),
                                        body.constantIndex(op.getLow()[i]));
    index = arith::SubIOp::create(b, loc, index, reach);
    Value stride = body.constantIndex(op.getStrides()[i]);
    Value quotient = arith::DivSIOp::create(b, loc, index, stride);
    Value back = arith::MulIOp::create(b, loc, quotient, stride);
    Value isWhole =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, back, index);
    Value inside =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, quotient,
                              body.size(getDim(op.getX().getType(), i + 2)));
    inside = arith::AndIOp::create(b, loc, inside, isWhole);
    tap.isInside =
        tap.isInside
            ? Value(arith::AndIOp::create(b, loc, tap.isInside, inside))
            : inside;
    tap.place.push_back(arith::SelectOp::create(b, loc, inside, quotient,
                                                body.constantIndex(0)));
  }
  return tap;
}

/// What every place of x contributes to each tap of each output channel, as one
/// matrix product: [N, places..., O, taps...].
static FailureOr<Value> buildContributions(OpBuilder &b, ConvTransposeOp op) {
  MLIRContext *context = b.getContext();
  Location loc = op.getLoc();
  RankedTensorType x = op.getX().getType(), w = op.getW().getType();
  Type elementType = x.getElementType();
  SmallVector<SymExprAttr> xDims = getDims(x), wDims = getDims(w);
  Value rows =
      TransposeOp::create(b, loc, op.getX(), getChannelsLast(x.getRank()));
  SmallVector<SymExprAttr> dims = {xDims[0]};
  llvm::append_range(dims, ArrayRef(xDims).drop_front(2));
  rows = ReshapeOp::create(
      b, loc, getTensorType({product(context, dims), xDims[1]}, elementType),
      rows);
  SymExprAttr taps = product(context, ArrayRef(wDims).drop_front(1));
  Value filters = ReshapeOp::create(
      b, loc, getTensorType({wDims[0], taps}, elementType), op.getW());
  auto matmul = MatmulOp::create(b, loc, rows, filters);
  LoweredValues result = lowerMatmul(b, matmul);
  matmul.erase();
  if (failed(result))
    return failure();
  llvm::append_range(dims, ArrayRef(wDims).drop_front(1));
  return Value(ReshapeOp::create(b, loc, getTensorType(dims, elementType),
                                 result->front()));
}

/// Without groups: a matrix product, then each output element adds up the
/// contributions that fall on it.
static LoweredValues lowerConvTransposeAsMatmul(OpBuilder &b,
                                                ConvTransposeOp op) {
  FailureOr<Value> contributions = buildContributions(b, op);
  if (failed(contributions))
    return failure();
  SmallVector<SymExprAttr> sizes = getDims(op.getType());
  unsigned rank = sizes.size();
  llvm::append_range(sizes,
                     ArrayRef(getDims(op.getW().getType())).drop_front(2));
  NestBuilder nest(b, op.getLoc(), sizes, rank - 2);
  unsigned table = nest.addTable(*contributions);
  nest.addResult(op.getType(),
                 b.getMultiDimIdentityMap(sizes.size()).getMajorSubMap(rank));
  Operation *rows = nest.build([&](const Body &body) {
    TransposedTap tap = getTransposedTap(body, op, rank);
    SmallVector<Value> indices = {body.index(0)};
    llvm::append_range(indices, tap.place);
    indices.push_back(body.index(1));
    for (unsigned d = rank; d < sizes.size(); ++d)
      indices.push_back(body.index(d));
    Value element = body.fetch(table, indices);
    Value zero = body.constant(element.getType(), 0);
    element =
        arith::SelectOp::create(body.b, body.loc, tap.isInside, element, zero);
    Value sum = body.reduce(Combine::sum, widen(body, element));
    return SmallVector<Value>{
        narrowTo(body, op.getType().getElementType(), sum)};
  });
  return SmallVector<Value>(rows->getResults());
}

/// With groups: each output element sums over its group's channels and the
/// taps.
static LoweredValues lowerGroupedConvTranspose(OpBuilder &b,
                                               ConvTransposeOp op) {
  RankedTensorType x = op.getX().getType(), w = op.getW().getType();
  SmallVector<SymExprAttr> sizes = getDims(op.getType());
  unsigned rank = sizes.size();
  sizes.push_back(floorDiv(getDim(x, 1), static_cast<int64_t>(op.getGroups())));
  llvm::append_range(sizes, ArrayRef(getDims(w)).drop_front(2));
  SymExprAttr channels = sizes[rank];
  NestBuilder nest(b, op.getLoc(), sizes, rank - 1);
  unsigned input = nest.addTable(op.getX()), filter = nest.addTable(op.getW());
  nest.addResult(op.getType(),
                 b.getMultiDimIdentityMap(sizes.size()).getMajorSubMap(rank));
  Operation *rows = nest.build([&](const Body &body) {
    OpBuilder &builder = body.b;
    Location loc = body.loc;
    Value perGroup = body.size(getDim(w, 1));
    Value group = arith::DivUIOp::create(builder, loc, body.index(1), perGroup);
    Value channel =
        arith::MulIOp::create(builder, loc, group, body.size(channels));
    channel = arith::AddIOp::create(builder, loc, channel, body.index(rank));
    Value within =
        arith::RemUIOp::create(builder, loc, body.index(1), perGroup);
    TransposedTap tap = getTransposedTap(body, op, rank + 1);
    SmallVector<Value> place = {body.index(0), channel};
    llvm::append_range(place, tap.place);
    SmallVector<Value> weight = {channel, within};
    for (unsigned d = rank + 1; d < sizes.size(); ++d)
      weight.push_back(body.index(d));
    Value product = arith::MulFOp::create(
        builder, loc, widen(body, body.fetch(input, place)),
        widen(body, body.fetch(filter, weight)));
    Value zero = body.constant(product.getType(), 0);
    product =
        arith::SelectOp::create(builder, loc, tap.isInside, product, zero);
    return SmallVector<Value>{narrowTo(body, op.getType().getElementType(),
                                       body.reduce(Combine::sum, product))};
  });
  return SmallVector<Value>(rows->getResults());
}

static LoweredValues lowerConvTranspose(OpBuilder &b, ConvTransposeOp op) {
  return op.getGroups() == 1 ? lowerConvTransposeAsMatmul(b, op)
                             : lowerGroupedConvTranspose(b, op);
}

//===----------------------------------------------------------------------===//
// Pooling
//===----------------------------------------------------------------------===//

/// How many elements a mean divides by: those inside x, or with
/// `count_padding` those inside the padded x.
static Value countElements(const Body &body, PoolOp op, unsigned firstPlace,
                           unsigned firstTap, Value isInside) {
  OpBuilder &b = body.b;
  Location loc = body.loc;
  Type i64 = b.getI64Type();
  Value one = arith::ConstantIntOp::create(b, loc, i64, 1);
  Value zero = arith::ConstantIntOp::create(b, loc, i64, 0);
  Value counts = isInside;
  if (op.getCountPadding()) {
    counts = nullptr;
    for (unsigned i = 0; i < op.getStrides().size() && op.getCeil(); ++i) {
      // Rounding up may push a window beyond the padding.
      Value place =
          arith::MulIOp::create(b, loc, body.index(firstPlace + i),
                                body.constantIndex(op.getStrides()[i]));
      Value tap =
          arith::MulIOp::create(b, loc, body.index(firstTap + i),
                                body.constantIndex(op.getDilations()[i]));
      Value index = arith::AddIOp::create(b, loc, place, tap);
      SymExprAttr padded = add(getDim(op.getX().getType(), i + 2),
                               op.getLow()[i] + op.getHigh()[i]);
      Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                           index, body.size(padded));
      counts = counts ? Value(arith::AndIOp::create(b, loc, counts, inside))
                      : inside;
    }
  }
  Value unit =
      counts ? Value(arith::SelectOp::create(b, loc, counts, one, zero)) : one;
  return body.reduce(Combine::sum, unit);
}

static LoweredValues lowerPool(OpBuilder &b, PoolOp op) {
  RankedTensorType type = op.getType();
  auto floatType = dyn_cast<FloatType>(type.getElementType());
  SmallVector<SymExprAttr> sizes = getDims(type);
  unsigned rank = sizes.size();
  for (int64_t size : op.getWindow())
    sizes.push_back(constantExpr(b, size));
  NestBuilder nest(b, op.getLoc(), sizes, rank - 2);
  unsigned table = nest.addTable(op.getX());
  nest.addResult(type,
                 b.getMultiDimIdentityMap(sizes.size()).getMajorSubMap(rank));
  bool isUnsigned = type.getElementType().isUnsignedInteger();
  Operation *rows = nest.build([&](const Body &body) {
    OpBuilder &builder = body.b;
    Location loc = body.loc;
    PaddedElement element =
        fetchWindow(body, table, op, body.index(0), body.index(1), 2, rank);
    Type scalar = element.value.getType();
    if (op.getKind() == PoolKind::max) {
      TypedAttr least;
      unsigned width = scalar.getIntOrFloatBitWidth();
      if (floatType)
        least = builder.getFloatAttr(scalar,
                                     -std::numeric_limits<double>::infinity());
      else
        least = builder.getIntegerAttr(
            scalar, isUnsigned ? APInt::getZero(width)
                               : APInt::getSignedMinValue(width));
      Value other = arith::ConstantOp::create(builder, loc, least);
      return SmallVector<Value>{
          body.reduce(isUnsigned ? Combine::umax : Combine::max,
                      selectOr(body, element, other))};
    }
    if (cast<FloatType>(scalar).getWidth() < 32)
      element.value = arith::ExtFOp::create(builder, loc, builder.getF32Type(),
                                            element.value);
    Value zero = body.constant(element.value.getType(), 0);
    Value sum = body.reduce(Combine::sum, selectOr(body, element, zero));
    Value count = countElements(body, op, 2, rank, element.isInside);
    count = arith::SIToFPOp::create(builder, loc, sum.getType(), count);
    Value mean = arith::DivFOp::create(builder, loc, sum, count);
    if (mean.getType() != scalar)
      mean = arith::TruncFOp::create(builder, loc, scalar, mean);
    return SmallVector<Value>{mean};
  });
  return SmallVector<Value>(rows->getResults());
}

LoweredValues txc::lowerWindow(OpBuilder &b, Operation *op) {
  return llvm::TypeSwitch<Operation *, LoweredValues>(op)
      .Case([&](ConvOp conv) { return lowerConv(b, conv); })
      .Case([&](ConvTransposeOp conv) { return lowerConvTranspose(b, conv); })
      .Case([&](PoolOp pool) { return lowerPool(b, pool); })
      .Default([](Operation *) { return SmallVector<Value>(); });
}
