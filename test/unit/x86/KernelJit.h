//===- KernelJit.h - Runs generated kernels in a test -----------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Compiles a module for a named CPU in this process and finds its functions.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_X86_KERNELJIT_H
#define TXC_TEST_UNIT_X86_KERNELJIT_H

#include "compiler/targets/VectorTarget.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include <memory>
#include <string>
#include <vector>

namespace txc::test {

/// An x86 CPU that tests generate code for.
struct TestCpu {
  std::string name;
  VectorTarget target;
  /// Whether this machine can run its code.
  bool canRun;
};

/// Plain x86-64-v2, AVX2 (x86-64-v3) and AVX-512 (znver4). Those that this
/// machine can't run are announced on stderr.
const std::vector<TestCpu> &testCpus();

/// The descriptor that MLIR's C interface passes for a memref<?xT>.
struct MemRef {
  void *allocated, *aligned;
  int64_t offset, size, stride;

  template <typename T>
  MemRef(T *data, int64_t size)
      : allocated(const_cast<std::remove_const_t<T> *>(data)),
        aligned(allocated), offset(0), size(size), stride(1) {}
};

/// A context with the dialects kernels are written in.
std::unique_ptr<mlir::MLIRContext> makeKernelContext();

class KernelJit {
public:
  /// Lowers and compiles \p module (in place) for \p cpu; no IR optimizer runs.
  static llvm::Expected<std::unique_ptr<KernelJit>>
  create(mlir::ModuleOp module, const TestCpu &cpu);

  /// The C interface of function \p name: memrefs are passed by pointer to a
  /// MemRef, indices as int64_t.
  template <typename Function>
  llvm::Expected<Function *> lookup(llvm::StringRef name) {
    auto address = jit->lookup(("_mlir_ciface_" + name).str());
    if (!address)
      return address.takeError();
    return address->toPtr<Function *>();
  }

  /// A function of the LLVM dialect, as it is.
  template <typename Function>
  llvm::Expected<Function *> lookupPlain(llvm::StringRef name) {
    auto address = jit->lookup(name);
    if (!address)
      return address.takeError();
    return address->toPtr<Function *>();
  }

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

} // namespace txc::test

#endif // TXC_TEST_UNIT_X86_KERNELJIT_H
