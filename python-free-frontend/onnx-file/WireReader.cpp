//===- WireReader.cpp - Bounds-checked protobuf scanner ---------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The wire format: tags, varints, fixed-size and length-delimited fields.
///
//===----------------------------------------------------------------------===//

#include "python-free-frontend/onnx-file/WireReader.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace txc::onnx;

bool WireReader::readVarint(uint64_t &value) {
  value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (cursor == end) {
      fail("ends inside a number");
      return false;
    }
    uint8_t byte = *cursor++;
    value |= uint64_t(byte & 0x7f) << shift;
    if (byte < 0x80)
      return true;
  }
  fail("has a number longer than 64 bits");
  return false;
}

bool WireReader::takeBytes(uint64_t count, ArrayRef<uint8_t> &bytes) {
  auto left = static_cast<uint64_t>(end - cursor);
  if (count > left) {
    fail("asks for " + Twine(count) + " bytes where " + Twine(left) +
         " are left");
    return false;
  }
  bytes = ArrayRef(cursor, count);
  cursor += count;
  return true;
}

bool WireReader::next(WireField &field) {
  if (cursor == end || !problem.empty())
    return false;
  fieldStart = cursor;
  uint64_t tag;
  if (!readVarint(tag))
    return false;
  // Field numbers have 29 bits, below them the wire type.
  if (tag >> 3 == 0 || tag >> 32 != 0) {
    fail("has no valid field number");
    return false;
  }
  field.number = static_cast<uint32_t>(tag >> 3);
  field.type = static_cast<WireType>(tag & 7);
  field.value = 0;
  field.bytes = {};
  switch (field.type) {
  case WireType::Varint:
    return readVarint(field.value);
  case WireType::Bytes: {
    uint64_t length;
    return readVarint(length) && takeBytes(length, field.bytes);
  }
  case WireType::Fixed32:
    if (!takeBytes(4, field.bytes))
      return false;
    field.value = support::endian::read32le(field.bytes.data());
    return true;
  case WireType::Fixed64:
    if (!takeBytes(8, field.bytes))
      return false;
    field.value = support::endian::read64le(field.bytes.data());
    return true;
  }
  fail("has field " + Twine(field.number) + " of unknown wire type " +
       Twine(tag & 7));
  return false;
}

bool WireReader::expect(const WireField &field, WireType type) {
  if (field.type == type)
    return true;
  fail("has field " + Twine(field.number) + " with wire type " +
       Twine(unsigned(field.type)) + " instead of " + Twine(unsigned(type)));
  return false;
}

ArrayRef<uint8_t> WireReader::message(const WireField &field) {
  return expect(field, WireType::Bytes) ? field.bytes : ArrayRef<uint8_t>();
}

StringRef WireReader::string(const WireField &field) {
  return toStringRef(message(field));
}

int64_t WireReader::integer(const WireField &field) {
  return expect(field, WireType::Varint) ? static_cast<int64_t>(field.value)
                                         : 0;
}

float WireReader::fixedFloat(const WireField &field) {
  return expect(field, WireType::Fixed32)
             ? bit_cast<float>(static_cast<uint32_t>(field.value))
             : 0;
}

void WireReader::eachInteger(const WireField &field,
                             function_ref<void(int64_t)> use) {
  if (field.type != WireType::Bytes)
    return use(integer(field));
  WireReader packed(field.bytes, ArrayRef(origin, end));
  packed.fieldStart = fieldStart;
  while (packed.cursor != packed.end && problem.empty()) {
    uint64_t value;
    if (!packed.readVarint(value)) {
      problem = std::move(packed.problem);
      return;
    }
    use(static_cast<int64_t>(value));
  }
}

ArrayRef<uint8_t> WireReader::fixedElements(const WireField &field,
                                            WireType element) {
  if (field.type != WireType::Bytes)
    return expect(field, element) ? field.bytes : ArrayRef<uint8_t>();
  unsigned size = element == WireType::Fixed32 ? 4 : 8;
  if (field.bytes.size() % size == 0)
    return field.bytes;
  fail("has " + Twine(field.bytes.size()) + " bytes of " + Twine(size) +
       "-byte numbers in field " + Twine(field.number));
  return {};
}

void WireReader::fail(const Twine &what) {
  stop("damaged or truncated: byte " + Twine(fieldStart - origin) + " " + what +
       "; fetch the file again");
}

void WireReader::stop(const Twine &reason) {
  if (problem.empty())
    problem = reason.str();
}

Error WireReader::takeError() {
  return problem.empty() ? Error::success() : makeError(problem);
}

std::optional<uint64_t> txc::onnx::countVarints(ArrayRef<uint8_t> packed) {
  if (!packed.empty() && packed.back() >= 0x80)
    return std::nullopt;
  return count_if(packed, [](uint8_t byte) { return byte < 0x80; });
}

Error txc::onnx::makeError(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

Error txc::onnx::addContext(const Twine &where, Error error) {
  return makeError(where + ": " + toString(std::move(error)));
}
