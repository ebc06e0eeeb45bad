//===- GemmTest.cpp - Matrix products against a reference -------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Generates, compiles and runs matrix products for every CPU level, and
/// compares them with sums in double precision.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/Gemm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "test/unit/x86/GuardedBuffer.h"
#include "test/unit/x86/KernelJit.h"
#include "gtest/gtest.h"
#include <array>
#include <cmath>
#include <random>

using namespace mlir;
using namespace txc;
using namespace txc::test;
using namespace txc::x86;

namespace {

enum class Order { RowMajor, ColumnMajor, Gapped };
enum class Weights { Packed, RowMajor, Transposed, Gapped };

/// One product to generate. The dims that are set in `fixed` are constants of
/// the generated code, others are arguments.
struct Case {
  int64_t batch, m, n, k;
  Order a = Order::RowMajor;
  Weights b = Weights::Packed;
  bool fixed = false;
  Guard guard = Guard::Back;
};

/// Strides over (batch, row, column) of a matrix with \p rows x \p columns.
struct Strides {
  int64_t batch, row, column;
};

Strides stridesOf(Order order, int64_t rows, int64_t columns) {
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

int64_t extent(int64_t batch, Strides strides, int64_t rows, int64_t columns) {
  if (batch == 0 || rows == 0 || columns == 0)
    return 0;
  return (batch - 1) * strides.batch + (rows - 1) * strides.row +
         (columns - 1) * strides.column + 1;
}

Order orderOf(Weights weights) {
  return weights == Weights::Transposed ? Order::ColumnMajor
         : weights == Weights::Gapped   ? Order::Gapped
                                        : Order::RowMajor;
}

/// The scalars of a kernel's signature, in order.
enum Argument {
  Batch,
  M,
  N,
  K,
  AB,
  AM,
  AK,
  BB,
  BK,
  BN,
  Begin,
  End,
  NumScalars
};

/// Builds `gemm(a, b, bias, c, scratch, scalars…)`, which stores C + bias[n]
/// row-major.
OwningOpRef<ModuleOp> buildGemm(MLIRContext *context, const TestCpu &cpu,
                                const GemmSchedule &schedule, const Case &test,
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
    // Unit strides are always static: that is what selects vector loads.
    if ((test.fixed && i < Begin) || (i >= AB && scalars[i] == 1))
      return builder.getIndexAttr(scalars[i]);
    return argument(i);
  };
  Value bias = function.getArgument(2), c = function.getArgument(3);
  Value columns = argument(N), rows = argument(M);
  auto store = [&](OpBuilder &b, Location loc, Value sums, Value batch, Value m,
                   Value n, Value mask) {
    Value row = arith::AddIOp::create(
        b, loc, arith::MulIOp::create(b, loc, batch, rows), m);
    Value index = arith::AddIOp::create(
        b, loc, arith::MulIOp::create(b, loc, row, columns), n);
    auto type = cast<VectorType>(sums.getType());
    if (!mask) {
      Value added = vector::LoadOp::create(b, loc, type, bias, ValueRange{n});
      Value result = arith::AddFOp::create(b, loc, sums, added);
      vector::StoreOp::create(b, loc, result, c, ValueRange{index});
      return;
    }
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
    Value added = vector::MaskedLoadOp::create(b, loc, type, bias,
                                               ValueRange{n}, mask, zero);
    Value result = arith::AddFOp::create(b, loc, sums, added);
    vector::MaskedStoreOp::create(b, loc, c, ValueRange{index}, mask, result);
  };
  GemmSpec spec{cpu.target,
                schedule,
                {dim(Batch)},
                dim(M),
                dim(N),
                dim(K),
                {function.getArgument(0), {}, {}},
                {function.getArgument(1), {}, {}},
                test.b == Weights::Packed,
                store};
  spec.a.strides = {dim(AB), dim(AM), dim(AK)};
  spec.b.strides = {dim(BB)};
  if (!spec.bIsPacked)
    spec.b.strides = {dim(BB), dim(BK), dim(BN)};
  EXPECT_TRUE(succeeded(emitGemmTasks(builder, loc, spec, argument(Begin),
                                      argument(End), function.getArgument(4))));
  func::ReturnOp::create(builder, loc);
  return module;
}

using Kernel = void(MemRef *a, MemRef *b, MemRef *bias, MemRef *c,
                    MemRef *scratch, int64_t, int64_t, int64_t, int64_t,
                    int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
                    int64_t begin, int64_t end);

/// The operands of a case and what is expected of them.
struct Operands {
  Operands(const Case &test, std::mt19937 &random);
  float &bAt(int64_t batch, int64_t row, int64_t column);
  void expectProduct();

  Case test;
  bool packed;
  Strides aStrides, bStrides;
  GuardedBuffer<float> a, b, bias, c;
};

Strides weightStrides(const Case &test) {
  if (test.b != Weights::Packed)
    return stridesOf(orderOf(test.b), test.k, test.n);
  int64_t columns = llvm::alignTo(test.n, panelLanes);
  return {columns * test.k, 0, 0};
}

Operands::Operands(const Case &test, std::mt19937 &random)
    : test(test), packed(test.b == Weights::Packed),
      aStrides(stridesOf(test.a, test.m, test.k)),
      bStrides(weightStrides(test)),
      a(extent(test.batch, aStrides, test.m, test.k), test.guard),
      b(packed ? test.batch * bStrides.batch
               : extent(test.batch, bStrides, test.k, test.n),
        test.guard),
      bias(test.n, test.guard), c(test.batch * test.m * test.n, test.guard) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (float &x : a)
    x = uniform(random);
  for (int64_t i = 0; i < test.batch; ++i)
    for (int64_t row = 0; row < test.k; ++row)
      for (int64_t column = 0; column < test.n; ++column)
        bAt(i, row, column) = uniform(random);
  for (float &x : bias)
    x = uniform(random);
  for (float &x : c)
    x = NAN;
}

float &Operands::bAt(int64_t batch, int64_t row, int64_t column) {
  if (!packed)
    return b[batch * bStrides.batch + row * bStrides.row +
             column * bStrides.column];
  return b[batch * bStrides.batch + column / panelLanes * test.k * panelLanes +
           row * panelLanes + column % panelLanes];
}

void Operands::expectProduct() {
  for (int64_t i = 0; i < test.batch; ++i) {
    for (int64_t row = 0; row < test.m; ++row) {
      for (int64_t column = 0; column < test.n; ++column) {
        double sum = bias[column], magnitude = std::abs(sum);
        for (int64_t p = 0; p < test.k; ++p) {
          double product = double(a[i * aStrides.batch + row * aStrides.row +
                                    p * aStrides.column]) *
                           bAt(i, p, column);
          sum += product;
          magnitude += std::abs(product);
        }
        // Each of the k products and k + 1 sums rounds once: Higham, Accuracy
        // and Stability of Numerical Algorithms, section 3.1.
        double bound = (test.k + 2) * 0x1p-24 * magnitude;
        float got = c[(i * test.m + row) * test.n + column];
        ASSERT_LE(std::abs(got - sum), bound)
            << "at " << i << ", " << row << ", " << column;
      }
    }
  }
}

class GemmTest : public testing::TestWithParam<size_t> {
protected:
  const TestCpu &cpu() const { return testCpus()[GetParam()]; }
  /// Compiles a kernel that fits the first of \p cases, runs them all on it. If
  /// they aren't fixed they may differ in their dims. The first's dims are
  /// above 1, so that only strides that always are 1 become constants.
  void run(ArrayRef<Case> cases);
  void runOne(Kernel *kernel, const GemmSchedule &schedule, Operands &operands);

  std::mt19937 random{7};
};

std::array<int64_t, NumScalars> scalarsOf(const Operands &operands) {
  const Case &test = operands.test;
  const Strides &a = operands.aStrides, &b = operands.bStrides;
  return {test.batch, test.m,  test.n, test.k,   a.batch, a.row,
          a.column,   b.batch, b.row,  b.column, 0,       0};
}

void GemmTest::run(ArrayRef<Case> cases) {
  const Case &first = cases.front();
  GemmShape shape;
  if (first.fixed)
    shape = {first.m, first.n, first.k};
  GemmSchedule schedule = chooseGemmSchedule(cpu().target, shape);
  std::unique_ptr<MLIRContext> context = makeKernelContext();
  Operands example(first, random);
  OwningOpRef<ModuleOp> module =
      buildGemm(context.get(), cpu(), schedule, first, scalarsOf(example));
  auto jit = KernelJit::create(*module, cpu());
  ASSERT_TRUE(bool(jit)) << toString(jit.takeError());
  auto kernel = (*jit)->lookup<Kernel>("gemm");
  ASSERT_TRUE(bool(kernel)) << toString(kernel.takeError());
  if (!cpu().canRun)
    return;
  for (const Case &test : cases) {
    SCOPED_TRACE(testing::Message()
                 << cpu().name << " batch " << test.batch << ", " << test.m
                 << "x" << test.n << "x" << test.k << ", A " << int(test.a)
                 << ", B " << int(test.b)
                 << (test.fixed ? ", static" : ", dynamic"));
    Operands operands(test, random);
    runOne(*kernel, schedule, operands);
    operands.expectProduct();
    if (HasFatalFailure())
      return;
  }
}

void GemmTest::runOne(Kernel *kernel, const GemmSchedule &schedule,
                      Operands &operands) {
  const Case &test = operands.test;
  GuardedBuffer<char> scratch(gemmScratchBytes(schedule, !operands.packed));
  MemRef a = operands.a.memref(), b = operands.b.memref(),
         bias = operands.bias.memref(), c = operands.c.memref(),
         scratchRef = scratch.memref();
  std::array<int64_t, NumScalars> s = scalarsOf(operands);
  int64_t tasks = test.batch * llvm::divideCeil(test.m, schedule.MC) *
                  llvm::divideCeil(test.n, schedule.NC);
  // Two ranges, as two workers would run them.
  for (auto [begin, end] :
       {std::pair(int64_t(0), tasks / 3), std::pair(tasks / 3, tasks)})
    kernel(&a, &b, &bias, &c, &scratchRef, s[Batch], s[M], s[N], s[K], s[AB],
           s[AM], s[AK], s[BB], s[BK], s[BN], begin, end);
}

TEST_P(GemmTest, EveryRowCount) {
  std::vector<Case> cases;
  for (int64_t m = 1; m <= 26; ++m)
    cases.push_back({1, m, 48, 20});
  run(cases);
}

TEST_P(GemmTest, EveryColumnTail) {
  for (Weights weights : {Weights::Packed, Weights::RowMajor}) {
    std::vector<Case> cases;
    for (int64_t n = 70; n >= 1; --n)
      cases.push_back({1, 5, n, 7, Order::RowMajor, weights});
    run(cases);
  }
}

TEST_P(GemmTest, EveryLayout) {
  for (Order a : {Order::RowMajor, Order::ColumnMajor, Order::Gapped}) {
    for (Weights b : {Weights::Packed, Weights::RowMajor, Weights::Transposed,
                      Weights::Gapped}) {
      std::vector<Case> cases;
      for (Guard guard : {Guard::Front, Guard::Back})
        for (int64_t k : {37, 16, 15, 1})
          cases.push_back({2, 29, 53, k, a, b, /*fixed=*/false, guard});
      run(cases);
    }
  }
}

TEST_P(GemmTest, SeveralBlocks) {
  run(Case{1, 101, 300, 64, Order::RowMajor, Weights::Packed, true});
  run(Case{2, 50, 131, 33, Order::RowMajor, Weights::Transposed});
}

TEST_P(GemmTest, StaticShapes) {
  run(Case{1, 1, 32, 48, Order::RowMajor, Weights::Packed, true});
  run(Case{3, 7, 19, 5, Order::ColumnMajor, Weights::RowMajor, true});
}

TEST_P(GemmTest, SplitsLongSums) {
  run(Case{1, 17, 40, 2500, Order::RowMajor, Weights::Packed, true});
  run(Case{2, 13, 20, 2057, Order::RowMajor, Weights::RowMajor});
}

TEST_P(GemmTest, EmptyDims) {
  run({{1, 9, 20, 5}, {1, 0, 20, 5}, {0, 3, 20, 5}, {1, 9, 20, 0}});
  Case dense{1, 9, 20, 5, Order::RowMajor, Weights::RowMajor};
  Case noColumns = dense, noSteps = dense;
  noColumns.n = 0;
  noSteps.k = 0;
  run({dense, noColumns, noSteps});
  run(Case{1, 9, 20, 0, Order::RowMajor, Weights::RowMajor, true});
}

TEST_P(GemmTest, RejectsTypesWithoutAtom) {
  std::unique_ptr<MLIRContext> context = makeKernelContext();
  OpBuilder builder(context.get());
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  auto halves = MemRefType::get({ShapedType::kDynamic}, builder.getF16Type());
  auto function = func::FuncOp::create(
      loc, "gemm",
      builder.getFunctionType({halves, builder.getIndexType()}, {}));
  module->push_back(function);
  builder.setInsertionPointToStart(function.addEntryBlock());
  Value buffer = function.getArgument(0), zero = function.getArgument(1);
  auto store = [](OpBuilder &, Location, Value, Value, Value, Value, Value) {};
  GemmSpec spec{cpu().target,
                chooseGemmSchedule(cpu().target, {}),
                {},
                zero,
                zero,
                zero,
                {buffer, {}, {zero, zero}},
                {buffer, {}, {zero, zero}},
                false,
                store};
  std::string message;
  ScopedDiagnosticHandler handler(context.get(), [&](Diagnostic &diagnostic) {
    message = diagnostic.str();
    return success();
  });
  EXPECT_TRUE(failed(emitGemmTasks(builder, loc, spec, zero, zero, buffer)));
  EXPECT_NE(message.find("f16"), std::string::npos) << message;
}

INSTANTIATE_TEST_SUITE_P(Cpus, GemmTest, testing::Range<size_t>(0, 3),
                         [](const testing::TestParamInfo<size_t> &info) {
                           std::string name = testCpus()[info.param].name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

} // namespace
