//===- Type.cpp - PTX's types -----------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Type.h.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Type.h"

#include <iterator>

using namespace ptxsim;

namespace {

struct Row {
  std::string_view name;
  int bits;
  enum { Bits, Unsigned, Signed, Float } kind;
};

// In the order of the enumeration.
constexpr Row rows[] = {
    {"", 0, Row::Bits},         {"pred", 1, Row::Bits},
    {"b8", 8, Row::Bits},       {"u8", 8, Row::Unsigned},
    {"s8", 8, Row::Signed},     {"e4m3", 8, Row::Float},
    {"e5m2", 8, Row::Float},    {"b16", 16, Row::Bits},
    {"u16", 16, Row::Unsigned}, {"s16", 16, Row::Signed},
    {"f16", 16, Row::Float},    {"bf16", 16, Row::Float},
    {"e4m3x2", 16, Row::Float}, {"e5m2x2", 16, Row::Float},
    {"b32", 32, Row::Bits},     {"u32", 32, Row::Unsigned},
    {"s32", 32, Row::Signed},   {"f32", 32, Row::Float},
    {"tf32", 32, Row::Float},   {"f16x2", 32, Row::Float},
    {"bf16x2", 32, Row::Float}, {"b64", 64, Row::Bits},
    {"u64", 64, Row::Unsigned}, {"s64", 64, Row::Signed},
    {"f64", 64, Row::Float},    {"b128", 128, Row::Bits},
    {"b1", 1, Row::Bits},       {"u4", 4, Row::Unsigned},
    {"s4", 4, Row::Signed},
};

const Row &getRow(Type type) { return rows[static_cast<int>(type)]; }

} // namespace

Type ptxsim::parseType(std::string_view name) {
  for (int i = 1; i < int(std::size(rows)); ++i)
    if (rows[i].name == name)
      return static_cast<Type>(i);
  return Type::None;
}

std::string_view ptxsim::getName(Type type) { return getRow(type).name; }
int ptxsim::getBits(Type type) { return getRow(type).bits; }
bool ptxsim::isSigned(Type type) { return getRow(type).kind == Row::Signed; }
bool ptxsim::isFloat(Type type) { return getRow(type).kind == Row::Float; }
bool ptxsim::isUntyped(Type type) { return getRow(type).kind == Row::Bits; }
