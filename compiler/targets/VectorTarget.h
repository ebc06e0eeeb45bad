//===- VectorTarget.h - What a vector unit offers ---------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The few facts about a CPU's vector unit that decide how a kernel is written:
/// vector length, register count, fused multiply-add, masks and cache sizes.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_TARGETS_VECTORTARGET_H
#define TXC_COMPILER_TARGETS_VECTORTARGET_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace txc {

/// A plain value: copy it freely.
struct VectorTarget {
  /// Width of the vectors kernels are written for.
  int vectorBits = 128;
  /// A fused multiply-add is one instruction. Without it the generators emit
  /// a multiplication and an addition, rounded twice.
  bool hasFma = false;
  /// Every vector instruction takes a lane mask (AVX-512VL).
  bool hasMaskedOps = false;
  /// Converts between f16 and f32 (F16C).
  bool hasHalfConversions = false;
  /// Adds products of pairs of bf16 to f32 sums, in vectors of vectorBits, and
  /// converts f32 to bf16 (AVX512-BF16).
  bool hasBf16Dot = false;
  /// Adds products of four unsigned by signed bytes to i32 sums, in vectors of
  /// vectorBits (AVX512-VNNI, AVX-VNNI).
  bool hasInt8Dot = false;
  int numVectorRegisters = 16;
  /// Data caches of one core. Subtarget descriptions don't record them, so they
  /// are the smallest that CPUs of this level commonly have.
  int64_t l1Bytes = 32 << 10;
  int64_t l2Bytes = 256 << 10;

  int lanes(int elementBits) const { return vectorBits / elementBits; }
};

/// The vector unit of the CPU that \p machine generates code for.
VectorTarget getVectorTarget(const llvm::TargetMachine &machine);

/// The same from an LLVM CPU name and a feature string ("+avx2,-fma"). Fails
/// when LLVM's x86 target is not initialized or doesn't know \p cpu.
llvm::Expected<VectorTarget> getVectorTarget(llvm::StringRef cpu,
                                             llvm::StringRef features);

} // namespace txc

#endif // TXC_COMPILER_TARGETS_VECTORTARGET_H
