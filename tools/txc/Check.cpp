//===- Check.cpp - txc check MODEL.onnx ----------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The pre-flight: everything up to kernels is tried, nothing is emitted, and
/// every problem is listed, whichever stage it stands in the way of.
//
//===----------------------------------------------------------------------===//

#include "python-free-frontend/onnx-file/ElementType.h"
#include "tools/txc/Commands.h"
#include "llvm/Support/JSON.h"

using namespace llvm;
using namespace txc;
using namespace txc::tool;

namespace {
struct CheckedTensor {
  std::string name;
  std::string type;
  std::vector<std::string> dims;
};

struct CheckResult {
  std::string model;
  std::vector<std::pair<std::string, int64_t>> opsets;
  size_t numNodes = 0;
  std::vector<CheckedTensor> inputs;
  std::vector<CheckedTensor> outputs;
  /// The ranges of symbolic dims, as far as the import came to know them.
  std::vector<SymbolDescription> dims;
  std::vector<ImportProblem> problems;
};
} // namespace

//===----------------------------------------------------------------------===//
// What the model says of itself
//===----------------------------------------------------------------------===//

static CheckedTensor describeValue(const onnx::ValueInfo &value) {
  CheckedTensor tensor;
  tensor.name = value.name.str();
  if (value.type.kind != onnx::Type::Kind::Tensor) {
    tensor.type = "no tensor";
    return tensor;
  }
  tensor.type = onnx::elementTypeName(value.type.elementType).lower();
  for (const onnx::Dim &dim : value.type.dims)
    tensor.dims.push_back(dim.value           ? std::to_string(*dim.value)
                          : dim.param.empty() ? "?"
                                              : dim.param.str());
  return tensor;
}

static void describeModel(const onnx::Model &model, CheckResult &result) {
  for (const onnx::OpsetImport &opset : model.opsetImports)
    result.opsets.emplace_back(
        opset.domain.empty() ? "ai.onnx" : opset.domain.str(), opset.version);
  result.numNodes = model.graph.nodes.size();
  StringSet<> initializers;
  for (const onnx::TensorRef &initializer : model.graph.initializers)
    initializers.insert(initializer.name);
  for (const onnx::ValueInfo &input : model.graph.inputs)
    if (!initializers.contains(input.name))
      result.inputs.push_back(describeValue(input));
  for (const onnx::ValueInfo &output : model.graph.outputs)
    result.outputs.push_back(describeValue(output));
}

/// Runs the stages and notes their problems.
static Outcome compileForCheck(const Options &options, Console &console,
                               CheckResult &result) {
  std::vector<std::string> errors;
  CompileOptions compile = getCompileOptions(options, console);
  compile.onError = [&](const Twine &message) {
    errors.push_back(message.str());
  };
  Compilation compilation(std::move(compile));
  Outcome outcome = compilation.compile();
  result.problems = compilation.getProblems();
  result.dims = compilation.getDescription().symbols;
  if (outcome == Outcome::success)
    return outcome;
  // What is not about a node: a file that can't be read, a wrong option.
  if (result.problems.empty())
    for (const std::string &error : errors)
      console.error(error);
  return outcome;
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

static void printTensors(raw_ostream &os, StringRef title,
                         ArrayRef<CheckedTensor> tensors) {
  size_t width = 0;
  for (const CheckedTensor &tensor : tensors)
    width = std::max(width, tensor.name.size());
  os << title << ":\n";
  for (const CheckedTensor &tensor : tensors)
    os << "  " << left_justify(tensor.name, width) << "  " << tensor.type
       << " [" << join(tensor.dims, ", ") << "]\n";
}

static bool hasUpper(const SymbolDescription &dim) {
  return dim.upper != std::numeric_limits<int64_t>::max();
}

static void printText(raw_ostream &os, const CheckResult &result) {
  os << result.model << ": " << result.numNodes << " nodes";
  for (const auto &[domain, version] : result.opsets)
    os << ", " << domain << ' ' << version;
  os << '\n';
  printTensors(os, "inputs", result.inputs);
  printTensors(os, "outputs", result.outputs);
  if (!result.dims.empty())
    os << "dims:\n";
  for (const SymbolDescription &dim : result.dims) {
    os << "  " << dim.name << ": " << dim.lower;
    if (hasUpper(dim))
      os << ".." << dim.upper << '\n';
    else
      os << " or more\n";
  }
  if (result.problems.empty()) {
    os << "everything can be compiled\n";
    return;
  }
  os << result.problems.size()
     << (result.problems.size() == 1 ? " problem:\n" : " problems:\n");
  for (const ImportProblem &problem : result.problems)
    os << "  " << formatProblem(result.model, problem) << '\n';
}

static void printTensors(json::OStream &json, StringRef key,
                         ArrayRef<CheckedTensor> tensors) {
  json.attributeArray(key, [&] {
    for (const CheckedTensor &tensor : tensors)
      json.object([&] {
        json.attribute("name", json::fixUTF8(tensor.name));
        json.attribute("type", tensor.type);
        json.attributeArray("dims", [&] {
          for (const std::string &dim : tensor.dims)
            json.value(json::fixUTF8(dim));
        });
      });
  });
}

static void printProblem(json::OStream &json, const ImportProblem &problem) {
  json.object([&] {
    json.attribute("node", json::fixUTF8(problem.node));
    json.attribute("op", json::fixUTF8(problem.op));
    json.attribute("domain", json::fixUTF8(problem.domain));
    json.attribute("opset", problem.opset);
    json.attribute("reason", json::fixUTF8(problem.reason));
    json.attribute("advice", json::fixUTF8(problem.advice));
  });
}

static void printJson(raw_ostream &os, const CheckResult &result) {
  json::OStream json(os, /*IndentSize=*/2);
  json.object([&] {
    json.attribute("model", json::fixUTF8(result.model));
    json.attribute("compiles", result.problems.empty());
    json.attribute("nodes", static_cast<int64_t>(result.numNodes));
    json.attributeObject("opsets", [&] {
      for (const auto &[domain, version] : result.opsets)
        json.attribute(json::fixUTF8(domain), version);
    });
    printTensors(json, "inputs", result.inputs);
    printTensors(json, "outputs", result.outputs);
    json.attributeArray("dims", [&] {
      for (const SymbolDescription &dim : result.dims)
        json.object([&] {
          json.attribute("name", json::fixUTF8(dim.name));
          json.attribute("lower", dim.lower);
          if (hasUpper(dim))
            json.attribute("upper", dim.upper);
        });
    });
    json.attributeArray("problems", [&] {
      for (const ImportProblem &problem : result.problems)
        printProblem(json, problem);
    });
  });
  os << '\n';
}

Outcome tool::checkModel(const Options &options, Console &console) {
  CheckResult result;
  result.model = options.inputPath;
  Outcome outcome = compileForCheck(options, console, result);
  if (outcome != Outcome::success && result.problems.empty())
    return outcome;
  Expected<std::unique_ptr<onnx::OnnxFile>> file =
      onnx::OnnxFile::open(options.inputPath);
  if (!file) {
    console.error(toString(file.takeError()));
    return Outcome::ioFailure;
  }
  describeModel((*file)->model(), result);
  if (options.json)
    printJson(outs(), result);
  else
    printText(outs(), result);
  return outcome;
}
