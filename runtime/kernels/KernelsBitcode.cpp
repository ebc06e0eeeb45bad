//===- KernelsBitcode.cpp - the routines of kernel.call ------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/kernels/KernelsBitcode.h"
#include "llvm/Support/ErrorHandling.h"

using namespace llvm;

// Readers of bitcode want it aligned to its 32-bit words.
alignas(16) static const unsigned char level2[] = {
#include "runtime/kernels/kernels.v2.bc.inc"
};
alignas(16) static const unsigned char level3[] = {
#include "runtime/kernels/kernels.v3.bc.inc"
};
alignas(16) static const unsigned char level4[] = {
#include "runtime/kernels/kernels.v4.bc.inc"
};

template <size_t size>
static ArrayRef<char> toChars(const unsigned char (&bytes)[size]) {
  return {reinterpret_cast<const char *>(bytes), size};
}

ArrayRef<char> txc::getKernelsBitcode(int level) {
  switch (level) {
  case 2:
    return toChars(level2);
  case 3:
    return toChars(level3);
  case 4:
    return toChars(level4);
  default:
    llvm_unreachable("there are levels 2, 3 and 4");
  }
}
