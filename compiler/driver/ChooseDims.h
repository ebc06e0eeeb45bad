//===- ChooseDims.h - shapes that a model takes ----------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Values for the symbolic dims of a model, to count its costs at or to try it
/// with.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_DRIVER_CHOOSEDIMS_H
#define TXC_COMPILER_DRIVER_CHOOSEDIMS_H

#include "compiler/reference/Interpreter.h"
#include "mlir/IR/BuiltinOps.h"

namespace txc {

/// A wish for a shape.
struct DimWish {
  /// For a dim that is the first axis of some input: a batch, mostly.
  int64_t outer = 1;
  /// For the others, of which each is longer than the one before by `step`.
  int64_t inner = 1;
  int64_t step = 0;
};

/// Values near a wish that are within the symbols' bounds and meet the
/// requirements of `module` (`tx.symbols`, `tx.requirements`), for the symbols
/// of main's arguments; nothing if a few rounds of changing one symbol of an
/// unmet requirement find none. What the graph passes require is there only
/// after them.
std::optional<SymbolValues> chooseDims(mlir::ModuleOp module,
                                       const DimWish &wish);

} // namespace txc

#endif // TXC_COMPILER_DRIVER_CHOOSEDIMS_H
