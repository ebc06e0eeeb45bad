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

#include "runtime/txc.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MaxModels = 4, MaxTensors = 8, Threads = 4, Rounds = 3 };

/// What all dims of the inputs are, as far as their bounds allow.
static const int64_t sizes[] = {2, 7};
enum { Sizes = sizeof sizes / sizeof *sizes };

//===----------------------------------------------------------------------===//
// Counting
//===----------------------------------------------------------------------===//

static atomic_long allocations;

#ifdef COUNT_ALLOCATIONS
// glibc's own, which an application may wrap.
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

void *malloc(size_t bytes) {
  atomic_fetch_add(&allocations, 1);
  return __libc_malloc(bytes);
}
void *calloc(size_t count, size_t bytes) {
  atomic_fetch_add(&allocations, 1);
  return __libc_calloc(count, bytes);
}
void *realloc(void *memory, size_t bytes) {
  atomic_fetch_add(&allocations, 1);
  return __libc_realloc(memory, bytes);
}
void *aligned_alloc(size_t alignment, size_t bytes) {
  atomic_fetch_add(&allocations, 1);
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void **memory, size_t alignment, size_t bytes) {
  atomic_fetch_add(&allocations, 1);
  *memory = __libc_memalign(alignment, bytes);
  return *memory ? 0 : 12 /* ENOMEM */;
}
#endif

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

/// Inputs for one size, and the outputs that one thread alone computed.
typedef struct sample {
  txc_tensor inputs[MaxTensors];
  txc_tensor outputs[MaxTensors];
} sample;

typedef struct tested_model {
  const char *path;
  txc_model *handle;
  size_t input_count, output_count;
  sample samples[Sizes];
} tested_model;

static tested_model models[MaxModels];
static int model_count;

static _Noreturn void fail(const char *path, const char *what,
                           const char *why) {
  fprintf(stderr, "%s: %s: %s\n", path, what, why);
  exit(1);
}

static void check(txc_status status, const tested_model *model,
                  txc_session *session, const char *what) {
  if (status != TXC_OK)
    fail(model->path, what, txc_error(session));
}

/// The extents for a size: each symbol as near to it as it may be.
static size_t choose_dims(const tested_model *model, int64_t size,
                          txc_dim_value *dims, size_t room) {
  size_t count = 0;
  txc_symbol_info info = {.size = sizeof info};
  for (size_t i = 0;
       count < room && txc_model_symbol(model->handle, i, &info) == TXC_OK;
       ++i) {
    if (info.source != TXC_SYMBOL_INPUT)
      continue;
    int64_t extent = size < info.lower ? info.lower : size;
    dims[count].name = info.name;
    dims[count++].value = extent > info.upper ? info.upper : extent;
  }
  return count;
}

/// Numbers that are the same in every run: ids of the vocabulary, masks of
/// ones, and floats between -1 and 1.
static void fill(const tested_model *model, size_t index, txc_tensor *tensor) {
  txc_tensor_info info = {.size = sizeof info};
  txc_model_input(model->handle, index, &info);
  tensor->data = calloc(1, tensor->bytes + 1);
  if (tensor->type == TXC_FLOAT32)
    for (size_t i = 0; i < tensor->bytes / 4; ++i)
      ((float *)tensor->data)[i] = (float)(i * 37 % 101) / 50 - 1;
  else if (tensor->type == TXC_INT64)
    for (size_t i = 0; i < tensor->bytes / 8; ++i)
      ((int64_t *)tensor->data)[i] =
          info.high > info.low
              ? info.low + (int64_t)(i * 37 % (size_t)(info.high - info.low))
              : 1;
}

static txc_session *make_session(const tested_model *model, int32_t threads) {
  txc_session_options options = txc_session_options_default();
  options.threads = threads;
  txc_session *session = NULL;
  txc_message message = {.text = ""};
  if (txc_session_create(model->handle, &options, &session, &message) != TXC_OK)
    fail(model->path, "no session", message.text);
  return session;
}

/// The inputs of a size, and what one thread makes of them.
static void make_sample(const tested_model *model, txc_session *session,
                        int64_t size, sample *made) {
  txc_dim_value dims[MaxTensors];
  size_t count = choose_dims(model, size, dims, MaxTensors);
  check(
      txc_infer_inputs(session, dims, count, made->inputs, model->input_count),
      model, session, "inputs");
  for (size_t i = 0; i < model->input_count; ++i)
    fill(model, i, &made->inputs[i]);
  check(txc_run(session, made->inputs, model->input_count, made->outputs,
                model->output_count),
        model, session, "first run");
  for (size_t i = 0; i < model->output_count; ++i) {
    void *copy = malloc(made->outputs[i].bytes + 1);
    memcpy(copy, made->outputs[i].data, made->outputs[i].bytes);
    made->outputs[i].data = copy;
  }
}

static void open_model(const char *path, tested_model *model) {
  txc_message message = {.text = ""};
  model->path = path;
  if (txc_open(path, NULL, &model->handle, &message) != TXC_OK)
    fail(path, "not opened", message.text);
  txc_model_info info = {.size = sizeof info};
  txc_model_describe(model->handle, &info);
  model->input_count = info.inputs;
  model->output_count = info.outputs;
  if (info.inputs > MaxTensors || info.outputs > MaxTensors)
    fail(path, "not tested", "too many inputs or outputs");
  txc_session *session = make_session(model, 1);
  for (int i = 0; i < Sizes; ++i)
    make_sample(model, session, sizes[i], &model->samples[i]);
  txc_session_destroy(session);
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

/// All threads meet here between the runs that may allocate and those that
/// may not.
static pthread_barrier_t barrier;

static void run_and_compare(const tested_model *model, txc_session *session,
                            const sample *expected) {
  txc_tensor outputs[MaxTensors];
  for (size_t i = 0; i < model->output_count; ++i)
    outputs[i] = txc_tensor_borrow(NULL);
  check(txc_run(session, expected->inputs, model->input_count, outputs,
                model->output_count),
        model, session, "run");
  for (size_t i = 0; i < model->output_count; ++i)
    if (outputs[i].bytes != expected->outputs[i].bytes ||
        memcmp(outputs[i].data, expected->outputs[i].data, outputs[i].bytes))
      fail(model->path, "wrong", "not the bits that one thread alone computes");
}

static void run_all(txc_session *const *sessions) {
  for (int s = 0; s < Sizes; ++s)
    for (int m = 0; m < model_count; ++m)
      run_and_compare(&models[m], sessions[m], &models[m].samples[s]);
}

static void *run_thread(void *unused) {
  (void)unused;
  txc_session *sessions[MaxModels];
  for (int m = 0; m < model_count; ++m)
    sessions[m] = make_session(&models[m], 2);
  run_all(sessions);
  pthread_barrier_wait(&barrier);
  long before = atomic_load(&allocations);
  pthread_barrier_wait(&barrier);
  for (int round = 0; round < Rounds; ++round)
    run_all(sessions);
  pthread_barrier_wait(&barrier);
  long made = atomic_load(&allocations) - before;
  pthread_barrier_wait(&barrier);
  if (made) {
    fprintf(stderr, "%ld allocations at shapes that were seen\n", made);
    exit(1);
  }
  for (int m = 0; m < model_count; ++m)
    txc_session_destroy(sessions[m]);
  return NULL;
}

static void close_model(tested_model *model) {
  for (int s = 0; s < Sizes; ++s) {
    for (size_t i = 0; i < model->input_count; ++i)
      free(model->samples[s].inputs[i].data);
    for (size_t i = 0; i < model->output_count; ++i)
      free(model->samples[s].outputs[i].data);
  }
  txc_message message = {.text = ""};
  if (txc_close(model->handle, &message) != TXC_OK)
    fail(model->path, "not closed", message.text);
}

int main(int argc, char **argv) {
  if (argc < 2 || argc > 1 + MaxModels) {
    fprintf(stderr, "usage: many_threads MODEL.so... (at most %d)\n",
            MaxModels);
    return 2;
  }
  model_count = argc - 1;
  for (int m = 0; m < model_count; ++m)
    open_model(argv[m + 1], &models[m]);
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
