//===- OptionsTest.cpp - the command line of txc -------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Spellings, values and refusals, as users meet them.
//
//===----------------------------------------------------------------------===//

#include "tools/txc/Options.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace txc;
using namespace txc::tool;
using ::testing::HasSubstr;

namespace {

Options parse(const std::vector<const char *> &arguments) {
  return llvm::cantFail(parseOptions(arguments));
}

std::string refuse(const std::vector<const char *> &arguments) {
  llvm::Expected<Options> options = parseOptions(arguments);
  if (options)
    return "";
  return llvm::toString(options.takeError());
}

TEST(Options, TakesThreeSpellings) {
  for (const auto &arguments : std::vector<std::vector<const char *>>{
           {"m.onnx", "-target=znver5"},
           {"--target=znver5", "m.onnx"},
           {"-target", "znver5", "m.onnx"},
           {"m.onnx", "--target", "znver5"}}) {
    Options options = parse(arguments);
    EXPECT_EQ(options.target, "znver5");
    EXPECT_EQ(options.inputPath, "m.onnx");
  }
}

TEST(Options, HasDefaults) {
  Options options = parse({"dir/my-model.onnx"});
  EXPECT_EQ(options.command, Command::Compile);
  EXPECT_EQ(options.target, "native");
  EXPECT_EQ(options.stage, Stage::SharedObject);
  EXPECT_FALSE(options.exact);
  EXPECT_EQ(options.codeGen.numThreads, 0u);
  EXPECT_EQ(getOutputPath(options), "my-model.so");
  options.stage = Stage::Assembly;
  EXPECT_EQ(getOutputPath(options), "my-model.s");
}

TEST(Options, TakesCommands) {
  EXPECT_EQ(parse({"check", "m.onnx", "-json"}).command, Command::Check);
  EXPECT_EQ(parse({"explain", "m.onnx", "-html=p"}).command, Command::Explain);
  EXPECT_EQ(parse({"verify", "m.onnx"}).command, Command::Verify);
  EXPECT_EQ(parse({"./check"}).command, Command::Compile);
  EXPECT_EQ(parse({"-help"}).command, Command::Help);
  EXPECT_EQ(parse({"explain", "--version"}).command, Command::Version);
}

TEST(Options, ReadsDims) {
  Options options =
      parse({"m.onnx", "-dim", "batch=2", "-dim=seq=1..512", "-dim=a=b=0"});
  ASSERT_EQ(options.dims.size(), 3u);
  EXPECT_EQ(options.dims[0].name, "batch");
  EXPECT_EQ(options.dims[0].lower, 2);
  EXPECT_EQ(options.dims[0].upper, 2);
  EXPECT_EQ(options.dims[1].lower, 1);
  EXPECT_EQ(options.dims[1].upper, 512);
  EXPECT_EQ(options.dims[2].name, "a=b");
}

TEST(Options, RefusesBadDims) {
  for (const char *dim : {"seq", "seq=", "seq=x", "seq=-1", "seq=1..",
                          "seq=..4", "=4", "seq=9223372036854775808"})
    EXPECT_THAT(refuse({"m.onnx", "-dim", dim}), HasSubstr("NAME=LO..HI"))
        << dim;
  EXPECT_THAT(refuse({"m.onnx", "-dim=seq=4..3"}), HasSubstr("LO at most HI"));
}

TEST(Options, NamesTheNearest) {
  EXPECT_EQ(refuse({"m.onnx", "-precison=exact"}),
            "unknown option -precison=exact; did you mean -precision=exact?");
  EXPECT_EQ(refuse({"m.onnx", "--time-repot"}),
            "unknown option --time-repot; did you mean --time-report?");
  EXPECT_EQ(refuse({"m.onnx", "-zzzzzzzz"}),
            "unknown option -zzzzzzzz; txc -help lists them");
}

TEST(Options, NamesTheCommandsOfAnOption) {
  EXPECT_EQ(refuse({"m.onnx", "-json"}),
            "option -json is for check and explain only");
  EXPECT_EQ(refuse({"check", "m.onnx", "-weights=w"}),
            "option -weights=w is for compiling only");
}

TEST(Options, RefusesWhatIsNotThere) {
  EXPECT_THAT(refuse({"m.onnx", "-precision=tf32"}),
              HasSubstr("-precision=tf32 is not supported"));
  EXPECT_THAT(refuse({"m.onnx", "-precision=exat"}),
              HasSubstr("expected model, exact, bf16 or int8, found \"exat\""));
}

TEST(Options, RefusesBadValues) {
  EXPECT_THAT(refuse({"m.onnx", "-emit=exe"}), HasSubstr("found \"exe\""));
  EXPECT_THAT(refuse({"m.onnx", "-name=my-model"}), HasSubstr("my_model"));
  EXPECT_THAT(refuse({"m.onnx", "-j", "0"}), HasSubstr("threads"));
  EXPECT_THAT(refuse({"m.onnx", "-jobs"}), HasSubstr("threads"));
  EXPECT_EQ(parse({"m.onnx", "-j4"}).codeGen.numThreads, 4u);
  EXPECT_THAT(refuse({"m.onnx", "-sanitize=memory"}), HasSubstr("thread"));
  EXPECT_THAT(refuse({"verify", "m.onnx", "-input=x"}), HasSubstr("NAME=FILE"));
  EXPECT_THAT(refuse({"m.onnx", "-o"}), HasSubstr("-o needs a value"));
  EXPECT_THAT(refuse({"m.onnx", "-target"}),
              HasSubstr("-target needs a value"));
}

TEST(Options, TakesConstants) {
  Options options = parse(
      {"m.onnx", "-constant=axes=a.npy", "-constant", "use_cache_branch=true"});
  ASSERT_EQ(options.constants.size(), 2u);
  EXPECT_EQ(options.constants[0].first, "axes");
  EXPECT_EQ(options.constants[0].second, "a.npy");
  EXPECT_EQ(options.constants[1].second, "true");
  EXPECT_THAT(refuse({"m.onnx", "-constant=axes"}), HasSubstr("NAME=NUMBER"));
}

TEST(Options, CalibratesForBytesOnly) {
  EXPECT_EQ(
      parse({"m.onnx", "-precision=int8", "-calibrate=d"}).calibrationPath,
      "d");
  EXPECT_THAT(refuse({"m.onnx", "-precision=bf16", "-calibrate=d"}),
              HasSubstr("-calibrate is for -precision=int8 only"));
  EXPECT_THAT(refuse({"m.onnx", "-calibrate=d"}), HasSubstr("int8"));
}

TEST(Options, TakesState) {
  EXPECT_FALSE(parse({"m.onnx"}).cacheToState);
  EXPECT_TRUE(parse({"m.onnx", "-state=kv"}).cacheToState);
  EXPECT_THAT(refuse({"m.onnx", "-state=lstm"}), HasSubstr("expected kv"));
}

TEST(Options, TakesPadding) {
  EXPECT_EQ(parse({"m.onnx"}).padding, PaddingMode::drop);
  EXPECT_EQ(parse({"m.onnx", "-padding=skip"}).padding, PaddingMode::skip);
  EXPECT_EQ(parse({"m.onnx", "--padding", "keep"}).padding, PaddingMode::keep);
  EXPECT_THAT(refuse({"m.onnx", "-padding=drop"}),
              HasSubstr("expected skip or keep"));
}

TEST(Options, RefusesWhatDoesNotGoTogether) {
  EXPECT_THAT(refuse({}), HasSubstr("no model given"));
  EXPECT_THAT(refuse({"check"}), HasSubstr("no model given"));
  EXPECT_THAT(refuse({"a.onnx", "b.onnx"}), HasSubstr("one model at a time"));
  EXPECT_THAT(refuse({"a.onnx", "-emit=llvm", "-weights=w"}),
              HasSubstr("-weights"));
  EXPECT_THAT(refuse({"a.onnx", "-o", "-"}), HasSubstr("-o"));
}

TEST(Options, HelpFitsAScreen) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printHelp(os, /*showHidden=*/false);
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(text).split(lines, '\n');
  EXPECT_LE(lines.size(), 44u);
  for (llvm::StringRef line : lines)
    EXPECT_LE(line.size(), 100u) << line.str();
  EXPECT_THAT(text, ::testing::Not(HasSubstr("-sanitize")));
  printHelp(os, /*showHidden=*/true);
  EXPECT_THAT(text, HasSubstr("-sanitize"));
}

} // namespace
