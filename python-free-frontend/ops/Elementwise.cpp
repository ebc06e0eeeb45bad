//===- Elementwise.cpp - ONNX operators on each element -------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Arithmetic, comparisons, logic, casts. Activations are in Activation.cpp.
//
//===----------------------------------------------------------------------===//

#include "python-free-frontend/ops/OpTable.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::Predicate;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

/// Logic is of bools; arithmetic and operators on bits are not.
template <NodeResults (*build)(NodeContext &), bool isLogic>
static NodeResults buildOf(NodeContext &context) {
  for (unsigned i = 0; i < context.getNumOperands(); ++i)
    if (context.getElementType(i).isInteger(1) != isLogic)
      return context.unsupported("its input " + Twine(i) +
                                     (isLogic ? " is not bool" : " is bool"),
                                 "a Cast of it");
  return build(context);
}

template <NodeResults (*build)(NodeContext &)>
static constexpr auto ofNumbers = buildOf<build, false>;
template <NodeResults (*build)(NodeContext &)>
static constexpr auto ofBools = buildOf<build, true>;

//===----------------------------------------------------------------------===//
// Unary
//===----------------------------------------------------------------------===//

template <typename OpTy> static NodeResults buildUnary(NodeContext &context) {
  return context.create<OpTy>(context.getOperand(0));
}

template <typename OpTy>
static NodeResults buildFloatUnary(NodeContext &context) {
  if (!isa<FloatType>(context.getElementType(0)))
    return context.unsupported("its input is no float tensor");
  return context.create<OpTy>(context.getOperand(0));
}

static NodeResults buildIsInf(NodeContext &context) {
  bool negative = context.getInt("detect_negative", 1) != 0;
  bool positive = context.getInt("detect_positive", 1) != 0;
  Value x = context.getOperand(0);
  Value isInf = context.create<tx::IsInfOp>(x);
  if (negative && positive)
    return isInf;
  Value zero = context.getScalar(context.getElementType(0), 0);
  Value hasSign = context.create<tx::CompareOp>(
      negative ? Predicate::lt : Predicate::gt, x, zero);
  if (!negative && !positive)
    hasSign = context.getScalar(context.getBuilder().getI1Type(), 0);
  return context.create<tx::AndOp>(isInf, hasSign);
}

//===----------------------------------------------------------------------===//
// Binary
//===----------------------------------------------------------------------===//

/// Up to opset 6 the second operand's dims begin at the first one's `axis`, and
/// only if `broadcast` is set.
static Value getRight(NodeContext &context) {
  Value rhs = context.getOperand(1);
  if (context.getOpset() >= 7)
    return rhs;
  bool broadcasts = context.getInt("broadcast", 0) != 0;
  std::optional<int64_t> axis = context.getInt("axis");
  int64_t rank = context.getRank(1);
  int64_t missing = axis ? context.getRank(0) - *axis - rank : 0;
  if (!broadcasts || missing <= 0)
    return rhs;
  return context.unsqueeze(
      rhs, llvm::to_vector(llvm::seq<int64_t>(rank, rank + missing)));
}

template <typename OpTy> static NodeResults buildBinary(NodeContext &context) {
  return context.createElementwise<OpTy>(context.getOperand(0),
                                         getRight(context));
}

template <Predicate predicate>
static NodeResults buildCompare(NodeContext &context) {
  return context.createCompare(predicate, context.getOperand(0),
                               getRight(context));
}

static NodeResults buildMod(NodeContext &context) {
  bool isFmod = context.getInt("fmod", 0) != 0;
  if (!isFmod && isa<FloatType>(context.getElementType(0)) &&
      context.getOpset() < 28)
    return context.unsupported("Mod of floats needs fmod=1");
  return isFmod ? buildBinary<tx::RemOp>(context)
                : buildBinary<tx::ModOp>(context);
}

/// The exponent may have another type than the base, whose type the result has.
static NodeResults buildPow(NodeContext &context) {
  Value base = context.getOperand(0), exponent = getRight(context);
  Type type = context.getElementType(0);
  Type exponentType = context.getElementType(1);
  if (!isa<FloatType>(type) && isa<FloatType>(exponentType)) {
    Value power = context.createElementwise<tx::PowOp>(
        context.cast(base, exponentType), exponent);
    return context.cast(power, type);
  }
  return context.createElementwise<tx::PowOp>(base,
                                              context.cast(exponent, type));
}

/// Shifting a negative number right moves ones in: ~(~x >> y).
static NodeResults buildShiftRight(NodeContext &context) {
  Value x = context.getOperand(0);
  Type type = context.getElementType(0);
  NodeResults shifted = buildBinary<tx::ShiftRightOp>(context);
  if (type.isUnsignedInteger() || shifted.failed())
    return shifted;
  Value flipped = context.create<tx::NotOp>(x);
  Value negative =
      context.create<tx::NotOp>(context.createElementwise<tx::ShiftRightOp>(
          flipped, context.getOperand(1)));
  Value isNegative = context.create<tx::CompareOp>(Predicate::lt, x,
                                                   context.getScalar(type, 0));
  return context.createSelect(isNegative, negative, shifted.getValues()[0]);
}

static NodeResults buildBitShift(NodeContext &context) {
  StringRef direction = context.getString("direction");
  if (direction == "LEFT")
    return buildBinary<tx::ShiftLeftOp>(context);
  if (direction == "RIGHT")
    return buildShiftRight(context);
  return context.unsupported("the direction must be LEFT or RIGHT, found \"" +
                             direction + "\"");
}

//===----------------------------------------------------------------------===//
// Any number of operands
//===----------------------------------------------------------------------===//

template <typename OpTy> static Value accumulate(NodeContext &context) {
  Value result = context.getOperand(0);
  for (Value operand : context.getOperands().drop_front())
    result = result && operand
                 ? context.createElementwise<OpTy>(result, operand)
                 : Value();
  return result;
}

template <typename OpTy>
static NodeResults buildVariadic(NodeContext &context) {
  return accumulate<OpTy>(context);
}

static NodeResults buildMean(NodeContext &context) {
  Value sum = accumulate<tx::AddOp>(context);
  return context.create<tx::DivOp>(
      sum,
      context.getScalar(context.getElementType(0), context.getNumOperands()));
}

//===----------------------------------------------------------------------===//
// Where, Clip, Cast
//===----------------------------------------------------------------------===//

static NodeResults buildWhere(NodeContext &context) {
  return context.createSelect(context.getOperand(0), context.getOperand(1),
                              context.getOperand(2));
}

/// max(min(x, high), low) would do for low <= high; ONNX's reference takes high
/// when low is greater, so the minimum comes last.
static NodeResults buildClip(NodeContext &context) {
  Value x = context.getOperand(0);
  Type type = context.getElementType(0);
  Value low = context.getOperand(1), high = context.getOperand(2);
  if (context.getOpset() < 11) {
    constexpr float largest = std::numeric_limits<float>::max();
    if (context.hasAttribute("min"))
      low = context.getScalar(type, context.getFloat("min", -largest));
    if (context.hasAttribute("max"))
      high = context.getScalar(type, context.getFloat("max", largest));
  }
  if (low)
    x = context.createElementwise<tx::MaximumOp>(x, low);
  if (high)
    x = context.createElementwise<tx::MinimumOp>(x, high);
  return x;
}

static NodeResults buildCastTo(NodeContext &context, Type type) {
  if (!type)
    return {};
  // What `saturate` says only counts for narrow floats, where 1 is the default.
  bool saturate = context.getInt("saturate", 1) != 0;
  if (context.hasAttribute("round_mode") &&
      context.getString("round_mode") != "up")
    return context.unsupported("only the round_mode \"up\" is supported");
  auto floatType = dyn_cast<FloatType>(type);
  bool isNarrow = floatType && floatType.getWidth() <= 8;
  RankedTensorType from = context.getType(0);
  return context.create<tx::CastOp>(tx::getTensorType(tx::getDims(from), type),
                                    context.getOperand(0),
                                    isNarrow && saturate);
}

static NodeResults buildCast(NodeContext &context) {
  if (!context.hasAttribute("to"))
    return context.unsupported("attribute \"to\" is missing");
  return buildCastTo(context, context.getTypeAttribute("to", Type()));
}

static NodeResults buildCastLike(NodeContext &context) {
  return buildCastTo(context, context.getElementType(1));
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

OpTable frontend::getElementwiseOps() {
  static constexpr OpEntry table[] = {
      {"Abs", 6, 1, 1, ofNumbers<buildUnary<tx::AbsOp>>},
      {"Acos", 7, 1, 1, buildFloatUnary<tx::AcosOp>},
      {"Acosh", 9, 1, 1, buildFloatUnary<tx::AcoshOp>},
      {"Add", 6, 2, 2, ofNumbers<buildBinary<tx::AddOp>>},
      {"And", 1, 2, 2, ofBools<buildBinary<tx::AndOp>>},
      {"Asin", 7, 1, 1, buildFloatUnary<tx::AsinOp>},
      {"Asinh", 9, 1, 1, buildFloatUnary<tx::AsinhOp>},
      {"Atan", 7, 1, 1, buildFloatUnary<tx::AtanOp>},
      {"Atanh", 9, 1, 1, buildFloatUnary<tx::AtanhOp>},
      {"BitShift", 11, 2, 2, buildBitShift},
      {"BitwiseAnd", 18, 2, 2, ofNumbers<buildBinary<tx::AndOp>>},
      {"BitwiseNot", 18, 1, 1, ofNumbers<buildUnary<tx::NotOp>>},
      {"BitwiseOr", 18, 2, 2, ofNumbers<buildBinary<tx::OrOp>>},
      {"BitwiseXor", 18, 2, 2, ofNumbers<buildBinary<tx::XorOp>>},
      {"Cast", 6, 1, 1, buildCast},
      {"CastLike", 15, 2, 2, buildCastLike},
      {"Ceil", 6, 1, 1, buildFloatUnary<tx::CeilOp>},
      {"Clip", 6, 1, 3, buildClip},
      {"Cos", 7, 1, 1, buildFloatUnary<tx::CosOp>},
      {"Cosh", 9, 1, 1, buildFloatUnary<tx::CoshOp>},
      {"Div", 6, 2, 2, ofNumbers<buildBinary<tx::DivOp>>},
      {"Equal", 1, 2, 2, buildCompare<Predicate::eq>},
      {"Erf", 9, 1, 1, buildFloatUnary<tx::ErfOp>},
      {"Exp", 6, 1, 1, buildFloatUnary<tx::ExpOp>},
      {"Floor", 6, 1, 1, buildFloatUnary<tx::FloorOp>},
      {"Greater", 1, 2, 2, buildCompare<Predicate::gt>},
      {"GreaterOrEqual", 12, 2, 2, buildCompare<Predicate::ge>},
      {"IsInf", 10, 1, 1, buildIsInf},
      {"IsNaN", 9, 1, 1, buildFloatUnary<tx::IsNanOp>},
      {"Less", 1, 2, 2, buildCompare<Predicate::lt>},
      {"LessOrEqual", 12, 2, 2, buildCompare<Predicate::le>},
      {"Log", 6, 1, 1, buildFloatUnary<tx::LogOp>},
      {"Max", 6, 1, kAnyNumber, buildVariadic<tx::MaximumOp>},
      {"Mean", 6, 1, kAnyNumber, buildMean},
      {"Min", 6, 1, kAnyNumber, buildVariadic<tx::MinimumOp>},
      {"Mod", 10, 2, 2, buildMod},
      {"Mul", 6, 2, 2, ofNumbers<buildBinary<tx::MulOp>>},
      {"Neg", 6, 1, 1, ofNumbers<buildUnary<tx::NegOp>>},
      {"Not", 1, 1, 1, ofBools<buildUnary<tx::NotOp>>},
      {"Or", 1, 2, 2, ofBools<buildBinary<tx::OrOp>>},
      {"Pow", 1, 2, 2, buildPow},
      {"Reciprocal", 6, 1, 1, buildFloatUnary<tx::ReciprocalOp>},
      {"Round", 11, 1, 1, buildFloatUnary<tx::RoundOp>},
      {"Sign", 9, 1, 1, ofNumbers<buildUnary<tx::SignOp>>},
      {"Sin", 7, 1, 1, buildFloatUnary<tx::SinOp>},
      {"Sinh", 9, 1, 1, buildFloatUnary<tx::SinhOp>},
      {"Sqrt", 6, 1, 1, buildFloatUnary<tx::SqrtOp>},
      {"Sub", 6, 2, 2, ofNumbers<buildBinary<tx::SubOp>>},
      {"Sum", 6, 1, kAnyNumber, buildVariadic<tx::AddOp>},
      {"Tan", 7, 1, 1, buildFloatUnary<tx::TanOp>},
      {"Where", 9, 3, 3, buildWhere},
      {"Xor", 1, 2, 2, ofBools<buildBinary<tx::XorOp>>},
  };
  return table;
}
