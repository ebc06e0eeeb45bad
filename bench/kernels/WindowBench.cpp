//===- WindowBench.cpp - Speed of depthwise convolutions --------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// windows/CPU/HxWxC/IxJ: one core, all tasks of a depthwise convolution of a
/// padded image, I x J taps a channel. The limit is the peak of multiply-adds.
///
//===----------------------------------------------------------------------===//

#include "bench/kernels/Measure.h"
#include "test/unit/codegen/PhaseHarness.h"
#include "llvm/Support/FormatVariadic.h"

using namespace txc;
using namespace txc::test;

namespace {
struct Shape {
  int64_t height, width, channels, rowTaps, columnTaps;

  int64_t paddedElements() const {
    return (height + rowTaps - 1) * (width + columnTaps - 1) * channels;
  }
  int64_t taps() const { return rowTaps * columnTaps; }
};
} // namespace

static std::string getProgram(const Shape &shape) {
  return llvm::formatv(R"(
    !x = tensor<{0}x{1}x{4}xf32>
    !w = tensor<{2}x{3}x{4}xf32>
    !r = tensor<{5}x{6}x{4}xf32>
    func.func @main(%a: !x, %w: !w) {{
      %r = kernel.rows [#tx.expr<{5}>, #tx.expr<{6}>, #tx.expr<{4}>,
                        #tx.expr<{2}>, #tx.expr<{3}>] row 2 ins(%a, %w : !x, !w)
          maps [affine_map<(y, x, c, i, j) -> (y + i, x + j, c)>,
                affine_map<(y, x, c, i, j) -> (i, j, c)>,
                affine_map<(y, x, c, i, j) -> (y, x, c)>] -> !r {{
      ^bb0(%x: f32, %y: f32):
        %p = arith.mulf %x, %y : f32
        %sum = kernel.reduce sum %p : f32
        kernel.yield %sum : f32
      }
      return
    })",
                       shape.height + shape.rowTaps - 1,
                       shape.width + shape.columnTaps - 1, shape.rowTaps,
                       shape.columnTaps, shape.channels, shape.height,
                       shape.width);
}

namespace {
struct Windows {
  Windows(const TestCpu &cpu, const Shape &shape)
      : image(shape.paddedElements() * 4, Guard::Front),
        filters(shape.taps() * shape.channels * 4, Guard::Front),
        result(shape.height * shape.width * shape.channels * 4, Guard::Front) {
    // Zeros: the sums stay normal numbers.
    auto program = cantFail(PhaseProgram::parse(getProgram(shape)));
    phase = cantFail(CompiledPhase::create(*program, cpu));
    call = phase->prepare({&image, &filters}, {&result}, {});
    tasks = phase->getTaskCount({});
  }

  Buffer image, filters, result;
  std::unique_ptr<CompiledPhase> phase;
  std::unique_ptr<PhaseCall> call;
  int64_t tasks = 0;
};
} // namespace

static void runWindows(benchmark::State &state, const std::string &name,
                       const TestCpu &cpu, const Shape &shape) {
  auto &kept = bench::keep<Windows>(
      name, [&] { return std::make_shared<Windows>(cpu, shape); });
  double products = double(shape.height * shape.width * shape.channels) *
                    double(shape.taps());
  bench::measure(
      state, 2 * products,
      [&] { kept.phase->runTasks(*kept.call, 0, kept.tasks); },
      [&] { return bench::probePeak(cpu); });
}

static const bool registered = [] {
  // Convolutional transformers, a speech encoder, and no multiples.
  const Shape shapes[] = {{28, 28, 192, 7, 7}, {56, 56, 96, 7, 7},
                          {7, 7, 768, 7, 7},   {56, 56, 144, 3, 3},
                          {14, 14, 256, 3, 3}, {1, 300, 256, 1, 31},
                          {13, 11, 40, 5, 5}};
  for (const TestCpu &cpu : testCpus()) {
    if (!cpu.canRun || cpu.target.vectorBits < 256)
      continue;
    for (const Shape &shape : shapes) {
      std::string name = llvm::formatv(
          "windows/{0}/{1}x{2}x{3}/{4}x{5}", cpu.name, shape.height,
          shape.width, shape.channels, shape.rowTaps, shape.columnTaps);
      benchmark::RegisterBenchmark(
          name.c_str(),
          [&cpu, shape, name](benchmark::State &state) {
            runWindows(state, name, cpu, shape);
          })
          ->Unit(benchmark::kMicrosecond)
          ->UseManualTime();
    }
  }
  return true;
}();
