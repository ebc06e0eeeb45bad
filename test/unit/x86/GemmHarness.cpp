//===- GemmHarness.cpp - Compiles and feeds matrix products -----*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Plays the caller of the gemm generator.
///
//===----------------------------------------------------------------------===//

#include "test/unit/x86/GemmHarness.h"
#include "compiler/codegen/x86/CodeBuilder.h"
#include "compiler/codegen/x86/Gemm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <array>
#include <cmath>

using namespace mlir;
using namespace txc;
using namespace txc::test;
using namespace txc::x86;

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

static Strides stridesOf(Order order, int64_t rows, int64_t columns) {
  switch (order) {
  case Order::RowMajor:
    return {rows * columns, columns, 1};
  case Order::ColumnMajor:
    return {rows * columns, 1, rows};
  case Order::Gapped:
    return {rows * (3 * columns + 1), 3 * columns + 1, 3};
  }
  llvm_unreachable("all orders are handled");
}

/// Rows of words of a packed panel, with the sums that precede those of i8.
static int64_t panelRows(const GemmCase &test) {
  int64_t steps = llvm::divideCeil(test.k, getDotDepth(test.type));
  return steps + (test.type == DotType::i8 ? 1 : 0);
}

static Strides weightStrides(const GemmCase &test) {
  switch (test.b) {
  case Weights::Packed: {
    int64_t columns = llvm::alignTo(test.n, panelLanes);
    return {columns * panelRows(test), 0, 0};
  }
  case Weights::RowMajor:
    return stridesOf(Order::RowMajor, test.k, test.n);
  case Weights::Transposed:
    return stridesOf(Order::ColumnMajor, test.k, test.n);
  case Weights::Gapped:
    return stridesOf(Order::Gapped, test.k, test.n);
  }
  llvm_unreachable("all weights are handled");
}

static int64_t extent(int64_t batch, Strides strides, int64_t rows,
                      int64_t columns) {
  if (batch == 0 || rows == 0 || columns == 0)
    return 0;
  return (batch - 1) * strides.batch + (rows - 1) * strides.row +
         (columns - 1) * strides.column + 1;
}

GemmOperands::GemmOperands(const GemmCase &test)
    : test(test), packed(test.b == Weights::Packed),
      aStrides(stridesOf(test.a, test.m, test.k)),
      bStrides(weightStrides(test)),
      a(extent(test.batch, aStrides, test.m, test.k), test.guard),
      b(packed ? test.batch * bStrides.batch
               : extent(test.batch, bStrides, test.k, test.n),
        test.guard),
      bias(test.n, test.guard), c(test.batch * test.m * test.n, test.guard) {}

GemmOperands::GemmOperands(const GemmCase &test, char filling)
    : GemmOperands(test) {
  std::memset(a.data(), filling, a.size() * sizeof(float));
  std::memset(b.data(), filling, b.size() * sizeof(float));
}

GemmOperands::GemmOperands(const GemmCase &test, std::mt19937 &random)
    : GemmOperands(test) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (float &x : a)
    x = uniform(random);
  for (int64_t i = 0; i < test.batch; ++i)
    for (int64_t row = 0; row < test.k; ++row)
      for (int64_t column = 0; column < test.n; ++column)
        setB(i, row, column, uniform(random));
  addShiftedSums();
  for (float &x : bias)
    x = uniform(random);
  for (float &x : c)
    x = NAN;
}

float &GemmOperands::aAt(int64_t batch, int64_t row, int64_t column) {
  return a[batch * aStrides.batch + row * aStrides.row +
           column * aStrides.column];
}

char *GemmOperands::findB(int64_t batch, int64_t row, int64_t column) {
  int64_t depth = getDotDepth(test.type), bytes = sizeof(float) / depth;
  int64_t word = batch * bStrides.batch;
  if (!packed)
    word += row * bStrides.row + column * bStrides.column;
  else
    word += (column / panelLanes * panelRows(test) +
             (test.type == DotType::i8 ? 1 : 0) + row / depth) *
                panelLanes +
            column % panelLanes;
  return reinterpret_cast<char *>(&b[word]) + row % depth * bytes;
}

void GemmOperands::setB(int64_t batch, int64_t row, int64_t column,
                        float value) {
  char *place = findB(batch, row, column);
  switch (test.type) {
  case DotType::f32:
    std::memcpy(place, &value, sizeof value);
    return;
  case DotType::bf16: {
    auto bits = llvm::bit_cast<uint32_t>(roundToBf16(value)) >> 16;
    std::memcpy(place, &bits, 2);
    return;
  }
  case DotType::i8:
    *place = static_cast<char>(std::lround(value * 127));
    return;
  }
}

float GemmOperands::getB(int64_t batch, int64_t row, int64_t column) {
  const char *place = findB(batch, row, column);
  switch (test.type) {
  case DotType::f32: {
    float value;
    std::memcpy(&value, place, sizeof value);
    return value;
  }
  case DotType::bf16: {
    uint16_t bits;
    std::memcpy(&bits, place, sizeof bits);
    return llvm::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  }
  case DotType::i8:
    return static_cast<signed char>(*place);
  }
  llvm_unreachable("all types are handled");
}

void GemmOperands::addShiftedSums() {
  if (test.type != DotType::i8 || test.k == 0)
    return;
  for (int64_t i = 0; i < test.batch; ++i) {
    for (int64_t column = 0; column < test.n; ++column) {
      int32_t sum = 0;
      for (int64_t row = 0; row < test.k; ++row)
        sum -= static_cast<int32_t>(i8PanelShift * getB(i, row, column));
      std::memcpy(findB(i, 0, column) - panelLanes * sizeof sum, &sum,
                  sizeof sum);
    }
  }
}

float test::roundToBf16(float value) {
  APFloat number(value);
  bool losesInfo = false;
  number.convert(APFloat::BFloat(), APFloat::rmNearestTiesToEven, &losesInfo);
  number.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return number.convertToFloat();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// The scalars of a kernel's signature, in order.
enum Scalar { Batch, M, N, K, AB, AM, AK, BB, BK, BN, Begin, End, NumScalars };

static std::array<int64_t, NumScalars> scalarsOf(const GemmCase &test) {
  Strides a = stridesOf(test.a, test.m, test.k), b = weightStrides(test);
  return {test.batch, test.m,  test.n, test.k,   a.batch, a.row,
          a.column,   b.batch, b.row,  b.column, 0,       0};
}

/// The place of an element of a row-major matrix.
static Value findElement(OpBuilder &b, Location loc, Value row, Value columns,
                         Value n) {
  return arith::AddIOp::create(b, loc,
                               arith::MulIOp::create(b, loc, row, columns), n);
}

static void emitFetch(OpBuilder &b, Location loc, const VectorTarget &target,
                      Value c, Value row, Value columns, Value n) {
  x86::CodeBuilder code(b, loc, target);
  code.prefetch(code.advance(code.pointerTo(c),
                             findElement(b, loc, row, columns, n),
                             b.getF32Type()),
                /*level=*/2);
}

/// Stores sums + bias[n] to a row-major \p c.
static void emitStore(OpBuilder &b, Location loc, Value bias, Value c,
                      Value sums, Value row, Value columns, Value n,
                      Value mask) {
  Value index = findElement(b, loc, row, columns, n);
  auto type = cast<VectorType>(sums.getType());
  if (!mask) {
    Value added = vector::LoadOp::create(b, loc, type, bias, ValueRange{n});
    Value result = arith::AddFOp::create(b, loc, sums, added);
    vector::StoreOp::create(b, loc, result, c, ValueRange{index});
    return;
  }
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  Value added = vector::MaskedLoadOp::create(b, loc, type, bias, ValueRange{n},
                                             mask, zero);
  Value result = arith::AddFOp::create(b, loc, sums, added);
  vector::MaskedStoreOp::create(b, loc, c, ValueRange{index}, mask, result);
}

/// Builds `gemm(a, b, bias, c, scratch, scalars…)`.
static OwningOpRef<ModuleOp> buildGemm(MLIRContext *context, const TestCpu &cpu,
                                       const GemmSchedule &schedule,
                                       const GemmCase &test,
                                       ArrayRef<int64_t> scalars) {
  OpBuilder builder(context);
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module->getBody());
  auto floats = MemRefType::get({ShapedType::kDynamic}, builder.getF32Type());
  auto bytes = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type());
  SmallVector<Type> types{floats, floats, floats, floats, bytes};
  types.append(NumScalars, builder.getIndexType());
  auto function = func::FuncOp::create(builder, loc, "gemm",
                                       builder.getFunctionType(types, {}));
  function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                    builder.getUnitAttr());
  builder.setInsertionPointToStart(function.addEntryBlock());

  auto argument = [&](int i) { return function.getArgument(5 + i); };
  auto dim = [&](int i) -> OpFoldResult {
    // Unit strides are always constants: that is what selects vector loads.
    if ((test.fixed && i < Begin) || (i >= AB && scalars[i] == 1))
      return builder.getIndexAttr(scalars[i]);
    return argument(i);
  };
  auto getRow = [&](OpBuilder &b, Location loc, Value batch, Value m) {
    return arith::AddIOp::create(
        b, loc, arith::MulIOp::create(b, loc, batch, argument(M)), m);
  };
  auto store = [&](OpBuilder &b, Location loc, Value sums, Value batch, Value m,
                   Value n, Value mask) {
    emitStore(b, loc, function.getArgument(2), function.getArgument(3), sums,
              getRow(b, loc, batch, m), argument(N), n, mask);
  };
  auto fetch = [&](OpBuilder &b, Location loc, Value batch, Value m, Value n) {
    emitFetch(b, loc, cpu.target, function.getArgument(3),
              getRow(b, loc, batch, m), argument(N), n);
  };
  GemmSpec spec{cpu.target,
                schedule,
                {dim(Batch)},
                dim(M),
                dim(N),
                dim(K),
                {function.getArgument(0), {}, {dim(AB), dim(AM), dim(AK)}},
                {function.getArgument(1), {}, {dim(BB)}},
                test.b == Weights::Packed,
                store,
                fetch};
  if (!spec.bIsPacked)
    spec.b.strides = {dim(BB), dim(BK), dim(BN)};
  if (failed(emitGemmTasks(builder, loc, spec, argument(Begin), argument(End),
                           function.getArgument(4))))
    return {};
  func::ReturnOp::create(builder, loc);
  return module;
}

llvm::Expected<GemmKernel> GemmKernel::create(const GemmCase &test,
                                              const TestCpu &cpu) {
  GemmKernel kernel;
  GemmShape shape;
  if (test.fixed)
    shape = {test.m, test.n, test.k};
  shape.type = test.type;
  kernel.schedule = chooseGemmSchedule(cpu.target, shape);
  bool packsB = test.b != Weights::Packed;
  kernel.scratch = std::make_unique<GuardedBuffer<char>>(
      gemmScratchBytes(kernel.schedule, packsB));

  std::unique_ptr<MLIRContext> context = makeKernelContext();
  OwningOpRef<ModuleOp> module =
      buildGemm(context.get(), cpu, kernel.schedule, test, scalarsOf(test));
  if (!module)
    return llvm::createStringError("the product can't be generated");
  auto jit = KernelJit::create(*module, cpu);
  if (!jit)
    return jit.takeError();
  kernel.jit = std::move(*jit);
  auto function = kernel.jit->lookup<Function>("gemm");
  if (!function)
    return function.takeError();
  kernel.function = *function;
  return kernel;
}

int64_t GemmKernel::taskCount(const GemmCase &test) const {
  int64_t rowBlocks =
      std::max<int64_t>(llvm::divideCeil(test.m, schedule.MC),
                        std::min<int64_t>(test.m / x86::fewestRows, 2));
  int64_t columnBlocks = llvm::divideCeil(test.n, schedule.NC);
  return test.batch * rowBlocks * columnBlocks;
}

void GemmKernel::run(GemmOperands &operands, int64_t begin, int64_t end) const {
  MemRef a = operands.a.memref(), b = operands.b.memref(),
         bias = operands.bias.memref(), c = operands.c.memref(),
         scratchRef = scratch->memref();
  std::array<int64_t, NumScalars> s = scalarsOf(operands.test);
  function(&a, &b, &bias, &c, &scratchRef, s[Batch], s[M], s[N], s[K], s[AB],
           s[AM], s[AK], s[BB], s[BK], s[BN], begin, end);
}
