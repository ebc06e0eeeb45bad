//===- SharedObjectTest.cpp - Whole models --------------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Emits a small model and runs it through txc.h, as an application does.
///
//===----------------------------------------------------------------------===//

#include "EmitTesting.h"
#include "TestModel.h"

#include "runtime/txc.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cstdio>

using namespace txc;
using namespace txc::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSubsetOf;

namespace {

std::string getError(llvm::Error error) {
  return llvm::toString(std::move(error));
}

/// An opened model with a session.
class RunningModel {
public:
  explicit RunningModel(const std::string &path,
                        const txc_open_options *options = nullptr) {
    txc_message message = {};
    status = txc_open(path.c_str(), options, &model, &message);
    if (status == TXC_OK)
      status = txc_session_create(model, nullptr, &session, &message);
    reason = message.text;
  }
  ~RunningModel() {
    txc_session_destroy(session);
    txc_close(model, nullptr);
  }
  RunningModel(const RunningModel &) = delete;
  RunningModel &operator=(const RunningModel &) = delete;

  /// Runs the model on \p x, rows of four.
  std::vector<float> run(const std::vector<float> &x) {
    int64_t dims[] = {static_cast<int64_t>(x.size() / 4), 4};
    txc_tensor input = txc_tensor_make("x", TXC_FLOAT32, x.data(), 2, dims);
    std::vector<float> y(x.size());
    txc_tensor output = txc_tensor_make("y", TXC_FLOAT32, y.data(), 0, nullptr);
    EXPECT_EQ(txc_run(session, &input, 1, &output, 1), TXC_OK)
        << txc_error(session);
    return y;
  }

  txc_status status;
  std::string reason;
  txc_model *model = nullptr;
  txc_session *session = nullptr;
};

std::vector<float> makeRows() {
  return {0, 1, 2, 3, 10, 20, 30, 40, -1, -2, -3, 0};
}

std::vector<float> addBias(std::vector<float> x, float bias) {
  for (size_t i = 0; i < x.size(); ++i)
    x[i] += bias + static_cast<float>(i % 4);
  return x;
}

void expectRuns(const std::string &path, float bias = 10.0F) {
  RunningModel model(path);
  ASSERT_EQ(model.status, TXC_OK) << model.reason;
  EXPECT_EQ(model.run(makeRows()), addBias(makeRows(), bias));
}

class SharedObject : public ::testing::Test {
protected:
  void emit(TestModel &model) {
    llvm::Error error = model.emit(folder.getPath(""));
    ASSERT_FALSE(error) << getError(std::move(error));
  }

  TestFolder folder;
};

TEST_F(SharedObject, Runs) {
  TestModel model("adder");
  emit(model);
  expectRuns(folder.getPath("adder.so"));
  EXPECT_THAT(folder.list(), ElementsAre("adder.h", "adder.so"));
}

TEST_F(SharedObject, SaysWhatItIs) {
  TestModel model("adder");
  emit(model);
  RunningModel running(folder.getPath("adder.so"));
  ASSERT_EQ(running.status, TXC_OK) << running.reason;
  txc_model_info info = {};
  info.size = sizeof info;
  ASSERT_EQ(txc_model_describe(running.model, &info), TXC_OK);
  EXPECT_STREQ(info.name, "adder");
  EXPECT_STREQ(info.target, "x86-64");
  EXPECT_STREQ(info.cpu_features, "");
  EXPECT_EQ(info.weight_tensors, 2);
  EXPECT_EQ(info.weight_bytes, model.weights.getSize());
  EXPECT_EQ(info.phases, 1u);
  txc_phase_info phase = {};
  phase.size = sizeof phase;
  ASSERT_EQ(txc_model_phase(running.model, 0, &phase), TXC_OK);
  EXPECT_STREQ(phase.kernel, "add_rows_f32");
  EXPECT_STREQ(phase.nodes, "/add, /more \"quoted\"");
}

TEST_F(SharedObject, ExportsOneSymbolAndNeedsOnlyLibc) {
  TestModel model("adder");
  emit(model);
  DynamicInfo info = readDynamicInfo(readFile(folder.getPath("adder.so")));
  EXPECT_EQ(info.soname, "adder.so");
  EXPECT_THAT(info.exports, ElementsAre("adder_txc_model"));
  EXPECT_THAT(info.needed, IsSubsetOf({"libc.so.6", "libm.so.6", "libdl.so.2",
                                       "libpthread.so.0"}));
  for (const std::string &import : info.imports)
    EXPECT_THAT(import, HasSubstr("@GLIBC_2."));
}

TEST_F(SharedObject, HasASmallRuntime) {
  TestModel model("adder");
  emit(model);
  std::string image = readFile(folder.getPath("adder.so"));
  EXPECT_LE(image.size() - model.weights.getSize(), 100u * 1024);
}

TEST_F(SharedObject, RunsAfterStrip) {
  TestModel model("adder");
  emit(model);
  std::string stripped = folder.getPath("stripped.so");
  for (const char *program : {"strip", "llvm-strip-22"}) {
    if (!haveProgram(program)) {
      std::fprintf(stderr, "skipped: no %s here\n", program);
      continue;
    }
    ProgramResult result =
        runProgram({program, "-s", "-o", stripped, folder.getPath("adder.so")});
    ASSERT_EQ(result.exitCode, 0) << result.output;
    expectRuns(stripped);
  }
}

TEST_F(SharedObject, SharesAProcessWithOthers) {
  TestModel first("first", 1.0F);
  TestModel second("second", 2.0F);
  emit(first);
  emit(second);
  RunningModel one(folder.getPath("first.so"));
  RunningModel two(folder.getPath("second.so"));
  EXPECT_EQ(one.run(makeRows()), addBias(makeRows(), 1.0F));
  EXPECT_EQ(two.run(makeRows()), addBias(makeRows(), 2.0F));
  EXPECT_EQ(one.run(makeRows()), addBias(makeRows(), 1.0F));
}

//===----------------------------------------------------------------------===//
// Determinism
//===----------------------------------------------------------------------===//

/// Code of many functions, enough for several parts.
std::string makeLargeCode() {
  std::string code = addRowsCode;
  std::string calls;
  for (int f = 0; f < 40; ++f) {
    std::string name = "@large" + std::to_string(f);
    calls += "  %c" + std::to_string(f) + " = call i64 " + name + "(i64 1)\n";
    code += "define i64 " + name + "(i64 %v0) noinline {\n";
    for (int i = 0; i < 300; ++i)
      code += "  %v" + std::to_string(i + 1) +
              " = call i64 asm sideeffect \"\"" + ", \"=r,0\"(i64 %v" +
              std::to_string(i) + ")\n";
    code += "  ret i64 %v300\n}\n";
  }
  return code + "define void @other(ptr, ptr, i64, i64) {\n" + calls +
         "  ret void\n}\n";
}

TEST_F(SharedObject, DependsOnNothingButItsInputs) {
  std::string code = makeLargeCode();
  std::string images[2];
  std::string headers[2];
  for (unsigned round : {0, 1}) {
    TestFolder place;
    TestModel model("adder");
    model.setCode(code);
    ASSERT_GT(model.module->getInstructionCount(), 10000u);
    PhaseDescription other;
    other.function = "other";
    other.tasksValue = 2;
    model.description.phases.push_back(other);
    model.options.codeGen.numThreads = 1 + 3 * round;
    ASSERT_EQ(getError(model.emit(place.getPath(""))), "");
    images[round] = readFile(place.getPath("adder.so"));
    headers[round] = readFile(place.getPath("adder.h"));
    expectRuns(place.getPath("adder.so"));
  }
  EXPECT_TRUE(images[0] == images[1]);
  EXPECT_EQ(headers[0], headers[1]);
  EXPECT_EQ(images[0].find("/tmp"), std::string::npos);
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

TEST_F(SharedObject, FindsWeightsBesideIt) {
  TestModel model("adder");
  model.options.weightsPath = folder.getPath("adder.weights");
  emit(model);
  EXPECT_THAT(folder.list(),
              ElementsAre("adder.h", "adder.so", "adder.weights"));
  std::string path = folder.getPath("adder.so");
  expectRuns(path);

  std::string weights = readFile(folder.getPath("adder.weights"));
  std::string damaged = weights;
  damaged[4096 + 64 + 5000] ^= 1;
  writeFile(folder.getPath("adder.weights"), damaged);
  txc_open_options options = txc_open_options_default();
  options.verify_weights = 1;
  EXPECT_EQ(RunningModel(path, &options).status, TXC_CORRUPT);
  writeFile(folder.getPath("adder.weights"),
            llvm::StringRef(weights).drop_back(64));
  EXPECT_EQ(RunningModel(path).status, TXC_CORRUPT);
  std::remove(folder.getPath("adder.weights").c_str());
  EXPECT_EQ(RunningModel(path).status, TXC_IO);
}

TEST_F(SharedObject, KnowsTheChecksumOfItsWeights) {
  TestModel model("adder");
  emit(model);
  std::string path = folder.getPath("adder.so");
  txc_open_options options = txc_open_options_default();
  options.verify_weights = 1;
  EXPECT_EQ(RunningModel(path, &options).status, TXC_OK);
  std::string image = readFile(path);
  image[image.size() - 100] ^= 1;
  std::string damaged = folder.getPath("damaged.so");
  writeFile(damaged, image);
  EXPECT_EQ(RunningModel(damaged, &options).status, TXC_CORRUPT);
}

TEST_F(SharedObject, MayHaveNoWeights) {
  TestModel model("adder");
  model.weights = WeightsImage();
  emit(model);
  RunningModel running(folder.getPath("adder.so"));
  EXPECT_EQ(running.status, TXC_OK) << running.reason;
}

//===----------------------------------------------------------------------===//
// What can go wrong
//===----------------------------------------------------------------------===//

TEST_F(SharedObject, RefusesCpusThatLackFeatures) {
  TestModel model("adder");
  // No CPU has had XOP since 2017; a machine that has it runs the model.
  model.target = "x86-64:+xop";
  emit(model);
  if (__builtin_cpu_supports("xop"))
    GTEST_SKIP() << "this CPU has XOP";
  RunningModel running(folder.getPath("adder.so"));
  EXPECT_EQ(running.status, TXC_UNSUPPORTED_CPU);
  EXPECT_THAT(running.reason, HasSubstr("xop"));
}

TEST_F(SharedObject, NamesTheWrongPartOfADescription) {
  auto emitWith = [&](auto change) {
    TestModel model("adder");
    change(model);
    return getError(model.emit(folder.getPath("")));
  };
  EXPECT_EQ(emitWith([](TestModel &m) { m.description.name = "2nd-model"; }),
            "model table: the model's name \"2nd-model\" is no C identifier; "
            "choose one with -name=NAME");
  EXPECT_EQ(
      emitWith([](TestModel &m) { m.description.phases[0].function = "none"; }),
      "model table: the module defines no function 'none' of type "
      "void (ptr, ptr, i64, i64)");
  EXPECT_EQ(emitWith([](TestModel &m) {
              m.description.phases[0].function = "evaluate";
            }),
            "model table: the module defines no function 'evaluate' of type "
            "void (ptr, ptr, i64, i64)");
  EXPECT_EQ(
      emitWith([](TestModel &m) { m.description.phases[0].tasksValue = 4; }),
      "model table: a phase's task count is 4, outside the 4 there are");
  EXPECT_THAT(
      emitWith([](TestModel &m) { m.description.inputs[0].dims.resize(9); }),
      HasSubstr("tensor \"x\" has rank 9; at most 8"));
  EXPECT_THAT(folder.list(), IsEmpty());
}

TEST_F(SharedObject, ReportsFilesThatCantBeWritten) {
  TestModel model("adder");
  llvm::Error error = model.emit(folder.getPath("missing"));
  EXPECT_TRUE(error.isA<llvm::FileError>());
  EXPECT_THAT(getError(std::move(error)), HasSubstr("missing/adder.so"));
}

TEST_F(SharedObject, LeavesNothingWhereTheDiskIsFull) {
  for (bool beside : {false, true}) {
    TestModel model("adder");
    model.weights.add(1 << 20, "", [](llvm::MutableArrayRef<char>) {
      return llvm::Error::success();
    });
    if (beside)
      model.options.weightsPath = folder.getPath("adder.weights");
    FileSizeLimit limit(1 << 19);
    llvm::Error error = model.emit(folder.getPath(""));
    EXPECT_TRUE(error.isA<llvm::FileError>());
    EXPECT_THAT(getError(std::move(error)),
                HasSubstr(beside ? "adder.weights" : "adder.so"));
    EXPECT_THAT(folder.list(), IsEmpty());
  }
}

TEST_F(SharedObject, LeavesOldFilesWhenAWeightFails) {
  writeFile(folder.getPath("adder.so"), "old");
  TestModel model("adder");
  model.weights.add(8, "", [](llvm::MutableArrayRef<char>) -> llvm::Error {
    return llvm::createStringError("initializer \"w\" is truncated");
  });
  EXPECT_EQ(getError(model.emit(folder.getPath(""))),
            "initializer \"w\" is truncated");
  EXPECT_THAT(folder.list(), ElementsAre("adder.so"));
  EXPECT_EQ(readFile(folder.getPath("adder.so")), "old");
}

//===----------------------------------------------------------------------===//
// Other forms of code
//===----------------------------------------------------------------------===//

TEST_F(SharedObject, PrintsCode) {
  struct {
    CodeKind kind;
    const char *expected;
  } cases[] = {{CodeKind::LLVM, "define internal void @add_rows("},
               {CodeKind::Assembly, "addps"},
               {CodeKind::Object, "\x7f"
                                  "ELF"}};
  for (auto [kind, expected] : cases) {
    TestModel model("adder");
    std::string path = folder.getPath("code");
    llvm::Error error =
        emitCode(std::move(model.module), model.description, model.weights,
                 llvm::cantFail(Target::parse("x86-64")), kind, path, {});
    ASSERT_FALSE(error) << getError(std::move(error));
    EXPECT_THAT(readFile(path), HasSubstr(expected));
  }
}

} // namespace
