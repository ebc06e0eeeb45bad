//===- AttentionHarness.cpp - Compiles and feeds attention ------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Plays the caller of the attention generator.
///
//===----------------------------------------------------------------------===//

#include "test/unit/x86/AttentionHarness.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <cmath>

using namespace mlir;
using namespace txc;
using namespace txc::test;
using namespace txc::x86;

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

static HeadStrides stridesOf(HeadLayout layout, int64_t heads, int64_t length,
                             int64_t size) {
  int64_t batch = heads * length * size;
  switch (layout) {
  case HeadLayout::HeadMajor:
    return {batch, length * size, size, 1};
  case HeadLayout::SequenceMajor:
    return {batch, size, heads * size, 1};
  case HeadLayout::ElementMajor:
    return {batch, length * size, 1, length};
  }
  llvm_unreachable("all layouts are handled");
}

static int64_t maskSize(const AttentionCase &test) {
  switch (test.mask) {
  case MaskKind::None:
    return 0;
  case MaskKind::AdditivePerKey:
    return test.batch * test.keys;
  case MaskKind::Additive:
  case MaskKind::Boolean:
    return test.batch * test.heads * test.queries * test.keys;
  }
  llvm_unreachable("all masks are handled");
}

AttentionOperands::AttentionOperands(const AttentionCase &test,
                                     std::mt19937 &random)
    : test(test),
      qStrides(stridesOf(test.layout, test.heads, test.queries, test.size)),
      kStrides(stridesOf(test.layout, keyHeads(), test.keys, test.size)),
      vStrides(stridesOf(test.layout, keyHeads(), test.keys, test.valueSize)),
      oStrides(
          stridesOf(test.layout, test.heads, test.queries, test.valueSize)),
      q(test.batch * qStrides[0]), k(test.batch * kStrides[0], Guard::Front),
      v(test.batch * vStrides[0]), o(test.batch * oStrides[0]),
      mask(maskSize(test)), validKeys(test.batch) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (GuardedBuffer<float> *buffer : {&q, &k, &v})
    for (float &x : *buffer)
      x = uniform(random);
  for (float &x : mask)
    x = test.mask == MaskKind::Boolean ? 1 : 0;
  for (int64_t &count : validKeys)
    count = test.keys;
  for (float &x : o)
    x = NAN;
}

float &AttentionOperands::maskAt(int64_t b, int64_t h, int64_t s, int64_t t) {
  if (test.mask == MaskKind::AdditivePerKey)
    return mask[b * test.keys + t];
  return mask[((b * test.heads + h) * test.queries + s) * test.keys + t];
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

namespace {
enum Buffer { Q, K, V, O, Mask, ValidKeys, Scratch, Scalars };
/// The contents of Scalars; strides come in fours.
enum Scalar {
  Batch,
  Heads,
  Queries,
  NumKeys,
  QStrides,
  KStrides = QStrides + 4,
  VStrides = KStrides + 4,
  OStrides = VStrides + 4,
  CausalOffset = OStrides + 4,
  Begin,
  End,
  NumScalars
};
} // namespace

static Value emitMask(OpBuilder &builder, Location loc, Value buffer,
                      Value index, Value valid, VectorType type,
                      MaskKind kind) {
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  Value loaded;
  if (valid)
    loaded = vector::MaskedLoadOp::create(builder, loc, type, buffer,
                                          ValueRange{index}, valid, zero);
  else
    loaded =
        vector::LoadOp::create(builder, loc, type, buffer, ValueRange{index});
  if (kind != MaskKind::Boolean)
    return loaded;
  return arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::ONE, loaded,
                               zero);
}

/// Builds `attention(buffers…)`.
static OwningOpRef<ModuleOp> buildAttention(MLIRContext *context,
                                            const TestCpu &cpu,
                                            const AttentionSchedule &schedule,
                                            const AttentionCase &test,
                                            int64_t &scratchBytes) {
  OpBuilder builder(context);
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module->getBody());
  auto buffer = [&](Type element) {
    return MemRefType::get({ShapedType::kDynamic}, element);
  };
  SmallVector<Type> types(5, buffer(builder.getF32Type()));
  types.push_back(buffer(builder.getI64Type()));
  types.push_back(buffer(builder.getI8Type()));
  types.push_back(buffer(builder.getIndexType()));
  auto function = func::FuncOp::create(builder, loc, "attention",
                                       builder.getFunctionType(types, {}));
  function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                    builder.getUnitAttr());
  builder.setInsertionPointToStart(function.addEntryBlock());

  SmallVector<Value> scalars;
  for (int64_t i = 0; i < NumScalars; ++i) {
    Value index = arith::ConstantIndexOp::create(builder, loc, i);
    scalars.push_back(memref::LoadOp::create(
        builder, loc, function.getArgument(Scalars), ValueRange{index}));
  }
  auto scalar = [&](int i) { return scalars[i]; };
  auto operand = [&](Buffer which, int firstStride) {
    StridedOperand result{function.getArgument(which), {}, {}};
    for (int i = 0; i < 4; ++i)
      result.strides.push_back(scalar(firstStride + i));
    // Unit strides are constants: that is what selects vector loads.
    int unit = test.layout == HeadLayout::ElementMajor ? 2 : 3;
    result.strides[unit] = builder.getIndexAttr(1);
    return result;
  };
  auto linear = [](OpBuilder &b, Location loc, Value a, Value extent,
                   Value next) -> Value {
    return arith::AddIOp::create(
        b, loc, arith::MulIOp::create(b, loc, a, extent), next);
  };
  auto mask = [&](OpBuilder &b, Location loc, Value batch, Value h, Value s,
                  Value t, Value valid) {
    Value index = batch;
    if (test.mask != MaskKind::AdditivePerKey) {
      index = linear(b, loc, index, scalar(Heads), h);
      index = linear(b, loc, index, scalar(Queries), s);
    }
    index = linear(b, loc, index, scalar(NumKeys), t);
    auto type = VectorType::get(cpu.target.lanes(32), b.getF32Type());
    return emitMask(b, loc, function.getArgument(Mask), index, valid, type,
                    test.mask);
  };
  auto causalOffset = [&](OpBuilder &, Location, Value) {
    return scalar(CausalOffset);
  };
  auto validKeys = [&](OpBuilder &b, Location loc, Value batch) -> Value {
    Value count = memref::LoadOp::create(
        b, loc, function.getArgument(ValidKeys), ValueRange{batch});
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), count);
  };

  AttentionSpec spec;
  spec.target = cpu.target;
  spec.schedule = schedule;
  spec.batch = scalar(Batch);
  spec.heads = scalar(Heads);
  spec.queries = scalar(Queries);
  spec.keys = scalar(NumKeys);
  spec.group = test.group;
  spec.size = test.size;
  spec.valueSize = test.valueSize;
  spec.q = operand(Q, QStrides);
  spec.k = operand(K, KStrides);
  spec.v = operand(V, VStrides);
  spec.o = operand(O, OStrides);
  spec.scale = test.scale;
  spec.softcap = test.softcap;
  spec.softcapAfterMask = test.softcapAfterMask;
  if (test.mask != MaskKind::None)
    spec.mask = mask;
  spec.maskIsPerKey = test.mask == MaskKind::AdditivePerKey;
  if (test.causalOffset)
    spec.causalOffset = causalOffset;
  if (test.hasValidKeys)
    spec.validKeys = validKeys;
  spec.fullyMasked = test.fullyMasked;
  scratchBytes =
      attentionScratchBytes(cpu.target, schedule, attentionHead(spec));
  if (failed(emitAttentionTasks(builder, loc, spec, scalar(Begin), scalar(End),
                                function.getArgument(Scratch))))
    return {};
  func::ReturnOp::create(builder, loc);
  return module;
}

llvm::Expected<AttentionKernel>
AttentionKernel::create(const AttentionCase &test, const TestCpu &cpu) {
  AttentionKernel kernel;
  kernel.schedule = chooseAttentionSchedule(cpu.target, test.type);
  int64_t scratchBytes = 0;
  std::unique_ptr<MLIRContext> context = makeKernelContext();
  OwningOpRef<ModuleOp> module =
      buildAttention(context.get(), cpu, kernel.schedule, test, scratchBytes);
  if (!module)
    return llvm::createStringError("the attention can't be generated");
  auto jit = KernelJit::create(*module, cpu);
  if (!jit)
    return jit.takeError();
  kernel.jit = std::move(*jit);
  auto function = kernel.jit->lookup<Function>("attention");
  if (!function)
    return function.takeError();
  kernel.function = *function;
  kernel.scratch = std::make_unique<GuardedBuffer<char>>(scratchBytes);
  return kernel;
}

int64_t AttentionKernel::taskCount(const AttentionCase &test) const {
  int64_t blocks = llvm::divideCeil(test.queries, schedule.queryBlock);
  return test.batch * test.heads * blocks;
}

void AttentionKernel::run(AttentionOperands &operands, int64_t begin,
                          int64_t end) const {
  const AttentionCase &test = operands.test;
  std::array<int64_t, NumScalars> scalars = {test.batch, test.heads,
                                             test.queries, test.keys};
  llvm::copy(operands.qStrides, &scalars[QStrides]);
  llvm::copy(operands.kStrides, &scalars[KStrides]);
  llvm::copy(operands.vStrides, &scalars[VStrides]);
  llvm::copy(operands.oStrides, &scalars[OStrides]);
  scalars[CausalOffset] = test.causalOffset.value_or(0);
  scalars[Begin] = begin;
  scalars[End] = end;
  MemRef q = operands.q.memref(), k = operands.k.memref(),
         v = operands.v.memref(), o = operands.o.memref(),
         mask = operands.mask.memref(), validKeys = operands.validKeys.memref(),
         scratchRef = scratch->memref(), scalarsRef(scalars.data(), NumScalars);
  function(&q, &k, &v, &o, &mask, &validKeys, &scratchRef, &scalarsRef);
}
