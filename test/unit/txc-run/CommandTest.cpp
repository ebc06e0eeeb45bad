//===- CommandTest.cpp - txc-run as a program -------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The program on a model written by hand: what it prints, writes and returns.
///
//===----------------------------------------------------------------------===//

#include "tools/txc-run/Files.h"

#include "runtime/txc.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <sys/wait.h>

using namespace txc::run;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

namespace {

struct Outcome {
  int code;
  std::string text; ///< Both standard streams.
};

Outcome run(const std::string &arguments) {
  // NOLINTNEXTLINE(bugprone-command-processor): a shell is what is tested with.
  FILE *pipe = popen((TXC_RUN " " + arguments + " 2>&1").c_str(), "r");
  std::string text;
  char buffer[4096];
  while (fgets(buffer, sizeof buffer, pipe))
    text += buffer;
  int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

const std::string demo = TXC_DEMO_MODEL;

TEST(CommandTest, PrintsOutputs) {
  Outcome outcome = run(demo + " --dim seq=5 --dim batch=2");
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("sum: float32 [2, 5], min "));
  EXPECT_THAT(outcome.text, HasSubstr("small/sum: bfloat16 [2, 5], min "));
  EXPECT_THAT(run(demo).text, HasSubstr("sum: float32 [1, 8], min "));
}

TEST(CommandTest, ReadsAndWritesTensors) {
  std::string folder = testing::TempDir();
  std::string error;
  // ids 1, 2, 99 as a TensorProto, scale -0.5 as .npy.
  Array ids = {TXC_INT64, {1, 3}, std::vector<char>(24, 0)};
  ids.data[0] = 1;
  ids.data[8] = 2;
  ids.data[16] = 99;
  ASSERT_TRUE(
      writeFile(folder + "ids.pb", formatTensorProto(ids, "ids"), error));
  Array scale = {TXC_FLOAT32, {1}, {0, 0, 0, '\xbf'}};
  ASSERT_TRUE(writeFile(folder + "scale.npy", formatNpy(scale), error));
  Outcome outcome =
      run(demo + " --input ids=" + folder + "ids.pb --input scale=" + folder +
          "scale.npy --output-dir " + folder);
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_EQ(outcome.text, "");
  Array sum, small;
  ASSERT_TRUE(readTensor(folder + "sum.npy", sum, error)) << error;
  ASSERT_TRUE(readTensor(folder + "small_sum.pb", small, error)) << error;
  EXPECT_THAT(sum.dims, ElementsAre(1, 3));
  for (const Array *array : {&sum, &small}) {
    EXPECT_EQ(getElement(array->type, array->data.data(), 0), -1);
    EXPECT_EQ(getElement(array->type, array->data.data(), 1), -1.5);
    EXPECT_EQ(getElement(array->type, array->data.data(), 2), -50);
  }
}

TEST(CommandTest, TimesRuns) {
  Outcome outcome = run(demo + " --repeat 5 --threads 2 --json");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(
      outcome.text,
      MatchesRegex("\\{\"median_ms\": [0-9.e-]+, \"min_ms\": [0-9.e-]+, "
                   "\"p99_ms\": [0-9.e-]+, \"runs\": 5, \"threads\": 2, "
                   "\"target\": \"x86-64\", \"load_ms\": [0-9.e-]+, "
                   "\"rss_mb\": [0-9.]+, \"arena_bytes\": [1-9][0-9]*, "
                   "\"scratch_bytes\": 0, \"state_bytes\": 0, "
                   "\"outputs\": \\[\\[\"sum\", "
                   "\"float32\", \\[1, 8\\]\\], \\[\"small/sum\", "
                   "\"bfloat16\", \\[1, 8\\]\\]\\], "
                   "\"dims\": \\{\"batch\": 1, \"seq\": 8\\}\\}\n"));
  EXPECT_THAT(run(demo + " --repeat 3").text, HasSubstr("3 runs, "));
}

TEST(CommandTest, Profiles) {
  std::string trace = testing::TempDir() + "trace.json";
  Outcome outcome = run(demo + " --repeat 2 --profile=" + trace);
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  // Once by phase, once by kernel.
  EXPECT_THAT(outcome.text,
              ContainsRegex("peak: .*\nphase .*\n    0 .*  map_scale  /Mul, "
                            "/\"Add\"\ncalls .*\n    1 .*  map_scale  /Mul, "
                            "/\"Add\"\n"));
  std::string text, error;
  ASSERT_TRUE(readFile(trace, text, error)) << error;
  EXPECT_THAT(text, HasSubstr("\"nodes\": \"/Mul, /\\\"Add\\\"\""));
  std::string json = run(demo + " --json --profile").text;
  EXPECT_THAT(json, HasSubstr("\"kernels\": [{\"kernel\": \"map_scale\""));
  EXPECT_THAT(json, HasSubstr("\"phases\": [{\"kernel\": \"map_scale\""));
  EXPECT_THAT(json, HasSubstr("\"flops\": 24, "));
  EXPECT_THAT(json, ContainsRegex("\"peak_gflops\": [1-9].*, \"l2_gbps\": "
                                  "[1-9].*, \"memory_gbps\": [1-9]"));
}

TEST(CommandTest, Lists) {
  Outcome outcome = run(demo + " --list");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.text, "model   demo, for x86-64, by txc 0.1.0\n"
                          "weights 0 tensors, 0.0 MB; 1 phases\n"
                          "input   ids: int64 [batch, seq] in [0, 100)\n"
                          "input   attention_mask: float32 [batch, seq]\n"
                          "input   scale: float32 [1]\n"
                          "output  sum: float32 [batch, seq]\n"
                          "output  small/sum: bfloat16 [batch, seq]\n"
                          "dim     batch: 1 or more, of the inputs\n"
                          "dim     seq: 1..512, of the inputs\n");
  EXPECT_THAT(run(demo + " --list --json").text,
              HasSubstr("\"dims\": [{\"name\": \"batch\", \"lower\": 1, "
                        "\"upper\": null, "));
}

TEST(CommandTest, TellsKindsOfFailureByTheExitCode) {
  Outcome bounds = run(demo + " --dim seq=513");
  EXPECT_EQ(bounds.code, 1);
  EXPECT_EQ(bounds.text, "txc-run: error: " + demo +
                             ": dim \"seq\" is 513; the model was compiled for "
                             "1 to 512\n");
  Outcome option = run(demo + " --repaet 3");
  EXPECT_EQ(option.code, 2);
  EXPECT_THAT(option.text, HasSubstr("did you mean --repeat?"));
  Outcome name = run(demo + " --dim sequ=3");
  EXPECT_EQ(name.code, 2);
  EXPECT_THAT(name.text, HasSubstr("did you mean \"seq\"?"));
  EXPECT_EQ(run(demo + " --input idz=random").code, 2);
  EXPECT_EQ(run(demo + " --input ids=missing.npy").code, 3);
  EXPECT_EQ(run(demo + " --output-dir /no/such/folder").code, 3);
  EXPECT_EQ(run("missing.so").code, 3);
  EXPECT_EQ(run(TXC_RUN).code, 3);
}

TEST(OpenTest, ModelsShareAnExecutor) {
  // Two files, so that each has a runtime of its own.
  std::string copy = testing::TempDir() + "copy-of-demo.so", bytes, error;
  ASSERT_TRUE(readFile(TXC_DEMO_MODEL, bytes, error)) << error;
  ASSERT_TRUE(writeFile(copy, bytes, error)) << error;
  txc_message message;
  txc_model *owner = nullptr, *user = nullptr;
  ASSERT_EQ(txc_open(TXC_DEMO_MODEL, nullptr, &owner, &message), TXC_OK);
  ASSERT_EQ(txc_open(copy.c_str(), nullptr, &user, &message), TXC_OK);
  txc_executor_options threads = txc_executor_options_default();
  threads.threads = 3;
  txc_executor *executor = nullptr;
  ASSERT_EQ(txc_executor_create(owner, &threads, &executor, &message), TXC_OK);
  txc_session_options options = txc_session_options_default();
  options.executor = executor;
  txc_session *session = nullptr;
  ASSERT_EQ(txc_session_create(user, &options, &session, &message), TXC_OK);

  const int64_t dims[] = {1000, 512}, one = 1;
  std::vector<int64_t> ids(1000 * 512, 41);
  std::vector<float> mask(1000 * 512, 1);
  const float scale = 0.5;
  txc_tensor inputs[] = {
      txc_tensor_make("ids", TXC_INT64, ids.data(), 2, dims),
      txc_tensor_make("attention_mask", TXC_FLOAT32, mask.data(), 2, dims),
      txc_tensor_make("scale", TXC_FLOAT32, &scale, 1, &one)};
  txc_tensor output = txc_tensor_borrow("sum");
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(txc_run(session, inputs, 3, &output, 1), TXC_OK)
        << txc_error(session);
    auto *sum = static_cast<const float *>(output.data);
    EXPECT_EQ(std::count(sum, sum + ids.size(), 21.0f), 512000);
  }
  EXPECT_EQ(txc_executor_destroy(executor), TXC_IN_USE);
  txc_session_destroy(session);
  EXPECT_EQ(txc_executor_destroy(executor), TXC_OK);
  EXPECT_EQ(txc_close(user, &message), TXC_OK);
  EXPECT_EQ(txc_close(owner, &message), TXC_OK);
}

TEST(OpenTest, FindsTheTable) {
  txc_model *model = nullptr;
  txc_message message;
  ASSERT_EQ(txc_open(TXC_DEMO_MODEL, nullptr, &model, &message), TXC_OK)
      << message.text;
  txc_model *second = nullptr;
  ASSERT_EQ(txc_open(TXC_DEMO_MODEL, nullptr, &second, &message), TXC_OK);
  txc_tensor_info info = {};
  info.size = sizeof info;
  EXPECT_EQ(txc_model_input(model, 0, &info), TXC_OK);
  EXPECT_STREQ(info.name, "ids");
  EXPECT_EQ(txc_close(model, &message), TXC_OK);
  EXPECT_EQ(txc_model_input(second, 0, &info), TXC_OK);
  EXPECT_EQ(txc_close(second, &message), TXC_OK);
}

} // namespace
