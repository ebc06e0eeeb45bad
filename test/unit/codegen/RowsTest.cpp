//===- RowsTest.cpp - kernel.rows against its definition -----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/PhaseTest.h"

using namespace txc::test;

namespace {

class RowsTest : public PhaseTest {};
TXC_INSTANTIATE_PHASE_TESTS(RowsTest);

constexpr const char *softmaxBody = R"(
      ^bb0(%x: f32):
        %max = kernel.reduce max %x : f32
        %c = arith.subf %x, %max : f32
        %e = math.exp %c : f32
        %sum = kernel.reduce sum %e : f32
        %y = arith.divf %e, %sum : f32
        kernel.yield %y : f32
      }
      return
    })";

std::vector<Symbols> everyLength() {
  std::vector<Symbols> cases;
  for (int64_t n = 0; n <= 40; ++n)
    cases.push_back({{"N", n}});
  cases.push_back({{"N", 517}});
  return cases;
}

TEST_P(RowsTest, SoftmaxOfEveryLength) {
  expectDefinition(std::string(R"(
    !x = tensor<3x?xf32, #tx.dims<[3, N]>>
    #id = affine_map<(m, n) -> (m, n)>
    func.func @main(%a: !x) {
      %r = kernel.rows [#tx.expr<3>, #tx.expr<N>] row 1 ins(%a : !x) maps [#id, #id] -> !x {)") +
                       softmaxBody,
                   everyLength());
}

/// Short rows are computed several at once, what is left one by one; each keeps
/// its exponentials to itself.
TEST_P(RowsTest, SoftmaxOfEveryRowCount) {
  std::vector<Symbols> cases;
  for (int64_t m = 0; m <= 13; ++m)
    cases.push_back({{"M", m}});
  expectDefinition(std::string(R"(
    !x = tensor<?x37xf32, #tx.dims<[M, 37]>>
    #id = affine_map<(m, n) -> (m, n)>
    func.func @main(%a: !x) {
      %r = kernel.rows [#tx.expr<M>, #tx.expr<37>] row 1 ins(%a : !x) maps [#id, #id] -> !x {)") +
                       softmaxBody,
                   cases);
}

TEST_P(RowsTest, SoftmaxAlongOuterDim) {
  expectDefinition(std::string(R"(
    !x = tensor<2x?x21xf32, #tx.dims<[2, N, 21]>>
    #id = affine_map<(b, m, n) -> (b, n, m)>
    func.func @main(%a: !x) {
      %r = kernel.rows [#tx.expr<2>, #tx.expr<21>, #tx.expr<N>] row 1 ins(%a : !x) maps [#id, #id] -> !x {)") +
                       softmaxBody,
                   {{{"N", 0}}, {{"N", 1}}, {{"N", 19}}});
}

TEST_P(RowsTest, LayerNorm) {
  for (const char *type : {"f32", "f16"}) {
    std::string text = R"(
    !x = tensor<?x75xTYPE, #tx.dims<[M, 75]>>
    #id = affine_map<(m, n) -> (m, n)>
    #row = affine_map<(m, n) -> (n)>
    func.func @main(%a: !x, %b: tensor<75xTYPE>) {
      %r, %s = kernel.rows [#tx.expr<M>, #tx.expr<75>] row 1
          ins(%a, %b : !x, tensor<75xTYPE>) maps [#id, #row, #id, affine_map<(m, n) -> (m)>]
          -> !x, tensor<?xf32, #tx.dims<[M]>> {
      ^bb0(%p: TYPE, %scale: TYPE):
        WIDEN
        %n = arith.constant 75.0 : f32
        %sum = kernel.reduce sum %x : f32
        %mean = arith.divf %sum, %n : f32
        %c = arith.subf %x, %mean : f32
        %sq = arith.mulf %c, %c : f32
        %total = kernel.reduce sum %sq : f32
        %var = arith.divf %total, %n : f32
        %eps = arith.constant 1.0e-5 : f32
        %v = arith.addf %var, %eps : f32
        %d = math.sqrt %v : f32
        %y = arith.divf %c, %d : f32
        %z = arith.mulf %y, %s : f32
        NARROW
        kernel.yield %t, %mean : TYPE, f32
      }
      return
    })";
    bool isWide = std::string(type) == "f32";
    auto replace = [&](const std::string &from, const std::string &to) {
      for (size_t at; (at = text.find(from)) != std::string::npos;)
        text.replace(at, from.size(), to);
    };
    replace("WIDEN", isWide ? "%one = arith.constant 1.0 : f32\n"
                              "%x = arith.mulf %p, %one : f32\n"
                              "%s = arith.mulf %scale, %one : f32"
                            : "%x = arith.extf %p : TYPE to f32\n"
                              "%s = arith.extf %scale : TYPE to f32");
    replace("NARROW", isWide ? "%t = arith.mulf %z, %one : f32"
                             : "%t = arith.truncf %z : f32 to TYPE");
    replace("TYPE", type);
    expectDefinition(text, {{{"M", 1}}, {{"M", 4}}});
  }
}

TEST_P(RowsTest, MeanOverMiddleDim) {
  expectDefinition(R"(
    !x = tensor<?x?x37xf32, #tx.dims<[B, S, 37]>>
    !r = tensor<?x1x37xf32, #tx.dims<[B, 1, 37]>>
    func.func @main(%a: !x) {
      %r = kernel.rows [#tx.expr<B>, #tx.expr<37>, #tx.expr<S>] row 1 ins(%a : !x)
          maps [affine_map<(b, n, s) -> (b, s, n)>, affine_map<(b, n, s) -> (b, 0, n)>] -> !r {
      ^bb0(%x: f32):
        %sum = kernel.reduce sum %x : f32
        %size = kernel.size #tx.expr<S>
        %i = arith.index_cast %size : index to i64
        %n = arith.sitofp %i : i64 to f32
        %mean = arith.divf %sum, %n : f32
        kernel.yield %mean : f32
      }
      return
    })",
                   {{{"B", 1}, {"S", 9}}, {{"B", 3}, {"S", 1}}});
}

TEST_P(RowsTest, ReducesSeveralDims) {
  for (const char *map :
       {"(a, b, c, d) -> (a, b, c, d)", "(a, b, c, d) -> (a, c, b, d)"}) {
    std::string text =
        std::string(R"(
    !x = tensor<2x6x6x?xf32, #tx.dims<[2, 6, 6, N]>>
    func.func @main(%a: !x) {
      %r, %s, %t = kernel.rows [#tx.expr<2>, #tx.expr<6>, #tx.expr<6>, #tx.expr<N>] row 2 ins(%a : !x)
          maps [affine_map<)") +
        map +
        R"(>, affine_map<(a, b, c, d) -> (a, b)>, affine_map<(a, b, c, d) -> (a, b)>,
                affine_map<(a, b, c, d) -> (a, b)>] -> tensor<2x6xf32>, tensor<2x6xf32>, tensor<2x6xf32> {
      ^bb0(%x: f32):
        %max = kernel.reduce max %x : f32
        %min = kernel.reduce min %x : f32
        %prod = kernel.reduce prod %x : f32
        kernel.yield %max, %min, %prod : f32, f32, f32
      }
      return
    })";
    expectDefinition(text, {{{"N", 0}}, {{"N", 1}}, {{"N", 18}}, {{"N", 70}}});
  }
}

/// Neighbouring windows are computed at once; the last ones may be left over.
TEST_P(RowsTest, WindowsOfLanes) {
  for (int64_t width : {-1, 0, 2, 7, 11, 13})
    for (int64_t taps : {3, 31}) {
      std::string text = R"(
    !x = tensor<7xPADDEDx?xf32, #tx.dims<[7, DIM, C]>>
    !w = tensor<3xTAPSx?xf32, #tx.dims<[3, TAPS, C]>>
    !r = tensor<5xCOLUMNSx?xf32, #tx.dims<[5, WIDTH, C]>>
    #place = affine_map<(y, x, c, i, j) -> (y + i, x * 2 + j * 3, c)>
    #tap = affine_map<(y, x, c, i, j) -> (i, j, c)>
    #result = affine_map<(y, x, c, i, j) -> (y, x, c)>
    func.func @main(%a: !x, %w: !w) {
      %r = kernel.rows [#tx.expr<5>, #tx.expr<WIDTH>, #tx.expr<C>, #tx.expr<3>, #tx.expr<TAPS>] row 2
          ins(%a, %w : !x, !w) maps [#place, #tap, #result] -> !r {
      ^bb0(%x: f32, %y: f32):
        %p = arith.mulf %x, %y : f32
        %sum = kernel.reduce sum %p : f32
        kernel.yield %sum : f32
      }
      return
    })";
      auto replace = [&](llvm::StringRef from, const std::string &to) {
        for (size_t at; (at = text.find(from)) != std::string::npos;)
          text.replace(at, from.size(), to);
      };
      // Less than 0 stands for a width that is not known while compiling.
      std::string known = std::to_string(2 * width + 3 * taps);
      replace("PADDED", width >= 0 ? known : "?");
      replace("DIM",
              width >= 0 ? known : "2 * W + " + std::to_string(3 * taps));
      replace("COLUMNS", width >= 0 ? std::to_string(width) : "?");
      replace("WIDTH", width >= 0 ? std::to_string(width) : "W");
      replace("TAPS", std::to_string(taps));
      expectDefinition(
          text,
          {{{"W", 9}, {"C", 17}}, {{"W", 3}, {"C", 64}}, {{"W", 8}, {"C", 1}}});
    }
}

TEST_P(RowsTest, ReducesIntegersAndBooleans) {
  expectDefinition(R"(
    !x = tensor<3x?xi32, #tx.dims<[3, N]>>
    !b = tensor<3x?xi1, #tx.dims<[3, N]>>
    #id = affine_map<(m, n) -> (m, n)>
    #m = affine_map<(m, n) -> (m)>
    func.func @main(%a: !x, %b: !b) {
      %r:4 = kernel.rows [#tx.expr<3>, #tx.expr<N>] row 1 ins(%a, %b : !x, !b)
          maps [#id, #id, #m, #m, #m, #m] -> tensor<3xi32>, tensor<3xi32>, tensor<3xi1>, tensor<3xi1> {
      ^bb0(%x: i32, %y: i1):
        %sum = kernel.reduce sum %x : i32
        %min = kernel.reduce min %x : i32
        %any = kernel.reduce umax %y : i1
        %all = kernel.reduce umin %y : i1
        kernel.yield %sum, %min, %any, %all : i32, i32, i1, i1
      }
      return
    })",
                   everyLength());
}

TEST_P(RowsTest, FindsPlaceOfLargest) {
  expectDefinition(R"(
    !x = tensor<3x?xf16, #tx.dims<[3, N]>>
    func.func @main(%a: !x) {
      %r = kernel.rows [#tx.expr<3>, #tx.expr<N>] row 1 ins(%a : !x)
          maps [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>] -> tensor<3xi64> {
      ^bb0(%x: f16):
        %max = kernel.reduce max %x : f16
        %is = arith.cmpf oeq, %x, %max : f16
        %n = kernel.index 1
        %i = arith.index_cast %n : index to i64
        %none = arith.constant 9223372036854775807 : i64
        %c = arith.select %is, %i, %none : i64
        %place = kernel.reduce min %c : i64
        kernel.yield %place : i64
      }
      return
    })",
                   {{{"N", 1}}, {{"N", 15}}, {{"N", 70}}});
}

TEST_P(RowsTest, NanIsLargestAndLeast) {
  adjustOperands = [](std::vector<NumberTensor> &operands) {
    auto &elements = operands[0].elements;
    elements[elements.size() / 2].value =
        std::numeric_limits<double>::quiet_NaN();
  };
  for (const char *map : {"(m, n) -> (m, n)", "(m, n) -> (n, m)"}) {
    bool isRowMajor = std::string(map) == "(m, n) -> (m, n)";
    std::string text = std::string("!x = ") +
                       (isRowMajor ? "tensor<5x?xf32, #tx.dims<[5, N]>>"
                                   : "tensor<?x5xf32, #tx.dims<[N, 5]>>") +
                       R"(
    #m = affine_map<(m, n) -> (m)>
    func.func @main(%a: !x) {
      %r, %s = kernel.rows [#tx.expr<5>, #tx.expr<N>] row 1 ins(%a : !x)
          maps [affine_map<)" +
                       map + R"(>, #m, #m] -> tensor<5xf32>, tensor<5xf32> {
      ^bb0(%x: f32):
        %max = kernel.reduce max %x : f32
        %min = kernel.reduce min %x : f32
        kernel.yield %max, %min : f32, f32
      }
      return
    })";
    expectDefinition(text, {{{"N", 3}}, {{"N", 77}}});
  }
}

} // namespace
