//===- BitsTest.cpp - logic, shifts, bit fields, comparison -----*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Harness.h"
#include <bitset>
#include <cmath>

using namespace ptxsim::test;

namespace {

using u32 = uint32_t;
using u64 = uint64_t;

const Lanes words = {0,          1,          0x80000000, 0xffffffff,
                     0x12345678, 0xdeadbeef, 0x00ff00ff, 0x7fffffff,
                     0x00010000, 0xf0f0f0f0, 0x0badcafe, 2};
const Lanes amounts = {0, 1, 5, 8, 31, 32, 33, 64, 255, 0xffffffff, 16};
const Lanes longs = {0,
                     1,
                     0x8000000000000000,
                     0xffffffffffffffff,
                     0x0123456789abcdef,
                     0x00000000ffffffff,
                     0x7ull << 40};

u64 at(const Lanes &values, int lane) { return values[lane % values.size()]; }

template <typename F>
void check(const std::string &code,
           std::vector<std::pair<std::string, Lanes>> inputs,
           const std::string &to, F expected) {
  Lanes result = run(code, inputs, to);
  for (int lane = 0; lane < 32; ++lane) {
    u64 values[4] = {};
    for (size_t i = 0; i < inputs.size(); ++i)
      values[i] = at(inputs[i].second, lane);
    EXPECT_EQ(result[lane], u64(expected(values[0], values[1], values[2])))
        << code << " lane " << lane;
  }
}

TEST(Bits, Logic) {
  std::vector<std::pair<std::string, Lanes>> two = {{"%r1", words},
                                                    {"%r2", amounts}};
  check("and.b32 %r0, %r1, %r2;", two, "%r0",
        [](u64 a, u64 b, u64) { return a & b; });
  check("or.b32 %r0, %r1, %r2;", two, "%r0",
        [](u64 a, u64 b, u64) { return a | b; });
  check("xor.b32 %r0, %r1, %r2;", two, "%r0",
        [](u64 a, u64 b, u64) { return a ^ b; });
  check("not.b32 %r0, %r1;", two, "%r0",
        [](u64 a, u64, u64) { return u32(~a); });
  check("cnot.b32 %r0, %r1;", two, "%r0", [](u64 a, u64, u64) { return !a; });
  check("xor.b64 %l0, %l1, %l2;", {{"%l1", longs}, {"%l2", words}}, "%l0",
        [](u64 a, u64 b, u64) { return a ^ b; });
  check("and.b16 %h0, %h1, 0x0ff0;", {{"%h1", words}}, "%h0",
        [](u64 a, u64, u64) { return a & 0x0ff0; });
  check("setp.gt.u32 %p1, %r1, 100; setp.lt.u32 %p2, %r2, 32; xor.pred %p0, "
        "%p1, !%p2; not.pred %p0, %p0;",
        two, "%p0", [](u64 a, u64 b, u64) { return (a > 100) == !(b < 32); });
}

TEST(Bits, ThreeOperandLogic) {
  // The table is the function of 0xf0, 0xcc and 0xaa.
  const Lanes other = {0x0f0f1234, 0x55555555, 0xffff0000};
  struct {
    int table;
    u32 (*f)(u32, u32, u32);
  } cases[] = {
      {0xf0 & 0xcc & 0xaa, [](u32 a, u32 b, u32 c) { return a & b & c; }},
      {(0xf0 & 0xcc) | 0xaa, [](u32 a, u32 b, u32 c) { return (a & b) | c; }},
      {0xf0 ^ 0xcc ^ 0xaa, [](u32 a, u32 b, u32 c) { return a ^ b ^ c; }},
      {(0xf0 & 0xcc) | (~0xf0 & 0xaa & 255),
       [](u32 a, u32 b, u32 c) { return (a & b) | (~a & c); }},
      {~0xf0 & 0xff, [](u32 a, u32, u32) { return ~a; }},
      {0, [](u32, u32, u32) { return 0u; }}};
  for (auto &test : cases)
    check("lop3.b32 %r0, %r1, %r2, %r3, " + std::to_string(test.table) + ";",
          {{"%r1", words}, {"%r2", amounts}, {"%r3", other}}, "%r0",
          [&](u64 a, u64 b, u64 c) { return test.f(a, b, c); });
}

TEST(Bits, ShiftsClamp) {
  std::vector<std::pair<std::string, Lanes>> two = {{"%r1", words},
                                                    {"%r2", amounts}};
  check("shl.b32 %r0, %r1, %r2;", two, "%r0",
        [](u64 a, u64 b, u64) { return b > 31 ? 0 : u32(a << b); });
  check("shr.u32 %r0, %r1, %r2;", two, "%r0",
        [](u64 a, u64 b, u64) { return b > 31 ? 0 : a >> b; });
  check("shr.b32 %r0, %r1, %r2;", two, "%r0",
        [](u64 a, u64 b, u64) { return b > 31 ? 0 : a >> b; });
  check("shr.s32 %r0, %r1, %r2;", two, "%r0",
        [](u64 a, u64 b, u64) { return u32(int32_t(a) >> (b > 31 ? 31 : b)); });
  std::vector<std::pair<std::string, Lanes>> wide = {{"%l1", longs},
                                                     {"%r2", amounts}};
  check("shl.b64 %l0, %l1, %r2;", wide, "%l0",
        [](u64 a, u64 b, u64) { return b > 63 ? 0 : a << b; });
  check("shr.s64 %l0, %l1, %r2;", wide, "%l0",
        [](u64 a, u64 b, u64) { return u64(int64_t(a) >> (b > 63 ? 63 : b)); });
  check("shr.s16 %h0, %h1, %r2;", {{"%h1", words}, {"%r2", amounts}}, "%h0",
        [](u64 a, u64 b, u64) {
          return uint16_t(int16_t(a) >> (b > 15 ? 15 : b));
        });
}

TEST(Bits, FunnelShifts) {
  std::vector<std::pair<std::string, Lanes>> three = {
      {"%r1", words}, {"%r2", {0xcafebabe, 0x80000001}}, {"%r3", amounts}};
  auto both = [](u64 a, u64 b) { return b << 32 | u32(a); };
  check("shf.l.clamp.b32 %r0, %r1, %r2, %r3;", three, "%r0",
        [&](u64 a, u64 b, u64 c) {
          return c >= 32 ? u32(a) : u32(both(a, b) << c >> 32);
        });
  check("shf.l.wrap.b32 %r0, %r1, %r2, %r3;", three, "%r0",
        [&](u64 a, u64 b, u64 c) { return u32(both(a, b) << (c & 31) >> 32); });
  check("shf.r.clamp.b32 %r0, %r1, %r2, %r3;", three, "%r0",
        [&](u64 a, u64 b, u64 c) {
          return c >= 32 ? u32(b) : u32(both(a, b) >> c);
        });
  check("shf.r.wrap.b32 %r0, %r1, %r2, %r3;", three, "%r0",
        [&](u64 a, u64 b, u64 c) { return u32(both(a, b) >> (c & 31)); });
}

TEST(Bits, Permute) {
  // The examples of the modes' tables, on bytes 0x07 … 0x00.
  auto permute = [](const std::string &mode, u32 selector) {
    return run(
        "prmt.b32" + mode + " %r0, %r1, %r2, %r3;",
        {{"%r1", {0x03020100}}, {"%r2", {0x07060504}}, {"%r3", {selector}}},
        "%r0")[0];
  };
  EXPECT_EQ(permute("", 0x7531), 0x07050301u);
  EXPECT_EQ(permute("", 0x0246), 0x00020406u);
  const u32 f4e[] = {0x03020100, 0x04030201, 0x05040302, 0x06050403};
  const u32 b4e[] = {0x05060700, 0x06070001, 0x07000102, 0x00010203};
  const u32 rc8[] = {0x00000000, 0x01010101, 0x02020202, 0x03030303};
  const u32 ecl[] = {0x03020100, 0x03020101, 0x03020202, 0x03030303};
  const u32 ecr[] = {0x00000000, 0x01010100, 0x02020100, 0x03020100};
  const u32 rc16[] = {0x01000100, 0x03020302, 0x01000100, 0x03020302};
  for (u32 n = 0; n < 4; ++n) {
    EXPECT_EQ(permute(".f4e", n), f4e[n]);
    EXPECT_EQ(permute(".b4e", n), b4e[n]);
    EXPECT_EQ(permute(".rc8", n), rc8[n]);
    EXPECT_EQ(permute(".ecl", n), ecl[n]);
    EXPECT_EQ(permute(".ecr", n), ecr[n]);
    EXPECT_EQ(permute(".rc16", n), rc16[n]);
  }
  // The upper bit of a selector spreads the byte's sign.
  EXPECT_EQ(
      run("prmt.b32 %r0, %r1, 0, 0x89ab;", {{"%r1", {0x80017f90}}}, "%r0")[0],
      0xff0000ffu);
}

TEST(Bits, Fields) {
  for (u32 position : {0u, 3u, 16u, 31u, 32u, 40u})
    for (u32 length : {0u, 1u, 4u, 16u, 32u, 64u}) {
      std::string rest =
          std::to_string(position) + ", " + std::to_string(length) + ";";
      auto bit = [](u64 a, u32 i, u32 width) {
        return i < width && (a >> i & 1);
      };
      check("bfe.u32 %r0, %r1, " + rest, {{"%r1", words}}, "%r0",
            [&](u64 a, u64, u64) {
              u64 r = 0;
              for (u32 i = 0; i < std::min(length, 32u); ++i)
                r |= u64(bit(a, position + i, 32)) << i;
              return r;
            });
      check("bfe.s32 %r0, %r1, " + rest, {{"%r1", words}}, "%r0",
            [&](u64 a, u64, u64) {
              u64 r = 0;
              bool sign =
                  length && bit(a, std::min(position + length - 1, 31u), 32);
              for (u32 i = 0; i < 32; ++i)
                r |= u64(i < length && position + i < 32
                             ? bit(a, position + i, 32)
                             : sign)
                     << i;
              return r;
            });
      check("bfi.b32 %r0, %r1, %r2, " + rest,
            {{"%r1", words}, {"%r2", {0xffff0000, 0x01234567}}}, "%r0",
            [&](u64 a, u64 b, u64) {
              for (u32 i = 0; i < length && position + i < 32; ++i) {
                b &= ~(u64(1) << (position + i));
                b |= (a >> i & 1) << (position + i);
              }
              return b;
            });
      check("bfe.s64 %l0, %l1, " + rest, {{"%l1", longs}}, "%l0",
            [&](u64 a, u64, u64) {
              u64 r = 0;
              bool sign =
                  length && bit(a, std::min(position + length - 1, 63u), 64);
              for (u32 i = 0; i < 64; ++i)
                r |= u64(i < length && position + i < 64
                             ? bit(a, position + i, 64)
                             : sign)
                     << i;
              return r;
            });
    }
}

TEST(Bits, Counts) {
  check("popc.b32 %r0, %r1;", {{"%r1", words}}, "%r0",
        [](u64 a, u64, u64) { return std::bitset<32>(a).count(); });
  check("popc.b64 %r0, %l1;", {{"%l1", longs}}, "%r0",
        [](u64 a, u64, u64) { return std::bitset<64>(a).count(); });
  auto zeros = [](u64 a, int width) {
    int n = 0;
    while (n < width && !(a >> (width - 1 - n) & 1))
      ++n;
    return n;
  };
  check("clz.b32 %r0, %r1;", {{"%r1", words}}, "%r0",
        [&](u64 a, u64, u64) { return zeros(a, 32); });
  check("clz.b64 %r0, %l1;", {{"%l1", longs}}, "%r0",
        [&](u64 a, u64, u64) { return zeros(a, 64); });
  check("bfind.u32 %r0, %r1;", {{"%r1", words}}, "%r0",
        [&](u64 a, u64, u64) { return u32(31 - zeros(a, 32)); });
  check("bfind.shiftamt.u32 %r0, %r1;", {{"%r1", words}}, "%r0",
        [&](u64 a, u64, u64) { return a ? u32(zeros(a, 32)) : ~0u; });
  check("bfind.s32 %r0, %r1;", {{"%r1", words}}, "%r0", [&](u64 a, u64, u64) {
    return u32(31 - zeros(a >> 31 ? u32(~a) : a, 32));
  });
  check("brev.b32 %r0, %r1;", {{"%r1", words}}, "%r0", [](u64 a, u64, u64) {
    u64 r = 0;
    for (int i = 0; i < 32; ++i)
      r = r << 1 | (a >> i & 1);
    return r;
  });
  check("bmsk.clamp.b32 %r0, %r1, %r2;",
        {{"%r1", {0, 4, 31, 32, 99}}, {"%r2", {0, 3, 32, 40}}}, "%r0",
        [](u64 a, u64 b, u64) {
          u64 ones = b > 31 ? 0xffffffff : (u64(1) << b) - 1;
          return a > 31 ? 0 : u32(ones << a);
        });
  check("szext.wrap.s32 %r0, %r1, %r2;",
        {{"%r1", words}, {"%r2", {1, 8, 31, 33}}}, "%r0",
        [](u64 a, u64 b, u64) {
          int unused = 32 - int(b & 31);
          return u32(int32_t(u32(a) << unused) >> unused);
        });
  // The n-th bit from a base: up, down, and the base itself.
  const Lanes bits = {0xf0f0};
  EXPECT_EQ(run("fns.b32 %r0, %r1, 0, 3;", {{"%r1", bits}}, "%r0")[0], 6u);
  EXPECT_EQ(run("fns.b32 %r0, %r1, 10, -1;", {{"%r1", bits}}, "%r0")[0], 7u);
  EXPECT_EQ(run("fns.b32 %r0, %r1, 5, 0;", {{"%r1", bits}}, "%r0")[0], 5u);
  EXPECT_EQ(run("fns.b32 %r0, %r1, 3, 0;", {{"%r1", bits}}, "%r0")[0], ~0u);
}

TEST(Compare, Integers) {
  const Lanes others = {0, 0xffffffff, 0x80000000, 5, 0x12345678};
  struct {
    const char *name;
    bool (*isTrue)(u32, u32);
  } cases[] = {
      {"eq.u32", [](u32 a, u32 b) { return a == b; }},
      {"ne.b32", [](u32 a, u32 b) { return a != b; }},
      {"lt.u32", [](u32 a, u32 b) { return a < b; }},
      {"lo.u32", [](u32 a, u32 b) { return a < b; }},
      {"ls.u32", [](u32 a, u32 b) { return a <= b; }},
      {"hi.u32", [](u32 a, u32 b) { return a > b; }},
      {"hs.u32", [](u32 a, u32 b) { return a >= b; }},
      {"lt.s32", [](u32 a, u32 b) { return int32_t(a) < int32_t(b); }},
      {"le.s32", [](u32 a, u32 b) { return int32_t(a) <= int32_t(b); }},
      {"gt.s32", [](u32 a, u32 b) { return int32_t(a) > int32_t(b); }},
      {"ge.s32", [](u32 a, u32 b) { return int32_t(a) >= int32_t(b); }}};
  for (auto &test : cases) {
    std::string name = test.name;
    check("setp." + name + " %p0, %r1, %r2;", {{"%r1", words}, {"%r2", others}},
          "%p0", [&](u64 a, u64 b, u64) { return test.isTrue(a, b); });
    // Both results, combined with a predicate and with its negation.
    std::string dotted = name.substr(0, 2) + ".and" + name.substr(2);
    check("setp.lt.u32 %p3, %r1, 0x20000; setp." + dotted +
              " %p1|%p0, %r1, %r2, !%p3;",
          {{"%r1", words}, {"%r2", others}}, "%p0", [&](u64 a, u64 b, u64) {
            return !test.isTrue(a, b) && a >= 0x20000;
          });
    check("set." + name.substr(0, 2) + ".u32" + name.substr(2) +
              " %r0, %r1, %r2;",
          {{"%r1", words}, {"%r2", others}}, "%r0",
          [&](u64 a, u64 b, u64) { return test.isTrue(a, b) ? ~0u : 0u; });
  }
  check("setp.lt.s64 %p0, %l1, 0;", {{"%l1", longs}}, "%p0",
        [](u64 a, u64, u64) { return int64_t(a) < 0; });
  check("setp.gt.s16 %p0, %h1, -1;", {{"%h1", words}}, "%p0",
        [](u64 a, u64, u64) { return int16_t(a) > -1; });
}

TEST(Compare, FloatsWithNaN) {
  const float values[] = {0,    -0.0f,  1,        -1,  NAN,
                          2.5f, 1e-40f, INFINITY, NAN, -INFINITY};
  Lanes a, b;
  for (int i = 0; i < 32; ++i) {
    a.push_back(bits(values[i % 10]));
    b.push_back(bits(values[i * 3 % 7]));
  }
  struct {
    const char *name;
    bool (*isTrue)(float, float);
    bool ofNaN;
  } cases[] = {{"eq", [](float a, float b) { return a == b; }, false},
               {"ne", [](float a, float b) { return a != b; }, false},
               {"lt", [](float a, float b) { return a < b; }, false},
               {"le", [](float a, float b) { return a <= b; }, false},
               {"gt", [](float a, float b) { return a > b; }, false},
               {"ge", [](float a, float b) { return a >= b; }, false},
               {"equ", [](float a, float b) { return a == b; }, true},
               {"neu", [](float a, float b) { return a != b; }, true},
               {"ltu", [](float a, float b) { return a < b; }, true},
               {"leu", [](float a, float b) { return a <= b; }, true},
               {"gtu", [](float a, float b) { return a > b; }, true},
               {"geu", [](float a, float b) { return a >= b; }, true},
               {"num", [](float, float) { return true; }, false},
               {"nan", [](float, float) { return false; }, true}};
  for (auto &test : cases) {
    auto expected = [&](u64 x, u64 y, u64) {
      float p = asFloat(x), q = asFloat(y);
      return std::isnan(p) || std::isnan(q) ? test.ofNaN : test.isTrue(p, q);
    };
    check(std::string("setp.") + test.name + ".f32 %p0, %f1, %f2;",
          {{"%f1", a}, {"%f2", b}}, "%p0", expected);
  }
  // A subnormal is zero.
  check("setp.eq.ftz.f32 %p0, %f1, 0f00000000;", {{"%f1", a}}, "%p0",
        [](u64 x, u64, u64) { return std::fabs(asFloat(x)) < 1e-38f; });
  check("set.gt.f32.f32 %f0, %f1, 0f00000000;", {{"%f1", a}}, "%f0",
        [](u64 x, u64, u64) { return asFloat(x) > 0 ? bits(1.0f) : 0; });
}

TEST(Compare, Selection) {
  check("setp.gt.u32 %p1, %r2, 16; selp.b32 %r0, %r1, 77, %p1;",
        {{"%r1", words}, {"%r2", amounts}}, "%r0",
        [](u64 a, u64 b, u64) { return b > 16 ? a : 77; });
  check("slct.u32.s32 %r0, %r1, 7, %r2;", {{"%r1", words}, {"%r2", amounts}},
        "%r0", [](u64 a, u64 b, u64) { return int32_t(b) >= 0 ? a : 7; });
  check("setp.gt.u32 %p1, %r2, 16; selp.f64 %d0, %d1, 0d3ff0000000000000, %p1;",
        {{"%d1", longs}, {"%r2", amounts}}, "%d0",
        [](u64 a, u64 b, u64) { return b > 16 ? a : bits(1.0); });
}

TEST(Moves, PackAndUnpack) {
  check("mov.b32 {%h1, %h2}, %r1; mov.b32 %r0, {%h2, %h1};", {{"%r1", words}},
        "%r0", [](u64 a, u64, u64) { return u32(a >> 16 | a << 16); });
  check("mov.b64 {%r1, %r2}, %l1; mov.b64 %l0, {%r2, %r1};", {{"%l1", longs}},
        "%l0", [](u64 a, u64, u64) { return a >> 32 | a << 32; });
  check("mov.b64 {%h1, %h2, %h3, %h4}, %l1; mov.b64 %l0, {%h4, %h1, %h1, %h2};",
        {{"%l1", longs}}, "%l0", [](u64 a, u64, u64) {
          return a >> 48 | (a & 0xffff) << 16 | (a & 0xffff) << 32 |
                 (a >> 16 & 0xffff) << 48;
        });
  check("mov.b32 {_, %h2}, %r1; cvt.u32.u16 %r0, %h2;", {{"%r1", words}}, "%r0",
        [](u64 a, u64, u64) { return a >> 16; });
  check("mov.b32 %f1, %r1; mov.f32 %f2, %f1; mov.b32 %r0, %f2;",
        {{"%r1", words}}, "%r0", [](u64 a, u64, u64) { return a; });
}

} // namespace
