//===- match.c - Which tensor is which ------------------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See match.h.
///
//===----------------------------------------------------------------------===//

#include "runtime/match.h"

int32_t txc_find_tensor(txc_session *session, const char *what,
                        const txc_tensor_desc *descs, int32_t count,
                        const char *name, size_t position) {
  if (!name) {
    if (position < (size_t)count)
      return (int32_t)position;
    txc_fail(&session->message, TXC_UNKNOWN_NAME,
             "%s %zu was given; the model has %d", what, position + 1, count);
    return -1;
  }
  char names[256] = "";
  size_t used = 0;
  for (int32_t i = 0; i < count; ++i) {
    if (strcmp(descs[i].name, name) == 0)
      return i;
    if (used < sizeof names)
      used += (size_t)snprintf(names + used, sizeof names - used, "%s\"%s\"",
                               i ? ", " : "", descs[i].name);
  }
  txc_fail(&session->message, TXC_UNKNOWN_NAME,
           "the model has no %s \"%s\"; it has %s", what, name,
           used ? names : "none");
  return -1;
}

txc_status txc_match_inputs(txc_session *session, const txc_tensor *tensors,
                            size_t count) {
  const txc_program *program = session->model->program;
  memset((void *)session->inputs, 0,
         sizeof *session->inputs * (size_t)program->input_count);
  for (size_t i = 0; i < count; ++i) {
    int32_t index = txc_find_tensor(session, "input", program->inputs,
                                    program->input_count, tensors[i].name, i);
    if (index < 0)
      return TXC_UNKNOWN_NAME;
    if (session->inputs[index])
      return txc_fail(&session->message, TXC_INVALID_ARGUMENT,
                      "input \"%s\" is given twice",
                      program->inputs[index].name);
    session->inputs[index] = &tensors[i];
  }
  for (int32_t i = 0; i < program->input_count; ++i)
    if (!session->inputs[i])
      return txc_fail(&session->message, TXC_MISSING_INPUT,
                      "input \"%s\" is missing", program->inputs[i].name);
  return TXC_OK;
}

txc_status txc_match_outputs(txc_session *session, txc_tensor *tensors,
                             size_t count) {
  const txc_program *program = session->model->program;
  memset((void *)session->outputs, 0,
         sizeof *session->outputs * (size_t)program->output_count);
  for (size_t i = 0; i < count; ++i) {
    int32_t index = txc_find_tensor(session, "output", program->outputs,
                                    program->output_count, tensors[i].name, i);
    if (index < 0)
      return TXC_UNKNOWN_NAME;
    const txc_tensor_desc *desc = &program->outputs[index];
    if (session->outputs[index])
      return txc_fail(&session->message, TXC_INVALID_ARGUMENT,
                      "output \"%s\" is given twice", desc->name);
    if (tensors[i].type != 0 && tensors[i].type != desc->type)
      return txc_fail(&session->message, TXC_TYPE_MISMATCH,
                      "output \"%s\" has type %s, expected %s", desc->name,
                      txc_type_name(tensors[i].type),
                      txc_type_name(desc->type));
    session->outputs[index] = &tensors[i];
  }
  return TXC_OK;
}
