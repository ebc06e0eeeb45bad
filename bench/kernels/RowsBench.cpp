//===- RowsBench.cpp - Speed of generated row kernels -----------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// rows/KIND/CPU/ROWSxCOLUMNS: one core, all tasks of a phase as the passes
/// make them. What counts is bytes read and written; the limit is the bandwidth
/// of reading as many as the operands and results have.
///
//===----------------------------------------------------------------------===//

#include "bench/kernels/Measure.h"
#include "test/unit/codegen/PhaseHarness.h"
#include <random>

using namespace txc;
using namespace txc::test;

namespace {
/// The body of a phase over M rows of N columns.
struct Kind {
  const char *name;
  /// Operands and results of M x N.
  int numTensors;
  const char *phase;
};
} // namespace

/// N stands for the number of columns.
static const Kind kinds[] = {{"residual", 3, R"(
      %r = kernel.map [#tx.expr<M>, #tx.expr<N>] ins(%a, %b : !x, !x)
          maps [#id, #id, #id] -> !x {
      ^bb0(%x: f32, %y: f32):
        %z = arith.addf %x, %y : f32
        kernel.yield %z : f32
      })"},
                             {"gelu", 2, R"(
      %r = kernel.map [#tx.expr<M>, #tx.expr<N>] ins(%a : !x)
          maps [#id, #id] -> !x {
      ^bb0(%x: f32):
        %c = arith.constant 0.70710678 : f32
        %t = arith.mulf %x, %c : f32
        %e = math.erf %t : f32
        %one = arith.constant 1.0 : f32
        %s = arith.addf %e, %one : f32
        %h = arith.constant 0.5 : f32
        %y = arith.mulf %x, %h : f32
        %z = arith.mulf %y, %s : f32
        kernel.yield %z : f32
      })"},
                             {"softmax", 2, R"(
      %r = kernel.rows [#tx.expr<M>, #tx.expr<N>] row 1 ins(%a : !x)
          maps [#id, #id] -> !x {
      ^bb0(%x: f32):
        %max = kernel.reduce max %x : f32
        %c = arith.subf %x, %max : f32
        %e = math.exp %c : f32
        %sum = kernel.reduce sum %e : f32
        %y = arith.divf %e, %sum : f32
        kernel.yield %y : f32
      })"},
                             {"norm", 2, R"(
      %r = kernel.rows [#tx.expr<M>, #tx.expr<N>] row 1
          ins(%a, %scale, %shift : !x, !row, !row)
          maps [#id, #row, #row, #id] -> !x {
      ^bb0(%x: f32, %w: f32, %v: f32):
        NORMALIZE
        kernel.yield %z : f32
      })"},
                             {"norm-residual", 3, R"(
      %r = kernel.rows [#tx.expr<M>, #tx.expr<N>] row 1
          ins(%a, %b, %scale, %shift : !x, !x, !row, !row)
          maps [#id, #id, #row, #row, #id] -> !x {
      ^bb0(%p: f32, %q: f32, %w: f32, %v: f32):
        %x = arith.addf %p, %q : f32
        NORMALIZE
        kernel.yield %z : f32
      })"}};

static constexpr const char *normalize = R"(
        %i = kernel.size #tx.expr<N>
        %n0 = arith.index_cast %i : index to i64
        %n = arith.sitofp %n0 : i64 to f32
        %sum = kernel.reduce sum %x : f32
        %mean = arith.divf %sum, %n : f32
        %c = arith.subf %x, %mean : f32
        %sq = arith.mulf %c, %c : f32
        %total = kernel.reduce sum %sq : f32
        %var = arith.divf %total, %n : f32
        %eps = arith.constant 1.0e-5 : f32
        %ve = arith.addf %var, %eps : f32
        %d = math.sqrt %ve : f32
        %one = arith.constant 1.0 : f32
        %f = arith.divf %one, %d : f32
        %u = arith.mulf %c, %f : f32
        %uw = arith.mulf %u, %w : f32
        %z = arith.addf %uw, %v : f32
)";

static void replaceAll(std::string &text, llvm::StringRef from,
                       llvm::StringRef to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos;
       at += to.size())
    text.replace(at, from.size(), to);
}

static std::string getProgram(const Kind &kind, int64_t columns) {
  bool isNorm = kind.name[0] == 'n';
  std::string text = R"(
    !x = tensor<?xWIDTHxf32, #tx.dims<[M, WIDTH]>>
    !row = tensor<WIDTHxf32>
    #id = affine_map<(m, n) -> (m, n)>
    #row = affine_map<(m, n) -> (n)>
    func.func @main(%a: !xSECOND) {PHASE
      return
    })";
  std::string second = kind.numTensors == 3 ? ", %b: !x" : "";
  if (isNorm)
    second += ", %scale: !row, %shift: !row";
  replaceAll(text, "PHASE", kind.phase);
  replaceAll(text, "NORMALIZE", normalize);
  replaceAll(text, "SECOND", second);
  replaceAll(text, "#tx.expr<N>", "#tx.expr<WIDTH>");
  replaceAll(text, "WIDTH", std::to_string(columns));
  return text;
}

namespace {
struct Rows {
  Rows(const TestCpu &cpu, const Kind &kind, int64_t rows, int64_t columns)
      : bytes(rows * columns * 4 * kind.numTensors), reader(cpu, bytes) {
    auto program = cantFail(PhaseProgram::parse(getProgram(kind, columns)));
    phase = cantFail(CompiledPhase::create(*program, cpu));
    for (int i = 0; i < kind.numTensors; ++i)
      addBuffer(rows * columns);
    std::vector<Buffer *> operands;
    for (int i = 0; i + 1 < kind.numTensors; ++i)
      operands.push_back(buffers[i].get());
    Buffer *result = buffers.back().get();
    if (kind.name[0] == 'n')
      for (int i = 0; i < 2; ++i)
        operands.push_back(addBuffer(columns));
    Symbols symbols = {{"M", rows}};
    call = phase->prepare(operands, {result}, symbols);
    tasks = phase->getTaskCount(symbols);
  }

  Buffer *addBuffer(int64_t size) {
    // Lanes that a mask leaves out cost hundreds of cycles on a guard page.
    buffers.push_back(std::make_unique<Buffer>(size * 4, Guard::Front));
    std::uniform_real_distribution<float> uniform(-3, 3);
    auto *numbers = reinterpret_cast<float *>(buffers.back()->data());
    for (int64_t i = 0; i < size; ++i)
      numbers[i] = uniform(random);
    return buffers.back().get();
  }

  int64_t bytes, tasks = 0;
  // NOLINTNEXTLINE(bugprone-random-generator-seed): the same numbers each time.
  std::mt19937 random;
  bench::ReadProbe reader;
  std::unique_ptr<CompiledPhase> phase;
  std::vector<std::unique_ptr<Buffer>> buffers;
  std::unique_ptr<PhaseCall> call;
};
} // namespace

static void runRows(benchmark::State &state, const std::string &name,
                    const TestCpu &cpu, const Kind &kind, int64_t rows,
                    int64_t columns) {
  auto &kept = bench::keep<Rows>(
      name, [&] { return std::make_shared<Rows>(cpu, kind, rows, columns); });
  bench::measure(
      state, double(kept.bytes),
      [&] { kept.phase->runTasks(*kept.call, 0, kept.tasks); },
      [&] { return kept.reader.probe(); });
}

static const bool registered = [] {
  // In the second cache, the third and memory of common servers.
  const std::pair<int64_t, int64_t> shapes[] = {
      {128, 384}, {1024, 64}, {1024, 768}, {16384, 1024}, {100, 333}};
  for (const TestCpu &cpu : testCpus()) {
    if (!cpu.canRun || cpu.target.vectorBits < 256)
      continue;
    for (const Kind &kind : kinds)
      for (auto [rows, columns] : shapes) {
        std::string name = std::string("rows/") + kind.name + "/" + cpu.name +
                           "/" + std::to_string(rows) + "x" +
                           std::to_string(columns);
        benchmark::RegisterBenchmark(
            name.c_str(),
            [&cpu, &kind, rows = rows, columns = columns,
             name](benchmark::State &state) {
              runRows(state, name, cpu, kind, rows, columns);
            })
            ->Unit(benchmark::kMicrosecond)
            ->UseManualTime();
      }
  }
  return true;
}();
