//===- ReportTest.cpp - tests of the driver of recognition passes --------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/graph/Report.h"
#include "dialects/tx/Tx.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace txc;

namespace {

class ReportTest : public testing::Test {
protected:
  ReportTest() {
    context.loadDialect<func::FuncDialect, tx::TxDialect>();
    module = parseSourceString<ModuleOp>(R"mlir(
      func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
        %0 = tx.neg %x : tensor<4xf32>
        %1 = tx.exp %0 : tensor<4xf32>
        %2 = tx.neg %1 : tensor<4xf32>
        return %2 : tensor<4xf32>
      })mlir",
                                         &context);
    function = *module->getOps<func::FuncOp>().begin();
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  func::FuncOp function;
  Report report;
};

TEST_F(ReportTest, ErasesWhatDies) {
  // The last neg becomes the argument; exp and the first neg die with it, and
  // the first neg, though a candidate, is not visited afterwards.
  int visits = 0;
  EXPECT_TRUE(rewriteCandidates(
      function, "test", &report, llvm::IsaPred<tx::NegOp>,
      [&](Operation *op, RewriterBase &rewriter) {
        ++visits;
        if (!isa<tx::ExpOp>(op->getOperand(0).getDefiningOp()
                                ? op->getOperand(0).getDefiningOp()
                                : op))
          return rewriter.notifyMatchFailure(op, "no negated exp");
        rewriter.replaceOp(op, function.getArgument(0));
        return success();
      }));
  EXPECT_EQ(visits, 2);
  EXPECT_EQ(llvm::range_size(function.getBody().front()), 1u);
  ASSERT_EQ(report.getNearMisses().size(), 1u);
  EXPECT_EQ(report.getNearMisses().front().what, "test");
  EXPECT_EQ(report.getNearMisses().front().reason, "no negated exp");
}

TEST_F(ReportTest, NothingToDo) {
  EXPECT_FALSE(
      rewriteCandidates(function, "test", nullptr, llvm::IsaPred<tx::SinOp>,
                        [](Operation *, RewriterBase &) { return success(); }));
  EXPECT_EQ(llvm::range_size(function.getBody().front()), 4u);
  EXPECT_TRUE(report.getNearMisses().empty());
}

} // namespace
