//===- KernelJit.cpp - Runs generated kernels in a test ---------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// LLJIT behind txc's own lowering pipeline.
///
//===----------------------------------------------------------------------===//

#include "test/unit/x86/KernelJit.h"
#include "compiler/codegen/LowerToLLVM.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;
using namespace txc::test;

static TestCpu describe(StringRef name, bool canRun) {
  TestCpu cpu;
  cpu.name = name.str();
  cpu.target = cantFail(txc::getVectorTarget(name, /*features=*/""));
  cpu.canRun = canRun;
  if (!canRun)
    errs() << "SKIPPED: this machine can't run " << name
           << " code; its kernels are compiled, not run\n";
  return cpu;
}

const std::vector<TestCpu> &txc::test::testCpus() {
  static const std::vector<TestCpu> cpus = [] {
    InitializeAllTargetInfos();
    InitializeAllTargets();
    InitializeAllTargetMCs();
    InitializeAllAsmPrinters();
    StringMap<bool> host = sys::getHostCPUFeatures();
    bool avx2 = host["avx2"] && host["fma"];
    bool avx512 = host["avx512f"] && host["avx512vl"] && host["avx512bf16"] &&
                  host["avx512vnni"];
    return std::vector<TestCpu>{describe("x86-64-v2", true),
                                describe("x86-64-v3", avx2),
                                describe("znver4", avx512)};
  }();
  return cpus;
}

std::unique_ptr<mlir::MLIRContext> txc::test::makeKernelContext() {
  mlir::DialectRegistry registry;
  registerKernelCodegenDialects(registry);
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  auto context = std::make_unique<mlir::MLIRContext>(
      registry, mlir::MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  return context;
}

Expected<std::unique_ptr<KernelJit>> KernelJit::create(mlir::ModuleOp module,
                                                       const TestCpu &cpu) {
  if (failed(txc::lowerToLLVMDialect(module)))
    return createStringError("the module doesn't lower to the LLVM dialect");
  auto llvmContext = std::make_unique<LLVMContext>();
  std::unique_ptr<Module> llvmModule =
      mlir::translateModuleToLLVMIR(module, *llvmContext);
  if (!llvmModule)
    return createStringError("the module doesn't translate to LLVM IR");

  Triple triple(sys::getProcessTriple());
  orc::JITTargetMachineBuilder builder(triple);
  builder.setCPU(cpu.name);
  builder.setCodeGenOptLevel(CodeGenOptLevel::Default);
  auto jit = std::make_unique<KernelJit>();
  Expected<std::unique_ptr<orc::LLJIT>> lljit =
      orc::LLJITBuilder().setJITTargetMachineBuilder(builder).create();
  if (!lljit)
    return lljit.takeError();
  jit->jit = std::move(*lljit);
  llvmModule->setDataLayout(jit->jit->getDataLayout());
  if (Error error = jit->jit->addIRModule(
          orc::ThreadSafeModule(std::move(llvmModule), std::move(llvmContext))))
    return error;
  return jit;
}
