//===- Lanes.cpp - scalar bodies on vectors ------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/Lanes.h"
#include "dialects/pack/Pack.h"
#include "dialects/tx/Tx.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "runtime/abi.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

/// What a value of a body is moved between registers as.
static Type getCodeType(Type scalar) {
  if (unsigned width = getPackedBits(scalar))
    return IntegerType::get(scalar.getContext(), width);
  return getStorageType(scalar);
}

Value Lanes::getVector(LaneValue lanes) {
  if (lanes.isVector())
    return lanes.value;
  Type element = lanes.value.getType();
  Type storage = getCodeType(element);
  VectorType type = getVectorType(storage);
  Value splat = code.splat(toStorage(lanes.value, storage), type);
  if (lanes.step == 0)
    return fromStorage(splat, element);
  SmallVector<Attribute> steps;
  for (int64_t lane = 0; lane < count; ++lane)
    steps.push_back(code.builder.getIntegerAttr(element, lane * lanes.step));
  Value offsets = arith::ConstantOp::create(
      code.builder, code.loc, DenseElementsAttr::get(type, steps));
  return arith::AddIOp::create(code.builder, code.loc, splat, offsets);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

template <typename Op> LaneValue Lanes::binary(LaneValue a, LaneValue b) {
  if (a.isUniform() && b.isUniform())
    return {code.builder.createOrFold<Op>(code.loc, a.value, b.value)};
  return {code.builder.createOrFold<Op>(code.loc, getVector(a), getVector(b))};
}

LaneValue Lanes::add(LaneValue a, LaneValue b) {
  if (a.isVector() || b.isVector())
    return binary<arith::AddIOp>(a, b);
  return {code.add(a.value, b.value), a.step + b.step};
}

LaneValue Lanes::sub(LaneValue a, LaneValue b) {
  if (a.isVector() || b.isVector())
    return binary<arith::SubIOp>(a, b);
  return {code.sub(a.value, b.value), a.step - b.step};
}

LaneValue Lanes::mul(LaneValue a, LaneValue b) {
  if (a.isUniform())
    std::swap(a, b);
  if (a.isVector() || !b.isUniform())
    return binary<arith::MulIOp>(a, b);
  std::optional<int64_t> factor = x86::staticValue(b.value);
  if (a.step != 0 && !factor)
    return binary<arith::MulIOp>(a, b);
  return {code.mul(a.value, b.value), a.step == 0 ? 0 : a.step * *factor};
}

LaneValue Lanes::div(LaneValue a, LaneValue b) {
  return binary<arith::DivUIOp>(a, b);
}

LaneValue Lanes::rem(LaneValue a, LaneValue b) {
  return binary<arith::RemUIOp>(a, b);
}

/// Whether the op only changes between index and 64-bit integers, or nothing at
/// all for numbers that fit.
static bool keepsSequence(Operation *op) {
  return isa<arith::IndexCastOp>(op) &&
         (op->getResult(0).getType().isIndex() ||
          op->getResult(0).getType().isInteger(64));
}

LaneValue Lanes::apply(Operation *op, ArrayRef<LaneValue> operands) {
  if (isa<arith::AddIOp>(op))
    return add(operands[0], operands[1]);
  if (isa<arith::SubIOp>(op))
    return sub(operands[0], operands[1]);
  if (isa<arith::MulIOp>(op))
    return mul(operands[0], operands[1]);
  bool areUniform = llvm::all_of(
      operands, [](const LaneValue &operand) { return operand.isUniform(); });
  bool areScalar = areUniform || (keepsSequence(op) && !operands[0].isVector());
  OperationState state(code.loc, op->getName());
  for (const LaneValue &operand : operands)
    state.operands.push_back(areScalar ? operand.value : getVector(operand));
  Type type = op->getResult(0).getType();
  state.types.push_back(areScalar ? type : Type(getVectorType(type)));
  // What was written for scalars holds in each lane, fast-math flags too.
  state.attributes = op->getAttrs();
  Value result = code.builder.create(state)->getResult(0);
  return {result, areScalar && !areUniform ? operands[0].step : 0};
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value Lanes::getFullMask() {
  if (mask)
    return mask;
  auto type = getVectorType(code.builder.getI1Type());
  return arith::ConstantOp::create(code.builder, code.loc,
                                   DenseElementsAttr::get(type, true));
}

Value Lanes::getAddress(Value buffer, Value element) {
  auto type = cast<MemRefType>(buffer.getType());
  return code.advance(code.pointerTo(buffer), element, type.getElementType());
}

Value Lanes::fromStorage(Value stored, Type scalar) {
  Type storage = getElementTypeOrSelf(stored.getType());
  if (scalar == storage)
    return stored;
  if (scalar.isInteger(1))
    return arith::CmpIOp::create(code.builder, code.loc,
                                 arith::CmpIPredicate::ne, stored,
                                 code.constant(stored.getType(), 0));
  Type type =
      isa<VectorType>(stored.getType()) ? Type(getVectorType(scalar)) : scalar;
  return arith::BitcastOp::create(code.builder, code.loc, type, stored);
}

Value Lanes::toStorage(Value value, Type storage) {
  Type scalar = getElementTypeOrSelf(value.getType());
  if (scalar == storage)
    return value;
  Type type =
      isa<VectorType>(value.getType()) ? Type(getVectorType(storage)) : storage;
  if (scalar.isInteger(1))
    return arith::ExtUIOp::create(code.builder, code.loc, type, value);
  return arith::BitcastOp::create(code.builder, code.loc, type, value);
}

LaneValue Lanes::load(Value buffer, LaneValue element, Type scalar) {
  if (getPackedBits(scalar) != 0)
    return loadPacked(buffer, element, scalar);
  Type storage = cast<MemRefType>(buffer.getType()).getElementType();
  VectorType vectorType = getVectorType(storage);
  Value loaded;
  if (element.isUniform()) {
    loaded = code.load(storage, getAddress(buffer, element.value));
  } else if (element.step == 1) {
    Value address = getAddress(buffer, element.value);
    loaded = mask ? code.maskedLoad(vectorType, address, mask)
                  : code.load(vectorType, address);
  } else {
    loaded = vector::GatherOp::create(
        code.builder, code.loc, vectorType, buffer, code.index(0),
        getVector(element), getFullMask(), code.constant(vectorType, 0));
  }
  return {fromStorage(loaded, scalar)};
}

void Lanes::store(LaneValue value, Value buffer, LaneValue element) {
  if (getPackedBits(getElementTypeOrSelf(value.value.getType())) != 0)
    return storePacked(value, buffer, element);
  Type storage = cast<MemRefType>(buffer.getType()).getElementType();
  Value stored =
      element.isUniform() && value.isUniform() ? value.value : getVector(value);
  stored = toStorage(stored, storage);
  if (element.isUniform() && isa<VectorType>(stored.getType()))
    stored = vector::ExtractOp::create(code.builder, code.loc, stored, 0);
  if (!element.isUniform() && element.step != 1) {
    vector::ScatterOp::create(code.builder, code.loc, /*resultType=*/Type(),
                              buffer, code.index(0), getVector(element),
                              getFullMask(), stored);
    return;
  }
  Value address = getAddress(buffer, element.value);
  if (mask && !element.isUniform())
    code.maskedStore(stored, address, mask);
  else
    code.store(stored, address);
}

//===----------------------------------------------------------------------===//
// Elements that share bytes
//===----------------------------------------------------------------------===//

LaneValue Lanes::loadPacked(Value buffer, LaneValue element, Type scalar) {
  OpBuilder &b = code.builder;
  unsigned width = getPackedBits(scalar);
  LaneValue perByte = index(8 / width);
  LaneValue byte = load(buffer, div(element, perByte), b.getI8Type());
  LaneValue shift = mul(rem(element, perByte), index(width));
  auto withLanes = [&](Type type) {
    return byte.isVector() ? Type(getVectorType(type)) : type;
  };
  Value amount = byte.isVector() ? getVector(shift) : shift.value;
  amount =
      arith::IndexCastOp::create(b, code.loc, withLanes(b.getI8Type()), amount);
  Value bits = arith::ShRUIOp::create(b, code.loc, byte.value, amount);
  bits = arith::TruncIOp::create(b, code.loc, withLanes(getCodeType(scalar)),
                                 bits);
  return {fromStorage(bits, scalar)};
}

/// Changes \p width bits of the byte that \p element is in.
void Lanes::insertBits(Value bits, unsigned width, Value buffer,
                       Value element) {
  OpBuilder &b = code.builder;
  Location loc = code.loc;
  Type i8 = b.getI8Type();
  Value perByte = code.index(8 / width);
  Value address = getAddress(buffer, code.div(element, perByte));
  Value shift = code.mul(code.rem(element, perByte), code.index(width));
  shift = arith::IndexCastOp::create(b, loc, i8, shift);
  Value ones = arith::ConstantIntOp::create(b, loc, i8, (1 << width) - 1);
  Value place = arith::ShLIOp::create(b, loc, ones, shift);
  Value others = arith::XOrIOp::create(
      b, loc, place, arith::ConstantIntOp::create(b, loc, i8, -1));
  Value byte = arith::AndIOp::create(b, loc, code.load(i8, address), others);
  Value wide = arith::ExtUIOp::create(b, loc, i8, bits);
  wide = arith::ShLIOp::create(b, loc, wide, shift);
  code.store(arith::OrIOp::create(b, loc, byte, wide), address);
}

/// One lane after the other, as neighbours share a byte.
void Lanes::storePacked(LaneValue value, Value buffer, LaneValue element) {
  Type scalar = getElementTypeOrSelf(value.value.getType());
  unsigned width = getPackedBits(scalar);
  Type codes = getCodeType(scalar);
  if (element.isUniform()) {
    Value bits = toStorage(value.value, codes);
    if (isa<VectorType>(bits.getType()))
      bits = vector::ExtractOp::create(code.builder, code.loc, bits, 0);
    return insertBits(bits, width, buffer, element.value);
  }
  Value elements = getVector(element);
  Value bits = toStorage(getVector(value), codes);
  code.loop(code.index(0), code.index(count), 1, [&](Value lane) {
    auto extract = [&](Value vector) -> Value {
      return vector::ExtractOp::create(code.builder, code.loc, vector,
                                       OpFoldResult(lane));
    };
    auto store = [&] {
      insertBits(extract(bits), width, buffer, extract(elements));
    };
    if (mask)
      code.ifThen(extract(mask), store);
    else
      store();
  });
}

//===----------------------------------------------------------------------===//
// Element numbers
//===----------------------------------------------------------------------===//

LaneValue Lanes::evaluate(AffineExpr expr, ArrayAttr symbols,
                          ArrayRef<LaneValue> point) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return point[dim.getPosition()];
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return index(constant.getValue());
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return {
        function.getValue(cast<SymExprAttr>(symbols[symbol.getPosition()]))};
  auto parts = cast<AffineBinaryOpExpr>(expr);
  LaneValue a = evaluate(parts.getLHS(), symbols, point);
  LaneValue b = evaluate(parts.getRHS(), symbols, point);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return add(a, b);
  case AffineExprKind::Mul:
    return mul(a, b);
  case AffineExprKind::FloorDiv:
    return div(a, b);
  case AffineExprKind::CeilDiv:
    return div(add(a, sub(b, index(1))), b);
  case AffineExprKind::Mod:
    return rem(a, b);
  default:
    llvm_unreachable("leaves are handled above");
  }
}

LaneValue Lanes::getElement(const LinearAccess &access, ArrayAttr symbols,
                            ArrayRef<LaneValue> point) {
  LaneValue element = {function.getValue(access.offset)};
  for (auto [stride, index] : llvm::zip_equal(access.strides, point))
    if (!stride.isConstant(0))
      element = add(element, mul(index, {function.getValue(stride)}));
  for (const LinearAccess::Term &term : access.terms)
    element = add(element, mul(evaluate(term.expr, symbols, point),
                               {function.getValue(term.stride)}));
  return element;
}

/// See #pack.panels.
static LaneValue getPanelElement(Lanes &lanes, pack::TensorType type,
                                 LaneValue k, LaneValue n) {
  LaneValue width = lanes.index(type.getLayout().getLanes());
  LaneValue panel =
      lanes.mul(lanes.div(n, width), lanes.index(type.getShape()[0]));
  LaneValue row = lanes.mul(lanes.add(panel, k), width);
  return lanes.add(row, lanes.rem(n, width));
}

LaneValue Lanes::getElement(Type tensor, ArrayRef<LaneValue> indices) {
  if (auto packed = dyn_cast<pack::TensorType>(tensor))
    return getPanelElement(*this, packed, indices[0], indices[1]);
  LaneValue element = index(0);
  for (auto [index, stride] : llvm::zip_equal(
           indices, getRowMajorStrides(cast<RankedTensorType>(tensor))))
    element = add(element, mul(index, {function.getValue(stride)}));
  return element;
}

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

Value Lanes::getBadLanes(LaneValue condition) {
  OpBuilder &builder = code.builder;
  Location loc = code.loc;
  if (condition.isUniform()) {
    Value yes = arith::ConstantIntOp::create(builder, loc, 1, 1);
    return arith::XOrIOp::create(builder, loc, condition.value, yes);
  }
  Value bad = arith::XOrIOp::create(
      builder, loc, condition.value,
      arith::ConstantOp::create(
          builder, loc,
          DenseElementsAttr::get(getVectorType(builder.getI1Type()), true)));
  return mask ? arith::AndIOp::create(builder, loc, bad, mask) : bad;
}

/// The number of the first lane that is set; one of them is.
static Value findLane(x86::CodeBuilder &code, Value lanes) {
  OpBuilder &builder = code.builder;
  int64_t count = cast<VectorType>(lanes.getType()).getNumElements();
  Type bits = builder.getIntegerType(static_cast<unsigned>(count));
  Value word = vector::BitCastOp::create(builder, code.loc,
                                         VectorType::get(1, bits), lanes);
  word = vector::ExtractOp::create(builder, code.loc, word, 0);
  Value lane = math::CountTrailingZerosOp::create(builder, code.loc, word);
  return arith::IndexCastUIOp::create(builder, code.loc, builder.getIndexType(),
                                      lane);
}

void Lanes::check(kernel::CheckOp op, ArrayRef<LaneValue> operands) {
  OpBuilder &builder = code.builder;
  Location loc = code.loc;
  Value bad = getBadLanes(operands.front());
  bool isVector = isa<VectorType>(bad.getType());
  Value isBad = isVector ? vector::ReductionOp::create(
                               builder, loc, vector::CombiningKind::OR, bad)
                         : bad;
  code.ifThen(isBad, [&] {
    // As txc_fault of runtime/abi.h: found and limit first, then the code.
    for (auto [i, operand] : llvm::enumerate(operands.drop_front())) {
      Value value = operand.value;
      if (isVector)
        value = vector::ExtractOp::create(builder, loc, getVector(operand),
                                          findLane(code, bad));
      value =
          arith::IndexCastOp::create(builder, loc, builder.getI64Type(), value);
      code.store(value,
                 code.advance(function.getFault(), static_cast<int64_t>(i) + 1,
                              builder.getI64Type()));
    }
    Value number =
        arith::ConstantIntOp::create(builder, loc, builder.getI32Type(),
                                     static_cast<int32_t>(op.getFault()));
    code.store(number, function.getFault());
  });
}
