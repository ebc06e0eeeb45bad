//===- Resize.cpp - ONNX interpolation ------------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Resize works on each axis by itself: the places of the result give places in
/// the input, and each result element is a weighted sum of a few gathers there.
/// Places and weights are small tensors that fold when the dims are known; a
/// vision transformer's position grid then is a constant altogether.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Matchers.h"
#include "python-free-frontend/ops/MatmulBuilder.h"
#include "python-free-frontend/ops/OpTable.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::Predicate;
using tx::SymExprAttr;

namespace {
/// What the attributes say; they hold for all axes.
struct Filter {
  StringRef mode, coordinates, nearestMode, aspectPolicy;
  double cubicA = -0.75, extrapolation = 0;
  bool antialias = false, excludeOutside = false;
};

/// One axis that changes.
struct Axis {
  int64_t index;
  SymExprAttr from, to;
  /// `to / from` as the operator has it; nothing if it follows from dims that
  /// are known in the run only.
  std::optional<double> scale;
  /// The same, of f64, where a run computes it; null: `to / from`.
  Value runScale = {};
  /// Whether `to` is `from * scale` rounded down, rather than given.
  bool isScaled = false;
  /// The part of the input that tf_crop_and_resize takes.
  double begin = 0, end = 1;
};
} // namespace

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

static FailureOr<SmallVector<double>>
getKnownFloats(NodeContext &context, Value value, const Twine &what) {
  DenseFPElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)))
    return context.unsupported(what + " depend on data of the run");
  SmallVector<double> result;
  for (const APFloat &element : elements.getValues<APFloat>())
    result.push_back(element.convertToDouble());
  return result;
}

static FailureOr<Filter> getFilter(NodeContext &context) {
  Filter filter;
  bool isOld = context.getOpset() < 11;
  filter.mode = context.getString("mode", "nearest");
  filter.coordinates = context.getString("coordinate_transformation_mode",
                                         isOld ? "asymmetric" : "half_pixel");
  filter.nearestMode =
      context.getString("nearest_mode", isOld ? "floor" : "round_prefer_floor");
  filter.aspectPolicy =
      context.getString("keep_aspect_ratio_policy", "stretch");
  filter.cubicA = context.getFloat("cubic_coeff_a", -0.75);
  filter.extrapolation = context.getFloat("extrapolation_value", 0);
  filter.antialias = context.getInt("antialias", 0) != 0;
  filter.excludeOutside = context.getInt("exclude_outside", 0) != 0;
  if (filter.mode == "bilinear")
    filter.mode = "linear";
  if (filter.mode != "nearest" && filter.mode != "linear" &&
      filter.mode != "cubic")
    return context.unsupported("unknown mode \"" + filter.mode + "\"");
  return filter;
}

/// floor(dim * scale) in f32, as runtimes compute it; a symbolic dim needs a
/// scale that is a simple fraction up to f32's rounding.
static FailureOr<SymExprAttr> scaleDim(NodeContext &context, SymExprAttr dim,
                                       double scale) {
  if (std::optional<int64_t> size = dim.getConstant())
    return context.getExpr(static_cast<int64_t>(
        std::floor(static_cast<float>(*size) * static_cast<float>(scale))));
  for (int64_t divisor = 1; divisor <= 64; ++divisor) {
    double multiple = scale * static_cast<double>(divisor);
    if (std::abs(multiple - std::round(multiple)) <= 1e-7 * multiple)
      return tx::floorDiv(
          tx::mul(dim, static_cast<int64_t>(std::llround(multiple))), divisor);
  }
  return context.unsupported("the dim " + dim.str() + " can't be scaled by " +
                                 Twine(std::to_string(scale)),
                             "-dim to fix it");
}

/// A dim as a scalar of f64.
static Value getReal(NodeContext &context, SymExprAttr dim) {
  return context.cast(context.getExprScalar(dim),
                      context.getBuilder().getF64Type());
}

/// Rounds a size down.
static SymExprAttr getRunSize(NodeContext &context, Value size) {
  return context.getSize(context.cast(context.create<tx::FloorOp>(size),
                                      context.getBuilder().getI64Type()),
                         "size");
}

/// keepAspectRatio() where a run decides.
static LogicalResult keepRunAspectRatio(NodeContext &context, StringRef policy,
                                        MutableArrayRef<Axis> axes) {
  Value scale;
  for (const Axis &axis : axes) {
    Value own = context.create<tx::DivOp>(getReal(context, axis.to),
                                          getReal(context, axis.from));
    if (!scale)
      scale = own;
    else if (policy == "not_larger")
      scale = context.create<tx::MinimumOp>(scale, own);
    else
      scale = context.create<tx::MaximumOp>(scale, own);
  }
  Value half = context.getScalar(context.getBuilder().getF64Type(), 0.5);
  for (Axis &axis : axes) {
    Value size = context.create<tx::MulOp>(scale, getReal(context, axis.from));
    axis.to = getRunSize(context, context.create<tx::AddOp>(size, half));
    axis.runScale = scale;
    axis.scale = std::nullopt;
    if (!axis.to)
      return failure();
  }
  return success();
}

/// Sizes that keep the aspect ratio, as near to those asked for as allowed.
static LogicalResult keepAspectRatio(NodeContext &context, StringRef policy,
                                     MutableArrayRef<Axis> axes) {
  std::optional<double> scale;
  for (const Axis &axis : axes) {
    std::optional<int64_t> from = axis.from.getConstant();
    std::optional<int64_t> to = axis.to.getConstant();
    if (!from || !to || *from == 0)
      return keepRunAspectRatio(context, policy, axes);
    double own = static_cast<double>(*to) / static_cast<double>(*from);
    if (!scale)
      scale = own;
    scale =
        policy == "not_larger" ? std::min(*scale, own) : std::max(*scale, own);
  }
  for (Axis &axis : axes) {
    auto from = static_cast<double>(*axis.from.getConstant());
    axis.to =
        context.getExpr(static_cast<int64_t>(std::floor(*scale * from + 0.5)));
    axis.scale = scale;
  }
  return success();
}

/// Operands: X, roi, scales, sizes; up to opset 10 X and scales.
static FailureOr<SmallVector<Axis>> getAxes(NodeContext &context,
                                            const Filter &filter) {
  int64_t rank = context.getRank(0);
  unsigned scalesIndex = context.getOpset() < 11 ? 1 : 2;
  SmallVector<int64_t> indices = llvm::to_vector(llvm::seq<int64_t>(rank));
  if (std::optional<ArrayRef<int64_t>> given = context.getInts("axes"))
    indices = llvm::to_vector(*given);
  SmallVector<double> scales, roi;
  Exprs sizes;
  auto isGiven = [&](unsigned index) {
    Value operand = context.getOperand(index);
    return operand && !tx::getElementCount(typeOf(operand)).isConstant(0);
  };
  if (std::optional<ArrayRef<float>> attribute = context.getFloats("scales")) {
    scales.assign(attribute->begin(), attribute->end());
  } else if (isGiven(scalesIndex)) {
    auto known =
        getKnownFloats(context, context.getOperand(scalesIndex), "its scales");
    if (failed(known))
      return failure();
    scales = *known;
  } else if (isGiven(3)) {
    auto known = context.getSizes(context.getOperand(3), "sizes of a Resize");
    if (failed(known))
      return failure();
    sizes = *known;
  }
  if (std::max(scales.size(), sizes.size()) != indices.size())
    return context.unsupported("it needs one scale or size an axis");
  bool isCrop = filter.coordinates == "tf_crop_and_resize";
  if (isCrop) {
    if (!isGiven(1))
      return context.unsupported("tf_crop_and_resize needs a roi");
    auto known = getKnownFloats(context, context.getOperand(1), "its roi");
    if (failed(known))
      return failure();
    roi = *known;
    if (roi.size() != 2 * indices.size())
      return context.unsupported("its roi must have two numbers an axis");
  }
  SmallVector<Axis> axes;
  for (auto [i, given] : llvm::enumerate(indices)) {
    FailureOr<int64_t> index = context.normalizeAxis(given, rank);
    if (failed(index))
      return failure();
    SymExprAttr from = tx::getDim(context.getType(0), *index);
    Axis axis{*index, from, from, std::nullopt};
    if (!scales.empty()) {
      axis.scale = scales[i];
      axis.isScaled = true;
      FailureOr<SymExprAttr> to = scaleDim(context, from, scales[i]);
      if (failed(to))
        return failure();
      axis.to = *to;
    } else {
      axis.to = sizes[i];
      std::optional<int64_t> old = from.getConstant(),
                             now = axis.to.getConstant();
      if (old && now && *old > 0)
        axis.scale = static_cast<double>(*now) / static_cast<double>(*old);
    }
    if (isCrop) {
      axis.begin = roi[i];
      axis.end = roi[i + indices.size()];
    }
    axes.push_back(axis);
  }
  if (filter.aspectPolicy != "stretch" && !sizes.empty() &&
      failed(keepAspectRatio(context, filter.aspectPolicy, axes)))
    return failure();
  // An axis that stays is left alone.
  llvm::erase_if(axes, [&](const Axis &axis) {
    return axis.from == axis.to && axis.scale.value_or(1) == 1 && !isCrop;
  });
  return axes;
}

//===----------------------------------------------------------------------===//
// One axis
//===----------------------------------------------------------------------===//

namespace {
/// Builds the interpolation along one axis, in a float type that is f64 where
/// everything folds.
class AxisResizer {
public:
  AxisResizer(NodeContext &context, const Filter &filter, const Axis &axis)
      : context(context), filter(filter), axis(axis) {
    bool isKnown = axis.from.getConstant() && axis.to.getConstant();
    Builder &builder = context.getBuilder();
    type = isKnown ? Type(builder.getF64Type()) : builder.getF32Type();
  }

  /// x with the axis resized; null on a failure.
  Value resize(Value x);
  /// Which places lie outside the input; null unless they are extrapolated.
  Value getOutside();

private:
  Value number(double value) { return context.getScalar(type, value); }
  template <typename OpTy> Value op(Value lhs, Value rhs) {
    return context.create<OpTy>(lhs, rhs);
  }
  /// A dim as a float scalar.
  Value dim(SymExprAttr expr) {
    Type i64 = context.getBuilder().getI64Type();
    return context.cast(
        context.getExprTensor(RankedTensorType::get({}, i64), expr), type);
  }
  Value getScale() {
    if (axis.scale)
      return number(*axis.scale);
    return axis.runScale ? context.cast(axis.runScale, type)
                         : op<tx::DivOp>(dim(axis.to), dim(axis.from));
  }
  /// `single` where the result has one place, else `other`.
  Value chooseForSingle(Value single, Value other);
  Value getPlaces();
  Value getHalfPixel(Value result);
  Value getWeight(Value distance);
  Value gather(Value x, Value places);
  Value resizeNearest(Value x, Value places);
  Value resizeSmooth(Value x, Value places);
  Value resizeBroadly(Value x, Value places);

  NodeContext &context;
  const Filter &filter;
  const Axis &axis;
  Type type;
};
} // namespace

/// (i + 0.5) / scale - 0.5.
Value AxisResizer::getHalfPixel(Value result) {
  Value center = op<tx::AddOp>(result, number(0.5));
  return op<tx::SubOp>(op<tx::DivOp>(center, getScale()), number(0.5));
}

Value AxisResizer::chooseForSingle(Value single, Value other) {
  if (axis.to.getConstant())
    return axis.to.isConstant(1) ? single : other;
  Value isSingle =
      context.createCompare(Predicate::eq, dim(axis.to), number(1));
  return context.createSelect(isSingle, single, other);
}

/// Where in the input each place of the result lies.
Value AxisResizer::getPlaces() {
  Value i = context.getIota(axis.to, type);
  StringRef mode = filter.coordinates;
  if (mode == "half_pixel")
    return getHalfPixel(i);
  if (mode == "pytorch_half_pixel")
    return chooseForSingle(op<tx::MulOp>(i, number(0)), getHalfPixel(i));
  if (mode == "asymmetric")
    return op<tx::DivOp>(i, getScale());
  Value last = op<tx::SubOp>(dim(axis.from), number(1));
  // The size before it was rounded down.
  Value size =
      axis.isScaled ? op<tx::MulOp>(dim(axis.from), getScale()) : dim(axis.to);
  Value steps = op<tx::SubOp>(size, number(1));
  if (mode == "align_corners")
    return chooseForSingle(op<tx::MulOp>(i, number(0)),
                           op<tx::DivOp>(op<tx::MulOp>(i, last), steps));
  if (mode == "tf_crop_and_resize") {
    Value center = op<tx::AddOp>(
        i, op<tx::MulOp>(last, number((axis.begin + axis.end) / 2)));
    Value first = op<tx::MulOp>(last, number(axis.begin));
    Value width = op<tx::MulOp>(last, number(axis.end - axis.begin));
    return chooseForSingle(
        center,
        op<tx::AddOp>(first, op<tx::DivOp>(op<tx::MulOp>(i, width), steps)));
  }
  if (mode == "half_pixel_symmetric") {
    // The part of the scaled size that rounding down left.
    Value adjustment =
        op<tx::DivOp>(dim(axis.to), op<tx::MulOp>(dim(axis.from), getScale()));
    Value center = op<tx::MulOp>(dim(axis.from), number(0.5));
    Value offset = op<tx::MulOp>(center, op<tx::SubOp>(number(1), adjustment));
    return op<tx::AddOp>(getHalfPixel(i), offset);
  }
  return context.unsupported("unknown coordinate_transformation_mode \"" +
                             mode + "\"");
}

/// Elements of x at places, which are clamped to the dim.
Value AxisResizer::gather(Value x, Value places) {
  Value last = op<tx::SubOp>(dim(axis.from), number(1));
  Value inside = op<tx::MaximumOp>(op<tx::MinimumOp>(places, last), number(0));
  return context.create<tx::GatherOp>(
      x, context.cast(inside, context.getBuilder().getI64Type()), axis.index);
}

Value AxisResizer::resizeNearest(Value x, Value places) {
  StringRef mode = filter.nearestMode;
  Value half = number(0.5);
  if (mode == "round_prefer_floor")
    places = context.create<tx::CeilOp>(op<tx::SubOp>(places, half));
  else if (mode == "round_prefer_ceil")
    places = context.create<tx::FloorOp>(op<tx::AddOp>(places, half));
  else if (mode == "floor")
    places = context.create<tx::FloorOp>(places);
  else if (mode == "ceil")
    places = context.create<tx::CeilOp>(places);
  else
    return context.unsupported("unknown nearest_mode \"" + mode + "\"");
  return gather(x, places);
}

/// The filter at a distance: a triangle, or Keys' cubic (IEEE TASSP 29, 1981).
Value AxisResizer::getWeight(Value distance) {
  Value d = context.create<tx::AbsOp>(distance);
  Value zero = number(0), one = number(1);
  if (filter.mode == "linear")
    return op<tx::MaximumOp>(op<tx::SubOp>(one, d), zero);
  double a = filter.cubicA;
  auto horner = [&](ArrayRef<double> coefficients) {
    Value sum = number(coefficients.front());
    for (double coefficient : coefficients.drop_front())
      sum = op<tx::AddOp>(op<tx::MulOp>(sum, d), number(coefficient));
    return sum;
  };
  Value near = horner({a + 2, -(a + 3), 0, 1});
  Value far = horner({a, -5 * a, 8 * a, -4 * a});
  auto isBelow = [&](double limit) {
    return context.create<tx::CompareOp>(Predicate::lt, d, number(limit));
  };
  Value outer = context.create<tx::SelectOp>(isBelow(2), far, zero);
  return context.create<tx::SelectOp>(isBelow(1), near, outer);
}

/// resizeSmooth() where the filter's width, which grows as the input shrinks,
/// is known in the run only: a product with the weights of all elements.
Value AxisResizer::resizeBroadly(Value x, Value places) {
  int64_t reach = filter.mode == "linear" ? 1 : 2;
  Value shrink = op<tx::MinimumOp>(getScale(), number(1));
  // So many places beyond the ends still have weights.
  SymExprAttr margin = getRunSize(
      context,
      op<tx::AddOp>(op<tx::DivOp>(number(static_cast<double>(reach)), shrink),
                    number(1)));
  if (!margin || !x || !places)
    return {};
  SymExprAttr count = tx::add(axis.from, tx::mul(margin, 2));
  Value taps =
      op<tx::SubOp>(context.getIota(count, type), dim(margin)); // [count]
  Value weights = getWeight(context.createElementwise<tx::MulOp>(
      context.createElementwise<tx::SubOp>(taps,
                                           context.unsqueeze(places, {1})),
      shrink));
  if (filter.excludeOutside) {
    Value last = op<tx::SubOp>(dim(axis.from), number(1));
    Value isInside =
        op<tx::AndOp>(context.createCompare(Predicate::ge, taps, number(0)),
                      context.createCompare(Predicate::le, taps, last));
    weights = context.createSelect(isInside, weights, number(0));
  }
  SmallVector<int64_t> columns = {1};
  Value total =
      context.create<tx::ReduceOp>(weights, tx::ReduceKind::sum, columns);
  weights = context.createElementwise<tx::DivOp>(weights, total);
  Value elements = gather(x, taps);
  if (!elements || !weights)
    return {};
  int64_t rank = typeOf(x).getRank();
  auto order = llvm::to_vector(llvm::seq<int64_t>(rank));
  std::swap(order[axis.index], order.back());
  weights = context.cast(weights, typeOf(x).getElementType());
  Value rows = context.transpose(elements, order);
  return context.transpose(
      createMatmul(context, rows, context.transpose(weights, {1, 0})), order);
}

/// The sum of the elements around each place by their weights.
Value AxisResizer::resizeSmooth(Value x, Value places) {
  int64_t reach = filter.mode == "linear" ? 1 : 2;
  double shrink = 1;
  if (filter.antialias) {
    if (!axis.scale)
      return resizeBroadly(x, places);
    shrink = std::min(*axis.scale, 1.0);
  }
  auto first =
      static_cast<int64_t>(std::floor(-static_cast<double>(reach) / shrink)) +
      1;
  Value base = context.create<tx::FloorOp>(places);
  Value fraction = op<tx::SubOp>(places, base);
  Value last = op<tx::SubOp>(dim(axis.from), number(1));
  SmallVector<Value> taps, weights;
  Value total;
  for (int64_t tap = first; tap <= 1 - first; ++tap) {
    auto offset = number(static_cast<double>(tap));
    Value place = op<tx::AddOp>(base, offset);
    Value weight = getWeight(
        op<tx::MulOp>(op<tx::SubOp>(offset, fraction), number(shrink)));
    if (filter.excludeOutside) {
      Value isInside = op<tx::AndOp>(
          context.create<tx::CompareOp>(Predicate::ge, place, number(0)),
          context.create<tx::CompareOp>(Predicate::le, place, last));
      weight = context.create<tx::SelectOp>(isInside, weight, number(0));
    }
    total = total ? op<tx::AddOp>(total, weight) : weight;
    taps.push_back(gather(x, place));
    weights.push_back(weight);
  }
  Exprs shape(context.getRank(0) - axis.index, context.getExpr(1));
  shape.front() = axis.to;
  Value result;
  for (auto [tap, weight] : llvm::zip(taps, weights)) {
    if (filter.excludeOutside || filter.antialias)
      weight = op<tx::DivOp>(weight, total);
    if (!tap)
      return {};
    Value factor = context.reshape(
        context.cast(weight, typeOf(tap).getElementType()), shape);
    Value term = op<tx::MulOp>(tap, factor);
    result = result ? op<tx::AddOp>(result, term) : term;
  }
  return result;
}

Value AxisResizer::resize(Value x) {
  Value places = getPlaces();
  return filter.mode == "nearest" ? resizeNearest(x, places)
                                  : resizeSmooth(x, places);
}

Value AxisResizer::getOutside() {
  if (filter.coordinates != "tf_crop_and_resize")
    return {};
  Value places = getPlaces();
  Value last = op<tx::SubOp>(dim(axis.from), number(1));
  Value isOutside = op<tx::OrOp>(
      context.create<tx::CompareOp>(Predicate::lt, places, number(0)),
      context.create<tx::CompareOp>(Predicate::gt, places, last));
  Exprs shape(context.getRank(0) - axis.index, context.getExpr(1));
  shape.front() = axis.to;
  return context.reshape(isOutside, shape);
}

//===----------------------------------------------------------------------===//
// Resize
//===----------------------------------------------------------------------===//

static NodeResults buildResize(NodeContext &context) {
  FailureOr<Filter> filter = getFilter(context);
  if (failed(filter))
    return {};
  FailureOr<SmallVector<Axis>> axes = getAxes(context, *filter);
  if (failed(axes))
    return {};
  Type type = context.getElementType(0);
  Value x = context.getOperand(0);
  // Weighted sums of integers and 16-bit floats are taken in f32.
  bool isNearest = filter->mode == "nearest";
  auto floatType = dyn_cast<FloatType>(type);
  if (!isNearest && (!floatType || floatType.getWidth() < 32))
    x = context.cast(x, context.getBuilder().getF32Type());
  for (const Axis &axis : *axes)
    x = AxisResizer(context, *filter, axis).resize(x);
  x = context.cast(x, type);
  for (const Axis &axis : *axes)
    if (Value isOutside = AxisResizer(context, *filter, axis).getOutside())
      x = context.create<tx::SelectOp>(
          isOutside, context.getScalar(type, filter->extrapolation), x);
  return x;
}

OpTable frontend::getResizeOps() {
  static constexpr OpEntry table[] = {
      {"Resize", 10, 1, 4, buildResize},
      {"Upsample", 7, 1, 2, buildResize},
  };
  return table;
}
