//===- VerifyModels.cpp - both sides of txc verify -----------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/txc/VerifyModels.h"
#include "compiler/program/ElementTypes.h"
#include "compiler/program/OnnxNodes.h"
#include "compiler/program/Recipes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/RegionUtils.h"
#include "tools/common/ReferenceModel.h"
#include "tools/txc/LoadCompilation.h"
#include "llvm/ADT/Hashing.h"

using namespace mlir;
using namespace txc;
using namespace txc::tool;

//===----------------------------------------------------------------------===//
// Numbered values
//===----------------------------------------------------------------------===//

static func::FuncOp getMain(ModuleOp module) {
  return module.lookupSymbol<func::FuncOp>("main");
}

/// The ops whose value a run computes and a model can give back: one result of
/// a type that outputs may have, depending on an input.
static std::vector<Operation *> getTappableOps(ModuleOp module) {
  std::vector<Operation *> ops;
  DenseSet<Value> live;
  func::FuncOp main = getMain(module);
  live.insert(main.getArguments().begin(), main.getArguments().end());
  for (Operation &op : main.getBody().front()) {
    // Regions may see inputs that are no operands.
    bool dependsOnInput = op.getNumRegions() != 0 ||
                          llvm::any_of(op.getOperands(), [&](Value operand) {
                            return live.contains(operand);
                          });
    if (!dependsOnInput)
      continue;
    live.insert(op.result_begin(), op.result_end());
    if (op.getNumResults() != 1)
      continue;
    auto type = dyn_cast<RankedTensorType>(op.getResult(0).getType());
    if (type && getTxcType(type.getElementType()) &&
        type.getRank() <= TXC_MAX_RANK)
      ops.push_back(&op);
  }
  return ops;
}

/// Makes a value another output of the model.
static void addOutput(func::FuncOp main, Value value, StringRef name) {
  auto terminator =
      cast<func::ReturnOp>(main.getBody().front().getTerminator());
  terminator.getOperandsMutable().append(value);
  unsigned index = main.getNumResults();
  OpBuilder b(main.getContext());
  auto attrs =
      b.getDictionaryAttr(b.getNamedAttr("tx.name", b.getStringAttr(name)));
  LogicalResult inserted = main.insertResult(index, value.getType(), attrs);
  (void)inserted;
  assert(succeeded(inserted) && "a result can always be appended");
}

std::string VerifyModels::describeValue(size_t number) const {
  std::string text;
  for (const OnnxNode &node : getOnnxNodes(taps[number]->getLoc())) {
    text += text.empty() ? "node \"" : ", node \"";
    text += node.name.str() + "\"";
    if (!node.opType.empty())
      text += " (" + node.opType.str() + ")";
  }
  return text.empty() ? taps[number]->getName().getStringRef().str() : text;
}

bool VerifyModels::isFloat(size_t number) const {
  return isa<FloatType>(getElementTypeOrSelf(taps[number]->getResult(0)));
}

void VerifyModels::numberValues() {
  func::FuncOp main = getMain(reference.getModule());
  taps = getTappableOps(reference.getModule());
  // Of each value, itself if it is numbered, or the ones it is computed from.
  DenseMap<Value, llvm::SetVector<unsigned>> nearest;
  auto getSources = [&](ValueRange values) {
    llvm::SetVector<unsigned> result;
    for (Value value : values)
      if (auto it = nearest.find(value); it != nearest.end())
        result.insert_range(it->second);
    return result;
  };
  for (Operation &op : main.getBody().front().without_terminator()) {
    llvm::SetVector<Value> read(op.operand_begin(), op.operand_end());
    getUsedValuesDefinedAbove(op.getRegions(), read);
    llvm::SetVector<unsigned> operands = getSources(read.getArrayRef());
    if (graph.size() < taps.size() && taps[graph.size()] == &op) {
      nearest[op.getResult(0)].insert(graph.size());
      graph.emplace_back(operands.begin(), operands.end());
      continue;
    }
    for (Value result : op.getResults())
      nearest[result] = operands;
  }
  for (Value output : main.getBody().front().getTerminator()->getOperands()) {
    llvm::SetVector<unsigned> values = getSources(output);
    sources.emplace_back(values.begin(), values.end());
  }
}

//===----------------------------------------------------------------------===//
// The compiled side
//===----------------------------------------------------------------------===//

CompileOptions VerifyModels::getReferenceOptions() {
  CompileOptions compileOptions = getCompileOptions(options, console);
  compileOptions.stagesPath.clear();
  compileOptions.onError = [this](const llvm::Twine &message) {
    if (faults)
      *faults += message.str();
    else
      console.error(message);
  };
  return compileOptions;
}

VerifyModels::VerifyModels(const Options &options, Console &console,
                           ModuleEdit plant)
    : options(options), console(console), reference(getReferenceOptions()),
      plant(std::move(plant)) {}

Outcome VerifyModels::compile(Compilation &compilation,
                              std::optional<size_t> tap,
                              std::unique_ptr<CompiledModel> &result) {
  if (Outcome outcome = compilation.importModel(); outcome != Outcome::success)
    return outcome;
  if (plant)
    plant(compilation.getModule());
  if (tap) {
    ModuleOp module = compilation.getModule();
    addOutput(getMain(module), getTappableOps(module)[*tap]->getResult(0),
              "txc.tap");
  }
  return loadCompilation(compilation, options.codeGen, console, result);
}

std::unique_ptr<CompiledModel> VerifyModels::compileWithTap(size_t number) {
  CompileOptions quiet = getCompileOptions(options, console);
  quiet.stagesPath.clear();
  quiet.onError = [](const llvm::Twine &) {};
  Compilation tapped(std::move(quiet));
  std::unique_ptr<CompiledModel> result;
  (void)compile(tapped, number, result);
  return result;
}

Outcome VerifyModels::prepare() {
  if (Outcome outcome = reference.importModel(); outcome != Outcome::success)
    return outcome;
  numberValues();
  compilation =
      std::make_unique<Compilation>(getCompileOptions(options, console));
  return compile(*compilation, std::nullopt, compiled);
}

//===----------------------------------------------------------------------===//
// The reference's side
//===----------------------------------------------------------------------===//

llvm::Error VerifyModels::runOnce(ArrayRef<run::Array> inputs, bool perturbed,
                                  std::vector<run::Array> &outputs,
                                  std::vector<HostTensor> &values) {
  DenseMap<Operation *, size_t> numbers;
  for (auto [number, op] : llvm::enumerate(taps))
    numbers[op] = number;
  values.assign(taps.size(), HostTensor());
  auto read = [&](tx::WeightOp op) -> llvm::Expected<HostTensor> {
    llvm::Expected<HostTensor> weight = readWeight(reference.getWeights(), op);
    if (weight && perturbed)
      return perturb(*weight, llvm::hash_value(op.getName()));
    return weight;
  };
  auto tap = [&](Operation *op, ArrayRef<HostTensor> results) {
    if (auto it = numbers.find(op); it != numbers.end())
      values[it->second] = results.front();
  };
  std::string sentence;
  faults = &sentence;
  FailureOr<std::vector<run::Array>> results =
      tool::runReference(reference.getModule(), inputs, read, tap);
  faults = nullptr;
  if (failed(results))
    return llvm::createStringError(sentence);
  outputs = std::move(*results);
  return llvm::Error::success();
}

/// The inputs with their floats perturbed.
static llvm::Expected<std::vector<run::Array>>
perturbInputs(func::FuncOp main, ArrayRef<run::Array> inputs) {
  std::vector<run::Array> moved(inputs.begin(), inputs.end());
  for (auto [index, input] : llvm::enumerate(moved)) {
    auto type = cast<RankedTensorType>(main.getArgument(index).getType());
    llvm::Expected<HostTensor> tensor =
        toHostTensor(input, type.getElementType());
    if (!tensor)
      return tensor.takeError();
    llvm::Expected<HostTensor> perturbed = perturb(*tensor, index);
    if (!perturbed)
      return perturbed.takeError();
    input = toArray(*perturbed);
  }
  return moved;
}

llvm::Expected<ReferenceResults>
VerifyModels::runReference(ArrayRef<run::Array> inputs) {
  ReferenceResults results;
  if (llvm::Error error =
          runOnce(inputs, /*perturbed=*/false, results.outputs, results.values))
    return error;
  llvm::Expected<std::vector<run::Array>> moved =
      perturbInputs(getMain(reference.getModule()), inputs);
  if (!moved)
    return moved.takeError();
  if (llvm::Error error = runOnce(*moved, /*perturbed=*/true,
                                  results.movedOutputs, results.movedValues))
    return error;
  return results;
}
