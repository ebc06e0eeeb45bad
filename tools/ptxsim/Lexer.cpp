//===- Lexer.cpp - Words of PTX text ----------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Lexer.h.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Lexer.h"

#include <cctype>
#include <cstdlib>
#include <cstring>

using namespace ptxsim;

static bool isWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' ||
         c == '%' || c == '.';
}

bool ptxsim::splitTokens(std::string_view text, std::vector<Token> &tokens,
                         std::string &error, int &line) {
  line = 1;
  size_t i = 0, size = text.size();
  auto at = [&](size_t k) { return k < size ? text[k] : '\0'; };
  while (i < size) {
    char c = text[i];
    if (c == '\n') {
      ++line;
      ++i;
      continue;
    }
    if (std::isspace(static_cast<unsigned char>(c)) || c == '\0') {
      ++i;
      continue;
    }
    if (c == '/' && at(i + 1) == '/') {
      while (i < size && text[i] != '\n')
        ++i;
      continue;
    }
    if (c == '/' && at(i + 1) == '*') {
      size_t end = text.find("*/", i + 2);
      if (end == text.npos) {
        error = "comment without an end";
        return false;
      }
      for (; i < end + 2; ++i)
        line += text[i] == '\n';
      continue;
    }
    if (c == '"') {
      size_t end = text.find('"', i + 1);
      if (end == text.npos) {
        error = "string without an end";
        return false;
      }
      tokens.push_back({Token::String, text.substr(i + 1, end - i - 1), line});
      i = end + 1;
      continue;
    }
    size_t end = i;
    if (std::isdigit(static_cast<unsigned char>(c))) {
      // 1e-5 and the like; a sign elsewhere is an operator.
      while (end < size &&
             (std::isalnum(static_cast<unsigned char>(text[end])) ||
              text[end] == '.' ||
              ((text[end] == '-' || text[end] == '+') &&
               (text[end - 1] == 'e' || text[end - 1] == 'E') &&
               text.substr(i, 2) != "0x")))
        ++end;
      tokens.push_back({Token::Number, text.substr(i, end - i), line});
      i = end;
      continue;
    }
    if (isWordCharacter(c)) {
      while (end < size && (isWordCharacter(text[end]) ||
                            (text[end] == ':' && at(end + 1) == ':' &&
                             isWordCharacter(at(end + 2)))))
        end += text[end] == ':' ? 2 : 1;
      tokens.push_back({Token::Word, text.substr(i, end - i), line});
      i = end;
      continue;
    }
    if (!std::strchr("()[]{}<>,;:+-!@|=~*/&^?", c)) {
      error = std::string("unexpected character '") + c + "'";
      return false;
    }
    tokens.push_back({Token::Mark, text.substr(i, 1), line});
    ++i;
  }
  tokens.push_back({Token::End, {}, line});
  return true;
}

bool ptxsim::parseNumber(std::string_view text, NumberValue &value) {
  std::string copy(text);
  char *end = nullptr;
  auto isHex = [&](size_t digits) {
    if (copy.size() != digits + 2)
      return false;
    value.bits = std::strtoull(copy.c_str() + 2, &end, 16);
    return *end == '\0';
  };
  if (copy.size() > 2 && copy[0] == '0' && (copy[1] | 32) == 'f') {
    value.kind = NumberValue::Single;
    return isHex(8);
  }
  if (copy.size() > 2 && copy[0] == '0' && (copy[1] | 32) == 'd') {
    value.kind = NumberValue::Double;
    return isHex(16);
  }
  bool prefixed = copy.size() > 2 && copy[0] == '0' && std::isalpha(copy[1]);
  if (!prefixed && copy.find_first_of(".eE") != copy.npos) {
    double number = std::strtod(copy.c_str(), &end);
    value.kind = NumberValue::Double;
    std::memcpy(&value.bits, &number, 8);
    return *end == '\0';
  }
  value.kind = NumberValue::Integer;
  if (!copy.empty() && copy.back() == 'U')
    copy.pop_back();
  if (copy.size() > 2 && copy[0] == '0' && (copy[1] | 32) == 'b') {
    value.bits = std::strtoull(copy.c_str() + 2, &end, 2);
    return *end == '\0';
  }
  value.bits = std::strtoull(copy.c_str(), &end, 0);
  return end != copy.c_str() && *end == '\0';
}
