//===- InstructionTable.cpp - Every opcode ----------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// What is not listed here is an error. See Instructions.h.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Instructions.h"

#include <algorithm>
#include <iterator>

using namespace ptxsim;

namespace {

struct Instruction {
  std::string_view opcode;
  DecodeFunction decode;
};

// In alphabetical order.
constexpr Instruction instructions[] = {
    {"abs", decodeAbs},
    {"activemask", decodeActivemask},
    {"add", decodeAdd},
    {"addc", decodeCarry},
    {"and", decodeAnd},
    {"atom", decodeAtom},
    {"bar", decodeBar},
    {"barrier", decodeBar},
    {"bfe", decodeBfe},
    {"bfi", decodeBfi},
    {"bfind", decodeBfind},
    {"bmsk", decodeBmsk},
    {"bra", decodeBra},
    {"brev", decodeBrev},
    {"brkpt", decodeTrap},
    {"brx", decodeBrx},
    {"call", decodeCall},
    {"clz", decodeClz},
    {"cnot", decodeCnot},
    {"copysign", decodeCopysign},
    {"cos", decodeCos},
    {"cp", decodeCp},
    {"cvt", decodeCvt},
    {"cvta", decodeCvta},
    {"discard", decodePrefetch},
    {"div", decodeDiv},
    {"dp2a", decodeDp2a},
    {"dp4a", decodeDp4a},
    {"elect", decodeElect},
    {"ex2", decodeEx2},
    {"exit", decodeExit},
    {"fence", decodeFence},
    {"fma", decodeFma},
    {"fns", decodeFns},
    {"griddepcontrol", decodeNothing},
    {"isspacep", decodeIsspacep},
    {"ld", decodeLd},
    {"ldmatrix", decodeLdmatrix},
    {"ldu", decodeLd},
    {"lg2", decodeLg2},
    {"lop3", decodeLop3},
    {"mad", decodeMad},
    {"mad24", decodeMad24},
    {"madc", decodeCarry},
    {"match", decodeMatch},
    {"max", decodeMax},
    {"membar", decodeFence},
    {"min", decodeMin},
    {"mma", decodeMma},
    {"mov", decodeMov},
    {"movmatrix", decodeMovmatrix},
    {"mul", decodeMul},
    {"mul24", decodeMul24},
    {"nanosleep", decodeNothing},
    {"neg", decodeNeg},
    {"not", decodeNot},
    {"or", decodeOr},
    {"pmevent", decodeNothing},
    {"popc", decodePopc},
    {"prefetch", decodePrefetch},
    {"prefetchu", decodePrefetch},
    {"prmt", decodePrmt},
    {"rcp", decodeRcp},
    {"red", decodeRed},
    {"redux", decodeRedux},
    {"rem", decodeRem},
    {"ret", decodeRet},
    {"rsqrt", decodeRsqrt},
    {"sad", decodeSad},
    {"selp", decodeSelp},
    {"set", decodeSet},
    {"setp", decodeSetp},
    {"shf", decodeShf},
    {"shfl", decodeShfl},
    {"shl", decodeShl},
    {"shr", decodeShr},
    {"sin", decodeSin},
    {"slct", decodeSlct},
    {"sqrt", decodeSqrt},
    {"st", decodeSt},
    {"stmatrix", decodeStmatrix},
    {"sub", decodeSub},
    {"subc", decodeCarry},
    {"szext", decodeSzext},
    {"tanh", decodeTanh},
    {"testp", decodeTestp},
    {"trap", decodeTrap},
    {"vote", decodeVote},
    {"xor", decodeXor},
};

} // namespace

DecodeFunction ptxsim::findInstruction(std::string_view opcode) {
  const auto *found = std::lower_bound(
      std::begin(instructions), std::end(instructions), opcode,
      [](const Instruction &x, std::string_view y) { return x.opcode < y; });
  return found != std::end(instructions) && found->opcode == opcode
             ? found->decode
             : nullptr;
}
