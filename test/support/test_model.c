//===- test_model.c - A model written by hand -----------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// What the compiler would make of y[n] = 2 x[n] with a free n: tells whether
/// Python talks with the runtime as it should, without a compiler.
///
//===----------------------------------------------------------------------===//

#include "runtime/abi.h"

enum { ValueN, ValueOne, ValueArenaBytes, ValueZero, ValueCount };
enum { BaseX = TXC_BASE_FIRST_INPUT, BaseY };

static void evaluate(const int64_t *symbols, int64_t *values) {
  values[ValueN] = symbols[0];
  values[ValueOne] = 1;
  values[ValueArenaBytes] = symbols[0] * (int64_t)sizeof(float);
  values[ValueZero] = 0;
}

static void runDouble(const txc_kernel_ctx *ctx, const int64_t *record,
                      int64_t taskBegin, int64_t taskEnd) {
  const float *x = (const float *)(void *)ctx->bases[record[0]];
  float *y = (float *)(void *)ctx->bases[record[1]];
  for (int64_t i = taskBegin; i < taskEnd; ++i)
    y[i] = 2 * x[i];
}

static const int64_t record[] = {BaseX, BaseY};
static const txc_phase phases[] = {{
    .kind = TXC_PHASE_RUN,
    .tasks_value = ValueN,
    .fn = runDouble,
    .record = record,
    .flops_value = ValueN,
    .bytes_value = ValueN,
    .kernel_name = "double",
    .onnx_nodes = "double",
}};
static const txc_dim dims[] = {{.kind = TXC_DIM_SYMBOL, .text = "n"}};
static const txc_tensor_desc inputs[] = {{
    .name = "x",
    .dims = dims,
    .type = TXC_FLOAT32,
    .rank = 1,
    .arena_offset_value = -1,
}};
static const txc_tensor_desc outputs[] = {{
    .name = "y",
    .dims = dims,
    .type = TXC_FLOAT32,
    .rank = 1,
    .arena_offset_value = ValueZero,
}};
static const txc_symbol_desc symbols[] = {{.name = "n", .upper = 100}};
static const txc_weights_desc weights;
static const txc_program program = {
    .size = sizeof program,
    .evaluate = evaluate,
    .inputs = inputs,
    .outputs = outputs,
    .symbols = symbols,
    .phases = phases,
    .weights = &weights,
    .input_count = 1,
    .output_count = 1,
    .symbol_count = 1,
    .phase_count = 1,
    .value_count = ValueCount,
    .arena_bytes_value = ValueArenaBytes,
    .scratch_bytes_value = ValueZero,
    .target = "x86-64",
    .cpu_features = "",
    .version = "test",
};

extern const txc_model_table double_txc_model;
__attribute__((visibility("default")))
const txc_model_table double_txc_model = {
    .magic = TXC_MODEL_MAGIC,
    .size = sizeof(txc_model_table),
    .version = TXC_ABI_VERSION,
    .min_reader = TXC_ABI_VERSION,
    .api = &txc_runtime_api,
    .program = &program,
    .name = "double",
};
