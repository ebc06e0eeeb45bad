//===- gpu.h - Running a program on a GPU -------------------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// What a kind of GPU has to offer. Everything else (dims, requirements, the
/// phase table, lengths of state) is the same as on a CPU; the session's own
/// arena and state buffers are the CPU's copies.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_GPU_H
#define TXC_RUNTIME_GPU_H

#include "runtime/session.h"

/// Errors are those of a run, besides NO_DEVICE and DEVICE_FAILURE.
typedef struct txc_gpu_backend {
  /// Opens GPU `number` for the model, whose program and weights are set, loads
  /// the kernels and copies the weights. On failure the model stays as it is.
  txc_status (*open)(txc_model *model, int32_t number, txc_message *message);
  void (*close)(txc_model *model);
  /// Makes the session's part, with its state buffers, which are zero.
  txc_status (*open_session)(txc_session *session, txc_message *message);
  void (*close_session)(txc_session *session);

  /// Begins a run whose dims, bases and arena are known: copies the inputs.
  txc_status (*begin)(txc_session *session);
  /// Runs session->phase: launches its kernel, or copies what the CPU reads and
  /// writes around a call of `run_on_cpu`.
  txc_status (*run_phase)(txc_session *session,
                          txc_status (*run_on_cpu)(txc_session *session));
  /// Waits, and reads bytes at a base and offset.
  txc_status (*read)(txc_session *session, int32_t base, int64_t offset,
                     void *to, size_t bytes);
  /// Writes bytes there, and waits until `from` has been read.
  txc_status (*write)(txc_session *session, int32_t base, int64_t offset,
                      const void *from, size_t bytes);
  /// Follows an arena that has grown and keeps its contents.
  txc_status (*fit)(txc_session *session);
  /// Ends a run, also one that failed: copies the outputs that are asked for,
  /// and, unless nothing is for the CPU and the stream is the caller's, waits
  /// and reports faults.
  txc_status (*end)(txc_session *session, txc_status status);
  /// Waits for earlier runs and reports their faults.
  txc_status (*wait)(txc_session *session);

  /// Between the buffers of state here and there.
  txc_status (*read_states)(txc_session *session);
  txc_status (*write_states)(txc_session *session);
} txc_gpu_backend;

/// The backend of a session's program; NULL on a CPU.
static inline const txc_gpu_backend *
txc_backend_of(const txc_session *session) {
  const txc_gpu_program *gpu = session->model->program->gpu;
  return gpu ? gpu->backend : NULL;
}

#endif // TXC_RUNTIME_GPU_H
