//===- PeakProbe.cpp - What this core can multiply --------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// A generated loop of independent multiply-adds.
///
//===----------------------------------------------------------------------===//

#include "bench/kernels/PeakProbe.h"
#include "bench/kernels/Stopwatch.h"
#include "compiler/codegen/x86/DotAtom.h"
#include <map>

using namespace mlir;
using namespace txc;
using namespace txc::test;
using namespace txc::x86;

using Probe = void(MemRef *data, int64_t count);

/// Enough chains to hide a latency of 5 at two a cycle, few enough for 16
/// registers.
static constexpr int64_t chains = 12;

static llvm::Expected<std::unique_ptr<KernelJit>>
compileProbe(const TestCpu &cpu, DotType dotType) {
  std::unique_ptr<MLIRContext> context = makeKernelContext();
  OpBuilder builder(context.get());
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module->getBody());
  auto floats = MemRefType::get({ShapedType::kDynamic}, builder.getF32Type());
  auto function = func::FuncOp::create(
      builder, loc, "probe",
      builder.getFunctionType({floats, builder.getIndexType()}, {}));
  function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                    builder.getUnitAttr());
  builder.setInsertionPointToStart(function.addEntryBlock());
  CodeBuilder code(builder, loc, cpu.target);
  DotAtom atom(context.get(), dotType, cpu.target);
  Value pointer = code.pointerTo(function.getArgument(0));
  Value right = atom.loadLanes(code, pointer, /*mask=*/Value());
  SmallVector<Value> init(chains, code.constant(atom.accumulator(), 0));
  SmallVector<Value> sums = code.loop(
      code.index(0), function.getArgument(1), 1, init,
      [&](Value k, ValueRange carried) {
        SmallVector<Value> next;
        // Of a product that takes two instructions, the first would
        // leave the loop if its factors never changed.
        Value moved = atom.leftWords() == 1
                          ? pointer
                          : code.advance(pointer,
                                         code.mul(code.rem(k, code.index(4)),
                                                  atom.lanes()),
                                         atom.word());
        for (auto [i, sum] : llvm::enumerate(carried)) {
          int64_t place = atom.leftWords() == 1 ? 0 : i * atom.lanes();
          Value left =
              atom.loadLanes(code, code.advance(moved, place, atom.word()),
                             /*mask=*/Value());
          next.push_back(atom.accumulate(code, sum, left, right));
        }
        return next;
      });
  for (auto [i, sum] : llvm::enumerate(sums))
    code.store(sum, code.advance(pointer, i * atom.lanes(), atom.word()));
  func::ReturnOp::create(builder, loc);
  return KernelJit::create(*module, cpu);
}

double txc::bench::probePeak(const TestCpu &cpu, DotType type) {
  static std::map<std::pair<std::string, DotType>, std::unique_ptr<KernelJit>>
      probes;
  std::unique_ptr<KernelJit> &jit = probes[{cpu.name, type}];
  if (!jit)
    jit = cantFail(compileProbe(cpu, type));
  Probe *probe = cantFail(jit->lookup<Probe>("probe"));
  // Zeros: the sums stay normal numbers.
  alignas(64) float data[(chains + 4) * 16] = {};
  MemRef ref(data, std::size(data));
  // Short: on a busy machine few of a millisecond are whole.
  constexpr int64_t count = 40000;
  LeastTime least;
  for (int repeat = 0; repeat < 25; ++repeat)
    least.add(timeSpan([&] { probe(&ref, count); }));
  // An instruction takes as much of a word as there are words on the left.
  int64_t words = hasDotInstruction(type, cpu.target) ? 1 : 2;
  double products = double(cpu.target.lanes(32) * getDotDepth(type)) / words;
  return 2.0 * count * chains * products / least.getSeconds();
}
