//===- cuda_session.h - A session on one of NVIDIA's GPUs ---------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// A session's memory on the GPU, its stream, and the launches of a run, which
/// are gathered until something else has to happen and then go to the driver as
/// one graph. The graph stays: where the same phases run again, only nodes
/// whose grid, addresses or values differ are set anew.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_CUDA_SESSION_H
#define TXC_RUNTIME_CUDA_SESSION_H

#include "runtime/cuda.h"

/// Memory of the GPU that grows and is kept.
typedef struct device_block {
  txc_cuda_address address;
  uint64_t bytes;
} device_block;

/// Phases that are launched together; a place in a graph for each.
typedef struct launch_graph launch_graph;

typedef struct cuda_session {
  void *stream;
  bool owns_stream;
  /// Each launch is waited for, so that an error has a name.
  bool one_by_one;
  /// Runs were put on the caller's stream whose faults nobody has read.
  bool unread;
  device_block arena;
  /// By index of a base; those that change from run to run.
  device_block *inputs;
  txc_cuda_address *bases;
  /// What phases on the CPU read of inputs that are the GPU's; NULL when the
  /// program has no such phases.
  txc_block *host_inputs;
  /// One for each phase, and their copy here; NULL when no kernel reports any.
  txc_cuda_address faults;
  txc_fault *found;

  /// Gathered launches: phases in the order of the table.
  int32_t *gathered;
  int32_t gathered_count;
  /// Of each phase: where its parameters begin, their values, and pointers to
  /// them; its grid.
  int32_t *first_parameter;
  uint64_t *parameters;
  void **pointers;
  unsigned (*grids)[3];
  /// Of each phase: the graph that begins with it.
  launch_graph **graphs;
  size_t bytes; ///< Of this struct and what is behind it.
} cuda_session;

static inline const txc_cuda_model *
txc_cuda_model_of(const txc_session *session) {
  return session->model->gpu;
}

static inline const txc_cuda_driver *
txc_cuda_driver_of(const txc_session *session) {
  return &txc_cuda_model_of(session)->driver;
}

static inline txc_status txc_cuda_check_call(txc_session *session,
                                             txc_cuda_result result,
                                             const char *what) {
  return txc_cuda_check(txc_cuda_driver_of(session), result, what,
                        &session->message);
}

/// Calls of the driver are about the context that is current in this thread.
static inline void txc_cuda_enter(const txc_session *session) {
  txc_cuda_driver_of(session)->cuCtxPushCurrent_v2(
      txc_cuda_model_of(session)->context);
}

static inline void txc_cuda_leave(const txc_session *session) {
  void *context;
  txc_cuda_driver_of(session)->cuCtxPopCurrent_v2(&context);
}

txc_status txc_cuda_open_session(txc_session *session, txc_message *message);
void txc_cuda_close_session(txc_session *session);
txc_status txc_cuda_read_states(txc_session *session);
txc_status txc_cuda_write_states(txc_session *session);

/// How many parameters a phase's kernel takes; 0 for phases of the CPU.
int32_t txc_cuda_parameters(const txc_phase *phase);

/// Takes session->phase, with what symbols and buffers are now. Error:
/// OUT_OF_BOUNDS.
txc_status txc_cuda_gather(txc_session *session);
/// Launches what has been gathered.
txc_status txc_cuda_launch(txc_session *session);
void txc_cuda_destroy_graphs(txc_session *session);

#endif // TXC_RUNTIME_CUDA_SESSION_H
