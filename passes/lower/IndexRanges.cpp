//===- IndexRanges.cpp - inputs that are indices -------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/lower/IndexRanges.h"
#include "dialects/tx/Tx.h"

using namespace mlir;
using namespace txc;

/// The argument whose elements `indices` has, if it only moves them.
static BlockArgument getSource(Value indices) {
  while (Operation *op = indices.getDefiningOp()) {
    if (!isa<tx::ReshapeOp, tx::TransposeOp, tx::BroadcastOp, tx::SliceOp,
             tx::CastOp>(op))
      return nullptr;
    indices = op->getOperand(0);
  }
  return cast<BlockArgument>(indices);
}

void txc::annotateIndexRanges(func::FuncOp function) {
  Builder b(function.getContext());
  for (auto gather : function.getBody().front().getOps<tx::GatherOp>()) {
    BlockArgument source = getSource(gather.getIndices());
    int64_t size = gather.getX().getType().getDimSize(
        static_cast<unsigned>(gather.getAxis()));
    if (!source || ShapedType::isDynamic(size))
      continue;
    unsigned number = source.getArgNumber();
    auto known = function.getArgAttrOfType<ArrayAttr>(
        number, StringRef("tx.index_range"));
    if (known)
      size = std::min(size, cast<IntegerAttr>(known[1]).getInt());
    function.setArgAttr(number, "tx.index_range", b.getI64ArrayAttr({0, size}));
  }
}
