//===- GemmToWarp.h - matrix products on tensor cores ----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_CODEGEN_PTX_GEMMTOWARP_H
#define TXC_COMPILER_CODEGEN_PTX_GEMMTOWARP_H

#include "dialects/kernel/Kernel.h"
#include "dialects/warp/MmaAtoms.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/Pass.h"

namespace txc::ptx {

/// How blocks and warps divide a product. Each number divides the next larger
/// one of its dim; `stages` k-tiles are in shared memory at a time.
struct GemmSchedule {
  warp::Atom atom;
  /// Of tiles in shared memory. The lhs's are elements, the rhs's may be words.
  mlir::Type lhsType, rhsType;
  int64_t blockM, blockN, blockK;
  int64_t warpM, warpN;
  int64_t stages;

  int64_t getThreads() const { return blockM / warpM * (blockN / warpN) * 32; }
};

/// The schedule of \p op on sm_\p sm. Fails, with a diagnostic, when there is
/// no matrix instruction for its operands.
llvm::FailureOr<GemmSchedule> chooseGemmSchedule(kernel::GemmOp op,
                                                 unsigned sm);

/// Appends to \p module a function \p name (see GpuFunction.h) of warp, scf,
/// arith, math, LLVM and NVVM ops that computes \p op. Products of f32 are as
/// good as f32's: by f32 of three of tf32 each, by what is exact as tf32 of
/// two. Any sizes, also such that tiles are not full; at most 65535 column
/// tiles and as many batches. Fails, with a diagnostic that gives the reason,
/// for maps that are not linear in m, n and k.
llvm::FailureOr<mlir::LLVM::LLVMFuncOp>
lowerGemmToWarp(kernel::GemmOp op, const GemmSchedule &schedule,
                mlir::ModuleOp module, llvm::StringRef name);

/// `txc-gemm-to-warp`: adds the kernels gemm_0, gemm_1, … of the kernel.gemms
/// of a module, which stay as they are.
std::unique_ptr<mlir::Pass> createGemmToWarpPass(unsigned sm = 80);

} // namespace txc::ptx

#endif // TXC_COMPILER_CODEGEN_PTX_GEMMTOWARP_H
