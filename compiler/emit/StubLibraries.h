//===- StubLibraries.h - What models import from libc -----------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Shared objects without code that stand for glibc's when a model is linked:
/// they give its imports the versions of glibc 2.17, whatever glibc, if any,
/// the compiling machine has. Made from stubs/glibc.txt when txc is built.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_EMIT_STUBLIBRARIES_H
#define TXC_COMPILER_EMIT_STUBLIBRARIES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace txc {

struct StubLibrary {
  /// The name that a model records as needed, such as "libm.so.6".
  llvm::StringRef soname;
  /// An ELF shared object.
  llvm::ArrayRef<char> image;
};

/// Every stub, in the order in which a model is linked against them.
llvm::ArrayRef<StubLibrary> getStubLibraries();

} // namespace txc

#endif // TXC_COMPILER_EMIT_STUBLIBRARIES_H
