//===- ptx_fuzzer.cpp - Fuzz target of the PTX simulator --------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Loads the input as PTX and runs its kernels for a while, in one block. An
/// error names a line, and no kernel reaches memory that is not its own.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Launch.h"
#include "tools/ptxsim/LoadedModule.h"

#include <string>

using namespace ptxsim;

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  std::string error;
  {
    // Large variables are right but slow.
    Module parsed;
    if (!parseModule(text, parsed, error)) {
      if (error.find("line ") == error.npos)
        __builtin_trap();
      return 0;
    }
    for (const Variable &variable : parsed.variables)
      if (variable.size > 1 << 16)
        return 0;
  }
  Memory memory;
  auto module = LoadedModule::load(text, memory, error);
  if (!module)
    return 0;
  for (const auto &kernel : module->getKernels()) {
    if (kernel->fileSize > 1 << 20)
      continue;
    LaunchConfig config;
    config.block[0] = 48;
    config.dynamicShared = 256;
    config.stepLimit = 1000;
    config.parameters.resize(kernel->parameterBytes);
    uint64_t buffer = memory.allocate(4096);
    for (size_t i = 0; i < config.parameters.size(); ++i)
      config.parameters[i] = uint8_t(buffer >> (i % 8 * 8));
    Fault fault;
    launch(*kernel, config, memory, nullptr, fault);
    memory.free(buffer);
  }
  return 0;
}
