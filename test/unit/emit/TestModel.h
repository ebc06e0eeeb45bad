//===- TestModel.h - A small model for tests of emission --------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// A model written by hand: y[n, 4] = x[n, 4] + w[4] (and a second weight that
/// only makes the image larger), one task a row.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_EMIT_TESTMODEL_H
#define TXC_TEST_UNIT_EMIT_TESTMODEL_H

#include "compiler/emit/SharedObject.h"

#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

#include <memory>
#include <string>

namespace txc::testing {

/// All that emission takes. Filled with the model of this file; a test changes
/// what it is about.
struct TestModel {
  /// \p name is the C prefix, \p bias is w[0]; w[i] = bias + i.
  explicit TestModel(const std::string &name, float bias = 10.0F);

  /// Replaces the code by \p ir.
  void setCode(llvm::StringRef ir);
  /// Emits to `name`.so, `name`.h in \p folder, for plain x86-64.
  llvm::Error emit(const std::string &folder);

  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module;
  ModelDescription description;
  WeightsImage weights;
  EmitOptions options;
  std::string target = "x86-64";
};

/// The phase and shape functions of the model, in LLVM IR.
extern const char addRowsCode[];

} // namespace txc::testing

#endif // TXC_TEST_UNIT_EMIT_TESTMODEL_H
