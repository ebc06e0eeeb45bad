//===- FloatFunctions.cpp - Reciprocals, roots, transcendentals -*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Approximations are computed as well as this machine can: results are within
/// the bounds that the ISA states, not the bits of some hardware.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Instructions.h"
#include "tools/ptxsim/Lanes.h"

#include <cmath>
#include <limits>

using namespace ptxsim;

namespace {

struct Rcp {
  template <typename T> T operator()(T a) const { return T(1) / a; }
};
struct Sqrt {
  template <typename T> T operator()(T a) const { return std::sqrt(a); }
};
struct Rsqrt {
  float operator()(float a) const { return float(1 / std::sqrt(double(a))); }
  double operator()(double a) const { return 1 / std::sqrt(a); }
};
struct Sin {
  float operator()(float a) const { return std::sin(a); }
};
struct Cos {
  float operator()(float a) const { return std::cos(a); }
};
struct Ex2 {
  float operator()(float a) const { return std::exp2(a); }
};
struct Lg2 {
  float operator()(float a) const { return std::log2(a); }
};
struct Tanh {
  float operator()(float a) const { return std::tanh(a); }
};
template <typename F> struct Flushed {
  static float flush(float value) {
    return std::fabs(value) < std::numeric_limits<float>::min()
               ? std::copysign(0.0f, value)
               : value;
  }
  float operator()(float a) const { return flush(F()(flush(a))); }
};
/// f64 with the low 32 bits of operand and result taken as zero.
template <typename F> struct Coarse {
  static double cut(double value) {
    return bitCast<double>(bitCast<uint64_t>(value) >> 32 << 32);
  }
  double operator()(double a) const { return cut(F()(cut(a))); }
};

/// rcp, sqrt: exact with a rounding, or .approx.
template <typename F> bool decodeRoot(Decoder &decoder) {
  bool isApprox = decoder.take("approx");
  Rounding rounding = Rounding::Nearest;
  if (!isApprox) {
    int number = decoder.takeOneOf({"rn", "rz", "rm", "rp"});
    if (number < 0)
      return decoder.fail("needs a rounding or .approx");
    rounding = static_cast<Rounding>(number);
  }
  bool ftz = decoder.take("ftz");
  Type type = decoder.takeType();
  Op op;
  Handler run = nullptr;
  if (type == Type::F32)
    run = ftz ? runUnary<Flushed<F>, float, float> : runUnary<F, float, float>;
  else if (type == Type::F64 && isApprox && ftz)
    run = runUnary<Coarse<F>, double, double>;
  else if (type == Type::F64 && !isApprox && !ftz)
    run = runUnary<F, double, double>;
  run = withRounding(run, rounding, op);
  return decoder.expectOperands(2) && decoder.destination(0, type, op.d) &&
         decoder.source(1, type, op.a) && emitOp(decoder, run, op);
}

template <typename F> bool decodeApproximation(Decoder &decoder) {
  bool isApprox = decoder.take("approx"), ftz = decoder.take("ftz");
  Type type = decoder.takeType();
  if (!isApprox || type != Type::F32)
    return decoder.failModifiers();
  return decodeUnary(decoder, type, type,
                     ftz ? runUnary<Flushed<F>, float, float>
                         : runUnary<F, float, float>);
}

bool isNarrow(Decoder &decoder) {
  return decoder.has("f16") || decoder.has("f16x2") || decoder.has("bf16") ||
         decoder.has("bf16x2");
}

} // namespace

bool ptxsim::decodeRcp(Decoder &decoder) { return decodeRoot<Rcp>(decoder); }
bool ptxsim::decodeSqrt(Decoder &decoder) { return decodeRoot<Sqrt>(decoder); }

bool ptxsim::decodeRsqrt(Decoder &decoder) {
  if (!decoder.has("f64"))
    return decodeApproximation<Rsqrt>(decoder);
  bool isApprox = decoder.take("approx"), ftz = decoder.take("ftz");
  Type type = decoder.takeType();
  return decodeUnary(decoder, type, type,
                     !isApprox ? nullptr
                     : ftz     ? runUnary<Coarse<Rsqrt>, double, double>
                               : runUnary<Rsqrt, double, double>);
}

bool ptxsim::decodeSin(Decoder &decoder) {
  return decodeApproximation<Sin>(decoder);
}
bool ptxsim::decodeCos(Decoder &decoder) {
  return decodeApproximation<Cos>(decoder);
}
bool ptxsim::decodeLg2(Decoder &decoder) {
  return decodeApproximation<Lg2>(decoder);
}

bool ptxsim::decodeEx2(Decoder &decoder) {
  if (!isNarrow(decoder))
    return decodeApproximation<Ex2>(decoder);
  if (!decoder.take("approx"))
    return decoder.failModifiers();
  return decodeHalfFunction(decoder, decoder.takeType(), false);
}

bool ptxsim::decodeTanh(Decoder &decoder) {
  if (!decoder.take("approx"))
    return decoder.failModifiers();
  Type type = decoder.takeType();
  if (type != Type::F32)
    return decodeHalfFunction(decoder, type, true);
  return decodeUnary(decoder, type, type, runUnary<Tanh, float, float>);
}
