//===- RuntimeObject.cpp - The runtime for the compiler to link *- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See RuntimeObject.h.
///
//===----------------------------------------------------------------------===//

#include "runtime/RuntimeObject.h"

using namespace llvm;

alignas(16) static const unsigned char plain[] = {
#include "runtime/runtime.o.inc"
};

alignas(16) static const unsigned char forAddress[] = {
#include "runtime/runtime-address.o.inc"
};

alignas(16) static const unsigned char forThread[] = {
#include "runtime/runtime-thread.o.inc"
};

template <size_t size>
static ArrayRef<char> toBytes(const unsigned char (&object)[size]) {
  return {reinterpret_cast<const char *>(object), size};
}

ArrayRef<char> txc::getRuntimeObject() { return toBytes(plain); }

ArrayRef<char> txc::getAddressSanitizedRuntimeObject() {
  return toBytes(forAddress);
}

ArrayRef<char> txc::getThreadSanitizedRuntimeObject() {
  return toBytes(forThread);
}

ArrayRef<StringRef> txc::getCheckableCpuFeatures() {
  static constexpr StringRef features[] = {
#define TXC_CPU_FEATURE(name, leaf, subleaf, reg, bit, state) name,
#define TXC_CPU_VERSION(name, leaf, subleaf, reg, least, state) name,
#include "runtime/CpuFeatures.def"
  };
  return features;
}
