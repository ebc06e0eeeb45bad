//===- MergeMatmuls.cpp - one product for several weights ----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/layout/MergeMatmuls.h"
#include "dialects/tx/Tx.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/layout/StaticValues.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

namespace {
/// `lhs * weight + bias`.
struct Product {
  MatmulOp matmul;
  /// Null: there is none.
  AddOp add;
  Value bias;

  Value getLhs() { return matmul.getLhs(); }
  Value getWeight() { return matmul.getRhs(); }
  Value getResult() { return add ? add.getResult() : matmul.getResult(); }
  SymExprAttr getColumns() { return getDims(matmul.getType()).back(); }
};

/// Products of one tensor, in their order.
using Siblings = SmallVector<Product>;
} // namespace

static int64_t getRank(Value value) {
  return cast<RankedTensorType>(value.getType()).getRank();
}

/// The bias behind `matmul`: an addition of one static number a column.
static Product matchProduct(MatmulOp matmul, const StaticValues &known) {
  Product product{matmul, {}, {}};
  if (!matmul->hasOneUse())
    return product;
  auto add = dyn_cast<AddOp>(*matmul->user_begin());
  if (!add || add.getType() != matmul.getType())
    return product;
  Value other =
      add.getLhs() == matmul.getResult() ? add.getRhs() : add.getLhs();
  auto type = cast<RankedTensorType>(other.getType());
  if (!known.contains(other) || type.getRank() != 1 ||
      getDims(type).front() != product.getColumns())
    return product;
  product.add = add;
  product.bias = other;
  return product;
}

/// Whether an op that fusion would make an epilogue reads `value`, also through
/// reshapes.
static bool feedsEpilogue(Value value) {
  return llvm::any_of(value.getUsers(), [](Operation *user) {
    if (auto reshape = dyn_cast<ReshapeOp>(user))
      return feedsEpilogue(reshape.getResult());
    return isa<ElementwiseInterface>(user);
  });
}

/// A float matrix that is known before a run.
static bool isWeight(Value value, const StaticValues &known) {
  return getRank(value) == 2 && known.contains(value) &&
         isa<FloatType>(getElementTypeOrSelf(value.getType()));
}

/// Runs of products of one tensor that nothing else is multiplied between.
static SmallVector<Siblings> findSiblings(func::FuncOp function,
                                          const StaticValues &known) {
  SmallVector<Siblings> groups;
  for (Operation &op : function.getBody().front()) {
    auto matmul = dyn_cast<MatmulOp>(op);
    if (!matmul || known.contains(matmul.getResult()))
      continue;
    Product product = matchProduct(matmul, known);
    bool isCandidate = isWeight(matmul.getRhs(), known) &&
                       getRank(matmul.getLhs()) >= 2 &&
                       !feedsEpilogue(product.getResult());
    if (!isCandidate) {
      groups.emplace_back();
      continue;
    }
    if (groups.empty() || groups.back().empty() ||
        groups.back().front().getLhs() != product.getLhs())
      groups.emplace_back();
    groups.back().push_back(product);
  }
  llvm::erase_if(groups,
                 [](const Siblings &group) { return group.size() < 2; });
  return groups;
}

static SmallVector<Value> getWeights(Siblings &group) {
  return llvm::map_to_vector(
      group, [](Product &product) { return product.getWeight(); });
}

/// What a weight is read for besides products may be stored a second time if it
/// is this many times smaller: largest elements, sums of columns.
constexpr int64_t kSummaryRatio = 8;

static int64_t getBytes(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return type.getNumElements() *
         llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

/// Whether the program reads what is made of `op`, other than by `owners` and
/// as values of less than `leastBytes`.
static bool isReadElsewhere(Operation *op,
                            const llvm::SmallPtrSetImpl<Operation *> &owners,
                            const StaticValues &known, int64_t leastBytes) {
  return llvm::any_of(op->getUsers(), [&](Operation *user) {
    if (owners.contains(user))
      return false;
    if (user->getNumResults() != 1 || !known.contains(user->getResult(0)))
      return true;
    return getBytes(user->getResult(0)) >= leastBytes &&
           isReadElsewhere(user, owners, known, leastBytes);
  });
}

/// Whether nothing reads the group's weights, or what they are made of, but
/// groups of the same weights.
static bool ownsWeights(Siblings &group, ArrayRef<Siblings> groups,
                        const StaticValues &known) {
  SmallVector<Value> weights = getWeights(group);
  int64_t leastBytes = getBytes(weights.front());
  for (Value weight : weights)
    leastBytes = std::min(leastBytes, getBytes(weight));
  leastBytes /= kSummaryRatio;
  llvm::SmallPtrSet<Operation *, 16> owners;
  for (Siblings other : groups)
    if (getWeights(other) == weights)
      for (Product &product : other)
        owners.insert(product.matmul);
  llvm::SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.inclusive = true;
  options.filter = [&](Operation *op) {
    return getBytes(op->getResult(0)) >= leastBytes;
  };
  for (Value weight : weights)
    (void)getBackwardSlice(weight, &slice, options);
  owners.insert_range(slice);
  return llvm::none_of(slice, [&](Operation *op) {
    return !isa<ConstantOp>(op) &&
           isReadElsewhere(op, owners, known, leastBytes);
  });
}

/// The group's biases, zeros where there is none.
static SmallVector<Value> getBiases(OpBuilder &b, Siblings &group) {
  SmallVector<Value> biases;
  for (Product &product : group) {
    if (product.bias) {
      biases.push_back(product.bias);
      continue;
    }
    RankedTensorType type = getTensorType(
        {product.getColumns()}, product.matmul.getType().getElementType());
    biases.push_back(ConstantOp::create(
        b, product.matmul.getLoc(), type,
        DenseElementsAttr::get(type, b.getZeroAttr(type.getElementType()))));
  }
  return biases;
}

/// Slices of the last dim of `merged` replace the group's results.
static void replaceBySlices(RewriterBase &rewriter, Siblings &group,
                            Value merged) {
  MLIRContext *context = rewriter.getContext();
  SymExprAttr zero = getConstantExpr(context, 0), begin = zero;
  int64_t rank = getRank(merged);
  SmallVector<int64_t> steps(rank, 1);
  for (Product &product : group) {
    Value result = product.getResult();
    SmallVector<Attribute> starts(rank, zero);
    starts.back() = begin;
    begin = tx::add(begin, product.getColumns());
    Value slice = SliceOp::create(rewriter, result.getLoc(), result.getType(),
                                  merged, rewriter.getArrayAttr(starts), steps);
    rewriter.replaceOp(result.getDefiningOp(), slice);
    if (product.add)
      rewriter.eraseOp(product.matmul);
  }
}

/// Computes the group at its first product.
static void merge(RewriterBase &rewriter, Siblings &group) {
  Operation *first = group.front().matmul;
  rewriter.setInsertionPoint(first);
  SmallVector<Value> weights = getWeights(group), biases;
  if (llvm::any_of(group, [](Product &product) { return product.add; }))
    biases = getBiases(rewriter, group);
  if (failed(moveValueDefinitions(rewriter, weights, first)) ||
      failed(moveValueDefinitions(rewriter, biases, first)))
    return;

  SmallVector<Location> locations;
  SymExprAttr columns = getConstantExpr(rewriter.getContext(), 0);
  for (Product &product : group) {
    locations.push_back(product.matmul.getLoc());
    if (product.add)
      locations.push_back(product.add.getLoc());
    columns = tx::add(columns, product.getColumns());
  }
  Location loc = rewriter.getFusedLoc(locations);
  Value weight = ConcatOp::create(rewriter, loc, weights, /*axis=*/1);
  Value merged =
      MatmulOp::create(rewriter, loc, group.front().getLhs(), weight);
  if (!biases.empty())
    merged = AddOp::create(rewriter, loc, merged,
                           ConcatOp::create(rewriter, loc, biases, /*axis=*/0));
  replaceBySlices(rewriter, group, merged);
}

void txc::mergeMatmuls(func::FuncOp function) {
  StaticValues known(function);
  SmallVector<Siblings> groups = findSiblings(function, known);
  SmallVector<Siblings> owners;
  for (Siblings &group : groups)
    if (ownsWeights(group, groups, known))
      owners.push_back(group);
  IRRewriter rewriter(function.getContext());
  for (Siblings &group : owners)
    merge(rewriter, group);
}

namespace {
struct MergeMatmulsPass
    : PassWrapper<MergeMatmulsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(MergeMatmulsPass)

  StringRef getArgument() const override { return "txc-merge-matmuls"; }
  StringRef getDescription() const override {
    return "Compute products of one tensor with several weights as one";
  }
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic())
        mergeMatmuls(function);
  }
};
} // namespace

std::unique_ptr<Pass> txc::createMergeMatmulsPass() {
  return std::make_unique<MergeMatmulsPass>();
}
