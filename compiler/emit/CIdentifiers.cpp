//===- CIdentifiers.cpp - Names of a model as C identifiers -----*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Making identifiers and literals of C.
///
//===----------------------------------------------------------------------===//

#include "compiler/emit/CIdentifiers.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;
using namespace txc;

/// Keywords of C23 and C++23 without leading underscores, and lower-case macros
/// that compilers or the C library's headers define.
static constexpr StringLiteral reservedWords[] = {"alignas",
                                                  "alignof",
                                                  "and",
                                                  "and_eq",
                                                  "asm",
                                                  "auto",
                                                  "bitand",
                                                  "bitor",
                                                  "bool",
                                                  "break",
                                                  "case",
                                                  "catch",
                                                  "char",
                                                  "char16_t",
                                                  "char32_t",
                                                  "char8_t",
                                                  "class",
                                                  "co_await",
                                                  "co_return",
                                                  "co_yield",
                                                  "compl",
                                                  "concept",
                                                  "const",
                                                  "const_cast",
                                                  "consteval",
                                                  "constexpr",
                                                  "constinit",
                                                  "continue",
                                                  "decltype",
                                                  "default",
                                                  "delete",
                                                  "do",
                                                  "double",
                                                  "dynamic_cast",
                                                  "else",
                                                  "enum",
                                                  "explicit",
                                                  "export",
                                                  "extern",
                                                  "false",
                                                  "float",
                                                  "for",
                                                  "friend",
                                                  "goto",
                                                  "if",
                                                  "inline",
                                                  "int",
                                                  "long",
                                                  "mutable",
                                                  "namespace",
                                                  "new",
                                                  "noexcept",
                                                  "not",
                                                  "not_eq",
                                                  "nullptr",
                                                  "operator",
                                                  "or",
                                                  "or_eq",
                                                  "private",
                                                  "protected",
                                                  "public",
                                                  "register",
                                                  "reinterpret_cast",
                                                  "requires",
                                                  "restrict",
                                                  "return",
                                                  "short",
                                                  "signed",
                                                  "sizeof",
                                                  "static",
                                                  "static_assert",
                                                  "static_cast",
                                                  "struct",
                                                  "switch",
                                                  "template",
                                                  "this",
                                                  "thread_local",
                                                  "throw",
                                                  "true",
                                                  "try",
                                                  "typedef",
                                                  "typeid",
                                                  "typename",
                                                  "typeof",
                                                  "typeof_unqual",
                                                  "union",
                                                  "unsigned",
                                                  "using",
                                                  "virtual",
                                                  "void",
                                                  "volatile",
                                                  "wchar_t",
                                                  "while",
                                                  "xor",
                                                  "xor_eq",
                                                  "assert",
                                                  "complex",
                                                  "errno",
                                                  "imaginary",
                                                  "linux",
                                                  "major",
                                                  "makedev",
                                                  "minor",
                                                  "noreturn",
                                                  "offsetof",
                                                  "stderr",
                                                  "stdin",
                                                  "stdout",
                                                  "unix"};

static bool isIdentifierChar(char c) { return isAlnum(c) || c == '_'; }

std::string txc::makeCIdentifier(StringRef name) {
  std::string identifier;
  for (char c : name)
    identifier += isIdentifierChar(c) ? c : '_';
  // Leading underscores and double ones belong to the implementation.
  identifier = StringRef(identifier).ltrim('_').str();
  for (size_t at; (at = identifier.find("__")) != std::string::npos;)
    identifier.erase(at, 1);
  if (identifier.empty() || isDigit(identifier.front()))
    identifier.insert(0, "v");
  if (none_of(identifier, isLower))
    identifier = StringRef(identifier).lower();
  if (is_contained(reservedWords, StringRef(identifier)))
    identifier += "_";
  return identifier;
}

CIdentifiers::CIdentifiers(ArrayRef<StringRef> taken) {
  used.insert(taken.begin(), taken.end());
}

std::string CIdentifiers::add(StringRef name) {
  std::string stem = makeCIdentifier(name);
  std::string identifier = stem;
  for (unsigned number = 2; !used.insert(identifier).second; ++number)
    identifier = (StringRef(stem).rtrim('_') + "_" + Twine(number)).str();
  return identifier;
}

std::string txc::makeCString(StringRef text) {
  std::string literal = "\"";
  for (unsigned char c : text) {
    // '?' might begin a trigraph.
    if (isPrint(c) && c != '"' && c != '\\' && c != '?') {
      literal += static_cast<char>(c);
      continue;
    }
    // Three octal digits end by themselves, whatever follows.
    literal += '\\';
    for (unsigned shift : {6, 3, 0})
      literal += static_cast<char>('0' + ((c >> shift) & 7));
  }
  return literal + "\"";
}
