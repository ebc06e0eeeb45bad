//===- Parser.cpp - Reads PTX text ------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Statements and their operands. See Parser.h.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Parser.h"

using namespace ptxsim;

std::string Statement::getText() const {
  std::string text = opcode;
  for (const std::string &modifier : modifiers)
    text += "." + modifier;
  return text;
}

const Function *Module::findFunction(std::string_view name) const {
  for (const std::unique_ptr<Function> &function : functions)
    if (function->name == name)
      return function.get();
  return nullptr;
}

bool ptxsim::parseModule(std::string_view text, Module &module,
                         std::string &error) {
  Parser parser(module);
  if (parser.parse(text))
    return true;
  error = parser.error;
  return false;
}

bool Parser::parse(std::string_view text) {
  int line = 0;
  if (!splitTokens(text, tokens, error, line)) {
    error = "line " + std::to_string(line) + ": " + error;
    return false;
  }
  while (peek().kind != Token::End)
    if (!parseTopLevel())
      return false;
  return true;
}

bool Parser::fail(const std::string &reason) {
  if (error.empty())
    error = "line " + std::to_string(peek().line) + ": " + reason;
  return false;
}

bool Parser::expect(std::string_view text) {
  if (take(text))
    return true;
  return fail("expected '" + std::string(text) + "', found '" +
              std::string(peek().text) + "'");
}

bool Parser::takeInteger(uint64_t &value) {
  NumberValue number;
  if (peek().kind != Token::Number || !parseNumber(peek().text, number) ||
      number.kind != NumberValue::Integer)
    return fail("expected an integer, found '" + std::string(peek().text) +
                "'");
  value = number.bits;
  ++position;
  return true;
}

bool Parser::takeName(std::string &name) {
  if (peek().kind != Token::Word || peek().text[0] == '.')
    return fail("expected a name, found '" + std::string(peek().text) + "'");
  name = peek().text;
  ++position;
  return true;
}

const int *Parser::findRegister(std::string_view name) const {
  for (int i = scope; i >= 0; i = scopes[i].parent)
    if (auto it = scopes[i].registers.find(name);
        it != scopes[i].registers.end())
      return &it->second;
  return nullptr;
}

bool Parser::parseBody() {
  scopes.assign(1, Scope());
  scope = 0;
  branches.clear();
  for (int i = 0; i < int(function->variables.size()); ++i)
    scopes[0].variables[function->variables[i].name] = i;
  if (!parseBlock())
    return false;
  // Falling off the end returns.
  Statement end;
  end.opcode = "ret";
  end.line = tokens[position - 1].line;
  function->statements.push_back(end);
  return resolveBranches();
}

bool Parser::parseBlock() {
  if (!expect("{") || !enter())
    return false;
  scopes.emplace_back();
  scopes.back().parent = scope;
  scope = scopes.size() - 1;
  while (!isAt("}")) {
    if (peek().kind == Token::End)
      return fail("'}' missing");
    if (isAt("{")) {
      if (!parseBlock())
        return false;
    } else if (!parseStatement()) {
      return false;
    }
  }
  ++position;
  --depth;
  scope = scopes[scope].parent;
  return true;
}

bool Parser::parseLabels(std::string_view label) {
  // name: .branchtargets a, b;
  Scope &current = scopes[scope];
  bool isKnown = current.labels.count(label) || current.tables.count(label);
  if (isKnown)
    return fail("label '" + std::string(label) + "' is there already");
  if (take(".branchtargets")) {
    std::vector<std::string> &table = current.tables[std::string(label)];
    do {
      std::string name;
      if (!takeName(name))
        return false;
      table.push_back(name);
    } while (take(","));
    return expect(";");
  }
  if (isAt(".callprototype") || isAt(".calltargets"))
    return fail("calls through pointers are not supported");
  current.labels[std::string(label)] = function->statements.size();
  return true;
}

bool Parser::parseStatement() {
  if (take(";"))
    return true;
  std::string_view text = peek().text;
  if (text == ".reg")
    return parseRegisters();
  static const std::pair<std::string_view, Space> spaces[] = {
      {".shared", Space::Shared}, {".local", Space::Local},
      {".global", Space::Global}, {".const", Space::Const},
      {".param", Space::Param},
  };
  for (auto [name, space] : spaces)
    if (take(name))
      return parseVariable(space, false);
  if (text == ".loc" || text == ".file") {
    skipLine();
    return true;
  }
  if (text == ".pragma")
    return skipStatement();
  if (peek().kind == Token::Word && peek(1).text == ":") {
    position += 2;
    return parseLabels(text);
  }

  Statement statement;
  statement.line = peek().line;
  if (take("@")) {
    statement.isGuardNegated = take("!");
    const int *guard = findRegister(peek().text);
    if (!guard || function->registers[*guard] != Type::Pred)
      return fail("'" + std::string(peek().text) + "' is no predicate");
    statement.guard = *guard;
    ++position;
  }
  text = peek().text;
  if (peek().kind != Token::Word || text[0] == '.')
    return fail("expected an instruction, found '" + std::string(text) + "'");
  ++position;
  size_t dot = text.find('.');
  statement.opcode = text.substr(0, dot);
  while (dot != text.npos) {
    size_t next = text.find('.', dot + 1);
    statement.modifiers.emplace_back(text.substr(dot + 1, next - dot - 1));
    dot = next;
  }
  if (!isAt(";")) {
    do {
      if (!parseOperand(statement.operands.emplace_back()))
        return false;
    } while (take(","));
  }
  bool isBranch = statement.opcode == "bra" || statement.opcode == "brx";
  if (isBranch) {
    if (statement.operands.empty() ||
        statement.operands.back().kind != Operand::Name)
      return fail(statement.opcode + " needs a label");
    branches.push_back({function->statements.size(), scope,
                        statement.operands.back().name,
                        statement.opcode == "brx"});
  }
  function->statements.push_back(std::move(statement));
  return expect(";");
}

bool Parser::resolveBranches() {
  auto findLabel = [&](int from, std::string_view name) {
    for (int i = from; i >= 0; i = scopes[i].parent)
      if (auto it = scopes[i].labels.find(name); it != scopes[i].labels.end())
        return it->second;
    return -1;
  };
  for (const Branch &branch : branches) {
    Statement &statement = function->statements[branch.statement];
    std::vector<std::string> names = {branch.label};
    if (branch.isTable) {
      names.clear();
      for (int i = branch.scope; i >= 0 && names.empty(); i = scopes[i].parent)
        if (auto it = scopes[i].tables.find(branch.label);
            it != scopes[i].tables.end())
          names = it->second;
    }
    for (const std::string &name : names)
      statement.targets.push_back(findLabel(branch.scope, name));
    bool isMissing = statement.targets.empty();
    for (int target : statement.targets)
      isMissing |= target < 0;
    if (isMissing) {
      error = "line " + std::to_string(statement.line) + ": no label '" +
              branch.label + "'";
      return false;
    }
  }
  return true;
}

bool Parser::parseList(Operand &operand, char close) {
  operand.kind = Operand::Vector;
  std::string_view end(&close, 1);
  if (!enter())
    return false;
  if (!isAt(end)) {
    do {
      if (!parseOperand(operand.elements.emplace_back()))
        return false;
    } while (take(","));
  }
  --depth;
  return expect(end);
}

bool Parser::parseAddress(Operand &operand) {
  operand.kind = Operand::Address;
  if (!parseAtom(operand.elements.emplace_back()))
    return false;
  if (take("+") || isAt("-")) {
    bool isNegative = isAt("-");
    if (isNegative)
      ++position;
    uint64_t offset;
    if (!takeInteger(offset))
      return false;
    operand.value = isNegative ? -offset : offset;
  }
  return expect("]");
}

bool Parser::parseOperand(Operand &operand) {
  if (take("["))
    return parseAddress(operand);
  if (take("{"))
    return parseList(operand, '}');
  if (take("("))
    return parseList(operand, ')');
  if (!parseAtom(operand))
    return false;
  if (take("|")) {
    const int *second = findRegister(peek().text);
    if (!second && !isAt("_"))
      return fail("'" + std::string(peek().text) + "' is no register");
    operand.second = second ? *second : -1;
    ++position;
  } else if (operand.kind != Operand::Register && take("+")) {
    // An address as a value: `mov.u64 %rd1, table+8`.
    return takeInteger(operand.value);
  }
  return true;
}

bool Parser::parseAtom(Operand &operand) {
  if (take("!")) {
    operand.isNegated = true;
    const int *index = findRegister(peek().text);
    if (!index)
      return fail("'" + std::string(peek().text) + "' is no register");
    operand.kind = Operand::Register;
    operand.index = *index;
    ++position;
    return true;
  }
  bool isNegative = take("-");
  std::string_view text = peek().text;
  if (peek().kind == Token::Number) {
    NumberValue number;
    if (!parseNumber(text, number))
      return fail("'" + std::string(text) + "' is no number");
    ++position;
    operand.value = number.bits;
    switch (number.kind) {
    case NumberValue::Integer:
      operand.kind = Operand::Integer;
      if (isNegative)
        operand.value = -operand.value;
      break;
    case NumberValue::Single:
      operand.kind = Operand::Single;
      operand.value ^= isNegative ? uint64_t(1) << 31 : 0;
      break;
    case NumberValue::Double:
      operand.kind = Operand::Double;
      operand.value ^= isNegative ? uint64_t(1) << 63 : 0;
      break;
    }
    return true;
  }
  if (isNegative || peek().kind != Token::Word || text[0] == '.')
    return fail("expected an operand, found '" + std::string(text) + "'");
  ++position;
  if (text == "_")
    return true;
  if (const int *index = findRegister(text)) {
    operand.kind = Operand::Register;
    operand.index = *index;
    return true;
  }
  operand.name = text;
  for (int i = scope; i >= 0; i = scopes[i].parent)
    if (auto it = scopes[i].variables.find(text);
        it != scopes[i].variables.end()) {
      operand.kind = Operand::FunctionVariable;
      operand.index = it->second;
      return true;
    }
  if (auto it = moduleVariables.find(text); it != moduleVariables.end()) {
    operand.kind = Operand::ModuleVariable;
    operand.index = it->second;
    return true;
  }
  operand.kind =
      text[0] == '%' || text == "WARP_SZ" ? Operand::Special : Operand::Name;
  return true;
}
