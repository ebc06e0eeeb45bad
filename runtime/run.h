//===- run.h - Running the phase table ----------------------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Walks the phase table with one of three drivers: workers, the application's
/// parallel_for, or the caller alone.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_RUN_H
#define TXC_RUNTIME_RUN_H

#include "runtime/session.h"

txc_status txc_run_impl(txc_session *session, const txc_tensor *inputs,
                        size_t input_count, txc_tensor *outputs,
                        size_t output_count);

txc_status txc_wait_impl(txc_session *session);

/// The status and sentence of a fault in the session's present phase.
txc_status txc_explain_fault(txc_session *session, const txc_fault *fault);

/// A txc_task_fn: tasks of the session's present phase, on one of its threads.
void txc_run_tasks(void *session, int32_t thread, int64_t begin, int64_t end);

#endif // TXC_RUNTIME_RUN_H
