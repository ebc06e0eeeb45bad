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

static std::string describeDemand(Operation *op, SymExprAttr lhs,
                                  SymExprAttr rhs) {
  return describeNode(op->getLoc()) +
         ": it reads beyond the dim: " + lhs.str() + " <= " + rhs.str();
}

/// Has `lhs <= rhs` checked where a branch or loop comes to `op`, unless it is
/// already.
static void requireHere(Operation *op, RewriterBase &rewriter, SymExprAttr lhs,
                        SymExprAttr rhs) {
  for (auto known : op->getBlock()->getOps<RequireOp>())
    if (known.getLhs() == lhs && known.getPredicate() == Predicate::le &&
        known.getRhs() == rhs && known->isBeforeInBlock(op))
      return;
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  RequireOp::create(rewriter, op->getLoc(), lhs, Predicate::le, rhs,
                    describeDemand(op, lhs, rhs));
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
  requirement.push_back(builder.getStringAttr(describeDemand(op, lhs, rhs)));
  all.push_back(builder.getArrayAttr(requirement));
  module->setAttr("tx.requirements", builder.getArrayAttr(all));
}

/// The number of elements that each source takes.
static SmallVector<SymExprAttr> getSizes(ArrayRef<DimSource> sources,
                                         RankedTensorType result) {
  SmallVector<SymExprAttr> sizes;
  for (const DimSource &source : sources)
    sizes.push_back(source.resultDim ? getDim(result, *source.resultDim)
                                     : getConstantExpr(result.getContext(), 1));
  return sizes;
}

/// Checks that x is indexed inside its dims. What the sizes don't decide
/// becomes a requirement if `mayRequire`: it would be a fault of the run.
static LogicalResult checkInside(Operation *op, RewriterBase &rewriter, Value x,
                                 ArrayRef<DimSource> sources,
                                 ArrayRef<SymExprAttr> sizes, bool mayRequire) {
  SymbolBounds bounds = getSymbolBounds(op);
  auto module = op->getParentOfType<ModuleOp>();
  SmallVector<std::pair<SymExprAttr, SymExprAttr>> required;
  for (auto [source, size, dim] :
       llvm::zip(sources, sizes, getDims(txc::getTensorType(x)))) {
    if (bounds.lowerBound(source.start).value_or(-1) < 0)
      return rewriter.notifyMatchFailure(op, "an index may be negative");
    SymExprAttr end = add(source.start, size);
    std::optional<bool> isInside = bounds.compare(Predicate::le, end, dim);
    if (!isInside.value_or(true) || (!isInside && (!mayRequire || !module)))
      return rewriter.notifyMatchFailure(op, "an index may be out of range");
    if (!isInside)
      required.emplace_back(end, dim);
  }
  for (auto [end, dim] : required) {
    if (isa<IfOp, LoopOp>(op->getParentOp()))
      requireHere(op, rewriter, end, dim);
    else
      require(op, module, end, dim);
  }
  return success();
}

/// The part of x that the sources take of its first dims.
static Value createSlice(RewriterBase &rewriter, Location loc, Value x,
                         ArrayRef<DimSource> sources,
                         ArrayRef<SymExprAttr> sizes) {
  RankedTensorType type = txc::getTensorType(x);
  SmallVector<SymExprAttr> dims = getDims(type);
  llvm::copy(sizes, dims.begin());
  SmallVector<Attribute> starts(dims.size(),
                                getConstantExpr(type.getContext(), 0));
  for (auto [start, source] : llvm::zip(starts, sources))
    start = source.start;
  SmallVector<int64_t> steps(dims.size(), 1);
  return rewriter.createOrFold<SliceOp>(
      loc, tx::getTensorType(dims, type.getElementType()), x,
      rewriter.getArrayAttr(starts), rewriter.getDenseI64ArrayAttr(steps));
}

/// Replaces `op` by the view of x whose dims come from `sources`; dims of x
/// behind those follow at the end of the result.
static LogicalResult replaceByView(Operation *op, RewriterBase &rewriter,
                                   Value x, ArrayRef<DimSource> sources,
                                   bool mayRequire) {
  RankedTensorType resultType = txc::getTensorType(op->getResult(0));
  SmallVector<SymExprAttr> sizes = getSizes(sources, resultType);
  if (failed(checkInside(op, rewriter, x, sources, sizes, mayRequire)))
    return failure();
  Value view = createSlice(rewriter, op->getLoc(), x, sources, sizes);

  // The dims of x in the order of the result; single elements come first.
  SmallVector<int64_t> permutation =
      llvm::to_vector(llvm::seq<int64_t>(0, txc::getTensorType(x).getRank()));
  auto getPlace = [&](int64_t axis) {
    return std::pair(sources[axis].resultDim, axis);
  };
  llvm::sort(MutableArrayRef(permutation).take_front(sources.size()),
             [&](int64_t a, int64_t b) { return getPlace(a) < getPlace(b); });
  view = rewriter.createOrFold<TransposeOp>(op->getLoc(), view, permutation);

  // Dims of the result that no index follows are 1, and are repeated then.
  SmallVector<SymExprAttr> dims = getDims(resultType);
  size_t numIndexDims = dims.size() - (permutation.size() - sources.size());
  for (size_t d = 0; d < numIndexDims; ++d)
    if (llvm::none_of(sources, [&](const DimSource &source) {
          return source.resultDim == d;
        }))
      dims[d] = getConstantExpr(op->getContext(), 1);
  view = rewriter.createOrFold<ReshapeOp>(
      op->getLoc(), tx::getTensorType(dims, resultType.getElementType()), view);
  view = rewriter.createOrFold<BroadcastOp>(op->getLoc(), resultType, view);
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
