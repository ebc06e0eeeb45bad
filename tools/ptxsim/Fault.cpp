//===- Fault.cpp - What a simulated kernel did wrong ------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Fault.h.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Fault.h"

using namespace ptxsim;

std::string_view ptxsim::getName(FaultKind kind) {
  switch (kind) {
  case FaultKind::None:
    return "no fault";
  case FaultKind::OutOfBounds:
    return "out of bounds";
  case FaultKind::Misaligned:
    return "misaligned address";
  case FaultKind::Uninitialized:
    return "unwritten shared memory";
  case FaultKind::Race:
    return "shared memory race";
  case FaultKind::MissingWait:
    return "missing wait";
  case FaultKind::Divergent:
    return "divergence";
  case FaultKind::Deadlock:
    return "deadlock";
  case FaultKind::Trap:
    return "trap";
  case FaultKind::Invalid:
    return "invalid operation";
  }
  return "";
}

std::string Fault::format() const {
  std::string text = "kernel " + kernel + ", PTX line " + std::to_string(line) +
                     " (" + instruction + "): " + std::string(getName(kind)) +
                     ": " + message + " [block " + std::to_string(block[0]) +
                     "," + std::to_string(block[1]) + "," +
                     std::to_string(block[2]);
  if (thread >= 0)
    text += ", thread " + std::to_string(thread);
  return text + "]";
}
