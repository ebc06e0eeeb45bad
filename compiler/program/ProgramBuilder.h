//===- ProgramBuilder.h - the builder of a program -------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// What the parts of buildProgram() share; internal to this folder.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_PROGRAM_PROGRAMBUILDER_H
#define TXC_COMPILER_PROGRAM_PROGRAMBUILDER_H

#include "compiler/program/BuildProgram.h"
#include "compiler/program/KernelTable.h"
#include "compiler/program/ValueTable.h"
#include "dialects/tx/RunTimeSymbols.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/memory/PlanMemory.h"

namespace txc {

/// The bytes of a tensor or stored tensor.
tx::SymExprAttr getBytes(mlir::Type type);

struct Assignment;

/// Describes a program piece by piece; used once.
class ProgramBuilder {
public:
  ProgramBuilder(mlir::ModuleOp phases, const VectorTarget &target, unsigned sm,
                 const WeightStore &store, WeightsImage &weights)
      : phases(phases), main(phases.lookupSymbol<mlir::func::FuncOp>("main")),
        target(target), sm(sm), store(store), weights(weights),
        code(mlir::ModuleOp::create(phases.getLoc())),
        gpuCode(mlir::ModuleOp::create(phases.getLoc())),
        kernels(*code, target, *gpuCode, sm), symbols(getSymbolNames()),
        runTimeSymbols(main), values(symbols) {}

  mlir::FailureOr<Program> build(llvm::StringRef name);

private:
  llvm::SmallVector<mlir::StringAttr> getSymbolNames() const;
  mlir::LogicalResult describeBlock(mlir::Block &block);

  // DescribeInterface.cpp
  void describeSymbols();
  mlir::LogicalResult describeStates();
  mlir::LogicalResult describeState(kernel::AppendOp append, int64_t axis);
  mlir::LogicalResult describeInterface();
  mlir::LogicalResult describeTensor(mlir::RankedTensorType type,
                                     mlir::StringAttr name,
                                     TensorDescription &tensor);
  void findIndexRange(mlir::BlockArgument input, TensorDescription &tensor);
  void describeRequirements();
  void addRequirement(tx::SymExprAttr lhs, llvm::StringRef relation,
                      tx::SymExprAttr rhs, llvm::StringRef sentence,
                      int32_t symbol);

  // DescribePhases.cpp
  std::pair<int64_t, int64_t> locate(const Buffer &buffer);
  std::pair<int64_t, int64_t> locate(mlir::Value tensor) {
    return locate(plan.get(tensor));
  }
  mlir::LogicalResult describePhase(kernel::PhaseInterface phase);
  void describeLaunch(const KernelInstance &kernel, PhaseDescription &entry);
  void describeTransfers(mlir::Operation *phase, PhaseDescription &entry);
  mlir::LogicalResult compileGpuCode();
  PhaseDescription &addPhase(txc_phase_kind kind, mlir::Location loc);
  void describeDefinition(tx::DefineSymbolOp define);

  // DescribeControlFlow.cpp
  void describeCheck(tx::RequireOp require);
  size_t addJumpUnless(mlir::Value condition, mlir::Location loc);
  void aimAtEnd(size_t jump);
  void addAssignment(const Assignment &assignment, mlir::Location loc);
  mlir::LogicalResult describeBranches(tx::IfOp op);
  mlir::LogicalResult describeLoop(tx::LoopOp op);

  mlir::ModuleOp phases;
  mlir::func::FuncOp main;
  VectorTarget target;
  unsigned sm;
  const WeightStore &store;
  WeightsImage &weights;
  mlir::OwningOpRef<mlir::ModuleOp> code, gpuCode;
  KernelTable kernels;
  llvm::SmallVector<mlir::StringAttr> symbols;
  tx::RunTimeSymbols runTimeSymbols;
  ValueTable values;
  MemoryPlan plan;
  ModelDescription description;
  std::vector<std::string> hostReasons;
  tx::SymExprAttr scratchBytes;
};

} // namespace txc

#endif // TXC_COMPILER_PROGRAM_PROGRAMBUILDER_H
