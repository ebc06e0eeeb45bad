//===- match.h - Which tensor is which ----------------------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Finds the inputs and outputs that the caller's tensors stand for, by name or
/// by position.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_MATCH_H
#define TXC_RUNTIME_MATCH_H

#include "runtime/session.h"

/// The index of the descriptor that tensor number `position` stands for, -1
/// with a sentence when there is none.
int32_t txc_find_tensor(txc_session *session, const char *what,
                        const txc_tensor_desc *descs, int32_t count,
                        const char *name, size_t position);

/// Sets session->inputs: each input once, none missing.
txc_status txc_match_inputs(txc_session *session, const txc_tensor *tensors,
                            size_t count);

/// Sets session->outputs: each at most once. A type that is given has to be
/// the model's.
txc_status txc_match_outputs(txc_session *session, txc_tensor *tensors,
                             size_t count);

#endif // TXC_RUNTIME_MATCH_H
