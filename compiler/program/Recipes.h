//===- Recipes.h - making the stored tensors -------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_PROGRAM_RECIPES_H
#define TXC_COMPILER_PROGRAM_RECIPES_H

#include "compiler/emit/Weights.h"
#include "compiler/reference/HostTensor.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "python-free-frontend/WeightStore.h"

namespace txc {

/// The tensor of a weight, borrowed from the mapped file where it can be; the
/// store must outlive it.
llvm::Expected<HostTensor> readWeight(const WeightStore &store,
                                      tx::WeightOp op);

/// Adds the tensor of `stored` to the image, evaluated by the reference
/// interpreter when the image is written, and returns its offset. Equal recipes
/// with equal types share bytes. Module and store must outlive the image's use.
uint64_t addStoredTensor(WeightsImage &image, kernel::StoredOp stored,
                         const WeightStore &weights);

} // namespace txc

#endif // TXC_COMPILER_PROGRAM_RECIPES_H
