//===- state.h - Key-value caches and other state -----------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// State buffers of a session and the lengths of their rows.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_STATE_H
#define TXC_RUNTIME_STATE_H

#include "runtime/session.h"

/// The rows of a sequence: state_rows of them.
txc_row *txc_state_rows(const txc_session *session, int32_t sequence);
/// Positions that a row has room for.
int64_t txc_state_capacity(const txc_session *session, int32_t sequence);
/// The end of the row that reaches furthest.
int64_t txc_state_end(const txc_session *session, int32_t sequence);
/// Sets the rows in use; those behind become empty.
void txc_state_use_rows(txc_session *session, int32_t sequence, int64_t rows);

/// The first positions of a row in a buffer: `count` strips of `bytes`, each
/// `stride` after the one before.
typedef struct txc_strips {
  char *first;
  uint64_t stride;
  uint64_t bytes;
  int64_t count;
} txc_strips;

txc_strips txc_state_strips(const txc_session *session, int32_t state,
                            int64_t row, int64_t positions);

/// Allocates the buffers and sets the capacity symbols. On failure the caller
/// destroys the session, which frees what was allocated.
txc_status txc_state_allocate(txc_session *session, txc_message *message);
void txc_state_free(txc_session *session);

/// Sets the length symbols from the longest rows.
void txc_state_bind(txc_session *session);
/// Whether the rows and the new lengths of this run fit; after evaluation.
txc_status txc_state_check(txc_session *session);
/// Advances the lengths at the end of a run that went well.
void txc_state_advance(txc_session *session);

txc_status txc_state_reset_impl(txc_session *session, int64_t row);
txc_status txc_state_length_impl(txc_session *session, size_t sequence,
                                 int64_t row, int64_t *length);
txc_status txc_state_truncate_impl(txc_session *session, size_t sequence,
                                   int64_t row, int64_t length);
txc_status txc_state_copy_impl(txc_session *target, int64_t target_row,
                               txc_session *source, int64_t source_row);
txc_status txc_state_save_impl(txc_session *session, void *memory,
                               size_t *size);
txc_status txc_state_load_impl(txc_session *session, const void *memory,
                               size_t size);

#endif // TXC_RUNTIME_STATE_H
