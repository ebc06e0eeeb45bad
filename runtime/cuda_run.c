//===- cuda_run.c - Runs on one of NVIDIA's GPUs --------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Runs, on a stream on which everything is in order: only phases on the CPU,
/// values that decide what comes next, and the end of a run that gives
/// something to the CPU are waited for.
///
//===----------------------------------------------------------------------===//

#include "runtime/cuda_session.h"

#include "runtime/bind.h"
#include "runtime/run.h"

static txc_status wait(txc_session *session, const char *what) {
  cuda_session *cuda = session->gpu;
  return txc_cuda_check_call(
      session, txc_cuda_driver_of(session)->cuStreamSynchronize(cuda->stream),
      what);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// Makes a block at least as large; on failure it stays as it is.
static txc_status grow(txc_session *session, device_block *block,
                       uint64_t bytes, bool keep) {
  const txc_cuda_driver *driver = txc_cuda_driver_of(session);
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
    return txc_cuda_check_call(session, result, "getting memory of the GPU");
  }
  block->address = address;
  block->bytes = bytes;
  return TXC_OK;
}

/// Kernels load and store up to 16 bytes at a time.
static bool is_in_place(const txc_tensor *tensor) {
  return tensor && tensor->device == TXC_DEVICE && !tensor->borrowed &&
         (uintptr_t)tensor->data % 16 == 0;
}

/// The arena's place, and that of the outputs, which lie in it or where the
/// caller wants them.
static txc_status fit(txc_session *session, bool keep) {
  const txc_program *program = session->model->program;
  cuda_session *cuda = session->gpu;
  txc_status status = grow(session, &cuda->arena, session->arena.bytes, keep);
  if (status != TXC_OK)
    return status;
  cuda->bases[TXC_BASE_ARENA] = cuda->arena.address;
  for (int32_t i = 0; i < program->output_count; ++i) {
    const txc_tensor *tensor = session->outputs[i];
    cuda->bases[txc_first_output_base(program) + i] =
        is_in_place(tensor)
            ? (txc_cuda_address)(uintptr_t)tensor->data
            : cuda->arena.address +
                  (uint64_t)
                      session->values[program->outputs[i].arena_offset_value];
  }
  return TXC_OK;
}

static txc_status fit_arena(txc_session *session) {
  txc_status status = txc_cuda_launch(session);
  return status == TXC_OK ? fit(session, true) : status;
}

/// Brings an input of the GPU's to where phases on the CPU look for it.
static txc_status fetch_input(txc_session *session, int32_t index,
                              txc_cuda_address from, uint64_t bytes) {
  cuda_session *cuda = session->gpu;
  txc_block *block = &cuda->host_inputs[index];
  if (bytes > block->bytes) {
    txc_release(&session->allocator, block->data, block->bytes);
    block->bytes = 0;
    block->data = txc_allocate(&session->allocator, bytes, 64);
    if (!block->data)
      return txc_fail(&session->message, TXC_OUT_OF_MEMORY,
                      "no memory for a copy of an input");
    block->bytes = bytes;
  }
  session->bases[TXC_BASE_FIRST_INPUT + index] = block->data;
  return txc_cuda_check_call(session,
                             txc_cuda_driver_of(session)->cuMemcpyDtoHAsync_v2(
                                 block->data, from, bytes, cuda->stream),
                             "copying an input");
}

static txc_status copy_input(txc_session *session, int32_t index) {
  const txc_tensor *tensor = session->inputs[index];
  const txc_cuda_driver *driver = txc_cuda_driver_of(session);
  cuda_session *cuda = session->gpu;
  txc_cuda_address *base = &cuda->bases[TXC_BASE_FIRST_INPUT + index];
  txc_cuda_address there = (txc_cuda_address)(uintptr_t)tensor->data;
  uint64_t bytes = 0;
  txc_tensor_bytes(tensor->type, tensor->rank, tensor->dims, &bytes);
  if (bytes == 0)
    return TXC_OK;
  if (tensor->device == TXC_DEVICE && cuda->host_inputs) {
    txc_status status = fetch_input(session, index, there, bytes);
    if (status != TXC_OK)
      return status;
  }
  if (is_in_place(tensor)) {
    *base = there;
    return TXC_OK;
  }
  txc_status status = grow(session, &cuda->inputs[index], bytes, false);
  if (status != TXC_OK)
    return status;
  *base = cuda->inputs[index].address;
  txc_cuda_result result =
      tensor->device == TXC_DEVICE
          ? driver->cuMemcpyDtoDAsync_v2(*base, there, bytes, cuda->stream)
          : driver->cuMemcpyHtoDAsync_v2(*base, tensor->data, bytes,
                                         cuda->stream);
  return txc_cuda_check_call(session, result, "copying an input");
}

static uint64_t output_bytes(const txc_session *session, int32_t index) {
  const txc_tensor_desc *desc = &session->model->program->outputs[index];
  int64_t dims[TXC_MAX_RANK];
  uint64_t bytes = 0;
  for (int32_t axis = 0; axis < desc->rank; ++axis)
    dims[axis] = txc_dim_extent(session, &desc->dims[axis]);
  return txc_tensor_bytes(desc->type, desc->rank, dims, &bytes) ? bytes : 0;
}

/// To where the caller wants them. for_host: whether any is the CPU's.
static txc_status copy_outputs(txc_session *session, bool *for_host) {
  const txc_program *program = session->model->program;
  const txc_cuda_driver *driver = txc_cuda_driver_of(session);
  const cuda_session *cuda = session->gpu;
  txc_cuda_result result = 0;
  *for_host = false;
  for (int32_t i = 0; i < program->output_count && result == 0; ++i) {
    int32_t base = txc_first_output_base(program) + i;
    txc_cuda_address from = cuda->bases[base];
    txc_tensor *tensor = session->outputs[i];
    if (!tensor || is_in_place(tensor))
      continue;
    uint64_t bytes = output_bytes(session, i);
    if (tensor->device == TXC_HOST) {
      *for_host = true;
      if (bytes)
        result = driver->cuMemcpyDtoHAsync_v2(session->bases[base], from, bytes,
                                              cuda->stream);
    } else if (tensor->borrowed) {
      tensor->data = (void *)(uintptr_t)from;
    } else if (bytes) {
      result = driver->cuMemcpyDtoDAsync_v2(
          (txc_cuda_address)(uintptr_t)tensor->data, from, bytes, cuda->stream);
    }
  }
  return txc_cuda_check_call(session, result, "copying an output");
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

/// Copies what a phase on the CPU reads (from the GPU), or has written.
static txc_status transfer(txc_session *session, bool results) {
  const txc_phase *phase = session->phase;
  const txc_cuda_driver *driver = txc_cuda_driver_of(session);
  const cuda_session *cuda = session->gpu;
  txc_cuda_result result = 0;
  for (int32_t i = 0; i < phase->transfer_count && result == 0; ++i) {
    const txc_transfer *copy = &phase->transfers[i];
    uint64_t bytes = (uint64_t)session->values[copy->bytes_value];
    txc_cuda_address there =
        cuda->bases[copy->base] + (uint64_t)session->values[copy->offset_value];
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
  return txc_cuda_check_call(session, result, "copying between CPU and GPU");
}

static txc_status run_phase(txc_session *session,
                            txc_status (*run_on_cpu)(txc_session *session)) {
  if (session->phase->launch)
    return txc_cuda_gather(session);
  txc_status status = txc_cuda_launch(session);
  if (status == TXC_OK)
    status = transfer(session, false);
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
  static const char what[] = "reading a value";
  const cuda_session *cuda = session->gpu;
  txc_status status = txc_cuda_launch(session);
  if (status == TXC_OK)
    status = txc_cuda_check_call(
        session,
        txc_cuda_driver_of(session)->cuMemcpyDtoHAsync_v2(
            to, cuda->bases[base] + (uint64_t)offset, bytes, cuda->stream),
        what);
  return status == TXC_OK ? wait(session, what) : status;
}

static txc_status write_value(txc_session *session, int32_t base,
                              int64_t offset, const void *from, size_t bytes) {
  static const char what[] = "writing a value";
  const cuda_session *cuda = session->gpu;
  txc_status status = txc_cuda_launch(session);
  if (status == TXC_OK)
    status = txc_cuda_check_call(
        session,
        txc_cuda_driver_of(session)->cuMemcpyHtoDAsync_v2(
            cuda->bases[base] + (uint64_t)offset, from, bytes, cuda->stream),
        what);
  return status == TXC_OK ? wait(session, what) : status;
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

static txc_status begin(txc_session *session) {
  const txc_program *program = session->model->program;
  cuda_session *cuda = session->gpu;
  txc_cuda_enter(session);
  cuda->gathered_count = 0;
  txc_status status = fit(session, false);
  for (int32_t i = 0; i < program->input_count && status == TXC_OK; ++i)
    status = copy_input(session, i);
  // What nobody has read stays.
  if (status == TXC_OK && cuda->found && !cuda->unread)
    status = txc_cuda_check_call(
        session,
        txc_cuda_driver_of(session)->cuMemsetD8Async(
            cuda->faults, 0, sizeof(txc_fault) * (size_t)program->phase_count,
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

/// The end of all that has been put on the stream.
static txc_status settle(txc_session *session) {
  const txc_program *program = session->model->program;
  cuda_session *cuda = session->gpu;
  txc_status status = TXC_OK;
  if (cuda->found)
    status = txc_cuda_check_call(
        session,
        txc_cuda_driver_of(session)->cuMemcpyDtoHAsync_v2(
            cuda->found, cuda->faults,
            sizeof(txc_fault) * (size_t)program->phase_count, cuda->stream),
        "reading faults");
  if (status == TXC_OK)
    status = wait(session, "the run on the GPU failed");
  cuda->unread = false;
  return status == TXC_OK ? report_faults(session) : status;
}

static txc_status finish(txc_session *session) {
  cuda_session *cuda = session->gpu;
  bool for_host;
  txc_status status = txc_cuda_launch(session);
  if (status == TXC_OK)
    status = copy_outputs(session, &for_host);
  if (status != TXC_OK)
    return status;
  if (cuda->owns_stream || for_host)
    return settle(session);
  cuda->unread = true;
  return TXC_OK;
}

/// The end of a call. Of a kernel that failed the driver says only that there
/// is one, and maybe not before the next call.
static txc_status conclude(txc_session *session, txc_status status) {
  const cuda_session *cuda = session->gpu;
  txc_cuda_leave(session);
  if (status != TXC_DEVICE_FAILURE || cuda->one_by_one)
    return status;
  txc_message found = session->message;
  return txc_fail(&session->message, status,
                  "%.400s; if a kernel failed, CUDA_LAUNCH_BLOCKING=1 names it",
                  found.text);
}

static txc_status end(txc_session *session, txc_status status) {
  const cuda_session *cuda = session->gpu;
  if (status == TXC_OK)
    status = finish(session);
  else
    // Inputs are the caller's again.
    txc_cuda_driver_of(session)->cuStreamSynchronize(cuda->stream);
  return conclude(session, status);
}

static txc_status wait_for_runs(txc_session *session) {
  const cuda_session *cuda = session->gpu;
  if (!cuda->unread)
    return TXC_OK;
  txc_cuda_enter(session);
  return conclude(session, settle(session));
}

//===----------------------------------------------------------------------===//
// The backend
//===----------------------------------------------------------------------===//

const txc_gpu_backend txc_cuda_backend = {
    .open = txc_cuda_open,
    .close = txc_cuda_close,
    .open_session = txc_cuda_open_session,
    .close_session = txc_cuda_close_session,
    .begin = begin,
    .run_phase = run_phase,
    .read = read_value,
    .write = write_value,
    .fit = fit_arena,
    .end = end,
    .wait = wait_for_runs,
    .read_states = txc_cuda_read_states,
    .write_states = txc_cuda_write_states,
};
