//===- OptionsTest.cpp - The command line of txc-run ------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Spellings, values and the nearest option.
///
//===----------------------------------------------------------------------===//

#include "tools/txc-run/Options.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace txc::run;
using testing::ElementsAre;
using testing::Pair;

namespace {

struct Parsed {
  explicit Parsed(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "txc-run");
    std::vector<char *> argv;
    argv.reserve(arguments.size());
    for (std::string &argument : arguments)
      argv.push_back(&argument[0]);
    ok = parseOptions(static_cast<int>(argv.size()), argv.data(), options,
                      error);
  }
  Options options;
  std::string error;
  bool ok;
};

TEST(OptionsTest, TakesAllSpellings) {
  Parsed parsed({"--input", "a=x.npy", "m.so", "-input=b=random:7",
                 "--dim=seq=128", "-threads", "2", "--profile", "--json"});
  ASSERT_TRUE(parsed.ok) << parsed.error;
  EXPECT_EQ(parsed.options.model, "m.so");
  EXPECT_THAT(parsed.options.inputs,
              ElementsAre(Pair("a", "x.npy"), Pair("b", "random:7")));
  EXPECT_THAT(parsed.options.dims, ElementsAre(Pair("seq", 128)));
  EXPECT_EQ(parsed.options.threads, 2);
  EXPECT_TRUE(parsed.options.profile);
  EXPECT_EQ(parsed.options.traceFile, "");
  EXPECT_EQ(Parsed({"m.so", "--profile=t.json"}).options.traceFile, "t.json");
}

TEST(OptionsTest, NamesTheNearest) {
  EXPECT_EQ(Parsed({"m.so", "--treads=2"}).error,
            "unknown option --treads=2; did you mean --threads?");
  EXPECT_EQ(Parsed({"m.so", "--xyzzy"}).error,
            "unknown option --xyzzy; see --help");
  EXPECT_FALSE(Parsed({"m.so", "---json"}).ok);
}

TEST(OptionsTest, SaysWhatAValueHasToBe) {
  EXPECT_EQ(Parsed({"m.so", "--threads", "many"}).error,
            "--threads expects a number from 1 to 1024, got \"many\"");
  EXPECT_EQ(Parsed({"m.so", "--repeat"}).error,
            "--repeat expects a number from 1");
  EXPECT_EQ(Parsed({"m.so", "--dim", "seq"}).error,
            "--dim expects NAME=N, got \"seq\"");
  EXPECT_FALSE(Parsed({"m.so", "--dim", "seq=99999999999999999999"}).ok);
  EXPECT_EQ(Parsed({"m.so", "--json=1"}).error,
            "--json takes no value, got \"1\"");
  EXPECT_EQ(Parsed({"a.so", "b.so"}).error, "two models: a.so and b.so");
  EXPECT_EQ(Parsed({}).error, "no model given; see --help");
}

} // namespace
