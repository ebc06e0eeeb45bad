//===- ParseDeclarations.cpp - Reads PTX's declarations ---------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Directives, variables, functions and registers. See Parser.h.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Parser.h"

#include <cstring>

using namespace ptxsim;

void Parser::skipLine() {
  int line = peek().line;
  while (peek().kind != Token::End && peek().line == line)
    ++position;
}

bool Parser::skipStatement() {
  while (!isAt(";")) {
    if (peek().kind == Token::End)
      return fail("';' missing");
    ++position;
  }
  ++position;
  return true;
}

bool Parser::parseTopLevel() {
  if (take(";"))
    return true;
  std::string_view text = peek().text;
  if (text == ".version" || text == ".address_size" || text == ".file" ||
      text == ".loc") {
    skipLine();
    return true;
  }
  if (take(".target")) {
    std::string_view target = peek().text;
    if (target.substr(0, 3) != "sm_")
      return fail("unknown target '" + std::string(target) + "'");
    module.sm = static_cast<int>(
        std::strtol(std::string(target.substr(3)).c_str(), nullptr, 10));
    skipLine();
    return true;
  }
  if (text == ".pragma")
    return skipStatement();
  if (take(".section")) {
    // Debug information.
    while (!isAt("}")) {
      if (peek().kind == Token::End)
        return fail("'}' missing");
      ++position;
    }
    ++position;
    return true;
  }
  bool isExternal = false;
  while (take(".visible") || take(".weak") || take(".common") ||
         isAt(".extern"))
    isExternal |= take(".extern");
  if (take(".entry"))
    return parseFunction(true);
  if (take(".func"))
    return parseFunction(false);
  if (take(".global"))
    return parseVariable(Space::Global, isExternal);
  if (take(".const"))
    return parseVariable(Space::Const, isExternal);
  if (take(".shared"))
    return parseVariable(Space::Shared, isExternal);
  return fail("unexpected '" + std::string(peek().text) + "'");
}

bool Parser::parseVariableType(Variable &variable, bool &hasAlignment) {
  int elements = 1;
  variable.type = Type::None;
  hasAlignment = false;
  while (peek().kind == Token::Word && peek().text[0] == '.') {
    std::string_view text = peek().text;
    ++position;
    if (text == ".align") {
      hasAlignment = true;
      if (!takeInteger(variable.alignment))
        return false;
      if (!variable.alignment || variable.alignment > 1 << 20 ||
          (variable.alignment & (variable.alignment - 1)))
        return fail("alignment is no power of two");
    } else if (text == ".v2") {
      elements = 2;
    } else if (text == ".v4") {
      elements = 4;
    } else if (text == ".attribute") {
      while (!take(")")) {
        if (peek().kind == Token::End)
          return fail("')' missing");
        ++position;
      }
    } else if (text == ".ptr") {
      // What a pointer points to; its .align is not the parameter's.
      while (isAt(".global") || isAt(".const") || isAt(".local") ||
             isAt(".shared") || isAt(".align")) {
        uint64_t alignment;
        if (!take(".align"))
          ++position;
        else if (!takeInteger(alignment))
          return false;
      }
    } else if (variable.type = parseType(text.substr(1));
               variable.type == Type::None || variable.type == Type::Pred) {
      return fail("unknown type '" + std::string(text) + "'");
    }
  }
  if (variable.type == Type::None)
    return fail("a type is missing");
  variable.size = uint64_t(getBytes(variable.type)) * elements;
  if (!hasAlignment)
    variable.alignment = variable.size;
  return true;
}

bool Parser::multiplySize(Variable &variable, uint64_t count) {
  constexpr uint64_t most = uint64_t(1) << 40;
  if (variable.size && count > most / variable.size)
    return fail("'" + variable.name + "' is too large");
  variable.size *= count;
  return true;
}

bool Parser::parseVariable(Space space, bool isExternal) {
  Variable base;
  bool hasAlignment;
  if (!parseVariableType(base, hasAlignment))
    return false;
  do {
    Variable variable = base;
    variable.space = space;
    if (!takeName(variable.name))
      return false;
    bool isOpen = false, isArray = false;
    while (take("[")) {
      uint64_t count = 0;
      isArray = true;
      if (isAt("]"))
        isOpen = true;
      else if (!takeInteger(count))
        return false;
      if (!multiplySize(variable, count) || !expect("]"))
        return false;
    }
    if (take("=") && !parseInitial(variable))
      return false;
    if (isArray && isOpen && !variable.initial.empty())
      variable.size = variable.initial.size();
    variable.isDynamic = space == Space::Shared && isOpen;
    variable.isExternal = isExternal && !variable.isDynamic;
    if (variable.initial.size() > variable.size)
      return fail("'" + variable.name + "' has too many initial values");
    // Static shared variables of a function are the block's like the module's.
    if (function) {
      scopes[scope].variables[variable.name] = function->variables.size();
      function->variables.push_back(std::move(variable));
    } else {
      moduleVariables[variable.name] = module.variables.size();
      module.variables.push_back(std::move(variable));
    }
  } while (take(","));
  return expect(";");
}

bool Parser::parseInitial(Variable &variable) {
  uint64_t offset = 0;
  return parseInitialValue(variable, offset);
}

bool Parser::parseInitialValue(Variable &variable, uint64_t &offset) {
  if (take("{")) {
    if (!enter())
      return false;
    if (!isAt("}")) {
      do {
        if (!parseInitialValue(variable, offset))
          return false;
      } while (take(","));
    }
    --depth;
    return expect("}");
  }
  size_t bytes = getBytes(variable.type);
  variable.initial.resize(offset + bytes);
  if (peek().kind == Token::Word) {
    Variable::Reference reference{offset, "", 0};
    bool isGeneric = take("generic") && take("(");
    if (!takeName(reference.name) || (isGeneric && !expect(")")))
      return false;
    if (take("+")) {
      uint64_t addend;
      if (!takeInteger(addend))
        return false;
      reference.addend = addend;
    }
    variable.references.push_back(reference);
    offset += bytes;
    return true;
  }
  bool isNegative = take("-");
  NumberValue number;
  if (peek().kind != Token::Number || !parseNumber(peek().text, number))
    return fail("expected a value, found '" + std::string(peek().text) + "'");
  ++position;
  uint64_t bits = number.bits;
  if (number.kind == NumberValue::Integer) {
    bits = isNegative ? -bits : bits;
  } else {
    if (number.kind == NumberValue::Double && variable.type == Type::F32) {
      double wide;
      std::memcpy(&wide, &bits, 8);
      float narrow = float(wide);
      bits = 0;
      std::memcpy(&bits, &narrow, 4);
    }
    if (isNegative)
      bits ^= uint64_t(1) << (bytes * 8 - 1);
  }
  std::memcpy(variable.initial.data() + offset, &bits,
              std::min<size_t>(bytes, 8));
  offset += bytes;
  return true;
}

bool Parser::parseParameters(Function &target, int &count) {
  count = 0;
  if (take(")"))
    return true;
  do {
    bool isRegister = take(".reg");
    if (isRegister)
      return fail("functions with register parameters are not supported");
    if (!expect(".param"))
      return false;
    Variable variable;
    variable.space = Space::Param;
    bool hasAlignment;
    if (!parseVariableType(variable, hasAlignment) || !takeName(variable.name))
      return false;
    while (take("[")) {
      uint64_t size = 0;
      if ((!isAt("]") && !takeInteger(size)) || !expect("]") ||
          !multiplySize(variable, size))
        return false;
    }
    target.variables.push_back(std::move(variable));
    ++count;
  } while (take(","));
  return expect(")");
}

bool Parser::parseFunctionDirectives(Function &target) {
  while (!isAt("{") && !isAt(";")) {
    std::string directive(peek().text);
    ++position;
    uint64_t values[3] = {1, 1, 1};
    if (directive == ".reqntid" || directive == ".maxntid" ||
        directive == ".minnctapersm" || directive == ".maxnctapersm" ||
        directive == ".maxnreg" || directive == ".reqnctapercluster" ||
        directive == ".maxclusterrank") {
      int i = 0;
      do {
        if (i == 3)
          return fail("too many extents");
        if (!takeInteger(values[i++]))
          return false;
      } while (take(","));
      if (directive == ".reqntid")
        for (int k = 0; k < 3; ++k)
          target.requiredThreads[k] = values[k];
      if (directive == ".maxntid")
        target.maximumThreads = values[0] * values[1] * values[2];
      if (directive == ".reqnctapercluster" &&
          values[0] * values[1] * values[2] != 1)
        return fail("clusters are not supported");
    } else if (directive == ".pragma") {
      if (!skipStatement())
        return false;
    } else if (directive != ".noreturn") {
      --position;
      return fail("unknown directive '" + directive + "'");
    }
  }
  return true;
}

bool Parser::parseFunction(bool isEntry) {
  auto created = std::make_unique<Function>();
  created->isEntry = isEntry;
  created->line = peek().line;
  std::vector<Variable> results;
  if (!isEntry && take("(")) {
    if (!parseParameters(*created, created->results))
      return false;
    results.swap(created->variables);
  }
  if (!takeName(created->name))
    return false;
  if (take("(") && !parseParameters(*created, created->parameters))
    return false;
  for (Variable &result : results)
    created->variables.push_back(std::move(result));
  if (!parseFunctionDirectives(*created))
    return false;
  created->isDefined = isAt("{");
  if (created->isDefined) {
    function = created.get();
    bool isParsed = parseBody();
    function = nullptr;
    if (!isParsed)
      return false;
  } else {
    ++position;
  }
  for (std::unique_ptr<Function> &known : module.functions)
    if (known->name == created->name) {
      // A declaration before the definition.
      if (known->isDefined && created->isDefined)
        return fail("'" + created->name + "' is defined twice");
      if (created->isDefined)
        known = std::move(created);
      return true;
    }
  module.functions.push_back(std::move(created));
  return true;
}

bool Parser::parseRegisters() {
  ++position;
  Type type = parseType(peek().text.empty() ? "" : peek().text.substr(1));
  if (type == Type::None)
    return fail("unknown register type '" + std::string(peek().text) + "'");
  ++position;
  do {
    std::string name;
    if (!takeName(name))
      return false;
    auto &names = scopes[scope].registers;
    if (take("<")) {
      uint64_t count;
      if (!takeInteger(count) || !expect(">"))
        return false;
      if (count > 1000000 || function->registers.size() > 1000000)
        return fail("too many registers");
      for (uint64_t i = 0; i < count; ++i) {
        names[name + std::to_string(i)] = function->registers.size();
        function->registers.push_back(type);
      }
    } else {
      names[name] = function->registers.size();
      function->registers.push_back(type);
    }
  } while (take(","));
  return expect(";");
}
