//===- tested_model.c - Models with inputs and expected outputs ----*- C
//-*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See tested_model.h.
///
//===----------------------------------------------------------------------===//

#include "test/process/tested_model.h"

#include <stdlib.h>

enum { MaxBatch = 3 };

void fail(const char *path, const char *what, const char *why) {
  fprintf(stderr, "%s: %s: %s\n", path, what, why);
  exit(1);
}

static void check(txc_status status, const tested_model *model,
                  txc_session *session, const char *what) {
  if (status != TXC_OK)
    fail(model->path, what, txc_error(session));
}

/// The extents for a size: each symbol as near to it as it may be. The first
/// is the batch as a rule, of which a few rows do.
static size_t choose_dims(const tested_model *model, int64_t size,
                          txc_dim_value *dims, size_t room) {
  size_t count = 0;
  txc_symbol_info info = {.size = sizeof info};
  for (size_t i = 0;
       count < room && txc_model_symbol(model->handle, i, &info) == TXC_OK;
       ++i) {
    if (info.source != TXC_SYMBOL_INPUT)
      continue;
    int64_t wanted = count == 0 && size > MaxBatch ? MaxBatch : size;
    int64_t extent = wanted < info.lower ? info.lower : wanted;
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

txc_session *make_session(const tested_model *model,
                          const txc_session_options *options) {
  txc_session_options alone = txc_session_options_default();
  alone.threads = 1;
  txc_session *session = NULL;
  txc_message message = {.text = ""};
  if (txc_session_create(model->handle, options ? options : &alone, &session,
                         &message) != TXC_OK)
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

void open_model(const char *path, const int64_t *sizes, tested_model *model) {
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
  txc_session *session = make_session(model, NULL);
  for (model->size_count = 0; sizes[model->size_count]; ++model->size_count)
    make_sample(model, session, sizes[model->size_count],
                &model->samples[model->size_count]);
  txc_session_destroy(session);
}

void run_and_compare(const tested_model *model, txc_session *session, int size,
                     const char *how) {
  const sample *expected = &model->samples[size];
  txc_tensor outputs[MaxTensors];
  for (size_t i = 0; i < model->output_count; ++i)
    outputs[i] = txc_tensor_borrow(NULL);
  check(txc_run(session, expected->inputs, model->input_count, outputs,
                model->output_count),
        model, session, "run");
  for (size_t i = 0; i < model->output_count; ++i)
    if (outputs[i].bytes != expected->outputs[i].bytes ||
        memcmp(outputs[i].data, expected->outputs[i].data, outputs[i].bytes))
      fail(model->path, how, "not the bits that one thread alone computes");
}

void close_model(tested_model *model) {
  for (int s = 0; s < model->size_count; ++s) {
    for (size_t i = 0; i < model->input_count; ++i)
      free(model->samples[s].inputs[i].data);
    for (size_t i = 0; i < model->output_count; ++i)
      free(model->samples[s].outputs[i].data);
  }
  txc_message message = {.text = ""};
  if (txc_close(model->handle, &message) != TXC_OK)
    fail(model->path, "not closed", message.text);
}
