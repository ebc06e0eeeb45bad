//===- many_threads.c - Models and threads in one process ---------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Several models in one process, each run by many threads at once:
///
///     many_threads MODEL.so...
///
/// Every thread has a session of every model, with two threads of its own. All
/// results have to have the bits that one thread alone gets, and a run at a
/// shape that its session has seen allocates nothing: this program counts the
/// calls of malloc. Built with a sanitizer it counts none, as that has a malloc
/// of its own; the sanitizer's report is the result then.
///
//===----------------------------------------------------------------------===//

#include "test/process/allocations.h"
#include "test/process/tested_model.h"

#include <pthread.h>
#include <stdlib.h>

enum { MaxModels = 4, Threads = 4, Rounds = 3 };

static const int64_t sizes[] = {2, 7, 0};

static tested_model models[MaxModels];
static int model_count;

/// All threads meet here between the runs that may allocate and those that
/// may not.
static pthread_barrier_t barrier;

static void run_all(txc_session *const *sessions) {
  for (int s = 0; sizes[s]; ++s)
    for (int m = 0; m < model_count; ++m)
      run_and_compare(&models[m], sessions[m], s, "one of many threads");
}

static void *run_thread(void *unused) {
  (void)unused;
  txc_session_options options = txc_session_options_default();
  options.threads = 2;
  txc_session *sessions[MaxModels];
  for (int m = 0; m < model_count; ++m)
    sessions[m] = make_session(&models[m], &options);
  run_all(sessions);
  pthread_barrier_wait(&barrier);
  long before = count_allocations();
  pthread_barrier_wait(&barrier);
  for (int round = 0; round < Rounds; ++round)
    run_all(sessions);
  pthread_barrier_wait(&barrier);
  long made = count_allocations() - before;
  pthread_barrier_wait(&barrier);
  if (made) {
    fprintf(stderr, "%ld allocations at shapes that were seen\n", made);
    exit(1);
  }
  for (int m = 0; m < model_count; ++m)
    txc_session_destroy(sessions[m]);
  return NULL;
}

int main(int argc, char **argv) {
  if (argc < 2 || argc > 1 + MaxModels) {
    fprintf(stderr, "usage: many_threads MODEL.so... (at most %d)\n",
            MaxModels);
    return 2;
  }
  model_count = argc - 1;
  for (int m = 0; m < model_count; ++m)
    open_model(argv[m + 1], sizes, &models[m]);
  pthread_t threads[Threads];
  pthread_barrier_init(&barrier, NULL, Threads);
  for (int t = 0; t < Threads; ++t)
    if (pthread_create(&threads[t], NULL, run_thread, NULL) != 0)
      fail(argv[0], "no thread", "pthread_create");
  for (int t = 0; t < Threads; ++t)
    pthread_join(threads[t], NULL);
  pthread_barrier_destroy(&barrier);
  for (int m = 0; m < model_count; ++m)
    close_model(&models[m]);
  printf("%d threads, %d models: same bits%s\n", Threads, model_count,
#ifdef COUNT_ALLOCATIONS
         ", nothing allocated"
#else
         ""
#endif
  );
  return 0;
}
