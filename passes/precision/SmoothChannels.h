//===- SmoothChannels.h - channels of like size for int8 -------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// A few channels (last indices) of a transformer's activations are many times
/// larger than the others, in every row. With one step of int8 for a row they
/// leave few places to the rest. Dividing each channel j by a factor s_j, and
/// multiplying row j of the weights behind by it, changes no product and moves
/// the difference to the weights, which have the places to spare. The factors
/// come from samples of real inputs (Xiao et al., "SmoothQuant",
/// arXiv:2211.10438, with alpha = 1/2):
///
///     s_j = sqrt(max |x_j| / max |w_j|)
///
/// The division costs no pass over memory: it becomes part of the scale and
/// bias of the norm before (who else reads its result multiplies by s_j), of
/// the values' weights where attention is before (a mean of rows is linear), or
/// of the epilogue that makes the tensor. Rounded to powers of two the factors
/// would change nothing else, but lose half of what they gain.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_PRECISION_SMOOTHCHANNELS_H
#define TXC_PASSES_PRECISION_SMOOTHCHANNELS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace txc {

class Report;

/// The attribute of a function with what was measured: an array of f32 vectors,
/// max |x_j| of each tensor that tapChannels() gives, in its order.
inline constexpr llvm::StringLiteral channelMaximaName = "tx.channel_maxima";

/// Appends an output for each tensor that products with f32 weights multiply:
/// max |x_j| over all rows.
void tapChannels(mlir::func::FuncOp function);

/// Smooths the tensors that tapChannels() found, by the function's attribute,
/// which is removed. `report` (may be null) receives why tensors stay as they
/// are.
llvm::LogicalResult smoothChannels(mlir::func::FuncOp function,
                                   Report *report = nullptr);

/// `txc-tap-channels` and `txc-smooth-channels` on every public function, after
/// the graph passes and before weights are outlined. The second does nothing
/// without the attribute.
std::unique_ptr<mlir::Pass> createTapChannelsPass();
std::unique_ptr<mlir::Pass> createSmoothChannelsPass(Report *report = nullptr);

} // namespace txc

#endif // TXC_PASSES_PRECISION_SMOOTHCHANNELS_H
