//===- state_copy.c - Copying, saving and loading state -------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Saved state is a header, the rows of each sequence, and the used positions
/// of each row of each buffer, in the buffer's own layout: it is for the same
/// compiled model only, which the fingerprint shows.
///
//===----------------------------------------------------------------------===//

#include "runtime/state.h"

#include "runtime/gpu.h"

//===----------------------------------------------------------------------===//
// Copying rows
//===----------------------------------------------------------------------===//

static int64_t row_end(const txc_session *session, int32_t sequence,
                       int64_t row) {
  const txc_row *r = &txc_state_rows(session, sequence)[row];
  return r->start + r->length;
}

/// Whether a row of the target can become one that ends at `end`. In a
/// sequence that is not ragged, all other rows in use must end there too.
static txc_status check_fits(txc_session *target, int32_t sequence, int64_t row,
                             int64_t end) {
  const txc_sequence_desc *desc = &target->model->program->sequences[sequence];
  int64_t capacity = txc_state_capacity(target, sequence);
  if (end > capacity)
    return txc_fail(&target->message, TXC_STATE_FULL,
                    "the row has %lld positions, the capacity of state \"%s\" "
                    "is %lld",
                    (long long)end, desc->name, (long long)capacity);
  int64_t used = target->rows_used[sequence];
  int64_t others = used > row ? used : row;
  for (int64_t i = 0; i < others && !desc->ragged; ++i)
    if (i != row && row_end(target, sequence, i) != end)
      return txc_fail(&target->message, TXC_INVALID_ARGUMENT,
                      "row %lld of state \"%s\" would have %lld positions, row "
                      "%lld has %lld, and they have to be equal",
                      (long long)row, desc->name, (long long)end, (long long)i,
                      (long long)row_end(target, sequence, i));
  return TXC_OK;
}

static void copy_row(txc_session *target, int64_t target_row,
                     const txc_session *source, int64_t source_row) {
  const txc_program *program = target->model->program;
  for (int32_t i = 0; i < program->state_count; ++i) {
    int64_t end = row_end(source, program->states[i].sequence, source_row);
    txc_strips to = txc_state_strips(target, i, target_row, end);
    txc_strips from = txc_state_strips(source, i, source_row, end);
    for (int64_t strip = 0; strip < to.count; ++strip)
      memmove(to.first + to.stride * (uint64_t)strip,
              from.first + from.stride * (uint64_t)strip, to.bytes);
  }
  for (int32_t i = 0; i < program->sequence_count; ++i) {
    txc_state_rows(target, i)[target_row] =
        txc_state_rows(source, i)[source_row];
    if (target->rows_used[i] <= target_row)
      target->rows_used[i] = target_row + 1;
  }
}

static txc_status copy_one_row(txc_session *target, int64_t target_row,
                               const txc_session *source, int64_t source_row) {
  if (target_row < 0 || target_row >= target->state_rows || source_row < 0 ||
      source_row >= source->state_rows)
    return txc_fail(&target->message, TXC_INVALID_ARGUMENT,
                    "can't copy row %lld of %lld to row %lld of %lld",
                    (long long)source_row, (long long)source->state_rows,
                    (long long)target_row, (long long)target->state_rows);
  for (int32_t i = 0; i < target->model->program->sequence_count; ++i) {
    txc_status status =
        check_fits(target, i, target_row, row_end(source, i, source_row));
    if (status != TXC_OK)
      return status;
  }
  copy_row(target, target_row, source, source_row);
  return TXC_OK;
}

static txc_status copy_all_rows(txc_session *target,
                                const txc_session *source) {
  const txc_program *program = target->model->program;
  int64_t rows = 0;
  for (int32_t i = 0; i < program->sequence_count; ++i) {
    if (source->rows_used[i] > rows)
      rows = source->rows_used[i];
    int64_t end = txc_state_end(source, i);
    if (source->rows_used[i] > target->state_rows ||
        end > txc_state_capacity(target, i))
      return txc_fail(&target->message, TXC_STATE_FULL,
                      "state has %lld rows and %lld positions, there is room "
                      "for %lld and %lld",
                      (long long)source->rows_used[i], (long long)end,
                      (long long)target->state_rows,
                      (long long)txc_state_capacity(target, i));
  }
  for (int64_t row = 0; row < rows && target != source; ++row)
    copy_row(target, row, source, row);
  for (int32_t i = 0; i < program->sequence_count; ++i)
    txc_state_use_rows(target, i, source->rows_used[i]);
  return TXC_OK;
}

static txc_status copy(txc_session *target, int64_t target_row,
                       txc_session *source, int64_t source_row) {
  if (target->model->program->fingerprint !=
      source->model->program->fingerprint)
    return txc_fail(&target->message, TXC_INCOMPATIBLE,
                    "the sessions are of different models");
  if (target_row == TXC_ALL_ROWS && source_row == TXC_ALL_ROWS)
    return copy_all_rows(target, source);
  return copy_one_row(target, target_row, source, source_row);
}

/// Fetches the buffers from a GPU that the session runs on.
static txc_status read_states(txc_session *session) {
  const txc_gpu_backend *gpu = txc_backend_of(session);
  return gpu ? gpu->read_states(session) : TXC_OK;
}

static txc_status write_states(txc_session *session) {
  const txc_gpu_backend *gpu = txc_backend_of(session);
  return gpu ? gpu->write_states(session) : TXC_OK;
}

txc_status txc_state_copy_impl(txc_session *target, int64_t target_row,
                               txc_session *source, int64_t source_row) {
  txc_status status = txc_session_enter(target);
  if (status != TXC_OK)
    return status;
  if (!source)
    status = txc_fail(&target->message, TXC_INVALID_ARGUMENT,
                      "the source session is NULL");
  else if (source != target && atomic_exchange(&source->busy, 1))
    status = txc_fail(&target->message, TXC_IN_USE,
                      "the source session is in another call");
  else {
    status = read_states(source);
    if (status == TXC_OK && source != target)
      status = read_states(target);
    if (status == TXC_OK)
      status = copy(target, target_row, source, source_row);
    if (status == TXC_OK)
      status = write_states(target);
    if (source != target)
      atomic_store(&source->busy, 0);
  }
  return txc_session_leave(target, status);
}

//===----------------------------------------------------------------------===//
// Saving and loading
//===----------------------------------------------------------------------===//

typedef struct saved_header {
  uint64_t magic;
  uint64_t fingerprint;
  uint64_t bytes;    ///< With this header.
  uint64_t checksum; ///< Of what follows it.
} saved_header;

static const uint64_t SavedMagic = 0x3154415453435854ull; // "TXCSTAT1"

/// A place in the saved form, and which way the bytes go.
typedef struct transfer {
  char *at; ///< NULL: only count.
  uint64_t bytes;
  bool load;
} transfer;

static void move(transfer *t, void *ours, uint64_t bytes) {
  if (t->at && bytes)
    memcpy(t->load ? ours : t->at + t->bytes, t->load ? t->at + t->bytes : ours,
           bytes);
  t->bytes += bytes;
}

/// The rows of all sequences come first, so that they can be checked before
/// any buffer is written.
static void move_rows(txc_session *session, transfer *t) {
  for (int32_t i = 0; i < session->model->program->sequence_count; ++i) {
    move(t, &session->rows_used[i], sizeof session->rows_used[i]);
    move(t, txc_state_rows(session, i),
         sizeof(txc_row) * (uint64_t)session->rows_used[i]);
  }
}

static void move_buffers(txc_session *session, transfer *t) {
  const txc_program *program = session->model->program;
  for (int32_t i = 0; i < program->state_count; ++i) {
    int32_t sequence = program->states[i].sequence;
    for (int64_t row = 0; row < session->rows_used[sequence]; ++row) {
      txc_strips strips =
          txc_state_strips(session, i, row, row_end(session, sequence, row));
      for (int64_t strip = 0; strip < strips.count; ++strip)
        move(t, strips.first + strips.stride * (uint64_t)strip, strips.bytes);
    }
  }
}

static txc_status save(txc_session *session, void *memory, size_t *size) {
  if (!size)
    return txc_fail(&session->message, TXC_INVALID_ARGUMENT, "size is NULL");
  saved_header header = {
      .magic = SavedMagic,
      .fingerprint = session->model->program->fingerprint,
  };
  transfer count = {.bytes = sizeof header};
  move_rows(session, &count);
  move_buffers(session, &count);
  header.bytes = count.bytes;
  size_t room = *size;
  *size = count.bytes;
  if (!memory)
    return TXC_OK;
  if (room < count.bytes)
    return txc_fail(&session->message, TXC_BUFFER_TOO_SMALL,
                    "state has %llu bytes, there is room for %zu",
                    (unsigned long long)count.bytes, room);
  transfer out = {.at = memory, .bytes = sizeof header};
  move_rows(session, &out);
  move_buffers(session, &out);
  header.checksum =
      txc_checksum(TXC_CHECKSUM_SEED, (const char *)memory + sizeof header,
                   header.bytes - sizeof header);
  memcpy(memory, &header, sizeof header);
  return TXC_OK;
}

txc_status txc_state_save_impl(txc_session *session, void *memory,
                               size_t *size) {
  txc_status status = txc_session_enter(session);
  if (status != TXC_OK)
    return status;
  // A question for the size needs no contents.
  status = memory ? read_states(session) : TXC_OK;
  if (status == TXC_OK)
    status = save(session, memory, size);
  return txc_session_leave(session, status);
}

static txc_status check_header(txc_session *session, const void *memory,
                               size_t size) {
  saved_header header;
  if (size < sizeof header)
    return txc_fail(&session->message, TXC_CORRUPT,
                    "%zu bytes are too few for saved state", size);
  memcpy(&header, memory, sizeof header);
  if (header.magic != SavedMagic || header.bytes != size ||
      header.checksum != txc_checksum(TXC_CHECKSUM_SEED,
                                      (const char *)memory + sizeof header,
                                      size - sizeof header))
    return txc_fail(&session->message, TXC_CORRUPT,
                    "this is no saved state, or it is damaged");
  if (header.fingerprint != session->model->program->fingerprint)
    return txc_fail(&session->message, TXC_INCOMPATIBLE,
                    "the state was saved by another model");
  return TXC_OK;
}

/// Bytes of a row that ends at `end` in all buffers of a sequence.
static uint64_t row_bytes(const txc_session *session, int32_t sequence,
                          int64_t end) {
  const txc_program *program = session->model->program;
  uint64_t bytes = 0;
  for (int32_t i = 0; i < program->state_count; ++i) {
    if (program->states[i].sequence != sequence)
      continue;
    txc_strips strips = txc_state_strips(session, i, 0, end);
    bytes += strips.bytes * (uint64_t)strips.count;
  }
  return bytes;
}

/// Reads the rows without storing them, and compares them with the room of the
/// session and the size of the whole.
static txc_status check_rows(txc_session *session, const char *memory,
                             size_t size) {
  const txc_program *program = session->model->program;
  size_t at = sizeof(saved_header);
  uint64_t buffers = 0;
  for (int32_t i = 0; i < program->sequence_count; ++i) {
    int64_t rows;
    if (size - at < sizeof rows)
      return txc_fail(&session->message, TXC_CORRUPT,
                      "the saved state is cut short");
    memcpy(&rows, memory + at, sizeof rows);
    at += sizeof rows;
    if (rows < 0 || (uint64_t)rows > (size - at) / sizeof(txc_row))
      return txc_fail(&session->message, TXC_CORRUPT,
                      "the saved state is cut short");
    if (rows > session->state_rows)
      return txc_fail(&session->message, TXC_STATE_FULL,
                      "the saved state has %lld rows, there is room for %lld",
                      (long long)rows, (long long)session->state_rows);
    int64_t capacity = txc_state_capacity(session, i);
    for (int64_t row = 0; row < rows; ++row, at += sizeof(txc_row)) {
      txc_row saved;
      memcpy(&saved, memory + at, sizeof saved);
      if (saved.start < 0 || saved.length < 0 || saved.start > capacity ||
          saved.length > capacity - saved.start)
        return txc_fail(&session->message, TXC_STATE_FULL,
                        "row %lld of the saved state has %lld positions, there "
                        "is room for %lld",
                        (long long)row, (long long)saved.length,
                        (long long)capacity);
      buffers += row_bytes(session, i, saved.start + saved.length);
    }
  }
  if (size - at != buffers)
    return txc_fail(&session->message, TXC_CORRUPT,
                    "the saved state has %zu bytes of buffers, its rows need "
                    "%llu",
                    size - at, (unsigned long long)buffers);
  return TXC_OK;
}

static txc_status load(txc_session *session, const void *memory, size_t size) {
  if (!memory)
    return txc_fail(&session->message, TXC_INVALID_ARGUMENT, "memory is NULL");
  txc_status status = check_header(session, memory, size);
  if (status == TXC_OK)
    status = check_rows(session, memory, size);
  if (status != TXC_OK)
    return status;
  for (int32_t i = 0; i < session->model->program->sequence_count; ++i)
    txc_state_use_rows(session, i, 0);
  // Only read, as load says.
  transfer in = {
      .at = (char *)memory, .bytes = sizeof(saved_header), .load = true};
  move_rows(session, &in);
  move_buffers(session, &in);
  return TXC_OK;
}

txc_status txc_state_load_impl(txc_session *session, const void *memory,
                               size_t size) {
  txc_status status = txc_session_enter(session);
  if (status != TXC_OK)
    return status;
  status = load(session, memory, size);
  if (status == TXC_OK)
    status = write_states(session);
  return txc_session_leave(session, status);
}
