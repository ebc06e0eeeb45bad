//===- Roofline.h - how fast a phase can be --------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The roofline model (Williams, Waterman and Patterson, 2009) of one core: a
/// phase takes no less than its operations at the peak rate, nor than its bytes
/// at the bandwidth of where they lie.
///
/// In cycles, since the clock is not known when a model is compiled. Rates are
/// those of common cores with vectors of the target's length, not of a certain
/// CPU: two fused multiply-adds a cycle (Fog, "Instruction tables": Intel since
/// Haswell, AMD since Zen), 32 bytes a cycle from the second cache and 8 from
/// memory, 24 GB/s at 3 GHz, which one core of a server reaches.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_TARGETS_ROOFLINE_H
#define TXC_COMPILER_TARGETS_ROOFLINE_H

#include "compiler/targets/VectorTarget.h"

namespace txc {

/// What a phase waits for.
enum class Bound { Compute, Cache, Memory };

struct Roofline {
  double cycles = 0;
  Bound bound = Bound::Compute;
};

/// For \p flops operations and \p bytes read and written. Tensors that fit into
/// the second cache are taken to be there. \p depth is how many products a lane
/// of 32 bits adds up in one instruction: 1 of f32, 2 of bf16, 4 of i8.
Roofline getRoofline(const VectorTarget &target, int64_t flops, int64_t bytes,
                     int64_t depth = 1);

/// "compute", "L2", "memory".
llvm::StringRef getName(Bound bound);

} // namespace txc

#endif // TXC_COMPILER_TARGETS_ROOFLINE_H
