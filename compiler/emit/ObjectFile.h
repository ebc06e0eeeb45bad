//===- ObjectFile.h - From LLVM IR to object code ---------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Optimisation and code generation of LLVM modules, in memory.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_EMIT_OBJECTFILE_H
#define TXC_COMPILER_EMIT_OBJECTFILE_H

#include "compiler/targets/Target.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>
#include <vector>

namespace llvm {
class Module;
} // namespace llvm

namespace txc {

/// What generated code and runtime check while they run. The application has
/// to be built with the same sanitizer, which brings the run-time library.
enum class Sanitizer { None, Address, Thread };

struct CodeGenOptions {
  Sanitizer sanitizer = Sanitizer::None;
  /// Threads of the compiler; 0: one for each CPU. Changes no output.
  unsigned numThreads = 1;
  /// Where compiled code is kept for the next compile (see ObjectCache.h);
  /// empty: nowhere. Changes no output.
  std::string cachePath;
  /// Of NVIDIA's assembler; see findPtxas().
  std::string ptxas;
};

/// A form that code can have.
enum class CodeKind { LLVM, Assembly, Object };

using ObjectBytes = llvm::SmallVector<char, 0>;

/// Compiles a model's module to objects that link to a shared object. The code
/// is cut into parts by its size, and the parts are compiled in parallel.
llvm::Expected<std::vector<ObjectBytes>>
compileModel(std::unique_ptr<llvm::Module> model, const Target &target,
             const CodeGenOptions &options);

/// Optimises \p module for \p target and returns it in the form \p kind.
llvm::Expected<ObjectBytes> compileModule(llvm::Module &module,
                                          const Target &target, CodeKind kind,
                                          Sanitizer sanitizer);

} // namespace txc

#endif // TXC_COMPILER_EMIT_OBJECTFILE_H
