//===- team.h - One run's threads ---------------------------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The caller of a run and the workers that joined it, doing one phase after
/// another. The grid of a phase is cut into one share for each thread that the
/// session wants; a thread takes from its own share first (so that it meets
/// the same weights in each run, and no cache line is fought for), then from
/// the others'. A phase is over when its tasks are done, not when threads have
/// arrived: a worker that is late or never gets a CPU costs nothing.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_TEAM_H
#define TXC_RUNTIME_TEAM_H

#include "runtime/executor.h"

/// Runs tasks [begin, end) as the given thread: 0 is the caller.
typedef void (*txc_task_fn)(void *argument, int32_t thread, int64_t begin,
                            int64_t end);

/// How much of a share is taken. The upper 48 bits count phases, the lower 16
/// units: a claim is a compare-and-swap that fails for a phase that is over.
typedef struct txc_share {
  _Alignas(64) _Atomic uint64_t word;
} txc_share;

typedef struct txc_team {
  txc_gang gang; ///< First: the worker's entry gets only this.
  txc_executor *executor;
  txc_task_fn run;
  void *argument;
  uint64_t spin_ns;
  int32_t shares_count;
  bool offered; ///< In this run; the caller's.

  /// Phases so far, doubled; odd while the one that `tasks` and `grain`
  /// describe is open. Never goes back, also between runs.
  _Alignas(64) _Atomic uint64_t epoch;
  /// Changes with epoch and with active: what workers sleep on.
  _Atomic uint32_t signal;
  _Atomic uint32_t active; ///< 1 while a run is in progress.
  _Atomic int64_t tasks;
  _Atomic int64_t grain; ///< Tasks in a unit of shares.
  _Atomic int32_t sleepers;

  /// Units of the open phase that are done; what the caller sleeps on.
  _Alignas(64) _Atomic uint32_t finished;
  _Atomic uint32_t caller_sleeps;

  txc_share shares[];
} txc_team;

/// Bytes of a team for so many threads.
size_t txc_team_bytes(int32_t threads);

/// memory: zeros, 64-byte aligned. Threads beyond the caller come from
/// executor, whose workers have indices below its number of threads.
txc_team *txc_team_init(void *memory, int32_t threads, txc_executor *executor,
                        uint64_t spin_ns, txc_task_fn run, void *argument);

/// The caller's side of a run: begin, any number of phases, end. No worker is
/// called before the first phase.
void txc_team_begin(txc_team *team);
void txc_team_phase(txc_team *team, int64_t tasks);
void txc_team_end(txc_team *team);

/// Before the memory is freed: waits for workers that are on their way out.
void txc_team_drain(txc_team *team);

#endif // TXC_RUNTIME_TEAM_H
