//===- LoadCompilation.cpp - run what was just compiled ------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/txc/LoadCompilation.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"

using namespace txc;
using namespace txc::tool;

Outcome tool::loadCompilation(Compilation &compilation,
                              const CodeGenOptions &codeGen, Console &console,
                              std::unique_ptr<CompiledModel> &result) {
  for (auto step : {&Compilation::optimizeGraph, &Compilation::buildPhases,
                    &Compilation::buildProgram, &Compilation::lowerToLLVM})
    if (Outcome outcome = (compilation.*step)(); outcome != Outcome::success)
      return outcome;
  llvm::SmallString<128> path;
  if (std::error_code error =
          llvm::sys::fs::createTemporaryFile("txc", "so", path)) {
    console.error(error.message());
    return Outcome::ioFailure;
  }
  llvm::FileRemover remover(path);
  EmitOptions emit;
  emit.outputPath = path.str();
  emit.codeGen = codeGen;
  if (Outcome outcome = compilation.emitSharedObject(emit);
      outcome != Outcome::success)
    return outcome;
  llvm::Expected<std::unique_ptr<CompiledModel>> opened =
      CompiledModel::open(path, /*threads=*/0);
  if (!opened) {
    console.error(llvm::toString(opened.takeError()));
    return Outcome::cannotCompile;
  }
  result = std::move(*opened);
  return Outcome::success;
}
