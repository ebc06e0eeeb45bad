//===- GpuPhase.h - phases on a simulated GPU ------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_TEST_UNIT_CODEGEN_GPUPHASE_H
#define TXC_TEST_UNIT_CODEGEN_GPUPHASE_H

#include "compiler/codegen/ptx/GpuKernel.h"
#include "test/unit/codegen/PhaseHarness.h"

namespace txc::test {

/// A phase compiled to PTX, which ptxsim runs with all its checks: accesses
/// outside of a buffer, races and missing waits in shared memory are failures.
class GpuPhase {
public:
  /// An error with the reason for what a GPU has no code for.
  static llvm::Expected<std::unique_ptr<GpuPhase>>
  create(const PhaseProgram &program, unsigned sm = 80);

  /// Runs all blocks. The fault is what the kernel reported; the error what the
  /// simulator found.
  llvm::Expected<txc_fault> run(llvm::ArrayRef<Buffer *> operands,
                                llvm::ArrayRef<Buffer *> results,
                                const Symbols &symbols) const;

private:
  ptx::GpuKernel kernel;
  std::string text;
};

} // namespace txc::test

#endif // TXC_TEST_UNIT_CODEGEN_GPUPHASE_H
