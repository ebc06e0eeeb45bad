//===- GroupQueryAttention.cpp - com.microsoft's attention of decoders ----===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// GroupQueryAttention (onnxruntime/docs/ContribOperators.md): causal attention
/// after keys of earlier runs, of which each row of the batch has an own
/// number. The cache is a tensor of as many places as the longest row needs or
/// more.
//
//===----------------------------------------------------------------------===//

#include "python-free-frontend/ops/AttentionParts.h"
#include "python-free-frontend/ops/OpTable.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::Predicate;
using tx::SymExprAttr;

namespace {
/// Places of the operands.
enum Operand : unsigned {
  kQuery,
  kKey,
  kValue,
  kPastKey,
  kPastValue,
  kLengths,
  kTotal,
  kCos,
  kSin,
  kPositions,
  kBias,
  kSink,
};

/// What the steps of the operator share.
struct Rows {
  SymExprAttr batch, queries;
  /// Places of the cache after this run.
  SymExprAttr keys;
  /// [B, 1] of i64: how many keys a row had before.
  Value past;
};
} // namespace

/// [0, size) as a row of i64.
static Value getPlaces(NodeContext &context, SymExprAttr size) {
  Type i64 = context.getBuilder().getI64Type();
  return context.unsqueeze(context.getIota(size, i64), {0});
}

/// The number of keys after this run. Without a past these are the queries; a
/// past may have room for more than is in it.
static FailureOr<SymExprAttr> getKeyCount(NodeContext &context,
                                          SymExprAttr queries) {
  if (!context.getOperand(kPastKey))
    return queries;
  FailureOr<Exprs> total =
      context.getExprs(context.getOperand(kTotal), "its total_sequence_length");
  if (failed(total))
    return failure();
  if (total->size() != 1)
    return context.unsupported("its total_sequence_length must be one number");
  return context.getMax(tx::getDim(context.getType(kPastKey), 2),
                        total->front());
}

static FailureOr<Rows> getRows(NodeContext &context) {
  Exprs dims = tx::getDims(context.getType(kQuery));
  Rows rows{dims[0], dims[1], {}, {}};
  FailureOr<SymExprAttr> keys = getKeyCount(context, rows.queries);
  if (failed(keys))
    return failure();
  rows.keys = *keys;
  // seqlens_k is the number of keys after this run less one. Rows of a first
  // run may be shorter than it is: their queries begin at place 0 all the same.
  Type i64 = context.getBuilder().getI64Type();
  Value lengths = context.cast(context.getOperand(kLengths), i64);
  lengths = context.reshape(lengths, {rows.batch, context.getExpr(1)});
  auto scalar = RankedTensorType::get({}, i64);
  Value fresh = context.getExprTensor(scalar, tx::add(rows.queries, -1));
  rows.past = context.createElementwise<tx::MaximumOp>(
      context.createElementwise<tx::SubOp>(lengths, fresh),
      context.getScalar(i64, 0));
  return rows;
}

/// x [B, H, S, D], turned by the place of each query.
static Value rotate(NodeContext &context, Value x, const Rows &rows,
                    bool interleaved) {
  Value positions = context.getOperand(kPositions);
  if (!positions)
    positions = context.createElementwise<tx::AddOp>(
        rows.past, getPlaces(context, rows.queries));
  auto lookUp = [&](unsigned table) {
    return context.unsqueeze(
        context.create<tx::GatherOp>(context.getOperand(table), positions, 0),
        1);
  };
  return context.create<tx::RotaryEmbeddingOp>(x, lookUp(kCos), lookUp(kSin),
                                               interleaved);
}

/// The cache [B, G, T, D] with `fresh` behind what each row has in `past`.
static Value appendRows(NodeContext &context, Value past, Value fresh,
                        const Rows &rows) {
  if (!fresh || !past)
    return fresh;
  for (int64_t axis : {0, 1, 3})
    past = context.withDim(past, axis, tx::getDim(typeOf(fresh), axis),
                           "dims of past and present keys");
  if (!past)
    return {};
  SymExprAttr zero = context.getExpr(0);
  SmallVector<Attribute> low(4, zero), high(4, zero);
  high[2] = tx::sub(rows.keys, tx::getDim(typeOf(past), 2));
  Builder &builder = context.getBuilder();
  Value cache = context.create<tx::PadOp>(
      past, OptionalOperand(), tx::PadMode::constant, builder.getArrayAttr(low),
      builder.getArrayAttr(high));
  // Place t has the fresh key t - past, if there is one: [B, T].
  Type i64 = builder.getI64Type();
  Value source = context.createElementwise<tx::SubOp>(
      getPlaces(context, rows.keys), rows.past);
  auto scalar = RankedTensorType::get({}, i64);
  Value count = context.getExprTensor(scalar, rows.queries);
  Value first = context.getScalar(i64, 0);
  Value isFresh = context.createElementwise<tx::AndOp>(
      context.createCompare(Predicate::ge, source, first),
      context.createCompare(Predicate::lt, source, count));
  source = context.createSelect(isFresh, source, first);
  Value moved = context.create<tx::GatherNdOp>(
      context.transpose(fresh, {0, 2, 1, 3}), context.unsqueeze(source, {2}),
      int64_t(1));
  return context.createSelect(context.unsqueeze(isFresh, {1, 3}),
                              context.transpose(moved, {0, 2, 1, 3}), cache);
}

/// What is added to the scores [B, H, S, T]: the bias, and -inf where a query
/// must not look.
static Value createMask(NodeContext &context, const Rows &rows, Type type,
                        SymExprAttr heads) {
  int64_t window = context.getInt("local_window_size", -1);
  // Key t against query s: t <= past + s, and within the window.
  Value query = context.createElementwise<tx::AddOp>(
      context.unsqueeze(rows.past, {2}),
      context.unsqueeze(getPlaces(context, rows.queries), {2}));
  Value key = context.unsqueeze(getPlaces(context, rows.keys), {0});
  Value isSeen = context.createCompare(Predicate::le, key, query);
  if (window > 0) {
    Type i64 = context.getBuilder().getI64Type();
    Value distance = context.createElementwise<tx::SubOp>(query, key);
    Value isNear = context.createCompare(
        Predicate::lt, distance,
        context.getScalar(i64, static_cast<double>(window)));
    isSeen = context.createElementwise<tx::AndOp>(isSeen, isNear);
  }
  Value bias = context.getOperand(kBias);
  if (bias) {
    bias = padMask(context, bias, rows.keys, /*mayBeShorter=*/true);
    bias =
        matchMask(context, bias, {rows.batch, heads, rows.queries, rows.keys});
  } else {
    bias = context.getScalar(type, 0);
  }
  return context.createSelect(
      context.unsqueeze(isSeen, {1}), bias,
      context.getScalar(type, -std::numeric_limits<double>::infinity()));
}

/// A key of zeros that has a score of its own in each softmax: the sink of a
/// head, or 0. Its value is zero, too.
static void addSink(NodeContext &context, Value &k, Value &v, Value &mask,
                    Value sink) {
  if (!k || !v || !mask)
    return;
  auto append = [&](Value x, Value last, int64_t axis) {
    Exprs dims = tx::getDims(typeOf(x));
    dims[axis] = context.getExpr(1);
    Value parts[] = {x, context.broadcastTo(last, dims)};
    return parts[1] ? context.create<tx::ConcatOp>(ValueRange(parts), axis)
                    : Value();
  };
  Type type = typeOf(k).getElementType();
  Value zero = context.getScalar(type, 0);
  k = append(k, zero, 2);
  v = append(v, zero, 2);
  if (!sink) {
    mask = append(mask, zero, 3);
    return;
  }
  // The mask has to have a row for each head.
  Exprs dims = tx::getDims(typeOf(mask));
  dims[1] = tx::getDim(typeOf(sink), 0);
  mask = append(context.broadcastTo(mask, dims),
                context.unsqueeze(context.cast(sink, type), {1, 2}), 3);
}

/// q, k and v in four dims, from three operands or side by side in one.
static FailureOr<std::array<Value, 3>>
getHeads(NodeContext &context, int64_t heads, int64_t keyHeads) {
  Value q = context.getOperand(kQuery);
  if (context.getOperand(kKey) && context.getOperand(kValue))
    return std::array{
        splitHeads(context, q, heads),
        splitHeads(context, context.getOperand(kKey), keyHeads),
        splitHeads(context, context.getOperand(kValue), keyHeads)};
  if (context.getOperand(kKey) || context.getOperand(kValue))
    return context.unsupported("key and value come together");
  SymExprAttr size = tx::floorDiv(tx::getDim(context.getType(kQuery), 2),
                                  heads + 2 * keyHeads);
  std::array<Value, 3> parts;
  int64_t start = 0;
  for (auto [part, count] :
       llvm::zip(parts, std::array{heads, keyHeads, keyHeads})) {
    part = splitHeads(
        context,
        context.slice(q, 2, tx::mul(size, start), tx::mul(size, count)), count);
    start += count;
  }
  return parts;
}

/// Refuses what changes the results and is not computed here.
static LogicalResult checkAttributes(NodeContext &context) {
  for (StringRef name : {"k_quant_type", "v_quant_type"})
    if (StringRef type = context.getString(name, "NONE"); type != "NONE")
      return context.unsupported("attribute \"" + name + "\" is \"" + type +
                                     "\"; quantized caches are not supported",
                                 "exporting with a float cache");
  for (StringRef name : {"kv_cache_bit_width", "qk_output"})
    if (context.getInt(name, 0) != 0)
      return context.unsupported("attribute \"" + name + "\" must be 0");
  return success();
}

static NodeResults buildGroupQueryAttention(NodeContext &context) {
  int64_t heads = context.getInt("num_heads", 0);
  int64_t keyHeads = context.getInt("kv_num_heads", 0);
  bool rotates = context.getInt("do_rotary", 0) != 0;
  bool interleaved = context.getInt("rotary_interleaved", 0) != 0;
  bool isSmooth = context.getInt("smooth_softmax", 0) != 0;
  double scale = context.getFloat("scale", 0);
  double softcap = context.getFloat("softcap", 0);
  if (failed(checkAttributes(context)))
    return {};
  if (heads < 1 || keyHeads < 1 || heads % keyHeads != 0 ||
      context.getRank(kQuery) != 3)
    return context.unsupported("expected [batch, sequence, size] and num_heads "
                               "a multiple of kv_num_heads");
  if (rotates && (!context.getOperand(kCos) || !context.getOperand(kSin)))
    return context.unsupported("do_rotary needs cos_cache and sin_cache");
  FailureOr<Rows> rows = getRows(context);
  FailureOr<std::array<Value, 3>> parts = getHeads(context, heads, keyHeads);
  if (failed(rows) || failed(parts))
    return {};
  auto [q, k, v] = *parts;
  for (int64_t axis : {0, 2, 3}) {
    if (!q || !k || !v)
      return {};
    SymExprAttr dim = tx::getDim(typeOf(q), axis);
    k = context.withDim(k, axis, dim, "dims of queries and keys");
    if (axis != 3)
      v = context.withDim(v, axis, dim, "dims of queries and values");
  }
  if (rotates) {
    q = rotate(context, q, *rows, interleaved);
    k = rotate(context, k, *rows, interleaved);
  }
  k = appendRows(context, context.getOperand(kPastKey), k, *rows);
  v = appendRows(context, context.getOperand(kPastValue), v, *rows);
  if (!q || !k || !v)
    return {};
  Value presentKey = k, presentValue = v;
  Type type = typeOf(q).getElementType();
  Value mask = createMask(context, *rows, type, context.getExpr(heads));
  if (isSmooth || context.getOperand(kSink))
    addSink(context, k, v, mask, context.getOperand(kSink));
  scale = resolveScale(context, q, scale);
  Builder &builder = context.getBuilder();
  Value y = context.create<tx::AttentionOp>(
      q, k, v, OptionalOperand{mask}, OptionalOperand(), OptionalOperand(),
      builder.getF64FloatAttr(scale), SymExprAttr(), IntegerAttr(),
      softcap > 0 ? builder.getF64FloatAttr(softcap) : FloatAttr(),
      tx::MaskedRowAttr::get(context.getContext(), tx::MaskedRow::zero),
      SymExprAttr());
  return {mergeHeads(context, y), presentKey, presentValue};
}

OpTable frontend::getGroupQueryAttentionOps() {
  static constexpr OpEntry table[] = {
      {"GroupQueryAttention", 1, 1, 12, buildGroupQueryAttention,
       "com.microsoft"},
  };
  return table;
}
