//===- VerifyTest.cpp - txc verify finds a fault -------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Plants a fault in one node of a model, in the module that is compiled but
/// not in that of the reference, and looks for the node in the output.
//
//===----------------------------------------------------------------------===//

#include "compiler/program/OnnxNodes.h"
#include "dialects/tx/Tx.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "tools/txc/Commands.h"
#include "llvm/Support/raw_ostream.h"
#include "gmock/gmock.h"

using namespace mlir;
using namespace txc;
using namespace txc::tool;

namespace {

/// Makes a subtraction of the addition in node `name`.
void subtractInNode(ModuleOp module, StringRef name) {
  tx::AddOp found;
  module.walk([&](tx::AddOp op) {
    for (const OnnxNode &node : getOnnxNodes(op.getLoc()))
      if (node.name == name)
        found = op;
  });
  ASSERT_TRUE(found) << "no addition in " << name.str();
  OpBuilder b(found);
  auto wrong =
      tx::SubOp::create(b, found.getLoc(), found.getLhs(), found.getRhs());
  found.replaceAllUsesWith(wrong.getResult());
  found.erase();
}

/// What verify prints about a model with that fault.
std::string verify(const ModuleEdit &plant, Outcome expected) {
  Options options;
  options.inputPath = TXC_TEST_MODELS "/small/bert-ts17.onnx";
  Console console(/*verbose=*/false);
  testing::internal::CaptureStdout();
  EXPECT_EQ(verifyModel(options, console, plant), expected);
  llvm::outs().flush();
  return testing::internal::GetCapturedStdout();
}

TEST(Verify, FindsThePlantedFault) {
  // One of three branches; behind it a test for NaN comes out right.
  StringRef name = "/module/encoder/layer.1/attention/self/query/Add";
  std::string output =
      verify([&](ModuleOp module) { subtractInNode(module, name); },
             Outcome::cannotCompile);
  EXPECT_THAT(output, testing::HasSubstr("first difference: node \"" +
                                         name.str() + "\" (Add)"));
}

} // namespace
