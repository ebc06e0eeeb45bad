//===- ExtendRecipe.h - weights made of weights ----------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_PASSES_LAYOUT_EXTENDRECIPE_H
#define TXC_PASSES_LAYOUT_EXTENDRECIPE_H

#include "dialects/kernel/Kernel.h"

namespace txc {

/// A stored tensor at `b` whose recipe is that of `stored` and what `extend`
/// makes of its result with tx ops. `kind` names what that is: the same kind
/// of the same tensor is built once.
mlir::Value extendRecipe(
    mlir::OpBuilder &b, kernel::StoredOp stored, llvm::StringRef kind,
    llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Value)> extend);

} // namespace txc

#endif // TXC_PASSES_LAYOUT_EXTENDRECIPE_H
