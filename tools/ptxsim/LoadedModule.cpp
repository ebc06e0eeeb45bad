//===- LoadedModule.cpp - PTX in device memory ------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See LoadedModule.h.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/LoadedModule.h"

#include <cstring>

using namespace ptxsim;

std::unique_ptr<LoadedModule>
LoadedModule::load(std::string_view text, Memory &memory, std::string &error) {
  std::unique_ptr<LoadedModule> loaded(new LoadedModule(memory));
  loaded->module = std::make_shared<Module>();
  if (!parseModule(text, *loaded->module, error) ||
      !loaded->placeVariables(error))
    return nullptr;
  for (const auto &function : loaded->module->functions) {
    if (!function->isEntry || !function->isDefined)
      continue;
    auto kernel =
        decodeKernel(loaded->module, *function, loaded->layout, error);
    if (!kernel)
      return nullptr;
    loaded->kernels.push_back(std::move(kernel));
  }
  return loaded;
}

LoadedModule::~LoadedModule() {
  for (size_t i = 0; i < layout.size(); ++i)
    if (module->variables[i].space != Space::Shared && layout[i])
      memory.free(layout[i]);
}

bool LoadedModule::placeVariables(std::string &error) {
  uint64_t shared = 0;
  for (const Variable &variable : module->variables) {
    uint64_t address = 0;
    if (variable.space == Space::Shared) {
      if (!variable.isDynamic) {
        shared = (shared + variable.alignment - 1) / variable.alignment *
                 variable.alignment;
        address = shared;
        shared += variable.size;
      }
    } else if (!variable.isExternal && variable.size) {
      address = memory.allocate(variable.size);
      if (!address) {
        error = "no memory for variable '" + variable.name + "'";
        return false;
      }
      // What is not initialized is zero.
      auto *bytes = reinterpret_cast<char *>(address);
      std::memset(bytes, 0, variable.size);
      if (!variable.initial.empty())
        std::memcpy(bytes, variable.initial.data(), variable.initial.size());
    }
    layout.push_back(address);
  }
  for (size_t i = 0; i < layout.size(); ++i)
    for (const Variable::Reference &reference :
         module->variables[i].references) {
      uint64_t address, size;
      if (!findVariable(reference.name, address, size)) {
        error = "variable '" + module->variables[i].name +
                "' refers to unknown '" + reference.name + "'";
        return false;
      }
      address += reference.addend;
      std::memcpy(reinterpret_cast<char *>(layout[i]) + reference.offset,
                  &address, 8);
    }
  return true;
}

const Program *LoadedModule::findKernel(std::string_view name) const {
  for (const auto &kernel : kernels)
    if (kernel->name == name)
      return kernel.get();
  return nullptr;
}

bool LoadedModule::findVariable(std::string_view name, uint64_t &address,
                                uint64_t &size) const {
  for (size_t i = 0; i < module->variables.size(); ++i) {
    const Variable &variable = module->variables[i];
    if (variable.name != name || variable.space == Space::Shared ||
        variable.isExternal)
      continue;
    address = layout[i];
    size = variable.size;
    return true;
  }
  return false;
}
