//===- Float.cpp - f32 and f64 arithmetic -----------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// This machine's own IEEE arithmetic does it, in the asked rounding mode, with
/// .ftz and .sat around.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Instructions.h"
#include "tools/ptxsim/Lanes.h"

#include <cfenv>
#include <cmath>
#include <limits>

using namespace ptxsim;

namespace {

template <bool isFlushed, typename T> T flush(T value) {
  if (!isFlushed || std::fabs(value) >= std::numeric_limits<T>::min() ||
      value != value)
    return value;
  return std::copysign(T(0), value);
}
template <bool isSaturated, typename T> T saturate(T value) {
  if (!isSaturated)
    return value;
  // NaN becomes 0.
  return value > 0 ? (value < 1 ? value : T(1)) : T(0);
}

template <FloatOperation operation, typename T> T apply(T a, T b) {
  switch (operation) {
  case FloatOperation::Add:
    return a + b;
  case FloatOperation::Sub:
    return a - b;
  case FloatOperation::Mul:
    return a * b;
  case FloatOperation::Div:
    return a / b;
  default:
    return 0;
  }
}
template <FloatOperation operation, bool ftz, bool sat> struct Binary {
  template <typename T> T operator()(T a, T b) const {
    return saturate<sat>(
        flush<ftz>(apply<operation>(flush<ftz>(a), flush<ftz>(b))));
  }
};
template <bool ftz, bool sat> struct Fma {
  template <typename T> T operator()(T a, T b, T c) const {
    return saturate<sat>(
        flush<ftz>(std::fma(flush<ftz>(a), flush<ftz>(b), flush<ftz>(c))));
  }
};
template <typename T> T canonicalNaN() {
  if constexpr (sizeof(T) == 4)
    return bitCast<float>(0x7fffffffu);
  else
    return std::numeric_limits<T>::quiet_NaN();
}
/// -0 is less than +0; a NaN loses, or with .NaN wins.
template <bool isMax, bool ftz, bool nan> struct Extremum {
  template <typename T> T operator()(T a, T b) const {
    a = flush<ftz>(a);
    b = flush<ftz>(b);
    if (a != a || b != b) {
      if (nan || (a != a && b != b))
        return canonicalNaN<T>();
      return a != a ? b : a;
    }
    bool isLess = a < b || (a == b && std::signbit(a));
    return isLess == isMax ? b : a;
  }
};
template <bool isMax, bool ftz, bool nan> struct ExtremumXorSign {
  float operator()(float a, float b) const {
    bool isNegative = std::signbit(a) != std::signbit(b);
    float value = Extremum<isMax, ftz, nan>()(std::fabs(a), std::fabs(b));
    return value != value ? value : isNegative ? -value : value;
  }
};
template <bool ftz> struct Negate {
  template <typename T> T operator()(T a) const { return -flush<ftz>(a); }
};
template <bool ftz> struct Absolute {
  template <typename T> T operator()(T a) const {
    return std::fabs(flush<ftz>(a));
  }
};
struct Copysign {
  template <typename T> T operator()(T a, T b) const {
    return std::copysign(b, a);
  }
};

template <FloatOperation operation> Handler pick32(bool ftz, bool sat) {
  if (ftz)
    return sat ? runBinary<Binary<operation, true, true>, float, float, float>
               : runBinary<Binary<operation, true, false>, float, float, float>;
  return sat ? runBinary<Binary<operation, false, true>, float, float, float>
             : runBinary<Binary<operation, false, false>, float, float, float>;
}
template <FloatOperation operation>
Handler pickArithmetic(Type type, bool ftz, bool sat) {
  if (type == Type::F32)
    return pick32<operation>(ftz, sat);
  if (ftz || sat)
    return nullptr;
  return runBinary<Binary<operation, false, false>, double, double, double>;
}

template <bool isMax> Handler pickExtremum(Decoder &decoder, Type type) {
  if (type == Type::F64)
    return runBinary<Extremum<isMax, false, false>, double, double, double>;
  bool ftz = decoder.take("ftz"), nan = decoder.take("NaN");
  bool isXor = decoder.take("xorsign");
  if (isXor && !decoder.take("abs"))
    return nullptr;
  if (isXor) {
    if (ftz)
      return nan ? runBinary<ExtremumXorSign<isMax, true, true>, float, float,
                             float>
                 : runBinary<ExtremumXorSign<isMax, true, false>, float, float,
                             float>;
    return nan ? runBinary<ExtremumXorSign<isMax, false, true>, float, float,
                           float>
               : runBinary<ExtremumXorSign<isMax, false, false>, float, float,
                           float>;
  }
  if (ftz)
    return nan ? runBinary<Extremum<isMax, true, true>, float, float, float>
               : runBinary<Extremum<isMax, true, false>, float, float, float>;
  return nan ? runBinary<Extremum<isMax, false, true>, float, float, float>
             : runBinary<Extremum<isMax, false, false>, float, float, float>;
}

/// A call through a pointer: the compiler can't move arithmetic out of it.
template <int mode> void runRounded(Warp &warp, const Op &op, uint32_t mask) {
  int previous = std::fegetround();
  std::fesetround(mode);
  op.inner(warp, op, mask);
  std::fesetround(previous);
}

template <typename T> bool isOfKind(T value, int kind) {
  switch (kind) {
  case 0:
    return std::isfinite(value);
  case 1:
    return std::isinf(value);
  case 2:
    return value == value;
  case 3:
    return value != value;
  case 4:
    return std::isnormal(value);
  default:
    return std::fpclassify(value) == FP_SUBNORMAL;
  }
}
template <typename T> void runTestp(Warp &warp, const Op &op, uint32_t mask) {
  auto *a = warp.slots<Slot<T>>(op.a);
  uint32_t result = 0;
  for (int lane = 0; lane < 32; ++lane)
    if (isOfKind(fromSlot<T>(a[lane]), op.mode))
      result |= uint32_t(1) << lane;
  uint32_t &d = warp.predicate(op.d);
  d = (d & ~mask) | (result & mask);
}

bool isNarrow(Type type) { return type != Type::F32 && type != Type::F64; }

} // namespace

Rounding ptxsim::takeRounding(Decoder &decoder) {
  int number = decoder.takeOneOf({"rn", "rz", "rm", "rp"});
  return number < 0 ? Rounding::Nearest : static_cast<Rounding>(number);
}

Handler ptxsim::withRounding(Handler run, Rounding rounding, Op &op) {
  if (!run)
    return nullptr;
  op.inner = run;
  switch (rounding) {
  case Rounding::Zero:
    return runRounded<FE_TOWARDZERO>;
  case Rounding::Down:
    return runRounded<FE_DOWNWARD>;
  case Rounding::Up:
    return runRounded<FE_UPWARD>;
  default:
    return run;
  }
}

bool ptxsim::decodeFloatBinary(Decoder &decoder, Type type,
                               FloatOperation operation) {
  if (isNarrow(type))
    return decodeHalfBinary(decoder, type, operation);
  if (operation == FloatOperation::Min)
    return decodeBinary(decoder, type, pickExtremum<false>(decoder, type));
  if (operation == FloatOperation::Max)
    return decodeBinary(decoder, type, pickExtremum<true>(decoder, type));
  Rounding rounding = takeRounding(decoder);
  // Approximations are as good as exact.
  if (operation == FloatOperation::Div && type == Type::F32)
    decoder.takeOneOf({"approx", "full"});
  bool ftz = decoder.take("ftz"), sat = decoder.take("sat");
  Handler run = nullptr;
  switch (operation) {
  case FloatOperation::Add:
    run = pickArithmetic<FloatOperation::Add>(type, ftz, sat);
    break;
  case FloatOperation::Sub:
    run = pickArithmetic<FloatOperation::Sub>(type, ftz, sat);
    break;
  case FloatOperation::Mul:
    run = pickArithmetic<FloatOperation::Mul>(type, ftz, sat);
    break;
  default:
    run = sat ? nullptr : pickArithmetic<FloatOperation::Div>(type, ftz, false);
  }
  Op op;
  run = withRounding(run, rounding, op);
  return decoder.expectOperands(3) && decoder.destination(0, type, op.d) &&
         decoder.source(1, type, op.a) && decoder.source(2, type, op.b) &&
         emitOp(decoder, run, op);
}

bool ptxsim::decodeFloatUnary(Decoder &decoder, Type type,
                              FloatOperation operation) {
  if (isNarrow(type))
    return decodeHalfUnary(decoder, type, operation);
  bool ftz = type == Type::F32 && decoder.take("ftz");
  Handler run;
  if (operation == FloatOperation::Neg)
    run = type == Type::F64 ? runUnary<Negate<false>, double, double>
          : ftz             ? runUnary<Negate<true>, float, float>
                            : runUnary<Negate<false>, float, float>;
  else
    run = type == Type::F64 ? runUnary<Absolute<false>, double, double>
          : ftz             ? runUnary<Absolute<true>, float, float>
                            : runUnary<Absolute<false>, float, float>;
  return decodeUnary(decoder, type, type, run);
}

bool ptxsim::decodeFloatFma(Decoder &decoder, Type type) {
  if (isNarrow(type))
    return decodeHalfFma(decoder, type);
  Rounding rounding = takeRounding(decoder);
  bool ftz = decoder.take("ftz"), sat = decoder.take("sat");
  using F = float;
  Handler run = runTernary<Fma<false, false>, double, double, double, double>;
  if (type == Type::F64)
    run = ftz || sat ? nullptr : run;
  else if (ftz)
    run = sat ? runTernary<Fma<true, true>, F, F, F, F>
              : runTernary<Fma<true, false>, F, F, F, F>;
  else
    run = sat ? runTernary<Fma<false, true>, F, F, F, F>
              : runTernary<Fma<false, false>, F, F, F, F>;
  Op op;
  run = withRounding(run, rounding, op);
  return decoder.expectOperands(4) && decoder.destination(0, type, op.d) &&
         decoder.source(1, type, op.a) && decoder.source(2, type, op.b) &&
         decoder.source(3, type, op.c) && emitOp(decoder, run, op);
}

bool ptxsim::decodeFma(Decoder &decoder) {
  Type type = decoder.takeType();
  return isFloat(type) ? decodeFloatFma(decoder, type)
                       : decoder.failModifiers();
}

bool ptxsim::decodeCopysign(Decoder &decoder) {
  Type type = decoder.takeType();
  return decodeBinary(
      decoder, type,
      type == Type::F32   ? runBinary<Copysign, float, float, float>
      : type == Type::F64 ? runBinary<Copysign, double, double, double>
                          : nullptr);
}

bool ptxsim::decodeTestp(Decoder &decoder) {
  int kind = decoder.takeOneOf(
      {"finite", "infinite", "number", "notanumber", "normal", "subnormal"});
  Type type = decoder.takeType();
  if (kind < 0 || (type != Type::F32 && type != Type::F64))
    return decoder.failModifiers();
  Op op;
  op.mode = kind;
  return decoder.expectOperands(2) &&
         decoder.predicateDestination(decoder.getStatement().operands[0],
                                      op.d) &&
         decoder.source(1, type, op.a) &&
         emitOp(decoder, type == Type::F32 ? runTestp<float> : runTestp<double>,
                op);
}
