//===- RecognizeRotaryEmbedding.cpp - rotated queries and keys -----------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Exporters write `x * cos + rotate(x) * sin`, where rotate swaps the parts of
/// each pair and negates the first: halves of the last dim, or neighbours. cos
/// and sin then hold each angle twice; tx.rotary_embedding takes it once, so
/// the pattern must prove that the two are the same. It follows the angles to
/// the concatenation (or repetition) that doubled them, and rebuilds what lies
/// between for one copy.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/IRMapping.h"
#include "passes/graph/Match.h"
#include "passes/graph/Recognize.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

static std::optional<int64_t> getLastDim(Value value) {
  RankedTensorType type = txc::getTensorType(value);
  if (type.getRank() == 0 || type.isDynamicDim(type.getRank() - 1))
    return std::nullopt;
  return type.getShape().back();
}

//===----------------------------------------------------------------------===//
// Rotations
//===----------------------------------------------------------------------===//

/// Whether `value` takes of x every `step`-th element of the last dim, from
/// `start` on, `count` of them, and all of the other dims.
static bool isPartOf(Value value, Value x, int64_t start, int64_t step,
                     int64_t count) {
  auto slice = value.getDefiningOp<SliceOp>();
  if (!slice || slice.getX() != x || getLastDim(value) != count ||
      slice.getSteps().back() != step)
    return false;
  ArrayRef<Attribute> starts = slice.getStarts().getValue();
  if (!cast<SymExprAttr>(starts.back()).isConstant(start))
    return false;
  return ArrayRef(getDims(slice.getType())).drop_back() ==
         ArrayRef(getDims(slice.getX().getType())).drop_back();
}

namespace {
/// How the last dim is paired.
struct Pairing {
  bool interleaved;
  int64_t pairs;

  bool isFirst(Value value, Value x) const {
    return isPartOf(value, x, 0, interleaved ? 2 : 1, pairs);
  }
  bool isSecond(Value value, Value x) const {
    return isPartOf(value, x, interleaved ? 1 : pairs, interleaved ? 2 : 1,
                    pairs);
  }
};
} // namespace

/// The two operands of a concatenation along the last dim.
static std::optional<std::pair<Value, Value>> matchConcatPair(Value value) {
  auto concat = value.getDefiningOp<ConcatOp>();
  if (!concat || concat.getOperands().size() != 2 ||
      static_cast<int64_t>(concat.getAxis()) != concat.getType().getRank() - 1)
    return std::nullopt;
  return std::pair(concat.getOperands()[0], concat.getOperands()[1]);
}

/// x of a reshape `[…, n]` to `[…, n, 1]`.
static Value matchUnsqueezedLast(Value value) {
  auto reshape = value.getDefiningOp<ReshapeOp>();
  if (!reshape || getLastDim(value) != 1)
    return nullptr;
  bool appendsOne = ArrayRef(getDims(reshape.getType())).drop_back() ==
                    ArrayRef(getDims(reshape.getX().getType()));
  return appendsOne ? reshape.getX() : Value();
}

/// x of a reshape `[…, n, 2]` to `[…, 2 n]`.
static Value matchMergedPairs(Value value) {
  auto reshape = value.getDefiningOp<ReshapeOp>();
  if (!reshape || getLastDim(reshape.getX()) != 2)
    return nullptr;
  SmallVector<SymExprAttr> pairs = getDims(reshape.getX().getType());
  SmallVector<SymExprAttr> merged = getDims(reshape.getType());
  bool mergesPairs =
      pairs.size() == merged.size() + 1 &&
      ArrayRef(pairs).drop_back(2) == ArrayRef(merged).drop_back();
  return mergesPairs ? reshape.getX() : Value();
}

/// The first and second parts that `value` pairs up again.
static std::optional<std::pair<Value, Value>> matchPairs(Value value,
                                                         bool interleaved) {
  if (!interleaved)
    return matchConcatPair(value);
  Value stacked = matchMergedPairs(value);
  auto pair = stacked ? matchConcatPair(stacked) : std::nullopt;
  if (!pair)
    return std::nullopt;
  Value first = matchUnsqueezedLast(pair->first);
  Value second = matchUnsqueezedLast(pair->second);
  if (!first || !second)
    return std::nullopt;
  return std::pair(first, second);
}

/// x of -x.
static Value matchNegation(Value value) {
  if (auto neg = value.getDefiningOp<NegOp>())
    return neg.getX();
  auto scaling = matchScaling(value);
  return scaling && scaling->scalar == -1 ? scaling->value : Value();
}

/// The pairing with which `value` is x rotated by a right angle.
static std::optional<Pairing> matchRightAngle(Value value, Value x) {
  std::optional<int64_t> last = getLastDim(x);
  if (!last || *last % 2 != 0 || value.getType() != x.getType())
    return std::nullopt;
  for (bool interleaved : {false, true}) {
    Pairing pairing{interleaved, *last / 2};
    auto parts = matchPairs(value, interleaved);
    Value negated = parts ? matchNegation(parts->first) : Value();
    if (negated && pairing.isSecond(negated, x) &&
        pairing.isFirst(parts->second, x))
      return pairing;
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Angles that are there twice
//===----------------------------------------------------------------------===//

/// The operand whose last dim is that of the result, of ops that treat all
/// elements of it alike.
static Value getAngleOperand(Operation *op) {
  if (isa<ElementwiseInterface>(op) && op->getNumOperands() == 1)
    return op->getOperand(0);
  if (auto scaling = matchScaling(op->getResult(0)))
    return scaling->value;
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    bool keepsLast =
        permutation.back() == static_cast<int64_t>(permutation.size()) - 1;
    return keepsLast ? transpose.getX() : Value();
  }
  if (auto slice = dyn_cast<SliceOp>(op))
    return slice.getSteps().back() == 1 ? slice.getX() : Value();
  if (auto gather = dyn_cast<GatherOp>(op))
    return gather.getAxis() == 0 && gather.getX().getType().getRank() > 1
               ? gather.getX()
               : Value();
  return isa<ReshapeOp, BroadcastOp>(op) ? op->getOperand(0) : Value();
}

/// One copy of angles that `value` repeats; null if it does not.
static Value matchDoubled(Value value, bool interleaved) {
  if (interleaved) {
    Value pairs = matchMergedPairs(value);
    auto broadcast = pairs ? pairs.getDefiningOp<BroadcastOp>() : BroadcastOp();
    if (broadcast && getLastDim(broadcast.getX()) == 1 &&
        ArrayRef(getDims(broadcast.getX().getType())).drop_back() ==
            ArrayRef(getDims(broadcast.getType())).drop_back())
      return matchUnsqueezedLast(broadcast.getX());
  }
  auto parts = matchPairs(value, interleaved);
  return parts && parts->first == parts->second ? parts->first : Value();
}

/// Whether each angle is there twice, in the order of the pairing. `last` is
/// the last dim of the angles.
static bool isDoubled(Value value, bool interleaved, int64_t last) {
  while (getLastDim(value) == last) {
    if (matchDoubled(value, interleaved))
      return true;
    Operation *op = value.getDefiningOp();
    value = op ? getAngleOperand(op) : Value();
    if (!value)
      return false;
  }
  return false;
}

/// Rebuilds what isDoubled followed, for one copy of the angles.
static Value buildOneCopy(RewriterBase &rewriter, Value value,
                          bool interleaved) {
  if (Value copy = matchDoubled(value, interleaved))
    return copy;
  Operation *op = value.getDefiningOp();
  Value operand = getAngleOperand(op);
  Value half = buildOneCopy(rewriter, operand, interleaved);
  RankedTensorType type = txc::getTensorType(value);
  SmallVector<SymExprAttr> dims = getDims(type);
  dims.back() =
      getDim(txc::getTensorType(half), txc::getTensorType(half).getRank() - 1);
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointAfter(op);
  IRMapping mapping;
  mapping.map(operand, half);
  Operation *copy = rewriter.clone(*op, mapping);
  copy->getResult(0).setType(tx::getTensorType(dims, type.getElementType()));
  return copy->getResult(0);
}

//===----------------------------------------------------------------------===//
// x * cos + rotate(x) * sin
//===----------------------------------------------------------------------===//

namespace {
struct Rotation {
  Value x, cos, sin;
  Pairing pairing;
};
} // namespace

/// The rotation of `straight + turned`, two products.
static std::optional<Rotation> matchProducts(Value straight, Value turned) {
  auto byCos = straight.getDefiningOp<MulOp>();
  auto bySin = turned.getDefiningOp<MulOp>();
  if (!byCos || !bySin)
    return std::nullopt;
  for (Value x : byCos.getOperands())
    for (Value rotated : bySin.getOperands())
      if (auto pairing = matchRightAngle(rotated, x))
        return Rotation{x, getOtherOperand(byCos, x),
                        getOtherOperand(bySin, rotated), *pairing};
  return std::nullopt;
}

static std::optional<Rotation> matchRotation(Operation *op) {
  auto add = dyn_cast<AddOp>(op);
  if (!add)
    return std::nullopt;
  if (auto rotation = matchProducts(add.getLhs(), add.getRhs()))
    return rotation;
  return matchProducts(add.getRhs(), add.getLhs());
}

static LogicalResult rewriteRotation(Operation *op, RewriterBase &rewriter) {
  Rotation rotation = *matchRotation(op);
  bool interleaved = rotation.pairing.interleaved;
  if (rotation.x.getType() != op->getResult(0).getType())
    return rewriter.notifyMatchFailure(op, "the angles repeat what is rotated");
  int64_t last = 2 * rotation.pairing.pairs;
  if (!isDoubled(rotation.cos, interleaved, last) ||
      !isDoubled(rotation.sin, interleaved, last))
    return rewriter.notifyMatchFailure(
        op, "the two angles of a pair are not provably the same");
  Value cos = buildOneCopy(rewriter, rotation.cos, interleaved);
  Value sin = buildOneCopy(rewriter, rotation.sin, interleaved);
  Location loc = fuseLocations({op, op->getOperand(0).getDefiningOp(),
                                op->getOperand(1).getDefiningOp()});
  rewriter.replaceOp(op, RotaryEmbeddingOp::create(rewriter, loc, rotation.x,
                                                   cos, sin, interleaved));
  return success();
}

//===----------------------------------------------------------------------===//
// Both parts of each pair on their own
//===----------------------------------------------------------------------===//

namespace {
struct Product {
  Value lhs, rhs;
};
} // namespace

static std::optional<Product> matchProduct(Value value) {
  auto mul = value.getDefiningOp<MulOp>();
  if (!mul)
    return std::nullopt;
  return Product{mul.getLhs(), mul.getRhs()};
}

/// The factor of a product that is not `factor`.
static Value getCofactor(const std::optional<Product> &product, Value factor) {
  if (!product)
    return nullptr;
  if (product->lhs == factor)
    return product->rhs;
  return product->rhs == factor ? product->lhs : Value();
}

/// `[a cos - b sin, b cos + a sin]` of the parts a and b of x.
static std::optional<Rotation> matchParts(Operation *op) {
  for (bool interleaved : {false, true}) {
    auto parts = matchPairs(op->getResult(0), interleaved);
    auto sub = parts ? parts->first.getDefiningOp<SubOp>() : SubOp();
    auto add = parts ? parts->second.getDefiningOp<AddOp>() : AddOp();
    auto aCos = sub ? matchProduct(sub.getLhs()) : std::nullopt;
    auto bSin = sub ? matchProduct(sub.getRhs()) : std::nullopt;
    if (!add || !aCos || !bSin)
      continue;
    for (auto [a, cos] :
         {std::pair(aCos->lhs, aCos->rhs), std::pair(aCos->rhs, aCos->lhs)}) {
      auto slice = a.getDefiningOp<SliceOp>();
      std::optional<int64_t> last =
          slice ? getLastDim(slice.getX()) : std::nullopt;
      if (!last || *last % 2 != 0)
        continue;
      Pairing pairing{interleaved, *last / 2};
      for (auto [b, sin] :
           {std::pair(bSin->lhs, bSin->rhs), std::pair(bSin->rhs, bSin->lhs)}) {
        // One angle for all pairs would be taken for that of the first.
        if (!pairing.isFirst(a, slice.getX()) ||
            !pairing.isSecond(b, slice.getX()) ||
            getLastDim(cos) != pairing.pairs ||
            getLastDim(sin) != pairing.pairs)
          continue;
        auto first = matchProduct(add.getLhs());
        auto second = matchProduct(add.getRhs());
        bool isRotation =
            (getCofactor(first, b) == cos && getCofactor(second, a) == sin) ||
            (getCofactor(first, a) == sin && getCofactor(second, b) == cos);
        if (isRotation && slice.getX().getType() == op->getResult(0).getType())
          return Rotation{slice.getX(), cos, sin, pairing};
      }
    }
  }
  return std::nullopt;
}

static LogicalResult rewriteParts(Operation *op, RewriterBase &rewriter) {
  Rotation rotation = *matchParts(op);
  rewriter.replaceOpWithNewOp<RotaryEmbeddingOp>(
      op, rotation.x, rotation.cos, rotation.sin, rotation.pairing.interleaved);
  return success();
}

//===----------------------------------------------------------------------===//
// Rotations of the first elements only
//===----------------------------------------------------------------------===//

/// The rotation of `concat(rotate(x[…, :r]), x[…, r:])`.
static RotaryEmbeddingOp matchPartial(Operation *op) {
  auto parts =
      isa<ConcatOp>(op) ? matchConcatPair(op->getResult(0)) : std::nullopt;
  auto rotary = parts ? parts->first.getDefiningOp<RotaryEmbeddingOp>()
                      : RotaryEmbeddingOp();
  auto slice = rotary ? rotary.getX().getDefiningOp<SliceOp>() : SliceOp();
  if (!slice || slice.getX().getType() != op->getResult(0).getType())
    return nullptr;
  std::optional<int64_t> count = getLastDim(rotary);
  std::optional<int64_t> last = getLastDim(slice.getX());
  bool isPartial =
      count && last && isPartOf(slice, slice.getX(), 0, 1, *count) &&
      isPartOf(parts->second, slice.getX(), *count, 1, *last - *count);
  return isPartial ? rotary : RotaryEmbeddingOp();
}

static LogicalResult rewritePartial(Operation *op, RewriterBase &rewriter) {
  RotaryEmbeddingOp rotary = matchPartial(op);
  Value x = rotary.getX().getDefiningOp<SliceOp>().getX();
  rewriter.replaceOp(
      op, RotaryEmbeddingOp::create(rewriter, fuseLocations({rotary, op}), x,
                                    rotary.getCos(), rotary.getSin(),
                                    rotary.getInterleaved()));
  return success();
}

bool txc::recognizeRotaryEmbedding(func::FuncOp func, Report *report) {
  bool changed = rewriteCandidates(
      func, "rotary embedding", report,
      [](Operation *op) { return matchRotation(op).has_value(); },
      rewriteRotation);
  changed |= rewriteCandidates(
      func, "rotary embedding", report,
      [](Operation *op) {
        return isa<ConcatOp, ReshapeOp>(op) && matchParts(op);
      },
      rewriteParts);
  changed |= rewriteCandidates(
      func, "rotary embedding", report,
      [](Operation *op) { return matchPartial(op) != nullptr; },
      rewritePartial);
  return changed;
}
