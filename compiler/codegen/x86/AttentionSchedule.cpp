//===- AttentionSchedule.cpp - Blocking of attention ------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Chooses the register tiles of attention and lays out its scratch.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/AttentionSchedule.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace txc;
using namespace txc::x86;
using llvm::alignTo;

AttentionSchedule txc::x86::chooseAttentionSchedule(const VectorTarget &target,
                                                    DotType type) {
  if (!hasDotInstruction(type, target))
    type = DotType::f32;
  // As for products: accumulators, the lane operand and a broadcast fill the
  // registers. The scores of a block, a multiple of all tiles, take at most 30
  // KiB: they are read and written three times.
  if (target.numVectorRegisters >= 32)
    return {type,
            /*queryBlock=*/32,
            /*keyBlock=*/240,
            /*scoreKeys=*/12,
            /*scoreVectors=*/2,
            /*outputRows=*/8,
            /*outputVectors=*/3,
            /*blocksTogether=*/8};
  if (target.vectorBits >= 256)
    return {type,
            /*queryBlock=*/48,
            /*keyBlock=*/144,
            /*scoreKeys=*/6,
            /*scoreVectors=*/2,
            /*outputRows=*/6,
            /*outputVectors=*/2,
            /*blocksTogether=*/4};
  return {type,
          /*queryBlock=*/48,
          /*keyBlock=*/144,
          /*scoreKeys=*/4,
          /*scoreVectors=*/2,
          /*outputRows=*/4,
          /*outputVectors=*/2,
          /*blocksTogether=*/4};
}

AttentionScratch
txc::x86::layOutAttentionScratch(const VectorTarget &target,
                                 const AttentionSchedule &schedule,
                                 const AttentionHead &head) {
  constexpr int64_t cacheLine = 64;
  int64_t lanes = target.lanes(32);
  int64_t valueLanes = alignTo(head.valueSize, lanes);
  int64_t depth = getDotDepth(schedule.type);
  int64_t steps = llvm::divideCeil(head.size, depth);
  int64_t offset = 0;
  auto take = [&](int64_t words) {
    int64_t start = offset;
    offset = alignTo(offset + words * int64_t(sizeof(float)), cacheLine);
    return start;
  };
  AttentionScratch scratch = {};
  scratch.panel = take(steps * schedule.queryBlock);
  scratch.outputs = take(schedule.queryBlock * valueLanes);
  scratch.maxima = take(schedule.queryBlock);
  scratch.sums = take(schedule.queryBlock);
  scratch.blockBytes = offset;
  offset *= schedule.blocksTogether;

  scratch.scores = take(schedule.keyBlock * schedule.queryBlock);
  scratch.blockMaxima = take(schedule.queryBlock);
  scratch.corrections = take(schedule.queryBlock);
  scratch.ignored = take(schedule.queryBlock);
  int64_t keyBiases = alignTo(schedule.keyBlock, lanes);
  scratch.biases = take(head.hasMask ? std::max(lanes * lanes, keyBiases) : 0);
  int64_t valueSteps = llvm::divideCeil(schedule.keyBlock, depth);
  scratch.values =
      take(head.copiesValues(schedule) ? valueSteps * valueLanes : 0);
  // Packing stores whole vectors, past the end of narrow panels.
  scratch.keys =
      take(head.copiesKeys(schedule) ? steps * schedule.keyBlock + lanes : 0);
  if (schedule.converts()) {
    scratch.queries = take(schedule.queryBlock * head.size);
    int64_t tileLanes = schedule.outputVectors * lanes;
    int64_t widest = std::max(schedule.queryBlock, tileLanes);
    scratch.numbers = take(convertedNumbers * widest);
  }
  scratch.total = offset;
  return scratch;
}

int64_t txc::x86::attentionScratchBytes(const VectorTarget &target,
                                        const AttentionSchedule &schedule,
                                        const AttentionHead &head) {
  return layOutAttentionScratch(target, schedule, head).total;
}
