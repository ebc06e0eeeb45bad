//===- RecognizeByteProducts.cpp - products of quantized tensors ---------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Quantized tensors stand for (x - zero) * scale, x of 8 bits. Exporters
/// multiply them as i32, their zeros subtracted, or as floats. The zeros leave
/// the sum, in i32, where nothing is rounded (Jacob et al., "Quantization and
/// Training of Neural Networks for Efficient Integer-Arithmetic-Only
/// Inference", 2018, section 2.3):
///
///     sum_k (a - p)(b - q) = sum_k a b - p sum_k b - q sum_k a + K p q
///
/// and so do scales, which then multiply one sum rather than each factor. That
/// also goes for floats multiplied by a quantized weight, which stays bytes.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Matchers.h"
#include "passes/graph/Match.h"
#include "passes/graph/Recognize.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

namespace {
/// A factor (numbers - zero) * scale; null: no zero, no scale.
struct Quantized {
  Value numbers, zero, scale;
};
} // namespace

/// Sums of more products than this may leave i32, which wraps where the floats
/// of a graph would not.
constexpr int64_t kMostProducts = 32768;

static bool hasBytes(Value value) {
  return getTensorType(value).getElementType().isInteger(8);
}

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

/// Whether all numbers of an i32 constant fit i8: a small weight whose cast was
/// folded.
static bool isNarrowConstant(Value value) {
  DenseIntElementsAttr elements;
  return matchPattern(value, m_Constant(&elements)) &&
         elements.getElementType().isSignlessInteger(32) &&
         llvm::all_of(elements.getValues<APInt>(), [](const APInt &number) {
           return number.isSignedIntN(8);
         });
}

/// A factor's numbers in 8 bits.
static Value makeBytes(OpBuilder &b, Value numbers) {
  if (hasBytes(numbers))
    return numbers;
  return CastOp::create(b, numbers.getLoc(),
                        getTensorType(numbers).clone(b.getI8Type()), numbers,
                        /*saturate=*/false);
}

/// Of `cast(x)` or `cast(x) - zero`, the difference in i32.
static std::optional<Quantized> matchPlaces(Value value) {
  Value zero;
  if (auto sub = value.getDefiningOp<SubOp>()) {
    if (!getTensorType(value).getElementType().isSignlessInteger(32) ||
        sub.getLhs().getType() != sub.getType())
      return std::nullopt;
    zero = sub.getRhs();
    value = sub.getLhs();
  }
  if (auto cast = value.getDefiningOp<CastOp>())
    if (hasBytes(cast.getX()))
      return Quantized{cast.getX(), zero, nullptr};
  if (isNarrowConstant(value))
    return Quantized{value, zero, nullptr};
  return std::nullopt;
}

/// Of `float(places) * scale`.
static std::optional<Quantized> matchScaledPlaces(Value value) {
  auto mul = value.getDefiningOp<MulOp>();
  if (!mul || !getTensorType(value).getElementType().isF32())
    return std::nullopt;
  for (bool isSwapped : {false, true}) {
    Value places = isSwapped ? mul.getRhs() : mul.getLhs();
    auto cast = places.getDefiningOp<CastOp>();
    if (!cast || places.getType() != mul.getType())
      continue;
    std::optional<Quantized> factor =
        hasBytes(cast.getX()) ? matchPlaces(places) : matchPlaces(cast.getX());
    if (factor) {
      factor->scale = isSwapped ? mul.getLhs() : mul.getRhs();
      return factor;
    }
  }
  return std::nullopt;
}

/// Whether `parameter`, which broadcasts to a factor, is the same for all of
/// dim `fromEnd`, counted from the factor's last one.
static bool isConstantAlong(Value parameter, unsigned fromEnd) {
  if (!parameter)
    return true;
  SmallVector<SymExprAttr> dims = getDims(getTensorType(parameter));
  return dims.size() <= fromEnd || dims.rbegin()[fromEnd].isConstant(1);
}

/// Whether the value is a weight, however it is arranged.
static bool isWeight(Value value) {
  Operation *op = value.getDefiningOp();
  while (isa_and_present<TransposeOp, ReshapeOp>(op))
    op = op->getOperand(0).getDefiningOp();
  return isa_and_present<WeightOp, ConstantOp>(op);
}

/// The numbers of an unsigned weight less 128: x86 multiplies unsigned by
/// signed bytes. With the sign bit flipped they are the same as i8.
static Quantized makeSigned(OpBuilder &b, Location loc, Quantized factor) {
  RankedTensorType type = getTensorType(factor.numbers);
  if (!type.getElementType().isUnsignedInteger() || !isWeight(factor.numbers))
    return factor;
  RankedTensorType i8 = type.clone(b.getI8Type());
  Value bits = CastOp::create(b, loc, i8, factor.numbers, /*saturate=*/false);
  Value sign =
      createSplat(b, loc, RankedTensorType::get({}, b.getI8Type()), -128);
  factor.numbers = XorOp::create(b, loc, bits, sign);
  auto i32 = RankedTensorType::get({}, b.getI32Type());
  std::optional<double> zero = factor.zero ? matchScalar(factor.zero) : 0;
  if (zero)
    factor.zero = createSplat(b, loc, i32, *zero - 128);
  else
    factor.zero =
        SubOp::create(b, loc, factor.zero, createSplat(b, loc, i32, 128));
  return factor;
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// Σ over k of the right factor's numbers: a product with a row of ones, which
/// for a weight is a recipe no larger than it.
static Value sumColumns(OpBuilder &b, Location loc, Value numbers) {
  RankedTensorType type = getTensorType(numbers);
  int64_t depth = type.getDimSize(type.getRank() - 2);
  Value ones = createSplat(
      b, loc, RankedTensorType::get({1, depth}, type.getElementType()), 1);
  return MatmulOp::create(b, loc, ones, numbers);
}

/// Σ over k of the left factor's numbers.
static Value sumRows(OpBuilder &b, Location loc, Value numbers) {
  RankedTensorType type = getTensorType(numbers);
  Value wide = CastOp::create(b, loc, type.clone(b.getI32Type()), numbers,
                              /*saturate=*/false);
  return ReduceOp::create(b, loc, wide, ReduceKind::sum,
                          ArrayRef<int64_t>{type.getRank() - 1});
}

/// Σ over k of (lhs - its zero) * (rhs - its zero), in i32.
static Value multiplyPlaces(OpBuilder &b, Location loc, const Quantized &lhs,
                            const Quantized &rhs) {
  Value sum = MatmulOp::create(b, loc, lhs.numbers, rhs.numbers);
  bool hasLeft = lhs.zero && matchScalar(lhs.zero) != 0;
  bool hasRight = rhs.zero && matchScalar(rhs.zero) != 0;
  // p (Σ b - K q), one number a column for a scalar p.
  if (hasLeft) {
    Value columns = sumColumns(b, loc, rhs.numbers);
    if (hasRight) {
      int64_t depth = getTensorType(lhs.numbers).getShape().back();
      Value count =
          createSplat(b, loc, RankedTensorType::get({}, b.getI32Type()), depth);
      columns = SubOp::create(b, loc, columns,
                              MulOp::create(b, loc, rhs.zero, count));
    }
    sum = SubOp::create(b, loc, sum, MulOp::create(b, loc, lhs.zero, columns));
  }
  if (hasRight)
    sum = SubOp::create(
        b, loc, sum,
        MulOp::create(b, loc, sumRows(b, loc, lhs.numbers), rhs.zero));
  return sum;
}

//===----------------------------------------------------------------------===//
// Recognition
//===----------------------------------------------------------------------===//

static bool isFloatProduct(MatmulOp op) {
  return op.getType().getElementType().isF32();
}

static std::optional<Quantized> matchFactor(MatmulOp op, Value operand) {
  return isFloatProduct(op) ? matchScaledPlaces(operand) : matchPlaces(operand);
}

/// Whether an operand is made of bytes; whether that helps is for the rewrite
/// to say.
static bool isCandidate(Operation *op) {
  auto matmul = dyn_cast<MatmulOp>(op);
  if (!matmul)
    return false;
  Type element = matmul.getType().getElementType();
  if (!element.isF32() && !element.isSignlessInteger(32))
    return false;
  if (hasBytes(matmul.getLhs()) || hasBytes(matmul.getRhs()))
    return false;
  std::optional<Quantized> rhs = matchFactor(matmul, matmul.getRhs());
  return rhs && (matchFactor(matmul, matmul.getLhs()) ||
                 (isFloatProduct(matmul) && isWeight(rhs->numbers)));
}

/// lhs * (weight * scale) as (lhs * weight) * scale.
static LogicalResult rewriteWeightProduct(MatmulOp op, Quantized weight,
                                          RewriterBase &rewriter) {
  bool isUnsigned =
      getTensorType(weight.numbers).getElementType().isUnsignedInteger();
  std::optional<double> zero = weight.zero ? matchScalar(weight.zero) : 0;
  if (zero != (isUnsigned ? 128 : 0))
    return rewriter.notifyMatchFailure(op, "the weight's zero is not 0 as i8");
  weight.numbers = makeBytes(rewriter, weight.numbers);
  weight = makeSigned(rewriter, op.getLoc(), weight);
  Value product =
      MatmulOp::create(rewriter, op.getLoc(), op.getLhs(), weight.numbers);
  rewriter.replaceOpWithNewOp<MulOp>(op, product, weight.scale);
  return success();
}

static LogicalResult rewriteProduct(Operation *op, RewriterBase &rewriter) {
  auto matmul = cast<MatmulOp>(op);
  Location loc = op->getLoc();
  std::optional<Quantized> lhs = matchFactor(matmul, matmul.getLhs());
  std::optional<Quantized> rhs = matchFactor(matmul, matmul.getRhs());
  if (!isConstantAlong(rhs->zero, 1) || !isConstantAlong(rhs->scale, 1))
    return rewriter.notifyMatchFailure(
        op, "the right zero or scale differs along the summed dim");
  if (!lhs)
    return rewriteWeightProduct(matmul, *rhs, rewriter);
  if (!isConstantAlong(lhs->zero, 0) || !isConstantAlong(lhs->scale, 0))
    return rewriter.notifyMatchFailure(
        op, "the left zero or scale differs along the summed dim");
  int64_t depth = getTensorType(lhs->numbers).getShape().back();
  if (ShapedType::isDynamic(depth) ||
      ShapedType::isDynamic(getTensorType(rhs->numbers).getShape().end()[-2]))
    return rewriter.notifyMatchFailure(op, "the summed dim is not static");
  if (isFloatProduct(matmul) && depth > kMostProducts)
    return rewriter.notifyMatchFailure(op, "an integer sum could overflow");
  lhs->numbers = makeBytes(rewriter, lhs->numbers);
  rhs->numbers = makeBytes(rewriter, rhs->numbers);
  Value sum =
      multiplyPlaces(rewriter, loc, *lhs, makeSigned(rewriter, loc, *rhs));
  if (!isFloatProduct(matmul)) {
    rewriter.replaceOp(op, sum);
    return success();
  }
  Value real = CastOp::create(rewriter, loc, op->getResult(0).getType(), sum,
                              /*saturate=*/false);
  Value scale = MulOp::create(rewriter, loc, lhs->scale, rhs->scale);
  rewriter.replaceOpWithNewOp<MulOp>(op, real, scale);
  return success();
}

bool txc::recognizeByteProducts(func::FuncOp func, Report *report) {
  return rewriteCandidates(func, "product of bytes", report, isCandidate,
                           rewriteProduct);
}
