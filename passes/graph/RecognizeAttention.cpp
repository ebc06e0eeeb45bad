//===- RecognizeAttention.cpp - softmax(q kᵀ + mask) v -------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Starts at a product whose left operand are softmax probabilities and reads
/// backwards: probabilities, scores with masks, scale and soft cap, and the
/// product of queries and transposed keys. Scales on queries, keys and scores
/// are multiplied into one (a reassociation inside the contraction), and
/// conversions between float types inside the group are dropped (tx.attention
/// computes scores and probabilities in f32 or better).
///
/// A `where(isnan(p), 0, p)` after the softmax is how exporters give rows
/// without keys the value 0. It would also hide a NaN of the inputs; the op
/// does not.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "passes/graph/AttentionMask.h"
#include "passes/graph/Match.h"
#include "passes/graph/Recognize.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

//===----------------------------------------------------------------------===//
// Probabilities
//===----------------------------------------------------------------------===//

namespace {
struct Probabilities {
  SoftmaxOp softmax;
  /// NaN becomes 0 after the softmax.
  bool zeroesNan = false;
  /// Something else uses them, or a step towards them.
  bool isShared = false;
  SmallVector<Operation *> group;
};
} // namespace

/// The test of `select(is_nan(p), 0, p)`.
static IsNanOp matchNanToZero(Operation *op) {
  auto select = dyn_cast<SelectOp>(op);
  auto isNan =
      select ? select.getCondition().getDefiningOp<IsNanOp>() : IsNanOp();
  bool isGuard = isNan && isNan.getX() == select.getRhs() &&
                 matchScalar(select.getLhs()) == 0;
  return isGuard ? isNan : IsNanOp();
}

/// x of a reshape that keeps the last two dims: batch dims are merged or split.
static Value matchBatchReshape(Operation *op) {
  auto reshape = dyn_cast<ReshapeOp>(op);
  if (!reshape)
    return nullptr;
  SmallVector<SymExprAttr> from = getDims(reshape.getX().getType());
  SmallVector<SymExprAttr> to = getDims(reshape.getType());
  if (from.size() < 2 || to.size() < 2 ||
      ArrayRef(from).take_back(2) != ArrayRef(to).take_back(2))
    return nullptr;
  return reshape.getX();
}

/// The operand of ops that change neither values nor the last two dims.
static Value matchPassage(Operation *op) {
  Value x = lookThroughFloatCasts(op->getResult(0));
  return x != op->getResult(0) ? x : matchBatchReshape(op);
}

static Probabilities matchProbabilities(Value value) {
  Probabilities result;
  unsigned uses = 1;
  while (Operation *op = value.getDefiningOp()) {
    result.isShared |= value.hasNUsesOrMore(uses + 1);
    result.group.push_back(op);
    uses = 1;
    if ((result.softmax = dyn_cast<SoftmaxOp>(op)))
      break;
    if (IsNanOp isNan = matchNanToZero(op)) {
      result.zeroesNan = true;
      result.isShared |= !isNan->hasOneUse();
      result.group.push_back(isNan);
      value = isNan.getX();
      uses = 2;
    } else {
      value = matchPassage(op);
      if (!value)
        break;
    }
  }
  return result;
}

static bool isAttentionCandidate(Operation *op) {
  auto matmul = dyn_cast<MatmulOp>(op);
  return matmul && matchProbabilities(matmul.getLhs()).softmax;
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

namespace {
struct Scores {
  MatmulOp product;
  double scale = 1;
  std::optional<double> softcap;
  SmallVector<MaskTerm> terms;
  SmallVector<Operation *> group;
};

/// Reads from the softmax's operand back to the product of queries and keys.
class ScoresMatcher {
public:
  ScoresMatcher(RewriterBase &rewriter, Value scores)
      : rewriter(rewriter), scoreType(txc::getTensorType(scores)),
        value(scores) {}

  FailureOr<Scores> match();

private:
  LogicalResult step(Operation *op);
  LogicalResult stepAdd(AddOp op);
  LogicalResult stepSelect(SelectOp op);
  LogicalResult stepScaling(Operation *op, const ScaledValue &scaling);
  LogicalResult pushTerm(Operation *op, MaskTerm term);

  RewriterBase &rewriter;
  RankedTensorType scoreType;
  Value value;
  Scores scores;
};
} // namespace

/// Whether the product of queries and keys is behind `value`.
static bool leadsToProduct(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (isa<MatmulOp>(op))
      return true;
    if (auto scaling = matchScaling(value))
      value = scaling->value;
    else if (auto add = dyn_cast<AddOp>(op))
      return leadsToProduct(add.getLhs()) || leadsToProduct(add.getRhs());
    else if (auto select = dyn_cast<SelectOp>(op))
      return leadsToProduct(select.getLhs()) || leadsToProduct(select.getRhs());
    else if (auto tanh = dyn_cast<TanhOp>(op))
      value = tanh.getX();
    else if (Value x = matchPassage(op))
      value = x;
    else
      return false;
  }
  return false;
}

FailureOr<Scores> ScoresMatcher::match() {
  while (Operation *op = value.getDefiningOp()) {
    if (!value.hasOneUse())
      return rewriter.notifyMatchFailure(op, "the scores are used elsewhere");
    scores.group.push_back(op);
    if ((scores.product = dyn_cast<MatmulOp>(op)))
      return scores;
    if (failed(step(op)))
      return failure();
  }
  return rewriter.notifyMatchFailure(
      value.getLoc(), "the scores are no product of queries and keys");
}

LogicalResult ScoresMatcher::step(Operation *op) {
  if (Value x = matchPassage(op)) {
    value = x;
    return success();
  }
  if (auto scaling = matchScaling(value))
    return stepScaling(op, *scaling);
  if (auto add = dyn_cast<AddOp>(op))
    return stepAdd(add);
  if (auto select = dyn_cast<SelectOp>(op))
    return stepSelect(select);
  return rewriter.notifyMatchFailure(
      op, "the scores are no product of queries and keys");
}

LogicalResult ScoresMatcher::pushTerm(Operation *op, MaskTerm term) {
  if (scores.scale != 1 || scores.softcap)
    return rewriter.notifyMatchFailure(op, "masked scores are scaled again");
  // Before a reshape of batch dims the mask has other ones.
  RankedTensorType type = txc::getTensorType(term.value);
  if (type.getRank() > 2 &&
      txc::getTensorType(value).getRank() != scoreType.getRank())
    return rewriter.notifyMatchFailure(
        op, "a mask is added before batch dims are reshaped");
  scores.terms.push_back(term);
  return success();
}

LogicalResult ScoresMatcher::stepAdd(AddOp op) {
  bool isLeft = leadsToProduct(op.getLhs());
  Value inner = isLeft ? op.getLhs() : op.getRhs();
  Value addend = isLeft ? op.getRhs() : op.getLhs();
  if (inner.getType() != op.getType())
    return rewriter.notifyMatchFailure(op, "the mask repeats the scores");
  value = inner;
  return pushTerm(op, getAddedTerm(addend));
}

LogicalResult ScoresMatcher::stepSelect(SelectOp op) {
  std::optional<double> fill = matchScalar(op.getRhs());
  bool keeps = fill.has_value();
  if (!keeps)
    fill = matchScalar(op.getLhs());
  Value inner = keeps ? op.getLhs() : op.getRhs();
  if (!fill || inner.getType() != op.getType())
    return rewriter.notifyMatchFailure(
        op, "scores are replaced by more than one number");
  if (!isAbsorbing(*fill))
    return rewriter.notifyMatchFailure(
        op, "scores are replaced by a number too high to mean no attention");
  value = inner;
  return pushTerm(op, {op.getCondition(), /*isBoolean=*/true, keeps, *fill});
}

LogicalResult ScoresMatcher::stepScaling(Operation *op,
                                         const ScaledValue &scaling) {
  value = scaling.value;
  auto tanh = value.getDefiningOp<TanhOp>();
  if (!tanh) {
    scores.scale *= scaling.scalar;
    return success();
  }
  // cap * tanh(x * factor) is the soft cap of x * (factor * cap).
  if (scores.softcap || scores.scale != 1 || !value.hasOneUse())
    return rewriter.notifyMatchFailure(op, "scores are capped in another way");
  scores.group.push_back(tanh);
  scores.softcap = scaling.scalar;
  scores.scale = scaling.scalar;
  value = tanh.getX();
  return success();
}

//===----------------------------------------------------------------------===//
// Queries, keys and values in four dims
//===----------------------------------------------------------------------===//

/// Multiplies `scale` by the numbers that scale a value, and returns what they
/// scale.
static Value stripScale(Value value, double &scale) {
  while (auto scaling = matchScaling(value)) {
    scale *= scaling->scalar;
    value = scaling->value;
  }
  return value;
}

/// The batch dims [B, H] of scores or of an operand; dims that are missing
/// are 1. Three dims are [B*H, S, T]: B is what they have, H is 1.
static SmallVector<SymExprAttr> getBatchDims(RankedTensorType type) {
  SmallVector<SymExprAttr> dims = getDims(type);
  dims.pop_back_n(2);
  dims.resize(2, getConstantExpr(type.getContext(), 1));
  return dims;
}

/// `value` with its last two dims swapped; undoes a transpose if there is one.
static Value swapLastDims(RewriterBase &rewriter, Value value) {
  auto permutation = llvm::to_vector(
      llvm::seq<int64_t>(0, txc::getTensorType(value).getRank()));
  if (auto transpose = value.getDefiningOp<TransposeOp>()) {
    permutation.assign(transpose.getPermutation().begin(),
                       transpose.getPermutation().end());
    value = transpose.getX();
  }
  std::swap(permutation.back(), permutation[permutation.size() - 2]);
  return rewriter.createOrFold<TransposeOp>(value.getLoc(), value, permutation);
}

/// Reshapes the batch dims of an operand to `batch`.
static Value setBatchDims(RewriterBase &rewriter, Value value,
                          ArrayRef<SymExprAttr> batch) {
  RankedTensorType type = txc::getTensorType(value);
  SmallVector<SymExprAttr> dims(batch);
  llvm::append_range(dims, ArrayRef(getDims(type)).take_back(2));
  return rewriter.createOrFold<ReshapeOp>(
      value.getLoc(), tx::getTensorType(dims, type.getElementType()), value);
}

/// k of `[B, G, T, D]` if `value` repeats each of its heads: it is a reshape of
/// a broadcast `[B, G, 1, T, D]` to `[B, G, R, T, D]`.
static Value dropRepeatedHeads(RewriterBase &rewriter, Value value) {
  auto merge = value.getDefiningOp<ReshapeOp>();
  auto repeat =
      merge ? merge.getX().getDefiningOp<BroadcastOp>() : BroadcastOp();
  if (!repeat || repeat.getType().getRank() != 5)
    return value;
  SmallVector<SymExprAttr> merged = getDims(merge.getType());
  SmallVector<SymExprAttr> repeated = getDims(repeat.getType());
  SmallVector<SymExprAttr> dims = getDims(repeat.getX().getType());
  if (dims.size() != 5 || !dims[2].isConstant(1))
    return value;
  dims[2] = repeated[2];
  SymExprAttr heads = mul(repeated[1], repeated[2]);
  if (dims != repeated || merged.size() != 4 || merged[1] != heads ||
      merged[2] != repeated[3])
    return value;
  dims.erase(dims.begin() + 2);
  return rewriter.createOrFold<ReshapeOp>(
      value.getLoc(), tx::getTensorType(dims, merge.getType().getElementType()),
      repeat.getX());
}

/// A mask of `[N, S, T]` scores for `[N, 1, S, T]` ones.
static Value alignMask(RewriterBase &rewriter, Value mask, int64_t scoreRank) {
  if (!mask || scoreRank != 3 || txc::getTensorType(mask).getRank() != 3)
    return mask;
  SmallVector<SymExprAttr> dims = getDims(txc::getTensorType(mask));
  return setBatchDims(rewriter, mask,
                      {dims[0], getConstantExpr(mask.getContext(), 1)});
}

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

/// Whether keys or values with these batch dims serve queries with those:
/// equal, or one head for all.
static bool servesQueries(RankedTensorType type, RankedTensorType queries) {
  SmallVector<SymExprAttr> dims = getBatchDims(type);
  SmallVector<SymExprAttr> queryDims = getBatchDims(queries);
  if (type.getRank() != queries.getRank())
    return false;
  bool isOneHead = type.getRank() == 4 && dims[1].isConstant(1);
  return dims[0] == queryDims[0] && (dims[1] == queryDims[1] || isOneHead);
}

static LogicalResult rewriteAttention(Operation *op, RewriterBase &rewriter) {
  auto matmul = cast<MatmulOp>(op);
  Probabilities probabilities = matchProbabilities(matmul.getLhs());
  SoftmaxOp softmax = probabilities.softmax;
  RankedTensorType scoreType = softmax.getType();
  int64_t rank = scoreType.getRank();
  if (softmax.getLog() || static_cast<int64_t>(softmax.getAxis()) != rank - 1)
    return rewriter.notifyMatchFailure(op, "the softmax is not over the keys");
  if (probabilities.isShared)
    return rewriter.notifyMatchFailure(
        op, "the probabilities are used elsewhere, as an output for example");
  if (rank < 2 || rank > 4)
    return rewriter.notifyMatchFailure(op, "the scores have too many dims");

  FailureOr<Scores> scores = ScoresMatcher(rewriter, softmax.getX()).match();
  if (failed(scores))
    return failure();
  double scale = scores->scale;
  Value q = stripScale(scores->product.getLhs(), scale);
  Value k = stripScale(scores->product.getRhs(), scale);
  Value v = matmul.getRhs();
  RankedTensorType qType = txc::getTensorType(q);
  RankedTensorType vType = txc::getTensorType(v);
  if (qType.getElementType() != vType.getElementType()) {
    q = lookThroughFloatCasts(q);
    k = lookThroughFloatCasts(k);
    qType = txc::getTensorType(q);
  }
  RankedTensorType kType = txc::getTensorType(k);
  if (qType.getElementType() != vType.getElementType() ||
      kType.getElementType() != vType.getElementType())
    return rewriter.notifyMatchFailure(
        op, "queries, keys and values have different element types");
  if (qType.getRank() > 4 || vType.getRank() > 4)
    return rewriter.notifyMatchFailure(op, "the operands have too many dims");
  if (!servesQueries(kType, qType) ||
      !servesQueries(vType, txc::getTensorType(matmul.getLhs())) ||
      (kType.getRank() == vType.getRank() &&
       getBatchDims(kType) != getBatchDims(vType)))
    return rewriter.notifyMatchFailure(
        op, "keys or values are repeated over the batch");

  SmallVector<SymExprAttr> batch = getBatchDims(scoreType);
  auto toFourDims = [&](Value value) {
    // One head for all stays one head.
    bool isFourDims = txc::getTensorType(value).getRank() == 4;
    return isFourDims && rank == 4 ? value
                                   : setBatchDims(rewriter, value, batch);
  };
  q = toFourDims(q);
  k = toFourDims(swapLastDims(rewriter, k));
  v = toFourDims(v);
  Value fewerKeys = dropRepeatedHeads(rewriter, k);
  Value fewerValues = dropRepeatedHeads(rewriter, v);
  if (getDim(txc::getTensorType(fewerKeys), 1) ==
      getDim(txc::getTensorType(fewerValues), 1)) {
    k = fewerKeys;
    v = fewerValues;
  }

  SmallVector<Operation *> group = {op};
  llvm::append_range(group, probabilities.group);
  llvm::append_range(group, scores->group);
  Location loc = fuseLocations(group);
  AttentionMask known;
  known.maskedRow = probabilities.zeroesNan ? MaskedRow::zero : MaskedRow::nan;
  AttentionMask mask = buildMask(rewriter, loc, scores->terms, scoreType, known,
                                 getSymbolBounds(op));
  auto attention = AttentionOp::create(
      rewriter, loc, q, k, v, alignMask(rewriter, mask.mask, rank),
      /*lengths=*/Value(), rewriter.getF64FloatAttr(scale), mask.causal,
      mask.window ? rewriter.getI64IntegerAttr(*mask.window) : IntegerAttr(),
      scores->softcap ? rewriter.getF64FloatAttr(*scores->softcap)
                      : FloatAttr(),
      MaskedRowAttr::get(op->getContext(), mask.maskedRow));
  rewriter.replaceOp(op, rewriter.createOrFold<ReshapeOp>(
                             loc, matmul.getType(), attention.getResult()));
  return success();
}

//===----------------------------------------------------------------------===//
// Masks of attentions that the graph has as one node
//===----------------------------------------------------------------------===//

static LogicalResult rewriteMask(Operation *op, RewriterBase &rewriter) {
  auto attention = cast<AttentionOp>(op);
  Value mask = attention.getMask();
  MaskTerm term = getAddedTerm(mask);
  if (txc::getTensorType(mask).getElementType().isInteger(1))
    term = {mask, /*isBoolean=*/true, /*keeps=*/true,
            -std::numeric_limits<double>::infinity()};
  if (!term.isBoolean)
    return rewriter.notifyMatchFailure(op, "the mask is not boolean");
  // A row of such fills is the mean of the keys that the others let count, and
  // `uniform` is that of all.
  if (std::isfinite(term.fill) &&
      (attention.getCausal() || attention.getLengths()))
    return rewriter.notifyMatchFailure(
        op, "the mask is finite beside conditions that are not");
  AttentionMask known;
  known.causal = attention.getCausalAttr();
  known.window = attention.getWindow();
  known.maskedRow = attention.getMaskedRow();
  RankedTensorType qType = attention.getQ().getType();
  SmallVector<SymExprAttr> dims = getDims(qType);
  dims[3] = getDim(attention.getK().getType(), 2);
  AttentionMask refined =
      buildMask(rewriter, op->getLoc(), term,
                tx::getTensorType(dims, qType.getElementType()), known,
                getSymbolBounds(op));
  rewriter.modifyOpInPlace(op, [&] {
    attention.getMaskMutable().clear();
    if (refined.mask)
      attention.getMaskMutable().assign(refined.mask);
    attention.setCausalAttr(refined.causal);
    attention.setWindow(refined.window);
    attention.setMaskedRow(refined.maskedRow);
  });
  return success();
}

bool txc::recognizeAttention(func::FuncOp func, Report *report) {
  auto hasMask = [](Operation *op) {
    auto attention = dyn_cast<AttentionOp>(op);
    return attention && attention.getMask();
  };
  bool changed =
      rewriteCandidates(func, "attention mask", nullptr, hasMask, rewriteMask);
  changed |= rewriteCandidates(func, "attention", report, isAttentionCandidate,
                               rewriteAttention);
  return changed;
}
