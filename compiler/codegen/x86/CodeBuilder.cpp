//===- CodeBuilder.cpp - Short names for what kernels emit ------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The builder layer that all x86 generators share.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/CodeBuilder.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace txc::x86;

std::optional<int64_t> txc::x86::staticValue(OpFoldResult dim) {
  return getConstantIntValue(dim);
}

bool txc::x86::isStaticOne(OpFoldResult dim) { return staticValue(dim) == 1; }

Type CodeBuilder::ptrType() const {
  return LLVM::LLVMPointerType::get(context());
}

VectorType CodeBuilder::vectorOf(Type element) const {
  return VectorType::get(target.lanes(element.getIntOrFloatBitWidth()),
                         element);
}

//===----------------------------------------------------------------------===//
// Index arithmetic
//===----------------------------------------------------------------------===//

Value CodeBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value CodeBuilder::index(OpFoldResult value) {
  return getValueOrCreateConstantIndexOp(builder, loc, value);
}

Value CodeBuilder::add(Value a, Value b) {
  return builder.createOrFold<arith::AddIOp>(loc, a, b);
}

Value CodeBuilder::sub(Value a, Value b) {
  return builder.createOrFold<arith::SubIOp>(loc, a, b);
}

Value CodeBuilder::mul(Value a, Value b) {
  return builder.createOrFold<arith::MulIOp>(loc, a, b);
}

Value CodeBuilder::min(Value a, Value b) {
  return builder.createOrFold<arith::MinSIOp>(loc, a, b);
}

Value CodeBuilder::max(Value a, Value b) {
  return builder.createOrFold<arith::MaxSIOp>(loc, a, b);
}

Value CodeBuilder::div(Value a, Value b) {
  return builder.createOrFold<arith::DivUIOp>(loc, a, b);
}

Value CodeBuilder::rem(Value a, Value b) {
  return builder.createOrFold<arith::RemUIOp>(loc, a, b);
}

Value CodeBuilder::ceilDiv(Value a, Value b) {
  return div(add(a, sub(b, 1)), b);
}

Value CodeBuilder::roundUp(Value a, int64_t multiple) {
  return mul(ceilDiv(a, multiple), multiple);
}

Value CodeBuilder::roundDown(Value a, int64_t multiple) {
  return mul(div(a, index(multiple)), multiple);
}

Value CodeBuilder::compare(arith::CmpIPredicate predicate, Value a, Value b) {
  return builder.createOrFold<arith::CmpIOp>(loc, predicate, a, b);
}

Value CodeBuilder::select(Value condition, Value a, Value b) {
  return builder.createOrFold<arith::SelectOp>(loc, condition, a, b);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value CodeBuilder::pointerTo(Value buffer) {
  Value address =
      memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, buffer);
  Value bits =
      arith::IndexCastOp::create(builder, loc, builder.getI64Type(), address);
  return LLVM::IntToPtrOp::create(builder, loc, ptrType(), bits);
}

Value CodeBuilder::pointerTo(const StridedOperand &operand,
                             ValueRange subscripts) {
  assert(subscripts.size() <= operand.strides.size() &&
         "more subscripts than strides");
  Value linear = operand.offset ? operand.offset : index(0);
  for (auto [subscript, stride] : llvm::zip(subscripts, operand.strides))
    linear = add(linear, mul(subscript, index(stride)));
  auto type = cast<MemRefType>(operand.buffer.getType());
  return advance(pointerTo(operand.buffer), linear, type.getElementType());
}

Value CodeBuilder::advance(Value pointer, Value elements, Type element) {
  if (std::optional<int64_t> known = staticValue(elements))
    return advance(pointer, *known, element);
  Value offset =
      arith::IndexCastOp::create(builder, loc, builder.getI64Type(), elements);
  return LLVM::GEPOp::create(builder, loc, ptrType(), element, pointer,
                             ValueRange{offset});
}

Value CodeBuilder::advance(Value pointer, int64_t elements, Type element) {
  if (elements == 0)
    return pointer;
  // A constant subscript has 32 bits: count large offsets as a value.
  if (!llvm::isInt<32>(elements)) {
    Value offset = LLVM::ConstantOp::create(
        builder, loc, builder.getI64IntegerAttr(elements));
    return LLVM::GEPOp::create(builder, loc, ptrType(), element, pointer,
                               ValueRange{offset});
  }
  return LLVM::GEPOp::create(
      builder, loc, ptrType(), element, pointer,
      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(elements)});
}

static unsigned elementAlignment(Type type) {
  return getElementTypeOrSelf(type).getIntOrFloatBitWidth() / 8;
}

Value CodeBuilder::load(Type type, Value pointer) {
  return LLVM::LoadOp::create(builder, loc, type, pointer,
                              elementAlignment(type));
}

void CodeBuilder::store(Value value, Value pointer) {
  LLVM::StoreOp::create(builder, loc, value, pointer,
                        elementAlignment(value.getType()));
}

Value CodeBuilder::maskedLoad(VectorType type, Value pointer, Value mask) {
  return LLVM::MaskedLoadOp::create(builder, loc, type, pointer, mask,
                                    constant(type, 0.0),
                                    elementAlignment(type));
}

void CodeBuilder::maskedStore(Value value, Value pointer, Value mask) {
  LLVM::MaskedStoreOp::create(builder, loc, value, pointer, mask,
                              elementAlignment(value.getType()));
}

void CodeBuilder::prefetch(Value pointer, int level) {
  LLVM::Prefetch::create(builder, loc, pointer, /*rw=*/0, /*hint=*/4 - level,
                         /*cache=*/1);
}

void CodeBuilder::keepOrder() {
  LLVM::FenceOp::create(builder, loc, LLVM::AtomicOrdering::acq_rel,
                        /*syncscope=*/"singlethread");
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Value CodeBuilder::constant(Type type, double value) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr attr = isa<FloatType>(element)
                       ? TypedAttr(builder.getFloatAttr(element, value))
                       : TypedAttr(builder.getIntegerAttr(
                             element, static_cast<int64_t>(value)));
  if (auto vector = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(vector, Attribute(attr));
  return arith::ConstantOp::create(builder, loc, attr);
}

Value CodeBuilder::splat(Value scalar, VectorType type) {
  return vector::BroadcastOp::create(builder, loc, type, scalar);
}

Value CodeBuilder::fma(Value a, Value b, Value c) {
  return LLVM::FMulAddOp::create(builder, loc, a.getType(), a, b, c);
}

Value CodeBuilder::firstLanes(VectorType type, Value count) {
  auto maskType = VectorType::get(type.getShape(), builder.getI1Type());
  return vector::CreateMaskOp::create(builder, loc, maskType, count);
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

SmallVector<Value> CodeBuilder::loop(Value begin, Value end, int64_t step,
                                     ValueRange init, LoopBody body) {
  OpBuilder::InsertionGuard guard(builder);
  auto op = scf::ForOp::create(builder, loc, begin, end, index(step), init);
  builder.setInsertionPointToStart(op.getBody());
  SmallVector<Value> results =
      body(op.getInductionVar(), op.getRegionIterArgs());
  assert(results.size() == init.size() && "loop carries as much as it yields");
  if (!init.empty())
    scf::YieldOp::create(builder, loc, results);
  return llvm::to_vector_of<Value>(op.getResults());
}

void CodeBuilder::loop(Value begin, Value end, int64_t step,
                       function_ref<void(Value)> body) {
  loop(begin, end, step, ValueRange{},
       [&](Value iv, ValueRange) -> SmallVector<Value> {
         body(iv);
         return {};
       });
}

void CodeBuilder::ifThen(Value condition, function_ref<void()> body) {
  if (std::optional<int64_t> known = staticValue(condition)) {
    if (*known)
      body();
    return;
  }
  OpBuilder::InsertionGuard guard(builder);
  auto op =
      scf::IfOp::create(builder, loc, condition, /*withElseRegion=*/false);
  builder.setInsertionPointToStart(op.thenBlock());
  body();
}

void CodeBuilder::ifThenElse(Value condition, function_ref<void()> thenBody,
                             function_ref<void()> elseBody) {
  if (std::optional<int64_t> known = staticValue(condition))
    return *known ? thenBody() : elseBody();
  OpBuilder::InsertionGuard guard(builder);
  auto op = scf::IfOp::create(builder, loc, condition, /*withElseRegion=*/true);
  builder.setInsertionPointToStart(op.thenBlock());
  thenBody();
  builder.setInsertionPointToStart(op.elseBlock());
  elseBody();
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

func::FuncOp
CodeBuilder::getOrCreateFunction(StringRef name, TypeRange arguments,
                                 function_ref<void(ValueRange)> body) {
  Operation *scope = SymbolTable::getNearestSymbolTable(
      builder.getInsertionBlock()->getParentOp());
  assert(scope && "kernels are emitted inside a module");
  if (auto existing = dyn_cast_or_null<func::FuncOp>(
          SymbolTable::lookupSymbolIn(scope, name)))
    return existing;

  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&scope->getRegion(0).front());
  auto function = func::FuncOp::create(builder, loc, name,
                                       builder.getFunctionType(arguments, {}));
  function.setPrivate();
  function->setAttr("passthrough", builder.getStrArrayAttr({"noinline"}));
  // Private visibility alone would leave a symbol that other objects clash
  // with.
  function->setAttr("llvm.linkage",
                    LLVM::LinkageAttr::get(context(), LLVM::Linkage::Internal));
  builder.setInsertionPointToStart(function.addEntryBlock());
  body(function.getArguments());
  func::ReturnOp::create(builder, loc);
  return function;
}

void CodeBuilder::call(func::FuncOp callee, ValueRange arguments) {
  func::CallOp::create(builder, loc, callee, arguments);
}
