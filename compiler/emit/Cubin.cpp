//===- Cubin.cpp - From PTX to machine code of a GPU ------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Cubin.h.
///
//===----------------------------------------------------------------------===//

#include "compiler/emit/Cubin.h"

#include "compiler/emit/OutputFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"

using namespace llvm;
using namespace txc;

Expected<std::string> txc::findPtxas(StringRef option) {
  if (option == "none")
    return std::string();
  ErrorOr<std::string> found =
      sys::findProgramByName(option.empty() ? "ptxas" : option);
  // A path is taken as it is.
  if (found && sys::fs::can_execute(*found))
    return *found;
  if (option.empty())
    return std::string();
  return createStringError("-ptxas=" + option + ": there is no such program");
}

/// The first thing that went wrong; ptxas begins lines with the file's name and
/// ends with a summary.
static StringRef findReason(StringRef text) {
  for (StringRef line : split(text, '\n'))
    if (line.contains("error") || line.contains("fatal"))
      return line.trim();
  return text.trim().take_until([](char c) { return c == '\n'; });
}

Expected<std::string> txc::assemblePtx(StringRef ptxas, StringRef ptx,
                                       unsigned sm) {
  SmallString<128> paths[3];
  static constexpr StringLiteral suffixes[] = {"ptx", "cubin", "log"};
  for (auto [path, suffix] : zip_equal(paths, suffixes))
    if (std::error_code error =
            sys::fs::createTemporaryFile("txc", suffix, path))
      return createFileError("a temporary file", error);
  FileRemover removers[] = {FileRemover(paths[0]), FileRemover(paths[1]),
                            FileRemover(paths[2])};
  Expected<OutputFile> source =
      OutputFile::create(paths[0], OutputFile::Kind::Data);
  if (!source)
    return source.takeError();
  if (Error error = source->write(ArrayRef(ptx.data(), ptx.size())))
    return error;
  if (Error error = source->commit())
    return error;

  std::string arch = "-arch=sm_" + std::to_string(sm), failure;
  int status = sys::ExecuteAndWait(
      ptxas, {ptxas, arch, paths[0], "-o", paths[1]}, /*Env=*/std::nullopt,
      {StringRef(), paths[2].str(), paths[2].str()}, /*SecondsToWait=*/0,
      /*MemoryLimit=*/0, &failure);
  auto result = MemoryBuffer::getFile(paths[status == 0 ? 1 : 2]);
  if (!result)
    return createFileError("a temporary file", result.getError());
  StringRef text = (*result)->getBuffer();
  if (status == 0)
    return text.str();
  StringRef reason = failure.empty() ? findReason(text) : StringRef(failure);
  return createStringError(ptxas + " can't assemble the kernels for sm_" +
                           Twine(sm) + ": " +
                           (reason.empty() ? "it says nothing" : reason) +
                           "; try -ptxas=none, for PTX alone");
}
