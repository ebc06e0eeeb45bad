//===- KernelTableTest.cpp - one function for equal phases ---------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/program/KernelTable.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "passes/lower/LowerToKernel.h"
#include "test/unit/x86/KernelJit.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace txc;

namespace {

class KernelTableTest : public ::testing::Test {
protected:
  KernelTableTest() : context(test::makeKernelContext()) {
    context->loadDialect<func::FuncDialect, kernel::KernelDialect>();
  }

  /// Lowers the function and returns the kernel of each of its phases.
  std::vector<KernelInstance> getKernels(StringRef text, size_t &numKernels) {
    module = parseSourceString<ModuleOp>(text, context.get());
    auto main = module->lookupSymbol<func::FuncOp>("main");
    EXPECT_TRUE(succeeded(lowerToKernel(main)));
    code = ModuleOp::create(module->getLoc());
    KernelTable table(*code, test::testCpus().front().target);
    std::vector<KernelInstance> kernels;
    for (auto phase : main.getOps<kernel::PhaseInterface>()) {
      FailureOr<KernelInstance> kernel = table.get(phase);
      EXPECT_TRUE(succeeded(kernel));
      kernels.push_back(*kernel);
    }
    numKernels = table.size();
    return kernels;
  }

  std::unique_ptr<MLIRContext> context;
  OwningOpRef<ModuleOp> module, code;
};

TEST_F(KernelTableTest, NamesOfSymbolsDoNotMatter) {
  size_t numKernels = 0;
  std::vector<KernelInstance> kernels = getKernels(R"(
    func.func @main(%x: tensor<?x4xf32, #tx.dims<[B, 4]>>, %y: tensor<?x4xf32, #tx.dims<[S + 2, 4]>>)
        -> (tensor<?x4xf32, #tx.dims<[B, 4]>>, tensor<?x4xf32, #tx.dims<[S + 2, 4]>>) {
      %a = tx.exp %x : tensor<?x4xf32, #tx.dims<[B, 4]>>
      %b = tx.exp %y : tensor<?x4xf32, #tx.dims<[S + 2, 4]>>
      return %a, %b : tensor<?x4xf32, #tx.dims<[B, 4]>>, tensor<?x4xf32, #tx.dims<[S + 2, 4]>>
    })",
                                                   numKernels);
  EXPECT_EQ(numKernels, 1u);
  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_EQ(kernels[0].function, kernels[1].function);
  // The records differ: each is in its own symbols.
  EXPECT_NE(kernels[0].exprs, kernels[1].exprs);
}

TEST_F(KernelTableTest, OtherOpsAndOtherStaticDimsAreOtherKernels) {
  size_t numKernels = 0;
  getKernels(R"(
    func.func @main(%x: tensor<?x4xf32, #tx.dims<[B, 4]>>, %y: tensor<?x5xf32, #tx.dims<[B, 5]>>)
        -> (tensor<?x4xf32, #tx.dims<[B, 4]>>, tensor<?x5xf32, #tx.dims<[B, 5]>>, tensor<?x4xf32, #tx.dims<[B, 4]>>) {
      %a = tx.exp %x : tensor<?x4xf32, #tx.dims<[B, 4]>>
      %b = tx.softmax %y 1 : tensor<?x5xf32, #tx.dims<[B, 5]>>
      %c = tx.softmax %x 1 : tensor<?x4xf32, #tx.dims<[B, 4]>>
      return %a, %b, %c : tensor<?x4xf32, #tx.dims<[B, 4]>>, tensor<?x5xf32, #tx.dims<[B, 5]>>, tensor<?x4xf32, #tx.dims<[B, 4]>>
    })",
             numKernels);
  EXPECT_EQ(numKernels, 3u);
}

} // namespace
