//===- cuda.c - A model on one of NVIDIA's GPUs ---------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See cuda.h.
///
//===----------------------------------------------------------------------===//

#include "runtime/cuda.h"

#include <stdlib.h>

//===----------------------------------------------------------------------===//
// The driver
//===----------------------------------------------------------------------===//

/// Places in txc_cuda_driver, which has pointers to functions only.
static const char *const names[] = {
    "cuInit",
    "cuGetErrorString",
    "cuDeviceGetCount",
    "cuDeviceGet",
    "cuDeviceGetAttribute",
    "cuDevicePrimaryCtxRetain",
    "cuDevicePrimaryCtxRelease_v2",
    "cuCtxPushCurrent_v2",
    "cuCtxPopCurrent_v2",
    "cuModuleLoadDataEx",
    "cuModuleUnload",
    "cuModuleGetFunction",
    "cuMemAlloc_v2",
    "cuMemFree_v2",
    "cuMemcpyHtoDAsync_v2",
    "cuMemcpyDtoHAsync_v2",
    "cuMemcpyDtoDAsync_v2",
    "cuMemsetD8Async",
    "cuStreamCreate",
    "cuStreamDestroy_v2",
    "cuStreamSynchronize",
    "cuLaunchKernel",
    "cuGraphCreate",
    "cuGraphDestroy",
    "cuGraphAddKernelNode",
    "cuGraphInstantiateWithFlags",
    "cuGraphExecDestroy",
    "cuGraphExecKernelNodeSetParams",
    "cuGraphLaunch",
};
_Static_assert(sizeof names == sizeof(txc_cuda_driver),
               "one name for each function");

txc_status txc_cuda_find_driver(txc_cuda_driver *driver, txc_message *message) {
  const char *file = getenv("TXC_CUDA_DRIVER");
  if (!file || !*file)
    file = "libcuda.so.1";
  // Never unloaded: drivers leave threads behind.
  void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return txc_fail(message, TXC_NO_DEVICE, "no driver for NVIDIA's GPUs: %s",
                    dlerror());
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    void *function = dlsym(library, names[i]);
    if (!function)
      return txc_fail(message, TXC_NO_DEVICE,
                      "the driver %s is too old: it has no %s", file, names[i]);
    memcpy((char *)driver + i * sizeof function, &function, sizeof function);
  }
  return TXC_OK;
}

txc_status txc_cuda_check(const txc_cuda_driver *driver, txc_cuda_result result,
                          const char *what, txc_message *message) {
  enum { OutOfMemory = 2, NoDevice = 100, InvalidDevice = 101 };
  if (result == 0)
    return TXC_OK;
  const char *text = NULL;
  driver->cuGetErrorString(result, &text);
  txc_status status = TXC_DEVICE_FAILURE;
  if (result == OutOfMemory)
    status = TXC_OUT_OF_MEMORY;
  else if (result == NoDevice || result == InvalidDevice)
    status = TXC_NO_DEVICE;
  return txc_fail(message, status, "%s: %s (CUDA error %d)", what,
                  text ? text : "an unknown error", result);
}

//===----------------------------------------------------------------------===//
// The device
//===----------------------------------------------------------------------===//

/// The device's compute capability, and whether code for `sm` runs there.
static txc_status check_capability(txc_cuda_model *cuda, int32_t sm,
                                   int32_t number, txc_message *message) {
  enum { Major = 75, Minor = 76 };
  int major = 0, minor = 0;
  txc_cuda_result result =
      cuda->driver.cuDeviceGetAttribute(&major, Major, cuda->device);
  if (result == 0)
    result = cuda->driver.cuDeviceGetAttribute(&minor, Minor, cuda->device);
  txc_status status =
      txc_cuda_check(&cuda->driver, result, "asking for the GPU", message);
  cuda->sm = major * 10 + minor;
  if (status == TXC_OK && cuda->sm < sm)
    return txc_fail(message, TXC_NO_DEVICE,
                    "cuda:%d has compute capability %d.%d; the model was "
                    "compiled for %d.%d and newer",
                    number, major, minor, sm / 10, sm % 10);
  return status;
}

static txc_status find_device(txc_cuda_model *cuda, int32_t number,
                              txc_message *message) {
  const txc_cuda_driver *driver = &cuda->driver;
  int count = 0;
  txc_cuda_result result = driver->cuInit(0);
  if (result == 0)
    result = driver->cuDeviceGetCount(&count);
  if (result == 0 && number >= count)
    return txc_fail(message, TXC_NO_DEVICE,
                    "there is no cuda:%d; the driver has %d GPUs", number,
                    count);
  if (result == 0)
    result = driver->cuDeviceGet(&cuda->device, number);
  return txc_cuda_check(driver, result, "starting CUDA", message);
}

//===----------------------------------------------------------------------===//
// Code and weights
//===----------------------------------------------------------------------===//

/// PTX, which the driver compiles, or a cubin.
static txc_status load_image(txc_cuda_model *cuda, const void *image,
                             txc_message *message) {
  enum { ErrorLog = 5, ErrorLogBytes = 6, LogBytes = 384 };
  char log[LogBytes] = "";
  int options[] = {ErrorLog, ErrorLogBytes};
  void *values[] = {log, (void *)(uintptr_t)sizeof log};
  txc_cuda_result result =
      cuda->driver.cuModuleLoadDataEx(&cuda->module, image, 2, options, values);
  if (result != 0 && log[0])
    return txc_fail(message, TXC_DEVICE_FAILURE,
                    "the driver can't compile the model's kernels: %s", log);
  return txc_cuda_check(&cuda->driver, result, "loading the model's kernels",
                        message);
}

static txc_status load_kernels(txc_cuda_model *cuda, const txc_gpu_program *gpu,
                               txc_message *message) {
  txc_status status = TXC_DEVICE_FAILURE;
  // Machine code runs on what has the same major number; which minor one was
  // checked. A driver older than the assembler takes the PTX nevertheless.
  if (gpu->cubin && cuda->sm / 10 == gpu->sm / 10)
    status = load_image(cuda, gpu->cubin, NULL);
  if (status != TXC_OK)
    status = load_image(cuda, gpu->ptx, message);
  if (status != TXC_OK)
    return status;
  txc_cuda_result result = 0;
  for (int32_t i = 0; i < gpu->kernel_count && result == 0; ++i)
    result = cuda->driver.cuModuleGetFunction(&cuda->functions[i], cuda->module,
                                              gpu->kernels[i].name);
  return txc_cuda_check(&cuda->driver, result, "finding the model's kernels",
                        message);
}

static txc_status copy_weights(txc_cuda_model *cuda, const txc_model *model,
                               txc_message *message) {
  const txc_weights_desc *desc = model->program->weights;
  if (!desc || desc->size == 0)
    return TXC_OK;
  txc_cuda_result result =
      cuda->driver.cuMemAlloc_v2(&cuda->weights, desc->size);
  if (result == 0)
    result = cuda->driver.cuMemcpyHtoDAsync_v2(
        cuda->weights, model->weights.data, desc->size, NULL);
  if (result == 0)
    result = cuda->driver.cuStreamSynchronize(NULL);
  return txc_cuda_check(&cuda->driver, result, "copying the weights to the GPU",
                        message);
}

static size_t model_bytes(const txc_model *model) {
  return sizeof(txc_cuda_model) +
         sizeof(void *) * (size_t)model->program->gpu->kernel_count;
}

/// With the context retained: what it has of the model goes.
static void release(txc_cuda_model *cuda) {
  void *context;
  cuda->driver.cuCtxPushCurrent_v2(cuda->context);
  if (cuda->weights)
    cuda->driver.cuMemFree_v2(cuda->weights);
  if (cuda->module)
    cuda->driver.cuModuleUnload(cuda->module);
  cuda->driver.cuCtxPopCurrent_v2(&context);
  cuda->driver.cuDevicePrimaryCtxRelease_v2(cuda->device);
}

static txc_status load(txc_cuda_model *cuda, const txc_model *model,
                       txc_message *message) {
  txc_status status = txc_cuda_check(
      &cuda->driver,
      cuda->driver.cuDevicePrimaryCtxRetain(&cuda->context, cuda->device),
      "starting CUDA", message);
  if (status != TXC_OK)
    return status;
  cuda->driver.cuCtxPushCurrent_v2(cuda->context);
  status = load_kernels(cuda, model->program->gpu, message);
  if (status == TXC_OK)
    status = copy_weights(cuda, model, message);
  void *context;
  cuda->driver.cuCtxPopCurrent_v2(&context);
  if (status != TXC_OK)
    release(cuda);
  return status;
}

txc_status txc_cuda_open(txc_model *model, int32_t number,
                         txc_message *message) {
  size_t bytes = model_bytes(model);
  txc_cuda_model *cuda = txc_allocate_zero(&model->allocator, bytes, 64);
  if (!cuda)
    return txc_fail(message, TXC_OUT_OF_MEMORY, "no memory for the model");
  txc_status status = txc_cuda_find_driver(&cuda->driver, message);
  if (status == TXC_OK)
    status = find_device(cuda, number, message);
  if (status == TXC_OK)
    status = check_capability(cuda, model->program->gpu->sm, number, message);
  if (status == TXC_OK)
    status = load(cuda, model, message);
  if (status == TXC_OK)
    model->gpu = cuda;
  else
    txc_release(&model->allocator, cuda, bytes);
  return status;
}

void txc_cuda_close(txc_model *model) {
  release(model->gpu);
  txc_release(&model->allocator, model->gpu, model_bytes(model));
}
