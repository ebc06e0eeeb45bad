//===- AttentionPattern.cpp - attention as exporters write it ------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/graph/AttentionPattern.h"
#include "passes/graph/Match.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

//===----------------------------------------------------------------------===//
// Probabilities
//===----------------------------------------------------------------------===//

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

Probabilities txc::matchProbabilities(Value value) {
  Probabilities result;
  unsigned uses = 1;
  while (Operation *op = value.getDefiningOp()) {
    result.isShared |= value.hasNUsesOrMore(uses + 1);
    result.group.push_back(op);
    uses = 1;
    result.softmax = dyn_cast<SoftmaxOp>(op);
    if (result.softmax)
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

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

namespace {
/// Reads from the softmax's operand back to the product of queries and keys.
class ScoresMatcher {
public:
  ScoresMatcher(RewriterBase &rewriter, Value scores)
      : rewriter(rewriter), value(scores) {}

  FailureOr<Scores> match();

private:
  LogicalResult step(Operation *op);
  LogicalResult stepAdd(AddOp op);
  LogicalResult stepSub(SubOp op);
  LogicalResult stepMul(MulOp op);
  LogicalResult stepSelect(SelectOp op);
  LogicalResult stepScaling(Operation *op, const ScaledValue &scaling);
  LogicalResult pushTerm(Operation *op, MaskTerm term);
  LogicalResult chooseType();
  bool canScaleQueries();

  RewriterBase &rewriter;
  Value value;
  Scores scores;
  /// Of the scores that each factor multiplies.
  SmallVector<RankedTensorType> factorPlaces;
};
} // namespace

/// Whether the product of queries and keys is behind `value`.
static bool leadsToProduct(Value value) {
  SetVector<Value> reached;
  reached.insert(value);
  for (size_t i = 0; i < reached.size(); ++i) {
    Operation *op = reached[i].getDefiningOp();
    if (!op)
      continue;
    if (isa<MatmulOp>(op))
      return true;
    if (auto scaling = matchScaling(reached[i]))
      reached.insert(scaling->value);
    else if (isa<AddOp, SubOp, MulOp, TanhOp>(op))
      reached.insert(op->operand_begin(), op->operand_end());
    else if (isa<SelectOp>(op)) // not the condition
      reached.insert(std::next(op->operand_begin()), op->operand_end());
    else if (Value x = matchPassage(op))
      reached.insert(x);
  }
  return false;
}

FailureOr<Scores> ScoresMatcher::match() {
  while (Operation *op = value.getDefiningOp()) {
    if (!value.hasOneUse())
      return rewriter.notifyMatchFailure(op, "the scores are used elsewhere");
    scores.group.push_back(op);
    scores.product = dyn_cast<MatmulOp>(op);
    if (scores.product) {
      if (!canScaleQueries())
        return rewriter.notifyMatchFailure(
            op, "scaled scores have other dims than their product");
      if (failed(chooseType()))
        return failure();
      return scores;
    }
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
  if (auto sub = dyn_cast<SubOp>(op))
    return stepSub(sub);
  if (auto mul = dyn_cast<MulOp>(op))
    return stepMul(mul);
  if (auto select = dyn_cast<SelectOp>(op))
    return stepSelect(select);
  return rewriter.notifyMatchFailure(
      op, "the scores are no product of queries and keys");
}

LogicalResult ScoresMatcher::pushTerm(Operation *op, MaskTerm term) {
  if (scores.softcap || !scores.factors.empty())
    return rewriter.notifyMatchFailure(
        op, "masked scores are capped or scaled by a tensor");
  if (failed(scaleTerm(term, scores.scale)))
    return rewriter.notifyMatchFailure(
        op, "masked scores are scaled such that a mask is none");
  scores.terms.push_back(term);
  return success();
}

/// Whether the factors can multiply the queries instead.
bool ScoresMatcher::canScaleQueries() {
  RankedTensorType product = scores.product.getType();
  RankedTensorType queries = scores.product.getLhs().getType();
  bool haveSameRows = ArrayRef(getDims(product)).drop_back() ==
                      ArrayRef(getDims(queries)).drop_back();
  return llvm::all_of(factorPlaces, [&](RankedTensorType place) {
    return haveSameRows && place == product;
  });
}

/// Four dims that a term or the product has; else the product's, of which all
/// batch dims but the last become one if they are more than two.
LogicalResult ScoresMatcher::chooseType() {
  SmallVector<SmallVector<SymExprAttr>> choices;
  for (const MaskTerm &term : scores.terms)
    if (term.scores.size() == 4)
      choices.push_back(term.scores);
  RankedTensorType product = scores.product.getType();
  choices.push_back(getDims(product));
  SmallVector<SymExprAttr> &last = choices.back();
  while (last.size() > 4) {
    last[0] = mul(last[0], last[1]);
    last.erase(last.begin() + 1);
  }
  for (ArrayRef<SymExprAttr> dims : choices) {
    if (!llvm::all_of(scores.terms, [&](const MaskTerm &term) {
          return canAlign(term, dims);
        }))
      continue;
    scores.type = tx::getTensorType(dims, product.getElementType());
    return success();
  }
  return rewriter.notifyMatchFailure(
      scores.product, "batch dims are reshaped between two masks");
}

LogicalResult ScoresMatcher::stepAdd(AddOp op) {
  bool isLeft = leadsToProduct(op.getLhs());
  Value inner = isLeft ? op.getLhs() : op.getRhs();
  Value addend = isLeft ? op.getRhs() : op.getLhs();
  if (inner.getType() != op.getType())
    return rewriter.notifyMatchFailure(op, "the mask repeats the scores");
  value = inner;
  return pushTerm(op, getAddedTerm(addend, getDims(op.getType())));
}

LogicalResult ScoresMatcher::stepSub(SubOp op) {
  if (op.getLhs().getType() != op.getType() || !leadsToProduct(op.getLhs()))
    return rewriter.notifyMatchFailure(op, "the scores are subtracted");
  value = op.getLhs();
  return pushTerm(op, {op.getRhs(), op.getType().getElementType(),
                       getDims(op.getType()), /*isBoolean=*/false,
                       /*keeps=*/true, /*fill=*/0, /*replaces=*/false,
                       /*factor=*/-1});
}

LogicalResult ScoresMatcher::stepMul(MulOp op) {
  bool isLeft = leadsToProduct(op.getLhs());
  Value inner = isLeft ? op.getLhs() : op.getRhs();
  Value factor = isLeft ? op.getRhs() : op.getLhs();
  SmallVector<SymExprAttr> dims = getDims(txc::getTensorType(factor));
  bool isOneForAllKeys = dims.empty() || dims.back().isConstant(1);
  if (inner.getType() != op.getType() || !isOneForAllKeys)
    return rewriter.notifyMatchFailure(
        op, "the scores of a query are scaled by more than one number");
  value = inner;
  factorPlaces.push_back(op.getType());
  scores.factors.push_back(factor);
  return success();
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
  return pushTerm(op, {op.getCondition(), op.getType().getElementType(),
                       getDims(op.getType()), /*isBoolean=*/true, keeps, *fill,
                       /*replaces=*/true});
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
  if (scores.softcap || scores.scale != 1 || !scores.factors.empty() ||
      !value.hasOneUse())
    return rewriter.notifyMatchFailure(op, "scores are capped in another way");
  scores.group.push_back(tanh);
  scores.softcap = scaling.scalar;
  scores.scale = scaling.scalar;
  value = tanh.getX();
  return success();
}

FailureOr<Scores> txc::matchScores(RewriterBase &rewriter, Value value) {
  return ScoresMatcher(rewriter, value).match();
}
