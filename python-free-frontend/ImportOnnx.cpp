//===- ImportOnnx.cpp - from an ONNX model to the tx dialect --------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/ImportOnnx.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "python-free-frontend/GraphImporter.h"
#include "python-free-frontend/TensorConstants.h"
#include "python-free-frontend/ops/OpTable.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;

std::string txc::formatProblem(StringRef model, const ImportProblem &problem) {
  std::string text = (model + ": ").str();
  if (!problem.node.empty()) {
    text += "node \"" + problem.node + "\"";
    if (!problem.op.empty())
      text += " (" + problem.op;
    if (!problem.domain.empty())
      text += ", " + problem.domain + " " + std::to_string(problem.opset);
    text += problem.op.empty() ? ": " : "): ";
  }
  text += problem.reason;
  if (!problem.advice.empty())
    text += "; try " + problem.advice;
  return text;
}

namespace {
/// Builds the module around the graph.
class ModelImporter {
public:
  ModelImporter(MLIRContext &context,
                std::shared_ptr<const onnx::OnnxFile> file,
                const ImportOptions &options, WeightStore &weights,
                std::vector<ImportProblem> &problems)
      : model(file->model()), builder(&context),
        module(ModuleOp::create(builder.getUnknownLoc())), options(options),
        symbols(*module, options.dims), problems(problems),
        importer(builder, std::move(file), symbols, weights, problems) {}

  OwningOpRef<ModuleOp> run() {
    checkOpset();
    createFunction();
    frame.opsets = model.opsetImports;
    for (const onnx::TensorRef &initializer : model.graph.initializers)
      frame.initializers[initializer.name] = &initializer;
    for (const onnx::SparseTensor &sparse : model.graph.sparseInitializers)
      importer.report(frame, nullptr,
                      "initializer \"" + sparse.values.name +
                          "\" is sparse, which can't be compiled",
                      "a dense one");
    importInputs();
    symbols.publish(problems);
    importer.importNodes(frame, model.graph.nodes);
    importOutputs();
    if (!problems.empty())
      return {};
    cleanUp();
    symbols.finish();
    return checkModule() ? std::move(module) : OwningOpRef<ModuleOp>();
  }

private:
  void checkOpset();
  void createFunction();
  void importInputs();
  void importInput(const onnx::ValueInfo &input);
  bool importConstant(const onnx::ValueInfo &input, Type elementType);
  void checkConstants();
  void checkOutput(const onnx::ValueInfo &output, Value value);
  void importOutputs();
  void fold(Block &block);
  void cleanUp();
  bool checkModule();

  const onnx::Model &model;
  OpBuilder builder;
  OwningOpRef<ModuleOp> module;
  const ImportOptions &options;
  func::FuncOp function;
  Frame frame;
  DimSymbols symbols;
  std::vector<ImportProblem> &problems;
  GraphImporter importer;
  SmallVector<StringAttr> inputNames;
};
} // namespace

void ModelImporter::checkOpset() {
  std::optional<int64_t> opset = model.opsetVersion("");
  if (opset && *opset > kNewestOpset)
    importer.report(frame, nullptr,
                    "the model imports opset " + Twine(*opset) +
                        ", the newest known is " + Twine(kNewestOpset),
                    "exporting with an older opset");
}

void ModelImporter::createFunction() {
  builder.setInsertionPointToEnd(module->getBody());
  function = func::FuncOp::create(builder, builder.getUnknownLoc(), "main",
                                  builder.getFunctionType({}, {}));
  builder.setInsertionPointToEnd(function.addEntryBlock());
}

//===----------------------------------------------------------------------===//
// Inputs and outputs
//===----------------------------------------------------------------------===//

void ModelImporter::importInputs() {
  for (const onnx::ValueInfo &input : model.graph.inputs)
    for (const onnx::Dim &dim : input.type.dims)
      if (!dim.param.empty() && isDimName(dim.param))
        symbols.addName(dim.param);
  for (const onnx::ValueInfo &input : model.graph.inputs)
    if (!frame.initializers.count(input.name))
      importInput(input);
  checkConstants();
}

void ModelImporter::checkConstants() {
  for (const InputConstant &constant : options.constants)
    if (llvm::none_of(model.graph.inputs, [&](const onnx::ValueInfo &input) {
          return input.name == constant.name &&
                 !frame.initializers.count(input.name);
        }))
      importer.report(frame, nullptr,
                      "there is no input \"" + constant.name +
                          "\" that could be a constant");
}

/// Whether the input is one that the options make a constant.
bool ModelImporter::importConstant(const onnx::ValueInfo &input,
                                   Type elementType) {
  auto constant =
      llvm::find_if(options.constants, [&](const InputConstant &constant) {
        return input.name == constant.name;
      });
  if (constant == options.constants.end())
    return false;
  ShapedType type = constant->value.getType();
  bool fits = type.getElementType() == elementType &&
              type.getRank() == static_cast<int64_t>(input.type.dims.size());
  for (auto [dim, size] : llvm::zip(input.type.dims, type.getShape()))
    fits = fits && dim.value.value_or(size) == size;
  if (!fits) {
    importer.report(frame, nullptr,
                    "the constant given for input \"" + input.name +
                        "\" has another type");
    return true;
  }
  auto loc = NameLoc::get(builder.getStringAttr(input.name));
  frame.values[input.name] =
      tx::ConstantOp::create(builder, loc, cast<ElementsAttr>(constant->value));
  return true;
}

void ModelImporter::importInput(const onnx::ValueInfo &input) {
  frame.values[input.name] = Value();
  auto refuse = [&](const Twine &reason, const Twine &advice) {
    importer.report(frame, nullptr, "input \"" + input.name + "\" " + reason,
                    advice);
  };
  if (input.type.kind != onnx::Type::Kind::Tensor)
    return refuse("is no tensor", "a model whose inputs are tensors");
  Type elementType =
      getElementType(builder.getContext(), input.type.elementType);
  if (!elementType)
    return refuse("has elements of type " +
                      onnx::elementTypeName(input.type.elementType) +
                      ", which can't be compiled",
                  "");
  if (!input.type.hasShape)
    return refuse("has no shape", "exporting with the number of its dims");
  if (importConstant(input, elementType))
    return;
  Exprs dims;
  for (auto [axis, dim] : llvm::enumerate(input.type.dims)) {
    if (dim.value)
      dims.push_back(tx::getConstantExpr(builder.getContext(), *dim.value));
    else if (!dim.param.empty())
      dims.push_back(symbols.declare(dim.param));
    else
      dims.push_back(symbols.declare((input.name + "." + Twine(axis)).str()));
  }
  Block &entry = function.getBody().front();
  auto loc = NameLoc::get(builder.getStringAttr(input.name));
  frame.values[input.name] =
      entry.addArgument(tx::getTensorType(dims, elementType), loc);
  inputNames.push_back(builder.getStringAttr(input.name));
}

/// A caller that believed the model would read the elements as others. Dims are
/// not compared: rewriting tools leave old ones, and the interface tells those
/// that are computed.
void ModelImporter::checkOutput(const onnx::ValueInfo &output, Value value) {
  Type declared = getElementType(builder.getContext(), output.type.elementType);
  if (!value || output.type.kind != onnx::Type::Kind::Tensor || !declared)
    return;
  Type computed = getElementTypeOrSelf(value.getType());
  if (declared == computed)
    return;
  std::string found;
  llvm::raw_string_ostream(found) << computed;
  importer.report(frame, nullptr,
                  "output \"" + output.name + "\" is declared as " +
                      onnx::elementTypeName(output.type.elementType) +
                      ", and the graph computes " + found,
                  "the type that is computed, or a Cast before it");
}

void ModelImporter::importOutputs() {
  SmallVector<Value> results;
  for (const onnx::ValueInfo &output : model.graph.outputs) {
    results.push_back(importer.lookup(frame, output.name));
    checkOutput(output, results.back());
  }
  if (!problems.empty() || llvm::is_contained(results, Value()))
    return;
  func::ReturnOp::create(builder, builder.getUnknownLoc(), results);
  function.setFunctionType(
      builder.getFunctionType(function.getBody().front().getArgumentTypes(),
                              ValueRange(results).getTypes()));
  for (auto [index, name] : llvm::enumerate(inputNames))
    function.setArgAttr(index, "tx.name", name);
  for (auto [index, output] : llvm::enumerate(model.graph.outputs))
    function.setResultAttr(index, "tx.name",
                           builder.getStringAttr(output.name));
}

//===----------------------------------------------------------------------===//
// The end
//===----------------------------------------------------------------------===//

/// Folds what unified dims made foldable.
void ModelImporter::fold(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block.without_terminator())) {
    for (Region &region : op.getRegions())
      fold(region.front());
    SmallVector<Value> folded;
    builder.setInsertionPoint(&op);
    if (auto symbolic = dyn_cast<tx::SymbolicOp>(op)) {
      Attribute value =
          tx::getExprTensor(symbolic.getType(), symbolic.getValue().getExprs());
      if (auto elements = dyn_cast<ElementsAttr>(value))
        folded.push_back(
            tx::ConstantOp::create(builder, op.getLoc(), elements));
    } else if (failed(builder.tryFold(&op, folded))) {
      folded.clear();
    }
    if (folded.empty())
      continue;
    op.replaceAllUsesWith(folded);
    op.erase();
  }
}

/// Users before operands: a chain dies in one walk.
static void eraseDeadOps(Block &block) {
  for (Operation *op = block.getTerminator()->getPrevNode(); op;) {
    Operation *previous = op->getPrevNode();
    if (isOpTriviallyDead(op))
      op->erase();
    else
      for (Region &region : op->getRegions())
        eraseDeadOps(region.front());
    op = previous;
  }
}

/// Folds what can be folded by now and erases what nothing uses.
void ModelImporter::cleanUp() {
  Block &body = function.getBody().front();
  fold(body);
  eraseDeadOps(body);
  function.setFunctionType(builder.getFunctionType(
      body.getArgumentTypes(), body.getTerminator()->getOperandTypes()));
}

bool ModelImporter::checkModule() {
  std::string message;
  ScopedDiagnosticHandler handler(builder.getContext(),
                                  [&](Diagnostic &diagnostic) {
                                    if (message.empty())
                                      message = diagnostic.str();
                                    return success();
                                  });
  if (succeeded(verify(*module)))
    return true;
  importer.report(frame, nullptr, "the imported module is wrong: " + message,
                  "reporting this as an error of txc");
  return false;
}

FailureOr<OwningOpRef<ModuleOp>>
txc::importOnnx(MLIRContext &context,
                std::shared_ptr<const onnx::OnnxFile> file,
                const ImportOptions &options, WeightStore &weights,
                std::vector<ImportProblem> &problems) {
  context.loadDialect<func::FuncDialect, tx::TxDialect>();
  size_t before = problems.size();
  OwningOpRef<ModuleOp> module =
      ModelImporter(context, std::move(file), options, weights, problems).run();
  if (!module || problems.size() != before)
    return failure();
  return module;
}
