//===- Control.cpp - ONNX control flow that is decided at compile time ----===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/ops/OpTable.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;

/// The branch that is taken replaces the node; the other one is not looked at.
static NodeResults buildIf(NodeContext &context) {
  const onnx::Graph *thenBranch = context.getGraph("then_branch");
  const onnx::Graph *elseBranch = context.getGraph("else_branch");
  if (!thenBranch || !elseBranch)
    return context.unsupported("one of its branches is missing");
  std::optional<Exprs> condition = tx::matchExprs(context.getOperand(0));
  if (!condition || condition->size() != 1 || !condition->front().getConstant())
    return context.unsupported(
        "its condition is only known in a run",
        "an export without the condition, or -dim to fix what it depends on");
  bool isTrue = !condition->front().isConstant(0);
  return context.inlineGraph(isTrue ? *thenBranch : *elseBranch);
}

OpTable frontend::getControlOps() {
  static constexpr OpEntry table[] = {
      {"If", 1, 1, 1, buildIf},
  };
  return table;
}
