//===- MicrosoftQuantized.cpp - com.microsoft's quantized operators -------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Low-bit weights (MatMulNBits, GatherBlockQuantized) become arithmetic on the
/// packed bytes, which are weights: a recipe for the weight's real values that
/// later passes evaluate or recognize as a storage format. See
/// onnxruntime/docs/ContribOperators.md.
//
//===----------------------------------------------------------------------===//

#include "python-free-frontend/ops/MatmulBuilder.h"
#include "python-free-frontend/ops/OpTable.h"
#include "python-free-frontend/ops/Quantizer.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::SymExprAttr;

/// The numbers that bytes hold, `8 / bits` in each, the first in the lowest
/// bits: the last dim grows by that factor. u8 in, u8 out.
static Value unpackBytes(NodeContext &context, Value bytes, int64_t bits) {
  if (!bytes || bits == 8)
    return bytes;
  Type u8 = typeOf(bytes).getElementType();
  Exprs dims = tx::getDims(typeOf(bytes));
  int64_t rank = typeOf(bytes).getRank();
  SmallVector<Value> parts;
  for (int64_t shift = 0; shift < 8; shift += bits) {
    Value part = bytes;
    if (shift != 0)
      part = context.create<tx::ShiftRightOp>(
          part, context.getScalar(u8, static_cast<double>(shift)));
    part = context.create<tx::AndOp>(
        part, context.getScalar(u8, static_cast<double>((1 << bits) - 1)));
    parts.push_back(context.unsqueeze(part, {rank}));
  }
  if (llvm::is_contained(parts, Value()))
    return {};
  dims.back() = tx::mul(dims.back(), 8 / bits);
  return context.reshape(context.create<tx::ConcatOp>(ValueRange(parts), rank),
                         dims);
}

/// [rows, blocks] from a tensor of that many elements, or with a padded row.
static Value asBlocks(NodeContext &context, Value x, int64_t rows,
                      int64_t blocks) {
  if (!x)
    return {};
  SymExprAttr count = tx::getElementCount(typeOf(x));
  std::optional<int64_t> known = count.getConstant();
  if (!known || *known % rows != 0 || *known / rows < blocks)
    return context.unsupported("its scales or zero points have " + count.str() +
                               " elements, expected " + Twine(rows * blocks));
  x = context.reshape(x,
                      {context.getExpr(rows), context.getExpr(*known / rows)});
  return *known == rows * blocks
             ? x
             : context.slice(x, 1, context.getExpr(0), context.getExpr(blocks));
}

/// A * dequantized(B)ᵀ with B [N, K / block, block * bits / 8] of bytes, scales
/// [N, K / block] and zero points packed like B or in the scales' type.
static NodeResults buildMatMulNBits(NodeContext &context) {
  int64_t k = context.getInt("K", 0), n = context.getInt("N", 0);
  int64_t bits = context.getInt("bits", 4);
  int64_t block = context.getInt("block_size", 0);
  // How ONNX Runtime may round the activations; exactly is within it.
  (void)context.getInt("accuracy_level", 0);
  if (k < 1 || n < 1 || block < 1 || (bits != 2 && bits != 4 && bits != 8))
    return context.unsupported("expected K, N, block_size and 2, 4 or 8 bits");
  if (context.getOperand(4))
    return context.unsupported("a g_idx (reordered groups) is not supported",
                               "quantizing without act_order");
  int64_t blocks = (k + block - 1) / block;
  SymExprAttr rows = context.getExpr(n);
  Value scales = asBlocks(context, context.getOperand(2), n, blocks);
  Value zeroPoint = context.getOperand(3);
  if (!scales)
    return {};
  Type floatType = typeOf(scales).getElementType();
  if (!zeroPoint) {
    zeroPoint =
        context.getScalar(floatType, static_cast<double>(1 << (bits - 1)));
  } else {
    if (!isa<FloatType>(typeOf(zeroPoint).getElementType())) {
      SymExprAttr bytes = context.getExpr((blocks * bits + 7) / 8);
      zeroPoint =
          unpackBytes(context, context.reshape(zeroPoint, {rows, bytes}), bits);
    }
    zeroPoint = asBlocks(context, zeroPoint, n, blocks);
    zeroPoint = context.unsqueeze(context.cast(zeroPoint, floatType), {2});
  }
  Value places = unpackBytes(context, context.getOperand(1), bits);
  places = context.reshape(
      places, {rows, context.getExpr(blocks), context.getExpr(block)});
  Value centered = context.createElementwise<tx::SubOp>(
      context.cast(places, floatType), zeroPoint);
  Value real = context.createElementwise<tx::MulOp>(
      centered, context.unsqueeze(scales, {2}));
  Value weights =
      context.reshape(real, {rows, context.getExpr(blocks * block)});
  if (blocks * block != k)
    weights = context.slice(weights, 1, context.getExpr(0), context.getExpr(k));
  Value y = createMatmul(
      context, context.getOperand(0),
      context.transpose(context.cast(weights, context.getElementType(0)),
                        {1, 0}));
  if (Value bias = context.getOperand(5))
    y = context.createElementwise<tx::AddOp>(y, bias);
  return y;
}

/// Rows of a table of places, dequantized. Operands: the table [rows, width],
/// packed into bytes or of a 4-bit type, indices, scales [rows, blocks], zero
/// points like the table.
static NodeResults buildGatherBlockQuantized(NodeContext &context) {
  int64_t bits = context.getInt("bits", 4);
  int64_t block = context.getInt("block_size", 128);
  int64_t rank = context.getRank(0);
  FailureOr<int64_t> gatherAxis =
      context.normalizeAxis(context.getInt("gather_axis", 0), rank);
  FailureOr<int64_t> quantizeAxis =
      context.normalizeAxis(context.getInt("quantize_axis", 1), rank);
  if (failed(gatherAxis) || failed(quantizeAxis))
    return {};
  if (rank != 2 || *gatherAxis != 0 || *quantizeAxis != 1)
    return context.unsupported("attributes \"gather_axis\" and "
                               "\"quantize_axis\" must be 0 and 1");
  if (block < 1 || (bits != 2 && bits != 4 && bits != 8))
    return context.unsupported("expected block_size and 2, 4 or 8 bits");
  bool isPacked = context.getElementType(0).isUnsignedInteger(8);
  Type type = context.getElementType(2);
  auto gather = [&](unsigned table) {
    return context.create<tx::GatherOp>(context.getOperand(table),
                                        context.getOperand(1), 0);
  };
  Value places = gather(0), scale = gather(2);
  if (isPacked)
    places = unpackBytes(context, places, bits);
  if (!places || !scale)
    return {};
  // [.., width] as [.., blocks, block].
  Exprs dims = tx::getDims(typeOf(places)), split = tx::getDims(typeOf(scale));
  int64_t last = typeOf(scale).getRank();
  SymExprAttr blocks = split.back();
  split.push_back(context.getExpr(block));
  // Packed places are signed numbers with an offset.
  double offset = isPacked ? static_cast<double>(1 << (bits - 1)) : 0;
  Value zero = context.getScalar(type, offset);
  if (context.getOperand(3)) {
    zero = gather(3);
    if (isPacked)
      zero = unpackBytes(context, zero, bits);
    if (!zero)
      return {};
    zero = context.slice(zero, last - 1, context.getExpr(0), blocks);
    zero = context.unsqueeze(context.cast(zero, type), {last});
  }
  Value real = context.createElementwise<tx::SubOp>(
      context.cast(context.reshape(places, split), type), zero);
  real = context.createElementwise<tx::MulOp>(real,
                                              context.unsqueeze(scale, {last}));
  return context.reshape(real, dims);
}

/// y + operand `index`, if it is there.
static Value addBias(NodeContext &context, Value y, unsigned index) {
  Value bias = context.getOperand(index);
  return bias ? context.createElementwise<tx::AddOp>(y, bias) : y;
}

/// Operands: A, B, a_scale, b_scale, a_zero, b_zero, bias.
static NodeResults buildMatMulIntegerToFloat(NodeContext &context) {
  auto operand = [&](unsigned index) { return context.getOperand(index); };
  Value y = createScaledProduct(context, {operand(0), operand(2), operand(4)},
                                {operand(1), operand(3), operand(5)});
  return addBias(context, y, 6);
}

/// Operands: A (float), B, b_scale, b_zero, bias.
static NodeResults buildDynamicQuantizeMatMul(NodeContext &context) {
  auto operand = [&](unsigned index) { return context.getOperand(index); };
  Value y = multiplyDynamically(context, operand(0),
                                {operand(1), operand(2), operand(3)});
  return addBias(context, y, 4);
}

OpTable frontend::getMicrosoftQuantizedOps() {
  static constexpr llvm::StringLiteral domain = "com.microsoft";
  static constexpr OpEntry table[] = {
      {"DynamicQuantizeMatMul", 1, 3, 5, buildDynamicQuantizeMatMul, domain},
      {"GatherBlockQuantized", 1, 3, 4, buildGatherBlockQuantized, domain},
      {"MatMulIntegerToFloat", 1, 4, 7, buildMatMulIntegerToFloat, domain},
      {"MatMulNBits", 1, 3, 6, buildMatMulNBits, domain},
  };
  return table;
}
