//===- Instructions.cpp - Shared by families --------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Operations of two to four operands. See Instructions.h.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Instructions.h"

using namespace ptxsim;

bool ptxsim::emitOp(Decoder &decoder, Handler run, const Op &places) {
  if (!run)
    return decoder.failModifiers();
  Op &op = decoder.emit();
  uint32_t guard = op.guard, flip = op.guardFlip;
  op = places;
  op.run = run;
  op.guard = guard;
  op.guardFlip = flip;
  return true;
}

bool ptxsim::decodeUnary(Decoder &decoder, Type d, Type a, Handler run) {
  Op op;
  return decoder.expectOperands(2) && decoder.destination(0, d, op.d) &&
         decoder.source(1, a, op.a) && emitOp(decoder, run, op);
}

bool ptxsim::decodeBinary(Decoder &decoder, Type type, Handler run) {
  Op op;
  return decoder.expectOperands(3) && decoder.destination(0, type, op.d) &&
         decoder.source(1, type, op.a) && decoder.source(2, type, op.b) &&
         emitOp(decoder, run, op);
}

bool ptxsim::decodeTernary(Decoder &decoder, Type d, Type ab, Type c,
                           Handler run) {
  Op op;
  return decoder.expectOperands(4) && decoder.destination(0, d, op.d) &&
         decoder.source(1, ab, op.a) && decoder.source(2, ab, op.b) &&
         decoder.source(3, c, op.c) && emitOp(decoder, run, op);
}
