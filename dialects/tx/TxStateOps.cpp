//===- TxStateOps.cpp - what lives from run to run -----------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/tx/Tx.h"

using namespace mlir;
using namespace txc::tx;

/// Dims but the one at `axis`.
static SmallVector<SymExprAttr> getOtherDims(RankedTensorType type,
                                             int64_t axis) {
  SmallVector<SymExprAttr> dims = getDims(type);
  dims.erase(dims.begin() + axis);
  return dims;
}

LogicalResult StateAppendOp::verify() {
  RankedTensorType buffer = getType().getBuffer();
  auto axis = static_cast<int64_t>(getAxis());
  if (axis < 0 || axis >= buffer.getRank() ||
      getX().getType().getRank() != buffer.getRank())
    return emitOpError("axis ")
           << axis << " does not fit " << getX().getType() << " and " << buffer;
  if (getOtherDims(buffer, axis) != getOtherDims(getX().getType(), axis) ||
      buffer.getElementType() != getX().getType().getElementType())
    return emitOpError("only the dim at the axis may differ between ")
           << getX().getType() << " and " << buffer;
  return success();
}

LogicalResult StateReadOp::verify() {
  RankedTensorType buffer = getState().getType().getBuffer();
  if (buffer.getRank() != getType().getRank() ||
      buffer.getElementType() != getType().getElementType())
    return emitOpError("cannot read ") << getType() << " from " << buffer;
  return success();
}
