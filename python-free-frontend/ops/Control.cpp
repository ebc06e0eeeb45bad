//===- Control.cpp - ONNX branches ---------------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/ops/OpTable.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;

/// Where the condition is known, the branch that is taken replaces the node;
/// the other one is not looked at.
static NodeResults buildIf(NodeContext &context) {
  const onnx::Graph *thenBranch = context.getGraph("then_branch");
  const onnx::Graph *elseBranch = context.getGraph("else_branch");
  if (!thenBranch || !elseBranch)
    return context.unsupported("one of its branches is missing");
  if (!thenBranch->inputs.empty() || !elseBranch->inputs.empty() ||
      !context.getElementType(0).isInteger(1))
    return context.unsupported("a branch has inputs, or the condition is no "
                               "boolean");
  std::optional<Exprs> condition = tx::matchExprs(context.getOperand(0));
  if (!condition || condition->size() != 1 || !condition->front().getConstant())
    return context.branch(context.getOperand(0), *thenBranch, *elseBranch);
  bool isTrue = !condition->front().isConstant(0);
  return context.inlineGraph(isTrue ? *thenBranch : *elseBranch);
}

OpTable frontend::getControlOps() {
  static constexpr OpEntry table[] = {
      {"If", 1, 1, 1, buildIf},
  };
  return table;
}
