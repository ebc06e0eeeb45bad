//===- DriverDevice.cpp - Device and context entry points -------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// cuInit, cuDevice…, cuCtx… and the names of errors.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Driver.h"

#include <algorithm>
#include <cstring>
#include <dlfcn.h>

using namespace ptxsim;

PTXSIM_EXPORT CUresult cuInit(unsigned flags) {
  DriverLock held;
  return flags ? CUDA_ERROR_INVALID_VALUE : held.driver.initialize();
}

PTXSIM_EXPORT CUresult cuDriverGetVersion(int *version) {
  if (!version)
    return CUDA_ERROR_INVALID_VALUE;
  *version = 13000;
  return CUDA_SUCCESS;
}

PTXSIM_EXPORT CUresult cuDeviceGetCount(int *count) {
  DriverLock held;
  if (!count)
    return CUDA_ERROR_INVALID_VALUE;
  *count = 1;
  return held.driver.isInitialized ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED;
}

static CUresult checkDevice(Driver &driver, CUdevice device, const void *out) {
  if (!driver.isInitialized)
    return CUDA_ERROR_NOT_INITIALIZED;
  if (!out)
    return CUDA_ERROR_INVALID_VALUE;
  return device == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

PTXSIM_EXPORT CUresult cuDeviceGet(CUdevice *device, int ordinal) {
  DriverLock held;
  CUresult result = checkDevice(held.driver, ordinal, device);
  if (!result)
    *device = ordinal;
  return result;
}

PTXSIM_EXPORT CUresult cuDeviceGetName(char *name, int size, CUdevice device) {
  DriverLock held;
  CUresult result = checkDevice(held.driver, device, name);
  if (result || size < 1)
    return result ? result : CUDA_ERROR_INVALID_VALUE;
  std::string text = "ptxsim sm_" + std::to_string(held.driver.options.sm);
  std::strncpy(name, text.c_str(), size - 1);
  name[size - 1] = '\0';
  return CUDA_SUCCESS;
}

PTXSIM_EXPORT CUresult cuDeviceGetUuid_v2(char *uuid, CUdevice device) {
  DriverLock held;
  CUresult result = checkDevice(held.driver, device, uuid);
  if (!result)
    std::memcpy(uuid, "ptxsim device 0", 16);
  return result;
}
PTXSIM_EXPORT CUresult cuDeviceGetUuid(char *uuid, CUdevice device) {
  return cuDeviceGetUuid_v2(uuid, device);
}

PTXSIM_EXPORT CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device) {
  DriverLock held;
  CUresult result = checkDevice(held.driver, device, bytes);
  if (!result)
    *bytes = held.driver.options.memory;
  return result;
}

PTXSIM_EXPORT CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  *total = held.driver.options.memory;
  *free = *total - std::min<size_t>(*total, held.driver.memory.getUsed());
  return CUDA_SUCCESS;
}

PTXSIM_EXPORT CUresult cuDeviceComputeCapability(int *major, int *minor,
                                                 CUdevice device) {
  DriverLock held;
  CUresult result = checkDevice(held.driver, device, major);
  if (!result) {
    *major = held.driver.options.sm / 10;
    *minor = held.driver.options.sm % 10;
  }
  return result;
}

PTXSIM_EXPORT CUresult cuDeviceGetAttribute(int *value, int attribute,
                                            CUdevice device) {
  DriverLock held;
  if (CUresult result = checkDevice(held.driver, device, value))
    return result;
  int limit = held.driver.getSharedLimit();
  switch (attribute) {
  case 1: // MAX_THREADS_PER_BLOCK
  case 2: // MAX_BLOCK_DIM_X
  case 3: // MAX_BLOCK_DIM_Y
    *value = 1024;
    break;
  case 4: // MAX_BLOCK_DIM_Z
    *value = 64;
    break;
  case 5: // MAX_GRID_DIM_X
    *value = 0x7fffffff;
    break;
  case 6: // MAX_GRID_DIM_Y
  case 7: // MAX_GRID_DIM_Z
  case 9: // TOTAL_CONSTANT_MEMORY
    *value = attribute == 9 ? 65536 : 65535;
    break;
  case 8: // MAX_SHARED_MEMORY_PER_BLOCK
    *value = 48 << 10;
    break;
  case 10: // WARP_SIZE
    *value = 32;
    break;
  case 12: // MAX_REGISTERS_PER_BLOCK
  case 82: // MAX_REGISTERS_PER_MULTIPROCESSOR
    *value = 65536;
    break;
  case 13: // CLOCK_RATE, kHz
  case 36: // MEMORY_CLOCK_RATE
    *value = 1000000;
    break;
  case 16: // MULTIPROCESSOR_COUNT
    *value = 1;
    break;
  case 37: // GLOBAL_MEMORY_BUS_WIDTH
    *value = 5120;
    break;
  case 38: // L2_CACHE_SIZE
    *value = 40 << 20;
    break;
  case 39: // MAX_THREADS_PER_MULTIPROCESSOR
    *value = held.driver.options.sm == 86 || held.driver.options.sm == 89
                 ? 1536
                 : 2048;
    break;
  case 41:  // UNIFIED_ADDRESSING
  case 31:  // CONCURRENT_KERNELS
  case 40:  // ASYNC_ENGINE_COUNT
  case 115: // MEMORY_POOLS_SUPPORTED
    *value = 1;
    break;
  case 75: // COMPUTE_CAPABILITY_MAJOR
    *value = held.driver.options.sm / 10;
    break;
  case 76: // COMPUTE_CAPABILITY_MINOR
    *value = held.driver.options.sm % 10;
    break;
  case 81: // MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
    *value = limit + 1024;
    break;
  case 97: // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
    *value = limit;
    break;
  case 111: // RESERVED_SHARED_MEMORY_PER_BLOCK
    *value = 1024;
    break;
  case 106: // MAX_BLOCKS_PER_MULTIPROCESSOR
    *value = 32;
    break;
  default:
    *value = 0;
  }
  return CUDA_SUCCESS;
}

//===----------------------------------------------------------------------===//
// Contexts
//===----------------------------------------------------------------------===//

PTXSIM_EXPORT CUresult cuDevicePrimaryCtxRetain(CUcontext *context,
                                                CUdevice device) {
  DriverLock held;
  if (CUresult result =
          checkDevice(held.driver, device, static_cast<void *>(context)))
    return result;
  ++held.driver.primary.references;
  *context = &held.driver.primary;
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice /*device*/) {
  DriverLock held;
  if (held.driver.primary.references < 1)
    return CUDA_ERROR_INVALID_CONTEXT;
  // The last one takes the fault along, as it takes everything else.
  if (--held.driver.primary.references == 0)
    held.driver.fault = CUDA_SUCCESS;
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuDevicePrimaryCtxRelease(CUdevice device) {
  return cuDevicePrimaryCtxRelease_v2(device);
}
PTXSIM_EXPORT CUresult cuDevicePrimaryCtxReset_v2(CUdevice /*device*/) {
  DriverLock held;
  held.driver.fault = CUDA_SUCCESS;
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice, unsigned) {
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuDevicePrimaryCtxGetState(CUdevice /*device*/,
                                                  unsigned *flags,
                                                  int *active) {
  DriverLock held;
  *flags = 0;
  *active = held.driver.primary.references > 0;
  return CUDA_SUCCESS;
}

PTXSIM_EXPORT CUresult cuCtxCreate_v2(CUcontext *context, unsigned,
                                      CUdevice device) {
  DriverLock held;
  if (CUresult result =
          checkDevice(held.driver, device, static_cast<void *>(context)))
    return result;
  *context = new CUctx_st();
  getContexts().push_back(*context);
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuCtxDestroy_v2(CUcontext context) {
  DriverLock held;
  if (!context || context == &held.driver.primary)
    return CUDA_ERROR_INVALID_CONTEXT;
  std::vector<CUcontext> &contexts = getContexts();
  if (!contexts.empty() && contexts.back() == context)
    contexts.pop_back();
  delete context;
  held.driver.fault = CUDA_SUCCESS;
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuCtxPushCurrent_v2(CUcontext context) {
  getContexts().push_back(context);
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuCtxPopCurrent_v2(CUcontext *context) {
  if (getContexts().empty())
    return CUDA_ERROR_INVALID_CONTEXT;
  if (context)
    *context = getContexts().back();
  getContexts().pop_back();
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuCtxSetCurrent(CUcontext context) {
  std::vector<CUcontext> &contexts = getContexts();
  if (!contexts.empty())
    contexts.pop_back();
  if (context)
    contexts.push_back(context);
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuCtxGetCurrent(CUcontext *context) {
  if (!context)
    return CUDA_ERROR_INVALID_VALUE;
  *context = getContexts().empty() ? nullptr : getContexts().back();
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuCtxGetDevice(CUdevice *device) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  *device = 0;
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuCtxSynchronize() {
  DriverLock held;
  held.driver.finish();
  return held.driver.check();
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

struct ErrorText {
  CUresult result;
  const char *name, *text;
};
static constexpr ErrorText errorTexts[] = {
    {CUDA_SUCCESS, "CUDA_SUCCESS", "no error"},
    {CUDA_ERROR_INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {CUDA_ERROR_OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {CUDA_ERROR_NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED",
     "initialization error"},
    {CUDA_ERROR_NO_DEVICE, "CUDA_ERROR_NO_DEVICE",
     "no CUDA-capable device is detected"},
    {CUDA_ERROR_INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE",
     "invalid device ordinal"},
    {CUDA_ERROR_INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE",
     "device kernel image is invalid"},
    {CUDA_ERROR_INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT",
     "invalid device context"},
    {CUDA_ERROR_NO_BINARY_FOR_GPU, "CUDA_ERROR_NO_BINARY_FOR_GPU",
     "no kernel image is available for execution on the device"},
    {CUDA_ERROR_INVALID_PTX, "CUDA_ERROR_INVALID_PTX",
     "a PTX JIT compilation failed"},
    {CUDA_ERROR_INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE",
     "invalid resource handle"},
    {CUDA_ERROR_NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {CUDA_ERROR_NOT_READY, "CUDA_ERROR_NOT_READY", "device not ready"},
    {CUDA_ERROR_ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS",
     "an illegal memory access was encountered"},
    {CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES",
     "too many resources requested for launch"},
    {CUDA_ERROR_LAUNCH_TIMEOUT, "CUDA_ERROR_LAUNCH_TIMEOUT",
     "the launch timed out and was terminated"},
    {CUDA_ERROR_ILLEGAL_INSTRUCTION, "CUDA_ERROR_ILLEGAL_INSTRUCTION",
     "an illegal instruction was encountered"},
    {CUDA_ERROR_MISALIGNED_ADDRESS, "CUDA_ERROR_MISALIGNED_ADDRESS",
     "misaligned address"},
    {CUDA_ERROR_LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED",
     "unspecified launch failure"},
    {CUDA_ERROR_NOT_SUPPORTED, "CUDA_ERROR_NOT_SUPPORTED",
     "operation not supported"},
    {CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
     "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
     "operation not permitted when stream is capturing"},
    {CUDA_ERROR_STREAM_CAPTURE_INVALIDATED,
     "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
     "operation failed due to a previous error during capture"},
    {CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED",
     "capture was not begun in this stream"},
};

static const ErrorText *findError(CUresult result) {
  for (const ErrorText &error : errorTexts)
    if (error.result == result)
      return &error;
  return nullptr;
}
PTXSIM_EXPORT CUresult cuGetErrorName(CUresult result, const char **text) {
  const ErrorText *error = findError(result);
  *text = error ? error->name : nullptr;
  return error ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
PTXSIM_EXPORT CUresult cuGetErrorString(CUresult result, const char **text) {
  const ErrorText *error = findError(result);
  *text = error ? error->text : nullptr;
  return error ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

/// What was last written to stderr or PTXSIM_LOG; for tests. Valid until the
/// next report.
PTXSIM_EXPORT const char *ptxsimLastReport() {
  DriverLock held;
  return held.driver.lastReport.c_str();
}

PTXSIM_EXPORT CUresult cuGetProcAddress_v2(const char *name, void **address,
                                           int, uint64_t, int *status) {
  if (!name || !address)
    return CUDA_ERROR_INVALID_VALUE;
  Dl_info self;
  *address = nullptr;
  if (dladdr(reinterpret_cast<void *>(cuInit), &self))
    if (void *library = dlopen(self.dli_fname, RTLD_LAZY | RTLD_NOLOAD)) {
      // The newest of its versions.
      *address = dlsym(library, (std::string(name) + "_v2").c_str());
      if (!*address)
        *address = dlsym(library, name);
      dlclose(library);
    }
  if (status)
    *status = *address ? 0 : 1;
  return *address ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}
PTXSIM_EXPORT CUresult cuGetProcAddress(const char *name, void **address,
                                        int version, uint64_t flags) {
  return cuGetProcAddress_v2(name, address, version, flags, nullptr);
}
