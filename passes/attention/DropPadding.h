//===- DropPadding.h - compute no padding tokens ---------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Sentences of a batch are padded to the longest, and the model is told which
/// tokens are none by a mask that hides them from attention. All that an
/// encoder computes for them is thrown away at its end. This pass gathers the
/// other tokens once, computes on them, as rows without sentences, and scatters
/// the rows where the model stops to work token by token.
///
/// The tokens keep their order, so the mask may have its zeros anywhere.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_ATTENTION_DROPPADDING_H
#define TXC_PASSES_ATTENTION_DROPPADDING_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace txc {

class Report;

/// Which padding tokens are dropped.
enum class PaddingMode {
  /// None.
  keep,
  /// Those that reach no output.
  drop,
  /// All; outputs that have a row for each token get zeros.
  skip
};

/// Rewrites `function`, of whose attentions those count that have one boolean
/// mask of keys `[B, 1, 1, S]`, all the same. From their results on, and back
/// to what they are computed of, ops that work token by token
/// (passes/attention/TokenAxes.h) get tensors `[1, T, …]` in place of
/// `[B, S, …]`, where T is a run-time symbol (`tokens`, never above B * S:
/// module attribute `tx.upper_bounds`), and attention its `starts`.
///
/// Another op may read such a tensor only where that can't tell padding:
/// if its padding is known (it was multiplied by the mask, or chosen by it), if
/// it slices out places whose tokens are then all kept, or, with `skip`, if it
/// returns it. Sentences that are padding alone keep all of it, so the result
/// of their attention is what it was. Otherwise nothing changes, and `report`
/// (may be null) says why. Returns whether anything changed.
bool dropPadding(mlir::func::FuncOp function, PaddingMode mode, Report *report);

/// `txc-drop-padding`: dropPadding on every public function.
std::unique_ptr<mlir::Pass>
createDropPaddingPass(PaddingMode mode = PaddingMode::drop,
                      Report *report = nullptr);

} // namespace txc

#endif // TXC_PASSES_ATTENTION_DROPPADDING_H
