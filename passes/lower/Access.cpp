//===- Access.cpp - reading a tensor through its views -------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/lower/Access.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "passes/graph/Match.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

/// Whether symbols tell at each dim of a broadcast if it repeats.
static bool hasKnownRepeats(BroadcastOp op) {
  SmallVector<SymExprAttr> from = getDims(op.getX().getType());
  SmallVector<SymExprAttr> to = getDims(op.getType());
  for (auto [a, b] : llvm::zip(llvm::reverse(from), llvm::reverse(to)))
    if (a != b && !a.isConstant(1))
      return false;
  return true;
}

bool txc::isView(Operation *op) {
  if (auto broadcast = dyn_cast<BroadcastOp>(op))
    return hasKnownRepeats(broadcast);
  return isa<TransposeOp, SliceOp>(op);
}

//===----------------------------------------------------------------------===//
// One view: from the result's dims to the operand's
//===----------------------------------------------------------------------===//

static AffineMap getTransposeMap(TransposeOp op) {
  MLIRContext *context = op.getContext();
  SmallVector<AffineExpr> exprs(op.getPermutation().size());
  for (auto [d, source] : llvm::enumerate(op.getPermutation()))
    exprs[source] = getAffineDimExpr(d, context);
  return AffineMap::get(exprs.size(), 0, exprs, context);
}

static AffineMap getBroadcastMap(BroadcastOp op) {
  MLIRContext *context = op.getContext();
  RankedTensorType from = op.getX().getType();
  int64_t offset = op.getType().getRank() - from.getRank();
  SmallVector<AffineExpr> exprs;
  for (auto [d, dim] : llvm::enumerate(getDims(from))) {
    bool repeats = dim != getDim(op.getType(), offset + d);
    exprs.push_back(repeats ? getAffineConstantExpr(0, context)
                            : getAffineDimExpr(offset + d, context));
  }
  return AffineMap::get(op.getType().getRank(), 0, exprs, context);
}

static AffineMap getSliceMap(SliceOp op,
                             SmallVectorImpl<SymExprAttr> &symbols) {
  MLIRContext *context = op.getContext();
  SmallVector<AffineExpr> exprs;
  for (auto [d, start, step] : llvm::enumerate(
           op.getStarts().getAsRange<SymExprAttr>(), op.getSteps())) {
    AffineExpr begin;
    if (std::optional<int64_t> constant = start.getConstant()) {
      begin = getAffineConstantExpr(*constant, context);
    } else {
      begin = getAffineSymbolExpr(symbols.size(), context);
      symbols.push_back(start);
    }
    exprs.push_back(begin + getAffineDimExpr(d, context) * step);
  }
  return AffineMap::get(exprs.size(), symbols.size(), exprs, context);
}

/// A reshape that splits dims (by static inner sizes) or adds and drops dims of
/// size 1; nothing for one that merges dims.
static std::optional<AffineMap> getSplitMap(ReshapeOp op) {
  MLIRContext *context = op.getContext();
  SmallVector<SymExprAttr> from = getDims(op.getX().getType());
  SmallVector<SymExprAttr> to = getDims(op.getType());
  SmallVector<AffineExpr> exprs;
  size_t next = 0;
  for (SymExprAttr dim : from) {
    AffineExpr index = getAffineConstantExpr(0, context);
    SymExprAttr covered = getConstantExpr(context, 1);
    while (covered != dim) {
      while (next < to.size() && to[next].isConstant(1))
        ++next;
      if (next == to.size())
        return std::nullopt;
      // The first factor may be symbolic, the inner ones must be static.
      std::optional<int64_t> size = to[next].getConstant();
      bool isFirst = covered.isConstant(1);
      if (!isFirst && !size)
        return std::nullopt;
      index = isFirst ? getAffineDimExpr(next, context)
                      : index * *size + getAffineDimExpr(next, context);
      covered = mul(covered, to[next]);
      if (covered.getConstant() && dim.getConstant() &&
          *covered.getConstant() > *dim.getConstant())
        return std::nullopt;
      ++next;
    }
    exprs.push_back(index);
  }
  for (; next < to.size(); ++next)
    if (!to[next].isConstant(1))
      return std::nullopt;
  return AffineMap::get(to.size(), 0, exprs, context);
}

//===----------------------------------------------------------------------===//
// Chains of views
//===----------------------------------------------------------------------===//

/// `inner ∘ map`, where `map` goes from a value to the operand `inner` is of.
static Access compose(AffineMap map, ArrayRef<SymExprAttr> symbols,
                      const Access &inner) {
  Access result{inner.base, {}, llvm::to_vector(symbols)};
  AffineMap shifted = inner.map;
  if (!symbols.empty())
    shifted = shifted.shiftSymbols(symbols.size());
  // AffineMap::compose numbers the symbols of `shifted` before those of `map`;
  // replacing dims by hand keeps the order stated in `symbols`.
  SmallVector<AffineExpr> exprs;
  for (AffineExpr expr : shifted.getResults())
    exprs.push_back(expr.replaceDims(map.getResults()));
  llvm::append_range(result.symbols, inner.symbols);
  result.map = simplifyAffineMap(AffineMap::get(
      map.getNumDims(), result.symbols.size(), exprs, map.getContext()));
  return result;
}

Access txc::resolveAccess(Value value) {
  MLIRContext *context = value.getContext();
  auto type = cast<RankedTensorType>(value.getType());
  Access self{
      value, AffineMap::getMultiDimIdentityMap(type.getRank(), context), {}};
  Operation *op = value.getDefiningOp();
  if (!op)
    return self;
  if (auto reshape = dyn_cast<ReshapeOp>(op)) {
    Access inner = resolveAccess(reshape.getX());
    if (inner.base == reshape.getX())
      return self; // of a row-major tensor, so row-major itself
    if (std::optional<AffineMap> split = getSplitMap(reshape))
      return compose(*split, {}, inner);
    return self;
  }
  if (!isView(op))
    return self;
  SmallVector<SymExprAttr> symbols;
  AffineMap map;
  if (auto transpose = dyn_cast<TransposeOp>(op))
    map = getTransposeMap(transpose);
  else if (auto broadcast = dyn_cast<BroadcastOp>(op))
    map = getBroadcastMap(broadcast);
  else
    map = getSliceMap(cast<SliceOp>(op), symbols);
  return compose(map, symbols, resolveAccess(op->getOperand(0)));
}

Value txc::mergeBeforeTranspose(OpBuilder &b, ReshapeOp op) {
  auto transpose = op.getX().getDefiningOp<TransposeOp>();
  if (!transpose)
    return nullptr;
  SmallVector<SymExprAttr> dims = getDims(op.getType());
  auto ends = groupDims(getDims(transpose.getType()), dims);
  if (!ends)
    return nullptr;
  ArrayRef<int64_t> permutation = transpose.getPermutation();
  // The first axis in x of what becomes a dim, and that dim.
  SmallVector<std::pair<int64_t, size_t>> firstAxes;
  size_t begin = 0;
  for (auto [dim, end] : llvm::enumerate(*ends)) {
    for (size_t i = begin + 1; i < end; ++i)
      if (permutation[i] != permutation[i - 1] + 1)
        return nullptr;
    firstAxes.emplace_back(permutation[begin], dim);
    begin = end;
  }
  llvm::sort(firstAxes);
  SmallVector<SymExprAttr> merged;
  SmallVector<int64_t> order;
  for (auto [axis, dim] : firstAxes) {
    merged.push_back(dims[dim]);
    order.push_back(static_cast<int64_t>(dim));
  }
  Value x = ReshapeOp::create(
      b, op.getLoc(), getTensorType(merged, op.getType().getElementType()),
      transpose.getX());
  return TransposeOp::create(b, op.getLoc(), x, invertPermutationVector(order));
}
