//===- PackArenaTest.cpp - tensors that share memory ---------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/memory/PackArena.h"
#include "dialects/tx/Tx.h"
#include "mlir/IR/MLIRContext.h"

#include "gtest/gtest.h"

#include <random>

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

namespace {

class PackArenaTest : public ::testing::Test {
protected:
  PackArenaTest() { context.loadDialect<tx::TxDialect>(); }

  SymExprAttr number(int64_t value) {
    return tx::getConstantExpr(&context, value);
  }
  SymExprAttr symbol(StringRef name) {
    return tx::getSymbolExpr(&context, name);
  }
  int64_t evaluate(SymExprAttr expr, int64_t s, int64_t n) {
    return *tx::evaluate(expr, {{StringAttr::get(&context, "S"), s},
                                {StringAttr::get(&context, "N"), n}});
  }
  PackedArena pack(ArrayRef<ArenaTensor> tensors) {
    return packArena(&context, tensors, bounds, [&](SymExprAttr expr) {
      return evaluate(expr, 128, 100);
    });
  }
  void expectApart(ArrayRef<ArenaTensor> tensors, const PackedArena &arena,
                   int64_t s, int64_t n);

  MLIRContext context;
  tx::SymbolBounds bounds;
};

/// Tensors that are needed at the same time have no byte in common.
void PackArenaTest::expectApart(ArrayRef<ArenaTensor> tensors,
                                const PackedArena &arena, int64_t s,
                                int64_t n) {
  auto begin = [&](size_t i) { return evaluate(arena.offsets[i], s, n); };
  auto end = [&](size_t i) {
    return begin(i) + evaluate(tensors[i].bytes, s, n);
  };
  for (size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_LE(end(i), evaluate(arena.bytes, s, n));
    for (size_t j = 0; j < i; ++j)
      if (tensors[i].first <= tensors[j].last &&
          tensors[j].first <= tensors[i].last)
        EXPECT_TRUE(end(i) <= begin(j) || end(j) <= begin(i))
            << i << " and " << j << " at S = " << s << ", N = " << n;
  }
}

// Two transformer layers: residual, q, k, v, attention, projection, residual,
// and the four times wider middle of the feed-forward part.
TEST_F(PackArenaTest, ReachesTheLiveSetOfALayer) {
  SymExprAttr narrow = mul(symbol("S"), 64), wide = mul(symbol("S"), 256);
  std::vector<ArenaTensor> tensors;
  for (int64_t layer : {0, 9}) {
    tensors.push_back({narrow, layer, layer + 6});
    tensors.push_back({narrow, layer + 1, layer + 4});
    tensors.push_back({narrow, layer + 2, layer + 4});
    tensors.push_back({narrow, layer + 3, layer + 4});
    tensors.push_back({narrow, layer + 4, layer + 5});
    tensors.push_back({narrow, layer + 5, layer + 6});
    tensors.push_back({narrow, layer + 6, layer + 9});
    tensors.push_back({wide, layer + 7, layer + 8});
    tensors.push_back({narrow, layer + 8, layer + 9});
  }
  PackedArena arena = pack(tensors);
  expectApart(tensors, arena, 1, 1);
  expectApart(tensors, arena, 77, 1);
  // The middle, its input and its output.
  EXPECT_EQ(arena.bytes, add(wide, mul(narrow, 2)));
}

TEST_F(PackArenaTest, TakesTheMaximumWhereSizesCantBeCompared) {
  std::vector<ArenaTensor> tensors = {{mul(symbol("S"), 64), 0, 1},
                                      {mul(symbol("N"), 64), 1, 2},
                                      {mul(symbol("S"), 64), 2, 3}};
  PackedArena arena = pack(tensors);
  for (int64_t s : {0, 1, 500})
    for (int64_t n : {0, 1, 500})
      expectApart(tensors, arena, s, n);
}

// As in a decoder with a cache and an encoder's output: what is incomparable in
// one layer is so in all of them, and must not add up.
TEST_F(PackArenaTest, StaysShortWhereNothingCanBeCompared) {
  auto pick = [random = std::mt19937(3)](unsigned count) mutable {
    return static_cast<int64_t>(random() % count);
  };
  std::vector<ArenaTensor> tensors;
  for (int64_t i = 0; i < 300; ++i) {
    SymExprAttr sizes[] = {
        mul(symbol("S"), 64 * (1 + pick(9))),
        mul(symbol("N"), 64 * (1 + pick(9))),
        add(mul(mul(symbol("S"), symbol("N")), 64), 64 * pick(1000))};
    tensors.push_back({sizes[pick(3)], i, i + pick(9)});
  }
  PackedArena arena = pack(tensors);
  for (int64_t s : {0, 3, 300})
    for (int64_t n : {0, 3, 300})
      expectApart(tensors, arena, s, n);
  for (SymExprAttr offset : arena.offsets)
    EXPECT_LT(offset.str().size(), 500u) << offset.str();
}

TEST_F(PackArenaTest, OffsetsKnowNothingOfLaterStages) {
  std::vector<ArenaTensor> tensors = {{mul(symbol("N"), 6400), 1, 3, 1},
                                      {mul(symbol("S"), 64), 0, 3, 0},
                                      {number(64), 0, 3, 0}};
  PackedArena arena = pack(tensors);
  expectApart(tensors, arena, 7, 9);
  for (size_t i : {1, 2}) {
    llvm::SetVector<StringAttr> symbols;
    collectSymbols(arena.offsets[i], symbols);
    EXPECT_FALSE(symbols.contains(StringAttr::get(&context, "N")));
  }
}

TEST_F(PackArenaTest, NeverOverlapsAtRandom) {
  std::mt19937 random(1);
  auto pick = [&](unsigned count) {
    return static_cast<int64_t>(random() % count);
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<ArenaTensor> tensors;
    for (int64_t i = 0, count = 1 + pick(12); i < count; ++i) {
      int64_t first = pick(10);
      SymExprAttr sizes[] = {number(64 * pick(20)),
                             mul(symbol("S"), 64 * (1 + pick(4))),
                             mul(mul(symbol("S"), symbol("N")), 64),
                             mul(max(symbol("S"), symbol("N")), 64)};
      tensors.push_back({sizes[pick(4)], first, first + pick(4),
                         static_cast<unsigned>(pick(2))});
    }
    PackedArena arena = pack(tensors);
    for (int64_t s : {0, 1, 9, 300})
      for (int64_t n : {0, 1, 20, 300})
        expectApart(tensors, arena, s, n);
  }
}

} // namespace
