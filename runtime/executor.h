//===- executor.h - Worker threads --------------------------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// A pool of workers. A run offers its gang while it is in progress; workers
/// that are free join, and go back to the pool when the run ends. Nobody ever
/// waits for a worker to come, so that any number of runs can share a pool.
///
/// A gang may come from another copy of the runtime, of another version: only
/// the functions in txc_api touch an executor.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_EXECUTOR_H
#define TXC_RUNTIME_EXECUTOR_H

#include "runtime/model.h"

txc_status txc_executor_create_impl(txc_model *model,
                                    const txc_executor_options *options,
                                    txc_executor **executor,
                                    txc_message *message);

/// IN_USE while sessions are attached or gangs offered.
txc_status txc_executor_destroy_impl(txc_executor *executor);

int32_t txc_executor_threads_impl(const txc_executor *executor);

/// Counts a session that uses the executor, or one less.
void txc_executor_attach_impl(txc_executor *executor, int32_t difference);

/// Workers may join from now on. The gang may not be offered already.
void txc_executor_offer_impl(txc_executor *executor, txc_gang *gang);

/// No worker joins any more. Those that are in may still be.
void txc_executor_withdraw_impl(txc_executor *executor, txc_gang *gang);

/// Returns when no worker is in; the gang must have been withdrawn.
void txc_executor_drain_impl(txc_executor *executor, txc_gang *gang);

#endif // TXC_RUNTIME_EXECUTOR_H
