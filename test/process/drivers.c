//===- drivers.c - Every way to use threads ------------------------*- C
//-*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Runs models with each of the runtime's drivers (one thread, workers, workers
/// shared by sessions, the application's parallel_for) and several numbers of
/// threads:
///
///     drivers MODEL.so...
///
/// All results have to have the bits that one thread alone gets, and a run at a
/// shape that was seen allocates nothing.
///
//===----------------------------------------------------------------------===//

#include "test/process/allocations.h"
#include "test/process/tested_model.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static const int64_t sizes[] = {1, 7, 46, 0};
static const int32_t thread_counts[] = {1, 2, 3, 5};
enum { MaxThreads = 5, Rounds = 2 };

//===----------------------------------------------------------------------===//
// A parallel loop of an application's
//===----------------------------------------------------------------------===//

typedef struct loop {
  void (*task)(void *argument, size_t i);
  void *argument;
  size_t count;
  atomic_size_t done;
} loop;

/// Backwards, as no order is promised.
static void *run_tasks(void *argument) {
  loop *self = argument;
  for (size_t i; (i = atomic_fetch_add(&self->done, 1)) < self->count;)
    self->task(self->argument, self->count - 1 - i);
  return NULL;
}

/// user is the number of threads.
static void run_parallel_for(void *user, void (*task)(void *, size_t),
                             void *argument, size_t count) {
  loop shared = {task, argument, count, 0};
  pthread_t threads[MaxThreads];
  int helpers = *(const int32_t *)user - 1;
  for (int t = 0; t < helpers; ++t)
    if (pthread_create(&threads[t], NULL, run_tasks, &shared) != 0)
      fail("parallel_for", "no thread", "pthread_create");
  run_tasks(&shared);
  for (int t = 0; t < helpers; ++t)
    pthread_join(threads[t], NULL);
}

//===----------------------------------------------------------------------===//
// Drivers
//===----------------------------------------------------------------------===//

static void run_sizes(const tested_model *model, txc_session *session,
                      const char *how) {
  for (int s = 0; s < model->size_count; ++s)
    run_and_compare(model, session, s, how);
}

static void run_driver(const tested_model *model,
                       const txc_session_options *options, const char *driver) {
  char how[64];
  snprintf(how, sizeof how, "%s, %d threads", driver, (int)options->threads);
  txc_session *session = make_session(model, options);
  run_sizes(model, session, how);
  long before = count_allocations();
  for (int round = 0; round < Rounds; ++round)
    run_sizes(model, session, how);
  // A thread of this program's parallel_for has a stack.
  if (!options->parallel_for && count_allocations() != before)
    fail(model->path, how, "allocations at shapes that were seen");
  txc_session_destroy(session);
}

static void run_model(const char *path) {
  tested_model model = {.path = path};
  open_model(path, sizes, &model);
  for (size_t i = 0; i < sizeof thread_counts / sizeof *thread_counts; ++i) {
    int32_t threads = thread_counts[i];
    txc_session_options options = txc_session_options_default();
    options.threads = threads;
    run_driver(&model, &options, "workers");

    options.parallel_for = run_parallel_for;
    options.parallel_for_user = &threads;
    run_driver(&model, &options, "parallel_for");

    txc_executor_options shared = txc_executor_options_default();
    shared.threads = threads;
    txc_message message = {.text = ""};
    options = txc_session_options_default();
    options.threads = threads;
    if (txc_executor_create(model.handle, &shared, &options.executor,
                            &message) != TXC_OK)
      fail(path, "no executor", message.text);
    run_driver(&model, &options, "shared workers");
    txc_executor_destroy(options.executor);
  }
  close_model(&model);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: drivers MODEL.so...\n");
    return 2;
  }
  for (int i = 1; i < argc; ++i)
    run_model(argv[i]);
  printf("%d models, 3 drivers, 1 to %d threads: same bits\n", argc - 1,
         MaxThreads);
  return 0;
}
