//===- CallLibrary.h - linking the routines of kernel.call -----*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_CODEGEN_CALLLIBRARY_H
#define TXC_COMPILER_CODEGEN_CALLLIBRARY_H

#include "compiler/targets/Target.h"
#include "llvm/IR/Module.h"

namespace txc {

/// Adds to \p module the routines of runtime/kernels that it declares, compiled
/// for the highest x86-64 level whose features \p target has. They stay hidden.
/// Fails, with the function's name, if a declared routine doesn't exist.
llvm::Error linkCallLibrary(llvm::Module &module, const Target &target);

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_CALLLIBRARY_H
