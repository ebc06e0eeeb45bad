//===- ModelsTest.cpp - imports the checked-in models ---------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Every model of test/models: it imports, no shape arithmetic is left, and the
/// outputs have the dims that the file declares.
//
//===----------------------------------------------------------------------===//

#include "dialects/tx/Tx.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "python-free-frontend/DimSymbols.h"
#include "python-free-frontend/ImportOnnx.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace txc;

namespace {

std::vector<std::string> findModels() {
  std::vector<std::string> paths;
  std::error_code error;
  for (llvm::sys::fs::recursive_directory_iterator it(TXC_TEST_MODELS, error),
       end;
       it != end && !error; it.increment(error))
    if (llvm::sys::path::extension(it->path()) == ".onnx")
      paths.push_back(it->path());
  llvm::sort(paths);
  return paths;
}

class ModelsTest : public testing::TestWithParam<std::string> {};

/// The dims of an output as the file has them, in terms of input dims.
std::vector<std::string> getDeclaredDims(MLIRContext &context,
                                         const onnx::OnnxFile &file,
                                         const onnx::ValueInfo &output) {
  llvm::StringSet<> names;
  for (const onnx::ValueInfo &input : file.model().graph.inputs)
    for (const onnx::Dim &dim : input.type.dims)
      if (frontend::isDimName(dim.param))
        names.insert(dim.param);
  std::vector<std::string> dims;
  for (const onnx::Dim &dim : output.type.dims)
    dims.push_back(
        dim.value ? std::to_string(*dim.value)
                  : frontend::parseDimText(&context, dim.param, names).str());
  return dims;
}

std::vector<std::string> getImportedDims(Type type) {
  std::vector<std::string> dims;
  for (tx::SymExprAttr dim : tx::getDims(cast<RankedTensorType>(type)))
    dims.push_back(dim.str());
  return dims;
}

TEST_P(ModelsTest, Imports) {
  auto opened = onnx::OnnxFile::open(GetParam());
  if (!opened) {
    std::string reason = llvm::toString(opened.takeError());
    // The weights of published models are fetched, not checked in.
    if (StringRef(GetParam()).contains("/real/"))
      GTEST_SKIP() << reason;
    FAIL() << reason;
  }
  std::shared_ptr<const onnx::OnnxFile> file = std::move(*opened);
  MLIRContext context(MLIRContext::Threading::DISABLED);
  WeightStore weights;
  std::vector<ImportProblem> problems;
  auto module = importOnnx(context, file, {}, weights, problems);
  for (const ImportProblem &problem : problems)
    ADD_FAILURE() << formatProblem(GetParam(), problem);
  ASSERT_TRUE(succeeded(module));
  if (std::getenv("TXC_PRINT_MODULES"))
    (*module)->print(llvm::outs());

  auto function = (*module)->lookupSymbol<func::FuncOp>("main");
  ASSERT_TRUE(function);
  const onnx::Graph &graph = file->model().graph;
  ASSERT_EQ(function.getNumResults(), graph.outputs.size());
  for (auto [index, output] : llvm::enumerate(graph.outputs)) {
    EXPECT_EQ(function.getResultAttrOfType<StringAttr>(index, "tx.name"),
              StringRef(output.name));
    EXPECT_EQ(getImportedDims(function.getResultTypes()[index]),
              getDeclaredDims(context, *file, output));
  }
  // Shapes are in the types: no expression is left that a run would compute.
  function.walk([&](tx::SymbolicOp op) {
    bool isShape = llvm::any_of(op->getUsers(), [](Operation *user) {
      return isa<tx::ReshapeOp, tx::ConcatOp, tx::GatherOp>(user);
    });
    EXPECT_FALSE(isShape) << "shape arithmetic is left";
  });
  // Each weight can be read and has the bytes its type says.
  for (StringRef key : weights.getKeys()) {
    auto data = weights.read(key);
    ASSERT_TRUE(static_cast<bool>(data)) << llvm::toString(data.takeError());
    RankedTensorType type = weights.getType(key);
    EXPECT_EQ(static_cast<int64_t>(data->bytes().size()),
              type.getNumElements() * type.getElementTypeBitWidth() / 8);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Checked, ModelsTest, testing::ValuesIn(findModels()),
    [](const testing::TestParamInfo<std::string> &parameter) {
      std::string name = llvm::sys::path::stem(parameter.param).str();
      for (char &c : name)
        c = llvm::isAlnum(c) ? c : '_';
      return name;
    });

} // namespace
