//===- MapTest.cpp - kernel.map against its definition -------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/PhaseTest.h"

using namespace txc::test;

namespace {

class MapTest : public PhaseTest {};
TXC_INSTANTIATE_PHASE_TESTS(MapTest);

std::vector<Symbols> everySize() {
  std::vector<Symbols> cases;
  for (int64_t n = 0; n <= 40; ++n)
    cases.push_back({{"N", n}});
  cases.push_back({{"N", 20000}});
  return cases;
}

TEST_P(MapTest, EveryTail) {
  expectDefinition(R"(
    !x = tensor<?xf32, #tx.dims<[N]>>
    #id = affine_map<(n) -> (n)>
    func.func @main(%a: !x, %b: !x) {
      %r = kernel.map [#tx.expr<N>] ins(%a, %b : !x, !x) maps [#id, #id, #id] -> !x {
      ^bb0(%p: f32, %q: f32):
        %s = arith.addf %p, %q : f32
        %e = math.exp %s : f32
        kernel.yield %e : f32
      }
      return
    })",
                   everySize());
}

TEST_P(MapTest, BroadcastsRowsAndColumns) {
  expectDefinition(R"(
    !x = tensor<?x37xf32, #tx.dims<[M, 37]>>
    !c = tensor<?x1xf32, #tx.dims<[M, 1]>>
    #id = affine_map<(m, n) -> (m, n)>
    func.func @main(%a: !x, %row: tensor<37xf32>, %column: !c) {
      %r = kernel.map [#tx.expr<M>, #tx.expr<37>]
          ins(%a, %row, %column : !x, tensor<37xf32>, !c)
          maps [#id, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, 0)>, #id] -> !x {
      ^bb0(%p: f32, %q: f32, %s: f32):
        %sum = arith.addf %p, %q : f32
        %product = arith.mulf %sum, %s : f32
        kernel.yield %product : f32
      }
      return
    })",
                   {{{"M", 0}}, {{"M", 1}}, {{"M", 5}}, {{"M", 700}}});
}

TEST_P(MapTest, Transposes) {
  expectDefinition(R"(
    !x = tensor<2x?x3x5xf32, #tx.dims<[2, S, 3, 5]>>
    !r = tensor<2x3x?x5xf32, #tx.dims<[2, 3, S, 5]>>
    func.func @main(%a: !x) {
      %r = kernel.map [#tx.expr<2>, #tx.expr<3>, #tx.expr<S>, #tx.expr<5>] ins(%a : !x)
          maps [affine_map<(b, h, s, d) -> (b, s, h, d)>,
                affine_map<(b, h, s, d) -> (b, h, s, d)>] -> !r {
      ^bb0(%p: f32):
        kernel.yield %p : f32
      }
      return
    })",
                   {{{"S", 1}}, {{"S", 7}}, {{"S", 33}}});
  expectDefinition(R"(
    !x = tensor<?x21xf32, #tx.dims<[M, 21]>>
    !r = tensor<21x?xf32, #tx.dims<[21, M]>>
    func.func @main(%a: !x) {
      %r, %s = kernel.map [#tx.expr<21>, #tx.expr<M>] ins(%a : !x)
          maps [affine_map<(n, m) -> (m, n)>, affine_map<(n, m) -> (n, m)>,
                affine_map<(n, m) -> (m, n)>] -> !r, !x {
      ^bb0(%p: f32):
        kernel.yield %p, %p : f32, f32
      }
      return
    })",
                   {{{"M", 1}}, {{"M", 17}}, {{"M", 40}}});
}

TEST_P(MapTest, SlicesAndSplits) {
  expectDefinition(R"(
    !x = tensor<?x40xf32, #tx.dims<[M + 3, 40]>>
    !r = tensor<?x4x9xf32, #tx.dims<[M, 4, 9]>>
    func.func @main(%a: !x) {
      %r = kernel.map [#tx.expr<M>, #tx.expr<4>, #tx.expr<9>] symbols [#tx.expr<min(M, 3)>]
          ins(%a, %a : !x, !x)
          maps [affine_map<(m, h, d)[s] -> (m + s, h * 10 + d + 1)>,
                affine_map<(m, h, d)[s] -> (m, (h * 9 + d) floordiv 4 + d mod 2)>,
                affine_map<(m, h, d)[s] -> (m, h, d)>] -> !r {
      ^bb0(%p: f32, %q: f32):
        %s = arith.subf %p, %q : f32
        kernel.yield %s : f32
      }
      return
    })",
                   {{{"M", 1}}, {{"M", 6}}});
}

TEST_P(MapTest, SinglePoint) {
  expectDefinition(R"(
    func.func @main(%a: tensor<f32>, %b: tensor<1x1xf32>) {
      %r = kernel.map [] ins(%a, %b : tensor<f32>, tensor<1x1xf32>)
          maps [affine_map<() -> ()>, affine_map<() -> (0, 0)>, affine_map<() -> (0)>] -> tensor<1xf32> {
      ^bb0(%p: f32, %q: f32):
        %s = arith.mulf %p, %q : f32
        kernel.yield %s : f32
      }
      return
    })",
                   Symbols());
}

TEST_P(MapTest, MixesTypes) {
  expectDefinition(R"(
    !x = tensor<?xi64, #tx.dims<[N]>>
    !b = tensor<?xi1, #tx.dims<[N]>>
    !h = tensor<?xf16, #tx.dims<[N]>>
    !g = tensor<?xbf16, #tx.dims<[N]>>
    !d = tensor<?xf64, #tx.dims<[N]>>
    !i = tensor<?xui8, #tx.dims<[N]>>
    #id = affine_map<(n) -> (n)>
    func.func @main(%a: !x, %b: !b, %c: !h, %g: !g, %e: !d, %f: !i) {
      %r:4 = kernel.map [#tx.expr<N>] ins(%a, %b, %c, %g, %e, %f : !x, !b, !h, !g, !d, !i)
          maps [#id, #id, #id, #id, #id, #id, #id, #id, #id, #id] -> !h, !g, !b, !d {
      ^bb0(%x: i64, %y: i1, %z: f16, %w: bf16, %v: f64, %u: i8):
        %xf = arith.sitofp %x : i64 to f32
        %zf = arith.extf %z : f16 to f32
        %wf = arith.extf %w : bf16 to f32
        %s = arith.select %y, %zf, %wf : f32
        %t = arith.addf %s, %xf : f32
        %h = arith.truncf %t : f32 to f16
        %k = arith.truncf %t : f32 to bf16
        %less = arith.cmpf olt, %zf, %wf : f32
        %odd = arith.xori %less, %y : i1
        %ul = arith.extui %u : i8 to i64
        %uf = arith.sitofp %ul : i64 to f64
        %d = arith.mulf %v, %uf : f64
        kernel.yield %h, %k, %odd, %d : f16, bf16, i1, f64
      }
      return
    })",
                   everySize());
}

TEST_P(MapTest, MathFunctions) {
  for (const char *type : {"f32", "f64", "f16", "bf16"}) {
    std::string text = R"(
    !x = tensor<?xTYPE, #tx.dims<[N]>>
    #id = affine_map<(n) -> (n)>
    func.func @main(%a: !x) {
      %r:4 = kernel.map [#tx.expr<N>] ins(%a : !x) maps [#id, #id, #id, #id, #id] -> !x, !x, !x, !x {
      ^bb0(%x: TYPE):
        %t = math.tanh %x : TYPE
        %e = math.erf %x : TYPE
        %s = math.sin %x : TYPE
        %h = math.asinh %x : TYPE
        kernel.yield %t, %e, %s, %h : TYPE, TYPE, TYPE, TYPE
      }
      return
    })";
    for (size_t at; (at = text.find("TYPE")) != std::string::npos;)
      text.replace(at, 4, type);
    expectDefinition(text, {{{"N", 1}}, {{"N", 37}}});
  }
}

TEST_P(MapTest, CountsIndices) {
  expectDefinition(R"(
    !r = tensor<?x7xi64, #tx.dims<[M, 7]>>
    func.func @main() {
      %r = kernel.map [#tx.expr<M>, #tx.expr<7>] maps [affine_map<(m, n) -> (m, n)>] -> !r {
        %m = kernel.index 0
        %n = kernel.index 1
        %size = kernel.size #tx.expr<M + 2>
        %row = arith.muli %m, %size : index
        %sum = arith.addi %row, %n : index
        %three = arith.constant 3 : index
        %rest = arith.remui %sum, %three : index
        %i = arith.index_cast %rest : index to i64
        kernel.yield %i : i64
      }
      return
    })",
                   {{{"M", 1}}, {{"M", 6}}});
}

/// Rows of a table of embeddings.
std::string getGather(const char *table) {
  return std::string("!t = ") + table + R"(
    !i = tensor<?xi32, #tx.dims<[S]>>
    !r = tensor<?x21xf32, #tx.dims<[S, 21]>>
    func.func @main(%ids: !i, %table: !t) {
      %r = kernel.map [#tx.expr<S>, #tx.expr<21>] ins(%ids : !i) tables(%table : !t)
          maps [affine_map<(s, n) -> (s)>, affine_map<(s, n) -> (s, n)>] -> !r {
      ^bb0(%id: i32, %t: !t):
        %index = arith.index_cast %id : i32 to index
        %zero = arith.constant 0 : index
        %size = arith.constant 9 : index
        %inside = arith.cmpi ult, %index, %size : index
        kernel.check %inside index_out_of_range(%index of %size)
        %safe = arith.select %inside, %index, %zero : index
        %n = kernel.index 1
        %x = kernel.fetch %t[PLACE] : !t -> f32
        kernel.yield %x : f32
      }
      return
    })";
}

std::string replacePlace(std::string text, const char *place) {
  return text.replace(text.find("PLACE"), 5, place);
}

TEST_P(MapTest, GathersRows) {
  indexLimit = 9;
  std::string text = replacePlace(getGather("tensor<9x21xf32>"), "%safe, %n");
  expectDefinition(text, {{{"S", 1}}, {{"S", 50}}});
  EXPECT_EQ(fault.code, TXC_FAULT_NONE);
  indexLimit = 10;
  expectDefinition(text, {{{"S", 200}}});
  EXPECT_EQ(fault.code, TXC_FAULT_INDEX_OUT_OF_RANGE);
  EXPECT_EQ(fault.found, 9);
  EXPECT_EQ(fault.limit, 9);
}

TEST_P(MapTest, GathersColumns) {
  indexLimit = 9;
  expectDefinition(replacePlace(getGather("tensor<21x9xf32>"), "%n, %safe"),
                   {{{"S", 5}}});
  expectDefinition(
      replacePlace(getGather("!pack.tensor<21x9xf32, #pack.panels<16>>"),
                   "%n, %safe"),
      {{{"S", 5}}});
}

TEST_P(MapTest, GathersSeparateElements) {
  indexLimit = 4;
  expectDefinition(R"(
    !t = tensor<4x?xi1, #tx.dims<[4, N]>>
    !i = tensor<?xi64, #tx.dims<[N]>>
    !r = tensor<?xi1, #tx.dims<[N]>>
    #id = affine_map<(n) -> (n)>
    func.func @main(%ids: !i, %table: !t) {
      %r = kernel.map [#tx.expr<N>] ins(%ids : !i) tables(%table : !t) maps [#id, #id] -> !r {
      ^bb0(%id: i64, %t: !t):
        %index = arith.index_cast %id : i64 to index
        %n = kernel.index 0
        %x = kernel.fetch %t[%index, %n] : !t -> i1
        kernel.yield %x : i1
      }
      return
    })",
                   {{{"N", 3}}, {{"N", 35}}});
}

TEST_P(MapTest, ReportsDivisionByZero) {
  expectDefinition(R"(
    !x = tensor<?xi32, #tx.dims<[N]>>
    #id = affine_map<(n) -> (n)>
    func.func @main(%a: !x, %b: !x) {
      %r = kernel.map [#tx.expr<N>] ins(%a, %b : !x, !x) maps [#id, #id, #id] -> !x {
      ^bb0(%p: i32, %q: i32):
        %zero = arith.constant 0 : i32
        %one = arith.constant 1 : i32
        %valid = arith.cmpi ne, %q, %zero : i32
        kernel.check %valid division_by_zero
        %divisor = arith.select %valid, %q, %one : i32
        %r = arith.divsi %p, %divisor : i32
        kernel.yield %r : i32
      }
      return
    })",
                   {{{"N", 1}}, {{"N", 38}}});
  EXPECT_EQ(fault.code, TXC_FAULT_DIVISION_BY_ZERO);
}

} // namespace
