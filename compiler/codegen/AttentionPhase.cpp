//===- AttentionPhase.cpp - code of kernel.attention ---------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/AttentionPhase.h"
#include "compiler/codegen/AttentionRows.h"

using namespace mlir;
using namespace txc;
using kernel::AttentionOp;
using tx::SymExprAttr;

LogicalResult txc::emitAttention(KernelFunction &function, AttentionOp op) {
  emitAttentionRows(function, op);
  return success();
}

SymExprAttr txc::getAttentionTaskCount(AttentionOp op, const VectorTarget &) {
  return getAttentionRowsTaskCount(op);
}

SymExprAttr txc::getAttentionScratchBytes(AttentionOp op,
                                          const VectorTarget &target) {
  return getAttentionRowsScratchBytes(op, target);
}
