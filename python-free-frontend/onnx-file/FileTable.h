//===- FileTable.h - The model's mapped files -------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Maps the model and the external data that it names, each file once, and
/// keeps the model inside its own directory.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_FILETABLE_H
#define TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_FILETABLE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem/UniqueID.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>
#include <string>
#include <vector>

namespace txc::onnx {

/// File 0 is the model; others are added as tensors refer to them.
class FileTable {
public:
  /// Maps the model at \p path, whose directory external data must be in.
  llvm::Error openModel(llvm::StringRef path);
  /// Takes a model in memory, which may have no external data. Not owned.
  void setModel(llvm::MemoryBufferRef bytes);

  /// The number of the file at \p location (an ONNX external_data location),
  /// mapped now if it was not before.
  llvm::Expected<uint32_t> openExternal(llvm::StringRef location);

  llvm::ArrayRef<uint8_t> bytes(uint32_t file) const;
  llvm::StringRef path(uint32_t file) const { return files[file].path; }
  uint32_t size() const { return files.size(); }

private:
  struct MappedFile {
    std::string path;
    /// Null for a model in memory.
    std::unique_ptr<llvm::MemoryBuffer> owner;
    llvm::MemoryBufferRef contents;
  };

  /// The real path of \p location, if that is inside the model's directory.
  llvm::Expected<std::string> resolve(llvm::StringRef location) const;

  std::vector<MappedFile> files;
  /// Of the model, with symbolic links resolved; empty for one in memory.
  std::string directory;
  llvm::StringMap<uint32_t> byLocation;
  /// Two locations may be one file: by links, or "a" and "./a".
  std::vector<std::pair<llvm::sys::fs::UniqueID, uint32_t>> byIdentity;
};

/// What \p bytes seem to be when they are no ONNX model ("a Git LFS pointer;
/// …" with advice), or empty. Looks at no more than the first few bytes.
llvm::StringRef guessForeignFormat(llvm::ArrayRef<uint8_t> bytes);

} // namespace txc::onnx

#endif // TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_FILETABLE_H
