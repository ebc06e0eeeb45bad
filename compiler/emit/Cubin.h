//===- Cubin.h - From PTX to machine code of a GPU --------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// NVIDIA's assembler, where the machine has one. A .so is complete without:
/// the driver compiles PTX when a model is opened, which takes it seconds for a
/// large one.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_EMIT_CUBIN_H
#define TXC_COMPILER_EMIT_CUBIN_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace txc {

/// The path of the assembler that \p option asks for: a program's name or path,
/// "none", or empty for ptxas where PATH has it. Empty: there is none. Error:
/// one is named that does not exist.
llvm::Expected<std::string> findPtxas(llvm::StringRef option);

/// Assembles \p ptx for sm_\p sm. Errors: what \p ptxas says first, or
/// llvm::FileError where temporary files can't be written.
llvm::Expected<std::string> assemblePtx(llvm::StringRef ptxas,
                                        llvm::StringRef ptx, unsigned sm);

} // namespace txc

#endif // TXC_COMPILER_EMIT_CUBIN_H
