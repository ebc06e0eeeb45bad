//===- RuntimeObject.h - The runtime for the compiler to link --*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The C runtime as objects, and what the compiler has to know of it.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_RUNTIMEOBJECT_H
#define TXC_RUNTIME_RUNTIMEOBJECT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace txc {

/// An ELF object for x86-64 without features. All its symbols are hidden; a
/// model table refers to `txc_runtime_api`. Constant data: may be used from any
/// thread.
llvm::ArrayRef<char> getRuntimeObject();

/// The same, instrumented; the sanitizers' symbols are undefined.
llvm::ArrayRef<char> getAddressSanitizedRuntimeObject();
llvm::ArrayRef<char> getThreadSanitizedRuntimeObject();

/// The CPU features that a model may list as required, by LLVM's names
/// (runtime/CpuFeatures.def): the runtime refuses a model that lists any other,
/// as it could not check it.
llvm::ArrayRef<llvm::StringRef> getCheckableCpuFeatures();

} // namespace txc

#endif // TXC_RUNTIME_RUNTIMEOBJECT_H
