//===- Movement.cpp - ONNX operators that move elements -------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/tx/TxFold.h"
#include "python-free-frontend/ops/OpTable.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::SymExprAttr;

static NodeResults buildIdentity(NodeContext &context) {
  return context.getOperand(0);
}

/// In inference nothing is dropped; the mask, if wanted, is all true.
static NodeResults buildDropout(NodeContext &context) {
  (void)context.getFloat("ratio", 0.5);
  (void)context.getInt("seed", 0);
  (void)context.getInt("is_test", 1);
  if (Value training = context.getOperand(2)) {
    FailureOr<SmallVector<int64_t>> mode =
        context.getKnownInts(training, "training_mode");
    if (failed(mode))
      return {};
    if (mode->front() != 0)
      return context.unsupported("training_mode is true",
                                 "exporting the model in inference mode");
  }
  Value x = context.getOperand(0);
  if (!context.wantsOutput(1))
    return x;
  Value yes = context.getScalar(context.getBuilder().getI1Type(), 1);
  return {x, context.broadcastTo(yes, tx::getDims(context.getType(0)))};
}

static NodeResults buildTranspose(NodeContext &context) {
  int64_t rank = context.getRank(0);
  if (std::optional<ArrayRef<int64_t>> perm = context.getInts("perm"))
    return context.transpose(context.getOperand(0), *perm);
  auto reversed = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(rank)));
  return context.transpose(context.getOperand(0), reversed);
}

//===----------------------------------------------------------------------===//
// Reshapes
//===----------------------------------------------------------------------===//

/// Removes from both products the symbols they share. A shared symbol that is 0
/// makes the tensor empty, whatever the quotient of the rest is.
static void cancelSymbols(SymExprAttr &dividend, SymExprAttr &divisor) {
  if (divisor.getTerms().size() != 1)
    return;
  for (tx::AtomAttr atom : divisor.getTerms().front().getFactors()) {
    if (!atom.getFunction().empty())
      continue;
    SymExprAttr symbol =
        tx::getSymbolExpr(divisor.getContext(), atom.getName());
    SymExprAttr quotient = tx::divideExactly(dividend, symbol);
    if (!quotient)
      continue;
    dividend = quotient;
    divisor = tx::divideExactly(divisor, symbol);
  }
}

/// The dims a Reshape asks for: 0 copies the operand's dim (unless allowzero),
/// one -1 takes what is left.
static FailureOr<Exprs> getReshapeDims(NodeContext &context, Exprs dims,
                                       bool allowZero) {
  Exprs from = tx::getDims(context.getType(0));
  std::optional<size_t> rest;
  SymExprAttr others = context.getExpr(1);
  for (auto [index, dim] : llvm::enumerate(dims)) {
    if (dim.isConstant(0) && !allowZero) {
      if (index >= from.size())
        return context.unsupported("the 0 at place " + Twine(index) +
                                   " of the shape copies a dim that its input "
                                   "does not have");
      dim = from[index];
    }
    if (dim.isConstant(-1)) {
      if (rest)
        return context.unsupported("the shape has more than one -1");
      rest = index;
      continue;
    }
    if (context.getBounds().upperBound(dim).value_or(0) < 0)
      return context.unsupported("the shape has the negative dim " + dim.str());
    others = tx::mul(others, dim);
  }
  if (!rest)
    return dims;
  SymExprAttr count = tx::getElementCount(context.getType(0));
  if (others.isConstant(0))
    return context.unsupported("the -1 of the shape stands beside a 0");
  cancelSymbols(count, others);
  dims[*rest] = tx::floorDiv(count, others);
  if (failed(context.require(tx::mul(dims[*rest], others), tx::Predicate::eq,
                             count, "the other dims must divide the count")))
    return failure();
  return dims;
}

/// The dims of a Reshape as scalars, where 0 and -1 are resolved in the run:
/// `d == 0 ? from : d`, then `d == -1 ? count / (product of the others) : d`.
static SmallVector<Value> computeReshapeDims(NodeContext &context,
                                             int64_t length, bool allowZero) {
  Exprs from = tx::getDims(context.getType(0));
  Value zero = context.getExprScalar(context.getExpr(0));
  Value one = context.getExprScalar(context.getExpr(1));
  Value minusOne = context.getExprScalar(context.getExpr(-1));
  SmallVector<Value> dims, isRest;
  Value others = one;
  for (int64_t i = 0; i < length; ++i) {
    Value dim = context.getElement(context.getOperand(1), i);
    if (!allowZero && i < static_cast<int64_t>(from.size()))
      dim = context.createSelect(
          context.createCompare(tx::Predicate::eq, dim, zero),
          context.getExprScalar(from[i]), dim);
    dims.push_back(dim);
    isRest.push_back(context.createCompare(tx::Predicate::eq, dim, minusOne));
    others = context.create<tx::MulOp>(
        others, context.createSelect(isRest.back(), one, dim));
  }
  // Beside a 0 there is nothing to divide.
  others = context.create<tx::MaximumOp>(others, one);
  Value count = context.getExprScalar(tx::getElementCount(context.getType(0)));
  Value rest = context.create<tx::DivOp>(count, others);
  for (auto [dim, restHere] : llvm::zip(dims, isRest))
    dim = context.createSelect(restHere, rest, dim);
  return dims;
}

/// The dims of a Reshape whose shape depends on data.
static FailureOr<Exprs> getRunTimeReshapeDims(NodeContext &context,
                                              bool allowZero) {
  FailureOr<int64_t> length =
      context.getLength(context.getOperand(1), "the shape of a Reshape");
  if (failed(length))
    return failure();
  Exprs dims;
  for (Value dim : computeReshapeDims(context, *length, allowZero)) {
    dims.push_back(context.getSize(dim, "dim" + Twine(dims.size())));
    if (!dims.back())
      return failure();
  }
  return dims;
}

static NodeResults buildReshape(NodeContext &context) {
  bool allowZero = context.getInt("allowzero", 0) != 0;
  if (!tx::computeExprs(context.getOperand(1))) {
    FailureOr<Exprs> dims = getRunTimeReshapeDims(context, allowZero);
    return failed(dims) ? NodeResults()
                        : context.reshape(context.getOperand(0), *dims);
  }
  FailureOr<Exprs> shape =
      context.getExprs(context.getOperand(1), "the shape of a Reshape");
  if (failed(shape))
    return {};
  FailureOr<Exprs> dims = getReshapeDims(context, *shape, allowZero);
  if (failed(dims))
    return {};
  return context.reshape(context.getOperand(0), *dims);
}

static NodeResults buildFlatten(NodeContext &context) {
  int64_t rank = context.getRank(0);
  int64_t axis = context.getInt("axis", 1);
  if (axis < -rank || axis > rank)
    return context.unsupported("axis " + Twine(axis) +
                               " is outside a tensor of rank " + Twine(rank));
  axis += axis < 0 ? rank : 0;
  Exprs dims = tx::getDims(context.getType(0));
  MLIRContext *mlirContext = context.getContext();
  SymExprAttr rows = tx::product(mlirContext, ArrayRef(dims).take_front(axis));
  SymExprAttr columns =
      tx::product(mlirContext, ArrayRef(dims).drop_front(axis));
  return context.reshape(context.getOperand(0), {rows, columns});
}

static NodeResults buildSqueeze(NodeContext &context) {
  auto axes = context.getAxes(1, context.getRank(0));
  if (failed(axes))
    return {};
  if (*axes)
    return context.squeeze(context.getOperand(0), **axes);
  // Without axes: all dims that are 1. A symbolic dim stays, so it must not be.
  SmallVector<int64_t> ones;
  for (auto [index, dim] : llvm::enumerate(tx::getDims(context.getType(0)))) {
    if (dim.isConstant(1))
      ones.push_back(index);
    else if (failed(context.require(dim, tx::Predicate::ne, context.getExpr(1),
                                    "a Squeeze without axes keeps this dim")))
      return {};
  }
  return context.squeeze(context.getOperand(0), ones);
}

static NodeResults buildUnsqueeze(NodeContext &context) {
  SmallVector<int64_t> given;
  if (std::optional<ArrayRef<int64_t>> attribute = context.getInts("axes")) {
    given = llvm::to_vector(*attribute);
  } else {
    auto known = context.getKnownInts(context.getOperand(1), "axes");
    if (failed(known))
      return {};
    given = *known;
  }
  int64_t rank = context.getRank(0) + static_cast<int64_t>(given.size());
  auto axes = context.normalizeAxes(given, rank);
  if (failed(axes))
    return {};
  return context.unsqueeze(context.getOperand(0), *axes);
}

/// [N, C*b*b, H, W] and [N, C, H*b, W*b].
static NodeResults buildDepthSpace(NodeContext &context, bool toSpace) {
  std::optional<int64_t> block = context.getInt("blocksize");
  StringRef mode = context.getString("mode", "DCR");
  if (!block || *block < 1 || context.getRank(0) != 4)
    return context.unsupported("expected a blocksize and an input of rank 4");
  if (mode != "DCR" && mode != "CRD")
    return context.unsupported("unknown mode \"" + mode + "\"");
  Exprs d = tx::getDims(context.getType(0));
  SymExprAttr b = context.getExpr(*block);
  int64_t square = *block * *block;
  bool isDcr = mode == "DCR";
  Value x = context.getOperand(0);
  if (!toSpace) {
    SymExprAttr rows = tx::floorDiv(d[2], b), columns = tx::floorDiv(d[3], b);
    x = context.reshape(x, {d[0], d[1], rows, b, columns, b});
    x = isDcr ? context.transpose(x, {0, 3, 5, 1, 2, 4})
              : context.transpose(x, {0, 1, 3, 5, 2, 4});
    return context.reshape(x, {d[0], tx::mul(d[1], square), rows, columns});
  }
  SymExprAttr depth = tx::floorDiv(d[1], square);
  x = isDcr ? context.reshape(x, {d[0], b, b, depth, d[2], d[3]})
            : context.reshape(x, {d[0], depth, b, b, d[2], d[3]});
  x = isDcr ? context.transpose(x, {0, 3, 4, 1, 5, 2})
            : context.transpose(x, {0, 1, 4, 2, 5, 3});
  return context.reshape(
      x, {d[0], depth, tx::mul(d[2], *block), tx::mul(d[3], *block)});
}

static NodeResults buildDepthToSpace(NodeContext &context) {
  return buildDepthSpace(context, /*toSpace=*/true);
}

static NodeResults buildSpaceToDepth(NodeContext &context) {
  return buildDepthSpace(context, /*toSpace=*/false);
}

//===----------------------------------------------------------------------===//
// Repetition
//===----------------------------------------------------------------------===//

/// A broadcast in both directions: a dim of 1 in the shape keeps the operand's.
static NodeResults buildExpand(NodeContext &context) {
  FailureOr<Exprs> shape =
      context.getSizes(context.getOperand(1), "the shape of an Expand");
  if (failed(shape))
    return {};
  // A value with the shape's dims lets the rule for broadcasts decide.
  Value yes = context.getScalar(context.getBuilder().getI1Type(), 1);
  Value mold = context.broadcastTo(yes, *shape);
  SmallVector<Value> operands =
      context.broadcast({context.getOperand(0), mold});
  if (llvm::is_contained(operands, Value()))
    return {};
  Exprs dims = tx::getDims(cast<RankedTensorType>(operands[0].getType()));
  Exprs target = tx::getDims(cast<RankedTensorType>(operands[1].getType()));
  if (dims.size() > target.size())
    std::swap(dims, target);
  for (auto [dim, other] :
       llvm::zip(llvm::reverse(target), llvm::reverse(dims)))
    dim = dim.isConstant(1) ? other : dim;
  return context.broadcastTo(operands[0], target);
}

/// Each dim d as [1, d] broadcast to [repeats, d].
static NodeResults buildTile(NodeContext &context) {
  FailureOr<Exprs> repeats =
      context.getSizes(context.getOperand(1), "the repeats of a Tile");
  if (failed(repeats))
    return {};
  Exprs from = tx::getDims(context.getType(0));
  if (repeats->size() != from.size())
    return context.unsupported("it has " + Twine(repeats->size()) +
                               " repeats for " + Twine(from.size()) + " dims");
  Exprs split, repeated, merged;
  for (auto [dim, count] : llvm::zip(from, *repeats)) {
    merged.push_back(tx::mul(dim, count));
    if (!count.isConstant(1)) {
      split.push_back(context.getExpr(1));
      repeated.push_back(count);
    }
    split.push_back(dim);
    repeated.push_back(dim);
  }
  Value x = context.reshape(context.getOperand(0), split);
  return context.reshape(context.broadcastTo(x, repeated), merged);
}

//===----------------------------------------------------------------------===//
// Concat
//===----------------------------------------------------------------------===//

static NodeResults buildConcat(NodeContext &context) {
  int64_t rank = context.getRank(0);
  std::optional<int64_t> given = context.getInt("axis");
  if (!given)
    return context.unsupported("attribute \"axis\" is missing");
  FailureOr<int64_t> axis = context.normalizeAxis(*given, rank);
  if (failed(axis))
    return {};
  SmallVector<Value> operands(context.getOperands());
  for (auto [i, operand] : llvm::enumerate(operands)) {
    if (!operand || context.getRank(i) != rank)
      return context.unsupported("its inputs differ in rank");
    for (int64_t d = 0; d < rank; ++d)
      if (d != *axis)
        operand = context.withDim(operand, d, tx::getDim(context.getType(0), d),
                                  "dims beside the axis");
  }
  return context.create<tx::ConcatOp>(operands, *axis);
}

OpTable frontend::getMovementOps() {
  static constexpr OpEntry table[] = {
      {"Concat", 4, 1, kAnyNumber, buildConcat},
      {"DepthToSpace", 1, 1, 1, buildDepthToSpace},
      {"Dropout", 6, 1, 3, buildDropout},
      {"Expand", 8, 2, 2, buildExpand},
      {"Flatten", 1, 1, 1, buildFlatten},
      {"Identity", 1, 1, 1, buildIdentity},
      {"Reshape", 5, 2, 2, buildReshape},
      {"SpaceToDepth", 1, 1, 1, buildSpaceToDepth},
      {"Squeeze", 1, 1, 2, buildSqueeze},
      {"Tile", 6, 2, 2, buildTile},
      {"Transpose", 1, 1, 1, buildTranspose},
      {"Unsqueeze", 1, 1, 2, buildUnsqueeze},
  };
  return table;
}
