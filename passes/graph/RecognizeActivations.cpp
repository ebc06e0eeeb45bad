//===- RecognizeActivations.cpp - sigmoid, SiLU and GELU -----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Both long forms of GELU are `0.5 * x * (1 + t)` in some order of the three
/// factors, where t is `erf(x / √2)` or `tanh(√(2/π) (x + 0.044715 x³))`. The
/// pattern starts at erf or tanh and climbs the multiplications above it.
//
//===----------------------------------------------------------------------===//

#include "passes/graph/Match.h"
#include "passes/graph/Recognize.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

static constexpr double kCubic = 0.044715;
static constexpr double kQuick = 1.702;
static const double kSqrtTwoOverPi = std::sqrt(2 * llvm::numbers::inv_pi);

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

namespace {
/// `scalar * factor * factor * …`
struct Product {
  double scalar = 1;
  SmallVector<Value> factors;

  bool isPowerOf(Value x, unsigned exponent) const {
    return factors.size() == exponent && llvm::all_equal(factors) &&
           factors.front() == x;
  }
};
} // namespace

/// More factors than any GELU has; a product of shared products has 2^n.
static constexpr size_t kMaxFactors = 8;

/// The factors of a product of numbers, `leaf`s and whatever else; goes through
/// multiplications, divisions by numbers and cubes, but not into `leaf`.
static void collectFactors(Value value, Value leaf, Product &product) {
  if (value == leaf || product.factors.size() >= kMaxFactors) {
    product.factors.push_back(value);
    return;
  }
  if (auto scaled = matchScaling(value)) {
    product.scalar *= scaled->scalar;
    return collectFactors(scaled->value, leaf, product);
  }
  if (auto mul = value.getDefiningOp<MulOp>()) {
    collectFactors(mul.getLhs(), leaf, product);
    return collectFactors(mul.getRhs(), leaf, product);
  }
  auto pow = value.getDefiningOp<PowOp>();
  if (pow && pow.getLhs() == leaf && matchScalar(pow.getRhs()) == 3) {
    product.factors.append(3, leaf);
    return;
  }
  product.factors.push_back(value);
}

static Product getProduct(Value value, Value leaf) {
  Product product;
  collectFactors(value, leaf, product);
  return product;
}

//===----------------------------------------------------------------------===//
// The inner functions
//===----------------------------------------------------------------------===//

/// Whether `value` is `√(2/π) (x + 0.044715 x³)`, perhaps with x factored out.
static bool isTanhArgument(Value value, Value x) {
  Type type = getTensorType(value).getElementType();
  Product outer = getProduct(value, x);
  if (!isCloseTo(outer.scalar, kSqrtTwoOverPi, type))
    return false;
  bool isFactoredOut =
      outer.factors.size() == 2 && llvm::is_contained(outer.factors, x);
  if (!isFactoredOut && outer.factors.size() != 1)
    return false;
  Value sum =
      outer.factors.front() == x ? outer.factors.back() : outer.factors.front();
  auto add = sum.getDefiningOp<AddOp>();
  if (!add)
    return false;
  for (auto [first, higher] : {std::pair(add.getLhs(), add.getRhs()),
                               std::pair(add.getRhs(), add.getLhs())}) {
    bool isFirst = isFactoredOut ? matchScalar(first) == 1 : first == x;
    Product product = getProduct(higher, x);
    if (isFirst && isCloseTo(product.scalar, kCubic, type) &&
        product.isPowerOf(x, isFactoredOut ? 2 : 3))
      return true;
  }
  return false;
}

/// Whether `value` is the argument of `kind`'s inner function at x.
static bool isArgument(GeluKind kind, Value value, Value x) {
  if (kind == GeluKind::tanh)
    return isTanhArgument(value, x);
  Type type = getTensorType(value).getElementType();
  double factor = kind == GeluKind::erf ? llvm::numbers::inv_sqrt2 : kQuick;
  Product product = getProduct(value, x);
  return product.isPowerOf(x, 1) && isCloseTo(product.scalar, factor, type);
}

//===----------------------------------------------------------------------===//
// GELU
//===----------------------------------------------------------------------===//

/// Tries to see `op` as `value * x * 0.5` up to order, where `value` is
/// `1 + t`: climbs from it while there is one user that multiplies.
static LogicalResult rewriteLongGelu(Operation *inner, RewriterBase &rewriter) {
  GeluKind kind = isa<ErfOp>(inner) ? GeluKind::erf : GeluKind::tanh;
  Value argument = inner->getOperand(0);
  Operation *sum = getOnlyUser(inner->getResult(0));
  auto offset = isa_and_present<AddOp>(sum) ? matchOffset(sum->getResult(0))
                                            : std::nullopt;
  if (!offset || offset->scalar != 1)
    return rewriter.notifyMatchFailure(inner,
                                       "its only user does not add 1 to it");
  SmallVector<Operation *> group = {inner, sum};
  double scalar = 1;
  Value x;
  Value product = sum->getResult(0);
  Type type = getTensorType(product).getElementType();
  while (Operation *user = getOnlyUser(product)) {
    if (!isa<MulOp, DivOp>(user))
      break;
    auto scaled = matchScaling(user->getResult(0));
    if (scaled && scaled->value == product) {
      scalar *= scaled->scalar;
    } else if (Value other = getOtherOperand(user, product);
               other && isa<MulOp>(user) && !x) {
      // The other factor is x or a multiple of it.
      auto multiple = matchScaling(other);
      if (isArgument(kind, argument, other)) {
        x = other;
      } else if (multiple && isArgument(kind, argument, multiple->value)) {
        x = multiple->value;
        scalar *= multiple->scalar;
      } else {
        break;
      }
    } else {
      break;
    }
    group.push_back(user);
    product = user->getResult(0);
    if (!x || x.getType() != product.getType() || !isCloseTo(scalar, 0.5, type))
      continue;
    rewriter.setInsertionPoint(user);
    rewriter.replaceOp(user,
                       GeluOp::create(rewriter, fuseLocations(group), x, kind));
    return success();
  }
  return rewriter.notifyMatchFailure(
      inner, "1 + it is not multiplied by half of the value it depends on");
}

//===----------------------------------------------------------------------===//
// Sigmoid and its products
//===----------------------------------------------------------------------===//

/// `1 / (1 + exp(-x))`.
static Value matchSigmoid(Operation *op) {
  Value denominator = matchReciprocal(op->getResult(0));
  auto offset = denominator ? matchOffset(denominator) : std::nullopt;
  if (!offset || offset->scalar != 1)
    return nullptr;
  auto exp = offset->value.getDefiningOp<ExpOp>();
  auto neg = exp ? exp.getX().getDefiningOp<NegOp>() : NegOp();
  return neg ? neg.getX() : Value();
}

static LogicalResult rewriteSigmoid(Operation *op, RewriterBase &rewriter) {
  rewriter.replaceOpWithNewOp<SigmoidOp>(op, matchSigmoid(op));
  return success();
}

static LogicalResult rewriteSigmoidProduct(Operation *op,
                                           RewriterBase &rewriter) {
  auto sigmoid = cast<SigmoidOp>(op);
  Operation *user = getOnlyUser(sigmoid);
  if (!isa_and_present<MulOp>(user))
    return rewriter.notifyMatchFailure(op,
                                       "its only user is not a multiplication");
  Value x = getOtherOperand(user, sigmoid);
  if (!x || x.getType() != user->getResult(0).getType())
    return rewriter.notifyMatchFailure(user, "it is squared or broadcast");
  Location loc = fuseLocations({op, user});
  rewriter.setInsertionPoint(user);
  if (x == sigmoid.getX()) {
    rewriter.replaceOp(user, SiluOp::create(rewriter, loc, x));
    return success();
  }
  if (!isArgument(GeluKind::sigmoid, sigmoid.getX(), x))
    return rewriter.notifyMatchFailure(
        user, "the other factor is not what the sigmoid depends on");
  rewriter.replaceOp(user, GeluOp::create(rewriter, loc, x, GeluKind::sigmoid));
  return success();
}

bool txc::recognizeActivations(func::FuncOp func, Report *report) {
  bool changed = rewriteCandidates(
      func, "sigmoid", report,
      [](Operation *op) {
        return isa<DivOp, ReciprocalOp>(op) && matchSigmoid(op);
      },
      rewriteSigmoid);
  // A sigmoid that only gates something else is no near miss.
  changed |= rewriteCandidates(func, "SiLU or GELU", nullptr,
                               llvm::IsaPred<SigmoidOp>, rewriteSigmoidProduct);
  changed |= rewriteCandidates(func, "GELU", report, llvm::IsaPred<ErfOp>,
                               rewriteLongGelu);
  // Most tanh are poolers and gates.
  changed |= rewriteCandidates(
      func, "GELU", report,
      [](Operation *op) {
        Operation *user =
            isa<TanhOp>(op) ? getOnlyUser(op->getResult(0)) : nullptr;
        return isa_and_present<AddOp>(user);
      },
      rewriteLongGelu);
  return changed;
}
