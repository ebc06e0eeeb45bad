//===- Matrix.cpp - Moving 8x8 matrices -------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// ldmatrix, stmatrix and movmatrix: lane l holds elements (l / 4, 2 (l % 4))
/// and the next one of each matrix.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Access.h"
#include "tools/ptxsim/Instructions.h"

using namespace ptxsim;

namespace {

using Matrix = uint16_t[8][8];

bool needAllLanes(Warp &warp, const Op &op, uint32_t mask) {
  if (mask == ~uint32_t(0))
    return true;
  warp.fault(op, FaultKind::Divergent, "not all lanes of the warp came",
             __builtin_ctz(~mask));
  return false;
}

/// Rows are where lanes 8 i to 8 i + 7 of matrix i say. False after a fault.
bool getRows(Warp &warp, const Op &op, bool isWrite, char *(&rows)[32]) {
  uint64_t offsets[32];
  getAddresses(warp, op, ~uint32_t(0), offsets);
  Block &block = warp.block;
  int lanes = op.count * 8;
  for (int lane = 0; lane < lanes; ++lane) {
    if (op.mode == uint8_t(Space::Generic))
      offsets[lane] -= sharedWindow;
    if (!checkShared(warp, op, lane, offsets[lane], 16))
      return false;
    if (block.grid.config.checkShared) {
      int other = -1;
      FaultKind kind =
          isWrite ? block.shadow.write(warp.id, offsets[lane], 16, other)
                  : block.shadow.read(warp.id, offsets[lane], 16, other);
      if (!checkShadow(warp, op, lane, offsets[lane], kind, other))
        return false;
    }
    rows[lane] = block.shared.data() + offsets[lane];
  }
  uint32_t mask = lanes == 32 ? ~uint32_t(0) : (uint32_t(1) << lanes) - 1;
  countShared(warp, op, mask, offsets, 16);
  return true;
}

void gather(Warp &warp, uint32_t place, Matrix &matrix, bool isTransposed) {
  const uint32_t *lanes = warp.slots<uint32_t>(place);
  for (int lane = 0; lane < 32; ++lane)
    for (int h = 0; h < 2; ++h) {
      int row = lane / 4, column = lane % 4 * 2 + h;
      uint16_t value = lanes[lane] >> (16 * h);
      (isTransposed ? matrix[column][row] : matrix[row][column]) = value;
    }
}

void scatter(Warp &warp, uint32_t place, const Matrix &matrix,
             bool isTransposed) {
  uint32_t *lanes = warp.slots<uint32_t>(place);
  if (!isTransposed) {
    std::memcpy(lanes, matrix, sizeof(Matrix));
    return;
  }
  for (int lane = 0; lane < 32; ++lane) {
    int row = lane / 4, column = lane % 4 * 2;
    lanes[lane] = matrix[column][row] | uint32_t(matrix[column + 1][row]) << 16;
  }
}

void runLdmatrix(Warp &warp, const Op &op, uint32_t mask) {
  char *rows[32];
  if (!needAllLanes(warp, op, mask) || !getRows(warp, op, false, rows))
    return;
  for (int i = 0; i < op.count; ++i) {
    Matrix matrix;
    for (int row = 0; row < 8; ++row)
      std::memcpy(matrix[row], rows[i * 8 + row], 16);
    scatter(warp, warp.program.lists[op.list + i], matrix, op.extra);
  }
}

void runStmatrix(Warp &warp, const Op &op, uint32_t mask) {
  char *rows[32];
  if (!needAllLanes(warp, op, mask) || !getRows(warp, op, true, rows))
    return;
  for (int i = 0; i < op.count; ++i) {
    Matrix matrix;
    gather(warp, warp.program.lists[op.list + i], matrix, op.extra);
    for (int row = 0; row < 8; ++row)
      std::memcpy(rows[i * 8 + row], matrix[row], 16);
  }
}

void runMovmatrix(Warp &warp, const Op &op, uint32_t mask) {
  if (!needAllLanes(warp, op, mask))
    return;
  Matrix matrix;
  gather(warp, op.a, matrix, true);
  scatter(warp, op.d, matrix, false);
}

/// .sync.aligned.m8n8, in any order.
bool takeForm(Decoder &decoder) {
  return decoder.take("sync") && decoder.take("aligned") &&
         decoder.take("m8n8");
}

bool decodeMatrix(Decoder &decoder, bool isLoad) {
  if (!takeForm(decoder))
    return decoder.failModifiers();
  int number = decoder.takeOneOf({"x1", "x2", "x4"});
  bool isTransposed = decoder.take("trans");
  bool isShared = decoder.take("shared") || decoder.take("shared::cta");
  if (number < 0 || decoder.takeType() != Type::B16)
    return decoder.failModifiers();
  Op op;
  Space space = isShared ? Space::Shared : Space::Generic;
  if (!decoder.expectOperands(2) || !decoder.address(isLoad, op, space))
    return false;
  op.mode = static_cast<uint8_t>(space);
  op.count = 1 << number;
  op.extra = isTransposed;
  op.list = decoder.beginList();
  bool hasPlaces = isLoad ? decoder.destinations(0, Type::B32, op.count)
                          : decoder.sources(1, Type::B32, op.count);
  return hasPlaces && emitOp(decoder, isLoad ? runLdmatrix : runStmatrix, op);
}

} // namespace

bool ptxsim::decodeLdmatrix(Decoder &decoder) {
  return decodeMatrix(decoder, true);
}
bool ptxsim::decodeStmatrix(Decoder &decoder) {
  return decodeMatrix(decoder, false);
}

bool ptxsim::decodeMovmatrix(Decoder &decoder) {
  if (!takeForm(decoder) || !decoder.take("trans"))
    return decoder.failModifiers();
  return decodeUnary(decoder, Type::B32, Type::B32,
                     decoder.takeType() == Type::B16 ? runMovmatrix : nullptr);
}
