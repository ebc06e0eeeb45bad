//===- CompiledModel.h - a shared object in this process -------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Loads what txc wrote and runs it through txc.h, as an application does.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_COMMON_COMPILEDMODEL_H
#define TXC_TOOLS_COMMON_COMPILEDMODEL_H

#include "runtime/txc.h"
#include "tools/txc-run/Array.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace txc::tool {

/// A model with one session. Not to be used by two threads at once.
class CompiledModel {
public:
  /// Loads the file at \p path, which may be removed afterwards. \p threads as
  /// in txc_session_options.
  static llvm::Expected<std::unique_ptr<CompiledModel>>
  open(llvm::StringRef path, int32_t threads);
  ~CompiledModel();
  CompiledModel(const CompiledModel &) = delete;
  CompiledModel &operator=(const CompiledModel &) = delete;

  txc_model *getModel() const { return model; }
  txc_session *getSession() const { return session; }
  std::vector<std::string> getInputNames() const;
  std::vector<std::string> getOutputNames() const;

  /// The outputs, in the model's order, for its inputs in their order. The
  /// error is the runtime's sentence.
  llvm::Expected<std::vector<run::Array>>
  run(llvm::ArrayRef<run::Array> inputs);

private:
  CompiledModel() = default;

  txc_model *model = nullptr;
  txc_session *session = nullptr;
};

} // namespace txc::tool

#endif // TXC_TOOLS_COMMON_COMPILEDMODEL_H
