//===- team.c - One run's threads -----------------------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See team.h.
///
/// Why a late worker is harmless: it reads epoch, then tasks and grain, then
/// epoch again. The caller makes epoch even before it writes them and odd
/// after, so an unchanged odd epoch means that they belong to it. Its claims
/// carry that epoch, and succeed only while units of it are left. While a unit
/// is claimed and not finished the caller stays in the phase.
///
//===----------------------------------------------------------------------===//

#include "runtime/team.h"

#include "runtime/cpu.h"
#include "runtime/futex.h"

/// The caller spins less than a worker: at a join there is one wake at most,
/// and when both sit on one CPU, sleeping hands it to the worker.
enum { CallerSpinNs = 50000 };

enum { UnitBits = 16, MaxUnits = (1 << UnitBits) - 1 };

//===----------------------------------------------------------------------===//
// Claiming
//===----------------------------------------------------------------------===//

/// One phase, as all its threads see it.
typedef struct open_phase {
  uint64_t tag; ///< epoch / 2, as it is in a share's word.
  int64_t tasks;
  int64_t grain;
  int64_t units;
} open_phase;

static int64_t share_begin(const txc_team *team, const open_phase *phase,
                           int32_t share) {
  return phase->units * share / team->shares_count;
}

/// Takes half of what is left of a share, so that there are few claims, and a
/// thread that falls behind leaves something for others. Returns the number of
/// units, 0 when there are none, from *first on.
static int64_t claim(txc_share *share, uint64_t tag, int64_t size,
                     int64_t *first) {
  uint64_t word = atomic_load_explicit(&share->word, memory_order_relaxed);
  for (;;) {
    uint64_t seen = word >> UnitBits;
    if (seen > tag)
      return 0; // The phase is over.
    int64_t taken = seen == tag ? (int64_t)(word & MaxUnits) : 0;
    int64_t count = (size - taken + 1) / 2;
    if (count == 0)
      return 0;
    uint64_t next = tag << UnitBits | (uint64_t)(taken + count);
    if (atomic_compare_exchange_weak_explicit(&share->word, &word, next,
                                              memory_order_relaxed,
                                              memory_order_relaxed)) {
      *first = taken;
      return count;
    }
  }
}

/// Works on a share until nothing is left; returns the units done.
static uint32_t empty_share(txc_team *team, const open_phase *phase,
                            int32_t share, int32_t thread) {
  int64_t begin = share_begin(team, phase, share);
  int64_t size = share_begin(team, phase, share + 1) - begin;
  int64_t first, count;
  uint32_t done = 0;
  while ((count = claim(&team->shares[share], phase->tag, size, &first)) > 0) {
    int64_t task_begin = (begin + first) * phase->grain;
    int64_t task_end = task_begin + count * phase->grain;
    if (task_end > phase->tasks)
      task_end = phase->tasks;
    team->run(team->argument, thread, task_begin, task_end);
    done += (uint32_t)count;
  }
  return done;
}

static void help(txc_team *team, const open_phase *phase, int32_t thread) {
  int32_t own = thread % team->shares_count;
  for (int32_t i = 0; i < team->shares_count; ++i) {
    int32_t share = own + i;
    if (share >= team->shares_count)
      share -= team->shares_count;
    uint32_t done = empty_share(team, phase, share, thread);
    if (!done)
      continue;
    // Sequentially consistent with caller_sleeps: either the caller sees the
    // units, or it is seen here.
    uint32_t finished = atomic_fetch_add(&team->finished, done) + done;
    if (thread != 0 && finished == (uint32_t)phase->units &&
        atomic_load(&team->caller_sleeps))
      txc_futex_wake_all(&team->finished);
  }
}

//===----------------------------------------------------------------------===//
// Workers
//===----------------------------------------------------------------------===//

static void signal_workers(txc_team *team) {
  atomic_fetch_add(&team->signal, 1);
  if (atomic_load(&team->sleepers) > 0)
    txc_futex_wake_all(&team->signal);
}

static void wait_for_signal(txc_team *team, uint32_t seen) {
  if (txc_spin_while(&team->signal, seen, team->spin_ns))
    return;
  // Before the word is looked at again, see signal_workers.
  atomic_fetch_add(&team->sleepers, 1);
  while (atomic_load(&team->signal) == seen)
    txc_futex_wait(&team->signal, seen);
  atomic_fetch_sub(&team->sleepers, 1);
}

/// The open phase; false when there is none.
static bool read_phase(txc_team *team, open_phase *phase) {
  uint64_t epoch = atomic_load_explicit(&team->epoch, memory_order_acquire);
  if (epoch % 2 == 0)
    return false;
  // Acquire, so that the second look at epoch is not done before.
  phase->tasks = atomic_load_explicit(&team->tasks, memory_order_acquire);
  phase->grain = atomic_load_explicit(&team->grain, memory_order_acquire);
  phase->units = (phase->tasks + phase->grain - 1) / phase->grain;
  phase->tag = epoch / 2;
  return atomic_load_explicit(&team->epoch, memory_order_relaxed) == epoch;
}

static void work(txc_gang *gang, int32_t worker) {
  txc_team *team = (txc_team *)gang;
  uint32_t fp = txc_enter_kernel_fp();
  for (;;) {
    uint32_t seen = atomic_load(&team->signal);
    if (!atomic_load(&team->active))
      break;
    open_phase phase;
    if (read_phase(team, &phase))
      help(team, &phase, worker);
    wait_for_signal(team, seen);
  }
  txc_leave_kernel_fp(fp);
}

//===----------------------------------------------------------------------===//
// The caller
//===----------------------------------------------------------------------===//

size_t txc_team_bytes(int32_t threads) {
  return sizeof(txc_team) + sizeof(txc_share) * (size_t)threads;
}

txc_team *txc_team_init(void *memory, int32_t threads, txc_executor *executor,
                        uint64_t spin_ns, txc_task_fn run, void *argument) {
  txc_team *team = memory;
  team->gang.size = sizeof team->gang;
  team->gang.work = work;
  team->gang.limit = threads - 1;
  team->executor = executor;
  team->run = run;
  team->argument = argument;
  team->spin_ns = spin_ns;
  team->shares_count = threads;
  return team;
}

void txc_team_begin(txc_team *team) {
  team->offered = false;
  atomic_store(&team->active, 1);
}

/// Describes the phase to the workers, and lets them in.
static void open_for_workers(txc_team *team, open_phase *phase) {
  uint64_t epoch = atomic_load_explicit(&team->epoch, memory_order_relaxed);
  atomic_store_explicit(&team->tasks, phase->tasks, memory_order_release);
  atomic_store_explicit(&team->grain, phase->grain, memory_order_release);
  atomic_store_explicit(&team->finished, 0, memory_order_relaxed);
  phase->tag = (epoch + 1) / 2;
  atomic_store_explicit(&team->epoch, epoch + 1, memory_order_release);
  if (!team->offered) {
    txc_api_of(team->executor)->executor_offer(team->executor, &team->gang);
    team->offered = true;
  }
  signal_workers(team);
}

static void wait_for_units(txc_team *team, uint32_t units) {
  uint32_t seen;
  while ((seen = atomic_load(&team->finished)) != units) {
    if (txc_spin_while(&team->finished, seen, CallerSpinNs))
      continue;
    atomic_store(&team->caller_sleeps, 1);
    while ((seen = atomic_load(&team->finished)) != units)
      txc_futex_wait(&team->finished, seen);
    atomic_store(&team->caller_sleeps, 0);
  }
}

void txc_team_phase(txc_team *team, int64_t tasks) {
  int64_t most = (int64_t)MaxUnits * team->shares_count;
  open_phase phase = {.tasks = tasks, .grain = (tasks + most - 1) / most};
  phase.units = (tasks + phase.grain - 1) / phase.grain;
  open_for_workers(team, &phase);
  help(team, &phase, 0);
  wait_for_units(team, (uint32_t)phase.units);
  // Even: what is written next does not belong to the phase just finished.
  atomic_fetch_add(&team->epoch, 1);
}

void txc_team_end(txc_team *team) {
  if (team->offered)
    txc_api_of(team->executor)->executor_withdraw(team->executor, &team->gang);
  atomic_store(&team->active, 0);
  signal_workers(team);
}

void txc_team_drain(txc_team *team) {
  if (team->executor)
    txc_api_of(team->executor)->executor_drain(team->executor, &team->gang);
}
