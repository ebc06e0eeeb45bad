//===- Match.cpp - matchers on values of the tx dialect ------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/graph/Match.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

static std::optional<double> getSplat(Attribute attribute) {
  auto elements = dyn_cast_if_present<DenseElementsAttr>(attribute);
  if (!elements || !elements.isSplat())
    return std::nullopt;
  Type type = elements.getElementType();
  if (isa<FloatType>(type))
    return elements.getSplatValue<APFloat>().convertToDouble();
  if (!type.isInteger())
    return std::nullopt;
  auto value = elements.getSplatValue<APInt>();
  bool isUnsigned = type.isUnsignedInteger() || type.isInteger(1);
  return isUnsigned ? value.roundToDouble() : value.signedRoundToDouble();
}

std::optional<double> txc::matchScalar(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto constant = dyn_cast<ConstantOp>(op))
      return getSplat(constant.getValue());
    bool isFloatCast = isa<CastOp>(op) &&
                       isa<FloatType>(getTensorType(value).getElementType());
    if (!isFloatCast && !isa<ReshapeOp, BroadcastOp>(op))
      return std::nullopt;
    value = op->getOperand(0);
  }
  return std::nullopt;
}

bool txc::isCloseTo(double number, double expected, Type type) {
  auto floatType = dyn_cast<FloatType>(type);
  if (!floatType)
    return number == expected;
  double ulp =
      std::ldexp(1.0, 1 - static_cast<int>(floatType.getFPMantissaWidth()));
  // A constant is rarely more exact than f32, whatever the graph computes in.
  return std::abs(number - expected) <=
         2 * std::max(ulp, 0x1p-23) * std::abs(expected);
}

std::optional<ScaledValue> txc::matchScaling(Value value) {
  Operation *op = value.getDefiningOp();
  if (!isa_and_present<MulOp, DivOp>(op))
    return std::nullopt;
  Value lhs = op->getOperand(0), rhs = op->getOperand(1);
  if (auto scalar = matchScalar(rhs);
      scalar && lhs.getType() == value.getType())
    return ScaledValue{lhs, isa<MulOp>(op) ? *scalar : 1 / *scalar};
  if (auto scalar = matchScalar(lhs);
      scalar && isa<MulOp>(op) && rhs.getType() == value.getType())
    return ScaledValue{rhs, *scalar};
  return std::nullopt;
}

std::optional<ScaledValue> txc::matchOffset(Value value) {
  auto op = value.getDefiningOp<AddOp>();
  if (!op)
    return std::nullopt;
  for (auto [x, y] : {std::pair(op.getLhs(), op.getRhs()),
                      std::pair(op.getRhs(), op.getLhs())})
    if (auto scalar = matchScalar(y); scalar && x.getType() == value.getType())
      return ScaledValue{x, *scalar};
  return std::nullopt;
}

/// x of `pow(x, exponent)`.
static Value matchPower(Value value, double exponent) {
  auto op = value.getDefiningOp<PowOp>();
  if (!op || op.getLhs().getType() != op.getType() ||
      matchScalar(op.getRhs()) != exponent)
    return nullptr;
  return op.getLhs();
}

Value txc::matchSquare(Value value) {
  auto op = value.getDefiningOp<MulOp>();
  if (op && op.getLhs() == op.getRhs())
    return op.getLhs();
  return matchPower(value, 2);
}

Value txc::matchSqrt(Value value) {
  if (auto op = value.getDefiningOp<SqrtOp>())
    return op.getX();
  return matchPower(value, 0.5);
}

Value txc::matchReciprocal(Value value) {
  if (auto op = value.getDefiningOp<ReciprocalOp>())
    return op.getX();
  auto op = value.getDefiningOp<DivOp>();
  if (op && op.getRhs().getType() == op.getType() &&
      matchScalar(op.getLhs()) == 1)
    return op.getRhs();
  return nullptr;
}

Value txc::matchReciprocalSqrt(Value value) {
  if (Value root = matchReciprocal(value))
    return matchSqrt(root);
  if (Value x = matchSqrt(value))
    return matchReciprocal(x);
  return matchPower(value, -0.5);
}

Value txc::lookThroughFloatCasts(Value value) {
  while (auto op = value.getDefiningOp<CastOp>()) {
    if (!isa<FloatType>(op.getX().getType().getElementType()) ||
        !isa<FloatType>(getTensorType(value).getElementType()))
      break;
    value = op.getX();
  }
  return value;
}

Value txc::getOtherOperand(Operation *binary, Value operand) {
  if (binary->getOperand(0) == operand)
    return binary->getOperand(1);
  return binary->getOperand(1) == operand ? binary->getOperand(0) : Value();
}

Operation *txc::getOnlyUser(Value value) {
  return value.hasOneUse() ? *value.user_begin() : nullptr;
}

Value txc::matchTrailingMean(Value value, int64_t &axes) {
  auto op = value.getDefiningOp<ReduceOp>();
  if (!op || op.getKind() != ReduceKind::mean || op.getAxes().empty())
    return nullptr;
  auto count = static_cast<int64_t>(op.getAxes().size());
  int64_t rank = op.getX().getType().getRank();
  for (auto [i, axis] : llvm::enumerate(op.getAxes()))
    if (axis != rank - count + static_cast<int64_t>(i))
      return nullptr;
  axes = count;
  return op.getX();
}

Value txc::createSplat(OpBuilder &builder, Location loc, RankedTensorType type,
                       double number) {
  Attribute element;
  if (auto floatType = dyn_cast<FloatType>(type.getElementType()))
    element = builder.getFloatAttr(floatType, number);
  else
    element = builder.getIntegerAttr(type.getElementType(),
                                     static_cast<int64_t>(number));
  return ConstantOp::create(builder, loc,
                            DenseElementsAttr::get(type, element));
}

std::optional<SmallVector<size_t>>
txc::groupDims(ArrayRef<SymExprAttr> dims, ArrayRef<SymExprAttr> merged) {
  SmallVector<size_t> ends;
  size_t next = 0;
  for (SymExprAttr dim : merged) {
    if (next == dims.size())
      return std::nullopt;
    SymExprAttr product = dims[next++];
    while (product != dim && next < dims.size())
      product = mul(product, dims[next++]);
    if (product != dim)
      return std::nullopt;
    ends.push_back(next);
  }
  if (next != dims.size())
    return std::nullopt;
  return ends;
}

Location txc::fuseLocations(ArrayRef<Operation *> ops) {
  SmallVector<Location> locations;
  for (Operation *op : ops)
    locations.push_back(op->getLoc());
  return FusedLoc::get(ops.front()->getContext(), locations);
}
