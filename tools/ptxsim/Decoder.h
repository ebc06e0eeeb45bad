//===- Decoder.h - Decodes statements ---------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// What a family of instructions needs to turn a statement into an operation:
/// its modifiers one after the other, places of operands, addresses. The
/// families are tables, listed in Instructions.h.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_DECODER_H
#define TXC_TOOLS_PTXSIM_DECODER_H

#include "tools/ptxsim/Program.h"

#include <map>

namespace ptxsim {

class Decoder {
public:
  Decoder(Program &program, const Module &module, const ModuleLayout &layout)
      : program(program), module(module), layout(layout) {}
  bool decode(const Function &function);
  std::string error;

  //===--- Modifiers ------------------------------------------------------===//

  /// Modifiers are taken; one that is left over is an error.
  bool take(std::string_view modifier);
  /// The number of the one that is there, -1 if none is.
  int takeOneOf(std::initializer_list<std::string_view> modifiers);
  bool has(std::string_view modifier) const;
  /// The first one that names a type; None with an error if there is none.
  Type takeType();
  /// None without an error.
  Type takeOptionalType();

  //===--- Operands -------------------------------------------------------===//

  const Statement &getStatement() const { return *statement; }
  size_t getNumOperands() const { return statement->operands.size(); }
  bool expectOperands(size_t least, size_t most);
  bool expectOperands(size_t count) { return expectOperands(count, count); }
  /// Place of a value of exactly this many bits, or of an immediate, which
  /// becomes one of the type.
  bool source(size_t operand, Type type, uint32_t &slot);
  bool source(const Operand &operand, Type type, uint32_t &slot);
  /// Registers may be wider or narrower; `bits` is how wide it is.
  bool sourceOfAnyWidth(const Operand &operand, Type type, uint32_t &slot,
                        int &bits);
  bool destination(size_t operand, Type type, uint32_t &slot);
  bool destination(const Operand &operand, Type type, uint32_t &slot);
  bool destinationOfAnyWidth(const Operand &operand, Type type, uint32_t &slot,
                             int &bits);
  /// A predicate; `isNegated` if it says `!p`.
  bool predicate(const Operand &operand, uint32_t &slot, bool &isNegated);
  bool isPredicate(const Operand &operand) const;
  bool predicateDestination(const Operand &operand, uint32_t &slot);
  /// -1: to nowhere.
  bool predicateDestination(int registerIndex, uint32_t &slot);
  /// Elements of {…}, or the operand itself, appended to the program's lists.
  bool sources(size_t operand, Type type, size_t count);
  bool destinations(size_t operand, Type type, size_t count);
  bool immediate(size_t operand, uint64_t &value);
  /// [base + offset] to op.a, op.imm and op.width (bytes of the base). The
  /// space becomes the one of a variable that is not where it seems: parameters
  /// of functions are local.
  bool address(size_t operand, Op &op, Space &space);
  /// Where a list begins.
  uint32_t beginList() const { return program.lists.size(); }
  uint32_t constant(uint64_t bits, bool isWide);
  uint32_t temporary(int bits);
  /// The carry flags of the lanes: a predicate.
  uint32_t carry() {
    return carryPlace ? carryPlace : carryPlace = temporary(1);
  }

  bool fail(const std::string &reason);
  bool failModifiers();

  /// Added behind what there is; for instructions that are several operations.
  Op &emit();
  bool emitCall();
  bool emitReturn();

  Program &program;

private:
  struct Instance {
    const Function *function;
    std::vector<uint32_t> slots;
    /// Offset of a variable in its space.
    std::vector<uint64_t> variables;
    std::vector<uint32_t> starts;
    std::vector<size_t> branches, returns;
    int depth = 0;
  };
  bool decodeInstance(Instance &instance);
  bool decodeStatement(const Statement &statement);
  void placeRegisters(Instance &instance);
  bool placeVariables(Instance &instance);
  bool special(const Operand &operand, Type type, uint32_t &slot);
  bool variableAddress(const Operand &operand, uint64_t &value, Space &space);
  uint32_t allocate(uint32_t bytes);

  const Module &module;
  const ModuleLayout &layout;
  const Statement *statement = nullptr;
  Instance *instance = nullptr;
  std::vector<bool> taken;
  uint32_t carryPlace = 0;
  std::map<std::pair<uint64_t, bool>, uint32_t> constants;
  std::map<Special, uint32_t> specials;
};

/// Decodes one statement. Places the operation with emit().
using DecodeFunction = bool (*)(Decoder &);

/// Null for an unknown opcode.
DecodeFunction findInstruction(std::string_view opcode);

} // namespace ptxsim

#endif // TXC_TOOLS_PTXSIM_DECODER_H
