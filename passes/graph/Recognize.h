//===- Recognize.h - find what a graph spells out in small ops -*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Exporters write a norm, an activation or an attention as a dozen
/// element-wise ops, each in its own way. These functions replace such groups
/// by the one tx op that says the same. They change how sums inside the group
/// round (the tx op accumulates in f32 or better) and nothing else; where a
/// group only resembles the op it stays, and `report` (may be null) says why.
///
/// Each expects the canonical forms of Simplify.h and returns whether it
/// changed anything. A function may be processed by one thread at a time.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_GRAPH_RECOGNIZE_H
#define TXC_PASSES_GRAPH_RECOGNIZE_H

#include "passes/graph/Report.h"

namespace txc {

/// tx.layer_norm of `(x - mean(x)) / sqrt(mean((x - mean(x))²) + ε)`, with the
/// scale and bias that follow.
bool recognizeLayerNorm(mlir::func::FuncOp func, Report *report);

/// tx.rms_norm of `x / sqrt(mean(x²) + ε)`, with the scale that follows.
bool recognizeRmsNorm(mlir::func::FuncOp func, Report *report);

/// tx.sigmoid, tx.silu and the three kinds of tx.gelu.
bool recognizeActivations(mlir::func::FuncOp func, Report *report);

/// tx.softmax of `exp(x - max(x)) / sum(exp(x - max(x)))`.
bool recognizeSoftmax(mlir::func::FuncOp func, Report *report);

/// tx.rotary_embedding of `x * cos + rotate(x) * sin`.
bool recognizeRotaryEmbedding(mlir::func::FuncOp func, Report *report);

/// Gathers at indices that are arithmetic on iotas become views. Indices that
/// may be out of range for some sizes become a requirement on the module (the
/// attribute `tx.requirements`), within a branch or loop one of those that come
/// there (tx.require).
bool recognizeIotaIndexing(mlir::func::FuncOp func, Report *report);

/// tx.matmul of 8-bit numbers, with what zero points and scales make of its
/// sums, of products of quantized tensors.
bool recognizeByteProducts(mlir::func::FuncOp func, Report *report);

/// tx.attention of `softmax(q kᵀ + mask) v`.
bool recognizeAttention(mlir::func::FuncOp func, Report *report);

/// Masks of attentions that are one node of the graph become causal offsets,
/// windows and smaller masks where they are that.
bool refineAttentionMasks(mlir::func::FuncOp func);

} // namespace txc

#endif // TXC_PASSES_GRAPH_RECOGNIZE_H
