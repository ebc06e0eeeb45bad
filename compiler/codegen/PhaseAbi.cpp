//===- PhaseAbi.cpp - kernels as the runtime calls them ------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/PhaseAbi.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "runtime/abi.h"

using namespace mlir;

// The fields of txc_kernel_ctx that generated code reads: all are pointers.
static_assert(offsetof(txc_kernel_ctx, bases) == 0 * sizeof(void *) &&
                  offsetof(txc_kernel_ctx, values) == 1 * sizeof(void *) &&
                  offsetof(txc_kernel_ctx, scratch) == 2 * sizeof(void *) &&
                  offsetof(txc_kernel_ctx, fault) == 3 * sizeof(void *),
              "the prologue loads the context's fields by number");

namespace {

/// Loads what the function's arguments were from the context and the record.
class Prologue {
public:
  Prologue(OpBuilder &builder, Location loc, Value context, Value record)
      : builder(builder), loc(loc), record(record),
        pointer(LLVM::LLVMPointerType::get(builder.getContext())),
        bases(loadAt(pointer, context, 0)), values(loadAt(pointer, context, 1)),
        scratch(loadAt(pointer, context, 2)),
        fault(loadAt(pointer, context, 3)) {}

  Value getFault() const { return fault; }
  Value loadBuffer(MemRefType type);
  Value loadIndex();
  Value getScratch(MemRefType type) { return makeMemRef(type, scratch); }
  Value toIndex(Value integer) {
    return arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                      integer);
  }

private:
  Value loadAt(Type type, Value array, LLVM::GEPArg index);
  Value nextEntry() { return loadAt(builder.getI64Type(), record, position++); }
  Value makeMemRef(MemRefType type, Value address);

  OpBuilder &builder;
  Location loc;
  Value record;
  LLVM::LLVMPointerType pointer;
  Value bases, values, scratch, fault;
  int32_t position = 0;
};

} // namespace

/// Element `index` of an array of pointers or 64-bit integers.
Value Prologue::loadAt(Type type, Value array, LLVM::GEPArg index) {
  Value address = LLVM::GEPOp::create(builder, loc, pointer, type, array, index,
                                      LLVM::GEPNoWrapFlags::inbounds);
  return LLVM::LoadOp::create(builder, loc, type, address, /*alignment=*/8);
}

Value Prologue::loadIndex() {
  return toIndex(loadAt(builder.getI64Type(), values, nextEntry()));
}

Value Prologue::loadBuffer(MemRefType type) {
  Value base = loadAt(pointer, bases, nextEntry());
  Value offset = loadAt(builder.getI64Type(), values, nextEntry());
  Value address = LLVM::GEPOp::create(builder, loc, pointer,
                                      builder.getI8Type(), base, offset);
  return makeMemRef(type, address);
}

/// A descriptor of the memory from `address` on. Generated code never asks for
/// its size.
Value Prologue::makeMemRef(MemRefType type, Value address) {
  Type i64 = builder.getI64Type();
  auto array = LLVM::LLVMArrayType::get(i64, 1);
  auto structType = LLVM::LLVMStructType::getLiteral(
      builder.getContext(), {pointer, pointer, i64, array, array});
  Value zero = LLVM::ConstantOp::create(builder, loc, i64, 0);
  Value one = LLVM::ConstantOp::create(builder, loc, i64, 1);
  Value descriptor = LLVM::PoisonOp::create(builder, loc, structType);
  auto insert = [&](Value value, ArrayRef<int64_t> position) {
    descriptor =
        LLVM::InsertValueOp::create(builder, loc, descriptor, value, position);
  };
  insert(address, {0});
  insert(address, {1});
  insert(zero, {2});
  insert(zero, {3, 0});
  insert(one, {4, 0});
  return UnrealizedConversionCastOp::create(builder, loc, type, descriptor)
      .getResult(0);
}

void txc::convertToPhaseAbi(func::FuncOp function) {
  Block &body = function.front();
  SmallVector<BlockArgument> arguments(body.getArguments());
  OpBuilder builder(function.getContext());
  builder.setInsertionPointToStart(&body);
  Location loc = function.getLoc();
  Type pointer = LLVM::LLVMPointerType::get(function.getContext());
  Type i64 = builder.getI64Type();
  SmallVector<Type> types = {pointer, pointer, i64, i64};
  SmallVector<Value> added;
  for (Type type : types)
    added.push_back(body.addArgument(type, loc));

  // Scratch, fault, first task and last task come at the end.
  Prologue prologue(builder, loc, added[0], added[1]);
  MutableArrayRef<BlockArgument> fromRecord =
      MutableArrayRef<BlockArgument>(arguments).drop_back(4);
  MutableArrayRef<BlockArgument> fromCall =
      MutableArrayRef<BlockArgument>(arguments).take_back(4);
  for (BlockArgument &argument : fromRecord) {
    auto type = dyn_cast<MemRefType>(argument.getType());
    argument.replaceAllUsesWith(type ? prologue.loadBuffer(type)
                                     : prologue.loadIndex());
  }
  fromCall[0].replaceAllUsesWith(
      prologue.getScratch(cast<MemRefType>(fromCall[0].getType())));
  fromCall[1].replaceAllUsesWith(prologue.getFault());
  fromCall[2].replaceAllUsesWith(prologue.toIndex(added[2]));
  fromCall[3].replaceAllUsesWith(prologue.toIndex(added[3]));
  body.eraseArguments(0, arguments.size());
  function.setType(builder.getFunctionType(types, {}));
}
