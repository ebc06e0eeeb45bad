//===- RecognizeNorms.cpp - layer norm and RMS norm ----------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Both norms are `d / sqrt(mean(d²) + ε)`; of a layer norm d is `x - mean(x)`.
/// The core is found first, without scale and bias; what multiplies and adds
/// to the core alone is taken into the op afterwards.
//
//===----------------------------------------------------------------------===//

#include "passes/graph/Match.h"
#include "passes/graph/Recognize.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

//===----------------------------------------------------------------------===//
// The core
//===----------------------------------------------------------------------===//

namespace {
/// `numerator / sqrt(meanSquare + epsilon)`.
struct NormCore {
  Value numerator;
  Value squared;
  int64_t axes;
  double epsilon;
};
} // namespace

/// The operand pair (d, variance + ε) if `op` divides d by the square root or
/// multiplies it by the reciprocal square root.
static std::pair<Value, Value> matchDivisionBySqrt(Operation *op) {
  if (auto div = dyn_cast<DivOp>(op)) {
    if (div.getLhs().getType() == div.getType())
      return {div.getLhs(), matchSqrt(div.getRhs())};
    return {};
  }
  auto mul = dyn_cast<MulOp>(op);
  if (!mul)
    return {};
  for (auto [x, y] : {std::pair(mul.getLhs(), mul.getRhs()),
                      std::pair(mul.getRhs(), mul.getLhs())})
    if (Value radicand = matchReciprocalSqrt(y);
        radicand && x.getType() == mul.getType())
      return {x, radicand};
  return {};
}

static std::optional<NormCore> matchCore(Operation *op) {
  auto [numerator, radicand] = matchDivisionBySqrt(op);
  if (!numerator || !radicand)
    return std::nullopt;
  NormCore core{numerator, nullptr, 0, 0};
  if (auto offset = matchOffset(radicand)) {
    core.epsilon = offset->scalar;
    radicand = offset->value;
  }
  Value square = matchTrailingMean(radicand, core.axes);
  core.squared = square ? matchSquare(square) : Value();
  if (!core.squared)
    return std::nullopt;
  return core;
}

/// x of `x - mean(x)` over the last `axes` dims.
static Value matchCentered(Value value, int64_t axes) {
  auto sub = value.getDefiningOp<SubOp>();
  int64_t meanAxes = 0;
  if (!sub || sub.getLhs().getType() != sub.getType())
    return nullptr;
  Value x = matchTrailingMean(sub.getRhs(), meanAxes);
  return x == sub.getLhs() && meanAxes == axes ? x : Value();
}

//===----------------------------------------------------------------------===//
// What surrounds the core
//===----------------------------------------------------------------------===//

/// A per-channel operand: its dims but the last `axes` are 1.
static bool isPerChannel(Value value, int64_t axes) {
  RankedTensorType type = getTensorType(value);
  return llvm::all_of(ArrayRef(getDims(type))
                          .drop_back(std::min<int64_t>(axes, type.getRank())),
                      [](SymExprAttr dim) { return dim.isConstant(1); });
}

/// Drops the leading dims, which are 1, of a per-channel operand.
static Value dropLeadingDims(RewriterBase &rewriter, Value value,
                             int64_t axes) {
  RankedTensorType type = getTensorType(value);
  if (type.getRank() <= axes)
    return value;
  SmallVector<SymExprAttr> dims = getDims(type);
  return ReshapeOp::create(
      rewriter, value.getLoc(),
      getTensorType(ArrayRef(dims).take_back(axes), type.getElementType()),
      value);
}

/// Takes `norm * scale` or `norm + bias` into the norm if `user` is that.
template <typename NormOp>
static FailureOr<NormOp> absorb(RewriterBase &rewriter, NormOp norm,
                                Operation *user) {
  bool isScale = isa<MulOp>(user);
  // (n + b) * s is not n * s + b.
  if ((!isScale && !isa<AddOp>(user)) || norm.getBias() ||
      (isScale && norm.getScale()))
    return failure();
  Value other = getOtherOperand(user, norm.getResult());
  auto axes = static_cast<int64_t>(norm.getAxes());
  if (!other || user->getResult(0).getType() != norm.getType() ||
      !isPerChannel(other, axes))
    return failure();
  rewriter.setInsertionPoint(user);
  Value operand = dropLeadingDims(rewriter, other, axes);
  auto result = NormOp::create(
      rewriter, fuseLocations({norm, user}), norm.getType(), norm.getX(),
      isScale ? operand : norm.getScale(), isScale ? Value() : operand,
      norm.getAxesAttr(), norm.getEpsilonAttr());
  rewriter.replaceOp(user, result);
  rewriter.eraseOp(norm);
  return result;
}

/// `cast(norm(cast(x)))` back to the type of x: a norm computes in f32 or
/// better anyway.
template <typename NormOp>
static FailureOr<NormOp> absorbCasts(RewriterBase &rewriter, NormOp norm,
                                     Operation *user) {
  auto up = norm.getX().template getDefiningOp<CastOp>();
  auto down = dyn_cast<CastOp>(user);
  if (!up || !down || norm.getScale() || norm.getBias() ||
      up.getX().getType() != down.getType() ||
      !isa<FloatType>(down.getType().getElementType()) ||
      down.getType().getElementTypeBitWidth() >=
          norm.getType().getElementTypeBitWidth())
    return failure();
  rewriter.setInsertionPoint(user);
  auto result = NormOp::create(rewriter, fuseLocations({up, norm, down}),
                               down.getType(), up.getX(), Value(), Value(),
                               norm.getAxesAttr(), norm.getEpsilonAttr());
  rewriter.replaceOp(down, result);
  rewriter.eraseOp(norm);
  if (up.use_empty())
    rewriter.eraseOp(up);
  return result;
}

template <typename NormOp>
static bool absorbUsers(RewriterBase &rewriter, NormOp norm) {
  bool changed = false;
  while (Operation *user = getOnlyUser(norm)) {
    FailureOr<NormOp> absorbed = absorbCasts(rewriter, norm, user);
    if (failed(absorbed))
      absorbed = absorb(rewriter, norm, user);
    if (failed(absorbed))
      break;
    norm = *absorbed;
    changed = true;
  }
  return changed;
}

template <typename NormOp>
static void replaceCore(RewriterBase &rewriter, Operation *op,
                        const NormCore &core, Value x) {
  SmallVector<Operation *> group = {op, core.squared.getDefiningOp()};
  if (!group.back())
    group.pop_back();
  auto norm =
      NormOp::create(rewriter, fuseLocations(group), x.getType(), x, Value(),
                     Value(), rewriter.getI64IntegerAttr(core.axes),
                     rewriter.getF64FloatAttr(core.epsilon));
  rewriter.replaceOp(op, norm);
}

//===----------------------------------------------------------------------===//
// The passes
//===----------------------------------------------------------------------===//

static LogicalResult rewriteLayerNorm(Operation *op, RewriterBase &rewriter) {
  std::optional<NormCore> core = matchCore(op);
  Value x = matchCentered(core->numerator, core->axes);
  if (!x)
    return rewriter.notifyMatchFailure(
        op, "the numerator is not x - mean(x) over the dims of the variance");
  if (matchCentered(core->squared, core->axes) != x)
    return rewriter.notifyMatchFailure(
        op, "the variance is not that of the centred numerator");
  replaceCore<LayerNormOp>(rewriter, op, *core, x);
  return success();
}

static LogicalResult rewriteRmsNorm(Operation *op, RewriterBase &rewriter) {
  std::optional<NormCore> core = matchCore(op);
  if (core->squared != core->numerator)
    return rewriter.notifyMatchFailure(
        op, "the mean square is that of another tensor than the numerator");
  replaceCore<RmsNormOp>(rewriter, op, *core, core->numerator);
  return success();
}

static bool isCentered(Value value) {
  auto sub = value.getDefiningOp<SubOp>();
  return sub && isa_and_present<ReduceOp>(sub.getRhs().getDefiningOp());
}

/// Norms of the function, also those that came without their scale or bias.
template <typename NormOp> static bool absorbAllUsers(func::FuncOp func) {
  IRRewriter rewriter(func.getContext());
  SmallVector<NormOp> norms;
  func.walk([&](NormOp op) { norms.push_back(op); });
  bool changed = false;
  for (NormOp norm : norms)
    changed |= absorbUsers(rewriter, norm);
  return changed;
}

bool txc::recognizeLayerNorm(func::FuncOp func, Report *report) {
  auto isCandidate = [](Operation *op) {
    std::optional<NormCore> core = matchCore(op);
    return core && (isCentered(core->numerator) || isCentered(core->squared));
  };
  bool changed = rewriteCandidates(func, "layer norm", report, isCandidate,
                                   rewriteLayerNorm);
  return absorbAllUsers<LayerNormOp>(func) || changed;
}

bool txc::recognizeRmsNorm(func::FuncOp func, Report *report) {
  auto isCandidate = [](Operation *op) {
    std::optional<NormCore> core = matchCore(op);
    return core && !isCentered(core->numerator) && !isCentered(core->squared);
  };
  bool changed =
      rewriteCandidates(func, "RMS norm", report, isCandidate, rewriteRmsNorm);
  return absorbAllUsers<RmsNormOp>(func) || changed;
}
