//===- Bench.cpp - How fast the simulator multiplies ------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Runs the main loop of a 128x128 f16 product, four warps of 64x64, from
/// shared memory, and prints floating point operations a second of one core,
/// for the products alone and with the loads.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Launch.h"
#include "tools/ptxsim/LoadedModule.h"

#include <cstdio>
#include <cstring>
#include <ctime>

using namespace ptxsim;

static std::string number(const char *prefix, int i) {
  return prefix + std::to_string(i);
}

/// A register list {%p0, %p1, …}.
static std::string list(const char *prefix, int first, int count) {
  std::string text = "{";
  for (int i = 0; i < count; ++i)
    text += (i ? ", " : "") + number(prefix, first + i);
  return text + "}";
}

static std::string makeKernel(bool hasLoads, int iterations) {
  std::string text =
      ".version 8.0\n.target sm_80\n.address_size 64\n"
      ".visible .entry loop(.param .u64 out) {\n"
      ".reg .b32 %a<16>; .reg .b32 %b<16>; .reg .f32 %c<128>;\n"
      ".reg .b32 %lane, %at, %i; .reg .b64 %out; .reg .pred %p;\n"
      ".shared .align 128 .b8 tile[16384];\n"
      "mov.u32 %lane, %tid.x;\nmov.u32 %at, tile;\n"
      "mad.lo.u32 %at, %lane, 128, %at;\n";
  for (int i = 0; i < 8; ++i)
    text += "st.shared.v4.b32 [%at+" + std::to_string(i * 16) +
            "], {0x3c003c00, 0x3c003c00, 0x3c003c00, 0x3c003c00};\n";
  for (int i = 0; i < 16; ++i)
    text += "mov.b32 " + number("%a", i) + ", 0x3c003c00;\nmov.b32 " +
            number("%b", i) + ", 0x3c003c00;\n";
  for (int i = 0; i < 128; ++i)
    text += "mov.f32 " + number("%c", i) + ", 0f00000000;\n";
  text += "bar.sync 0;\nand.b32 %at, %lane, 31;\nshl.b32 %at, %at, 4;\n"
          "mov.u32 %i, " +
          std::to_string(iterations) + ";\nL:\n";
  if (hasLoads)
    for (int i = 0; i < 8; ++i)
      text += "ldmatrix.sync.aligned.m8n8.x4.shared.b16 " +
              list(i < 4 ? "%a" : "%b", i % 4 * 4, 4) + ", [%at+" +
              std::to_string(i * 512) + "];\n";
  for (int m = 0; m < 4; ++m)
    for (int n = 0; n < 8; ++n) {
      std::string sums = list("%c", (m * 8 + n) * 4, 4);
      text.append("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 ")
          .append(sums)
          .append(", ")
          .append(list("%a", m * 4, 4))
          .append(", ")
          .append(list("%b", n * 2, 2))
          .append(", ")
          .append(sums)
          .append(";\n");
    }
  text += "sub.u32 %i, %i, 1;\nsetp.ne.u32 %p, %i, 0;\n@%p bra L;\n"
          "ld.param.u64 %out, [out];\nst.global.f32 [%out], %c0;\nret;\n}\n";
  return text;
}

static bool measure(const char *what, bool hasLoads) {
  constexpr int iterations = 200;
  Memory memory;
  std::string error;
  auto module =
      LoadedModule::load(makeKernel(hasLoads, iterations), memory, error);
  if (!module) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return false;
  }
  uint64_t out = memory.allocate(4);
  LaunchConfig config;
  config.block[0] = 128;
  config.parameters.resize(8);
  std::memcpy(config.parameters.data(), &out, 8);
  std::clock_t start = std::clock();
  Fault fault;
  if (!launch(*module->getKernels()[0], config, memory, nullptr, fault)) {
    std::fprintf(stderr, "%s\n", fault.format().c_str());
    return false;
  }
  double time = double(std::clock() - start) / CLOCKS_PER_SEC;
  double operations = 4.0 * iterations * 32 * (2 * 16 * 8 * 16);
  std::printf("%-24s %6.2f Gflop/s\n", what, operations / time / 1e9);
  return true;
}

int main() {
  bool isGood = true;
  for (int i = 0; i < 3; ++i)
    isGood &= measure("mma", false) && measure("mma and ldmatrix", true);
  return isGood ? 0 : 1;
}
