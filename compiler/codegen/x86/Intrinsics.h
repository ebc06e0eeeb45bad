//===- Intrinsics.h - Instructions by name ----------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Shorthands for instructions that no MLIR op stands for.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_INTRINSICS_H
#define TXC_COMPILER_CODEGEN_X86_INTRINSICS_H

#include "compiler/codegen/x86/CodeBuilder.h"

namespace txc::x86 {

/// The bits of \p vector as a vector of \p element.
mlir::Value viewAs(CodeBuilder &code, mlir::Value vector, mlir::Type element);

/// LLVM's intrinsic \p name. The caller knows that the target has it: LLVM
/// aborts otherwise.
mlir::Value callIntrinsic(CodeBuilder &code, mlir::Type result,
                          const llvm::Twine &name, mlir::ValueRange operands);

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_INTRINSICS_H
