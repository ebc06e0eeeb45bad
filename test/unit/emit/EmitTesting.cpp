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

#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <dlfcn.h>
#include <optional>

using namespace llvm;
using namespace txc::testing;

TestFolder::TestFolder() {
  cantFail(errorCodeToError(sys::fs::createUniqueDirectory("txc-test", path)));
}

TestFolder::~TestFolder() {
  consumeError(errorCodeToError(sys::fs::remove_directories(path)));
}

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

Library::Library(const std::string &path)
    : handle(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  EXPECT_TRUE(handle) << dlerror();
}

Library::~Library() {
  if (handle)
    dlclose(handle);
}

void *Library::getAddress(const char *name) const {
  void *address = dlsym(handle, name);
  EXPECT_TRUE(address) << name;
  return address;
}

using ElfObject = object::ELF64LEObjectFile;

static ElfObject openElf(StringRef image) {
  return cantFail(ElfObject::create(MemoryBufferRef(image, "image")));
}

static void readDynamicSymbols(const ElfObject &elf, DynamicInfo &info) {
  // Empty where no symbol has a version.
  std::vector<object::VersionEntry> versions =
      cantFail(elf.readDynsymVersions());
  size_t index = 0;
  for (const object::ELFSymbolRef symbol : elf.getDynamicSymbolIterators()) {
    std::string version =
        versions.empty() ? std::string() : versions[index++].Name;
    std::string name = cantFail(symbol.getName()).str();
    if (cantFail(symbol.getFlags()) & object::BasicSymbolRef::SF_Undefined) {
      if (!version.empty())
        name.append("@").append(version);
      info.imports.push_back(name);
    } else if (symbol.getELFType() != ELF::STT_NOTYPE) {
      info.exports.push_back(name);
      info.exportVersions.push_back(version);
    }
  }
}

DynamicInfo txc::testing::readDynamicInfo(StringRef image) {
  ElfObject elf = openElf(image);
  StringRef names = readSection(image, ".dynstr");
  DynamicInfo info;
  for (const auto &entry : cantFail(elf.getELFFile().dynamicEntries())) {
    std::string text = names.substr(entry.getVal()).split('\0').first.str();
    if (entry.getTag() == ELF::DT_NEEDED)
      info.needed.push_back(text);
    else if (entry.getTag() == ELF::DT_SONAME)
      info.soname = text;
  }
  readDynamicSymbols(elf, info);
  return info;
}

StringRef txc::testing::readSection(StringRef image, StringRef name) {
  ElfObject elf = openElf(image);
  for (const object::SectionRef &section : elf.sections())
    if (cantFail(section.getName()) == name)
      return cantFail(section.getContents());
  return {};
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
