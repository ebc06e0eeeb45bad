//===- NvccTest.cpp - CUDA C++ through the driver's entry points -*- C++
//-*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DriverHarness.h"
#include <algorithm>
#include <cmath>
#include <numeric>

using namespace ptxsim::test;

namespace {

class Nvcc : public testing::Test {
protected:
  static void SetUpTestSuite() {
    std::string compiler = findNvcc();
    if (compiler.empty())
      return;
    std::string out = testing::TempDir() + "ptxsim-kernels-" +
                      std::to_string(getpid()) + ".ptx";
    std::string command = compiler + " -ptx -arch=sm_80 -o " + out + " " +
                          PTXSIM_KERNELS + " 2>&1";
    // NOLINTNEXTLINE(bugprone-command-processor): all of it is the test's own.
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    text = new std::string(readFile(out));
    std::remove(out.c_str());
  }
  void SetUp() override {
    if (!text)
      GTEST_SKIP() << "NO NVCC ON PATH OR IN /usr/local/cuda/bin: WHAT NVCC "
                      "MAKES OF CUDA C++ IS NOT TESTED";
    ASSERT_EQ(driver.loadModule(*text), 0) << driver.log;
  }
  SimulatedDriver driver;
  static std::string *text;
};
std::string *Nvcc::text = nullptr;

std::vector<float> makeFloats(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = float(int(i * 37 % 101) - 50) / 16;
  return values;
}

TEST_F(Nvcc, Saxpy) {
  std::vector<float> x = makeFloats(1000), y(1000, 2);
  auto dx = driver.upload(x), dy = driver.upload(y);
  ASSERT_EQ(driver.launch("saxpy", {8}, {128}, 0, 3.0f, dx, dy, 1000), 0);
  y = driver.download<float>(dy, 1000);
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(y[i], 3 * x[i] + 2);
}

TEST_F(Nvcc, Sum) {
  std::vector<float> x = makeFloats(5000);
  auto dx = driver.upload(x), result = driver.upload(std::vector<float>{0});
  ASSERT_EQ(driver.launch("sum", {3}, {256}, 0, dx, result, 5000), 0);
  // Sixteenths: exact.
  EXPECT_EQ(driver.download<float>(result, 1)[0],
            std::accumulate(x.begin(), x.end(), 0.0));
}

TEST_F(Nvcc, Transpose) {
  int rows = 70, columns = 45;
  std::vector<int> in(rows * columns);
  std::iota(in.begin(), in.end(), 0);
  auto from = driver.upload(in), to = driver.allocate(in.size() * 4);
  ASSERT_EQ(
      driver.launch("transpose", {2, 3}, {32, 8}, 0, from, to, rows, columns),
      0);
  std::vector<int> out = driver.download<int>(to, in.size());
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j)
      ASSERT_EQ(out[j * rows + i], in[i * columns + j]);
}

TEST_F(Nvcc, Histogram) {
  std::vector<unsigned char> bytes(3000);
  std::vector<unsigned> expected(256);
  for (size_t i = 0; i < bytes.size(); ++i)
    ++expected[bytes[i] = i * i % 251];
  auto from = driver.upload(bytes), to = driver.allocate(1024);
  ASSERT_EQ(driver.launch("histogram", {1}, {256}, 0, from, to, 3000), 0);
  EXPECT_EQ(driver.download<unsigned>(to, 256), expected);
}

TEST_F(Nvcc, Scan) {
  std::vector<int> in(512), expected(512);
  for (int i = 0; i < 512; ++i)
    in[i] = i * 7 % 31 - 15;
  std::partial_sum(in.begin(), in.end(), expected.begin());
  auto from = driver.upload(in), to = driver.allocate(2048);
  ASSERT_EQ(driver.launch("scan", {1}, {512}, 2048, from, to), 0);
  EXPECT_EQ(driver.download<int>(to, 512), expected);
}

TEST_F(Nvcc, Mandelbrot) {
  auto to = driver.allocate(60 * 40 * 4);
  ASSERT_EQ(driver.launch("mandelbrot", {25}, {96}, 0, to, 60), 0);
  std::vector<int> result = driver.download<int>(to, 2400);
  for (int i = 0; i < 2400; ++i) {
    int row = i / 60;
    // The device's product and sum are fused here.
    float cx = std::fma(float(i % 60), 0.05f, -2.0f);
    float cy = std::fma(float(row), 0.05f, -1.0f), x = 0, y = 0;
    int n = 0;
    while (n < 100) {
      volatile float xx = x * x, yy = y * y, both = xx + yy;
      if (!(both < 4))
        break;
      volatile float twice = 2 * x, product = twice * y, apart = xx - yy;
      x = apart + cx;
      y = product + cy;
      ++n;
    }
    ASSERT_EQ(result[i], n) << i;
  }
}

TEST_F(Nvcc, BitonicSort) {
  std::vector<unsigned> values(256);
  for (unsigned i = 0; i < 256; ++i)
    values[i] = i * 2654435761u;
  auto data = driver.upload(values);
  ASSERT_EQ(driver.launch("bitonic", {1}, {256}, 0, data), 0);
  std::sort(values.begin(), values.end());
  EXPECT_EQ(driver.download<unsigned>(data, 256), values);
}

TEST_F(Nvcc, CallsTablesAndStructs) {
  struct Options {
    int first;
    double base;
    float table[4];
  } options = {0, 1.75, {1.5f, -0.75f, 8, 9}};
  auto out = driver.allocate(32 * 8), words = driver.allocate(32 * 4);
  ASSERT_EQ(driver.launch("functions", {1}, {32}, 0, options, out, words), 0);
  std::vector<double> result = driver.download<double>(out, 32);
  std::vector<int> bits = driver.download<int>(words, 32);
  auto slow = [](double x, int n) { return std::pow(x, n) + std::sin(x); };
  for (int i = 0; i < 32; ++i) {
    double b = options.base;
    double expected = i == 0   ? std::sin(b)
                      : i == 1 ? std::exp(b)
                      : i == 2 ? options.table[2]
                      : i == 3 ? std::pow(b, 3.25)
                      : i == 4 ? std::tanh(-0.75)
                      : i == 5 ? slow(b, 5)
                      : i == 6 ? std::erf(b) / std::sqrt(b)
                               : slow(1.0 / i, 3) + std::log(b + i);
    EXPECT_NEAR(result[i], expected,
                std::fabs(expected) * (i == 4 ? 1e-6 : 1e-13))
        << i;
    int word = __builtin_popcount(i * 0x1234567) +
               (i ? __builtin_clz(i) : 32) * 100 + __builtin_ffs(i) * 10000;
    unsigned reversed = 0;
    for (int k = 0; k < 32; ++k)
      reversed |= (unsigned(i) >> k & 1) << (31 - k);
    word += reversed % 7;
    // Bytes 0, 4, 0, 1 of {i, 77}, the lowest first.
    word += (unsigned(i) | 77u << 8 | unsigned(i) << 16) % 13;
    word += int(1000000007ll * i / 12345) % 11;
    EXPECT_EQ(bits[i], word) << i;
  }
}

TEST_F(Nvcc, LastBlockSums) {
  std::vector<int> in(40);
  std::iota(in.begin(), in.end(), 1);
  auto from = driver.upload(in), partial = driver.allocate(160),
       result = driver.allocate(4);
  ASSERT_EQ(driver.launch("lastBlock", {40}, {64}, 0, from, partial, result),
            0);
  EXPECT_EQ(driver.download<int>(result, 1)[0], 40 * 41);
}

TEST_F(Nvcc, Votes) {
  std::vector<int> in(32);
  for (int i = 0; i < 32; ++i)
    in[i] = i * 13 % 29;
  auto from = driver.upload(in), to = driver.allocate(128);
  ASSERT_EQ(driver.launch("votes", {1}, {32}, 0, from, to), 0);
  std::vector<unsigned> out = driver.download<unsigned>(to, 32);
  unsigned ballot = 0, odd = 0;
  int most = *std::max_element(in.begin(), in.end());
  for (int i = 0; i < 32; ++i) {
    ballot |= unsigned(in[i] > 10) << i;
    odd += in[i] & 1;
  }
  for (int i = 0; i < 32; ++i) {
    unsigned match = 0;
    for (int k = 0; k < 32; ++k)
      match |= unsigned(in[k] % 5 == in[i] % 5) << k;
    EXPECT_EQ(out[i], ballot ^ match ^ (unsigned(most) << 8) ^
                          (in[i] & 1 ? odd << 20 : 0) ^ 1u);
  }
}

/// Small integers and halves of them as f16.
uint16_t makeHalf(int halves) {
  if (!halves)
    return 0;
  int magnitude = std::abs(halves), exponent = 0;
  while (magnitude >> (exponent + 1))
    ++exponent;
  return (halves < 0 ? 0x8000 : 0) | (exponent + 14) << 10 |
         ((magnitude << 10 >> exponent) & 0x3ff);
}

TEST_F(Nvcc, Halves) {
  std::vector<uint16_t> a(64), b(64);
  for (int i = 0; i < 64; ++i) {
    a[i] = makeHalf(i % 9 - 4);
    b[i] = makeHalf(i % 7 - 3);
  }
  auto da = driver.upload(a), db = driver.upload(b), out = driver.allocate(128),
       norms = driver.allocate(128);
  ASSERT_EQ(driver.launch("halves", {1}, {32}, 0, da, db, out, norms), 0);
  std::vector<uint16_t> result = driver.download<uint16_t>(out, 64);
  std::vector<float> floats = driver.download<float>(norms, 32);
  auto value = [](int i) { return (i % 9 - 4) * (i % 7 - 3) / 4.0 + 0.5; };
  for (int i = 0; i < 64; ++i) {
    // In quarters: twice a number of halves.
    double positive = std::fmax(value(i), 0);
    uint16_t code = makeHalf(int(positive * 4));
    EXPECT_EQ(result[i], code ? code - (1 << 10) : 0) << i;
  }
  for (int i = 0; i < 32; ++i) {
    double x = value(2 * i), y = value(2 * i + 1);
    double expected = std::exp(-x) / std::sqrt(x * x + y * y + 1);
    EXPECT_NEAR(floats[i], expected, 2e-6 * expected);
  }
}

TEST_F(Nvcc, TensorCores) {
  constexpr int k = 80;
  std::vector<uint16_t> a(64 * k), b(64 * k);
  std::vector<int> wholeA(64 * k), wholeB(64 * k);
  for (int i = 0; i < 64 * k; ++i) {
    a[i] = makeHalf(2 * (wholeA[i] = i * 7 % 11 - 5));
    b[i] = makeHalf(2 * (wholeB[i] = i * 5 % 13 - 6));
  }
  auto da = driver.upload(a), db = driver.upload(b),
       dc = driver.allocate(64 * 64 * 4);
  ASSERT_EQ(driver.launch("tensorCores", {1}, {32}, 0, da, db, dc, k), 0);
  std::vector<float> c = driver.download<float>(dc, 64 * 64);
  for (int i = 0; i < 64; ++i)
    for (int j = 0; j < 64; ++j) {
      int expected = 0;
      for (int p = 0; p < k; ++p)
        expected += wholeA[i * k + p] * wholeB[j * k + p];
      ASSERT_EQ(c[i * 64 + j], expected);
    }
}

} // namespace
