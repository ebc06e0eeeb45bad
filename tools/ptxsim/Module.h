//===- Module.h - PTX as it was written -------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// What a PTX text declares: variables, functions and their statements, with
/// names resolved but nothing interpreted.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_MODULE_H
#define TXC_TOOLS_PTXSIM_MODULE_H

#include "tools/ptxsim/Type.h"

#include <memory>
#include <string>
#include <vector>

namespace ptxsim {

enum class Space : uint8_t { Generic, Global, Shared, Local, Param, Const };

struct Variable {
  std::string name;
  Space space = Space::Global;
  Type type = Type::B8;
  uint64_t size = 0;
  uint64_t alignment = 1;
  /// `extern .shared x[]`: begins behind the static shared memory.
  bool isDynamic = false;
  /// Declared `.extern` and defined nowhere here.
  bool isExternal = false;
  std::vector<uint8_t> initial;
  /// Addresses of other variables in the initial value.
  struct Reference {
    uint64_t offset;
    std::string name;
    int64_t addend;
  };
  std::vector<Reference> references;
};

struct Operand {
  enum Kind {
    /// `_`
    Sink,
    Register,
    Integer,
    Single,
    Double,
    /// `%tid.x` and the like, by name.
    Special,
    /// A variable of the function, of the module, or another name (function).
    FunctionVariable,
    ModuleVariable,
    Name,
    /// `[base + value]`; the base is the only element.
    Address,
    /// `{a, b}` or `(a, b)`.
    Vector,
  } kind = Sink;
  /// Of the register or variable.
  int index = -1;
  /// `p|q`: the second destination.
  int second = -1;
  /// `!p`
  bool isNegated = false;
  /// Bits of an immediate, offset of an address.
  uint64_t value = 0;
  std::string name;
  std::vector<Operand> elements;
};

struct Statement {
  std::string opcode;
  std::vector<std::string> modifiers;
  std::vector<Operand> operands;
  /// Register of the guard; -1 without one.
  int guard = -1;
  bool isGuardNegated = false;
  int line = 0;
  /// Where branches go: a number of a statement of this function.
  std::vector<int> targets;

  std::string getText() const;
};

struct Function {
  std::string name;
  bool isEntry = false;
  bool isDefined = false;
  std::vector<Type> registers;
  /// Of all scopes: parameters first, then results, then what it declares.
  std::vector<Variable> variables;
  int parameters = 0;
  int results = 0;
  std::vector<Statement> statements;
  int line = 0;
  /// 0 where nothing is said.
  int requiredThreads[3] = {0, 0, 0};
  int maximumThreads = 0;
};

struct Module {
  int sm = 0;
  std::vector<Variable> variables;
  std::vector<std::unique_ptr<Function>> functions;

  const Function *findFunction(std::string_view name) const;
};

/// Reads PTX text. False with "line N: reason".
bool parseModule(std::string_view text, Module &module, std::string &error);

} // namespace ptxsim

#endif // TXC_TOOLS_PTXSIM_MODULE_H
