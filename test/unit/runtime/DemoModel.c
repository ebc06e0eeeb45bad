//===- DemoModel.c - A shared object like the compiler's ------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// sum[batch, seq] = scale[1] * mask[batch, seq] * (ids[batch, seq] + 1), and
/// the same as bfloat16: by hand what the compiler would write, to test what
/// opens a .so. The only symbol it exports is demo_txc_model.
///
//===----------------------------------------------------------------------===//

#include "runtime/abi.h"

enum { Rows, Columns, OffsetSum, OffsetSmall, ArenaBytes, Flops, ValueCount };

static void evaluate(const int64_t *symbols, int64_t *values) {
  int64_t elements = symbols[0] * symbols[1];
  values[Rows] = symbols[0];
  values[Columns] = symbols[1];
  values[OffsetSum] = 0;
  values[OffsetSmall] = elements * 4;
  values[ArenaBytes] = elements * 6;
  values[Flops] = elements * 3;
}

static void scale(const txc_kernel_ctx *ctx, const int64_t *record,
                  int64_t begin, int64_t end) {
  (void)record;
  const int64_t *ids = (const int64_t *)(const void *)ctx->bases[2];
  const float *mask = (const float *)(const void *)ctx->bases[3];
  const float *factor = (const float *)(const void *)ctx->bases[4];
  float *sum = (float *)(void *)ctx->bases[5];
  uint16_t *small = (uint16_t *)(void *)ctx->bases[6];
  for (int64_t i = begin * ctx->values[Columns]; i < end * ctx->values[Columns];
       ++i) {
    if (ids[i] < 0 || ids[i] >= 100) {
      ctx->fault->found = ids[i];
      ctx->fault->limit = 100;
      ctx->fault->code = TXC_FAULT_INDEX_OUT_OF_RANGE;
    }
    sum[i] = factor[0] * mask[i] * (float)(ids[i] + 1);
    uint32_t bits;
    memcpy(&bits, &sum[i], 4);
    small[i] = (uint16_t)(bits >> 16);
  }
}

static const txc_dim batchSeq[] = {{TXC_DIM_SYMBOL, 0, 0, "batch"},
                                   {TXC_DIM_SYMBOL, 0, 1, "seq"}};
static const txc_dim one[] = {{TXC_DIM_CONST, 0, 1, "1"}};
static const txc_tensor_desc inputs[] = {
    {"ids", batchSeq, TXC_INT64, 2, 0, 100, -1, 0},
    {"attention_mask", batchSeq, TXC_FLOAT32, 2, 0, 0, -1, 0},
    {"scale", one, TXC_FLOAT32, 1, 0, 0, -1, 0}};
static const txc_tensor_desc outputs[] = {
    {"sum", batchSeq, TXC_FLOAT32, 2, 0, 0, OffsetSum, 0},
    {"small/sum", batchSeq, TXC_BFLOAT16, 2, 0, 0, OffsetSmall, 0}};
static const txc_symbol_desc symbols[] = {
    {"batch", 1, INT64_MAX, TXC_SYMBOL_INPUT, 0},
    {"seq", 1, 512, TXC_SYMBOL_INPUT, 0}};
static const txc_phase phases[] = {{TXC_PHASE_RUN, Rows, scale, NULL, Flops, -1,
                                    -1, -1, -1, -1, "map_scale",
                                    "/Mul, /\"Add\"", NULL, NULL, 0, 0}};

static const txc_program program = {
    .size = sizeof(txc_program),
    .evaluate = evaluate,
    .inputs = inputs,
    .outputs = outputs,
    .symbols = symbols,
    .phases = phases,
    .input_count = 3,
    .output_count = 2,
    .symbol_count = 2,
    .phase_count = 1,
    .value_count = ValueCount,
    .arena_bytes_value = ArenaBytes,
    .scratch_bytes_value = -1,
    .target = "x86-64",
    .cpu_features = "sse2",
    .version = "0.1.0",
    .fingerprint = 1,
};

extern const txc_model_table demo_txc_model;

__attribute__((visibility("default")))
const txc_model_table demo_txc_model = {TXC_MODEL_MAGIC,
                                        sizeof(txc_model_table),
                                        TXC_ABI_VERSION,
                                        1,
                                        &txc_runtime_api,
                                        &program,
                                        "demo"};
