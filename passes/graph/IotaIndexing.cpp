//===- IotaIndexing.cpp - gathers at indices that follow their place -----===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Exporters look a padding mask up element by element: torch's newer one by
/// GatherND at index pairs (b, t), its older one by a Gather from the flattened
/// mask at `b * T + t`. Both are views of the mask. So is a position embedding
/// looked up at 0, 1, 2, ….
//
//===----------------------------------------------------------------------===//

#include "passes/graph/AffineIndex.h"
#include "passes/graph/Match.h"
#include "passes/graph/Recognize.h"
#include "llvm/ADT/SmallSet.h"

using namespace mlir;

using namespace txc;
using namespace txc::tx;

namespace {
/// Where the index into one dim of the indexed tensor comes from.
struct DimSource {
  /// The dim of the result whose index it is; none: it is `start`.
  std::optional<unsigned> resultDim;
  SymExprAttr start;
};
} // namespace

static ArrayAttr getRequirements(ModuleOp module) {
  auto requirements = module->getAttrOfType<ArrayAttr>("tx.requirements");
  return requirements ? requirements : ArrayAttr::get(module.getContext(), {});
}

/// `node "NAME" (Op)`, as the importer names it in a location.
static std::string describeNode(Location location) {
  std::string node;
  location->walk([&](Location part) {
    auto name = dyn_cast<NameLoc>(part);
    auto op = name ? dyn_cast<NameLoc>(name.getChildLoc()) : NameLoc();
    if (!op)
      return WalkResult::advance();
    node = ("node \"" + name.getName().getValue() + "\" (" +
            op.getName().getValue() + ")")
               .str();
    return WalkResult::interrupt();
  });
  return node.empty() ? "a gather" : node;
}

/// Has `lhs <= rhs` checked before each run, unless it is already.
static void require(Operation *op, ModuleOp module, SymExprAttr lhs,
                    SymExprAttr rhs) {
  Builder builder(module.getContext());
  SmallVector<Attribute> all(getRequirements(module).getValue());
  SmallVector<Attribute> requirement = {lhs, builder.getStringAttr("le"), rhs};
  bool isKnown = llvm::any_of(all, [&](Attribute known) {
    return ArrayRef(cast<ArrayAttr>(known).getValue()).take_front(3) ==
           ArrayRef(requirement);
  });
  if (isKnown)
    return;
  requirement.push_back(builder.getStringAttr(
      describeNode(op->getLoc()) + ": it reads beyond the dim: " + lhs.str() +
      " <= " + rhs.str()));
  all.push_back(builder.getArrayAttr(requirement));
  module->setAttr("tx.requirements", builder.getArrayAttr(all));
}

/// Checks that dim `axis` of x is indexed inside its size. What the graph's
/// sizes don't decide becomes a requirement if `mayRequire`: the indexing would
/// be a fault of the run.
static LogicalResult checkInside(Operation *op, RewriterBase &rewriter, Value x,
                                 unsigned axis, SymExprAttr start,
                                 SymExprAttr size, bool mayRequire) {
  SymbolBounds bounds = getSymbolBounds(op);
  SymExprAttr dim = getDim(txc::getTensorType(x), axis);
  SymExprAttr end = add(start, size);
  if (bounds.lowerBound(start).value_or(-1) < 0)
    return rewriter.notifyMatchFailure(op, "an index may be negative");
  std::optional<bool> isInside = bounds.compare(Predicate::le, end, dim);
  if (isInside.value_or(false))
    return success();
  auto module = op->getParentOfType<ModuleOp>();
  if (isInside || !mayRequire || !module)
    return rewriter.notifyMatchFailure(op, "an index may be out of range");
  require(op, module, end, dim);
  return success();
}

/// Replaces `op` by the view of x whose dims come from `sources`; dims of x
/// behind those follow at the end of the result.
static LogicalResult replaceByView(Operation *op, RewriterBase &rewriter,
                                   Value x, ArrayRef<DimSource> sources,
                                   bool mayRequire) {
  RankedTensorType type = txc::getTensorType(x);
  RankedTensorType resultType = txc::getTensorType(op->getResult(0));
  SmallVector<SymExprAttr> resultDims = getDims(resultType);
  SmallVector<SymExprAttr> sliceDims = getDims(type);
  SymExprAttr zero = getConstantExpr(op->getContext(), 0);
  SmallVector<Attribute> starts(sliceDims.size(), zero);
  // The dims of x in the order of the result; single elements come first.
  SmallVector<std::pair<int64_t, int64_t>> order;
  for (auto [axis, source] : llvm::enumerate(sources)) {
    SymExprAttr size = getConstantExpr(op->getContext(), 1);
    if (source.resultDim)
      size = resultDims[*source.resultDim];
    if (failed(
            checkInside(op, rewriter, x, axis, source.start, size, mayRequire)))
      return failure();
    starts[axis] = source.start;
    sliceDims[axis] = size;
    order.emplace_back(
        source.resultDim ? static_cast<int64_t>(*source.resultDim) : -1, axis);
  }
  llvm::sort(order);
  SmallVector<int64_t> permutation;
  SmallVector<SymExprAttr> viewDims(resultDims.size() -
                                        (sliceDims.size() - sources.size()),
                                    getConstantExpr(op->getContext(), 1));
  for (auto [resultDim, axis] : order) {
    permutation.push_back(axis);
    if (resultDim >= 0)
      viewDims[resultDim] = resultDims[resultDim];
  }
  for (size_t axis = sources.size(); axis < sliceDims.size(); ++axis) {
    permutation.push_back(static_cast<int64_t>(axis));
    viewDims.push_back(sliceDims[axis]);
  }
  Location loc = op->getLoc();
  Type elementType = type.getElementType();
  SmallVector<int64_t> steps(starts.size(), 1);
  Value view = rewriter.createOrFold<SliceOp>(
      loc, tx::getTensorType(sliceDims, elementType), x,
      rewriter.getArrayAttr(starts), rewriter.getDenseI64ArrayAttr(steps));
  view = rewriter.createOrFold<TransposeOp>(loc, view, permutation);
  view = rewriter.createOrFold<ReshapeOp>(
      loc, tx::getTensorType(viewDims, elementType), view);
  view = rewriter.createOrFold<BroadcastOp>(loc, resultType, view);
  rewriter.replaceOp(op, view);
  return success();
}

/// `index` as a source of one dim, if it has that form.
static std::optional<DimSource> getSource(const AffineIndex &index) {
  if (index.isConstant())
    return DimSource{std::nullopt, index.constant};
  if (std::optional<unsigned> dim = index.getOnlyDim())
    return DimSource{dim, index.constant};
  return std::nullopt;
}

/// No two dims of x may follow one dim of the result: that is a diagonal.
static bool hasDiagonal(ArrayRef<DimSource> sources) {
  llvm::SmallSet<unsigned, 4> seen;
  return llvm::any_of(sources, [&](const DimSource &source) {
    return source.resultDim && !seen.insert(*source.resultDim).second;
  });
}

//===----------------------------------------------------------------------===//
// GatherND at tuples
//===----------------------------------------------------------------------===//

/// The components of index tuples: tensors whose last dim, 1, is the tuple's.
static SmallVector<Value> getTupleComponents(Value indices) {
  int64_t last = txc::getTensorType(indices).getRank() - 1;
  auto concat = indices.getDefiningOp<ConcatOp>();
  if (concat && static_cast<int64_t>(concat.getAxis()) == last)
    return SmallVector<Value>(concat.getOperands());
  return {indices};
}

static LogicalResult rewriteGatherNd(GatherNdOp op, RewriterBase &rewriter) {
  if (op.getBatchDims() != 0)
    return rewriter.notifyMatchFailure(op, "it has batch dims");
  SmallVector<DimSource> sources;
  for (Value component : getTupleComponents(op.getIndices())) {
    if (txc::getTensorType(component).getShape().back() != 1)
      return rewriter.notifyMatchFailure(op, "the tuples are no concatenation");
    std::optional<AffineIndex> index = getAffineIndex(component);
    if (!index)
      return rewriter.notifyMatchFailure(
          op, "the indices are not arithmetic on ranges");
    index->coefficients.pop_back();
    std::optional<DimSource> source = getSource(*index);
    if (!source)
      return rewriter.notifyMatchFailure(
          op, "an index follows more than one dim of the result");
    sources.push_back(*source);
  }
  if (hasDiagonal(sources))
    return rewriter.notifyMatchFailure(op, "the indices are a diagonal");
  return replaceByView(op, rewriter, op.getX(), sources, /*mayRequire=*/true);
}

//===----------------------------------------------------------------------===//
// Gather, perhaps from a flattened tensor
//===----------------------------------------------------------------------===//

/// Splits an index into merged dims into one index for each of `dims`: the
/// coefficient of a result dim must be the stride of one of them.
static std::optional<SmallVector<DimSource>>
splitIndex(const AffineIndex &index, ArrayRef<SymExprAttr> dims,
           ArrayRef<SymExprAttr> resultDims, const SymbolBounds &bounds) {
  MLIRContext *context = index.constant.getContext();
  SymExprAttr zero = getConstantExpr(context, 0);
  if (!index.constant.isConstant(0))
    return std::nullopt;
  SmallVector<DimSource> sources(dims.size(), DimSource{std::nullopt, zero});
  SymExprAttr stride = getConstantExpr(context, 1);
  SmallVector<bool> isMatched(index.coefficients.size(), false);
  for (size_t axis = dims.size(); axis-- > 0;) {
    for (auto [d, coefficient] : llvm::enumerate(index.coefficients)) {
      // An index beyond the dim would reach into the next one.
      if (isMatched[d] || coefficient != stride || sources[axis].resultDim ||
          !bounds.compare(Predicate::le, resultDims[d], dims[axis])
               .value_or(false))
        continue;
      isMatched[d] = true;
      sources[axis].resultDim = d;
    }
    stride = mul(stride, dims[axis]);
  }
  for (auto [matched, coefficient] : llvm::zip(isMatched, index.coefficients))
    if (!matched && !coefficient.isConstant(0))
      return std::nullopt;
  return sources;
}

static LogicalResult rewriteGather(GatherOp op, RewriterBase &rewriter) {
  if (op.getAxis() != 0)
    return rewriter.notifyMatchFailure(op, "it is not along the first dim");
  std::optional<AffineIndex> index = getAffineIndex(op.getIndices());
  if (!index)
    return rewriter.notifyMatchFailure(
        op, "the indices are not arithmetic on ranges");
  if (std::optional<DimSource> source = getSource(*index))
    return replaceByView(op, rewriter, op.getX(), *source, /*mayRequire=*/true);
  // The flattened tensor is a vector, or a matrix of one column.
  auto flat = op.getX().getDefiningOp<ReshapeOp>();
  if (!flat || getElementCount(flat.getType()) != getDim(flat.getType(), 0))
    return rewriter.notifyMatchFailure(
        op, "an index follows more than one dim of the result");
  std::optional<SmallVector<DimSource>> sources =
      splitIndex(*index, getDims(flat.getX().getType()), getDims(op.getType()),
                 getSymbolBounds(op));
  if (!sources || hasDiagonal(*sources))
    return rewriter.notifyMatchFailure(
        op, "the index into the flattened tensor is none of its rows' order");
  return replaceByView(op, rewriter, flat.getX(), *sources,
                       /*mayRequire=*/false);
}

bool txc::recognizeIotaIndexing(func::FuncOp func, Report *report) {
  // Token embeddings are gathers as well: only what is nearly a view is a
  // near miss.
  bool changed =
      rewriteCandidates(func, "view", nullptr, llvm::IsaPred<GatherOp>,
                        [](Operation *op, RewriterBase &rewriter) {
                          return rewriteGather(cast<GatherOp>(op), rewriter);
                        });
  changed |= rewriteCandidates(func, "view", report, llvm::IsaPred<GatherNdOp>,
                               [](Operation *op, RewriterBase &rewriter) {
                                 return rewriteGatherNd(cast<GatherNdOp>(op),
                                                        rewriter);
                               });
  return changed;
}
