//===- AffineIndex.h - integer tensors that follow their index -*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Exporters compute index tensors and causal masks from ranges: an element is
/// an affine function of its place. This analysis finds that function.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_GRAPH_AFFINEINDEX_H
#define TXC_PASSES_GRAPH_AFFINEINDEX_H

#include "dialects/tx/Tx.h"

namespace txc {

/// `value[i0, i1, …] = constant + coefficients[0] * i0 + coefficients[1] * i1
/// …` The coefficient of a dim of size 1 is 0.
struct AffineIndex {
  tx::SymExprAttr constant;
  llvm::SmallVector<tx::SymExprAttr> coefficients;

  /// The one dim whose index matters, if the value is `constant + that index`.
  std::optional<unsigned> getOnlyDim() const;
  bool isConstant() const;
};

/// The function of a tensor made of iotas, constants and symbols by additions,
/// multiplications and views; nothing for other tensors.
std::optional<AffineIndex> getAffineIndex(mlir::Value value);

/// The function f with which a comparison of such tensors is `f <= 0`, or is
/// not, if `holds` is false; nothing for eq and ne.
std::optional<AffineIndex> getNonPositive(tx::CompareOp compare, bool holds);

/// Whether `compare` is known to be `holds` at every place.
bool isAlways(tx::CompareOp compare, bool holds,
              const tx::SymbolBounds &bounds);

} // namespace txc

#endif // TXC_PASSES_GRAPH_AFFINEINDEX_H
