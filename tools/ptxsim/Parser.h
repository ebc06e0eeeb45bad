//===- Parser.h - Reads PTX text --------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The parser's own state; Parser.cpp reads statements, ParseDeclarations.cpp
/// reads what is around them.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_PARSER_H
#define TXC_TOOLS_PTXSIM_PARSER_H

#include "tools/ptxsim/Lexer.h"
#include "tools/ptxsim/Module.h"

#include <map>

namespace ptxsim {

class Parser {
public:
  Parser(Module &module) : module(module) {}
  bool parse(std::string_view text);
  std::string error;

private:
  // Declarations.
  bool parseTopLevel();
  bool parseVariable(Space space, bool isExternal);
  bool parseVariableType(Variable &variable, bool &hasAlignment);
  bool multiplySize(Variable &variable, uint64_t count);
  bool parseInitial(Variable &variable);
  bool parseInitialValue(Variable &variable, uint64_t &offset);
  bool parseFunction(bool isEntry);
  bool parseParameters(Function &function, int &count);
  bool parseFunctionDirectives(Function &function);
  bool parseRegisters();
  void skipLine();
  bool skipStatement();

  // Statements.
  bool parseBody();
  bool parseBlock();
  bool parseStatement();
  bool parseLabels(std::string_view label);
  bool parseOperand(Operand &operand);
  bool parseAtom(Operand &operand);
  bool parseAddress(Operand &operand);
  bool parseList(Operand &operand, char close);
  bool resolveBranches();

  const Token &peek(int ahead = 0) const {
    size_t i = position + ahead;
    return tokens[i < tokens.size() ? i : tokens.size() - 1];
  }
  bool isAt(std::string_view text) const { return peek().text == text; }
  bool take(std::string_view text) {
    bool found = isAt(text) && peek().kind != Token::End;
    position += found;
    return found;
  }
  bool expect(std::string_view text);
  bool takeInteger(uint64_t &value);
  bool takeName(std::string &name);
  bool fail(const std::string &reason);

  struct Scope {
    std::map<std::string, int, std::less<>> registers, variables;
    std::map<std::string, int, std::less<>> labels;
    std::map<std::string, std::vector<std::string>, std::less<>> tables;
    int parent = -1;
  };
  const int *findRegister(std::string_view name) const;

  Module &module;
  std::vector<Token> tokens;
  size_t position = 0;
  std::map<std::string, int, std::less<>> moduleVariables;
  Function *function = nullptr;
  std::vector<Scope> scopes;
  int scope = -1;
  /// Of braces, in whatever is being read.
  int depth = 0;
  bool enter() {
    return ++depth < 200 || fail("too many braces in each other");
  }
  struct Branch {
    size_t statement;
    int scope;
    std::string label;
    bool isTable;
  };
  std::vector<Branch> branches;
};

} // namespace ptxsim

#endif // TXC_TOOLS_PTXSIM_PARSER_H
