//===- Atomic.cpp - atom and red --------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Read-modify-write, lane after lane, under a lock of the grid's.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Access.h"
#include "tools/ptxsim/Instructions.h"
#include "tools/ptxsim/Lanes.h"

#include <cmath>

using namespace ptxsim;

namespace {

enum Operation : uint8_t { And, Or, Xor, Cas, Exch, Add, Inc, Dec, Min, Max };

template <typename T> T addNarrow(T a, T b) {
  double sum = toDouble(a) + toDouble(b);
  if constexpr (std::is_same_v<T, Half>)
    return toHalf(sum);
  else
    return toBFloat(sum);
}
template <typename T, bool isMax> T pickNarrow(T a, T b) {
  double x = toDouble(a), y = toDouble(b);
  if (x != x)
    return b;
  if (y != y)
    return a;
  return (x < y) == isMax ? b : a;
}
/// On one or two narrow floats of a word.
template <typename T>
uint32_t applyNarrow(uint32_t a, uint32_t b, Operation operation, int count) {
  uint32_t result = 0;
  for (int i = 0; i < count; ++i) {
    T x{uint16_t(a >> (16 * i))}, y{uint16_t(b >> (16 * i))};
    T value = operation == Add   ? addNarrow(x, y)
              : operation == Min ? pickNarrow<T, false>(x, y)
                                 : pickNarrow<T, true>(x, y);
    result |= uint32_t(value.bits) << (16 * i);
  }
  return result;
}

template <typename T> T applyInteger(T a, T b, Operation operation) {
  using U = std::make_unsigned_t<T>;
  switch (operation) {
  case Add:
    return T(U(a) + U(b));
  case Inc:
    return U(a) >= U(b) ? 0 : T(a + 1);
  case Dec:
    return a == 0 || U(a) > U(b) ? b : T(a - 1);
  case Min:
    return a < b ? a : b;
  default:
    return a > b ? a : b;
  }
}

uint64_t apply(uint64_t a, uint64_t b, uint64_t c, Operation operation,
               Type type) {
  switch (operation) {
  case And:
    return a & b;
  case Or:
    return a | b;
  case Xor:
    return a ^ b;
  case Cas:
    return a == b ? c : a;
  case Exch:
    return b;
  default:
    break;
  }
  switch (type) {
  case Type::U32:
    return applyInteger<uint32_t>(a, b, operation);
  case Type::S32:
    return uint32_t(applyInteger<int32_t>(a, b, operation));
  case Type::U64:
    return applyInteger<uint64_t>(a, b, operation);
  case Type::S64:
    return applyInteger<int64_t>(a, b, operation);
  case Type::F32:
    return bitCast<uint32_t>(bitCast<float>(uint32_t(a)) +
                             bitCast<float>(uint32_t(b)));
  case Type::F64:
    return bitCast<uint64_t>(bitCast<double>(a) + bitCast<double>(b));
  case Type::F16:
    return applyNarrow<Half>(a, b, operation, 1);
  case Type::F16X2:
    return applyNarrow<Half>(a, b, operation, 2);
  case Type::BF16:
    return applyNarrow<BFloat>(a, b, operation, 1);
  default:
    return applyNarrow<BFloat>(a, b, operation, 2);
  }
}

bool isAllowed(Operation operation, Type type) {
  bool isNarrow = type == Type::F16 || type == Type::F16X2 ||
                  type == Type::BF16 || type == Type::BF16X2;
  bool isWord = getBits(type) == 32 || getBits(type) == 64;
  switch (operation) {
  case And:
  case Or:
  case Xor:
    return isUntyped(type) && isWord;
  case Cas:
  case Exch:
    return isUntyped(type) && (isWord || type == Type::B16);
  case Add:
    return isFloat(type) ? isNarrow || type == Type::F32 || type == Type::F64
                         : !isUntyped(type) && isWord;
  case Inc:
  case Dec:
    return type == Type::U32;
  default:
    return isFloat(type) ? isNarrow : !isUntyped(type) && isWord;
  }
}

template <typename T> void runAtomic(Warp &warp, const Op &op, uint32_t mask) {
  char *places[32];
  int bytes = op.count;
  if (!resolve(warp, op, mask, static_cast<Space>(op.mode), AccessKind::Atomic,
               bytes, places))
    return;
  T *b = warp.slots<T>(op.b), *c = warp.slots<T>(op.c),
    *d = warp.slots<T>(op.d);
  std::lock_guard<std::mutex> lock(warp.block.grid.atomics);
  for (int lane = 0; lane < 32; ++lane) {
    if (!warp.isLane(mask, lane))
      continue;
    uint64_t old = 0;
    std::memcpy(&old, places[lane], bytes);
    uint64_t value =
        apply(old, b[lane], c[lane], static_cast<Operation>(op.extra & 0xff),
              static_cast<Type>(op.extra >> 8));
    std::memcpy(places[lane], &value, bytes);
    if (op.target)
      d[lane] = T(old);
  }
}

bool decodeAtomic(Decoder &decoder, bool hasResult) {
  int order = decoder.takeOneOf({"relaxed", "acquire", "release", "acq_rel"});
  decoder.takeOneOf({"cta", "cluster", "gpu", "sys"});
  if (!hasResult && (order == 1 || order == 3))
    return decoder.failModifiers();
  static constexpr Space spaces[] = {Space::Global, Space::Shared,
                                     Space::Shared};
  int number = decoder.takeOneOf({"global", "shared", "shared::cta"});
  Space space = number < 0 ? Space::Generic : spaces[number];
  int operation = decoder.takeOneOf(
      {"and", "or", "xor", "cas", "exch", "add", "inc", "dec", "min", "max"});
  decoder.take("noftz");
  Type type = decoder.takeType();
  if (operation < 0 || !isAllowed(static_cast<Operation>(operation), type) ||
      (!hasResult && (operation == Cas || operation == Exch)))
    return decoder.failModifiers();
  Op op;
  op.extra = operation | uint32_t(type) << 8;
  op.count = getBytes(type);
  op.target = hasResult;
  size_t first = hasResult ? 1 : 0;
  if (!decoder.expectOperands(first + (operation == Cas ? 3 : 2)) ||
      !decoder.address(first, op, space) ||
      !decoder.source(first + 1, type, op.b) ||
      (operation == Cas && !decoder.source(first + 2, type, op.c)) ||
      (hasResult && !decoder.destination(0, type, op.d)))
    return false;
  op.mode = static_cast<uint8_t>(space);
  return emitOp(decoder,
                getBits(type) == 64 ? runAtomic<uint64_t> : runAtomic<uint32_t>,
                op);
}

} // namespace

bool ptxsim::decodeAtom(Decoder &decoder) {
  return decodeAtomic(decoder, true);
}
bool ptxsim::decodeRed(Decoder &decoder) {
  return decodeAtomic(decoder, false);
}
