//===- GpuReduction.cpp - reductions in threads and warps ----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/ptx/GpuReduction.h"
#include "compiler/codegen/ptx/GpuFunction.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace txc;
using namespace txc::ptx;
using arith::AtomicRMWKind;
using kernel::Combine;

static AtomicRMWKind getKind(Combine kind, bool isFloat) {
  switch (kind) {
  case Combine::sum:
    return isFloat ? AtomicRMWKind::addf : AtomicRMWKind::addi;
  case Combine::prod:
    return isFloat ? AtomicRMWKind::mulf : AtomicRMWKind::muli;
  case Combine::max:
    return isFloat ? AtomicRMWKind::maximumf : AtomicRMWKind::maxs;
  case Combine::min:
    return isFloat ? AtomicRMWKind::minimumf : AtomicRMWKind::mins;
  case Combine::umax:
    return AtomicRMWKind::maxu;
  case Combine::umin:
    return AtomicRMWKind::minu;
  }
  llvm_unreachable("all kinds are handled");
}

GpuReduction::GpuReduction(ImplicitLocOpBuilder &builder, Combine kind,
                           Type type)
    : b(builder), type(type), accumulator(type),
      kind(getKind(kind, isa<FloatType>(type))) {
  if (isa<FloatType>(type) && type.getIntOrFloatBitWidth() < 32)
    accumulator = b.getF32Type();
}

Value GpuReduction::getNeutral() {
  return arith::getIdentityValue(kind, accumulator, b, b.getLoc());
}

Value GpuReduction::combine(Value x, Value y) {
  return arith::getReductionOp(kind, b, b.getLoc(), x, y);
}

Value GpuReduction::add(Value sum, Value value) {
  if (type != accumulator)
    value = arith::ExtFOp::create(b, accumulator, value);
  return combine(sum, value);
}

Value GpuReduction::acrossWarp(Value sum) {
  for (int32_t mask = kWarpLanes / 2; mask != 0; mask /= 2)
    sum = combine(sum, exchangeLanes(b, sum, mask));
  return sum;
}

Value GpuReduction::finish(Value sum) {
  if (type == accumulator)
    return sum;
  return arith::TruncFOp::create(b, type, sum);
}

//===----------------------------------------------------------------------===//
// Lanes
//===----------------------------------------------------------------------===//

static Value shuffleWord(ImplicitLocOpBuilder &b, Value word, Value lane,
                         NVVM::ShflKind kind) {
  Value all = arith::ConstantIntOp::create(b, b.getI32Type(), -1);
  Value clamp = arith::ConstantIntOp::create(b, b.getI32Type(), 31);
  return NVVM::ShflOp::create(b, b.getI32Type(), all, word, lane, clamp, kind,
                              UnitAttr());
}

/// A shuffle moves 32 bits.
static Value shuffle(ImplicitLocOpBuilder &b, Value value, Value lane,
                     NVVM::ShflKind kind) {
  Type type = value.getType(), i32 = b.getI32Type();
  if (type.isIndex()) {
    Value moved = shuffle(
        b, arith::IndexCastOp::create(b, b.getI64Type(), value), lane, kind);
    return arith::IndexCastOp::create(b, type, moved);
  }
  unsigned width = type.getIntOrFloatBitWidth();
  Type code = b.getIntegerType(width);
  if (type != code)
    value = arith::BitcastOp::create(b, code, value);
  if (width < 32) {
    value = arith::ExtUIOp::create(b, i32, value);
    value = shuffleWord(b, value, lane, kind);
    value = arith::TruncIOp::create(b, code, value);
  } else if (width == 64) {
    Value half = arith::ConstantIntOp::create(b, code, 32);
    Value high =
        arith::TruncIOp::create(b, i32, arith::ShRUIOp::create(b, value, half));
    Value low = arith::TruncIOp::create(b, i32, value);
    low = arith::ExtUIOp::create(b, code, shuffleWord(b, low, lane, kind));
    high = arith::ExtUIOp::create(b, code, shuffleWord(b, high, lane, kind));
    value = arith::OrIOp::create(b, arith::ShLIOp::create(b, high, half), low);
  } else {
    value = shuffleWord(b, value, lane, kind);
  }
  return type == code ? value : arith::BitcastOp::create(b, type, value);
}

Value txc::ptx::exchangeLanes(ImplicitLocOpBuilder &b, Value value,
                              int32_t mask) {
  return shuffle(b, value,
                 arith::ConstantIntOp::create(b, b.getI32Type(), mask),
                 NVVM::ShflKind::bfly);
}

Value txc::ptx::readLane(ImplicitLocOpBuilder &b, Value value, Value lane) {
  return shuffle(b, value, lane, NVVM::ShflKind::idx);
}
