//===- replay.cpp - Runs a fuzz target on given files -----------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// A main for a fuzz target that needs no libFuzzer: runs it once on every file
/// of the directories given, in the order of their names.
///
//===----------------------------------------------------------------------===//

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <string>
#include <vector>

using namespace llvm;

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv) {
  std::vector<std::string> paths;
  std::error_code ec;
  for (int i = 1; i < argc; ++i)
    for (sys::fs::directory_iterator file(argv[i], ec), end; file != end && !ec;
         file.increment(ec))
      paths.push_back(file->path());
  if (ec || paths.empty()) {
    errs() << "no inputs: " << ec.message() << '\n';
    return 1;
  }
  std::sort(paths.begin(), paths.end());
  for (const std::string &path : paths) {
    ErrorOr<std::unique_ptr<MemoryBuffer>> buffer = MemoryBuffer::getFile(path);
    if (!buffer) {
      errs() << path << ": " << buffer.getError().message() << '\n';
      return 1;
    }
    // Before the call, so that the last line names the input that crashed.
    outs() << path << '\n';
    outs().flush();
    LLVMFuzzerTestOneInput((*buffer)->getBuffer().bytes_begin(),
                           (*buffer)->getBufferSize());
  }
  return 0;
}
