//===- VectorMathLooseTest.cpp - Functions for factors of few bits --------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelJit.h"
#include "compiler/codegen/x86/CodeBuilder.h"
#include "compiler/codegen/x86/VectorMath.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "test/unit/x86/GuardedBuffer.h"
#include "llvm/ADT/bit.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir;
using namespace txc;
using namespace txc::x86;
using namespace txc::test;

namespace {

using Kernel = void(MemRef *x, MemRef *out, int64_t n);

/// Emits `loose_erf(x, out, n)` by vectors of the CPU.
void emitKernel(OpBuilder &builder, Location loc, const VectorTarget &target) {
  auto floats = MemRefType::get({ShapedType::kDynamic}, builder.getF32Type());
  auto kernel = func::FuncOp::create(
      builder, loc, "loose_erf",
      builder.getFunctionType({floats, floats, builder.getIndexType()}, {}));
  kernel->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                  builder.getUnitAttr());
  builder.setInsertionPointToStart(kernel.addEntryBlock());
  CodeBuilder code(builder, loc, target);
  Type element = builder.getF32Type();
  int64_t lanes = target.lanes(32);
  Type type = VectorType::get(lanes, element);
  auto at = [&](int argument, Value i) {
    return code.advance(code.pointerTo(kernel.getArgument(argument)), i,
                        element);
  };
  code.loop(code.index(0), kernel.getArgument(2), lanes, [&](Value i) {
    Value x = code.load(type, at(0, i));
    code.store(emitLooseErf(builder, loc, x, target), at(1, i));
  });
  func::ReturnOp::create(builder, loc);
}

TEST(VectorMathLoose, ErfIsCloseAndSaturates) {
  constexpr int64_t count = 1 << 16;
  for (const TestCpu &cpu : testCpus()) {
    if (!cpu.canRun)
      continue;
    std::unique_ptr<MLIRContext> context = makeKernelContext();
    OpBuilder builder(context.get());
    Location loc = builder.getUnknownLoc();
    OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
    builder.setInsertionPointToEnd(module->getBody());
    emitKernel(builder, loc, cpu.target);
    auto jit = KernelJit::create(*module, cpu);
    ASSERT_TRUE(bool(jit)) << toString(jit.takeError());
    auto *kernel = cantFail((*jit)->lookup<Kernel>("loose_erf"));
    GuardedBuffer<float> x(count), out(count);
    // Dense where it is a polynomial; every binade with the next round.
    for (int round = 0; round < 2; ++round) {
      for (int64_t i = 0; i < count; ++i)
        x[i] = round == 0 ? -4.0f + 8.0f * float(i) / count
                          : llvm::bit_cast<float>(uint32_t(i * 65537u));
      MemRef xRef = x.memref(), outRef = out.memref();
      kernel(&xRef, &outRef, count);
      for (int64_t i = 0; i < count; ++i) {
        if (std::isnan(x[i])) {
          ASSERT_TRUE(std::isnan(out[i])) << cpu.name;
          continue;
        }
        if (std::abs(x[i]) >= 3.21f)
          ASSERT_EQ(out[i], std::copysign(1.0f, x[i])) << cpu.name << x[i];
        double error = std::abs(out[i] - std::erf(double(x[i])));
        ASSERT_LE(error * std::min(std::abs(double(x[i])), 4.0), 1e-4)
            << cpu.name << " at " << x[i];
        ASSERT_LE(error, 8e-4 * std::abs(double(x[i])))
            << cpu.name << " at " << x[i];
        ASSERT_LE(std::abs(out[i]), 1.0f) << cpu.name << " at " << x[i];
      }
    }
  }
}

} // namespace
