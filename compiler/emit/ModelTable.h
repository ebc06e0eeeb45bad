//===- ModelTable.h - A model's tables as LLVM constants --------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Writes a ModelDescription as the constants that runtime/abi.h lays down, so
/// that a model's module holds all the runtime has to know.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_EMIT_MODELTABLE_H
#define TXC_COMPILER_EMIT_MODELTABLE_H

#include "compiler/emit/ModelDescription.h"
#include "compiler/targets/Target.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>

namespace llvm {
class Module;
} // namespace llvm

namespace txc {

/// Where a model finds its weights.
struct WeightsPlacement {
  /// Name of the file in the folder of the .so. Empty: in the .so.
  std::string file;
  uint64_t size = 0;
  uint64_t numTensors = 0;
};

/// The version of txc, as compiled models record it.
llvm::StringRef getTxcVersion();

/// The symbol a model exports: NAME_txc_model.
std::string getModelSymbol(const ModelDescription &description);

/// The txc_weights_desc. It has a symbol, since its checksum is known only
/// when the weights have been written.
inline constexpr llvm::StringLiteral weightsDescSymbol = "txc_weights_desc";
/// Which of the programs of a .so a module has: the model compiled for one
/// target. The runtime tries them in order.
struct ProgramPlace {
  unsigned number = 0;
  unsigned count = 1;
};

/// A txc_program. It has a symbol for the sake of its fingerprint, and since
/// the one before it refers to it.
std::string getProgramSymbol(unsigned number);

/// Adds the tables to \p module and makes everything in it local but the
/// symbols above, all of them hidden but the model's. The first program's
/// module has the model's symbol and the txc_weights_desc, the others refer to
/// it; their local symbols get the target's name behind their own, so that the
/// modules can be linked. Checksum and fingerprint stay 0. The module's data
/// layout has to be the target's.
///
/// Errors: a name that is no C identifier, a rank beyond TXC_MAX_RANK, a
/// function that is missing or has the wrong type, an index out of range.
llvm::Error addModelTable(llvm::Module &module,
                          const ModelDescription &description,
                          const WeightsPlacement &weights, const Target &target,
                          ProgramPlace place = {});

} // namespace txc

#endif // TXC_COMPILER_EMIT_MODELTABLE_H
