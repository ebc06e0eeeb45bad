//===- PipelineTest.cpp - the graph passes on exported models ------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Every small model of test/models: all its norms, activations and attentions
/// are found, and the reference interpreter computes the same before and after,
/// also for padding and for rows of attention that have no key.
//
//===----------------------------------------------------------------------===//

#include "passes/graph/Pipeline.h"
#include "compiler/reference/Interpreter.h"
#include "mlir/Pass/PassManager.h"
#include "passes/graph/Report.h"
#include "python-free-frontend/ImportOnnx.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "gtest/gtest.h"
#include <random>

using namespace mlir;
using namespace txc;

namespace {

std::vector<std::string> findModels() {
  std::vector<std::string> paths;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator
           it(llvm::Twine(TXC_TEST_MODELS) + "/small", error),
       end;
       it != end && !error; it.increment(error))
    if (llvm::sys::path::extension(it->path()) == ".onnx")
      paths.push_back(it->path());
  llvm::sort(paths);
  return paths;
}

/// The dims of one run.
struct Sizes {
  int64_t batch, sequence, past;
};

class PipelineTest : public testing::TestWithParam<std::string> {
protected:
  PipelineTest() : context(MLIRContext::Threading::DISABLED) {}

  void SetUp() override {
    auto opened = onnx::OnnxFile::open(GetParam());
    ASSERT_TRUE(static_cast<bool>(opened))
        << llvm::toString(opened.takeError());
    std::vector<ImportProblem> problems;
    auto imported =
        importOnnx(context, std::move(*opened), {}, weights, problems);
    for (const ImportProblem &problem : problems)
      ADD_FAILURE() << formatProblem(GetParam(), problem);
    ASSERT_TRUE(succeeded(imported));
    before = std::move(*imported);
    after = before->clone();
    PassManager manager(&context);
    buildGraphPipeline(manager, &report);
    ASSERT_TRUE(succeeded(manager.run(*after)));
  }

  template <typename OpT> int64_t count() {
    int64_t result = 0;
    after->walk([&](OpT) { ++result; });
    return result;
  }

  std::vector<HostTensor> makeInputs(func::FuncOp function, Sizes sizes);
  SmallVector<HostTensor> evaluate(ModuleOp module, Sizes sizes);

  MLIRContext context;
  WeightStore weights;
  OwningOpRef<ModuleOp> before, after;
  Report report;
};

/// The symbols of all exporters by what their names begin with; torch calls the
/// length of the padding mask `s81`.
int64_t getSymbolValue(StringRef name, Sizes sizes) {
  if (name.starts_with("batch"))
    return sizes.batch;
  if (name.starts_with("past"))
    return sizes.past;
  return name.starts_with("sequence") ? sizes.sequence
                                      : sizes.past + sizes.sequence;
}

std::vector<HostTensor> PipelineTest::makeInputs(func::FuncOp function,
                                                 Sizes sizes) {
  std::mt19937 random(7);
  std::vector<HostTensor> inputs;
  for (auto [index, type] : llvm::enumerate(function.getArgumentTypes())) {
    auto tensorType = cast<RankedTensorType>(type);
    SmallVector<int64_t> dims;
    for (tx::SymExprAttr dim : tx::getDims(tensorType)) {
      llvm::SetVector<StringAttr> symbols;
      tx::collectSymbols(dim, symbols);
      SymbolValues values;
      for (StringAttr symbol : symbols)
        values[symbol] = getSymbolValue(symbol, sizes);
      dims.push_back(tx::evaluate(dim, values).value());
    }
    HostTensor tensor =
        llvm::cantFail(HostTensor::allocate(tensorType.getElementType(), dims));
    StringRef name =
        function.getArgAttrOfType<StringAttr>(index, "tx.name").getValue();
    for (int64_t i = 0; i < tensor.getNumElements(); ++i) {
      // Row 0 sees everything, row 1 has its first keys masked: a causal model
      // then has queries without keys.
      if (name == "attention_mask")
        tensor.setInt(i, i / dims[1] != 1 || i % dims[1] >= 2);
      else if (tensor.isFloat())
        tensor.setDouble(i, std::normal_distribution<double>()(random));
      else
        tensor.setInt(i, static_cast<int64_t>(random() % 2) +
                             (name == "token_type_ids" ? 0 : i % 7));
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

SmallVector<HostTensor> PipelineTest::evaluate(ModuleOp module, Sizes sizes) {
  auto function = module.lookupSymbol<func::FuncOp>("main");
  auto readWeight = [&](tx::WeightOp op) -> llvm::Expected<HostTensor> {
    auto data = weights.read(op.getName());
    if (!data)
      return data.takeError();
    RankedTensorType type = op.getType();
    auto tensor = HostTensor::allocate(type.getElementType(), type.getShape());
    if (tensor)
      llvm::copy(data->bytes(), tensor->getMutableBytes().begin());
    return tensor;
  };
  FailureOr<SmallVector<HostTensor>> results =
      evaluateFunction(function, makeInputs(function, sizes), readWeight);
  EXPECT_TRUE(succeeded(results));
  return succeeded(results) ? *results : SmallVector<HostTensor>();
}

TEST_P(PipelineTest, FindsEverything) {
  for (const NearMiss &miss : report.getNearMisses())
    ADD_FAILURE() << miss.what << ": " << miss.reason;
  bool isTransformer = llvm::sys::path::stem(GetParam()) != "tied";
  EXPECT_EQ(count<tx::AttentionOp>(), isTransformer ? 2 : 0);
  EXPECT_EQ(count<tx::LayerNormOp>() + count<tx::RmsNormOp>(),
            isTransformer ? 5 : 0);
  EXPECT_EQ(count<tx::GeluOp>(), isTransformer ? 2 : 0);
  EXPECT_EQ(count<tx::SoftmaxOp>(), 0);
  EXPECT_EQ(count<tx::GatherNdOp>(), 0);
  EXPECT_EQ(count<tx::ReduceOp>(), 0);
}

TEST_P(PipelineTest, KeepsResults) {
  for (Sizes sizes : {Sizes{3, 5, 4}, Sizes{2, 1, 7}, Sizes{1, 6, 0}}) {
    SCOPED_TRACE(testing::Message()
                 << "batch " << sizes.batch << ", length " << sizes.sequence
                 << ", past " << sizes.past);
    SmallVector<HostTensor> expected = evaluate(*before, sizes);
    SmallVector<HostTensor> actual = evaluate(*after, sizes);
    ASSERT_EQ(expected.size(), actual.size());
    for (auto [a, b] : llvm::zip(expected, actual)) {
      ASSERT_EQ(a.getDims(), b.getDims());
      double largest = 0, difference = 0;
      for (int64_t i = 0; i < a.getNumElements(); ++i) {
        largest = std::max(largest, std::abs(a.getDouble(i)));
        difference =
            std::max(difference, std::abs(a.getDouble(i) - b.getDouble(i)));
        ASSERT_FALSE(std::isnan(a.getDouble(i) - b.getDouble(i)));
      }
      // The interpreter rounds once an op: some 100 roundings of 2^-24 in a row
      // through two layers, whose norms keep errors from growing.
      EXPECT_LE(difference, 128 * 0x1p-24 * largest);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Small, PipelineTest, testing::ValuesIn(findModels()),
    [](const testing::TestParamInfo<std::string> &parameter) {
      std::string name = llvm::sys::path::stem(parameter.param).str();
      for (char &c : name)
        c = llvm::isAlnum(c) ? c : '_';
      return name;
    });

} // namespace
