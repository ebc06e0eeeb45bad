//===- bind.c - From tensors to symbols ----------------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See bind.h.
///
//===----------------------------------------------------------------------===//

#include "runtime/bind.h"

#include "runtime/state.h"

//===----------------------------------------------------------------------===//
// Which tensor is which
//===----------------------------------------------------------------------===//

/// The index of the descriptor that tensor number `position` stands for, -1
/// with a sentence when there is none.
static int32_t find_tensor(txc_session *session, const char *what,
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

static txc_status match_inputs(txc_session *session, const txc_tensor *tensors,
                               size_t count) {
  const txc_program *program = session->model->program;
  memset(session->inputs, 0,
         sizeof *session->inputs * (size_t)program->input_count);
  for (size_t i = 0; i < count; ++i) {
    int32_t index = find_tensor(session, "input", program->inputs,
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

static txc_status match_outputs(txc_session *session, txc_tensor *tensors,
                                size_t count) {
  const txc_program *program = session->model->program;
  memset(session->outputs, 0,
         sizeof *session->outputs * (size_t)program->output_count);
  for (size_t i = 0; i < count; ++i) {
    int32_t index = find_tensor(session, "output", program->outputs,
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

//===----------------------------------------------------------------------===//
// Symbols
//===----------------------------------------------------------------------===//

/// Sets every symbol that is not a state's capacity to its lower bound.
static void bind_lower_bounds(txc_session *session) {
  const txc_program *program = session->model->program;
  for (int32_t i = 0; i < program->symbol_count; ++i)
    if (program->symbols[i].source != TXC_SYMBOL_STATE_CAPACITY)
      session->symbols[i] = program->symbols[i].lower;
}

txc_status txc_check_bounds(txc_session *session, int32_t symbol,
                            int64_t value) {
  const txc_symbol_desc *desc = &session->model->program->symbols[symbol];
  if (value >= desc->lower && value <= desc->upper)
    return TXC_OK;
  if (desc->upper == INT64_MAX)
    return txc_fail(&session->message, TXC_OUT_OF_BOUNDS,
                    "dim \"%s\" is %lld; the model was compiled for %lld or "
                    "more",
                    desc->name, (long long)value, (long long)desc->lower);
  return txc_fail(&session->message, TXC_OUT_OF_BOUNDS,
                  "dim \"%s\" is %lld; the model was compiled for %lld to %lld",
                  desc->name, (long long)value, (long long)desc->lower,
                  (long long)desc->upper);
}

txc_status txc_bind_dims(txc_session *session, const txc_dim_value *dims,
                         size_t count) {
  const txc_program *program = session->model->program;
  if (count && !dims)
    return txc_fail(&session->message, TXC_INVALID_ARGUMENT,
                    "dims is NULL, but there are %zu", count);
  bind_lower_bounds(session);
  for (size_t i = 0; i < count; ++i) {
    int32_t symbol = dims[i].name ? txc_find_symbol(program, dims[i].name) : -1;
    if (symbol < 0)
      return txc_fail(&session->message, TXC_UNKNOWN_NAME,
                      "the model has no dim \"%s\"",
                      dims[i].name ? dims[i].name : "NULL");
    if (program->symbols[symbol].source == TXC_SYMBOL_STATE_CAPACITY)
      return txc_fail(&session->message, TXC_INVALID_ARGUMENT,
                      "dim \"%s\" is the capacity of state: set "
                      "state_capacity when the session is made",
                      dims[i].name);
    txc_status status = txc_check_bounds(session, symbol, dims[i].value);
    if (status != TXC_OK)
      return status;
    session->symbols[symbol] = dims[i].value;
  }
  program->evaluate(session->symbols, session->values);
  return TXC_OK;
}

/// Axis `axis` of an input differs from what it should be.
static txc_status wrong_dim(txc_session *session, const txc_tensor_desc *desc,
                            int32_t axis, int64_t found, int64_t expected) {
  const txc_dim *dim = &desc->dims[axis];
  if (dim->kind == TXC_DIM_CONST)
    return txc_fail(&session->message, TXC_SHAPE_MISMATCH,
                    "input \"%s\": axis %d is %lld, expected %lld", desc->name,
                    axis, (long long)found, (long long)expected);
  return txc_fail(&session->message, TXC_SHAPE_MISMATCH,
                  "input \"%s\": axis %d is %lld, expected %lld (%s, from the "
                  "other dims)",
                  desc->name, axis, (long long)found, (long long)expected,
                  dim->text);
}

/// An input symbol that no axis has set yet. No bound is negative.
enum { Unset = -1 };

/// Type, rank and constant dims of an input; sets the symbols that are new.
static txc_status bind_input(txc_session *session, int32_t index) {
  const txc_program *program = session->model->program;
  const txc_tensor_desc *desc = &program->inputs[index];
  const txc_tensor *tensor = session->inputs[index];
  if (tensor->type != desc->type)
    return txc_fail(&session->message, TXC_TYPE_MISMATCH,
                    "input \"%s\" has type %s, expected %s", desc->name,
                    txc_type_name(tensor->type), txc_type_name(desc->type));
  if (tensor->rank != desc->rank)
    return txc_fail(&session->message, TXC_SHAPE_MISMATCH,
                    "input \"%s\" has rank %d, expected %d", desc->name,
                    tensor->rank, desc->rank);
  for (int32_t axis = 0; axis < desc->rank; ++axis) {
    const txc_dim *dim = &desc->dims[axis];
    int64_t found = tensor->dims[axis];
    if (found < 0)
      return txc_fail(&session->message, TXC_SHAPE_MISMATCH,
                      "input \"%s\": axis %d is %lld", desc->name, axis,
                      (long long)found);
    if (dim->kind == TXC_DIM_CONST && found != dim->value)
      return wrong_dim(session, desc, axis, found, dim->value);
    if (dim->kind != TXC_DIM_SYMBOL)
      continue;
    int32_t symbol = (int32_t)dim->value;
    if (program->symbols[symbol].source == TXC_SYMBOL_INPUT &&
        session->symbols[symbol] == Unset) {
      txc_status status = txc_check_bounds(session, symbol, found);
      if (status != TXC_OK)
        return status;
      session->symbols[symbol] = found;
    } else if (found != session->symbols[symbol]) {
      return wrong_dim(session, desc, axis, found, session->symbols[symbol]);
    }
  }
  return TXC_OK;
}

static txc_status bind_symbols(txc_session *session) {
  const txc_program *program = session->model->program;
  bind_lower_bounds(session);
  for (int32_t i = 0; i < program->symbol_count; ++i)
    if (program->symbols[i].source == TXC_SYMBOL_INPUT)
      session->symbols[i] = Unset;
  txc_state_bind(session);
  for (int32_t i = 0; i < program->input_count; ++i) {
    txc_status status = bind_input(session, i);
    if (status != TXC_OK)
      return status;
  }
  // The compiler sees to it that each has an axis; one without is harmless.
  for (int32_t i = 0; i < program->symbol_count; ++i)
    if (session->symbols[i] == Unset)
      session->symbols[i] = program->symbols[i].lower;
  return TXC_OK;
}

//===----------------------------------------------------------------------===//
// Checks that need values
//===----------------------------------------------------------------------===//

static int64_t dim_extent(const txc_session *session, const txc_dim *dim) {
  switch (dim->kind) {
  case TXC_DIM_SYMBOL:
    return session->symbols[dim->value];
  case TXC_DIM_VALUE:
    return session->values[dim->value];
  default:
    return dim->value;
  }
}

/// Kernels load elements, not octets.
static bool is_aligned(const void *data, int32_t type) {
  uintptr_t bytes = (uintptr_t)(txc_type_bits(type) + 7) / 8;
  if (bytes > 8)
    bytes /= 2; // complex128: two doubles
  return bytes == 0 || (uintptr_t)data % bytes == 0;
}

static txc_status check_input(txc_session *session, int32_t index,
                              bool need_data) {
  const txc_tensor_desc *desc = &session->model->program->inputs[index];
  const txc_tensor *tensor = session->inputs[index];
  for (int32_t axis = 0; axis < desc->rank; ++axis) {
    int64_t expected = dim_extent(session, &desc->dims[axis]);
    if (tensor->dims[axis] != expected)
      return wrong_dim(session, desc, axis, tensor->dims[axis], expected);
  }
  uint64_t bytes;
  if (!txc_tensor_bytes(desc->type, desc->rank, tensor->dims, &bytes))
    return txc_fail(&session->message, TXC_SHAPE_MISMATCH,
                    "input \"%s\" has more elements than fit in memory",
                    desc->name);
  if (tensor->capacity && tensor->capacity < bytes)
    return txc_fail(&session->message, TXC_BUFFER_TOO_SMALL,
                    "input \"%s\" has %zu bytes, its dims need %llu",
                    desc->name, tensor->capacity, (unsigned long long)bytes);
  if (need_data && !tensor->data && bytes)
    return txc_fail(&session->message, TXC_INVALID_ARGUMENT,
                    "input \"%s\" has no data", desc->name);
  if (!is_aligned(tensor->data, desc->type))
    return txc_fail(&session->message, TXC_INVALID_ARGUMENT,
                    "input \"%s\" is not aligned to its %s elements",
                    desc->name, txc_type_name(desc->type));
  session->bases[TXC_BASE_FIRST_INPUT + index] = tensor->data;
  return TXC_OK;
}

static bool holds(int32_t relation, int64_t lhs, int64_t rhs) {
  switch (relation) {
  case TXC_RELATION_EQ:
    return lhs == rhs;
  case TXC_RELATION_LE:
    return lhs <= rhs;
  default:
    return lhs != rhs;
  }
}

txc_status txc_check_requirements(txc_session *session, int32_t symbol) {
  const txc_program *program = session->model->program;
  for (int32_t i = 0; i < program->requirement_count; ++i) {
    const txc_requirement *requirement = &program->requirements[i];
    int64_t lhs = session->values[requirement->lhs_value];
    int64_t rhs = session->values[requirement->rhs_value];
    if (requirement->symbol == symbol &&
        !holds(requirement->relation, lhs, rhs))
      return txc_fail(&session->message, TXC_REQUIREMENT,
                      "%s (the two sides are %lld and %lld)",
                      requirement->sentence, (long long)lhs, (long long)rhs);
  }
  return TXC_OK;
}

txc_status txc_bind(txc_session *session, const txc_tensor *inputs,
                    size_t input_count, txc_tensor *outputs,
                    size_t output_count, bool need_data) {
  const txc_program *program = session->model->program;
  if ((input_count && !inputs) || (output_count && !outputs))
    return txc_fail(&session->message, TXC_INVALID_ARGUMENT,
                    "%s is NULL, but its count is not 0",
                    input_count && !inputs ? "inputs" : "outputs");
  txc_status status = match_inputs(session, inputs, input_count);
  if (status == TXC_OK)
    status = match_outputs(session, outputs, output_count);
  if (status == TXC_OK)
    status = bind_symbols(session);
  if (status != TXC_OK)
    return status;
  program->evaluate(session->symbols, session->values);
  for (int32_t i = 0; i < program->input_count && status == TXC_OK; ++i)
    status = check_input(session, i, need_data);
  if (status == TXC_OK)
    status = txc_check_requirements(session, -1);
  if (status == TXC_OK)
    status = txc_state_check(session);
  return status;
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

txc_status txc_bind_outputs(txc_session *session) {
  const txc_program *program = session->model->program;
  for (int32_t i = 0; i < program->output_count; ++i) {
    const txc_tensor_desc *desc = &program->outputs[i];
    txc_tensor *tensor = session->outputs[i];
    char **base = &session->bases[txc_first_output_base(program) + i];
    if (!tensor || !tensor->data || tensor->borrowed) {
      *base = session->arena.data + session->values[desc->arena_offset_value];
      if (tensor) {
        tensor->data = *base;
        tensor->borrowed = 1;
      }
      continue;
    }
    int64_t dims[TXC_MAX_RANK];
    uint64_t bytes = 0;
    for (int32_t axis = 0; axis < desc->rank; ++axis)
      dims[axis] = dim_extent(session, &desc->dims[axis]);
    if (!txc_tensor_bytes(desc->type, desc->rank, dims, &bytes) ||
        (tensor->capacity && tensor->capacity < bytes))
      return txc_fail(&session->message, TXC_BUFFER_TOO_SMALL,
                      "output \"%s\" has room for %zu bytes, the result has "
                      "%llu",
                      desc->name, tensor->capacity, (unsigned long long)bytes);
    if (!is_aligned(tensor->data, desc->type))
      return txc_fail(&session->message, TXC_INVALID_ARGUMENT,
                      "output \"%s\" is not aligned to its %s elements",
                      desc->name, txc_type_name(desc->type));
    *base = tensor->data;
  }
  return TXC_OK;
}

/// Type, rank, dims and bytes from the present values.
static void fill_shape(const txc_session *session, const txc_tensor_desc *desc,
                       txc_tensor *tensor) {
  uint64_t bytes;
  tensor->type = desc->type;
  tensor->rank = desc->rank;
  for (int32_t axis = 0; axis < desc->rank; ++axis)
    tensor->dims[axis] = dim_extent(session, &desc->dims[axis]);
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

//===----------------------------------------------------------------------===//
// From symbols to inputs
//===----------------------------------------------------------------------===//

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
    int32_t index = find_tensor(session, "input", program->inputs,
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
