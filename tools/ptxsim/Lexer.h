//===- Lexer.h - Words of PTX text ------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Splits PTX into words, numbers and marks, without comments, each with its
/// line.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_LEXER_H
#define TXC_TOOLS_PTXSIM_LEXER_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ptxsim {

struct Token {
  enum Kind { Word, Number, String, Mark, End } kind;
  /// Refers to the text that was split.
  std::string_view text;
  int line;
};

/// Words are identifiers with all their dots (`ld.global.v4.b32`, `%tid.x`,
/// `.reg`). The last token is an End. False with a reason and a line.
bool splitTokens(std::string_view text, std::vector<Token> &tokens,
                 std::string &error, int &line);

/// The value of an integer, 0f… or 0d… (as bits), or decimal fraction (as the
/// bits of a double); false if it is no number of PTX.
struct NumberValue {
  enum Kind { Integer, Single, Double } kind = Integer;
  uint64_t bits = 0;
};
bool parseNumber(std::string_view text, NumberValue &value);

} // namespace ptxsim

#endif // TXC_TOOLS_PTXSIM_LEXER_H
