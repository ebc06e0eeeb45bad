//===- FunctionCalls.h - Calls among a model's functions --------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Keeps functions safe to inline.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_FUNCTIONCALLS_H
#define TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_FUNCTIONCALLS_H

#include "python-free-frontend/onnx-file/OnnxModel.h"
#include "llvm/Support/Error.h"

namespace txc::onnx {

/// Fails when two functions have one identity; when functions call each other
/// in a circle, which ONNX forbids; when calls are nested deeper than
/// OnnxFile::maxNesting; and when inlining them all would give more than
/// OnnxFile::maxInlinedNodes nodes (a few functions that each call the next
/// twice are enough). Linear in the model.
llvm::Error checkFunctionCalls(const Model &model);

} // namespace txc::onnx

#endif // TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_FUNCTIONCALLS_H
