//===- ModelHeaderTest.cpp - MODEL.h --------------------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Compiles generated headers as C and C++, and an application that links a
/// model.
///
//===----------------------------------------------------------------------===//

#include "EmitTesting.h"
#include "TestModel.h"

#include "compiler/emit/CIdentifiers.h"
#include "compiler/emit/ModelHeader.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace txc;
using namespace txc::testing;
using ::testing::HasSubstr;

namespace {

//===----------------------------------------------------------------------===//
// Identifiers
//===----------------------------------------------------------------------===//

TEST(CIdentifiers, KeepWhatIsOne) {
  EXPECT_EQ(makeCIdentifier("input_ids"), "input_ids");
  EXPECT_EQ(makeCIdentifier("lastHidden2"), "lastHidden2");
}

TEST(CIdentifiers, ReplaceWhatCLacks) {
  EXPECT_EQ(makeCIdentifier("input.1"), "input_1");
  EXPECT_EQ(makeCIdentifier("past.0/key:0"), "past_0_key_0");
  EXPECT_EQ(makeCIdentifier("1d"), "v1d");
  EXPECT_EQ(makeCIdentifier(""), "v");
  EXPECT_EQ(makeCIdentifier("größe"), "gr_e");
}

TEST(CIdentifiers, AvoidReservedOnes) {
  EXPECT_EQ(makeCIdentifier("int"), "int_");
  EXPECT_EQ(makeCIdentifier("template"), "template_");
  EXPECT_EQ(makeCIdentifier("errno"), "errno_");
  EXPECT_EQ(makeCIdentifier("__x__y"), "x_y");
  EXPECT_EQ(makeCIdentifier("_Bool"), "Bool");
  EXPECT_EQ(makeCIdentifier("NULL"), "null");
  EXPECT_EQ(makeCIdentifier("INT64_MAX"), "int64_max");
}

TEST(CIdentifiers, TellEqualOnesApart) {
  CIdentifiers identifiers({"session"});
  EXPECT_EQ(identifiers.add("session"), "session_2");
  EXPECT_EQ(identifiers.add("a.b"), "a_b");
  EXPECT_EQ(identifiers.add("a/b"), "a_b_2");
  EXPECT_EQ(identifiers.add("a_b_2"), "a_b_2_2");
  EXPECT_EQ(identifiers.add("int"), "int_");
  EXPECT_EQ(identifiers.add("int_"), "int_2");
}

TEST(CIdentifiers, WriteStrings) {
  EXPECT_EQ(makeCString("a\"b\\c\n1?"), "\"a\\042b\\134c\\0121\\077\"");
}

//===----------------------------------------------------------------------===//
// Headers
//===----------------------------------------------------------------------===//

/// The test's compiler with its strictest diagnostics as errors, for C11 or
/// C++17.
std::vector<std::string> getCompiler(bool isCxx) {
  std::vector<std::string> command = {TXC_TEST_C_COMPILER, "-Wall", "-Wextra",
                                      "-pedantic", "-Werror"};
  if (isCxx)
    command.insert(command.end(), {"-x", "c++", "-std=c++17"});
  else
    command.push_back("-std=c11");
  return command;
}

void expectCompiles(std::vector<std::string> command,
                    const std::vector<std::string> &arguments) {
  command.insert(command.end(), arguments.begin(), arguments.end());
  ProgramResult result = runProgram(command);
  EXPECT_EQ(result.exitCode, 0) << result.output;
}

/// Names and types chosen to break a header.
ModelDescription makeNasty() {
  ModelDescription model;
  model.name = "nasty";
  SymbolDescription batch;
  batch.name = "int";
  SymbolDescription sequence;
  sequence.name = "session";
  model.symbols = {batch, sequence};
  DimDescription batchDim;
  batchDim.kind = TXC_DIM_SYMBOL;
  batchDim.text = "int";
  DimDescription sumDim;
  sumDim.kind = TXC_DIM_VALUE;
  sumDim.value = 3;
  sumDim.text = "past */ 2 + session \\";
  for (const char *name : {"a.b", "a/b", "int", "int_", "1", "a_b_dims",
                           "quote\"\n?\?/", "txc_inputs"}) {
    TensorDescription tensor;
    tensor.name = name;
    tensor.type = static_cast<txc_type>(1 + model.inputs.size());
    tensor.dims = {batchDim, sumDim};
    model.inputs.push_back(tensor);
  }
  // Scalars, and types that C does not have.
  TensorDescription scalar;
  scalar.name = "scalar";
  for (txc_type type : {TXC_BOOL, TXC_FLOAT16, TXC_BFLOAT16, TXC_INT4}) {
    scalar.type = type;
    model.inputs.push_back(scalar);
    model.outputs.push_back(scalar);
  }
  return model;
}

TEST(ModelHeader, CompilesWithAnyNames) {
  TestFolder folder;
  writeFile(folder.getPath("nasty.h"), makeModelHeader(makeNasty(), "znver5"));
  ModelDescription empty;
  empty.name = "empty";
  writeFile(folder.getPath("empty.h"), makeModelHeader(empty, "x86-64"));
  std::string source = folder.getPath("source.c");
  writeFile(source, "#include \"nasty.h\"\n#include \"empty.h\"\n"
                    "#include \"nasty.h\"\n");
  for (bool isCxx : {false, true})
    expectCompiles(getCompiler(isCxx), {"-fsyntax-only", source});
}

TEST(ModelHeader, HasTypedCalls) {
  TestModel model("adder");
  std::string header = makeModelHeader(model.description, "x86-64");
  EXPECT_THAT(header, HasSubstr("static inline txc_status adder_run(\n"
                                "    txc_session *session,\n"
                                "    int64_t n,\n"
                                "    const float *x /* [n, 4] */,\n"
                                "    float *y /* [n, 4] */) {"));
}

TEST(ModelHeader, OutputsOfUnknownSizeAreTensors) {
  ModelDescription model = makeNasty();
  model.outputs.front().hasRunTimeDims = true;
  std::string header = makeModelHeader(model, "x86-64");
  EXPECT_THAT(header, HasSubstr("txc_tensor *scalar_5"));
  TestFolder folder;
  writeFile(folder.getPath("nasty.h"), header);
  std::string source = folder.getPath("source.c");
  writeFile(source, "#include \"nasty.h\"\n");
  for (bool isCxx : {false, true})
    expectCompiles(getCompiler(isCxx), {"-fsyntax-only", source});
}

constexpr char application[] = R"(
  #include "adder.h"
  int main(void) {
    txc_model *model;
    txc_session *session;
    txc_message message;
    if (adder_open(NULL, &model, &message) != TXC_OK ||
        txc_session_create(model, NULL, &session, &message) != TXC_OK)
      return puts(message.text), 1;
    const float x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    float y[8];
    if (adder_run(session, 2, x, y) != TXC_OK)
      return puts(txc_error(session)), 1;
    for (int i = 0; i < 8; ++i)
      printf("%g ", y[i]);
    txc_session_destroy(session);
    return txc_close(model, &message);
  }
)";

TEST(ModelHeader, ServesApplicationsThatLinkTheModel) {
  TestFolder folder;
  TestModel model("adder");
  llvm::cantFail(model.emit(folder.getPath("")));
  std::string source = folder.getPath("app.c");
  std::string program = folder.getPath("app");
  writeFile(source, application);
  for (bool isCxx : {false, true}) {
    expectCompiles(getCompiler(isCxx),
                   {source, "-x", "none", folder.getPath("adder.so"),
                    "-Wl,-rpath,$ORIGIN", "-ldl", "-o", program});
    ProgramResult result = runProgram({program});
    EXPECT_EQ(result.exitCode, 0);
    EXPECT_EQ(result.output, "11 13 15 17 15 17 19 21 ");
  }
}

} // namespace
