//===- Convolution.cpp - ONNX operators with sliding windows --------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/ops/ConvolutionBuilder.h"
#include "python-free-frontend/ops/OpTable.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::ReduceKind;
using tx::SymExprAttr;

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

namespace {
/// One number for each spatial dim.
struct Window {
  SmallVector<int64_t> size, strides, low, high, dilations;
  StringRef autoPad;

  int64_t getExtent(size_t i) const { return (size[i] - 1) * dilations[i] + 1; }
};
} // namespace

static FailureOr<SmallVector<int64_t>> getWindowInts(NodeContext &context,
                                                     StringRef name,
                                                     size_t count,
                                                     int64_t defaultValue) {
  std::optional<ArrayRef<int64_t>> values = context.getInts(name);
  if (!values)
    return SmallVector<int64_t>(count, defaultValue);
  if (values->size() != count)
    return context.unsupported("attribute \"" + name + "\" has " +
                               Twine(values->size()) + " numbers, expected " +
                               Twine(count));
  return llvm::to_vector(*values);
}

/// The attributes; `sizes`, from the weights, is what kernel_shape must be.
static FailureOr<Window> getWindow(NodeContext &context,
                                   ArrayRef<int64_t> sizes) {
  size_t spatial = static_cast<size_t>(context.getRank(0)) - 2;
  Window window;
  auto kernel = getWindowInts(context, "kernel_shape", spatial, 0);
  auto strides = getWindowInts(context, "strides", spatial, 1);
  auto dilations = getWindowInts(context, "dilations", spatial, 1);
  auto pads = getWindowInts(context, "pads", 2 * spatial, 0);
  if (failed(kernel) || failed(strides) || failed(dilations) || failed(pads))
    return failure();
  if (!sizes.empty() && context.hasAttribute("kernel_shape") &&
      ArrayRef(*kernel) != sizes)
    return context.unsupported("kernel_shape is not that of the weights");
  window.size = sizes.empty() ? *kernel : llvm::to_vector(sizes);
  window.strides = *strides;
  window.dilations = *dilations;
  window.low.assign(pads->begin(), pads->begin() + spatial);
  window.high.assign(pads->begin() + spatial, pads->end());
  window.autoPad = context.getString("auto_pad", "NOTSET");
  auto isPositive = [](int64_t value) { return value > 0; };
  if (!llvm::all_of(window.size, isPositive) ||
      !llvm::all_of(window.strides, isPositive) ||
      !llvm::all_of(window.dilations, isPositive))
    return context.unsupported(
        "window sizes, strides and dilations must be positive");
  return window;
}

/// Resolves auto_pad of a convolution or pool; SAME gives ceil(dim / stride)
/// places, which needs the dim's size unless the stride is 1.
static LogicalResult resolveAutoPad(NodeContext &context, Window &window) {
  if (window.autoPad == "NOTSET")
    return success();
  if (window.autoPad == "VALID") {
    llvm::fill(window.low, 0);
    llvm::fill(window.high, 0);
    return success();
  }
  bool isUpper = window.autoPad == "SAME_UPPER";
  if (!isUpper && window.autoPad != "SAME_LOWER")
    return context.unsupported("unknown auto_pad \"" + window.autoPad + "\"");
  for (size_t i = 0; i < window.size.size(); ++i) {
    SymExprAttr dim =
        tx::getDim(context.getType(0), static_cast<int64_t>(i) + 2);
    std::optional<int64_t> size = dim.getConstant();
    int64_t stride = window.strides[i];
    int64_t total = window.getExtent(i) - 1;
    if (stride != 1) {
      if (!size)
        return context.unsupported("auto_pad needs the spatial dims, found " +
                                       dim.str(),
                                   "-dim to fix it");
      int64_t places = (*size + stride - 1) / stride;
      total = std::max<int64_t>(
          (places - 1) * stride + window.getExtent(i) - *size, 0);
    }
    int64_t small = total / 2;
    window.low[i] = isUpper ? small : total - small;
    window.high[i] = total - window.low[i];
  }
  return success();
}

/// x with the padding of auto_pad SAME around it, for a window that has none
/// then: the sizes of that padding depend on dims that only a run knows.
/// Unchanged where resolveAutoPad() can say them.
static Value padToSame(NodeContext &context, Window &window, Value x,
                       Value filler) {
  bool isUpper = window.autoPad == "SAME_UPPER";
  size_t spatial = window.size.size();
  bool isKnown = true;
  for (size_t i = 0; i < spatial; ++i)
    isKnown &= window.strides[i] == 1 ||
               !context.getType(0).isDynamicDim(static_cast<unsigned>(i) + 2);
  if (isKnown || (!isUpper && window.autoPad != "SAME_LOWER"))
    return x;
  SmallVector<Attribute> low(spatial + 2, context.getExpr(0)), high = low;
  for (size_t i = 0; i < spatial; ++i) {
    SymExprAttr dim =
        tx::getDim(context.getType(0), static_cast<int64_t>(i) + 2);
    int64_t stride = window.strides[i];
    SymExprAttr places = tx::floorDiv(tx::add(dim, stride - 1), stride);
    SymExprAttr reach =
        tx::add(tx::mul(tx::add(places, -1), stride), window.getExtent(i));
    SymExprAttr total = context.getMax(tx::sub(reach, dim), context.getExpr(0));
    SymExprAttr small = tx::floorDiv(total, 2), large = tx::sub(total, small);
    low[i + 2] = isUpper ? small : large;
    high[i + 2] = isUpper ? large : small;
  }
  window.autoPad = "VALID";
  Builder &builder = context.getBuilder();
  return context.create<tx::PadOp>(
      x, OptionalOperand{filler}, tx::PadMode::constant,
      builder.getArrayAttr(low), builder.getArrayAttr(high));
}

static LogicalResult checkSpatial(NodeContext &context) {
  if (context.getRank(0) > 2)
    return success();
  return context.unsupported("its input has no spatial dims");
}

/// A window that lies in the padding alone has no element to stand on.
static LogicalResult requirePlaces(NodeContext &context, const Window &window) {
  for (auto [i, pads] : llvm::enumerate(llvm::zip(window.low, window.high))) {
    auto [low, high] = pads;
    if ((low > 0 || high > 0) &&
        failed(context.require(context.getExpr(1), tx::Predicate::le,
                               tx::getDim(context.getType(0), i + 2),
                               "the padded dims of its input")))
      return failure();
  }
  return success();
}

/// The window of the weights, all dims behind the channels'.
static FailureOr<SmallVector<int64_t>> getKernelSizes(NodeContext &context,
                                                      unsigned index) {
  RankedTensorType weights = context.getType(index);
  if (weights.getRank() != context.getRank(0) ||
      llvm::is_contained(weights.getShape(), ShapedType::kDynamic))
    return context.unsupported(
        "the weights must have known dims, as many as the input");
  return llvm::to_vector(weights.getShape().drop_front(2));
}

static Value addBias(NodeContext &context, Value x, Value bias) {
  if (!bias)
    return x;
  auto spatial = llvm::to_vector(llvm::seq<int64_t>(1, context.getRank(0) - 1));
  return context.createElementwise<tx::AddOp>(x,
                                              context.unsqueeze(bias, spatial));
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

Value frontend::createConvolution(NodeContext &context, Value x, Value weights,
                                  unsigned weightsOperand) {
  int64_t group = context.getInt("group", 1);
  if (failed(checkSpatial(context)))
    return {};
  FailureOr<SmallVector<int64_t>> sizes =
      getKernelSizes(context, weightsOperand);
  if (failed(sizes))
    return {};
  FailureOr<Window> window = getWindow(context, *sizes);
  if (failed(window))
    return {};
  x = padToSame(context, *window, x, /*filler=*/Value());
  if (failed(resolveAutoPad(context, *window)) ||
      failed(requirePlaces(context, *window)) ||
      failed(context.unify(
          tx::getDim(context.getType(0), 1),
          tx::mul(tx::getDim(context.getType(weightsOperand), 1), group),
          "the channels of the input and the weights")))
    return {};
  return context.create<tx::ConvOp>(x, weights, window->strides, window->low,
                                    window->high, window->dilations, group);
}

static NodeResults buildConv(NodeContext &context) {
  return addBias(context,
                 createConvolution(context, context.getOperand(0),
                                   context.getOperand(1), 1),
                 context.getOperand(2));
}

/// output_shape says the dims; the padding follows (ONNX's formula).
static LogicalResult resolveOutputShape(NodeContext &context, Window &window,
                                        ArrayRef<int64_t> outputPadding) {
  std::optional<ArrayRef<int64_t>> shape = context.getInts("output_shape");
  bool isSame = window.autoPad.starts_with("SAME");
  if (!shape && !isSame)
    return resolveAutoPad(context, window);
  size_t spatial = window.size.size();
  if (shape && shape->size() != spatial)
    return context.unsupported("output_shape does not fit the input");
  for (size_t i = 0; i < spatial; ++i) {
    SymExprAttr dim =
        tx::getDim(context.getType(0), static_cast<int64_t>(i) + 2);
    SymExprAttr full = tx::add(tx::mul(tx::add(dim, -1), window.strides[i]),
                               window.getExtent(i) + outputPadding[i]);
    SymExprAttr wanted =
        shape ? context.getExpr((*shape)[i]) : tx::mul(dim, window.strides[i]);
    std::optional<int64_t> total = tx::sub(full, wanted).getConstant();
    if (!total)
      return context.unsupported("its padding depends on the dim " + dim.str(),
                                 "-dim to fix it");
    int64_t half = std::max<int64_t>(*total, 0) / 2;
    int64_t rest = std::max<int64_t>(*total, 0) - half;
    window.low[i] = window.autoPad == "SAME_UPPER" ? half : rest;
    window.high[i] = window.autoPad == "SAME_UPPER" ? rest : half;
    // An output larger than the full one is padded at its end.
    if (*total < 0)
      window.high[i] += *total;
  }
  return success();
}

static NodeResults buildConvTranspose(NodeContext &context) {
  int64_t group = context.getInt("group", 1);
  if (failed(checkSpatial(context)))
    return {};
  FailureOr<SmallVector<int64_t>> sizes = getKernelSizes(context, 1);
  if (failed(sizes))
    return {};
  FailureOr<Window> window = getWindow(context, *sizes);
  auto outputPadding =
      getWindowInts(context, "output_padding", sizes->size(), 0);
  if (failed(window) || failed(outputPadding) ||
      failed(resolveOutputShape(context, *window, *outputPadding)) ||
      failed(context.unify(tx::getDim(context.getType(0), 1),
                           tx::getDim(context.getType(1), 0),
                           "the channels of the input and the weights")))
    return {};
  Value y = context.create<tx::ConvTransposeOp>(
      context.getOperand(0), context.getOperand(1), window->strides,
      window->low, window->high, *outputPadding, window->dilations, group);
  return addBias(context, y, context.getOperand(2));
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

static Value createPool(NodeContext &context, tx::PoolKind kind) {
  bool ceil = context.getInt("ceil_mode", 0) != 0;
  bool countPadding = kind == tx::PoolKind::average &&
                      context.getInt("count_include_pad", 0) != 0;
  if (failed(checkSpatial(context)))
    return {};
  FailureOr<Window> window = getWindow(context, {});
  if (failed(window))
    return {};
  Value x = context.getOperand(0);
  // Below all numbers, so that no maximum is in the padding; a mean has no such
  // number.
  Type type = context.getElementType(0);
  if (kind == tx::PoolKind::max && isa<FloatType>(type))
    x = padToSame(context, *window, x, context.getScalar(type, -INFINITY));
  if (failed(resolveAutoPad(context, *window)) ||
      failed(requirePlaces(context, *window)))
    return {};
  return context.create<tx::PoolOp>(x, kind, window->size, window->strides,
                                    window->low, window->high,
                                    window->dilations, countPadding, ceil);
}

/// The place of each element of x in its whole tensor, as rows lie one after
/// the other or, with `columnMajor`, with the spatial dims the other way round.
static Value getFlatPlaces(NodeContext &context, ArrayRef<SymExprAttr> dims,
                           bool columnMajor) {
  Type i64 = context.getBuilder().getI64Type();
  Exprs order(dims);
  if (columnMajor)
    std::reverse(order.begin() + 2, order.end());
  Value places = context.reshape(
      context.getIota(tx::product(context.getContext(), order), i64), order);
  if (!columnMajor)
    return places;
  auto back = llvm::to_vector(llvm::seq<int64_t>(0, dims.size()));
  std::reverse(back.begin() + 2, back.end());
  return context.transpose(places, back);
}

/// The part of a padded tensor that stands at one place of all windows.
static Value takeWindowPlace(NodeContext &context, Value padded,
                             const Window &window, ArrayRef<SymExprAttr> result,
                             int64_t place) {
  SmallVector<Attribute> starts(result.size(), context.getExpr(0));
  SmallVector<int64_t> steps(result.size(), 1);
  for (size_t i = window.size.size(); i-- > 0; place /= window.size[i]) {
    starts[i + 2] =
        context.getExpr(place % window.size[i] * window.dilations[i]);
    steps[i + 2] = window.strides[i];
  }
  return context.create<tx::SliceOp>(
      tx::getTensorType(
          result, cast<RankedTensorType>(padded.getType()).getElementType()),
      padded, context.getBuilder().getArrayAttr(starts), steps);
}

/// Where the maxima `y` of a pool stand: the first place of a window that has
/// its maximum.
static Value getMaximumPlaces(NodeContext &context, const Window &window,
                              Value y, bool columnMajor) {
  Exprs dims = tx::getDims(context.getType(0));
  Exprs result = tx::getDims(cast<RankedTensorType>(y.getType()));
  SmallVector<Attribute> low(dims.size(), context.getExpr(0)), high = low;
  for (size_t i = 0; i < window.size.size(); ++i) {
    low[i + 2] = context.getExpr(window.low[i]);
    high[i + 2] = context.getExpr(window.high[i]);
  }
  Builder &builder = context.getBuilder();
  auto pad = [&](Value x, Value filler) {
    return context.create<tx::PadOp>(
        x, OptionalOperand{filler}, tx::PadMode::constant,
        builder.getArrayAttr(low), builder.getArrayAttr(high));
  };
  // Padding has no place, so it is told apart by a place below all others.
  Value nowhere = context.getScalar(builder.getI64Type(), -1);
  Value x = pad(context.getOperand(0),
                context.getScalar(context.getElementType(0), 0));
  Value places = pad(getFlatPlaces(context, dims, columnMajor), nowhere);
  Value found = context.broadcastTo(nowhere, result);
  int64_t count = 1;
  for (int64_t size : window.size)
    count *= size;
  for (int64_t i = count - 1; i >= 0; --i) {
    Value element = takeWindowPlace(context, x, window, result, i);
    Value place = takeWindowPlace(context, places, window, result, i);
    Value isHere = context.create<tx::AndOp>(
        context.createCompare(tx::Predicate::eq, element, y),
        context.createCompare(tx::Predicate::ne, place, nowhere));
    found = context.createSelect(isHere, place, found);
  }
  return found;
}

static NodeResults buildMaxPool(NodeContext &context) {
  bool columnMajor = context.getInt("storage_order", 0) != 0;
  Value y = createPool(context, tx::PoolKind::max);
  if (!context.wantsOutput(1) || !y)
    return y;
  FailureOr<Window> window = getWindow(context, {});
  if (failed(window) || failed(resolveAutoPad(context, *window)))
    return {};
  if (context.getInt("ceil_mode", 0) != 0)
    return context.unsupported("places of maxima with ceil_mode are not "
                               "supported");
  return {y, getMaximumPlaces(context, *window, y, columnMajor)};
}

static NodeResults buildAveragePool(NodeContext &context) {
  return createPool(context, tx::PoolKind::average);
}

/// (sum of |x|^p)^(1/p): the mean, padding counted, times the window's size.
static NodeResults buildLpPool(NodeContext &context) {
  auto p = static_cast<double>(context.getInt("p", 2));
  if (failed(checkSpatial(context)))
    return {};
  FailureOr<Window> window = getWindow(context, {});
  if (failed(window) || failed(resolveAutoPad(context, *window)))
    return {};
  if (p < 1 || context.getInt("ceil_mode", 0) != 0)
    return context.unsupported("p must be at least 1 and ceil_mode 0");
  int64_t count = 1;
  for (int64_t size : window->size)
    count *= size;
  Type type = context.getElementType(0);
  auto raise = [&](Value x, double exponent) {
    return context.create<tx::PowOp>(x, context.getScalar(type, exponent));
  };
  Value powers = raise(context.create<tx::AbsOp>(context.getOperand(0)), p);
  Value means = context.create<tx::PoolOp>(
      powers, tx::PoolKind::average, window->size, window->strides, window->low,
      window->high, window->dilations, /*countPadding=*/true, /*ceil=*/false);
  Value sums = context.create<tx::MulOp>(
      means, context.getScalar(type, static_cast<double>(count)));
  return raise(sums, 1 / p);
}

template <ReduceKind kind>
static NodeResults buildGlobalPool(NodeContext &context) {
  if (failed(checkSpatial(context)))
    return {};
  auto spatial = llvm::to_vector(llvm::seq<int64_t>(2, context.getRank(0)));
  return context.create<tx::ReduceOp>(context.getOperand(0), kind, spatial);
}

/// A depthwise convolution over the past and the input, which see no later
/// place; the last places are the past of the next run.
static NodeResults buildCausalConvWithState(NodeContext &context) {
  StringRef activation = context.getString("activation", "none");
  if (context.getRank(0) != 3 || context.getRank(1) != 3 ||
      context.getType(1).isDynamicDim(2) || context.getType(1).isDynamicDim(0))
    return context.unsupported("expected [batch, channels, length] and weights "
                               "[channels, 1, size] of known dims");
  int64_t channels = context.getType(1).getDimSize(0);
  SymExprAttr past = context.getExpr(context.getType(1).getDimSize(2) - 1);
  if (failed(context.unify(tx::getDim(context.getType(0), 1),
                           context.getExpr(channels),
                           "the channels of the input and the weights")))
    return {};
  Exprs dims = tx::getDims(context.getType(0));
  Value state = context.getOperand(3);
  if (state)
    for (auto [axis, size] : llvm::enumerate(Exprs{dims[0], dims[1], past}))
      state = state ? context.withDim(state, static_cast<int64_t>(axis), size,
                                      "the dims of the past and the input")
                    : state;
  else
    state = context.broadcastTo(context.getScalar(context.getElementType(0), 0),
                                {dims[0], dims[1], past});
  Value x = context.create<tx::ConcatOp>(
      ValueRange(ArrayRef<Value>({state, context.getOperand(0)})), 2);
  SmallVector<int64_t> zero = {0}, one = {1};
  Value y = addBias(context,
                    context.create<tx::ConvOp>(x, context.getOperand(1), one,
                                               zero, zero, one, channels),
                    context.getOperand(2));
  if (activation == "silu" || activation == "swish")
    y = context.create<tx::SiluOp>(y);
  else if (activation != "none")
    return context.unsupported("unknown activation \"" + activation + "\"");
  return {y, context.slice(x, 2, dims[2], past)};
}

//===----------------------------------------------------------------------===//
// MaxUnpool
//===----------------------------------------------------------------------===//

/// Puts the maxima of a MaxPool back to their places, operand 1, in a tensor of
/// zeros: flat ones in what the pool had, which is the first part of a result
/// whose shape operand 2 gives.
static NodeResults buildMaxUnpool(NodeContext &context) {
  if (failed(checkSpatial(context)))
    return {};
  FailureOr<Window> window = getWindow(context, {});
  if (failed(window))
    return {};
  Value places = context.getOperand(1);
  Exprs dims = tx::getDims(context.getType(0));
  if (context.getRank(1) != context.getRank(0))
    return context.unsupported("its indices and its input differ in rank");
  for (auto [d, dim] : llvm::enumerate(dims))
    places = context.withDim(places, static_cast<int64_t>(d), dim,
                             "dims of indices and input");
  SymExprAttr count = tx::product(context.getContext(), dims);
  Value flat = context.reshape(context.getOperand(0), {count});
  for (size_t i = 0; i < window->size.size(); ++i)
    dims[i + 2] = tx::add(tx::mul(tx::add(dims[i + 2], -1), window->strides[i]),
                          window->size[i] - window->low[i] - window->high[i]);
  Type type = context.getElementType(0);
  Value zeros = context.broadcastTo(context.getScalar(type, 0),
                                    tx::product(context.getContext(), dims));
  Value y = context.create<tx::ScatterElementsOp>(
      zeros, context.reshape(places, {count}), flat, int64_t(0),
      tx::ScatterKind::replace);
  y = context.reshape(y, dims);
  if (!context.getOperand(2))
    return y;
  FailureOr<Exprs> shape =
      context.getSizes(context.getOperand(2), "the shape of a MaxUnpool");
  if (failed(shape))
    return {};
  if (shape->size() != dims.size())
    return context.unsupported("its shape has another rank than its input");
  SmallVector<Attribute> low(dims.size(), context.getExpr(0)), high;
  for (auto [size, dim] : llvm::zip(*shape, dims)) {
    if (failed(context.require(dim, tx::Predicate::le, size,
                               "what is pooled fits the shape")))
      return {};
    high.push_back(tx::sub(size, dim));
  }
  Builder &builder = context.getBuilder();
  return context.create<tx::PadOp>(y, OptionalOperand(), tx::PadMode::constant,
                                   builder.getArrayAttr(low),
                                   builder.getArrayAttr(high));
}

OpTable frontend::getConvolutionOps() {
  static constexpr OpEntry table[] = {
      {"AveragePool", 1, 1, 1, buildAveragePool},
      {"CausalConvWithState", 27, 2, 4, buildCausalConvWithState},
      {"Conv", 1, 2, 3, buildConv},
      {"ConvTranspose", 1, 2, 3, buildConvTranspose},
      {"GlobalAveragePool", 1, 1, 1, buildGlobalPool<ReduceKind::mean>},
      {"GlobalMaxPool", 1, 1, 1, buildGlobalPool<ReduceKind::max>},
      {"LpPool", 2, 1, 1, buildLpPool},
      {"MaxPool", 1, 1, 1, buildMaxPool},
      {"MaxUnpool", 9, 2, 3, buildMaxUnpool},
  };
  return table;
}
