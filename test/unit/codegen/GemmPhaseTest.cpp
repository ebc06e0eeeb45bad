//===- GemmPhaseTest.cpp - kernel.gemm against its definition ------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/PhaseTest.h"

using namespace txc::test;

namespace {

class GemmPhaseTest : public PhaseTest {};
TXC_INSTANTIATE_PHASE_TESTS(GemmPhaseTest);

/// x W + bias, then GELU's kind of epilogue, plus a residual, with heads split.
std::string getProduct(const char *weights) {
  return std::string("!w = ") + weights + R"(
    !x = tensor<?x20xf32, #tx.dims<[M, 20]>>
    !r = tensor<3x?x11xf32, #tx.dims<[3, M, 11]>>
    func.func @main(%x: !x, %w: !w, %bias: tensor<33xf32>, %residual: !r) {
      %r = kernel.gemm [#tx.expr<M>, #tx.expr<33>, #tx.expr<20>] (%x : !x, %w : !w)
          ins(%bias, %residual : tensor<33xf32>, !r)
          maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                affine_map<(m, n, k) -> (n)>, affine_map<(m, n, k) -> (n floordiv 11, m, n mod 11)>,
                affine_map<(m, n, k) -> (n floordiv 11, m, n mod 11)>] -> !r {
      ^bb0(%acc: f32, %b: f32, %res: f32):
        %s = arith.addf %acc, %b : f32
        %t = math.tanh %s : f32
        %r = arith.addf %t, %res : f32
        kernel.yield %r : f32
      }
      return
    })";
}

TEST_P(GemmPhaseTest, FusesEpilogue) {
  std::vector<Symbols> cases;
  for (int64_t m : {0, 1, 3, 13, 40})
    cases.push_back({{"M", m}});
  expectDefinition(getProduct("tensor<20x33xf32>"), cases);
  expectDefinition(getProduct("!pack.tensor<20x33xf32, #pack.panels<16>>"),
                   cases);
}

/// Scores of heads: the left operand and the result have heads between rows.
TEST_P(GemmPhaseTest, BatchesOfViews) {
  expectDefinition(R"(
    !x = tensor<2x?x3x8xf32, #tx.dims<[2, S, 3, 8]>>
    !y = tensor<2x?x3x8xf32, #tx.dims<[2, T, 3, 8]>>
    !r = tensor<2x3x?x?xf32, #tx.dims<[2, 3, S, T]>>
    func.func @main(%x: !x, %y: !y) {
      %r = kernel.gemm [#tx.expr<2>, #tx.expr<3>, #tx.expr<S>, #tx.expr<T>, #tx.expr<8>]
          (%x : !x, %y : !y)
          maps [affine_map<(b, h, m, n, k) -> (b, m, h, k)>, affine_map<(b, h, m, n, k) -> (b, n, h, k)>,
                affine_map<(b, h, m, n, k) -> (b, h, m, n)>] -> !r {
      ^bb0(%acc: f32):
        %h = kernel.index 1
        %i = arith.index_cast %h : index to i64
        %f = arith.sitofp %i : i64 to f32
        %s = arith.mulf %acc, %f : f32
        kernel.yield %s : f32
      }
      return
    })",
                   {{{"S", 5}, {"T", 9}}, {{"S", 1}, {"T", 37}}});
}

/// The lhs has more digits than the precision, and a row of zeros.
TEST_P(GemmPhaseTest, NarrowFactors) {
  adjustOperands = [](std::vector<NumberTensor> &operands) {
    for (auto [i, x] : llvm::enumerate(operands[0].elements))
      x.value = i / 20 == 2 ? 0 : static_cast<float>(x.value * 0.9173);
    for (BoundedNumber &w : operands[1].elements)
      w.integer = (w.integer - 1) * 127;
  };
  std::vector<Symbols> cases;
  for (int64_t m : {0, 1, 3, 13, 40})
    cases.push_back({{"M", m}});
  auto getNarrow = [](const char *weights, const char *precision) {
    std::string text = getProduct(weights);
    std::string arrow = "-> !r {";
    text.insert(text.find(arrow), std::string("precision ") + precision + " ");
    return text;
  };
  expectDefinition(
      getNarrow("!pack.tensor<20x33xbf16, #pack.panels<16, depth 2>>", "bf16"),
      cases);
  expectDefinition(
      getNarrow("!pack.tensor<20x33xi8, #pack.panels<16, depth 4, shift 1>>",
                "int8"),
      cases);
}

/// A lhs that is rounded already. 131 is no multiple of a word nor of a vector;
/// rows lie one after the other, or elements of k do.
TEST_P(GemmPhaseTest, RoundedFactors) {
  for (const char *place :
       {"?x131xbf16, #tx.dims<[M, 131]>", "131x?xbf16, #tx.dims<[131, M]>"}) {
    std::string text = std::string("!x = tensor<") + place + R"(>
    !w = !pack.tensor<131x37xbf16, #pack.panels<16, depth 2>>
    !r = tensor<?x37xbf16, #tx.dims<[M, 37]>>
    func.func @main(%x: !x, %w: !w) {
      %r = kernel.gemm [#tx.expr<M>, #tx.expr<37>, #tx.expr<131>] (%x : !x, %w : !w)
          maps [affine_map<(m, n, k) -> LHS>, affine_map<(m, n, k) -> (k, n)>,
                affine_map<(m, n, k) -> (m, n)>] precision bf16 -> !r {
      ^bb0(%acc: f32):
        %s = arith.truncf %acc fastmath<afn> : f32 to bf16
        kernel.yield %s : bf16
      }
      return
    })";
    text.replace(text.find("LHS"), 3, place[0] == '?' ? "(m, k)" : "(k, m)");
    std::vector<Symbols> cases;
    for (int64_t m : {0, 1, 3, 13, 150})
      cases.push_back({{"M", m}});
    expectDefinition(text, cases);
  }
}

/// Bytes of either sign by a weight of bytes. 131 is no multiple of a word nor
/// of a vector; rows lie one after the other, or elements of k do.
TEST_P(GemmPhaseTest, Bytes) {
  for (bool isSigned : {false, true})
    for (const char *place :
         {"?x131xT, #tx.dims<[M, 131]>", "131x?xT, #tx.dims<[131, M]>"}) {
      std::string text = std::string("!x = tensor<") + place + R"(>
    !w = !pack.tensor<131x37xi8, #pack.panels<16, depth 4, shift 1>>
    !r = tensor<?x37xi32, #tx.dims<[M, 37]>>
    func.func @main(%x: !x, %w: !w, %z: tensor<37xi32>) {
      %r = kernel.gemm [#tx.expr<M>, #tx.expr<37>, #tx.expr<131>] (%x : !x, %w : !w)
          ins(%z : tensor<37xi32>)
          maps [affine_map<(m, n, k) -> LHS>, affine_map<(m, n, k) -> (k, n)>,
                affine_map<(m, n, k) -> (n)>, affine_map<(m, n, k) -> (m, n)>] -> !r {
      ^bb0(%acc: i32, %zero: i32):
        %s = arith.subi %acc, %zero : i32
        kernel.yield %s : i32
      }
      return
    })";
      text.replace(text.find("xT,"), 2, isSigned ? "xi8" : "xui8");
      text.replace(text.find("LHS"), 3, place[0] == '?' ? "(m, k)" : "(k, m)");
      adjustOperands = [&](std::vector<NumberTensor> &operands) {
        for (auto [i, x] : llvm::enumerate(operands[0].elements))
          x.integer = static_cast<int64_t>(i * 37 % 256) - (isSigned ? 128 : 0);
        for (auto [i, w] : llvm::enumerate(operands[1].elements))
          w.integer = static_cast<int64_t>(i * 53 % 256) - 128;
      };
      std::vector<Symbols> cases;
      for (int64_t m : {0, 1, 3, 13, 150})
        cases.push_back({{"M", m}});
      expectDefinition(text, cases);
    }
}

/// No row, by a tensor of the run: none of the ways for few rows is for it.
TEST_P(GemmPhaseTest, NoRows) {
  expectDefinition(R"(
    !x = tensor<0x?xf32, #tx.dims<[0, K]>>
    !w = tensor<?x5xf32, #tx.dims<[K, 5]>>
    func.func @main(%x: !x, %w: !w) {
      %r = kernel.gemm [#tx.expr<0>, #tx.expr<5>, #tx.expr<K>] (%x : !x, %w : !w)
          maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                affine_map<(m, n, k) -> (m, n)>] -> tensor<0x5xf32> {
      ^bb0(%acc: f32):
        kernel.yield %acc : f32
      }
      return
    })",
                   {{{"K", 0}}, {{"K", 3}}});
}

/// f32 by weights that become f32 as they are read.
TEST_P(GemmPhaseTest, WidenedWeights) {
  std::vector<Symbols> cases;
  for (int64_t m : {0, 1, 3, 13, 40})
    cases.push_back({{"M", m}});
  for (const char *element : {"i8", "f16", "bf16"}) {
    std::string shape = std::string("<20x33x") + element;
    expectDefinition(
        getProduct(("!pack.tensor" + shape + ", #pack.panels<16>>").c_str()),
        cases);
    expectDefinition(getProduct(("tensor" + shape + ">").c_str()), cases);
  }
}

TEST_P(GemmPhaseTest, OtherTypes) {
  struct Types {
    const char *operands, *accumulator;
  };
  for (Types types : {Types{"f64", "f64"},
                      {"f16", "f32"},
                      {"bf16", "f32"},
                      {"i8", "i32"},
                      {"ui8", "i32"},
                      {"i32", "i32"},
                      {"i64", "i64"}}) {
    std::string text = R"(
    !x = tensor<?x19xT, #tx.dims<[M, 19]>>
    !r = tensor<?x21xA, #tx.dims<[M, 21]>>
    func.func @main(%x: !x, %w: tensor<19x21xT>) {
      %r = kernel.gemm [#tx.expr<M>, #tx.expr<21>, #tx.expr<19>] (%x : !x, %w : tensor<19x21xT>)
          maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                affine_map<(m, n, k) -> (m, n)>] -> !r {
      ^bb0(%acc: A):
        kernel.yield %acc : A
      }
      return
    })";
    auto replace = [&](const std::string &from, const std::string &to) {
      for (size_t at; (at = text.find(from)) != std::string::npos;)
        text.replace(at, from.size(), to);
    };
    replace("xA,", std::string("x") + types.accumulator + ",");
    replace(" A", std::string(" ") + types.accumulator);
    replace("xT", std::string("x") + types.operands);
    expectDefinition(text, {{{"M", 1}}, {{"M", 6}}});
  }
}

} // namespace
