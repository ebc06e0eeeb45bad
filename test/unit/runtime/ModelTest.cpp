//===- ModelTest.cpp - Opening a model --------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Versions, CPU features, weights, and the description of a model.
///
//===----------------------------------------------------------------------===//

#include "runtime/RuntimeObject.h"
#include "test/unit/runtime/TestModel.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

#include <fstream>

using namespace txc::test;
using testing::HasSubstr;

extern "C" int txcTestHeaderInC(void);

namespace {

TEST(HeaderTest, IsC11) { EXPECT_EQ(txcTestHeaderInC(), 0); }

class ModelTest : public testing::Test {
protected:
  ModelTest() {
    source.addSymbol("seq", 1, 512);
    source.addInput("ids", TXC_INT64, {symbol(0, "seq")});
    source.program.evaluate = [](const int64_t *, int64_t *) {};
    source.table();
  }
  TestModel source;
};

TEST_F(ModelTest, RefusesWhatItCannotRead) {
  source.modelTable.min_reader = TXC_ABI_VERSION + 1;
  Model newer(source);
  EXPECT_EQ(newer.status, TXC_INCOMPATIBLE);
  EXPECT_THAT(newer.message.text, HasSubstr("can be read from version 2 on"));
  source.modelTable.min_reader = 1;
  source.modelTable.magic ^= 1;
  EXPECT_EQ(Model(source).status, TXC_INCOMPATIBLE);
  source.modelTable.magic ^= 1;
  EXPECT_EQ(Model(source).status, TXC_OK);
  txc_api older = txc_runtime_api;
  older.size -= 8;
  source.modelTable.api = &older;
  EXPECT_EQ(Model(source).status, TXC_INCOMPATIBLE);
}

TEST_F(ModelTest, NamesMissingCpuFeatures) {
  source.program.cpu_features = "sse2 teleport  avx1024f";
  Model model(source);
  EXPECT_EQ(model.status, TXC_UNSUPPORTED_CPU);
  EXPECT_THAT(model.message.text,
              HasSubstr("this CPU lacks teleport avx1024f, which"));
  source.program.cpu_features = "";
  EXPECT_EQ(Model(source).status, TXC_OK);
}

TEST_F(ModelTest, TakesTheFirstProgramThatTheMachineCanRun) {
  txc_program lesser = source.program, least = source.program;
  source.program.target = "greater";
  source.program.next = &lesser;
  lesser.target = "lesser";
  lesser.next = &least;
  least.target = "least";
  auto getChosen = [&] {
    Model model(source);
    txc_model_info info = {};
    info.size = sizeof info;
    txc_model_describe(model, &info);
    return std::string(info.target ? info.target : model.message.text);
  };
  EXPECT_EQ(getChosen(), "greater");
  source.program.cpu_features = "teleport";
  EXPECT_EQ(getChosen(), "lesser");
  lesser.cpu_features = "levitate";
  EXPECT_EQ(getChosen(), "least");
  least.cpu_features = "walk";
  EXPECT_THAT(getChosen(), HasSubstr("this CPU lacks walk, which the model was "
                                     "compiled for (target least)"));
}

TEST_F(ModelTest, ChoosesTheDevice) {
  auto open = [&](const char *device, txc_message &why) {
    txc_open_options options = txc_open_options_default();
    options.device = device;
    txc_model *model = nullptr;
    txc_status status =
        txc_model_create(source.table(), &options, &model, &why);
    txc_close(model, nullptr);
    return status;
  };
  txc_message why;
  EXPECT_EQ(open("cpu", why), TXC_OK);
  EXPECT_EQ(open("auto", why), TXC_OK);
  EXPECT_EQ(open("cuda:0", why), TXC_NO_DEVICE);
  EXPECT_THAT(why.text, HasSubstr("the model has no code for GPUs"));
  for (const char *wrong : {"gpu", "cuda", "cuda:", "cuda:x", "cuda:0x", ""}) {
    EXPECT_EQ(open(wrong, why), TXC_INVALID_ARGUMENT) << wrong;
    EXPECT_THAT(why.text, HasSubstr("the device is \""));
  }

  // A model that has code for GPUs only.
  txc_gpu_program gpu = {&txc_cuda_backend, "", nullptr, 0, 80, nullptr};
  source.program.gpu = &gpu;
  EXPECT_EQ(open("cpu", why), TXC_UNSUPPORTED_CPU);
  EXPECT_THAT(why.text, HasSubstr("the model has code for GPUs only"));
  setenv("TXC_CUDA_DRIVER", "/nowhere/libcuda.so", /*overwrite=*/1);
  EXPECT_EQ(open(nullptr, why), TXC_NO_DEVICE);
  EXPECT_THAT(why.text, HasSubstr("no driver for NVIDIA's GPUs: /nowhere"));
  // A library that is no driver.
  setenv("TXC_CUDA_DRIVER", "libm.so.6", /*overwrite=*/1);
  EXPECT_EQ(open("cuda:0", why), TXC_NO_DEVICE);
  EXPECT_THAT(why.text, HasSubstr("libm.so.6 is too old: it has no cuInit"));
  unsetenv("TXC_CUDA_DRIVER");
}

TEST_F(ModelTest, AgreesWithLlvmAboutThisCpu) {
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  for (llvm::StringRef name : txc::getCheckableCpuFeatures()) {
    ASSERT_TRUE(host.contains(name)) << name.str();
    source.program.cpu_features = name.data();
    EXPECT_EQ(Model(source).status == TXC_OK, host.lookup(name)) << name.str();
  }
}

TEST_F(ModelTest, DescribesItself) {
  Model model(source);
  txc_model_info info = {};
  info.size = sizeof info;
  ASSERT_EQ(txc_model_describe(model, &info), TXC_OK);
  EXPECT_STREQ(info.name, "test");
  EXPECT_EQ(info.inputs, 1u);
  EXPECT_EQ(info.symbols, 1u);
  txc_tensor_info input = {};
  input.size = sizeof input;
  ASSERT_EQ(txc_model_input(model, 0, &input), TXC_OK);
  EXPECT_STREQ(input.name, "ids");
  EXPECT_STREQ(input.dims[0].text, "seq");
  EXPECT_EQ(txc_model_input(model, 1, &input), TXC_INVALID_ARGUMENT);
  // A caller from before `dims` was added, and one from after something else.
  input = {};
  input.size = offsetof(txc_tensor_info, dims);
  ASSERT_EQ(txc_model_input(model, 0, &input), TXC_OK);
  EXPECT_STREQ(input.name, "ids");
  EXPECT_EQ(input.dims, nullptr);
  struct {
    txc_tensor_info known;
    int64_t later;
  } large = {{}, 5};
  large.known.size = sizeof large;
  ASSERT_EQ(txc_model_input(model, 0, &large.known), TXC_OK);
  EXPECT_EQ(large.later, 0);
}

TEST_F(ModelTest, CannotBeClosedInUse) {
  Model model(source);
  {
    Session session(model);
    txc_message message;
    EXPECT_EQ(txc_close(model, &message), TXC_IN_USE);
    EXPECT_THAT(message.text, HasSubstr("destroy them first"));
  }
}

TEST_F(ModelTest, OpensOnlyModels) {
  txc_model *model = nullptr;
  txc_message message;
  EXPECT_EQ(txc_open("no/such.so", nullptr, &model, &message), TXC_IO);
  EXPECT_THAT(message.text, HasSubstr("no/such.so"));
  EXPECT_EQ(txc_open("libm.so.6", nullptr, &model, &message), TXC_INCOMPATIBLE);
  EXPECT_STREQ(message.text, "no model compiled by txc is in libm.so.6");
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

const char payload[] = "twenty bytes of data";
enum : uint64_t { PayloadBytes = 20 };

/// FNV-1a of the payload's words, by hand: 7477656e74792062 …
uint64_t payloadChecksum() {
  uint64_t hash = 14695981039346656037u;
  for (int word = 0; word < 3; ++word) {
    uint64_t letters = 0;
    for (int i = 7; i >= 0; --i)
      letters =
          letters << 8 |
          (word * 8 + i < 20 ? static_cast<unsigned char>(payload[word * 8 + i])
                             : 0u);
    hash = (hash ^ letters) * 1099511628211u;
  }
  return hash;
}

class WeightsTest : public ModelTest {
protected:
  WeightsTest() {
    source.program.weights = &desc;
    options.weights_path = path.c_str();
    options.verify_weights = 1;
  }

  void write(const txc_weights_header &header, uint64_t bytes) {
    std::string page(TXC_WEIGHTS_HEADER_BYTES, '\0');
    memcpy(&page[0], &header, sizeof header);
    std::ofstream(path, std::ios::binary)
        << page << std::string(payload, bytes);
  }

  txc_status open() {
    Model model(source, &options);
    text = model.message.text;
    return model.status;
  }

  std::string path = testing::TempDir() + "txc-weights-test.bin";
  txc_weights_desc desc = {"beside.bin", 0, PayloadBytes, payloadChecksum(), 1};
  txc_weights_header header = {TXC_WEIGHTS_MAGIC, 1, PayloadBytes,
                               payloadChecksum()};
  txc_open_options options = txc_open_options_default();
  std::string text;
};

TEST_F(WeightsTest, AreReadFromAFile) {
  static char seen[PayloadBytes];
  source.addKernel(
      [](const txc_kernel_ctx *ctx, const int64_t *, int64_t, int64_t) {
        memcpy(seen, ctx->bases[TXC_BASE_WEIGHTS], PayloadBytes);
      },
      0);
  source.program.value_count = 1;
  source.program.evaluate = [](const int64_t *, int64_t *values) {
    values[0] = 1;
  };
  source.table();
  write(header, PayloadBytes);
  Model model(source, &options);
  ASSERT_EQ(model.status, TXC_OK) << model.message.text;
  Session session(model);
  int64_t dim = 1, id = 0;
  txc_tensor in = txc_tensor_make("ids", TXC_INT64, &id, 1, &dim);
  ASSERT_EQ(txc_run(session, &in, 1, nullptr, 0), TXC_OK);
  EXPECT_EQ(std::string(seen, PayloadBytes), payload);
}

TEST_F(WeightsTest, MissingFile) {
  remove(path.c_str());
  EXPECT_EQ(open(), TXC_IO);
  EXPECT_THAT(text, HasSubstr(path));
}

TEST_F(WeightsTest, OtherFiles) {
  write({}, PayloadBytes);
  EXPECT_EQ(open(), TXC_CORRUPT);
  EXPECT_THAT(text, HasSubstr("no weights file of txc"));
  header.version = 2;
  write(header, PayloadBytes);
  EXPECT_EQ(open(), TXC_INCOMPATIBLE);
  header.version = 1;
  header.checksum ^= 1;
  write(header, PayloadBytes);
  EXPECT_EQ(open(), TXC_CORRUPT);
  EXPECT_THAT(text, HasSubstr("the weights of another model"));
}

TEST_F(WeightsTest, CutShort) {
  write(header, PayloadBytes - 1);
  EXPECT_EQ(open(), TXC_CORRUPT);
  EXPECT_THAT(text, HasSubstr("cut short"));
}

TEST_F(WeightsTest, Damaged) {
  desc.checksum = header.checksum = payloadChecksum() ^ 1;
  write(header, PayloadBytes);
  EXPECT_EQ(open(), TXC_CORRUPT);
  EXPECT_THAT(text, HasSubstr("the file is damaged"));
  options.verify_weights = 0;
  EXPECT_EQ(open(), TXC_OK) << text;
}

/// As if they had been added to this program after the link.
struct InObject {
  txc_weights_desc desc;
  char data[PayloadBytes];
};
InObject inObject = {{}, "twenty bytes of dat"};

TEST_F(WeightsTest, AreFoundInTheLoadedObject) {
  memcpy(inObject.data, payload, PayloadBytes);
  inObject.desc = {nullptr, offsetof(InObject, data), PayloadBytes,
                   payloadChecksum(), 1};
  source.program.weights = &inObject.desc;
  EXPECT_EQ(open(), TXC_OK) << text;
  inObject.desc.size = uint64_t{1} << 40;
  EXPECT_EQ(open(), TXC_CORRUPT);
  EXPECT_THAT(text, HasSubstr("was changed after txc wrote it"));
}

} // namespace
