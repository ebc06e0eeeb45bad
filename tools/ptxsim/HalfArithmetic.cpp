//===- HalfArithmetic.cpp - f16 and bf16 arithmetic -------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Done in double, with one rounding to the narrow type. Sums and products of
/// two such numbers are exact in double or, for fma, made odd where they are
/// not, so that the second rounding is right.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Instructions.h"
#include "tools/ptxsim/Lanes.h"

#include <cmath>

using namespace ptxsim;

namespace {

template <typename T> T narrow(double value);
template <> Half narrow<Half>(double value) { return toHalf(value); }
template <> BFloat narrow<BFloat>(double value) { return toBFloat(value); }

/// Modifiers of narrow arithmetic: bits of op.mode.
enum Flags { Ftz = 1, Sat = 2, Relu = 4, NaN = 8, XorSign = 16 };

template <typename T> double flushInput(T value, int flags) {
  double wide = toDouble(value);
  if ((flags & Ftz) && std::fabs(wide) < 0x1p-14)
    return std::copysign(0.0, wide);
  return wide;
}
template <typename T> T finish(double value, int flags) {
  if (flags & Sat)
    value = value > 0 ? std::fmin(value, 1.0) : 0.0;
  // NaN stays.
  if ((flags & Relu) && value < 0)
    value = 0;
  T result = narrow<T>(value);
  if ((flags & Ftz) && std::fabs(toDouble(result)) < 0x1p-14)
    result.bits &= 0x8000;
  return result;
}

double extremum(double a, double b, bool isMax, int flags) {
  if (std::isnan(a) || std::isnan(b)) {
    if ((flags & NaN) || (std::isnan(a) && std::isnan(b)))
      return std::nan("");
    return std::isnan(a) ? b : a;
  }
  bool isLess = a < b || (a == b && std::signbit(a));
  return isLess == isMax ? b : a;
}

template <typename T> T binary(T x, T y, FloatOperation operation, int flags) {
  double a = flushInput(x, flags), b = flushInput(y, flags);
  switch (operation) {
  case FloatOperation::Add:
    return finish<T>(a + b, flags);
  case FloatOperation::Sub:
    return finish<T>(a - b, flags);
  case FloatOperation::Mul:
    return finish<T>(a * b, flags);
  default:
    break;
  }
  bool isMax = operation == FloatOperation::Max;
  if (!(flags & XorSign))
    return finish<T>(extremum(a, b, isMax, flags), flags);
  double value = extremum(std::fabs(a), std::fabs(b), isMax, flags);
  return finish<T>(std::signbit(a) != std::signbit(b) ? -value : value, flags);
}

template <typename T> T fma(T x, T y, T z, int flags) {
  double product = flushInput(x, flags) * flushInput(y, flags);
  double c = flushInput(z, flags), sum = product + c;
  // What the sum lost, exactly; where that is something, the last bit is set.
  double part = sum - product, lost = (product - (sum - part)) + (c - part);
  if (std::isfinite(sum) && lost != 0) {
    uint64_t bits = bitCast<uint64_t>(sum);
    if (!(bits & 1)) {
      bool isAway = std::signbit(lost) == std::signbit(sum);
      bits += isAway ? 1 : -1;
    }
    sum = bitCast<double>(bits);
  }
  return finish<T>(sum, flags);
}

template <typename T> T negate(T a, FloatOperation operation, int flags) {
  uint16_t magnitude = a.bits & 0x7fff, sign = a.bits & 0x8000;
  if ((flags & Ftz) && magnitude < 0x400)
    magnitude = 0;
  sign = operation == FloatOperation::Abs ? 0 : sign ^ 0x8000;
  return {uint16_t(sign | magnitude)};
}

/// `f` for one or for both values of a register.
template <typename T, bool isPair, typename F>
uint32_t forEach(F f, uint32_t a, uint32_t b = 0, uint32_t c = 0) {
  uint32_t low = f(T{uint16_t(a)}, T{uint16_t(b)}, T{uint16_t(c)}).bits;
  if (!isPair)
    return low;
  uint32_t high =
      f(T{uint16_t(a >> 16)}, T{uint16_t(b >> 16)}, T{uint16_t(c >> 16)}).bits;
  return high << 16 | low;
}

template <typename T, bool isPair, FloatOperation operation>
void runHalfBinary(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t *d = warp.slots<uint32_t>(op.d), *a = warp.slots<uint32_t>(op.a),
           *b = warp.slots<uint32_t>(op.b);
  int flags = op.mode;
  auto f = [=](T x, T y, T) { return binary(x, y, operation, flags); };
  forLanes(mask, [=](int l) { d[l] = forEach<T, isPair>(f, a[l], b[l]); });
}
template <typename T, bool isPair, bool isFma>
void runHalfFma(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t *d = warp.slots<uint32_t>(op.d), *a = warp.slots<uint32_t>(op.a),
           *b = warp.slots<uint32_t>(op.b), *c = warp.slots<uint32_t>(op.c);
  int flags = op.mode;
  auto f = [=](T x, T y, T z) { return fma(x, y, z, flags); };
  forLanes(mask,
           [=](int l) { d[l] = forEach<T, isPair>(f, a[l], b[l], c[l]); });
}
template <typename T, bool isPair, FloatOperation operation>
void runHalfUnary(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t *d = warp.slots<uint32_t>(op.d), *a = warp.slots<uint32_t>(op.a);
  int flags = op.mode;
  auto f = [=](T x, T, T) { return negate(x, operation, flags); };
  forLanes(mask, [=](int l) { d[l] = forEach<T, isPair>(f, a[l]); });
}
template <typename T, bool isPair, bool isTanh>
void runHalfFunction(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t *d = warp.slots<uint32_t>(op.d), *a = warp.slots<uint32_t>(op.a);
  int flags = op.mode;
  auto f = [=](T x, T, T) {
    double value = flushInput(x, flags);
    return finish<T>(isTanh ? std::tanh(value) : std::exp2(value), flags);
  };
  forLanes(mask, [=](int l) { d[l] = forEach<T, isPair>(f, a[l]); });
}

/// The instance of a handler for the type.
#define PTXSIM_PICK_HALF(function, ...)                                        \
  (type == Type::F16      ? function<Half, false, __VA_ARGS__>                 \
   : type == Type::BF16   ? function<BFloat, false, __VA_ARGS__>               \
   : type == Type::F16X2  ? function<Half, true, __VA_ARGS__>                  \
   : type == Type::BF16X2 ? function<BFloat, true, __VA_ARGS__>                \
                          : nullptr)

bool isBrain(Type type) { return type == Type::BF16 || type == Type::BF16X2; }

int takeFlags(Decoder &decoder, Type type, bool isExtremum) {
  int flags = 0;
  if (!isBrain(type) && decoder.take("ftz"))
    flags |= Ftz;
  if (isExtremum) {
    flags |= decoder.take("NaN") ? NaN : 0;
    if (decoder.take("xorsign"))
      flags |= decoder.take("abs") ? XorSign : 0;
  } else if (!isBrain(type)) {
    flags |= decoder.take("sat") ? Sat : 0;
  }
  return flags;
}

} // namespace

bool ptxsim::decodeHalfBinary(Decoder &decoder, Type type,
                              FloatOperation operation) {
  bool isExtremum =
      operation == FloatOperation::Min || operation == FloatOperation::Max;
  Op op;
  op.mode = takeFlags(decoder, type, isExtremum);
  if (!isExtremum)
    decoder.take("rn");
  Handler run = nullptr;
  switch (operation) {
  case FloatOperation::Add:
    run = PTXSIM_PICK_HALF(runHalfBinary, FloatOperation::Add);
    break;
  case FloatOperation::Sub:
    run = PTXSIM_PICK_HALF(runHalfBinary, FloatOperation::Sub);
    break;
  case FloatOperation::Mul:
    run = PTXSIM_PICK_HALF(runHalfBinary, FloatOperation::Mul);
    break;
  case FloatOperation::Min:
    run = PTXSIM_PICK_HALF(runHalfBinary, FloatOperation::Min);
    break;
  case FloatOperation::Max:
    run = PTXSIM_PICK_HALF(runHalfBinary, FloatOperation::Max);
    break;
  default:
    break;
  }
  return decoder.expectOperands(3) && decoder.destination(0, type, op.d) &&
         decoder.source(1, type, op.a) && decoder.source(2, type, op.b) &&
         emitOp(decoder, run, op);
}

bool ptxsim::decodeHalfUnary(Decoder &decoder, Type type,
                             FloatOperation operation) {
  Op op;
  op.mode = !isBrain(type) && decoder.take("ftz") ? Ftz : 0;
  Handler run = operation == FloatOperation::Neg
                    ? PTXSIM_PICK_HALF(runHalfUnary, FloatOperation::Neg)
                    : PTXSIM_PICK_HALF(runHalfUnary, FloatOperation::Abs);
  return decoder.expectOperands(2) && decoder.destination(0, type, op.d) &&
         decoder.source(1, type, op.a) && emitOp(decoder, run, op);
}

bool ptxsim::decodeHalfFma(Decoder &decoder, Type type) {
  Op op;
  if (!decoder.take("rn"))
    return decoder.fail("needs .rn");
  op.mode = takeFlags(decoder, type, false);
  if (decoder.take("relu"))
    op.mode |= Relu;
  Handler run = PTXSIM_PICK_HALF(runHalfFma, true);
  return decoder.expectOperands(4) && decoder.destination(0, type, op.d) &&
         decoder.source(1, type, op.a) && decoder.source(2, type, op.b) &&
         decoder.source(3, type, op.c) && emitOp(decoder, run, op);
}

bool ptxsim::decodeHalfFunction(Decoder &decoder, Type type, bool isTanh) {
  Op op;
  // The ISA has ex2.approx.ftz.bf16, where nothing is flushed that bf16 has.
  if (!isTanh && isBrain(type))
    decoder.take("ftz");
  Handler run = isTanh ? PTXSIM_PICK_HALF(runHalfFunction, true)
                       : PTXSIM_PICK_HALF(runHalfFunction, false);
  return decoder.expectOperands(2) && decoder.destination(0, type, op.d) &&
         decoder.source(1, type, op.a) && emitOp(decoder, run, op);
}
