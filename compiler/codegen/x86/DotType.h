//===- DotType.h - What contractions multiply -------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The types that x86 kernels multiply in, and how they use a target for it.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_DOTTYPE_H
#define TXC_COMPILER_CODEGEN_X86_DOTTYPE_H

#include "compiler/targets/VectorTarget.h"
#include "mlir/IR/Types.h"

namespace txc::x86 {

enum class DotType { f32, bf16, i8 };

/// For the names of functions.
inline llvm::StringRef getName(DotType type) {
  return type == DotType::f32 ? "f32" : type == DotType::bf16 ? "bf16" : "i8";
}

/// Numbers of \p type in a word of 32 bits.
constexpr int64_t getDotDepth(DotType type) {
  return type == DotType::f32 ? 1 : type == DotType::bf16 ? 2 : 4;
}

/// Whether \p target has an instruction that adds a word's products to a sum.
constexpr bool hasDotInstruction(DotType type, const VectorTarget &target) {
  return type == DotType::f32    ? true
         : type == DotType::bf16 ? target.hasBf16Dot
                                 : target.hasInt8Dot;
}

/// Whether a right operand of these numbers can be multiplied by f32.
inline bool becomesF32(mlir::Type right) {
  return right.isSignlessInteger(8) || right.isF16() || right.isBF16();
}

/// Neighbours along k that are packed as f32, then converted while they are in
/// L1.
constexpr int64_t convertedNumbers = 64;

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_DOTTYPE_H
