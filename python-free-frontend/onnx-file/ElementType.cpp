//===- ElementType.cpp - ONNX tensor element types --------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Names and sizes of the element types, as one table.
///
//===----------------------------------------------------------------------===//

#include "python-free-frontend/onnx-file/ElementType.h"
#include <iterator>

using namespace txc::onnx;

namespace {
struct ElementTypeInfo {
  llvm::StringLiteral name;
  unsigned bits;
};
} // namespace

/// Indexed by the number in the file.
static constexpr ElementTypeInfo elementTypes[] = {
    {"UNDEFINED", 0},      {"FLOAT", 32},     {"UINT8", 8},
    {"INT8", 8},           {"UINT16", 16},    {"INT16", 16},
    {"INT32", 32},         {"INT64", 64},     {"STRING", 0},
    {"BOOL", 8},           {"FLOAT16", 16},   {"DOUBLE", 64},
    {"UINT32", 32},        {"UINT64", 64},    {"COMPLEX64", 64},
    {"COMPLEX128", 128},   {"BFLOAT16", 16},  {"FLOAT8E4M3FN", 8},
    {"FLOAT8E4M3FNUZ", 8}, {"FLOAT8E5M2", 8}, {"FLOAT8E5M2FNUZ", 8},
    {"UINT4", 4},          {"INT4", 4},       {"FLOAT4E2M1", 4},
    {"FLOAT8E8M0", 8},     {"UINT2", 2},      {"INT2", 2},
    {"FLOAT6E2M3", 6},     {"FLOAT6E3M2", 6},
};

static_assert(std::size(elementTypes) == size_t(ElementType::Float6E3M2) + 1);

std::optional<ElementType> txc::onnx::elementTypeFromNumber(int64_t number) {
  if (number < 0 || number >= int64_t(std::size(elementTypes)))
    return std::nullopt;
  return static_cast<ElementType>(number);
}

llvm::StringRef txc::onnx::elementTypeName(ElementType type) {
  return elementTypes[static_cast<int32_t>(type)].name;
}

unsigned txc::onnx::elementTypeBits(ElementType type) {
  return elementTypes[static_cast<int32_t>(type)].bits;
}
