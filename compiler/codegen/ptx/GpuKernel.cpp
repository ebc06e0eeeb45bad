//===- GpuKernel.cpp - GPU code of phases --------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/ptx/GpuKernel.h"
#include "compiler/codegen/ExpandMath.h"
#include "compiler/codegen/GemmAsRows.h"
#include "compiler/codegen/KernelFunction.h"
#include "compiler/codegen/ptx/AttentionToGpu.h"
#include "compiler/codegen/ptx/AttentionToWarp.h"
#include "compiler/codegen/ptx/ConcatToGpu.h"
#include "compiler/codegen/ptx/GemmToWarp.h"
#include "compiler/codegen/ptx/GpuTarget.h"
#include "compiler/codegen/ptx/NestToGpu.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace txc;
using namespace txc::ptx;
using kernel::AttentionOp;
using kernel::CallOp;
using kernel::GemmOp;
using kernel::NestInterface;
using tx::SymExprAttr;

//===----------------------------------------------------------------------===//
// What there is no code for
//===----------------------------------------------------------------------===//

/// Two threads would write to one byte.
static LogicalResult checkTypes(Operation *phase) {
  for (TypeRange types : {TypeRange(phase->getOperandTypes()),
                          TypeRange(phase->getResultTypes())})
    for (Type type : types)
      if (getPackedBits(getScalarType(type)) != 0)
        return phase->emitError("a GPU kernel has no code for elements of ")
               << getScalarType(type);
  return success();
}

/// There is no libm on a GPU, and its remainder of floats is not exact.
static LogicalResult checkFunctions(Operation *phase, Operation *function) {
  Operation *refused = nullptr;
  function->walk([&](Operation *op) {
    bool isMath = op->getName().getDialectNamespace() ==
                  math::MathDialect::getDialectNamespace();
    if (isa<arith::RemFOp>(op) ||
        (isMath &&
         !isa<math::AbsFOp, math::AbsIOp, math::CeilOp, math::CopySignOp,
              math::CountLeadingZerosOp, math::CountTrailingZerosOp,
              math::CtPopOp, math::FloorOp, math::FmaOp, math::RoundEvenOp,
              math::RsqrtOp, math::SqrtOp, math::TruncOp>(op)))
      refused = op;
  });
  if (!refused)
    return success();
  return phase->emitError("a GPU kernel has no code for ")
         << refused->getName() << " on " << refused->getResult(0).getType();
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

static LLVM::LLVMFuncOp addNest(ModuleOp module, NestInterface nest,
                                StringRef name) {
  GpuFunction function(module, name, nest, kNestThreads);
  SmallVector<Value> operands, results;
  for (unsigned i = 0; i < nest->getNumOperands(); ++i)
    operands.push_back(function.getBuffer(i));
  for (unsigned i = 0; i < nest->getNumResults(); ++i)
    results.push_back(function.getBuffer(nest->getNumOperands() + i));
  emitNest(function, nest, operands, results);
  return function.getFunction();
}

/// Sums of products that tensor cores don't take.
static LLVM::LLVMFuncOp addGemmAsRows(ModuleOp module, GemmOp gemm,
                                      StringRef name) {
  GpuFunction function(module, name, gemm, kNestThreads);
  OwningOpRef<kernel::RowsOp> rows = buildGemmAsRows(gemm);
  SmallVector<Value> operands, results;
  for (unsigned number : getRowsOperands(gemm))
    operands.push_back(function.getBuffer(number));
  for (unsigned i = 0; i < gemm->getNumResults(); ++i)
    results.push_back(function.getBuffer(gemm->getNumOperands() + i));
  emitNest(function, *rows, operands, results);
  return function.getFunction();
}

static FailureOr<LLVM::LLVMFuncOp> addGemm(ModuleOp module, GemmOp gemm,
                                           unsigned sm, StringRef name) {
  {
    // Why tensor cores don't take it is no error.
    ScopedDiagnosticHandler silence(gemm.getContext(),
                                    [](Diagnostic &) { return success(); });
    FailureOr<GemmSchedule> schedule = chooseGemmSchedule(gemm, sm);
    if (succeeded(schedule)) {
      FailureOr<LLVM::LLVMFuncOp> function =
          lowerGemmToWarp(gemm, *schedule, module, name);
      if (succeeded(function))
        return function;
    }
  }
  return addGemmAsRows(module, gemm, name);
}

static LLVM::LLVMFuncOp addAttention(ModuleOp module, AttentionOp op,
                                     unsigned sm, StringRef name) {
  GpuFunction function(module, name, op, kAttentionThreads);
  if (auto schedule = chooseAttentionSchedule(op, sm))
    emitAttention(function, op, *schedule);
  else
    emitAttention(function, op);
  return function.getFunction();
}

static LLVM::LLVMFuncOp addConcat(ModuleOp module, CallOp call,
                                  StringRef name) {
  GpuFunction function(module, name, call, kConcatThreads);
  emitConcat(function, call);
  return function.getFunction();
}

static FailureOr<LLVM::LLVMFuncOp>
addFunction(ModuleOp module, Operation *phase, unsigned sm, StringRef name) {
  using Result = FailureOr<LLVM::LLVMFuncOp>;
  return llvm::TypeSwitch<Operation *, Result>(phase)
      .Case([&](GemmOp gemm) { return addGemm(module, gemm, sm, name); })
      .Case([&](AttentionOp op) -> Result {
        return addAttention(module, op, sm, name);
      })
      .Case([&](NestInterface nest) -> Result {
        return addNest(module, nest, name);
      })
      .Case([&](CallOp call) -> Result {
        if (isConcat(call))
          return addConcat(module, call, name);
        return call.emitError("a GPU has no code for the routine ")
               << call.getCallee();
      })
      .Default([](Operation *op) -> Result {
        return op->emitError("a GPU has no code for ") << op->getName();
      });
}

FailureOr<GpuKernel> txc::ptx::addGpuKernel(ModuleOp module, Operation *phase,
                                            unsigned sm, StringRef name) {
  if (failed(checkTypes(phase)))
    return failure();
  FailureOr<LLVM::LLVMFuncOp> function = addFunction(module, phase, sm, name);
  if (failed(function))
    return failure();
  expandMathWithoutLibm(*function, getGpuVectorTarget());
  if (failed(checkFunctions(phase, *function))) {
    function->erase();
    return failure();
  }
  auto getExprs = [&](StringRef attribute) {
    return (*function)
        ->getAttrOfType<ArrayAttr>(attribute)
        .getAsRange<SymExprAttr>();
  };
  GpuKernel kernel;
  kernel.name = name.str();
  llvm::append_range(kernel.parameters, getExprs("warp.parameters"));
  llvm::copy(getExprs("warp.grid"), kernel.grid.begin());
  kernel.threads = (*function)
                       ->getAttrOfType<DenseI32ArrayAttr>(
                           NVVM::NVVMDialect::getReqntidAttrName())
                       .asArrayRef()
                       .front();
  kernel.reportsFaults =
      (*function)->getAttrOfType<BoolAttr>("warp.reports_faults").getValue();
  return kernel;
}
