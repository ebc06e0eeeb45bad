//===- Inputs.h - The tensors to run on -------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Reads inputs from files and fills the others at random.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_TXC_RUN_INPUTS_H
#define TXC_TOOLS_TXC_RUN_INPUTS_H

#include "tools/txc-run/Array.h"
#include "tools/txc-run/Options.h"

#include "runtime/txc.h"

namespace txc::run {

/// An error and the exit code that tells its kind.
struct Failure {
  enum Kind { None = 0, Model = 1, Usage = 2, Io = 3 } kind = None;
  std::string text;

  explicit operator bool() const { return kind != None; }
};

/// One array for each input of the model, in its order. Dims come from files,
/// then from --dim, then from defaults within the model's bounds.
Failure makeInputs(txc_model *model, txc_session *session,
                   const Options &options, std::vector<Array> &inputs);

/// Fills an array whose type and dims are set.
///
/// Floats are drawn from N(0, 1). Integers are uniform in the info's range;
/// where it has none, in the type's for 8 bits, else 0 and 1. Masks (bool, or a
/// name with "mask" in it) are ones. The same seed and name give the same
/// elements, whatever else is filled.
void fillRandom(const txc_tensor_info &info, uint64_t seed, Array &array);

} // namespace txc::run

#endif // TXC_TOOLS_TXC_RUN_INPUTS_H
