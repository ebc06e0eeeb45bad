//===- ObjectCache.cpp - Compiled code, kept on disk ------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See ObjectCache.h. An entry is the object followed by its hash.
///
//===----------------------------------------------------------------------===//

#include "compiler/emit/ObjectCache.h"

#include "compiler/emit/ModelTable.h"
#include "compiler/emit/OutputFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <optional>

using namespace llvm;
using namespace txc;

namespace {

/// Takes parts one after the other; no two lists of parts are one text.
class Hasher {
public:
  void add(StringRef part) {
    addNumber(part.size());
    hash.update(part);
  }
  void addNumber(uint64_t number) {
    hash.update(
        ArrayRef(reinterpret_cast<const uint8_t *>(&number), sizeof number));
  }
  std::string getText() { return toHex(hash.final(), /*LowerCase=*/true); }

private:
  BLAKE3 hash;
};

} // namespace

/// Two builds of txc may compile the same bitcode to different code.
static void addProgram(Hasher &key) {
  static int here;
  std::string program = sys::fs::getMainExecutable(/*argv0=*/nullptr, &here);
  sys::fs::file_status status;
  if (sys::fs::status(program, status))
    return;
  key.addNumber(status.getSize());
  key.addNumber(static_cast<uint64_t>(
      status.getLastModificationTime().time_since_epoch().count()));
}

static std::string getKey(ArrayRef<char> bitcode, const txc::Target &target,
                          Sanitizer sanitizer) {
  Hasher key;
  key.add(getTxcVersion());
  key.add(LLVM_VERSION_STRING);
  addProgram(key);
  key.add(target.getName());
  key.addNumber(static_cast<uint64_t>(sanitizer));
  key.add(StringRef(bitcode.data(), bitcode.size()));
  return key.getText();
}

static std::string getHash(StringRef object) {
  Hasher hash;
  hash.add(object);
  return hash.getText();
}

static std::optional<ObjectBytes> readEntry(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> entry = MemoryBuffer::getFile(
      path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!entry)
    return std::nullopt;
  constexpr size_t hashSize = 2 * sizeof(BLAKE3Result<>);
  StringRef bytes = (*entry)->getBuffer();
  StringRef object = bytes.drop_back(std::min(bytes.size(), hashSize));
  if (bytes.drop_front(object.size()) != getHash(object))
    return std::nullopt;
  return ObjectBytes(object.begin(), object.end());
}

static Error writeEntry(StringRef path, ArrayRef<char> object) {
  // Written beside and renamed: readers see whole entries only.
  Expected<OutputFile> file = OutputFile::create(path, OutputFile::Kind::Data);
  if (!file)
    return file.takeError();
  if (Error error = file->write(object))
    return error;
  std::string hash = getHash(StringRef(object.data(), object.size()));
  if (Error error = file->write(hash))
    return error;
  return file->commit();
}

Expected<ObjectBytes>
ObjectCache::get(ArrayRef<char> bitcode, const txc::Target &target,
                 Sanitizer sanitizer,
                 function_ref<Expected<ObjectBytes>()> compile) const {
  if (folder.empty())
    return compile();
  SmallString<128> path(folder);
  sys::path::append(path, getKey(bitcode, target, sanitizer) + ".o");
  if (std::optional<ObjectBytes> kept = readEntry(path))
    return std::move(*kept);
  Expected<ObjectBytes> object = compile();
  if (!object)
    return object;
  if (std::error_code error = sys::fs::create_directories(folder))
    return createFileError(folder, error);
  if (Error error = writeEntry(path, *object))
    return error;
  return object;
}
