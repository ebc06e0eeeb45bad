//===- CIdentifiers.h - Names of a model as C identifiers -------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// ONNX lets any text be a name; C and C++ do not.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_EMIT_CIDENTIFIERS_H
#define TXC_COMPILER_EMIT_CIDENTIFIERS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"

#include <string>

namespace txc {

/// Gives out identifiers for one scope, each once.
class CIdentifiers {
public:
  /// \p taken are identifiers that the scope uses already.
  explicit CIdentifiers(llvm::ArrayRef<llvm::StringRef> taken);

  /// An identifier for \p name that is valid in C11 and C++, no keyword or
  /// common macro, and not given out before: characters that C lacks become
  /// '_', and "_2", "_3", … tells equal ones apart. A name all in capitals
  /// becomes lower case, since headers use such names for macros.
  std::string add(llvm::StringRef name);

private:
  llvm::StringSet<> used;
};

/// \p name as an identifier by the rules of CIdentifiers, by itself: what a
/// model is called by default.
std::string makeCIdentifier(llvm::StringRef name);

/// \p text as a C string literal, quotes included.
std::string makeCString(llvm::StringRef text);

} // namespace txc

#endif // TXC_COMPILER_EMIT_CIDENTIFIERS_H
