//===- cuda_session.c - A session on one of NVIDIA's GPUs -----------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See cuda_session.h.
///
//===----------------------------------------------------------------------===//

#include "runtime/cuda_session.h"

#include <stdlib.h>

//===----------------------------------------------------------------------===//
// Sessions
//===----------------------------------------------------------------------===//

/// What the phases of a program ask of a session.
typedef struct needs {
  size_t parameters; ///< Of all kernels.
  bool reports;      ///< A kernel reports faults.
  bool has_host;     ///< There is a phase on the CPU.
} needs;

static needs find_needs(const txc_program *program) {
  needs all = {0, false, false};
  for (int32_t i = 0; i < program->phase_count; ++i) {
    const txc_phase *phase = &program->phases[i];
    all.parameters += (size_t)txc_cuda_parameters(phase);
    all.reports |= phase->launch && phase->launch->reports_faults;
    all.has_host |= phase->kind == TXC_PHASE_RUN && !phase->launch;
  }
  return all;
}

/// Hands out a piece behind what is used, or counts it.
static void *piece(char *memory, size_t *used, size_t bytes) {
  void *result = memory ? memory + *used : NULL;
  *used += (bytes + 63) / 64 * 64;
  return result;
}

static size_t lay_out(const txc_program *program, cuda_session *cuda,
                      char *memory) {
  needs all = find_needs(program);
  size_t used = 0, phases = (size_t)program->phase_count;
  size_t inputs = (size_t)program->input_count;
  size_t bases =
      (size_t)(txc_first_rows_base(program) + program->sequence_count);
  piece(memory, &used, sizeof *cuda);
  cuda->inputs = piece(memory, &used, sizeof *cuda->inputs * inputs);
  cuda->bases = piece(memory, &used, sizeof *cuda->bases * bases);
  cuda->gathered = piece(memory, &used, sizeof *cuda->gathered * phases);
  cuda->first_parameter =
      piece(memory, &used, sizeof *cuda->first_parameter * phases);
  cuda->parameters =
      piece(memory, &used, sizeof *cuda->parameters * all.parameters);
  cuda->pointers =
      (void **)piece(memory, &used, sizeof *cuda->pointers * all.parameters);
  cuda->grids = piece(memory, &used, sizeof *cuda->grids * phases);
  cuda->graphs =
      (launch_graph **)piece(memory, &used, sizeof *cuda->graphs * phases);
  cuda->found = NULL;
  if (all.reports)
    cuda->found = piece(memory, &used, sizeof *cuda->found * phases);
  cuda->host_inputs = NULL;
  if (all.has_host)
    cuda->host_inputs =
        piece(memory, &used, sizeof *cuda->host_inputs * inputs);
  return used;
}

/// Each parameter has a place of its own, so that pointers to them stay.
static void place_parameters(const txc_program *program, cuda_session *cuda) {
  int32_t count = 0;
  for (int32_t i = 0; i < program->phase_count; ++i) {
    cuda->first_parameter[i] = count;
    for (int32_t k = txc_cuda_parameters(&program->phases[i]); k; --k, ++count)
      cuda->pointers[count] = &cuda->parameters[count];
  }
}

static txc_status allocate(txc_session *session) {
  const txc_program *program = session->model->program;
  const txc_cuda_driver *driver = txc_cuda_driver_of(session);
  cuda_session *cuda = session->gpu;
  txc_cuda_result result = 0;
  cuda->stream = session->options.stream;
  if (!cuda->stream) {
    result = driver->cuStreamCreate(&cuda->stream, 1);
    cuda->owns_stream = result == 0;
  }
  if (result == 0 && cuda->found)
    result = driver->cuMemAlloc_v2(
        &cuda->faults, sizeof(txc_fault) * (size_t)program->phase_count);
  for (int32_t i = 0; i < program->state_count && result == 0; ++i) {
    txc_cuda_address *base = &cuda->bases[txc_first_state_base(program) + i];
    uint64_t bytes = session->states[i].bytes;
    result = driver->cuMemAlloc_v2(base, bytes ? bytes : 1);
    if (result == 0)
      result =
          driver->cuMemsetD8Async(*base, 0, bytes ? bytes : 1, cuda->stream);
  }
  cuda->bases[TXC_BASE_WEIGHTS] = txc_cuda_model_of(session)->weights;
  return txc_cuda_check_call(session, result, "getting memory of the GPU");
}

static void free_memory(txc_session *session) {
  const txc_program *program = session->model->program;
  const txc_cuda_driver *driver = txc_cuda_driver_of(session);
  cuda_session *cuda = session->gpu;
  driver->cuMemFree_v2(cuda->arena.address);
  driver->cuMemFree_v2(cuda->faults);
  for (int32_t i = 0; i < program->input_count; ++i)
    driver->cuMemFree_v2(cuda->inputs[i].address);
  for (int32_t i = 0; i < program->state_count; ++i)
    driver->cuMemFree_v2(cuda->bases[txc_first_state_base(program) + i]);
  txc_cuda_destroy_graphs(session);
  if (cuda->owns_stream)
    driver->cuStreamDestroy_v2(cuda->stream);
  for (int32_t i = 0; cuda->host_inputs && i < program->input_count; ++i)
    txc_release(&session->allocator, cuda->host_inputs[i].data,
                cuda->host_inputs[i].bytes);
}

void txc_cuda_close_session(txc_session *session) {
  cuda_session *cuda = session->gpu;
  if (!cuda)
    return;
  txc_cuda_enter(session);
  if (cuda->stream)
    txc_cuda_driver_of(session)->cuStreamSynchronize(cuda->stream);
  free_memory(session);
  txc_cuda_leave(session);
  txc_release(&session->allocator, cuda, cuda->bytes);
  session->gpu = NULL;
}

txc_status txc_cuda_open_session(txc_session *session, txc_message *message) {
  const txc_program *program = session->model->program;
  cuda_session sizes = {0};
  size_t bytes = lay_out(program, &sizes, NULL);
  cuda_session *cuda = txc_allocate_zero(&session->allocator, bytes, 64);
  if (!cuda)
    return txc_fail(message, TXC_OUT_OF_MEMORY, "no memory for the session");
  lay_out(program, cuda, (char *)cuda);
  place_parameters(program, cuda);
  // As the driver itself understands it, but it can't name a kernel.
  const char *blocking = getenv("CUDA_LAUNCH_BLOCKING");
  cuda->one_by_one = blocking && strcmp(blocking, "1") == 0;
  cuda->bytes = bytes;
  session->gpu = cuda;
  txc_cuda_enter(session);
  txc_status status = allocate(session);
  txc_cuda_leave(session);
  if (status != TXC_OK)
    txc_fail(message, status, "%s", session->message.text);
  return status;
}

//===----------------------------------------------------------------------===//
// State
//===----------------------------------------------------------------------===//

static txc_status copy_states(txc_session *session, bool here) {
  const txc_program *program = session->model->program;
  const txc_cuda_driver *driver = txc_cuda_driver_of(session);
  const cuda_session *cuda = session->gpu;
  txc_cuda_result result = 0;
  txc_cuda_enter(session);
  for (int32_t i = 0; i < program->state_count && result == 0; ++i) {
    txc_cuda_address there = cuda->bases[txc_first_state_base(program) + i];
    txc_block *block = &session->states[i];
    result = here ? driver->cuMemcpyDtoHAsync_v2(block->data, there,
                                                 block->bytes, cuda->stream)
                  : driver->cuMemcpyHtoDAsync_v2(there, block->data,
                                                 block->bytes, cuda->stream);
  }
  if (result == 0)
    result = driver->cuStreamSynchronize(cuda->stream);
  txc_cuda_leave(session);
  return txc_cuda_check_call(session, result, "copying state");
}

txc_status txc_cuda_read_states(txc_session *session) {
  return copy_states(session, true);
}

txc_status txc_cuda_write_states(txc_session *session) {
  return copy_states(session, false);
}
