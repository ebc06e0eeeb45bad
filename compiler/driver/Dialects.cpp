//===- Dialects.cpp - the dialects of all stages -------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/driver/Dialects.h"
#include "compiler/codegen/LowerToLLVM.h"
#include "compiler/codegen/ptx/EmitPtx.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"

using namespace mlir;

DialectRegistry txc::getDialects() {
  DialectRegistry registry;
  registry.insert<tx::TxDialect, pack::PackDialect, kernel::KernelDialect,
                  affine::AffineDialect, func::FuncDialect>();
  registerKernelCodegenDialects(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  ptx::registerPtxDialects(registry);
  return registry;
}
