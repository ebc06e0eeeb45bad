//===- TypedData.cpp - Tensor elements in typed fields ----------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Decodes TensorProto's typed fields, packed or not, to dense bytes.
///
//===----------------------------------------------------------------------===//

#include "python-free-frontend/onnx-file/TypedData.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace txc::onnx;

uint32_t txc::onnx::typedFieldOf(ElementType type) {
  switch (type) {
  case ElementType::Float:
  case ElementType::Complex64:
    return 4;
  case ElementType::String:
    return 6;
  case ElementType::Int64:
    return 7;
  case ElementType::Double:
  case ElementType::Complex128:
    return 10;
  case ElementType::UInt32:
  case ElementType::UInt64:
    return 11;
  default:
    return 5;
  }
}

StringRef txc::onnx::typedFieldName(uint32_t field) {
  switch (field) {
  case 4:
    return "float_data";
  case 6:
    return "string_data";
  case 7:
    return "int64_data";
  case 10:
    return "double_data";
  case 11:
    return "uint64_data";
  default:
    return "int32_data";
  }
}

WireType txc::onnx::typedFieldWireType(uint32_t field) {
  switch (field) {
  case 4:
    return WireType::Fixed32;
  case 6:
    return WireType::Bytes;
  case 10:
    return WireType::Fixed64;
  default:
    return WireType::Varint;
  }
}

/// Bits of the dense form that one integer entry gives: a whole byte for two
/// elements of 4 bits or four of 2 bits, but 6 for one element of 6 bits.
static unsigned bitsPerEntry(ElementType type) {
  unsigned bits = elementTypeBits(type);
  return bits == 2 || bits == 4 ? 8 : bits;
}

uint64_t txc::onnx::typedEntries(ElementType type, uint64_t elements) {
  switch (type) {
  case ElementType::String:
    return elements;
  case ElementType::Complex64:
  case ElementType::Complex128:
    return 2 * elements;
  default:
    return divideCeil(elements * elementTypeBits(type), bitsPerEntry(type));
  }
}

namespace {
/// Appends integers to a stream of bits, the lowest first.
class BitWriter {
public:
  BitWriter(std::vector<uint8_t> &bytes, unsigned width)
      : bytes(bytes), width(width) {}

  /// Whether \p value can stand for a number of this width. Signed numbers come
  /// sign-extended, bit patterns of floats zero-extended: both are fine.
  bool fits(int64_t value) const {
    return width == 64 || (value >= -(int64_t(1) << (width - 1)) &&
                           value < int64_t(1) << width);
  }

  void append(int64_t value) {
    auto bits = static_cast<uint64_t>(value);
    for (unsigned left = width; left != 0;) {
      if (used == 0)
        bytes.push_back(0);
      unsigned taken = std::min(left, 8 - used);
      bytes.back() |= static_cast<uint8_t>(
          (bits & maskTrailingOnes<uint64_t>(taken)) << used);
      bits >>= taken;
      used = (used + taken) % 8;
      left -= taken;
    }
  }

private:
  std::vector<uint8_t> &bytes;
  unsigned width;
  /// Bits of the last byte that are taken; 0 when it is full.
  unsigned used = 0;
};
} // namespace

Expected<std::vector<uint8_t>> txc::onnx::decodeTyped(const TensorRef &tensor,
                                                      ArrayRef<uint8_t> message,
                                                      ArrayRef<uint8_t> file) {
  std::vector<uint8_t> dense;
  dense.reserve(tensor.denseBytes());
  BitWriter writer(dense, bitsPerEntry(tensor.elementType));
  std::optional<int64_t> misfit;
  uint32_t wanted = typedFieldOf(tensor.elementType);
  WireType element = typedFieldWireType(wanted);
  WireReader reader(message, file);
  for (WireField field; reader.next(field);) {
    if (field.number != wanted)
      continue;
    if (element == WireType::Varint) {
      reader.eachInteger(field, [&](int64_t value) {
        if (!writer.fits(value))
          misfit = value;
        writer.append(value);
      });
    } else {
      ArrayRef<uint8_t> bytes = reader.fixedElements(field, element);
      dense.insert(dense.end(), bytes.begin(), bytes.end());
    }
  }
  if (misfit)
    return makeError(typedFieldName(wanted) + " has " + Twine(*misfit) +
                     ", which is no " + elementTypeName(tensor.elementType));
  if (Error error = reader.takeError())
    return error;
  return dense;
}
