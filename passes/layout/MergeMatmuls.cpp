//===- MergeMatmuls.cpp - one product for several weights ----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/layout/MergeMatmuls.h"
#include "dialects/tx/RunTimeSymbols.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/layout/StaticValues.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

namespace {
/// `chain(lhs * weight) + bias`, where all that differs between columns is
/// known before a run.
struct Product {
  MatmulOp matmul;
  /// Element-wise, each read by the next one only: what makes numbers of sums
  /// of bytes.
  SmallVector<Operation *> chain;
  /// Null: there is none.
  AddOp add;
  Value bias;

  Value getLhs() { return matmul.getLhs(); }
  Value getWeight() { return matmul.getRhs(); }
  /// What the bias is added to.
  Value getSum() {
    return chain.empty() ? Value(matmul) : chain.back()->getResult(0);
  }
  Value getResult() { return add ? add.getResult() : getSum(); }
  SymExprAttr getColumns() { return getDims(matmul.getType()).back(); }
};

/// Products of one tensor, in their order.
using Siblings = SmallVector<Product>;
} // namespace

static RankedTensorType getType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static int64_t getRank(Value value) { return getType(value).getRank(); }

//===----------------------------------------------------------------------===//
// Siblings
//===----------------------------------------------------------------------===//

/// Whether `op` computes with one number a column or a row besides `value`, and
/// gives as many elements.
static bool isColumnwise(Operation *op, Value value) {
  if (!isa<AddOp, SubOp, MulOp, DivOp, RoundOp, CastOp, MaximumOp, MinimumOp>(
          op))
    return false;
  SmallVector<SymExprAttr> dims = getDims(getType(value));
  if (getDims(getType(op->getResult(0))) != dims)
    return false;
  return llvm::all_of(op->getOperands(), [&](Value operand) {
    if (operand == value)
      return true;
    SmallVector<SymExprAttr> own = getDims(getType(operand));
    if (own.empty() || own.back().isConstant(1))
      return true;
    return own.back() == dims.back() &&
           llvm::all_of(ArrayRef(own).drop_back(),
                        [](SymExprAttr dim) { return dim.isConstant(1); });
  });
}

static Product matchProduct(MatmulOp matmul, const StaticValues &known) {
  Product product;
  product.matmul = matmul;
  for (Value value = matmul; value.hasOneUse();) {
    Operation *user = *value.user_begin();
    if (!isColumnwise(user, value))
      break;
    product.chain.push_back(user);
    value = user->getResult(0);
  }
  auto add =
      product.chain.empty() ? AddOp() : dyn_cast<AddOp>(product.chain.back());
  if (!add)
    return product;
  product.chain.pop_back();
  Value other = add.getLhs() == product.getSum() ? add.getRhs() : add.getLhs();
  if (known.contains(other) && getRank(other) == 1 &&
      getDims(getType(other)).front() == product.getColumns()) {
    product.add = add;
    product.bias = other;
  } else {
    product.chain.push_back(add);
  }
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

/// A matrix of floats or bytes that is known before a run.
static bool isWeight(Value value, const StaticValues &known) {
  Type element = getElementTypeOrSelf(value.getType());
  return getRank(value) == 2 && known.contains(value) &&
         (isa<FloatType>(element) || element.isInteger(8));
}

/// Whether two ops do the same, with other numbers.
static bool areAlike(Operation *a, Operation *b) {
  return a->getName() == b->getName() &&
         a->getAttrDictionary() == b->getAttrDictionary() &&
         a->getNumResults() == 1 &&
         getElementTypeOrSelf(a->getResult(0).getType()) ==
             getElementTypeOrSelf(b->getResult(0).getType());
}

/// Whether the products may be columns of one.
static bool areSiblings(Product &a, Product &b) {
  if (a.getLhs() != b.getLhs() || a.chain.size() != b.chain.size() ||
      getElementTypeOrSelf(a.getWeight().getType()) !=
          getElementTypeOrSelf(b.getWeight().getType()))
    return false;
  Value inA = a.matmul, inB = b.matmul;
  for (auto [opA, opB] : llvm::zip_equal(a.chain, b.chain)) {
    if (!areAlike(opA, opB))
      return false;
    for (auto [x, y] : llvm::zip_equal(opA->getOperands(), opB->getOperands()))
      if ((x == inA) != (y == inB))
        return false;
    inA = opA->getResult(0);
    inB = opB->getResult(0);
  }
  return true;
}

/// Adds the runs of a block's products of one tensor that nothing else is
/// multiplied between.
static void findSiblings(Block &block, const StaticValues &known,
                         SmallVectorImpl<Siblings> &groups) {
  groups.emplace_back();
  for (auto matmul : block.getOps<MatmulOp>()) {
    if (known.contains(matmul.getResult()))
      continue;
    Product product = matchProduct(matmul, known);
    bool isCandidate = isWeight(matmul.getRhs(), known) &&
                       getRank(matmul.getLhs()) >= 2 &&
                       !feedsEpilogue(product.getResult());
    if (!isCandidate) {
      groups.emplace_back();
      continue;
    }
    if (groups.back().empty() || !areSiblings(groups.back().front(), product))
      groups.emplace_back();
    groups.back().push_back(product);
  }
}

static SmallVector<Siblings> findSiblings(func::FuncOp function,
                                          const StaticValues &known) {
  SmallVector<Siblings> groups;
  for (Block *block : getBlocks(function))
    findSiblings(*block, known, groups);
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

//===----------------------------------------------------------------------===//
// Merging
//===----------------------------------------------------------------------===//

namespace {
/// Computes a group at its first product.
class Merger {
public:
  Merger(RewriterBase &rewriter, Siblings &group, const StaticValues &known);

  /// Leaves the group alone if what differs between its columns is not known
  /// early enough.
  void run();

private:
  Value toColumns(Value value, SymExprAttr columns);
  Value mergeStatic(ArrayRef<Value> values);
  Value mergeParameters(ArrayRef<Value> values);
  Value rebuild(Operation *op, ArrayRef<Value> operands);
  Value mergeChains(Value product);
  Value mergeBiases();
  void replaceBySlices(Value merged);

  RewriterBase &rewriter;
  Siblings &group;
  const StaticValues &known;
  Operation *first;
  Location loc;
};
} // namespace

static Location fuseLocations(RewriterBase &rewriter, Siblings &group) {
  SmallVector<Location> locations;
  for (Product &product : group) {
    locations.push_back(product.matmul.getLoc());
    for (Operation *op : product.chain)
      locations.push_back(op->getLoc());
    if (product.add)
      locations.push_back(product.add.getLoc());
  }
  return rewriter.getFusedLoc(locations);
}

Merger::Merger(RewriterBase &rewriter, Siblings &group,
               const StaticValues &known)
    : rewriter(rewriter), group(group), known(known),
      first(group.front().matmul), loc(fuseLocations(rewriter, group)) {}

/// A vector of one number a column, of one for all or as many; null if the one
/// is no constant.
Value Merger::toColumns(Value value, SymExprAttr columns) {
  RankedTensorType type =
      getTensorType({columns}, getType(value).getElementType());
  if (getType(value).getNumElements() == type.getNumElements())
    return ReshapeOp::create(rewriter, loc, type, value);
  DenseElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)))
    return nullptr;
  return ConstantOp::create(
      rewriter, loc, type,
      DenseElementsAttr::get(type, elements.getSplatValue<Attribute>()));
}

/// Whether one constant number stands for all values.
static bool areEqualScalars(ArrayRef<Value> values) {
  Attribute scalar;
  return llvm::all_of(values, [&](Value value) {
    DenseElementsAttr elements;
    if (getType(value).getNumElements() != 1 ||
        !matchPattern(value, m_Constant(&elements)))
      return false;
    auto own = elements.getSplatValue<Attribute>();
    if (!scalar)
      scalar = own;
    return scalar == own;
  });
}

/// Of values that are known before a run.
Value Merger::mergeStatic(ArrayRef<Value> values) {
  if (failed(moveValueDefinitions(rewriter, values, first)))
    return nullptr;
  if (areEqualScalars(values))
    return values.front();
  SmallVector<Value> vectors;
  for (auto [value, product] : llvm::zip_equal(values, group))
    vectors.push_back(toColumns(value, product.getColumns()));
  if (llvm::is_contained(vectors, nullptr))
    return nullptr;
  return ConcatOp::create(rewriter, loc, vectors, /*axis=*/0);
}

/// What stands for the products' own parameters beside the merged one: the same
/// value, or a vector of all columns, or what is computed from such. Null if
/// there is none.
Value Merger::mergeParameters(ArrayRef<Value> values) {
  auto isKnown = [&](Value value) { return known.contains(value); };
  if (llvm::all_of(values, isKnown))
    return mergeStatic(values);
  if (llvm::any_of(values, isKnown))
    return nullptr;
  SmallVector<SymExprAttr> dims = getDims(getType(values.front()));
  Operation *op = values.front().getDefiningOp();
  if (llvm::all_equal(values) && (dims.empty() || dims.back().isConstant(1)))
    return succeeded(moveValueDefinitions(rewriter, values.front(), first))
               ? values.front()
               : nullptr;
  SmallVector<Value> operands;
  for (Value value : values)
    if (Operation *other = value.getDefiningOp();
        !op || !other || !areAlike(op, other))
      return nullptr;
  for (unsigned i = 0; i < op->getNumOperands(); ++i) {
    operands.push_back(
        mergeParameters(llvm::map_to_vector(values, [&](Value value) {
          return value.getDefiningOp()->getOperand(i);
        })));
    if (!operands.back())
      return nullptr;
  }
  return rebuild(op, operands);
}

/// The op on other operands; null for what no chain has.
Value Merger::rebuild(Operation *op, ArrayRef<Value> operands) {
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case<AddOp, SubOp, MulOp, DivOp, MaximumOp, MinimumOp>([&](auto binary) {
        return decltype(binary)::create(rewriter, loc, operands[0],
                                        operands[1]);
      })
      .Case([&](RoundOp) {
        return RoundOp::create(rewriter, loc, operands.front());
      })
      .Case([&](CastOp cast) {
        auto type =
            getType(operands.front()).clone(cast.getType().getElementType());
        return CastOp::create(rewriter, loc, type, operands.front(),
                              cast.getSaturate());
      })
      .Default([](Operation *) { return nullptr; });
}

/// The group's chains on the merged product.
Value Merger::mergeChains(Value product) {
  SmallVector<Value> values = llvm::map_to_vector(
      group, [](Product &sibling) -> Value { return sibling.matmul; });
  for (unsigned i = 0; i < group.front().chain.size(); ++i) {
    Operation *op = group.front().chain[i];
    SmallVector<Value> operands;
    for (unsigned j = 0; j < op->getNumOperands(); ++j)
      operands.push_back(op->getOperand(j) == values.front()
                             ? product
                             : mergeParameters(llvm::map_to_vector(
                                   group, [&](Product &sibling) -> Value {
                                     return sibling.chain[i]->getOperand(j);
                                   })));
    if (llvm::is_contained(operands, nullptr))
      return nullptr;
    product = rebuild(op, operands);
    for (auto [value, sibling] : llvm::zip_equal(values, group))
      value = sibling.chain[i]->getResult(0);
  }
  return product;
}

/// The group's biases, zeros where there is none; null if they come too late.
Value Merger::mergeBiases() {
  SmallVector<Value> biases;
  for (Product &product : group) {
    if (product.bias) {
      biases.push_back(product.bias);
      continue;
    }
    RankedTensorType type = getTensorType(
        {product.getColumns()}, getType(product.getSum()).getElementType());
    biases.push_back(ConstantOp::create(
        rewriter, product.matmul.getLoc(), type,
        DenseElementsAttr::get(type,
                               rewriter.getZeroAttr(type.getElementType()))));
  }
  if (failed(moveValueDefinitions(rewriter, biases, first)))
    return nullptr;
  return ConcatOp::create(rewriter, loc, biases, /*axis=*/0);
}

/// Slices of the last dim of `merged` replace the group's results.
void Merger::replaceBySlices(Value merged) {
  SymExprAttr zero = getConstantExpr(rewriter.getContext(), 0), begin = zero;
  int64_t rank = getRank(merged);
  SmallVector<int64_t> steps(rank, 1);
  for (Product &product : group) {
    Value result = product.getResult();
    SmallVector<Attribute> starts(rank, zero);
    starts.back() = begin;
    begin = tx::add(begin, product.getColumns());
    Value slice = SliceOp::create(rewriter, result.getLoc(), result.getType(),
                                  merged, rewriter.getArrayAttr(starts), steps);
    rewriter.replaceAllUsesWith(result, slice);
    // From the end on, each is without users.
    if (product.add)
      rewriter.eraseOp(product.add);
    for (Operation *op : llvm::reverse(product.chain))
      rewriter.eraseOp(op);
    rewriter.eraseOp(product.matmul);
  }
}

void Merger::run() {
  rewriter.setInsertionPoint(first);
  SmallVector<Value> weights = getWeights(group);
  if (failed(moveValueDefinitions(rewriter, weights, first)))
    return;
  Value weight = ConcatOp::create(rewriter, loc, weights, /*axis=*/1);
  Value merged =
      MatmulOp::create(rewriter, loc, group.front().getLhs(), weight);
  merged = mergeChains(merged);
  if (!merged)
    return;
  if (llvm::any_of(group, [](Product &product) { return product.add; })) {
    Value bias = mergeBiases();
    if (!bias)
      return;
    merged = AddOp::create(rewriter, loc, merged, bias);
  }
  replaceBySlices(merged);
}

void txc::mergeMatmuls(func::FuncOp function) {
  StaticValues known(function);
  SmallVector<Siblings> groups = findSiblings(function, known);
  SmallVector<Siblings> owners;
  for (Siblings &group : groups)
    if (ownsWeights(group, groups, known))
      owners.push_back(group);
  // From here on `known` is asked of values that were there before.
  IRRewriter rewriter(function.getContext());
  for (Siblings &group : owners)
    Merger(rewriter, group, known).run();
  // What was begun for groups that stay apart.
  (void)runRegionDCE(rewriter, function->getRegions());
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
