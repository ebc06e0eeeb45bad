//===- SimplifyArithmetic.cpp - canonical forms of element-wise ops ------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/graph/Match.h"
#include "passes/graph/Simplify.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

/// The operand that an op returns unchanged because the other operand is its
/// neutral element.
static Value findUnchangedOperand(Operation *op) {
  Value lhs = op->getOperand(0), rhs = op->getOperand(1);
  std::optional<double> left = matchScalar(lhs), right = matchScalar(rhs);
  if (isa<AddOp>(op) && left == 0)
    return rhs;
  if (isa<AddOp, SubOp>(op) && right == 0)
    return lhs;
  if (isa<MulOp>(op) && left == 1)
    return rhs;
  if (isa<MulOp, DivOp, PowOp>(op) && right == 1)
    return lhs;
  bool isBool = getTensorType(lhs).getElementType().isInteger(1);
  double neutral = isa<AndOp>(op) ? 1 : 0;
  if (!isBool || !isa<AndOp, OrOp>(op))
    return nullptr;
  if (left == neutral)
    return rhs;
  return right == neutral ? lhs : Value();
}

/// x + 0, x - 0, x * 1, x / 1, x ^ 1, x and true, x or false. `-0 + 0` is 0,
/// not -0: the sign of a zero is not kept.
template <typename OpT>
static LogicalResult dropNeutralElement(OpT op, PatternRewriter &rewriter) {
  Value x = findUnchangedOperand(op);
  if (!x)
    return rewriter.notifyMatchFailure(op, "no operand is neutral");
  if (x.getType() == op.getType())
    rewriter.replaceOp(op, x);
  else
    rewriter.replaceOpWithNewOp<BroadcastOp>(op, op.getType(), x);
  return success();
}

/// pow(x, 2) is x * x, which rounds once as well.
static LogicalResult squareByMultiplying(PowOp op, PatternRewriter &rewriter) {
  if (matchScalar(op.getRhs()) != 2 || op.getLhs().getType() != op.getType())
    return rewriter.notifyMatchFailure(op, "not the square of a tensor");
  rewriter.replaceOpWithNewOp<MulOp>(op, op.getLhs(), op.getLhs());
  return success();
}

/// 1 / x.
static LogicalResult divideOneAsReciprocal(DivOp op,
                                           PatternRewriter &rewriter) {
  bool isFloat = isa<FloatType>(op.getType().getElementType());
  if (!isFloat || matchScalar(op.getLhs()) != 1 ||
      op.getRhs().getType() != op.getType())
    return rewriter.notifyMatchFailure(op, "the dividend is not a float 1");
  rewriter.replaceOpWithNewOp<ReciprocalOp>(op, op.getRhs());
  return success();
}

/// x / 2^n is x * 2^-n: both are exact but for one rounding of denormals.
static LogicalResult divideByPowerOfTwo(DivOp op, PatternRewriter &rewriter) {
  std::optional<double> divisor = matchScalar(op.getRhs());
  auto type = dyn_cast<FloatType>(op.getType().getElementType());
  if (!type || !divisor || op.getLhs().getType() != op.getType())
    return rewriter.notifyMatchFailure(op, "the divisor is no float constant");
  int exponent = 0;
  double mantissa = std::frexp(*divisor, &exponent);
  // Exponents that every float type but f8 has.
  if (std::abs(mantissa) != 0.5 || std::abs(exponent) > 10 ||
      type.getWidth() < 16)
    return rewriter.notifyMatchFailure(op, "the divisor is no power of two");
  Value factor =
      createSplat(rewriter, op.getLoc(),
                  getTensorType(ArrayRef<SymExprAttr>(), type), 1 / *divisor);
  rewriter.replaceOpWithNewOp<MulOp>(op, op.getLhs(), factor);
  return success();
}

/// Whether every value of type `from` is a value of type `to`.
static bool holdsAllValues(Type to, Type from) {
  if (from == to || from.isInteger(1))
    return true;
  if (auto fromFloat = dyn_cast<FloatType>(from)) {
    auto toFloat = dyn_cast<FloatType>(to);
    return toFloat && APFloat::isRepresentableBy(fromFloat.getFloatSemantics(),
                                                 toFloat.getFloatSemantics());
  }
  auto fromInteger = cast<IntegerType>(from);
  auto toInteger = dyn_cast<IntegerType>(to);
  return toInteger && toInteger.isUnsigned() == fromInteger.isUnsigned() &&
         toInteger.getWidth() >= fromInteger.getWidth();
}

/// cast(cast(x)) whose first step loses nothing.
static LogicalResult mergeCasts(CastOp op, PatternRewriter &rewriter) {
  auto inner = op.getX().getDefiningOp<CastOp>();
  if (!inner)
    return rewriter.notifyMatchFailure(op, "the operand is no cast");
  Type from = inner.getX().getType().getElementType();
  if (!holdsAllValues(inner.getType().getElementType(), from))
    return rewriter.notifyMatchFailure(op, "the first cast may lose values");
  if (inner.getX().getType() == op.getType())
    rewriter.replaceOp(op, inner.getX());
  else
    rewriter.replaceOpWithNewOp<CastOp>(op, op.getType(), inner.getX(),
                                        op.getSaturate());
  return success();
}

/// sum(x) / n where n elements are summed.
static LogicalResult divideSumAsMean(DivOp op, PatternRewriter &rewriter) {
  auto sum = op.getLhs().getDefiningOp<ReduceOp>();
  if (!sum || sum.getKind() != ReduceKind::sum ||
      sum.getType() != op.getType() ||
      !isa<FloatType>(op.getType().getElementType()))
    return rewriter.notifyMatchFailure(op, "the dividend is no sum of floats");
  int64_t count = 1;
  for (int64_t axis : sum.getAxes()) {
    int64_t dim = sum.getX().getType().getDimSize(axis);
    if (ShapedType::isDynamic(dim))
      return rewriter.notifyMatchFailure(op, "the count is not static");
    count *= dim;
  }
  if (matchScalar(op.getRhs()) != static_cast<double>(count))
    return rewriter.notifyMatchFailure(op, "the divisor is not the count");
  rewriter.replaceOpWithNewOp<ReduceOp>(op, sum.getX(), ReduceKind::mean,
                                        sum.getAxes());
  return success();
}

/// (1 - m) * c of a boolean m is select(m, 0 * c, c).
static LogicalResult selectInvertedMask(MulOp op, PatternRewriter &rewriter) {
  for (auto [difference, factor] : {std::pair(op.getLhs(), op.getRhs()),
                                    std::pair(op.getRhs(), op.getLhs())}) {
    auto sub = difference.getDefiningOp<SubOp>();
    auto cast = sub ? sub.getRhs().getDefiningOp<CastOp>() : CastOp();
    std::optional<double> scalar = matchScalar(factor);
    auto type = dyn_cast<FloatType>(op.getType().getElementType());
    if (!cast || !scalar || !type || matchScalar(sub.getLhs()) != 1 ||
        !cast.getX().getType().getElementType().isInteger(1) ||
        cast.getType() != op.getType())
      continue;
    RankedTensorType scalarType = getTensorType(ArrayRef<SymExprAttr>(), type);
    Value kept = createSplat(rewriter, op.getLoc(), scalarType, 0.0 * *scalar);
    Value masked = createSplat(rewriter, op.getLoc(), scalarType, *scalar);
    rewriter.replaceOpWithNewOp<SelectOp>(op, cast.getX(), kept, masked);
    return success();
  }
  return rewriter.notifyMatchFailure(op, "not (1 - a boolean) * a number");
}

void txc::populateArithmeticPatterns(RewritePatternSet &patterns) {
  patterns.add(dropNeutralElement<AddOp>);
  patterns.add(dropNeutralElement<SubOp>);
  patterns.add(dropNeutralElement<MulOp>);
  patterns.add(dropNeutralElement<DivOp>);
  patterns.add(dropNeutralElement<PowOp>);
  patterns.add(dropNeutralElement<AndOp>);
  patterns.add(dropNeutralElement<OrOp>);
  patterns.add(squareByMultiplying);
  patterns.add(divideOneAsReciprocal);
  patterns.add(divideByPowerOfTwo);
  patterns.add(mergeCasts);
  patterns.add(divideSumAsMean);
  patterns.add(selectInvertedMask);
}
