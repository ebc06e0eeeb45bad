//===- session.h - One caller's memory and threads ----------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The mutable part: symbols and values of the current run, arena, scratch,
/// state buffers, and the way its phases are driven.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_SESSION_H
#define TXC_RUNTIME_SESSION_H

#include "runtime/team.h"

/// What one thread of the session calls kernels with.
typedef struct txc_thread {
  _Alignas(64) txc_kernel_ctx ctx;
  txc_fault fault;
} txc_thread;

/// Memory that grows and is kept.
typedef struct txc_block {
  char *data;
  uint64_t bytes;
} txc_block;

struct txc_session {
  txc_handle handle; ///< First: the shims rely on it.
  txc_model *model;
  txc_session_options options;
  txc_allocator allocator;
  txc_logger logger;
  txc_message message;
  /// 1 while a call is in progress; a second one is refused.
  _Atomic int32_t busy;

  int64_t *symbols;
  int64_t *values;
  char **bases;
  /// Which of the caller's tensors is which input or output; NULL: none.
  const txc_tensor **inputs;
  txc_tensor **outputs;
  /// Row tables, [sequence][state_rows], and rows in use of each sequence.
  txc_row *rows;
  int64_t *rows_used;
  int64_t state_rows;

  txc_block arena;
  txc_block scratch; ///< thread_count equal parts.
  txc_block staging; ///< What TXC_PHASE_ASSIGN copies.
  txc_block *states;

  txc_thread *threads;
  int32_t thread_count; ///< Entries of threads.
  txc_team *team;       ///< NULL: one thread, or parallel_for.
  txc_executor *executor;
  bool owns_executor;
  const txc_phase *phase; ///< That runs now.
  int32_t phase_threads;  ///< That it was offered to.
  void *gpu;              ///< The backend's; NULL: runs on the CPU.
  /// The thread that met a fault first, plus 1.
  _Atomic int32_t faulted;
};

txc_status txc_session_create_impl(txc_model *model,
                                   const txc_session_options *options,
                                   txc_session **session, txc_message *message);
void txc_session_destroy_impl(txc_session *session);
const char *txc_session_error_impl(const txc_session *session);
txc_status txc_session_describe_impl(txc_session *session,
                                     txc_session_info *info);
txc_status txc_session_reserve_impl(txc_session *session,
                                    const txc_dim_value *dims, size_t count);

/// Marks the session busy and clears its error; IN_USE when it is already.
txc_status txc_session_enter(txc_session *session);
/// The end of a call: returns its status.
txc_status txc_session_leave(txc_session *session, txc_status status);

/// Makes arena and scratch large enough for the present values. keep: the
/// arena's contents are needed. Sets the bases and scratch pointers. Error:
/// OUT_OF_MEMORY.
txc_status txc_session_fit(txc_session *session, bool keep);

/// Makes the staging memory large enough; its contents are lost. Error:
/// OUT_OF_MEMORY.
txc_status txc_session_stage(txc_session *session, uint64_t bytes);

/// The first base index of outputs, states and row tables.
static inline int32_t txc_first_output_base(const txc_program *program) {
  return TXC_BASE_FIRST_INPUT + program->input_count;
}
static inline int32_t txc_first_state_base(const txc_program *program) {
  return txc_first_output_base(program) + program->output_count;
}
static inline int32_t txc_first_rows_base(const txc_program *program) {
  return txc_first_state_base(program) + program->state_count;
}

#endif // TXC_RUNTIME_SESSION_H
