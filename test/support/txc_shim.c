//===- txc_shim.c - txc.h for callers that cannot include it ---*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// One model with one session behind functions that Python's ctypes can call:
/// those of txc.h are inline. compiled_model.py is the other side.
///
//===----------------------------------------------------------------------===//

#include "runtime/txc.h"

#include <stdlib.h>

typedef struct shim {
  txc_model *model;
  txc_session *session;
} shim;

void shim_close(shim *self);

/// rows: sequences that state has room for. Returns NULL and a message on
/// failure.
shim *shim_open(const char *path, int32_t threads, int64_t rows,
                txc_message *message) {
  shim *self = calloc(1, sizeof *self);
  if (!self)
    return NULL;
  txc_session_options options = txc_session_options_default();
  options.threads = threads;
  options.state_rows = rows;
  if (txc_open(path, NULL, &self->model, message) == TXC_OK &&
      txc_session_create(self->model, &options, &self->session, message) ==
          TXC_OK)
    return self;
  shim_close(self);
  return NULL;
}

void shim_close(shim *self) {
  txc_session_destroy(self->session);
  txc_close(self->model, NULL);
  free(self);
}

/// The name and type of an input (or output), NULL past the end.
const char *shim_tensor(shim *self, int32_t is_output, size_t index,
                        int32_t *type) {
  txc_tensor_info info;
  memset(&info, 0, sizeof info);
  info.size = sizeof info;
  txc_status status = is_output ? txc_model_output(self->model, index, &info)
                                : txc_model_input(self->model, index, &info);
  *type = info.type;
  return status == TXC_OK ? info.name : NULL;
}

/// Returns NULL, or what is wrong. Outputs are borrowed.
const char *shim_run(shim *self, const txc_tensor *inputs, size_t input_count,
                     txc_tensor *outputs, size_t output_count) {
  txc_status status =
      txc_run(self->session, inputs, input_count, outputs, output_count);
  return status == TXC_OK ? NULL : txc_error(self->session);
}

/// Forgets all state. Returns NULL, or what is wrong.
const char *shim_reset(shim *self) {
  txc_status status = txc_state_reset(self->session, TXC_ALL_ROWS);
  return status == TXC_OK ? NULL : txc_error(self->session);
}
