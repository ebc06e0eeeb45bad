//===- LoadCompilation.h - run what was just compiled ----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The way from an optimized graph to a model in this process.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_TXC_LOADCOMPILATION_H
#define TXC_TOOLS_TXC_LOADCOMPILATION_H

#include "tools/common/CompiledModel.h"
#include "tools/txc/Commands.h"

namespace txc::tool {

/// Takes an imported model through all later stages and loads it, from a file
/// that is gone afterwards.
Outcome loadCompilation(Compilation &compilation, const CodeGenOptions &codeGen,
                        Console &console,
                        std::unique_ptr<CompiledModel> &result);

} // namespace txc::tool

#endif // TXC_TOOLS_TXC_LOADCOMPILATION_H
