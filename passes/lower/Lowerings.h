//===- Lowerings.h - from tx ops to phases ---------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// One function a family of ops: builds the phases of `op` before it and
/// returns the values that replace its results, or an empty vector when the op
/// is of another family. Errors are reported on the op.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_LOWER_LOWERINGS_H
#define TXC_PASSES_LOWER_LOWERINGS_H

#include "dialects/tx/Tx.h"

namespace txc {

class MappedOperands;

using LoweredValues = llvm::FailureOr<llvm::SmallVector<mlir::Value>>;

/// tx.add, tx.exp, tx.cast, …: a kernel.map.
LoweredValues lowerElementwise(mlir::OpBuilder &b, mlir::Operation *op);
/// Data movement that is no view: tx.concat, tx.pad, tx.iota, tx.symbolic, a
/// tx.broadcast whose repeats a run decides.
LoweredValues lowerMovement(mlir::OpBuilder &b, mlir::Operation *op);
/// tx.gather*, tx.scatter*.
LoweredValues lowerIndexing(mlir::OpBuilder &b, mlir::Operation *op);
/// tx.reduce, tx.arg_reduce, tx.cumsum, tx.topk.
LoweredValues lowerReduction(mlir::OpBuilder &b, mlir::Operation *op);
/// tx.matmul: a kernel.gemm.
LoweredValues lowerMatmul(mlir::OpBuilder &b, mlir::Operation *op);
/// A gemm over `sizes` of operands that were added to `operands`, then the
/// result; its sums are converted to the elements of `type`.
mlir::Value buildGemm(mlir::OpBuilder &b, mlir::Location loc,
                      mlir::RankedTensorType type, mlir::Value lhs,
                      mlir::Value rhs, llvm::ArrayRef<tx::SymExprAttr> sizes,
                      const MappedOperands &operands);
/// tx.conv, tx.conv_transpose, tx.pool.
LoweredValues lowerWindow(mlir::OpBuilder &b, mlir::Operation *op);
/// A tx.conv with groups as a product a group, or if each group is one channel
/// as sums of vectors of channels. No values, where a plain loop nest has to
/// do: for filters of unknown sizes and of dilated taps.
///
/// A product reads its windows from one copy of x in which they overlap,
///
///     rows[n, g, p…, w, t…, c] = x[n, g * C + c, …] padded with zeros,
///
/// where p and t are the places and taps along all spatial dims but the last,
/// and w is an element along that one. The window at place q of the last dim
/// begins at w = q * stride and is contiguous, so it needs no copy of its own:
/// along that dim an element is copied once instead of once a tap.
LoweredValues lowerGroupedConv(mlir::OpBuilder &b, tx::ConvOp op);
/// The permutation that moves the channels, dim 1, behind the spatial dims.
llvm::SmallVector<int64_t> getChannelsLast(int64_t rank);
/// Whether `op` is a convolution whose window rows have the channels last, so
/// that they are copied in long runs from what holds its input in that order.
bool readsChannelsLast(mlir::Operation *op);
/// Whether only such convolutions read `value`, or element-wise ops that only
/// they read.
bool isReadChannelsLast(mlir::Value value);
/// tx.layer_norm, tx.rms_norm, tx.softmax: kernel.rows.
LoweredValues lowerNorm(mlir::OpBuilder &b, mlir::Operation *op);
/// tx.attention, tx.rotary_embedding.
LoweredValues lowerAttention(mlir::OpBuilder &b, mlir::Operation *op);

/// tx.state_append: a kernel.append; tx.state_read: a slice of its buffer.
LoweredValues lowerState(mlir::OpBuilder &b, mlir::Operation *op);

/// The name of a runtime routine for an element type: `txc_topk_f32`.
std::string getTypedRoutine(llvm::StringRef name, mlir::Type elementType);

/// A row-major copy of a view's elements.
mlir::Value materialize(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value view);

} // namespace txc

#endif // TXC_PASSES_LOWER_LOWERINGS_H
