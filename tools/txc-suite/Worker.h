//===- Worker.h - one case of ONNX's backend tests -------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Compiles or interprets a case in this process and writes its outputs;
/// test/suite/README.md describes cases and modes. Compares nothing.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_TXC_SUITE_WORKER_H
#define TXC_TOOLS_TXC_SUITE_WORKER_H

#include "compiler/emit/ObjectFile.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace txc::suite {

struct WorkerOptions {
  /// Of compiled models; this program has to be built with the same.
  Sanitizer sanitizer = Sanitizer::None;
  /// As in -target=.
  std::string target = "native";
  /// Of a compiled model's session.
  int32_t numThreads = 1;
};

struct Answer {
  enum Kind { Ok, Unsupported, Error } kind = Ok;
  /// Why not; with Ok the names of the inputs that were made constants.
  std::string sentence;
};

/// Runs a case in a mode: "interpret", "static" or "dynamic".
Answer runCase(const WorkerOptions &options, llvm::StringRef mode,
               llvm::StringRef caseDir, llvm::StringRef outDir);

} // namespace txc::suite

#endif // TXC_TOOLS_TXC_SUITE_WORKER_H
