//===- DimText.cpp - dims that exporters write as expressions -------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// `past_sequence_length + sequence_length`, `2*s0 - 1` in a dim_param.
//
//===----------------------------------------------------------------------===//

#include "dialects/tx/SymExpr.h"
#include "python-free-frontend/DimSymbols.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::SymExprAttr;

namespace {
/// Recursive descent; null at the first thing that is not understood.
/// Parentheses nest at most `maxDepth` deep.
class Parser {
public:
  Parser(MLIRContext *context, StringRef text, const llvm::StringSet<> &names)
      : context(context), rest(text.ltrim()), names(names) {}

  SymExprAttr parse() {
    SymExprAttr sum = parseSum(0);
    return rest.empty() ? sum : nullptr;
  }

private:
  static constexpr unsigned maxDepth = 16;

  bool consume(StringRef token) {
    if (!rest.consume_front(token))
      return false;
    rest = rest.ltrim();
    return true;
  }

  SymExprAttr parseSum(unsigned depth) {
    SymExprAttr sum = parseProduct(depth);
    while (sum) {
      bool isSum = consume("+");
      if (!isSum && !consume("-"))
        break;
      SymExprAttr term = parseProduct(depth);
      if (!term)
        return nullptr;
      sum = isSum ? tx::add(sum, term) : tx::sub(sum, term);
    }
    return sum;
  }

  SymExprAttr parseProduct(unsigned depth) {
    SymExprAttr product = parseFactor(depth);
    while (product && consume("*")) {
      SymExprAttr factor = parseFactor(depth);
      product = factor ? tx::mul(product, factor) : nullptr;
    }
    return product;
  }

  SymExprAttr parseFactor(unsigned depth) {
    if (consume("(")) {
      SymExprAttr inner = depth < maxDepth ? parseSum(depth + 1) : nullptr;
      return consume(")") ? inner : nullptr;
    }
    StringRef word = rest.take_while([](char c) {
      return llvm::isAlnum(c) || c == '_' || c == '.' || c == ':';
    });
    rest = rest.drop_front(word.size()).ltrim();
    int64_t value;
    if (!word.getAsInteger(10, value))
      return tx::getConstantExpr(context, value);
    return names.contains(word) ? tx::getSymbolExpr(context, word) : nullptr;
  }

  MLIRContext *context;
  StringRef rest;
  const llvm::StringSet<> &names;
};
} // namespace

SymExprAttr frontend::parseDimText(MLIRContext *context, StringRef text,
                                   const llvm::StringSet<> &names) {
  return Parser(context, text, names).parse();
}

bool frontend::isDimName(StringRef text) {
  return text.find_first_of("+-*/() ") == StringRef::npos;
}
