//===- AssignTest.cpp - ends of branches and iterations -------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/runtime/TestModel.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace txc::test;
using testing::ElementsAre;

namespace {

// y = 0, 1, …, one element longer in each iteration. It lies behind `next`,
// which begins at 64 and has room for one element more than y: so y moves, and
// the arena grows, with each element.
enum Value { N, Next, Left, NextBytes, YOffset, NextOffset, ArenaBytes, One };
enum { ValueCount = One + 1, Limit = 1000 };

void evaluate(const int64_t *symbols, int64_t *values) {
  int64_t n = symbols[0];
  values[N] = n;
  values[Next] = n + 1;
  values[Left] = symbols[1] - n;
  values[NextBytes] = 8 * (n + 1);
  values[YOffset] = 64 + 8 * (n + 1);
  values[NextOffset] = 64;
  values[ArenaBytes] = 64 + 8 * (n + 1) + 8 * n;
  values[One] = 1;
}

void append(const txc_kernel_ctx *ctx, const int64_t *, int64_t, int64_t) {
  char *arena = ctx->bases[TXC_BASE_ARENA];
  auto *y = reinterpret_cast<int64_t *>(arena + ctx->values[YOffset]);
  auto *next = reinterpret_cast<int64_t *>(arena + ctx->values[NextOffset]);
  for (int64_t i = 0; i < ctx->values[N]; ++i)
    next[i] = y[i];
  next[ctx->values[N]] = ctx->values[N];
}

class AssignTest : public testing::Test {
protected:
  void SetUp() override {
    source.addSymbol("n", 0, Limit, TXC_SYMBOL_RUN_TIME);
    source.addSymbol("m", 0, INT64_MAX);
    source.addInput("x", TXC_INT8, {symbol(1)});
    source.addOutput("y", TXC_INT64, {runTime(symbol(0))}, YOffset);
    source.addJumpUnlessPositive(4, Left);
    source.addKernel(append, One);
    source.addAssign({1, 0, Next, 1, TXC_BASE_ARENA, NextOffset, NextBytes,
                      TXC_BASE_ARENA, YOffset});
    source.addJump(0);
    source.addRequire(0);
    source.requirements.push_back(
        {N, Next, TXC_RELATION_LE, TXC_CHECKED_BY_PHASE, "never said"});
    source.program.evaluate = evaluate;
    source.program.value_count = ValueCount;
    source.program.arena_bytes_value = ArenaBytes;
    source.table();
  }

  txc_status run(Session &session, int64_t m) {
    data.assign(static_cast<size_t>(m), 0);
    txc_tensor in = txc_tensor_make("x", TXC_INT8, data.data(), 1, &m);
    return txc_run(session, &in, 1, &out, 1);
  }

  TestModel source;
  std::vector<char> data;
  txc_tensor out = txc_tensor_borrow("y");
};

TEST_F(AssignTest, CopiesToWhereTheSymbolsMoveIt) {
  Model model(source);
  Session session(model);
  for (int64_t m : {0, 1, 4, 700, 2}) {
    ASSERT_EQ(run(session, m), TXC_OK) << session.error();
    ASSERT_EQ(out.dims[0], m);
    auto *y = static_cast<int64_t *>(out.data);
    for (int64_t i = 0; i < m; ++i)
      ASSERT_EQ(y[i], i) << "of " << m;
  }
}

TEST_F(AssignTest, ChecksTheBoundsOfWhatItAssigns) {
  Model model(source);
  Session session(model);
  EXPECT_EQ(run(session, Limit + 1), TXC_OUT_OF_BOUNDS);
  EXPECT_EQ(session.error(),
            "dim \"n\" is 1001; the model was compiled for 0 to 1000");
  EXPECT_EQ(run(session, Limit), TXC_OK) << session.error();
}

TEST_F(AssignTest, RequirementsOfAPhaseAreCheckedThere) {
  source.requirements[0] = {Left, One, TXC_RELATION_EQ, TXC_CHECKED_BY_PHASE,
                            "one must be left"};
  Model model(source);
  Session session(model);
  EXPECT_EQ(run(session, 1), TXC_REQUIREMENT);
  EXPECT_EQ(session.error(), "one must be left (the two sides are 0 and 1)");
}

TEST(AssignTestWithoutSymbols, ExchangesBuffers) {
  TestModel source;
  enum { A, B, Bytes, Arena, Once };
  source.addOutput("a", TXC_INT64, {}, A);
  source.addKernel(
      [](const txc_kernel_ctx *ctx, const int64_t *, int64_t, int64_t) {
        auto *arena = reinterpret_cast<int64_t *>(ctx->bases[TXC_BASE_ARENA]);
        arena[0] = 1;
        arena[1] = 2;
      },
      Once);
  source.addAssign({0, 2, TXC_BASE_ARENA, A, Bytes, TXC_BASE_ARENA, B,
                    TXC_BASE_ARENA, B, Bytes, TXC_BASE_ARENA, A});
  source.program.evaluate = [](const int64_t *, int64_t *values) {
    values[A] = 0;
    values[B] = values[Bytes] = 8;
    values[Arena] = 16;
    values[Once] = 1;
  };
  source.program.value_count = 5;
  source.program.arena_bytes_value = Arena;
  Model model(source);
  Session session(model);
  txc_tensor out = txc_tensor_borrow("a");
  ASSERT_EQ(txc_run(session, nullptr, 0, &out, 1), TXC_OK) << session.error();
  auto *arena = static_cast<int64_t *>(out.data);
  EXPECT_THAT(std::vector<int64_t>(arena, arena + 2), ElementsAre(2, 1));
}

} // namespace
