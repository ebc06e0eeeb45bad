//===- MicrosoftQLinear.cpp - com.microsoft's QLinear operators -----------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Operators on quantized tensors that ONNX Runtime's static quantization
/// writes: real arithmetic between a dequantization and a quantization.
//
//===----------------------------------------------------------------------===//

#include "python-free-frontend/ops/MatmulBuilder.h"
#include "python-free-frontend/ops/OpTable.h"
#include "python-free-frontend/ops/Quantizer.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;

/// The real numbers of operands [first, first + 3): places, scale, zero point.
static Value getReal(NodeContext &context, unsigned first) {
  return dequantize(context, context.getOperand(first),
                    context.getOperand(first + 1),
                    context.getOperand(first + 2));
}

/// Quantizes by the scale and zero point in operands `first` and `first + 1`,
/// to the type of operand 0.
static Value putReal(NodeContext &context, Value real, unsigned first) {
  return quantize(context, real, context.getOperand(first),
                  context.getOperand(first + 1), context.getElementType(0));
}

/// Operands: A, its scale and zero point, B's three, the result's two. In f64,
/// where real arithmetic ends halfway between two places surprisingly often: 1
/// plus an error function, quantized, always does.
template <typename OpTy>
static NodeResults buildQLinearBinary(NodeContext &context) {
  Type f64 = context.getBuilder().getF64Type();
  auto getWide = [&](unsigned first) {
    return dequantize(context, context.getOperand(first),
                      context.cast(context.getOperand(first + 1), f64),
                      context.getOperand(first + 2));
  };
  Value y = context.createElementwise<OpTy>(getWide(0), getWide(3));
  return quantize(context, y, context.cast(context.getOperand(6), f64),
                  context.getOperand(7), context.getElementType(0));
}

static NodeResults buildQLinearSigmoid(NodeContext &context) {
  Value y = context.create<tx::SigmoidOp>(getReal(context, 0));
  return putReal(context, y, 3);
}

static NodeResults buildQLinearLeakyRelu(NodeContext &context) {
  Value x = getReal(context, 0);
  if (!x)
    return {};
  Type type = cast<RankedTensorType>(x.getType()).getElementType();
  Value scaled = context.create<tx::MulOp>(
      x, context.getScalar(type, context.getFloat("alpha", 0.01F)));
  Value isNegative = context.create<tx::CompareOp>(tx::Predicate::lt, x,
                                                   context.getScalar(type, 0));
  return putReal(context, context.create<tx::SelectOp>(isNegative, scaled, x),
                 3);
}

/// Along one axis, as ONNX's Softmax since opset 13, which `opset` states.
static NodeResults buildQLinearSoftmax(NodeContext &context) {
  FailureOr<int64_t> axis =
      context.normalizeAxis(context.getInt("axis", -1), context.getRank(0));
  int64_t opset = context.getInt("opset", 13);
  if (failed(axis))
    return {};
  if (opset < 13 && *axis != context.getRank(0) - 1)
    return context.unsupported("opset " + Twine(opset) +
                               " with an axis that is not the last one");
  Value y = context.create<tx::SoftmaxOp>(getReal(context, 0), *axis,
                                          /*log=*/false);
  return putReal(context, y, 3);
}

/// Operands: the result's scale and zero point, then three for each part.
static NodeResults buildQLinearConcat(NodeContext &context) {
  unsigned count = context.getNumOperands();
  FailureOr<int64_t> axis =
      context.normalizeAxis(context.getInt("axis", 0), context.getRank(2));
  if (failed(axis))
    return {};
  if (count % 3 != 2)
    return context.unsupported("expected a scale and zero point for each part");
  int64_t rank = context.getRank(2);
  SmallVector<Value> parts;
  for (unsigned first = 2; first < count; first += 3) {
    Value part = getReal(context, first);
    if (context.getRank(first) != rank)
      return context.unsupported("its inputs differ in rank");
    for (int64_t d = 0; d < rank; ++d)
      if (d != *axis)
        part = context.withDim(part, d, tx::getDim(context.getType(2), d),
                               "dims beside the axis");
    parts.push_back(part);
  }
  Value y = context.create<tx::ConcatOp>(ValueRange(parts), *axis);
  return quantize(context, y, context.getOperand(0), context.getOperand(1),
                  context.getElementType(1));
}

/// Operands: the condition, three of what is taken where it holds, three of the
/// other, the result's scale and zero point.
static NodeResults buildQLinearWhere(NodeContext &context) {
  Value y = context.createSelect(context.getOperand(0), getReal(context, 1),
                                 getReal(context, 4));
  return quantize(context, y, context.getOperand(7), context.getOperand(8),
                  context.getElementType(1));
}

/// Operands: x, its scale and zero point, the result's.
static NodeResults buildQLinearGlobalAveragePool(NodeContext &context) {
  int64_t rank = context.getRank(0);
  bool isLast = context.getInt("channels_last", 0) != 0;
  if (rank < 3)
    return context.unsupported("its input has no spatial dims");
  int64_t first = isLast ? 1 : 2;
  auto axes = llvm::to_vector(llvm::seq<int64_t>(first, first + rank - 2));
  return putReal(context,
                 context.create<tx::ReduceOp>(getReal(context, 0),
                                              tx::ReduceKind::mean, axes),
                 3);
}

/// Operands: A, its scale and zero point, B's three, C of i32 in units of both
/// scales, the result's two or none for a float result.
static NodeResults buildQGemm(NodeContext &context) {
  double alpha = context.getFloat("alpha", 1);
  Value a =
      subtractZeroPoint(context, context.getOperand(0), context.getOperand(2));
  Value b =
      subtractZeroPoint(context, context.getOperand(3), context.getOperand(5));
  if (context.getInt("transA", 0))
    a = context.transpose(a, {1, 0});
  if (context.getInt("transB", 0))
    b = context.transpose(b, {1, 0});
  Value sum = createMatmul(context, a, b);
  if (Value c = context.getOperand(6))
    sum = context.createElementwise<tx::AddOp>(sum, c);
  Type type = context.getElementType(1);
  Value scale = context.createElementwise<tx::MulOp>(context.getOperand(1),
                                                     context.getOperand(4));
  scale = context.createElementwise<tx::MulOp>(scale,
                                               context.getScalar(type, alpha));
  Value y =
      context.createElementwise<tx::MulOp>(context.cast(sum, type), scale);
  return context.getOperand(7) ? putReal(context, y, 7) : y;
}

OpTable frontend::getMicrosoftQLinearOps() {
  static constexpr llvm::StringLiteral domain = "com.microsoft";
  static constexpr OpEntry table[] = {
      {"QGemm", 1, 6, 9, buildQGemm, domain},
      {"QLinearAdd", 1, 7, 8, buildQLinearBinary<tx::AddOp>, domain},
      {"QLinearConcat", 1, 5, kAnyNumber, buildQLinearConcat, domain},
      {"QLinearGlobalAveragePool", 1, 4, 5, buildQLinearGlobalAveragePool,
       domain},
      {"QLinearLeakyRelu", 1, 4, 5, buildQLinearLeakyRelu, domain},
      {"QLinearMul", 1, 7, 8, buildQLinearBinary<tx::MulOp>, domain},
      {"QLinearSigmoid", 1, 4, 5, buildQLinearSigmoid, domain},
      {"QLinearSoftmax", 1, 5, 5, buildQLinearSoftmax, domain},
      {"QLinearWhere", 1, 9, 9, buildQLinearWhere, domain},
  };
  return table;
}
