//===- model.c - Opening a model ------------------------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See model.h.
///
//===----------------------------------------------------------------------===//

#include "runtime/model.h"

#include "runtime/cpu.h"
#include "runtime/gpu.h"

#include <stdlib.h>

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

/// The first program for CPUs that this machine can run. The sentence is about
/// the one that requires least, which is the last.
static txc_status open_cpu(txc_model *model, const txc_program *first,
                           txc_message *message) {
  txc_status status =
      txc_fail(message, TXC_UNSUPPORTED_CPU,
               "the model has code for GPUs only; open it with the device "
               "\"cuda:0\"");
  for (const txc_program *program = first; program; program = program->next) {
    if (program->gpu)
      continue;
    model->program = program;
    status = txc_check_cpu(program->cpu_features, program->target, message);
    if (status == TXC_OK)
      break;
  }
  return status;
}

/// The first program that GPU `number` can run.
static txc_status open_gpu(txc_model *model, const txc_program *first,
                           int32_t number, txc_message *message) {
  txc_status status =
      txc_fail(message, TXC_NO_DEVICE,
               "the model has no code for GPUs; compile it with "
               "-target=native,sm80");
  for (const txc_program *program = first; program; program = program->next) {
    if (!program->gpu)
      continue;
    model->program = program;
    status = txc_check_cpu(program->cpu_features, program->target, message);
    if (status == TXC_OK)
      status = program->gpu->backend->open(model, number, message);
    if (status == TXC_OK)
      break;
  }
  return status;
}

/// Sets the model's program; its weights are there.
static txc_status open_device(txc_model *model, const txc_program *first,
                              const char *device, txc_message *message) {
  static const char prefix[] = "cuda:";
  if (!device) {
    bool has_cpu = false;
    for (const txc_program *program = first; program; program = program->next)
      has_cpu |= program->gpu == NULL;
    device = has_cpu ? "cpu" : "cuda:0";
  }
  if (strcmp(device, "cpu") == 0)
    return open_cpu(model, first, message);
  if (strcmp(device, "auto") == 0) {
    txc_status status = open_gpu(model, first, 0, message);
    return status == TXC_OK ? status : open_cpu(model, first, message);
  }
  char *end = NULL;
  unsigned long number = 0;
  if (strncmp(device, prefix, sizeof prefix - 1) == 0)
    number = strtoul(device + sizeof prefix - 1, &end, 10);
  if (!end || end == device + sizeof prefix - 1 || *end || number > INT32_MAX)
    return txc_fail(message, TXC_INVALID_ARGUMENT,
                    "the device is \"%s\"; \"cpu\", \"auto\" and \"cuda:0\" "
                    "are such",
                    device);
  return open_gpu(model, first, (int32_t)number, message);
}

txc_status txc_model_create_impl(const txc_model_table *table,
                                 const txc_open_options *given, txc_model **out,
                                 txc_message *message) {
  txc_open_options options = txc_open_options_default();
  const txc_program *program = table->program;
  txc_status status =
      txc_copy_options(&options, sizeof options, given, message);
  if (status != TXC_OK)
    return status;

  txc_allocator allocator = txc_choose_allocator(options.allocator);
  txc_model *model =
      txc_allocate_zero(&allocator, sizeof *model, _Alignof(txc_model));
  if (!model)
    return txc_fail(message, TXC_OUT_OF_MEMORY, "no memory for the model");
  model->handle.api = table->api;
  model->program = program;
  model->name = table->name;
  model->allocator = allocator;
  model->logger.log = options.log;
  model->logger.user = options.log_user;
  status =
      txc_map_weights(program->weights, options.weights_path,
                      options.verify_weights != 0, &model->weights, message);
  if (status == TXC_OK) {
    // Of all programs they are the same.
    status = open_device(model, program, options.device, message);
    if (status != TXC_OK)
      txc_unmap_weights(&model->weights);
  }
  if (status != TXC_OK) {
    txc_release(&allocator, model, sizeof *model);
    return status;
  }
  *out = model;
  return TXC_OK;
}

txc_status txc_model_close_impl(txc_model *model, txc_message *message) {
  int32_t users = atomic_load(&model->users);
  if (users)
    return txc_fail(message, TXC_IN_USE,
                    "the model has %d sessions or executors; destroy them "
                    "first",
                    users);
  if (model->gpu)
    model->program->gpu->backend->close(model);
  txc_unmap_weights(&model->weights);
  txc_allocator allocator = model->allocator;
  txc_release(&allocator, model, sizeof *model);
  return TXC_OK;
}

//===----------------------------------------------------------------------===//
// Description
//===----------------------------------------------------------------------===//

txc_status txc_describe_model(const txc_model *model, txc_model_info *info) {
  const txc_program *program = model->program;
  const txc_weights_desc *weights = program->weights;
  txc_model_info known = {
      .size = sizeof known,
      .name = model->name,
      .target = program->target,
      .cpu_features = program->cpu_features,
      .version = program->version,
      .weight_bytes = weights ? weights->size : 0,
      .weight_tensors = weights ? weights->tensors : 0,
      .inputs = (size_t)program->input_count,
      .outputs = (size_t)program->output_count,
      .symbols = (size_t)program->symbol_count,
      .states = (size_t)program->state_count,
      .sequences = (size_t)program->sequence_count,
      .phases = (size_t)program->phase_count,
  };
  return txc_fill_info(info, &known, sizeof known);
}

static txc_status describe_tensor(const txc_tensor_desc *descs, int32_t count,
                                  size_t index, txc_tensor_info *info) {
  if (index >= (size_t)count)
    return TXC_INVALID_ARGUMENT;
  const txc_tensor_desc *desc = &descs[index];
  txc_tensor_info known = {
      .size = sizeof known,
      .name = desc->name,
      .type = desc->type,
      .rank = desc->rank,
      .dims = desc->dims,
      .low = desc->low,
      .high = desc->high,
  };
  return txc_fill_info(info, &known, sizeof known);
}

txc_status txc_describe_input(const txc_model *model, size_t index,
                              txc_tensor_info *info) {
  const txc_program *program = model->program;
  return describe_tensor(program->inputs, program->input_count, index, info);
}

txc_status txc_describe_output(const txc_model *model, size_t index,
                               txc_tensor_info *info) {
  const txc_program *program = model->program;
  return describe_tensor(program->outputs, program->output_count, index, info);
}

txc_status txc_describe_symbol(const txc_model *model, size_t index,
                               txc_symbol_info *info) {
  if (index >= (size_t)model->program->symbol_count)
    return TXC_INVALID_ARGUMENT;
  const txc_symbol_desc *desc = &model->program->symbols[index];
  txc_symbol_info known = {
      .size = sizeof known,
      .name = desc->name,
      .lower = desc->lower,
      .upper = desc->upper,
      .source = desc->source,
  };
  return txc_fill_info(info, &known, sizeof known);
}

txc_status txc_describe_state(const txc_model *model, size_t index,
                              txc_state_info *info) {
  if (index >= (size_t)model->program->state_count)
    return TXC_INVALID_ARGUMENT;
  const txc_state_desc *desc = &model->program->states[index];
  txc_state_info known = {
      .size = sizeof known,
      .name = desc->name,
      .type = desc->type,
      .rank = desc->rank,
      .dims = desc->dims,
      .row_axis = desc->row_axis,
      .sequence_axis = desc->sequence_axis,
      .sequence = desc->sequence,
  };
  return txc_fill_info(info, &known, sizeof known);
}

txc_status txc_describe_sequence(const txc_model *model, size_t index,
                                 txc_sequence_info *info) {
  if (index >= (size_t)model->program->sequence_count)
    return TXC_INVALID_ARGUMENT;
  const txc_sequence_desc *desc = &model->program->sequences[index];
  txc_sequence_info known = {
      .size = sizeof known,
      .name = desc->name,
      .ragged = desc->ragged,
  };
  return txc_fill_info(info, &known, sizeof known);
}

txc_status txc_describe_phase(const txc_model *model, size_t index,
                              txc_phase_info *info) {
  if (index >= (size_t)model->program->phase_count)
    return TXC_INVALID_ARGUMENT;
  const txc_phase *phase = &model->program->phases[index];
  txc_phase_info known = {
      .size = sizeof known,
      .kernel = phase->kernel_name,
      .nodes = phase->onnx_nodes,
  };
  return txc_fill_info(info, &known, sizeof known);
}

int32_t txc_find_symbol(const txc_program *program, const char *name) {
  for (int32_t i = 0; i < program->symbol_count; ++i)
    if (strcmp(program->symbols[i].name, name) == 0)
      return i;
  return -1;
}
