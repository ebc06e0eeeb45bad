//===- EmitTesting.cpp - What the tests of emission share -----------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Files and programs by way of LLVM's support library.
///
//===----------------------------------------------------------------------===//

#include "EmitTesting.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <optional>

using namespace llvm;
using namespace txc::testing;

TestFolder::TestFolder() {
  cantFail(errorCodeToError(sys::fs::createUniqueDirectory("txc-test", path)));
}

TestFolder::~TestFolder() { (void)sys::fs::remove_directories(path); }

std::string TestFolder::getPath(StringRef name) const {
  SmallString<128> file = path;
  sys::path::append(file, name);
  return std::string(file);
}

std::vector<std::string> TestFolder::list() const {
  std::vector<std::string> names;
  std::error_code error;
  for (sys::fs::directory_iterator file(path, error), end;
       file != end && !error; file.increment(error))
    names.push_back(sys::path::filename(file->path()).str());
  std::sort(names.begin(), names.end());
  return names;
}

std::string txc::testing::readFile(StringRef path) {
  return cantFail(errorOrToExpected(MemoryBuffer::getFile(path)))
      ->getBuffer()
      .str();
}

void txc::testing::writeFile(StringRef path, StringRef text) {
  std::error_code error;
  raw_fd_ostream stream(path, error);
  cantFail(errorCodeToError(error));
  stream << text;
}

ProgramResult
txc::testing::runProgram(const std::vector<std::string> &arguments) {
  TestFolder folder;
  std::string output = folder.getPath("output");
  ErrorOr<std::string> program = sys::findProgramByName(arguments.front());
  if (!program)
    return {-1, arguments.front() + ": " + program.getError().message()};
  std::vector<StringRef> references(arguments.begin(), arguments.end());
  int exitCode = sys::ExecuteAndWait(*program, references, std::nullopt,
                                     {StringRef(""), output, output});
  return {exitCode, readFile(output)};
}

bool txc::testing::haveProgram(StringRef name) {
  return static_cast<bool>(sys::findProgramByName(name));
}
