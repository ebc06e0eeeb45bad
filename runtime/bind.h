//===- bind.h - From tensors to symbols ---------------------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Checks the tensors of a run, reads the symbols from their dims, evaluates
/// the shape program, and points the bases at memory. Every sentence names the
/// input, what was found and what was expected.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_BIND_H
#define TXC_RUNTIME_BIND_H

#include "runtime/session.h"

/// Sets the symbols to the given dims, the others to their lower bounds, and
/// evaluates.
txc_status txc_bind_dims(txc_session *session, const txc_dim_value *dims,
                         size_t count);

txc_status txc_check_bounds(txc_session *session, int32_t symbol,
                            int64_t value);

/// Requirements that wait for the symbol (-1: those known before the run).
txc_status txc_check_requirements(txc_session *session, int32_t symbol);

/// One requirement, by its number.
txc_status txc_check_requirement(txc_session *session, int64_t number);

/// Inputs and outputs of a call up to the evaluated values. need_data: a
/// tensor without memory is an error.
txc_status txc_bind(txc_session *session, const txc_tensor *inputs,
                    size_t input_count, txc_tensor *outputs,
                    size_t output_count, bool need_data);

/// Points the bases of outputs to the caller's memory or into the arena, and
/// checks the room; again whenever values have changed.
txc_status txc_bind_outputs(txc_session *session);

/// The present extent of a dim.
int64_t txc_dim_extent(const txc_session *session, const txc_dim *dim);

#endif // TXC_RUNTIME_BIND_H
