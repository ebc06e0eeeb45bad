//===- RuntimeBitcode.cpp - The runtime for the compiler to link *- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See RuntimeBitcode.h.
///
//===----------------------------------------------------------------------===//

#include "runtime/RuntimeBitcode.h"

using namespace llvm;

// Readers of bitcode want it aligned to its 32-bit words.
alignas(16) static const unsigned char bitcode[] = {
#include "runtime/runtime.bc.inc"
};

alignas(16) static const unsigned char object[] = {
#include "runtime/runtime.o.inc"
};

ArrayRef<char> txc::getRuntimeBitcode() {
  return {reinterpret_cast<const char *>(bitcode), sizeof bitcode};
}

ArrayRef<char> txc::getRuntimeObject() {
  return {reinterpret_cast<const char *>(object), sizeof object};
}

ArrayRef<StringRef> txc::getCheckableCpuFeatures() {
  static constexpr StringRef features[] = {
#define TXC_CPU_FEATURE(name, leaf, subleaf, reg, bit, state) name,
#define TXC_CPU_VERSION(name, leaf, subleaf, reg, least, state) name,
#include "runtime/CpuFeatures.def"
  };
  return features;
}
