//===- Activation.cpp - ONNX activation functions -------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/ops/OpTable.h"
#include "python-free-frontend/ops/Quantizer.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::Predicate;

/// A number of the input's type.
static Value number(NodeContext &context, double value) {
  return context.getScalar(context.getElementType(0), value);
}

/// `negative` where x < 0, else `positive`.
static Value selectBySign(NodeContext &context, Value negative,
                          Value positive) {
  Value isNegative = context.create<tx::CompareOp>(
      Predicate::lt, context.getOperand(0), number(context, 0));
  return context.createSelect(isNegative, negative, positive);
}

/// e ^ x - 1 for x < 0, without the cancellation near zero:
/// e ^ x - 1 = tanh(x / 2) * (e ^ x + 1).
static Value expMinusOne(NodeContext &context, Value x) {
  Value half = context.create<tx::MulOp>(x, number(context, 0.5));
  Value sum = context.create<tx::AddOp>(context.create<tx::ExpOp>(x),
                                        number(context, 1));
  return context.create<tx::MulOp>(context.create<tx::TanhOp>(half), sum);
}

template <typename OpTy> static NodeResults buildFloat(NodeContext &context) {
  if (!isa<FloatType>(context.getElementType(0)))
    return context.unsupported("its input is no float tensor");
  return context.create<OpTy>(context.getOperand(0));
}

static NodeResults buildRelu(NodeContext &context) {
  return context.create<tx::MaximumOp>(context.getOperand(0),
                                       number(context, 0));
}

static NodeResults buildLeakyRelu(NodeContext &context) {
  Value x = context.getOperand(0);
  Value alpha = number(context, context.getFloat("alpha", 0.01F));
  return selectBySign(context, context.create<tx::MulOp>(x, alpha), x);
}

static NodeResults buildPRelu(NodeContext &context) {
  Value x = context.getOperand(0), slope = context.getOperand(1);
  // Opset 6: one slope a channel, later a broadcast.
  if (context.getOpset() < 7 && context.getRank(1) == 1)
    slope = alignToAxis(context, slope, 1, context.getRank(0));
  Value scaled = context.createElementwise<tx::MulOp>(x, slope);
  return selectBySign(context, scaled, x);
}

static NodeResults buildThresholdedRelu(NodeContext &context) {
  Value x = context.getOperand(0);
  Value alpha = number(context, context.getFloat("alpha", 1));
  Value isAbove = context.create<tx::CompareOp>(Predicate::gt, x, alpha);
  return context.create<tx::SelectOp>(isAbove, x, number(context, 0));
}

static NodeResults buildElu(NodeContext &context) {
  Value x = context.getOperand(0);
  Value alpha = number(context, context.getFloat("alpha", 1));
  Value negative = context.create<tx::MulOp>(expMinusOne(context, x), alpha);
  return selectBySign(context, negative, x);
}

static NodeResults buildSelu(NodeContext &context) {
  Value x = context.getOperand(0);
  Value alpha =
      number(context, context.getFloat("alpha", 1.67326319217681884765625));
  Value gamma =
      number(context, context.getFloat("gamma", 1.05070102214813232421875));
  Value negative = context.create<tx::MulOp>(expMinusOne(context, x), alpha);
  return context.create<tx::MulOp>(selectBySign(context, negative, x), gamma);
}

static NodeResults buildCelu(NodeContext &context) {
  Value x = context.getOperand(0);
  Value alpha = number(context, context.getFloat("alpha", 1));
  Value scaled = expMinusOne(context, context.create<tx::DivOp>(x, alpha));
  return selectBySign(context, context.create<tx::MulOp>(scaled, alpha), x);
}

static NodeResults buildGelu(NodeContext &context) {
  StringRef approximate = context.getString("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    return context.unsupported("unknown approximation \"" + approximate + "\"");
  return context.create<tx::GeluOp>(context.getOperand(0),
                                    approximate == "tanh" ? tx::GeluKind::tanh
                                                          : tx::GeluKind::erf);
}

/// max(0, min(1, alpha * x + beta)).
static Value createHardSigmoid(NodeContext &context, double alpha,
                               double beta) {
  Value scaled =
      context.create<tx::MulOp>(context.getOperand(0), number(context, alpha));
  Value shifted = context.create<tx::AddOp>(scaled, number(context, beta));
  Value capped = context.create<tx::MinimumOp>(shifted, number(context, 1));
  return context.create<tx::MaximumOp>(capped, number(context, 0));
}

static NodeResults buildHardSigmoid(NodeContext &context) {
  return createHardSigmoid(context, context.getFloat("alpha", 0.2F),
                           context.getFloat("beta", 0.5));
}

static NodeResults buildHardSwish(NodeContext &context) {
  return context.create<tx::MulOp>(context.getOperand(0),
                                   createHardSigmoid(context, 1.0 / 6.0, 0.5));
}

/// x * sigmoid(alpha * x).
static NodeResults buildSwish(NodeContext &context) {
  double alpha = context.getFloat("alpha", 1);
  Value x = context.getOperand(0);
  if (alpha == 1)
    return context.create<tx::SiluOp>(x);
  Value gate = context.create<tx::SigmoidOp>(
      context.create<tx::MulOp>(x, number(context, alpha)));
  return context.create<tx::MulOp>(x, gate);
}

/// Swish(a) * b.
static NodeResults buildSwiGlu(NodeContext &context) {
  NodeResults gate = buildSwish(context);
  if (gate.failed())
    return gate;
  return context.createElementwise<tx::MulOp>(gate.getValues()[0],
                                              context.getOperand(1));
}

/// log(1 + e) of a small e, whose digits 1 + e loses: log(u) e / (u - 1) for
/// u = 1 + e, as what log(u) and u - 1 lack is the same factor. Kahan, in
/// Goldberg, "What every computer scientist should know about floating-point
/// arithmetic", theorem 4.
static Value createLogOfOnePlus(NodeContext &context, Value e) {
  Value one = number(context, 1);
  Value sum = context.create<tx::AddOp>(e, one);
  Value ratio =
      context.create<tx::DivOp>(e, context.create<tx::SubOp>(sum, one));
  Value log = context.create<tx::MulOp>(context.create<tx::LogOp>(sum), ratio);
  Value isLost = context.create<tx::CompareOp>(Predicate::eq, sum, one);
  return context.create<tx::SelectOp>(isLost, e, log);
}

/// log(1 + e ^ x) = max(x, 0) + log(1 + e ^ -|x|), which does not overflow.
static Value createSoftplus(NodeContext &context) {
  Value x = context.getOperand(0);
  Value negative = context.create<tx::NegOp>(context.create<tx::AbsOp>(x));
  Value tail = createLogOfOnePlus(context, context.create<tx::ExpOp>(negative));
  return context.create<tx::AddOp>(
      context.create<tx::MaximumOp>(x, number(context, 0)), tail);
}

static NodeResults buildSoftplus(NodeContext &context) {
  return createSoftplus(context);
}

static NodeResults buildMish(NodeContext &context) {
  Value gate = context.create<tx::TanhOp>(createSoftplus(context));
  return context.create<tx::MulOp>(context.getOperand(0), gate);
}

static NodeResults buildSoftsign(NodeContext &context) {
  Value x = context.getOperand(0);
  Value divisor = context.create<tx::AddOp>(context.create<tx::AbsOp>(x),
                                            number(context, 1));
  return context.create<tx::DivOp>(x, divisor);
}

/// x + bias below -lambd, x - bias above lambd, else 0.
static NodeResults buildShrink(NodeContext &context) {
  double lambd = context.getFloat("lambd", 0.5);
  double bias = context.getFloat("bias", 0);
  Value x = context.getOperand(0);
  Value isLow =
      context.create<tx::CompareOp>(Predicate::lt, x, number(context, -lambd));
  Value isHigh =
      context.create<tx::CompareOp>(Predicate::gt, x, number(context, lambd));
  Value high = context.create<tx::SelectOp>(
      isHigh, context.create<tx::SubOp>(x, number(context, bias)),
      number(context, 0));
  return context.create<tx::SelectOp>(
      isLow, context.create<tx::AddOp>(x, number(context, bias)), high);
}

OpTable frontend::getActivationOps() {
  static constexpr OpEntry table[] = {
      {"Celu", 12, 1, 1, buildCelu},
      {"Elu", 6, 1, 1, buildElu},
      {"Gelu", 20, 1, 1, buildGelu},
      {"HardSigmoid", 6, 1, 1, buildHardSigmoid},
      {"HardSwish", 14, 1, 1, buildHardSwish},
      {"LeakyRelu", 6, 1, 1, buildLeakyRelu},
      {"Mish", 18, 1, 1, buildMish},
      {"PRelu", 6, 2, 2, buildPRelu},
      {"Relu", 6, 1, 1, buildRelu},
      {"Selu", 6, 1, 1, buildSelu},
      {"Shrink", 9, 1, 1, buildShrink},
      {"Sigmoid", 6, 1, 1, buildFloat<tx::SigmoidOp>},
      {"Softplus", 1, 1, 1, buildSoftplus},
      {"Softsign", 1, 1, 1, buildSoftsign},
      {"SwiGLU", 28, 2, 2, buildSwiGlu},
      {"Swish", 24, 1, 1, buildSwish},
      {"Tanh", 6, 1, 1, buildFloat<tx::TanhOp>},
      {"ThresholdedRelu", 10, 1, 1, buildThresholdedRelu},
  };
  return table;
}
