//===- RunTest.cpp - Running a model and binding its tensors ----*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// One run from end to end, and every way of giving it the wrong tensors.
///
//===----------------------------------------------------------------------===//

#include "test/unit/runtime/TestModel.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <immintrin.h>

#include <numeric>

using namespace txc::test;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

// y[batch, seq] = 2 * x[batch, seq] + ids[batch, seq + 1], where the extra
// column shows a dim that is an expression.
enum Value { Rows, Columns, Padded, ArenaBytes, OutputOffset, ValueCount };

void evaluate(const int64_t *symbols, int64_t *values) {
  values[Rows] = symbols[0];
  values[Columns] = symbols[1];
  values[Padded] = symbols[1] + 1;
  int64_t elements, bytes;
  // Saturates, as the compiler's shape programs do.
  values[ArenaBytes] =
      __builtin_mul_overflow(symbols[0], symbols[1], &elements) ||
              __builtin_mul_overflow(elements, 4, &bytes) ||
              __builtin_add_overflow(bytes, 64, &bytes)
          ? INT64_MAX
          : bytes;
  values[OutputOffset] = 64;
}

void addRows(const txc_kernel_ctx *ctx, const int64_t *, int64_t begin,
             int64_t end) {
  auto *x = reinterpret_cast<const float *>(ctx->bases[2]);
  auto *ids = reinterpret_cast<const int64_t *>(ctx->bases[3]);
  auto *y = reinterpret_cast<float *>(ctx->bases[4]);
  int64_t columns = ctx->values[Columns], padded = ctx->values[Padded];
  for (int64_t row = begin; row < end; ++row)
    for (int64_t c = 0; c < columns; ++c)
      y[row * columns + c] =
          2 * x[row * columns + c] + static_cast<float>(ids[row * padded + c]);
}

class RunTest : public testing::Test {
protected:
  void SetUp() override {
    source.addSymbol("batch", 1, 64);
    source.addSymbol("seq", 0, INT64_MAX);
    source.addInput("x", TXC_FLOAT32, {symbol(0), symbol(1)});
    source.addInput("ids", TXC_INT64, {symbol(0), value(Padded, "seq + 1")});
    source.addOutput("y", TXC_FLOAT32, {symbol(0), symbol(1)}, OutputOffset);
    source.addKernel(addRows, Rows);
    source.program.evaluate = evaluate;
    source.program.value_count = ValueCount;
    source.program.arena_bytes_value = ArenaBytes;
    source.table();
  }

  /// Inputs for these dims, with x = 0, 1, 2 … and ids = 10.
  void fill(int64_t batch, int64_t seq) {
    xData.resize(static_cast<size_t>(batch * seq));
    std::iota(xData.begin(), xData.end(), 0.0f);
    idsData.assign(static_cast<size_t>(batch * (seq + 1)), 10);
    int64_t xDims[] = {batch, seq}, idsDims[] = {batch, seq + 1};
    inputs[0] = txc_tensor_make("x", TXC_FLOAT32, xData.data(), 2, xDims);
    inputs[1] = txc_tensor_make("ids", TXC_INT64, idsData.data(), 2, idsDims);
  }

  txc_status run(txc_session *session) {
    return txc_run(session, inputs, 2, &output, 1);
  }

  TestModel source;
  std::vector<float> xData;
  std::vector<int64_t> idsData;
  txc_tensor inputs[2];
  txc_tensor output = txc_tensor_borrow("y");
};

TEST_F(RunTest, LendsOutputs) {
  Model model(source);
  Session session(model);
  fill(2, 3);
  ASSERT_EQ(run(session), TXC_OK) << session.error();
  EXPECT_EQ(output.type, TXC_FLOAT32);
  EXPECT_EQ(output.rank, 2);
  EXPECT_EQ(output.bytes, 24u);
  auto *y = static_cast<float *>(output.data);
  EXPECT_THAT(std::vector<float>(y, y + 6),
              ElementsAre(10, 12, 14, 16, 18, 20));

  // The same tensor again, at a larger shape.
  fill(4, 100);
  ASSERT_EQ(run(session), TXC_OK) << session.error();
  EXPECT_THAT(std::vector<int64_t>(output.dims, output.dims + 2),
              ElementsAre(4, 100));
  EXPECT_EQ(static_cast<float *>(output.data)[399], 2 * 399 + 10);
}

TEST_F(RunTest, WritesToGivenMemory) {
  Model model(source);
  Session session(model);
  fill(2, 3);
  std::vector<float> y(6);
  output = txc_tensor_make(nullptr, TXC_FLOAT32, y.data(), 0, nullptr);
  output.capacity = 24;
  ASSERT_EQ(run(session), TXC_OK) << session.error();
  EXPECT_THAT(y, ElementsAre(10, 12, 14, 16, 18, 20));
  EXPECT_EQ(output.data, y.data());

  output.capacity = 23;
  EXPECT_EQ(run(session), TXC_BUFFER_TOO_SMALL);
  EXPECT_EQ(session.error(),
            "output \"y\" has room for 23 bytes, the result has 24");
}

TEST_F(RunTest, TakesTensorsByPosition) {
  Model model(source);
  Session session(model);
  fill(1, 1);
  inputs[0].name = inputs[1].name = nullptr;
  EXPECT_EQ(run(session), TXC_OK) << session.error();
}

TEST_F(RunTest, RunsOnNothing) {
  Model model(source);
  Session session(model);
  fill(1, 0);
  ASSERT_EQ(run(session), TXC_OK) << session.error();
  EXPECT_EQ(output.bytes, 0u);
}

TEST_F(RunTest, InfersWithoutData) {
  Model model(source);
  Session session(model);
  fill(3, 5);
  inputs[0].data = inputs[1].data = nullptr;
  ASSERT_EQ(txc_infer(session, inputs, 2, &output, 1), TXC_OK);
  EXPECT_EQ(output.bytes, 60u);
  EXPECT_EQ(output.data, nullptr);
}

TEST_F(RunTest, InfersInputs) {
  Model model(source);
  txc_session_options options = withThreads(3);
  Session session(model, &options);
  txc_dim_value dims[] = {{"seq", 5}, {"batch", 2}};
  txc_tensor ids = txc_tensor_borrow("ids");
  ASSERT_EQ(txc_infer_inputs(session, dims, 2, &ids, 1), TXC_OK);
  EXPECT_EQ(ids.type, TXC_INT64);
  EXPECT_THAT(std::vector<int64_t>(ids.dims, ids.dims + ids.rank),
              ElementsAre(2, 6));
  EXPECT_EQ(ids.bytes, 96u);
  dims[0].name = "sequence";
  EXPECT_EQ(txc_infer_inputs(session, dims, 2, &ids, 1), TXC_UNKNOWN_NAME);

  txc_session_info info = {};
  info.size = sizeof info;
  ASSERT_EQ(txc_session_describe(session, &info), TXC_OK);
  EXPECT_EQ(info.threads, 3);
  EXPECT_GE(info.arena_bytes, 64u);
}

TEST_F(RunTest, NamesTheUnknownInput) {
  Model model(source);
  Session session(model);
  fill(1, 1);
  inputs[1].name = "idz";
  EXPECT_EQ(run(session), TXC_UNKNOWN_NAME);
  EXPECT_EQ(session.error(),
            "the model has no input \"idz\"; it has \"x\", \"ids\"");
  inputs[1].name = nullptr;
  EXPECT_EQ(txc_run(session, inputs, 2, &output, 1), TXC_OK);
  EXPECT_EQ(session.error(), "");
}

TEST_F(RunTest, NamesTheMissingInput) {
  Model model(source);
  Session session(model);
  fill(1, 1);
  EXPECT_EQ(txc_run(session, inputs, 1, &output, 1), TXC_MISSING_INPUT);
  EXPECT_EQ(session.error(), "input \"ids\" is missing");
}

TEST_F(RunTest, RefusesAnInputGivenTwice) {
  Model model(source);
  Session session(model);
  fill(1, 1);
  inputs[1].name = "x";
  EXPECT_EQ(run(session), TXC_INVALID_ARGUMENT);
  EXPECT_EQ(session.error(), "input \"x\" is given twice");
}

TEST_F(RunTest, ChecksTypes) {
  Model model(source);
  Session session(model);
  fill(1, 1);
  inputs[1].type = TXC_INT32;
  EXPECT_EQ(run(session), TXC_TYPE_MISMATCH);
  EXPECT_EQ(session.error(), "input \"ids\" has type int32, expected int64");
  inputs[1].type = 777;
  EXPECT_EQ(run(session), TXC_TYPE_MISMATCH);
  fill(1, 1);
  output.type = TXC_FLOAT64;
  EXPECT_EQ(run(session), TXC_TYPE_MISMATCH);
  EXPECT_EQ(session.error(), "output \"y\" has type float64, expected float32");
}

TEST_F(RunTest, ChecksRanks) {
  Model model(source);
  Session session(model);
  fill(1, 1);
  inputs[0].rank = 1;
  EXPECT_EQ(run(session), TXC_SHAPE_MISMATCH);
  EXPECT_EQ(session.error(), "input \"x\" has rank 1, expected 2");
}

TEST_F(RunTest, ChecksDimsAgainstOtherInputs) {
  Model model(source);
  Session session(model);
  fill(2, 3);
  inputs[1].dims[0] = 5;
  EXPECT_EQ(run(session), TXC_SHAPE_MISMATCH);
  EXPECT_THAT(session.error(), HasSubstr("axis 0 is 5, expected 2"));
  fill(2, 3);
  inputs[1].dims[1] = 3;
  EXPECT_EQ(run(session), TXC_SHAPE_MISMATCH);
  EXPECT_EQ(session.error(), "input \"ids\": axis 1 is 3, expected 4 "
                             "(seq + 1, from the other dims)");
  inputs[0].dims[1] = -1;
  EXPECT_EQ(run(session), TXC_SHAPE_MISMATCH);
}

TEST_F(RunTest, ChecksBounds) {
  Model model(source);
  Session session(model);
  fill(65, 1);
  EXPECT_EQ(run(session), TXC_OUT_OF_BOUNDS);
  EXPECT_EQ(session.error(),
            "dim \"batch\" is 65; the model was compiled for 1 to 64");
}

TEST_F(RunTest, ChecksMemory) {
  Model model(source);
  Session session(model);
  fill(2, 2);
  inputs[0].data = nullptr;
  EXPECT_EQ(run(session), TXC_INVALID_ARGUMENT);
  EXPECT_EQ(session.error(), "input \"x\" has no data");
  fill(2, 2);
  inputs[0].capacity = 15;
  EXPECT_EQ(run(session), TXC_BUFFER_TOO_SMALL);
  fill(2, 2);
  inputs[0].data = reinterpret_cast<char *>(xData.data()) + 1;
  EXPECT_EQ(run(session), TXC_INVALID_ARGUMENT);
  EXPECT_EQ(session.error(),
            "input \"x\" is not aligned to its float32 elements");
}

TEST_F(RunTest, SurvivesDimsThatNoMachineHolds) {
  Model model(source);
  Session session(model);
  fill(1, 1);
  inputs[0].dims[1] = (int64_t{1} << 62) - 1;
  inputs[1].dims[1] = int64_t{1} << 62;
  EXPECT_EQ(run(session), TXC_SHAPE_MISMATCH);
  EXPECT_THAT(session.error(), HasSubstr("more elements than fit"));
  inputs[0].dims[1] = (int64_t{1} << 46) - 1;
  inputs[1].dims[1] = int64_t{1} << 46;
  EXPECT_EQ(run(session), TXC_OUT_OF_MEMORY);
  fill(1, 1);
  EXPECT_EQ(run(session), TXC_OK) << session.error();
}

TEST_F(RunTest, RefusesNull) {
  Model model(source);
  Session session(model);
  EXPECT_EQ(txc_run(nullptr, inputs, 2, &output, 1), TXC_INVALID_ARGUMENT);
  EXPECT_EQ(txc_run(session, nullptr, 2, &output, 1), TXC_INVALID_ARGUMENT);
  EXPECT_EQ(session.error(), "inputs is NULL, but its count is not 0");
  EXPECT_STREQ(txc_error(nullptr), "the session is NULL");
}

TEST_F(RunTest, ChecksRequirements) {
  source.requirements.push_back(
      {Rows, Columns, TXC_RELATION_LE, -1, "node r: batch has to fit seq"});
  Model model(source);
  Session session(model);
  fill(3, 2);
  EXPECT_EQ(run(session), TXC_REQUIREMENT);
  EXPECT_EQ(session.error(),
            "node r: batch has to fit seq (the two sides are 3 and 2)");
  fill(2, 2);
  EXPECT_EQ(run(session), TXC_OK) << session.error();
}

/// An allocator that counts.
struct Counting {
  static void *allocate(void *user, size_t bytes, size_t alignment) {
    ++static_cast<Counting *>(user)->allocations;
    return aligned_alloc(alignment, (bytes + alignment - 1) & ~(alignment - 1));
  }
  static void release(void *user, void *memory, size_t) {
    ++static_cast<Counting *>(user)->releases;
    free(memory);
  }
  txc_allocator allocator = {this, allocate, release};
  int allocations = 0;
  int releases = 0;
};

TEST_F(RunTest, AllocatesOnlyForNewShapes) {
  Counting counting;
  {
    Model model(source);
    txc_session_options options = withThreads(2);
    options.allocator = &counting.allocator;
    txc_dim_value dims[] = {{"batch", 4}, {"seq", 32}};
    options.dims = dims;
    options.dims_count = 2;
    Session session(model, &options);
    int before = counting.allocations;
    fill(4, 32);
    ASSERT_EQ(run(session), TXC_OK) << session.error();
    fill(1, 7);
    ASSERT_EQ(run(session), TXC_OK) << session.error();
    EXPECT_EQ(counting.allocations, before);
    fill(4, 320);
    ASSERT_EQ(run(session), TXC_OK) << session.error();
    EXPECT_EQ(counting.allocations, before + 1);
    fill(4, 32);
    ASSERT_EQ(run(session), TXC_OK) << session.error();
    EXPECT_EQ(counting.allocations, before + 1);
  }
  EXPECT_EQ(counting.allocations, counting.releases);
}

TEST_F(RunTest, ReportsAnAllocatorThatFails) {
  txc_allocator allocator = {
      nullptr, [](void *, size_t, size_t) -> void * { return nullptr; },
      [](void *, void *, size_t) {}};
  Model model(source);
  txc_session_options options = withThreads(1);
  options.allocator = &allocator;
  Session session(model, &options);
  EXPECT_EQ(session.status, TXC_OUT_OF_MEMORY);
  EXPECT_STREQ(session.message.text, "no memory for the session");
}

TEST_F(RunTest, ChecksSessionOptions) {
  Model model(source);
  txc_session_options options = withThreads(-1);
  EXPECT_EQ(Session(model, &options).status, TXC_INVALID_ARGUMENT);
  options = withThreads(1);
  txc_dim_value unknown = {"sequence", 4};
  options.dims = &unknown;
  options.dims_count = 1;
  Session session(model, &options);
  EXPECT_EQ(session.status, TXC_UNKNOWN_NAME);
  EXPECT_STREQ(session.message.text, "the model has no dim \"sequence\"");
  txc_dim_value large = {"batch", 65};
  options.dims = &large;
  EXPECT_EQ(Session(model, &options).status, TXC_OUT_OF_BOUNDS);
}

TEST_F(RunTest, TakesOptionsOfOtherVersions) {
  Model model(source);
  txc_session_options options = withThreads(1);
  options.state_rows = -1; // Unknown to a caller of this size.
  options.size = offsetof(txc_session_options, dims);
  EXPECT_EQ(Session(model, &options).status, TXC_OK);
  options.size = sizeof options;
  EXPECT_EQ(Session(model, &options).status, TXC_INVALID_ARGUMENT);
  options.size = 0;
  Session session(model, &options);
  EXPECT_EQ(session.status, TXC_INVALID_ARGUMENT);
  EXPECT_THAT(session.message.text, HasSubstr("the options' size is 0"));
}

TEST_F(RunTest, LogsWhenTheArenaGrows) {
  std::string log;
  Model model(source);
  txc_session_options options = withThreads(1);
  options.log_user = &log;
  options.log = [](void *user, txc_log_level level, const char *text) {
    EXPECT_EQ(level, TXC_LOG_INFO);
    *static_cast<std::string *>(user) += text;
  };
  Session session(model, &options);
  fill(4, 100);
  ASSERT_EQ(run(session), TXC_OK);
  EXPECT_EQ(log, "arena grows from 64 to 1664 bytes");
}

TEST_F(RunTest, KernelsRunInTheDefaultFpEnvironment) {
  source.addKernel(
      [](const txc_kernel_ctx *ctx, const int64_t *, int64_t, int64_t) {
        *reinterpret_cast<float *>(ctx->bases[4]) =
            static_cast<float>(_mm_getcsr() & ~0x3fu); // sticky flags
      },
      Rows);
  Model model(source);
  txc_session_options options = withThreads(1);
  Session session(model, &options);
  fill(1, 1);
  unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040); // flush to zero, denormals are zero
  ASSERT_EQ(run(session), TXC_OK);
  EXPECT_EQ(_mm_getcsr() & 0x8040, 0x8040u);
  _mm_setcsr(before);
  EXPECT_EQ(*static_cast<float *>(output.data), 0x1f80);
}

} // namespace
