//===- ControlTest.cpp - Faults, jumps and run-time symbols -----*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// What a phase table does besides running kernels in order.
///
//===----------------------------------------------------------------------===//

#include "test/unit/runtime/TestModel.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <numeric>

using namespace txc::test;
using testing::ElementsAre;

namespace {

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

enum { Vocabulary = 5 };

/// y[i] = 10 * ids[i], where ids are below Vocabulary.
void gather(const txc_kernel_ctx *ctx, const int64_t *, int64_t begin,
            int64_t end) {
  auto *ids = reinterpret_cast<const int64_t *>(ctx->bases[2]);
  auto *y = reinterpret_cast<int64_t *>(ctx->bases[3]);
  for (int64_t i = begin; i < end; ++i) {
    int64_t id = ids[i];
    if (id < 0 || id >= Vocabulary) {
      ctx->fault->found = id;
      ctx->fault->limit = Vocabulary;
      ctx->fault->code = TXC_FAULT_INDEX_OUT_OF_RANGE;
      id = 0;
    }
    y[i] = 10 * id;
  }
}

class FaultTest : public testing::TestWithParam<int> {
protected:
  void SetUp() override {
    source.addSymbol("n", 1, INT64_MAX);
    source.addInput("ids", TXC_INT64, {symbol(0)});
    source.addOutput("y", TXC_INT64, {symbol(0)}, 1);
    source.addKernel(gather, 0, "/embeddings/Gather");
    source.program.evaluate = [](const int64_t *symbols, int64_t *values) {
      values[0] = symbols[0];
      values[1] = 0;
      values[2] = symbols[0] * 8;
    };
    source.program.value_count = 3;
    source.program.arena_bytes_value = 2;
    source.table();
  }
  TestModel source;
};

TEST_P(FaultTest, BecomesASentenceAndIsForgotten) {
  Model model(source);
  txc_session_options options = withThreads(GetParam());
  Session session(model, &options);
  std::vector<int64_t> ids(40, 3);
  int64_t dim = 40;
  txc_tensor in = txc_tensor_make("ids", TXC_INT64, ids.data(), 1, &dim);
  txc_tensor out = txc_tensor_borrow("y");
  ids[39] = 5;
  EXPECT_EQ(txc_run(session, &in, 1, &out, 1), TXC_INDEX_OUT_OF_RANGE);
  EXPECT_EQ(session.error(),
            "index 5 is out of range [0, 5) in /embeddings/Gather");
  ids[39] = 4;
  ASSERT_EQ(txc_run(session, &in, 1, &out, 1), TXC_OK) << session.error();
  EXPECT_EQ(static_cast<int64_t *>(out.data)[39], 40);
}

INSTANTIATE_TEST_SUITE_P(, FaultTest, testing::Values(1, 2, 4));

TEST(DivisionTest, NamesTheNode) {
  TestModel source;
  source.addKernel(
      [](const txc_kernel_ctx *ctx, const int64_t *, int64_t, int64_t) {
        ctx->fault->code = TXC_FAULT_DIVISION_BY_ZERO;
      },
      0, "/Div");
  source.program.evaluate = [](const int64_t *, int64_t *values) {
    values[0] = 1;
  };
  source.program.value_count = 1;
  Model model(source);
  Session session(model);
  EXPECT_EQ(txc_run(session, nullptr, 0, nullptr, 0), TXC_DIVISION_BY_ZERO);
  EXPECT_EQ(session.error(), "division by zero in /Div");
}

//===----------------------------------------------------------------------===//
// Jumps
//===----------------------------------------------------------------------===//

TEST(JumpTest, LoopsUntilTheConditionFails) {
  // trips counts down; y doubles in each trip. values: one, 0, arena bytes.
  TestModel source;
  enum { One, Zero, ArenaBytes };
  source.addInput("trips", TXC_INT64, {});
  source.addOutput("y", TXC_INT64, {}, Zero);
  // Arena: int64 y at 0 (when lent), int64 counter at 8, bool at 16.
  source.addKernel(
      [](const txc_kernel_ctx *ctx, const int64_t *, int64_t, int64_t) {
        auto *arena = reinterpret_cast<int64_t *>(ctx->bases[TXC_BASE_ARENA]);
        arena[1] = *reinterpret_cast<int64_t *>(ctx->bases[2]);
        *reinterpret_cast<int64_t *>(ctx->bases[3]) = 1;
      },
      One);
  source.addKernel(
      [](const txc_kernel_ctx *ctx, const int64_t *, int64_t, int64_t) {
        auto *arena = reinterpret_cast<int64_t *>(ctx->bases[TXC_BASE_ARENA]);
        reinterpret_cast<char *>(arena)[16] = arena[1] > 0;
      },
      One);
  source.addJumpUnless(5, TXC_BASE_ARENA, 3);
  source.addKernel(
      [](const txc_kernel_ctx *ctx, const int64_t *, int64_t, int64_t) {
        auto *arena = reinterpret_cast<int64_t *>(ctx->bases[TXC_BASE_ARENA]);
        arena[1] -= 1;
        *reinterpret_cast<int64_t *>(ctx->bases[3]) *= 2;
      },
      One);
  source.addJump(1);
  source.program.evaluate = [](const int64_t *, int64_t *values) {
    values[One] = 1;
    values[Zero] = 0;
    values[ArenaBytes] = 24;
    values[3] = 16;
  };
  source.program.value_count = 4;
  source.program.arena_bytes_value = ArenaBytes;
  Model model(source);
  Session session(model);
  for (int64_t trips : {0, 1, 10}) {
    txc_tensor in = txc_tensor_make("trips", TXC_INT64, &trips, 0, nullptr);
    txc_tensor out = txc_tensor_borrow("y");
    ASSERT_EQ(txc_run(session, &in, 1, &out, 1), TXC_OK) << session.error();
    EXPECT_EQ(*static_cast<int64_t *>(out.data), int64_t{1} << trips);
  }
}

//===----------------------------------------------------------------------===//
// Symbols known only while running
//===----------------------------------------------------------------------===//

// y = the indices of the elements of x that are not 0. Arena: the count at 0,
// a mark that has to survive growth at 8, y from 64 on.
enum NonZeroValue {
  N,
  Found,
  Offset,
  ArenaBytes,
  One,
  Zero,
  Limit,
  NonZeroCount
};

void evaluateNonZero(const int64_t *symbols, int64_t *values) {
  values[N] = symbols[0];
  values[Found] = symbols[1];
  values[Offset] = 64;
  values[ArenaBytes] = 64 + symbols[1] * 8;
  values[One] = 1;
  values[Zero] = 0;
  values[Limit] = 1000;
}

class NonZeroTest : public testing::Test {
protected:
  void SetUp() override {
    source.addSymbol("n", 0, INT64_MAX);
    source.addSymbol("found", 0, 2000, TXC_SYMBOL_RUN_TIME);
    source.addInput("x", TXC_INT32, {symbol(0)});
    source.addOutput("y", TXC_INT64, {runTime(symbol(1))}, Offset);
    source.addKernel(
        [](const txc_kernel_ctx *ctx, const int64_t *, int64_t, int64_t) {
          auto *x = reinterpret_cast<const int32_t *>(ctx->bases[2]);
          auto *arena = reinterpret_cast<int64_t *>(ctx->bases[TXC_BASE_ARENA]);
          int64_t n = ctx->values[N];
          arena[0] = n - std::count(x, x + n, 0);
          arena[1] = 4711;
        },
        One);
    source.addDefineSymbol(1, TXC_BASE_ARENA, Zero);
    source.addKernel(
        [](const txc_kernel_ctx *ctx, const int64_t *, int64_t, int64_t) {
          auto *x = reinterpret_cast<const int32_t *>(ctx->bases[2]);
          auto *arena = reinterpret_cast<int64_t *>(ctx->bases[TXC_BASE_ARENA]);
          auto *y = reinterpret_cast<int64_t *>(ctx->bases[3]);
          ctx->fault->code = arena[1] == 4711 ? 0 : TXC_FAULT_SHAPE_REQUIREMENT;
          for (int64_t i = 0; i < ctx->values[N]; ++i)
            if (x[i])
              *y++ = i;
        },
        One);
    source.program.evaluate = evaluateNonZero;
    source.program.value_count = NonZeroCount;
    source.program.arena_bytes_value = ArenaBytes;
    source.table();
  }

  void fill(int64_t n) {
    data.assign(static_cast<size_t>(n), 1);
    dim = n;
    in = txc_tensor_make("x", TXC_INT32, data.data(), 1, &dim);
  }

  TestModel source;
  std::vector<int32_t> data;
  int64_t dim = 0;
  txc_tensor in;
  txc_tensor out = txc_tensor_borrow("y");
};

TEST_F(NonZeroTest, GrowsTheArenaAndKeepsIt) {
  Model model(source);
  Session session(model);
  fill(4);
  data[1] = 0;
  ASSERT_EQ(txc_run(session, &in, 1, &out, 1), TXC_OK) << session.error();
  auto *y = static_cast<int64_t *>(out.data);
  EXPECT_EQ(out.dims[0], 3);
  EXPECT_THAT(std::vector<int64_t>(y, y + 3), ElementsAre(0, 2, 3));
  fill(1500);
  ASSERT_EQ(txc_run(session, &in, 1, &out, 1), TXC_OK) << session.error();
  EXPECT_EQ(out.dims[0], 1500);
  EXPECT_EQ(static_cast<int64_t *>(out.data)[1499], 1499);
}

TEST_F(NonZeroTest, IsUnknownToInfer) {
  Model model(source);
  Session session(model);
  fill(4);
  ASSERT_EQ(txc_infer(session, &in, 1, &out, 1), TXC_OK) << session.error();
  EXPECT_EQ(out.dims[0], -1);
  EXPECT_EQ(out.bytes, 0u);
}

TEST_F(NonZeroTest, ChecksGivenMemoryOnceItIsKnown) {
  Model model(source);
  Session session(model);
  fill(4);
  int64_t room[3];
  out = txc_tensor_make("y", TXC_INT64, room, 0, nullptr);
  out.capacity = sizeof room;
  EXPECT_EQ(txc_run(session, &in, 1, &out, 1), TXC_BUFFER_TOO_SMALL);
  data[0] = 0;
  EXPECT_EQ(txc_run(session, &in, 1, &out, 1), TXC_OK) << session.error();
  EXPECT_THAT(room, ElementsAre(1, 2, 3));
}

TEST_F(NonZeroTest, ChecksItsBoundsAndRequirements) {
  source.requirements.push_back(
      {Found, Limit, TXC_RELATION_LE, 1, "at most 1000 may be found"});
  Model model(source);
  Session session(model);
  fill(2001);
  EXPECT_EQ(txc_run(session, &in, 1, &out, 1), TXC_OUT_OF_BOUNDS);
  EXPECT_EQ(session.error(),
            "dim \"found\" is 2001; the model was compiled for 0 to 2000");
  fill(1001);
  EXPECT_EQ(txc_run(session, &in, 1, &out, 1), TXC_REQUIREMENT);
  EXPECT_EQ(session.error(),
            "at most 1000 may be found (the two sides are 1001 and 1000)");
  fill(1000);
  EXPECT_EQ(txc_run(session, &in, 1, &out, 1), TXC_OK) << session.error();
}

} // namespace
