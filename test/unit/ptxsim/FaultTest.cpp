//===- FaultTest.cpp - planted faults are found ----------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Harness.h"

using namespace ptxsim;
using namespace ptxsim::test;

namespace {

/// A kernel of two warps (unless said otherwise) with a global array of 64
/// words, its address in %g, and 1024 bytes of shared memory at %s.
class Planted : public testing::Test {
protected:
  /// The line of PTX that the fault names is the one that has `// here`.
  Fault run(const std::string &code, int threads = 64, int blocks = 1,
            CopyMode mode = CopyMode::Late) {
    std::string text = makeModule(
        ".visible .entry planted(.param .u64 g) {\n"
        ".reg .b32 %r<10>; .reg .b64 %l<10>; .reg .pred %p<10>; .reg .f32 "
        "%f<10>;\n"
        ".reg .b32 %t, %lane, %warp, %s; .reg .b64 %g;\n"
        ".shared .align 16 .b8 tile[1024];\n"
        "ld.param.u64 %g, [g];\n"
        "mov.u32 %t, %tid.x;\nand.b32 %lane, %t, 31;\nshr.u32 %warp, %t, 5;\n"
        "mov.u32 %s, tile;\n" +
        code + "\nret;\n}\n");
    Device device;
    array = device.allocate<uint32_t>(64);
    LaunchConfig config;
    config.block[0] = threads;
    config.grid[0] = blocks;
    config.copyMode = mode;
    config.stepLimit = 1 << 20;
    config.parameters = Parameters().add(array).bytes;
    Fault fault = runKernel(device, text, config);
    std::copy(array, array + 64, words);
    if (size_t at = text.find("// here"); fault && at != text.npos)
      EXPECT_EQ(fault.line,
                1 + std::count(text.begin(), text.begin() + at, '\n'))
          << fault.format();
    if (fault)
      EXPECT_EQ(fault.kernel, "planted");
    return fault;
  }
  uint32_t *array = nullptr;
  uint32_t words[64];
};

TEST_F(Planted, OutOfBoundsOfGlobalMemory) {
  const char *store = "mad.wide.u32 %l0, %t, 4, %g;\n"
                      "st.global.u32 [%l0+4], %t; // here";
  Fault fault = run(store);
  EXPECT_EQ(fault.kind, FaultKind::OutOfBounds);
  EXPECT_EQ(fault.thread, 63);
  EXPECT_NE(fault.message.find("4 beyond the end"), std::string::npos)
      << fault.format();
  EXPECT_FALSE(run(store, 63));
}

TEST_F(Planted, HostPointersAreNoDeviceMemory) {
  static int host;
  std::string address = std::to_string(reinterpret_cast<uint64_t>(&host));
  Fault fault = run("mov.u64 %l0, " + address +
                    ";\nld.global.u32 %r0, [%l0];"
                    " // here");
  EXPECT_EQ(fault.kind, FaultKind::OutOfBounds);
}

TEST_F(Planted, OutOfBoundsOfSharedMemory) {
  Fault fault = run("shl.b32 %r0, %t, 4; add.u32 %r0, %r0, %s;\n"
                    "st.shared.v4.b32 [%r0+16], {%t, %t, %t, %t}; // here");
  EXPECT_EQ(fault.kind, FaultKind::OutOfBounds);
  EXPECT_EQ(fault.thread, 63);
}

TEST_F(Planted, OutOfBoundsOfLocalMemory) {
  Fault fault = run(".local .align 4 .b8 here[16];\nmov.u32 %r0, here;\n"
                    "st.local.u32 [%r0+16], %t; // here");
  EXPECT_EQ(fault.kind, FaultKind::OutOfBounds);
}

TEST_F(Planted, Misaligned) {
  EXPECT_EQ(run("ld.global.v4.u32 {%r0, %r1, %r2, %r3}, [%g+8]; // here").kind,
            FaultKind::Misaligned);
  EXPECT_EQ(run("st.shared.u32 [%s+2], %t; // here").kind,
            FaultKind::Misaligned);
  EXPECT_EQ(run("cp.async.cg.shared.global [%s], [%g+4], 16; // here").kind,
            FaultKind::Misaligned);
}

TEST_F(Planted, UnwrittenSharedMemory) {
  Fault fault = run("setp.lt.u32 %p0, %t, 20;\nshl.b32 %r0, %t, 2; add.u32 "
                    "%r0, %r0, %s;\n@%p0 st.shared.u32 [%r0], %t;\nbar.sync "
                    "0;\nld.shared.u32 %r1, [%r0]; // here");
  EXPECT_EQ(fault.kind, FaultKind::Uninitialized);
  EXPECT_GE(fault.thread, 20);
}

// Each thread writes its word and reads that of the other warp.
const std::string exchange =
    "shl.b32 %r0, %t, 2; add.u32 %r1, %r0, %s; xor.b32 "
    "%r2, %r0, 128; add.u32 %r2, %r2, %s;\n"
    "st.shared.u32 [%r1], %t;\n";

TEST_F(Planted, ReadAfterWriteRace) {
  Fault fault =
      run(exchange + "bar.sync 0;\nld.shared.u32 %r3, [%r2];\nst.shared.u32 "
                     "[%r1], %r3;\nbar.sync 0;");
  EXPECT_EQ(fault.kind, FaultKind::Race);
  // The same with a barrier is right.
  EXPECT_FALSE(run(exchange + "bar.sync 0;\nld.shared.u32 %r3, [%r2];\n"
                              "bar.sync 0;\nst.shared.u32 [%r1], %r3;"));
}

TEST_F(Planted, WriteWriteRace) {
  EXPECT_EQ(run("st.shared.u32 [%s], %t; // here").kind, FaultKind::Race);
  // Lanes of one warp are in order.
  EXPECT_FALSE(run("st.shared.u32 [%s], %t;", 32));
}

TEST_F(Planted, MissingBarrierBeforeRead) {
  // The writer runs first here, so that the value is even right.
  Fault fault = run("setp.eq.u32 %p0, %warp, 0;\nshl.b32 %r0, %lane, 2; "
                    "add.u32 %r0, %r0, %s;\n@%p0 st.shared.u32 [%r0], %t;\n"
                    "@%p0 bra DONE;\nld.shared.u32 %r1, [%r0]; // here\n"
                    "DONE:");
  EXPECT_EQ(fault.kind, FaultKind::Race);
  EXPECT_NE(fault.message.find("warp 0"), std::string::npos);
}

TEST_F(Planted, SeveralReadersThenAWriter) {
  std::string code = "shl.b32 %r0, %lane, 2; add.u32 %r0, %r0, %s;\n"
                     "setp.eq.u32 %p0, %warp, 0;\n@%p0 st.shared.u32 [%r0], "
                     "%t;\nbar.sync 0;\nld.shared.u32 %r1, [%r0];\n";
  // Warp 1 reads, warps 0 and 2 read; barrier 1 joins only 0 and 1.
  std::string some = code + "setp.gt.u32 %p1, %warp, 1;\n@%p1 bra DONE;\n"
                            "bar.sync 1, 64;\n@%p0 st.shared.u32 [%r0], %t; "
                            "// here\nDONE:";
  EXPECT_EQ(run(some, 96).kind, FaultKind::Race);
  EXPECT_FALSE(run(some, 64));
}

TEST_F(Planted, NamedBarriersOrderTheirWarps) {
  // Producer arrives, consumer waits: the write is seen.
  std::string code = "shl.b32 %r0, %lane, 2; add.u32 %r0, %r0, %s;\n"
                     "setp.eq.u32 %p0, %warp, 1;\n@%p0 bra PRODUCER;\n"
                     "bar.sync 3, 64;\nld.shared.u32 %r1, [%r0];\nmad.wide.u32 "
                     "%l0, %lane, 4, %g;\nst.global.u32 [%l0], %r1;\nret;\n"
                     "PRODUCER:\nst.shared.u32 [%r0], %t;\nbar.arrive 3, 64;";
  EXPECT_FALSE(run(code));
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(words[i], 32 + i);
}

TEST_F(Planted, MissingWait) {
  std::string code =
      "shl.b32 %r0, %t, 4; add.u32 %r0, %r0, %s; and.b32 %r1, "
      "%t, 15;\nmad.wide.u32 %l0, %r1, 16, %g;\ncp.async.cg."
      "shared.global [%r0], [%l0], 16;\ncp.async.commit_group;\n";
  for (CopyMode mode : {CopyMode::Late, CopyMode::Eager}) {
    EXPECT_EQ(run(code + "bar.sync 0;\nld.shared.u32 %r2, [%r0]; // here", 64,
                  1, mode)
                  .kind,
              FaultKind::MissingWait);
    // One group may still be under way, and it is this one.
    EXPECT_EQ(run(code + "cp.async.wait_group 1;\nbar.sync 0;\nld.shared.u32 "
                         "%r2, [%r0]; // here",
                  64, 1, mode)
                  .kind,
              FaultKind::MissingWait);
    EXPECT_EQ(run(code + "st.shared.u32 [%r0], %t; // here", 64, 1, mode).kind,
              FaultKind::MissingWait);
    EXPECT_FALSE(run(code + "cp.async.wait_group 0;\nld.shared.u32 %r2, [%r0];",
                     64, 1, mode));
  }
}

TEST_F(Planted, WaitWithoutBarrier) {
  // A wait is for the warp's own copies: what others copied needs a barrier.
  std::string code = "shl.b32 %r0, %t, 4; add.u32 %r0, %r0, %s; and.b32 %r1, "
                     "%t, 15;\nmad.wide.u32 %l0, %r1, 16, %g;\ncp.async.cg."
                     "shared.global [%r0], [%l0], 16;\ncp.async.wait_all;\n"
                     "xor.b32 %r2, %r0, 512;\n";
  Fault fault = run(code + "ld.shared.u32 %r3, [%r2];");
  EXPECT_TRUE(fault.kind == FaultKind::Race ||
              fault.kind == FaultKind::Uninitialized)
      << fault.format();
  EXPECT_FALSE(run(code + "bar.sync 0;\nld.shared.u32 %r3, [%r2];"));
}

TEST_F(Planted, CopyModesDiffer) {
  // Global memory changes between copy and wait: late sees it, eager doesn't.
  std::string code = "setp.ne.u32 %p0, %t, 0;\n@%p0 bra DONE;\nst.global.u32 "
                     "[%g], 1;\ncp.async.ca.shared.global [%s], [%g], 4;\n"
                     "cp.async.commit_group;\nst.global.u32 [%g], 2;\n"
                     "cp.async.wait_group 0;\nld.shared.u32 %r0, [%s];\n"
                     "st.global.u32 [%g+4], %r0;\nDONE:";
  EXPECT_FALSE(run(code, 32, 1, CopyMode::Late));
  EXPECT_EQ(words[1], 2u);
  EXPECT_FALSE(run(code, 32, 1, CopyMode::Eager));
  EXPECT_EQ(words[1], 1u);
}

TEST_F(Planted, ZeroFillNeedsNoMemory) {
  std::string code =
      "setp.ne.u32 %p0, %t, 0;\n@%p0 bra DONE;\nadd.u64 %l0, %g, 248;\n"
      "st.global.v2.u32 [%l0], {5, 6};\ncp.async.ca.shared.global [%s], [%l0], "
      "8, 4;\ncp.async.ca.shared.global [%s+8], [%l0+4096], 8, 0;\n"
      "cp.async.wait_all;\nld.shared.v4.u32 {%r0, %r1, %r2, %r3}, [%s];\n"
      "st.global.v4.u32 [%g], {%r0, %r1, %r2, %r3};\nDONE:";
  for (CopyMode mode : {CopyMode::Late, CopyMode::Eager}) {
    EXPECT_FALSE(run(code, 32, 1, mode));
    EXPECT_EQ(words[0], 5u);
    for (int i = 1; i < 4; ++i)
      EXPECT_EQ(words[i], 0u);
  }
  EXPECT_EQ(
      run("cp.async.cg.shared.global [%s], [%g+256], 16, 16; // here", 1).kind,
      FaultKind::OutOfBounds);
}

TEST_F(Planted, DivergentBarrier) {
  Fault fault = run("setp.lt.u32 %p0, %lane, 7;\n@%p0 bra DONE;\nbar.sync 0; "
                    "// here\nDONE:\nadd.u32 %r0, %r0, 1;");
  EXPECT_EQ(fault.kind, FaultKind::Divergent);
  // Lanes that are gone are not missed.
  EXPECT_FALSE(run("setp.lt.u32 %p0, %lane, 7;\n@%p0 ret;\nbar.sync 0;"));
}

TEST_F(Planted, DivergentMatrixInstructions) {
  EXPECT_EQ(run("setp.lt.u32 %p0, %lane, 7;\n@%p0 movmatrix.sync.aligned.m8n8."
                "trans.b16 %r0, %r0; // here")
                .kind,
            FaultKind::Divergent);
  EXPECT_EQ(run("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f0, %f1, "
                "%f2, %f3}, {%r0, %r1, %r2, %r3}, {%r0, %r1}, {%f0, %f1, %f2, "
                "%f3}; // here",
                40)
                .kind,
            FaultKind::Divergent);
}

TEST_F(Planted, ShuffleOfAnAbsentLane) {
  EXPECT_EQ(run("setp.lt.u32 %p0, %lane, 16;\n@%p0 shfl.sync.bfly.b32 %r0, %t, "
                "16, 31, 65535; // here")
                .kind,
            FaultKind::Divergent);
  EXPECT_EQ(run("setp.lt.u32 %p0, %lane, 16;\n@!%p0 bra DONE;\nshfl.sync.bfly."
                "b32 %r0, %t, 1, 31, -1;\nDONE:\nbar.sync 0;")
                .kind,
            FaultKind::Divergent);
}

TEST_F(Planted, BarrierThatNobodyCompletes) {
  EXPECT_EQ(run("bar.sync 1, 96; // here").kind, FaultKind::Deadlock);
}

TEST_F(Planted, EndlessLoop) {
  EXPECT_EQ(run("L:\nbra L;").kind, FaultKind::Deadlock);
}

TEST_F(Planted, TrapAndUndefinedCalls) {
  Fault fault = run("setp.eq.u32 %p0, %t, 5;\n@%p0 trap; // here");
  EXPECT_EQ(fault.kind, FaultKind::Trap);
  EXPECT_EQ(fault.thread, 5);
}

TEST_F(Planted, TheBlockIsNamed) {
  Fault fault = run("mov.u32 %r0, %ctaid.x;\nsetp.eq.u32 %p0, %r0, 2;\n@%p0 "
                    "trap; // here",
                    32, 4);
  EXPECT_EQ(fault.block[0], 2u);
}

// What is not understood is an error with its line.
TEST(Refused, UnknownInstructionsAndModifiers) {
  auto errorOf = [](const std::string &line) {
    return getError(makeModule(".visible .entry k() {\n.reg .b32 %r<4>; .reg "
                               ".f32 %f<4>; .reg .b64 %l<4>; .reg .b16 %h<4>; "
                               ".reg .pred %p<4>;\n" +
                               line + "\nret;\n}\n"));
  };
  for (const char *line : {
           "frobnicate.b32 %r0, %r1;",
           "add.frob.s32 %r0, %r1, %r2;",
           "add.ftz.s32 %r0, %r1, %r2;",
           "add.sat.u32 %r0, %r1, %r2;",
           "add.b32 %r0, %r1, %r2;",
           "add.s32 %r0, %r1;",
           "add.s32 %r0, %r1, %l1;",
           "add.s64 %l0, %r1, %l1;",
           "add.s32 %r0, %r1, %r9;",
           "add.s32 %r0, %p1, %r2;",
           "mul.s32 %r0, %r1, %r2;",
           "mul.wide.s64 %l0, %l1, %l2;",
           "and.u32 %r0, %r1, %r2;",
           "lop3.b32 %r0, %r1, %r2, %r3, 256;",
           "shl.s32 %r0, %r1, %r2;",
           "setp.frob.s32 %p0, %r1, %r2;",
           "setp.lt.b32 %p0, %r1, %r2;",
           "setp.ltu.s32 %p0, %r1, %r2;",
           "cvt.f32.s32 %f0, %r1;",
           "cvt.s32.f32 %r0, %f1;",
           "cvt.rn.f16.frob %h0, %f1;",
           "ex2.f32 %f0, %f1;",
           "rcp.f32 %f0, %f1;",
           "ld.global.frob.u32 %r0, [%l0];",
           "ld.shared.nc.u32 %r0, [%l0];",
           "ld.global.v3.u32 {%r0, %r1, %r2}, [%l0];",
           "ld.global.v4.u64 {%l0, %l1, %l2, %l3}, [%l0];",
           "st.const.u32 [%l0], %r0;",
           "ld.global.u32 %r0, %l0;",
           "shfl.bfly.b32 %r0, %r1, 1, 31;",
           "shfl.sync.frob.b32 %r0, %r1, 1, 31, -1;",
           "bar.frob 0;",
           "cp.async.cg.shared.global [%r0], [%l0], 8;",
           "cp.async.bulk.wait_group 0;",
           "ldmatrix.sync.aligned.m8n8.x3.shared.b16 {%r0}, [%r1];",
           "ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r0}, [%r1];",
           ("mma.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32 {%f0, %f1, %f2, "
            "%f3}, {%r0, %r1, %r2, %r3}, {%r0, %r1}, {%f0, %f1, %f2, %f3};"),
           ("mma.sync.aligned.m16n8k16.col.row.f32.f16.f16.f32 {%f0, %f1, %f2, "
            "%f3}, {%r0, %r1, %r2, %r3}, {%r0, %r1}, {%f0, %f1, %f2, %f3};"),
           "atom.global.frob.u32 %r0, [%l0], %r1;",
           "atom.global.add.b32 %r0, [%l0], %r1;",
           "red.global.exch.b32 [%l0], %r1;",
           "wgmma.fence.sync.aligned;",
           "bra NOWHERE;",
           "mov.u32 %r0, %frob;",
           "mov.u32 %r0, frob;",
           "@%r0 bra L;\nL:",
       }) {
    std::string error = errorOf(line);
    EXPECT_NE(error.find("line 6:"), std::string::npos)
        << line << "\n-> '" << error << "'";
  }
  EXPECT_EQ(errorOf("add.s32 %r0, %r1, %r2;"), "");
}

TEST(Refused, BrokenText) {
  for (const char *text :
       {".visible .entry k( {", ".visible .entry k() {", ".entry", "/* ", "\"",
        ".visible .entry k() { mov.u32 %r0, ", ".global .b32 x[;", "#",
        ".visible .entry k() { .reg .b32 %r<99999999999>; }", ".target frob"}) {
    std::string error = getError(text);
    EXPECT_NE(error.find("line 1:"), std::string::npos) << text << error;
  }
}

} // namespace
