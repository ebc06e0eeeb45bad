//===- OutputFileTest.cpp - Files that appear whole ---------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Output files: nothing but complete files is ever seen under their names.
///
//===----------------------------------------------------------------------===//

#include "EmitTesting.h"

#include "compiler/emit/OutputFile.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <sys/stat.h>

using namespace txc;
using namespace txc::testing;

namespace {

OutputFile create(const std::string &path,
                  OutputFile::Kind kind = OutputFile::Kind::Data) {
  return llvm::cantFail(OutputFile::create(path, kind));
}

TEST(OutputFile, AppearsAtCommit) {
  TestFolder folder;
  std::string path = folder.getPath("file");
  OutputFile file = create(path);
  llvm::cantFail(file.write(llvm::StringRef("abc")));
  llvm::cantFail(file.padTo(5000));
  llvm::cantFail(file.write(llvm::StringRef("end")));
  llvm::cantFail(file.overwrite(1, llvm::StringRef("X")));
  EXPECT_EQ(file.getPosition(), 5003u);
  EXPECT_FALSE(llvm::sys::fs::exists(path));
  llvm::cantFail(file.commit());
  EXPECT_EQ(readFile(path), "aXc" + std::string(4997, '\0') + "end");
  EXPECT_THAT(folder.list(), ::testing::ElementsAre("file"));
}

TEST(OutputFile, LeavesNothingWithoutCommit) {
  TestFolder folder;
  writeFile(folder.getPath("file"), "old");
  {
    OutputFile file = create(folder.getPath("file"));
    llvm::cantFail(file.write(llvm::StringRef("half")));
    EXPECT_EQ(folder.list().size(), 2u);
  }
  EXPECT_THAT(folder.list(), ::testing::ElementsAre("file"));
  EXPECT_EQ(readFile(folder.getPath("file")), "old");
}

TEST(OutputFile, SetsModes) {
  TestFolder folder;
  llvm::cantFail(create(folder.getPath("data")).commit());
  llvm::cantFail(
      create(folder.getPath("program"), OutputFile::Kind::Program).commit());
  mode_t mask = umask(0);
  umask(mask);
  struct stat status;
  ASSERT_EQ(stat(folder.getPath("data").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0666 & ~mask);
  ASSERT_EQ(stat(folder.getPath("program").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0777 & ~mask);
}

TEST(OutputFile, WritesToDevicesDirectly) {
  OutputFile file = create("/dev/null");
  llvm::cantFail(file.write(llvm::StringRef("gone")));
  llvm::cantFail(file.commit());
  struct stat status;
  ASSERT_EQ(stat("/dev/null", &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
}

TEST(OutputFile, NamesTheFileInErrors) {
  TestFolder folder;
  for (const std::string &path :
       {folder.getPath("missing/file"), folder.getPath("")}) {
    llvm::Expected<OutputFile> file =
        OutputFile::create(path, OutputFile::Kind::Data);
    ASSERT_FALSE(static_cast<bool>(file));
    llvm::Error error = file.takeError();
    EXPECT_TRUE(error.isA<llvm::FileError>());
    EXPECT_THAT(llvm::toString(std::move(error)),
                ::testing::HasSubstr("'" + path + "': "));
  }
}

TEST(OutputFile, RemovesWhatDoesNotFit) {
  TestFolder folder;
  {
    OutputFile file = create(folder.getPath("file"));
    FileSizeLimit limit(1 << 16);
    llvm::cantFail(file.write(std::string(1 << 15, 'x')));
    llvm::Error error = file.write(std::string(1 << 16, 'x'));
    EXPECT_TRUE(error.isA<llvm::FileError>());
    EXPECT_THAT(llvm::toString(std::move(error)),
                ::testing::HasSubstr("File too large"));
  }
  EXPECT_THAT(folder.list(), ::testing::IsEmpty());
}

} // namespace
