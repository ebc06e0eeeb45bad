//===- LoadedModule.h - PTX in device memory --------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// A module whose variables have addresses and whose kernels are decoded.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_LOADEDMODULE_H
#define TXC_TOOLS_PTXSIM_LOADEDMODULE_H

#include "tools/ptxsim/Memory.h"
#include "tools/ptxsim/Program.h"

namespace ptxsim {

class LoadedModule {
public:
  /// Null with a sentence if anything of it is not understood. The memory must
  /// outlive the module.
  static std::unique_ptr<LoadedModule> load(std::string_view text,
                                            Memory &memory, std::string &error);
  ~LoadedModule();

  /// Null if there is none.
  const Program *findKernel(std::string_view name) const;
  /// False if there is none.
  bool findVariable(std::string_view name, uint64_t &address,
                    uint64_t &size) const;
  const Module &getModule() const { return *module; }
  const std::vector<std::unique_ptr<Program>> &getKernels() const {
    return kernels;
  }

private:
  explicit LoadedModule(Memory &memory) : memory(memory) {}
  bool placeVariables(std::string &error);

  Memory &memory;
  std::shared_ptr<Module> module;
  ModuleLayout layout;
  std::vector<std::unique_ptr<Program>> kernels;
};

} // namespace ptxsim

#endif // TXC_TOOLS_PTXSIM_LOADEDMODULE_H
