//===- Roofline.cpp - how fast a phase can be ----------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/targets/Roofline.h"
#include "llvm/Support/ErrorHandling.h"

using namespace txc;

constexpr double kVectorOpsPerCycle = 2;
constexpr double kCacheBytesPerCycle = 32;
constexpr double kMemoryBytesPerCycle = 8;

Roofline txc::getRoofline(const VectorTarget &target, int64_t flops,
                          int64_t bytes, int64_t depth) {
  // Without a fused one, half of these are multiplications.
  double flopsPerCycle = kVectorOpsPerCycle * target.lanes(32) *
                         (target.hasFma ? 2 : 1) * static_cast<double>(depth);
  bool isInCache = bytes <= target.l2Bytes;
  double computing = static_cast<double>(flops) / flopsPerCycle;
  double moving = static_cast<double>(bytes) /
                  (isInCache ? kCacheBytesPerCycle : kMemoryBytesPerCycle);
  if (computing >= moving)
    return {computing, Bound::Compute};
  return {moving, isInCache ? Bound::Cache : Bound::Memory};
}

llvm::StringRef txc::getName(Bound bound) {
  switch (bound) {
  case Bound::Compute:
    return "compute";
  case Bound::Cache:
    return "L2";
  case Bound::Memory:
    return "memory";
  }
  llvm_unreachable("every bound has a name");
}
