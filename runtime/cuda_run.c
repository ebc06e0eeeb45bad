//===- cuda_run.c - Runs on one of NVIDIA's GPUs --------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// A session's memory on the GPU and its stream, on which everything is in
/// order: only phases on the CPU, values that decide what comes next, and the
/// end of a run are waited for.
///
//===----------------------------------------------------------------------===//

#include "runtime/cuda.h"

#include "runtime/bind.h"
#include "runtime/run.h"

/// Memory of the GPU that grows and is kept.
typedef struct device_block {
  txc_cuda_address address;
  uint64_t bytes;
} device_block;

typedef struct cuda_session {
  void *stream;
  device_block arena;
  /// By index of a base; those that change from run to run.
  device_block *inputs;
  txc_cuda_address *bases;
  /// One for each phase, and their copy here; NULL when no kernel reports any.
  txc_cuda_address faults;
  txc_fault *found;
  /// Of one launch: the values of parameters, and pointers to them.
  uint64_t *parameters;
  void **pointers;
  size_t bytes; ///< Of this struct and what is behind it.
} cuda_session;

static const txc_cuda_model *model_of(const txc_session *session) {
  return session->model->gpu;
}

static const txc_cuda_driver *driver_of(const txc_session *session) {
  return &model_of(session)->driver;
}

static txc_status check(txc_session *session, txc_cuda_result result,
                        const char *what) {
  return txc_cuda_check(driver_of(session), result, what, &session->message);
}

/// Calls of the driver are about the context that is current in this thread.
static void enter(const txc_session *session) {
  driver_of(session)->cuCtxPushCurrent_v2(model_of(session)->context);
}

static void leave(const txc_session *session) {
  void *context;
  driver_of(session)->cuCtxPopCurrent_v2(&context);
}

static txc_status wait(txc_session *session, const char *what) {
  cuda_session *cuda = session->gpu;
  return check(session, driver_of(session)->cuStreamSynchronize(cuda->stream),
               what);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// Makes a block at least as large; on failure it stays as it is.
static txc_status grow(txc_session *session, device_block *block,
                       uint64_t bytes, bool keep) {
  const txc_cuda_driver *driver = driver_of(session);
  cuda_session *cuda = session->gpu;
  if (bytes <= block->bytes)
    return TXC_OK;
  txc_cuda_address address = 0;
  txc_cuda_result result = driver->cuMemAlloc_v2(&address, bytes);
  if (result == 0 && keep && block->bytes)
    result = driver->cuMemcpyDtoDAsync_v2(address, block->address, block->bytes,
                                          cuda->stream);
  // What runs may still use the old one.
  if (result == 0 && block->address)
    result = driver->cuStreamSynchronize(cuda->stream);
  if (result == 0 && block->address)
    result = driver->cuMemFree_v2(block->address);
  if (result != 0) {
    if (address)
      driver->cuMemFree_v2(address);
    return check(session, result, "getting memory of the GPU");
  }
  block->address = address;
  block->bytes = bytes;
  return TXC_OK;
}

/// The arena's place, and that of the outputs, which lie in it.
static txc_status fit(txc_session *session, bool keep) {
  const txc_program *program = session->model->program;
  cuda_session *cuda = session->gpu;
  txc_status status = grow(session, &cuda->arena, session->arena.bytes, keep);
  if (status != TXC_OK)
    return status;
  cuda->bases[TXC_BASE_ARENA] = cuda->arena.address;
  for (int32_t i = 0; i < program->output_count; ++i)
    cuda->bases[txc_first_output_base(program) + i] =
        cuda->arena.address +
        (uint64_t)session->values[program->outputs[i].arena_offset_value];
  return TXC_OK;
}

static txc_status fit_arena(txc_session *session) { return fit(session, true); }

static txc_status copy_input(txc_session *session, int32_t index) {
  const txc_tensor *tensor = session->inputs[index];
  cuda_session *cuda = session->gpu;
  uint64_t bytes = 0;
  txc_tensor_bytes(tensor->type, tensor->rank, tensor->dims, &bytes);
  if (bytes == 0)
    return TXC_OK;
  txc_status status = grow(session, &cuda->inputs[index], bytes, false);
  if (status != TXC_OK)
    return status;
  cuda->bases[TXC_BASE_FIRST_INPUT + index] = cuda->inputs[index].address;
  return check(
      session,
      driver_of(session)->cuMemcpyHtoDAsync_v2(
          cuda->inputs[index].address, tensor->data, bytes, cuda->stream),
      "copying an input");
}

static txc_status copy_outputs(txc_session *session) {
  const txc_program *program = session->model->program;
  const cuda_session *cuda = session->gpu;
  txc_cuda_result result = 0;
  for (int32_t i = 0; i < program->output_count && result == 0; ++i) {
    const txc_tensor_desc *desc = &program->outputs[i];
    int32_t base = txc_first_output_base(program) + i;
    int64_t dims[TXC_MAX_RANK];
    uint64_t bytes = 0;
    for (int32_t axis = 0; axis < desc->rank; ++axis)
      dims[axis] = txc_dim_extent(session, &desc->dims[axis]);
    if (session->outputs[i] &&
        txc_tensor_bytes(desc->type, desc->rank, dims, &bytes) && bytes)
      result = driver_of(session)->cuMemcpyDtoHAsync_v2(
          session->bases[base], cuda->bases[base], bytes, cuda->stream);
  }
  return check(session, result, "copying an output");
}

//===----------------------------------------------------------------------===//
// Sessions
//===----------------------------------------------------------------------===//

/// The most parameters of a launch, and whether any reports faults.
static size_t count_parameters(const txc_program *program, bool *reports) {
  size_t most = 0;
  *reports = false;
  for (int32_t i = 0; i < program->phase_count; ++i) {
    const txc_launch *launch = program->phases[i].launch;
    if (!launch)
      continue;
    *reports |= launch->reports_faults != 0;
    size_t count = (size_t)launch->buffer_count + (size_t)launch->value_count +
                   (size_t)launch->reports_faults;
    if (count > most)
      most = count;
  }
  return most;
}

/// Hands out a piece behind what is used, or counts it.
static void *piece(char *memory, size_t *used, size_t bytes) {
  void *result = memory ? memory + *used : NULL;
  *used += (bytes + 63) / 64 * 64;
  return result;
}

static size_t lay_out(const txc_program *program, cuda_session *cuda,
                      char *memory) {
  bool reports;
  size_t parameters = count_parameters(program, &reports), used = 0;
  size_t bases =
      (size_t)(txc_first_rows_base(program) + program->sequence_count);
  piece(memory, &used, sizeof *cuda);
  cuda->inputs =
      piece(memory, &used, sizeof *cuda->inputs * (size_t)program->input_count);
  cuda->bases = piece(memory, &used, sizeof *cuda->bases * bases);
  cuda->parameters =
      piece(memory, &used, sizeof *cuda->parameters * parameters);
  cuda->pointers =
      (void **)piece(memory, &used, sizeof *cuda->pointers * parameters);
  cuda->found = NULL;
  if (reports)
    cuda->found = piece(memory, &used,
                        sizeof *cuda->found * (size_t)program->phase_count);
  return used;
}

static txc_status allocate(txc_session *session) {
  const txc_program *program = session->model->program;
  const txc_cuda_driver *driver = driver_of(session);
  cuda_session *cuda = session->gpu;
  txc_cuda_result result = driver->cuStreamCreate(&cuda->stream, 1);
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
  cuda->bases[TXC_BASE_WEIGHTS] = model_of(session)->weights;
  return check(session, result, "getting memory of the GPU");
}

static void free_memory(txc_session *session) {
  const txc_program *program = session->model->program;
  const txc_cuda_driver *driver = driver_of(session);
  cuda_session *cuda = session->gpu;
  driver->cuMemFree_v2(cuda->arena.address);
  driver->cuMemFree_v2(cuda->faults);
  for (int32_t i = 0; i < program->input_count; ++i)
    driver->cuMemFree_v2(cuda->inputs[i].address);
  for (int32_t i = 0; i < program->state_count; ++i)
    driver->cuMemFree_v2(cuda->bases[txc_first_state_base(program) + i]);
  if (cuda->stream)
    driver->cuStreamDestroy_v2(cuda->stream);
}

static void close_session(txc_session *session) {
  cuda_session *cuda = session->gpu;
  if (!cuda)
    return;
  enter(session);
  if (cuda->stream)
    driver_of(session)->cuStreamSynchronize(cuda->stream);
  free_memory(session);
  leave(session);
  txc_release(&session->allocator, cuda, cuda->bytes);
  session->gpu = NULL;
}

static txc_status open_session(txc_session *session, txc_message *message) {
  const txc_program *program = session->model->program;
  cuda_session sizes = {0};
  size_t bytes = lay_out(program, &sizes, NULL);
  cuda_session *cuda = txc_allocate_zero(&session->allocator, bytes, 64);
  if (!cuda)
    return txc_fail(message, TXC_OUT_OF_MEMORY, "no memory for the session");
  lay_out(program, cuda, (char *)cuda);
  cuda->bytes = bytes;
  session->gpu = cuda;
  enter(session);
  txc_status status = allocate(session);
  leave(session);
  if (status != TXC_OK)
    txc_fail(message, status, "%s", session->message.text);
  return status;
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

static txc_cuda_address buffer(const txc_session *session, int64_t base,
                               int64_t offset_value) {
  const cuda_session *cuda = session->gpu;
  return cuda->bases[base] + (uint64_t)session->values[offset_value];
}

static txc_status check_grid(txc_session *session, const int64_t *grid) {
  if (grid[0] <= INT32_MAX && grid[1] <= UINT16_MAX && grid[2] <= UINT16_MAX)
    return TXC_OK;
  return txc_fail(&session->message, TXC_OUT_OF_BOUNDS,
                  "these dims are too large for a GPU in %s: %lld x %lld x "
                  "%lld blocks",
                  session->phase->onnx_nodes, (long long)grid[0],
                  (long long)grid[1], (long long)grid[2]);
}

static txc_status launch_kernel(txc_session *session) {
  const txc_phase *phase = session->phase;
  const txc_launch *launch = phase->launch;
  const txc_cuda_model *model = model_of(session);
  cuda_session *cuda = session->gpu;
  int64_t grid[3];
  for (int32_t i = 0; i < 3; ++i)
    grid[i] = session->values[launch->grid_values[i]];
  txc_status status = check_grid(session, grid);
  if (status != TXC_OK)
    return status;
  const int64_t *record = phase->record;
  int32_t count = 0;
  for (int32_t i = 0; i < launch->buffer_count; ++i, record += 2)
    cuda->parameters[count++] = buffer(session, record[0], record[1]);
  if (launch->reports_faults)
    cuda->parameters[count++] =
        cuda->faults +
        sizeof(txc_fault) * (uint64_t)(phase - session->model->program->phases);
  for (int32_t i = 0; i < launch->value_count; ++i)
    cuda->parameters[count++] = (uint64_t)session->values[record[i]];
  for (int32_t i = 0; i < count; ++i)
    cuda->pointers[i] = &cuda->parameters[i];
  const txc_gpu_kernel *kernel =
      &session->model->program->gpu->kernels[launch->kernel];
  status =
      check(session,
            model->driver.cuLaunchKernel(
                model->functions[launch->kernel], (unsigned)grid[0],
                (unsigned)grid[1], (unsigned)grid[2], (unsigned)kernel->threads,
                1, 1, 0, cuda->stream, cuda->pointers, NULL),
            phase->kernel_name);
  // Who wants to know what a phase takes waits for it.
  if (status == TXC_OK && session->options.profile)
    status = wait(session, phase->kernel_name);
  return status;
}

/// Copies what a phase on the CPU reads (from the GPU), or has written.
static txc_status transfer(txc_session *session, bool results) {
  const txc_phase *phase = session->phase;
  const txc_cuda_driver *driver = driver_of(session);
  const cuda_session *cuda = session->gpu;
  txc_cuda_result result = 0;
  for (int32_t i = 0; i < phase->transfer_count && result == 0; ++i) {
    const txc_transfer *copy = &phase->transfers[i];
    uint64_t bytes = (uint64_t)session->values[copy->bytes_value];
    txc_cuda_address there = buffer(session, copy->base, copy->offset_value);
    char *here =
        session->bases[copy->base] + session->values[copy->offset_value];
    if (bytes == 0)
      continue;
    // A state keeps what the phase doesn't write, so results are read as well.
    if (!results)
      result = driver->cuMemcpyDtoHAsync_v2(here, there, bytes, cuda->stream);
    else if (copy->is_result)
      result = driver->cuMemcpyHtoDAsync_v2(there, here, bytes, cuda->stream);
  }
  return check(session, result, "copying between CPU and GPU");
}

static txc_status run_phase(txc_session *session,
                            txc_status (*run_on_cpu)(txc_session *session)) {
  if (session->phase->launch)
    return launch_kernel(session);
  txc_status status = transfer(session, false);
  if (status == TXC_OK)
    status = wait(session, session->phase->onnx_nodes);
  if (status == TXC_OK)
    status = run_on_cpu(session);
  if (status == TXC_OK)
    status = transfer(session, true);
  // The copies here may change before they have been read otherwise.
  return status == TXC_OK ? wait(session, session->phase->onnx_nodes) : status;
}

static txc_status read_value(txc_session *session, int32_t base, int64_t offset,
                             void *to, size_t bytes) {
  const cuda_session *cuda = session->gpu;
  txc_status status =
      check(session,
            driver_of(session)->cuMemcpyDtoHAsync_v2(
                to, cuda->bases[base] + (uint64_t)offset, bytes, cuda->stream),
            "reading a value");
  return status == TXC_OK ? wait(session, "reading a value") : status;
}

static txc_status write_value(txc_session *session, int32_t base,
                              int64_t offset, const void *from, size_t bytes) {
  const cuda_session *cuda = session->gpu;
  txc_status status = check(
      session,
      driver_of(session)->cuMemcpyHtoDAsync_v2(
          cuda->bases[base] + (uint64_t)offset, from, bytes, cuda->stream),
      "writing a value");
  return status == TXC_OK ? wait(session, "writing a value") : status;
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

static txc_status begin(txc_session *session) {
  const txc_program *program = session->model->program;
  cuda_session *cuda = session->gpu;
  enter(session);
  txc_status status = fit(session, false);
  for (int32_t i = 0; i < program->input_count && status == TXC_OK; ++i)
    status = copy_input(session, i);
  if (status == TXC_OK && cuda->found)
    status = check(session,
                   driver_of(session)->cuMemsetD8Async(
                       cuda->faults, 0,
                       sizeof(txc_fault) * (size_t)program->phase_count,
                       cuda->stream),
                   "clearing faults");
  return status;
}

/// The first phase that met a fault decides.
static txc_status report_faults(txc_session *session) {
  const txc_program *program = session->model->program;
  const cuda_session *cuda = session->gpu;
  for (int32_t i = 0; cuda->found && i < program->phase_count; ++i)
    if (cuda->found[i].code) {
      session->phase = &program->phases[i];
      return txc_explain_fault(session, &cuda->found[i]);
    }
  return TXC_OK;
}

static txc_status finish(txc_session *session) {
  const txc_program *program = session->model->program;
  cuda_session *cuda = session->gpu;
  txc_status status = copy_outputs(session);
  if (status == TXC_OK && cuda->found)
    status = check(session,
                   driver_of(session)->cuMemcpyDtoHAsync_v2(
                       cuda->found, cuda->faults,
                       sizeof(txc_fault) * (size_t)program->phase_count,
                       cuda->stream),
                   "reading faults");
  if (status == TXC_OK)
    status = wait(session, "the run on the GPU failed");
  return status == TXC_OK ? report_faults(session) : status;
}

static txc_status end(txc_session *session, txc_status status) {
  if (status == TXC_OK)
    status = finish(session);
  else
    // Inputs are the caller's again.
    driver_of(session)->cuStreamSynchronize(
        ((cuda_session *)session->gpu)->stream);
  leave(session);
  return status;
}

//===----------------------------------------------------------------------===//
// State
//===----------------------------------------------------------------------===//

static txc_status copy_states(txc_session *session, bool here) {
  const txc_program *program = session->model->program;
  const txc_cuda_driver *driver = driver_of(session);
  const cuda_session *cuda = session->gpu;
  txc_cuda_result result = 0;
  enter(session);
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
  leave(session);
  return check(session, result, "copying state");
}

static txc_status read_states(txc_session *session) {
  return copy_states(session, true);
}

static txc_status write_states(txc_session *session) {
  return copy_states(session, false);
}

const txc_gpu_backend txc_cuda_backend = {
    .open = txc_cuda_open,
    .close = txc_cuda_close,
    .open_session = open_session,
    .close_session = close_session,
    .begin = begin,
    .run_phase = run_phase,
    .read = read_value,
    .write = write_value,
    .fit = fit_arena,
    .end = end,
    .read_states = read_states,
    .write_states = write_states,
};
