//===- PlanMemory.h - buffers of the program -------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Gives every tensor of a program of phases a place: weights, inputs, outputs
/// and states have their own memory, all others share one arena, whose offsets
/// are expressions of the symbols.
///
/// The first and the last phase that need a tensor, in the order in which the
/// program is written, say which ones may share memory; see PackArena.h. What a
/// loop reads from around it is needed until it ends. What a branch yields is
/// written to the place of the tx.if's result at once where that is known by
/// then; all else that goes into a branch's result or around a loop is copied
/// (TXC_PHASE_ASSIGN of abi.h).
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_MEMORY_PLANMEMORY_H
#define TXC_PASSES_MEMORY_PLANMEMORY_H

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace txc {

/// Where a tensor lies: `offset` bytes into one of the run's memories.
struct Buffer {
  enum class Space { weights, arena, input, output, state };
  Space space = Space::arena;
  /// Number of the input, output or state (of the kernel.append in order).
  unsigned number = 0;
  tx::SymExprAttr offset;

  bool operator==(const Buffer &other) const {
    return space == other.space && number == other.number &&
           offset == other.offset;
  }
};

class MemoryPlan {
public:
  /// The buffer of a tensor of the program, through reshapes.
  Buffer get(mlir::Value tensor) const;

  tx::SymExprAttr getArenaBytes() const { return arenaBytes; }

  /// Where in the arena output `number` lies when the caller gives no memory
  /// for it.
  tx::SymExprAttr getBorrowedOffset(unsigned number) const {
    return borrowedOffsets[number];
  }

private:
  friend class MemoryPlanner;
  llvm::DenseMap<mlir::Value, Buffer> buffers;
  llvm::SmallVector<tx::SymExprAttr> borrowedOffsets;
  tx::SymExprAttr arenaBytes;
};

/// The bytes of a tensor (booleans take one each).
tx::SymExprAttr getTensorBytes(mlir::RankedTensorType type);

/// Plans `function`, a program of phases. Outputs that no phase writes (an
/// input or a weight that is returned, a tensor returned twice) get a copying
/// phase first. `weightOffset` says where a stored tensor lies in the weights
/// image.
mlir::FailureOr<MemoryPlan>
planMemory(mlir::func::FuncOp function,
           llvm::function_ref<int64_t(kernel::StoredOp)> weightOffset);

} // namespace txc

#endif // TXC_PASSES_MEMORY_PLANMEMORY_H
