//===- PlanMemoryTest.cpp - buffers of the program -----------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/memory/PlanMemory.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Parser/Parser.h"
#include "passes/lower/LowerToKernel.h"
#include "gtest/gtest.h"
#include <random>

using namespace mlir;
using namespace txc;

namespace {

class PlanMemoryTest : public ::testing::Test {
protected:
  PlanMemoryTest() {
    context.loadDialect<arith::ArithDialect, func::FuncDialect,
                        kernel::KernelDialect, math::MathDialect>();
  }

  /// Parses tx, lowers it to phases and plans them.
  MemoryPlan plan(StringRef text) {
    module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module);
    main = module->lookupSymbol<func::FuncOp>("main");
    EXPECT_TRUE(succeeded(lowerToKernel(main)));
    FailureOr<MemoryPlan> result =
        planMemory(main, [](kernel::StoredOp) { return 0; });
    EXPECT_TRUE(succeeded(result));
    return *result;
  }

  /// Two tensors of the arena that are alive at one time must not overlap, at
  /// any value of the symbols.
  void expectNoOverlap(const MemoryPlan &plan,
                       const llvm::DenseMap<StringAttr, int64_t> &symbols);

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  func::FuncOp main;
};

struct Interval {
  int64_t begin, end;
  bool overlaps(const Interval &other) const {
    return begin < other.end && other.begin < end;
  }
};

void PlanMemoryTest::expectNoOverlap(
    const MemoryPlan &plan,
    const llvm::DenseMap<StringAttr, int64_t> &symbols) {
  // Positions of ops, and of the last one that reads a buffer through reshapes.
  llvm::DenseMap<Operation *, int64_t> position;
  std::vector<std::tuple<Value, Interval, Interval>> tensors;
  int64_t next = 0;
  for (Operation &op : main.getBody().front())
    position[&op] = next++;
  std::function<int64_t(Value)> lastUse = [&](Value value) {
    int64_t last = position[value.getDefiningOp()];
    for (Operation *user : value.getUsers())
      last =
          std::max(last, isa<tx::ReshapeOp>(user) ? lastUse(user->getResult(0))
                                                  : position[user]);
    return last;
  };
  for (auto phase : main.getOps<kernel::PhaseInterface>())
    for (Value value : phase->getResults()) {
      Buffer buffer = plan.get(value);
      if (buffer.space != Buffer::Space::arena)
        continue;
      int64_t offset = *tx::evaluate(buffer.offset, symbols);
      int64_t bytes = *tx::evaluate(
          getTensorBytes(cast<RankedTensorType>(value.getType())), symbols);
      EXPECT_EQ(offset % 64, 0);
      EXPECT_LE(offset + bytes, *tx::evaluate(plan.getArenaBytes(), symbols));
      // A result is written while the phase's operands are still read.
      tensors.emplace_back(value, Interval{position[phase], lastUse(value) + 1},
                           Interval{offset, offset + bytes});
    }
  for (size_t i = 0; i < tensors.size(); ++i)
    for (size_t j = 0; j < i; ++j) {
      auto &[a, aTime, aPlace] = tensors[i];
      auto &[b, bTime, bPlace] = tensors[j];
      EXPECT_FALSE(aTime.overlaps(bTime) && aPlace.overlaps(bPlace))
          << "tensors " << i << " and " << j;
    }
}

constexpr StringLiteral kChain = R"(
module attributes {tx.symbols = {A = [1], B = [1]}} {
  func.func @main(%x: tensor<?xf32, #tx.dims<[A]>>, %y: tensor<?xf32, #tx.dims<[B]>>) -> tensor<?xf32, #tx.dims<[A]>> {
    %a = tx.exp %x : tensor<?xf32, #tx.dims<[A]>>
    %b = tx.exp %y : tensor<?xf32, #tx.dims<[B]>>
    %c = tx.exp %a : tensor<?xf32, #tx.dims<[A]>>
    %s = tx.reduce sum %b [0] : tensor<?xf32, #tx.dims<[B]>>
    %d = tx.add %c, %s : tensor<?xf32, #tx.dims<[A]>>, tensor<1xf32>
    %e = tx.exp %d : tensor<?xf32, #tx.dims<[A]>>
    %f = tx.exp %e : tensor<?xf32, #tx.dims<[A]>>
    return %f : tensor<?xf32, #tx.dims<[A]>>
  }
})";

TEST_F(PlanMemoryTest, LiveTensorsDoNotOverlap) {
  MemoryPlan memory = plan(kChain);
  for (int64_t a : {1, 8, 9, 17, 1000})
    for (int64_t b : {1, 16, 33, 999})
      expectNoOverlap(memory, {{StringAttr::get(&context, "A"), a},
                               {StringAttr::get(&context, "B"), b}});
}

TEST_F(PlanMemoryTest, DeadTensorsAreReused) {
  MemoryPlan memory = plan(kChain);
  // Of six tensors of the arena at most three are alive at a time, the output's
  // place for a caller without memory included.
  llvm::DenseMap<StringAttr, int64_t> symbols = {
      {StringAttr::get(&context, "A"), 1600},
      {StringAttr::get(&context, "B"), 1600}};
  EXPECT_LE(*tx::evaluate(memory.getArenaBytes(), symbols),
            3 * 1600 * 4 + 2 * 64);
}

TEST_F(PlanMemoryTest, OutputsAreWrittenInPlace) {
  MemoryPlan memory = plan(kChain);
  Operation *last = main.getBody().front().getTerminator()->getPrevNode();
  EXPECT_EQ(memory.get(last->getResult(0)).space, Buffer::Space::output);
}

TEST_F(PlanMemoryTest, ReturnedInputsAndRepeatedOutputsAreCopied) {
  MemoryPlan memory = plan(R"(
    func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<2x2xf32>) {
      %a = tx.exp %x : tensor<4xf32>
      %r = tx.reshape %a : tensor<4xf32> to tensor<2x2xf32>
      return %x, %a, %r : tensor<4xf32>, tensor<4xf32>, tensor<2x2xf32>
    })");
  auto outputs = main.getBody().front().getTerminator()->getOperands();
  for (auto [i, output] : llvm::enumerate(outputs)) {
    EXPECT_EQ(memory.get(output).space, Buffer::Space::output);
    EXPECT_EQ(memory.get(output).number, i);
  }
}

// Where a symbol has a bound, how much memory a run needs doesn't depend on it.
TEST_F(PlanMemoryTest, BoundedSymbolsHaveRoom) {
  MemoryPlan memory = plan(R"mlir(
module attributes {tx.symbols = {S = [0], n = [0]}, tx.upper_bounds = {n = #tx.expr<2 * S>}} {
  func.func @main(%k: tensor<i64>, %x: tensor<?xf32, #tx.dims<[S]>>) -> tensor<?xf32, #tx.dims<[n]>> {
    tx.define_symbol "n" %k : tensor<i64>
    %i = tx.iota : tensor<?xf32, #tx.dims<[n]>>
    %s = tx.cumsum %i 0 : tensor<?xf32, #tx.dims<[n]>>
    %t = tx.cumsum %s 0 : tensor<?xf32, #tx.dims<[n]>>
    return %t : tensor<?xf32, #tx.dims<[n]>>
  }
})mlir");
  std::optional<int64_t> bytes = tx::evaluate(
      memory.getArenaBytes(), {{StringAttr::get(&context, "S"), 160}});
  ASSERT_TRUE(bytes);
  EXPECT_GE(*bytes, 320 * 4);
}

// What lives across the definition of a symbol must stay where it is: %a is
// written before n is known and read after.
TEST_F(PlanMemoryTest, DefiningASymbolMovesNothing) {
  MemoryPlan memory = plan(R"mlir(
module attributes {tx.symbols = {S = [0], n = [0]}} {
  func.func @main(%x: tensor<?xf32, #tx.dims<[S]>>, %k: tensor<i64>)
      -> (tensor<?xf32, #tx.dims<[n]>>, tensor<?xf32, #tx.dims<[S]>>) {
    tx.define_symbol "n" %k : tensor<i64>
    %i = tx.iota : tensor<?xf32, #tx.dims<[n]>>
    %s = tx.cumsum %i 0 : tensor<?xf32, #tx.dims<[n]>>
    %a = tx.cumsum %x 0 : tensor<?xf32, #tx.dims<[S]>>
    %t = tx.cumsum %s 0 : tensor<?xf32, #tx.dims<[n]>>
    %b = tx.cumsum %a 0 : tensor<?xf32, #tx.dims<[S]>>
    return %t, %b : tensor<?xf32, #tx.dims<[n]>>, tensor<?xf32, #tx.dims<[S]>>
  }
})mlir");
  auto n = StringAttr::get(&context, "n");
  for (Operation &op : main.getOps()) {
    if (!isa<kernel::PhaseInterface>(op))
      continue;
    auto type = cast<RankedTensorType>(op.getResult(0).getType());
    llvm::SetVector<StringAttr> symbols;
    collectSymbols(memory.get(op.getResult(0)).offset, symbols);
    llvm::SetVector<StringAttr> ofType;
    collectSymbols(tx::getElementCount(type), ofType);
    EXPECT_TRUE(ofType.contains(n) || !symbols.contains(n));
  }
  llvm::SetVector<StringAttr> ofOutput;
  collectSymbols(memory.getBorrowedOffset(1), ofOutput);
  EXPECT_FALSE(ofOutput.contains(n));
  auto s = StringAttr::get(&context, "S");
  for (int64_t size : {0, 1, 100})
    expectNoOverlap(memory, {{s, 33}, {n, size}});
}

} // namespace
