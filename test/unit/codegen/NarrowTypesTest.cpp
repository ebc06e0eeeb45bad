//===- NarrowTypesTest.cpp - elements of 8 bits and less -----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Conversions are compared with LLVM's APFloat, packed elements with what the
/// bytes say.
//
//===----------------------------------------------------------------------===//

#include "test/unit/codegen/PhaseTest.h"
#include "llvm/ADT/APFloat.h"

using namespace txc;
using namespace txc::test;
using llvm::APFloat;

namespace {

struct SmallType {
  const char *name;
  const llvm::fltSemantics &semantics;
};

const SmallType smallTypes[] = {
    {"f8E4M3FN", APFloat::Float8E4M3FN()},
    {"f8E5M2", APFloat::Float8E5M2()},
    {"f8E4M3FNUZ", APFloat::Float8E4M3FNUZ()},
    {"f8E5M2FNUZ", APFloat::Float8E5M2FNUZ()},
    {"f4E2M1FN", APFloat::Float4E2M1FN()},
};

class NarrowTypesTest : public PhaseTest {
protected:
  /// The elements of a one-dimensional kernel.map with one operand.
  std::vector<char> run(const std::string &from, const std::string &to,
                        const std::string &body, std::vector<char> operand,
                        int64_t count, int64_t resultBytes) {
    std::string text =
        "#id = affine_map<(n) -> (n)>\n"
        "!x = tensor<?x" +
        from +
        ", #tx.dims<[N]>>\n"
        "!r = tensor<?x" +
        to +
        ", #tx.dims<[N]>>\n"
        "func.func @main(%x: !x) {\n"
        "  %r = kernel.map [#tx.expr<N>] ins(%x : !x) maps [#id, #id] -> !r {\n"
        "  ^bb0(%p: " +
        getScalar(from) + "):\n" + body +
        "    kernel.yield %y : " + getScalar(to) +
        "\n"
        "  }\n"
        "  return\n"
        "}";
    auto program = PhaseProgram::parse(text);
    EXPECT_TRUE(bool(program)) << llvm::toString(program.takeError()) << text;
    auto compiled = CompiledPhase::create(**program, cpu());
    EXPECT_TRUE(bool(compiled)) << llvm::toString(compiled.takeError());
    Buffer input(static_cast<int64_t>(operand.size())), output(resultBytes);
    llvm::copy(operand, input.begin());
    llvm::fill(output, char(0x5a));
    (*compiled)->run({&input}, {&output}, {{"N", count}});
    return std::vector<char>(output.begin(), output.end());
  }

  static std::string getScalar(const std::string &type) {
    return type.substr(type.find_first_not_of('u'));
  }
};
TXC_INSTANTIATE_PHASE_TESTS(NarrowTypesTest);

std::vector<char> toBytes(const std::vector<float> &values) {
  std::vector<char> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// The codes 0, 1, 2 …, of which a byte holds one or two.
std::vector<char> getAllCodes(unsigned bits) {
  std::vector<char> bytes;
  if (bits == 8)
    for (int code = 0; code < 256; ++code)
      bytes.push_back(static_cast<char>(code));
  else
    for (int code = 0; code < 16; code += 2)
      bytes.push_back(static_cast<char>(code | (code + 1) << 4));
  return bytes;
}

TEST_P(NarrowTypesTest, EveryCodeExtends) {
  if (!cpu().canRun)
    return;
  for (const SmallType &type : smallTypes) {
    unsigned bits = APFloat::semanticsSizeInBits(type.semantics);
    int64_t count = int64_t(1) << bits;
    std::string body =
        std::string("%y = arith.extf %p : ") + type.name + " to f32\n";
    std::vector<char> bytes =
        run(type.name, "f32", body, getAllCodes(bits), count, 4 * count);
    for (int64_t code = 0; code < count; ++code) {
      float found;
      std::memcpy(&found, &bytes[4 * code], sizeof found);
      APFloat exact(type.semantics, llvm::APInt(bits, code));
      float expected = exact.convertToFloat();
      if (std::isnan(expected))
        EXPECT_TRUE(std::isnan(found)) << type.name << ' ' << code;
      else
        EXPECT_EQ(llvm::bit_cast<uint32_t>(found),
                  llvm::bit_cast<uint32_t>(expected))
            << type.name << ' ' << code;
    }
  }
}

/// Around every number of the type and every midpoint between two, and what is
/// no number of it.
std::vector<float> getRoundingCases(const llvm::fltSemantics &semantics) {
  std::vector<float> cases = {0.0F, -0.0F, 1e-30F, 1e30F};
  // APFloat has no answer for what a type without NaN makes of these.
  if (APFloat::semanticsHasNaN(semantics))
    cases.insert(cases.end(), {NAN, INFINITY, -INFINITY});
  unsigned bits = APFloat::semanticsSizeInBits(semantics);
  std::vector<float> numbers;
  for (uint64_t code = 0; code < uint64_t(1) << (bits - 1); ++code) {
    APFloat number(semantics, llvm::APInt(bits, code));
    if (number.isFinite())
      numbers.push_back(number.convertToFloat());
  }
  numbers.push_back(2 * numbers.back());
  for (size_t i = 0; i < numbers.size(); ++i)
    for (float x : {numbers[i], i > 0 ? (numbers[i - 1] + numbers[i]) / 2 : 0})
      for (float near : {std::nextafter(x, 0.0F), x, std::nextafter(x, 1e38F)})
        cases.insert(cases.end(), {near, -near});
  return cases;
}

TEST_P(NarrowTypesTest, RoundsToNearestEven) {
  if (!cpu().canRun)
    return;
  for (const SmallType &type : smallTypes) {
    std::vector<float> cases = getRoundingCases(type.semantics);
    unsigned bits = APFloat::semanticsSizeInBits(type.semantics);
    auto count = static_cast<int64_t>(cases.size());
    std::string body =
        std::string("%y = arith.truncf %p : f32 to ") + type.name + "\n";
    std::vector<char> bytes = run("f32", type.name, body, toBytes(cases), count,
                                  llvm::divideCeil(count * bits, 8));
    for (int64_t i = 0; i < count; ++i) {
      auto byte = static_cast<uint8_t>(bytes[i * bits / 8]);
      uint64_t code = byte >> i * bits % 8 & ((1 << bits) - 1);
      APFloat expected(cases[i]);
      bool isInexact;
      expected.convert(type.semantics, APFloat::rmNearestTiesToEven,
                       &isInexact);
      APFloat found(type.semantics, llvm::APInt(bits, code));
      if (expected.isNaN())
        EXPECT_TRUE(found.isNaN()) << type.name << ' ' << cases[i];
      else
        EXPECT_EQ(code, expected.bitcastToAPInt().getZExtValue())
            << type.name << ' ' << cases[i];
    }
  }
}

TEST_P(NarrowTypesTest, CutsOffWhereThereIsNoInfinity) {
  if (!cpu().canRun)
    return;
  std::vector<char> bytes =
      run("f32", "f4E2M1FN", "%y = arith.truncf %p : f32 to f4E2M1FN\n",
          toBytes({INFINITY, -INFINITY, NAN, 7}), 4, 2);
  // 6 and -6, then -0 for NaN, as ONNX says.
  EXPECT_EQ(static_cast<uint8_t>(bytes[0]), 0xf7);
  EXPECT_EQ(static_cast<uint8_t>(bytes[1]), 0x78);
}

TEST_P(NarrowTypesTest, ReadsPackedElements) {
  if (!cpu().canRun)
    return;
  std::vector<char> bytes = getAllCodes(8);
  for (int64_t count : {1, 2, 3, 7, 16, 33, 40, 511}) {
    std::vector<char> four = run("i4", "i8", "%y = arith.extsi %p : i4 to i8\n",
                                 bytes, count, count);
    std::vector<char> two = run("ui2", "i8", "%y = arith.extui %p : i2 to i8\n",
                                bytes, count, count);
    for (int64_t i = 0; i < count; ++i) {
      int nibble = bytes[i / 2] >> i % 2 * 4 & 15;
      EXPECT_EQ(four[i], nibble < 8 ? nibble : nibble - 16)
          << count << ' ' << i;
      EXPECT_EQ(two[i], bytes[i / 4] >> i % 4 * 2 & 3) << count << ' ' << i;
    }
  }
}

TEST_P(NarrowTypesTest, WritesPackedElements) {
  if (!cpu().canRun)
    return;
  std::vector<char> bytes = getAllCodes(8);
  for (int64_t count : {1, 2, 3, 7, 16, 33, 40, 256}) {
    std::vector<char> elements(bytes.begin(), bytes.begin() + count);
    std::vector<char> four =
        run("i8", "i4", "%y = arith.trunci %p : i8 to i4\n", elements, count,
            (count + 1) / 2);
    std::vector<char> two =
        run("i8", "ui2", "%y = arith.trunci %p : i8 to i2\n", elements, count,
            (count + 3) / 4);
    for (int64_t i = 0; i < count; ++i) {
      EXPECT_EQ(four[i / 2] >> i % 2 * 4 & 15, i & 15) << count << ' ' << i;
      EXPECT_EQ(two[i / 4] >> i % 4 * 2 & 3, i & 3) << count << ' ' << i;
    }
  }
}

TEST_P(NarrowTypesTest, TransposesPackedElements) {
  if (!cpu().canRun)
    return;
  auto program = PhaseProgram::parse(R"(
    !x = tensor<5x7xi4>
    !r = tensor<7x5xi4>
    func.func @main(%x: !x) {
      %r = kernel.map [#tx.expr<7>, #tx.expr<5>] ins(%x : !x)
          maps [affine_map<(m, n) -> (n, m)>, affine_map<(m, n) -> (m, n)>] -> !r {
      ^bb0(%p: i4):
        kernel.yield %p : i4
      }
      return
    })");
  ASSERT_TRUE(bool(program)) << llvm::toString(program.takeError());
  auto compiled = CompiledPhase::create(**program, cpu());
  ASSERT_TRUE(bool(compiled)) << llvm::toString(compiled.takeError());
  Buffer input(18), output(18);
  for (int i = 0; i < 35; ++i)
    input[i / 2] |= static_cast<char>((i * 5 & 15) << i % 2 * 4);
  (*compiled)->run({&input}, {&output}, {});
  for (int m = 0; m < 7; ++m)
    for (int n = 0; n < 5; ++n) {
      int from = n * 7 + m, to = m * 5 + n;
      EXPECT_EQ(output[to / 2] >> to % 2 * 4 & 15, from * 5 & 15)
          << m << ' ' << n;
    }
}

std::string getRefusal(llvm::StringRef text) {
  auto program = PhaseProgram::parse(text);
  if (!program)
    return llvm::toString(program.takeError());
  std::string message;
  mlir::ScopedDiagnosticHandler handler((*program)->getPhase()->getContext(),
                                        [&](mlir::Diagnostic &diagnostic) {
                                          message += diagnostic.str();
                                          return mlir::success();
                                        });
  auto compiled = CompiledPhase::create(**program, testCpus().front());
  if (compiled)
    return "nothing";
  llvm::consumeError(compiled.takeError());
  return message;
}

TEST(NarrowTypes, RefusesTypesWithoutCode) {
  EXPECT_EQ(getRefusal(R"(
    #id = affine_map<(n) -> (n)>
    func.func @main(%x: tensor<4xf32>) {
      %r = kernel.map [#tx.expr<4>] ins(%x : tensor<4xf32>) maps [#id, #id] -> tensor<4xf32> {
      ^bb0(%p: f32):
        %q = arith.extf %p : f32 to f80
        %y = arith.truncf %q : f80 to f32
        kernel.yield %y : f32
      }
      return
    })"),
            "no code can be made for elements of type 'f80'");
}

TEST(NarrowTypes, RefusesPackedElementsOfRoutines) {
  EXPECT_EQ(getRefusal(R"(
    func.func @main(%x: tensor<4xi4>) {
      %r = kernel.call "txc_test"(%x) [] tasks <1> : (tensor<4xi4>) -> tensor<4xi8>
      return
    })"),
            "no code can be made for elements of type 'i4' here; a cast to i8 "
            "before and after helps");
}

} // namespace
