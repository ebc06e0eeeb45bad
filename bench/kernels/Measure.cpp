//===- Measure.cpp - Shares of what the machine can do ----------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Timing, and a generated loop of reads.
///
//===----------------------------------------------------------------------===//

#include "bench/kernels/Measure.h"
#include "compiler/codegen/x86/CodeBuilder.h"
#include "test/unit/x86/GuardedBuffer.h"
#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

using namespace mlir;
using namespace txc;
using namespace txc::bench;
using namespace txc::test;
using namespace txc::x86;

void bench::measureSpans(benchmark::State &state, double units,
                         llvm::function_ref<Span()> body,
                         llvm::function_ref<double()> probe) {
  constexpr double secondsPerProbe = 0.005;
  double limit = probe(), sinceProbe = 0;
  LeastTime least;
  for (auto iteration : state) {
    Span span = body();
    state.SetIterationTime(span.seconds);
    least.add(span);
    sinceProbe += span.seconds;
    if (sinceProbe > secondsPerProbe) {
      limit = std::max(limit, probe());
      sinceProbe = 0;
    }
  }
  limit = std::max(limit, probe());
  double rate = units / least.getSeconds();
  state.counters["G/s"] = rate * 1e-9;
  state.counters["limit"] = limit * 1e-9;
  state.counters["%"] = 100 * rate / limit;
}

void bench::measure(benchmark::State &state, double units,
                    llvm::function_ref<void()> body,
                    llvm::function_ref<double()> probe) {
  // Enough for the clock to make no difference.
  constexpr double enough = 1e-4;
  body();
  double once = timeSpan(body).seconds;
  int64_t repeats = once < enough ? static_cast<int64_t>(enough / once) : 1;
  auto repeated = [&] {
    for (int64_t i = 0; i < repeats; ++i)
      body();
  };
  auto timed = [&] {
    Span span = timeSpan(repeated);
    span.seconds /= static_cast<double>(repeats);
    return span;
  };
  measureSpans(state, units, timed, probe);
}

Span bench::runTogether(int threads, llvm::function_ref<void(int)> body) {
  std::atomic<int> ready = 0;
  std::vector<Span> spans(threads);
  auto work = [&](int thread) {
    ++ready;
    while (ready != threads)
      ;
    spans[thread] = timeSpan([&] { body(thread); });
  };
  std::vector<std::thread> others;
  for (int thread = 1; thread < threads; ++thread)
    others.emplace_back(work, thread);
  work(0);
  for (std::thread &other : others)
    other.join();
  Span longest = {0, true};
  for (const Span &span : spans)
    longest = {std::max(longest.seconds, span.seconds),
               longest.isWhole && span.isWhole};
  return longest;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// Streams that are read side by side, and vectors of each in an iteration.
static constexpr int64_t streams = 4, vectorsOfStream = 2;

using Reader = void(MemRef *data, int64_t vectors, int64_t ahead);

/// Reads `vectors` vectors of each quarter of the data, which lie side by side,
/// and fetches what lies `ahead` bytes on.
static std::unique_ptr<KernelJit> compileReader(const TestCpu &cpu) {
  std::unique_ptr<MLIRContext> context = makeKernelContext();
  OpBuilder builder(context.get());
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module->getBody());
  Type index = builder.getIndexType(), i32 = builder.getI32Type();
  auto bytes = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type());
  auto function = func::FuncOp::create(
      builder, loc, "read", builder.getFunctionType({bytes, index, index}, {}));
  function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                    builder.getUnitAttr());
  builder.setInsertionPointToStart(function.addEntryBlock());
  CodeBuilder code(builder, loc, cpu.target);
  Value pointer = code.pointerTo(function.getArgument(0));
  VectorType vector = code.vectorOf(i32);
  int64_t vectorBytes = vector.getNumElements() * 4;
  Value count = function.getArgument(1);
  SmallVector<Value> init(streams, code.constant(vector, 0));
  SmallVector<Value> found = code.loop(
      code.index(0), count, vectorsOfStream, init,
      [&](Value i, ValueRange carried) {
        SmallVector<Value> next;
        for (int64_t stream = 0; stream < streams; ++stream) {
          Value value = carried[stream];
          for (int64_t v = 0; v < vectorsOfStream; ++v) {
            Value at = code.add(code.add(code.mul(count, stream), i), v);
            Value from = code.advance(pointer, code.mul(at, vectorBytes),
                                      builder.getI8Type());
            code.prefetch(code.advance(from, function.getArgument(2),
                                       builder.getI8Type()));
            value = arith::XOrIOp::create(builder, loc, value,
                                          code.load(vector, from));
          }
          next.push_back(value);
        }
        return next;
      });
  // The data are zeros, so this changes nothing.
  Value all = found[0];
  for (Value value : llvm::drop_begin(found))
    all = arith::OrIOp::create(builder, loc, all, value);
  code.store(all, pointer);
  func::ReturnOp::create(builder, loc);
  return cantFail(KernelJit::create(*module, cpu));
}

struct ReadProbe::State {
  State(const TestCpu &cpu, int64_t bytes)
      : jit(compileReader(cpu)), read(cantFail(jit->lookup<Reader>("read"))),
        vectorBytes(cpu.target.vectorBits / 8),
        size(llvm::alignTo(bytes, streams * vectorsOfStream * vectorBytes)) {}

  std::unique_ptr<KernelJit> jit;
  Reader *read;
  int64_t vectorBytes, size;
  std::vector<std::unique_ptr<GuardedBuffer<char>>> data;

  double probe(int threads);
};

double ReadProbe::State::probe(int threads) {
  while (static_cast<int>(data.size()) < threads) {
    data.push_back(std::make_unique<GuardedBuffer<char>>(size));
    std::memset(data.back()->data(), 0, size);
  }
  // Enough for the clock, and once through what no cache holds.
  int64_t repeats = std::max<int64_t>(1, (int64_t(4) << 20) / size);
  LeastTime least;
  for (int64_t ahead : {0, 1024, 4096, 8192})
    least.add(runTogether(threads, [&](int thread) {
      MemRef ref = data[thread]->memref();
      for (int64_t i = 0; i < repeats; ++i)
        read(&ref, size / streams / vectorBytes, ahead);
    }));
  return static_cast<double>(threads * repeats * size) / least.getSeconds();
}

ReadProbe::ReadProbe(const TestCpu &cpu, int64_t bytes)
    : state(std::make_unique<State>(cpu, bytes)) {}

ReadProbe::~ReadProbe() = default;

double ReadProbe::probe() { return state->probe(1); }

double ReadProbe::probeTogether(int threads) { return state->probe(threads); }
