//===- VectorMathTest.cpp - Elementary functions against libm ---*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Compares the generated functions with libm's in double precision: a sample
/// of all f32 bit patterns, which is dense in every binade, and the special
/// values.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/VectorMath.h"
#include "compiler/codegen/x86/CodeBuilder.h"
#include "compiler/codegen/x86/VectorMathBuilder.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "test/unit/x86/GuardedBuffer.h"
#include "llvm/ADT/bit.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace txc;
using namespace txc::test;
using namespace txc::x86;

namespace {

using Emit = Value (*)(OpBuilder &, Location, Value x, Value y,
                       const VectorTarget &);
using Reference = double (*)(double x, double y);

struct Function {
  const char *name;
  Emit emit;
  Reference reference;
  /// Greatest error in ulp, with fused multiply-adds and without.
  double ulps, ulpsWithoutFma;
};

template <Value (*unary)(OpBuilder &, Location, Value, const VectorTarget &)>
Value emitUnary(OpBuilder &builder, Location loc, Value x, Value,
                const VectorTarget &target) {
  return unary(builder, loc, x, target);
}

/// exp(2 · x/2), so that the factor counts.
Value emitCoarseExpOfHalf(OpBuilder &builder, Location loc, Value x, Value,
                          const VectorTarget &target) {
  VectorMathBuilder m(builder, loc, target);
  return emitCoarseExp(builder, loc, m.mul(x, 0.5), target, /*factor=*/2.0);
}

// The bounds that VectorMath.h states.
const Function functions[] = {
    {"exp", emitUnary<emitExp>, [](double x, double) { return std::exp(x); },
     1.0, 1.25},
    {"tanh", emitUnary<emitTanh>, [](double x, double) { return std::tanh(x); },
     6, 6.5},
    {"erf", emitUnary<emitErf>, [](double x, double) { return std::erf(x); }, 6,
     6.6},
    {"log", emitUnary<emitLog>, [](double x, double) { return std::log(x); },
     0.51, 0.51},
    {"sin", emitUnary<emitSin>, [](double x, double) { return std::sin(x); },
     0.51, 0.51},
    {"cos", emitUnary<emitCos>, [](double x, double) { return std::cos(x); },
     0.51, 0.51},
    {"pow", emitPow, [](double x, double y) { return std::pow(x, y); }, 0.51,
     0.51},
    // 8e-5 and, near the denormal numbers, 87 times half an ulp more.
    {"coarseExp", emitCoarseExpOfHalf,
     [](double x, double) { return std::exp(x); }, 1400, 1.2},
};

using Kernel = void(MemRef *x, MemRef *y, MemRef *out, int64_t n);

/// Emits `name(x, y, out, n)`: out[i] = f(x[i], y[i]) by vectors of \p lanes;
/// n is a multiple of that. No lanes means scalars.
void emitKernel(OpBuilder &builder, Location loc, const Function &function,
                const std::string &name, int64_t lanes,
                const VectorTarget &target) {
  OpBuilder::InsertionGuard guard(builder);
  auto floats = MemRefType::get({ShapedType::kDynamic}, builder.getF32Type());
  auto kernel = func::FuncOp::create(
      builder, loc, name,
      builder.getFunctionType({floats, floats, floats, builder.getIndexType()},
                              {}));
  kernel->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                  builder.getUnitAttr());
  builder.setInsertionPointToStart(kernel.addEntryBlock());
  CodeBuilder code(builder, loc, target);
  Type element = builder.getF32Type();
  Type type = lanes == 0 ? element : VectorType::get(lanes, element);
  auto at = [&](int argument, Value i) {
    return code.advance(code.pointerTo(kernel.getArgument(argument)), i,
                        element);
  };
  code.loop(code.index(0), kernel.getArgument(3), std::max<int64_t>(lanes, 1),
            [&](Value i) {
              Value x = code.load(type, at(0, i)),
                    y = code.load(type, at(1, i));
              code.store(function.emit(builder, loc, x, y, target), at(2, i));
            });
  func::ReturnOp::create(builder, loc);
}

/// The error of \p got in ulp of \p exact, which is rounded where f32 has no
/// such number.
double errorInUlps(float got, double exact) {
  auto rounded = static_cast<float>(exact);
  if (std::isnan(exact) || std::isnan(got))
    return std::isnan(exact) == std::isnan(got) ? 0 : INFINITY;
  if (std::isinf(rounded) || std::isinf(got))
    return rounded == got ? 0 : INFINITY;
  int exponent = std::max(std::ilogb(exact == 0 ? 1e-300 : exact), -126);
  return std::abs(got - exact) / std::ldexp(1.0, exponent - 23);
}

class VectorMathTest : public testing::TestWithParam<size_t> {
protected:
  static constexpr int64_t count = 1 << 16;

  VectorMathTest() : x(count), y(count), out(count) {}
  const TestCpu &cpu() const { return testCpus()[GetParam()]; }
  void SetUp() override;
  Kernel *kernel(const Function &function, int64_t lanes) {
    return cantFail(jit->lookup<Kernel>(kernelName(function, lanes)));
  }
  void call(Kernel *kernel) {
    MemRef xRef = x.memref(), yRef = y.memref(), outRef = out.memref();
    kernel(&xRef, &yRef, &outRef, count);
  }
  static std::string kernelName(const Function &function, int64_t lanes) {
    return function.name + std::to_string(lanes);
  }
  /// The CPU's own vectors, a length it doesn't have, and scalars.
  SmallVector<int64_t> lengths() const {
    return {cpu().target.lanes(32), 2, 0};
  }

  std::unique_ptr<MLIRContext> context;
  std::unique_ptr<KernelJit> jit;
  GuardedBuffer<float> x, y, out;
};

void VectorMathTest::SetUp() {
  context = makeKernelContext();
  OpBuilder builder(context.get());
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module->getBody());
  for (const Function &function : functions)
    for (int64_t lanes : lengths())
      emitKernel(builder, loc, function, kernelName(function, lanes), lanes,
                 cpu().target);
  auto compiled = KernelJit::create(*module, cpu());
  ASSERT_TRUE(bool(compiled)) << toString(compiled.takeError());
  jit = std::move(*compiled);
  if (!cpu().canRun)
    GTEST_SKIP() << "this machine lacks instructions of " << cpu().name;
}

TEST_P(VectorMathTest, AllBinades) {
  for (const Function &function : functions) {
    double worst = 0;
    float worstX = 0, worstY = 0;
    bool isBinary = function.emit == emitPow;
    // An odd step visits all residues of the mantissa; the offset differs for
    // each round.
    for (uint32_t round = 0; round < (isBinary ? 8 : 2); ++round) {
      for (int64_t i = 0; i < count; ++i) {
        x[i] = llvm::bit_cast<float>(uint32_t(i * 65537u + round * 31337u));
        // Exponents that mostly bring x^y into range, and small integers.
        float log2 = std::log2(std::abs(x[i]));
        float power = float((i * 7919 + round) % 301 - 150);
        y[i] = i % 5 == 0 || !std::isfinite(log2) || log2 == 0
                   ? float(i % 23 - 11)
                   : power / log2;
      }
      call(kernel(function, cpu().target.lanes(32)));
      for (int64_t i = 0; i < count; ++i) {
        double error = errorInUlps(out[i], function.reference(x[i], y[i]));
        if (error > worst) {
          worst = error;
          worstX = x[i];
          worstY = y[i];
        }
      }
    }
    double bound =
        cpu().target.hasFma ? function.ulps : function.ulpsWithoutFma;
    EXPECT_LE(worst, bound) << cpu().name << " " << function.name << " at "
                            << worstX << ", " << worstY;
  }
}

TEST_P(VectorMathTest, UsualRange) {
  for (const Function &function : functions) {
    double worst = 0;
    float worstX = 0;
    for (int64_t i = 0; i < count; ++i) {
      x[i] = -20.0f + 40.0f * float(i) / count;
      y[i] = 2.5f;
    }
    call(kernel(function, cpu().target.lanes(32)));
    for (int64_t i = 0; i < count; ++i) {
      double error = errorInUlps(out[i], function.reference(x[i], y[i]));
      if (error > worst) {
        worst = error;
        worstX = x[i];
      }
    }
    double bound =
        cpu().target.hasFma ? function.ulps : function.ulpsWithoutFma;
    EXPECT_LE(worst, bound)
        << cpu().name << " " << function.name << " at " << worstX;
  }
}

TEST_P(VectorMathTest, SpecialValues) {
  const float inf = INFINITY, denormal = 1e-40f,
              least = std::numeric_limits<float>::denorm_min(),
              most = std::numeric_limits<float>::max();
  const float values[] = {
      0.0f,         -0.0f,    1,         -1,      0.5f,
      -0.5f,        2,        -2,        3,       -3,
      2.5f,         inf,      -inf,      NAN,     most,
      -most,        88.72f,   88.73f,    -87.4f,  -103.97f,
      -104,         denormal, -denormal, least,   1e10f,
      -1e10f,       9.02f,    4.0f,      0x1p24f, 16777215.0f,
      -16777215.0f, 1.5e9f};
  int64_t distinct = std::size(values);
  for (int64_t i = 0; i < count; ++i) {
    x[i] = values[i % distinct];
    y[i] = values[i / distinct % distinct];
  }
  for (const Function &function : functions) {
    for (int64_t lanes : lengths()) {
      call(kernel(function, lanes));
      double bound =
          cpu().target.hasFma ? function.ulps : function.ulpsWithoutFma;
      for (int64_t i = 0; i < distinct * distinct; ++i) {
        double exact = function.reference(x[i], y[i]);
        ASSERT_LE(errorInUlps(out[i], exact), bound)
            << cpu().name << " " << function.name << lanes << " at " << x[i]
            << ", " << y[i] << " got " << out[i];
        if (exact == 0)
          ASSERT_EQ(std::signbit(out[i]), std::signbit(exact))
              << cpu().name << " " << function.name << lanes << " at " << x[i]
              << ", " << y[i];
      }
    }
  }
}

TEST_P(VectorMathTest, SaturatesAtOne) {
  for (int64_t i = 0; i < count; ++i)
    x[i] = std::ldexp(i % 2 ? 1.0f : -1.0f, int(i % 124)) * 9.5f;
  for (const Function &function : ArrayRef(functions).slice(1, 2)) {
    call(kernel(function, cpu().target.lanes(32)));
    for (int64_t i = 0; i < count; ++i)
      ASSERT_EQ(out[i], i % 2 ? 1.0f : -1.0f)
          << function.name << " at " << x[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Cpus, VectorMathTest, testing::Range<size_t>(0, 3),
                         [](const testing::TestParamInfo<size_t> &info) {
                           std::string name = testCpus()[info.param].name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

} // namespace
