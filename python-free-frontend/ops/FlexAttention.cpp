//===- FlexAttention.cpp - ONNX's FlexAttention ---------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Attention whose scores and probabilities a subgraph of the model may change.
/// It is written out, as the operator's function body has it; a pass finds the
/// attention in it where the subgraphs leave one.
//
//===----------------------------------------------------------------------===//

#include "python-free-frontend/ops/AttentionParts.h"
#include "python-free-frontend/ops/MatmulBuilder.h"
#include "python-free-frontend/ops/OpTable.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::SymExprAttr;

/// x through the subgraph in an attribute, if it is there.
static Value modify(NodeContext &context, StringRef name, Value x) {
  const onnx::Graph *graph = context.getGraph(name);
  if (!graph || !x)
    return x;
  NodeResults results = context.inlineGraph(*graph, x);
  if (results.failed())
    return {};
  Value y = results.getValues().front();
  if (results.getValues().size() != 1 || y.getType() != x.getType())
    return context.unsupported("\"" + name +
                               "\" must keep the dims and the type");
  return y;
}

/// Operands: q [B, H, S, D], k and v with H or a divisor of it as heads.
static NodeResults buildFlexAttention(NodeContext &context) {
  for (unsigned i : {0, 1, 2})
    if (context.getRank(i) != 4)
      return context.unsupported("q, k and v must have four dims");
  Type type = context.getElementType(0);
  Type wide = type.isF64() ? type : context.getBuilder().getF32Type();
  wide = context.getTypeAttribute("softmax_precision", wide);
  double scale = context.getFloat("scale", 0);
  SymExprAttr heads = tx::getDim(context.getType(0), 1);
  Value q = context.getOperand(0);
  q = scale == 0 ? scaleBySize(context, q, tx::getDim(context.getType(0), 3))
                 : context.create<tx::MulOp>(q, context.getScalar(type, scale));
  Value k = repeatHeads(context, context.getOperand(1), heads);
  Value v = repeatHeads(context, context.getOperand(2), heads);
  Value scores = context.cast(
      createMatmul(context, q, context.transpose(k, {0, 1, 3, 2})), wide);
  scores = modify(context, "score_mod", scores);
  Value shares =
      context.create<tx::SoftmaxOp>(scores, int64_t(3), /*log=*/false);
  shares = modify(context, "prob_mod", shares);
  return createMatmul(context, context.cast(shares, type), v);
}

OpTable frontend::getFlexAttentionOps() {
  static constexpr OpEntry table[] = {
      {"FlexAttention", 1, 3, 3, buildFlexAttention, "ai.onnx.preview"},
  };
  return table;
}
