//===- DriverTest.cpp - the driver's entry points --------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DriverHarness.h"

using namespace ptxsim::test;

namespace {

constexpr const char *text =
    ".version 8.0\n.target sm_80\n.address_size 64\n"
    ".visible .global .align 4 .u32 counter = 5;\n"
    ".visible .entry add(.param .u64 to, .param .u32 value) {\n"
    ".reg .b64 %l<3>; .reg .b32 %r<4>;\n"
    "ld.param.u64 %l0, [to]; ld.param.u32 %r0, [value];\n"
    "mov.u32 %r1, %tid.x; mad.wide.u32 %l1, %r1, 4, %l0;\n"
    "ld.global.u32 %r2, [%l1]; add.u32 %r2, %r2, %r0;\n"
    "st.global.u32 [%l1], %r2; ret; }\n"
    ".visible .entry far(.param .u64 to) {\n"
    ".reg .b64 %l<3>; ld.param.u64 %l0, [to];\n"
    "st.global.u32 [%l0+4096], 1; ret; }\n"
    ".extern .shared .align 16 .b8 dynamic[];\n"
    ".visible .entry large() {\n.reg .b32 %r<2>;\n"
    "mov.u32 %r0, dynamic; st.shared.u32 [%r0+81920], 1; ret; }\n"
    ".visible .entry fixed() .reqntid 64, 1, 1 { ret; }\n";

TEST(Driver, DescribesItsDevice) {
  SimulatedDriver driver;
  int count = 0, major = 0, warp = 0, version = 0;
  EXPECT_EQ(driver.call("cuDeviceGetCount", &count), 0);
  EXPECT_EQ(count, 1);
  EXPECT_EQ(driver.call("cuDeviceGetAttribute", &major, 75, 0), 0);
  EXPECT_EQ(major, 8);
  EXPECT_EQ(driver.call("cuDeviceGetAttribute", &warp, 10, 0), 0);
  EXPECT_EQ(warp, 32);
  EXPECT_EQ(driver.call("cuDeviceGetAttribute", &warp, 10, 1), 101);
  EXPECT_EQ(driver.call("cuDriverGetVersion", &version), 0);
  EXPECT_GE(version, 12000);
  const char *name = nullptr;
  EXPECT_EQ(driver.call("cuGetErrorName", 700, &name), 0);
  EXPECT_STREQ(name, "CUDA_ERROR_ILLEGAL_ADDRESS");
  void *address = nullptr;
  EXPECT_EQ(driver.call("cuGetProcAddress_v2", "cuMemAlloc", &address, 12000,
                        uint64_t(0), static_cast<int *>(nullptr)),
            0);
  EXPECT_EQ(address, dlsym(driver.library, "cuMemAlloc_v2"));
}

TEST(Driver, ModulesAndTheirVariables) {
  SimulatedDriver driver;
  ASSERT_EQ(driver.loadModule(text), 0) << driver.log;
  DevicePointer counter = 0;
  size_t bytes = 0;
  EXPECT_EQ(driver.call("cuModuleGetGlobal_v2", &counter, &bytes, driver.module,
                        "counter"),
            0);
  EXPECT_EQ(bytes, 4u);
  EXPECT_EQ(driver.download<int>(counter, 1)[0], 5);
  ASSERT_EQ(driver.launch("add", {1}, {1}, 0, counter, 3), 0);
  EXPECT_EQ(driver.download<int>(counter, 1)[0], 8);
  void *function = nullptr;
  EXPECT_EQ(
      driver.call("cuModuleGetFunction", &function, driver.module, "missing"),
      500);
}

TEST(Driver, RefusesWhatIsNotForIt) {
  SimulatedDriver driver;
  EXPECT_EQ(driver.loadModule(".version 8.0\n.target sm_80\n.visible .entry "
                              "k() {\nfrobnicate;\n}\n"),
            218);
  EXPECT_NE(driver.log.find("line 4: frobnicate: unknown instruction"),
            std::string::npos)
      << driver.log;
  EXPECT_EQ(driver.loadModule(".version 8.0\n.target sm_90\n"), 218);
  EXPECT_NE(driver.log.find("sm_90"), std::string::npos);
  EXPECT_EQ(driver.loadModule("\x7f"
                              "ELF…"),
            209);
}

TEST(Driver, CopiesAndFills) {
  SimulatedDriver driver;
  DevicePointer to = driver.allocate(64);
  EXPECT_EQ(driver.call("cuMemsetD32_v2", to, 7u, size_t(16)), 0);
  EXPECT_EQ(driver.call("cuMemsetD8_v2", to + 4, static_cast<unsigned char>(1),
                        size_t(4)),
            0);
  std::vector<unsigned> words = driver.download<unsigned>(to, 16);
  EXPECT_EQ(words[0], 7u);
  EXPECT_EQ(words[1], 0x01010101u);
  EXPECT_EQ(words[15], 7u);
  // Beyond the end, and of no device memory.
  EXPECT_EQ(driver.call("cuMemsetD32_v2", to, 7u, size_t(17)), 1);
  EXPECT_EQ(driver.call("cuMemcpyHtoD_v2", to,
                        static_cast<const void *>(words.data()), size_t(65)),
            1);
  DevicePointer host = reinterpret_cast<DevicePointer>(words.data());
  EXPECT_EQ(driver.call("cuMemcpyDtoD_v2", to, host, size_t(4)), 1);
  EXPECT_EQ(driver.call("cuMemFree_v2", to + 4), 1);
}

TEST(Driver, FaultsStay) {
  {
    SimulatedDriver driver;
    ASSERT_EQ(driver.loadModule(text), 0);
    DevicePointer to = driver.allocate(64);
    EXPECT_EQ(driver.launchOn(nullptr, "far", {1}, {1}, 0, to), 0);
    EXPECT_EQ(driver.call("cuCtxSynchronize"), 700);
    EXPECT_EQ(driver.call("cuMemsetD32_v2", to, 7u, size_t(1)), 700);
    EXPECT_NE(driver.report().find("kernel far, PTX line 13"),
              std::string::npos)
        << driver.report();
  }
  SimulatedDriver driver;
  EXPECT_EQ(driver.call("cuCtxSynchronize"), 0);
}

/// The driver reads its settings once: in a process of its own.
TEST(DriverDeathTest, WritesCounters) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  std::string path =
      testing::TempDir() + "ptxsim-counters-" + std::to_string(getpid());
  auto run = [&] {
    setenv("PTXSIM_COUNTERS", path.c_str(), 1);
    setenv("PTXSIM_SM", "86", 1);
    {
      SimulatedDriver driver;
      int minor = 0;
      driver.call("cuDeviceGetAttribute", &minor, 76, 0);
      if (minor != 6 || driver.loadModule(text))
        std::exit(1);
      DevicePointer to = driver.allocate(256);
      driver.launch("add", {2}, {32}, 0, to, 1);
    }
    std::string counters = readFile(path);
    bool isThere =
        counters.find("kernel add launches 1\n") != counters.npos &&
        counters.find("9 ld.global.u32 issued 2 requests 2 transfers 8 minimum "
                      "8\n") != counters.npos;
    std::remove(path.c_str());
    std::exit(isThere ? 0 : 2);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), "");
}

TEST(Driver, ChecksLaunches) {
  SimulatedDriver driver;
  ASSERT_EQ(driver.loadModule(text), 0);
  EXPECT_EQ(driver.launchOn(nullptr, "fixed", {1}, {32}, 0), 1);
  EXPECT_EQ(driver.launchOn(nullptr, "fixed", {1}, {64}, 0), 0);
  EXPECT_EQ(driver.launchOn(nullptr, "fixed", {1, 70000}, {64}, 0), 1);
  EXPECT_EQ(driver.launchOn(nullptr, "large", {1}, {2048}, 0), 1);
  // Much shared memory must be asked for first.
  EXPECT_EQ(driver.launchOn(nullptr, "large", {1}, {1}, 90000), 1);
  void *function = driver.findFunction("large");
  EXPECT_EQ(driver.call("cuFuncSetAttribute", function, 8, 200000), 1);
  EXPECT_EQ(driver.call("cuFuncSetAttribute", function, 8, 90000), 0);
  EXPECT_EQ(driver.launch("large", {1}, {1}, 90000), 0);
  int blocks = 0;
  EXPECT_EQ(driver.call("cuOccupancyMaxActiveBlocksPerMultiprocessor", &blocks,
                        function, 128, size_t(81920)),
            0);
  EXPECT_EQ(blocks, 2);
}

TEST(Driver, StreamsEventsAndGraphs) {
  SimulatedDriver driver;
  ASSERT_EQ(driver.loadModule(text), 0);
  DevicePointer to = driver.upload(std::vector<int>(32));
  void *stream = nullptr, *other = nullptr, *graph = nullptr, *run = nullptr;
  void *fork = nullptr, *join = nullptr;
  ASSERT_EQ(driver.call("cuStreamCreate", &stream, 1u), 0);
  ASSERT_EQ(driver.call("cuStreamCreate", &other, 1u), 0);
  ASSERT_EQ(driver.call("cuEventCreate", &fork, 0u), 0);
  ASSERT_EQ(driver.call("cuEventCreate", &join, 0u), 0);
  ASSERT_EQ(driver.call("cuStreamBeginCapture_v2", stream, 1), 0);
  EXPECT_EQ(driver.launchOn(stream, "add", {1}, {32}, 0, to, 1), 0);
  EXPECT_EQ(driver.call("cuEventRecord", fork, stream), 0);
  EXPECT_EQ(driver.call("cuStreamWaitEvent", other, fork, 0u), 0);
  EXPECT_EQ(driver.launchOn(other, "add", {1}, {32}, 0, to, 10), 0);
  EXPECT_EQ(driver.call("cuEventRecord", join, other), 0);
  EXPECT_EQ(driver.call("cuStreamWaitEvent", stream, join, 0u), 0);
  EXPECT_EQ(driver.call("cuStreamSynchronize", stream), 900);
  std::vector<int> out(32);
  EXPECT_EQ(driver.call("cuMemcpyDtoHAsync_v2", static_cast<void *>(out.data()),
                        to, size_t(128), stream),
            0);
  EXPECT_EQ(driver.call("cuStreamEndCapture", other, &graph), 903);
  ASSERT_EQ(driver.call("cuStreamEndCapture", stream, &graph), 0);
  // Nothing has been done so far.
  EXPECT_EQ(driver.download<int>(to, 1)[0], 0);
  size_t nodes = 0;
  EXPECT_EQ(driver.call("cuGraphGetNodes", graph, static_cast<void **>(nullptr),
                        &nodes),
            0);
  EXPECT_EQ(nodes, 3u);
  ASSERT_EQ(driver.call("cuGraphInstantiateWithFlags", &run, graph, 0ull), 0);
  EXPECT_EQ(driver.call("cuGraphDestroy", graph), 0);
  EXPECT_EQ(driver.call("cuEventRecord", fork, stream), 0);
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(driver.call("cuGraphLaunch", run, stream), 0);
  EXPECT_EQ(driver.call("cuEventRecord", join, stream), 0);
  EXPECT_EQ(driver.call("cuStreamSynchronize", stream), 0);
  EXPECT_EQ(out, std::vector<int>(32, 22));
  float milliseconds = -1;
  EXPECT_EQ(driver.call("cuEventElapsedTime", &milliseconds, fork, join), 0);
  EXPECT_GE(milliseconds, 0);
  for (void *event : {fork, join})
    EXPECT_EQ(driver.call("cuEventDestroy_v2", event), 0);
  EXPECT_EQ(driver.call("cuGraphExecDestroy", run), 0);
  EXPECT_EQ(driver.call("cuStreamDestroy_v2", stream), 0);
  EXPECT_EQ(driver.call("cuStreamDestroy_v2", other), 0);
  EXPECT_EQ(driver.call("cuStreamDestroy_v2", other), 400);
}

} // namespace
