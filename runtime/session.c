//===- session.c - One caller's memory and threads ------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See session.h.
///
//===----------------------------------------------------------------------===//

#include "runtime/session.h"

#include "runtime/bind.h"
#include "runtime/cpu.h"
#include "runtime/gpu.h"
#include "runtime/run.h"
#include "runtime/state.h"

enum { ArenaAlignment = 4096, MaxThreads = 1024 };

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

txc_status txc_session_enter(txc_session *session) {
  // No sentence: the one in the session belongs to the call in progress.
  if (atomic_exchange(&session->busy, 1))
    return TXC_IN_USE;
  session->message.text[0] = '\0';
  return TXC_OK;
}

txc_status txc_session_leave(txc_session *session, txc_status status) {
  atomic_store(&session->busy, 0);
  return status;
}

const char *txc_session_error_impl(const txc_session *session) {
  return session->message.text;
}

//===----------------------------------------------------------------------===//
// Arena and scratch
//===----------------------------------------------------------------------===//

static uint64_t round_up(uint64_t bytes, uint64_t multiple) {
  return (bytes + multiple - 1) / multiple * multiple;
}

/// Grows a block to at least `bytes`; on failure it stays as it is.
static txc_status grow(txc_session *session, txc_block *block, uint64_t bytes,
                       bool keep, const char *what) {
  // A quarter more, so that a shape that creeps up (a cache that fills) does
  // not allocate in each run.
  uint64_t room = block->bytes + block->bytes / 4;
  if (room < bytes)
    room = bytes;
  char *data = txc_allocate(&session->allocator, room, ArenaAlignment);
  if (!data)
    return txc_fail(&session->message, TXC_OUT_OF_MEMORY,
                    "no memory for %llu bytes of %s", (unsigned long long)room,
                    what);
  if (keep && block->bytes)
    memcpy(data, block->data, block->bytes);
  if (block->data)
    txc_log(&session->logger, TXC_LOG_INFO, "%s grows from %llu to %llu bytes",
            what, (unsigned long long)block->bytes, (unsigned long long)room);
  txc_release(&session->allocator, block->data, block->bytes);
  block->data = data;
  block->bytes = room;
  return TXC_OK;
}

/// values[index] as a size; 0 when there is none.
static txc_status size_value(txc_session *session, int32_t index,
                             uint64_t *bytes, const char *what) {
  // More than any machine has, and no sum of two such sizes wraps.
  const int64_t limit = (int64_t)1 << 48;
  int64_t value = index < 0 ? 0 : session->values[index];
  if (value < 0 || value > limit)
    return txc_fail(&session->message, TXC_OUT_OF_MEMORY,
                    "these dims need more %s than a machine has (%lld bytes)",
                    what, (long long)value);
  *bytes = (uint64_t)value;
  return TXC_OK;
}

txc_status txc_session_fit(txc_session *session, bool keep) {
  const txc_program *program = session->model->program;
  uint64_t arena, scratch;
  txc_status status =
      size_value(session, program->arena_bytes_value, &arena, "arena");
  if (status == TXC_OK)
    status =
        size_value(session, program->scratch_bytes_value, &scratch, "scratch");
  if (status == TXC_OK && arena > session->arena.bytes)
    status = grow(session, &session->arena, arena, keep, "arena");
  if (status != TXC_OK)
    return status;
  // Not a power of two apart: equal offsets of two threads would meet in one
  // set of a shared cache.
  scratch = scratch ? round_up(scratch, 64) + 64 : 0;
  uint64_t all = scratch * (uint64_t)session->thread_count;
  if (all > session->scratch.bytes)
    status = grow(session, &session->scratch, all, false, "scratch");
  if (status != TXC_OK)
    return status;
  session->bases[TXC_BASE_ARENA] = session->arena.data;
  for (int32_t i = 0; i < session->thread_count; ++i)
    session->threads[i].ctx.scratch =
        session->scratch.data + scratch * (uint64_t)i;
  return TXC_OK;
}

txc_status txc_session_stage(txc_session *session, uint64_t bytes) {
  if (bytes <= session->staging.bytes)
    return TXC_OK;
  return grow(session, &session->staging, bytes, false, "staging");
}

//===----------------------------------------------------------------------===//
// Reserving
//===----------------------------------------------------------------------===//

static txc_status reserve(txc_session *session, const txc_dim_value *dims,
                          size_t count) {
  txc_status status = txc_bind_dims(session, dims, count);
  if (status != TXC_OK)
    return status;
  return txc_session_fit(session, false);
}

txc_status txc_session_reserve_impl(txc_session *session,
                                    const txc_dim_value *dims, size_t count) {
  txc_status status = txc_session_enter(session);
  if (status != TXC_OK)
    return status;
  return txc_session_leave(session, reserve(session, dims, count));
}

txc_status txc_session_describe_impl(txc_session *session,
                                     txc_session_info *info) {
  txc_status status = txc_session_enter(session);
  if (status != TXC_OK)
    return status;
  txc_session_info known = {
      .size = sizeof known,
      .threads =
          session->team ? session->team->shares_count : session->thread_count,
      .arena_bytes = session->arena.bytes,
      .scratch_bytes = session->scratch.bytes,
  };
  for (int32_t i = 0; i < session->model->program->state_count; ++i)
    known.state_bytes += session->states[i].bytes;
  return txc_session_leave(session, txc_fill_info(info, &known, sizeof known));
}

//===----------------------------------------------------------------------===//
// Creation
//===----------------------------------------------------------------------===//

static txc_status check_options(const txc_session_options *options,
                                txc_message *message) {
  if (options->threads < 0 || options->threads > MaxThreads)
    return txc_fail(message, TXC_INVALID_ARGUMENT,
                    "%d threads asked for; 0 to %d are possible",
                    options->threads, MaxThreads);
  if (options->state_rows < 0 || options->state_capacity < 0)
    return txc_fail(message, TXC_INVALID_ARGUMENT,
                    "state_rows (%lld) and state_capacity (%lld) can't be "
                    "negative",
                    (long long)options->state_rows,
                    (long long)options->state_capacity);
  if (options->executor && options->parallel_for)
    return txc_fail(message, TXC_INVALID_ARGUMENT,
                    "executor and parallel_for exclude one another");
  return TXC_OK;
}

/// One allocation for all that has a fixed size. Each piece is counted in
/// bytes, then handed out in the same order.
static void *piece(char *memory, size_t *used, size_t bytes) {
  void *result = memory ? memory + *used : NULL;
  *used += round_up(bytes, 64);
  return result;
}

static size_t lay_out(txc_session *session, char *memory) {
  const txc_program *program = session->model->program;
  size_t used = 0;
  size_t sequences = (size_t)program->sequence_count;
  size_t bases = (size_t)txc_first_rows_base(program) + sequences;
  piece(memory, &used, sizeof(txc_session));
  session->symbols =
      piece(memory, &used, sizeof(int64_t) * (size_t)program->symbol_count);
  session->values =
      piece(memory, &used, sizeof(int64_t) * (size_t)program->value_count);
  session->bases = (char **)piece(memory, &used, sizeof(char *) * bases);
  session->inputs = (const txc_tensor **)piece(
      memory, &used, sizeof *session->inputs * (size_t)program->input_count);
  session->outputs = (txc_tensor **)piece(
      memory, &used, sizeof *session->outputs * (size_t)program->output_count);
  session->rows = piece(
      memory, &used, sizeof(txc_row) * sequences * (size_t)session->state_rows);
  session->rows_used = piece(memory, &used, sizeof(int64_t) * sequences);
  session->states =
      piece(memory, &used, sizeof(txc_block) * (size_t)program->state_count);
  session->threads =
      piece(memory, &used, sizeof(txc_thread) * (size_t)session->thread_count);
  session->team =
      piece(memory, &used,
            session->executor ? txc_team_bytes(session->thread_count) : 0);
  return used;
}

/// Decides the driver: the number of threads, and the executor if there is to
/// be one.
static txc_status choose_driver(txc_session *session, txc_message *message) {
  const txc_session_options *options = &session->options;
  if (options->executor) {
    session->executor = options->executor;
    session->thread_count =
        txc_api_of(session->executor)->executor_threads(session->executor);
    txc_api_of(session->executor)->executor_attach(session->executor, 1);
    return TXC_OK;
  }
  session->thread_count =
      options->threads ? options->threads : txc_default_threads();
  if (options->parallel_for || session->thread_count == 1)
    return TXC_OK;
  txc_executor_options own = txc_executor_options_default();
  own.threads = session->thread_count;
  own.affinity = options->affinity;
  own.affinity_count = options->affinity_count;
  txc_status status = txc_executor_create_impl(session->model, &own,
                                               &session->executor, message);
  if (status != TXC_OK)
    return status;
  session->owns_executor = true;
  txc_executor_attach_impl(session->executor, 1);
  return TXC_OK;
}

static void release_driver(txc_session *session) {
  if (!session->executor)
    return;
  txc_api_of(session->executor)->executor_attach(session->executor, -1);
  if (session->owns_executor)
    txc_executor_destroy_impl(session->executor);
}

static void connect(txc_session *session) {
  const txc_program *program = session->model->program;
  session->bases[TXC_BASE_WEIGHTS] = (char *)session->model->weights.data;
  for (int32_t i = 0; i < session->thread_count; ++i) {
    txc_thread *thread = &session->threads[i];
    thread->ctx.bases = session->bases;
    thread->ctx.values = session->values;
    thread->ctx.fault = &thread->fault;
  }
  for (int32_t i = 0; i < program->sequence_count; ++i)
    session->bases[txc_first_rows_base(program) + i] =
        (char *)(session->rows + i * session->state_rows);
  if (!session->executor) {
    session->team = NULL;
    return;
  }
  int32_t spin = session->options.spin_microseconds;
  uint64_t spin_ns = (spin < 0 ? 500u : (uint64_t)spin) * 1000u;
  int32_t wanted = session->options.threads;
  if (wanted == 0 || wanted > session->thread_count)
    wanted = session->thread_count;
  txc_team_init(session->team, wanted, session->executor, spin_ns,
                txc_run_tasks, session);
}

/// Makes the session of a template, whose options, model and allocator are
/// set; the driver is released on failure.
static txc_status build(txc_session *draft, txc_session **out,
                        txc_message *message) {
  size_t bytes = lay_out(draft, NULL);
  char *memory = txc_allocate_zero(&draft->allocator, bytes, 64);
  if (!memory) {
    release_driver(draft);
    return txc_fail(message, TXC_OUT_OF_MEMORY, "no memory for the session");
  }
  lay_out(draft, memory);
  txc_session *session = (txc_session *)memory;
  memcpy(session, draft, sizeof *session);
  atomic_fetch_add(&session->model->users, 1);
  connect(session);
  txc_status status = txc_state_allocate(session, message);
  const txc_gpu_backend *gpu = txc_backend_of(session);
  if (status == TXC_OK && gpu)
    status = gpu->open_session(session, message);
  if (status == TXC_OK) {
    status =
        reserve(session, session->options.dims, session->options.dims_count);
    if (status != TXC_OK)
      txc_fail(message, status, "%s", session->message.text);
  }
  if (status != TXC_OK)
    txc_session_destroy_impl(session);
  else
    *out = session;
  return status;
}

txc_status txc_session_create_impl(txc_model *model,
                                   const txc_session_options *given,
                                   txc_session **out, txc_message *message) {
  *out = NULL;
  txc_session draft;
  memset(&draft, 0, sizeof draft);
  draft.options = txc_session_options_default();
  txc_status status =
      txc_copy_options(&draft.options, sizeof draft.options, given, message);
  if (status == TXC_OK)
    status = check_options(&draft.options, message);
  if (status != TXC_OK)
    return status;
  draft.handle.api = model->handle.api;
  draft.model = model;
  draft.allocator = txc_choose_allocator(draft.options.allocator);
  draft.logger.log = draft.options.log;
  draft.logger.user = draft.options.log_user;
  draft.state_rows = draft.options.state_rows ? draft.options.state_rows : 1;
  if (draft.state_rows > INT32_MAX)
    return txc_fail(message, TXC_INVALID_ARGUMENT,
                    "state_rows is %lld; at most %d are possible",
                    (long long)draft.state_rows, INT32_MAX);
  status = choose_driver(&draft, message);
  if (status != TXC_OK)
    return status;
  return build(&draft, out, message);
}

void txc_session_destroy_impl(txc_session *session) {
  if (session->team)
    txc_team_drain(session->team);
  release_driver(session);
  const txc_gpu_backend *gpu = txc_backend_of(session);
  if (gpu)
    gpu->close_session(session);
  txc_state_free(session);
  txc_release(&session->allocator, session->arena.data, session->arena.bytes);
  txc_release(&session->allocator, session->scratch.data,
              session->scratch.bytes);
  txc_release(&session->allocator, session->staging.data,
              session->staging.bytes);
  // Its own size depends on the program, which may go once there is no user.
  txc_session last = *session;
  size_t bytes = lay_out(&last, NULL);
  txc_release(&last.allocator, session, bytes);
  atomic_fetch_sub(&last.model->users, 1);
}
