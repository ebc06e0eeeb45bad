//===- TxElementwiseOps.cpp - types of element-wise ops ------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/tx/TxFold.h"

using namespace mlir;
using namespace txc::tx;

/// The dim that `lhs` and `rhs` broadcast to; null if they don't.
static SymExprAttr broadcastDim(SymExprAttr lhs, SymExprAttr rhs) {
  if (lhs == rhs || rhs.isConstant(1))
    return lhs;
  return lhs.isConstant(1) ? rhs : nullptr;
}

LogicalResult txc::tx::inferBroadcastType(std::optional<Location> loc,
                                          ValueRange operands, Type elementType,
                                          SmallVectorImpl<Type> &types) {
  SmallVector<SymExprAttr> dims;
  Type operandElementType;
  for (Value operand : operands) {
    auto type = cast<RankedTensorType>(operand.getType());
    if (!elementType && operandElementType &&
        operandElementType != type.getElementType())
      return emitOptionalError(
          loc, "operands must have one element type, found ",
          operandElementType, " and ", type.getElementType());
    operandElementType = type.getElementType();
    SmallVector<SymExprAttr> operandDims = getDims(type);
    if (operandDims.size() > dims.size())
      dims.insert(dims.begin(), operandDims.size() - dims.size(),
                  getConstantExpr(type.getContext(), 1));
    size_t offset = dims.size() - operandDims.size();
    for (auto [index, dim] : llvm::enumerate(operandDims)) {
      SymExprAttr &result = dims[offset + index];
      SymExprAttr broadcast = broadcastDim(result, dim);
      if (!broadcast)
        return emitOptionalError(loc, "dims ", result.str(), " and ", dim.str(),
                                 " do not broadcast");
      result = broadcast;
    }
  }
  types.push_back(
      getTensorType(dims, elementType ? elementType : operandElementType));
  return success();
}

LogicalResult SelectOp::verify() {
  if (!getElementTypeOrSelf(getCondition().getType()).isInteger(1))
    return emitOpError("the condition must be an i1 tensor, found ")
           << getCondition().getType();
  Type lhs = getElementTypeOrSelf(getLhs().getType());
  Type rhs = getElementTypeOrSelf(getRhs().getType());
  if (lhs != rhs)
    return emitOpError("both values must have one element type, found ")
           << lhs << " and " << rhs;
  return success();
}

LogicalResult CastOp::verify() {
  if (getDims(getX().getType()) != getDims(getResult().getType()))
    return emitOpError("a cast keeps the dims, found ")
           << getX().getType() << " and " << getResult().getType();
  return success();
}

OpFoldResult CastOp::fold(FoldAdaptor adaptor) {
  if (getX().getType() == getType())
    return getX();
  return foldElementwise(*this, adaptor.getOperands());
}
