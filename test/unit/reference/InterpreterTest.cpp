//===- InterpreterTest.cpp - whole functions ------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Binding of symbols, checks before the run, weights and taps.
//
//===----------------------------------------------------------------------===//

#include "test/unit/reference/ReferenceTesting.h"

using namespace mlir;
using namespace txc;
using namespace txc::test;

#include "mlir/Parser/Parser.h"

using Interpreter = ReferenceTest;

/// x of [B, 3] times a weight of [3], and the shape of x.
static constexpr StringLiteral kProgram = R"mlir(
module attributes {
    tx.symbols = {B = [1, 8]},
    tx.requirements = [[#tx.expr<B>, "ne", #tx.expr<5>, "five rows"]]} {
  func.func @main(%x: tensor<?x3xf32, #tx.dims<[B, 3]>> {tx.name = "x"},
                  %y: tensor<?xf32, #tx.dims<[B]>> {tx.name = "y"})
      -> (tensor<?x3xf32, #tx.dims<[B, 3]>>, tensor<2xi64>) {
    %w = tx.weight "w" : tensor<3xf32>
    %shape = tx.symbolic #tx.exprs<[B, 3] : tensor<2xi64>>
    %n = tx.neg %w : tensor<3xf32>
    %p = tx.mul %x, %n : tensor<?x3xf32, #tx.dims<[B, 3]>>, tensor<3xf32>
    return %p, %shape : tensor<?x3xf32, #tx.dims<[B, 3]>>, tensor<2xi64>
  }
}
)mlir";

namespace {
class FunctionTest : public ReferenceTest {
protected:
  FunctionTest()
      : module(parseSourceString<ModuleOp>(kProgram, ParserConfig(&context))),
        function(cast<func::FuncOp>(module->getBody()->front())) {}

  llvm::Expected<HostTensor> load(tx::WeightOp weight) {
    if (weight.getName() != "w")
      return llvm::createStringError("no such weight");
    return vector("f32", {1, 2, 3});
  }
  FailureOr<SmallVector<HostTensor>> run(ArrayRef<HostTensor> inputs,
                                         Tap tap = nullptr) {
    return evaluateFunction(
        function, inputs, [&](tx::WeightOp op) { return load(op); }, tap);
  }

  OwningOpRef<ModuleOp> module;
  func::FuncOp function;
};
} // namespace

TEST_F(FunctionTest, BindsSymbolsAndReturnsResults) {
  std::vector<std::string> seen;
  auto results = run({counting("f32", {2, 3}), counting("f32", {2})},
                     [&](Operation *op, ArrayRef<HostTensor> values) {
                       EXPECT_EQ(values.size(), 1u);
                       seen.push_back(op->getName().getStringRef().str());
                     });
  ASSERT_TRUE(succeeded(results)) << errors;
  EXPECT_THAT(toDoubles((*results)[0]), same({-0.0, -2, -6, -3, -8, -15}));
  EXPECT_THAT(toDoubles((*results)[1]), same({2, 3}));
  EXPECT_THAT(seen, ::testing::ElementsAre("tx.weight", "tx.symbolic", "tx.neg",
                                           "tx.mul"));
}

TEST_F(FunctionTest, RefusesInputsThatDisagree) {
  EXPECT_TRUE(failed(run({counting("f32", {2, 3}), counting("f32", {3})})));
  EXPECT_THAT(errors, ::testing::HasSubstr(
                          "dim 0 of the input \"y\" is 3, expected B = 2"));
  errors.clear();
  EXPECT_TRUE(failed(run({counting("f32", {2, 4}), counting("f32", {2})})));
  EXPECT_THAT(errors, ::testing::HasSubstr("is 4, expected 3"));
  errors.clear();
  EXPECT_TRUE(failed(run({counting("i32", {2, 3}), counting("f32", {2})})));
  EXPECT_THAT(errors, ::testing::HasSubstr("the input \"x\" is"));
}

TEST_F(FunctionTest, ChecksBoundsAndRequirements) {
  EXPECT_TRUE(failed(run({counting("f32", {9, 3}), counting("f32", {9})})));
  EXPECT_THAT(errors, ::testing::HasSubstr("at most 8"));
  errors.clear();
  EXPECT_TRUE(failed(run({counting("f32", {5, 3}), counting("f32", {5})})));
  EXPECT_THAT(errors, ::testing::HasSubstr("five rows: B must be ne 5"));
}

TEST_F(FunctionTest, EvaluatesTheRecipeOfAWeight) {
  Value negated;
  function.walk([&](tx::NegOp op) { negated = op.getResult(); });
  auto source = [&](tx::WeightOp op) { return load(op); };
  FailureOr<HostTensor> result = evaluateValue(negated, symbols, source);
  ASSERT_TRUE(succeeded(result)) << errors;
  EXPECT_THAT(toDoubles(*result), same({-1, -2, -3}));
  Value product;
  function.walk([&](tx::MulOp op) { product = op.getResult(); });
  EXPECT_TRUE(failed(evaluateValue(product, symbols, source)));
  EXPECT_THAT(errors, ::testing::HasSubstr("depends on no function argument"));
}

TEST_F(FunctionTest, ReportsWhyAWeightIsMissing) {
  function.walk([](tx::WeightOp op) { op.setName("v"); });
  EXPECT_TRUE(failed(run({counting("f32", {2, 3}), counting("f32", {2})})));
  EXPECT_THAT(errors, ::testing::HasSubstr("no such weight"));
}

TEST_F(Interpreter, RefusesOperandsThatAreNotAsTyped) {
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(
      "func.func @main(%0: tensor<2xf32>) { %1 = tx.neg %0 : tensor<2xf32> "
      "return }",
      ParserConfig(&context));
  auto function = cast<func::FuncOp>(module->getBody()->front());
  HostTensor x = counting("f32", {3});
  EXPECT_TRUE(
      failed(evaluateOp(&function.getBody().front().front(), &x, symbols)));
  EXPECT_THAT(errors, ::testing::HasSubstr("operand 0 is"));
  errors.clear();
  // Quiet on request.
  EXPECT_TRUE(failed(evaluateOp(&function.getBody().front().front(), &x,
                                symbols, [] { return InFlightDiagnostic(); })));
  EXPECT_EQ(errors, "");
}

TEST_F(ReferenceTest, RunTimeSymbolsAreCheckedWhereTheyAreDefined) {
  auto counted = parseSourceString<ModuleOp>(R"mlir(
module attributes {
    tx.symbols = {n = [0, 4]},
    tx.requirements = [[#tx.expr<n>, "ne", #tx.expr<2>, "not two"]]} {
  func.func @main(%n: tensor<i64>) -> tensor<?xi64, #tx.dims<[n]>> {
    tx.define_symbol "n" %n : tensor<i64>
    %places = tx.iota : tensor<?xi64, #tx.dims<[n]>>
    return %places : tensor<?xi64, #tx.dims<[n]>>
  }
}
)mlir",
                                             ParserConfig(&context));
  auto function = cast<func::FuncOp>(counted->getBody()->front());
  auto run = [&](double n) {
    return evaluateFunction(function, tensor("i64", {}, {n}),
                            [](tx::WeightOp) -> llvm::Expected<HostTensor> {
                              return llvm::createStringError("no weights");
                            });
  };
  FailureOr<SmallVector<HostTensor>> places = run(3);
  ASSERT_TRUE(succeeded(places));
  EXPECT_EQ(toDoubles(places->front()), (std::vector<double>{0, 1, 2}));
  EXPECT_TRUE(failed(run(5)));
  EXPECT_THAT(errors, testing::HasSubstr("\"n\" is 5"));
  EXPECT_TRUE(failed(run(2)));
  EXPECT_THAT(errors, testing::HasSubstr("not two"));
}
