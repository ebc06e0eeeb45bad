//===- LinearAttention.cpp - ONNX's LinearAttention -----------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Attention without a softmax, as the recurrence of its state S [B, H, K, V]:
/// S = exp(decay) S + k (x) v for each place of the sequence, and y = q S. The
/// delta rules write beta (v - k S) in place of v.
//
//===----------------------------------------------------------------------===//

#include "python-free-frontend/ops/AttentionParts.h"
#include "python-free-frontend/ops/MatmulBuilder.h"
#include "python-free-frontend/ops/OpTable.h"
#include "python-free-frontend/ops/Steps.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::SymExprAttr;

namespace {
/// The operands with a dim for the heads, [B, T, H, ...], as floats.
struct Sequence {
  /// q is [B, T, H, G, K] for G query heads a key head, k [B, T, H, K, 1],
  /// v [B, T, H, 1, V].
  Value q, k, v;
  /// Null, or [B, T, H or 1, K or 1, 1].
  Value decay, beta;
  Value state;
};
} // namespace

/// [B, T, heads * size] to [B, T, heads, size].
static Value splitLast(NodeContext &context, Value x, int64_t heads,
                       Type type) {
  if (!x)
    return {};
  Exprs dims = tx::getDims(typeOf(x));
  SymExprAttr size = tx::floorDiv(dims.back(), heads);
  dims.back() = context.getExpr(heads);
  dims.push_back(size);
  return context.cast(context.reshape(x, dims), type);
}

/// A gate of `heads` columns, of one for all heads or, if `isVector`, of a
/// vector a head.
static Value getGate(NodeContext &context, unsigned index, int64_t heads,
                     Type type) {
  Value gate = context.getOperand(index);
  if (!gate)
    return context.unsupported("its update rule needs input " + Twine(index));
  SymExprAttr columns = tx::getDims(context.getType(index)).back();
  return context.unsqueeze(
      splitLast(context, gate, columns.isConstant(1) ? 1 : heads, type), {4});
}

static FailureOr<Sequence> getSequence(NodeContext &context, Type type,
                                       bool isGated, bool isDelta) {
  int64_t heads = context.getInt("kv_num_heads", 0);
  int64_t queryHeads = context.getInt("q_num_heads", 0);
  if (heads < 1 || queryHeads < 1 || queryHeads % heads != 0)
    return context.unsupported("q_num_heads must be a multiple of "
                               "kv_num_heads");
  for (unsigned i : {0, 1, 2})
    if (context.getRank(i) != 3)
      return context.unsupported("expected [batch, sequence, heads * size]");
  Sequence result;
  Value q = splitLast(context, context.getOperand(0), queryHeads, type);
  result.k = splitLast(context, context.getOperand(1), heads, type);
  result.v = splitLast(context, context.getOperand(2), heads, type);
  if (!q || !result.k || !result.v)
    return failure();
  Exprs dims = tx::getDims(typeOf(q));
  result.q = context.reshape(q, {dims[0], dims[1], context.getExpr(heads),
                                 context.getExpr(queryHeads / heads), dims[3]});
  result.k = context.unsqueeze(result.k, {4});
  result.v = context.unsqueeze(result.v, {3});
  if (isGated)
    result.decay = getGate(context, 4, heads, type);
  if (isDelta)
    result.beta = getGate(context, 5, heads, type);
  SymExprAttr values = tx::getDims(typeOf(result.v)).back();
  result.state = context.getOperand(3)
                     ? context.cast(context.getOperand(3), type)
                     : context.broadcastTo(
                           context.getScalar(type, 0),
                           {dims[0], context.getExpr(heads), dims[3], values});
  if (context.hasFailed() || !result.state)
    return failure();
  return result;
}

static NodeResults buildLinearAttention(NodeContext &context) {
  StringRef rule = context.getString("update_rule", "gated_delta");
  bool isGated = rule.starts_with("gated"), isDelta = rule.ends_with("delta");
  if (!isGated && !isDelta && rule != "linear")
    return context.unsupported("unknown update_rule \"" + rule + "\"");
  (void)context.getInt("chunk_size", 64); // how to compute, not what
  double scale = context.getFloat("scale", 0);
  Type type = context.getElementType(0);
  Type wide = type.getIntOrFloatBitWidth() < 32
                  ? Type(context.getBuilder().getF32Type())
                  : type;
  FailureOr<Sequence> sequence = getSequence(context, wide, isGated, isDelta);
  if (failed(sequence))
    return {};
  Exprs dims = tx::getDims(typeOf(sequence->q));
  FailureOr<int64_t> steps =
      getStepCount(context, dims[1], "the length of the sequence");
  if (failed(steps))
    return {};
  if (scale == 0)
    sequence->q = scaleBySize(context, sequence->q, dims[4]);
  else
    sequence->q =
        context.create<tx::MulOp>(sequence->q, context.getScalar(wide, scale));
  Value state = sequence->state;
  SmallVector<Value> outputs;
  for (int64_t t = 0; t < *steps; ++t) {
    auto take = [&](Value x) { return takeStep(context, x, 1, t); };
    Value k = take(sequence->k), v = take(sequence->v);
    if (isGated)
      state = context.createElementwise<tx::MulOp>(
          state, context.create<tx::ExpOp>(take(sequence->decay)));
    if (isDelta) {
      Value known =
          createMatmul(context, context.transpose(k, {0, 1, 3, 2}), state);
      v = context.createElementwise<tx::MulOp>(
          context.createElementwise<tx::SubOp>(v, known), take(sequence->beta));
    }
    state = context.createElementwise<tx::AddOp>(
        state, context.createElementwise<tx::MulOp>(k, v));
    outputs.push_back(createMatmul(context, take(sequence->q), state));
  }
  Value y = stackSteps(context, outputs, 1);
  if (!y)
    return {};
  Exprs full = tx::getDims(typeOf(y));
  y = context.reshape(
      y, {full[0], full[1], tx::mul(tx::mul(full[2], full[3]), full[4])});
  Type stateType = context.getOperand(3) ? context.getElementType(3) : type;
  return {context.cast(y, type), context.cast(state, stateType)};
}

OpTable frontend::getLinearAttentionOps() {
  static constexpr OpEntry table[] = {
      {"LinearAttention", 27, 3, 6, buildLinearAttention},
  };
  return table;
}
