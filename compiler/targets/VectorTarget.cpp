//===- VectorTarget.cpp - What a vector unit offers -------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Reads the vector unit's properties from LLVM's subtarget features.
///
//===----------------------------------------------------------------------===//

#include "compiler/targets/VectorTarget.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"
#include <memory>

using namespace llvm;

static txc::VectorTarget fromSubtarget(const MCSubtargetInfo &subtarget) {
  txc::VectorTarget target;
  target.hasFma = subtarget.checkFeatures("+fma");
  target.hasHalfConversions = subtarget.checkFeatures("+f16c");
  // Kernels mask lanes of every width and multiply 64-bit lanes, so AVX-512
  // counts only with its byte/word, doubleword and vector length extensions.
  //
  if (subtarget.checkFeatures("+avx512f,+avx512bw,+avx512dq,+avx512vl")) {
    target.vectorBits = 512;
    target.hasMaskedOps = true;
    target.numVectorRegisters = 32;
    target.l2Bytes = 1 << 20;
    target.hasBf16Dot = subtarget.checkFeatures("+avx512bf16");
    target.hasInt8Dot = subtarget.checkFeatures("+avx512vnni");
  } else if (subtarget.checkFeatures("+avx2")) {
    target.vectorBits = 256;
    target.l2Bytes = 512 << 10;
    target.hasInt8Dot = subtarget.checkFeatures("+avxvnni");
  }
  return target;
}

txc::VectorTarget txc::getVectorTarget(const TargetMachine &machine) {
  return fromSubtarget(*machine.getMCSubtargetInfo());
}

Expected<txc::VectorTarget> txc::getVectorTarget(StringRef cpu,
                                                 StringRef features) {
  Triple triple("x86_64-unknown-linux-gnu");
  std::string message;
  const Target *llvmTarget = TargetRegistry::lookupTarget(triple, message);
  if (!llvmTarget)
    return createStringError(message);
  std::unique_ptr<MCSubtargetInfo> subtarget(
      llvmTarget->createMCSubtargetInfo(triple, cpu, features));
  if (!subtarget)
    return createStringError("LLVM's x86 target is not initialized");
  if (!subtarget->isCPUStringValid(cpu))
    return createStringError("unknown CPU '" + cpu +
                             "'; 'llc -mcpu=help' lists the known ones");
  return fromSubtarget(*subtarget);
}
