//===- SharedShadow.h - Checks of shared memory -----------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// For each byte of a block's shared memory: whether it was written, whether a
/// copy to it is under way, who wrote and who read it last, and when. Time is
/// the number of barriers that the block has passed; a warp knows how far it is
/// synchronised with each other warp, so barriers of some warps only are
/// understood.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_SHAREDSHADOW_H
#define TXC_TOOLS_PTXSIM_SHAREDSHADOW_H

#include "tools/ptxsim/Fault.h"

#include <vector>

namespace ptxsim {

class SharedShadow {
public:
  /// For a new block: nothing is written.
  void reset(uint64_t bytes, int warps);

  /// An access of a warp; None if nothing is wrong with it. `other` is the
  /// other warp of a race. The range is inside the memory.
  FaultKind read(int warp, uint64_t offset, unsigned bytes, int &other);
  FaultKind write(int warp, uint64_t offset, unsigned bytes, int &other);
  /// Neither races with others of its kind nor counts as an access.
  FaultKind atomic(uint64_t offset, unsigned bytes);
  FaultKind beginCopy(int warp, uint64_t offset, unsigned bytes, int &other);
  void endCopy(int warp, uint64_t offset, unsigned bytes);

  /// The warps of the mask have waited for each other.
  void synchronize(uint32_t warps);

private:
  /// time * 64 + warp; 0 for never. Warp 63: several.
  using Stamp = uint16_t;
  static constexpr int several = 63;
  static constexpr unsigned lastTime = 1000;
  enum State : uint8_t { Unwritten, Written, Copying };

  Stamp makeStamp(int warp) const { return time * 64 + warp; }
  /// Whether what has this stamp surely came before what `warp` does now.
  bool isBefore(Stamp stamp, int warp) const {
    return stamp / 64 < seen[warp * 32 + stamp % 64];
  }
  bool readersAreBefore(Stamp stamp, uint64_t offset, int warp,
                        int &other) const;

  std::vector<uint8_t> states;
  std::vector<Stamp> writes, reads;
  /// Who, where several have read; for four bytes each.
  std::vector<uint32_t> readers;
  /// seen[w * 32 + v]: what v did before this time was before what w does.
  std::vector<uint16_t> seen;
  int warps = 0;
  unsigned time = 1;
};

} // namespace ptxsim

#endif // TXC_TOOLS_PTXSIM_SHAREDSHADOW_H
