//===- TokenAxes.h - where tensors have a batch's tokens -------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// An encoder computes most of what it computes token by token: an element of a
/// result depends on its own token alone. Which ops do, and which axes of their
/// operands and results count tokens, is what these functions tell.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_ATTENTION_TOKENAXES_H
#define TXC_PASSES_ATTENTION_TOKENAXES_H

#include "dialects/tx/Tx.h"

namespace txc {

/// The axes of a tensor that count sentences and places within one, or the one
/// axis that counts both.
struct TokenAxes {
  std::optional<unsigned> batch;
  unsigned place;

  bool operator==(const TokenAxes &other) const {
    return batch == other.batch && place == other.place;
  }
  bool operator!=(const TokenAxes &other) const { return !(*this == other); }
  bool contains(unsigned axis) const { return axis == place || batch == axis; }
};

/// The dims of tokens.
struct TokenDims {
  tx::SymExprAttr batch, places;

  tx::SymExprAttr getCount() const { return mul(batch, places); }
  /// Whether the tensor has the dims at the axes.
  bool match(mlir::RankedTensorType type, TokenAxes axes) const;
};

/// What an op's result of some token axes reads of an operand.
struct TokenRole {
  enum Kind {
    /// The same token's part.
    Token,
    /// The same place's part, whatever the sentence.
    Place,
    /// The same sentence's part, whatever the place.
    Sentence,
    /// The same for all tokens.
    Same,
    /// The mask of the keys.
    KeyMask
  };
  Kind kind;
  /// Where the tokens, places (`place`) or sentences (`batch`) are.
  TokenAxes axes = {std::nullopt, 0};
};

/// The roles of the operands if the op computes its only result token by token
/// at these axes; attention does where it has a mask, which is to hide what is
/// no token. Nothing otherwise.
std::optional<llvm::SmallVector<TokenRole>>
getTokenRoles(mlir::Operation *op, TokenAxes result, const TokenDims &dims);

/// The token axes of the op's only result, given those of an operand, if it
/// computes it token by token.
std::optional<TokenAxes> getResultAxes(mlir::OpOperand &operand, TokenAxes axes,
                                       const TokenDims &dims);

/// The tensor that `value` is a view of (reshapes, broadcasts), as far as it
/// has tokens, and its token axes.
std::pair<mlir::Value, TokenAxes>
lookThroughTokenViews(mlir::Value value, TokenAxes axes, const TokenDims &dims);

} // namespace txc

#endif // TXC_PASSES_ATTENTION_TOKENAXES_H
