//===- Link.h - From objects to a shared object -----------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// lld as a library: object files in memory become a shared object in memory.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_EMIT_LINK_H
#define TXC_COMPILER_EMIT_LINK_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace txc {

/// Name of the section that holds the weights. The linker puts it into a
/// segment of its own, behind all others.
inline constexpr llvm::StringLiteral weightsSectionName = ".txc.weights";

struct LinkOptions {
  /// DT_SONAME of the result.
  std::string soname;
  /// Leave symbols undefined that a sanitizer's run-time library, part of the
  /// application, defines.
  bool allowUndefined = false;
};

/// Links ELF objects with what they call of compiler-rt's builtins, and against
/// the stub libraries of glibc. Symbols with default
/// visibility are exported, the rest becomes local. The result depends on the
/// objects, their order and the options alone. May be called from any thread;
/// calls wait for each other, since lld has state of its own. The error has
/// lld's own words.
llvm::Expected<llvm::SmallVector<char, 0>>
linkSharedObject(llvm::ArrayRef<llvm::ArrayRef<char>> objects,
                 const LinkOptions &options);

} // namespace txc

#endif // TXC_COMPILER_EMIT_LINK_H
