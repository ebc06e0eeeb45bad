//===- Control.cpp - Branches, calls and ends -------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// bra, brx.idx, call, ret, exit, trap, and what does nothing here.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Instructions.h"
#include "tools/ptxsim/Warp.h"

using namespace ptxsim;

void ptxsim::runBranch(Warp &warp, const Op &op, uint32_t mask) {
  warp.jump(mask, op.target);
}
void ptxsim::runExit(Warp &warp, const Op &, uint32_t mask) { warp.exit(mask); }
void ptxsim::runUndefinedCall(Warp &warp, const Op &op, uint32_t mask) {
  const Statement &statement =
      *warp.program.origin[&op - warp.program.ops.data()];
  std::string name;
  for (const Operand &operand : statement.operands)
    if (operand.kind == Operand::Name)
      name = operand.name;
  if (name == "__assertfail")
    warp.fault(op, FaultKind::Trap, "an assertion failed", __builtin_ctz(mask));
  else
    warp.fault(op, FaultKind::Invalid,
               "calls '" + name + "', which is not defined here",
               __builtin_ctz(mask));
}

namespace {

/// op.list: the table.
void runTable(Warp &warp, const Op &op, uint32_t mask) {
  const uint32_t *index = warp.slots<uint32_t>(op.a);
  uint32_t targets[32];
  for (int lane = 0; lane < 32; ++lane) {
    if (!warp.isLane(mask, lane))
      continue;
    if (index[lane] >= op.count) {
      warp.fault(op, FaultKind::Invalid,
                 "index " + std::to_string(index[lane]) + " of a table of " +
                     std::to_string(op.count),
                 lane);
      return;
    }
    targets[lane] = warp.program.lists[op.list + index[lane]];
  }
  warp.jumpEach(mask, targets);
}

void runTrap(Warp &warp, const Op &op, uint32_t mask) {
  warp.fault(op, FaultKind::Trap, "the kernel ended itself",
             __builtin_ctz(mask));
}
void runNothing(Warp &, const Op &, uint32_t) {}

} // namespace

bool ptxsim::decodeBra(Decoder &decoder) {
  decoder.take("uni");
  Op op;
  op.target = decoder.getStatement().targets[0];
  return decoder.expectOperands(1) && emitOp(decoder, runBranch, op);
}

bool ptxsim::decodeBrx(Decoder &decoder) {
  if (!decoder.take("idx"))
    return decoder.failModifiers();
  decoder.take("uni");
  Op op;
  if (!decoder.expectOperands(2) || !decoder.source(0, Type::U32, op.a))
    return false;
  op.list = decoder.beginList();
  op.count = decoder.getStatement().targets.size();
  for (int target : decoder.getStatement().targets)
    decoder.program.lists.push_back(target);
  return emitOp(decoder, runTable, op);
}

bool ptxsim::decodeCall(Decoder &decoder) {
  decoder.take("uni");
  return decoder.emitCall();
}

bool ptxsim::decodeRet(Decoder &decoder) {
  decoder.take("uni");
  return decoder.expectOperands(0) && decoder.emitReturn();
}

bool ptxsim::decodeExit(Decoder &decoder) {
  return decoder.expectOperands(0) && emitOp(decoder, runExit, Op());
}

bool ptxsim::decodeTrap(Decoder &decoder) {
  return decoder.expectOperands(0) && emitOp(decoder, runTrap, Op());
}

bool ptxsim::decodeNothing(Decoder &decoder) {
  const std::string &opcode = decoder.getStatement().opcode;
  if (opcode == "griddepcontrol") {
    if (decoder.takeOneOf({"wait", "launch_dependents"}) < 0)
      return decoder.failModifiers();
  } else if (opcode == "nanosleep") {
    if (decoder.takeType() != Type::U32)
      return decoder.failModifiers();
  } else if (opcode == "pmevent") {
    decoder.take("mask");
  }
  return emitOp(decoder, runNothing, Op());
}
