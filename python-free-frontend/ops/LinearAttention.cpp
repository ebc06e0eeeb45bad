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

/// The decay: [B, T, H * K], or [B, T, H] where it is the same for a head.
static Value getDecay(NodeContext &context, int64_t heads, Type type) {
  return context.unsqueeze(
      splitLast(context, context.getOperand(4), heads, type), {4});
}

/// The rate of the updates: [B, T, H], or [B, T, 1] for all heads.
static Value getBeta(NodeContext &context, Type type) {
  return context.unsqueeze(context.cast(context.getOperand(5), type), {3, 4});
}

/// x, whose first dims are those that all operands have in common.
static Value alignDims(NodeContext &context, Value x,
                       ArrayRef<SymExprAttr> dims) {
  for (auto [axis, dim] : llvm::enumerate(dims))
    x = context.withDim(x, static_cast<int64_t>(axis), context.resolve(dim),
                        "dims of LinearAttention's inputs");
  return x;
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
  for (auto [index, isNeeded] : {std::pair(4u, isGated), {5u, isDelta}})
    if (isNeeded && !context.getOperand(index))
      return context.unsupported("its update rule needs input " + Twine(index));
  Sequence result;
  Value q = splitLast(context, context.getOperand(0), queryHeads, type);
  if (!q)
    return failure();
  SymExprAttr keys = context.getExpr(heads);
  SymExprAttr group = context.getExpr(queryHeads / heads);
  Exprs dims = tx::getDims(typeOf(q));
  result.q = context.reshape(q, {dims[0], dims[1], keys, group, dims.back()});
  result.k =
      alignDims(context, splitLast(context, context.getOperand(1), heads, type),
                {dims[0], dims[1], keys, dims[3]});
  result.v =
      alignDims(context, splitLast(context, context.getOperand(2), heads, type),
                {dims[0], dims[1]});
  if (!result.k || !result.v)
    return failure();
  SymExprAttr values = tx::getDims(typeOf(result.v)).back();
  result.k = context.unsqueeze(result.k, {4});
  result.v = context.unsqueeze(result.v, {3});
  if (isGated)
    result.decay =
        alignDims(context, getDecay(context, heads, type), {dims[0], dims[1]});
  if (isDelta)
    result.beta =
        alignDims(context, getBeta(context, type), {dims[0], dims[1]});
  Exprs stateDims = {dims[0], keys, dims[3], values};
  for (SymExprAttr &dim : stateDims)
    dim = context.resolve(dim);
  result.state =
      context.getOperand(3)
          ? alignDims(context, context.cast(context.getOperand(3), type),
                      stateDims)
          : context.broadcastTo(context.getScalar(type, 0), stateDims);
  if (context.hasFailed() || !result.state)
    return failure();
  return result;
}

/// The state after a step, and what the queries read of it, [B, H, G, V].
static std::pair<Value, Value> advance(NodeContext &context,
                                       const Sequence &sequence,
                                       SymExprAttr index, Value state) {
  auto take = [&](Value x) { return takeStep(context, x, 1, index); };
  Value k = take(sequence.k), v = take(sequence.v);
  if (sequence.decay)
    state = context.createElementwise<tx::MulOp>(
        state, context.create<tx::ExpOp>(take(sequence.decay)));
  if (sequence.beta) {
    Value known =
        createMatmul(context, context.transpose(k, {0, 1, 3, 2}), state);
    v = context.createElementwise<tx::MulOp>(
        context.createElementwise<tx::SubOp>(v, known), take(sequence.beta));
  }
  state = context.createElementwise<tx::AddOp>(
      state, context.createElementwise<tx::MulOp>(k, v));
  return {state, createMatmul(context, take(sequence.q), state)};
}

/// The last state, and the outputs of all steps, [T, B, H, G, V].
static std::pair<Value, Value> runSteps(NodeContext &context,
                                        const Sequence &sequence) {
  SymExprAttr length = tx::getDim(typeOf(sequence.q), 1);
  Value state = sequence.state;
  if (std::optional<int64_t> steps = getWrittenSteps(length)) {
    SmallVector<Value> outputs(*steps);
    for (auto [t, output] : llvm::enumerate(outputs))
      std::tie(state, output) = advance(
          context, sequence, context.getExpr(static_cast<int64_t>(t)), state);
    return {state, stackSteps(context, outputs, 0)};
  }
  Exprs dims = tx::getDims(typeOf(state));
  NodeResults results = context.loop(
      {length, {}, {state}}, [&](SymExprAttr index, ArrayRef<Value> carried) {
        auto [next, output] =
            advance(context, sequence, index, carried.front());
        // A decay that broadcasts leaves the dims as they were.
        return NodeResults({alignDims(context, next, dims), output});
      });
  if (results.failed())
    return {};
  return {results.getValues()[0], results.getValues()[1]};
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
  if (scale == 0)
    sequence->q = scaleBySize(context, sequence->q,
                              tx::getDims(typeOf(sequence->q)).back());
  else
    sequence->q =
        context.create<tx::MulOp>(sequence->q, context.getScalar(wide, scale));
  if (!sequence->q)
    return {};
  auto [state, outputs] = runSteps(context, *sequence);
  Value y = context.transpose(outputs, {1, 0, 2, 3, 4});
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
