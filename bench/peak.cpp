//===- peak.cpp - The machine's f32 FMA peak ------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Prints how many f32 GFLOP/s the machine does at this moment, with the widest
/// fused multiply-adds that it has, on a number of threads:
///
///     fma-peak [THREADS [MILLISECONDS]]
///
//===----------------------------------------------------------------------===//

#include "tools/txc-run/MachinePeak.h"

#include <cstdio>
#include <cstdlib>

/// A positive number of the command line, or 0.
static int parse(const char *text) {
  char *end = nullptr;
  long value = std::strtol(text, &end, 10);
  return *end == '\0' && value > 0 && value <= 100000 ? static_cast<int>(value)
                                                      : 0;
}

int main(int argc, char **argv) {
  int threadCount = argc > 1 ? parse(argv[1]) : 1;
  int milliseconds = argc > 2 ? parse(argv[2]) : 30;
  if (argc > 3 || threadCount == 0 || milliseconds == 0) {
    std::fprintf(stderr, "usage: fma-peak [THREADS [MILLISECONDS]]\n");
    return 2;
  }
  double rate = txc::run::measurePeak(threadCount,
                                      std::chrono::milliseconds(milliseconds));
  if (rate == 0) {
    std::fprintf(stderr, "fma-peak: error: this CPU has no AVX2 with FMA\n");
    return 1;
  }
  std::printf("%.1f\n", rate * 1e-9);
  return 0;
}
