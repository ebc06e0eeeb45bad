//===- AttentionToWarp.h - attention on tensor cores -----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_CODEGEN_PTX_ATTENTIONTOWARP_H
#define TXC_COMPILER_CODEGEN_PTX_ATTENTIONTOWARP_H

#include "compiler/codegen/ptx/GpuFunction.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/warp/MmaAtoms.h"
#include <optional>

namespace txc::ptx {

/// How a block of four warps, 16 queries each, goes through the keys.
struct AttentionSchedule {
  warp::Atom atom;
  /// Keys in shared memory at a time.
  int64_t blockKeys;
  /// Columns of the tiles of K and V. A block has `valueColumns` elements of
  /// each query's result; more of them are the work of other blocks, which make
  /// the scores again.
  int64_t keyColumns, valueColumns;
};

/// The schedule of \p op on sm_\p sm, if tensor cores take it: q, k and v of
/// one type, f16, bf16 or f32, with strides, head sizes that are known and at
/// most 256 (f32: 64).
std::optional<AttentionSchedule> chooseAttentionSchedule(kernel::AttentionOp op,
                                                         unsigned sm);

/// Emits attention as in Dao, "FlashAttention-2" (2023), and ends the function:
/// one pass over the keys, whose scores, weights and sums of values stay in
/// fragments. Weights are rounded to the type of v before they are multiplied
/// by it; f32 is as good as f32, by three products of tf32 each.
void emitAttention(GpuFunction &function, kernel::AttentionOp op,
                   const AttentionSchedule &schedule);

} // namespace txc::ptx

#endif // TXC_COMPILER_CODEGEN_PTX_ATTENTIONTOWARP_H
