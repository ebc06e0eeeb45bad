//===- IntegerTest.cpp - integer instructions ------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Harness.h"

using namespace ptxsim::test;

namespace {

// Values at the edges, in every combination of neighbours.
const Lanes wordsA = {0,          1,          2,          3,
                      0x7fffffff, 0x80000000, 0x80000001, 0xffffffff,
                      0xfffffffe, 0x12345678, 0x9abcdef0, 0xffff,
                      0x10000,    0xff,       0x55555555, 0xaaaaaaaa};
const Lanes wordsB = {
    7,          0xffffffff, 0x80000000, 0x7fffffff, 0x7fffffff, 0xffffffff,
    0x80000000, 1,          2,          0x9abcdef0, 0x12345678, 0x10001,
    0xffff,     5,          3,          0x33333333, 31};
const Lanes wordsC = {0, 1, 0xffffffff, 0x80000000, 0x7fffffff, 9, 12345};
const Lanes longsA = {0,
                      1,
                      0x7fffffffffffffff,
                      0x8000000000000000,
                      0xffffffffffffffff,
                      0x123456789abcdef0,
                      0xfedcba9876543210,
                      0xffffffff};
const Lanes longsB = {3,
                      0xffffffffffffffff,
                      2,
                      0x8000000000000000,
                      0x7fffffffffffffff,
                      0x100000001,
                      77};

uint64_t at(const Lanes &values, int lane) {
  return values[lane % values.size()];
}

/// Of 32-bit operands in %r1, %r2, %r3 to %r0.
template <typename F> void check32(const std::string &name, F expected) {
  Lanes result =
      run(name + " %r0, %r1, %r2;", {{"%r1", wordsA}, {"%r2", wordsB}}, "%r0");
  for (int lane = 0; lane < 32; ++lane)
    EXPECT_EQ(result[lane], uint32_t(expected(uint32_t(at(wordsA, lane)),
                                              uint32_t(at(wordsB, lane)))))
        << name << " lane " << lane;
}
template <typename F> void check32x3(const std::string &name, F expected) {
  Lanes result =
      run(name + " %r0, %r1, %r2, %r3;",
          {{"%r1", wordsA}, {"%r2", wordsB}, {"%r3", wordsC}}, "%r0");
  for (int lane = 0; lane < 32; ++lane)
    EXPECT_EQ(result[lane], uint32_t(expected(uint32_t(at(wordsA, lane)),
                                              uint32_t(at(wordsB, lane)),
                                              uint32_t(at(wordsC, lane)))))
        << name << " lane " << lane;
}
template <typename F> void check64(const std::string &name, F expected) {
  Lanes result =
      run(name + " %l0, %l1, %l2;", {{"%l1", longsA}, {"%l2", longsB}}, "%l0");
  for (int lane = 0; lane < 32; ++lane)
    EXPECT_EQ(result[lane],
              uint64_t(expected(at(longsA, lane), at(longsB, lane))))
        << name << " lane " << lane;
}
template <typename F> void check16(const std::string &name, F expected) {
  Lanes result =
      run(name + " %h0, %h1, %h2;", {{"%h1", wordsA}, {"%h2", wordsB}}, "%h0");
  for (int lane = 0; lane < 32; ++lane)
    EXPECT_EQ(result[lane], uint16_t(expected(uint16_t(at(wordsA, lane)),
                                              uint16_t(at(wordsB, lane)))))
        << name << " lane " << lane;
}
template <typename F> void checkUnary(const std::string &name, F expected) {
  Lanes result = run(name + " %r0, %r1;", {{"%r1", wordsA}}, "%r0");
  for (int lane = 0; lane < 32; ++lane)
    EXPECT_EQ(result[lane], uint32_t(expected(uint32_t(at(wordsA, lane)))))
        << name << " lane " << lane;
}

using u32 = uint32_t;
using s32 = int32_t;
using u64 = uint64_t;
using s64 = int64_t;
using u16 = uint16_t;
using s16 = int16_t;

TEST(Integer, AddAndSubtract) {
  check32("add.s32", [](u32 a, u32 b) { return a + b; });
  check32("add.u32", [](u32 a, u32 b) { return a + b; });
  check32("sub.s32", [](u32 a, u32 b) { return a - b; });
  check64("add.s64", [](u64 a, u64 b) { return a + b; });
  check64("sub.u64", [](u64 a, u64 b) { return a - b; });
  check16("add.s16", [](u16 a, u16 b) { return a + b; });
  check16("sub.u16", [](u16 a, u16 b) { return a - b; });
  auto saturate = [](s64 v) {
    return v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : v;
  };
  check32("add.sat.s32",
          [&](u32 a, u32 b) { return saturate(s64(s32(a)) + s32(b)); });
  check32("sub.sat.s32",
          [&](u32 a, u32 b) { return saturate(s64(s32(a)) - s32(b)); });
  check32("add.u16x2", [](u32 a, u32 b) {
    return ((a & 0xffff) + b) % 65536 | (((a >> 16) + (b >> 16)) << 16);
  });
}

TEST(Integer, Multiply) {
  check32("mul.lo.s32", [](u32 a, u32 b) { return a * b; });
  check32("mul.lo.u32", [](u32 a, u32 b) { return a * b; });
  check32("mul.hi.u32", [](u32 a, u32 b) { return u64(a) * b >> 32; });
  check32("mul.hi.s32",
          [](u32 a, u32 b) { return u64(s64(s32(a)) * s64(s32(b))) >> 32; });
  check64("mul.lo.s64", [](u64 a, u64 b) { return a * b; });
  check64("mul.hi.u64",
          [](u64 a, u64 b) { return u64((unsigned __int128)(a)*b >> 64); });
  check64("mul.hi.s64", [](u64 a, u64 b) {
    return u64(((__int128)(s64(a)) * s64(b)) >> 64);
  });
  check16("mul.lo.u16", [](u16 a, u16 b) { return u32(a) * b; });
  check16("mul.hi.s16",
          [](u16 a, u16 b) { return s32(s16(a)) * s16(b) >> 16; });
  Lanes wide = run("mul.wide.s32 %l0, %r1, %r2;",
                   {{"%r1", wordsA}, {"%r2", wordsB}}, "%l0");
  Lanes wideU = run("mul.wide.u32 %l0, %r1, %r2;",
                    {{"%r1", wordsA}, {"%r2", wordsB}}, "%l0");
  Lanes wide16 = run("mul.wide.s16 %r0, %h1, %h2;",
                     {{"%h1", wordsA}, {"%h2", wordsB}}, "%r0");
  for (int i = 0; i < 32; ++i) {
    u32 a = at(wordsA, i), b = at(wordsB, i);
    EXPECT_EQ(wide[i], u64(s64(s32(a)) * s64(s32(b))));
    EXPECT_EQ(wideU[i], u64(a) * u64(b));
    EXPECT_EQ(wide16[i], u32(s32(s16(a)) * s32(s16(b))));
  }
  auto extend24 = [](u32 a) { return s64(s32(a << 8) >> 8); };
  check32("mul24.lo.s32", [&](u32 a, u32 b) {
    return u64(extend24(a) * extend24(b)) & 0xffffffff;
  });
  check32("mul24.hi.u32", [&](u32 a, u32 b) {
    return (u64(a & 0xffffff) * (b & 0xffffff)) >> 16;
  });
}

TEST(Integer, MultiplyAdd) {
  check32x3("mad.lo.s32", [](u32 a, u32 b, u32 c) { return a * b + c; });
  check32x3("mad.hi.u32",
            [](u32 a, u32 b, u32 c) { return u32(u64(a) * b >> 32) + c; });
  check32x3("mad.hi.s32", [](u32 a, u32 b, u32 c) {
    return u32(u64(s64(s32(a)) * s32(b)) >> 32) + c;
  });
  check32x3("mad.hi.sat.s32", [](u32 a, u32 b, u32 c) {
    s64 sum = (s64(s32(a)) * s32(b) >> 32) + s64(s32(c));
    return sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum;
  });
  check32x3("mad24.lo.u32", [](u32 a, u32 b, u32 c) {
    return (a & 0xffffff) * (b & 0xffffff) + c;
  });
  check32x3("sad.u32",
            [](u32 a, u32 b, u32 c) { return c + (a < b ? b - a : a - b); });
  check32x3("sad.s32", [](u32 a, u32 b, u32 c) {
    return c + (s32(a) < s32(b) ? b - a : a - b);
  });
  Lanes wide = run("mad.wide.s32 %l0, %r1, %r2, %l1;",
                   {{"%r1", wordsA}, {"%r2", wordsB}, {"%l1", longsA}}, "%l0");
  for (int i = 0; i < 32; ++i)
    EXPECT_EQ(wide[i], u64(s64(s32(at(wordsA, i))) * s64(s32(at(wordsB, i)))) +
                           at(longsA, i));
}

TEST(Integer, DivideAndRemainder) {
  check32("div.u32", [](u32 a, u32 b) { return a / b; });
  check32("rem.u32", [](u32 a, u32 b) { return a % b; });
  check32("div.s32", [](u32 a, u32 b) { return u32(s64(s32(a)) / s32(b)); });
  check32("rem.s32", [](u32 a, u32 b) { return u32(s64(s32(a)) % s32(b)); });
  check64("div.u64", [](u64 a, u64 b) { return a / b; });
  check64("rem.s64",
          [](u64 a, u64 b) { return b == ~u64(0) ? 0 : u64(s64(a) % s64(b)); });
  check64("div.s64", [](u64 a, u64 b) {
    return b == ~u64(0) ? -a : u64(s64(a) / s64(b));
  });
  // By zero the ISA says nothing; hardware gives all ones.
  check16("div.s16", [](u16 a, u16 b) { return b ? s16(a) / s16(b) : -1; });
}

TEST(Integer, MinimumAndMaximum) {
  check32("min.u32", [](u32 a, u32 b) { return a < b ? a : b; });
  check32("max.u32", [](u32 a, u32 b) { return a < b ? b : a; });
  check32("min.s32", [](u32 a, u32 b) { return s32(a) < s32(b) ? a : b; });
  check32("max.s32", [](u32 a, u32 b) { return s32(a) < s32(b) ? b : a; });
  check32("max.relu.s32", [](u32 a, u32 b) {
    s32 m = s32(a) < s32(b) ? b : a;
    return m < 0 ? 0 : m;
  });
  check64("min.s64", [](u64 a, u64 b) { return s64(a) < s64(b) ? a : b; });
  check64("max.u64", [](u64 a, u64 b) { return a < b ? b : a; });
  check16("min.s16", [](u16 a, u16 b) { return s16(a) < s16(b) ? a : b; });
  check32("min.s16x2", [](u32 a, u32 b) {
    auto pick = [](u16 x, u16 y) { return s16(x) < s16(y) ? x : y; };
    return u32(pick(a, b)) | u32(pick(a >> 16, b >> 16)) << 16;
  });
  checkUnary("neg.s32", [](u32 a) { return -a; });
  checkUnary("abs.s32", [](u32 a) { return s32(a) < 0 ? -a : a; });
}

TEST(Integer, Carries) {
  // 128-bit sums and products in pieces.
  std::vector<Lanes> sums =
      Snippet{"add.cc.u32 %r0, %r1, %r3; addc.cc.u32 %r4, %r2, %r3; "
              "addc.u32 %r5, 0, 0;",
              {{"%r1", wordsA}, {"%r2", wordsB}, {"%r3", wordsC}},
              {"%r0", "%r4", "%r5"}}
          .run();
  std::vector<Lanes> differences =
      Snippet{"sub.cc.u64 %l0, %l1, %l3; subc.u64 %l4, %l2, %l1;",
              {{"%l1", longsA}, {"%l2", longsB}, {"%l3", longsB}},
              {"%l0", "%l4"}}
          .run();
  std::vector<Lanes> products =
      Snippet{"mad.lo.cc.u32 %r0, %r1, %r2, %r3; madc.hi.u32 %r4, %r1, %r2, "
              "%r3;",
              {{"%r1", wordsA}, {"%r2", wordsB}, {"%r3", wordsC}},
              {"%r0", "%r4"}}
          .run();
  for (int i = 0; i < 32; ++i) {
    using u128 = unsigned __int128;
    u64 a = at(wordsA, i), b = at(wordsB, i), c = at(wordsC, i);
    u128 sum = (u128(b) << 32 | a) + (u128(c) << 32 | c);
    EXPECT_EQ(sums[0][i], u32(sum));
    EXPECT_EQ(sums[1][i], u32(sum >> 32));
    EXPECT_EQ(sums[2][i], u32(sum >> 64));
    u128 difference = (u128(at(longsB, i)) << 64 | at(longsA, i)) -
                      (u128(at(longsA, i)) << 64 | at(longsB, i));
    EXPECT_EQ(differences[0][i], u64(difference));
    EXPECT_EQ(differences[1][i], u64(difference >> 64));
    u128 product = u128(a) * b + (u128(c) << 32 | c);
    EXPECT_EQ(products[0][i], u32(product));
    EXPECT_EQ(products[1][i], u32(product >> 32));
  }
}

TEST(Integer, DotProducts) {
  check32x3("dp4a.s32.s32", [](u32 a, u32 b, u32 c) {
    for (int i = 0; i < 32; i += 8)
      c += int8_t(a >> i) * int8_t(b >> i);
    return c;
  });
  check32x3("dp4a.u32.s32", [](u32 a, u32 b, u32 c) {
    for (int i = 0; i < 32; i += 8)
      c += uint8_t(a >> i) * int8_t(b >> i);
    return c;
  });
  check32x3("dp2a.hi.s32.u32", [](u32 a, u32 b, u32 c) {
    return c + s16(a) * uint8_t(b >> 16) + s16(a >> 16) * uint8_t(b >> 24);
  });
  check32x3("dp2a.lo.u32.u32", [](u32 a, u32 b, u32 c) {
    return c + u16(a) * uint8_t(b) + u16(a >> 16) * uint8_t(b >> 8);
  });
}

} // namespace
