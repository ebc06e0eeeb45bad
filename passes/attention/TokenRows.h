//===- TokenRows.h - the tokens of a batch as rows -------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The ops that find out which tokens of a padded batch are kept, and those
/// that take tensors from the padded form, `[B, S, …]`, to rows, `[1, T, …]`,
/// and back. A tensor keeps its rank and its other axes.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_ATTENTION_TOKENROWS_H
#define TXC_PASSES_ATTENTION_TOKENROWS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/attention/TokenAxes.h"

namespace txc {

class TokenRows {
public:
  TokenRows(const TokenDims &dims, mlir::func::FuncOp function)
      : dims(dims), function(function) {}

  /// Keeps tokens where the mask is true, all of a sentence where it nowhere
  /// is, and those at `places`. Declares and defines the symbol of their
  /// number.
  void define(mlir::OpBuilder &b, mlir::Value mask,
              llvm::ArrayRef<int64_t> places);

  /// The first row of each sentence, and behind the last one: i64 `[B + 1]`.
  mlir::Value getStarts() const { return starts; }
  /// The mask that `define` was given, of the rows: `[1, 1, 1, T]`.
  mlir::Value gatherKeyMask(mlir::OpBuilder &b);

  /// The type of the rows of a tensor.
  mlir::RankedTensorType getRowsType(mlir::RankedTensorType type,
                                     TokenAxes axes) const;
  mlir::Value gather(mlir::OpBuilder &b, mlir::Value tensor, TokenAxes axes);
  /// Of a tensor with places or sentences alone.
  mlir::Value gatherPartial(mlir::OpBuilder &b, mlir::Value tensor,
                            const TokenRole &role);
  /// The padded form, with the number where no row is, or, if `hides`, where
  /// the mask is false: there are rows of padding too.
  mlir::Value scatter(mlir::OpBuilder &b, mlir::Value rows, TokenAxes axes,
                      double padding, bool hides);
  /// The tokens at a place that is kept in all sentences: `[B, 1, …]`.
  mlir::Value gatherPlace(mlir::OpBuilder &b, mlir::Value rows, TokenAxes axes,
                          int64_t place);

private:
  tx::SymExprAttr declareCount();

  TokenDims dims;
  mlir::func::FuncOp function;
  /// T.
  tx::SymExprAttr count;
  /// i1 `[B, S]`.
  mlir::Value mask, kept;
  /// Which token of `[B * S]` a row is, and its place and sentence: i64 `[T]`.
  mlir::Value tokens, places, sentences;
  /// The row of each token that is kept: i64 `[B, S]`.
  mlir::Value numbers;
  mlir::Value starts;
};

} // namespace txc

#endif // TXC_PASSES_ATTENTION_TOKENROWS_H
