//===- SmoothChannels.cpp - channels of like size for int8 ---------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/precision/SmoothChannels.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/graph/Match.h"
#include "passes/graph/Report.h"
#include "passes/layout/StaticValues.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

/// Of activations to weights.
constexpr double kLargestRatio = 1e12;

/// A channel that the samples leave near zero may have other numbers elsewhere:
/// it counts as this part of a mean channel.
constexpr float kLeastPart = 1.0F / 64;

//===----------------------------------------------------------------------===//
// What there is to smooth
//===----------------------------------------------------------------------===//

namespace {
/// The products of each tensor, in the order of their first ones.
using Products = llvm::MapVector<Value, SmallVector<MatmulOp>>;

/// Tensors with the same factors, since they meet the same weights.
struct Group {
  SmallVector<Value> tensors;
  SmallVector<MatmulOp> products;
  SmallVector<float> maxima;
};

/// The product that makes an attention's values, with its bias.
struct ValueProduct {
  MatmulOp matmul;
  /// Null: there is none.
  AddOp add;
};
} // namespace

/// The tensor under reshapes that keep its last dim.
static Value peelReshapes(Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>()) {
    SmallVector<SymExprAttr> dims = getDims(getTensorType(reshape.getX()));
    if (dims.empty() || dims.back() != getDims(getTensorType(value)).back())
      break;
    value = reshape.getX();
  }
  return value;
}

static Products findProducts(func::FuncOp function, const StaticValues &known) {
  Products products;
  for (auto matmul : function.getBody().front().getOps<MatmulOp>()) {
    RankedTensorType lhs = getTensorType(matmul.getLhs());
    RankedTensorType rhs = getTensorType(matmul.getRhs());
    if (lhs.getElementType().isF32() && rhs.getElementType().isF32() &&
        rhs.getRank() == 2 && rhs.hasStaticShape() &&
        known.contains(matmul.getRhs()) && !known.contains(matmul.getLhs()))
      products[peelReshapes(matmul.getLhs())].push_back(matmul);
  }
  return products;
}

/// Tensors that meet a common weight are in one group: it is stored once.
static SmallVector<Group> makeGroups(Products &products,
                                     ArrayRef<Attribute> maxima) {
  llvm::EquivalenceClasses<Value> classes;
  for (auto &[tensor, matmuls] : products)
    for (MatmulOp matmul : matmuls)
      classes.unionSets(tensor, matmul.getRhs());
  llvm::MapVector<Value, Group> groups;
  for (auto [entry, attribute] : llvm::zip_equal(products, maxima)) {
    Group &group = groups[classes.getLeaderValue(entry.first)];
    group.tensors.push_back(entry.first);
    llvm::append_range(group.products, entry.second);
    auto values = cast<DenseFPElementsAttr>(attribute).getValues<float>();
    group.maxima.resize(values.size());
    for (auto [most, value] : llvm::zip_equal(group.maxima, values))
      most = std::max(most, value);
  }
  return llvm::map_to_vector(
      groups, [](auto &entry) { return std::move(entry.second); });
}

//===----------------------------------------------------------------------===//
// Where the factors go
//===----------------------------------------------------------------------===//

static bool isTransposeOfHeads(TransposeOp transpose) {
  return transpose &&
         transpose.getPermutation() == ArrayRef<int64_t>{0, 2, 1, 3};
}

/// The x of `transpose(reshape(x))` that splits the last dim into heads, each
/// used once, or null.
static Value matchSplitHeads(Value value) {
  auto transpose = value.getDefiningOp<TransposeOp>();
  if (!isTransposeOfHeads(transpose) || !value.hasOneUse())
    return nullptr;
  auto reshape = transpose.getX().getDefiningOp<ReshapeOp>();
  return reshape && reshape->hasOneUse() ? reshape.getX() : nullptr;
}

/// Of a tensor of merged heads the product that makes the attention's values,
/// column by column, if nothing else reads them.
static std::optional<ValueProduct>
matchValueProduct(Value tensor, const StaticValues &known) {
  auto merge = tensor.getDefiningOp<ReshapeOp>();
  auto transpose =
      merge ? merge.getX().getDefiningOp<TransposeOp>() : TransposeOp();
  if (!isTransposeOfHeads(transpose) || !transpose->hasOneUse())
    return std::nullopt;
  auto attention = transpose.getX().getDefiningOp<AttentionOp>();
  if (!attention || !attention->hasOneUse())
    return std::nullopt;
  // As many heads of values as of queries, or a factor would meet several.
  if (getDims(getTensorType(attention.getV()))[1] !=
      getDims(getTensorType(attention.getQ()))[1])
    return std::nullopt;
  Value flat = matchSplitHeads(attention.getV());
  if (!flat || !flat.hasOneUse() ||
      getDims(getTensorType(flat)).back() !=
          getDims(getTensorType(tensor)).back())
    return std::nullopt;
  ValueProduct product;
  product.add = flat.getDefiningOp<AddOp>();
  if (product.add) {
    Value sum = known.contains(product.add.getRhs()) ? product.add.getLhs()
                                                     : product.add.getRhs();
    if (!known.contains(getOtherOperand(product.add, sum)))
      return std::nullopt;
    flat = sum;
  }
  product.matmul = flat.getDefiningOp<MatmulOp>();
  if (!product.matmul || !flat.hasOneUse() ||
      !known.contains(product.matmul.getRhs()) ||
      product.matmul.getType().getShape().back() !=
          getTensorType(tensor).getShape().back())
    return std::nullopt;
  return product;
}

static bool isRowNorm(Value tensor) {
  auto layerNorm = tensor.getDefiningOp<LayerNormOp>();
  auto rmsNorm = tensor.getDefiningOp<RmsNormOp>();
  return (layerNorm && layerNorm.getAxes() == 1) ||
         (rmsNorm && rmsNorm.getAxes() == 1);
}

/// Whether nothing reads the tensor but `products`.
static bool isOnlyMultiplied(Value tensor, ArrayRef<MatmulOp> products) {
  return llvm::all_of(tensor.getUsers(), [&](Operation *user) {
    if (auto reshape = dyn_cast<ReshapeOp>(user))
      return isOnlyMultiplied(reshape.getResult(), products);
    return llvm::is_contained(products, user);
  });
}

/// Why a tensor can't be divided for free, or nothing.
static StringRef findObstacle(Value tensor, const Group &group,
                              const StaticValues &known) {
  if (isRowNorm(tensor))
    return "";
  if (!isOnlyMultiplied(tensor, group.products))
    return "something else reads the tensor, and no norm makes it";
  Operation *op = tensor.getDefiningOp();
  bool hasEpilogue = isa_and_present<ElementwiseInterface, MatmulOp>(op);
  if (!hasEpilogue && !matchValueProduct(tensor, known))
    return "what makes the tensor takes no factors";
  return "";
}

//===----------------------------------------------------------------------===//
// Smoothing
//===----------------------------------------------------------------------===//

namespace {
class Smoother {
public:
  Smoother(func::FuncOp function, const StaticValues &known)
      : rewriter(function.getContext()), known(known) {}

  LogicalResult run(const Group &group);

private:
  LogicalResult makeFactors(const Group &group);
  void divide(Value tensor, ArrayRef<MatmulOp> products);
  template <typename NormOp> Value divideNorm(NormOp norm);
  Value multiply(Value x, Value y) {
    return MulOp::create(rewriter, x.getLoc(), x, y);
  }

  IRRewriter rewriter;
  const StaticValues &known;
  /// A vector of one factor a channel, and 1 / each.
  Value factors, inverses;
};
} // namespace

static Value createScalar(OpBuilder &b, Location loc, double number) {
  return createSplat(b, loc, RankedTensorType::get({}, b.getF32Type()), number);
}

/// What was measured, without channels that are as good as zero.
static Value createMaxima(OpBuilder &b, Location loc, ArrayRef<float> maxima) {
  double sum = 0;
  for (float most : maxima)
    sum += most;
  float mean = static_cast<float>(sum / static_cast<double>(maxima.size()));
  SmallVector<float> raised;
  for (float most : maxima)
    raised.push_back(mean > 0 ? std::max(most, mean * kLeastPart) : 1.0F);
  auto type = RankedTensorType::get({static_cast<int64_t>(maxima.size())},
                                    b.getF32Type());
  return ConstantOp::create(b, loc, type,
                            DenseElementsAttr::get(type, ArrayRef(raised)));
}

LogicalResult Smoother::makeFactors(const Group &group) {
  Operation *first = nullptr;
  for (Value tensor : group.tensors) {
    Operation *op = tensor.getDefiningOp();
    if (auto product = matchValueProduct(tensor, known))
      op = product->matmul;
    if (!first || op->isBeforeInBlock(first))
      first = op;
  }
  SmallVector<Value> weights;
  for (MatmulOp matmul : group.products)
    if (!llvm::is_contained(weights, matmul.getRhs()))
      weights.push_back(matmul.getRhs());
  rewriter.setInsertionPoint(first);
  if (failed(moveValueDefinitions(rewriter, weights, first)))
    return failure();

  Location loc = first->getLoc();
  Value largest;
  for (Value weight : weights) {
    Value most =
        ReduceOp::create(rewriter, loc, AbsOp::create(rewriter, loc, weight),
                         ReduceKind::max, ArrayRef<int64_t>{1});
    largest = largest ? MaximumOp::create(rewriter, loc, largest, most) : most;
  }
  Value maxima = createMaxima(rewriter, loc, group.maxima);
  largest = ReshapeOp::create(rewriter, loc, maxima.getType(), largest);
  largest = MaximumOp::create(rewriter, loc, largest,
                              createScalar(rewriter, loc, 1e-30));
  Value ratio = DivOp::create(rewriter, loc, maxima, largest);
  // In bounds that only channels of weights that are all zero would leave.
  ratio = MinimumOp::create(rewriter, loc, ratio,
                            createScalar(rewriter, loc, kLargestRatio));
  factors = SqrtOp::create(rewriter, loc, ratio);
  inverses = ReciprocalOp::create(rewriter, loc, factors);
  return success();
}

/// Makes the norm's results smaller, where they are. Returns them as they were.
template <typename NormOp> Value Smoother::divideNorm(NormOp norm) {
  rewriter.setInsertionPoint(norm);
  Value scale =
      norm.getScale() ? multiply(norm.getScale(), inverses) : inverses;
  norm.getScaleMutable().assign(scale);
  if (norm.getBias())
    norm.getBiasMutable().assign(multiply(norm.getBias(), inverses));
  rewriter.setInsertionPointAfter(norm);
  return multiply(norm.getResult(), factors);
}

/// `value`, a reshape of `tensor` or itself, of `divided`.
static Value reshapeLike(RewriterBase &rewriter, Value value, Value tensor,
                         Value divided) {
  if (value == tensor)
    return divided;
  auto reshape = value.getDefiningOp<ReshapeOp>();
  Value x = reshapeLike(rewriter, reshape.getX(), tensor, divided);
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(reshape);
  return ReshapeOp::create(rewriter, reshape.getLoc(), value.getType(), x);
}

/// Divides the channels of `tensor` where it is made; `products` are those that
/// read it.
void Smoother::divide(Value tensor, ArrayRef<MatmulOp> products) {
  Operation *op = tensor.getDefiningOp();
  if (auto values = matchValueProduct(tensor, known)) {
    rewriter.setInsertionPoint(values->matmul);
    values->matmul.getRhsMutable().assign(
        multiply(values->matmul.getRhs(), inverses));
    if (!values->add)
      return;
    rewriter.setInsertionPoint(values->add);
    bool isRight = values->add.getLhs() == values->matmul.getResult();
    OpOperand &bias = values->add->getOpOperand(isRight ? 1 : 0);
    bias.set(multiply(bias.get(), inverses));
    return;
  }
  Value divided, whole;
  if (auto norm = dyn_cast<LayerNormOp>(op)) {
    whole = divideNorm(norm);
    divided = tensor;
  } else if (auto norm = dyn_cast<RmsNormOp>(op)) {
    whole = divideNorm(norm);
    divided = tensor;
  } else {
    rewriter.setInsertionPointAfter(op);
    whole = tensor;
    divided = multiply(tensor, inverses);
  }
  // All else, also through reshapes, reads the tensor as it was.
  tensor.replaceUsesWithIf(whole, [&](OpOperand &use) {
    return use.getOwner() != whole.getDefiningOp() &&
           use.getOwner() != divided.getDefiningOp();
  });
  for (MatmulOp matmul : products)
    matmul.getLhsMutable().assign(
        reshapeLike(rewriter, matmul.getLhs(), whole, divided));
}

LogicalResult Smoother::run(const Group &group) {
  if (failed(makeFactors(group)))
    return failure();
  llvm::DenseMap<Value, Value> multiplied;
  for (MatmulOp matmul : group.products) {
    Value &weight = multiplied[matmul.getRhs()];
    if (!weight) {
      Location loc = matmul.getLoc();
      rewriter.setInsertionPointAfterValue(factors);
      auto type = RankedTensorType::get(
          {getTensorType(factors).getDimSize(0), 1}, rewriter.getF32Type());
      weight = multiply(matmul.getRhs(),
                        ReshapeOp::create(rewriter, loc, type, factors));
    }
    matmul.getRhsMutable().assign(weight);
  }
  for (Value tensor : group.tensors) {
    SmallVector<MatmulOp> products =
        llvm::filter_to_vector(group.products, [&](MatmulOp matmul) {
          return peelReshapes(matmul.getLhs()) == tensor;
        });
    divide(tensor, products);
  }
  return success();
}

static LogicalResult checkMaxima(func::FuncOp function,
                                 const Products &products, ArrayAttr maxima) {
  if (!maxima || maxima.size() != products.size())
    return function.emitError()
           << channelMaximaName << " needs a vector for each of "
           << products.size() << " tensors";
  for (auto [entry, attribute] : llvm::zip_equal(products, maxima)) {
    auto vector = dyn_cast<DenseFPElementsAttr>(attribute);
    if (!vector || !vector.getElementType().isF32() ||
        vector.getNumElements() != getTensorType(entry.first).getShape().back())
      return function.emitError()
             << channelMaximaName << " needs an f32 for each channel of "
             << entry.first.getType();
  }
  return success();
}

LogicalResult txc::smoothChannels(func::FuncOp function, Report *report) {
  StaticValues known(function);
  Products products = findProducts(function, known);
  auto maxima = dyn_cast<ArrayAttr>(function->removeAttr(channelMaximaName));
  if (failed(checkMaxima(function, products, maxima)))
    return failure();
  for (Group &group : makeGroups(products, maxima.getValue())) {
    // A group's weights may have been changed with the one before.
    known = StaticValues(function);
    StringRef obstacle;
    for (Value tensor : group.tensors)
      if (obstacle.empty())
        obstacle = findObstacle(tensor, group, known);
    if (obstacle.empty() && failed(Smoother(function, known).run(group)))
      obstacle = "a weight is not known early enough";
    if (!obstacle.empty() && report)
      report->add(group.products.front().getLoc(), "smooth channels", obstacle);
  }
  IRRewriter rewriter(function.getContext());
  (void)runRegionDCE(rewriter, function->getRegions());
  return success();
}

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

void txc::tapChannels(func::FuncOp function) {
  StaticValues known(function);
  auto terminator =
      cast<func::ReturnOp>(function.getBody().front().getTerminator());
  OpBuilder b(terminator);
  for (auto [index, entry] : llvm::enumerate(findProducts(function, known))) {
    Value tensor = entry.first;
    Location loc = tensor.getLoc();
    int64_t rank = getTensorType(tensor).getRank();
    Value most =
        ReduceOp::create(b, loc, AbsOp::create(b, loc, tensor), ReduceKind::max,
                         llvm::to_vector(llvm::seq<int64_t>(0, rank - 1)));
    auto type = RankedTensorType::get(
        getTensorType(tensor).getShape().take_back(), b.getF32Type());
    most = ReshapeOp::create(b, loc, type, most);
    terminator.getOperandsMutable().append(most);
    NamedAttribute name = b.getNamedAttr(
        "tx.name", b.getStringAttr("txc.channels." + Twine(index)));
    LogicalResult inserted = function.insertResult(
        function.getNumResults(), type, b.getDictionaryAttr(name));
    (void)inserted;
    assert(succeeded(inserted) && "a result can always be appended");
  }
}

//===----------------------------------------------------------------------===//
// The passes
//===----------------------------------------------------------------------===//

namespace {
struct TapChannelsPass : PassWrapper<TapChannelsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(TapChannelsPass)

  StringRef getArgument() const override { return "txc-tap-channels"; }
  StringRef getDescription() const override {
    return "Give back how large the channels of products become";
  }
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic())
        tapChannels(function);
  }
};

struct SmoothChannelsPass
    : PassWrapper<SmoothChannelsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SmoothChannelsPass)
  explicit SmoothChannelsPass(Report *report) : report(report) {}

  StringRef getArgument() const override { return "txc-smooth-channels"; }
  StringRef getDescription() const override {
    return "Make the channels of products similarly large, as measured";
  }
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic() && function->hasAttr(channelMaximaName) &&
          failed(smoothChannels(function, report)))
        signalPassFailure();
  }

  Report *report;
};
} // namespace

std::unique_ptr<Pass> txc::createTapChannelsPass() {
  return std::make_unique<TapChannelsPass>();
}

std::unique_ptr<Pass> txc::createSmoothChannelsPass(Report *report) {
  return std::make_unique<SmoothChannelsPass>(report);
}
