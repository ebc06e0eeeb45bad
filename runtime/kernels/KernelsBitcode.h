//===- KernelsBitcode.h - the routines of kernel.call ----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_RUNTIME_KERNELS_KERNELSBITCODE_H
#define TXC_RUNTIME_KERNELS_KERNELSBITCODE_H

#include "llvm/ADT/ArrayRef.h"

namespace txc {

/// The routines of calls.h as one module, compiled for x86-64-v2, v3 or v4.
/// Constant data: may be used from any thread.
llvm::ArrayRef<char> getKernelsBitcode(int level);

} // namespace txc

#endif // TXC_RUNTIME_KERNELS_KERNELSBITCODE_H
