//===- Decoder.cpp - Decodes statements -------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Modifiers and operands. See Decoder.h.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Decoder.h"

#include "tools/ptxsim/Memory.h"

#include <cstring>

using namespace ptxsim;

bool Decoder::fail(const std::string &reason) {
  if (error.empty())
    error = "line " + std::to_string(statement ? statement->line : 0) + ": " +
            (statement ? statement->getText() + ": " : "") + reason;
  return false;
}

//===----------------------------------------------------------------------===//
// Modifiers
//===----------------------------------------------------------------------===//

bool Decoder::has(std::string_view modifier) const {
  for (size_t i = 0; i < taken.size(); ++i)
    if (!taken[i] && statement->modifiers[i] == modifier)
      return true;
  return false;
}

bool Decoder::take(std::string_view modifier) {
  for (size_t i = 0; i < taken.size(); ++i)
    if (!taken[i] && statement->modifiers[i] == modifier) {
      taken[i] = true;
      return true;
    }
  return false;
}

int Decoder::takeOneOf(std::initializer_list<std::string_view> modifiers) {
  int number = 0;
  for (std::string_view modifier : modifiers) {
    if (take(modifier))
      return number;
    ++number;
  }
  return -1;
}

Type Decoder::takeOptionalType() {
  for (size_t i = 0; i < taken.size(); ++i) {
    if (taken[i])
      continue;
    Type type = parseType(statement->modifiers[i]);
    if (type == Type::None)
      continue;
    taken[i] = true;
    return type;
  }
  return Type::None;
}

Type Decoder::takeType() {
  Type type = takeOptionalType();
  if (type == Type::None)
    fail("a type is missing");
  return type;
}

bool Decoder::failModifiers() {
  for (size_t i = 0; i < taken.size(); ++i)
    if (!taken[i])
      return fail("unknown modifier ." + statement->modifiers[i]);
  return fail("unsupported combination of modifiers");
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

bool Decoder::expectOperands(size_t least, size_t most) {
  if (getNumOperands() >= least && getNumOperands() <= most)
    return true;
  return fail("has " + std::to_string(getNumOperands()) + " operands");
}

uint32_t Decoder::allocate(uint32_t bytes) {
  uint32_t alignment = bytes < 64 ? 4 : 64;
  program.fileSize = (program.fileSize + alignment - 1) / alignment * alignment;
  uint32_t offset = program.fileSize;
  program.fileSize += bytes;
  return offset;
}

uint32_t Decoder::temporary(int bits) {
  return allocate(bits == 1 ? 4 : bits <= 32 ? 128 : bits <= 64 ? 256 : 512);
}

uint32_t Decoder::constant(uint64_t bits, bool isWide) {
  auto [it, isNew] = constants.try_emplace({bits, isWide}, 0);
  if (isNew) {
    it->second = allocate(isWide ? 256 : 128);
    program.constants.push_back({it->second, bits, isWide});
  }
  return it->second;
}

bool Decoder::special(const Operand &operand, Type type, uint32_t &slot) {
  static const std::pair<std::string_view, Special> names[] = {
      {"%tid.x", Special::TidX},
      {"%tid.y", Special::TidY},
      {"%tid.z", Special::TidZ},
      {"%ntid.x", Special::NtidX},
      {"%ntid.y", Special::NtidY},
      {"%ntid.z", Special::NtidZ},
      {"%ctaid.x", Special::CtaidX},
      {"%ctaid.y", Special::CtaidY},
      {"%ctaid.z", Special::CtaidZ},
      {"%nctaid.x", Special::NctaidX},
      {"%nctaid.y", Special::NctaidY},
      {"%nctaid.z", Special::NctaidZ},
      {"%laneid", Special::LaneId},
      {"%warpid", Special::WarpId},
      {"%nwarpid", Special::NWarpId},
      {"%smid", Special::SmId},
      {"%nsmid", Special::NSmId},
      {"%gridid", Special::GridId},
      {"%lanemask_eq", Special::LaneMaskEq},
      {"%lanemask_lt", Special::LaneMaskLt},
      {"%lanemask_le", Special::LaneMaskLe},
      {"%lanemask_gt", Special::LaneMaskGt},
      {"%lanemask_ge", Special::LaneMaskGe},
      {"%dynamic_smem_size", Special::DynamicSharedSize},
      {"%total_smem_size", Special::TotalSharedSize},
      {"WARP_SZ", Special::WarpSize},
  };
  if (getBits(type) != 32)
    return fail(operand.name + " has 32 bits");
  for (auto [name, special] : names) {
    if (name != operand.name)
      continue;
    auto [it, isNew] = specials.try_emplace(special, 0);
    if (isNew) {
      it->second = allocate(128);
      program.specials.push_back({special, it->second});
    }
    slot = it->second;
    return true;
  }
  return fail("unknown special register " + operand.name);
}

bool Decoder::variableAddress(const Operand &operand, uint64_t &value,
                              Space &space) {
  const Variable *variable;
  if (operand.kind == Operand::FunctionVariable) {
    variable = &instance->function->variables[operand.index];
    value = instance->variables[operand.index];
  } else {
    variable = &module.variables[operand.index];
    value = layout[operand.index];
  }
  if (variable->isExternal)
    return fail("'" + variable->name + "' is not defined here");
  space = variable->space;
  if (variable->isDynamic)
    value = program.dynamicOffset;
  bool isKernels = instance->depth == 0 &&
                   operand.kind == Operand::FunctionVariable &&
                   operand.index < instance->function->parameters;
  if (space == Space::Param && !isKernels)
    space = Space::Local;
  return true;
}

bool Decoder::sourceOfAnyWidth(const Operand &operand, Type type,
                               uint32_t &slot, int &bits) {
  bits = getBits(type);
  bool isWide = bits == 64;
  switch (operand.kind) {
  case Operand::Register:
    bits = getBits(instance->function->registers[operand.index]);
    slot = instance->slots[operand.index];
    if (operand.isNegated || bits == 1)
      return fail("a predicate is no value here");
    return true;
  case Operand::Integer: {
    uint64_t value = operand.value;
    if (bits < 64)
      value &= (uint64_t(1) << bits) - 1;
    if (bits > 64)
      return fail("immediates have up to 64 bits");
    slot = constant(value, isWide);
    return true;
  }
  case Operand::Single:
  case Operand::Double: {
    uint64_t value = operand.value;
    if (operand.kind == Operand::Single && bits == 64 && isFloat(type)) {
      float narrow;
      uint32_t low = value;
      std::memcpy(&narrow, &low, 4);
      double wide = narrow;
      std::memcpy(&value, &wide, 8);
    } else if (operand.kind == Operand::Double && bits == 32) {
      double wide;
      std::memcpy(&wide, &value, 8);
      float narrow = float(wide);
      value = 0;
      std::memcpy(&value, &narrow, 4);
    } else if (bits < 32) {
      return fail("an immediate of another type");
    }
    slot = constant(value, isWide);
    return true;
  }
  case Operand::Special:
    return special(operand, type, slot);
  case Operand::FunctionVariable:
  case Operand::ModuleVariable: {
    uint64_t value;
    Space space;
    if (!variableAddress(operand, value, space))
      return false;
    if (bits < 32)
      return fail("too narrow for an address");
    slot = constant(value + operand.value, isWide);
    return true;
  }
  case Operand::Sink:
  case Operand::Name:
  case Operand::Address:
  case Operand::Vector:
    break;
  }
  return fail("expected a value" +
              (operand.name.empty() ? "" : ", found '" + operand.name + "'"));
}

bool Decoder::source(const Operand &operand, Type type, uint32_t &slot) {
  int bits;
  if (!sourceOfAnyWidth(operand, type, slot, bits))
    return false;
  int expected = getBits(type) < 16 ? 16 : getBits(type);
  if (bits == getBits(type) || bits == expected)
    return true;
  return fail("a register of " + std::to_string(bits) + " bits as ." +
              std::string(getName(type)));
}

bool Decoder::source(size_t operand, Type type, uint32_t &slot) {
  return source(statement->operands[operand], type, slot);
}

bool Decoder::destinationOfAnyWidth(const Operand &operand, Type type,
                                    uint32_t &slot, int &bits) {
  if (operand.kind == Operand::Sink) {
    bits = std::max(getBits(type), 16);
    slot = temporary(bits);
    return true;
  }
  if (operand.kind != Operand::Register || operand.isNegated)
    return fail("expected a register to write");
  bits = getBits(instance->function->registers[operand.index]);
  slot = instance->slots[operand.index];
  if (bits == 1)
    return fail("a predicate can't take this");
  return true;
}

bool Decoder::destination(const Operand &operand, Type type, uint32_t &slot) {
  int bits;
  if (!destinationOfAnyWidth(operand, type, slot, bits))
    return false;
  if (bits == std::max(getBits(type), 16))
    return true;
  return fail("a register of " + std::to_string(bits) + " bits for ." +
              std::string(getName(type)));
}

bool Decoder::destination(size_t operand, Type type, uint32_t &slot) {
  return destination(statement->operands[operand], type, slot);
}

bool Decoder::predicate(const Operand &operand, uint32_t &slot,
                        bool &isNegated) {
  isNegated = operand.isNegated;
  if (operand.kind == Operand::Integer) {
    isNegated = operand.value == 0;
    slot = 0;
    return true;
  }
  if (operand.kind != Operand::Register ||
      instance->function->registers[operand.index] != Type::Pred)
    return fail("expected a predicate");
  slot = instance->slots[operand.index];
  return true;
}

bool Decoder::isPredicate(const Operand &operand) const {
  return operand.kind == Operand::Register &&
         instance->function->registers[operand.index] == Type::Pred;
}

bool Decoder::predicateDestination(const Operand &operand, uint32_t &slot) {
  bool isPlace =
      operand.kind == Operand::Sink || operand.kind == Operand::Register;
  if (!isPlace || operand.isNegated)
    return fail("expected a predicate");
  return predicateDestination(operand.index, slot);
}

bool Decoder::predicateDestination(int registerIndex, uint32_t &slot) {
  if (registerIndex < 0) {
    slot = temporary(1);
    return true;
  }
  if (instance->function->registers[registerIndex] != Type::Pred)
    return fail("expected a predicate");
  slot = instance->slots[registerIndex];
  return true;
}

template <typename F>
static bool forElements(Decoder &decoder, const Operand &operand, size_t count,
                        F each) {
  if (operand.kind != Operand::Vector) {
    if (count != 1)
      return decoder.fail("expected {…} with " + std::to_string(count) +
                          " registers");
    return each(operand);
  }
  if (operand.elements.size() != count)
    return decoder.fail("expected " + std::to_string(count) + " registers, " +
                        "found " + std::to_string(operand.elements.size()));
  for (const Operand &element : operand.elements)
    if (!each(element))
      return false;
  return true;
}

bool Decoder::sources(size_t operand, Type type, size_t count) {
  return forElements(*this, statement->operands[operand], count,
                     [&](const Operand &element) {
                       uint32_t slot;
                       if (!source(element, type, slot))
                         return false;
                       program.lists.push_back(slot);
                       return true;
                     });
}

bool Decoder::destinations(size_t operand, Type type, size_t count) {
  return forElements(*this, statement->operands[operand], count,
                     [&](const Operand &element) {
                       uint32_t slot;
                       if (!destination(element, type, slot))
                         return false;
                       program.lists.push_back(slot);
                       return true;
                     });
}

bool Decoder::immediate(size_t operand, uint64_t &value) {
  const Operand &given = statement->operands[operand];
  value = given.value;
  return given.kind == Operand::Integer || fail("expected an immediate");
}

bool Decoder::address(size_t operand, Op &op, Space &space) {
  const Operand &given = statement->operands[operand];
  if (given.kind != Operand::Address)
    return fail("expected an address");
  const Operand &base = given.elements[0];
  op.imm = given.value;
  op.width = 8;
  if (base.kind == Operand::Register) {
    int bits = getBits(instance->function->registers[base.index]);
    op.a = instance->slots[base.index];
    op.width = bits / 8;
    if (bits != 32 && bits != 64)
      return fail("an address has 32 or 64 bits");
    if (space == Space::Param)
      return fail("parameters at computed addresses are not supported");
    return true;
  }
  uint64_t value = base.value;
  if (base.kind != Operand::Integer) {
    Space actual = space;
    bool isVariable = base.kind == Operand::FunctionVariable ||
                      base.kind == Operand::ModuleVariable;
    if (!isVariable)
      return fail("expected an address, found '" + base.name + "'");
    if (!variableAddress(base, value, actual))
      return false;
    if (space == Space::Generic || space == Space::Param)
      space = actual;
  }
  op.a = constant(value, true);
  return true;
}
