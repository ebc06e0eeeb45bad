//===- tested_model.h - Models with inputs and expected outputs ----*- C
//-*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Compiled models, each with inputs of a few sizes and what one thread alone
/// makes of them. Every failure ends the program with a sentence.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_PROCESS_TESTED_MODEL_H
#define TXC_TEST_PROCESS_TESTED_MODEL_H

#include "runtime/txc.h"

enum { MaxTensors = 8, MaxSizes = 4 };

/// Inputs for one size, and the outputs that one thread alone computed.
typedef struct sample {
  txc_tensor inputs[MaxTensors];
  txc_tensor outputs[MaxTensors];
} sample;

typedef struct tested_model {
  const char *path;
  txc_model *handle;
  size_t input_count, output_count;
  int size_count;
  sample samples[MaxSizes];
} tested_model;

_Noreturn void fail(const char *path, const char *what, const char *why);

/// \p sizes is what all dims of the inputs are, as far as their bounds allow;
/// a 0 ends it.
void open_model(const char *path, const int64_t *sizes, tested_model *model);
void close_model(tested_model *model);

/// \p options may be NULL: one thread.
txc_session *make_session(const tested_model *model,
                          const txc_session_options *options);

/// Runs a sample and compares the bits of all outputs.
void run_and_compare(const tested_model *model, txc_session *session, int size,
                     const char *how);

#endif // TXC_TEST_PROCESS_TESTED_MODEL_H
