//===- TokenAxes.cpp - where tensors have a batch's tokens ---------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/attention/TokenAxes.h"
#include "passes/graph/Match.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

using Roles = std::optional<SmallVector<TokenRole>>;

static const TokenRole same = {TokenRole::Same};

bool TokenDims::match(RankedTensorType type, TokenAxes axes) const {
  if (axes.place >= type.getRank() || (axes.batch && *axes.batch >= axes.place))
    return false;
  if (!axes.batch)
    return getDim(type, axes.place) == getCount();
  return getDim(type, *axes.batch) == batch &&
         getDim(type, axes.place) == places;
}

//===----------------------------------------------------------------------===//
// From a result to the operands
//===----------------------------------------------------------------------===//

/// Of an operand that broadcasts to a result of `rank`.
static std::optional<TokenRole> getBroadcastRole(RankedTensorType type,
                                                 unsigned rank,
                                                 TokenAxes result,
                                                 const TokenDims &dims) {
  unsigned missing = rank - type.getRank();
  auto repeats = [&](unsigned axis) {
    return axis < missing || getDim(type, axis - missing).isConstant(1);
  };
  if (!result.batch) {
    TokenAxes axes = {std::nullopt, result.place - missing};
    if (result.place >= missing && dims.match(type, axes))
      return TokenRole{TokenRole::Token, axes};
    return repeats(result.place) ? std::optional(same) : std::nullopt;
  }
  bool repeatsBatch = repeats(*result.batch);
  bool repeatsPlace = repeats(result.place);
  if (*result.batch >= missing) {
    TokenAxes axes = {*result.batch - missing, result.place - missing};
    if (dims.match(type, axes))
      return TokenRole{TokenRole::Token, axes};
    if (repeatsPlace && getDim(type, *axes.batch) == dims.batch)
      return TokenRole{TokenRole::Sentence, axes};
  }
  if (!repeatsBatch)
    return std::nullopt;
  if (repeatsPlace)
    return same;
  TokenAxes axes = {std::nullopt, result.place - missing};
  if (getDim(type, axes.place) != dims.places)
    return std::nullopt;
  return TokenRole{TokenRole::Place, axes};
}

static Roles getBroadcastRoles(Operation *op, TokenAxes result,
                               const TokenDims &dims) {
  SmallVector<TokenRole> roles;
  auto rank =
      static_cast<unsigned>(txc::getTensorType(op->getResult(0)).getRank());
  for (Value operand : op->getOperands()) {
    std::optional<TokenRole> role =
        getBroadcastRole(txc::getTensorType(operand), rank, result, dims);
    if (!role)
      return std::nullopt;
    roles.push_back(*role);
  }
  return roles;
}

/// The axis of `to` that has the dim and the same dims' product before it.
static std::optional<unsigned> findAxis(RankedTensorType from, unsigned axis,
                                        RankedTensorType to, SymExprAttr dim) {
  MLIRContext *context = from.getContext();
  SmallVector<SymExprAttr> fromDims = getDims(from), toDims = getDims(to);
  SymExprAttr before = product(context, ArrayRef(fromDims).take_front(axis));
  SymExprAttr found = getConstantExpr(context, 1);
  for (auto [i, size] : llvm::enumerate(toDims)) {
    if (found == before && size == dim)
      return i;
    found = mul(found, size);
  }
  return std::nullopt;
}

/// Where the tokens of `from` are after a reshape, as two axes or as one.
static std::optional<TokenAxes> reshapeAxes(RankedTensorType from,
                                            TokenAxes axes, RankedTensorType to,
                                            const TokenDims &dims) {
  unsigned first = axes.batch.value_or(axes.place);
  if (axes.batch) {
    auto batch = findAxis(from, *axes.batch, to, dims.batch);
    auto place = findAxis(from, axes.place, to, dims.places);
    if (batch && place && *batch < *place)
      return TokenAxes{*batch, *place};
    if (axes.place != first + 1)
      return std::nullopt;
    if (auto all = findAxis(from, first, to, dims.getCount()))
      return TokenAxes{std::nullopt, *all};
    return std::nullopt;
  }
  if (auto all = findAxis(from, first, to, dims.getCount()))
    return TokenAxes{std::nullopt, *all};
  auto batch = findAxis(from, first, to, dims.batch);
  if (batch && *batch + 1 < to.getRank() &&
      getDim(to, *batch + 1) == dims.places)
    return TokenAxes{*batch, *batch + 1};
  return std::nullopt;
}

static Roles getReshapeRoles(ReshapeOp op, TokenAxes result,
                             const TokenDims &dims) {
  auto axes = reshapeAxes(op.getType(), result, op.getX().getType(), dims);
  if (!axes || !dims.match(op.getX().getType(), *axes))
    return std::nullopt;
  return SmallVector<TokenRole>{{TokenRole::Token, *axes}};
}

static Roles getTransposeRoles(TransposeOp op, TokenAxes result) {
  ArrayRef<int64_t> permutation = op.getPermutation();
  TokenAxes axes = {std::nullopt,
                    static_cast<unsigned>(permutation[result.place])};
  if (result.batch)
    axes.batch = static_cast<unsigned>(permutation[*result.batch]);
  if (axes.batch && *axes.batch > axes.place)
    return std::nullopt;
  return SmallVector<TokenRole>{{TokenRole::Token, axes}};
}

static Roles getSliceRoles(SliceOp op, TokenAxes result,
                           const TokenDims &dims) {
  if (!dims.match(op.getX().getType(), result))
    return std::nullopt;
  for (auto [axis, start, step] :
       llvm::enumerate(op.getStarts().getAsRange<SymExprAttr>(), op.getSteps()))
    if (result.contains(axis) && (!start.isConstant(0) || step != 1))
      return std::nullopt;
  return SmallVector<TokenRole>{{TokenRole::Token, result}};
}

static Roles getGatherRoles(GatherOp op, TokenAxes result) {
  auto axis = static_cast<unsigned>(op.getAxis());
  auto indexRank = static_cast<unsigned>(op.getIndices().getType().getRank());
  auto isIndex = [&](unsigned a) { return axis <= a && a < axis + indexRank; };
  unsigned first = result.batch.value_or(result.place);
  if (isIndex(first) && isIndex(result.place)) {
    TokenAxes axes = {std::nullopt, result.place - axis};
    if (result.batch)
      axes.batch = *result.batch - axis;
    return SmallVector<TokenRole>{same, {TokenRole::Token, axes}};
  }
  if (isIndex(first) || isIndex(result.place))
    return std::nullopt;
  auto inOperand = [&](unsigned a) { return a < axis ? a : a - indexRank + 1; };
  TokenAxes axes = {std::nullopt, inOperand(result.place)};
  if (result.batch)
    axes.batch = inOperand(*result.batch);
  return SmallVector<TokenRole>{{TokenRole::Token, axes}, same};
}

static Roles getMatmulRoles(MatmulOp op, TokenAxes result) {
  // One matrix for all tokens, of which the last axis has none.
  RankedTensorType lhs = txc::getTensorType(op.getLhs());
  RankedTensorType type = txc::getTensorType(op.getResult());
  if (txc::getTensorType(op.getRhs()).getRank() != 2 ||
      lhs.getRank() != type.getRank() || result.place + 1 == type.getRank())
    return std::nullopt;
  return SmallVector<TokenRole>{{TokenRole::Token, result}, same};
}

/// Ops that work along axes other than the tokens', on one tensor of the
/// result's rank; what is beside it has to be the same for all.
static Roles getRowRoles(Operation *op, TokenAxes result,
                         ArrayRef<int64_t> axes) {
  for (int64_t axis : axes)
    if (result.contains(static_cast<unsigned>(axis)))
      return std::nullopt;
  SmallVector<TokenRole> roles(op->getNumOperands(), same);
  roles[0] = {TokenRole::Token, result};
  return roles;
}

static SmallVector<int64_t> getTrailingAxes(Value value, int64_t count) {
  int64_t rank = txc::getTensorType(value).getRank();
  return llvm::to_vector(llvm::seq(rank - count, rank));
}

static Roles getConcatRoles(ConcatOp op, TokenAxes result) {
  if (result.contains(static_cast<unsigned>(op.getAxis())))
    return std::nullopt;
  return SmallVector<TokenRole>(op->getNumOperands(),
                                {TokenRole::Token, result});
}

static Roles getRotaryRoles(RotaryEmbeddingOp op, TokenAxes result,
                            const TokenDims &dims) {
  if (result.place + 1 == op.getType().getRank())
    return std::nullopt;
  return getBroadcastRoles(op, result, dims);
}

static Roles getAttentionRoles(AttentionOp op, TokenAxes result,
                               const TokenDims &dims) {
  TokenAxes axes = {0U, 2U};
  bool counts = !op.getCausal() || op.getCausal()->isConstant(0);
  if (result != axes || !op.getMask() || op.getLengths() || op.getStarts() ||
      op.getWindow() || !counts)
    return std::nullopt;
  TokenRole token = {TokenRole::Token, axes};
  SmallVector<SymExprAttr> mask = getDims(txc::getTensorType(op.getMask()));
  // One row of keys a sentence; a mask of queries would be read at places. The
  // mask of a single sentence may lack leading dims.
  bool isSingle = dims.batch.isConstant(1) && mask.size() > 1;
  auto last = static_cast<unsigned>(mask.size() - 1);
  if ((mask.size() != 4 && !isSingle) ||
      !dims.match(txc::getTensorType(op.getMask()), {0U, last}) ||
      !llvm::all_of(ArrayRef(mask).slice(1, last - 1),
                    [](SymExprAttr dim) { return dim.isConstant(1); }))
    return std::nullopt;
  return SmallVector<TokenRole>{
      token, token, token, {TokenRole::KeyMask, {0U, last}}};
}

std::optional<SmallVector<TokenRole>>
txc::getTokenRoles(Operation *op, TokenAxes result, const TokenDims &dims) {
  if (op->getNumResults() != 1 ||
      !dims.match(txc::getTensorType(op->getResult(0)), result))
    return std::nullopt;
  Roles roles =
      llvm::TypeSwitch<Operation *, Roles>(op)
          .Case<ElementwiseInterface, BroadcastOp>(
              [&](auto) { return getBroadcastRoles(op, result, dims); })
          .Case([&](ReshapeOp reshape) {
            return getReshapeRoles(reshape, result, dims);
          })
          .Case([&](TransposeOp transpose) {
            return getTransposeRoles(transpose, result);
          })
          .Case(
              [&](SliceOp slice) { return getSliceRoles(slice, result, dims); })
          .Case([&](GatherOp gather) { return getGatherRoles(gather, result); })
          .Case([&](MatmulOp matmul) { return getMatmulRoles(matmul, result); })
          .Case([&](ConcatOp concat) { return getConcatRoles(concat, result); })
          .Case([&](ReduceOp reduce) {
            return getRowRoles(op, result, reduce.getAxes());
          })
          .Case<LayerNormOp, RmsNormOp>([&](auto norm) {
            return getRowRoles(
                op, result,
                getTrailingAxes(norm.getX(),
                                static_cast<int64_t>(norm.getAxes())));
          })
          .Case([&](SoftmaxOp softmax) {
            return getRowRoles(op, result,
                               {static_cast<int64_t>(softmax.getAxis())});
          })
          .Case([&](RotaryEmbeddingOp rotary) {
            return getRotaryRoles(rotary, result, dims);
          })
          .Case([&](AttentionOp attention) {
            return getAttentionRoles(attention, result, dims);
          })
          .Default([](Operation *) { return std::nullopt; });
  if (!roles)
    return std::nullopt;
  for (auto [operand, role] : llvm::zip(op->getOperands(), *roles)) {
    RankedTensorType type = txc::getTensorType(operand);
    if (role.kind == TokenRole::Token && !dims.match(type, role.axes))
      return std::nullopt;
  }
  return roles;
}

//===----------------------------------------------------------------------===//
// From an operand to the result
//===----------------------------------------------------------------------===//

/// Where the result's axes are if the op is one that works token by token.
static std::optional<TokenAxes>
guessResultAxes(OpOperand &operand, TokenAxes axes, const TokenDims &dims) {
  Operation *op = operand.getOwner();
  RankedTensorType type = txc::getTensorType(operand.get());
  RankedTensorType result = txc::getTensorType(op->getResult(0));
  auto shift = [](TokenAxes from, int64_t by) {
    TokenAxes to = from;
    to.place = static_cast<unsigned>(to.place + by);
    if (to.batch)
      to.batch = static_cast<unsigned>(*to.batch + by);
    return to;
  };
  if (auto reshape = dyn_cast<ReshapeOp>(op))
    return reshapeAxes(type, axes, result, dims);
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    auto find = [&](unsigned axis) {
      return static_cast<unsigned>(
          llvm::find(transpose.getPermutation(), axis) -
          transpose.getPermutation().begin());
    };
    TokenAxes to = {std::nullopt, find(axes.place)};
    if (axes.batch)
      to.batch = find(*axes.batch);
    return to;
  }
  if (auto gather = dyn_cast<GatherOp>(op)) {
    auto axis = static_cast<int64_t>(gather.getAxis());
    if (operand.getOperandNumber() == 1)
      return shift(axes, axis);
    if (axes.contains(static_cast<unsigned>(axis)))
      return std::nullopt;
    unsigned last = axes.batch ? *axes.batch : axes.place;
    return axis < last
               ? shift(axes, gather.getIndices().getType().getRank() - 1)
               : axes;
  }
  return shift(axes, result.getRank() - type.getRank());
}

std::optional<TokenAxes> txc::getResultAxes(OpOperand &operand, TokenAxes axes,
                                            const TokenDims &dims) {
  Operation *op = operand.getOwner();
  if (op->getNumResults() != 1 ||
      !isa<RankedTensorType>(op->getResult(0).getType()))
    return std::nullopt;
  std::optional<TokenAxes> result = guessResultAxes(operand, axes, dims);
  Roles roles = result ? getTokenRoles(op, *result, dims) : std::nullopt;
  if (!roles)
    return std::nullopt;
  const TokenRole &role = (*roles)[operand.getOperandNumber()];
  if (role.kind != TokenRole::Token || role.axes != axes)
    return std::nullopt;
  return result;
}

std::pair<Value, TokenAxes>
txc::lookThroughTokenViews(Value value, TokenAxes axes, const TokenDims &dims) {
  while (isa_and_present<ReshapeOp, BroadcastOp>(value.getDefiningOp())) {
    Roles roles = getTokenRoles(value.getDefiningOp(), axes, dims);
    if (!roles || roles->front().kind != TokenRole::Token)
      break;
    value = value.getDefiningOp()->getOperand(0);
    axes = roles->front().axes;
  }
  return {value, axes};
}
