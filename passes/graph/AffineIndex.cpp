//===- AffineIndex.cpp - integer tensors that follow their index ---------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/graph/AffineIndex.h"
#include "dialects/tx/TxFold.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "passes/graph/Match.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

using Coefficients = SmallVector<SymExprAttr>;
using MaybeAffine = std::optional<AffineIndex>;

static SymExprAttr getZero(MLIRContext *context) {
  return getConstantExpr(context, 0);
}

bool AffineIndex::isConstant() const {
  return llvm::all_of(coefficients,
                      [](SymExprAttr c) { return c.isConstant(0); });
}

std::optional<unsigned> AffineIndex::getOnlyDim() const {
  std::optional<unsigned> only;
  for (auto [dim, coefficient] : llvm::enumerate(coefficients)) {
    if (coefficient.isConstant(0))
      continue;
    if (only || !coefficient.isConstant(1))
      return std::nullopt;
    only = dim;
  }
  return only;
}

/// Coefficients of more leading dims, which don't matter.
static Coefficients alignRight(const AffineIndex &index, size_t rank) {
  Coefficients result = index.coefficients;
  if (result.size() < rank)
    result.insert(result.begin(), rank - result.size(),
                  getZero(index.constant.getContext()));
  return result;
}

/// `lhs + factor * rhs`.
static AffineIndex combine(const AffineIndex &lhs, const AffineIndex &rhs,
                           int64_t factor) {
  size_t rank = std::max(lhs.coefficients.size(), rhs.coefficients.size());
  AffineIndex result{add(lhs.constant, mul(rhs.constant, factor)),
                     alignRight(lhs, rank)};
  for (auto [sum, term] : llvm::zip(result.coefficients, alignRight(rhs, rank)))
    sum = add(sum, mul(term, factor));
  return result;
}

//===----------------------------------------------------------------------===//
// The analysis
//===----------------------------------------------------------------------===//

/// How many ops the analysis looks at; mask plumbing has few, and shared
/// operands are looked at anew for each user.
static constexpr unsigned kMaxVisits = 64;

static MaybeAffine analyze(Value value, unsigned &budget);

/// The function that known elements follow, if they follow one.
static MaybeAffine analyzeElements(ArrayRef<SymExprAttr> elements,
                                   ArrayRef<int64_t> shape) {
  if (elements.empty())
    return std::nullopt;
  MLIRContext *context = elements.front().getContext();
  SmallVector<int64_t> strides = getRowMajorStrides(shape);
  AffineIndex index{elements.front(), {}};
  for (auto [size, stride] : llvm::zip(shape, strides))
    index.coefficients.push_back(
        size == 1 ? getZero(context) : sub(elements[stride], elements.front()));
  for (auto [linear, element] : llvm::enumerate(elements)) {
    SymExprAttr expected = index.constant;
    for (auto [size, stride, coefficient] :
         llvm::zip(shape, strides, index.coefficients))
      expected = add(expected, mul(coefficient, static_cast<int64_t>(linear) /
                                                    stride % size));
    if (expected != element)
      return std::nullopt;
  }
  return index;
}

/// A reshape that only inserts and removes dims of size 1.
static MaybeAffine analyzeReshape(ReshapeOp op, unsigned &budget) {
  MaybeAffine x = analyze(op.getX(), budget);
  if (!x)
    return std::nullopt;
  SmallVector<SymExprAttr> from = getDims(op.getX().getType());
  Coefficients coefficients;
  size_t next = 0;
  auto skipOnes = [&] {
    while (next < from.size() && from[next].isConstant(1))
      ++next;
  };
  for (SymExprAttr dim : getDims(op.getType())) {
    if (dim.isConstant(1)) {
      coefficients.push_back(getZero(op.getContext()));
      continue;
    }
    skipOnes();
    if (next == from.size() || from[next] != dim)
      return std::nullopt;
    coefficients.push_back(x->coefficients[next++]);
  }
  skipOnes();
  if (next != from.size())
    return std::nullopt;
  return AffineIndex{x->constant, std::move(coefficients)};
}

static MaybeAffine analyzeBroadcast(BroadcastOp op, unsigned &budget) {
  MaybeAffine x = analyze(op.getX(), budget);
  if (!x)
    return std::nullopt;
  // Whether a dim of another name is 1 only a run knows.
  for (auto [from, to] : llvm::zip(llvm::reverse(getDims(op.getX().getType())),
                                   llvm::reverse(getDims(op.getType()))))
    if (from != to && !from.isConstant(1))
      return std::nullopt;
  x->coefficients = alignRight(*x, static_cast<size_t>(op.getType().getRank()));
  return x;
}

static MaybeAffine analyzeSlice(SliceOp op, unsigned &budget) {
  MaybeAffine x = analyze(op.getX(), budget);
  if (!x)
    return std::nullopt;
  for (auto [coefficient, start, step, dim] :
       llvm::zip(x->coefficients, op.getStarts(), op.getSteps(),
                 getDims(op.getType()))) {
    x->constant = add(x->constant, mul(coefficient, cast<SymExprAttr>(start)));
    coefficient =
        dim.isConstant(1) ? getZero(op.getContext()) : mul(coefficient, step);
  }
  return x;
}

static MaybeAffine analyzeMul(MulOp op, unsigned &budget) {
  MaybeAffine lhs = analyze(op.getLhs(), budget);
  MaybeAffine rhs = lhs ? analyze(op.getRhs(), budget) : std::nullopt;
  if (!rhs)
    return std::nullopt;
  if (!rhs->isConstant())
    std::swap(lhs, rhs);
  if (!rhs->isConstant())
    return std::nullopt;
  lhs->coefficients =
      alignRight(*lhs, static_cast<size_t>(op.getType().getRank()));
  for (SymExprAttr &coefficient : lhs->coefficients)
    coefficient = mul(coefficient, rhs->constant);
  lhs->constant = mul(lhs->constant, rhs->constant);
  return lhs;
}

static MaybeAffine analyzeSum(Operation *op, int64_t factor, unsigned &budget) {
  MaybeAffine lhs = analyze(op->getOperand(0), budget);
  MaybeAffine rhs = lhs ? analyze(op->getOperand(1), budget) : std::nullopt;
  if (!rhs)
    return std::nullopt;
  return combine(*lhs, *rhs, factor);
}

static MaybeAffine analyzeTranspose(TransposeOp op, unsigned &budget) {
  MaybeAffine x = analyze(op.getX(), budget);
  if (x)
    x->coefficients = applyPermutation(x->coefficients, op.getPermutation());
  return x;
}

static MaybeAffine analyze(Value value, unsigned &budget) {
  RankedTensorType type = txc::getTensorType(value);
  if (budget == 0 || !type.getElementType().isSignlessInteger() ||
      type.getElementType().isInteger(1))
    return std::nullopt;
  if (auto exprs = matchExprs(value))
    return analyzeElements(*exprs, type.getShape());
  Operation *op = value.getDefiningOp();
  if (!op)
    return std::nullopt;
  --budget;
  return TypeSwitch<Operation *, MaybeAffine>(op)
      .Case<IotaOp>([](IotaOp op) {
        MLIRContext *context = op.getContext();
        return AffineIndex{getZero(context), {getConstantExpr(context, 1)}};
      })
      .Case<AddOp>([&](AddOp op) { return analyzeSum(op, 1, budget); })
      .Case<SubOp>([&](SubOp op) { return analyzeSum(op, -1, budget); })
      .Case<MulOp>([&](MulOp op) { return analyzeMul(op, budget); })
      .Case<ReshapeOp>([&](ReshapeOp op) { return analyzeReshape(op, budget); })
      .Case<BroadcastOp>(
          [&](BroadcastOp op) { return analyzeBroadcast(op, budget); })
      .Case<SliceOp>([&](SliceOp op) { return analyzeSlice(op, budget); })
      .Case<TransposeOp>(
          [&](TransposeOp op) { return analyzeTranspose(op, budget); })
      // Indices are far below the range of 32 bits (see TxFold.cpp).
      .Case<CastOp>([&](CastOp op) -> MaybeAffine {
        if (op.getType().getElementTypeBitWidth() < 32)
          return std::nullopt;
        return analyze(op.getX(), budget);
      })
      .Default([](Operation *) { return std::nullopt; });
}

std::optional<AffineIndex> txc::getAffineIndex(Value value) {
  unsigned budget = kMaxVisits;
  return analyze(value, budget);
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

std::optional<AffineIndex> txc::getNonPositive(CompareOp compare, bool holds) {
  Predicate predicate = compare.getPredicate();
  if (predicate == Predicate::eq || predicate == Predicate::ne)
    return std::nullopt;
  MaybeAffine lhs = getAffineIndex(compare.getLhs());
  MaybeAffine rhs = lhs ? getAffineIndex(compare.getRhs()) : std::nullopt;
  if (!rhs)
    return std::nullopt;
  bool isLess = predicate == Predicate::lt || predicate == Predicate::le;
  bool isStrict = predicate == Predicate::lt || predicate == Predicate::gt;
  // not (a < b) is b <= a.
  if (!holds) {
    isLess = !isLess;
    isStrict = !isStrict;
  }
  AffineIndex difference =
      isLess ? combine(*lhs, *rhs, -1) : combine(*rhs, *lhs, -1);
  if (isStrict)
    difference.constant = add(difference.constant, 1);
  return difference;
}

bool txc::isAlways(CompareOp compare, bool holds, const SymbolBounds &bounds) {
  MaybeAffine index = getNonPositive(compare, holds);
  if (!index)
    return false;
  // The largest value, at the last place of each dim that counts upwards.
  SymExprAttr most = index->constant;
  for (auto [coefficient, dim] :
       llvm::zip(index->coefficients, getDims(compare.getType()))) {
    std::optional<int64_t> value = coefficient.getConstant();
    if (!value)
      return false;
    if (*value > 0)
      most = add(most, mul(add(dim, -1), *value));
  }
  std::optional<int64_t> bound = bounds.upperBound(most);
  return bound && *bound <= 0;
}
