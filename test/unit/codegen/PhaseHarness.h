//===- PhaseHarness.h - compiles and runs phases in a test -----*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// From the text of a kernel op to a function that runs on tensors between
/// guard pages, called as the runtime calls it.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_CODEGEN_PHASEHARNESS_H
#define TXC_TEST_UNIT_CODEGEN_PHASEHARNESS_H

#include "compiler/codegen/KernelCodegen.h"
#include "mlir/IR/OwningOpRef.h"
#include "runtime/abi.h"
#include "test/unit/x86/GuardedBuffer.h"
#include "test/unit/x86/KernelJit.h"

namespace txc::test {

/// The bytes of a tensor.
using Buffer = GuardedBuffer<char>;

/// Values of symbols.
using Symbols = std::vector<std::pair<std::string, int64_t>>;

/// A module whose function @main holds one phase.
class PhaseProgram {
public:
  /// Fails when \p text doesn't parse or has not just one phase.
  static llvm::Expected<std::unique_ptr<PhaseProgram>>
  parse(llvm::StringRef text);

  mlir::Operation *getPhase() const { return phase; }

private:
  std::unique_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::Operation *phase = nullptr;
};

int64_t evaluateExpr(tx::SymExprAttr expr, const Symbols &symbols);

/// What a kernel is called with. It lives while the phase is called.
class PhaseCall {
public:
  /// \p scratchBytes is a multiple of 64.
  PhaseCall(llvm::ArrayRef<Buffer *> operands, llvm::ArrayRef<Buffer *> results,
            llvm::ArrayRef<int64_t> values, int64_t scratchBytes);
  PhaseCall(const PhaseCall &) = delete;
  PhaseCall &operator=(const PhaseCall &) = delete;

  txc_fault fault = {};

private:
  friend class CompiledPhase;

  std::vector<char *> bases;
  std::vector<int64_t> values, record;
  Buffer scratch;
  txc_kernel_ctx context;
};

/// A phase compiled for a CPU.
class CompiledPhase {
public:
  static llvm::Expected<std::unique_ptr<CompiledPhase>>
  create(const PhaseProgram &program, const TestCpu &cpu);

  /// Runs all tasks, cut into \p pieces ranges. Returns the fault.
  txc_fault run(llvm::ArrayRef<Buffer *> operands,
                llvm::ArrayRef<Buffer *> results, const Symbols &symbols,
                int64_t pieces = 2) const;

  /// The same in two steps, for who runs it often.
  std::unique_ptr<PhaseCall> prepare(llvm::ArrayRef<Buffer *> operands,
                                     llvm::ArrayRef<Buffer *> results,
                                     const Symbols &symbols) const;
  int64_t getTaskCount(const Symbols &symbols) const {
    return evaluateExpr(tasks, symbols);
  }
  void runTasks(PhaseCall &call, int64_t begin, int64_t end) const {
    function(&call.context, call.record.data(), begin, end);
  }

private:
  std::unique_ptr<KernelJit> jit;
  txc_phase_fn function = nullptr;
  llvm::SmallVector<tx::SymExprAttr> exprs;
  tx::SymExprAttr tasks, scratchBytes;
};

} // namespace txc::test

#endif // TXC_TEST_UNIT_CODEGEN_PHASEHARNESS_H
