//===- ReferenceModel.h - a model by the reference interpreter -*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Runs an imported module on the same tensors as a compiled model.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_COMMON_REFERENCEMODEL_H
#define TXC_TOOLS_COMMON_REFERENCEMODEL_H

#include "compiler/reference/Interpreter.h"
#include "python-free-frontend/WeightStore.h"
#include "tools/txc-run/Array.h"

namespace txc::tool {

/// The elements in the interpreter's form (a byte for each 4-bit integer).
llvm::Expected<HostTensor> toHostTensor(const run::Array &array,
                                        mlir::Type elementType);
/// The elements in the form of txc.h; the type must be one that it has.
run::Array toArray(const HostTensor &tensor);

/// The results of `main` for inputs in the order of its arguments. Errors are
/// diagnostics of the module's context. `tap` as in evaluateFunction.
mlir::FailureOr<std::vector<run::Array>>
runReference(mlir::ModuleOp module, llvm::ArrayRef<run::Array> inputs,
             WeightSource weights, Tap tap = nullptr);

} // namespace txc::tool

#endif // TXC_TOOLS_COMMON_REFERENCEMODEL_H
