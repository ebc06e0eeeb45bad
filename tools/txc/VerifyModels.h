//===- VerifyModels.h - both sides of txc verify ---------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// A model compiled and loaded, and the same model by the reference
/// interpreter. Values inside the model are numbered in the order of the
/// imported module; a compiled model may give one of them back as an output
/// besides its own.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_TXC_VERIFYMODELS_H
#define TXC_TOOLS_TXC_VERIFYMODELS_H

#include "tools/common/CompiledModel.h"
#include "tools/txc/Accuracy.h"
#include "tools/txc/Commands.h"
#include "tools/txc/FirstWrong.h"

namespace txc::tool {

/// The reference's results: as the model is, and perturbed (see Accuracy.h).
struct ReferenceResults {
  std::vector<run::Array> outputs;
  std::vector<run::Array> movedOutputs;
  /// The numbered values inside the model.
  std::vector<HostTensor> values;
  std::vector<HostTensor> movedValues;
};

class VerifyModels {
public:
  /// `plant` (may be null) changes the imported module of the compiled side:
  /// a fault for a test to find. It keeps the ops' number and order.
  VerifyModels(const Options &options, Console &console, ModuleEdit plant);

  /// Imports the reference's module and compiles the model.
  Outcome prepare();
  CompiledModel &getCompiled() { return *compiled; }
  /// The compiled model's module, with all that it requires of a shape.
  mlir::ModuleOp getCompiledModule() { return compilation->getModule(); }

  /// The error is the interpreter's: a fault of the run, as an index out of
  /// range.
  llvm::Expected<ReferenceResults>
  runReference(llvm::ArrayRef<run::Array> inputs);

  size_t getNumValues() const { return taps.size(); }
  /// "node "/layer/Add" (Add)" of a numbered value.
  std::string describeValue(size_t number) const;
  bool isFloat(size_t number) const;
  /// Which numbered values each is computed from.
  const ValueGraph &getValueGraph() const { return graph; }
  /// The numbered values that an output is, or is computed from without
  /// another one between.
  llvm::ArrayRef<unsigned> getSources(size_t output) const {
    return sources[output];
  }
  /// The model with a numbered value as its last output; null if it can't be
  /// compiled so.
  std::unique_ptr<CompiledModel> compileWithTap(size_t number);

private:
  Outcome compile(Compilation &compilation, std::optional<size_t> tap,
                  std::unique_ptr<CompiledModel> &result);
  CompileOptions getReferenceOptions();
  void numberValues();
  llvm::Error runOnce(llvm::ArrayRef<run::Array> inputs, bool perturbed,
                      std::vector<run::Array> &outputs,
                      std::vector<HostTensor> &values);

  const Options &options;
  Console &console;
  /// Runs of the reference collect their faults here.
  std::string *faults = nullptr;
  Compilation reference;
  std::unique_ptr<Compilation> compilation;
  std::unique_ptr<CompiledModel> compiled;
  ModuleEdit plant;
  /// Ops of the reference's module, by the number of their value.
  std::vector<mlir::Operation *> taps;
  ValueGraph graph;
  /// By output.
  ValueGraph sources;
};

} // namespace txc::tool

#endif // TXC_TOOLS_TXC_VERIFYMODELS_H
