//===- Access.h - A warp's access to memory ---------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// From addresses in registers to checked places in this process, and what the
/// access costs in sectors or bank cycles.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_ACCESS_H
#define TXC_TOOLS_PTXSIM_ACCESS_H

#include "tools/ptxsim/Block.h"

namespace ptxsim {

enum class AccessKind : uint8_t { Read, Write, Atomic };

/// Addresses of the lanes: op.a (op.width bytes each) + op.imm.
void getAddresses(Warp &warp, const Op &op, uint32_t mask,
                  uint64_t (&addresses)[32]);

/// Places of `bytes` bytes each. False after a fault: out of bounds, not
/// aligned to `bytes`, or what is wrong with shared memory. Counts too.
bool resolve(Warp &warp, const Op &op, uint32_t mask, Space space,
             AccessKind kind, unsigned bytes, char *(&places)[32]);

/// For one lane's address in global memory; null after a fault.
char *resolveGlobal(Warp &warp, const Op &op, int lane, uint64_t address,
                    unsigned bytes);
/// For one lane's offset; false after a fault. Does not look at the shadow.
bool checkShared(Warp &warp, const Op &op, int lane, uint64_t offset,
                 unsigned bytes);
/// Reports what the shadow said of an access; false if that was a fault.
bool checkShadow(Warp &warp, const Op &op, int lane, uint64_t offset,
                 FaultKind kind, int other);

/// Adds to the operation's counters.
void countGlobal(Warp &warp, const Op &op, uint32_t mask,
                 const uint64_t (&addresses)[32], unsigned bytes);
void countShared(Warp &warp, const Op &op, uint32_t mask,
                 const uint64_t (&offsets)[32], unsigned bytes);

} // namespace ptxsim

#endif // TXC_TOOLS_PTXSIM_ACCESS_H
