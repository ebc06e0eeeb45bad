//===- OutputFile.h - A file that appears whole or not at all ---*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Output files are written beside their place and renamed when they are
/// complete: an interrupted or failed compile leaves neither half a file nor a
/// damaged older one.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_EMIT_OUTPUTFILE_H
#define TXC_COMPILER_EMIT_OUTPUTFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"

#include <optional>
#include <string>

namespace txc {

/// A file being written. Every error is an llvm::FileError that names the final
/// path, by which a driver tells an I/O failure from one of the model.
class OutputFile {
public:
  /// Who may run or read the file; the process's umask applies.
  enum class Kind { Data, Program };

  /// Begins the file \p path. "-" and whatever exists without being a regular
  /// file (a pipe, /dev/null) is written to directly.
  static llvm::Expected<OutputFile> create(llvm::StringRef path, Kind kind);

  OutputFile(OutputFile &&other) noexcept;
  OutputFile &operator=(OutputFile &&) = delete;
  /// Discards what was not committed.
  ~OutputFile();

  /// Appends \p bytes.
  llvm::Error write(llvm::ArrayRef<char> bytes);
  /// Appends zeros up to \p position, counted from the file's first byte.
  llvm::Error padTo(uint64_t position);
  /// Replaces bytes written before; the file must be a regular one.
  llvm::Error overwrite(uint64_t position, llvm::ArrayRef<char> bytes);

  /// Number of bytes appended so far.
  uint64_t getPosition() const { return position; }

  /// Puts the complete file in its place.
  llvm::Error commit();

private:
  OutputFile(llvm::StringRef path, int descriptor)
      : path(path.str()), descriptor(descriptor) {}

  llvm::Error fail(std::error_code reason) const;
  /// Closes what is written to directly, but for the standard streams.
  std::error_code closeDirect();

  std::string path;
  /// The file beside `path`; none when writing to `descriptor` directly.
  std::optional<llvm::sys::fs::TempFile> temporary;
  int descriptor;
  uint64_t position = 0;
};

} // namespace txc

#endif // TXC_COMPILER_EMIT_OUTPUTFILE_H
