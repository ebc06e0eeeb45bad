//===- ThreadsTest.cpp - Drivers of the phase table -------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Workers, shared executors and parallel_for give the same bits as one
/// thread, and none waits for another.
///
//===----------------------------------------------------------------------===//

#include "test/unit/runtime/TestModel.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <atomic>
#include <cmath>
#include <iterator>
#include <thread>

using namespace txc::test;

namespace {

// x[n] goes through `Steps` phases of z[i] = tanh(z[i - 1] + 1.5 z[i + 1]),
// between two buffers of the arena, one task an element, then to y. Any task
// that ran too early, twice or not at all changes the result.
enum Value { Count, Bytes, ArenaBytes, Scratch, ValueCount };
enum { Steps = 40 };

void evaluate(const int64_t *symbols, int64_t *values) {
  values[Count] = symbols[0];
  values[Bytes] = symbols[0] * 4;
  values[ArenaBytes] = 3 * symbols[0] * 4;
  values[Scratch] = 1024;
}

/// Record: [base, whether in the second half] of source and target.
float *buffer(const txc_kernel_ctx *ctx, const int64_t *place) {
  return reinterpret_cast<float *>(ctx->bases[place[0]] +
                                   place[1] * ctx->values[Bytes]);
}

void step(const txc_kernel_ctx *ctx, const int64_t *record, int64_t begin,
          int64_t end) {
  const float *from = buffer(ctx, record);
  float *to = buffer(ctx, record + 2);
  // By way of scratch, which no other thread may touch meanwhile.
  auto *scratch = reinterpret_cast<float *>(ctx->scratch);
  int64_t n = ctx->values[Count];
  for (int64_t i = begin; i < end; ++i) {
    scratch[i % 64] = 1.5f * from[(i + 1) % n];
    to[i] = std::tanh(from[(i + n - 1) % n] + scratch[i % 64]);
  }
}

std::vector<float> makeInput(size_t n) {
  std::vector<float> x(n);
  for (size_t i = 0; i < n; ++i)
    x[i] = std::sin(static_cast<float>(i * i));
  return x;
}

/// What the phases compute, written as plain loops.
std::vector<float> reference(std::vector<float> z) {
  for (int s = 0; s < Steps; ++s) {
    std::vector<float> next(z.size());
    for (size_t i = 0; i < z.size(); ++i)
      next[i] = std::tanh(z[(i + z.size() - 1) % z.size()] +
                          1.5f * z[(i + 1) % z.size()]);
    z = next;
  }
  return z;
}

class ThreadsTest : public testing::Test {
protected:
  void SetUp() override {
    source.addSymbol("n", 1, INT64_MAX);
    source.addInput("x", TXC_FLOAT32, {symbol(0)});
    source.addOutput("y", TXC_FLOAT32, {symbol(0)}, Bytes);
    for (int64_t s = 0; s < Steps; ++s) {
      int64_t fromBase = s == 0 ? 2 : TXC_BASE_ARENA;
      int64_t toBase = s == Steps - 1 ? 3 : TXC_BASE_ARENA;
      source.addKernel(step, Count, "/step",
                       {fromBase, s == 0 ? 0 : s % 2, toBase,
                        s == Steps - 1 ? 0 : (s + 1) % 2});
    }
    source.program.evaluate = evaluate;
    source.program.value_count = ValueCount;
    source.program.arena_bytes_value = ArenaBytes;
    source.program.scratch_bytes_value = Scratch;
    source.table();
  }

  /// Runs once and compares every bit.
  static void check(txc_session *session, size_t n) {
    std::vector<float> x = makeInput(n), y(n);
    auto dim = static_cast<int64_t>(n);
    txc_tensor in = txc_tensor_make("x", TXC_FLOAT32, x.data(), 1, &dim);
    txc_tensor out = txc_tensor_make("y", TXC_FLOAT32, y.data(), 1, nullptr);
    ASSERT_EQ(txc_run(session, &in, 1, &out, 1), TXC_OK) << txc_error(session);
    EXPECT_EQ(y, reference(x));
  }

  TestModel source;
};

class ThreadCountTest : public ThreadsTest,
                        public testing::WithParamInterface<int> {};

TEST_P(ThreadCountTest, SameBits) {
  Model model(source);
  txc_session_options options = withThreads(GetParam());
  Session session(model, &options);
  for (int repeat = 0; repeat < 20; ++repeat)
    for (size_t n : {1, 2, 3, 7, 64, 1000})
      check(session, n);
}

TEST_P(ThreadCountTest, SameBitsWithoutSpinning) {
  Model model(source);
  txc_session_options options = withThreads(GetParam());
  options.spin_microseconds = 0;
  Session session(model, &options);
  for (int repeat = 0; repeat < 20; ++repeat)
    check(session, 100);
}

INSTANTIATE_TEST_SUITE_P(, ThreadCountTest, testing::Values(1, 2, 4, 7));

TEST_F(ThreadsTest, MoreTasksThanUnits) {
  // A share counts to 65535: larger grids are cut more coarsely.
  Model model(source);
  txc_session_options options = withThreads(2);
  Session session(model, &options);
  check(session, 300001);
}

TEST_F(ThreadsTest, ManyCallersWithOwnSessions) {
  Model model(source);
  std::vector<std::thread> callers;
  callers.reserve(4);
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&] {
      txc_session_options options = withThreads(2);
      Session session(model, &options);
      for (int repeat = 0; repeat < 10; ++repeat)
        check(session, 50 + static_cast<size_t>(repeat));
    });
  for (std::thread &caller : callers)
    caller.join();
}

TEST_F(ThreadsTest, SessionsShareAnExecutor) {
  Model model(source);
  txc_executor_options options = txc_executor_options_default();
  options.threads = 3;
  txc_executor *executor = nullptr;
  ASSERT_EQ(txc_executor_create(model, &options, &executor, nullptr), TXC_OK);
  EXPECT_EQ(txc_close(model, nullptr), TXC_IN_USE);
  std::vector<std::thread> callers;
  callers.reserve(4);
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&, i] {
      txc_session_options shared = withThreads(i);
      shared.executor = executor;
      Session session(model, &shared);
      EXPECT_EQ(txc_executor_destroy(executor), TXC_IN_USE);
      for (int repeat = 0; repeat < 20; ++repeat)
        check(session, 200);
    });
  for (std::thread &caller : callers)
    caller.join();
  EXPECT_EQ(txc_executor_destroy(executor), TXC_OK);
}

TEST_F(ThreadsTest, RunsAnywhereWhenACpuIsRefused) {
  std::atomic<int> warnings{0};
  txc_open_options open = txc_open_options_default();
  open.log_user = &warnings;
  open.log = [](void *user, txc_log_level level, const char *) {
    *static_cast<std::atomic<int> *>(user) += level == TXC_LOG_WARNING;
  };
  Model model(source, &open);
  int32_t noSuchCpu = 8191;
  txc_session_options options = withThreads(2);
  options.affinity = &noSuchCpu;
  options.affinity_count = 1;
  {
    Session session(model, &options);
    check(session, 100);
  }
  EXPECT_EQ(warnings, 1);
  int32_t noCpu = -1;
  options.affinity = &noCpu;
  EXPECT_EQ(Session(model, &options).status, TXC_INVALID_ARGUMENT);
}

/// An application's loop: a thread for each task, as badly behaved as allowed.
struct Loop {
  static void run(void *user, void (*task)(void *, size_t), void *argument,
                  size_t count) {
    static_cast<Loop *>(user)->calls += 1;
    std::vector<std::thread> threads;
    for (size_t i = count; i-- > 0;)
      threads.emplace_back(task, argument, i);
    for (std::thread &thread : threads)
      thread.join();
  }
  int calls = 0;
};

TEST_F(ThreadsTest, ParallelForIsCalledOnceAPhase) {
  Model model(source);
  Loop loop;
  txc_session_options options = withThreads(3);
  options.parallel_for = Loop::run;
  options.parallel_for_user = &loop;
  Session session(model, &options);
  check(session, 2);
  check(session, 101);
  EXPECT_EQ(loop.calls, 2 * Steps);
}

struct Events {
  static void record(void *user, const txc_phase_event *event) {
    auto &events = *static_cast<Events *>(user);
    EXPECT_EQ(event->phase, events.count++);
    EXPECT_LE(event->begin_ns, event->end_ns);
    EXPECT_STREQ(event->nodes, "/step");
    EXPECT_EQ(event->tasks, 10);
    EXPECT_EQ(event->threads, 2);
  }
  size_t count = 0;
};

TEST_F(ThreadsTest, ProfilesEachPhase) {
  Model model(source);
  Events events;
  txc_session_options options = withThreads(2);
  options.profile = Events::record;
  options.profile_user = &events;
  Session session(model, &options);
  check(session, 10);
  EXPECT_EQ(events.count, size_t{Steps});
}

TEST_F(ThreadsTest, RefusesASecondCallAtTheSameTime) {
  struct Reentrant {
    static void profile(void *user, const txc_phase_event *) {
      auto *session = *static_cast<txc_session **>(user);
      EXPECT_EQ(txc_state_reset(session, TXC_ALL_ROWS), TXC_IN_USE);
    }
  };
  Model model(source);
  txc_session *handle = nullptr;
  txc_session_options options = withThreads(1);
  options.profile = Reentrant::profile;
  options.profile_user = static_cast<void *>(&handle);
  Session session(model, &options);
  handle = session;
  check(session, 4);
}

//===----------------------------------------------------------------------===//
// Phases of very different sizes
//===----------------------------------------------------------------------===//

constexpr int64_t phaseSizes[] = {1, 64, 2, 3, 40, 1, 1, 17, 4, 64, 5, 2};
enum { Sizes = std::size(phaseSizes), Phases = 10 * Sizes, MostTasks = 64 };
std::atomic<int> taskCounts[Phases][MostTasks];

/// A worker that is late takes an old phase for the one that is open; were it
/// to use the size of one with the number of the other, it would do tasks twice
/// or some that are not there.
TEST(UnevenPhasesTest, DoEachTaskOnce) {
  TestModel source;
  for (int64_t phase = 0; phase < Phases; ++phase)
    source.addKernel(
        [](const txc_kernel_ctx *, const int64_t *record, int64_t begin,
           int64_t end) {
          for (int64_t i = begin; i < end; ++i)
            ++taskCounts[record[0]][i];
        },
        static_cast<int32_t>(phase % Sizes), "/count", {phase});
  source.program.value_count = Sizes;
  source.program.evaluate = [](const int64_t *, int64_t *values) {
    std::copy(std::begin(phaseSizes), std::end(phaseSizes), values);
  };
  Model model(source);
  txc_session_options options = withThreads(4);
  Session session(model, &options);
  const int runs = 1000;
  for (int run = 0; run < runs; ++run)
    ASSERT_EQ(txc_run(session, nullptr, 0, nullptr, 0), TXC_OK);
  for (int phase = 0; phase < Phases; ++phase)
    for (int task = 0; task < MostTasks; ++task)
      ASSERT_EQ(taskCounts[phase][task],
                task < phaseSizes[phase % Sizes] ? runs : 0)
          << "phase " << phase << " task " << task;
}

//===----------------------------------------------------------------------===//
// Small phases
//===----------------------------------------------------------------------===//

std::atomic<int> foreignTasks;
thread_local bool isCaller = false;

TEST(SmallPhaseTest, RunsOnTheCaller) {
  TestModel source;
  source.addSymbol("n", 1, INT64_MAX);
  source.addInput("x", TXC_FLOAT32, {symbol(0)});
  txc_phase &phase = source.addKernel(
      [](const txc_kernel_ctx *, const int64_t *, int64_t, int64_t) {
        if (!isCaller)
          ++foreignTasks;
      },
      0);
  phase.flops_value = 0;
  source.program.evaluate = [](const int64_t *symbols, int64_t *values) {
    values[0] = symbols[0];
  };
  source.program.value_count = 1;
  Model model(source);
  txc_session_options options = withThreads(2);
  Session session(model, &options);
  foreignTasks = 0;
  isCaller = true;
  int64_t dim = 1000;
  std::vector<float> x(1000);
  txc_tensor in = txc_tensor_make("x", TXC_FLOAT32, x.data(), 1, &dim);
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(txc_run(session, &in, 1, nullptr, 0), TXC_OK);
  EXPECT_EQ(foreignTasks, 0);
}

} // namespace
