//===- gpu.c - Memory and streams of the application's -------------*- C
//-*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Runs models on a GPU, which TXC_CUDA_DRIVER may simulate:
///
///     gpu MODEL.so...
///
/// Tensors in the GPU's memory, aligned or not, give the bits that tensors of
/// the CPU's give; shapes may change from run to run; on a stream of the
/// application's, runs return before they are done where PTXSIM_STREAMS is
/// lazy.
///
//===----------------------------------------------------------------------===//

#include "runtime/cuda.h"
#include "test/process/tested_model.h"

#include <stdlib.h>

static const int64_t sizes[] = {1, 7, 9, 0};
enum { Rounds = 2, Margin = 16 };

static txc_cuda_driver driver;

static void check_driver(txc_cuda_result result, const char *what) {
  if (result != 0)
    fail("driver", what, "CUDA error");
}

/// Memory of the GPU's at an address that is `offset` beyond a multiple of 16.
static void *on_device(const void *data, size_t bytes, size_t offset) {
  txc_cuda_address address = 0;
  check_driver(driver.cuMemAlloc_v2(&address, bytes + Margin), "cuMemAlloc");
  address += offset;
  if (data)
    check_driver(driver.cuMemcpyHtoDAsync_v2(address, data, bytes, NULL),
                 "cuMemcpyHtoD");
  return (void *)(uintptr_t)address;
}

static void free_device(void *data, size_t offset) {
  check_driver(driver.cuMemFree_v2((uintptr_t)data - offset), "cuMemFree");
}

/// Whether the GPU's memory has these bytes, once the stream has come there.
static int has_bytes(const void *there, const void *expected, size_t bytes,
                     void *stream) {
  char *here = malloc(bytes + 1);
  check_driver(
      driver.cuMemcpyDtoHAsync_v2(here, (uintptr_t)there, bytes, stream),
      "cuMemcpyDtoH");
  check_driver(driver.cuStreamSynchronize(stream), "cuStreamSynchronize");
  int same = memcmp(here, expected, bytes) == 0;
  free(here);
  return same;
}

static void run_on_device(const tested_model *model, txc_session *session,
                          const sample *expected, size_t offset, int lent,
                          void *stream) {
  txc_tensor inputs[MaxTensors], outputs[MaxTensors];
  for (size_t i = 0; i < model->input_count; ++i) {
    inputs[i] = expected->inputs[i];
    inputs[i].device = TXC_DEVICE;
    inputs[i].data = on_device(inputs[i].data, inputs[i].bytes, offset);
  }
  for (size_t i = 0; i < model->output_count; ++i) {
    outputs[i] = txc_tensor_borrow(NULL);
    outputs[i].device = TXC_DEVICE;
    outputs[i].capacity = expected->outputs[i].bytes;
    if (!lent)
      outputs[i].data = on_device(NULL, outputs[i].capacity, offset);
  }
  if (txc_run(session, inputs, model->input_count, outputs,
              model->output_count) != TXC_OK)
    fail(model->path, "run on the GPU's memory", txc_error(session));
  for (size_t i = 0; i < model->output_count; ++i) {
    const txc_tensor *output = &outputs[i];
    if (output->borrowed != lent)
      fail(model->path, "an output", "lent where it should not be, or not");
    if (output->bytes != expected->outputs[i].bytes ||
        !has_bytes(output->data, expected->outputs[i].data, output->bytes,
                   stream))
      fail(model->path, "an output",
           "not the bits of a run on the CPU's memory");
    if (!lent)
      free_device(output->data, offset);
  }
  if (txc_wait(session) != TXC_OK)
    fail(model->path, "txc_wait", txc_error(session));
  for (size_t i = 0; i < model->input_count; ++i)
    free_device(inputs[i].data, offset);
}

/// Shapes come and go, and the graphs of launches follow.
static void run_all(const tested_model *model, txc_session *session,
                    void *stream) {
  for (int round = 0; round < Rounds; ++round)
    for (int s = 0; s < model->size_count; ++s) {
      run_and_compare(model, session, s, "on the CPU's memory");
      run_on_device(model, session, &model->samples[s], 0, 0, stream);
      run_on_device(model, session, &model->samples[s], 0, 1, stream);
      run_on_device(model, session, &model->samples[s], 8, 0, stream);
    }
}

/// A run whose work nobody has waited for has not touched its output.
static void check_asynchronous(const tested_model *model, txc_session *session,
                               void *stream) {
  const sample *expected = &model->samples[0];
  txc_tensor inputs[MaxTensors], output = expected->outputs[0];
  for (size_t i = 0; i < model->input_count; ++i) {
    inputs[i] = expected->inputs[i];
    inputs[i].device = TXC_DEVICE;
    inputs[i].data = on_device(inputs[i].data, inputs[i].bytes, 0);
  }
  char *poison = calloc(1, output.bytes + 1);
  output.device = TXC_DEVICE;
  output.borrowed = 0;
  output.capacity = output.bytes;
  output.data = on_device(poison, output.bytes, 0);
  if (txc_run(session, inputs, model->input_count, &output, 1) != TXC_OK)
    fail(model->path, "run on a stream", txc_error(session));
  // Memory of the simulated GPU is the process's.
  if (memcmp(output.data, poison, output.bytes) != 0)
    fail(model->path, "run on a stream", "waited for");
  if (txc_wait(session) != TXC_OK ||
      !has_bytes(output.data, expected->outputs[0].data, output.bytes, stream))
    fail(model->path, "run on a stream", "wrong after txc_wait");
  free(poison);
  free_device(output.data, 0);
  for (size_t i = 0; i < model->input_count; ++i)
    free_device(inputs[i].data, 0);
}

static void test_memory(const char *path) {
  tested_model model = {.path = NULL};
  open_model(path, sizes, &model);
  void *context;
  check_driver(driver.cuDevicePrimaryCtxRetain(&context, 0), "context");
  check_driver(driver.cuCtxPushCurrent_v2(context), "context");

  txc_session *session = make_session(&model, NULL);
  run_all(&model, session, NULL);
  txc_session_destroy(session);

  txc_session_options options = txc_session_options_default();
  check_driver(driver.cuStreamCreate(&options.stream, 0), "cuStreamCreate");
  session = make_session(&model, &options);
  run_all(&model, session, options.stream);
  const char *streams = getenv("PTXSIM_STREAMS");
  if (streams && strcmp(streams, "lazy") == 0)
    check_asynchronous(&model, session, options.stream);
  txc_session_destroy(session);
  check_driver(driver.cuStreamDestroy_v2(options.stream), "cuStreamDestroy");
  check_driver(driver.cuDevicePrimaryCtxRelease_v2(0), "context");
  close_model(&model);
}

int main(int argc, char **argv) {
  txc_message why = {.text = ""};
  if (txc_cuda_find_driver(&driver, &why) != TXC_OK)
    fail("driver", "not found", why.text);
  check_driver(driver.cuInit(0), "cuInit");
  for (int i = 1; i < argc; ++i)
    test_memory(argv[i]);
  return 0;
}
