//===- Samples.h - inputs of a model in a folder ---------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Samples as ONNX's own tests have them: a folder for each, with a tensor for
/// each input in a file `NAME.npy` or `NAME.pb`. NAME is the input's, or
/// `input_N` for number N, from 0. Files of outputs (`output_N`, or an output's
/// name) are left alone. A folder of folders has several samples.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_TXC_SAMPLES_H
#define TXC_TOOLS_TXC_SAMPLES_H

#include "tools/txc-run/Array.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

namespace txc::tool {

/// The samples' folders: `directory` itself, if it has tensors, else all
/// folders in it, sorted by their names. At least one.
llvm::Expected<std::vector<std::string>> listSamples(llvm::StringRef directory);

/// The tensors of one sample in the order of `inputs`. None has a NaN.
llvm::Expected<std::vector<run::Array>>
readSample(llvm::StringRef directory, llvm::ArrayRef<std::string> inputs,
           llvm::ArrayRef<std::string> outputs);

} // namespace txc::tool

#endif // TXC_TOOLS_TXC_SAMPLES_H
