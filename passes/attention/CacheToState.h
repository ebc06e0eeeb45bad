//===- CacheToState.h - past and present become state ----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Decoders are exported with their key/value cache as inputs and outputs:
/// present = concat(past, new). Run like that, each step copies the whole
/// cache. This pass turns each such pair into state of the session: a step
/// writes the new positions behind the old ones, in place, and attention reads
/// the buffer.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_ATTENTION_CACHETOSTATE_H
#define TXC_PASSES_ATTENTION_CACHETOSTATE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace txc {

/// A pair is an input of rank 4 or 3 whose only use is the first operand of a
/// concatenation along a dim that is a symbol of its own, and that
/// concatenation returned. The input and the output go; the symbol becomes the
/// length of the state (module attribute `tx.state_length`), the buffer's dim
/// is the new symbol `kv_capacity` (`tx.state_capacity`). All pairs must grow
/// by the same length from the same symbol; if they don't, or the symbol's
/// value is only known from the removed inputs in another role, the pass fails
/// with an error. No pair: nothing changes.
llvm::LogicalResult convertCacheToState(mlir::func::FuncOp function);

/// `txc-cache-to-state`: convertCacheToState on every public function.
std::unique_ptr<mlir::Pass> createCacheToStatePass();

} // namespace txc

#endif // TXC_PASSES_ATTENTION_CACHETOSTATE_H
