//===- infer.c - Shapes without a run -------------------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See infer.h.
///
//===----------------------------------------------------------------------===//

#include "runtime/infer.h"

#include "runtime/bind.h"
#include "runtime/match.h"
#include "runtime/state.h"

/// Type, rank, dims and bytes from the present values.
static void fill_shape(const txc_session *session, const txc_tensor_desc *desc,
                       txc_tensor *tensor) {
  uint64_t bytes;
  tensor->type = desc->type;
  tensor->rank = desc->rank;
  for (int32_t axis = 0; axis < desc->rank; ++axis)
    tensor->dims[axis] = txc_dim_extent(session, &desc->dims[axis]);
  tensor->bytes = txc_tensor_bytes(desc->type, desc->rank, tensor->dims, &bytes)
                      ? bytes
                      : 0;
}

void txc_fill_outputs(txc_session *session) {
  for (int32_t i = 0; i < session->model->program->output_count; ++i)
    if (session->outputs[i])
      fill_shape(session, &session->model->program->outputs[i],
                 session->outputs[i]);
}

/// A run has yet to define some symbols: takes back what depends on them.
static void hide_run_time_dims(txc_session *session) {
  const txc_program *program = session->model->program;
  for (int32_t i = 0; i < program->output_count; ++i)
    for (int32_t axis = 0; axis < program->outputs[i].rank; ++axis)
      if (session->outputs[i] && program->outputs[i].dims[axis].run_time) {
        session->outputs[i]->dims[axis] = -1;
        session->outputs[i]->bytes = 0;
      }
}

txc_status txc_infer_impl(txc_session *session, const txc_tensor *inputs,
                          size_t input_count, txc_tensor *outputs,
                          size_t output_count) {
  txc_status status = txc_session_enter(session);
  if (status != TXC_OK)
    return status;
  status = txc_bind(session, inputs, input_count, outputs, output_count, false);
  if (status == TXC_OK) {
    txc_fill_outputs(session);
    hide_run_time_dims(session);
  }
  return txc_session_leave(session, status);
}

static txc_status infer_inputs(txc_session *session, const txc_dim_value *dims,
                               size_t count, txc_tensor *inputs,
                               size_t input_count) {
  const txc_program *program = session->model->program;
  txc_status status = txc_bind_dims(session, dims, count);
  if (status != TXC_OK)
    return status;
  txc_state_bind(session);
  program->evaluate(session->symbols, session->values);
  for (size_t i = 0; i < input_count; ++i) {
    int32_t index = txc_find_tensor(session, "input", program->inputs,
                                    program->input_count, inputs[i].name, i);
    if (index < 0)
      return TXC_UNKNOWN_NAME;
    fill_shape(session, &program->inputs[index], &inputs[i]);
  }
  return TXC_OK;
}

txc_status txc_infer_inputs_impl(txc_session *session,
                                 const txc_dim_value *dims, size_t count,
                                 txc_tensor *inputs, size_t input_count) {
  txc_status status = txc_session_enter(session);
  if (status != TXC_OK)
    return status;
  return txc_session_leave(
      session, infer_inputs(session, dims, count, inputs, input_count));
}
