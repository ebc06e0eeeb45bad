//===- EmitPtx.cpp - kernels as PTX --------------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/ptx/EmitPtx.h"
#include "compiler/codegen/LowerToLLVM.h"
#include "compiler/codegen/ptx/WarpToNvvm.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/warp/Warp.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/CGSCCPassManager.h"
#include "llvm/Analysis/LoopAnalysisManager.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace txc;
using namespace txc::ptx;

void txc::ptx::registerPtxDialects(DialectRegistry &registry) {
  registry.insert<tx::TxDialect, pack::PackDialect, kernel::KernelDialect,
                  warp::WarpDialect, NVVM::NVVMDialect>();
  registerKernelCodegenDialects(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
}

/// Null, with a diagnostic, if LLVM has no such GPU.
static std::unique_ptr<llvm::TargetMachine> createTargetMachine(Operation *op,
                                                                unsigned sm) {
  LLVMInitializeNVPTXTargetInfo();
  LLVMInitializeNVPTXTarget();
  LLVMInitializeNVPTXTargetMC();
  LLVMInitializeNVPTXAsmPrinter();
  llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string error;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target) {
    op->emitError("this LLVM has no NVPTX target: ") << error;
    return nullptr;
  }
  // Asked first, as creating a machine for another one prints to stderr.
  std::unique_ptr<llvm::MCSubtargetInfo> known(
      target->createMCSubtargetInfo(triple, /*CPU=*/"", /*Features=*/""));
  std::string cpu = "sm_" + std::to_string(sm);
  if (!known || !known->isCPUStringValid(cpu)) {
    op->emitError("this LLVM does not know ") << cpu;
    return nullptr;
  }
  // Without a feature the PTX version is the first one that knows the GPU, so
  // the oldest drivers load it.
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, cpu, /*Features=*/"", llvm::TargetOptions(), llvm::Reloc::PIC_));
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2)
      .run(module, modules);
}

static FailureOr<std::string> emitAssembly(ModuleOp source, unsigned sm) {
  std::unique_ptr<llvm::TargetMachine> machine =
      createTargetMachine(source, sm);
  if (!machine)
    return failure();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(source, context);
  if (!module)
    return source.emitError("the kernel can't be translated to LLVM IR");
  module->setTargetTriple(machine->getTargetTriple());
  module->setDataLayout(machine->createDataLayout());
  optimize(*module, *machine);
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, /*DwoOut=*/nullptr,
                                   llvm::CodeGenFileType::AssemblyFile))
    return source.emitError("LLVM can't write PTX");
  passes.run(*module);
  return text.str().str();
}

FailureOr<std::string> txc::ptx::emitPtx(ModuleOp module, unsigned sm) {
  if (failed(convertWarpToNvvm(module)) || failed(lowerToLLVMDialect(module)))
    return failure();
  return emitAssembly(module, sm);
}
