//===- LinkTest.cpp - Objects to shared objects ---------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Code generation, link and the place of the weights, on modules of a few
/// lines and without the runtime.
///
//===----------------------------------------------------------------------===//

#include "EmitTesting.h"

#include "compiler/emit/ElfWeights.h"
#include "compiler/emit/Link.h"
#include "compiler/emit/ObjectFile.h"
#include "compiler/emit/StubLibraries.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/SourceMgr.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

using namespace txc;
using namespace txc::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

namespace {

ObjectBytes compile(llvm::StringRef ir) {
  llvm::LLVMContext context;
  llvm::SMDiagnostic diagnostic;
  std::unique_ptr<llvm::Module> module =
      llvm::parseAssemblyString(ir, diagnostic, context);
  EXPECT_TRUE(module) << diagnostic.getMessage().str();
  return llvm::cantFail(compileModule(*module,
                                      llvm::cantFail(Target::parse("x86-64")),
                                      CodeKind::Object, Sanitizer::None));
}

llvm::Expected<ObjectBytes> tryLink(llvm::ArrayRef<llvm::StringRef> modules) {
  std::vector<ObjectBytes> objects;
  for (llvm::StringRef ir : modules)
    objects.push_back(compile(ir));
  llvm::SmallVector<llvm::ArrayRef<char>> bytes(objects.begin(), objects.end());
  LinkOptions options;
  options.soname = "test.so";
  return linkSharedObject(bytes, options);
}

ObjectBytes link(llvm::ArrayRef<llvm::StringRef> modules) {
  return llvm::cantFail(tryLink(modules));
}

void writeFile(llvm::StringRef path, const ObjectBytes &bytes) {
  txc::testing::writeFile(path, llvm::StringRef(bytes.data(), bytes.size()));
}

constexpr llvm::StringLiteral twoFunctions = R"(
  define i64 @answer() {
    %a = call i64 @half()
    %b = mul i64 %a, 2
    ret i64 %b
  }
  define hidden i64 @half() noinline {
    ret i64 21
  }
)";

TEST(Link, MakesALoadableObject) {
  TestFolder folder;
  std::string path = folder.getPath("test.so");
  writeFile(path, link({twoFunctions}));
  Library library(path);
  ASSERT_TRUE(library.getHandle());
  EXPECT_EQ(library.get<int64_t()>("answer")(), 42);
  EXPECT_EQ(dlsym(library.getHandle(), "half"), nullptr);
  DynamicInfo info = readDynamicInfo(readFile(path));
  EXPECT_EQ(info.soname, "test.so");
  EXPECT_THAT(info.exports, ElementsAre("answer"));
  EXPECT_THAT(info.needed, IsEmpty());
}

TEST(Link, JoinsHiddenSymbolsOfObjects) {
  TestFolder folder;
  std::string path = folder.getPath("test.so");
  writeFile(path, link({"declare hidden i64 @other()\n"
                        "define i64 @answer() {\n"
                        "  %a = call i64 @other()\n  ret i64 %a\n}",
                        "define hidden i64 @other() {\n  ret i64 7\n}"}));
  Library library(path);
  ASSERT_TRUE(library.getHandle());
  EXPECT_EQ(library.get<int64_t()>("answer")(), 7);
}

constexpr llvm::StringLiteral importing = R"(
  declare ptr @memcpy(ptr, ptr, i64)
  declare i32 @pthread_create(ptr, ptr, ptr, ptr)
  declare float @expf(float)
  define float @run(ptr %a, ptr %b, float %x) {
    call ptr @memcpy(ptr %a, ptr %b, i64 1000)
    call i32 @pthread_create(ptr %a, ptr null, ptr null, ptr null)
    %y = call float @expf(float %x)
    ret float %y
  }
)";

TEST(Link, ImportsOldVersionsOfWhatIsUsed) {
  ObjectBytes image = link({importing});
  DynamicInfo info =
      readDynamicInfo(llvm::StringRef(image.data(), image.size()));
  EXPECT_THAT(info.needed, UnorderedElementsAre("libc.so.6", "libm.so.6",
                                                "libpthread.so.0"));
  EXPECT_THAT(info.imports,
              UnorderedElementsAre("memcpy@GLIBC_2.14", "expf@GLIBC_2.2.5",
                                   "pthread_create@GLIBC_2.2.5"));
}

TEST(Link, ImportsAreThereAtRunTime) {
  TestFolder folder;
  std::string path = folder.getPath("test.so");
  writeFile(path, link({R"(
    declare float @expf(float)
    define float @run(float %x) {
      %y = call float @expf(float %x)
      ret float %y
    })"}));
  Library library(path);
  ASSERT_TRUE(library.getHandle());
  EXPECT_NEAR(library.get<float(float)>("run")(1.0F), 2.718282F, 1e-6F);
}

/// Plain x86-64 has no instructions for these types.
TEST(Link, BringsWhatTheCpuLacks) {
  TestFolder folder;
  std::string path = folder.getPath("test.so");
  writeFile(path, link({R"(
    define float @run(float %x) {
      %half = fptrunc float %x to half
      %wide = fpext half %half to float
      %brain = fptrunc float %wide to bfloat
      %result = fpext bfloat %brain to float
      ret float %result
    })"}));
  Library library(path);
  ASSERT_TRUE(library.getHandle());
  // 11 bits of mantissa, then 8, both rounded to nearest: 1 + 2^-7 stays,
  // 2^-9 and 2^-12 are lost.
  float x = 1.0F + 0x1p-7F + 0x1p-9F + 0x1p-12F;
  EXPECT_EQ(library.get<float(float)>("run")(x), 1.0F + 0x1p-7F);
  EXPECT_THAT(readDynamicInfo(readFile(path)).exports, ElementsAre("run"));
}

/// Every stub's symbol exists at its version in the glibc of this machine.
TEST(StubLibraries, NameWhatGlibcHas) {
  for (const StubLibrary &stub : getStubLibraries()) {
    DynamicInfo info =
        readDynamicInfo(llvm::StringRef(stub.image.data(), stub.image.size()));
    EXPECT_EQ(info.soname, stub.soname);
    EXPECT_THAT(info.exports, Not(IsEmpty()));
    EXPECT_EQ(info.exports.size(), info.exportVersions.size());
    void *library = dlopen(stub.soname.str().c_str(), RTLD_NOW);
    ASSERT_TRUE(library) << dlerror();
    for (auto [name, version] : llvm::zip(info.exports, info.exportVersions))
      EXPECT_TRUE(dlvsym(library, name.c_str(), version.c_str()))
          << name << "@" << version;
    dlclose(library);
  }
}

TEST(Link, NamesUndefinedSymbols) {
  llvm::Expected<ObjectBytes> image =
      tryLink({"declare void @nowhere()\n"
               "define void @run() {\n  call void @nowhere()\n  ret void\n}"});
  ASSERT_FALSE(static_cast<bool>(image));
  std::string message = llvm::toString(image.takeError());
  EXPECT_THAT(message, HasSubstr("can't link: undefined symbol: nowhere"));
  EXPECT_THAT(message, Not(HasSubstr("/tmp")));
  // The linker works again after a failure.
  EXPECT_FALSE(link({twoFunctions}).empty());
}

TEST(Link, IsDeterministic) {
  ObjectBytes first = link({twoFunctions, importing});
  EXPECT_EQ(first, link({twoFunctions, importing}));
  EXPECT_THAT(std::string(first.data(), first.size()), Not(HasSubstr("/tmp")));
}

TEST(Link, WorksFromManyThreads) {
  ObjectBytes expected = link({twoFunctions});
  std::vector<ObjectBytes> results(4);
  std::vector<std::thread> threads;
  threads.reserve(results.size());
  for (ObjectBytes &result : results)
    threads.emplace_back([&result] { result = link({twoFunctions}); });
  for (std::thread &thread : threads)
    thread.join();
  for (const ObjectBytes &result : results)
    EXPECT_EQ(result, expected);
}

//===----------------------------------------------------------------------===//
// Weights behind the linked file
//===----------------------------------------------------------------------===//

/// A placeholder for weights, a global variable that gets memory behind
/// initialised data, and a pointer to the weights relative to its own place.
constexpr llvm::StringLiteral withWeights = R"(
  @weights = internal constant i8 0, section ".txc.weights", align 4096
  @counter = internal global i64 0
  @distance = hidden constant i64 sub (i64 ptrtoint (ptr @weights to i64),
                                       i64 ptrtoint (ptr @distance to i64))
  define ptr @getWeights() {
    store volatile i64 1, ptr @counter
    %distance = load volatile i64, ptr @distance
    %address = getelementptr i8, ptr @distance, i64 %distance
    ret ptr %address
  }
)";

std::string makePattern(size_t size) {
  std::string pattern(size, '\0');
  for (size_t i = 0; i < size; ++i)
    pattern[i] = static_cast<char>(i * 7 + (i >> 8) + (i >> 16));
  return pattern;
}

void expectWeights(const std::string &path, const std::string &weights) {
  Library library(path);
  ASSERT_TRUE(library.getHandle());
  const char *loaded = library.get<const char *()>("getWeights")();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(loaded) % 4096, 0u);
  EXPECT_TRUE(llvm::StringRef(loaded, weights.size()) == weights);
}

class ElfWeights : public ::testing::Test {
protected:
  void SetUp() override {
    ObjectBytes image = link({withWeights});
    weights = makePattern((1 << 20) + 64);
    uint64_t offset = llvm::cantFail(reserveWeights(image, weights.size()));
    ASSERT_GE(offset, image.size());
    image.resize(offset);
    image.append(weights.begin(), weights.end());
    writeFile(path, image);
  }

  TestFolder folder;
  std::string path = folder.getPath("test.so");
  std::string weights;
};

TEST_F(ElfWeights, AreLoaded) { expectWeights(path, weights); }

TEST_F(ElfWeights, HaveASectionAtTheEnd) {
  std::string image = readFile(path);
  EXPECT_TRUE(llvm::StringRef(image).ends_with(weights));
  EXPECT_EQ(readSection(image, ".txc.weights"), weights);
}

TEST_F(ElfWeights, SurviveTools) {
  std::string copy = folder.getPath("copy.so");
  std::vector<std::vector<std::string>> commands = {
      {"strip", "-o", copy, path},
      {"strip", "-s", "-o", copy, path},
      {"strip", "--strip-unneeded", "-o", copy, path},
      {"objcopy", path, copy},
      {"objcopy", "--strip-debug", path, copy},
      {"llvm-strip-22", "-o", copy, path},
      {"llvm-strip-22", "-s", "-o", copy, path},
      {"llvm-objcopy-22", path, copy},
      {"cp", path, copy}};
  for (const std::vector<std::string> &command : commands) {
    SCOPED_TRACE(command[0] + " " + command[1]);
    if (!haveProgram(command[0])) {
      std::fprintf(stderr, "skipped: no %s here\n", command[0].c_str());
      continue;
    }
    ProgramResult result = runProgram(command);
    EXPECT_EQ(result.exitCode, 0) << result.output;
    expectWeights(copy, weights);
    EXPECT_EQ(readSection(readFile(copy), ".txc.weights"), weights);
  }
}

TEST_F(ElfWeights, MayBeLargerThan4GiB) {
  ObjectBytes image = link({withWeights});
  uint64_t size = (uint64_t(5) << 30) + 64;
  uint64_t offset = llvm::cantFail(reserveWeights(image, size));
  std::string large = folder.getPath("large.so");
  writeFile(large, image);
  // All but the last byte is a hole in the file.
  ASSERT_EQ(truncate(large.c_str(), static_cast<off_t>(offset + size)), 0);
  int file = open(large.c_str(), O_WRONLY);
  ASSERT_EQ(pwrite(file, "!", 1, static_cast<off_t>(offset + size - 1)), 1);
  close(file);
  Library library(large);
  ASSERT_TRUE(library.getHandle());
  const char *loaded = library.get<const char *()>("getWeights")();
  EXPECT_EQ(loaded[0], 0);
  EXPECT_EQ(loaded[size - 1], '!');
}

TEST(ElfWeightsErrors, SayWhatIsWrong) {
  ObjectBytes image = link({twoFunctions});
  EXPECT_EQ(llvm::toString(reserveWeights(image, 64).takeError()),
            "can't place weights: the linked file has no section "
            ".txc.weights");
  EXPECT_EQ(llvm::toString(findSymbol(image, "none", 8).takeError()),
            "can't place weights: the linked file has no symbol none");
  image.resize(100);
  EXPECT_TRUE(static_cast<bool>(
      llvm::errorToBool(reserveWeights(image, 64).takeError())));
}

TEST(ElfWeightsErrors, FindsLocalSymbols) {
  ObjectBytes image =
      link({"@data = hidden constant [2 x i64] [i64 77, i64 78]\n"
            "define ptr @get() {\n  ret ptr @data\n}"});
  uint64_t offset = llvm::cantFail(findSymbol(image, "data", 16));
  EXPECT_EQ(image[offset], 77);
  EXPECT_EQ(image[offset + 8], 78);
  EXPECT_THAT(llvm::toString(findSymbol(image, "data", 17).takeError()),
              HasSubstr("has 16 bytes, fewer than 17"));
}

//===----------------------------------------------------------------------===//
// Code generation
//===----------------------------------------------------------------------===//

TEST(ObjectFile, ReportsInvalidModules) {
  llvm::LLVMContext context;
  llvm::SMDiagnostic diagnostic;
  // An assembler instruction that does not exist is found late, by the
  // assembler, which reports it to the context.
  std::unique_ptr<llvm::Module> module = llvm::parseAssemblyString(
      "define void @run() {\n"
      "  call void asm sideeffect \"nonsense\", \"\"()\n  ret void\n}",
      diagnostic, context);
  ASSERT_TRUE(module);
  llvm::Expected<ObjectBytes> bytes =
      compileModule(*module, llvm::cantFail(Target::parse("x86-64")),
                    CodeKind::Object, Sanitizer::None);
  ASSERT_FALSE(static_cast<bool>(bytes));
  EXPECT_THAT(llvm::toString(bytes.takeError()),
              HasSubstr("code generation: "));
}

} // namespace
