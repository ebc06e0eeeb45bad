//===- DriverModule.cpp - Module and launch entry points --------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// cuModule…, cuFunc…, cuLaunch… and cuOccupancy….
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Driver.h"

#include <algorithm>
#include <cstring>

using namespace ptxsim;

/// Options of cuModuleLoadDataEx that say where logs go.
enum JitOption {
  JitInfoLog = 3,
  JitInfoLogSize = 4,
  JitErrorLog = 5,
  JitErrorLogSize = 6,
};

PTXSIM_EXPORT CUresult cuModuleLoadDataEx(CUmodule *module, const void *image,
                                          unsigned count, const int *options,
                                          void **values) {
  DriverLock held;
  Driver &driver = held.driver;
  if (CUresult result = driver.check())
    return result;
  if (!module || !image)
    return CUDA_ERROR_INVALID_VALUE;
  char *log = nullptr;
  size_t logSize = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == JitErrorLog)
      log = static_cast<char *>(values[i]);
    if (options[i] == JitErrorLogSize)
      logSize = reinterpret_cast<uintptr_t>(values[i]);
  }
  auto fail = [&](const std::string &text, CUresult result) {
    if (log && logSize) {
      size_t size = std::min(text.size(), logSize - 1);
      std::memcpy(log, text.data(), size);
      log[size] = '\0';
    } else {
      driver.report(text);
    }
    return result;
  };
  // ELF and fat binaries begin so.
  if (!std::memcmp(image,
                   "\x7f"
                   "ELF",
                   4) ||
      !std::memcmp(image, "\x50\xed\x55\xba", 4))
    return fail("the image is machine code; ptxsim runs PTX text",
                CUDA_ERROR_NO_BINARY_FOR_GPU);
  std::string error;
  auto loaded = LoadedModule::load(static_cast<const char *>(image),
                                   driver.memory, error);
  if (!loaded)
    return fail(error, CUDA_ERROR_INVALID_PTX);
  if (loaded->getModule().sm > driver.options.sm)
    return fail("the module is for sm_" +
                    std::to_string(loaded->getModule().sm) +
                    ", the device (PTXSIM_SM) is sm_" +
                    std::to_string(driver.options.sm),
                CUDA_ERROR_INVALID_PTX);
  auto *created = new CUmod_st();
  created->loaded = std::move(loaded);
  for (const auto &kernel : created->loaded->getKernels()) {
    auto function = std::make_unique<CUfunc_st>();
    function->module = created;
    function->program = kernel.get();
    created->functions.push_back(std::move(function));
  }
  driver.modules.insert(created);
  *module = created;
  return CUDA_SUCCESS;
}

PTXSIM_EXPORT CUresult cuModuleLoadData(CUmodule *module, const void *image) {
  return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}

PTXSIM_EXPORT CUresult cuModuleUnload(CUmodule module) {
  DriverLock held;
  held.driver.finish();
  if (!held.driver.modules.erase(module))
    return CUDA_ERROR_INVALID_HANDLE;
  held.driver.writeCounters(*module);
  delete module;
  return CUDA_SUCCESS;
}

PTXSIM_EXPORT CUresult cuModuleGetFunction(CUfunction *function,
                                           CUmodule module, const char *name) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  if (!held.driver.modules.count(module))
    return CUDA_ERROR_INVALID_HANDLE;
  for (const auto &known : module->functions)
    if (known->program->name == name) {
      *function = known.get();
      return CUDA_SUCCESS;
    }
  return CUDA_ERROR_NOT_FOUND;
}

PTXSIM_EXPORT CUresult cuModuleGetGlobal_v2(CUdeviceptr *address, size_t *bytes,
                                            CUmodule module, const char *name) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  if (!held.driver.modules.count(module))
    return CUDA_ERROR_INVALID_HANDLE;
  uint64_t place, size;
  if (!module->loaded->findVariable(name, place, size))
    return CUDA_ERROR_NOT_FOUND;
  if (address)
    *address = place;
  if (bytes)
    *bytes = size;
  return CUDA_SUCCESS;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

PTXSIM_EXPORT CUresult cuFuncGetAttribute(int *value, int attribute,
                                          CUfunction function) {
  DriverLock held;
  const Program &program = *function->program;
  switch (attribute) {
  case 0: // MAX_THREADS_PER_BLOCK
    *value = program.maximumThreads ? program.maximumThreads : 1024;
    break;
  case 1: // SHARED_SIZE_BYTES
    *value = program.sharedBytes;
    break;
  case 3: // LOCAL_SIZE_BYTES
    *value = program.localBytes;
    break;
  case 4: // NUM_REGS: unknown before assembly.
    *value = 255;
    break;
  case 5: // PTX_VERSION
  case 6: // BINARY_VERSION
    *value = held.driver.options.sm;
    break;
  case 8: // MAX_DYNAMIC_SHARED_SIZE_BYTES
    *value = function->maxDynamicShared;
    break;
  default:
    *value = 0;
  }
  return CUDA_SUCCESS;
}

PTXSIM_EXPORT CUresult cuFuncSetAttribute(CUfunction function, int attribute,
                                          int value) {
  DriverLock held;
  if (attribute != 8)
    return CUDA_SUCCESS;
  if (value < 0 ||
      value + function->program->dynamicOffset > held.driver.getSharedLimit())
    return CUDA_ERROR_INVALID_VALUE;
  function->maxDynamicShared = value;
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuFuncSetCacheConfig(CUfunction, int) {
  return CUDA_SUCCESS;
}

/// By threads and shared memory; what registers allow only ptxas knows.
PTXSIM_EXPORT CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int *blocks, CUfunction function, int threads, size_t dynamic, unsigned) {
  DriverLock held;
  if (threads < 1 || threads > 1024)
    return CUDA_ERROR_INVALID_VALUE;
  uint64_t shared = function->program->dynamicOffset + dynamic + 1024;
  uint64_t available = held.driver.getSharedLimit() + 1024;
  int byThreads = 2048 / ((threads + 31) / 32 * 32);
  *blocks = std::min<uint64_t>({uint64_t(byThreads), available / shared, 32});
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(
    int *blocks, CUfunction function, int threads, size_t dynamic) {
  return cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
      blocks, function, threads, dynamic, 0);
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

static CUresult checkSizes(Driver &driver, const CUfunc_st &function,
                           const LaunchConfig &config) {
  const Program &program = *function.program;
  uint64_t threads =
      uint64_t(config.block[0]) * config.block[1] * config.block[2];
  if (!threads || threads > 1024 || config.block[2] > 64 || !config.grid[0] ||
      !config.grid[1] || !config.grid[2] || config.grid[0] > 0x7fffffff ||
      config.grid[1] > 65535 || config.grid[2] > 65535)
    return CUDA_ERROR_INVALID_VALUE;
  for (int i = 0; i < 3; ++i)
    if (program.requiredThreads[0] &&
        config.block[i] != uint32_t(program.requiredThreads[i]))
      return CUDA_ERROR_INVALID_VALUE;
  if (program.maximumThreads && threads > uint64_t(program.maximumThreads))
    return CUDA_ERROR_INVALID_VALUE;
  if (config.dynamicShared > function.maxDynamicShared ||
      program.dynamicOffset + config.dynamicShared > driver.getSharedLimit() ||
      (function.maxDynamicShared == 48 << 10 &&
       program.dynamicOffset + config.dynamicShared > 48 << 10))
    return CUDA_ERROR_INVALID_VALUE;
  return CUDA_SUCCESS;
}

static CUresult takeParameters(const Program &program, void **parameters,
                               void **extra, std::vector<uint8_t> &bytes) {
  bytes.assign(program.parameterBytes, 0);
  if (parameters) {
    for (size_t i = 0; i < program.parameters.size(); ++i)
      std::memcpy(bytes.data() + program.parameters[i].offset, parameters[i],
                  program.parameters[i].size);
    return CUDA_SUCCESS;
  }
  if (!extra)
    return program.parameters.empty() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  const void *buffer = nullptr;
  size_t size = 0;
  // Pairs of a kind and a pointer, ended by a 0.
  for (; *extra; extra += 2)
    if (reinterpret_cast<uintptr_t>(extra[0]) == 1)
      buffer = extra[1];
    else if (reinterpret_cast<uintptr_t>(extra[0]) == 2)
      size = *static_cast<size_t *>(extra[1]);
  if (!buffer || size < bytes.size())
    return CUDA_ERROR_INVALID_VALUE;
  std::memcpy(bytes.data(), buffer, bytes.size());
  return CUDA_SUCCESS;
}

CUresult ptxsim::makeLaunch(Driver &driver,
                            const CUDA_KERNEL_NODE_PARAMS_v1 &launch,
                            GraphNode &work) {
  CUfunction function = launch.func;
  if (!function)
    return CUDA_ERROR_INVALID_HANDLE;
  LaunchConfig config = driver.options.launch;
  const uint32_t grid[3] = {launch.gridDimX, launch.gridDimY, launch.gridDimZ};
  const uint32_t block[3] = {launch.blockDimX, launch.blockDimY,
                             launch.blockDimZ};
  std::copy_n(grid, 3, config.grid);
  std::copy_n(block, 3, config.block);
  config.dynamicShared = launch.sharedMemBytes;
  if (CUresult result = checkSizes(driver, *function, config))
    return result;
  if (CUresult result = takeParameters(*function->program, launch.kernelParams,
                                       launch.extra, config.parameters))
    return result;
  work = [&driver, function, config] {
    return driver.launchKernel(function, config);
  };
  return CUDA_SUCCESS;
}

PTXSIM_EXPORT CUresult cuLaunchKernel(CUfunction function, unsigned gridX,
                                      unsigned gridY, unsigned gridZ,
                                      unsigned blockX, unsigned blockY,
                                      unsigned blockZ, unsigned shared,
                                      CUstream stream, void **parameters,
                                      void **extra) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  GraphNode work;
  if (CUresult result = makeLaunch(held.driver,
                                   {function, gridX, gridY, gridZ, blockX,
                                    blockY, blockZ, shared, parameters, extra},
                                   work))
    return result;
  return held.driver.submit(stream, std::move(work));
}

PTXSIM_EXPORT CUresult cuLaunchKernelEx(const CUlaunchConfig *config,
                                        CUfunction function, void **parameters,
                                        void **extra) {
  return cuLaunchKernel(function, config->gridDimX, config->gridDimY,
                        config->gridDimZ, config->blockDimX, config->blockDimY,
                        config->blockDimZ, config->sharedMemBytes,
                        config->hStream, parameters, extra);
}
