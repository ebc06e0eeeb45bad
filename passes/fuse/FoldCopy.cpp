//===- FoldCopy.cpp - writing in the order that is read ------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/fuse/Fuse.h"

using namespace mlir;
using namespace txc;
using kernel::MapOp;

/// A map that yields its only input unchanged and writes it in order.
static bool isCopy(MapOp op) {
  Block &body = op.getBodyBlock();
  return op.getInputs().size() == 1 && op.getNumResults() == 1 &&
         op.getTables().empty() && llvm::hasSingleElement(body) &&
         body.getTerminator()->getOperand(0) == body.getArgument(0) &&
         cast<kernel::NestInterface>(*op).getResultMap(0).isIdentity();
}

LogicalResult txc::foldCopy(RewriterBase &rewriter, MapOp copy) {
  if (!isCopy(copy))
    return rewriter.notifyMatchFailure(copy, "the map computes something");
  Value source = copy.getInputs().front();
  Operation *producer = source.getDefiningOp();
  if (!isa_and_present<kernel::NestInterface, kernel::GemmOp,
                       kernel::AttentionOp>(producer) ||
      isa<kernel::AppendOp>(producer) || producer->getNumResults() != 1 ||
      !source.hasOneUse())
    return rewriter.notifyMatchFailure(
        copy,
        "the copied tensor is not the result of one phase, read here only");
  AffineMap read = cast<kernel::NestInterface>(*copy).getInputMap(0);
  if (!read.isPermutation())
    return rewriter.notifyMatchFailure(copy, "the copy is no permutation");
  SmallVector<tx::SymExprAttr> dims =
      tx::getDims(cast<RankedTensorType>(source.getType()));
  for (auto [r, dim] : llvm::enumerate(dims))
    if (copy.getSizes()[read.getDimPosition(r)] != dim)
      return rewriter.notifyMatchFailure(
          copy, "the copy leaves out a part of the tensor");

  // Result dim j of the copy is result dim r of the producer with read(r) = j.
  auto maps = producer->getAttrOfType<ArrayAttr>("maps");
  SmallVector<Attribute> newMaps = llvm::to_vector(maps);
  AffineMap written = cast<AffineMapAttr>(newMaps.back()).getValue();
  SmallVector<AffineExpr> exprs(read.getNumResults());
  for (auto [r, expr] : llvm::enumerate(written.getResults()))
    exprs[read.getDimPosition(r)] = expr;
  newMaps.back() = AffineMapAttr::get(AffineMap::get(
      written.getNumDims(), written.getNumSymbols(), exprs, copy.getContext()));
  rewriter.modifyOpInPlace(producer, [&] {
    producer->setAttr("maps", rewriter.getArrayAttr(newMaps));
    producer->getResult(0).setType(copy.getResult(0).getType());
    producer->setLoc(rewriter.getFusedLoc({producer->getLoc(), copy.getLoc()}));
  });
  rewriter.replaceOp(copy, producer->getResults());
  return success();
}
