//===- MicrosoftAttention.cpp - com.microsoft's attention operators -------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Attention, MultiHeadAttention and RotaryEmbedding as ONNX Runtime's
/// optimizer writes them (onnxruntime/docs/ContribOperators.md). A masked key
/// has `mask_filter_value` added to its score, which is finite.
//
//===----------------------------------------------------------------------===//

#include "python-free-frontend/ops/AttentionParts.h"
#include "python-free-frontend/ops/MatmulBuilder.h"
#include "python-free-frontend/ops/OpTable.h"
#include "python-free-frontend/ops/Quantizer.h"
#include "python-free-frontend/ops/Steps.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::SymExprAttr;

//===----------------------------------------------------------------------===//
// What both have
//===----------------------------------------------------------------------===//

namespace {
/// In four dims; keys and values with the past in front.
struct Operands {
  Value q, k, v;
  SymExprAttr pastLength;
};
} // namespace

/// Which of T keys each row has, [B, T], by a mask of rank 1: the number of
/// keys in each row, or these ends and then the starts of all rows.
static Value getKeysInRange(NodeContext &context, Value mask, SymExprAttr batch,
                            SymExprAttr keys) {
  SymExprAttr size = tx::getDim(typeOf(mask), 0);
  bool hasStarts = size == tx::mul(batch, 2);
  if (!hasStarts)
    mask = context.withDim(mask, 0, batch, "the mask's rows and the batch");
  if (!mask)
    return {};
  Type type = typeOf(mask).getElementType();
  Value place = context.getIota(keys, type);
  auto getBounds = [&](SymExprAttr start) {
    return context.unsqueeze(context.slice(mask, 0, start, batch), {1});
  };
  Value isInside = context.createCompare(tx::Predicate::lt, place,
                                         getBounds(context.getExpr(0)));
  if (!hasStarts)
    return isInside;
  return context.createElementwise<tx::AndOp>(
      isInside,
      context.createCompare(tx::Predicate::ge, place, getBounds(batch)));
}

/// 0 where a mask of integers is set, else the filter value: [B, T] becomes
/// [B, 1, 1, T] and [B, S, T] [B, 1, S, T]. Of rank 1 see getKeysInRange().
static Value createPaddingMask(NodeContext &context, Value mask, Type type,
                               SymExprAttr batch, SymExprAttr keys) {
  double filter = context.getFloat("mask_filter_value", -10000);
  if (!mask)
    return {};
  int64_t rank = typeOf(mask).getRank();
  if (rank < 1 || rank > 3)
    return context.unsupported("its mask must have one to three dims, found " +
                                   Twine(rank),
                               "a model with a mask of zeros and ones");
  Value isSet = rank == 1
                    ? getKeysInRange(context, mask, batch, keys)
                    : context.cast(mask, context.getBuilder().getI1Type());
  Value bias = context.createSelect(isSet, context.getScalar(type, 0),
                                    context.getScalar(type, filter));
  SmallVector<int64_t> inserted = {1};
  if (rank < 3)
    inserted.push_back(2);
  return context.unsqueeze(bias, inserted);
}

/// The result [B, S, H*D]. The mask, of integers, and the bias of the scores
/// may be null.
static Value createAttention(NodeContext &context, Operands x, Value keyMask,
                             Value bias) {
  double scale = context.getFloat("scale", 0);
  bool isCausal = context.getInt("unidirectional", 0) != 0;
  if (!x.q || !x.k || !x.v)
    return {};
  auto dim = [](Value value, int64_t axis) {
    return tx::getDim(typeOf(value), axis);
  };
  x.k = context.withDim(x.k, 0, dim(x.q, 0), "batches");
  x.v = context.withDim(x.v, 0, dim(x.q, 0), "batches");
  if (!x.k || !x.v)
    return {};
  x.k = context.withDim(x.k, 1, dim(x.q, 1), "heads");
  x.v = context.withDim(x.v, 1, dim(x.q, 1), "heads");
  if (!x.k || !x.v)
    return {};
  x.k = context.withDim(x.k, 3, dim(x.q, 3), "head sizes");
  x.v = context.withDim(x.v, 2, dim(x.k, 2), "the lengths of keys and values");
  if (!x.k || !x.v)
    return {};
  SmallVector<SymExprAttr> scores = {dim(x.q, 0), dim(x.q, 1), dim(x.q, 2),
                                     dim(x.k, 2)};
  Value padding = createPaddingMask(
      context, keyMask, typeOf(x.q).getElementType(), scores[0], scores[3]);
  Value mask = matchMask(context, padding, scores);
  Value other = matchMask(context, bias, scores);
  if (mask && other)
    mask = context.createElementwise<tx::AddOp>(mask, other);
  else
    mask = mask ? mask : other;
  if (context.hasFailed())
    return {};
  scale = resolveScale(context, x.q, scale);
  Builder &builder = context.getBuilder();
  return mergeHeads(
      context,
      context.create<tx::AttentionOp>(
          x.q, x.k, x.v, OptionalOperand{mask}, OptionalOperand(),
          OptionalOperand(), builder.getF64FloatAttr(scale),
          isCausal ? context.resolve(x.pastLength) : SymExprAttr(),
          IntegerAttr(), FloatAttr(),
          tx::MaskedRowAttr::get(context.getContext(), tx::MaskedRow::uniform),
          SymExprAttr()));
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// Attention of queries, keys and values side by side in the last dim of
/// `product`, after a past [2, B, H, P, D]. Outputs: y, present.
static NodeResults attendPacked(NodeContext &context, Value product, Value mask,
                                Value past, Value bias) {
  int64_t heads = context.getInt("num_heads", 0);
  for (StringRef name : {"do_rotary", "past_present_share_buffer"})
    if (context.getInt(name, 0) != 0)
      return context.unsupported("attribute \"" + name + "\" must be 0",
                                 "optimizing the model without it");
  if (!product)
    return {};
  if (heads < 1 || typeOf(product).getRank() != 3)
    return context.unsupported(
        "expected num_heads and [batch, sequence, size]");
  SmallVector<SymExprAttr, 3> sizes(
      3, tx::floorDiv(tx::getDim(typeOf(product), 2), 3));
  if (std::optional<ArrayRef<int64_t>> given =
          context.getInts("qkv_hidden_sizes")) {
    if (given->size() != 3)
      return context.unsupported("qkv_hidden_sizes must be three numbers");
    for (auto [size, value] : llvm::zip(sizes, *given))
      size = context.getExpr(value);
  }
  SmallVector<Value> parts;
  SymExprAttr start = context.getExpr(0);
  for (SymExprAttr size : sizes) {
    parts.push_back(
        splitHeads(context, context.slice(product, 2, start, size), heads));
    start = tx::add(start, size);
  }
  Operands x{parts[0], parts[1], parts[2], context.getExpr(0)};
  if (past) {
    if (typeOf(past).getRank() != 5)
      return context.unsupported(
          "its past must be [2, batch, heads, past, size]");
    x.pastLength = tx::getDim(typeOf(past), 3);
    x.k = appendToPast(context, takeStep(context, past, 0, 0), x.k);
    x.v = appendToPast(context, takeStep(context, past, 0, 1), x.v);
  }
  Value y = createAttention(context, x, mask, bias);
  if (!context.wantsOutput(1))
    return y;
  Value stacked[] = {context.unsqueeze(x.k, {0}), context.unsqueeze(x.v, {0})};
  return {y, context.create<tx::ConcatOp>(ValueRange(stacked), int64_t(0))};
}

/// Operands: x, weights for q, k and v side by side, bias, mask, past, a bias
/// of the scores, the length of the past in a shared buffer.
static NodeResults buildAttention(NodeContext &context) {
  if (context.getOperand(6))
    return context.unsupported("a past in a shared buffer is not supported",
                               "optimizing the model without it");
  Value product =
      createMatmul(context, context.getOperand(0), context.getOperand(1));
  if (Value bias = context.getOperand(2))
    product = context.createElementwise<tx::AddOp>(product, bias);
  return attendPacked(context, product, context.getOperand(3),
                      context.getOperand(4), context.getOperand(5));
}

/// Attention whose x and weights are quantized. Operands: x, weights, bias, the
/// scales of x and weights, mask, their zero points, past.
static NodeResults buildQAttention(NodeContext &context) {
  Value sum = createMatmul(
      context,
      subtractZeroPoint(context, context.getOperand(0), context.getOperand(6)),
      subtractZeroPoint(context, context.getOperand(1), context.getOperand(7)));
  Value scale = context.createElementwise<tx::MulOp>(context.getOperand(3),
                                                     context.getOperand(4));
  Value product = context.createElementwise<tx::MulOp>(
      context.cast(sum, context.getElementType(3)), scale);
  product =
      context.createElementwise<tx::AddOp>(product, context.getOperand(2));
  return attendPacked(context, product, context.getOperand(5),
                      context.getOperand(8), Value());
}

//===----------------------------------------------------------------------===//
// MultiHeadAttention
//===----------------------------------------------------------------------===//

/// Adds elements [start, start + size) of the bias of q, k and v.
static Value addBiasPart(NodeContext &context, Value x, Value bias,
                         SymExprAttr start) {
  if (!bias || !x)
    return x;
  SymExprAttr size = tx::getDims(typeOf(x)).back();
  return context.createElementwise<tx::AddOp>(
      x, context.slice(bias, 0, start, size));
}

/// Operands: q, k, v, bias, padding mask [B, T], a bias of the scores, past
/// keys and values. k and v may be in four dims already.
static NodeResults buildMultiHeadAttention(NodeContext &context) {
  int64_t heads = context.getInt("num_heads", 0);
  Value k = context.getOperand(1), v = context.getOperand(2);
  if (context.getOperand(8) || context.getOperand(9))
    return context.unsupported("shared buffers and beams are not supported");
  if (heads < 1 || context.getRank(0) != 3 || !k || !v)
    return context.unsupported("packed queries, keys and values are not "
                               "supported",
                               "a model with them as three inputs");
  Value bias = context.getOperand(3);
  SymExprAttr qSize = tx::getDims(context.getType(0)).back();
  Value q =
      addBiasPart(context, context.getOperand(0), bias, context.getExpr(0));
  Operands x{splitHeads(context, q, heads), k, v, context.getExpr(0)};
  if (context.getRank(1) == 3) {
    SymExprAttr kSize = tx::getDims(context.getType(1)).back();
    x.k = splitHeads(context, addBiasPart(context, k, bias, qSize), heads);
    x.v = splitHeads(
        context, addBiasPart(context, v, bias, tx::add(qSize, kSize)), heads);
  } else if (context.getRank(1) != 4 || context.getRank(2) != 4) {
    return context.unsupported("its keys must have three or four dims");
  }
  if (Value past = context.getOperand(6)) {
    if (context.getRank(6) != 4 || !context.getOperand(7))
      return context.unsupported("past_key and past_value come together");
    x.pastLength = tx::getDim(context.getType(6), 2);
    x.k = appendToPast(context, past, x.k);
    x.v = appendToPast(context, context.getOperand(7), x.v);
  }
  return {
      createAttention(context, x, context.getOperand(4), context.getOperand(5)),
      x.k, x.v};
}

//===----------------------------------------------------------------------===//
// RotaryEmbedding
//===----------------------------------------------------------------------===//

/// Operands: x in three or four dims, positions [B, S] or one offset, cos, sin.
static NodeResults buildRotaryEmbedding(NodeContext &context) {
  bool interleaved = context.getInt("interleaved", 0) != 0;
  int64_t heads = context.getInt("num_heads", 0);
  (void)context.getInt("rotary_embedding_dim", 0); // the width of cos says it
  if (context.getFloat("scale", 1) != 1)
    return context.unsupported("attribute \"scale\" must be 1");
  if (context.getInt("is_packed_batching", 0) != 0)
    return context.unsupported("attribute \"is_packed_batching\" must be 0");
  int64_t rank = context.getRank(0);
  if (rank != 3 && rank != 4)
    return context.unsupported("its input must have three or four dims");
  Exprs dims = tx::getDims(context.getType(0));
  SymExprAttr length = dims[rank == 4 ? 2 : 1];
  Value positions = context.getOperand(1);
  if (context.getRank(1) != 2) {
    Value offset = context.reshape(positions, {});
    Value places = context.getIota(length, context.getElementType(1));
    positions = context.unsqueeze(context.create<tx::AddOp>(places, offset), 0);
  }
  auto lookUp = [&](unsigned table) {
    return context.unsqueeze(
        context.create<tx::GatherOp>(context.getOperand(table), positions, 0),
        rank == 4 ? 1 : 2);
  };
  Value x = context.getOperand(0);
  if (rank == 3) {
    // Without a number of heads the whole head rotates.
    SymExprAttr size = heads > 0
                           ? tx::floorDiv(dims[2], heads)
                           : tx::mul(tx::getDims(context.getType(2)).back(), 2);
    x = context.reshape(x,
                        {dims[0], dims[1], tx::floorDiv(dims[2], size), size});
  }
  Value y = context.create<tx::RotaryEmbeddingOp>(x, lookUp(2), lookUp(3),
                                                  interleaved);
  return rank == 4 ? y : context.reshape(y, dims);
}

OpTable frontend::getMicrosoftAttentionOps() {
  static constexpr llvm::StringLiteral domain = "com.microsoft";
  static constexpr OpEntry table[] = {
      {"Attention", 1, 2, 7, buildAttention, domain},
      {"MultiHeadAttention", 1, 1, 10, buildMultiHeadAttention, domain},
      {"QAttention", 1, 5, 9, buildQAttention, domain},
      {"RotaryEmbedding", 1, 4, 4, buildRotaryEmbedding, domain},
  };
  return table;
}
