//===- EmitTesting.h - What the tests of emission share ---------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Folders and files of a test.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_EMIT_EMITTESTING_H
#define TXC_TEST_UNIT_EMIT_EMITTESTING_H

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace txc::testing {

/// An empty folder, removed with what is in it.
class TestFolder {
public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder &) = delete;
  TestFolder &operator=(const TestFolder &) = delete;

  std::string getPath(llvm::StringRef name) const;
  /// The names of all files, in order.
  std::vector<std::string> list() const;

private:
  llvm::SmallString<128> path;
};

std::string readFile(llvm::StringRef path);
void writeFile(llvm::StringRef path, llvm::StringRef text);

/// What a program wrote to its standard output and error, and how it ended.
struct ProgramResult {
  int exitCode;
  std::string output;
};

/// Runs a program found along PATH.
ProgramResult runProgram(const std::vector<std::string> &arguments);
/// Whether there is such a program.
bool haveProgram(llvm::StringRef name);

} // namespace txc::testing

#endif // TXC_TEST_UNIT_EMIT_EMITTESTING_H
