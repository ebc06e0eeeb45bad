//===- Norm.cpp - ONNX normalizations and softmax -------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/ops/OpTable.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::ReduceKind;
using tx::SymExprAttr;

//===----------------------------------------------------------------------===//
// Over the last dims
//===----------------------------------------------------------------------===//

namespace {
struct LastDims {
  int64_t axis, count;
};
} // namespace

static FailureOr<LastDims> getLastDims(NodeContext &context) {
  int64_t rank = context.getRank(0);
  FailureOr<int64_t> axis =
      context.normalizeAxis(context.getInt("axis", -1), rank);
  if (failed(axis))
    return failure();
  return LastDims{*axis, rank - *axis};
}

/// ONNX computes the statistics in `stash_type`; tx does so in f32 or better
/// (f64 for f64), which is at least as precise as any choice that is in use.
static LogicalResult checkStashType(NodeContext &context) {
  int64_t type = context.getInt("stash_type", 1);
  if (type == 1 || type == 10 || type == 11 || type == 16)
    return success();
  return context.unsupported("stash_type " + Twine(type) + " is no float type");
}

/// A scale or bias with the dims of x where it has no static 1.
static OptionalOperand alignToLast(NodeContext &context, Value parameter) {
  if (!parameter)
    return {};
  int64_t rank = context.getRank(0);
  for (int64_t d = 1; parameter && d <= typeOf(parameter).getRank(); ++d) {
    int64_t axis = typeOf(parameter).getRank() - d;
    if (d > rank)
      return {context.unsupported("its scale has more dims than its input")};
    if (!tx::getDim(typeOf(parameter), axis).isConstant(1))
      parameter = context.withDim(parameter, axis,
                                  tx::getDim(context.getType(0), rank - d),
                                  "dims of the input and the scale");
  }
  return {parameter};
}

static NodeResults buildLayerNormalization(NodeContext &context) {
  FailureOr<LastDims> dims = getLastDims(context);
  APFloat epsilon(context.getFloat("epsilon", 1e-5F));
  if (failed(dims) || failed(checkStashType(context)))
    return {};
  Value x = context.getOperand(0);
  Value y = context.create<tx::LayerNormOp>(
      x, alignToLast(context, context.getOperand(1)),
      alignToLast(context, context.getOperand(2)), dims->count, epsilon);
  if (!context.wantsOutput(1) && !context.wantsOutput(2))
    return y;
  auto axes = llvm::to_vector(llvm::seq(dims->axis, context.getRank(0)));
  Value wide = x;
  if (context.getElementType(0).getIntOrFloatBitWidth() < 32)
    wide = context.cast(x, context.getBuilder().getF32Type());
  Value mean = context.create<tx::ReduceOp>(wide, ReduceKind::mean, axes);
  Value centered = context.create<tx::SubOp>(wide, mean);
  Value variance = context.create<tx::ReduceOp>(
      context.create<tx::MulOp>(centered, centered), ReduceKind::mean, axes);
  if (!variance)
    return {};
  Value shifted = context.create<tx::AddOp>(
      variance, context.getScalar(typeOf(variance).getElementType(),
                                  epsilon.convertToDouble()));
  return {
      y, mean,
      context.create<tx::ReciprocalOp>(context.create<tx::SqrtOp>(shifted))};
}

/// The result has the scale's type.
static NodeResults buildRmsNormalization(NodeContext &context) {
  FailureOr<LastDims> dims = getLastDims(context);
  APFloat epsilon(context.getFloat("epsilon", 1e-5F));
  if (failed(dims) || failed(checkStashType(context)))
    return {};
  Value x = context.cast(context.getOperand(0), context.getElementType(1));
  return context.create<tx::RmsNormOp>(
      x, alignToLast(context, context.getOperand(1)), OptionalOperand(),
      dims->count, epsilon);
}

//===----------------------------------------------------------------------===//
// Over spatial dims
//===----------------------------------------------------------------------===//

/// x * scale + bias with one number a channel (dim 1).
static Value scaleChannels(NodeContext &context, Value x, Value scale,
                           Value bias) {
  if (!x)
    return {};
  SmallVector<int64_t> spatial =
      llvm::to_vector(llvm::seq<int64_t>(1, typeOf(x).getRank() - 1));
  x = context.createElementwise<tx::MulOp>(x,
                                           context.unsqueeze(scale, spatial));
  return context.createElementwise<tx::AddOp>(x,
                                              context.unsqueeze(bias, spatial));
}

static NodeResults buildInstanceNormalization(NodeContext &context) {
  APFloat epsilon(context.getFloat("epsilon", 1e-5F));
  if (context.getRank(0) < 3)
    return context.unsupported("its input has no spatial dims");
  Value y = context.create<tx::LayerNormOp>(
      context.getOperand(0), OptionalOperand(), OptionalOperand(),
      context.getRank(0) - 2, epsilon);
  return scaleChannels(context, y, context.getOperand(1),
                       context.getOperand(2));
}

static NodeResults buildGroupNormalization(NodeContext &context) {
  APFloat epsilon(context.getFloat("epsilon", 1e-5F));
  int64_t groups = context.getInt("num_groups", 0);
  if (failed(checkStashType(context)))
    return {};
  if (groups < 1 || context.getRank(0) < 2)
    return context.unsupported("num_groups must be at least 1");
  Exprs dims = tx::getDims(context.getType(0));
  Exprs split = dims;
  split[1] = tx::floorDiv(dims[1], groups);
  split.insert(split.begin() + 1, context.getExpr(groups));
  Value x = context.reshape(context.getOperand(0), split);
  Value scale = context.getOperand(1), bias = context.getOperand(2);
  Value y = context.create<tx::LayerNormOp>(
      x, OptionalOperand(), OptionalOperand(), context.getRank(0) - 1, epsilon);
  // Up to opset 20 scale and bias are given for each group.
  if (context.getOpset() < 21)
    return context.reshape(scaleChannels(context, y, scale, bias), dims);
  return scaleChannels(context, context.reshape(y, dims), scale, bias);
}

/// (x - mean) / sqrt(variance + epsilon) * scale + bias for each channel.
static NodeResults buildBatchNormalization(NodeContext &context) {
  double epsilon = context.getFloat("epsilon", 1e-5F);
  (void)context.getFloat("momentum", 0.9F);
  bool isTraining = context.getOpset() < 7 && context.getInt("is_test", 0) == 0;
  if (isTraining || context.getInt("training_mode", 0) != 0 ||
      context.getInt("spatial", 1) != 1)
    return context.unsupported("only inference with spatial=1 is supported",
                               "exporting the model in inference mode");
  Type type = context.getElementType(4);
  Value shifted = context.create<tx::AddOp>(context.getOperand(4),
                                            context.getScalar(type, epsilon));
  Value deviation = context.cast(context.create<tx::SqrtOp>(shifted),
                                 context.getElementType(0));
  Value mean = context.cast(context.getOperand(3), context.getElementType(0));
  Value scale = context.create<tx::DivOp>(
      context.cast(context.getOperand(1), context.getElementType(0)),
      deviation);
  Value bias = context.create<tx::SubOp>(
      context.cast(context.getOperand(2), context.getElementType(0)),
      context.create<tx::MulOp>(mean, scale));
  return scaleChannels(context, context.getOperand(0), scale, bias);
}

//===----------------------------------------------------------------------===//
// Over one dim
//===----------------------------------------------------------------------===//

static NodeResults buildLpNormalization(NodeContext &context) {
  FailureOr<int64_t> axis =
      context.normalizeAxis(context.getInt("axis", -1), context.getRank(0));
  int64_t p = context.getInt("p", 2);
  if (failed(axis))
    return {};
  if (p != 1 && p != 2)
    return context.unsupported("p must be 1 or 2");
  Value x = context.getOperand(0);
  Value powers =
      p == 1 ? context.create<tx::AbsOp>(x) : context.create<tx::MulOp>(x, x);
  Value norm = context.create<tx::ReduceOp>(powers, ReduceKind::sum,
                                            ArrayRef<int64_t>(*axis));
  if (p == 2)
    norm = context.create<tx::SqrtOp>(norm);
  // A zero norm gives zero, not NaN.
  Value zero = context.getScalar(context.getElementType(0), 0);
  Value isZero = context.create<tx::CompareOp>(tx::Predicate::eq, norm, zero);
  return context.create<tx::SelectOp>(isZero, zero,
                                      context.create<tx::DivOp>(x, norm));
}

/// Before opset 13 all dims from `axis` on are one.
static Value createSoftmax(NodeContext &context, bool isLog) {
  bool flattens = context.getOpset() < 13;
  int64_t rank = context.getRank(0);
  FailureOr<int64_t> axis =
      context.normalizeAxis(context.getInt("axis", flattens ? 1 : -1), rank);
  if (failed(axis))
    return {};
  Value x = context.getOperand(0);
  if (!flattens || *axis == rank - 1)
    return context.create<tx::SoftmaxOp>(x, *axis, isLog);
  Exprs dims = tx::getDims(context.getType(0));
  MLIRContext *mlirContext = context.getContext();
  Exprs flat = {tx::product(mlirContext, ArrayRef(dims).take_front(*axis)),
                tx::product(mlirContext, ArrayRef(dims).drop_front(*axis))};
  return context.reshape(
      context.create<tx::SoftmaxOp>(context.reshape(x, flat), 1, isLog), dims);
}

static NodeResults buildSoftmax(NodeContext &context) {
  return createSoftmax(context, /*isLog=*/false);
}

static NodeResults buildLogSoftmax(NodeContext &context) {
  return createSoftmax(context, /*isLog=*/true);
}

/// x / (bias + alpha * mean)^beta, the mean of squares over `size` channels
/// around each, where channels that are not there count as zeros.
static NodeResults buildLrn(NodeContext &context) {
  double alpha = context.getFloat("alpha", 1e-4F);
  double beta = context.getFloat("beta", 0.75);
  double bias = context.getFloat("bias", 1);
  int64_t size = context.getInt("size", 0), rank = context.getRank(0);
  if (size < 1 || rank < 2)
    return context.unsupported("expected a size and an input [N, C, ...]");
  Value x = context.getOperand(0);
  Type type = context.getElementType(0);
  Exprs dims = tx::getDims(context.getType(0));
  SymExprAttr one = context.getExpr(1);
  SymExprAttr places =
      tx::product(context.getContext(), ArrayRef(dims).drop_front(2));
  Value squares = context.reshape(context.create<tx::MulOp>(x, x),
                                  {dims[0], one, dims[1], places});
  SmallVector<int64_t> window = {size, 1}, ones = {1, 1};
  SmallVector<int64_t> low = {(size - 1) / 2, 0}, high = {size / 2, 0};
  Value means = context.create<tx::PoolOp>(
      squares, tx::PoolKind::average, window, ones, low, high, ones,
      /*countPadding=*/true, /*ceil=*/false);
  Value base = context.create<tx::AddOp>(
      context.create<tx::MulOp>(context.reshape(means, dims),
                                context.getScalar(type, alpha)),
      context.getScalar(type, bias));
  Value power = context.create<tx::PowOp>(base, context.getScalar(type, beta));
  return context.create<tx::DivOp>(x, power);
}

/// (x - mean) / (deviation + 1e-9), as the operator's function body has it.
static NodeResults buildMeanVarianceNormalization(NodeContext &context) {
  SmallVector<int64_t> given = {0, 2, 3};
  if (std::optional<ArrayRef<int64_t>> attribute = context.getInts("axes"))
    given = llvm::to_vector(*attribute);
  auto axes = context.normalizeAxes(given, context.getRank(0));
  if (failed(axes))
    return {};
  Value x = context.getOperand(0);
  Type type = context.getElementType(0);
  auto mean = [&](Value value) {
    return context.create<tx::ReduceOp>(value, ReduceKind::mean, *axes);
  };
  Value centered = context.create<tx::SubOp>(x, mean(x));
  Value variance = mean(context.create<tx::MulOp>(centered, centered));
  Value deviation = context.create<tx::AddOp>(
      context.create<tx::SqrtOp>(variance), context.getScalar(type, 1e-9));
  return context.create<tx::DivOp>(centered, deviation);
}

OpTable frontend::getNormOps() {
  static constexpr OpEntry table[] = {
      {"BatchNormalization", 6, 5, 5, buildBatchNormalization},
      {"GroupNormalization", 18, 3, 3, buildGroupNormalization},
      {"InstanceNormalization", 6, 3, 3, buildInstanceNormalization},
      {"LayerNormalization", 17, 2, 3, buildLayerNormalization},
      // ONNX Runtime's optimizer writes it in this domain since it has it.
      {"LayerNormalization", 1, 2, 3, buildLayerNormalization},
      {"LRN", 1, 1, 1, buildLrn},
      {"LogSoftmax", 1, 1, 1, buildLogSoftmax},
      {"LpNormalization", 1, 1, 1, buildLpNormalization},
      {"MeanVarianceNormalization", 9, 1, 1, buildMeanVarianceNormalization},
      {"RMSNormalization", 23, 2, 2, buildRmsNormalization},
      {"SimplifiedLayerNormalization", 1, 2, 2, buildRmsNormalization},
      {"Softmax", 1, 1, 1, buildSoftmax},
  };
  return table;
}
