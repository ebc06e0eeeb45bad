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
#include "llvm/Support/LineIterator.h"
#include "llvm/Support/MemoryBuffer.h"
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
  CaseRunner(const WorkerOptions &options, StringRef mode, StringRef caseDir,
             StringRef outDir);

  Answer run();

private:
  Error readCase();
  Error readDataSets();
  Answer runWithConstants();
  Answer runModel(std::vector<ConstantInput> constants,
                  ArrayRef<std::string> sets);
  Answer interpret(Compilation &compilation, ArrayRef<std::string> sets);
  Answer compile(Compilation &compilation, ArrayRef<std::string> sets);
  Answer runSets(ArrayRef<std::string> sets, ArrayRef<std::string> names,
                 const RunModel &model);
  Error runSet(StringRef set, ArrayRef<std::string> names,
               const RunModel &model);
  Expected<std::vector<ConstantInput>> readConstants(StringRef set) const;
  Expected<std::vector<Array>> readInputs(StringRef set,
                                          ArrayRef<std::string> names) const;
  Error writeOutputs(StringRef set, ArrayRef<Array> outputs) const;
  Answer refuse() const { return {Answer::Unsupported, firstError}; }

  const WorkerOptions &options;
  StringRef mode;
  StringRef caseDir;
  StringRef outDir;
  std::string modelPath;
  /// Of the graph in the file, among them initializers that are listed.
  std::vector<std::string> graphInputs;
  /// Names of inputs that say how to compute; see test/suite/README.md.
  std::vector<std::string> structure;
  std::vector<std::string> dataSets;
  std::string firstError;
};

} // namespace

static std::string joinPath(StringRef folder, const Twine &name) {
  SmallString<256> path(folder);
  sys::path::append(path, name);
  return path.str().str();
}

CaseRunner::CaseRunner(const WorkerOptions &options, StringRef mode,
                       StringRef caseDir, StringRef outDir)
    : options(options), mode(mode), caseDir(caseDir), outDir(outDir),
      modelPath(joinPath(caseDir,
                         mode == "dynamic" ? "dynamic.onnx" : "model.onnx")) {}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

Error CaseRunner::readCase() {
  Expected<std::unique_ptr<onnx::OnnxFile>> file =
      onnx::OnnxFile::open(modelPath);
  if (!file)
    return file.takeError();
  for (const onnx::ValueInfo &input : (*file)->model().graph.inputs)
    graphInputs.push_back(input.name.str());
  std::string path = joinPath(caseDir, "structure.txt");
  ErrorOr<std::unique_ptr<MemoryBuffer>> names = MemoryBuffer::getFile(path);
  if (!names)
    return createFileError(path, names.getError());
  for (line_iterator name(**names); !name.is_at_eof(); ++name)
    structure.push_back(name->str());
  return readDataSets();
}

Error CaseRunner::readDataSets() {
  std::error_code error;
  for (sys::fs::directory_iterator entry(caseDir, error), end;
       entry != end && !error; entry.increment(error))
    if (sys::path::filename(entry->path()).starts_with("test_data_set_"))
      dataSets.push_back(entry->path());
  return error ? createFileError(caseDir, error) : Error::success();
}

/// `input_I.pb` is the I-th input of the file's graph; the model may have
/// fewer, since an initializer may be listed as an input.
Expected<std::vector<Array>>
CaseRunner::readInputs(StringRef set, ArrayRef<std::string> names) const {
  std::vector<Array> inputs(names.size());
  for (auto [name, input] : zip_equal(names, inputs)) {
    auto number = find(graphInputs, name) - graphInputs.begin();
    std::string path = joinPath(set, "input_" + Twine(number) + ".pb");
    std::string error;
    if (sys::fs::exists(path) && !run::readTensor(path, input, error))
      return createStringError(error);
  }
  return inputs;
}

Expected<std::vector<ConstantInput>>
CaseRunner::readConstants(StringRef set) const {
  Expected<std::vector<Array>> values = readInputs(set, structure);
  if (!values)
    return values.takeError();
  std::vector<ConstantInput> constants;
  for (auto [name, value] : zip_equal(structure, *values)) {
    ConstantInput &constant = constants.emplace_back();
    constant.name = name;
    constant.type = static_cast<onnx::ElementType>(value.type);
    constant.dims = value.dims;
    constant.bytes.assign(value.data.begin(), value.data.end());
  }
  // Optional inputs may have no file.
  erase_if(constants, [](const ConstantInput &constant) {
    return constant.type == onnx::ElementType::Undefined;
  });
  return constants;
}

Error CaseRunner::writeOutputs(StringRef set, ArrayRef<Array> outputs) const {
  std::string folder = joinPath(outDir, sys::path::filename(set));
  if (std::error_code error = sys::fs::create_directories(folder))
    return createFileError(folder, error);
  std::string error;
  for (auto [number, output] : enumerate(outputs))
    if (!run::writeFile(joinPath(folder, "output_" + Twine(number) + ".pb"),
                        run::formatTensorProto(output, ""), error))
      return createStringError(error);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Data sets
//===----------------------------------------------------------------------===//

Error CaseRunner::runSet(StringRef set, ArrayRef<std::string> names,
                         const RunModel &model) {
  Expected<std::vector<Array>> inputs = readInputs(set, names);
  if (!inputs)
    return inputs.takeError();
  Expected<std::vector<Array>> outputs = model(*inputs);
  if (!outputs)
    return outputs.takeError();
  return writeOutputs(set, *outputs);
}

Answer CaseRunner::runSets(ArrayRef<std::string> sets,
                           ArrayRef<std::string> names, const RunModel &model) {
  for (StringRef set : sets)
    if (Error error = runSet(set, names, model))
      return {Answer::Error, toString(std::move(error))};
  return {};
}

//===----------------------------------------------------------------------===//
// Modes
//===----------------------------------------------------------------------===//

Answer CaseRunner::interpret(Compilation &compilation,
                             ArrayRef<std::string> sets) {
  if (compilation.importModel() != Outcome::success)
    return refuse();
  mlir::ModuleOp module = compilation.getModule();
  auto main = module.lookupSymbol<mlir::func::FuncOp>("main");
  std::vector<std::string> names;
  names.reserve(main.getNumArguments());
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    names.push_back(
        main.getArgAttrOfType<mlir::StringAttr>(i, "tx.name").str());
  auto read = [&](tx::WeightOp op) {
    return readWeight(compilation.getWeights(), op);
  };
  return runSets(sets, names,
                 [&](ArrayRef<Array> inputs) -> Expected<std::vector<Array>> {
                   mlir::FailureOr<std::vector<Array>> outputs =
                       tool::runReference(module, inputs, read);
                   if (failed(outputs))
                     return createStringError(firstError);
                   return std::move(*outputs);
                 });
}

Answer CaseRunner::compile(Compilation &compilation,
                           ArrayRef<std::string> sets) {
  if (compilation.compile() != Outcome::success)
    return refuse();
  SmallString<128> path;
  if (std::error_code error =
          sys::fs::createTemporaryFile("txc-suite", "so", path))
    return {Answer::Error, error.message()};
  FileRemover remover(path);
  EmitOptions emit;
  emit.outputPath = path.str();
  emit.codeGen.sanitizer = options.sanitizer;
  if (compilation.emitSharedObject(emit) != Outcome::success)
    return refuse();
  Expected<std::unique_ptr<tool::CompiledModel>> model =
      tool::CompiledModel::open(path, options.numThreads);
  if (!model)
    return {Answer::Error, toString(model.takeError())};
  return runSets(sets, (*model)->getInputNames(),
                 [&](ArrayRef<Array> inputs) { return (*model)->run(inputs); });
}

Answer CaseRunner::runModel(std::vector<ConstantInput> constants,
                            ArrayRef<std::string> sets) {
  firstError.clear();
  CompileOptions compileOptions;
  compileOptions.inputPath = modelPath;
  compileOptions.constants = std::move(constants);
  compileOptions.codeGen.sanitizer = options.sanitizer;
  compileOptions.target = options.target;
  compileOptions.onError = [this](const Twine &message) {
    std::string text = message.str();
    StringRef sentence = text;
    sentence.consume_front(modelPath + ": ");
    if (firstError.empty())
      firstError = sentence.str();
  };
  Compilation compilation(std::move(compileOptions));
  return mode == "interpret" ? interpret(compilation, sets)
                             : compile(compilation, sets);
}

/// Each data set may have other values, so each has a model.
Answer CaseRunner::runWithConstants() {
  for (const std::string &set : dataSets) {
    Expected<std::vector<ConstantInput>> constants = readConstants(set);
    if (!constants)
      return {Answer::Error, toString(constants.takeError())};
    Answer answer = runModel(std::move(*constants), set);
    if (answer.kind != Answer::Ok)
      return answer;
  }
  return {Answer::Ok, join(structure, ", ")};
}

Answer CaseRunner::run() {
  if (mode != "interpret" && mode != "static" && mode != "dynamic")
    return {Answer::Error, "there is no mode " + mode.str()};
  if (Error error = readCase())
    return {Answer::Unsupported, toString(std::move(error))};
  Answer answer = runModel({}, dataSets);
  return answer.kind == Answer::Unsupported && !structure.empty()
             ? runWithConstants()
             : answer;
}

Answer suite::runCase(const WorkerOptions &options, StringRef mode,
                      StringRef caseDir, StringRef outDir) {
  return CaseRunner(options, mode, caseDir, outDir).run();
}
