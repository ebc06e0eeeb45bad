//===- Program.h - A kernel, decoded ----------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// What a kernel is once every instruction has been looked at: operations with
/// a function to run and the places of their operands in a warp's register
/// file.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_PROGRAM_H
#define TXC_TOOLS_PTXSIM_PROGRAM_H

#include "tools/ptxsim/Module.h"

#include <memory>

namespace ptxsim {

class Warp;
struct Op;

/// Runs one operation for the lanes of the mask, which is not empty.
using Handler = void (*)(Warp &warp, const Op &op, uint32_t mask);

/// Operands are byte offsets into the register file of a warp. A register of up
/// to 32 bits is 32 x uint32_t (narrower ones zero-extended), one of 64 bits is
/// 32 x uint64_t, one of 128 bits two of those, a predicate one uint32_t with a
/// bit for each lane. Immediates and special registers are registers that
/// nothing writes.
struct Op {
  Handler run = nullptr;
  /// Of a handler that wraps another.
  Handler inner = nullptr;
  uint32_t guard = 0;
  uint32_t guardFlip = 0;
  uint32_t d = 0, a = 0, b = 0, c = 0, e = 0;
  /// Where branches go; in general a small constant of the handler's.
  uint32_t target = 0;
  /// Fragments and vectors: `count` offsets from Program::lists[list].
  uint32_t list = 0;
  uint16_t count = 0;
  /// Meaning of these three is the handler's.
  uint8_t width = 0;
  uint8_t mode = 0;
  uint32_t extra = 0;
  /// Offset of an address, and other immediates.
  int64_t imm = 0;
};

// clang-format off
enum class Special : uint8_t {
  TidX, TidY, TidZ, NtidX, NtidY, NtidZ,
  CtaidX, CtaidY, CtaidZ, NctaidX, NctaidY, NctaidZ,
  LaneId, WarpId, NWarpId, SmId, NSmId, GridId,
  LaneMaskEq, LaneMaskLt, LaneMaskLe, LaneMaskGt, LaneMaskGe,
  DynamicSharedSize, TotalSharedSize, WarpSize,
};
// clang-format on

struct Program {
  /// Keeps the statements that `origin` refers to.
  std::shared_ptr<const Module> module;
  std::string name;
  std::vector<Op> ops;
  /// The statement of each operation.
  std::vector<const Statement *> origin;
  std::vector<uint32_t> lists;

  /// Bytes of a warp's register file.
  uint32_t fileSize = 0;
  struct Constant {
    uint32_t offset;
    uint64_t bits;
    bool isWide;
  };
  std::vector<Constant> constants;
  /// 32-bit specials, by where they are.
  std::vector<std::pair<Special, uint32_t>> specials;

  struct Parameter {
    uint64_t offset, size;
  };
  std::vector<Parameter> parameters;
  uint64_t parameterBytes = 0;
  uint64_t sharedBytes = 0;
  /// Where dynamic shared memory begins.
  uint64_t dynamicOffset = 0;
  /// Of a thread.
  uint64_t localBytes = 0;
  int requiredThreads[3] = {0, 0, 0};
  int maximumThreads = 0;
  int registers = 0;
};

/// Addresses of the module's variables in global and constant space, and
/// offsets of its shared ones, in the order of Module::variables.
using ModuleLayout = std::vector<uint64_t>;

/// Null with "line N: reason" if there is anything in it that is unknown.
std::unique_ptr<Program> decodeKernel(std::shared_ptr<const Module> module,
                                      const Function &function,
                                      const ModuleLayout &layout,
                                      std::string &error);

} // namespace ptxsim

#endif // TXC_TOOLS_PTXSIM_PROGRAM_H
