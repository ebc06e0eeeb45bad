//===- Fault.h - What a simulated kernel did wrong --------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// One fault ends a launch. Some of them real hardware would not notice.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_FAULT_H
#define TXC_TOOLS_PTXSIM_FAULT_H

#include <cstdint>
#include <string>
#include <string_view>

namespace ptxsim {

enum class FaultKind : uint8_t {
  None,
  OutOfBounds,
  Misaligned,
  /// Shared memory that nothing has written.
  Uninitialized,
  /// Two warps, at least one writes, no barrier between.
  Race,
  /// Read or overwritten while a cp.async to it is under way.
  MissingWait,
  /// Not all lanes of a warp came to an operation that needs them.
  Divergent,
  Deadlock,
  Trap,
  /// A value that the ISA leaves undefined or an unsupported request.
  Invalid,
};

std::string_view getName(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::None;
  std::string kernel;
  /// Of the PTX text, and the instruction there.
  int line = 0;
  std::string instruction;
  std::string message;
  uint32_t block[3] = {0, 0, 0};
  /// Linear in the block, -1 if it is no single thread's.
  int thread = -1;

  explicit operator bool() const { return kind != FaultKind::None; }
  /// One line with everything.
  std::string format() const;
};

} // namespace ptxsim

#endif // TXC_TOOLS_PTXSIM_FAULT_H
