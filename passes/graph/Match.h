//===- Match.h - matchers on values of the tx dialect ----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Small questions that recognition patterns ask of a value. None changes IR.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_GRAPH_MATCH_H
#define TXC_PASSES_GRAPH_MATCH_H

#include "dialects/tx/Tx.h"
#include "mlir/IR/PatternMatch.h"

namespace txc {

inline mlir::RankedTensorType getTensorType(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType());
}

/// The number that all elements of a constant are; looks through reshapes,
/// broadcasts and conversions between float types.
std::optional<double> matchScalar(mlir::Value value);

/// Whether a number, stored in a tensor of element type `type`, may stand for
/// `expected`: equal to within two units in the last place of the type.
bool isCloseTo(double number, double expected, mlir::Type type);

/// A value and the number it is combined with.
struct ScaledValue {
  mlir::Value value;
  double scalar;
};

/// `value * scalar`, also written `value / (1 / scalar)`; the multiplication
/// must not broadcast `value`.
std::optional<ScaledValue> matchScaling(mlir::Value value);

/// `value + scalar`.
std::optional<ScaledValue> matchOffset(mlir::Value value);

/// x of `x * x` or `pow(x, 2)`.
mlir::Value matchSquare(mlir::Value value);

/// x of `sqrt(x)` or `pow(x, 0.5)`.
mlir::Value matchSqrt(mlir::Value value);

/// x of `1 / sqrt(x)`: a reciprocal or division of a square root, the square
/// root of a reciprocal, or `pow(x, -0.5)`.
mlir::Value matchReciprocalSqrt(mlir::Value value);

/// x of `1 / x`.
mlir::Value matchReciprocal(mlir::Value value);

/// x of a conversion of floats to floats, or `value` itself.
mlir::Value lookThroughFloatCasts(mlir::Value value);

/// The operand of a binary op that is not `operand`; null if neither is.
mlir::Value getOtherOperand(mlir::Operation *binary, mlir::Value operand);

/// The one op that uses the value (once), or null.
mlir::Operation *getOnlyUser(mlir::Value value);

/// The mean's operand if value is a mean over the last `axes` dims (kept as 1).
mlir::Value matchTrailingMean(mlir::Value value, int64_t &axes);

/// A constant of `type` whose elements are all `number`.
mlir::Value createSplat(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::RankedTensorType type, double number);

/// Splits `dims` into one group of consecutive dims for each dim of `merged`,
/// whose product that dim is. Returns where each group ends, or nothing.
std::optional<llvm::SmallVector<size_t>>
groupDims(llvm::ArrayRef<tx::SymExprAttr> dims,
          llvm::ArrayRef<tx::SymExprAttr> merged);

/// One location for ops that are replaced by one.
mlir::Location fuseLocations(llvm::ArrayRef<mlir::Operation *> ops);

} // namespace txc

#endif // TXC_PASSES_GRAPH_MATCH_H
