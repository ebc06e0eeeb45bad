//===- Worker.cpp - one case of ONNX's backend tests ---------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/txc-suite/Worker.h"
#include "compiler/driver/Compilation.h"
#include "compiler/program/Recipes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "tools/common/CompiledModel.h"
#include "tools/common/ReferenceModel.h"
#include "tools/txc-run/Files.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace txc;
using namespace txc::suite;
using run::Array;

namespace {

/// Gives the outputs for inputs in the order of the model.
using RunModel = std::function<Expected<std::vector<Array>>(ArrayRef<Array>)>;

class CaseRunner {
public:
  CaseRunner(StringRef mode, StringRef caseDir, StringRef outDir);

  Answer run();

private:
  Answer interpret();
  Answer compile();
  Answer runDataSets(ArrayRef<std::string> inputNames, const RunModel &model);
  Error runDataSet(StringRef dataSet, ArrayRef<std::string> inputNames,
                   const RunModel &model);
  Error readInputs(StringRef dataSet, ArrayRef<std::string> inputNames,
                   std::vector<Array> &inputs) const;
  Error writeOutputs(StringRef dataSet, ArrayRef<Array> outputs) const;
  Answer refuse() const { return {Answer::Unsupported, firstError}; }

  StringRef mode;
  StringRef caseDir;
  StringRef outDir;
  std::string modelPath;
  std::string firstError;
  std::unique_ptr<Compilation> compilation;
};

} // namespace

static std::string joinPath(StringRef folder, const Twine &name) {
  SmallString<256> path(folder);
  sys::path::append(path, name);
  return path.str().str();
}

CaseRunner::CaseRunner(StringRef mode, StringRef caseDir, StringRef outDir)
    : mode(mode), caseDir(caseDir), outDir(outDir),
      modelPath(joinPath(caseDir,
                         mode == "dynamic" ? "dynamic.onnx" : "model.onnx")) {
  CompileOptions options;
  options.inputPath = modelPath;
  options.codeGen.numThreads = 1;
  options.onError = [this](const Twine &message) {
    std::string text = message.str();
    StringRef sentence = text;
    sentence.consume_front(modelPath + ": ");
    if (firstError.empty())
      firstError = sentence.str();
  };
  compilation = std::make_unique<Compilation>(std::move(options));
}

//===----------------------------------------------------------------------===//
// Data sets
//===----------------------------------------------------------------------===//

/// `input_I.pb` is the I-th input of the file's graph; the model may have
/// fewer, since an initializer may be listed as an input.
Error CaseRunner::readInputs(StringRef dataSet,
                             ArrayRef<std::string> inputNames,
                             std::vector<Array> &inputs) const {
  Expected<std::unique_ptr<onnx::OnnxFile>> file =
      onnx::OnnxFile::open(modelPath);
  if (!file)
    return file.takeError();
  inputs.assign(inputNames.size(), Array());
  std::string error;
  for (auto [number, info] : enumerate((*file)->model().graph.inputs)) {
    const auto *name = find(inputNames, info.name);
    std::string path = joinPath(dataSet, "input_" + Twine(number) + ".pb");
    if (name == inputNames.end() || !sys::fs::exists(path))
      continue;
    if (!run::readTensor(path, inputs[name - inputNames.begin()], error))
      return createStringError(error);
  }
  return Error::success();
}

Error CaseRunner::writeOutputs(StringRef dataSet,
                               ArrayRef<Array> outputs) const {
  std::string folder = joinPath(outDir, sys::path::filename(dataSet));
  if (std::error_code error = sys::fs::create_directories(folder))
    return createFileError(folder, error);
  std::string error;
  for (auto [number, output] : enumerate(outputs))
    if (!run::writeFile(joinPath(folder, "output_" + Twine(number) + ".pb"),
                        run::formatTensorProto(output, ""), error))
      return createStringError(error);
  return Error::success();
}

Error CaseRunner::runDataSet(StringRef dataSet,
                             ArrayRef<std::string> inputNames,
                             const RunModel &model) {
  std::vector<Array> inputs;
  if (Error error = readInputs(dataSet, inputNames, inputs))
    return error;
  Expected<std::vector<Array>> outputs = model(inputs);
  if (!outputs)
    return outputs.takeError();
  return writeOutputs(dataSet, *outputs);
}

Answer CaseRunner::runDataSets(ArrayRef<std::string> inputNames,
                               const RunModel &model) {
  std::error_code error;
  for (sys::fs::directory_iterator entry(caseDir, error), end;
       entry != end && !error; entry.increment(error)) {
    if (!sys::path::filename(entry->path()).starts_with("test_data_set_"))
      continue;
    if (Error failure = runDataSet(entry->path(), inputNames, model))
      return {Answer::Error, toString(std::move(failure))};
  }
  if (error)
    return {Answer::Error, error.message()};
  return {};
}

//===----------------------------------------------------------------------===//
// Modes
//===----------------------------------------------------------------------===//

Answer CaseRunner::interpret() {
  if (compilation->importModel() != Outcome::success)
    return refuse();
  mlir::ModuleOp module = compilation->getModule();
  auto main = module.lookupSymbol<mlir::func::FuncOp>("main");
  std::vector<std::string> names;
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    names.push_back(
        main.getArgAttrOfType<mlir::StringAttr>(i, "tx.name").str());
  auto read = [&](tx::WeightOp op) {
    return readWeight(compilation->getWeights(), op);
  };
  return runDataSets(
      names, [&](ArrayRef<Array> inputs) -> Expected<std::vector<Array>> {
        mlir::FailureOr<std::vector<Array>> outputs =
            tool::runReference(module, inputs, read);
        if (failed(outputs))
          return createStringError(firstError);
        return std::move(*outputs);
      });
}

Answer CaseRunner::compile() {
  if (compilation->compile() != Outcome::success)
    return refuse();
  SmallString<128> path;
  if (std::error_code error =
          sys::fs::createTemporaryFile("txc-suite", "so", path))
    return {Answer::Error, error.message()};
  FileRemover remover(path);
  EmitOptions emit;
  emit.outputPath = path.str();
  emit.codeGen.numThreads = 1;
  if (compilation->emitSharedObject(emit) != Outcome::success)
    return refuse();
  Expected<std::unique_ptr<tool::CompiledModel>> model =
      tool::CompiledModel::open(path, /*threads=*/1);
  if (!model)
    return {Answer::Error, toString(model.takeError())};
  return runDataSets((*model)->getInputNames(), [&](ArrayRef<Array> inputs) {
    return (*model)->run(inputs);
  });
}

Answer CaseRunner::run() {
  if (mode == "interpret")
    return interpret();
  if (mode == "static" || mode == "dynamic")
    return compile();
  return {Answer::Error, "there is no mode " + mode.str()};
}

Answer suite::runCase(StringRef mode, StringRef caseDir, StringRef outDir) {
  return CaseRunner(mode, caseDir, outDir).run();
}
