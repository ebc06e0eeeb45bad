//===- Integer.cpp - Integer arithmetic -------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// add, sub, mul, mad, div, rem, min, max and their like on integers; float and
/// half types are Float.cpp's and HalfArithmetic.cpp's.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Instructions.h"
#include "tools/ptxsim/Lanes.h"

#include <limits>

using namespace ptxsim;

namespace {

template <typename T> using Unsigned = std::make_unsigned_t<T>;
template <typename T>
using Wide = std::conditional_t<
    sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>,
    std::conditional_t<
        sizeof(T) == 4,
        std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>,
        std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>>>;

// All arithmetic wraps, so it is done without sign.
struct Add {
  template <typename T> T operator()(T a, T b) const {
    return T(Unsigned<T>(a) + Unsigned<T>(b));
  }
};
struct Sub {
  template <typename T> T operator()(T a, T b) const {
    return T(Unsigned<T>(a) - Unsigned<T>(b));
  }
};
struct AddSat {
  int32_t operator()(int32_t a, int32_t b) const {
    int64_t sum = int64_t(a) + b;
    return sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum;
  }
};
struct SubSat {
  int32_t operator()(int32_t a, int32_t b) const {
    int64_t sum = int64_t(a) - b;
    return sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum;
  }
};
struct MulLow {
  template <typename T> T operator()(T a, T b) const {
    return T(uint64_t(a) * uint64_t(b));
  }
};
struct MulHigh {
  template <typename T> T operator()(T a, T b) const {
    return T((Wide<T>(a) * Wide<T>(b)) >> (sizeof(T) * 8));
  }
};
struct MulWide {
  template <typename T> auto operator()(T a, T b) const {
    return Wide<T>(a) * Wide<T>(b);
  }
};
struct MadLow {
  template <typename T> T operator()(T a, T b, T c) const {
    return T(uint64_t(a) * uint64_t(b) + uint64_t(c));
  }
};
struct MadHigh {
  template <typename T> T operator()(T a, T b, T c) const {
    return Add()(MulHigh()(a, b), c);
  }
};
struct MadWide {
  template <typename T> auto operator()(T a, T b, Wide<T> c) const {
    return Add()(MulWide()(a, b), c);
  }
};
struct MadHighSat {
  int32_t operator()(int32_t a, int32_t b, int32_t c) const {
    return AddSat()(MulHigh()(a, b), c);
  }
};
/// 24-bit operands of 32-bit registers.
template <typename T> T take24(T a) { return T(uint32_t(a) << 8) >> 8; }
struct Mul24Low {
  template <typename T> T operator()(T a, T b) const {
    return T(uint64_t(take24(a)) * uint64_t(take24(b)));
  }
};
struct Mul24High {
  template <typename T> T operator()(T a, T b) const {
    return T((Wide<T>(take24(a)) * take24(b)) >> 16);
  }
};
struct Mad24Low {
  template <typename T> T operator()(T a, T b, T c) const {
    return Add()(Mul24Low()(a, b), c);
  }
};
struct Mad24High {
  template <typename T> T operator()(T a, T b, T c) const {
    return Add()(Mul24High()(a, b), c);
  }
};
struct Sad {
  template <typename T> T operator()(T a, T b, T c) const {
    return Add()(c, a < b ? Sub()(b, a) : Sub()(a, b));
  }
};
// Division by zero is left open by the ISA; hardware gives all ones.
struct Div {
  template <typename T> T operator()(T a, T b) const {
    if (b == 0)
      return T(-1);
    if (std::is_signed_v<T> && b == T(-1))
      return Sub()(T(0), a);
    return a / b;
  }
};
struct Rem {
  template <typename T> T operator()(T a, T b) const {
    if (b == 0)
      return a;
    if (std::is_signed_v<T> && b == T(-1))
      return 0;
    return a % b;
  }
};
struct Min {
  template <typename T> T operator()(T a, T b) const { return b < a ? b : a; }
};
struct Max {
  template <typename T> T operator()(T a, T b) const { return a < b ? b : a; }
};
struct MinRelu {
  template <typename T> T operator()(T a, T b) const {
    return Max()(Min()(a, b), T(0));
  }
};
struct MaxRelu {
  template <typename T> T operator()(T a, T b) const {
    return Max()(Max()(a, b), T(0));
  }
};
struct Negate {
  template <typename T> T operator()(T a) const { return Sub()(T(0), a); }
};
struct Absolute {
  template <typename T> T operator()(T a) const {
    return a < 0 ? Sub()(T(0), a) : a;
  }
};
/// Two 16-bit values of one register.
template <typename F, typename T> struct Pair {
  uint32_t operator()(uint32_t a, uint32_t b) const {
    return uint16_t(F()(T(a), T(b))) |
           uint32_t(uint16_t(F()(T(a >> 16), T(b >> 16)))) << 16;
  }
};

template <typename F> Handler pickBinary(Type type) {
  switch (type) {
  case Type::U16:
    return runBinary<F, uint16_t, uint16_t, uint16_t>;
  case Type::S16:
    return runBinary<F, int16_t, int16_t, int16_t>;
  case Type::U32:
    return runBinary<F, uint32_t, uint32_t, uint32_t>;
  case Type::S32:
    return runBinary<F, int32_t, int32_t, int32_t>;
  case Type::U64:
    return runBinary<F, uint64_t, uint64_t, uint64_t>;
  case Type::S64:
    return runBinary<F, int64_t, int64_t, int64_t>;
  default:
    return nullptr;
  }
}
template <typename F> Handler pickTernary(Type type) {
  switch (type) {
  case Type::U16:
    return runTernary<F, uint16_t, uint16_t, uint16_t, uint16_t>;
  case Type::S16:
    return runTernary<F, int16_t, int16_t, int16_t, int16_t>;
  case Type::U32:
    return runTernary<F, uint32_t, uint32_t, uint32_t, uint32_t>;
  case Type::S32:
    return runTernary<F, int32_t, int32_t, int32_t, int32_t>;
  case Type::U64:
    return runTernary<F, uint64_t, uint64_t, uint64_t, uint64_t>;
  case Type::S64:
    return runTernary<F, int64_t, int64_t, int64_t, int64_t>;
  default:
    return nullptr;
  }
}
template <typename F> Handler pick32(Type type) {
  return type == Type::U32   ? runBinary<F, uint32_t, uint32_t, uint32_t>
         : type == Type::S32 ? runBinary<F, int32_t, int32_t, int32_t>
                             : nullptr;
}
template <typename F> Handler pickTernary32(Type type) {
  return type == Type::U32
             ? runTernary<F, uint32_t, uint32_t, uint32_t, uint32_t>
         : type == Type::S32 ? runTernary<F, int32_t, int32_t, int32_t, int32_t>
                             : nullptr;
}
template <typename F> Handler pickSigned(Type type) {
  return type == Type::S16   ? runUnary<F, int16_t, int16_t>
         : type == Type::S32 ? runUnary<F, int32_t, int32_t>
         : type == Type::S64 ? runUnary<F, int64_t, int64_t>
                             : nullptr;
}

Handler pickMulWide(Type type) {
  return type == Type::U16   ? runBinary<MulWide, uint32_t, uint16_t, uint16_t>
         : type == Type::S16 ? runBinary<MulWide, int32_t, int16_t, int16_t>
         : type == Type::U32 ? runBinary<MulWide, uint64_t, uint32_t, uint32_t>
         : type == Type::S32 ? runBinary<MulWide, int64_t, int32_t, int32_t>
                             : nullptr;
}
Handler pickMadWide(Type type) {
  switch (type) {
  case Type::U16:
    return runTernary<MadWide, uint32_t, uint16_t, uint16_t, uint32_t>;
  case Type::S16:
    return runTernary<MadWide, int32_t, int16_t, int16_t, int32_t>;
  case Type::U32:
    return runTernary<MadWide, uint64_t, uint32_t, uint32_t, uint64_t>;
  case Type::S32:
    return runTernary<MadWide, int64_t, int32_t, int32_t, int64_t>;
  default:
    return nullptr;
  }
}

Type widen(Type type) {
  switch (type) {
  case Type::U16:
    return Type::U32;
  case Type::S16:
    return Type::S32;
  case Type::U32:
    return Type::U64;
  default:
    return Type::S64;
  }
}

/// add.u16x2 and its like.
template <typename F> bool decodePair(Decoder &decoder, bool isSignedPair) {
  return decodeBinary(
      decoder, Type::B32,
      isSignedPair
          ? runBinary<Pair<F, int16_t>, uint32_t, uint32_t, uint32_t>
          : runBinary<Pair<F, uint16_t>, uint32_t, uint32_t, uint32_t>);
}

/// The integers' types of mul, mad and so on, .bN refused.
bool takeIntegerType(Decoder &decoder, Type &type) {
  type = decoder.takeType();
  if (type == Type::None)
    return false;
  bool isInteger = !isFloat(type) && !isUntyped(type);
  return isInteger || decoder.failModifiers();
}

} // namespace

bool ptxsim::decodeAdd(Decoder &decoder) {
  if (decoder.has("cc"))
    return decodeCarry(decoder);
  if (decoder.take("u16x2"))
    return decodePair<Add>(decoder, false);
  if (decoder.take("s16x2"))
    return decodePair<Add>(decoder, true);
  Type type = decoder.takeType();
  if (isFloat(type))
    return decodeFloatBinary(decoder, type, FloatOperation::Add);
  if (type == Type::S32 && decoder.take("sat"))
    return decodeBinary(decoder, type,
                        runBinary<AddSat, int32_t, int32_t, int32_t>);
  return decodeBinary(decoder, type, pickBinary<Add>(type));
}

bool ptxsim::decodeSub(Decoder &decoder) {
  if (decoder.has("cc"))
    return decodeCarry(decoder);
  Type type = decoder.takeType();
  if (isFloat(type))
    return decodeFloatBinary(decoder, type, FloatOperation::Sub);
  if (type == Type::S32 && decoder.take("sat"))
    return decodeBinary(decoder, type,
                        runBinary<SubSat, int32_t, int32_t, int32_t>);
  return decodeBinary(decoder, type, pickBinary<Sub>(type));
}

bool ptxsim::decodeMul(Decoder &decoder) {
  int part = decoder.takeOneOf({"lo", "hi", "wide"});
  Type type = decoder.takeType();
  if (part < 0)
    return isFloat(type) ? decodeFloatBinary(decoder, type, FloatOperation::Mul)
                         : decoder.fail("needs .lo, .hi or .wide");
  if (part == 0)
    return decodeBinary(decoder, type, pickBinary<MulLow>(type));
  if (part == 1)
    return decodeBinary(decoder, type, pickBinary<MulHigh>(type));
  Handler run = pickMulWide(type);
  Op op;
  return decoder.expectOperands(3) &&
         decoder.destination(0, widen(type), op.d) &&
         decoder.source(1, type, op.a) && decoder.source(2, type, op.b) &&
         emitOp(decoder, run, op);
}

bool ptxsim::decodeMad(Decoder &decoder) {
  if (decoder.has("cc"))
    return decodeCarry(decoder);
  int part = decoder.takeOneOf({"lo", "hi", "wide"});
  Type type = decoder.takeType();
  // mad of floats is fma.
  if (part < 0)
    return isFloat(type) ? decodeFloatFma(decoder, type)
                         : decoder.fail("needs .lo, .hi or .wide");
  if (part == 2)
    return decodeTernary(decoder, widen(type), type, widen(type),
                         pickMadWide(type));
  if (part == 1 && type == Type::S32 && decoder.take("sat"))
    return decodeTernary(
        decoder, type, type, type,
        runTernary<MadHighSat, int32_t, int32_t, int32_t, int32_t>);
  return decodeTernary(decoder, type, type, type,
                       part ? pickTernary<MadHigh>(type)
                            : pickTernary<MadLow>(type));
}

bool ptxsim::decodeMul24(Decoder &decoder) {
  int part = decoder.takeOneOf({"lo", "hi"});
  Type type;
  if (part < 0)
    return decoder.fail("needs .lo or .hi");
  return takeIntegerType(decoder, type) &&
         decodeBinary(decoder, type,
                      part ? pick32<Mul24High>(type) : pick32<Mul24Low>(type));
}

bool ptxsim::decodeMad24(Decoder &decoder) {
  int part = decoder.takeOneOf({"lo", "hi"});
  Type type;
  if (part < 0)
    return decoder.fail("needs .lo or .hi");
  return takeIntegerType(decoder, type) &&
         decodeTernary(decoder, type, type, type,
                       part ? pickTernary32<Mad24High>(type)
                            : pickTernary32<Mad24Low>(type));
}

bool ptxsim::decodeSad(Decoder &decoder) {
  Type type;
  return takeIntegerType(decoder, type) &&
         decodeTernary(decoder, type, type, type, pickTernary<Sad>(type));
}

bool ptxsim::decodeDiv(Decoder &decoder) {
  Type type = decoder.takeType();
  if (isFloat(type))
    return decodeFloatBinary(decoder, type, FloatOperation::Div);
  return decodeBinary(decoder, type, pickBinary<Div>(type));
}

bool ptxsim::decodeRem(Decoder &decoder) {
  Type type;
  return takeIntegerType(decoder, type) &&
         decodeBinary(decoder, type, pickBinary<Rem>(type));
}

template <typename F, typename WithRelu>
static bool decodeExtremum(Decoder &decoder, FloatOperation floats) {
  bool isUnsigned = decoder.take("u16x2");
  if (isUnsigned || decoder.take("s16x2")) {
    if (!isUnsigned && decoder.take("relu"))
      return decodePair<WithRelu>(decoder, true);
    return decodePair<F>(decoder, !isUnsigned);
  }
  Type type = decoder.takeType();
  if (isFloat(type))
    return decodeFloatBinary(decoder, type, floats);
  if (type == Type::S32 && decoder.take("relu"))
    return decodeBinary(decoder, type,
                        runBinary<WithRelu, int32_t, int32_t, int32_t>);
  return decodeBinary(decoder, type, pickBinary<F>(type));
}

bool ptxsim::decodeMin(Decoder &decoder) {
  return decodeExtremum<Min, MinRelu>(decoder, FloatOperation::Min);
}
bool ptxsim::decodeMax(Decoder &decoder) {
  return decodeExtremum<Max, MaxRelu>(decoder, FloatOperation::Max);
}

bool ptxsim::decodeNeg(Decoder &decoder) {
  Type type = decoder.takeType();
  if (isFloat(type))
    return decodeFloatUnary(decoder, type, FloatOperation::Neg);
  return decodeUnary(decoder, type, type, pickSigned<Negate>(type));
}

bool ptxsim::decodeAbs(Decoder &decoder) {
  Type type = decoder.takeType();
  if (isFloat(type))
    return decodeFloatUnary(decoder, type, FloatOperation::Abs);
  return decodeUnary(decoder, type, type, pickSigned<Absolute>(type));
}
