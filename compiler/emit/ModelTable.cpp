//===- ModelTable.cpp - A model's tables as LLVM constants ------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// One function for each struct of runtime/abi.h, with the fields in its order.
///
//===----------------------------------------------------------------------===//

#include "compiler/emit/ModelTable.h"

#include "compiler/emit/Link.h"
#include "compiler/emit/Weights.h"
#include "runtime/RuntimeObject.h"
#include "runtime/abi.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/Function.h"
#include "llvm/IR/GlobalVariable.h"
#include "llvm/IR/Module.h"
#include "llvm/Transforms/IPO/Internalize.h"

#include <cassert>

using namespace llvm;
using namespace txc;

static Error tableError(const Twine &message) {
  return createStringError("model table: " + message);
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

static bool isIdentifier(StringRef name) {
  return !name.empty() && !isDigit(name.front()) &&
         all_of(name, [](char c) { return isAlnum(c) || c == '_'; });
}

/// Refuses an index into \p count things that is neither -1 nor one of them.
static Error checkIndex(int64_t index, size_t count, const Twine &what) {
  if (index >= -1 && index < static_cast<int64_t>(count))
    return Error::success();
  return tableError(what + " is " + Twine(index) + ", outside the " +
                    Twine(count) + " there are");
}

/// Joins the first error of \p checks; the others say nothing new.
static Error firstOf(MutableArrayRef<Error> checks) {
  Error first = Error::success();
  for (Error &check : checks) {
    if (first)
      consumeError(std::move(check));
    else
      first = std::move(check);
  }
  return first;
}

static Error checkDims(const ModelDescription &model, StringRef name,
                       ArrayRef<DimDescription> dims) {
  if (dims.size() > TXC_MAX_RANK)
    return tableError("tensor \"" + name + "\" has rank " + Twine(dims.size()) +
                      "; at most " + Twine(TXC_MAX_RANK) +
                      " is possible at the interface");
  for (const DimDescription &dim : dims) {
    if (dim.kind == TXC_DIM_CONST)
      continue;
    size_t count = dim.kind == TXC_DIM_SYMBOL
                       ? model.symbols.size()
                       : static_cast<size_t>(model.valueCount);
    if (Error error =
            checkIndex(dim.value, count, "a dim of tensor \"" + name + "\""))
      return error;
  }
  return Error::success();
}

static Error checkPhase(const ModelDescription &model,
                        const PhaseDescription &phase) {
  size_t values = model.valueCount;
  Error checks[] = {
      checkIndex(phase.tasksValue, values, "a phase's task count"),
      checkIndex(phase.flopsValue, values, "a phase's flops"),
      checkIndex(phase.bytesValue, values, "a phase's bytes"),
      checkIndex(phase.conditionOffsetValue, values, "a phase's condition"),
      checkIndex(phase.conditionBase,
                 TXC_BASE_FIRST_INPUT + model.inputs.size() +
                     model.outputs.size() + model.states.size() +
                     model.sequences.size(),
                 "a phase's condition buffer"),
      checkIndex(phase.symbol, model.symbols.size(), "a phase's symbol"),
      // A jump to the end of the table ends the run.
      checkIndex(phase.target, model.phases.size() + 1, "a phase's target")};
  return firstOf(checks);
}

static Error checkDescription(const ModelDescription &model) {
  if (!isIdentifier(model.name))
    return tableError("the model's name \"" + model.name +
                      "\" is no C identifier; choose one with -name=NAME");
  if (model.valueCount < 0)
    return tableError("the number of values is negative");
  for (const TensorDescription &tensor : model.inputs)
    if (Error error = checkDims(model, tensor.name, tensor.dims))
      return error;
  for (const TensorDescription &tensor : model.outputs)
    if (Error error = checkDims(model, tensor.name, tensor.dims))
      return error;
  for (const StateDescription &state : model.states)
    if (Error error = checkDims(model, state.name, state.dims))
      return error;
  for (const PhaseDescription &phase : model.phases)
    if (Error error = checkPhase(model, phase))
      return error;
  Error checks[] = {
      checkIndex(model.arenaBytesValue, model.valueCount, "the arena's size"),
      checkIndex(model.scratchBytesValue, model.valueCount,
                 "the scratch memory's size")};
  return firstOf(checks);
}

/// A model must not need a feature whose absence the runtime can't notice.
static Error checkTarget(const txc::Target &target) {
  const std::string &name = target.getName();
  for (const std::string &feature : target.getRequiredFeatures())
    if (!is_contained(getCheckableCpuFeatures(), feature))
      return tableError(Twine("target ") + name + " uses the CPU feature " +
                        feature +
                        ", for which this version can't test; leave it out "
                        "with -target=" +
                        name + ":-" + feature);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

namespace {

/// Builds the constants of one model. Errors are kept until the end, so that
/// the functions read like the structs they build.
class TableBuilder {
public:
  TableBuilder(Module &module, const ModelDescription &model,
               ProgramPlace place)
      : module(module), model(model), place(place),
        context(module.getContext()) {}

  void build(const WeightsPlacement &weights, const txc::Target &target);
  Error takeError() { return std::move(failure); }

private:
  Constant *i32(int64_t value) {
    return ConstantInt::getSigned(Type::getInt32Ty(context), value);
  }
  Constant *i64(int64_t value) {
    return ConstantInt::getSigned(Type::getInt64Ty(context), value);
  }
  Constant *null() {
    return ConstantPointerNull::get(PointerType::getUnqual(context));
  }

  /// The constant struct with \p fields, laid out as the C struct \p T.
  template <typename T> Constant *structOf(ArrayRef<Constant *> fields) {
    Constant *value = ConstantStruct::getAnon(context, fields);
    assert(module.getDataLayout().getTypeAllocSize(value->getType()) ==
               sizeof(T) &&
           "out of step with runtime/abi.h");
    return value;
  }

  GlobalVariable *global(Constant *value, const Twine &name,
                         GlobalValue::LinkageTypes linkage);
  Constant *pointerTo(Constant *value, const Twine &name) {
    return global(value, name, GlobalValue::PrivateLinkage);
  }
  Constant *string(StringRef text);
  /// A pointer to an array of what \p make gives for each item of \p items.
  template <typename Range, typename Function>
  Constant *arrayOf(const Range &items, const Twine &name, Function make);
  Constant *function(StringRef name, FunctionType *type);

  Constant *dims(ArrayRef<DimDescription> dims);
  Constant *tensor(const TensorDescription &tensor);
  Constant *symbol(const SymbolDescription &symbol);
  Constant *sequence(const SequenceDescription &sequence);
  Constant *state(const StateDescription &state);
  Constant *requirement(const RequirementDescription &requirement);
  Constant *launch(const LaunchDescription &launch);
  Constant *phase(const PhaseDescription &phase);
  Constant *gpu(const GpuDescription &gpu);
  GlobalVariable *declareHidden(StringRef name, Type *type);
  Constant *weightsDesc(const WeightsPlacement &weights);
  Constant *nextProgram();
  Constant *program(Constant *weights, const txc::Target &target);

  Module &module;
  const ModelDescription &model;
  ProgramPlace place;
  LLVMContext &context;
  Error failure = Error::success();
};

} // namespace

GlobalVariable *TableBuilder::global(Constant *value, const Twine &name,
                                     GlobalValue::LinkageTypes linkage) {
  auto *variable =
      new GlobalVariable(module, value->getType(),
                         /*isConstant=*/true, linkage, value, name);
  // A sanitizer's red zones would change the layout that readers expect.
  GlobalValue::SanitizerMetadata sanitizers;
  sanitizers.NoAddress = true;
  variable->setSanitizerMetadata(sanitizers);
  return variable;
}

Constant *TableBuilder::string(StringRef text) {
  GlobalVariable *variable = global(ConstantDataArray::getString(context, text),
                                    "str", GlobalValue::PrivateLinkage);
  variable->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
  variable->setAlignment(Align(1));
  return variable;
}

template <typename Range, typename Function>
Constant *TableBuilder::arrayOf(const Range &items, const Twine &name,
                                Function make) {
  SmallVector<Constant *> elements;
  for (const auto &item : items)
    elements.push_back(make(item));
  if (elements.empty())
    return null();
  auto *type = ArrayType::get(elements.front()->getType(), elements.size());
  return pointerTo(ConstantArray::get(type, elements), name);
}

Constant *TableBuilder::function(StringRef name, FunctionType *type) {
  llvm::Function *found = module.getFunction(name);
  if (found && !found->isDeclaration() && found->getFunctionType() == type)
    return found;
  std::string expected;
  raw_string_ostream(expected) << *type;
  if (!failure)
    failure = tableError("the module defines no function '" + name +
                         "' of type " + expected);
  return null();
}

Constant *TableBuilder::dims(ArrayRef<DimDescription> dims) {
  return arrayOf(dims, "dims", [&](const DimDescription &dim) {
    return structOf<txc_dim>(
        {i32(dim.kind), i32(dim.runTime), i64(dim.value), string(dim.text)});
  });
}

Constant *TableBuilder::tensor(const TensorDescription &tensor) {
  return structOf<txc_tensor_desc>({string(tensor.name), dims(tensor.dims),
                                    i32(tensor.type), i32(tensor.dims.size()),
                                    i64(tensor.low), i64(tensor.high),
                                    i32(tensor.arenaOffsetValue), i32(0)});
}

Constant *TableBuilder::symbol(const SymbolDescription &symbol) {
  return structOf<txc_symbol_desc>({string(symbol.name), i64(symbol.lower),
                                    i64(symbol.upper), i32(symbol.source),
                                    i32(0)});
}

Constant *TableBuilder::sequence(const SequenceDescription &sequence) {
  return structOf<txc_sequence_desc>(
      {string(sequence.name), i32(sequence.lengthSymbol),
       i32(sequence.capacitySymbol), i32(sequence.newLengthValue),
       i32(sequence.rowsValue), i32(sequence.ragged), i32(0)});
}

Constant *TableBuilder::state(const StateDescription &state) {
  return structOf<txc_state_desc>(
      {string(state.name), dims(state.dims), i32(state.type),
       i32(state.dims.size()), i32(state.rowAxis), i32(state.sequenceAxis),
       i32(state.sequence), i32(0), i64(state.outer), i64(state.block),
       i64(state.positionBytes)});
}

Constant *TableBuilder::requirement(const RequirementDescription &requirement) {
  return structOf<txc_requirement>(
      {i32(requirement.lhsValue), i32(requirement.rhsValue),
       i32(requirement.relation), i32(requirement.symbol),
       string(requirement.sentence)});
}

Constant *TableBuilder::launch(const LaunchDescription &launch) {
  auto *grid =
      ConstantDataArray::get(context, ArrayRef<int32_t>(launch.gridValues));
  return pointerTo(
      structOf<txc_launch>({i32(launch.kernel), i32(launch.numBuffers),
                            i32(launch.numValues), grid,
                            i32(launch.reportsFaults), i32(0)}),
      "launch");
}

Constant *TableBuilder::phase(const PhaseDescription &phase) {
  Type *pointer = PointerType::getUnqual(context);
  Type *integer = Type::getInt64Ty(context);
  auto *type = FunctionType::get(Type::getVoidTy(context),
                                 {pointer, pointer, integer, integer},
                                 /*isVarArg=*/false);
  bool runs = phase.kind == TXC_PHASE_RUN && !phase.launch;
  Constant *transfers = arrayOf(
      phase.transfers, "transfers", [&](const TransferDescription &transfer) {
        return structOf<txc_transfer>(
            {i32(transfer.base), i32(transfer.offsetValue),
             i32(transfer.bytesValue), i32(transfer.isResult)});
      });
  Constant *record = null();
  if (!phase.record.empty())
    record = pointerTo(ConstantDataArray::get(context, phase.record), "record");
  return structOf<txc_phase>(
      {i32(phase.kind), i32(phase.tasksValue),
       runs ? function(phase.function, type) : null(), record,
       i32(phase.flopsValue), i32(phase.bytesValue), i32(phase.target),
       i32(phase.conditionBase), i32(phase.conditionOffsetValue),
       i32(phase.symbol), string(phase.kernelName), string(phase.onnxNodes),
       phase.launch ? launch(*phase.launch) : null(), transfers,
       i32(phase.transfers.size()), i32(0)});
}

Constant *TableBuilder::gpu(const GpuDescription &gpu) {
  Constant *kernels =
      arrayOf(gpu.kernels, "kernels", [&](const GpuKernelDescription &kernel) {
        return structOf<txc_gpu_kernel>(
            {string(kernel.name), i32(kernel.threads), i32(0)});
      });
  Constant *backend =
      declareHidden("txc_cuda_backend", Type::getInt8Ty(context));
  Constant *cubin = null();
  if (!gpu.cubin.empty()) {
    auto *image = global(ConstantDataArray::getString(context, gpu.cubin,
                                                      /*AddNull=*/false),
                         "cubin", GlobalValue::PrivateLinkage);
    // An ELF file, whose tables the driver reads in place.
    image->setAlignment(Align(16));
    cubin = image;
  }
  return pointerTo(
      structOf<txc_gpu_program>({backend, string(gpu.ptx), kernels,
                                 i32(gpu.kernels.size()), i32(gpu.sm), cubin}),
      "gpu");
}

GlobalVariable *TableBuilder::declareHidden(StringRef name, Type *type) {
  auto *variable =
      new GlobalVariable(module, type, /*isConstant=*/true,
                         GlobalValue::ExternalLinkage, nullptr, name);
  variable->setVisibility(GlobalValue::HiddenVisibility);
  return variable;
}

Constant *TableBuilder::nextProgram() {
  if (place.number + 1 == place.count)
    return null();
  return declareHidden(getProgramSymbol(place.number + 1),
                       Type::getInt8Ty(context));
}

Constant *TableBuilder::weightsDesc(const WeightsPlacement &weights) {
  Type *pointer = PointerType::getUnqual(context);
  Type *integer = Type::getInt64Ty(context);
  auto *type =
      StructType::get(context, {pointer, integer, integer, integer, integer});
  GlobalVariable *desc = declareHidden(weightsDescSymbol, type);
  if (place.number != 0)
    return desc;
  Constant *offset = i64(0);
  if (weights.file.empty() && weights.size != 0) {
    // One byte stands for the weights until they are added after the link.
    GlobalVariable *placeholder =
        global(ConstantInt::get(Type::getInt8Ty(context), 0), "txc_weights",
               GlobalValue::InternalLinkage);
    placeholder->setSection(weightsSectionName);
    placeholder->setAlignment(Align(WeightsImage::pageSize));
    offset =
        ConstantExpr::getSub(ConstantExpr::getPtrToInt(placeholder, integer),
                             ConstantExpr::getPtrToInt(desc, integer));
  }
  desc->setInitializer(structOf<txc_weights_desc>(
      {weights.file.empty() ? null() : string(weights.file), offset,
       i64(weights.size), i64(0), i64(weights.numTensors)}));
  return desc;
}

Constant *TableBuilder::program(Constant *weights, const txc::Target &target) {
  Type *pointer = PointerType::getUnqual(context);
  auto *evaluateType = FunctionType::get(
      Type::getVoidTy(context), {pointer, pointer}, /*isVarArg=*/false);
  auto with = [this](auto member) {
    return [this, member](const auto &item) { return (this->*member)(item); };
  };
  Constant *value = structOf<struct txc_program>(
      {i64(sizeof(struct txc_program)),
       function(model.evaluateFunction, evaluateType),
       arrayOf(model.inputs, "inputs", with(&TableBuilder::tensor)),
       arrayOf(model.outputs, "outputs", with(&TableBuilder::tensor)),
       arrayOf(model.symbols, "symbols", with(&TableBuilder::symbol)),
       arrayOf(model.sequences, "sequences", with(&TableBuilder::sequence)),
       arrayOf(model.states, "states", with(&TableBuilder::state)),
       arrayOf(model.requirements, "requirements",
               with(&TableBuilder::requirement)),
       arrayOf(model.phases, "phases", with(&TableBuilder::phase)),
       weights,
       i32(model.inputs.size()),
       i32(model.outputs.size()),
       i32(model.symbols.size()),
       i32(model.sequences.size()),
       i32(model.states.size()),
       i32(model.requirements.size()),
       i32(model.phases.size()),
       i32(model.valueCount),
       i32(model.arenaBytesValue),
       i32(model.scratchBytesValue),
       string(target.getName()),
       string(join(target.getRequiredFeatures(), " ")),
       string(getTxcVersion()),
       i64(0),
       nextProgram(),
       model.gpu ? gpu(*model.gpu) : null()});
  GlobalVariable *variable = global(value, getProgramSymbol(place.number),
                                    GlobalValue::ExternalLinkage);
  variable->setVisibility(GlobalValue::HiddenVisibility);
  return variable;
}

void TableBuilder::build(const WeightsPlacement &weights,
                         const txc::Target &target) {
  Constant *own = program(weightsDesc(weights), target);
  if (place.number != 0)
    return;
  Constant *api = declareHidden("txc_runtime_api", Type::getInt8Ty(context));
  Constant *table = structOf<txc_model_table>(
      {i32(TXC_MODEL_MAGIC), i32(sizeof(txc_model_table)), i32(TXC_ABI_VERSION),
       i32(TXC_ABI_VERSION), api, own, string(model.name)});
  global(table, getModelSymbol(model), GlobalValue::ExternalLinkage);
}

//===----------------------------------------------------------------------===//
// Interface
//===----------------------------------------------------------------------===//

StringRef txc::getTxcVersion() { return TXC_VERSION; }

std::string txc::getModelSymbol(const ModelDescription &description) {
  return description.name + "_txc_model";
}

std::string txc::getProgramSymbol(unsigned number) {
  return number ? ("txc_program." + Twine(number)).str() : "txc_program";
}

/// Local symbols become hidden ones when a module is compiled in parts; those
/// of several programs must not meet then.
static void addSuffix(Module &module, StringRef suffix) {
  for (GlobalValue &value : module.global_values())
    if (value.hasLocalLinkage() && value.hasName())
      value.setName(value.getName() + "." + suffix);
}

Error txc::addModelTable(Module &module, const ModelDescription &description,
                         const WeightsPlacement &weights, const Target &target,
                         ProgramPlace place) {
  if (Error error = checkDescription(description))
    return error;
  if (Error error = checkTarget(target))
    return error;
  TableBuilder builder(module, description, place);
  builder.build(weights, target);
  if (Error error = builder.takeError())
    return error;
  std::string symbol = getModelSymbol(description);
  internalizeModule(module, [&](const GlobalValue &value) {
    return value.getName() == symbol || value.getName() == weightsDescSymbol ||
           value.getName() == getProgramSymbol(place.number);
  });
  if (place.count > 1)
    addSuffix(module, target.getName());
  return Error::success();
}
