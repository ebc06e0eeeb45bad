//===- FileTable.cpp - The model's mapped files -----------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Mapping, and the rules for where external data may lie.
///
//===----------------------------------------------------------------------===//

#include "python-free-frontend/onnx-file/FileTable.h"
#include "python-free-frontend/onnx-file/WireReader.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace txc::onnx;

namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

/// Maps a regular file; \p identity receives its device and inode.
static Expected<std::unique_ptr<MemoryBuffer>> mapFile(StringRef filePath,
                                                       fs::UniqueID &identity) {
  // Asked before the open: that of a FIFO would block.
  fs::file_status status;
  if (std::error_code ec = fs::status(filePath, status))
    return makeError("can't be read: " + ec.message());
  if (fs::is_directory(status))
    return makeError("is a directory, not a file");
  if (!fs::is_regular_file(status))
    return makeError("is not a regular file");
  identity = status.getUniqueID();
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer = MemoryBuffer::getFile(
      filePath, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return makeError("can't be read: " + buffer.getError().message());
  return std::move(*buffer);
}

Error FileTable::openModel(StringRef modelPath) {
  fs::UniqueID identity;
  Expected<std::unique_ptr<MemoryBuffer>> buffer = mapFile(modelPath, identity);
  if (!buffer)
    return buffer.takeError();
  SmallString<256> parent = path::parent_path(modelPath);
  SmallString<256> real;
  if (std::error_code ec =
          fs::real_path(parent.empty() ? "." : StringRef(parent), real))
    return makeError("its directory can't be resolved: " + ec.message());
  directory = real.str().str();
  MemoryBufferRef contents = **buffer;
  files.push_back({modelPath.str(), std::move(*buffer), contents});
  return Error::success();
}

void FileTable::setModel(MemoryBufferRef bytes) {
  files.push_back({bytes.getBufferIdentifier().str(), nullptr, bytes});
}

ArrayRef<uint8_t> FileTable::bytes(uint32_t file) const {
  return arrayRefFromStringRef(files[file].contents.getBuffer());
}

Expected<std::string> FileTable::resolve(StringRef location) const {
  if (location.empty() || location.contains('\0'))
    return makeError("has no valid location");
  if (directory.empty())
    return makeError("can't be had by a model in memory");
  if (path::is_absolute(location, path::Style::posix) ||
      path::is_absolute(location, path::Style::windows))
    return makeError("is an absolute path; it must be relative to the model's "
                     "directory");
  // Both separators: a model may have been written on Windows.
  for (StringRef component : split(location, '/'))
    for (StringRef part : split(component, '\\'))
      if (part == "..")
        return makeError("has \"..\" in its path; it must stay inside the "
                         "model's directory");

  SmallString<256> joined(directory);
  path::append(joined, location);
  SmallString<256> real;
  if (std::error_code ec = fs::real_path(joined, real))
    return makeError("can't be read: " + ec.message() +
                     "; it must lie in the model's directory, " + directory);
  StringRef rest = real;
  bool inside = rest.consume_front(directory) &&
                (rest.empty() || path::is_separator(rest.front()) ||
                 path::is_separator(directory.back()));
  if (!inside)
    return makeError("is a symbolic link to " + real +
                     ", outside the model's directory; put the file itself "
                     "beside the model");
  return real.str().str();
}

Expected<uint32_t> FileTable::openExternal(StringRef location) {
  auto known = byLocation.find(location);
  if (known != byLocation.end())
    return known->second;
  Expected<std::string> real = resolve(location);
  if (!real)
    return real.takeError();
  fs::UniqueID identity;
  Expected<std::unique_ptr<MemoryBuffer>> buffer = mapFile(*real, identity);
  if (!buffer)
    return buffer.takeError();

  for (auto [other, file] : byIdentity)
    if (other == identity)
      return byLocation[location] = file;
  auto file = static_cast<uint32_t>(files.size());
  MemoryBufferRef contents = **buffer;
  files.push_back({std::move(*real), std::move(*buffer), contents});
  byIdentity.push_back({identity, file});
  byLocation[location] = file;
  return file;
}

/// A safetensors file starts with the length of its header, then JSON.
static bool isSafetensors(StringRef text) {
  if (text.size() < 10 || text[8] != '{')
    return false;
  return support::endian::read64le(text.data()) <= text.size() - 8;
}

StringRef txc::onnx::guessForeignFormat(ArrayRef<uint8_t> bytes) {
  StringRef text = toStringRef(bytes);
  StringRef start = text.take_front(64).ltrim();
  if (text.empty())
    return "an empty file; fetch it again";
  if (start.starts_with("version https://git-lfs"))
    return "a Git LFS pointer; fetch the file with \"git lfs pull\"";
  if (start.starts_with_insensitive("<!doctype") ||
      start.starts_with_insensitive("<html"))
    return "a web page; the download did not give the file";
  if (isSafetensors(text))
    return "a safetensors file, which has weights but no graph; export the "
           "model to ONNX";
  if (start.starts_with("GGUF"))
    return "a GGUF file; export the model to ONNX";
  if (start.starts_with("PK\x03\x04"))
    return "a zip archive (or a PyTorch checkpoint); unpack it, or export the "
           "model to ONNX";
  if (start.starts_with("\x1f\x8b"))
    return "a gzip archive; unpack it";
  if (text.substr(4).starts_with("ORTM"))
    return "a model in ONNX Runtime's ORT format; give the .onnx file that it "
           "was made from";
  if (text.substr(4).starts_with("TFL3"))
    return "a TensorFlow Lite model; export the model to ONNX";
  if (start.starts_with("\x89HDF"))
    return "an HDF5 file; export the model to ONNX";
  if (start.starts_with("\x7f"
                        "ELF"))
    return "an ELF file, maybe a model that is compiled already";
  if (start.starts_with("{") || start.starts_with("["))
    return "a JSON file; give the binary .onnx file";
  if (start.starts_with("<ir_version") || start.starts_with("< ir_version") ||
      start.starts_with("ir_version"))
    return "an ONNX model as text; save it in the binary format";
  return "";
}
