//===- model.h - A loaded model -----------------------------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The immutable part of a model, shared by its sessions.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_MODEL_H
#define TXC_RUNTIME_MODEL_H

#include "runtime/weights.h"

#include <stdatomic.h>

struct txc_model {
  txc_handle handle; ///< First: the shims rely on it.
  const txc_program *program;
  const char *name;
  txc_weights weights;
  void *gpu; ///< The backend's; NULL: a program for CPUs.
  txc_allocator allocator;
  txc_logger logger;
  /// Sessions and executors made from it.
  _Atomic int32_t users;
};

txc_status txc_model_create_impl(const txc_model_table *table,
                                 const txc_open_options *options,
                                 txc_model **model, txc_message *message);
txc_status txc_model_close_impl(txc_model *model, txc_message *message);

txc_status txc_describe_model(const txc_model *model, txc_model_info *info);
txc_status txc_describe_input(const txc_model *model, size_t index,
                              txc_tensor_info *info);
txc_status txc_describe_output(const txc_model *model, size_t index,
                               txc_tensor_info *info);
txc_status txc_describe_symbol(const txc_model *model, size_t index,
                               txc_symbol_info *info);
txc_status txc_describe_state(const txc_model *model, size_t index,
                              txc_state_info *info);
txc_status txc_describe_sequence(const txc_model *model, size_t index,
                                 txc_sequence_info *info);
txc_status txc_describe_phase(const txc_model *model, size_t index,
                              txc_phase_info *info);

/// The symbol of that name, -1 if there is none.
int32_t txc_find_symbol(const txc_program *program, const char *name);

#endif // TXC_RUNTIME_MODEL_H
