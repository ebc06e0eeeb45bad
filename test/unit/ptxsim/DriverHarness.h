//===- DriverHarness.h - libptxsim.so as a program sees it ------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
///
/// \file
/// The driver loaded by its file name, its functions found by theirs.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_PTXSIM_DRIVERHARNESS_H
#define TXC_TEST_UNIT_PTXSIM_DRIVERHARNESS_H

#include "gtest/gtest.h"
#include <array>
#include <cstdlib>
#include <dlfcn.h>
#include <fstream>
#include <sstream>
#include <unistd.h>
#include <vector>

namespace ptxsim::test {

inline std::string readFile(const std::string &path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Empty if there is none.
inline std::string findNvcc() {
  if (std::system("command -v nvcc > /dev/null 2>&1") == 0)
    return "nvcc";
  const char *usual = "/usr/local/cuda/bin/nvcc";
  return access(usual, X_OK) == 0 ? usual : "";
}

using DevicePointer = unsigned long long;

class SimulatedDriver {
public:
  SimulatedDriver() {
    // What a test plants is not for the terminal.
    setenv("PTXSIM_LOG", "/dev/null", 1);
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
    // Blocks may speak to each other through memory that is not atomic here.
    setenv("PTXSIM_THREADS", "1", 1);
#endif
#endif
    library = dlopen(PTXSIM_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    EXPECT_TRUE(library) << dlerror();
    EXPECT_EQ(call("cuInit", 0u), 0);
    EXPECT_EQ(call("cuDevicePrimaryCtxRetain", &context, 0), 0);
    EXPECT_EQ(call("cuCtxSetCurrent", context), 0);
  }
  ~SimulatedDriver() {
    for (DevicePointer pointer : pointers)
      call("cuMemFree_v2", pointer);
    if (module)
      call("cuModuleUnload", module);
    call("cuCtxSetCurrent", static_cast<void *>(nullptr));
    call("cuDevicePrimaryCtxRelease_v2", 0);
  }

  /// A CUresult; -1 if there is no such function.
  template <typename... Args> int call(const char *name, Args... args) {
    auto *function = reinterpret_cast<int (*)(Args...)>(dlsym(library, name));
    EXPECT_TRUE(function) << name;
    return function ? function(args...) : -1;
  }
  std::string report() {
    auto *function =
        reinterpret_cast<const char *(*)()>(dlsym(library, "ptxsimLastReport"));
    return function();
  }

  int loadModule(const std::string &text) {
    std::array<char, 4096> buffer = {};
    int options[2] = {5, 6};
    void *values[2] = {buffer.data(), reinterpret_cast<void *>(buffer.size())};
    int result = call(
        "cuModuleLoadDataEx", &module, static_cast<const void *>(text.c_str()),
        2u, static_cast<int *>(options), static_cast<void **>(values));
    log = buffer.data();
    return result;
  }
  DevicePointer allocate(size_t bytes) {
    DevicePointer pointer = 0;
    EXPECT_EQ(call("cuMemAlloc_v2", &pointer, bytes), 0);
    pointers.push_back(pointer);
    return pointer;
  }
  template <typename T> DevicePointer upload(const std::vector<T> &values) {
    DevicePointer pointer = allocate(values.size() * sizeof(T));
    EXPECT_EQ(call("cuMemcpyHtoD_v2", pointer,
                   static_cast<const void *>(values.data()),
                   values.size() * sizeof(T)),
              0);
    return pointer;
  }
  template <typename T>
  std::vector<T> download(DevicePointer pointer, size_t count) {
    std::vector<T> values(count);
    EXPECT_EQ(call("cuMemcpyDtoH_v2", static_cast<void *>(values.data()),
                   pointer, count * sizeof(T)),
              0);
    return values;
  }
  void *findFunction(const char *name) {
    void *function = nullptr;
    EXPECT_EQ(call("cuModuleGetFunction", &function, module, name), 0) << name;
    return function;
  }
  template <typename... Args>
  int launchOn(void *stream, const char *name, std::array<unsigned, 3> grid,
               std::array<unsigned, 3> block, unsigned shared, Args... args) {
    void *parameters[] = {&args..., nullptr};
    return call("cuLaunchKernel", findFunction(name), grid[0],
                std::max(grid[1], 1u), std::max(grid[2], 1u), block[0],
                std::max(block[1], 1u), std::max(block[2], 1u), shared, stream,
                static_cast<void **>(parameters),
                static_cast<void **>(nullptr));
  }
  /// Launches and waits.
  template <typename... Args>
  int launch(const char *name, std::array<unsigned, 3> grid,
             std::array<unsigned, 3> block, unsigned shared, Args... args) {
    int result = launchOn(nullptr, name, grid, block, shared, args...);
    if (!result)
      result = call("cuCtxSynchronize");
    EXPECT_EQ(result, 0) << report();
    return result;
  }

  void *library = nullptr, *context = nullptr, *module = nullptr;
  std::string log;
  std::vector<DevicePointer> pointers;
};

} // namespace ptxsim::test

#endif // TXC_TEST_UNIT_PTXSIM_DRIVERHARNESS_H
