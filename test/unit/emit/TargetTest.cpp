//===- TargetTest.cpp - Parsing of -target= -----------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Targets: what is accepted, what the errors say, what code may use.
///
//===----------------------------------------------------------------------===//

#include "compiler/targets/Target.h"
#include "compiler/targets/VectorTarget.h"
#include "runtime/RuntimeObject.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Target/TargetMachine.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

using txc::Target;

namespace {

std::string getParseError(llvm::StringRef spec) {
  llvm::Expected<Target> target = Target::parse(spec);
  if (target)
    return "no error";
  return llvm::toString(target.takeError());
}

Target parse(llvm::StringRef spec) {
  return llvm::cantFail(Target::parse(spec));
}

TEST(Target, KnowsCpusByName) {
  Target target = parse("x86-64-v3");
  EXPECT_EQ(target.getName(), "x86-64-v3");
  EXPECT_EQ(target.getCpu(), "x86-64-v3");
  EXPECT_EQ(target.getFeatureString(), "");
  EXPECT_TRUE(target.hasFeature("avx2"));
  EXPECT_TRUE(target.hasFeature("fma"));
  EXPECT_FALSE(target.hasFeature("avx512f"));
}

TEST(Target, RequiresWhatTheCpuHasBeyondBaseline) {
  EXPECT_THAT(parse("x86-64").getRequiredFeatures(), testing::IsEmpty());
  EXPECT_THAT(parse("x86-64-v2").getRequiredFeatures(),
              testing::ElementsAre("sse3", "ssse3", "sse4.1", "sse4.2", "crc32",
                                   "popcnt", "cx16", "sahf"));
  EXPECT_THAT(parse("znver5").getRequiredFeatures(),
              testing::IsSupersetOf({"avx2", "fma", "avx512f", "avx512bf16",
                                     "avx512vnni", "avxvnni", "gfni"}));
}

TEST(Target, SwitchesFeaturesAndWhatDependsOnThem) {
  Target target = parse("x86-64-v3:+avx512bf16:-bmi2");
  EXPECT_EQ(target.getName(), "x86-64-v3:+avx512bf16:-bmi2");
  EXPECT_EQ(target.getFeatureString(), "+avx512bf16,-bmi2");
  EXPECT_TRUE(target.hasFeature("avx512bf16"));
  EXPECT_FALSE(target.hasFeature("bmi2"));
  EXPECT_FALSE(parse("znver5:-avx512f").hasFeature("avx512vnni"));
}

TEST(Target, KnowsTheVectorUnit) {
  auto get = [](llvm::StringRef cpu, llvm::StringRef features = "") {
    return llvm::cantFail(txc::getVectorTarget(cpu, features));
  };
  EXPECT_EQ(get("x86-64-v2").vectorBits, 128);
  EXPECT_FALSE(get("x86-64-v2").hasFma);
  EXPECT_EQ(get("x86-64-v3").vectorBits, 256);
  EXPECT_TRUE(get("x86-64-v3").hasFma);
  EXPECT_FALSE(get("x86-64-v3").hasInt8Dot);
  EXPECT_TRUE(get("arrowlake").hasInt8Dot);
  EXPECT_EQ(get("x86-64-v4").vectorBits, 512);
  EXPECT_TRUE(get("x86-64-v4").hasMaskedOps);
  EXPECT_FALSE(get("x86-64-v4").hasBf16Dot);
  EXPECT_TRUE(get("znver5").hasBf16Dot);
  // AVX-512 without its vector lengths is used as AVX2.
  EXPECT_EQ(get("x86-64-v4", "-avx512vl").vectorBits, 256);
}

TEST(Target, SpellsOutNative) {
  Target native = parse("native");
  EXPECT_NE(native.getCpu(), "native");
  // What it was spelt out as names the same machine again.
  Target again = parse(native.getName());
  EXPECT_EQ(again.getName(), native.getName());
  EXPECT_EQ(again.getRequiredFeatures(), native.getRequiredFeatures());
}

TEST(Target, SaysWhatIsWrong) {
  EXPECT_EQ(getParseError("znver55"),
            "target: unknown CPU 'znver55'; the nearest name is 'znver5'");
  EXPECT_EQ(getParseError("x86_64-v3"),
            "target: unknown CPU 'x86_64-v3'; the nearest name is 'x86-64-v3'");
  EXPECT_EQ(getParseError("znver5:+avx512vnn"),
            "target: unknown CPU feature 'avx512vnn'; the nearest name is "
            "'avx512vnni'");
  EXPECT_EQ(getParseError("znver5:gfni"),
            "target: feature 'gfni' needs a sign: write '+gfni' to use it or "
            "'-gfni' to avoid it");
  EXPECT_EQ(getParseError("pentium4"),
            "target: CPU 'pentium4' has no 64-bit mode; txc compiles for "
            "x86-64");
  EXPECT_EQ(getParseError(""), "target: '' names no CPU; try 'native'");
  EXPECT_EQ(getParseError(":+avx"),
            "target: ':+avx' names no CPU; try 'native'");
}

TEST(Target, KnowsGpus) {
  llvm::Expected<Target> target = Target::parse("sm89");
  ASSERT_TRUE(bool(target)) << llvm::toString(target.takeError());
  EXPECT_EQ(target->getSm(), 89u);
  EXPECT_EQ(target->getName(), "sm89");
  EXPECT_EQ(target->getCpu(), "x86-64-v3");
  EXPECT_EQ(llvm::cantFail(Target::parse("native")).getSm(), 0u);
  for (const char *name : {"sm_90", "sm90a", "sm75", "sm80:+avx2"})
    EXPECT_EQ(getParseError(name),
              "target: unknown GPU '" + std::string(name) +
                  "'; the known ones are sm80, sm86, sm89, sm90");
}

TEST(Target, RefusesWhatThisVersionCantDo) {
  EXPECT_EQ(getParseError("x86-64-v3,znver5"),
            "target: 'x86-64-v3,znver5' names several targets; one is needed");
}

std::string getOrder(llvm::StringRef spec) {
  llvm::Expected<std::vector<Target>> targets = Target::parseList(spec);
  if (!targets)
    return llvm::toString(targets.takeError());
  std::string names;
  for (const Target &target : *targets)
    names += target.getName() + " ";
  return names;
}

TEST(Target, OrdersAListByWhatIsRequired) {
  EXPECT_EQ(getOrder("x86-64-v3"), "x86-64-v3 ");
  EXPECT_EQ(getOrder("sm80,x86-64-v3,sm90"), "x86-64-v3 sm90 sm80 ");
  EXPECT_EQ(getOrder("x86-64-v2,x86-64-v4,x86-64-v3"),
            "x86-64-v4 x86-64-v3 x86-64-v2 ");
  EXPECT_EQ(getOrder("x86-64-v3,x86-64-v3:+gfni"),
            "x86-64-v3:+gfni x86-64-v3 ");
  EXPECT_EQ(getOrder("znver5,x86-64,znver5"),
            "target: 'znver5,x86-64,znver5' names znver5 twice");
  EXPECT_EQ(getOrder("x86-64,"), "target: '' names no CPU; try 'native'");
}

TEST(Target, RefusesFeaturesThatAreNoInstructions) {
  // They would break the code generator or the calling convention.
  for (const char *feature : {"soft-float", "64bit-mode", "sse2", "retpoline"})
    EXPECT_THAT(getParseError("x86-64:-" + std::string(feature)),
                testing::HasSubstr("unknown CPU feature"));
}

/// The runtime tests for each feature by cpuid before it runs a model.
TEST(Target, RequiresOnlyWhatTheRuntimeCanTestFor) {
  for (const char *cpu :
       {"x86-64-v4", "bdver4", "haswell", "skylake-avx512", "sapphirerapids",
        "graniterapids", "sierraforest", "arrowlake", "diamondrapids", "znver1",
        "znver3", "znver4", "znver5"})
    for (const std::string &feature : parse(cpu).getRequiredFeatures())
      EXPECT_TRUE(llvm::is_contained(txc::getCheckableCpuFeatures(), feature))
          << cpu << " needs " << feature;
}

TEST(Target, GeneratesPositionIndependentCode) {
  auto machine = llvm::cantFail(parse("znver5").createTargetMachine());
  EXPECT_EQ(machine->getRelocationModel(), llvm::Reloc::PIC_);
  EXPECT_EQ(machine->getTargetCPU(), "znver5");
  EXPECT_TRUE(machine->Options.FunctionSections);
}

} // namespace
