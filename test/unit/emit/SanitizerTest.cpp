//===- SanitizerTest.cpp - Models that check themselves -------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Models emitted with a sanitizer, run by applications built with it.
///
//===----------------------------------------------------------------------===//

#include "EmitTesting.h"
#include "TestModel.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace txc;
using namespace txc::testing;
using ::testing::HasSubstr;

namespace {

/// Runs 64 rows on two threads; the output has room for argv[2] of them.
constexpr char application[] = R"(
  #include "adder.h"
  #include <stdlib.h>
  int main(int argc, char **argv) {
    txc_model *model;
    txc_session *session;
    txc_message message;
    txc_session_options options = txc_session_options_default();
    options.threads = 2;
    if (argc != 3 || txc_open(argv[1], NULL, &model, &message) != TXC_OK ||
        txc_session_create(model, &options, &session, &message) != TXC_OK)
      return 1;
    float *x = (float *)calloc(64, 16);
    float *y = (float *)malloc((size_t)atoi(argv[2]) * 16);
    for (int round = 0; round < 10; ++round)
      if (adder_run(session, 64, x, y) != TXC_OK)
        return 2;
    txc_session_destroy(session);
    txc_close(model, &message);
    free(x);
    free(y);
    puts("done");
    return 0;
  }
)";

class SanitizedModel : public ::testing::Test {
protected:
  void build(Sanitizer sanitizer, const std::string &flag) {
    TestModel model("adder");
    model.options.codeGen.sanitizer = sanitizer;
    llvm::cantFail(model.emit(folder.getPath("")));
    writeFile(folder.getPath("app.c"), application);
    ProgramResult result =
        runProgram({TXC_TEST_C_COMPILER, flag, folder.getPath("app.c"), "-g",
                    "-ldl", "-o", folder.getPath("app")});
    ASSERT_EQ(result.exitCode, 0) << result.output;
  }
  ProgramResult run(const std::string &rows) {
    return runProgram(
        {folder.getPath("app"), folder.getPath("adder.so"), rows});
  }

  TestFolder folder;
};

TEST_F(SanitizedModel, FindsAccessesOutsideOfBuffers) {
  build(Sanitizer::Address, "-fsanitize=address");
  ProgramResult good = run("64");
  EXPECT_EQ(good.exitCode, 0) << good.output;
  EXPECT_EQ(good.output, "done\n");
  ProgramResult bad = run("63");
  EXPECT_NE(bad.exitCode, 0);
  EXPECT_THAT(bad.output, HasSubstr("heap-buffer-overflow"));
  EXPECT_THAT(bad.output, HasSubstr("add_rows"));
}

TEST_F(SanitizedModel, RunsUnderThreadSanitizer) {
  build(Sanitizer::Thread, "-fsanitize=thread");
  DynamicInfo info = readDynamicInfo(readFile(folder.getPath("adder.so")));
  EXPECT_THAT(info.imports, ::testing::Contains("__tsan_func_entry"));
  ProgramResult result = run("64");
  EXPECT_EQ(result.exitCode, 0) << result.output;
  EXPECT_EQ(result.output, "done\n");
}

} // namespace
