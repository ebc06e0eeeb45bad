//===- CollapseDims.cpp - merging iteration dims of a map ----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/fuse/CollapseDims.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

std::optional<DimGroups> txc::matchDimGroups(ArrayRef<SymExprAttr> from,
                                             ArrayRef<SymExprAttr> to) {
  DimGroups groups;
  unsigned next = 0;
  for (SymExprAttr dim : from) {
    SmallVector<unsigned, 2> &group = groups.emplace_back();
    SymExprAttr product = tx::getConstantExpr(dim.getContext(), 1);
    while (next < to.size() && (group.empty() || product != dim)) {
      product = mul(product, to[next]);
      group.push_back(next++);
    }
    if (product != dim || group.empty())
      return std::nullopt;
  }
  // Dims of 1 may be left over at the end.
  for (; next < to.size(); ++next) {
    if (!to[next].isConstant(1) || groups.empty())
      return std::nullopt;
    groups.back().push_back(next);
  }
  return groups;
}

Value txc::createReshape(OpBuilder &b, Location loc, Value value,
                         RankedTensorType type) {
  while (value.getType() != type) {
    auto reshape = value.getDefiningOp<tx::ReshapeOp>();
    if (!reshape)
      return tx::ReshapeOp::create(b, loc, type, value);
    value = reshape.getX();
  }
  return value;
}

namespace {
/// A tensor and how it is addressed, before and after merging.
struct Collapsed {
  RankedTensorType type;
  AffineMap map;
};

class Collapser {
public:
  Collapser(kernel::MapOp op, const DimGroups &groups)
      : op(op), groups(groups), context(op.getContext()) {
    for (auto [g, group] : llvm::enumerate(groups))
      for (unsigned dim : group)
        groupOf[dim] = g;
  }

  std::optional<Collapsed> collapse(RankedTensorType type, AffineMap map) const;
  SmallVector<Attribute> getSizes() const;
  bool hasMergedIndex() const;
  unsigned getGroup(unsigned dim) const { return groupOf.lookup(dim); }

private:
  bool isMergedDim(AffineExpr expr) const;

  /// Mutable, for MLIR's accessors of ops are not const.
  mutable kernel::MapOp op;
  const DimGroups &groups;
  MLIRContext *context;
  llvm::DenseMap<unsigned, unsigned> groupOf;
};
} // namespace

/// Whether the expression involves a dim of a group of several.
bool Collapser::isMergedDim(AffineExpr expr) const {
  for (const auto &group : groups)
    for (unsigned dim : group)
      if (group.size() > 1 && expr.isFunctionOfDim(dim))
        return true;
  return false;
}

std::optional<Collapsed> Collapser::collapse(RankedTensorType type,
                                             AffineMap map) const {
  SmallVector<SymExprAttr> dims = tx::getDims(type), newDims;
  SmallVector<AffineExpr> replacements(map.getNumDims()), exprs;
  for (unsigned dim = 0; dim < map.getNumDims(); ++dim)
    replacements[dim] = getAffineDimExpr(getGroup(dim), context);
  for (unsigned r = 0; r < map.getNumResults();) {
    AffineExpr expr = map.getResult(r);
    if (!isMergedDim(expr)) {
      exprs.push_back(expr.replaceDims(replacements));
      newDims.push_back(dims[r++]);
      continue;
    }
    auto first = dyn_cast<AffineDimExpr>(expr);
    if (!first)
      return std::nullopt;
    unsigned g = getGroup(first.getPosition());
    SymExprAttr product = tx::getConstantExpr(context, 1);
    // The whole group, in order, each dim of the tensor in full. Dims of 1 may
    // be addressed by 0.
    for (unsigned dim : groups[g]) {
      bool isUnit = op.getSize(dim).isConstant(1);
      if (r < map.getNumResults() &&
          map.getResult(r) == getAffineDimExpr(dim, context) &&
          dims[r] == op.getSize(dim)) {
        product = mul(product, dims[r++]);
        continue;
      }
      if (!isUnit)
        return std::nullopt;
    }
    exprs.push_back(getAffineDimExpr(g, context));
    newDims.push_back(product);
  }
  return Collapsed{
      tx::getTensorType(newDims, type.getElementType()),
      AffineMap::get(groups.size(), map.getNumSymbols(), exprs, context)};
}

SmallVector<Attribute> Collapser::getSizes() const {
  SmallVector<Attribute> sizes;
  for (const auto &group : groups) {
    SymExprAttr size = tx::getConstantExpr(context, 1);
    for (unsigned dim : group)
      size = mul(size, op.getSize(dim));
    sizes.push_back(size);
  }
  return sizes;
}

bool Collapser::hasMergedIndex() const {
  return llvm::any_of(op.getBodyBlock().getOps<kernel::IndexOp>(),
                      [&](kernel::IndexOp index) {
                        return groups[getGroup(index.getDim())].size() > 1;
                      });
}

FailureOr<kernel::MapOp> txc::collapseDims(RewriterBase &rewriter,
                                           kernel::MapOp op,
                                           const DimGroups &groups) {
  Collapser collapser(op, groups);
  if (collapser.hasMergedIndex())
    return rewriter.notifyMatchFailure(
        op, "the body asks for the index of a merged dim");
  auto nest = cast<kernel::NestInterface>(*op);
  SmallVector<Collapsed> inputs, results;
  for (auto [i, input] : llvm::enumerate(op.getInputs())) {
    std::optional<Collapsed> collapsed = collapser.collapse(
        cast<RankedTensorType>(input.getType()), nest.getInputMap(i));
    if (!collapsed)
      return rewriter.notifyMatchFailure(
          op, "an operand does not address the merged dims in a row");
    inputs.push_back(*collapsed);
  }
  for (auto [i, type] : llvm::enumerate(op.getResultTypes())) {
    std::optional<Collapsed> collapsed =
        collapser.collapse(cast<RankedTensorType>(type), nest.getResultMap(i));
    if (!collapsed)
      return rewriter.notifyMatchFailure(
          op, "a result does not address the merged dims in a row");
    results.push_back(*collapsed);
  }

  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  SmallVector<Value> operands;
  SmallVector<Attribute> maps;
  SmallVector<Type> types;
  for (auto [input, collapsed] : llvm::zip(op.getInputs(), inputs)) {
    operands.push_back(
        createReshape(rewriter, op.getLoc(), input, collapsed.type));
    maps.push_back(AffineMapAttr::get(collapsed.map));
  }
  for (const Collapsed &collapsed : results) {
    maps.push_back(AffineMapAttr::get(collapsed.map));
    types.push_back(collapsed.type);
  }
  auto merged = kernel::MapOp::create(
      rewriter, op.getLoc(), types, operands, op.getTables(),
      rewriter.getArrayAttr(collapser.getSizes()), op.getSymbols(),
      rewriter.getArrayAttr(maps));
  rewriter.inlineRegionBefore(op.getBody(), merged.getBody(),
                              merged.getBody().end());
  for (auto index : merged.getBodyBlock().getOps<kernel::IndexOp>())
    index.setDim(collapser.getGroup(index.getDim()));
  SmallVector<Value> replacements;
  for (auto [result, type] :
       llvm::zip(merged.getResults(), op.getResultTypes()))
    replacements.push_back(
        tx::ReshapeOp::create(rewriter, op.getLoc(), type, result));
  rewriter.replaceOp(op, replacements);
  return merged;
}
