//===- Stopwatch.h - Times that a shared machine can be asked for -*- C++ -*-=//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The clock of a thread's CPU time leaves out neighbours in the same machine,
/// but where a hypervisor reports stolen time late, the kernel takes it off the
/// time of whoever runs then: one repetition in thousands seems a tenth faster
/// than the core can be. So the least time is that of repetitions for which the
/// thread's clock and the wall's agree: nothing was taken from them.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_BENCH_KERNELS_STOPWATCH_H
#define TXC_BENCH_KERNELS_STOPWATCH_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include <vector>

namespace txc::bench {

/// The CPU time of one repetition.
struct Span {
  double seconds;
  /// The thread had the core for all of it.
  bool isWhole;
};

/// Times \p body on this thread.
Span timeSpan(llvm::function_ref<void()> body);

/// The least of many repetitions.
class LeastTime {
public:
  void add(Span span);
  /// Of whole spans. Without any, a quarter of the spans were shorter.
  double getSeconds() const;

private:
  double least = 0;
  std::vector<double> interrupted;
};

} // namespace txc::bench

#endif // TXC_BENCH_KERNELS_STOPWATCH_H
