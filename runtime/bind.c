//===- bind.c - From tensors to symbols -----------------------------------===//
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

#include "runtime/match.h"
#include "runtime/state.h"

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

int64_t txc_dim_extent(const txc_session *session, const txc_dim *dim) {
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

/// Memory of a GPU is for sessions that run there.
static txc_status check_memory(txc_session *session, const txc_tensor *tensor,
                               const char *what, const char *name) {
  if (tensor->device == TXC_HOST ||
      (tensor->device == TXC_DEVICE && session->model->program->gpu))
    return TXC_OK;
  return txc_fail(&session->message, TXC_INVALID_ARGUMENT,
                  tensor->device == TXC_DEVICE
                      ? "%s \"%s\" is in a GPU's memory, but the session runs "
                        "on the CPU"
                      : "%s \"%s\" says of its memory what is neither "
                        "TXC_HOST nor TXC_DEVICE",
                  what, name);
}

static txc_status check_input(txc_session *session, int32_t index,
                              bool need_data) {
  const txc_tensor_desc *desc = &session->model->program->inputs[index];
  const txc_tensor *tensor = session->inputs[index];
  for (int32_t axis = 0; axis < desc->rank; ++axis) {
    int64_t expected = txc_dim_extent(session, &desc->dims[axis]);
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
  return check_memory(session, tensor, "input", desc->name);
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

txc_status txc_check_requirement(txc_session *session, int64_t number) {
  const txc_requirement *requirement =
      &session->model->program->requirements[number];
  int64_t lhs = session->values[requirement->lhs_value];
  int64_t rhs = session->values[requirement->rhs_value];
  if (holds(requirement->relation, lhs, rhs))
    return TXC_OK;
  return txc_fail(&session->message, TXC_REQUIREMENT,
                  "%s (the two sides are %lld and %lld)", requirement->sentence,
                  (long long)lhs, (long long)rhs);
}

txc_status txc_check_requirements(txc_session *session, int32_t symbol) {
  const txc_program *program = session->model->program;
  txc_status status = TXC_OK;
  for (int32_t i = 0; i < program->requirement_count && status == TXC_OK; ++i)
    if (program->requirements[i].symbol == symbol)
      status = txc_check_requirement(session, i);
  return status;
}

txc_status txc_bind(txc_session *session, const txc_tensor *inputs,
                    size_t input_count, txc_tensor *outputs,
                    size_t output_count, bool need_data) {
  const txc_program *program = session->model->program;
  if ((input_count && !inputs) || (output_count && !outputs))
    return txc_fail(&session->message, TXC_INVALID_ARGUMENT,
                    "%s is NULL, but its count is not 0",
                    input_count && !inputs ? "inputs" : "outputs");
  txc_status status = txc_match_inputs(session, inputs, input_count);
  if (status == TXC_OK)
    status = txc_match_outputs(session, outputs, output_count);
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
    txc_status status =
        tensor ? check_memory(session, tensor, "output", desc->name) : TXC_OK;
    if (status != TXC_OK)
      return status;
    // What the CPU writes to an output that is the GPU's is in the arena.
    *base = session->arena.data + session->values[desc->arena_offset_value];
    if (!tensor || !tensor->data || tensor->borrowed) {
      if (tensor) {
        tensor->data = *base;
        tensor->borrowed = 1;
      }
      continue;
    }
    int64_t dims[TXC_MAX_RANK];
    uint64_t bytes = 0;
    for (int32_t axis = 0; axis < desc->rank; ++axis)
      dims[axis] = txc_dim_extent(session, &desc->dims[axis]);
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
    if (tensor->device == TXC_HOST)
      *base = tensor->data;
  }
  return TXC_OK;
}
