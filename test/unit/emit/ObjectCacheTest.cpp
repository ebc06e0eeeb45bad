//===- ObjectCacheTest.cpp - What is compiled again -------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Hits, misses and damaged entries.
///
//===----------------------------------------------------------------------===//

#include "compiler/emit/ObjectCache.h"
#include "EmitTesting.h"

#include "llvm/Support/FileSystem.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace txc;
using namespace txc::testing;

namespace {

class ObjectCacheTest : public ::testing::Test {
protected:
  /// What the cache gives for \p bitcode; `compiled` counts calls.
  std::string get(llvm::StringRef bitcode, const char *target = "x86-64",
                  Sanitizer sanitizer = Sanitizer::None) {
    ObjectCache cache(path);
    llvm::Expected<ObjectBytes> object =
        cache.get(bitcode, llvm::cantFail(Target::parse(target)), sanitizer,
                  [&]() -> llvm::Expected<ObjectBytes> {
                    ++compiled;
                    std::string made = "object of " + bitcode.str();
                    return ObjectBytes(made.begin(), made.end());
                  });
    if (!object)
      return llvm::toString(object.takeError());
    return std::string(object->begin(), object->end());
  }

  TestFolder folder;
  std::string path = folder.getPath("cache");
  int compiled = 0;
};

TEST_F(ObjectCacheTest, CompilesTheSameOnce) {
  EXPECT_EQ(get("a"), "object of a");
  EXPECT_EQ(get("a"), "object of a");
  EXPECT_EQ(compiled, 1);
}

TEST_F(ObjectCacheTest, TellsApartAllThatMatters) {
  EXPECT_EQ(get("a"), "object of a");
  EXPECT_EQ(get("b"), "object of b");
  get("a", "x86-64-v3");
  get("a", "x86-64:+avx2");
  get("a", "x86-64", Sanitizer::Thread);
  EXPECT_EQ(compiled, 5);
}

TEST_F(ObjectCacheTest, KeepsNothingWithoutAFolder) {
  path.clear();
  get("a");
  get("a");
  EXPECT_EQ(compiled, 2);
}

TEST_F(ObjectCacheTest, ReplacesDamagedEntries) {
  get("a");
  for (const auto &damage :
       {std::string(), std::string("x"), std::string(500, 'x')}) {
    std::error_code error;
    for (llvm::sys::fs::directory_iterator file(path, error), end;
         file != end && !error; file.increment(error))
      writeFile(file->path(), damage);
    compiled = 0;
    EXPECT_EQ(get("a"), "object of a");
    EXPECT_EQ(get("a"), "object of a");
    EXPECT_EQ(compiled, 1);
  }
}

TEST_F(ObjectCacheTest, SaysWhenItCantBeWritten) {
  writeFile(path, "a file where a folder has to be");
  EXPECT_THAT(get("a"), ::testing::HasSubstr("cache"));
  EXPECT_EQ(compiled, 1);
}

} // namespace
