//===- MmaTest.cpp - mma.sync against CuTe's lane maps ---------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Harness.h"
#include <cmath>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

using namespace ptxsim;
using namespace ptxsim::test;

namespace {

/// Places of a lane's values, in the order of its registers.
using LaneMap = std::vector<std::vector<std::pair<int, int>>>;
struct Atom {
  std::string name, shape;
  int bits = 0;
  std::map<char, LaneMap> maps;
};

std::vector<Atom> readAtoms() {
  std::ifstream file(PTXSIM_LANE_MAPS);
  std::vector<Atom> atoms;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string first, word;
    words >> first;
    if (first == "atom") {
      Atom &atom = atoms.emplace_back();
      words >> atom.name >> atom.shape >> word >> atom.bits;
    } else if (first.size() == 1 && first != "#") {
      int lane;
      words >> lane;
      LaneMap &map = atoms.back().maps[first[0]];
      map.resize(32);
      while (words >> word)
        map[lane].emplace_back(std::stoi(word),
                               std::stoi(word.substr(word.find(',') + 1)));
    }
  }
  return atoms;
}

/// Encodes a small integer in a type's bits, by the format's definition.
uint64_t encode(const std::string &type, int value) {
  if (type == "s8" || type == "u8")
    return uint8_t(value);
  if (type == "s4" || type == "u4")
    return value & 15;
  uint64_t sign = value < 0;
  int magnitude = std::abs(value), exponent = 0;
  if (type == "tf32")
    return bits(float(value));
  int fraction = type == "f16"    ? 10
                 : type == "bf16" ? 7
                 : type == "e4m3" ? 3
                                  : 2;
  int bias = type == "f16" || type == "e5m2" ? 15 : type == "bf16" ? 127 : 7;
  int width = type == "f16" || type == "bf16" ? 16 : 8;
  if (!magnitude)
    return sign << (width - 1);
  while (magnitude >> (exponent + 1))
    ++exponent;
  uint64_t mantissa =
      (uint64_t(magnitude) << fraction >> exponent) & ((1 << fraction) - 1);
  return sign << (width - 1) | uint64_t(exponent + bias) << fraction | mantissa;
}

struct Case {
  std::string instruction, typeA, typeB, typeC;
};

/// Runs one mma on random small integers laid out by the atom's maps, and
/// compares with the product.
void check(const Atom &atom, const Case &test, int limit) {
  int k = std::stoi(atom.shape.substr(atom.shape.find('k') + 1));
  std::mt19937 random(k + limit);
  std::uniform_int_distribution<int> values(test.typeA[0] == 'u' ? 0 : -limit,
                                            limit);
  std::vector<int> a(16 * k), b(8 * k), c(16 * 8);
  for (std::vector<int> *matrix : {&a, &b, &c})
    for (int &value : *matrix)
      value = values(random);
  bool isInteger = test.typeC == "s32", isHalf = test.typeC == "f16";
  Snippet snippet;
  std::string lists[4];
  auto addRegisters = [&](char operand, int list, int first, int bitsEach,
                          const std::string &type,
                          const std::vector<int> &matrix, int columns) {
    const LaneMap &map = atom.maps.at(operand);
    int perRegister = 32 / bitsEach;
    int count = map[0].size() / perRegister;
    for (int i = 0; i < count; ++i) {
      Lanes lanes(32);
      for (int lane = 0; lane < 32; ++lane)
        for (int j = 0; j < perRegister; ++j) {
          auto [row, column] = map[lane][i * perRegister + j];
          int value = matrix[row * columns + column];
          uint64_t code = type == "s32"   ? uint32_t(value)
                          : type == "f32" ? bits(float(value))
                                          : encode(type, value);
          lanes[lane] |= code << (j * bitsEach);
        }
      std::string name = "%r" + std::to_string(first + i);
      snippet.inputs.push_back({name, lanes});
      lists[list] += (i ? ", " : "") + name;
      if (operand == 'C')
        lists[0] += (i ? ", %r" : "%r") + std::to_string(10 + i);
    }
    return count;
  };
  int at = 0;
  at += addRegisters('A', 1, at, atom.bits, test.typeA, a, k);
  at += addRegisters('B', 2, at, atom.bits, test.typeB, b, k);
  int sums = addRegisters('C', 3, 14, isHalf ? 16 : 32, test.typeC, c, 8);
  snippet.code = "mma.sync.aligned." + atom.shape + ".row.col." +
                 test.instruction + " {" + lists[0] + "}, {" + lists[1] +
                 "}, {" + lists[2] + "}, {" + lists[3] + "};";
  for (int i = 0; i < sums; ++i)
    snippet.outputs.push_back("%r" + std::to_string(10 + i));
  std::vector<Lanes> results = snippet.run();
  const LaneMap &map = atom.maps.at('C');
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) {
      auto [row, column] = map[lane][i];
      int64_t expected = c[row * 8 + column];
      for (int p = 0; p < k; ++p)
        expected += a[row * k + p] * b[column * k + p];
      uint64_t code = isInteger ? uint32_t(expected)
                      : isHalf  ? encode("f16", expected)
                                : bits(float(expected));
      uint64_t result = isHalf ? results[i / 2][lane] >> (i % 2 * 16) & 0xffff
                               : results[i][lane];
      EXPECT_EQ(result, code) << snippet.code << " lane " << lane;
    }
}

TEST(Mma, LaneMapsAreThoseOfCute) {
  std::vector<Atom> atoms = readAtoms();
  ASSERT_EQ(atoms.size(), 6u);
  std::map<std::string, std::vector<Case>> cases = {
      {"SM80_16x8x16_F32F16F16F32_TN",
       {{"f32.f16.f16.f32", "f16", "f16", "f32"},
        {"f16.f16.f16.f16", "f16", "f16", "f16"}}},
      {"SM80_16x8x16_F32BF16BF16F32_TN",
       {{"f32.bf16.bf16.f32", "bf16", "bf16", "f32"}}},
      {"SM80_16x8x8_F32TF32TF32F32_TN",
       {{"f32.tf32.tf32.f32", "tf32", "tf32", "f32"}}},
      {"SM80_16x8x32_S32S8S8S32_TN",
       {{"s32.s8.s8.s32", "s8", "s8", "s32"},
        {"satfinite.s32.u8.u8.s32", "u8", "u8", "s32"}}},
      {"SM80_16x8x64_S32S4S4S32_TN", {{"s32.s4.s4.s32", "s4", "s4", "s32"}}},
      {"SM89_16x8x32_F32E4M3E4M3F32_TN",
       {{"f32.e4m3.e4m3.f32", "e4m3", "e4m3", "f32"},
        {"f32.e5m2.e5m2.f32", "e5m2", "e5m2", "f32"}}}};
  for (const Atom &atom : atoms)
    for (const Case &test : cases.at(atom.name))
      // Exact in every format: e5m2 has three bits.
      check(atom, test, test.typeA == "s8" || test.typeA == "u8" ? 127 : 4);
}

// Half as deep: the same maps without the second half of k (PTX ISA, figures of
// the fragments).
TEST(Mma, ShallowShapes) {
  for (Atom atom : readAtoms()) {
    int k = std::stoi(atom.shape.substr(atom.shape.find('k') + 1));
    std::string type = atom.bits == 8 ? "s8" : atom.bits == 4 ? "s4" : "f16";
    if (atom.name.find("E4M3") != atom.name.npos)
      continue;
    if (atom.bits == 32)
      type = "tf32";
    else if (atom.name.find("BF16") != atom.name.npos)
      type = "bf16";
    atom.shape = "m16n8k" + std::to_string(k / 2);
    for (char operand : {'A', 'B'})
      for (auto &lane : atom.maps[operand]) {
        auto last = std::remove_if(lane.begin(), lane.end(), [&](auto place) {
          return place.second >= k / 2;
        });
        lane.erase(last, lane.end());
      }
    std::string sum = atom.bits < 16 ? "s32" : "f32";
    std::string types = sum;
    for (const std::string &part : {std::string(type), std::string(type), sum})
      types.append(".").append(part);
    check(atom, {types, type, type, sum}, 4);
  }
}

TEST(Mma, IntegersSaturateOrWrap) {
  for (bool isSaturated : {false, true}) {
    Snippet snippet;
    snippet.code = std::string("mma.sync.aligned.m16n8k16.row.col.") +
                   (isSaturated ? "satfinite." : "") +
                   "s32.s8.s8.s32 {%r0, %r1, %r2, %r3}, {%r4, %r4}, {%r4}, "
                   "{%r5, %r5, %r5, %r5};";
    snippet.inputs = {{"%r4", {0x7f7f7f7f}}, {"%r5", {0x7fffffff}}};
    snippet.outputs = {"%r0", "%r3"};
    for (const Lanes &lanes : snippet.run())
      for (uint64_t value : lanes)
        EXPECT_EQ(value,
                  isSaturated ? 0x7fffffffu : 0x7fffffffu + 16u * 127 * 127);
  }
}

TEST(Mma, Doubles) {
  // A: lane (row, k), B: lane (column, k), C: two columns.
  Lanes a(32), b(32), c(32);
  for (int lane = 0; lane < 32; ++lane) {
    a[lane] = bits(double(lane + 1));
    b[lane] = bits(double(3 * lane - 7));
    c[lane] = bits(0.5);
  }
  std::vector<Lanes> results =
      Snippet{"mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%d0, %d1}, "
              "{%d2}, {%d3}, {%d4, %d4};",
              {{"%d2", a}, {"%d3", b}, {"%d4", c}},
              {"%d0", "%d1"}}
          .run();
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 2; ++i) {
      double expected = 0.5;
      for (int p = 0; p < 4; ++p)
        expected += asDouble(a[lane / 4 * 4 + p]) *
                    asDouble(b[(lane % 4 * 2 + i) * 4 + p]);
      EXPECT_EQ(asDouble(results[i][lane]), expected);
    }
}

TEST(Mma, Bits) {
  Lanes words(32);
  std::mt19937 random(1);
  for (uint64_t &word : words)
    word = random();
  for (bool isXor : {false, true}) {
    Snippet snippet;
    snippet.code = std::string("mma.sync.aligned.m16n8k128.row.col.s32.b1.b1."
                               "s32.") +
                   (isXor ? "xor" : "and") +
                   ".popc {%r0, %r1, %r2, %r3}, {%r4, %r4}, {%r4}, {%r5, %r5, "
                   "%r5, %r5};";
    snippet.inputs = {{"%r4", words}, {"%r5", {7}}};
    snippet.outputs = {"%r0", "%r1", "%r2", "%r3"};
    std::vector<Lanes> results = snippet.run();
    for (int lane = 0; lane < 32; ++lane)
      for (int i = 0; i < 4; ++i) {
        int expected = 7;
        for (int p = 0; p < 4; ++p) {
          uint32_t x = words[lane / 4 * 4 + p];
          uint32_t y = words[(lane % 4 * 2 + i % 2) * 4 + p];
          for (uint32_t both = isXor ? x ^ y : x & y; both; both &= both - 1)
            ++expected;
        }
        EXPECT_EQ(results[i][lane], uint32_t(expected));
      }
  }
}

// ldmatrix: thread l gets elements 2 (l % 4) and the next of row l / 4; .trans
// exchanges rows and columns. Rows are given by threads 0 to 7, 8 to 15, …
TEST(Matrix, Ldmatrix) {
  for (bool isTransposed : {false, true}) {
    Snippet snippet;
    // Row r of all 32 has elements 8 r .. 8 r + 7, in reverse order of rows.
    snippet.code =
        ".shared .align 16 .b8 tile[512];\n"
        "mov.u32 %r0, tile; sub.u32 %r1, 31, %lane; shl.b32 %r1, %r1, 4; "
        "add.u32 %r0, %r0, %r1;\n"
        "shl.b32 %r2, %lane, 3; mad.lo.u32 %r2, %r2, 0x10001, 0x10000; "
        "add.u32 %r3, %r2, 0x20002; add.u32 %r4, %r2, 0x40004; add.u32 %r5, "
        "%r2, 0x60006; st.shared.v4.b32 [%r0], {%r2, %r3, %r4, %r5};\n"
        "bar.warp.sync -1;\n"
        "ldmatrix.sync.aligned.m8n8.x4" +
        std::string(isTransposed ? ".trans" : "") +
        ".shared.b16 {%r6, %r7, %r8, %r9}, [%r0];";
    snippet.outputs = {"%r6", "%r7", "%r8", "%r9"};
    std::vector<Lanes> results = snippet.run();
    for (int matrix = 0; matrix < 4; ++matrix)
      for (int lane = 0; lane < 32; ++lane)
        for (int h = 0; h < 2; ++h) {
          int row = lane / 4, column = lane % 4 * 2 + h;
          if (isTransposed)
            std::swap(row, column);
          EXPECT_EQ(results[matrix][lane] >> (16 * h) & 0xffff,
                    uint64_t((matrix * 8 + row) * 8 + column));
        }
  }
}

TEST(Matrix, StmatrixIsTheInverse) {
  for (const char *transposed : {"", ".trans"}) {
    std::string form =
        std::string(".sync.aligned.m8n8.x2") + transposed + ".shared.b16 ";
    Snippet snippet;
    snippet.code = ".shared .align 16 .b8 tile[256];\n"
                   "mov.u32 %r0, tile; and.b32 %r1, %lane, 15; shl.b32 %r1, "
                   "%r1, 4; add.u32 %r0, %r0, %r1;\n"
                   "stmatrix";
    snippet.code.append(form)
        .append("[%r0], {%r2, %r3};\nldmatrix")
        .append(form)
        .append("{%r4, %r5}, [%r0];\nmovmatrix.sync.aligned.m8n8.trans.b16 "
                "%r6, %r2;\n movmatrix.sync.aligned.m8n8.trans.b16 %r7, "
                "%r6;");
    Lanes x(32), y(32);
    for (int i = 0; i < 32; ++i) {
      x[i] = 0x10001u * i;
      y[i] = 0xffff0000u + i;
    }
    snippet.inputs = {{"%r2", x}, {"%r3", y}};
    snippet.outputs = {"%r4", "%r5", "%r7"};
    std::vector<Lanes> results = snippet.run();
    EXPECT_EQ(results[0], x);
    EXPECT_EQ(results[1], y);
    EXPECT_EQ(results[2], x);
  }
}

} // namespace
