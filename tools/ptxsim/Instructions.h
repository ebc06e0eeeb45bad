//===- Instructions.h - Families of instructions ----------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// One function an opcode, which decodes it; InstructionTable.cpp lists them.
/// And what families share.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_INSTRUCTIONS_H
#define TXC_TOOLS_PTXSIM_INSTRUCTIONS_H

#include "tools/ptxsim/Decoder.h"
#include "tools/ptxsim/Half.h"

namespace ptxsim {

//===--- Shared by families -----------------------------------------------===//

/// Emits the operation with these places; a null handler is an error about the
/// modifiers.
bool emitOp(Decoder &decoder, Handler run, const Op &places);
/// d, a / d, a, b / d, a, b, c.
bool decodeUnary(Decoder &decoder, Type d, Type a, Handler run);
bool decodeBinary(Decoder &decoder, Type type, Handler run);
bool decodeTernary(Decoder &decoder, Type d, Type ab, Type c, Handler run);

enum class FloatOperation { Add, Sub, Mul, Div, Min, Max, Neg, Abs };
/// After the type was taken. Float.cpp, and HalfArithmetic.cpp for narrow ones.
bool decodeFloatBinary(Decoder &decoder, Type type, FloatOperation operation);
bool decodeFloatUnary(Decoder &decoder, Type type, FloatOperation operation);
bool decodeFloatFma(Decoder &decoder, Type type);
bool decodeHalfBinary(Decoder &decoder, Type type, FloatOperation operation);
bool decodeHalfUnary(Decoder &decoder, Type type, FloatOperation operation);
bool decodeHalfFma(Decoder &decoder, Type type);
/// ex2 and tanh of narrow types.
bool decodeHalfFunction(Decoder &decoder, Type type, bool isTanh);
/// .rn .rz .rm .rp; Nearest if there is none.
Rounding takeRounding(Decoder &decoder);
/// The handler under another rounding mode of this machine.
Handler withRounding(Handler run, Rounding rounding, Op &op);

//===--- Handlers that the decoder itself places --------------------------===//

void runBranch(Warp &warp, const Op &op, uint32_t mask);
void runExit(Warp &warp, const Op &op, uint32_t mask);
void runUndefinedCall(Warp &warp, const Op &op, uint32_t mask);

//===--- Opcodes ----------------------------------------------------------===//

// Integer.cpp
bool decodeAdd(Decoder &decoder);
bool decodeSub(Decoder &decoder);
bool decodeMul(Decoder &decoder);
bool decodeMad(Decoder &decoder);
bool decodeMul24(Decoder &decoder);
bool decodeMad24(Decoder &decoder);
bool decodeSad(Decoder &decoder);
bool decodeDiv(Decoder &decoder);
bool decodeRem(Decoder &decoder);
bool decodeMin(Decoder &decoder);
bool decodeMax(Decoder &decoder);
bool decodeNeg(Decoder &decoder);
bool decodeAbs(Decoder &decoder);
// Carry.cpp
bool decodeCarry(Decoder &decoder);
// Bits.cpp
bool decodeAnd(Decoder &decoder);
bool decodeOr(Decoder &decoder);
bool decodeXor(Decoder &decoder);
bool decodeNot(Decoder &decoder);
bool decodeCnot(Decoder &decoder);
bool decodeShl(Decoder &decoder);
bool decodeShr(Decoder &decoder);
bool decodeShf(Decoder &decoder);
bool decodeLop3(Decoder &decoder);
bool decodePrmt(Decoder &decoder);
// BitFields.cpp
bool decodeBfe(Decoder &decoder);
bool decodeBfi(Decoder &decoder);
bool decodeBmsk(Decoder &decoder);
bool decodeSzext(Decoder &decoder);
bool decodePopc(Decoder &decoder);
bool decodeClz(Decoder &decoder);
bool decodeBfind(Decoder &decoder);
bool decodeBrev(Decoder &decoder);
bool decodeFns(Decoder &decoder);
bool decodeDp4a(Decoder &decoder);
bool decodeDp2a(Decoder &decoder);
// Float.cpp
bool decodeFma(Decoder &decoder);
bool decodeCopysign(Decoder &decoder);
bool decodeTestp(Decoder &decoder);
// FloatFunctions.cpp
bool decodeRcp(Decoder &decoder);
bool decodeSqrt(Decoder &decoder);
bool decodeRsqrt(Decoder &decoder);
bool decodeSin(Decoder &decoder);
bool decodeCos(Decoder &decoder);
bool decodeEx2(Decoder &decoder);
bool decodeLg2(Decoder &decoder);
bool decodeTanh(Decoder &decoder);
// Compare.cpp
bool decodeSetp(Decoder &decoder);
bool decodeSet(Decoder &decoder);
bool decodeSelp(Decoder &decoder);
bool decodeSlct(Decoder &decoder);
// Move.cpp
bool decodeMov(Decoder &decoder);
bool decodeCvta(Decoder &decoder);
bool decodeIsspacep(Decoder &decoder);
// Convert.cpp
bool decodeCvt(Decoder &decoder);
// LoadStore.cpp
bool decodeLd(Decoder &decoder);
bool decodeSt(Decoder &decoder);
bool decodePrefetch(Decoder &decoder);
// Atomic.cpp
bool decodeAtom(Decoder &decoder);
bool decodeRed(Decoder &decoder);
// WarpWide.cpp
bool decodeShfl(Decoder &decoder);
bool decodeVote(Decoder &decoder);
bool decodeMatch(Decoder &decoder);
bool decodeRedux(Decoder &decoder);
bool decodeActivemask(Decoder &decoder);
bool decodeElect(Decoder &decoder);
// Synchronize.cpp
bool decodeBar(Decoder &decoder);
bool decodeFence(Decoder &decoder);
// AsyncCopy.cpp
bool decodeCp(Decoder &decoder);
// Matrix.cpp
bool decodeLdmatrix(Decoder &decoder);
bool decodeStmatrix(Decoder &decoder);
bool decodeMovmatrix(Decoder &decoder);
// Mma.cpp
bool decodeMma(Decoder &decoder);
// Control.cpp
bool decodeBra(Decoder &decoder);
bool decodeBrx(Decoder &decoder);
bool decodeCall(Decoder &decoder);
bool decodeRet(Decoder &decoder);
bool decodeExit(Decoder &decoder);
bool decodeTrap(Decoder &decoder);
bool decodeNothing(Decoder &decoder);

} // namespace ptxsim

#endif // TXC_TOOLS_PTXSIM_INSTRUCTIONS_H
