//===- StateTest.cpp - State that grows from run to run ---------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// A model with a cache like a decoder's: appending, truncating, copying,
/// saving and loading.
///
//===----------------------------------------------------------------------===//

#include "test/unit/runtime/TestModel.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace txc::test;
using testing::HasSubstr;

namespace {

// Each run appends tokens[batch, t] to a cache of two heads, where head h holds
// (h + 1) * token, four positions to a block; total[batch] is the sum of the
// row's cache. So total is 3 * (all tokens of the row so far).
enum Value { Batch, New, Past, Capacity, NewLength, Offset, ArenaBytes, Count };
enum { Heads = 2, Block = 4 };

void evaluate(const int64_t *symbols, int64_t *values) {
  values[Batch] = symbols[0];
  values[New] = symbols[1];
  values[Past] = symbols[2];
  values[Capacity] = symbols[3];
  values[NewLength] = symbols[2] + symbols[1];
  values[Offset] = 0;
  values[ArenaBytes] = symbols[0] * 8;
}

int64_t &at(const txc_kernel_ctx *ctx, int64_t row, int64_t head,
            int64_t position) {
  int64_t blocks = (ctx->values[Capacity] + Block - 1) / Block;
  // Within a block the last position comes first: the runtime can't know.
  int64_t index = ((row * Heads + head) * blocks + position / Block) * Block +
                  (Block - 1 - position % Block);
  return reinterpret_cast<int64_t *>(ctx->bases[4])[index];
}

/// Record: whether the row table is read.
void append(const txc_kernel_ctx *ctx, const int64_t *record, int64_t begin,
            int64_t end) {
  auto *tokens = reinterpret_cast<const int64_t *>(ctx->bases[2]);
  auto *total = reinterpret_cast<int64_t *>(ctx->bases[3]);
  auto *rows = reinterpret_cast<const txc_row *>(ctx->bases[5]);
  int64_t added = ctx->values[New];
  for (int64_t row = begin; row < end; ++row) {
    int64_t past = record[0] ? rows[row].length : ctx->values[Past];
    total[row] = 0;
    for (int64_t head = 0; head < Heads; ++head) {
      for (int64_t i = 0; i < added; ++i)
        at(ctx, row, head, past + i) = (head + 1) * tokens[row * added + i];
      for (int64_t i = 0; i < past + added; ++i)
        total[row] += at(ctx, row, head, i);
    }
  }
}

class StateTest : public testing::Test {
protected:
  StateTest() : StateTest(false) {}
  explicit StateTest(bool ragged) {
    source.addSymbol("batch", 1, INT64_MAX);
    source.addSymbol("t", 1, INT64_MAX);
    source.addSymbol("past", 0, INT64_MAX, TXC_SYMBOL_STATE_LENGTH);
    source.addSymbol("capacity", 1, 1 << 20, TXC_SYMBOL_STATE_CAPACITY);
    source.addInput("tokens", TXC_INT64, {symbol(0), symbol(1)});
    source.addOutput("total", TXC_INT64, {symbol(0)}, Offset);
    txc_sequence_desc sequence = {};
    sequence.name = "cache";
    sequence.length_symbol = 2;
    sequence.capacity_symbol = 3;
    sequence.new_length_value = NewLength;
    sequence.rows_value = Batch;
    sequence.ragged = ragged;
    source.sequences.push_back(sequence);
    txc_state_desc state = {};
    state.name = "keys";
    state.type = TXC_INT64;
    state.sequence_axis = 1;
    state.outer = Heads;
    state.block = Block;
    state.position_bytes = 8;
    source.states.push_back(state);
    source.addKernel(append, Batch, "/append", {ragged});
    source.program.evaluate = evaluate;
    source.program.value_count = Count;
    source.program.arena_bytes_value = ArenaBytes;
    source.table();
    options.state_rows = 3;
    options.state_capacity = 10;
    options.threads = 1;
  }

  /// Appends and returns the totals; empty when the run failed.
  static std::vector<int64_t> run(txc_session *session,
                                  std::initializer_list<int64_t> tokens,
                                  int64_t batch = 1) {
    std::vector<int64_t> data(tokens), total(static_cast<size_t>(batch));
    int64_t dims[] = {batch, static_cast<int64_t>(data.size()) / batch};
    txc_tensor in = txc_tensor_make("tokens", TXC_INT64, data.data(), 2, dims);
    txc_tensor out =
        txc_tensor_make("total", TXC_INT64, total.data(), 0, nullptr);
    if (txc_run(session, &in, 1, &out, 1) != TXC_OK)
      return {};
    return total;
  }

  static int64_t length(txc_session *session, int64_t row = TXC_ALL_ROWS) {
    int64_t result = -1;
    EXPECT_EQ(txc_state_length(session, 0, row, &result), TXC_OK);
    return result;
  }

  using Totals = std::vector<int64_t>;
  TestModel source;
  txc_session_options options = txc_session_options_default();
};

class RaggedTest : public StateTest {
protected:
  RaggedTest() : StateTest(true) {}
};

TEST_F(StateTest, AppendsTruncatesAndResets) {
  Model model(source);
  Session session(model, &options);
  EXPECT_EQ(length(session), 0);
  EXPECT_EQ(run(session, {1, 2, 3}), Totals{3 * 6});
  EXPECT_EQ(run(session, {10, 20}), Totals{3 * 36});
  EXPECT_EQ(length(session), 5);
  EXPECT_EQ(txc_state_truncate(session, 0, TXC_ALL_ROWS, 2), TXC_OK);
  EXPECT_EQ(run(session, {100}), Totals{3 * 103});
  EXPECT_EQ(txc_state_truncate(session, 0, TXC_ALL_ROWS, 4),
            TXC_INVALID_ARGUMENT);
  EXPECT_EQ(session.error(), "can't truncate to 4 positions, state holds 3");
  EXPECT_EQ(txc_state_reset(session, TXC_ALL_ROWS), TXC_OK);
  EXPECT_EQ(run(session, {7}), Totals{21});
}

TEST_F(StateTest, StaysWithinItsCapacity) {
  Model model(source);
  Session session(model, &options);
  EXPECT_EQ(run(session, {1, 1, 1, 1, 1, 1, 1, 1, 1}), Totals{27});
  EXPECT_EQ(run(session, {1, 1}), Totals{});
  EXPECT_THAT(session.error(),
              HasSubstr("\"cache\" holds 9 positions and would hold 11, its "
                        "capacity is 10"));
  EXPECT_EQ(length(session), 9);
  EXPECT_EQ(run(session, {1}), Totals{30});
  EXPECT_EQ(run(session, {1, 1, 1, 1}, 4), Totals{});
  EXPECT_THAT(session.error(), HasSubstr("has room for 3 rows"));
}

TEST_F(StateTest, RefusesACapacityThatWasNotCompiledFor) {
  Model model(source);
  options.state_capacity = (1 << 20) + 1;
  Session session(model, &options);
  EXPECT_EQ(session.status, TXC_OUT_OF_BOUNDS);
}

TEST_F(StateTest, RefusesRowsWithoutAPast) {
  Model model(source);
  Session session(model, &options);
  EXPECT_EQ(run(session, {1}), Totals{3});
  EXPECT_EQ(run(session, {1, 1}, 2), Totals{});
  EXPECT_THAT(session.error(), HasSubstr("reset it, or copy a row first"));
  ASSERT_EQ(txc_state_copy(session, 1, session, 0), TXC_OK) << session.error();
  EXPECT_EQ(run(session, {1, 2}, 2), (Totals{6, 9}));
}

TEST_F(StateTest, RowsThatWereDroppedComeBackEmpty) {
  Model model(source);
  Session session(model, &options);
  EXPECT_EQ(run(session, {1, 2, 3}, 3), (Totals{3, 6, 9}));
  EXPECT_EQ(run(session, {1}), Totals{6});
  ASSERT_EQ(txc_state_truncate(session, 0, TXC_ALL_ROWS, 0), TXC_OK);
  EXPECT_EQ(run(session, {1, 2, 3}, 3), (Totals{3, 6, 9}));
  EXPECT_EQ(length(session, 2), 1);
}

TEST_F(StateTest, AllRowsAreEquallyLong) {
  Model model(source);
  Session session(model, &options);
  run(session, {1, 2}, 2);
  EXPECT_EQ(txc_state_reset(session, 1), TXC_INVALID_ARGUMENT);
  EXPECT_EQ(txc_state_truncate(session, 0, 0, 0), TXC_INVALID_ARGUMENT);
  EXPECT_EQ(txc_state_truncate(session, 1, 0, 0), TXC_INVALID_ARGUMENT);
  EXPECT_EQ(txc_state_truncate(session, 0, 3, 0), TXC_INVALID_ARGUMENT);
  Session other(model, &options);
  run(other, {1, 2, 3});
  EXPECT_EQ(txc_state_copy(session, 1, other, 0), TXC_INVALID_ARGUMENT);
  EXPECT_EQ(session.error(), "row 1 of state \"cache\" would have 3 positions, "
                             "row 0 has 1, and they have to be equal");
}

TEST_F(StateTest, CopiesBetweenSessionsOfDifferentCapacity) {
  Model model(source);
  Session from(model, &options);
  run(from, {1, 2, 3, 4, 5, 6}, 2);
  options.state_capacity = 33;
  options.state_rows = 2;
  Session to(model, &options);
  ASSERT_EQ(txc_state_copy(to, TXC_ALL_ROWS, from, TXC_ALL_ROWS), TXC_OK);
  EXPECT_EQ(run(to, {10, 20}, 2), (Totals{3 * 16, 3 * 35}));
  EXPECT_EQ(run(from, {100, 200}, 2), (Totals{3 * 106, 3 * 215}));
  options.state_capacity = 2;
  Session small(model, &options);
  EXPECT_EQ(txc_state_copy(small, TXC_ALL_ROWS, from, TXC_ALL_ROWS),
            TXC_STATE_FULL);
  EXPECT_EQ(txc_state_copy(small, 0, nullptr, 0), TXC_INVALID_ARGUMENT);
}

TEST_F(StateTest, SavesAndLoads) {
  Model model(source);
  Session from(model, &options);
  run(from, {1, 2, 3, 4, 5, 6}, 2);
  size_t size = 0;
  ASSERT_EQ(txc_state_save(from, nullptr, &size), TXC_OK);
  std::vector<char> saved(size);
  size_t small = size - 1;
  EXPECT_EQ(txc_state_save(from, saved.data(), &small), TXC_BUFFER_TOO_SMALL);
  ASSERT_EQ(txc_state_save(from, saved.data(), &size), TXC_OK);

  options.state_capacity = 5;
  Session to(model, &options);
  run(to, {9, 9, 9}, 3);
  ASSERT_EQ(txc_state_load(to, saved.data(), size), TXC_OK) << to.error();
  EXPECT_EQ(length(to, 2), 0);
  EXPECT_EQ(run(to, {10, 20}, 2), (Totals{3 * 16, 3 * 35}));

  options.state_rows = 1;
  Session narrow(model, &options);
  EXPECT_EQ(txc_state_load(narrow, saved.data(), size), TXC_STATE_FULL);
  options.state_rows = 2;
  options.state_capacity = 2;
  Session brief(model, &options);
  EXPECT_EQ(txc_state_load(brief, saved.data(), size), TXC_STATE_FULL);

  EXPECT_EQ(txc_state_load(to, saved.data(), size - 8), TXC_CORRUPT);
  EXPECT_EQ(txc_state_load(to, saved.data(), 3), TXC_CORRUPT);
  saved.back() ^= 1;
  EXPECT_EQ(txc_state_load(to, saved.data(), size), TXC_CORRUPT);
  saved.back() ^= 1;
  EXPECT_EQ(run(to, {0, 0}, 2), (Totals{3 * 16, 3 * 35}));

  // Whole by its checksum, but with fewer bytes than its rows need.
  uint64_t header[4];
  memcpy(header, saved.data(), sizeof header);
  header[2] = size - 8;
  header[3] = txc_checksum(TXC_CHECKSUM_SEED, saved.data() + sizeof header,
                           size - 8 - sizeof header);
  std::vector<char> forged(saved.begin(), saved.end() - 8);
  memcpy(forged.data(), header, sizeof header);
  EXPECT_EQ(txc_state_load(to, forged.data(), size - 8), TXC_CORRUPT);

  source.program.fingerprint = 2;
  EXPECT_EQ(txc_state_load(to, saved.data(), size), TXC_INCOMPATIBLE);
}

TEST_F(RaggedTest, RowsHaveLengthsOfTheirOwn) {
  Model model(source);
  Session session(model, &options);
  EXPECT_EQ(run(session, {1, 1, 2, 2, 3, 3}, 3), (Totals{6, 12, 18}));
  ASSERT_EQ(txc_state_truncate(session, 0, 1, 1), TXC_OK);
  ASSERT_EQ(txc_state_reset(session, 2), TXC_OK);
  EXPECT_EQ(run(session, {10, 10, 10}, 3), (Totals{36, 36, 30}));
  EXPECT_EQ(length(session, 0), 3);
  EXPECT_EQ(length(session, 1), 2);
  EXPECT_EQ(length(session, 2), 1);
  ASSERT_EQ(txc_state_copy(session, 2, session, 0), TXC_OK);
  EXPECT_EQ(run(session, {0, 0, 1}, 3), (Totals{36, 36, 39}));
}

} // namespace
