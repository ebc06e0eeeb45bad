//===- CompilerBuiltins.cpp - What code generation calls --------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The bytes of compiler-rt's builtins.
///
//===----------------------------------------------------------------------===//

#include "compiler/emit/CompilerBuiltins.h"

using namespace llvm;

static constexpr unsigned char builtins[] = {
#include "compiler/emit/builtins.a.inc"
};

ArrayRef<char> txc::getCompilerBuiltins() {
  return {reinterpret_cast<const char *>(builtins), sizeof builtins};
}
