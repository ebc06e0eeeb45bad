//===- OpRegistry.cpp - finds the builder of an ONNX operator -------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/ops/OpTable.h"

using namespace txc;
using namespace txc::frontend;

llvm::SmallVector<OpTable> frontend::getAllOps() {
  return {
      getActivationOps(),
      getAttentionOps(),
      getCol2ImOps(),
      getControlOps(),
      getConvolutionOps(),
      getEinsumOps(),
      getElementwiseOps(),
      getFlexAttentionOps(),
      getGenerationOps(),
      getGroupQueryAttentionOps(),
      getIndexingOps(),
      getLinearAttentionOps(),
      getLoopOps(),
      getMatmulOps(),
      getMicrosoftAttentionOps(),
      getMicrosoftFusedOps(),
      getMicrosoftQLinearOps(),
      getMicrosoftQuantizedOps(),
      getMovementOps(),
      getNormOps(),
      getQuantizationOps(),
      getRecurrentOps(),
      getReductionOps(),
      getResizeOps(),
      getSamplingOps(),
      getSlicingOps(),
      getSpectralOps(),
  };
}

const OpEntry *frontend::findOp(llvm::StringRef domain, llvm::StringRef name,
                                int64_t version,
                                std::optional<int64_t> &oldest) {
  const OpEntry *best = nullptr;
  for (OpTable table : getAllOps())
    for (const OpEntry &entry : table) {
      if (entry.name != name || entry.domain != domain)
        continue;
      oldest = std::min(oldest.value_or(entry.since), entry.since);
      if (entry.since <= version && (!best || entry.since > best->since))
        best = &entry;
    }
  return best;
}
