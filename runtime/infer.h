//===- infer.h - Shapes without a run -----------------------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// What tensors a run takes and gives, for given dims or inputs.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_INFER_H
#define TXC_RUNTIME_INFER_H

#include "runtime/session.h"

/// Fills the caller's output tensors from the present values.
void txc_fill_outputs(txc_session *session);

txc_status txc_infer_impl(txc_session *session, const txc_tensor *inputs,
                          size_t input_count, txc_tensor *outputs,
                          size_t output_count);

txc_status txc_infer_inputs_impl(txc_session *session,
                                 const txc_dim_value *dims, size_t count,
                                 txc_tensor *inputs, size_t input_count);

#endif // TXC_RUNTIME_INFER_H
