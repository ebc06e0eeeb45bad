//===- executor.c - Worker threads ----------------------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See executor.h.
///
//===----------------------------------------------------------------------===//

#include "runtime/executor.h"

#include "runtime/cpu.h"
#include "runtime/futex.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

/// How long a worker stays awake between two runs: a caller that runs again at
/// once (the next token) finds it spinning. Short enough to be no load.
enum { GraceNs = 50000 };

enum { MaxThreads = 1024 };

typedef struct worker {
  struct txc_executor *executor;
  pthread_t thread;
  int32_t index; ///< From 1; 0 is a caller.
  int32_t cpu;   ///< -1: anywhere.
} worker;

struct txc_executor {
  txc_handle handle; ///< First: the shims rely on it.
  txc_model *model;
  _Atomic int32_t users;
  pthread_mutex_t lock;
  pthread_cond_t drained;
  txc_gang *gangs; ///< Those offered; guarded by lock.
  bool stopping;   ///< Guarded by lock.
  /// Changes whenever there is something new to look for.
  _Atomic uint32_t news;
  _Atomic int32_t sleepers;
  int32_t worker_count;
  size_t bytes; ///< Of this struct.
  worker workers[];
};

//===----------------------------------------------------------------------===//
// Workers
//===----------------------------------------------------------------------===//

/// The gang that needs help most, or NULL. Called with the lock held.
static txc_gang *choose_gang(txc_executor *executor) {
  txc_gang *best = NULL;
  for (txc_gang *gang = executor->gangs; gang; gang = gang->next)
    if (gang->workers < gang->limit && (!best || gang->workers < best->workers))
      best = gang;
  return best;
}

static void wait_for_news(txc_executor *executor, uint32_t seen) {
  if (txc_spin_while(&executor->news, seen, GraceNs))
    return;
  // Before the word is looked at again, see publish_news.
  atomic_fetch_add(&executor->sleepers, 1);
  while (atomic_load(&executor->news) == seen)
    txc_futex_wait(&executor->news, seen);
  atomic_fetch_sub(&executor->sleepers, 1);
}

/// Called with the lock held. The two counters are sequentially consistent:
/// either a worker sees the news before it sleeps, or it is seen here.
static void publish_news(txc_executor *executor) {
  atomic_fetch_add(&executor->news, 1);
  if (atomic_load(&executor->sleepers) > 0)
    txc_futex_wake_all(&executor->news);
}

static void prepare_thread(const worker *self) {
  prctl(PR_SET_NAME, "txc-worker", 0, 0, 0);
  if (self->cpu < 0)
    return;
  enum { MaxCpus = 8192 };
  union {
    cpu_set_t set;
    char bytes[MaxCpus / 8];
  } mask;
  memset(&mask, 0, sizeof mask);
  CPU_SET_S((size_t)self->cpu, sizeof mask, &mask.set);
  if (sched_setaffinity(0, sizeof mask, &mask.set) != 0)
    txc_log(&self->executor->model->logger, TXC_LOG_WARNING,
            "worker %d can't be bound to CPU %d; it runs anywhere", self->index,
            self->cpu);
}

static void *run_worker(void *argument) {
  worker *self = argument;
  txc_executor *executor = self->executor;
  prepare_thread(self);
  pthread_mutex_lock(&executor->lock);
  while (!executor->stopping) {
    txc_gang *gang = choose_gang(executor);
    if (gang)
      ++gang->workers;
    uint32_t seen = atomic_load(&executor->news);
    pthread_mutex_unlock(&executor->lock);
    if (gang)
      gang->work(gang, self->index);
    else
      wait_for_news(executor, seen);
    pthread_mutex_lock(&executor->lock);
    if (gang && --gang->workers == 0)
      pthread_cond_broadcast(&executor->drained);
  }
  pthread_mutex_unlock(&executor->lock);
  return NULL;
}

//===----------------------------------------------------------------------===//
// Gangs
//===----------------------------------------------------------------------===//

void txc_executor_offer_impl(txc_executor *executor, txc_gang *gang) {
  pthread_mutex_lock(&executor->lock);
  gang->next = executor->gangs;
  executor->gangs = gang;
  publish_news(executor);
  pthread_mutex_unlock(&executor->lock);
}

void txc_executor_withdraw_impl(txc_executor *executor, txc_gang *gang) {
  pthread_mutex_lock(&executor->lock);
  for (txc_gang **link = &executor->gangs; *link; link = &(*link)->next)
    if (*link == gang) {
      *link = gang->next;
      break;
    }
  pthread_mutex_unlock(&executor->lock);
}

void txc_executor_drain_impl(txc_executor *executor, txc_gang *gang) {
  pthread_mutex_lock(&executor->lock);
  while (gang->workers)
    pthread_cond_wait(&executor->drained, &executor->lock);
  pthread_mutex_unlock(&executor->lock);
}

//===----------------------------------------------------------------------===//
// Creation
//===----------------------------------------------------------------------===//

/// Ends and joins the first count workers.
static void stop_workers(txc_executor *executor, int32_t count) {
  pthread_mutex_lock(&executor->lock);
  executor->stopping = true;
  publish_news(executor);
  pthread_mutex_unlock(&executor->lock);
  for (int32_t i = 0; i < count; ++i)
    pthread_join(executor->workers[i].thread, NULL);
}

static void free_executor(txc_executor *executor) {
  txc_model *model = executor->model;
  pthread_cond_destroy(&executor->drained);
  pthread_mutex_destroy(&executor->lock);
  txc_release(&model->allocator, executor, executor->bytes);
  atomic_fetch_sub(&model->users, 1);
}

/// Starts all workers, or none.
static txc_status start_workers(txc_executor *executor,
                                const txc_executor_options *options,
                                txc_message *message) {
  // The application's signal handlers have no business on a worker.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  txc_status status = TXC_OK;
  for (int32_t i = 0; i < executor->worker_count && status == TXC_OK; ++i) {
    worker *self = &executor->workers[i];
    self->executor = executor;
    self->index = i + 1;
    self->cpu = (size_t)i < options->affinity_count ? options->affinity[i] : -1;
    int error = pthread_create(&self->thread, NULL, run_worker, self);
    if (error == 0)
      continue;
    stop_workers(executor, i);
    status = txc_fail(message, TXC_SYSTEM,
                      "can't start worker thread %d of %d (error %d)", i + 1,
                      executor->worker_count, error);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return status;
}

static txc_status check_options(const txc_executor_options *options,
                                txc_message *message) {
  if (options->threads < 0 || options->threads > MaxThreads)
    return txc_fail(message, TXC_INVALID_ARGUMENT,
                    "%d threads asked for; 0 to %d are possible",
                    options->threads, MaxThreads);
  if (options->affinity_count && !options->affinity)
    return txc_fail(message, TXC_INVALID_ARGUMENT,
                    "affinity is NULL but affinity_count is %zu",
                    options->affinity_count);
  for (size_t i = 0; i < options->affinity_count; ++i)
    if (options->affinity[i] < 0 || options->affinity[i] >= 8192)
      return txc_fail(message, TXC_INVALID_ARGUMENT,
                      "affinity[%zu] is %d, which is no CPU", i,
                      options->affinity[i]);
  return TXC_OK;
}

txc_status txc_executor_create_impl(txc_model *model,
                                    const txc_executor_options *given,
                                    txc_executor **out, txc_message *message) {
  txc_executor_options options = txc_executor_options_default();
  *out = NULL;
  txc_status status =
      txc_copy_options(&options, sizeof options, given, message);
  if (status == TXC_OK)
    status = check_options(&options, message);
  if (status != TXC_OK)
    return status;
  int32_t threads = options.threads ? options.threads : txc_default_threads();
  if (threads > MaxThreads)
    threads = MaxThreads;
  size_t bytes = sizeof(txc_executor) + sizeof(worker) * (size_t)(threads - 1);
  txc_executor *executor = txc_allocate_zero(&model->allocator, bytes, 64);
  if (!executor)
    return txc_fail(message, TXC_OUT_OF_MEMORY, "no memory for the executor");
  executor->handle.api = model->handle.api;
  executor->model = model;
  executor->worker_count = threads - 1;
  executor->bytes = bytes;
  pthread_mutex_init(&executor->lock, NULL);
  pthread_cond_init(&executor->drained, NULL);
  atomic_fetch_add(&model->users, 1);
  status = start_workers(executor, &options, message);
  if (status != TXC_OK)
    free_executor(executor);
  else
    *out = executor;
  return status;
}

txc_status txc_executor_destroy_impl(txc_executor *executor) {
  if (atomic_load(&executor->users))
    return TXC_IN_USE;
  stop_workers(executor, executor->worker_count);
  free_executor(executor);
  return TXC_OK;
}

int32_t txc_executor_threads_impl(const txc_executor *executor) {
  return executor->worker_count + 1;
}

void txc_executor_attach_impl(txc_executor *executor, int32_t difference) {
  atomic_fetch_add(&executor->users, difference);
}
