//===- OutputFile.cpp - A file that appears whole or not at all -*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Writing beside the final place and renaming.
///
//===----------------------------------------------------------------------===//

#include "compiler/emit/OutputFile.h"

#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <utility>

using namespace llvm;
using namespace txc;

/// Whether \p path is something that a rename must not replace.
static bool isDirectTarget(StringRef path) {
  sys::fs::file_status status;
  return !sys::fs::status(path, status) && sys::fs::exists(status) &&
         !sys::fs::is_regular_file(status) && !sys::fs::is_directory(status);
}

/// Writes all of \p bytes, from \p position on or, without one, where the file
/// stands. A stream would end the process over an error it was not asked for.
static std::error_code writeAll(int descriptor, ArrayRef<char> bytes,
                                std::optional<uint64_t> position = {}) {
  raw_fd_ostream stream(descriptor, /*shouldClose=*/false,
                        /*unbuffered=*/true);
  if (position)
    stream.pwrite(bytes.data(), bytes.size(), *position);
  else
    stream.write(bytes.data(), bytes.size());
  std::error_code error = stream.error();
  stream.clear_error();
  return error;
}

Error OutputFile::fail(std::error_code reason) const {
  return createFileError(path, reason);
}

Expected<OutputFile> OutputFile::create(StringRef path, Kind kind) {
  if (path == "-")
    return OutputFile(path, /*descriptor=*/1);
  if (isDirectTarget(path)) {
    int descriptor = -1;
    if (std::error_code error = sys::fs::openFileForWrite(path, descriptor))
      return createFileError(path, error);
    return OutputFile(path, descriptor);
  }
  if (sys::fs::is_directory(path))
    return createFileError(path,
                           std::make_error_code(std::errc::is_a_directory));
  unsigned mode = sys::fs::all_read | sys::fs::all_write;
  if (kind == Kind::Program)
    mode |= sys::fs::all_exe;
  Expected<sys::fs::TempFile> temporary =
      sys::fs::TempFile::create(path + ".%%%%%%.tmp", mode);
  if (!temporary)
    return createFileError(path, temporary.takeError());
  OutputFile file(path, temporary->FD);
  file.temporary = std::move(*temporary);
  return file;
}

OutputFile::OutputFile(OutputFile &&other) noexcept
    : path(std::move(other.path)),
      temporary(std::exchange(other.temporary, std::nullopt)),
      descriptor(std::exchange(other.descriptor, -1)),
      position(other.position) {}

OutputFile::~OutputFile() {
  if (temporary)
    consumeError(temporary->discard());
  else
    consumeError(errorCodeToError(closeDirect()));
}

std::error_code OutputFile::closeDirect() {
  int closing = std::exchange(descriptor, -1);
  if (closing <= 2)
    return {};
  return sys::Process::SafelyCloseFileDescriptor(closing);
}

Error OutputFile::write(ArrayRef<char> bytes) {
  if (std::error_code error = writeAll(descriptor, bytes))
    return fail(error);
  position += bytes.size();
  return Error::success();
}

Error OutputFile::padTo(uint64_t end) {
  static constexpr char zeros[4096] = {};
  while (position < end)
    if (Error error = write(ArrayRef(zeros).take_front(
            std::min<uint64_t>(sizeof zeros, end - position))))
      return error;
  return Error::success();
}

Error OutputFile::overwrite(uint64_t start, ArrayRef<char> bytes) {
  if (std::error_code error = writeAll(descriptor, bytes, start))
    return fail(error);
  return Error::success();
}

Error OutputFile::commit() {
  if (!temporary) {
    if (std::error_code error = closeDirect())
      return fail(error);
    return Error::success();
  }
  sys::fs::TempFile complete = std::move(*temporary);
  temporary.reset();
  descriptor = -1;
  if (Error error = complete.keep(path)) {
    consumeError(complete.discard());
    return createFileError(path, std::move(error));
  }
  return Error::success();
}
