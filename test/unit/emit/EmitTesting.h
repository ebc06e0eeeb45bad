//===- EmitTesting.h - What the tests of emission share ---------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Folders and files of a test, and what is in shared objects.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_EMIT_EMITTESTING_H
#define TXC_TEST_UNIT_EMIT_EMITTESTING_H

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringRef.h"

#include <csignal>
#include <string>
#include <sys/resource.h>
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

/// Lets no file of this process grow beyond a size: what a full disk does,
/// without needing one.
class FileSizeLimit {
public:
  explicit FileSizeLimit(rlim_t bytes) {
    previousHandler = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &previous);
    rlimit limit = {bytes, previous.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &previous);
    std::signal(SIGXFSZ, previousHandler);
  }

private:
  rlimit previous;
  void (*previousHandler)(int);
};

std::string readFile(llvm::StringRef path);
void writeFile(llvm::StringRef path, llvm::StringRef text);

/// A loaded shared object, unloaded at the end.
class Library {
public:
  /// Fails the test where the object can't be loaded.
  explicit Library(const std::string &path);
  ~Library();
  Library(const Library &) = delete;
  Library &operator=(const Library &) = delete;

  void *getHandle() const { return handle; }
  template <typename T> T *get(const char *name) const {
    return reinterpret_cast<T *>(getAddress(name));
  }

private:
  void *getAddress(const char *name) const;

  void *handle;
};

/// What a shared object says to the loader.
struct DynamicInfo {
  std::string soname;
  std::vector<std::string> needed;
  /// "name@VERSION", or "name" without one.
  std::vector<std::string> imports;
  std::vector<std::string> exports;
  /// For each export; empty where it has none.
  std::vector<std::string> exportVersions;
};

DynamicInfo readDynamicInfo(llvm::StringRef image);
/// The bytes of a section of an ELF file.
llvm::StringRef readSection(llvm::StringRef image, llvm::StringRef name);

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
