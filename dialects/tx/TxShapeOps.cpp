//===- TxShapeOps.cpp - types, checks and folders of data movement -------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/tx/TxFold.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace txc::tx;

using TypeVector = SmallVectorImpl<Type>;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static LogicalResult checkAxis(std::optional<Location> loc, int64_t axis,
                               int64_t rank) {
  if (axis >= 0 && axis < rank)
    return success();
  return emitOptionalError(loc, "axis ", axis, " is outside a tensor of rank ",
                           rank);
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

LogicalResult ConstantOp::inferReturnTypes(MLIRContext *,
                                           std::optional<Location>,
                                           Adaptor adaptor, TypeVector &types) {
  types.push_back(adaptor.getValue().getShapedType());
  return success();
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

LogicalResult SymbolicOp::inferReturnTypes(MLIRContext *,
                                           std::optional<Location>,
                                           Adaptor adaptor, TypeVector &types) {
  types.push_back(adaptor.getValue().getType());
  return success();
}

OpFoldResult SymbolicOp::fold(FoldAdaptor) { return getValue(); }

LogicalResult IotaOp::verify() {
  if (getType().getRank() != 1)
    return emitOpError("expected a rank-1 result, found ") << getType();
  return success();
}

OpFoldResult IotaOp::fold(FoldAdaptor) {
  RankedTensorType type = getType();
  if (!type.hasStaticShape() || !type.getElementType().isInteger() ||
      type.getNumElements() > kMaxConstantElements)
    return {};
  SmallVector<SymExprAttr> exprs;
  for (int64_t i = 0; i < type.getDimSize(0); ++i)
    exprs.push_back(getConstantExpr(getContext(), i));
  return getExprTensor(type, exprs);
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

LogicalResult ReshapeOp::verify() {
  SymExprAttr from = getElementCount(getX().getType());
  SymExprAttr to = getElementCount(getType());
  if (from != to && getSymbolBounds(getOperation())
                        .compare(Predicate::ne, from, to)
                        .value_or(false))
    return emitOpError("cannot reshape ")
           << from.str() << " elements into " << to.str();
  if (getX().getType().getElementType() != getType().getElementType())
    return emitOpError("a reshape keeps the element type");
  return success();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (getX().getType() == getType())
    return getX();
  if (auto elements = dyn_cast_if_present<DenseElementsAttr>(adaptor.getX()))
    return elements.reshape(getType());
  if (auto exprs = dyn_cast_if_present<ExprsAttr>(adaptor.getX()))
    return ExprsAttr::get(getContext(), exprs.getExprs(), getType());
  return {};
}

void ReshapeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                            MLIRContext *) {
  // reshape(reshape(x)) is one reshape.
  patterns.add(+[](ReshapeOp op, PatternRewriter &rewriter) {
    auto inner = op.getX().getDefiningOp<ReshapeOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "operand is no reshape");
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), inner.getX());
    return success();
  });
}

LogicalResult TransposeOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            Adaptor adaptor,
                                            TypeVector &types) {
  RankedTensorType type = typeOf(adaptor.getX());
  ArrayRef<int64_t> permutation = adaptor.getPermutation();
  if (static_cast<int64_t>(permutation.size()) != type.getRank() ||
      !isPermutationVector(permutation))
    return emitOptionalError(loc, "expected a permutation of ", type.getRank(),
                             " dims");
  types.push_back(getTensorType(applyPermutation(getDims(type), permutation),
                                type.getElementType()));
  return success();
}

OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  ArrayRef<int64_t> permutation = getPermutation();
  if (llvm::is_sorted(permutation))
    return getX();
  if (!adaptor.getX() || !getType().hasStaticShape())
    return {};
  SmallVector<int64_t> strides =
      getRowMajorStrides(getX().getType().getShape());
  return foldMovement(getType(), adaptor.getX(), [&](ArrayRef<int64_t> index) {
    int64_t linear = 0;
    for (auto [d, i] : llvm::enumerate(index))
      linear += i * strides[permutation[d]];
    return std::pair(0U, linear);
  });
}

void TransposeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *) {
  // transpose(transpose(x, p), q) is transpose(x, p∘q).
  patterns.add(+[](TransposeOp op, PatternRewriter &rewriter) {
    auto inner = op.getX().getDefiningOp<TransposeOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "operand is no transpose");
    rewriter.replaceOpWithNewOp<TransposeOp>(
        op, inner.getX(),
        applyPermutation(inner.getPermutation(), op.getPermutation()));
    return success();
  });
}

LogicalResult BroadcastOp::verify() {
  int64_t rank = getX().getType().getRank();
  if (rank > getType().getRank())
    return emitOpError("cannot broadcast rank ")
           << rank << " to rank " << getType().getRank();
  for (int64_t d = 1; d <= rank; ++d) {
    SymExprAttr from = getDim(getX().getType(), rank - d);
    SymExprAttr to = getDim(getType(), getType().getRank() - d);
    if (from.getConstant() && to.getConstant() && from != to &&
        !from.isConstant(1))
      return emitOpError("cannot broadcast dim ")
             << from.str() << " to " << to.str();
  }
  return success();
}

OpFoldResult BroadcastOp::fold(FoldAdaptor adaptor) {
  RankedTensorType from = getX().getType();
  if (from == getType())
    return getX();
  if (!adaptor.getX() || !getType().hasStaticShape())
    return {};
  SmallVector<int64_t> strides = getRowMajorStrides(from.getShape());
  int64_t offset = getType().getRank() - from.getRank();
  return foldMovement(getType(), adaptor.getX(), [&](ArrayRef<int64_t> index) {
    int64_t linear = 0;
    for (auto [d, stride] : llvm::enumerate(strides))
      linear += from.getDimSize(d) == 1 ? 0 : index[offset + d] * stride;
    return std::pair(0U, linear);
  });
}

LogicalResult SliceOp::verify() {
  auto rank = static_cast<size_t>(getX().getType().getRank());
  if (getStarts().size() != rank || getSteps().size() != rank ||
      static_cast<size_t>(getType().getRank()) != rank)
    return emitOpError("expected one start, step and result dim for each of ")
           << rank << " dims";
  if (llvm::is_contained(getSteps(), 0))
    return emitOpError("a step must not be 0");
  return success();
}

OpFoldResult SliceOp::fold(FoldAdaptor adaptor) {
  auto isZero = [](Attribute start) {
    return cast<SymExprAttr>(start).isConstant(0);
  };
  if (getX().getType() == getType() && llvm::all_of(getStarts(), isZero) &&
      llvm::all_of(getSteps(), [](int64_t step) { return step == 1; }))
    return getX();
  if (!adaptor.getX() || !getType().hasStaticShape())
    return {};
  SmallVector<int64_t> starts;
  for (Attribute start : getStarts()) {
    std::optional<int64_t> constant = cast<SymExprAttr>(start).getConstant();
    if (!constant)
      return {};
    starts.push_back(*constant);
  }
  SmallVector<int64_t> strides =
      getRowMajorStrides(getX().getType().getShape());
  return foldMovement(getType(), adaptor.getX(), [&](ArrayRef<int64_t> index) {
    int64_t linear = 0;
    for (auto [d, i] : llvm::enumerate(index))
      linear += (starts[d] + i * getSteps()[d]) * strides[d];
    return std::pair(0U, linear);
  });
}

LogicalResult ConcatOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> loc,
                                         Adaptor adaptor, TypeVector &types) {
  if (adaptor.getOperands().empty())
    return emitOptionalError(loc, "expected at least one operand");
  RankedTensorType first = typeOf(adaptor.getOperands().front());
  auto axis = static_cast<int64_t>(adaptor.getAxis());
  if (failed(checkAxis(loc, axis, first.getRank())))
    return failure();
  SmallVector<SymExprAttr> dims = getDims(first);
  for (Value operand : adaptor.getOperands().drop_front()) {
    RankedTensorType type = typeOf(operand);
    if (type.getRank() != first.getRank() ||
        type.getElementType() != first.getElementType())
      return emitOptionalError(loc, "cannot concatenate ", first, " and ",
                               type);
    for (auto [d, dim] : llvm::enumerate(getDims(type))) {
      if (static_cast<int64_t>(d) == axis)
        dims[d] = add(dims[d], dim);
      else if (dims[d] != dim)
        return emitOptionalError(loc, "dim ", d, " is ", dims[d].str(), " in ",
                                 first, " but ", dim.str(), " in ", type);
    }
  }
  types.push_back(getTensorType(dims, first.getElementType()));
  return success();
}

OpFoldResult ConcatOp::fold(FoldAdaptor adaptor) {
  if (getOperands().size() == 1)
    return getOperands().front();
  if (llvm::is_contained(adaptor.getOperands(), Attribute()) ||
      !getType().hasStaticShape())
    return {};
  auto axis = static_cast<size_t>(getAxis());
  return foldMovement(
      getType(), adaptor.getOperands(), [&](ArrayRef<int64_t> index) {
        SmallVector<int64_t> local(index);
        unsigned operand = 0;
        while (local[axis] >= typeOf(getOperands()[operand]).getDimSize(axis))
          local[axis] -= typeOf(getOperands()[operand++]).getDimSize(axis);
        SmallVector<int64_t> strides =
            getRowMajorStrides(typeOf(getOperands()[operand]).getShape());
        int64_t linear = 0;
        for (auto [i, stride] : llvm::zip(local, strides))
          linear += i * stride;
        return std::pair(operand, linear);
      });
}

LogicalResult PadOp::inferReturnTypes(MLIRContext *,
                                      std::optional<Location> loc,
                                      Adaptor adaptor, TypeVector &types) {
  RankedTensorType type = typeOf(adaptor.getX());
  SmallVector<SymExprAttr> dims = getDims(type);
  if (adaptor.getLow().size() != dims.size() ||
      adaptor.getHigh().size() != dims.size())
    return emitOptionalError(loc, "expected two amounts for each of ",
                             dims.size(), " dims");
  for (auto [dim, low, high] :
       llvm::zip(dims, adaptor.getLow(), adaptor.getHigh()))
    dim = add(dim, add(cast<SymExprAttr>(low), cast<SymExprAttr>(high)));
  types.push_back(getTensorType(dims, type.getElementType()));
  return success();
}

//===----------------------------------------------------------------------===//
// Indexed access
//===----------------------------------------------------------------------===//

LogicalResult GatherOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> loc,
                                         Adaptor adaptor, TypeVector &types) {
  RankedTensorType type = typeOf(adaptor.getX());
  auto axis = static_cast<int64_t>(adaptor.getAxis());
  if (failed(checkAxis(loc, axis, type.getRank())))
    return failure();
  SmallVector<SymExprAttr> dims = getDims(type);
  SmallVector<SymExprAttr> indexDims = getDims(typeOf(adaptor.getIndices()));
  dims.erase(dims.begin() + axis);
  dims.insert(dims.begin() + axis, indexDims.begin(), indexDims.end());
  types.push_back(getTensorType(dims, type.getElementType()));
  return success();
}

OpFoldResult GatherOp::fold(FoldAdaptor adaptor) {
  auto indices =
      dyn_cast_if_present<DenseIntElementsAttr>(adaptor.getIndices());
  RankedTensorType from = getX().getType();
  if (!indices || !adaptor.getX() || !getType().hasStaticShape())
    return {};
  auto axis = static_cast<int64_t>(getAxis());
  SmallVector<int64_t> picked;
  for (const APInt &index : indices.getValues<APInt>()) {
    int64_t i = index.getSExtValue();
    i += i < 0 ? from.getDimSize(axis) : 0;
    if (i < 0 || i >= from.getDimSize(axis))
      return {};
    picked.push_back(i);
  }
  int64_t indexRank = getIndices().getType().getRank();
  SmallVector<int64_t> indexStrides =
      getRowMajorStrides(getIndices().getType().getShape());
  SmallVector<int64_t> strides = getRowMajorStrides(from.getShape());
  return foldMovement(getType(), adaptor.getX(), [&](ArrayRef<int64_t> index) {
    int64_t place = 0;
    for (int64_t d = 0; d < indexRank; ++d)
      place += index[axis + d] * indexStrides[d];
    int64_t linear = picked[place] * strides[axis];
    for (int64_t d = 0; d < axis; ++d)
      linear += index[d] * strides[d];
    for (int64_t d = axis + 1; d < from.getRank(); ++d)
      linear += index[d - 1 + indexRank] * strides[d];
    return std::pair(0U, linear);
  });
}

LogicalResult GatherElementsOp::inferReturnTypes(MLIRContext *,
                                                 std::optional<Location> loc,
                                                 Adaptor adaptor,
                                                 TypeVector &types) {
  RankedTensorType type = typeOf(adaptor.getX());
  RankedTensorType indices = typeOf(adaptor.getIndices());
  if (failed(checkAxis(loc, static_cast<int64_t>(adaptor.getAxis()),
                       type.getRank())))
    return failure();
  if (indices.getRank() != type.getRank())
    return emitOptionalError(loc, "indices must have rank ", type.getRank(),
                             ", found ", indices);
  types.push_back(getTensorType(getDims(indices), type.getElementType()));
  return success();
}

LogicalResult GatherNdOp::inferReturnTypes(MLIRContext *,
                                           std::optional<Location> loc,
                                           Adaptor adaptor, TypeVector &types) {
  RankedTensorType type = typeOf(adaptor.getX());
  RankedTensorType indices = typeOf(adaptor.getIndices());
  auto batchDims = static_cast<int64_t>(adaptor.getBatchDims());
  if (indices.getRank() == 0 || indices.isDynamicDim(indices.getRank() - 1))
    return emitOptionalError(
        loc, "the last dim of the indices must be static, found ", indices);
  int64_t tuple = indices.getShape().back();
  if (batchDims + tuple > type.getRank() || batchDims >= indices.getRank())
    return emitOptionalError(loc, "an index of ", batchDims, " + ", tuple,
                             " dims does not fit ", type);
  SmallVector<SymExprAttr> dims = getDims(indices);
  dims.pop_back();
  llvm::append_range(dims,
                     ArrayRef(getDims(type)).drop_front(batchDims + tuple));
  types.push_back(getTensorType(dims, type.getElementType()));
  return success();
}

LogicalResult ScatterElementsOp::inferReturnTypes(MLIRContext *,
                                                  std::optional<Location> loc,
                                                  Adaptor adaptor,
                                                  TypeVector &types) {
  RankedTensorType type = typeOf(adaptor.getX());
  if (failed(checkAxis(loc, static_cast<int64_t>(adaptor.getAxis()),
                       type.getRank())))
    return failure();
  if (getDims(typeOf(adaptor.getIndices())) !=
      getDims(typeOf(adaptor.getUpdates())))
    return emitOptionalError(loc, "indices and updates must have one shape");
  types.push_back(type);
  return success();
}

LogicalResult ScatterNdOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            Adaptor adaptor,
                                            TypeVector &types) {
  RankedTensorType indices = typeOf(adaptor.getIndices());
  if (indices.getRank() == 0 || indices.isDynamicDim(indices.getRank() - 1))
    return emitOptionalError(
        loc, "the last dim of the indices must be static, found ", indices);
  types.push_back(adaptor.getX().getType());
  return success();
}

//===----------------------------------------------------------------------===//
// Sizes that depend on data
//===----------------------------------------------------------------------===//

LogicalResult NonzeroOp::verify() {
  RankedTensorType x = getX().getType(), result = getType();
  if (!x.getElementType().isInteger(1))
    return emitOpError("expected a tensor of i1, found ") << x;
  if (result.getRank() != 2 || result.getDimSize(0) != x.getRank() ||
      !result.getElementType().isInteger(64))
    return emitOpError("expected a result of i64 with dims [")
           << x.getRank() << ", count], found " << result;
  return success();
}

LogicalResult DefineSymbolOp::verify() {
  RankedTensorType type = getValue().getType();
  if (type.getRank() != 0 || !type.getElementType().isInteger(64))
    return emitOpError("expected a scalar tensor<i64>, found ") << type;
  return success();
}
