//===- Commands.h - what txc does ------------------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// One function for each command. They print results to standard output and
/// problems through the console; what they return is the exit code.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_TXC_COMMANDS_H
#define TXC_TOOLS_TXC_COMMANDS_H

#include "compiler/driver/Compilation.h"
#include "tools/txc/Console.h"
#include "tools/txc/Options.h"

namespace txc::tool {

/// `txc MODEL.onnx`: writes the shared object with its header, or what
/// `-emit` asks for.
Outcome compileModel(const Options &options, Console &console);

/// `txc check`: the model's interface and every node that can't be compiled.
Outcome checkModel(const Options &options, Console &console);

/// `txc explain`: what became of the model, as text, JSON or a page.
Outcome explainModel(const Options &options, Console &console);

/// Changes a module in place.
using ModuleEdit = std::function<void(mlir::ModuleOp module)>;

/// `txc verify`: runs the compiled model beside the reference interpreter.
/// `plant` is for tests, see VerifyModels.
Outcome verifyModel(const Options &options, Console &console,
                    const ModuleEdit &plant = nullptr);

/// The part of the options that the compiler needs. Errors go to the console,
/// which has to outlive the compilation.
CompileOptions getCompileOptions(const Options &options, Console &console);

/// Fills in the elements of `-constant`, before any command.
Outcome readConstants(Options &options, Console &console);

/// Measures what `-calibrate` asks for, before any command.
Outcome calibrate(Options &options, Console &console);

/// Writes a whole file or none; "-" is standard output.
Outcome writeText(llvm::StringRef path, llvm::StringRef text, Console &console);

} // namespace txc::tool

#endif // TXC_TOOLS_TXC_COMMANDS_H
