//===- Type.h - PTX's types -------------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The types that instructions and registers name, without what belongs to one
/// instruction.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_TYPE_H
#define TXC_TOOLS_PTXSIM_TYPE_H

#include <cstdint>
#include <string_view>

namespace ptxsim {

enum class Type : uint8_t {
  None,
  Pred,
  B8,
  U8,
  S8,
  E4M3,
  E5M2,
  B16,
  U16,
  S16,
  F16,
  BF16,
  E4M3X2,
  E5M2X2,
  B32,
  U32,
  S32,
  F32,
  TF32,
  F16X2,
  BF16X2,
  B64,
  U64,
  S64,
  F64,
  B128,
  // Elements of mma operands only.
  B1,
  U4,
  S4,
};

/// None where there is no such type. Without the dot.
Type parseType(std::string_view name);
std::string_view getName(Type type);
int getBits(Type type);
inline int getBytes(Type type) { return (getBits(type) + 7) / 8; }
bool isSigned(Type type);
/// Whether arithmetic on it is floating point, packed pairs too.
bool isFloat(Type type);
/// Whether it is .bN: bits without meaning.
bool isUntyped(Type type);

} // namespace ptxsim

#endif // TXC_TOOLS_PTXSIM_TYPE_H
