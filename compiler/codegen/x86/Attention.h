//===- Attention.h - Attention for x86 --------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Generates O[b,h,s,:] = Σ_t softmax_t(score(b,h,s,t)) V[b,h/group,t,:] with
/// score = scale · Σ_d Q[b,h,s,d] K[b,h/group,t,d] + mask, as loops over a
/// range of tasks.
///
/// Scores exist for one block of queries and keys at a time; the softmax is
/// rescaled when a block raises the maximum (Milakov and Gimelshein, "Online
/// normalizer calculation for softmax", 2018; Dao et al., "FlashAttention",
/// 2022). They are held transposed, queries in lanes: keys and values are then
/// read where they lie, the softmax needs no reductions across lanes, and
/// weights are broadcast in the order in which they are stored.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_ATTENTION_H
#define TXC_COMPILER_CODEGEN_X86_ATTENTION_H

#include "compiler/codegen/x86/AttentionSchedule.h"
#include "compiler/codegen/x86/StridedOperand.h"
#include "mlir/IR/Builders.h"
#include <optional>

namespace txc::x86 {

/// What a query gets that may look at no key: all keys excluded by a boolean
/// mask, causality or the number of valid keys, or all scores -inf.
enum class FullyMasked {
  /// The mean of all T values.
  Uniform,
  Zero,
  NaN
};

/// Scores of keys t … t + lanes - 1: a vector of f32 to be added to them, or of
/// i1, true where the key may be seen. Lanes outside \p valid (null: all) must
/// not be read; what they hold doesn't matter. Called twice while generating.
using AttentionMask = llvm::function_ref<mlir::Value(
    mlir::OpBuilder &builder, mlir::Location loc, mlir::Value b, mlir::Value h,
    mlir::Value s, mlir::Value t, mlir::Value valid)>;

/// An index value for batch \p b.
using BatchIndex = llvm::function_ref<mlir::Value(
    mlir::OpBuilder &builder, mlir::Location loc, mlir::Value b)>;

struct AttentionSpec {
  VectorTarget target;
  AttentionSchedule schedule;
  /// B, H (of queries), S queries, T keys; all ≥ 0. No keys give zeros.
  mlir::OpFoldResult batch, heads, queries, keys;
  /// Query heads that share a head of keys and values; divides H.
  int64_t group = 1;
  /// Elements of a query and key, and of a value; ≥ 1.
  int64_t size, valueSize;
  /// Each of f32, f16 or bf16; strides (b, h, s or t, element), where h of k
  /// and v counts their own heads. Fastest with an element stride of 1, which
  /// q, k and v of 16 bits must have.
  StridedOperand q, k, v, o;
  double scale = 1.0;
  /// Scores become softcap · tanh(score / softcap).
  std::optional<double> softcap;
  /// That happens after the mask is added, as ONNX's Attention 23 has it, and
  /// not before.
  bool softcapAfterMask = false;
  /// Null: no mask.
  AttentionMask mask = nullptr;
  /// The mask is the same for all queries; `s` is then zero.
  bool maskIsPerKey = false;
  /// Not null: query s sees key t only if t ≤ s + causalOffset(b).
  BatchIndex causalOffset = nullptr;
  /// Not null: only the first validKeys(b) keys, at most T, exist.
  BatchIndex validKeys = nullptr;
  /// Not null: b counts sequences that lie one after the other. The queries and
  /// the keys of b are the rows from firstRow(b) up to firstRow(b + 1) of
  /// `q`, `k`, `v` and `o`, whose strides for b are 0; S and T are at least as
  /// many. `s` and `t` of the mask and of causality count from the first row.
  BatchIndex firstRow = nullptr;
  FullyMasked fullyMasked = FullyMasked::NaN;
};

/// What scratch the kernel of \p spec needs; see attentionScratchBytes().
AttentionHead attentionHead(const AttentionSpec &spec);

/// The number of tasks, B · H · ceil(S / queryBlock). Tasks are independent.
/// Consecutive ones share keys and values, so give each worker a contiguous
/// range.
mlir::Value emitAttentionTaskCount(mlir::OpBuilder &builder, mlir::Location loc,
                                   const AttentionSchedule &schedule,
                                   mlir::OpFoldResult batch,
                                   mlir::OpFoldResult heads,
                                   mlir::OpFoldResult queries);

/// Emits the tasks \p taskBegin ≤ t < \p taskEnd (index values). \p scratch is
/// a memref<?xi8> of attentionScratchBytes(), 64-byte aligned, private to the
/// worker. The insertion point must be inside a symbol table that may be given
/// private functions. Fails with a diagnostic for other element types.
mlir::LogicalResult
emitAttentionTasks(mlir::OpBuilder &builder, mlir::Location loc,
                   const AttentionSpec &spec, mlir::Value taskBegin,
                   mlir::Value taskEnd, mlir::Value scratch);

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_ATTENTION_H
