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
#include "passes/graph/AttentionPattern.h"
#include "passes/graph/Match.h"
#include "passes/graph/Recognize.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

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
/// are 1. Three dims are [B*H, S, T]: B is what they have, H is 1. Of more than
/// four H is the last of those before S.
static SmallVector<SymExprAttr> getBatchDims(RankedTensorType type) {
  SmallVector<SymExprAttr> dims = getDims(type);
  dims.pop_back_n(2);
  while (dims.size() > 2) {
    dims[0] = mul(dims[0], dims[1]);
    dims.erase(dims.begin() + 1);
  }
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
  // tx.attention wants to know how many heads share one.
  if (!dims[1].isConstant(1) && !repeated[2].getConstant())
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

namespace {
struct Operands {
  Value q, k, v;
  double scale;
};
} // namespace

/// How many heads keys or values have, when their batch dims become `batch`
/// with their partner in the product: as many as it has, or one for all. Null
/// if they are repeated in another way, or if one for all would be reshaped.
static SymExprAttr getHeads(RankedTensorType type, RankedTensorType partner,
                            ArrayRef<SymExprAttr> batch) {
  if (type.getRank() != partner.getRank())
    return nullptr;
  SmallVector<SymExprAttr> dims = getBatchDims(type);
  SmallVector<SymExprAttr> partnerDims = getBatchDims(partner);
  if (ArrayRef(getDims(type)).drop_back(2) ==
      ArrayRef(getDims(partner)).drop_back(2))
    return batch[1];
  bool isOneForAll = type.getRank() == 4 && dims[0] == partnerDims[0] &&
                     dims[1].isConstant(1) && ArrayRef(partnerDims) == batch;
  return isOneForAll ? dims[1] : SymExprAttr();
}

static bool haveElementType(ArrayRef<Value> values, Type type) {
  return llvm::all_of(values, [&](Value value) {
    return txc::getTensorType(value).getElementType() == type;
  });
}

/// Queries, transposed keys and values without their scales, in the dims that
/// the graph gives them.
static FailureOr<Operands>
matchOperands(RewriterBase &rewriter, MatmulOp matmul, const Scores &scores) {
  Operands operands{nullptr, nullptr, matmul.getRhs(), scores.scale};
  MatmulOp product = scores.product;
  operands.q = stripScale(product.getLhs(), operands.scale);
  operands.k = stripScale(product.getRhs(), operands.scale);
  RankedTensorType vType = txc::getTensorType(operands.v);
  Type elementType = vType.getElementType();
  if (!haveElementType(scores.factors, elementType))
    return rewriter.notifyMatchFailure(
        matmul, "the scores are scaled in another element type");
  if (!haveElementType({operands.q, operands.k}, elementType)) {
    operands.q = lookThroughFloatCasts(operands.q);
    operands.k = lookThroughFloatCasts(operands.k);
  }
  if (!haveElementType({operands.q, operands.k}, elementType))
    return rewriter.notifyMatchFailure(
        matmul, "queries, keys and values have different element types");
  RankedTensorType qType = txc::getTensorType(operands.q);
  SmallVector<SymExprAttr> batch = getBatchDims(scores.type);
  SymExprAttr keyHeads = getHeads(txc::getTensorType(operands.k), qType, batch);
  SymExprAttr valueHeads =
      getHeads(vType, txc::getTensorType(matmul.getLhs()), batch);
  if (!keyHeads || keyHeads != valueHeads)
    return rewriter.notifyMatchFailure(
        matmul, "keys or values are repeated over the batch");
  return operands;
}

/// Gives the operands the dims [B, H, S, D], [B, G, T, D] and [B, G, T, E], and
/// the queries the factors of the scores.
static void makeFourDims(RewriterBase &rewriter, const Scores &scores,
                         Operands &operands) {
  SmallVector<SymExprAttr> batch = getBatchDims(scores.type);
  auto toFourDims = [&](Value value) {
    RankedTensorType type = txc::getTensorType(value);
    SmallVector<SymExprAttr> dims = getBatchDims(type);
    // One head for all stays one head.
    if (type.getRank() == 4 && dims[0] == batch[0] && dims[1].isConstant(1))
      return value;
    return setBatchDims(rewriter, value, batch);
  };
  for (Value factor : scores.factors)
    operands.q = MulOp::create(rewriter, factor.getLoc(), operands.q, factor);
  operands.q = toFourDims(operands.q);
  operands.k = toFourDims(swapLastDims(rewriter, operands.k));
  operands.v = toFourDims(operands.v);
  Value fewerKeys = dropRepeatedHeads(rewriter, operands.k);
  Value fewerValues = dropRepeatedHeads(rewriter, operands.v);
  if (getDim(txc::getTensorType(fewerKeys), 1) !=
      getDim(txc::getTensorType(fewerValues), 1))
    return;
  operands.k = fewerKeys;
  operands.v = fewerValues;
}

static bool isAttentionCandidate(Operation *op) {
  auto matmul = dyn_cast<MatmulOp>(op);
  return matmul && matchProbabilities(matmul.getLhs()).softmax;
}

static LogicalResult rewriteAttention(Operation *op, RewriterBase &rewriter) {
  auto matmul = cast<MatmulOp>(op);
  Probabilities probabilities = matchProbabilities(matmul.getLhs());
  SoftmaxOp softmax = probabilities.softmax;
  if (softmax.getLog() || static_cast<int64_t>(softmax.getAxis()) !=
                              softmax.getType().getRank() - 1)
    return rewriter.notifyMatchFailure(op, "the softmax is not over the keys");
  if (probabilities.isShared)
    return rewriter.notifyMatchFailure(
        op, "the probabilities are used elsewhere, as an output for example");
  FailureOr<Scores> scores = matchScores(rewriter, softmax.getX());
  if (failed(scores))
    return failure();
  FailureOr<Operands> operands = matchOperands(rewriter, matmul, *scores);
  if (failed(operands))
    return failure();

  makeFourDims(rewriter, *scores, *operands);
  SmallVector<Operation *> group = {op};
  llvm::append_range(group, probabilities.group);
  llvm::append_range(group, scores->group);
  Location loc = fuseLocations(group);
  AttentionMask known;
  known.maskedRow = probabilities.zeroesNan ? MaskedRow::zero : MaskedRow::nan;
  AttentionMask mask = buildMask(rewriter, loc, scores->terms, scores->type,
                                 known, getSymbolBounds(op));
  auto attention = AttentionOp::create(
      rewriter, loc, operands->q, operands->k, operands->v,
      alignMask(rewriter, mask.mask, scores->type.getRank()),
      /*lengths=*/Value(), rewriter.getF64FloatAttr(operands->scale),
      mask.causal,
      mask.window ? rewriter.getI64IntegerAttr(*mask.window) : IntegerAttr(),
      scores->softcap ? rewriter.getF64FloatAttr(*scores->softcap)
                      : FloatAttr(),
      MaskedRowAttr::get(op->getContext(), mask.maskedRow));
  rewriter.replaceOp(op, rewriter.createOrFold<ReshapeOp>(
                             loc, matmul.getType(), attention.getResult()));
  return success();
}

bool txc::recognizeAttention(func::FuncOp func, Report *report) {
  bool changed = refineAttentionMasks(func);
  changed |= rewriteCandidates(func, "attention", report, isAttentionCandidate,
                               rewriteAttention);
  return changed;
}
