//===- Attention.cpp - ONNX attention and rotary embeddings ---------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Attention (opset 23; 24 adds nonpad_kv_seqlen, 25 windows) becomes one
/// tx.attention. Its position limits are attributes where one offset holds for
/// the whole batch, and a computed mask where each row has its own.
//
//===----------------------------------------------------------------------===//

#include "python-free-frontend/ops/AttentionParts.h"
#include "python-free-frontend/ops/MatmulBuilder.h"
#include "python-free-frontend/ops/OpTable.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::Predicate;
using tx::SymExprAttr;

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

namespace {
/// The operands in four dims, with the past in front.
struct Heads {
  Value q, k, v;
  SymExprAttr pastLength;
};
} // namespace

static FailureOr<Heads> getHeads(NodeContext &context) {
  Heads heads = {context.getOperand(0), context.getOperand(1),
                 context.getOperand(2), context.getExpr(0)};
  int64_t qHeads = context.getInt("q_num_heads", 0);
  int64_t kvHeads = context.getInt("kv_num_heads", 0);
  int64_t rank = context.getRank(0);
  if ((rank != 3 && rank != 4) || context.getRank(1) != rank ||
      context.getRank(2) != rank)
    return context.unsupported("Q, K and V must all have three or four dims");
  if (rank == 3) {
    if (qHeads < 1 || kvHeads < 1)
      return context.unsupported(
          "inputs of three dims need q_num_heads and kv_num_heads");
    heads.q = splitHeads(context, heads.q, qHeads);
    heads.k = splitHeads(context, heads.k, kvHeads);
    heads.v = splitHeads(context, heads.v, kvHeads);
  }
  Value pastKey = context.getOperand(4), pastValue = context.getOperand(5);
  if (!pastKey != !pastValue)
    return context.unsupported("past_key and past_value come together");
  if (!heads.q || !heads.k || !heads.v)
    return failure();
  if (pastKey) {
    if (context.getRank(4) != 4 || context.getRank(5) != 4)
      return context.unsupported("past_key and past_value must be of rank 4");
    Value alike =
        context.withDim(pastValue, 2, tx::getDim(context.getType(4), 2),
                        "the lengths of past keys and values");
    if (!alike)
      return failure();
    heads.pastLength = tx::getDim(context.getType(4), 2);
    heads.k = appendToPast(context, pastKey, heads.k);
    heads.v = appendToPast(context, alike, heads.v);
  }
  return heads;
}

/// Makes equal what softmax(q kᵀ) v demands to be.
static void matchHeads(NodeContext &context, Heads &heads) {
  auto match = [&](Value &x, int64_t axis, Value other, StringRef what) {
    if (x && other)
      x = context.withDim(x, axis, tx::getDim(typeOf(other), axis), what);
  };
  match(heads.k, 0, heads.q, "batches");
  match(heads.v, 0, heads.q, "batches");
  match(heads.k, 3, heads.q, "head sizes");
  match(heads.v, 1, heads.k, "heads");
  match(heads.v, 2, heads.k, "the lengths of keys and values");
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

namespace {
/// What goes into the scores, for the output that shows them.
struct Scores {
  Value q, k, mask, lengths;
  double scale, softcap;
  SymExprAttr causal;
  IntegerAttr window;
};
} // namespace

/// The fourth output: the scores at a stage that `mode` picks (0 the product, 1
/// after the cap, 2 with the mask, 3 after the softmax).
static Value createScores(NodeContext &context, const Scores &s, int64_t mode) {
  Type type = typeOf(s.q).getElementType();
  SymExprAttr heads = tx::getDim(typeOf(s.q), 1);
  Value k = repeatHeads(context, s.k, heads);
  Value scores = createMatmul(context, s.q, context.transpose(k, {0, 1, 3, 2}));
  scores = context.create<tx::MulOp>(scores, context.getScalar(type, s.scale));
  if (mode >= 1 && s.softcap > 0) {
    Value cap = context.getScalar(type, s.softcap);
    Value ratio = context.create<tx::DivOp>(scores, cap);
    scores = context.create<tx::MulOp>(context.create<tx::TanhOp>(ratio), cap);
  }
  if (mode < 2 || !scores)
    return scores;
  Value mask = s.mask;
  Exprs dims = tx::getDims(typeOf(scores));
  Value never =
      context.getScalar(type, -std::numeric_limits<double>::infinity());
  if (s.causal) {
    KeyWindow window;
    window.right = 0;
    if (s.window)
      window.left = s.window.getInt() - 1;
    mask = restrictMask(
        context, mask,
        createWindowMask(context, window, Value(), s.causal, dims[2], dims[3]),
        type);
  }
  if (s.lengths) {
    SymExprAttr one = context.getExpr(1);
    Type i64 = context.getBuilder().getI64Type();
    Value places = context.getIota(dims[3], i64);
    Value ends = context.reshape(s.lengths, {dims[0], one, one, one});
    mask = restrictMask(
        context, mask,
        context.create<tx::CompareOp>(Predicate::lt, places, ends), type);
  }
  if (mask && typeOf(mask).getElementType().isInteger(1))
    scores = context.createSelect(mask, scores, never);
  else if (mask)
    scores = context.createElementwise<tx::AddOp>(scores, mask);
  if (mode < 3)
    return scores;
  // A row without keys is zero.
  Value most = context.create<tx::ReduceOp>(scores, tx::ReduceKind::max,
                                            ArrayRef<int64_t>(3));
  Value isMasked = context.create<tx::CompareOp>(Predicate::eq, most, never);
  return context.create<tx::SelectOp>(
      isMasked, context.getScalar(type, 0),
      context.create<tx::SoftmaxOp>(scores, int64_t(3), /*log=*/false));
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

static FailureOr<KeyWindow> getWindow(NodeContext &context) {
  KeyWindow window;
  int64_t left = context.getInt("left_window_size", -1);
  int64_t right = context.getInt("right_window_size", -1);
  if (left < -1 || right < -1)
    return context.unsupported("a window size is below -1");
  if (left >= 0)
    window.left = left;
  if (right >= 0)
    window.right = right;
  if (context.getInt("is_causal", 0) != 0)
    window.right = 0;
  return window;
}

static NodeResults buildAttention(NodeContext &context) {
  double scale = context.getFloat("scale", 0);
  double softcap = context.getFloat("softcap", 0);
  int64_t scoresMode = context.getInt("qk_matmul_output_mode", 0);
  // tx computes the softmax in f32 or better (f64 for f64 operands).
  (void)context.getInt("softmax_precision", 0);
  FailureOr<KeyWindow> window = getWindow(context);
  FailureOr<Heads> heads = getHeads(context);
  if (failed(heads) || failed(window))
    return {};
  matchHeads(context, *heads);
  if (!heads->q || !heads->k || !heads->v)
    return {};
  Type type = context.getElementType(0);
  SymExprAttr queries = tx::getDim(typeOf(heads->q), 2);
  SymExprAttr keys = tx::getDim(typeOf(heads->k), 2);
  SymExprAttr offset = context.resolve(heads->pastLength);
  Value mask = context.getOperand(3);
  if (mask) {
    if (typeOf(mask).getRank() == 0)
      return context.unsupported("its mask has no dims");
    mask = padMask(context, mask, keys, context.getOperand(6) != nullptr);
    mask = matchMask(context, mask,
                     {tx::getDim(typeOf(heads->q), 0),
                      tx::getDim(typeOf(heads->q), 1), queries, keys});
    if (!mask)
      return {};
    queries = context.resolve(queries);
    keys = context.resolve(keys);
    offset = context.resolve(offset);
    if (!typeOf(mask).getElementType().isInteger(1))
      mask = context.cast(mask, type);
  }
  Value lengths = context.getOperand(6);
  if (lengths) {
    lengths = context.cast(lengths, context.getBuilder().getI64Type());
    lengths =
        context.withDim(lengths, 0, tx::getDim(typeOf(heads->q), 0), "batches");
  }

  // One offset for all rows: attributes say it. Else the mask must.
  bool isExplicit =
      (window->left || window->right) && (lengths || !window->right);
  tx::SymExprAttr causal;
  IntegerAttr windowSize;
  if (isExplicit) {
    if (lengths)
      offset = tx::mul(queries, -1);
    Value allowed =
        createWindowMask(context, *window, lengths, offset, queries, keys);
    mask = restrictMask(context, mask, allowed, type);
  } else if (window->right) {
    causal = tx::add(offset, *window->right);
    if (window->left)
      windowSize = context.getBuilder().getI64IntegerAttr(*window->left +
                                                          *window->right + 1);
  }
  scale = resolveScale(context, heads->q, scale);
  if (!heads->q)
    return {};
  Builder &builder = context.getBuilder();
  Value k = heads->k, v = heads->v;
  SymExprAttr headCount = tx::getDim(typeOf(heads->q), 1);
  if (!headCount.getConstant() || !tx::getDim(typeOf(k), 1).getConstant()) {
    // Only a run knows how many query heads share a key head.
    k = repeatHeads(context, k, headCount);
    v = repeatHeads(context, v, headCount);
  }
  Value y = context.create<tx::AttentionOp>(
      heads->q, k, v, OptionalOperand{mask}, OptionalOperand{lengths},
      OptionalOperand(), builder.getF64FloatAttr(scale), causal, windowSize,
      softcap > 0 ? builder.getF64FloatAttr(softcap) : FloatAttr(),
      tx::MaskedRowAttr::get(context.getContext(), tx::MaskedRow::zero),
      SymExprAttr());
  if (context.getRank(0) == 3)
    y = mergeHeads(context, y);
  if (!context.wantsOutput(3))
    return {y, heads->k, heads->v};
  // Up to opset 24 the mask was mode 1 and the cap mode 2, of which onnx's
  // reference took the newer meaning back; only softcaps tell them apart.
  Value scores = createScores(
      context, {heads->q, k, mask, lengths, scale, softcap, causal, windowSize},
      scoresMode);
  return {y, heads->k, heads->v, scores};
}

//===----------------------------------------------------------------------===//
// Rotary embeddings
//===----------------------------------------------------------------------===//

static NodeResults buildRotaryEmbedding(NodeContext &context) {
  bool interleaved = context.getInt("interleaved", 0) != 0;
  int64_t heads = context.getInt("num_heads", 0);
  // The width of cos says it too.
  (void)context.getInt("rotary_embedding_dim", 0);
  int64_t rank = context.getRank(0);
  if (rank != 4 && !(rank == 3 && heads > 0))
    return context.unsupported(
        "its input must have four dims, or three and num_heads");
  Value x = context.getOperand(0);
  Value cos = context.getOperand(1), sin = context.getOperand(2);
  if (Value positions = context.getOperand(3)) {
    cos = context.create<tx::GatherOp>(cos, positions, 0);
    sin = context.create<tx::GatherOp>(sin, positions, 0);
  }
  if (!cos || !sin || typeOf(cos).getRank() != 3 || typeOf(sin).getRank() != 3)
    return context.unsupported("cos and sin must be [batch, sequence, size]");
  Exprs dims = tx::getDims(context.getType(0));
  if (rank == 3)
    x = context.reshape(x, {dims[0], dims[1], context.getExpr(heads),
                            tx::floorDiv(dims[2], heads)});
  // [B, H, S, D], or [B, S, H, D] from three dims.
  int64_t headAxis = rank == 4 ? 1 : 2;
  if (failed(context.unify(tx::getDim(typeOf(cos), 0), dims[0], "batches")) ||
      failed(context.unify(tx::getDim(typeOf(cos), 1),
                           context.resolve(dims[rank == 4 ? 2 : 1]),
                           "the lengths of the input and of cos")))
    return {};
  Value result = context.create<tx::RotaryEmbeddingOp>(
      x, context.unsqueeze(cos, headAxis), context.unsqueeze(sin, headAxis),
      interleaved);
  return rank == 4 ? result
                   : context.reshape(result, tx::getDims(context.getType(0)));
}

OpTable frontend::getAttentionOps() {
  static constexpr OpEntry table[] = {
      {"Attention", 23, 3, 7, buildAttention},
      {"RotaryEmbedding", 23, 3, 4, buildRotaryEmbedding},
  };
  return table;
}
