//===- run.c - Running the phase table ------------------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See run.h.
///
//===----------------------------------------------------------------------===//

#include "runtime/run.h"

#include "runtime/bind.h"
#include "runtime/cpu.h"
#include "runtime/gpu.h"
#include "runtime/infer.h"
#include "runtime/state.h"

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

txc_status txc_explain_fault(txc_session *session, const txc_fault *fault) {
  const txc_phase *phase = session->phase;
  switch (fault->code) {
  case TXC_FAULT_INDEX_OUT_OF_RANGE:
    return txc_fail(&session->message, TXC_INDEX_OUT_OF_RANGE,
                    "index %lld is out of range [0, %lld) in %s",
                    (long long)fault->found, (long long)fault->limit,
                    phase->onnx_nodes);
  case TXC_FAULT_DIVISION_BY_ZERO:
    return txc_fail(&session->message, TXC_DIVISION_BY_ZERO,
                    "division by zero in %s", phase->onnx_nodes);
  default:
    return txc_fail(&session->message, TXC_REQUIREMENT,
                    "shapes do not fit in %s (%lld and %lld)",
                    phase->onnx_nodes, (long long)fault->found,
                    (long long)fault->limit);
  }
}

/// Of the fault that was met first by a thread, if any; all threads are clean
/// afterwards.
static txc_status take_fault(txc_session *session) {
  if (!atomic_load_explicit(&session->faulted, memory_order_relaxed))
    return TXC_OK;
  txc_fault fault = session->threads[session->faulted - 1].fault;
  for (int32_t i = 0; i < session->thread_count; ++i)
    memset(&session->threads[i].fault, 0, sizeof(txc_fault));
  session->faulted = 0;
  return txc_explain_fault(session, &fault);
}

//===----------------------------------------------------------------------===//
// One phase
//===----------------------------------------------------------------------===//

/// values[index]; -1 when there is none.
static int64_t optional_value(const txc_session *session, int32_t index) {
  return index < 0 ? -1 : session->values[index];
}

/// Whether a phase is worth calling the workers. A fork and join costs 1 us,
/// and caches that lose their lines; below some 20 us of work, at rates that
/// any core of the last decade reaches, one thread is as good.
static bool is_large(const txc_session *session, const txc_phase *phase) {
  enum { FlopsPerNs = 64, BytesPerNs = 16, SmallNs = 20000 };
  int64_t flops = optional_value(session, phase->flops_value);
  int64_t bytes = optional_value(session, phase->bytes_value);
  if (flops < 0 && bytes < 0)
    return true;
  return (flops > 0 ? flops / FlopsPerNs : 0) +
             (bytes > 0 ? bytes / BytesPerNs : 0) >
         SmallNs;
}

void txc_run_tasks(void *argument, int32_t index, int64_t begin, int64_t end) {
  txc_session *session = argument;
  const txc_phase *phase = session->phase;
  txc_thread *thread = &session->threads[index];
  phase->fn(&thread->ctx, phase->record, begin, end);
  int32_t nobody = 0;
  if (thread->fault.code)
    atomic_compare_exchange_strong(&session->faulted, &nobody, index + 1);
}

/// A phase for the application's parallel_for: its grid in equal parts, one
/// for each thread that may come.
typedef struct parts {
  txc_session *session;
  int64_t tasks;
  int64_t count;
} parts;

static void run_part(void *argument, size_t index) {
  const parts *p = argument;
  // A count of its own is all a part needs; the application's bug otherwise.
  if (index >= (size_t)p->count)
    return;
  uint32_t fp = txc_enter_kernel_fp();
  int64_t i = (int64_t)index;
  int64_t size = p->tasks / p->count;
  int64_t rest = p->tasks % p->count;
  int64_t begin = size * i + (i < rest ? i : rest);
  txc_run_tasks(p->session, (int32_t)i, begin, begin + size + (i < rest));
  txc_leave_kernel_fp(fp);
}

/// Returns the number of threads it was offered to.
static int32_t run_phase(txc_session *session, int64_t tasks) {
  const txc_session_options *options = &session->options;
  bool alone = tasks == 1 || !is_large(session, session->phase);
  if (options->parallel_for && !alone) {
    int64_t threads = session->thread_count;
    parts p = {session, tasks, tasks < threads ? tasks : threads};
    options->parallel_for(options->parallel_for_user, run_part, &p,
                          (size_t)p.count);
    return (int32_t)p.count;
  }
  if (session->team && !alone) {
    txc_team_phase(session->team, tasks);
    return session->team->shares_count;
  }
  txc_run_tasks(session, 0, 0, tasks);
  return 1;
}

static void report(const txc_session *session, int64_t tasks,
                   uint64_t begin_ns) {
  const txc_phase *phase = session->phase;
  txc_phase_event event = {
      .size = sizeof event,
      .phase = (size_t)(phase - session->model->program->phases),
      .kernel = phase->kernel_name,
      .nodes = phase->onnx_nodes,
      .begin_ns = begin_ns,
      .end_ns = txc_now_ns(),
      .tasks = tasks,
      .flops = optional_value(session, phase->flops_value),
      .bytes = optional_value(session, phase->bytes_value),
      .threads = session->phase_threads,
  };
  session->options.profile(session->options.profile_user, &event);
}

/// On the CPU.
static txc_status run_here(txc_session *session) {
  session->phase_threads =
      run_phase(session, optional_value(session, session->phase->tasks_value));
  return take_fault(session);
}

static txc_status run_and_report(txc_session *session) {
  const txc_gpu_backend *gpu = txc_backend_of(session);
  int64_t tasks = optional_value(session, session->phase->tasks_value);
  if (tasks <= 0)
    return TXC_OK;
  session->phase_threads = 1;
  uint64_t begin_ns = session->options.profile ? txc_now_ns() : 0;
  txc_status status =
      gpu ? gpu->run_phase(session, run_here) : run_here(session);
  if (session->options.profile)
    report(session, tasks, begin_ns);
  return status;
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

/// Reads what lies in a buffer, here or on the GPU.
static txc_status read_bytes(txc_session *session, int64_t base, int64_t offset,
                             void *to, size_t bytes) {
  const txc_gpu_backend *gpu = txc_backend_of(session);
  if (gpu)
    return gpu->read(session, (int32_t)base, offset, to, bytes);
  memcpy(to, session->bases[base] + offset, bytes);
  return TXC_OK;
}

static txc_status write_bytes(txc_session *session, int64_t base,
                              int64_t offset, const void *from, size_t bytes) {
  const txc_gpu_backend *gpu = txc_backend_of(session);
  if (gpu)
    return gpu->write(session, (int32_t)base, offset, from, bytes);
  memcpy(session->bases[base] + offset, from, bytes);
  return TXC_OK;
}

/// Reads what decides how a run goes on.
static txc_status read_condition(txc_session *session, const txc_phase *phase,
                                 void *to, size_t bytes) {
  return read_bytes(session, phase->condition_base,
                    session->values[phase->condition_offset_value], to, bytes);
}

/// Symbols have become known: everything that depends on them follows. They are
/// every other entry of `numbers`.
static txc_status follow_symbols(txc_session *session, const int64_t *numbers,
                                 int64_t count) {
  txc_status status = TXC_OK;
  for (int64_t i = 0; i < count && status == TXC_OK; ++i) {
    int32_t symbol = (int32_t)numbers[2 * i];
    status = txc_check_bounds(session, symbol, session->symbols[symbol]);
  }
  if (status != TXC_OK)
    return status;
  session->model->program->evaluate(session->symbols, session->values);
  for (int64_t i = 0; i < count && status == TXC_OK; ++i)
    status = txc_check_requirements(session, (int32_t)numbers[2 * i]);
  if (status == TXC_OK)
    status = txc_session_fit(session, true);
  const txc_gpu_backend *gpu = txc_backend_of(session);
  if (status == TXC_OK && gpu)
    status = gpu->fit(session);
  return status == TXC_OK ? txc_bind_outputs(session) : status;
}

static txc_status jump_unless(txc_session *session, const txc_phase *phase,
                              int32_t *at) {
  char holds;
  txc_status status = read_condition(session, phase, &holds, sizeof holds);
  if (status == TXC_OK && !holds)
    *at = phase->target;
  return status;
}

static txc_status define_symbol(txc_session *session, const txc_phase *phase) {
  int64_t symbol = phase->symbol;
  txc_status status = read_condition(session, phase, &session->symbols[symbol],
                                     sizeof(int64_t));
  return status == TXC_OK ? follow_symbols(session, &symbol, 1) : status;
}

/// One copy of TXC_PHASE_ASSIGN, as its record has it.
typedef struct copy {
  int64_t from_base, from_offset, bytes;
  int64_t to_base, to_offset;
} copy;

/// A staged copy begins with its size, in a cache line of its own.
enum { StagingLine = 64 };

static uint64_t staged_bytes(uint64_t bytes) {
  return StagingLine + (bytes + StagingLine - 1) / StagingLine * StagingLine;
}

/// Everything is read before anything is written: what is copied may be where
/// another copy goes to, and buffers move with the symbols.
static txc_status assign(txc_session *session, const txc_phase *phase) {
  const int64_t *values = session->values;
  int64_t symbols = phase->record[0];
  const int64_t *numbers = phase->record + 1;
  int64_t copies = numbers[2 * symbols];
  const copy *list = (const copy *)(numbers + 2 * symbols + 1);
  uint64_t bytes = 0;
  for (int64_t i = 0; i < copies; ++i)
    bytes += staged_bytes((uint64_t)values[list[i].bytes]);
  txc_status status = txc_session_stage(session, bytes);
  if (status != TXC_OK)
    return status;
  char *staged = session->staging.data;
  for (int64_t i = 0; i < copies && status == TXC_OK; ++i) {
    int64_t size = values[list[i].bytes];
    memcpy(staged, &size, sizeof size);
    if (size)
      status =
          read_bytes(session, list[i].from_base, values[list[i].from_offset],
                     staged + StagingLine, (size_t)size);
    staged += staged_bytes((uint64_t)size);
  }
  if (status != TXC_OK)
    return status;
  for (int64_t i = 0; i < symbols; ++i)
    session->symbols[numbers[2 * i]] = values[numbers[2 * i + 1]];
  if (symbols)
    status = follow_symbols(session, numbers, symbols);
  if (status != TXC_OK)
    return status;
  staged = session->staging.data;
  for (int64_t i = 0; i < copies && status == TXC_OK; ++i) {
    int64_t size;
    memcpy(&size, staged, sizeof size);
    if (size)
      status = write_bytes(session, list[i].to_base, values[list[i].to_offset],
                           staged + StagingLine, (size_t)size);
    staged += staged_bytes((uint64_t)size);
  }
  return status;
}

static txc_status run_table(txc_session *session) {
  const txc_program *program = session->model->program;
  txc_status status = TXC_OK;
  for (int32_t at = 0; at < program->phase_count && status == TXC_OK;) {
    const txc_phase *phase = &program->phases[at++];
    switch (phase->kind) {
    case TXC_PHASE_RUN:
      session->phase = phase;
      status = run_and_report(session);
      break;
    case TXC_PHASE_JUMP:
      at = phase->target;
      break;
    case TXC_PHASE_JUMP_UNLESS:
      status = jump_unless(session, phase, &at);
      break;
    case TXC_PHASE_JUMP_UNLESS_POSITIVE:
      if (session->values[phase->condition_offset_value] <= 0)
        at = phase->target;
      break;
    case TXC_PHASE_ASSIGN:
      status = assign(session, phase);
      break;
    case TXC_PHASE_REQUIRE:
      status = txc_check_requirement(session, phase->record[0]);
      break;
    default:
      status = define_symbol(session, phase);
      break;
    }
  }
  return status;
}

static txc_status run(txc_session *session, const txc_tensor *inputs,
                      size_t input_count, txc_tensor *outputs,
                      size_t output_count) {
  txc_status status =
      txc_bind(session, inputs, input_count, outputs, output_count, true);
  if (status == TXC_OK)
    status = txc_session_fit(session, false);
  if (status == TXC_OK)
    status = txc_bind_outputs(session);
  if (status != TXC_OK)
    return status;
  const txc_gpu_backend *gpu = txc_backend_of(session);
  if (gpu)
    status = gpu->begin(session);
  uint32_t fp = txc_enter_kernel_fp();
  if (session->team)
    txc_team_begin(session->team);
  if (status == TXC_OK)
    status = run_table(session);
  if (session->team)
    txc_team_end(session->team);
  txc_leave_kernel_fp(fp);
  if (gpu)
    status = gpu->end(session, status);
  if (status != TXC_OK)
    return status;
  txc_state_advance(session);
  txc_fill_outputs(session);
  return TXC_OK;
}

txc_status txc_run_impl(txc_session *session, const txc_tensor *inputs,
                        size_t input_count, txc_tensor *outputs,
                        size_t output_count) {
  txc_status status = txc_session_enter(session);
  if (status != TXC_OK)
    return status;
  return txc_session_leave(
      session, run(session, inputs, input_count, outputs, output_count));
}

txc_status txc_wait_impl(txc_session *session) {
  txc_status status = txc_session_enter(session);
  if (status != TXC_OK)
    return status;
  const txc_gpu_backend *gpu = txc_backend_of(session);
  return txc_session_leave(session, gpu ? gpu->wait(session) : TXC_OK);
}
