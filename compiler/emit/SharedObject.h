//===- SharedObject.h - From LLVM IR to MODEL.so ----------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The last stage of the compiler: what code generation made becomes files.
///
/// Output depends on the arguments alone, not on the number of threads, paths,
/// time or machine. Files appear whole or not at all. Errors that come from
/// writing files are llvm::FileError; all others mean that the model can't be
/// compiled.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_EMIT_SHAREDOBJECT_H
#define TXC_COMPILER_EMIT_SHAREDOBJECT_H

#include "compiler/emit/ModelDescription.h"
#include "compiler/emit/ObjectFile.h"
#include "compiler/emit/Weights.h"
#include "compiler/targets/Target.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace llvm {
class Module;
} // namespace llvm

namespace txc {

struct EmitOptions {
  /// MODEL.so.
  std::string outputPath;
  /// MODEL.h. Empty: none is written.
  std::string headerPath;
  /// A file for the weights, found at run time in the folder of the .so under
  /// its name. Empty: they become part of the .so.
  std::string weightsPath;
  CodeGenOptions codeGen;
};

/// A model compiled for one target.
struct ProgramCode {
  /// Has the functions that the description names.
  std::unique_ptr<llvm::Module> module;
  const ModelDescription *description;
  const Target *target;
};

/// Writes the shared object, and header and weights as \p options say.
///
/// \p programs are one model for different targets, in the order in which a
/// machine is to try them; modules are consumed. The producers of \p weights,
/// which all programs share, run after code generation and link went well.
llvm::Error emitSharedObject(llvm::MutableArrayRef<ProgramCode> programs,
                             WeightsImage &weights, const EmitOptions &options);

/// Writes the model's own code and its table in the form \p kind to \p path
/// ("-": standard output). The runtime and the weights are not part of it.
llvm::Error emitCode(std::unique_ptr<llvm::Module> module,
                     const ModelDescription &description,
                     const WeightsImage &weights, const Target &target,
                     CodeKind kind, llvm::StringRef path,
                     const CodeGenOptions &options);

} // namespace txc

#endif // TXC_COMPILER_EMIT_SHAREDOBJECT_H
