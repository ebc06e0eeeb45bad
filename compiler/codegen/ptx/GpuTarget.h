//===- GpuTarget.h - a GPU's thread as a vector unit -----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_CODEGEN_PTX_GPUTARGET_H
#define TXC_COMPILER_CODEGEN_PTX_GPUTARGET_H

#include "compiler/targets/VectorTarget.h"

namespace txc::ptx {

/// What code that is shared with CPUs may assume: plans of nests and elementary
/// functions ask for it. A thread computes with scalars.
inline VectorTarget getGpuVectorTarget() {
  VectorTarget target;
  target.vectorBits = 64;
  target.hasFma = true;
  target.hasHalfConversions = true;
  return target;
}

} // namespace txc::ptx

#endif // TXC_COMPILER_CODEGEN_PTX_GPUTARGET_H
