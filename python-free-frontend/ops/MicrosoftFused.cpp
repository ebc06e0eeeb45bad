//===- MicrosoftFused.cpp - com.microsoft's fused operators ---------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// What ONNX Runtime's optimizer writes into files in place of several standard
/// operators (onnxruntime/docs/ContribOperators.md). They are taken apart
/// again: fusion is decided later, for the target.
//
//===----------------------------------------------------------------------===//

#include "python-free-frontend/ops/ConvolutionBuilder.h"
#include "python-free-frontend/ops/MatmulBuilder.h"
#include "python-free-frontend/ops/OpTable.h"
#include "python-free-frontend/ops/Quantizer.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;

//===----------------------------------------------------------------------===//
// One rounding for each operator
//===----------------------------------------------------------------------===//

/// What narrow floats are computed in: only an operator's result is rounded,
/// not the sums within it.
static Value widen(NodeContext &context, Value x) {
  if (!x || !(typeOf(x).getElementType().isF16() ||
              typeOf(x).getElementType().isBF16()))
    return x;
  return context.cast(x, context.getBuilder().getF32Type());
}

static Value getWide(NodeContext &context, unsigned index) {
  return widen(context, context.getOperand(index));
}

//===----------------------------------------------------------------------===//
// GELU
//===----------------------------------------------------------------------===//

/// GELU of operand 0 plus the bias in operand 1, if it is there.
template <tx::GeluKind kind>
static NodeResults buildGelu(NodeContext &context) {
  Value x = context.getOperand(0);
  Type type = context.getElementType(0);
  if (Value bias = getWide(context, 1))
    x = context.createElementwise<tx::AddOp>(widen(context, x), bias);
  return context.cast(context.create<tx::GeluOp>(x, kind), type);
}

/// x * sigmoid(alpha * x).
static NodeResults buildQuickGelu(NodeContext &context) {
  float alpha = static_cast<float>(context.getFloat("alpha", 1.702F));
  Value x = context.getOperand(0);
  if (alpha == 1.702F)
    return context.create<tx::GeluOp>(x, tx::GeluKind::sigmoid);
  Value scaled = context.create<tx::MulOp>(
      x, context.getScalar(context.getElementType(0), alpha));
  return context.create<tx::MulOp>(x, context.create<tx::SigmoidOp>(scaled));
}

//===----------------------------------------------------------------------===//
// FusedMatMul
//===----------------------------------------------------------------------===//

/// Swaps the last two dims and, with `batch`, moves the first one behind the
/// other batch dims.
static Value transposeOperand(NodeContext &context, Value x, bool swaps,
                              bool batch) {
  int64_t rank = typeOf(x).getRank();
  if (rank < 2 || (!swaps && !batch))
    return x;
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(rank));
  // [b0, b1, …, m, k] is stored as [b1, …, m, b0, k].
  if (batch)
    std::rotate(permutation.begin(), permutation.end() - 2,
                permutation.end() - 1);
  if (swaps)
    std::swap(permutation[rank - 2], permutation[rank - 1]);
  return context.transpose(x, permutation);
}

/// FusedMatMul, and TransposeMatMul, as it was called before.
static NodeResults buildFusedMatMul(NodeContext &context) {
  auto flag = [&](StringRef name) { return context.getInt(name, 0) != 0; };
  double alpha = context.getFloat("alpha", 1);
  Value a = transposeOperand(context, context.getOperand(0), flag("transA"),
                             flag("transBatchA"));
  Value b = transposeOperand(context, context.getOperand(1), flag("transB"),
                             flag("transBatchB"));
  Value product = createMatmul(context, a, b);
  if (alpha == 1 || !product)
    return product;
  return context.create<tx::MulOp>(
      product, context.getScalar(context.getElementType(0), alpha));
}

/// The activation of a fused operator, with up to two parameters.
static Value activate(NodeContext &context, Value x, StringRef name,
                      double alpha, double beta) {
  if (!x || name.empty())
    return x;
  Type type = typeOf(x).getElementType();
  auto number = [&](double value) { return context.getScalar(type, value); };
  auto clip = [&](Value value, double least, double most) {
    return context.create<tx::MinimumOp>(
        context.create<tx::MaximumOp>(value, number(least)), number(most));
  };
  if (name == "Sigmoid")
    return context.create<tx::SigmoidOp>(x);
  if (name == "Tanh")
    return context.create<tx::TanhOp>(x);
  if (name == "Relu")
    return context.create<tx::MaximumOp>(x, number(0));
  if (name == "Clip")
    return clip(x, alpha, beta);
  if (name != "LeakyRelu" && name != "HardSigmoid")
    return context.unsupported("the activation \"" + name +
                               "\" is not supported");
  Value scaled = context.create<tx::MulOp>(x, number(alpha));
  if (name == "HardSigmoid")
    return clip(context.create<tx::AddOp>(scaled, number(beta)), 0, 1);
  Value isNegative =
      context.create<tx::CompareOp>(tx::Predicate::lt, x, number(0));
  return context.create<tx::SelectOp>(isNegative, scaled, x);
}

/// Gemm with an activation on its result.
static NodeResults buildFusedGemm(NodeContext &context) {
  StringRef activation = context.getString("activation");
  double alpha = context.getFloat("activation_alpha", 0);
  double beta = context.getFloat("activation_beta", 0);
  return activate(context, createGemm(context), activation, alpha, beta);
}

/// Conv, plus operand 3 if it is there, with an activation on the sum.
static NodeResults buildFusedConv(NodeContext &context) {
  StringRef activation = context.getString("activation");
  ArrayRef<float> parameters =
      context.getFloats("activation_params").value_or(ArrayRef<float>());
  auto parameter = [&](size_t i) {
    return i < parameters.size() ? parameters[i] : 0;
  };
  Value y = createConvolution(context, context.getOperand(0),
                              context.getOperand(1), /*weightsOperand=*/1);
  auto spatial = llvm::to_vector(llvm::seq<int64_t>(1, context.getRank(0) - 1));
  if (Value bias = context.getOperand(2))
    y = context.createElementwise<tx::AddOp>(y,
                                             context.unsqueeze(bias, spatial));
  if (Value other = context.getOperand(3))
    y = context.createElementwise<tx::AddOp>(y, other);
  return activate(context, y, activation, parameter(0), parameter(1));
}

//===----------------------------------------------------------------------===//
// Norms of sums
//===----------------------------------------------------------------------===//

static Value addIfThere(NodeContext &context, Value x, Value y) {
  return y ? context.createElementwise<tx::AddOp>(x, y) : x;
}

/// x whose last dim is that of a scale, operand `index`.
static Value matchLast(NodeContext &context, Value x, unsigned index) {
  if (!x || context.getRank(index) != 1)
    return x;
  return context.withDim(x, typeOf(x).getRank() - 1,
                         tx::getDim(context.getType(index), 0),
                         "the last dims of the input and the scale");
}

/// Refuses the mean and deviation that only training reads.
static LogicalResult checkInference(NodeContext &context) {
  if (!context.wantsOutput(1) && !context.wantsOutput(2))
    return success();
  return context.unsupported("its mean and deviation outputs are for training",
                             "exporting the model in inference mode");
}

/// Operands: x, skip, gamma, beta, bias. Output 3 is the sum.
static NodeResults buildSkipLayerNormalization(NodeContext &context) {
  APFloat epsilon(context.getFloat("epsilon", 1e-12F));
  if (failed(checkInference(context)))
    return {};
  Type type = context.getElementType(0);
  Value sum = context.createElementwise<tx::AddOp>(getWide(context, 0),
                                                   getWide(context, 1));
  sum = addIfThere(context, sum, getWide(context, 4));
  sum = matchLast(context, sum, 2);
  Value y = context.create<tx::LayerNormOp>(
      sum, OptionalOperand{getWide(context, 2)},
      OptionalOperand{getWide(context, 3)}, int64_t(1), epsilon);
  y = context.cast(y, type);
  return {y, y, y, context.cast(sum, type)};
}

/// Operands: x, skip, gamma, bias. Output 3 is the sum.
static NodeResults buildSkipRmsNormalization(NodeContext &context) {
  APFloat epsilon(context.getFloat("epsilon", 1e-12F));
  if (failed(checkInference(context)))
    return {};
  Type type = context.getElementType(0);
  Value sum = context.createElementwise<tx::AddOp>(getWide(context, 0),
                                                   getWide(context, 1));
  sum = addIfThere(context, sum, getWide(context, 3));
  sum = matchLast(context, sum, 2);
  Value y =
      context.create<tx::RmsNormOp>(sum, OptionalOperand{getWide(context, 2)},
                                    OptionalOperand(), int64_t(1), epsilon);
  y = context.cast(y, type);
  return {y, y, y, context.cast(sum, type)};
}

/// Operands: ids, segments, word, position and segment tables, gamma, beta,
/// mask. Outputs: the norm, the number of unmasked tokens, the sum. `getReal`
/// gives what is read of a parameter, by its operand's number.
static NodeResults
embedAndNormalize(NodeContext &context, Value positionIds, Type type,
                  function_ref<Value(Value, unsigned)> getReal) {
  APFloat epsilon(context.getFloat("epsilon", 1e-12F));
  int64_t maskType = context.getInt("mask_index_type", 0);
  if (context.getRank(0) != 2)
    return context.unsupported("its input_ids must be [batch, sequence]");
  for (unsigned i : {2, 3, 5, 6})
    if (!context.getOperand(i))
      return context.unsupported("input " + Twine(i) + " is missing");
  tx::SymExprAttr length = tx::getDim(context.getType(0), 1);
  auto lookUp = [&](unsigned table, Value ids) {
    return getReal(
        context.create<tx::GatherOp>(context.getOperand(table), ids, 0), table);
  };
  Value sum = lookUp(2, context.getOperand(0));
  Value positions;
  if (positionIds) {
    positions = lookUp(3, positionIds);
  } else {
    if (failed(context.require(length, tx::Predicate::le,
                               tx::getDim(context.getType(3), 0),
                               "there are position embeddings for all tokens")))
      return {};
    positions = getReal(
        context.slice(context.getOperand(3), 0, context.getExpr(0), length), 3);
  }
  sum = context.createElementwise<tx::AddOp>(sum, positions);
  Value segments = context.getOperand(1);
  if (!segments != !context.getOperand(4))
    return context.unsupported("segment ids and their table come together");
  if (segments)
    sum = context.createElementwise<tx::AddOp>(sum, lookUp(4, segments));
  Value y = context.create<tx::LayerNormOp>(
      sum, OptionalOperand{getReal(context.getOperand(5), 5)},
      OptionalOperand{getReal(context.getOperand(6), 6)}, int64_t(1), epsilon);
  Type i32 = context.getBuilder().getI32Type();
  Value count;
  Value mask = context.getOperand(7);
  if (mask && maskType == 0)
    count =
        context.squeeze(context.create<tx::ReduceOp>(mask, tx::ReduceKind::sum,
                                                     ArrayRef<int64_t>(1)),
                        1);
  else
    count = context.broadcastTo(context.getScalar(i32, 0),
                                tx::getDim(context.getType(0), 0));
  return {context.cast(y, type), count, context.cast(sum, type)};
}

/// Operand 8: positions.
static NodeResults buildEmbedLayerNormalization(NodeContext &context) {
  return embedAndNormalize(
      context, context.getOperand(8), context.getElementType(2),
      [&](Value value, unsigned) { return widen(context, value); });
}

/// Operands 8 to 12: scales of the tables, gamma and beta; 13 to 17: their zero
/// points.
static NodeResults buildQEmbedLayerNormalization(NodeContext &context) {
  for (unsigned i = 2; i <= 6; ++i)
    if (context.getOperand(i) && !context.getOperand(i + 6))
      return context.unsupported("input " + Twine(i + 6) +
                                 ", the scale of input " + Twine(i) +
                                 ", is missing");
  return embedAndNormalize(
      context, /*positionIds=*/{}, context.getElementType(8),
      [&](Value value, unsigned index) {
        Value real = dequantize(context, value, context.getOperand(index + 6),
                                context.getOperand(index + 11));
        return widen(context, real);
      });
}

OpTable frontend::getMicrosoftFusedOps() {
  static constexpr llvm::StringLiteral domain = "com.microsoft";
  static constexpr OpEntry table[] = {
      {"BiasGelu", 1, 2, 2, buildGelu<tx::GeluKind::erf>, domain},
      {"EmbedLayerNormalization", 1, 1, 9, buildEmbedLayerNormalization,
       domain},
      {"FastGelu", 1, 1, 2, buildGelu<tx::GeluKind::tanh>, domain},
      {"FusedConv", 1, 2, 4, buildFusedConv, domain},
      {"FusedGemm", 1, 2, 3, buildFusedGemm, domain},
      {"FusedMatMul", 1, 2, 2, buildFusedMatMul, domain},
      {"Gelu", 1, 1, 1, buildGelu<tx::GeluKind::erf>, domain},
      {"QEmbedLayerNormalization", 1, 13, 18, buildQEmbedLayerNormalization,
       domain},
      {"QuickGelu", 1, 1, 1, buildQuickGelu, domain},
      {"SkipLayerNormalization", 1, 3, 5, buildSkipLayerNormalization, domain},
      {"SkipSimplifiedLayerNormalization", 1, 3, 4, buildSkipRmsNormalization,
       domain},
  };
  return table;
}
