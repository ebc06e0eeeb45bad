//===- DecodeKernel.cpp - Decodes a kernel ----------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Places registers and variables, decodes statement after statement, and puts
/// functions where they are called. See Decoder.h.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Decoder.h"
#include "tools/ptxsim/Instructions.h"

#include <algorithm>

using namespace ptxsim;

static uint64_t alignTo(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

std::unique_ptr<Program>
ptxsim::decodeKernel(std::shared_ptr<const Module> module,
                     const Function &function, const ModuleLayout &layout,
                     std::string &error) {
  auto program = std::make_unique<Program>();
  Decoder decoder(*program, *module, layout);
  program->name = function.name;
  bool isDecoded = decoder.decode(function);
  program->module = std::move(module);
  if (isDecoded)
    return program;
  error = "kernel " + function.name + ": " + decoder.error;
  return nullptr;
}

bool Decoder::decode(const Function &function) {
  std::copy_n(function.requiredThreads, 3, program.requiredThreads);
  program.maximumThreads = function.maximumThreads;
  // Place 0 is the guard that is always true.
  program.fileSize = 64;
  uint64_t alignment = 16;
  for (size_t i = 0; i < module.variables.size(); ++i) {
    const Variable &variable = module.variables[i];
    if (variable.space != Space::Shared)
      continue;
    alignment = std::max(alignment, variable.alignment);
    if (!variable.isDynamic)
      program.sharedBytes =
          std::max(program.sharedBytes, layout[i] + variable.size);
  }
  for (int i = 0; i < function.parameters; ++i) {
    const Variable &variable = function.variables[i];
    uint64_t offset = alignTo(program.parameterBytes, variable.alignment);
    program.parameters.push_back({offset, variable.size});
    program.parameterBytes = offset + variable.size;
  }
  // Shared memory must be known whole before the first operation says where
  // its dynamic part is. Functions that are called have theirs in the module.
  uint64_t size = program.sharedBytes;
  for (const Variable &variable : function.variables)
    if (variable.space == Space::Shared) {
      alignment = std::max(alignment, variable.alignment);
      if (!variable.isDynamic)
        size = alignTo(size, variable.alignment) + variable.size;
    }
  program.dynamicOffset = alignTo(size, alignment);
  if (program.dynamicOffset > 1 << 20 || program.parameterBytes > 32764)
    return fail("more shared memory or parameters than any device has");
  Instance top;
  top.function = &function;
  return decodeInstance(top);
}

void Decoder::placeRegisters(Instance &target) {
  for (Type type : target.function->registers)
    target.slots.push_back(temporary(getBits(type)));
  program.registers += target.function->registers.size();
}

bool Decoder::placeVariables(Instance &target) {
  const Function &function = *target.function;
  // Parameters of a called function have been placed by the call.
  for (size_t i = target.variables.size(); i < function.variables.size(); ++i) {
    const Variable &variable = function.variables[i];
    uint64_t offset = 0;
    switch (variable.space) {
    case Space::Shared:
      if (variable.isDynamic)
        break;
      if (target.depth)
        return fail("shared variables of called functions are not supported");
      offset = alignTo(program.sharedBytes, variable.alignment);
      program.sharedBytes = offset + variable.size;
      break;
    case Space::Param:
      if (!target.depth && int(i) < function.parameters) {
        offset = program.parameters[i].offset;
        break;
      }
      [[fallthrough]];
    case Space::Local:
      offset = alignTo(program.localBytes, variable.alignment);
      program.localBytes = offset + variable.size;
      break;
    default:
      return fail("a variable of this space inside of a function");
    }
    target.variables.push_back(offset);
  }
  program.localBytes = alignTo(program.localBytes, 16);
  if (program.localBytes > 512 << 10)
    return fail("a thread has at most 512 KiB of local memory");
  return true;
}

bool Decoder::decodeInstance(Instance &target) {
  Instance *outer = instance;
  const Statement *call = statement;
  instance = &target;
  placeRegisters(target);
  if (!placeVariables(target))
    return false;
  for (const Statement &next : target.function->statements) {
    target.starts.push_back(program.ops.size());
    if (!decodeStatement(next))
      return false;
  }
  for (size_t branch : target.branches) {
    Op &op = program.ops[branch];
    if (op.count) {
      for (int i = 0; i < op.count; ++i)
        program.lists[op.list + i] = target.starts[program.lists[op.list + i]];
    } else {
      op.target = target.starts[op.target];
    }
  }
  for (size_t branch : target.returns)
    program.ops[branch].target = program.ops.size();
  instance = outer;
  statement = call;
  return true;
}

bool Decoder::decodeStatement(const Statement &next) {
  statement = &next;
  taken.assign(next.modifiers.size(), false);
  DecodeFunction decode = findInstruction(next.opcode);
  if (!decode)
    return fail("unknown instruction");
  // Calls are put in place, which can grow without end.
  constexpr size_t mostOps = 1 << 22, mostRegisterBytes = 1 << 25;
  if (program.ops.size() > mostOps || program.fileSize > mostRegisterBytes)
    return fail("the kernel is too large");
  size_t first = program.ops.size();
  if (!decode(*this))
    return fail("not understood");
  if (std::find(taken.begin(), taken.end(), false) != taken.end() &&
      program.ops.size() > first && program.origin[first] == &next)
    return failModifiers();
  bool isBranch = next.opcode == "bra" || next.opcode == "brx";
  if (isBranch)
    instance->branches.push_back(first);
  return true;
}

Op &Decoder::emit() {
  program.origin.push_back(statement);
  Op &op = program.ops.emplace_back();
  if (statement->guard >= 0) {
    op.guard = instance->slots[statement->guard];
    op.guardFlip = statement->isGuardNegated ? ~uint32_t(0) : 0;
  }
  return op;
}

bool Decoder::emitReturn() {
  if (instance->depth == 0) {
    emit().run = runExit;
    return true;
  }
  instance->returns.push_back(program.ops.size());
  emit().run = runBranch;
  return true;
}

bool Decoder::emitCall() {
  // call (results), name, (arguments); both lists may be missing.
  const std::vector<Operand> &operands = statement->operands;
  auto isName = [](const Operand &operand) {
    return operand.kind == Operand::Name;
  };
  auto name = std::find_if(operands.begin(), operands.end(), isName);
  if (name == operands.end())
    return fail("expected the name of a function");
  const Function *function = module.findFunction(name->name);
  if (!function || !function->isDefined) {
    // Only a fault if it is ever called.
    emit().run = runUndefinedCall;
    return true;
  }
  if (instance->depth == 32)
    return fail("recursion is not supported");
  Instance callee;
  callee.function = function;
  callee.depth = instance->depth + 1;
  callee.variables.resize(function->parameters + function->results);
  auto bind = [&](const Operand &list, int first, int count) {
    if (list.kind != Operand::Vector || int(list.elements.size()) != count)
      return fail("wrong number of arguments");
    for (int i = 0; i < count; ++i) {
      const Operand &argument = list.elements[i];
      if (argument.kind != Operand::FunctionVariable)
        return fail("arguments must be .param variables");
      callee.variables[first + i] = instance->variables[argument.index];
    }
    return true;
  };
  size_t position = name - operands.begin();
  static const Operand none = [] {
    Operand list;
    list.kind = Operand::Vector;
    return list;
  }();
  const Operand &results = position ? operands[0] : none;
  const Operand &arguments =
      position + 1 < operands.size() ? operands[position + 1] : none;
  if (!bind(results, function->parameters, function->results) ||
      !bind(arguments, 0, function->parameters))
    return false;
  size_t skip = program.ops.size();
  if (statement->guard >= 0) {
    Op &op = emit();
    op.run = runBranch;
    op.guardFlip = ~op.guardFlip;
  }
  if (!decodeInstance(callee))
    return false;
  if (statement->guard >= 0)
    program.ops[skip].target = program.ops.size();
  // Another statement follows always: the return of this function.
  return true;
}
