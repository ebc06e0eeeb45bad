//===- FloatTest.cpp - floating point instructions -------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Harness.h"
#include <cmath>
#include <limits>
#include <random>

using namespace ptxsim::test;

namespace {

using u32 = uint32_t;
using u64 = uint64_t;

/// Random numbers of many magnitudes, and special ones.
Lanes makeFloats(unsigned seed) {
  const float special[] = {0.0f,    -0.0f, 1.0f,      -1.5f, 1e-40f,
                           -3e-41f, 1e38f, -INFINITY, 0.75f, 3.0f};
  std::mt19937 random(seed);
  Lanes lanes;
  for (int i = 0; i < 32; ++i) {
    float value = std::ldexp(1 + (random() % (1 << 23)) * 0x1p-23f,
                             int(random() % 40) - 20);
    if (i < 10)
      value = special[(i * 7 + seed) % 10];
    lanes.push_back(bits(random() & 1 ? value : -value));
  }
  return lanes;
}
bool isSame(u64 result, float expected) {
  if (std::isnan(expected))
    return std::isnan(asFloat(result));
  return result == bits(expected);
}
float flush(float x) {
  return std::fabs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x;
}

/// The largest float that is at most the value, and its mirror images: what
/// directed rounding gives, from a wider type.
float roundDown(long double value) {
  float near = float(value);
  return near > value ? std::nextafter(near, -INFINITY) : near;
}
float roundUp(long double value) { return -roundDown(-value); }
float roundZero(long double value) {
  return value < 0 ? roundUp(value) : roundDown(value);
}

template <typename F> void check2(const std::string &name, F expected) {
  for (unsigned seed : {1u, 2u, 3u}) {
    Lanes a = makeFloats(seed), b = makeFloats(seed + 10);
    Lanes result =
        run(name + " %f0, %f1, %f2;", {{"%f1", a}, {"%f2", b}}, "%f0");
    for (int i = 0; i < 32; ++i)
      EXPECT_TRUE(isSame(result[i], expected(asFloat(a[i]), asFloat(b[i]))))
          << name << " " << asFloat(a[i]) << " " << asFloat(b[i]) << " -> "
          << asFloat(result[i]);
  }
}

TEST(Float, ArithmeticRoundsOnce) {
  check2("add.f32", [](float a, float b) { return a + b; });
  check2("sub.rn.f32", [](float a, float b) { return a - b; });
  check2("mul.f32", [](float a, float b) { return a * b; });
  check2("div.rn.f32", [](float a, float b) { return a / b; });
  check2("add.ftz.f32",
         [](float a, float b) { return flush(flush(a) + flush(b)); });
  check2("mul.ftz.f32",
         [](float a, float b) { return flush(flush(a) * flush(b)); });
  auto clamp = [](float v) { return v > 0 ? std::fmin(v, 1.0f) : 0.0f; };
  check2("add.sat.f32", [&](float a, float b) { return clamp(a + b); });
  check2("mul.ftz.sat.f32",
         [&](float a, float b) { return clamp(flush(a) * flush(b)); });
}

TEST(Float, DirectedRounding) {
  // Where the wide result is finite and exact in long double.
  auto wide = [](auto f, auto round) {
    return [=](float a, float b) {
      long double exact = f((long double)(a), (long double)(b));
      float plain = float(exact);
      if (std::isnan(plain) || std::isinf(a) || std::isinf(b) || exact == 0)
        return plain;
      return round(exact);
    };
  };
  auto product = [](long double a, long double b) { return a * b; };
  // Zeros of unlike signs depend on the mode: leave sums that are 0 out.
  check2("mul.rz.f32", wide(product, roundZero));
  check2("mul.rm.f32", wide(product, roundDown));
  check2("mul.rp.f32", wide(product, roundUp));
  Lanes tiny = {bits(0x1p-30f)}, one = {bits(1.0f)};
  auto sum = [&](const char *name) {
    return asFloat(run(std::string(name) + " %f0, %f1, %f2;",
                       {{"%f1", one}, {"%f2", tiny}}, "%f0")[0]);
  };
  EXPECT_EQ(sum("add.rp.f32"), 1 + 0x1p-23f);
  EXPECT_EQ(sum("add.rz.f32"), 1.0f);
  EXPECT_EQ(sum("sub.rm.f32"), 1 - 0x1p-24f);
  EXPECT_EQ(sum("sub.rz.f32"), 1 - 0x1p-24f);
  EXPECT_EQ(sum("sub.rn.f32"), 1.0f);
}

TEST(Float, FmaRoundsOnce) {
  for (unsigned seed : {1u, 2u}) {
    Lanes a = makeFloats(seed), b = makeFloats(seed + 5),
          c = makeFloats(seed + 9);
    for (const char *name : {"fma.rn.f32", "fma.rn.ftz.f32", "mad.rn.f32"}) {
      Lanes result = run(std::string(name) + " %f0, %f1, %f2, %f3;",
                         {{"%f1", a}, {"%f2", b}, {"%f3", c}}, "%f0");
      bool ftz = std::string(name).find("ftz") != std::string::npos;
      for (int i = 0; i < 32; ++i) {
        float x = asFloat(a[i]), y = asFloat(b[i]), z = asFloat(c[i]);
        float expected = ftz ? flush(std::fma(flush(x), flush(y), flush(z)))
                             : std::fma(x, y, z);
        EXPECT_TRUE(isSame(result[i], expected)) << name << " lane " << i;
      }
    }
  }
  // 1 + 2^-24 exactly, then up.
  EXPECT_EQ(asFloat(run("fma.rp.f32 %f0, %f1, %f1, %f2;",
                        {{"%f1", {bits(0x1p-12f)}}, {"%f2", {bits(1.0f)}}},
                        "%f0")[0]),
            1 + 0x1p-23f);
  EXPECT_EQ(asDouble(run("fma.rn.f64 %d0, %d1, %d1, %d2;",
                         {{"%d1", {bits(1 + 0x1p-52)}}, {"%d2", {bits(-1.0)}}},
                         "%d0")[0]),
            std::fma(1 + 0x1p-52, 1 + 0x1p-52, -1.0));
}

TEST(Float, MinimumAndMaximum) {
  const float values[] = {0.0f, -0.0f, 1, -2, NAN, INFINITY, NAN, 3};
  Lanes a, b;
  for (int i = 0; i < 32; ++i) {
    a.push_back(bits(values[i % 8]));
    b.push_back(bits(values[i / 4]));
  }
  auto check = [&](const char *name, bool isMax, bool keepsNaN) {
    Lanes result = run(std::string(name) + " %f0, %f1, %f2;",
                       {{"%f1", a}, {"%f2", b}}, "%f0");
    for (int i = 0; i < 32; ++i) {
      float x = asFloat(a[i]), y = asFloat(b[i]), expected;
      if (std::isnan(x) || std::isnan(y))
        expected = keepsNaN ? NAN : std::isnan(x) ? y : x;
      else if (x == y)
        expected = std::signbit(x) == isMax ? y : x;
      else
        expected = (x < y) == isMax ? y : x;
      EXPECT_TRUE(isSame(result[i], expected)) << name << x << y;
      if (std::isnan(expected))
        EXPECT_EQ(result[i], 0x7fffffffu);
    }
  };
  check("min.f32", false, false);
  check("max.f32", true, false);
  check("min.NaN.f32", false, true);
  check("max.NaN.f32", true, true);
  EXPECT_EQ(
      asFloat(run("max.xorsign.abs.f32 %f0, %f1, %f2;",
                  {{"%f1", {bits(-3.0f)}}, {"%f2", {bits(2.0f)}}}, "%f0")[0]),
      -3.0f);
}

TEST(Float, SignsAndKinds) {
  Lanes a = makeFloats(4);
  Lanes negated = run("neg.f32 %f0, %f1;", {{"%f1", a}}, "%f0");
  Lanes absolute = run("abs.f32 %f0, %f1;", {{"%f1", a}}, "%f0");
  Lanes copied = run("copysign.f32 %f0, %f1, 0f40000000;", {{"%f1", a}}, "%f0");
  Lanes subnormal = run("testp.subnormal.f32 %p0, %f1;", {{"%f1", a}}, "%p0");
  Lanes infinite = run("testp.infinite.f32 %p0, %f1;", {{"%f1", a}}, "%p0");
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(negated[i], a[i] ^ 0x80000000u);
    EXPECT_EQ(absolute[i], a[i] & 0x7fffffffu);
    EXPECT_EQ(copied[i], (a[i] & 0x80000000u) | 0x40000000u);
    u64 magnitude = a[i] & 0x7fffffff;
    EXPECT_EQ(subnormal[i], magnitude && magnitude < 0x00800000);
    EXPECT_EQ(infinite[i], magnitude == 0x7f800000);
  }
}

/// Bounds of the ISA: relative, in units of 2^-22, or absolute.
TEST(Float, Approximations) {
  struct {
    const char *name;
    double (*exact)(double);
    double relative, absolute, from, to;
  } cases[] = {{"ex2.approx.ftz.f32", [](double x) { return std::exp2(x); },
                0x1p-22, 0, -20, 20},
               {"lg2.approx.f32", [](double x) { return std::log2(x); },
                0x1p-22, 0x1p-22, 0.01, 100},
               {"rcp.approx.ftz.f32", [](double x) { return 1 / x; }, 0x1p-23,
                0, -50, 50},
               {"rsqrt.approx.f32", [](double x) { return 1 / std::sqrt(x); },
                0x1p-22, 0, 0.01, 1000},
               {"sqrt.approx.f32", [](double x) { return std::sqrt(x); },
                0x1p-23, 0, 0, 1000},
               {"sin.approx.f32", [](double x) { return std::sin(x); }, 0,
                0x1p-20, -3, 3},
               {"cos.approx.ftz.f32", [](double x) { return std::cos(x); }, 0,
                0x1p-20, -3, 3},
               {"tanh.approx.f32", [](double x) { return std::tanh(x); },
                0x1p-11, 0, -5, 5}};
  for (auto &test : cases) {
    Lanes a;
    for (int i = 0; i < 32; ++i)
      a.push_back(bits(float(test.from + (test.to - test.from) * i / 31.7)));
    Lanes result =
        run(std::string(test.name) + " %f0, %f1;", {{"%f1", a}}, "%f0");
    for (int i = 0; i < 32; ++i) {
      double exact = test.exact(asFloat(a[i]));
      EXPECT_NEAR(asFloat(result[i]), exact,
                  test.absolute + test.relative * std::fabs(exact))
          << test.name << " " << asFloat(a[i]);
    }
  }
  auto one = [](const char *name, float x) {
    return asFloat(
        run(std::string(name) + " %f0, %f1;", {{"%f1", {bits(x)}}}, "%f0")[0]);
  };
  EXPECT_EQ(one("ex2.approx.ftz.f32", -INFINITY), 0.0f);
  EXPECT_EQ(one("ex2.approx.ftz.f32", -140), 0.0f);
  EXPECT_EQ(one("ex2.approx.f32", INFINITY), INFINITY);
  EXPECT_EQ(one("rcp.approx.ftz.f32", 1e-40f), INFINITY);
  EXPECT_EQ(one("lg2.approx.f32", 0), -INFINITY);
  EXPECT_TRUE(std::isnan(one("rsqrt.approx.f32", -1)));
  // Correctly rounded forms.
  EXPECT_EQ(one("rcp.rn.f32", 3), 1.0f / 3);
  EXPECT_EQ(one("rcp.rz.f32", 3), roundZero(1.0L / 3));
  EXPECT_EQ(one("sqrt.rn.f32", 2), std::sqrt(2.0f));
  EXPECT_EQ(one("sqrt.rp.f32", 2), roundUp(std::sqrt(2.0L)));
}

//===----------------------------------------------------------------------===//
// f16 and bf16: every value's neighbours, from the formats' definition
//===----------------------------------------------------------------------===//

/// All finite non-negative values of a format, in ascending order of codes.
double decode(u32 code, int fraction, int bias) {
  int exponent = int(code >> fraction);
  double mantissa = code & ((1u << fraction) - 1);
  return exponent ? std::ldexp(mantissa + (1 << fraction),
                               exponent - bias - fraction)
                  : std::ldexp(mantissa, 1 - bias - fraction);
}
/// The code nearest to the value, ties to even, by search.
u32 encode(double value, int fraction, int bias, u32 infinity) {
  if (std::isnan(value))
    return 0x7fff;
  u32 sign = std::signbit(value) ? 0x8000 : 0;
  double magnitude = std::fabs(value);
  u32 low = 0, high = infinity;
  while (high - low > 1) {
    u32 middle = (low + high) / 2;
    (decode(middle, fraction, bias) <= magnitude ? low : high) = middle;
  }
  double below = decode(low, fraction, bias),
         above = decode(high, fraction, bias);
  bool isUp = magnitude - below > above - magnitude ||
              (magnitude - below == above - magnitude && (low & 1));
  return sign | (isUp ? high : low);
}
u32 toHalf(double value) { return encode(value, 10, 15, 0x7c00); }
u32 toBrain(double value) { return encode(value, 7, 127, 0x7f80); }
double fromHalf(u32 code) {
  double value = (code & 0x7fff) > 0x7c00    ? NAN
                 : (code & 0x7fff) == 0x7c00 ? INFINITY
                                             : decode(code & 0x7fff, 10, 15);
  return code & 0x8000 ? -value : value;
}
double fromBrain(u32 code) {
  double value = (code & 0x7fff) > 0x7f80    ? NAN
                 : (code & 0x7fff) == 0x7f80 ? INFINITY
                                             : decode(code & 0x7fff, 7, 127);
  return code & 0x8000 ? -value : value;
}

TEST(Half, ConversionsOfAllKinds) {
  for (unsigned seed : {1u, 2u, 3u, 4u}) {
    Lanes a = makeFloats(seed);
    // Ties and what is just beside them, near the ends of the range too.
    for (int i = 20; i < 32; ++i) {
      float base =
          std::ldexp(1 + (i * 37 % 1024) * 0x1p-10f, int(seed * 8) - 28);
      a[i] = bits(base * (1 + (i % 3 - 1) * 0x1p-22f) +
                  std::ldexp(0x1p-11f, int(seed * 8) - 28));
    }
    Lanes halves = run("cvt.rn.f16.f32 %h0, %f1;", {{"%f1", a}}, "%h0");
    Lanes brains = run("cvt.rn.bf16.f32 %h0, %f1;", {{"%f1", a}}, "%h0");
    Lanes zero = run("cvt.rz.f16.f32 %h0, %f1;", {{"%f1", a}}, "%h0");
    Lanes pairs = run("cvt.rn.f16x2.f32 %r0, %f1, %f2;",
                      {{"%f1", a}, {"%f2", {a[5], a[9]}}}, "%r0");
    Lanes brainPairs = run("cvt.rn.relu.bf16x2.f32 %r0, %f1, %f2;",
                           {{"%f1", a}, {"%f2", {a[5], a[9]}}}, "%r0");
    Lanes back = run("cvt.rn.f16.f32 %h1, %f1; cvt.f32.f16 %f0, %h1;",
                     {{"%f1", a}}, "%f0");
    auto relu = [](double v) { return v > 0 ? v : 0.0; };
    for (int i = 0; i < 32; ++i) {
      double x = asFloat(a[i]), y = asFloat(a[i % 2 ? 9 : 5]);
      EXPECT_EQ(halves[i], toHalf(x)) << x;
      EXPECT_EQ(brains[i], toBrain(x)) << x;
      EXPECT_EQ(pairs[i], toHalf(x) << 16 | toHalf(y));
      EXPECT_EQ(brainPairs[i], toBrain(relu(x)) << 16 | toBrain(relu(y)));
      EXPECT_EQ(asFloat(back[i]), float(fromHalf(toHalf(x))));
      if (std::isfinite(x)) {
        EXPECT_LE(std::fabs(fromHalf(zero[i])), std::fabs(x));
        EXPECT_GT(std::fabs(fromHalf(zero[i] + 1)), std::fabs(x));
      }
    }
  }
}

TEST(Half, EveryHalfWidens) {
  for (u32 first = 0; first < 65536; first += 32 * 97) {
    Lanes a;
    for (u32 i = 0; i < 32; ++i)
      a.push_back((first + i * 97) & 0xffff);
    Lanes result = run("cvt.f32.f16 %f0, %h1;", {{"%h1", a}}, "%f0");
    Lanes brains = run("cvt.f32.bf16 %f0, %h1;", {{"%h1", a}}, "%f0");
    for (u32 i = 0; i < 32; ++i) {
      EXPECT_TRUE(isSame(result[i], float(fromHalf(a[i]))) ||
                  std::isnan(fromHalf(a[i])))
          << a[i];
      EXPECT_TRUE(isSame(brains[i], float(fromBrain(a[i])))) << a[i];
    }
  }
}

TEST(Half, Arithmetic) {
  std::mt19937 random(9);
  for (int round = 0; round < 8; ++round) {
    Lanes a, b, c;
    for (int i = 0; i < 32; ++i) {
      // Both halves finite.
      auto make = [&] {
        return (random() & 0xbbffbbff) | (random() & 0x40004000);
      };
      a.push_back(make());
      b.push_back(make());
      c.push_back(make());
    }
    std::vector<std::pair<std::string, Lanes>> inputs = {
        {"%r1", a}, {"%r2", b}, {"%r3", c}};
    Lanes sum = run("add.f16x2 %r0, %r1, %r2;", inputs, "%r0");
    Lanes product = run("mul.rn.f16x2 %r0, %r1, %r2;", inputs, "%r0");
    Lanes fused = run("fma.rn.f16x2 %r0, %r1, %r2, %r3;", inputs, "%r0");
    Lanes relu = run("fma.rn.relu.bf16x2 %r0, %r1, %r2, %r3;", inputs, "%r0");
    Lanes largest = run("max.f16x2 %r0, %r1, %r2;", inputs, "%r0");
    Lanes negated = run("neg.f16x2 %r0, %r1;", inputs, "%r0");
    Lanes single = run("mov.b32 {%h1, %h2}, %r1; mov.b32 {%h3, %h4}, %r2; "
                       "sub.f16 %h0, %h1, %h3;",
                       inputs, "%h0");
    for (int i = 0; i < 32; ++i) {
      EXPECT_EQ(negated[i], a[i] ^ 0x80008000u);
      EXPECT_EQ(single[i],
                toHalf(fromHalf(a[i] & 0xffff) - fromHalf(b[i] & 0xffff)));
      for (int h = 0; h < 32; h += 16) {
        u32 x = a[i] >> h & 0xffff, y = b[i] >> h & 0xffff,
            z = c[i] >> h & 0xffff;
        EXPECT_EQ(sum[i] >> h & 0xffff, toHalf(fromHalf(x) + fromHalf(y)));
        EXPECT_EQ(product[i] >> h & 0xffff, toHalf(fromHalf(x) * fromHalf(y)));
        EXPECT_EQ(fused[i] >> h & 0xffff,
                  toHalf(fromHalf(x) * fromHalf(y) + fromHalf(z)));
        long double exact =
            (long double)(fromBrain(x)) * fromBrain(y) + fromBrain(z);
        EXPECT_EQ(relu[i] >> h & 0xffff, exact > 0 ? toBrain(exact) : 0);
        double most = std::fmax(fromHalf(x), fromHalf(y));
        EXPECT_EQ(fromHalf(largest[i] >> h & 0xffff), most);
      }
    }
  }
}

// 1.0078125 x 1.5 is half way between two bf16; what is added decides, however
// small: more than 53 bits below.
TEST(Half, FmaRoundsOnceWhereADoubleWouldRoundTwice) {
  auto fma = [](uint64_t c) {
    return run("fma.rn.bf16 %h0, %h1, %h2, %h3;",
               {{"%h1", {0x3f81}}, {"%h2", {0x3fc0}}, {"%h3", {c}}}, "%h0")[0];
  };
  EXPECT_EQ(fma(0x9c80), 0x3fc1u); // -2^-70
  EXPECT_EQ(fma(0x1c80), 0x3fc2u); // 2^-70
  EXPECT_EQ(fma(0), 0x3fc2u);      // To even.
}

//===----------------------------------------------------------------------===//
// Other conversions
//===----------------------------------------------------------------------===//

TEST(Convert, FloatToInteger) {
  const float values[] = {0.5f, 1.5f,  2.5f,   -0.5f,  -1.5f,     -2.5f,
                          2.7f, -2.7f, 3e9f,   -3e9f,  NAN,       INFINITY,
                          0,    1e20f, -1e20f, 255.6f, -INFINITY, 40000};
  Lanes a;
  for (int i = 0; i < 32; ++i)
    a.push_back(bits(values[i % 18]));
  struct {
    const char *mode;
    double (*whole)(double);
  } modes[] = {{"rni", [](double x) { return std::nearbyint(x); }},
               {"rzi", [](double x) { return std::trunc(x); }},
               {"rmi", [](double x) { return std::floor(x); }},
               {"rpi", [](double x) { return std::ceil(x); }}};
  for (auto &mode : modes) {
    auto convert = [&](const char *types, const char *to) {
      return run("cvt." + std::string(mode.mode) + "." + types + " " + to +
                     ", %f1;",
                 {{"%f1", a}}, to);
    };
    Lanes s32 = convert("s32.f32", "%r0"), u32s = convert("u32.f32", "%r0");
    Lanes s64 = convert("s64.f32", "%l0"), u8 = convert("u8.f32", "%r0");
    Lanes s16 = convert("s16.f32", "%h0"), same = convert("f32.f32", "%f0");
    for (int i = 0; i < 32; ++i) {
      double x = asFloat(a[i]), whole = mode.whole(x);
      auto clamp = [&](double low, double high) {
        return std::isnan(x) ? 0 : std::fmin(std::fmax(whole, low), high);
      };
      EXPECT_EQ(s32[i], u32(int64_t(clamp(-0x1p31, 0x1p31 - 1))));
      EXPECT_EQ(u32s[i], u64(clamp(0, 0x1p32 - 1)));
      EXPECT_EQ(u8[i], u64(clamp(0, 255)));
      EXPECT_EQ(s16[i], uint16_t(int64_t(clamp(-32768, 32767))));
      u64 expected = std::isnan(x)     ? u64(1) << 63
                     : whole >= 0x1p63 ? ~u64(0) >> 1
                     : whole < -0x1p63 ? u64(1) << 63
                                       : u64(int64_t(whole));
      EXPECT_EQ(s64[i], expected) << x;
      EXPECT_TRUE(isSame(same[i], float(whole)));
    }
  }
}

TEST(Convert, IntegerToFloat) {
  const Lanes a = {0,        1,        0x7fffffff, 0x80000000, 0xffffffff,
                   16777217, 16777219, 0xff000001, 33554433};
  const Lanes wide = {0,
                      1,
                      ~u64(0),
                      u64(1) << 63,
                      (u64(1) << 63) - 1,
                      0x8000008000000001,
                      0x20000000000001,
                      0xfffffe8000000001};
  Lanes s = run("cvt.rn.f32.s32 %f0, %r1;", {{"%r1", a}}, "%f0");
  Lanes u = run("cvt.rn.f32.u32 %f0, %r1;", {{"%r1", a}}, "%f0");
  Lanes z = run("cvt.rz.f32.u32 %f0, %r1;", {{"%r1", a}}, "%f0");
  Lanes d = run("cvt.rn.f64.u64 %d0, %l1;", {{"%l1", wide}}, "%d0");
  Lanes f = run("cvt.rn.f32.s64 %f0, %l1;", {{"%l1", wide}}, "%f0");
  Lanes h = run("cvt.rn.f16.s16 %h0, %h1;", {{"%h1", a}}, "%h0");
  for (int i = 0; i < 32; ++i) {
    u32 x = a[i % a.size()];
    u64 w = wide[i % wide.size()];
    EXPECT_EQ(asFloat(s[i]), float(int32_t(x)));
    EXPECT_EQ(asFloat(u[i]), float(x));
    EXPECT_EQ(asFloat(z[i]), roundZero(x));
    EXPECT_EQ(asDouble(d[i]), double(w));
    EXPECT_EQ(asFloat(f[i]), float(int64_t(w)));
    EXPECT_EQ(h[i], toHalf(int16_t(x)));
  }
}

TEST(Convert, Integers) {
  const Lanes a = {0,          1,          127,       128,    255,
                   256,        0x7fff,     0x8000,    0xffff, 0xffffff80,
                   0x7fffffff, 0x80000000, 0xffffffff};
  auto convert = [&](const char *types, const char *to, const char *from) {
    return run(std::string("cvt.") + types + " " + to + ", " + from + ";",
               {{from, a}}, to);
  };
  Lanes s8 = convert("s32.s8", "%r0", "%r1"),
        u8 = convert("u32.u8", "%r0", "%r1"),
        wideS = convert("s64.s32", "%l0", "%r1"),
        wideU = convert("u64.u32", "%l0", "%r1"),
        narrow = convert("u16.u32", "%h0", "%r1"),
        satS8 = convert("sat.s8.s32", "%r0", "%r1"),
        satU8 = convert("sat.u8.s32", "%r0", "%r1"),
        satU16 = convert("sat.u16.u32", "%h0", "%r1"),
        s16 = convert("s32.s16", "%r0", "%h1"),
        low = convert("u32.u64", "%r0", "%l1");
  for (int i = 0; i < 32; ++i) {
    u32 x = a[i % a.size()];
    auto clamp = [&](int64_t least, int64_t most) {
      int64_t v = int32_t(x);
      return v < least ? least : v > most ? most : v;
    };
    EXPECT_EQ(s8[i], u32(int32_t(int8_t(x))));
    EXPECT_EQ(u8[i], uint8_t(x));
    EXPECT_EQ(wideS[i], u64(int64_t(int32_t(x))));
    EXPECT_EQ(wideU[i], x);
    EXPECT_EQ(narrow[i], uint16_t(x));
    EXPECT_EQ(satS8[i], u32(clamp(-128, 127)));
    EXPECT_EQ(satU8[i], u32(clamp(0, 255)));
    EXPECT_EQ(satU16[i], x > 0xffff ? 0xffff : x);
    EXPECT_EQ(s16[i], u32(int32_t(int16_t(x))));
    EXPECT_EQ(low[i], x);
  }
  Lanes packed =
      run("cvt.pack.sat.s8.s32.b32 %r0, %r1, %r2, %r3;",
          {{"%r1", a}, {"%r2", {0xffffff00, 5}}, {"%r3", {0xabcd}}}, "%r0");
  for (int i = 0; i < 32; ++i) {
    int32_t x = a[i % a.size()];
    u32 first = uint8_t(x > 127 ? 127 : x < -128 ? -128 : x);
    u32 second = i % 2 ? 5 : 0x80;
    EXPECT_EQ(packed[i], 0xabcd0000u | first << 8 | second);
  }
}

TEST(Convert, NarrowFormats) {
  // tf32 keeps ten bits, ties away from zero.
  auto tf32 = [](float x) {
    return asFloat(
        run("cvt.rna.tf32.f32 %r0, %f1;", {{"%f1", {bits(x)}}}, "%r0")[0]);
  };
  EXPECT_EQ(tf32(1 + 0x1p-11f), 1 + 0x1p-10f);
  EXPECT_EQ(tf32(-1 - 0x1p-11f), -1 - 0x1p-10f);
  EXPECT_EQ(tf32(1 + 0x1.ffep-12f), 1.0f);
  // e4m3: 448 is the most, 2^-9 the least.
  auto e4m3 = [](float high, float low) {
    return run("cvt.rn.satfinite.e4m3x2.f32 %h0, %f1, %f2;",
               {{"%f1", {bits(high)}}, {"%f2", {bits(low)}}}, "%h0")[0];
  };
  EXPECT_EQ(e4m3(1, 448), 0x387eu);
  EXPECT_EQ(e4m3(1000, -1000), 0x7efeu);
  EXPECT_EQ(e4m3(0x1p-9f, 0x1p-10f), 0x0100u);
  EXPECT_EQ(e4m3(NAN, 1.0625f), 0x7f38u);
  EXPECT_EQ(run("cvt.rn.f16x2.e4m3x2 %r0, %h1;", {{"%h1", {0x7e01}}}, "%r0")[0],
            toHalf(448) << 16 | toHalf(0x1p-9));
  EXPECT_EQ(run("cvt.rn.satfinite.e5m2x2.f32 %h0, %f1, %f2;",
                {{"%f1", {bits(1e9f)}}, {"%f2", {bits(1.25f)}}}, "%h0")[0],
            0x7b3du);
  EXPECT_EQ(run("cvt.rn.f32.f64 %f0, %d1;", {{"%d1", {bits(0.1)}}}, "%f0")[0],
            bits(0.1f));
  EXPECT_EQ(run("cvt.rp.f32.f64 %f0, %d1;", {{"%d1", {bits(0.1)}}}, "%f0")[0],
            bits(roundUp(0.1)));
  EXPECT_EQ(run("cvt.sat.f32.f32 %f0, %f1;", {{"%f1", {bits(1.5f)}}}, "%f0")[0],
            bits(1.0f));
}

} // namespace
