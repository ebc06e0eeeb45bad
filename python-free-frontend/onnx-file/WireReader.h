//===- WireReader.h - Bounds-checked protobuf scanner -----------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Reads the fields of one protobuf message in place, without a schema
/// (protobuf.dev/programming-guides/encoding). Lengths are checked against what
/// is left before anything is made of them.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_WIREREADER_H
#define TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_WIREREADER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>

namespace txc::onnx {

/// Groups (3 and 4) are left out: no version of ONNX has any.
enum class WireType : uint8_t {
  Varint = 0,
  Fixed64 = 1,
  Bytes = 2,
  Fixed32 = 5
};

/// One field as it stands in the message.
struct WireField {
  uint32_t number = 0;
  WireType type = WireType::Varint;
  /// Of Varint, Fixed32 and Fixed64.
  uint64_t value = 0;
  /// Of Bytes: the contents. Of the fixed types: the same bytes as in `value`.
  llvm::ArrayRef<uint8_t> bytes;
};

/// Walks the fields of a message. The first problem sticks: next() returns
/// false from then on, accessors return empty values, and takeError() tells it.
///
///     WireReader reader(message, file);
///     for (WireField field; reader.next(field);)
///       switch (field.number) { case 1: name = reader.string(field); … }
///     return reader.takeError();
class WireReader {
public:
  /// \p file is what byte offsets in messages count from.
  WireReader(llvm::ArrayRef<uint8_t> message, llvm::ArrayRef<uint8_t> file)
      : cursor(message.begin()), end(message.end()), origin(file.begin()) {}

  /// Reads the next field. False at the end and after a problem.
  bool next(WireField &field);

  // Accessors check the wire type.
  llvm::ArrayRef<uint8_t> message(const WireField &field);
  llvm::StringRef string(const WireField &field);
  int64_t integer(const WireField &field);
  float fixedFloat(const WireField &field);

  /// Calls \p use on each element of a repeated varint field, which may be
  /// packed or not.
  void eachInteger(const WireField &field,
                   llvm::function_ref<void(int64_t)> use);
  /// The elements of a repeated fixed-size field, packed or not, as bytes.
  llvm::ArrayRef<uint8_t> fixedElements(const WireField &field,
                                        WireType element);

  /// Notes damage at the field that was read last.
  void fail(const llvm::Twine &what);
  /// Notes another reason not to read on.
  void stop(const llvm::Twine &reason);
  llvm::Error takeError();

private:
  bool readVarint(uint64_t &value);
  bool takeBytes(uint64_t count, llvm::ArrayRef<uint8_t> &bytes);
  bool expect(const WireField &field, WireType type);

  const uint8_t *cursor;
  const uint8_t *end;
  const uint8_t *origin;
  const uint8_t *fieldStart = nullptr;
  std::string problem;
};

/// The number of varints that \p packed holds, or nothing when it ends inside
/// one.
std::optional<uint64_t> countVarints(llvm::ArrayRef<uint8_t> packed);

/// A one-sentence error.
llvm::Error makeError(const llvm::Twine &message);
/// \p error with "WHERE: " in front of its message.
llvm::Error addContext(const llvm::Twine &where, llvm::Error error);

} // namespace txc::onnx

#endif // TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_WIREREADER_H
