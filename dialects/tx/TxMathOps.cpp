//===- TxMathOps.cpp - types and checks of tx's mathematics --------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/tx/TxFold.h"

using namespace mlir;
using namespace txc::tx;

using TypeVector = SmallVectorImpl<Type>;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

LogicalResult ReduceOp::inferReturnTypes(MLIRContext *context,
                                         std::optional<Location> loc,
                                         Adaptor adaptor, TypeVector &types) {
  RankedTensorType type = typeOf(adaptor.getX());
  SmallVector<SymExprAttr> dims = getDims(type);
  int64_t last = -1;
  for (int64_t axis : adaptor.getAxes()) {
    if (axis <= last || axis >= type.getRank())
      return emitOptionalError(
          loc, "axes must be sorted, unique and inside a tensor of rank ",
          type.getRank());
    last = axis;
    dims[axis] = getConstantExpr(context, 1);
  }
  types.push_back(getTensorType(dims, type.getElementType()));
  return success();
}

/// Products and extremes of known integers (the element count of a shape).
OpFoldResult ReduceOp::fold(FoldAdaptor adaptor) {
  if (getAxes().empty())
    return getX();
  std::optional<SmallVector<SymExprAttr>> exprs = getExprs(adaptor.getX());
  RankedTensorType type = getX().getType();
  if (!exprs || exprs->empty() || getType().getNumElements() != 1 ||
      type.getElementType().isInteger(1))
    return {};
  SymExprAttr result = exprs->front();
  for (SymExprAttr expr : ArrayRef(*exprs).drop_front()) {
    switch (getKind()) {
    case ReduceKind::sum:
      result = add(result, expr);
      break;
    case ReduceKind::prod:
      result = mul(result, expr);
      break;
    case ReduceKind::max:
      result = max(result, expr);
      break;
    case ReduceKind::min:
      result = min(result, expr);
      break;
    case ReduceKind::mean:
      return {};
    }
  }
  return getKind() == ReduceKind::mean ? Attribute()
                                       : getExprTensor(getType(), result);
}

LogicalResult ArgReduceOp::inferReturnTypes(MLIRContext *context,
                                            std::optional<Location> loc,
                                            Adaptor adaptor,
                                            TypeVector &types) {
  RankedTensorType type = typeOf(adaptor.getX());
  auto axis = static_cast<int64_t>(adaptor.getAxis());
  if (axis < 0 || axis >= type.getRank())
    return emitOptionalError(loc, "axis ", axis,
                             " is outside a tensor of rank ", type.getRank());
  if (adaptor.getKind() != ReduceKind::max &&
      adaptor.getKind() != ReduceKind::min)
    return emitOptionalError(loc, "the kind must be max or min");
  SmallVector<SymExprAttr> dims = getDims(type);
  dims[axis] = getConstantExpr(context, 1);
  types.push_back(getTensorType(dims, IntegerType::get(context, 64)));
  return success();
}

LogicalResult CumsumOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> loc,
                                         Adaptor adaptor, TypeVector &types) {
  RankedTensorType type = typeOf(adaptor.getX());
  auto axis = static_cast<int64_t>(adaptor.getAxis());
  if (axis < 0 || axis >= type.getRank())
    return emitOptionalError(loc, "axis ", axis,
                             " is outside a tensor of rank ", type.getRank());
  types.push_back(type);
  return success();
}

LogicalResult TopkOp::verify() {
  auto axis = static_cast<int64_t>(getAxis());
  RankedTensorType type = getX().getType();
  if (axis < 0 || axis >= type.getRank())
    return emitOpError("axis ") << axis << " is outside " << type;
  SmallVector<SymExprAttr> dims = getDims(getValues().getType());
  if (dims != getDims(getIndices().getType()))
    return emitOpError("values and indices must have one shape");
  SmallVector<SymExprAttr> expected = getDims(type);
  expected[axis] = dims[axis];
  if (dims != expected)
    return emitOpError("only the dim at the axis may differ from ") << type;
  return success();
}

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

/// The dims of a matmul, or an error in one sentence.
static FailureOr<SmallVector<SymExprAttr>>
inferMatmulDims(RankedTensorType lhs, RankedTensorType rhs,
                function_ref<InFlightDiagnostic()> emitError) {
  if (lhs.getRank() < 2 || rhs.getRank() < 2)
    return emitError() << "operands need at least two dims, found " << lhs
                       << " and " << rhs;
  SmallVector<SymExprAttr> a = getDims(lhs), b = getDims(rhs);
  SymExprAttr m = a.end()[-2], k = a.back(), n = b.back();
  if (k != b.end()[-2])
    return emitError() << "inner dims " << k.str() << " and "
                       << b.end()[-2].str() << " differ";
  a.resize(a.size() - 2);
  b.resize(b.size() - 2);
  SymExprAttr one = getConstantExpr(lhs.getContext(), 1);
  a.insert(a.begin(), std::max(a.size(), b.size()) - a.size(), one);
  b.insert(b.begin(), a.size() - b.size(), one);
  for (auto [x, y] : llvm::zip(a, b)) {
    if (x != y && !x.isConstant(1) && !y.isConstant(1))
      return emitError() << "batch dims " << x.str() << " and " << y.str()
                         << " do not broadcast";
    x = x.isConstant(1) ? y : x;
  }
  a.append({m, n});
  return a;
}

static Type getMatmulElementType(Type operand) {
  return operand.isInteger() && operand.getIntOrFloatBitWidth() < 32
             ? IntegerType::get(operand.getContext(), 32)
             : operand;
}

void MatmulOp::build(OpBuilder &builder, OperationState &state, Value lhs,
                     Value rhs) {
  RankedTensorType a = typeOf(lhs), b = typeOf(rhs);
  FailureOr<SmallVector<SymExprAttr>> dims =
      inferMatmulDims(a, b, [&] { return mlir::emitError(state.location); });
  Type elementType = getMatmulElementType(a.getElementType());
  // On bad operands the error is out and the verifier fails on this type.
  Type type = succeeded(dims) ? getTensorType(*dims, elementType)
                              : RankedTensorType::get({}, elementType);
  build(builder, state, type, lhs, rhs);
}

/// Whether numbers of these types are multiplied.
static bool areMultiplied(Type lhs, Type rhs) {
  return lhs == rhs || (lhs.isInteger(8) && rhs.isInteger(8)) ||
         (lhs.isF32() && rhs.isSignlessInteger(8));
}

LogicalResult MatmulOp::verify() {
  Type lhs = getLhs().getType().getElementType();
  Type rhs = getRhs().getType().getElementType();
  if (!areMultiplied(lhs, rhs))
    return emitOpError("multiplies no ") << lhs << " by " << rhs;
  FailureOr<SmallVector<SymExprAttr>> dims = inferMatmulDims(
      getLhs().getType(), getRhs().getType(), [&] { return emitOpError(); });
  if (failed(dims))
    return failure();
  if (getDims(getType()) != *dims)
    return emitOpError("the result's dims don't follow from the operands': ")
           << getType();
  return success();
}

/// The spatial geometry that tx.conv, tx.pool and tx.conv_transpose share.
static LogicalResult checkWindow(std::optional<Location> loc, int64_t spatial,
                                 ArrayRef<ArrayRef<int64_t>> attributes) {
  for (ArrayRef<int64_t> attribute : attributes)
    if (static_cast<int64_t>(attribute.size()) != spatial)
      return emitOptionalError(loc, "expected ", spatial,
                               " window parameters, one a spatial dim");
  return success();
}

/// The number of places of a window of `extent` elements (dilated) in `padded`.
static SymExprAttr countWindows(SymExprAttr padded, int64_t extent,
                                int64_t stride) {
  return add(floorDiv(add(padded, -extent), stride), 1);
}

LogicalResult ConvOp::inferReturnTypes(MLIRContext *,
                                       std::optional<Location> loc,
                                       Adaptor adaptor, TypeVector &types) {
  RankedTensorType x = typeOf(adaptor.getX()), w = typeOf(adaptor.getW());
  int64_t spatial = x.getRank() - 2;
  if (spatial < 1 || w.getRank() != x.getRank())
    return emitOptionalError(
        loc, "expected x [N, C, spatial…] and w [O, C/groups, window…], found ",
        x, " and ", w);
  if (failed(checkWindow(loc, spatial,
                         {adaptor.getStrides(), adaptor.getLow(),
                          adaptor.getHigh(), adaptor.getDilations()})))
    return failure();
  auto groups = static_cast<int64_t>(adaptor.getGroups());
  SmallVector<SymExprAttr> dims = getDims(x);
  SymExprAttr channels = mul(getDim(w, 1), groups);
  if (groups < 1 || channels != dims[1] || w.isDynamicDim(0) ||
      w.getDimSize(0) % groups != 0)
    return emitOptionalError(loc, "channels don't match: x has ", dims[1].str(),
                             ", w ", getDim(w, 1).str(), " in each of ", groups,
                             " groups");
  dims[1] = getDim(w, 0);
  for (int64_t i = 0; i < spatial; ++i) {
    if (w.isDynamicDim(i + 2))
      return emitOptionalError(
          loc, "the window of a convolution is static, found ", w);
    int64_t extent = (w.getDimSize(i + 2) - 1) * adaptor.getDilations()[i] + 1;
    SymExprAttr padded =
        add(dims[i + 2], adaptor.getLow()[i] + adaptor.getHigh()[i]);
    dims[i + 2] = countWindows(padded, extent, adaptor.getStrides()[i]);
  }
  types.push_back(
      getTensorType(dims, getMatmulElementType(x.getElementType())));
  return success();
}

LogicalResult ConvTransposeOp::inferReturnTypes(MLIRContext *,
                                                std::optional<Location> loc,
                                                Adaptor adaptor,
                                                TypeVector &types) {
  RankedTensorType x = typeOf(adaptor.getX()), w = typeOf(adaptor.getW());
  int64_t spatial = x.getRank() - 2;
  if (spatial < 1 || w.getRank() != x.getRank())
    return emitOptionalError(
        loc, "expected x [N, C, spatial…] and w [C, O/groups, window…], found ",
        x, " and ", w);
  if (failed(checkWindow(loc, spatial,
                         {adaptor.getStrides(), adaptor.getLow(),
                          adaptor.getHigh(), adaptor.getOutputPadding(),
                          adaptor.getDilations()})))
    return failure();
  SmallVector<SymExprAttr> dims = getDims(x);
  if (dims[1] != getDim(w, 0))
    return emitOptionalError(loc, "channels don't match: x has ", dims[1].str(),
                             ", w ", getDim(w, 0).str());
  dims[1] = mul(getDim(w, 1), static_cast<int64_t>(adaptor.getGroups()));
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t rest = (w.getDimSize(i + 2) - 1) * adaptor.getDilations()[i] + 1 -
                   adaptor.getLow()[i] - adaptor.getHigh()[i] +
                   adaptor.getOutputPadding()[i];
    dims[i + 2] = add(mul(add(dims[i + 2], -1), adaptor.getStrides()[i]), rest);
  }
  types.push_back(getTensorType(dims, x.getElementType()));
  return success();
}

LogicalResult PoolOp::inferReturnTypes(MLIRContext *,
                                       std::optional<Location> loc,
                                       Adaptor adaptor, TypeVector &types) {
  RankedTensorType x = typeOf(adaptor.getX());
  int64_t spatial = x.getRank() - 2;
  if (spatial < 1 ||
      failed(checkWindow(loc, spatial,
                         {adaptor.getWindow(), adaptor.getStrides(),
                          adaptor.getLow(), adaptor.getHigh(),
                          adaptor.getDilations()})))
    return emitOptionalError(loc, "expected x [N, C, spatial…], found ", x);
  SmallVector<SymExprAttr> dims = getDims(x);
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t stride = adaptor.getStrides()[i];
    int64_t extent =
        (adaptor.getWindow()[i] - 1) * adaptor.getDilations()[i] + 1;
    SymExprAttr begin = add(dims[i + 2], adaptor.getLow()[i]);
    SymExprAttr padded = add(begin, adaptor.getHigh()[i]);
    SymExprAttr count = countWindows(padded, extent, stride);
    // A window that rounding up adds must begin before the high padding.
    if (adaptor.getCeil())
      count = min(countWindows(add(padded, stride - 1), extent, stride),
                  ceilDiv(begin, stride));
    dims[i + 2] = count;
  }
  types.push_back(getTensorType(dims, x.getElementType()));
  return success();
}

//===----------------------------------------------------------------------===//
// Norms and attention
//===----------------------------------------------------------------------===//

static LogicalResult verifyNorm(Operation *op, RankedTensorType type,
                                int64_t axes) {
  if (axes < 1 || axes > type.getRank())
    return op->emitOpError("cannot normalize over the last ")
           << axes << " dims of " << type;
  SmallVector<Type> broadcast;
  if (failed(inferBroadcastType(op->getLoc(), op->getOperands(),
                                type.getElementType(), broadcast)))
    return failure();
  if (broadcast.front() != type)
    return op->emitOpError("scale and bias must broadcast to ") << type;
  return success();
}

LogicalResult LayerNormOp::verify() {
  return verifyNorm(*this, getX().getType(), static_cast<int64_t>(getAxes()));
}

LogicalResult RmsNormOp::verify() {
  return verifyNorm(*this, getX().getType(), static_cast<int64_t>(getAxes()));
}

LogicalResult AttentionOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            Adaptor adaptor,
                                            TypeVector &types) {
  RankedTensorType q = typeOf(adaptor.getQ()), v = typeOf(adaptor.getV());
  if (q.getRank() != 4 || v.getRank() != 4)
    return emitOptionalError(loc, "expected q, k and v of rank 4, found ", q,
                             " and ", v);
  SmallVector<SymExprAttr> dims = getDims(q);
  dims[3] = getDim(v, 3);
  types.push_back(getTensorType(dims, q.getElementType()));
  return success();
}

LogicalResult AttentionOp::verify() {
  RankedTensorType k = getK().getType();
  if (k.getRank() != 4)
    return emitOpError("expected k of rank 4, found ") << k;
  SmallVector<SymExprAttr> qDims = getDims(getQ().getType());
  SmallVector<SymExprAttr> kDims = getDims(k);
  SmallVector<SymExprAttr> vDims = getDims(getV().getType());
  if (qDims[0] != kDims[0] || qDims[0] != vDims[0] || qDims[3] != kDims[3] ||
      kDims[1] != vDims[1] || kDims[2] != vDims[2])
    return emitOpError("expected q [B, H, S, D], k [B, G, T, D] and "
                       "v [B, G, T, E], found ")
           << getQ().getType() << ", " << k << ", " << getV().getType();
  // One head for all, or the same number of query heads for each.
  auto serveEqually = [](SymExprAttr heads, SymExprAttr groups) {
    SymExprAttr share =
        groups.isConstant(0) ? SymExprAttr() : divideExactly(heads, groups);
    return groups.isConstant(1) || (share && share.getConstant() > 0);
  };
  if (qDims[1] != kDims[1] && !serveEqually(qDims[1], kDims[1]))
    return emitOpError("the key heads ")
           << kDims[1].str() << " must divide the query heads "
           << qDims[1].str();
  if (getWindow() && !getCausal())
    return emitOpError("a window needs causal");
  if (static_cast<bool>(getStarts()) != static_cast<bool>(getSpan()))
    return emitOpError("expected both starts and span, or neither");
  if (getStarts() && (!qDims[0].isConstant(1) || qDims[2] != kDims[2] ||
                      typeOf(getStarts()).getRank() != 1 || getLengths()))
    return emitOpError("expected the sequences of `starts` in one row of "
                       "queries and keys, without lengths");
  if (getMask()) {
    RankedTensorType mask = typeOf(getMask());
    SmallVector<SymExprAttr> scores = {qDims[0], qDims[1], qDims[2], kDims[2]};
    if (mask.getRank() > 4)
      return emitOpError("the mask has more than four dims: ") << mask;
    for (auto [dim, score] :
         llvm::zip(llvm::reverse(getDims(mask)), llvm::reverse(scores)))
      if (dim != score && !dim.isConstant(1))
        return emitOpError("the mask ")
               << mask << " does not broadcast to the scores";
  }
  return success();
}

#define GET_OP_CLASSES
#include "dialects/tx/TxOps.cpp.inc"
