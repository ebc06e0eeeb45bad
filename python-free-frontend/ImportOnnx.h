//===- ImportOnnx.h - from an ONNX model to the tx dialect ------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The front end's entry: an open ONNX file becomes a module of `tx` ops.
///
/// The module holds one `func.func @main`. Arguments and results carry the ONNX
/// names (`tx.name`); `tx.symbols` has the ranges of the symbolic dims and
/// `tx.requirements` what must hold of them in a run, besides that each input
/// has the dims of its argument's type. Shape arithmetic is folded into types;
/// model-local functions and decided `If`s are inlined; an op's location is
/// `NameLoc(node, NameLoc(op type))`.
///
/// An initializer that is also listed as a graph input (a default that a caller
/// may override) is a constant: compiled models don't take weights as inputs.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_IMPORTONNX_H
#define TXC_PYTHON_FREE_FRONTEND_IMPORTONNX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "python-free-frontend/WeightStore.h"

namespace txc {

/// `-dim NAME=N` (lower == upper) or `-dim NAME=LO..HI`. The name is a
/// dim_param of the model's inputs, or `INPUT.AXIS` for a dim without one.
struct DimOption {
  std::string name;
  int64_t lower = 0;
  std::optional<int64_t> upper;
};

/// An input that is a constant of the compiled model, and none of its inputs: a
/// merged decoder's `use_cache_branch`, the axes of a reduction.
struct InputConstant {
  std::string name;
  mlir::DenseElementsAttr value;
};

struct ImportOptions {
  std::vector<DimOption> dims;
  std::vector<InputConstant> constants;
};

/// One reason why a model can't be compiled.
struct ImportProblem {
  /// The node's name, or `#12` by position for a nameless one. Empty with the
  /// op type when the model as a whole is meant.
  std::string node;
  std::string op;
  /// As messages spell it: "ai.onnx". Empty in problems of later stages, which
  /// may name several nodes and ops, separated by ", ".
  std::string domain;
  /// Version of the domain that the model imports; 0 if it doesn't.
  int64_t opset = 0;
  std::string reason;
  /// What to do about it; may be empty.
  std::string advice;
};

/// `MODEL: node "NAME" (Op, ai.onnx 17): reason; try advice`.
std::string formatProblem(llvm::StringRef model, const ImportProblem &problem);

/// Imports \p file, whose weights go to \p weights under the keys that the
/// module's `tx.weight`s have. On failure \p problems has everything that
/// stands in the way, not only the first: nodes behind a failed one are looked
/// at as far as that makes sense. Emits no MLIR diagnostics.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
importOnnx(mlir::MLIRContext &context,
           std::shared_ptr<const onnx::OnnxFile> file,
           const ImportOptions &options, WeightStore &weights,
           std::vector<ImportProblem> &problems);

} // namespace txc

#endif // TXC_PYTHON_FREE_FRONTEND_IMPORTONNX_H
