//===- WarpTest.cpp - shuffles, votes, barriers, divergence ----*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Harness.h"
#include <set>

using namespace ptxsim;
using namespace ptxsim::test;

namespace {

using u32 = uint32_t;
using u64 = uint64_t;

Lanes makeValues() {
  Lanes values;
  for (u32 i = 0; i < 32; ++i)
    values.push_back(i * 2654435761u);
  return values;
}

TEST(Shuffle, AllDirectionsAndSegments) {
  Lanes values = makeValues();
  for (int by : {0, 1, 2, 5, 16, 31})
    for (int width : {32, 16, 8}) {
      // As __shfl_*_sync make the last operand.
      auto shuffle = [&](const char *mode, int clamp) {
        std::string operands = std::to_string(by) + ", " +
                               std::to_string((32 - width) << 8 | clamp) +
                               ", -1;";
        return Snippet{"shfl.sync." + std::string(mode) +
                           ".b32 %r0|%p0, %r1, " + operands,
                       {{"%r1", values}},
                       {"%r0", "%p0"}}
            .run();
      };
      auto up = shuffle("up", 0), down = shuffle("down", 31),
           exchange = shuffle("bfly", 31), index = shuffle("idx", 31);
      for (int lane = 0; lane < 32; ++lane) {
        int first = lane / width * width, last = first + width - 1;
        auto check = [&](std::vector<Lanes> &result, int from, bool isIn) {
          EXPECT_EQ(result[0][lane], values[isIn ? from : lane]);
          EXPECT_EQ(result[1][lane], u64(isIn));
        };
        check(up, lane - by, lane - by >= first);
        check(down, lane + by, lane + by <= last);
        check(exchange, lane ^ by, (lane ^ by) <= last);
        check(index, first + by % width, true);
      }
    }
}

TEST(Vote, OfMembersOnly) {
  Lanes values = makeValues();
  std::vector<Lanes> results =
      Snippet{"and.b32 %r2, %r1, 16; setp.ne.u32 %p1, %r2, 0;\n"
              "vote.sync.ballot.b32 %r0, %p1, -1;\n"
              "vote.sync.any.pred %p2, %p1, -1; vote.sync.all.pred %p3, %p1, "
              "-1; vote.sync.uni.pred %p4, %p1, -1;\n"
              "vote.sync.ballot.b32 %r3, !%p1, -1;\n"
              "mov.u32 %r4, 0; setp.lt.u32 %p5, %lane, 8; @!%p5 bra DONE;\n"
              "activemask.b32 %r4; vote.sync.ballot.b32 %r5, %p1, 255;\n"
              "add.u32 %r4, %r4, %r5;\nDONE:",
              {{"%r1", values}},
              {"%r0", "%p2", "%p3", "%p4", "%r3", "%r4"}}
          .run();
  u32 ballot = 0;
  for (int i = 0; i < 32; ++i)
    ballot |= u32(values[i] >> 4 & 1) << i;
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(results[0][i], ballot);
    EXPECT_EQ(results[1][i], 1u);
    EXPECT_EQ(results[2][i], 0u);
    EXPECT_EQ(results[3][i], 0u);
    EXPECT_EQ(results[4][i], u32(~ballot));
    EXPECT_EQ(results[5][i], i < 8 ? 255 + (ballot & 255) : 0);
  }
}

TEST(Warp, MatchReduceElect) {
  Lanes values;
  for (u32 i = 0; i < 32; ++i)
    values.push_back(u32(int(i * i % 7) - 3));
  std::vector<Lanes> results =
      Snippet{"match.any.sync.b32 %r0, %r1, -1;\n"
              "match.all.sync.b32 %r2|%p2, %r1, -1;\n"
              "match.all.sync.b64 %r3|%p3, 7, -1;\n"
              "redux.sync.add.s32 %r4, %r1, -1; redux.sync.min.s32 %r5, %r1, "
              "-1; redux.sync.max.u32 %r6, %r1, -1;\n"
              "redux.sync.xor.b32 %r7, %r1, -1; redux.sync.and.b32 %r8, %r1, "
              "-1; redux.sync.or.b32 %r9, %r1, -1;\n"
              "elect.sync %r10|%p4, -1;",
              {{"%r1", values}},
              {"%r0", "%r2", "%p2", "%r3", "%p3", "%r4", "%r5", "%r6", "%r7",
               "%r8", "%r9", "%p4"}}
          .run();
  u32 sum = 0, most = 0, exclusive = 0, all = ~0u, any = 0;
  int32_t least = INT32_MAX;
  for (u64 value : values) {
    sum += value;
    most = std::max(most, u32(value));
    least = std::min(least, int32_t(value));
    exclusive ^= value;
    all &= value;
    any |= value;
  }
  for (int i = 0; i < 32; ++i) {
    u32 match = 0;
    for (int k = 0; k < 32; ++k)
      match |= u32(values[k] == values[i]) << k;
    const u64 expected[] = {match,      0,    0,         ~0u, 1,   sum,
                            u32(least), most, exclusive, all, any, i == 0};
    for (int k = 0; k < 12; ++k)
      EXPECT_EQ(results[k][i], expected[k]) << k;
  }
}

TEST(Divergence, LoopsAndBranchesReconverge) {
  // Collatz steps, with a branch in the loop; then all meet for a ballot.
  Lanes values;
  for (u32 i = 0; i < 32; ++i)
    values.push_back(i + 1);
  std::vector<Lanes> results =
      Snippet{"mov.u32 %r0, 0;\nL:\nsetp.eq.u32 %p0, %r1, 1; @%p0 bra DONE;\n"
              "add.u32 %r0, %r0, 1; and.b32 %r2, %r1, 1; setp.eq.u32 %p1, %r2, "
              "0; @%p1 bra EVEN;\nmad.lo.u32 %r1, %r1, 3, 1; bra L;\nEVEN:\n"
              "shr.u32 %r1, %r1, 1; bra L;\nDONE:\nactivemask.b32 %r3;",
              {{"%r1", values}},
              {"%r0", "%r3"}}
          .run();
  for (u32 i = 0; i < 32; ++i) {
    u32 steps = 0;
    for (u32 n = i + 1; n != 1; n = n & 1 ? 3 * n + 1 : n / 2)
      ++steps;
    EXPECT_EQ(results[0][i], steps);
    EXPECT_EQ(results[1][i], ~0u);
  }
}

TEST(Divergence, TablesOfBranches) {
  std::vector<Lanes> results =
      Snippet{"and.b32 %r1, %lane, 3;\nT: .branchtargets A, B, C, A;\n"
              "brx.idx %r1, T;\nA: mov.u32 %r0, 10; bra.uni DONE;\nB: mov.u32 "
              "%r0, 20; bra.uni DONE;\nC: mov.u32 %r0, 30;\nDONE:",
              {},
              {"%r0"}}
          .run();
  for (int i = 0; i < 32; ++i)
    EXPECT_EQ(results[0][i], u64(i % 4 == 1 ? 20 : i % 4 == 2 ? 30 : 10));
}

TEST(Divergence, ShufflesWaitForTheirMembers) {
  // Two paths to one shuffle that all lanes take part in, and a warp barrier
  // that lanes come to at different places.
  Lanes result = run("setp.lt.u32 %p0, %lane, 16; mov.u32 %r1, %lane; @%p0 bra "
                     "LOW;\nadd.u32 %r1, %r1, 100; bar.warp.sync -1; bra "
                     "MEET;\nLOW: add.u32 %r1, %r1, 200; bar.warp.sync -1;\n"
                     "MEET: shfl.sync.bfly.b32 %r0, %r1, 16, 31, -1;",
                     {}, "%r0");
  for (int i = 0; i < 32; ++i)
    EXPECT_EQ(result[i], u64((i ^ 16) + (i < 16 ? 100 : 200)));
}

TEST(Divergence, LanesThatSpinDontStarveOthers) {
  // Lane 0 waits for what lane 1 writes further on.
  Lanes result =
      run(".shared .align 4 .b32 flag; st.shared.u32 [flag], 0; bar.warp.sync "
          "-1; setp.ne.u32 %p0, %lane, 0; @%p0 bra WRITE;\nL: ld.volatile."
          "shared.u32 %r0, [flag]; setp.eq.u32 %p1, %r0, 0; @%p1 bra L;\nbra "
          "DONE;\nWRITE: st.volatile.shared.u32 [flag], 7; mov.u32 %r0, 1;\n"
          "DONE:",
          {}, "%r0");
  EXPECT_EQ(result[0], 7u);
  EXPECT_EQ(result[1], 1u);
}

/// Runs a kernel with 96 threads, which writes a word a thread.
std::vector<u32> runBlock(const std::string &code, int threads = 96) {
  Device device;
  auto *out = device.allocate<u32>(threads);
  LaunchConfig config;
  config.block[0] = threads;
  config.parameters = Parameters().add(out).bytes;
  Fault fault = runKernel(
      device,
      makeModule(".visible .entry k(.param .u64 out) {\n.reg .b32 %r<10>; .reg "
                 ".b64 %l<4>; .reg .pred %p<6>; .reg .b32 %t;\n.shared .align "
                 "4 .b8 tile[4096];\nmov.u32 %t, %tid.x; ld.param.u64 %l0, "
                 "[out]; mad.wide.u32 %l0, %t, 4, %l0; mov.u32 %r0, 0;\n" +
                 code + "\nst.global.u32 [%l0], %r0; ret; }\n"),
      config);
  EXPECT_FALSE(fault) << fault.format();
  return std::vector<u32>(out, out + threads);
}

TEST(Barrier, ReductionsOfABlock) {
  std::vector<u32> counts =
      runBlock("and.b32 %r1, %t, 3; setp.eq.u32 %p0, %r1, 0; bar.red.popc.u32 "
               "%r0, 0, %p0; bar.red.or.pred %p1, 0, %p0; bar.red.and.pred "
               "%p2, 0, !%p0; selp.b32 %r2, 1000, 0, %p1; selp.b32 %r3, 5000, "
               "0, %p2; add.u32 %r0, %r0, %r2; add.u32 %r0, %r0, %r3;");
  EXPECT_EQ(std::set<u32>(counts.begin(), counts.end()),
            std::set<u32>{24 + 1000});
}

TEST(Barrier, UnalignedOnesMeetInPieces) {
  // Halves of a warp come from different places.
  std::vector<u32> values = runBlock(
      "shl.b32 %r1, %t, 2; mov.u32 %r2, tile; add.u32 %r1, %r1, %r2; "
      "st.shared.u32 [%r1], %t; and.b32 %r3, %t, 16; setp.eq.u32 %p0, %r3, 0; "
      "@%p0 bra A;\nbarrier.sync 2; bra DONE;\nA: barrier.sync 2;\nDONE: "
      "xor.b32 %r1, %r1, 32; ld.shared.u32 %r0, [%r1];");
  for (u32 i = 0; i < 96; ++i)
    EXPECT_EQ(values[i], i ^ 8);
}

TEST(Memory, VectorsAndNarrowAccesses) {
  Lanes words = {0x80ff7f01, 0x12345678, 0xffff8000};
  std::vector<Lanes> results =
      Snippet{".local .align 16 .b8 mine[32]; .reg .b32 %a;\nmov.u32 %a, "
              "mine;\nst.local.v4.b32 [%a+16], {%r1, %r1, %lane, %r1};\n"
              "ld.local.s8 %r2, [%a+16]; ld.local.u8 %r3, [%a+19]; ld.local.s8 "
              "%r4, [%a+19]; ld.local.u16 %r5, [%a+18]; ld.local.s16 %r6, "
              "[%a+18]; ld.local.s16 %h1, [%a+16];\nld.local.s32 %l1, [%a+20]; "
              "ld.local.u32 %l2, [%a+20]; ld.local.v2.b64 {%l3, %l4}, "
              "[%a+16];\nst.local.b8 [%a], %r1; st.local.b16 [%a+2], %r1; "
              "st.local.b8 [%a+1], 0; ld.local.u32 %r7, [%a];",
              {{"%r1", words}},
              {"%r2", "%r3", "%r4", "%r5", "%r6", "%h1", "%l1", "%l2", "%l3",
               "%l4", "%r7"}}
          .run();
  for (u64 i = 0; i < 32; ++i) {
    u32 w = words[i % 3];
    const u64 expected[] = {u32(int32_t(int8_t(w))),
                            w >> 24,
                            u32(int32_t(w) >> 24),
                            w >> 16,
                            u32(int32_t(w) >> 16),
                            w & 0xffff,
                            u64(int64_t(int32_t(w))),
                            w,
                            u64(w) << 32 | w,
                            u64(w) << 32 | i,
                            (w & 0xff) | (w & 0xffff) << 16};
    for (int k = 0; k < 11; ++k)
      EXPECT_EQ(results[k][i], expected[k]) << k;
  }
}

TEST(Memory, GenericAddresses) {
  Lanes result =
      run(".shared .align 4 .b32 s[32]; .local .align 4 .b32 l; .reg .b64 %a, "
          "%b;\nmov.u64 %a, s; cvta.shared.u64 %a, %a; mad.wide.u32 %a, %lane, "
          "4, %a; mov.u64 %b, l; cvta.local.u64 %b, %b;\nst.b32 [%a], %lane; "
          "st.b32 [%b], 100; ld.b32 %r1, [%a]; ld.b32 %r2, [%b]; add.u32 %r0, "
          "%r1, %r2;\nisspacep.shared %p1, %a; isspacep.shared %p2, %b; "
          "isspacep.global %p3, %at; selp.u32 %r3, 1000, 0, %p1; selp.u32 %r4, "
          "5000, 0, %p2; selp.u32 %r5, 2000, 0, %p3;\nadd.u32 %r0, %r0, %r3; "
          "add.u32 %r0, %r0, %r4; add.u32 %r0, %r0, %r5; cvta.to.shared.u64 "
          "%a, %a; ld.shared.u32 %r6, [%a]; add.u32 %r0, %r0, %r6;",
          {}, "%r0");
  for (u64 i = 0; i < 32; ++i)
    EXPECT_EQ(result[i], 3100 + 2 * i);
}

TEST(Memory, VariablesAndTheirInitialValues) {
  Device device;
  auto *out = device.allocate<u32>(8);
  LaunchConfig config;
  config.parameters = Parameters().add(out).bytes;
  Fault fault = runKernel(
      device,
      makeModule(".const .align 4 .b32 c[4] = {1, -2, 0x30};\n"
                 ".global .align 8 .b8 bytes[8] = {1, 2, 3, 4, 5};\n"
                 ".global .align 4 .f32 f = 0f40490fdb;\n"
                 ".global .align 8 .u64 p[2] = {bytes, generic(c)+8};\n"
                 ".visible .entry k(.param .u64 out) {\n.reg .b32 %r<8>; .reg "
                 ".b64 %l<4>;\nld.param.u64 %l0, [out];\nld.const.v4.u32 {%r0, "
                 "%r1, %r2, %r3}, [c]; st.global.v4.u32 [%l0], {%r0, %r1, %r2, "
                 "%r3};\nld.global.u64 %l1, [p]; ld.global.u32 %r4, [%l1+4]; "
                 "ld.global.u64 %l2, [p+8]; ld.u32 %r5, [%l2]; ld.global.u32 "
                 "%r6, [f]; st.global.u32 [%l0+16], %r4; st.global.u32 "
                 "[%l0+20], %r5; st.global.u32 [%l0+24], %r6; ret; }\n"),
      config);
  ASSERT_FALSE(fault) << fault.format();
  const u32 expected[] = {1, u32(-2), 0x30, 0, 5, 0x30, 0x40490fdb};
  for (int i = 0; i < 7; ++i)
    EXPECT_EQ(out[i], expected[i]) << i;
}

TEST(Memory, Atomics) {
  struct {
    const char *form;
    u32 start, operand;
    u32 (*next)(u32, u32);
  } cases[] = {
      {"add.u32", 5, 3, [](u32 a, u32 b) { return a + b; }},
      {"and.b32", 0xff, 0x3c, [](u32 a, u32 b) { return a & b; }},
      {"or.b32", 0xf0, 0x3c, [](u32 a, u32 b) { return a | b; }},
      {"xor.b32", 0xff, 0x3c, [](u32 a, u32 b) { return a ^ b; }},
      {"exch.b32", 1, 9, [](u32, u32 b) { return b; }},
      {"min.s32", 4, u32(-7),
       [](u32 a, u32 b) { return int32_t(a) < int32_t(b) ? a : b; }},
      {"max.u32", 4, u32(-7), [](u32 a, u32 b) { return a < b ? b : a; }},
      {"inc.u32", 3, 10, [](u32 a, u32 b) { return a >= b ? 0 : a + 1; }},
      {"dec.u32", 3, 10,
       [](u32 a, u32 b) { return a == 0 || a > b ? b : a - 1; }},
      {"add.f32", 0, 0x3fc00000,
       [](u32 a, u32 b) { return u32(bits(asFloat(a) + asFloat(b))); }}};
  for (auto &test : cases) {
    std::string code = "mov.u32 %r1, tile; st.shared.u32 [%r1], " +
                       std::to_string(test.start) +
                       "; bar.warp.sync -1; atom.shared." + test.form +
                       " %r0, [%r1], " + std::to_string(test.operand) + ";";
    std::vector<u32> olds = runBlock(code, 32);
    // Some order of the lanes gave these.
    std::multiset<u32> expected;
    u32 value = test.start;
    for (int i = 0; i < 32; ++i, value = test.next(value, test.operand))
      expected.insert(value);
    EXPECT_EQ(std::multiset<u32>(olds.begin(), olds.end()), expected)
        << test.form;
  }
  // Only one lane finds what it expects.
  std::vector<u32> olds =
      runBlock("mov.u32 %r1, tile; st.shared.u32 [%r1], 7; bar.warp.sync -1; "
               "add.u32 %r2, %t, 100; atom.shared.cas.b32 %r0, [%r1], 7, %r2;",
               32);
  EXPECT_EQ(std::count(olds.begin(), olds.end(), 7u), 1);
  // Reductions of all blocks' threads, on several threads of this machine.
  Device device;
  auto *sum = device.allocate<u32>(1);
  *sum = 0;
  LaunchConfig config;
  config.grid[0] = 50;
  config.block[0] = 96;
  config.threads = 3;
  config.parameters = Parameters().add(sum).bytes;
  Fault fault = runKernel(
      device,
      makeModule(".visible .entry k(.param .u64 out) { .reg .b64 %l<2>; "
                 "ld.param.u64 %l0, [out]; red.global.add.u32 [%l0], 2; ret; "
                 "}\n"),
      config);
  EXPECT_FALSE(fault);
  EXPECT_EQ(*sum, 50u * 96 * 2);
}

TEST(Memory, SpecialRegisters) {
  Device device;
  auto *out = device.allocate<u32>(6 * 2 * 24);
  LaunchConfig config;
  const u32 grid[3] = {3, 2, 1}, block[3] = {4, 3, 2};
  std::copy_n(grid, 3, config.grid);
  std::copy_n(block, 3, config.block);
  config.dynamicShared = 64;
  config.parameters = Parameters().add(out).bytes;
  std::string text =
      makeModule(".visible .entry k(.param .u64 out) { .reg .b64 %l<2>; .reg "
                 ".b32 %r<9>;\nld.param.u64 %l0, [out]; mov.u32 %r0, 0;\n");
  // A mixed-radix number of everything.
  const char *digits[] = {"%nctaid.x", "%ctaid.y",  "%ctaid.x", "%tid.z",
                          "%tid.y",    "%tid.x",    "%ntid.y",  "%laneid",
                          "%warpid",   "%nctaid.z", "WARP_SZ"};
  for (const char *digit : digits)
    text += std::string("mov.u32 %r1, ") + digit +
            "; mad.lo.u32 %r0, %r0, 7, %r1;\n";
  text += "mov.u32 %r2, %tid.z; mov.u32 %r3, %tid.y; mov.u32 %r4, %tid.x; "
          "mad.lo.u32 %r2, %r2, 3, %r3; mad.lo.u32 %r2, %r2, 4, %r4; mov.u32 "
          "%r3, %ctaid.y; mov.u32 %r4, %ctaid.x; mad.lo.u32 %r3, %r3, 3, %r4; "
          "mad.lo.u32 %r2, %r3, 24, %r2; mad.wide.u32 %l0, %r2, 4, %l0; "
          "st.global.u32 [%l0], %r0; ret; }\n";
  Fault fault = runKernel(device, text, config);
  ASSERT_FALSE(fault) << fault.format();
  for (u32 b = 0; b < 6; ++b)
    for (u32 t = 0; t < 24; ++t) {
      const u32 values[] = {3, b / 3, b % 3, t / 12, t / 4 % 3, t % 4,
                            3, t,     0,     1,      32};
      u32 expected = 0;
      for (u32 value : values)
        expected = expected * 7 + value;
      EXPECT_EQ(out[b * 24 + t], expected);
    }
}

TEST(Counters, BankConflictsAndSectors) {
  auto count = [](const std::string &code) {
    Device device;
    auto *words = device.allocate<u32>(4096);
    LaunchConfig config;
    config.block[0] = 32;
    config.parameters = Parameters().add(words).bytes;
    Counters counters;
    Fault fault = runKernel(
        device,
        makeModule(".visible .entry k(.param .u64 g) { .reg .b64 %l<4>; .reg "
                   ".b32 %r<9>; .shared .align 16 .b8 tile[8192]; ld.param.u64 "
                   "%l0, [g]; mov.u32 %r0, %tid.x;\n" +
                   code + " ret; }\n"),
        config, &counters);
    EXPECT_FALSE(fault) << fault.format();
    // Of the last access.
    OpCounters last;
    for (const OpCounters &counter : counters)
      if (counter.requests)
        last = counter;
    return std::make_pair(last.transfers, last.minimum);
  };
  using Pair = std::pair<u64, u64>;
  auto shared = [&](int stride, const char *form) {
    return count("mov.u32 %r1, tile; mad.lo.u32 %r1, %r0, " +
                 std::to_string(stride) + ", %r1; st.shared." + form + ";");
  };
  EXPECT_EQ(shared(4, "u32 [%r1], 0"), Pair(1, 1));
  EXPECT_EQ(shared(8, "u32 [%r1], 0"), Pair(2, 1));
  EXPECT_EQ(shared(128, "u32 [%r1], 0"), Pair(32, 1));
  EXPECT_EQ(shared(132, "u32 [%r1], 0"), Pair(1, 1));
  EXPECT_EQ(shared(0, "u32 [%r1], 0"), Pair(1, 1));
  EXPECT_EQ(shared(16, "v4.u32 [%r1], {0, 0, 0, 0}"), Pair(4, 4));
  EXPECT_EQ(shared(32, "v4.u32 [%r1], {0, 0, 0, 0}"), Pair(8, 4));
  EXPECT_EQ(shared(8, "v2.u32 [%r1], {0, 0}"), Pair(2, 2));
  auto global = [&](int stride, int offset) {
    return count("mad.wide.u32 %l1, %r0, " + std::to_string(stride) +
                 ", %l0; ld.global.u32 %r1, [%l1+" + std::to_string(offset) +
                 "];");
  };
  EXPECT_EQ(global(4, 0), Pair(4, 4));
  EXPECT_EQ(global(4, 4), Pair(5, 4));
  EXPECT_EQ(global(8, 0), Pair(8, 4));
  EXPECT_EQ(global(32, 0), Pair(32, 4));
  EXPECT_EQ(global(0, 0), Pair(1, 1));
}

} // namespace
