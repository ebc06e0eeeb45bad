//===- CastReference.cpp - conversions of element types -------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// tx.cast. Integers are not rounded to f64 on their way to a narrower float:
/// large ones would be rounded twice. Integers below a byte have no saturated
/// values: ONNX's own take the low bits of what truncation gives.
//
//===----------------------------------------------------------------------===//

#include "compiler/reference/Evaluation.h"

using namespace mlir;
using namespace txc;
using namespace txc::reference;

/// Rounds at most once on the way to `to`.
static double toDouble(int64_t value, const ElementFormat &to) {
  return to.getBitWidth() == 64 ? static_cast<double>(value)
                                : toDoubleSticky(value);
}

/// The same of integers whose 64 bits are unsigned.
static double toDouble(uint64_t value, const ElementFormat &to) {
  if (to.getBitWidth() == 64)
    return static_cast<double>(value);
  if (value >> 63 == 0)
    return toDoubleSticky(static_cast<int64_t>(value));
  // Halving with a sticky bit makes it a signed number that rounds alike.
  return 2 * toDoubleSticky(static_cast<int64_t>((value >> 1) | (value & 1)));
}

/// Floats to what HostTensor::write() makes of them.
static void castRows(const HostTensor &x, HostTensor &result) {
  constexpr int64_t pieceSize = 1024;
  std::vector<double> piece(pieceSize);
  for (int64_t i = 0; i < x.getNumElements(); i += pieceSize) {
    auto values = MutableArrayRef(piece).take_front(x.getNumElements() - i);
    x.read<double>(i, 1, values);
    result.write<double>(i, 1, values);
  }
}

Results txc::reference::evaluateCast(tx::CastOp op,
                                     const Evaluation &evaluation,
                                     HostTensor result) {
  const HostTensor &x = evaluation.operand(0);
  const ElementFormat &from = x.getFormat(), &to = result.getFormat();
  Overflow overflow = op.getSaturate() ? Overflow::Saturate : Overflow::Ieee;
  bool isWide = from.isUnsigned() && from.getBitWidth() == 64;
  bool wraps = !to.isFloat() && to.getBitWidth() > 1 && to.getBitWidth() < 8;
  if (from.isFloat() && !wraps && overflow == Overflow::Ieee) {
    castRows(x, result);
    return single(std::move(result));
  }
  char *target = result.getMutableBytes().data();
  const char *source = x.getBytes().data();
  for (int64_t i = 0; i < x.getNumElements(); ++i) {
    if (from.isFloat() && wraps) {
      to.storeInt(target, truncateToSigned(from.loadDouble(source), 32));
    } else if (from.isFloat()) {
      to.storeDouble(target, from.loadDouble(source), overflow);
    } else {
      int64_t value = from.loadInt(source);
      if (!to.isFloat())
        to.storeInt(target, to.getBitWidth() == 1 ? value != 0 : value);
      else
        to.storeDouble(target,
                       isWide ? toDouble(static_cast<uint64_t>(value), to)
                              : toDouble(value, to),
                       overflow);
    }
    target += to.getByteSize();
    source += from.getByteSize();
  }
  return single(std::move(result));
}
