//===- KernelTable.cpp - one function for equal phases -------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/program/KernelTable.h"
#include "compiler/codegen/KernelCodegen.h"
#include "compiler/codegen/PhaseAbi.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

/// The distinct expressions of a phase that are no constants.
static SmallVector<SymExprAttr> getPhaseExprs(kernel::PhaseInterface phase) {
  SmallVector<SymExprAttr> all;
  phase.collectExprs(all);
  llvm::SetVector<SymExprAttr> distinct;
  for (SymExprAttr expr : all)
    if (!expr.getConstant())
      distinct.insert(expr);
  return distinct.takeVector();
}

static StringAttr getRenamed(MLIRContext *context, size_t number) {
  return StringAttr::get(context, "d" + Twine(number));
}

/// A copy of the phase in a function of its own, whose arguments are its
/// operands, with expression i of `exprs` renamed to the symbol `d<i>` and no
/// locations: its text is the phase's structure.
static OwningOpRef<func::FuncOp> isolatePhase(kernel::PhaseInterface phase,
                                              ArrayRef<SymExprAttr> exprs) {
  MLIRContext *context = phase->getContext();
  OpBuilder b(context);
  Location loc = b.getUnknownLoc();
  auto function = func::FuncOp::create(
      loc, "phase", b.getFunctionType(phase->getOperandTypes(), {}));
  b.setInsertionPointToStart(function.addEntryBlock());
  IRMapping mapping;
  // An operand used twice stays one value: bodies may rely on it.
  for (auto [operand, argument] :
       llvm::zip(phase->getOperands(), function.getArguments()))
    if (!mapping.contains(operand))
      mapping.map(operand, argument);
  Operation *copy = b.clone(*phase, mapping);
  func::ReturnOp::create(b, loc);
  copy->setDiscardableAttrs(DictionaryAttr::get(context));

  llvm::DenseMap<SymExprAttr, SymExprAttr> names;
  for (auto [i, expr] : llvm::enumerate(exprs))
    names[expr] = tx::getSymbolExpr(context, getRenamed(context, i));
  AttrTypeReplacer replacer;
  replacer.addReplacement(
      [&](SymExprAttr expr) -> std::optional<std::pair<Attribute, WalkResult>> {
        auto it = names.find(expr);
        Attribute name = it == names.end() ? expr : it->second;
        return std::pair(name, WalkResult::skip());
      });
  replacer.recursivelyReplaceElementsIn(function, /*replaceAttrs=*/true,
                                        /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
  function.walk([&](Operation *op) { op->setLoc(loc); });
  return function;
}

/// The record's expressions in terms of the program's symbols.
static KernelInstance instantiate(const KernelInstance &kernel,
                                  ArrayRef<SymExprAttr> exprs) {
  KernelInstance instance = kernel;
  llvm::DenseMap<StringAttr, SymExprAttr> values;
  for (auto [i, expr] : llvm::enumerate(exprs))
    values[getRenamed(expr.getContext(), i)] = expr;
  auto replaceAll = [&](MutableArrayRef<SymExprAttr> all) {
    for (SymExprAttr &expr : all)
      expr = substitute(expr, values);
  };
  replaceAll(instance.exprs);
  if (instance.gpu) {
    replaceAll(instance.gpu->parameters);
    replaceAll(instance.gpu->grid);
  }
  return instance;
}

LogicalResult KernelTable::addToGpu(Operation *phase, StringRef name,
                                    KernelInstance &kernel) {
  ScopedDiagnosticHandler handler(phase->getContext(),
                                  [&](Diagnostic &diagnostic) {
                                    kernel.hostReason = diagnostic.str();
                                    return success();
                                  });
  FailureOr<ptx::GpuKernel> added =
      ptx::addGpuKernel(gpuModule, phase, sm, name);
  if (failed(added))
    return failure();
  kernel.gpu = std::move(*added);
  kernel.gpuNumber = gpuCount++;
  kernel.function = name;
  return success();
}

FailureOr<KernelInstance> KernelTable::get(kernel::PhaseInterface phase) {
  SmallVector<SymExprAttr> exprs = getPhaseExprs(phase);
  OwningOpRef<func::FuncOp> isolated = isolatePhase(phase, exprs);
  std::string structure;
  llvm::raw_string_ostream os(structure);
  isolated->print(os);
  auto it = kernels.find(structure);
  if (it != kernels.end())
    return instantiate(it->second, exprs);
  StringRef mnemonic = phase->getName().stripDialect();
  std::string name = (mnemonic + "_" + Twine(counts[mnemonic]++)).str();
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  Operation *op = &isolated->getBody().front().front();
  // Errors are about the first phase of the structure.
  op->setLoc(phase.getLoc());
  KernelInstance kernel;
  if (sm != 0 && succeeded(addToGpu(op, name, kernel))) {
    kernels[structure] = kernel;
    return instantiate(kernel, exprs);
  }
  FailureOr<EmittedKernel> emitted = emitKernel(b, op, name, target);
  if (failed(emitted))
    return failure();
  convertToPhaseAbi(emitted->function);
  kernel.function = name;
  kernel.exprs = std::move(emitted->exprs);
  kernels[structure] = kernel;
  return instantiate(kernel, exprs);
}
