//===- OpTable.h - the ONNX operators that txc knows ------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// A row for each operator, in one table a family. To add an operator: write
/// its builder in `ops/<Family>.cpp` and a row in that file's table. To add a
/// family: declare its table here and list it in OpRegistry.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_OPS_OPTABLE_H
#define TXC_PYTHON_FREE_FRONTEND_OPS_OPTABLE_H

#include "python-free-frontend/NodeContext.h"

namespace txc::frontend {

inline constexpr unsigned kAnyNumber = ~0U;

struct OpEntry {
  llvm::StringLiteral name;
  /// The first version of the domain for which the builder is right. Later
  /// ones may differ: builders ask getOpset(). An operator may have several
  /// rows; the one with the greatest `since` that is imported counts.
  int64_t since;
  /// Operands below minOperands are there.
  unsigned minOperands;
  unsigned maxOperands;
  NodeResults (*build)(NodeContext &);
  llvm::StringLiteral domain = "";
};

using OpTable = llvm::ArrayRef<OpEntry>;

OpTable getActivationOps();
OpTable getAttentionOps();
OpTable getCol2ImOps();
OpTable getControlOps();
OpTable getConvolutionOps();
OpTable getEinsumOps();
OpTable getElementwiseOps();
OpTable getFlexAttentionOps();
OpTable getGenerationOps();
OpTable getGroupQueryAttentionOps();
OpTable getIndexingOps();
OpTable getLinearAttentionOps();
OpTable getLoopOps();
OpTable getMatmulOps();
OpTable getMicrosoftAttentionOps();
OpTable getMicrosoftFusedOps();
OpTable getMicrosoftQLinearOps();
OpTable getMicrosoftQuantizedOps();
OpTable getMovementOps();
OpTable getNormOps();
OpTable getQuantizationOps();
OpTable getRecurrentOps();
OpTable getReductionOps();
OpTable getResizeOps();
OpTable getSamplingOps();
OpTable getSlicingOps();
OpTable getSpectralOps();

/// The newest version of the default domain whose changes the tables follow.
constexpr int64_t kNewestOpset = 28;

/// The row for an operator at a version, or null. \p oldest is set to the first
/// version there is a row for, if there is one.
const OpEntry *findOp(llvm::StringRef domain, llvm::StringRef name,
                      int64_t version, std::optional<int64_t> &oldest);

/// All rows, for tools that list what is supported.
llvm::SmallVector<OpTable> getAllOps();

} // namespace txc::frontend

#endif // TXC_PYTHON_FREE_FRONTEND_OPS_OPTABLE_H
