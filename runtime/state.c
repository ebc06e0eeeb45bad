//===- state.c - Buffers and lengths of state -----------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See state.h.
///
//===----------------------------------------------------------------------===//

#include "runtime/state.h"

#include "runtime/bind.h"

enum { DefaultCapacity = 2048 };

txc_row *txc_state_rows(const txc_session *session, int32_t sequence) {
  return session->rows + sequence * session->state_rows;
}

int64_t txc_state_capacity(const txc_session *session, int32_t sequence) {
  const txc_program *program = session->model->program;
  return session->symbols[program->sequences[sequence].capacity_symbol];
}

int64_t txc_state_end(const txc_session *session, int32_t sequence) {
  const txc_row *rows = txc_state_rows(session, sequence);
  int64_t end = 0;
  for (int64_t i = 0; i < session->rows_used[sequence]; ++i)
    if (rows[i].start + rows[i].length > end)
      end = rows[i].start + rows[i].length;
  return end;
}

void txc_state_use_rows(txc_session *session, int32_t sequence, int64_t rows) {
  memset(txc_state_rows(session, sequence) + rows, 0,
         sizeof(txc_row) * (size_t)(session->state_rows - rows));
  session->rows_used[sequence] = rows;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static txc_status choose_capacity(txc_session *session, int32_t symbol,
                                  txc_message *message) {
  const txc_symbol_desc *desc = &session->model->program->symbols[symbol];
  int64_t capacity = session->options.state_capacity;
  if (capacity == 0)
    capacity = desc->upper == INT64_MAX ? DefaultCapacity : desc->upper;
  if (capacity < desc->lower || capacity > desc->upper)
    return txc_fail(message, TXC_OUT_OF_BOUNDS,
                    "state_capacity is %lld; the model was compiled for %lld "
                    "to %lld",
                    (long long)capacity, (long long)desc->lower,
                    (long long)desc->upper);
  session->symbols[symbol] = capacity;
  return TXC_OK;
}

static uint64_t strip_bytes(const txc_state_desc *desc, int64_t positions) {
  int64_t blocks = (positions + desc->block - 1) / desc->block;
  return (uint64_t)(blocks * desc->block * desc->position_bytes);
}

/// False when the product does not fit.
static bool buffer_bytes(const txc_session *session, const txc_state_desc *desc,
                         uint64_t *bytes) {
  int64_t capacity = txc_state_capacity(session, desc->sequence);
  // Far beyond memory, and strip_bytes can't wrap below it.
  if (capacity > ((int64_t)1 << 40) / desc->position_bytes - desc->block)
    return false;
  *bytes = strip_bytes(desc, capacity);
  return !__builtin_mul_overflow(*bytes, (uint64_t)desc->outer, bytes) &&
         !__builtin_mul_overflow(*bytes, (uint64_t)session->state_rows, bytes);
}

txc_status txc_state_allocate(txc_session *session, txc_message *message) {
  const txc_program *program = session->model->program;
  for (int32_t i = 0; i < program->sequence_count; ++i) {
    txc_status status = choose_capacity(
        session, program->sequences[i].capacity_symbol, message);
    if (status != TXC_OK)
      return status;
  }
  for (int32_t i = 0; i < program->state_count; ++i) {
    uint64_t bytes;
    txc_block *block = &session->states[i];
    // Zeros: what lies behind the length is finite, so a masked position adds
    // 0 to a sum.
    if (buffer_bytes(session, &program->states[i], &bytes))
      block->data = txc_allocate_zero(&session->allocator, bytes, 4096);
    if (!block->data)
      return txc_fail(
          message, TXC_OUT_OF_MEMORY,
          "no memory for state \"%s\" of %lld rows and %lld "
          "positions",
          program->states[i].name, (long long)session->state_rows,
          (long long)txc_state_capacity(session, program->states[i].sequence));
    block->bytes = bytes;
    session->bases[txc_first_state_base(program) + i] = block->data;
  }
  return TXC_OK;
}

void txc_state_free(txc_session *session) {
  for (int32_t i = 0; i < session->model->program->state_count; ++i)
    txc_release(&session->allocator, session->states[i].data,
                session->states[i].bytes);
}

txc_strips txc_state_strips(const txc_session *session, int32_t state,
                            int64_t row, int64_t positions) {
  const txc_state_desc *desc = &session->model->program->states[state];
  uint64_t stride =
      strip_bytes(desc, txc_state_capacity(session, desc->sequence));
  txc_strips strips = {
      .first = session->states[state].data +
               stride * (uint64_t)desc->outer * (uint64_t)row,
      .stride = stride,
      .bytes = strip_bytes(desc, positions),
      .count = desc->outer,
  };
  return strips;
}

//===----------------------------------------------------------------------===//
// Within a run
//===----------------------------------------------------------------------===//

void txc_state_bind(txc_session *session) {
  const txc_program *program = session->model->program;
  for (int32_t i = 0; i < program->sequence_count; ++i)
    session->symbols[program->sequences[i].length_symbol] =
        txc_state_end(session, i);
}

/// Rows of a sequence in this run.
static int64_t run_rows(const txc_session *session, int32_t sequence) {
  int32_t index = session->model->program->sequences[sequence].rows_value;
  return index < 0 ? 1 : session->values[index];
}

static txc_status check_sequence(txc_session *session, int32_t index) {
  const txc_sequence_desc *desc = &session->model->program->sequences[index];
  int64_t rows = run_rows(session, index);
  int64_t used = session->rows_used[index];
  int64_t past = session->symbols[desc->length_symbol];
  if (rows > session->state_rows)
    return txc_fail(&session->message, TXC_STATE_FULL,
                    "state \"%s\" has room for %lld rows, this run has %lld; "
                    "set state_rows when the session is made",
                    desc->name, (long long)session->state_rows,
                    (long long)rows);
  if (!desc->ragged && past > 0 && rows > used)
    return txc_fail(&session->message, TXC_SHAPE_MISMATCH,
                    "state \"%s\" holds %lld positions of %lld rows, this run "
                    "has %lld rows; reset it, or copy a row first",
                    desc->name, (long long)past, (long long)used,
                    (long long)rows);
  int64_t capacity = txc_state_capacity(session, index);
  if (desc->new_length_value >= 0 &&
      session->values[desc->new_length_value] > capacity)
    return txc_fail(&session->message, TXC_STATE_FULL,
                    "state \"%s\" holds %lld positions and would hold %lld, "
                    "its capacity is %lld; set state_capacity when the session "
                    "is made, or truncate",
                    desc->name, (long long)past,
                    (long long)session->values[desc->new_length_value],
                    (long long)capacity);
  return txc_check_bounds(session, desc->length_symbol, past);
}

txc_status txc_state_check(txc_session *session) {
  txc_status status = TXC_OK;
  for (int32_t i = 0;
       i < session->model->program->sequence_count && status == TXC_OK; ++i)
    status = check_sequence(session, i);
  return status;
}

void txc_state_advance(txc_session *session) {
  const txc_program *program = session->model->program;
  for (int32_t i = 0; i < program->sequence_count; ++i) {
    const txc_sequence_desc *desc = &program->sequences[i];
    if (desc->new_length_value < 0)
      continue;
    int64_t added = session->values[desc->new_length_value] -
                    session->symbols[desc->length_symbol];
    int64_t rows = run_rows(session, i);
    for (int64_t row = 0; row < rows; ++row)
      txc_state_rows(session, i)[row].length += added;
    if (!desc->ragged || rows > session->rows_used[i])
      txc_state_use_rows(session, i, rows);
  }
}

//===----------------------------------------------------------------------===//
// Lengths, on request
//===----------------------------------------------------------------------===//

/// The sequence of that number, with a row that exists.
static txc_status check_row(txc_session *session, size_t sequence,
                            int64_t row) {
  const txc_program *program = session->model->program;
  if (sequence >= (size_t)program->sequence_count)
    return txc_fail(&session->message, TXC_INVALID_ARGUMENT,
                    "sequence %zu was given; the model has %d", sequence,
                    program->sequence_count);
  if (row != TXC_ALL_ROWS && (row < 0 || row >= session->state_rows))
    return txc_fail(&session->message, TXC_INVALID_ARGUMENT,
                    "row %lld was given; the session has %lld", (long long)row,
                    (long long)session->state_rows);
  return TXC_OK;
}

/// Whether the row's length may change alone.
static txc_status check_ragged(txc_session *session, int32_t sequence,
                               int64_t row) {
  const txc_sequence_desc *desc = &session->model->program->sequences[sequence];
  if (row == TXC_ALL_ROWS || desc->ragged)
    return TXC_OK;
  return txc_fail(&session->message, TXC_INVALID_ARGUMENT,
                  "all rows of state \"%s\" are equally long: use "
                  "TXC_ALL_ROWS",
                  desc->name);
}

static txc_status truncate(txc_session *session, size_t sequence, int64_t row,
                           int64_t length) {
  txc_status status = check_row(session, sequence, row);
  if (status == TXC_OK)
    status = check_ragged(session, (int32_t)sequence, row);
  if (status != TXC_OK)
    return status;
  txc_row *rows = txc_state_rows(session, (int32_t)sequence);
  int64_t begin = row == TXC_ALL_ROWS ? 0 : row;
  int64_t end = row == TXC_ALL_ROWS ? session->rows_used[sequence] : row + 1;
  int64_t longest = 0;
  for (int64_t i = begin; i < end; ++i)
    if (rows[i].length > longest)
      longest = rows[i].length;
  if (length < 0 || length > longest)
    return txc_fail(&session->message, TXC_INVALID_ARGUMENT,
                    "can't truncate to %lld positions, state holds %lld",
                    (long long)length, (long long)longest);
  for (int64_t i = begin; i < end; ++i)
    if (rows[i].length > length)
      rows[i].length = length;
  return TXC_OK;
}

txc_status txc_state_truncate_impl(txc_session *session, size_t sequence,
                                   int64_t row, int64_t length) {
  txc_status status = txc_session_enter(session);
  if (status != TXC_OK)
    return status;
  return txc_session_leave(session, truncate(session, sequence, row, length));
}

static txc_status reset(txc_session *session, int64_t row) {
  int32_t count = session->model->program->sequence_count;
  txc_status status = TXC_OK;
  for (int32_t i = 0; i < count && status == TXC_OK; ++i) {
    status = check_row(session, (size_t)i, row);
    if (status == TXC_OK)
      status = check_ragged(session, i, row);
  }
  if (status != TXC_OK)
    return status;
  for (int32_t i = 0; i < count; ++i) {
    if (row == TXC_ALL_ROWS)
      txc_state_use_rows(session, i, 0);
    else
      memset(&txc_state_rows(session, i)[row], 0, sizeof(txc_row));
  }
  return TXC_OK;
}

txc_status txc_state_reset_impl(txc_session *session, int64_t row) {
  txc_status status = txc_session_enter(session);
  if (status != TXC_OK)
    return status;
  return txc_session_leave(session, reset(session, row));
}

txc_status txc_state_length_impl(txc_session *session, size_t sequence,
                                 int64_t row, int64_t *length) {
  txc_status status = txc_session_enter(session);
  if (status != TXC_OK)
    return status;
  status = length ? check_row(session, sequence, row)
                  : txc_fail(&session->message, TXC_INVALID_ARGUMENT,
                             "length is NULL");
  if (status == TXC_OK) {
    const txc_row *rows = txc_state_rows(session, (int32_t)sequence);
    int64_t longest = 0;
    for (int64_t i = 0; i < session->state_rows; ++i)
      if ((row == TXC_ALL_ROWS || row == i) && rows[i].length > longest)
        longest = rows[i].length;
    *length = longest;
  }
  return txc_session_leave(session, status);
}
