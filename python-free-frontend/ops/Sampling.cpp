//===- Sampling.cpp - ONNX operators that sample at computed places -------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// GridSample, AffineGrid and DeformConv. An interpolation is the sum over its
/// taps: one, two or four along each axis, and all their combinations. They are
/// a dim of their own, so that one gather reads them and one reduction adds
/// them up.
//
//===----------------------------------------------------------------------===//

#include "python-free-frontend/ops/MatmulBuilder.h"
#include "python-free-frontend/ops/OpTable.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::Predicate;
using tx::SymExprAttr;

//===----------------------------------------------------------------------===//
// GridSample
//===----------------------------------------------------------------------===//

namespace {
/// Places along an axis (or in all of an input) and the factors of the elements
/// there, [N, P, K] for K taps of P points.
struct Taps {
  Value places, weights;
};

/// Reads one axis of the input.
class AxisSampler {
public:
  AxisSampler(NodeContext &context, Type type, SymExprAttr size, StringRef mode,
              StringRef padding, bool alignCorners)
      : context(context), type(type), mode(mode), padding(padding),
        alignCorners(alignCorners), size(size) {}

  /// The taps for coordinates [N, P, 1] in [-1, 1].
  Taps getTaps(Value coordinate) { return getTapsAt(denormalize(coordinate)); }
  /// The taps for coordinates that count elements.
  Taps getTapsAt(Value x);

private:
  Value number(double value) { return context.getScalar(type, value); }
  /// size + offset as a float.
  Value extent(double offset) {
    Type i64 = context.getBuilder().getI64Type();
    Value scalar = context.getExprTensor(RankedTensorType::get({}, i64), size);
    return op<tx::AddOp>(context.cast(scalar, type), number(offset));
  }
  template <typename OpTy> Value op(Value lhs, Value rhs) {
    return context.createElementwise<OpTy>(lhs, rhs);
  }
  Value scale(Value x, double factor) {
    return op<tx::MulOp>(x, number(factor));
  }
  Value clamp(Value x) {
    return op<tx::MaximumOp>(op<tx::MinimumOp>(x, extent(-1)), number(0));
  }

  Value denormalize(Value coordinate);
  Value reflect(Value x);
  Value pad(Value x);
  /// The weight of a tap at this distance.
  Value getWeight(Value distance);

  NodeContext &context;
  Type type;
  StringRef mode, padding;
  bool alignCorners;
  SymExprAttr size;
};
} // namespace

/// From [-1, 1] to places of elements: the ends are the centers of the outer
/// elements or their outer borders.
Value AxisSampler::denormalize(Value coordinate) {
  Value fromZero = op<tx::AddOp>(coordinate, number(1));
  if (alignCorners)
    return scale(op<tx::MulOp>(fromZero, extent(-1)), 0.5);
  return scale(op<tx::SubOp>(op<tx::MulOp>(fromZero, extent(0)), number(1)),
               0.5);
}

/// A triangle wave between the ends: t = (x - low) mod 2 range, turned around
/// beyond the range.
Value AxisSampler::reflect(Value x) {
  Value low = number(alignCorners ? 0 : -0.5);
  Value range = extent(alignCorners ? -1 : 0);
  Value period = scale(range, 2);
  Value t = op<tx::ModOp>(op<tx::SubOp>(x, low), period);
  Value turned = op<tx::MinimumOp>(t, op<tx::SubOp>(period, t));
  return op<tx::AddOp>(turned, low);
}

Value AxisSampler::pad(Value x) {
  if (padding == "border")
    return clamp(x);
  return padding == "reflection" ? reflect(x) : x;
}

/// A triangle or Keys' cubic convolution with a = -0.75 (R. Keys, Cubic
/// convolution interpolation for digital image processing, 1981), as PyTorch
/// has it.
Value AxisSampler::getWeight(Value distance) {
  Value one = number(1);
  if (mode == "linear")
    return op<tx::SubOp>(one, distance);
  constexpr double a = -0.75;
  auto times = [&](Value x) { return op<tx::MulOp>(x, distance); };
  // ((a + 2) x - (a + 3)) x x + 1 up to 1, ((a x - 5a) x + 8a) x - 4a up to 2.
  Value inner = op<tx::AddOp>(
      times(times(op<tx::SubOp>(scale(distance, a + 2), number(a + 3)))), one);
  Value outer = times(op<tx::SubOp>(scale(distance, a), number(5 * a)));
  outer =
      op<tx::SubOp>(times(op<tx::AddOp>(outer, number(8 * a))), number(4 * a));
  return context.createSelect(
      context.createCompare(Predicate::le, distance, one), inner, outer);
}

/// Outside the input a zero has no weight; other paddings have a place there.
Taps AxisSampler::getTapsAt(Value x) {
  Value places, weights = number(1);
  if (mode == "nearest") {
    places = pad(context.create<tx::RoundOp>(x));
  } else {
    x = pad(x);
    Value base = context.create<tx::FloorOp>(x);
    int64_t count = mode == "cubic" ? 4 : 2;
    Type i64 = context.getBuilder().getI64Type();
    Value offsets =
        context.cast(context.getIota(context.getExpr(count), i64), type);
    if (mode == "cubic")
      offsets = op<tx::SubOp>(offsets, number(1));
    places = op<tx::AddOp>(base, offsets);
    weights = getWeight(context.create<tx::AbsOp>(
        op<tx::SubOp>(op<tx::SubOp>(x, base), offsets)));
  }
  if (padding == "zeros") {
    Value isInside =
        op<tx::AndOp>(context.createCompare(Predicate::ge, places, number(0)),
                      context.createCompare(Predicate::le, places, extent(-1)));
    weights = context.createSelect(isInside, weights, number(0));
  }
  return {context.cast(clamp(pad(places)), context.getBuilder().getI64Type()),
          weights};
}

/// All combinations of taps of the axes before and those of one more, which has
/// `size` places: [N, P, K * L].
static Taps combine(NodeContext &context, const Taps &before, const Taps &taps,
                    SymExprAttr size) {
  if (!before.places || !taps.places || !before.weights || !taps.weights)
    return {};
  Exprs dims = tx::getDims(typeOf(before.places));
  dims[2] = tx::mul(dims[2], tx::getDim(typeOf(taps.places), 2));
  auto i64 = RankedTensorType::get({}, context.getBuilder().getI64Type());
  Value row = context.create<tx::MulOp>(before.places,
                                        context.getExprTensor(i64, size));
  // Weights that are the same for all points stay a scalar.
  auto spread = [&](Value x, int64_t axis) {
    return x && typeOf(x).getRank() != 0 ? context.unsqueeze(x, {axis}) : x;
  };
  Value places = context.createElementwise<tx::AddOp>(spread(row, 3),
                                                      spread(taps.places, 2));
  Value weights = context.createElementwise<tx::MulOp>(
      spread(before.weights, 3), spread(taps.weights, 2));
  if (weights && typeOf(weights).getRank() != 0)
    weights = context.reshape(weights, dims);
  return {context.reshape(places, dims), weights};
}

/// The weighted sums [N, P, C] of taps of x [N, P', C].
static Value sumTaps(NodeContext &context, Value x, const Taps &taps) {
  Value elements = context.create<tx::GatherNdOp>(
      x, context.unsqueeze(taps.places, {3}), int64_t(1));
  if (!elements || !taps.weights)
    return {};
  Value weights = taps.weights;
  if (typeOf(weights).getRank() != 0)
    weights = context.unsqueeze(weights, {3});
  Value terms = context.createElementwise<tx::MulOp>(elements, weights);
  SmallVector<int64_t> axis = {2};
  return context.squeeze(
      context.create<tx::ReduceOp>(terms, tx::ReduceKind::sum, axis), axis);
}

/// Operands: x [N, C, D…], grid [N, O…, number of D], last axis first.
static NodeResults buildGridSample(NodeContext &context) {
  int64_t rank = context.getRank(0) - 2;
  bool alignCorners = context.getInt("align_corners", 0) != 0;
  StringRef padding = context.getString("padding_mode", "zeros");
  StringRef mode = context.getString("mode", "linear");
  mode.consume_front("bi"); // until opset 20
  if (rank < 1 || context.getRank(1) != rank + 2)
    return context.unsupported("expected an input [N, C, D...] and a grid [N, "
                               "O..., number of D]");
  if (mode != "linear" && mode != "nearest" && mode != "cubic")
    return context.unsupported("unknown mode \"" + mode + "\"");
  if (padding != "zeros" && padding != "border" && padding != "reflection")
    return context.unsupported("unknown padding_mode \"" + padding + "\"");
  Value grid =
      context.withDim(context.getOperand(1), rank + 1, context.getExpr(rank),
                      "the last dim of the grid and the axes");
  grid = context.withDim(grid, 0, tx::getDim(context.getType(0), 0), "batches");
  if (!grid)
    return {};
  Type type = context.getElementType(0);
  Type wide = type.getIntOrFloatBitWidth() < 32
                  ? Type(context.getBuilder().getF32Type())
                  : type;
  Exprs dims = tx::getDims(context.getType(0));
  Exprs points = tx::getDims(typeOf(grid));
  ArrayRef<SymExprAttr> outer = ArrayRef(points).slice(1, rank);
  MLIRContext *mlirContext = context.getContext();
  grid = context.cast(
      context.reshape(grid, {dims[0], tx::product(mlirContext, outer),
                             context.getExpr(rank)}),
      wide);
  ArrayRef<SymExprAttr> inner = ArrayRef(dims).drop_front(2);
  Taps taps;
  for (auto [axis, size] : llvm::enumerate(inner)) {
    int64_t column = rank - 1 - static_cast<int64_t>(axis);
    Value coordinate =
        context.slice(grid, 2, context.getExpr(column), context.getExpr(1));
    AxisSampler sampler(context, wide, size, mode, padding, alignCorners);
    Taps own = sampler.getTaps(coordinate);
    taps = axis == 0 ? own : combine(context, taps, own, size);
  }
  Value x =
      context.reshape(context.getOperand(0),
                      {dims[0], dims[1], tx::product(mlirContext, inner)});
  x = context.cast(context.transpose(x, {0, 2, 1}), wide);
  Value y = context.transpose(sumTaps(context, x, taps), {0, 2, 1});
  Exprs result = {dims[0], dims[1]};
  llvm::append_range(result, outer);
  return context.reshape(context.cast(y, type), result);
}

//===----------------------------------------------------------------------===//
// DeformConv
//===----------------------------------------------------------------------===//

namespace {
/// A convolution over two dims whose taps are moved by offsets: windows are
/// sampled into columns, which the weights multiply.
class DeformedConvolution {
public:
  explicit DeformedConvolution(NodeContext &context) : context(context) {}
  LogicalResult read();
  /// [N, C, K, O] for K taps of a window and O places of the result.
  Value getColumns();
  /// Their products with the weights, and the bias.
  Value multiply(Value columns);

private:
  /// The places along an axis that the offsets are added to: [K, O].
  Value getGrid(size_t axis);

  NodeContext &context;
  int64_t groups = 1, offsetGroups = 1;
  SmallVector<int64_t> kernel, strides, pads, dilations;
  /// Of the input and of the result's places.
  Exprs dims, outer;
  SymExprAttr taps, places;
};
} // namespace

LogicalResult DeformedConvolution::read() {
  groups = context.getInt("group", 1);
  offsetGroups = context.getInt("offset_group", 1);
  if (context.getRank(0) != 4 || context.getRank(1) != 4 ||
      context.getRank(2) != 4)
    return context.unsupported("expected two spatial dims");
  if (failed(context.unify(tx::getDim(context.getType(0), 1),
                           tx::mul(tx::getDim(context.getType(1), 1), groups),
                           "the channels of the input and the weights")))
    return failure();
  dims = tx::getDims(context.getType(0));
  for (SymExprAttr size :
       ArrayRef(tx::getDims(context.getType(1))).drop_front(2)) {
    if (!size.getConstant())
      return context.unsupported("the window must be known, found " +
                                 size.str());
    kernel.push_back(*size.getConstant());
  }
  auto getInts = [&](StringRef name, size_t count, int64_t value,
                     SmallVector<int64_t> &result) {
    result.assign(count, value);
    if (std::optional<ArrayRef<int64_t>> given = context.getInts(name))
      result = llvm::to_vector(*given);
    return result.size() == count;
  };
  SmallVector<int64_t> shape;
  if (!getInts("strides", 2, 1, strides) || !getInts("pads", 4, 0, pads) ||
      !getInts("dilations", 2, 1, dilations) ||
      !getInts("kernel_shape", 2, 0, shape) || groups < 1 || offsetGroups < 1)
    return context.unsupported("attributes have the wrong numbers of elements");
  taps = context.getExpr(kernel[0] * kernel[1]);
  for (size_t i : {0, 1}) {
    SymExprAttr room =
        tx::add(dims[i + 2],
                pads[i] + pads[i + 2] - dilations[i] * (kernel[i] - 1) - 1);
    outer.push_back(
        tx::add(tx::floorDiv(room, strides[i]), context.getExpr(1)));
  }
  places = tx::mul(outer[0], outer[1]);
  return success();
}

Value DeformedConvolution::getGrid(size_t axis) {
  Type type = context.getElementType(0);
  SymExprAttr one = context.getExpr(1);
  auto count = [&](SymExprAttr size, int64_t factor, size_t place) {
    Exprs shape(4, one);
    shape[place] = size;
    Value numbers = context.create<tx::MulOp>(
        context.getIota(size, type),
        context.getScalar(type, static_cast<double>(factor)));
    return context.reshape(numbers, shape);
  };
  Value starts = count(outer[axis], strides[axis], axis + 2);
  Value steps = count(context.getExpr(kernel[axis]), dilations[axis], axis);
  Value grid = context.createElementwise<tx::SubOp>(
      context.createElementwise<tx::AddOp>(starts, steps),
      context.getScalar(type, static_cast<double>(pads[axis])));
  grid = context.broadcastTo(grid,
                             {context.getExpr(kernel[0]),
                              context.getExpr(kernel[1]), outer[0], outer[1]});
  return context.reshape(grid, {taps, places});
}

Value DeformedConvolution::getColumns() {
  Type type = context.getElementType(0);
  SymExprAttr batch = tx::mul(dims[0], offsetGroups), one = context.getExpr(1);
  SymExprAttr channels = tx::floorDiv(dims[1], offsetGroups);
  SymExprAttr points = tx::mul(taps, places);
  // The places of the offsets are those of the result.
  Value offsets = context.withDim(context.getOperand(2), 0, dims[0], "batches");
  for (size_t i : {0, 1})
    offsets = context.withDim(offsets, static_cast<int64_t>(i) + 2, outer[i],
                              "dims of offsets and result");
  offsets = context.reshape(offsets, {batch, taps, context.getExpr(2), places});
  Taps all;
  for (size_t axis : {0, 1}) {
    Value moved = context.reshape(
        context.slice(offsets, 2, context.getExpr(static_cast<int64_t>(axis)),
                      one),
        {batch, taps, places});
    moved = context.createElementwise<tx::AddOp>(moved, getGrid(axis));
    AxisSampler sampler(context, type, dims[axis + 2], "linear", "zeros",
                        /*alignCorners=*/true);
    Taps own = sampler.getTapsAt(context.reshape(moved, {batch, points, one}));
    all = axis == 0 ? own : combine(context, all, own, dims[3]);
  }
  Value x = context.reshape(context.getOperand(0),
                            {batch, channels, tx::mul(dims[2], dims[3])});
  Value columns = sumTaps(context, context.transpose(x, {0, 2, 1}), all);
  if (Value mask = context.getOperand(4))
    columns = context.createElementwise<tx::MulOp>(
        columns, context.reshape(mask, {batch, points, one}));
  return context.reshape(context.transpose(columns, {0, 2, 1}),
                         {dims[0], dims[1], taps, places});
}

Value DeformedConvolution::multiply(Value columns) {
  SymExprAttr results = tx::getDim(context.getType(1), 0);
  SymExprAttr count = context.getExpr(groups);
  SymExprAttr rows = tx::floorDiv(results, groups);
  SymExprAttr depth = tx::mul(tx::floorDiv(dims[1], groups), taps);
  Value weights = context.reshape(context.getOperand(1), {count, rows, depth});
  columns = context.reshape(columns, {dims[0], count, depth, places});
  Value y = context.reshape(createMatmul(context, weights, columns),
                            {dims[0], results, outer[0], outer[1]});
  if (Value bias = context.getOperand(3))
    y = context.createElementwise<tx::AddOp>(y,
                                             context.unsqueeze(bias, {1, 2}));
  return y;
}

/// Operands: x [N, C, H, W], weights, offsets [N, groups * taps * 2, H', W'],
/// bias, a factor for each tap.
static NodeResults buildDeformConv(NodeContext &context) {
  DeformedConvolution convolution(context);
  if (failed(convolution.read()))
    return {};
  return convolution.multiply(convolution.getColumns());
}

//===----------------------------------------------------------------------===//
// AffineGrid
//===----------------------------------------------------------------------===//

/// The coordinates of `size` places along an axis, in [-1, 1].
static Value getCoordinates(NodeContext &context, SymExprAttr size,
                            bool alignCorners, Type type) {
  Type i64 = context.getBuilder().getI64Type();
  Value place = context.cast(context.getIota(size, i64), type);
  auto number = [&](double value) { return context.getScalar(type, value); };
  Value extent = context.cast(
      context.getExprTensor(RankedTensorType::get({}, i64), size), type);
  // 2 i / (size - 1) - 1, or (2 i + 1) / size - 1.
  place = context.create<tx::MulOp>(place, number(2));
  if (alignCorners)
    extent = context.create<tx::SubOp>(extent, number(1));
  else
    place = context.create<tx::AddOp>(place, number(1));
  return context.create<tx::SubOp>(context.create<tx::DivOp>(place, extent),
                                   number(1));
}

/// Operands: theta [N, r, r + 1], the size [N, C, D…] of what is sampled.
/// Result: theta (x, y, …, 1) for all places, [N, D…, r], last axis first.
static NodeResults buildAffineGrid(NodeContext &context) {
  bool alignCorners = context.getInt("align_corners", 0) != 0;
  FailureOr<Exprs> size =
      context.getExprs(context.getOperand(1), "the size of an AffineGrid");
  if (failed(size))
    return {};
  if (size->size() < 3 || context.getRank(0) != 3)
    return context.unsupported("expected theta [N, r, r + 1] and a size "
                               "[N, C, D...]");
  ArrayRef<SymExprAttr> inner = ArrayRef(*size).drop_front(2);
  auto rank = static_cast<int64_t>(inner.size());
  Type type = context.getElementType(0);
  Type wide = type.getIntOrFloatBitWidth() < 32
                  ? Type(context.getBuilder().getF32Type())
                  : type;
  SymExprAttr count = tx::product(context.getContext(), inner);
  SmallVector<Value> rows;
  for (int64_t axis = rank - 1; axis >= 0; --axis) {
    Exprs dims(rank, context.getExpr(1));
    dims[axis] = inner[axis];
    Value row = context.reshape(
        getCoordinates(context, inner[axis], alignCorners, wide), dims);
    rows.push_back(context.reshape(context.broadcastTo(row, inner),
                                   {context.getExpr(1), count}));
  }
  rows.push_back(context.broadcastTo(context.getScalar(wide, 1),
                                     {context.getExpr(1), count}));
  Value theta =
      context.withDim(context.getOperand(0), 0, size->front(), "batches");
  Value places = context.create<tx::ConcatOp>(ValueRange(rows), int64_t(0));
  Value grid = context.transpose(
      createMatmul(context, context.cast(theta, wide), places), {0, 2, 1});
  Exprs dims = {context.resolve(size->front())};
  llvm::append_range(dims, inner);
  dims.push_back(context.getExpr(rank));
  return context.reshape(context.cast(grid, type), dims);
}

OpTable frontend::getSamplingOps() {
  static constexpr OpEntry table[] = {
      {"AffineGrid", 20, 2, 2, buildAffineGrid},
      {"DeformConv", 19, 3, 5, buildDeformConv},
      {"GridSample", 16, 2, 2, buildGridSample},
  };
  return table;
}
