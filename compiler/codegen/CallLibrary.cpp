//===- CallLibrary.cpp - linking the routines of kernel.call -------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/CallLibrary.h"
#include "runtime/kernels/KernelsBitcode.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/MemoryBufferRef.h"

using namespace llvm;

/// What the x86-64 psABI lists for a level and LLVM code may use.
static int getLevel(const txc::Target &target) {
  auto hasAll = [&](ArrayRef<StringRef> features) {
    return all_of(features, [&](StringRef feature) {
      return target.hasFeature(feature);
    });
  };
  if (!hasAll({"avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"}))
    return 2;
  if (!hasAll({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}))
    return 3;
  return 4;
}

static bool isRoutine(const Function &function) {
  return function.isDeclaration() && function.getName().starts_with("txc_");
}

Error txc::linkCallLibrary(Module &module, const Target &target) {
  if (none_of(module, isRoutine))
    return Error::success();
  ArrayRef<char> bitcode = getKernelsBitcode(getLevel(target));
  MemoryBufferRef buffer(StringRef(bitcode.data(), bitcode.size()), "kernels");
  Expected<std::unique_ptr<Module>> library =
      parseBitcodeFile(buffer, module.getContext());
  if (!library)
    return library.takeError();
  (*library)->setTargetTriple(module.getTargetTriple());
  (*library)->setDataLayout(module.getDataLayout());
  if (Linker::linkModules(module, std::move(*library),
                          Linker::Flags::LinkOnlyNeeded))
    return createStringError("the routines of kernel.call can't be linked");
  for (const Function &function : module)
    if (isRoutine(function))
      return createStringError("txc has no routine '" + function.getName() +
                               "' for kernel.call");
  return Error::success();
}
