//===- Mma.cpp - mma.sync ---------------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// All m16n8kX and m8n8kX fragments have one pattern: a register of all lanes,
/// read lane after lane, is eight rows of 4 lanes' elements. Registers of A go
/// down two blocks of rows, then right; those of B go down.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Instructions.h"
#include "tools/ptxsim/Lanes.h"

#include <algorithm>

using namespace ptxsim;

namespace {

// op.list: registers of d, a, b, c; op.target: rows | k << 8; op.mode and
// op.width: types of A and B; op.extra: type of the sums | satfinite << 8 |
// (and or xor of bits) << 9; op.imm: how many registers A and B have.
struct Shape {
  int rows, k, registersA, registersB;
};
Shape getShape(const Op &op) {
  return {int(op.target & 0xff), int(op.target >> 8), int(op.imm & 0xff),
          int(op.imm >> 8)};
}

template <typename T> inline float widenFloat(T value) {
  return toFloat(value);
}
struct Tf32 {
  uint32_t bits;
};
// The low bits don't reach the multiplier.
float widenFloat(Tf32 value) {
  return bitCast<float>(value.bits & 0xffffe000u);
}
template <bool isE4M3> struct Fp8 {
  uint8_t bits;
};
template <bool isE4M3> float widenFloat(Fp8<isE4M3> value) {
  static const auto table = [] {
    std::vector<float> values(256);
    for (int i = 0; i < 256; ++i)
      values[i] = isE4M3 ? e4m3ToFloat(i) : e5m2ToFloat(i);
    return values;
  }();
  return table[value.bits];
}

/// Loops below are inlined into handlers for this machine's vectors.
#define PTXSIM_INLINE __attribute__((always_inline)) inline

/// Eight rows of 128 / 8 / sizeof(T) elements.
template <typename T, typename To, int stride, typename Widen>
PTXSIM_INLINE void unpack(const uint32_t *lanes, To (*matrix)[stride], int row,
                          int column, Widen widen) {
  constexpr int width = 16 / sizeof(T);
  T elements[8][width];
  std::memcpy(elements, lanes, 128);
  for (int i = 0; i < 8; ++i)
    for (int j = 0; j < width; ++j)
      matrix[row + i][column + j] = widen(elements[i][j]);
}

/// Loads A as rows of k, and B as columns (n) of k.
template <typename T, typename To, int stride, typename Widen>
PTXSIM_INLINE void loadA(Warp &warp, const Op &op, const Shape &shape,
                         To (*a)[stride], Widen widen) {
  const uint32_t *places = &warp.program.lists[op.list + op.count];
  int blocks = shape.rows / 8;
  for (int i = 0; i < shape.registersA; ++i)
    unpack<T>(warp.slots<uint32_t>(places[i]), a, i % blocks * 8,
              i / blocks * int(16 / sizeof(T)), widen);
}
template <typename T, typename To, int stride, typename Widen>
PTXSIM_INLINE void loadB(Warp &warp, const Op &op, const Shape &shape,
                         To (*b)[stride], Widen widen) {
  const uint32_t *places =
      &warp.program.lists[op.list + op.count + shape.registersA];
  for (int i = 0; i < shape.registersB; ++i)
    unpack<T>(warp.slots<uint32_t>(places[i]), b, 0, i * int(16 / sizeof(T)),
              widen);
}

/// Sums of 32 bits: register i of lane l has row l / 4 + 8 (i / 2) and column
/// 2 (l % 4) + i % 2.
template <typename T>
PTXSIM_INLINE void loadC(Warp &warp, const Op &op, const Shape &shape,
                         T (*c)[8]) {
  const uint32_t *places =
      &warp.program
           .lists[op.list + op.count + shape.registersA + shape.registersB];
  for (int half = 0; half < shape.rows / 8; ++half) {
    const T *even = warp.slots<T>(places[half * 2]);
    const T *odd = warp.slots<T>(places[half * 2 + 1]);
    for (int lane = 0; lane < 32; ++lane) {
      c[half * 8 + lane / 4][lane % 4 * 2] = even[lane];
      c[half * 8 + lane / 4][lane % 4 * 2 + 1] = odd[lane];
    }
  }
}
template <typename T>
PTXSIM_INLINE void storeD(Warp &warp, const Op &op, const Shape &shape,
                          T (*c)[8]) {
  const uint32_t *places = &warp.program.lists[op.list];
  for (int half = 0; half < shape.rows / 8; ++half) {
    T *even = warp.slots<T>(places[half * 2]);
    T *odd = warp.slots<T>(places[half * 2 + 1]);
    for (int lane = 0; lane < 32; ++lane) {
      even[lane] = c[half * 8 + lane / 4][lane % 4 * 2];
      odd[lane] = c[half * 8 + lane / 4][lane % 4 * 2 + 1];
    }
  }
}

constexpr int maxFloatK = 32;

/// c += a b, products exact, sums in f32 from k = 0 on. The tensor cores'
/// order and their truncation are not specified.
PTXSIM_INLINE void multiply(const float (*a)[maxFloatK], const float (*b)[8],
                            float (*c)[8], int rows, int k) {
  for (int i = 0; i < rows; i += 4) {
    float sums[4][8];
    std::memcpy(sums, c[i], sizeof(sums));
    for (int p = 0; p < k; ++p)
      for (int r = 0; r < 4; ++r)
        for (int j = 0; j < 8; ++j)
          sums[r][j] += a[i + r][p] * b[p][j];
    std::memcpy(c[i], sums, sizeof(sums));
  }
}

bool needAllLanes(Warp &warp, const Op &op, uint32_t mask) {
  if (mask == ~uint32_t(0))
    return true;
  warp.fault(op, FaultKind::Divergent, "not all lanes of the warp came",
             __builtin_ctz(~mask));
  return false;
}

template <typename A, typename B, bool isHalfSum>
PTXSIM_INLINE void multiplyFloats(Warp &warp, const Op &op, uint32_t mask) {
  if (!needAllLanes(warp, op, mask))
    return;
  Shape shape = getShape(op);
  float a[16][maxFloatK], columns[8][maxFloatK], b[maxFloatK][8], c[16][8];
  auto widen = [](auto value) { return widenFloat(value); };
  loadA<A>(warp, op, shape, a, widen);
  loadB<B>(warp, op, shape, columns, widen);
  for (int p = 0; p < shape.k; ++p)
    for (int j = 0; j < 8; ++j)
      b[p][j] = columns[j][p];
  if (!isHalfSum) {
    loadC<float>(warp, op, shape, c);
    multiply(a, b, c, shape.rows, shape.k);
    storeD<float>(warp, op, shape, c);
    return;
  }
  // A register has both columns of a lane.
  const uint32_t *places = &warp.program.lists[op.list];
  const uint32_t *sums =
      places + op.count + shape.registersA + shape.registersB;
  for (int half = 0; half < shape.rows / 8; ++half)
    unpack<Half>(warp.slots<uint32_t>(sums[half]), c, half * 8, 0, widen);
  multiply(a, b, c, shape.rows, shape.k);
  for (int half = 0; half < shape.rows / 8; ++half) {
    uint32_t *d = warp.slots<uint32_t>(places[half]);
    for (int lane = 0; lane < 32; ++lane) {
      const float *pair = &c[half * 8 + lane / 4][lane % 4 * 2];
      d[lane] = toHalfNearest(pair[0]).bits |
                uint32_t(toHalfNearest(pair[1]).bits) << 16;
    }
  }
}

template <typename A, typename B, bool isHalfSum>
void runPortable(Warp &warp, const Op &op, uint32_t mask) {
  multiplyFloats<A, B, isHalfSum>(warp, op, mask);
}
#ifdef __x86_64__
template <typename A, typename B, bool isHalfSum>
__attribute__((target("avx2,fma"))) void runAvx2(Warp &warp, const Op &op,
                                                 uint32_t mask) {
  multiplyFloats<A, B, isHalfSum>(warp, op, mask);
}
#endif
template <typename A, typename B, bool isHalfSum> Handler pickMachine() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return runAvx2<A, B, isHalfSum>;
#endif
  return runPortable<A, B, isHalfSum>;
}

void runDoubleMma(Warp &warp, const Op &op, uint32_t mask) {
  if (!needAllLanes(warp, op, mask))
    return;
  Shape shape = getShape(op);
  double c[16][8];
  loadC<double>(warp, op, shape, c);
  const uint32_t *places = &warp.program.lists[op.list + op.count];
  int blocks = shape.rows / 8;
  for (int i = 0; i < shape.rows; ++i)
    for (int j = 0; j < 8; ++j)
      for (int p = 0; p < shape.k; ++p) {
        uint32_t a = places[i / 8 + p / 4 * blocks];
        uint32_t b = places[shape.registersA + p / 4];
        c[i][j] = __builtin_fma(warp.slots<double>(a)[i % 8 * 4 + p % 4],
                                warp.slots<double>(b)[j * 4 + p % 4], c[i][j]);
      }
  storeD<double>(warp, op, shape, c);
}

constexpr int maxIntegerK = 64;

void runIntegerMma(Warp &warp, const Op &op, uint32_t mask) {
  if (!needAllLanes(warp, op, mask))
    return;
  Shape shape = getShape(op);
  Type typeA = static_cast<Type>(op.mode), typeB = static_cast<Type>(op.width);
  int16_t a[16][maxIntegerK], b[8][maxIntegerK];
  auto load = [&](Type type, int16_t (*matrix)[maxIntegerK], auto loadBytes) {
    if (getBits(type) == 8) {
      if (type == Type::S8)
        loadBytes(int8_t(), [](int8_t value) { return int16_t(value); });
      else
        loadBytes(uint8_t(), [](uint8_t value) { return int16_t(value); });
      return;
    }
    // Two nibbles a byte: bytes first, then spread from the end.
    loadBytes(uint8_t(), [](uint8_t value) { return int16_t(value); });
    bool isSignedType = type == Type::S4;
    int rows = matrix == a ? shape.rows : 8;
    for (int i = 0; i < rows; ++i)
      for (int j = shape.k / 2 - 1; j >= 0; --j) {
        int low = matrix[i][j] & 15, high = matrix[i][j] >> 4;
        matrix[i][2 * j] = isSignedType && low > 7 ? low - 16 : low;
        matrix[i][2 * j + 1] = isSignedType && high > 7 ? high - 16 : high;
      }
  };
  load(typeA, a, [&](auto sample, auto widen) {
    loadA<decltype(sample)>(warp, op, shape, a, widen);
  });
  load(typeB, b, [&](auto sample, auto widen) {
    loadB<decltype(sample)>(warp, op, shape, b, widen);
  });
  int32_t c[16][8];
  loadC<int32_t>(warp, op, shape, c);
  bool isSaturated = op.extra >> 8 & 1;
  for (int i = 0; i < shape.rows; ++i)
    for (int j = 0; j < 8; ++j) {
      // 64 products of two bytes are far from 32 bits.
      int32_t sum = 0;
      for (int p = 0; p < shape.k; ++p)
        sum += int32_t(a[i][p]) * b[j][p];
      int64_t exact = int64_t(c[i][j]) + sum;
      if (isSaturated)
        exact = std::clamp<int64_t>(exact, INT32_MIN, INT32_MAX);
      c[i][j] = int32_t(exact);
    }
  storeD<int32_t>(warp, op, shape, c);
}

void runBitMma(Warp &warp, const Op &op, uint32_t mask) {
  if (!needAllLanes(warp, op, mask))
    return;
  Shape shape = getShape(op);
  uint32_t a[16][8], b[8][8];
  auto same = [](uint32_t value) { return value; };
  loadA<uint32_t>(warp, op, shape, a, same);
  loadB<uint32_t>(warp, op, shape, b, same);
  int32_t c[16][8];
  loadC<int32_t>(warp, op, shape, c);
  bool isXor = op.extra >> 9 & 1;
  for (int i = 0; i < shape.rows; ++i)
    for (int j = 0; j < 8; ++j)
      for (int p = 0; p < shape.k / 32; ++p)
        c[i][j] +=
            __builtin_popcount(isXor ? a[i][p] ^ b[j][p] : a[i][p] & b[j][p]);
  storeD<int32_t>(warp, op, shape, c);
}

template <typename A> Handler pickFp8(Type b) {
  return b == Type::E4M3   ? pickMachine<A, Fp8<true>, false>()
         : b == Type::E5M2 ? pickMachine<A, Fp8<false>, false>()
                           : nullptr;
}

Handler pick(Type d, Type a, Type b, Type c, int k, int rows) {
  bool isSixteen = rows == 16;
  auto isK = [&](int one, int other) { return k == one || k == other; };
  if (d != c && !(d == Type::F32 && c == Type::F16))
    return nullptr;
  if (d != c)
    return nullptr;
  if (d == Type::F64 && a == Type::F64 && b == Type::F64)
    return (isSixteen ? k == 4 || isK(8, 16) : k == 4) ? runDoubleMma : nullptr;
  if (d == Type::S32) {
    if (a == Type::B1 && b == Type::B1)
      return isSixteen && isK(128, 256) ? runBitMma : nullptr;
    bool isByte = getBits(a) == 8;
    if (getBits(a) != getBits(b) || isFloat(a) || isFloat(b) ||
        (!isByte && getBits(a) != 4) || a == Type::B8 || b == Type::B8)
      return nullptr;
    int step = isByte ? 16 : 32;
    return (isSixteen ? isK(step, 2 * step) : k == step) ? runIntegerMma
                                                         : nullptr;
  }
  if (!isSixteen)
    return nullptr;
  if (a == Type::F16 && b == Type::F16 && isK(8, 16))
    return d == Type::F32   ? pickMachine<Half, Half, false>()
           : d == Type::F16 ? pickMachine<Half, Half, true>()
                            : nullptr;
  if (d != Type::F32)
    return nullptr;
  if (a == Type::BF16 && b == Type::BF16 && isK(8, 16))
    return pickMachine<BFloat, BFloat, false>();
  if (a == Type::TF32 && b == Type::TF32 && isK(4, 8))
    return pickMachine<Tf32, Tf32, false>();
  if (k == 32 && a == Type::E4M3)
    return pickFp8<Fp8<true>>(b);
  if (k == 32 && a == Type::E5M2)
    return pickFp8<Fp8<false>>(b);
  return nullptr;
}

} // namespace

bool ptxsim::decodeMma(Decoder &decoder) {
  if (!decoder.take("sync") || !decoder.take("aligned"))
    return decoder.failModifiers();
  static constexpr std::pair<int, int> shapes[] = {
      {16, 4},   {16, 8},   {16, 16}, {16, 32}, {16, 64},
      {16, 128}, {16, 256}, {8, 4},   {8, 16},  {8, 32}};
  int number = decoder.takeOneOf({"m16n8k4", "m16n8k8", "m16n8k16", "m16n8k32",
                                  "m16n8k64", "m16n8k128", "m16n8k256",
                                  "m8n8k4", "m8n8k16", "m8n8k32"});
  const std::vector<std::string> &words = decoder.getStatement().modifiers;
  auto position = [&](std::string_view word) {
    return std::find(words.begin(), words.end(), word);
  };
  if (number < 0 || position("row") > position("col") || !decoder.take("row") ||
      !decoder.take("col"))
    return decoder.failModifiers();
  auto [rows, k] = shapes[number];
  bool isSaturated = decoder.take("satfinite");
  int logic = decoder.takeOneOf({"and", "xor"});
  if (logic >= 0 && !decoder.take("popc"))
    return decoder.failModifiers();
  Type d = decoder.takeType(), a = decoder.takeType(), b = decoder.takeType(),
       c = decoder.takeType();
  Handler run = pick(d, a, b, c, k, rows);
  if (!run || (isSaturated && (d != Type::S32 || a == Type::B1)) ||
      (logic >= 0) != (a == Type::B1))
    return decoder.failModifiers();
  bool isDouble = d == Type::F64;
  Type word = isDouble ? Type::B64 : Type::B32;
  int perRegister = isDouble ? 1 : 32 / getBits(a);
  int registersA = rows * k / 32 / perRegister;
  int registersB = 8 * k / 32 / perRegister;
  int sums = rows * 8 / 32 / (d == Type::F16 ? 2 : 1);
  Op op;
  op.mode = static_cast<uint8_t>(a);
  op.width = static_cast<uint8_t>(b);
  op.extra =
      uint32_t(d) | uint32_t(isSaturated) << 8 | uint32_t(logic == 1) << 9;
  op.target = rows | k << 8;
  op.imm = registersA | registersB << 8;
  op.count = sums;
  op.list = decoder.beginList();
  return decoder.expectOperands(4) && decoder.destinations(0, word, sums) &&
         decoder.sources(1, word, registersA) &&
         decoder.sources(2, word, registersB) &&
         decoder.sources(3, word, sums) && emitOp(decoder, run, op);
}
