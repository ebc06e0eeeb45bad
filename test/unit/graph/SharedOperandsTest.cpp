//===- SharedOperandsTest.cpp - matchers on graphs that share operands ---===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// A chain of n ops that use the one before twice is a tree of 2^n leaves. A
/// matcher that walks it as a tree does not end; each test gives one walk of
/// recognition such a chain.
//
//===----------------------------------------------------------------------===//

#include "dialects/tx/Tx.h"
#include "mlir/Parser/Parser.h"
#include "passes/graph/Recognize.h"
#include "passes/graph/Simplify.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace txc;

namespace {

constexpr int kLength = 60;

/// `%{name}0 = op %x, %x`, then each of the one before; all have one type.
std::string makeChain(llvm::StringRef op, llvm::StringRef name,
                      llvm::StringRef x, llvm::StringRef type) {
  std::string text;
  for (int i = 0; i < kLength; ++i) {
    std::string operand =
        i == 0 ? x.str() : llvm::formatv("%{0}{1}", name, i - 1).str();
    text += llvm::formatv("%{0}{1} = {2} {3}, {3} : {4}, {4}\n", name, i, op,
                          operand, type);
  }
  return text;
}

std::string getLast(llvm::StringRef name) {
  return llvm::formatv("%{0}{1}", name, kLength - 1).str();
}

class SharedOperandsTest : public testing::Test {
protected:
  SharedOperandsTest() {
    context.loadDialect<func::FuncDialect, tx::TxDialect>();
  }

  func::FuncOp parse(const std::string &body) {
    module = parseSourceString<ModuleOp>(body, &context);
    if (!module)
      return nullptr;
    return *module->getOps<func::FuncOp>().begin();
  }

  /// An attention whose scores become `%scores` by the ops of `text`.
  func::FuncOp parseAttention(const std::string &text) {
    return parse(R"mlir(
      func.func @main(%q: tensor<1x1x4x8xf32>, %k: tensor<1x1x8x4xf32>,
                      %v: tensor<1x1x4x8xf32>, %mask: tensor<4x4xf32>,
                      %condition: tensor<4x4xi1>) -> tensor<1x1x4x8xf32> {
      %low = tx.constant dense<0xFF800000> : tensor<f32>
      %product = tx.matmul %q, %k : tensor<1x1x4x8xf32>, tensor<1x1x8x4xf32> to tensor<1x1x4x4xf32>
      )mlir" + text +
                 R"mlir(
      %p = tx.softmax %scores 3 : tensor<1x1x4x4xf32>
      %y = tx.matmul %p, %v : tensor<1x1x4x4xf32>, tensor<1x1x4x8xf32> to tensor<1x1x4x8xf32>
      return %y : tensor<1x1x4x8xf32>
      })mlir");
  }

  template <typename OpT> int64_t count() {
    int64_t result = 0;
    module->walk([&](OpT) { ++result; });
    return result;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  Report report;
};

TEST_F(SharedOperandsTest, AddedMask) {
  func::FuncOp function =
      parseAttention(makeChain("tx.add", "m", "%mask", "tensor<4x4xf32>") +
                     "%scores = tx.add " + getLast("m") +
                     ", %product : tensor<4x4xf32>, tensor<1x1x4x4xf32>");
  ASSERT_TRUE(function);
  EXPECT_TRUE(recognizeAttention(function, &report));
  EXPECT_EQ(count<tx::AttentionOp>(), 1);
}

TEST_F(SharedOperandsTest, Condition) {
  func::FuncOp function = parseAttention(
      makeChain("tx.and", "c", "%condition", "tensor<4x4xi1>") +
      "%scores = tx.select " + getLast("c") +
      ", %product, %low : tensor<4x4xi1>, tensor<1x1x4x4xf32>, tensor<f32>");
  ASSERT_TRUE(function);
  EXPECT_TRUE(recognizeAttention(function, &report));
  EXPECT_EQ(count<tx::AndOp>(), 0) << "c and c is c";
}

TEST_F(SharedOperandsTest, Places) {
  func::FuncOp function = parse(R"mlir(
    func.func @main(%x: tensor<4xi64>) -> tensor<4xi1> {
      %place = tx.iota : tensor<4xi64>
      )mlir" + makeChain("tx.add", "i", "%place", "tensor<4xi64>") +
                                "%y = tx.compare le " + getLast("i") +
                                R"mlir(, %x : tensor<4xi64>, tensor<4xi64>
      return %y : tensor<4xi1>
    })mlir");
  ASSERT_TRUE(function);
  EXPECT_TRUE(succeeded(simplify(function)));
  EXPECT_EQ(count<tx::CompareOp>(), 1);
}

TEST_F(SharedOperandsTest, Factors) {
  func::FuncOp function = parse(R"mlir(
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %one = tx.constant dense<1.0> : tensor<f32>
      %half = tx.constant dense<0.5> : tensor<f32>
      )mlir" + makeChain("tx.mul", "f", "%x", "tensor<4xf32>") +
                                "%t = tx.tanh " + getLast("f") +
                                R"mlir( : tensor<4xf32>
      %s = tx.add %t, %one : tensor<4xf32>, tensor<f32>
      %h = tx.mul %s, %half : tensor<4xf32>, tensor<f32>
      %y = tx.mul %h, %x : tensor<4xf32>, tensor<4xf32>
      return %y : tensor<4xf32>
    })mlir");
  ASSERT_TRUE(function);
  EXPECT_FALSE(recognizeActivations(function, &report));
}

} // namespace
