//===- CompilerBuiltins.h - What code generation calls ----------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// compiler-rt's builtins: functions such as __truncsfbf2 that LLVM calls where
/// a CPU has no instruction for an operation. They travel inside libtxc, since
/// the machine that compiles a model need not have a compiler installed.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_EMIT_COMPILERBUILTINS_H
#define TXC_COMPILER_EMIT_COMPILERBUILTINS_H

#include "llvm/ADT/ArrayRef.h"

namespace txc {

/// A static library for x86-64 whose symbols are hidden. A link takes from it
/// only what it calls.
llvm::ArrayRef<char> getCompilerBuiltins();

} // namespace txc

#endif // TXC_COMPILER_EMIT_COMPILERBUILTINS_H
