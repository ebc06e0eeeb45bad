//===- StubLibraries.cpp - What models import from libc ---------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The bytes of the stub libraries.
///
//===----------------------------------------------------------------------===//

#include "compiler/emit/StubLibraries.h"

using namespace llvm;
using namespace txc;

static constexpr unsigned char libc[] = {
#include "compiler/emit/libc.so.6.inc"
};
static constexpr unsigned char libm[] = {
#include "compiler/emit/libm.so.6.inc"
};
static constexpr unsigned char libpthread[] = {
#include "compiler/emit/libpthread.so.0.inc"
};
static constexpr unsigned char libdl[] = {
#include "compiler/emit/libdl.so.2.inc"
};

template <size_t N>
static ArrayRef<char> asChars(const unsigned char (&bytes)[N]) {
  return {reinterpret_cast<const char *>(bytes), N};
}

ArrayRef<StubLibrary> txc::getStubLibraries() {
  static const StubLibrary libraries[] = {
      {"libc.so.6", asChars(libc)},
      {"libm.so.6", asChars(libm)},
      {"libpthread.so.0", asChars(libpthread)},
      {"libdl.so.2", asChars(libdl)},
  };
  return libraries;
}
