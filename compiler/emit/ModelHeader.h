//===- ModelHeader.h - MODEL.h ----------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Writes the C header that comes with a compiled model: all of txc.h, the
/// declaration of the model's symbol, and calls with the model's own names and
/// types.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_EMIT_MODELHEADER_H
#define TXC_COMPILER_EMIT_MODELHEADER_H

#include "compiler/emit/ModelDescription.h"

#include "llvm/ADT/StringRef.h"

#include <string>

namespace txc {

/// The text of MODEL.h: C11 and C++, without warnings under -Wall -Wextra
/// -pedantic. Headers of several models can be included together.
///
/// NAME_run takes a length for each symbol of an input dim, one for each dim
/// of an input that is an expression (the session checks it), then inputs and
/// outputs. \p target is what the model was compiled for.
std::string makeModelHeader(const ModelDescription &description,
                            llvm::StringRef target);

} // namespace txc

#endif // TXC_COMPILER_EMIT_MODELHEADER_H
