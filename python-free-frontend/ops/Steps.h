//===- Steps.h - recurrences that are written out ---------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// What operators share that repeat a step as often as a dim says. Steps are
/// written out where the dim is known and small. As in NodeContext, a null
/// Value in gives a null Value out.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_OPS_STEPS_H
#define TXC_PYTHON_FREE_FRONTEND_OPS_STEPS_H

#include "python-free-frontend/NodeContext.h"

namespace txc::frontend {

/// What is written out has to stay a program that one can compile.
inline constexpr int64_t kMaxSteps = 2048;

/// How many steps to write out; nothing where a run goes around a loop.
std::optional<int64_t> getWrittenSteps(tx::SymExprAttr length);

/// Element `step` of x along an axis, which is removed.
mlir::Value takeStep(NodeContext &context, mlir::Value x, int64_t axis,
                     int64_t step);
mlir::Value takeStep(NodeContext &context, mlir::Value x, int64_t axis,
                     tx::SymExprAttr step);

/// x with its elements along an axis in the opposite order.
mlir::Value reverseSteps(NodeContext &context, mlir::Value x, int64_t axis);

/// One element of each step, in order, along a new axis; there is at least one.
/// Their dims are made equal.
mlir::Value stackSteps(NodeContext &context,
                       llvm::ArrayRef<mlir::Value> elements, int64_t axis);

} // namespace txc::frontend

#endif // TXC_PYTHON_FREE_FRONTEND_OPS_STEPS_H
