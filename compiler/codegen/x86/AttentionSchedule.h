//===- AttentionSchedule.h - Blocking of attention --------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The block sizes of attention: a function of the target and the head's size,
/// never of the number of threads.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_ATTENTIONSCHEDULE_H
#define TXC_COMPILER_CODEGEN_X86_ATTENTIONSCHEDULE_H

#include "compiler/codegen/x86/DotType.h"
#include <cstdint>

namespace txc::x86 {

struct AttentionSchedule {
  /// What the tiles multiply: f32, or bf16 where the target has it.
  DotType type;
  /// Queries of one task; a multiple of the vector length.
  int64_t queryBlock;
  /// Keys whose scores are held at a time.
  int64_t keyBlock;
  /// The register tile of scores: keys broadcast, queries in lanes.
  /// scoreKeys divides keyBlock, scoreVectors · lanes divides queryBlock.
  int64_t scoreKeys, scoreVectors;
  /// The register tile of outputs: queries broadcast, at most this many vectors
  /// of the value's elements in lanes. outputRows divides queryBlock.
  int64_t outputRows, outputVectors;
  /// Tasks of one head that go through its keys together: a block of keys and
  /// values that has to be converted or copied is so once for all of them.
  int64_t blocksTogether;

  bool converts() const { return type != DotType::f32; }
};

/// \p type is what may be multiplied.
AttentionSchedule chooseAttentionSchedule(const VectorTarget &target,
                                          DotType type = DotType::f32);

/// The sizes of a head that decide about scratch.
struct AttentionHead {
  /// Elements of a query and key, and of a value.
  int64_t size, valueSize;
  /// Values have to be copied, since their elements are not adjacent.
  bool packsValues;
  /// There is a mask.
  bool hasMask;
  /// Keys and values are of 16 bits in memory.
  bool hasNarrowKeys = false, hasNarrowValues = false;

  bool copiesKeys(const AttentionSchedule &schedule) const {
    return schedule.converts() || hasNarrowKeys;
  }
  bool copiesValues(const AttentionSchedule &schedule) const {
    return schedule.converts() || hasNarrowValues || packsValues;
  }
};

/// Scratch of one worker, in bytes; it doesn't depend on run-time dims.
int64_t attentionScratchBytes(const VectorTarget &target,
                              const AttentionSchedule &schedule,
                              const AttentionHead &head);

/// Byte offsets of the parts of a worker's scratch.
struct AttentionScratch {
  /// The state of blocks of queries, blocksTogether times blockBytes.
  int64_t blocks, blockBytes;
  /// Within a block: its queries as the right operand of scores, [steps of
  /// size][queryBlock], its outputs, [queryBlock][padded valueSize], and of
  /// each query the greatest score and the sum of weights.
  int64_t panel, outputs, maxima, sums;
  /// [keyBlock][queryBlock].
  int64_t scores;
  /// [queryBlock] each: the greatest score including the block at hand, the
  /// factor of earlier blocks, and a place for maxima that don't count.
  int64_t blockMaxima, corrections, ignored;
  /// A row of biases of keyBlock keys, or a square of vectors.
  int64_t biases;
  /// Values by output tile, [steps of keyBlock][lanes of the tile].
  int64_t values;
  /// Panels of the keys, [steps of size][scoreKeys].
  int64_t keys;
  /// Scaled queries, [size][queryBlock], and a chunk of f32, on the way to
  /// words of bf16.
  int64_t queries, numbers;
  int64_t total;
};
AttentionScratch layOutAttentionScratch(const VectorTarget &target,
                                        const AttentionSchedule &schedule,
                                        const AttentionHead &head);

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_ATTENTIONSCHEDULE_H
