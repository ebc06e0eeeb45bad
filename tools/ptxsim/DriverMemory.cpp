//===- DriverMemory.cpp - Memory entry points -------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// cuMem…, cuMemcpy… and cuMemset…. Device memory is memory of this process, so
/// that copies are memcpy; each is checked to be inside of an allocation.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Driver.h"

#include <algorithm>
#include <cstring>

using namespace ptxsim;

static bool isDeviceRange(Driver &driver, CUdeviceptr address, size_t bytes) {
  return !bytes || driver.memory.find(address).contains(address, bytes);
}

template <typename T> static T *toPointer(CUdeviceptr address) {
  return reinterpret_cast<T *>(address);
}

PTXSIM_EXPORT CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  if (!address || !bytes)
    return CUDA_ERROR_INVALID_VALUE;
  *address = 0;
  if (held.driver.memory.getUsed() + bytes <= held.driver.options.memory)
    *address = held.driver.memory.allocate(bytes);
  return *address ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}
PTXSIM_EXPORT CUresult cuMemFree_v2(CUdeviceptr address) {
  DriverLock held;
  held.driver.finish();
  // Freeing works after a fault too; it only says so.
  if (address && !held.driver.memory.free(address))
    return CUDA_ERROR_INVALID_VALUE;
  return held.driver.check();
}
PTXSIM_EXPORT CUresult cuMemAllocAsync(CUdeviceptr *address, size_t bytes,
                                       CUstream) {
  return cuMemAlloc_v2(address, bytes);
}
PTXSIM_EXPORT CUresult cuMemFreeAsync(CUdeviceptr address, CUstream) {
  return cuMemFree_v2(address);
}

PTXSIM_EXPORT CUresult cuMemHostAlloc(void **pointer, size_t bytes, unsigned) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  uint64_t address = held.driver.memory.allocate(bytes);
  *pointer = reinterpret_cast<void *>(address);
  return address ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}
PTXSIM_EXPORT CUresult cuMemAllocHost_v2(void **pointer, size_t bytes) {
  return cuMemHostAlloc(pointer, bytes, 0);
}
PTXSIM_EXPORT CUresult cuMemFreeHost(void *pointer) {
  DriverLock held;
  return held.driver.memory.free(reinterpret_cast<uint64_t>(pointer))
             ? CUDA_SUCCESS
             : CUDA_ERROR_INVALID_VALUE;
}
PTXSIM_EXPORT CUresult cuMemHostRegister_v2(void *pointer, size_t bytes,
                                            unsigned) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  held.driver.memory.add(reinterpret_cast<uint64_t>(pointer), bytes);
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuMemHostUnregister(void *pointer) {
  DriverLock held;
  held.driver.memory.remove(reinterpret_cast<uint64_t>(pointer));
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr *address,
                                                    void *pointer, unsigned) {
  *address = reinterpret_cast<CUdeviceptr>(pointer);
  return CUDA_SUCCESS;
}

/// What cuPointerGetAttribute knows: 2 memory type, 3 device pointer.
PTXSIM_EXPORT CUresult cuPointerGetAttribute(void *value, int attribute,
                                             CUdeviceptr address) {
  DriverLock held;
  if (!held.driver.memory.find(address).size)
    return CUDA_ERROR_INVALID_VALUE;
  if (attribute == 2) {
    unsigned device = 2;
    std::memcpy(value, &device, sizeof(device));
    return CUDA_SUCCESS;
  }
  if (attribute != 3)
    return CUDA_ERROR_NOT_SUPPORTED;
  std::memcpy(value, &address, sizeof(address));
  return CUDA_SUCCESS;
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// Checked when asked for, done when the stream comes to it.
static CUresult copy(CUstream stream, CUdeviceptr to, bool isToDevice,
                     CUdeviceptr from, bool isFromDevice, size_t bytes) {
  DriverLock held;
  Driver &driver = held.driver;
  if (CUresult result = driver.check())
    return result;
  if ((isToDevice && !isDeviceRange(driver, to, bytes)) ||
      (isFromDevice && !isDeviceRange(driver, from, bytes)) || !to || !from)
    return bytes ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
  CUresult result = driver.submit(stream, [=] {
    std::memmove(toPointer<char>(to), toPointer<char>(from), bytes);
    return CUDA_SUCCESS;
  });
  // The caller may do as it likes with pageable memory afterwards.
  if (!isToDevice || !isFromDevice)
    driver.finish();
  return result;
}

static CUdeviceptr toAddress(const void *pointer) {
  return reinterpret_cast<CUdeviceptr>(pointer);
}

PTXSIM_EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from,
                                       size_t bytes) {
  return copy(nullptr, to, true, toAddress(from), false, bytes);
}
PTXSIM_EXPORT CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from,
                                       size_t bytes) {
  return copy(nullptr, toAddress(to), false, from, true, bytes);
}
PTXSIM_EXPORT CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from,
                                       size_t bytes) {
  return copy(nullptr, to, true, from, true, bytes);
}
PTXSIM_EXPORT CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from,
                                size_t bytes) {
  return copy(nullptr, to, false, from, false, bytes);
}
PTXSIM_EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from,
                                            size_t bytes, CUstream stream) {
  return copy(stream, to, true, toAddress(from), false, bytes);
}
PTXSIM_EXPORT CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from,
                                            size_t bytes, CUstream stream) {
  return copy(stream, toAddress(to), false, from, true, bytes);
}
PTXSIM_EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from,
                                            size_t bytes, CUstream stream) {
  return copy(stream, to, true, from, true, bytes);
}
PTXSIM_EXPORT CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from,
                                     size_t bytes, CUstream stream) {
  return copy(stream, to, false, from, false, bytes);
}

template <typename T>
static CUresult fill(CUstream stream, CUdeviceptr to, T value, size_t count) {
  DriverLock held;
  Driver &driver = held.driver;
  if (CUresult result = driver.check())
    return result;
  if (to % sizeof(T) || !isDeviceRange(driver, to, count * sizeof(T)))
    return CUDA_ERROR_INVALID_VALUE;
  return driver.submit(stream, [=] {
    std::fill_n(toPointer<T>(to), count, value);
    return CUDA_SUCCESS;
  });
}

PTXSIM_EXPORT CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value,
                                     size_t count) {
  return fill(nullptr, to, value, count);
}
PTXSIM_EXPORT CUresult cuMemsetD16_v2(CUdeviceptr to, unsigned short value,
                                      size_t count) {
  return fill(nullptr, to, value, count);
}
PTXSIM_EXPORT CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value,
                                      size_t count) {
  return fill(nullptr, to, value, count);
}
PTXSIM_EXPORT CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value,
                                       size_t count, CUstream stream) {
  return fill(stream, to, value, count);
}
PTXSIM_EXPORT CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value,
                                        size_t count, CUstream stream) {
  return fill(stream, to, value, count);
}
PTXSIM_EXPORT CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value,
                                        size_t count, CUstream stream) {
  return fill(stream, to, value, count);
}
