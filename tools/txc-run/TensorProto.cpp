//===- TensorProto.cpp - ONNX's tensor files --------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Files.h. A reader of the few fields of onnx.TensorProto that hold a
/// tensor; others are skipped.
///
//===----------------------------------------------------------------------===//

#include "tools/txc-run/Files.h"

#include "runtime/txc.h"

#include <cstring>

using namespace txc::run;

namespace {

/// Numbers of the fields, from onnx.proto.
enum Field : uint64_t {
  Dims = 1,
  DataType = 2,
  FloatData = 4,
  Int32Data = 5,
  Int64Data = 7,
  Name = 8,
  RawData = 9,
  DoubleData = 10,
  Uint64Data = 11,
  DataLocation = 14,
};

enum WireType : uint64_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

/// Reads the wire format; after an error it is at its end and bad.
class WireReader {
public:
  explicit WireReader(std::string_view bytes) : rest(bytes) {}

  bool atEnd() const { return rest.empty(); }
  bool isBad() const { return bad; }

  uint64_t readVarint() {
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
      auto octet = static_cast<unsigned char>(rest[0]);
      rest.remove_prefix(1);
      number |= static_cast<uint64_t>(octet & 0x7f) << shift;
      if (octet < 0x80)
        return number;
    }
    return fail(), 0;
  }

  std::string_view readBytes(uint64_t count) {
    if (count > rest.size())
      return fail(), std::string_view();
    std::string_view bytes = rest.substr(0, count);
    rest.remove_prefix(count);
    return bytes;
  }

  /// The content of a field: a number's bytes for the fixed types.
  std::string_view readField(uint64_t wireType) {
    switch (wireType) {
    case Fixed64:
      return readBytes(8);
    case Bytes:
      return readBytes(readVarint());
    case Fixed32:
      return readBytes(4);
    default:
      return fail(), std::string_view();
    }
  }

private:
  void fail() {
    bad = true;
    rest = {};
  }

  std::string_view rest;
  bool bad = false;
};

/// What a TensorProto holds, before the type is looked at.
struct Fields {
  std::vector<int64_t> dims;
  uint64_t dataType = 0;
  bool isExternal = false;
  std::string_view raw;
  /// int32_data, int64_data and uint64_data; only one is ever used.
  std::vector<uint64_t> integers;
  /// float_data or double_data, as they are in memory.
  std::string floats;
};

/// A repeated number, which may be packed.
template <typename T>
void readNumbers(WireReader &reader, uint64_t wireType,
                 std::vector<T> &numbers) {
  if (wireType == Varint) {
    numbers.push_back(static_cast<T>(reader.readVarint()));
    return;
  }
  WireReader packed(reader.readField(wireType));
  while (!packed.atEnd())
    numbers.push_back(static_cast<T>(packed.readVarint()));
}

bool readFields(std::string_view bytes, Fields &fields) {
  WireReader reader(bytes);
  while (!reader.atEnd()) {
    uint64_t tag = reader.readVarint();
    uint64_t wireType = tag & 7;
    switch (tag >> 3) {
    case Dims:
      readNumbers(reader, wireType, fields.dims);
      break;
    case Int32Data:
    case Int64Data:
    case Uint64Data:
      readNumbers(reader, wireType, fields.integers);
      break;
    case DataType:
      fields.dataType = reader.readVarint();
      break;
    case DataLocation:
      fields.isExternal = reader.readVarint() == 1;
      break;
    case RawData:
      fields.raw = reader.readField(wireType);
      break;
    case FloatData:
    case DoubleData:
      fields.floats += reader.readField(wireType);
      break;
    default:
      if (wireType == Varint)
        reader.readVarint();
      else
        reader.readField(wireType);
    }
  }
  return !reader.isBad();
}

/// The elements in memory's form, from whichever field has them.
void gatherData(const Fields &fields, Array &array) {
  if (!fields.raw.empty()) {
    array.data.assign(fields.raw.begin(), fields.raw.end());
    return;
  }
  array.data.assign(fields.floats.begin(), fields.floats.end());
  // Small types are kept one octet (of packed elements) or one element a
  // number, in its low bits.
  size_t size = static_cast<size_t>(getTypeBits(array.type) + 7) / 8;
  for (uint64_t integer : fields.integers) {
    char octets[8];
    std::memcpy(octets, &integer, 8);
    array.data.insert(array.data.end(), octets, octets + (size < 8 ? size : 8));
  }
}

void appendVarint(std::string &bytes, uint64_t number) {
  for (; number >= 0x80; number >>= 7)
    bytes += static_cast<char>(number | 0x80);
  bytes += static_cast<char>(number);
}

void appendTag(std::string &bytes, uint64_t field, uint64_t wireType) {
  appendVarint(bytes, field << 3 | wireType);
}

} // namespace

bool txc::run::parseTensorProto(std::string_view bytes, Array &array,
                                std::string &error) {
  Fields fields;
  if (!readFields(bytes, fields)) {
    error = "not a TensorProto, or cut short";
    return false;
  }
  array.type =
      fields.dataType < 1000 ? static_cast<int32_t>(fields.dataType) : 0;
  array.dims = fields.dims;
  if (getTypeBits(array.type) == 0 || fields.isExternal) {
    error = fields.isExternal
                ? "the data is in another file, which is not supported"
                : "element type " + std::to_string(fields.dataType) +
                      " is not supported";
    return false;
  }
  gatherData(fields, array);
  int64_t elements = countElements(array.dims);
  int64_t expected = elements < 0 ? -1 : countBytes(array.type, elements);
  if (expected < 0 || static_cast<uint64_t>(expected) != array.data.size()) {
    error = "shape " + formatDims(array.dims) + " of " +
            getTypeName(array.type) + " needs " + std::to_string(expected) +
            " bytes, the file has " + std::to_string(array.data.size());
    return false;
  }
  return true;
}

std::string txc::run::formatTensorProto(const Array &array,
                                        std::string_view name) {
  std::string bytes;
  for (int64_t dim : array.dims) {
    appendTag(bytes, Dims, Varint);
    appendVarint(bytes, static_cast<uint64_t>(dim));
  }
  appendTag(bytes, DataType, Varint);
  appendVarint(bytes, static_cast<uint64_t>(array.type));
  appendTag(bytes, Name, Bytes);
  appendVarint(bytes, name.size());
  bytes += name;
  appendTag(bytes, RawData, Bytes);
  appendVarint(bytes, array.data.size());
  bytes.append(array.data.begin(), array.data.end());
  return bytes;
}
