//===- cuda.h - NVIDIA's driver -----------------------------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The functions of the driver that a run takes, found when a model is opened:
/// libcuda.so.1, or what the environment variable TXC_CUDA_DRIVER names.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_CUDA_H
#define TXC_RUNTIME_CUDA_H

#include "runtime/gpu.h"

/// CUresult; 0 is success.
typedef int32_t txc_cuda_result;
/// CUdeviceptr
typedef uint64_t txc_cuda_address;

/// CUDA_KERNEL_NODE_PARAMS, in its first version, which all drivers have.
typedef struct txc_cuda_node {
  void *function;
  unsigned grid[3];
  unsigned block[3];
  unsigned shared_bytes;
  void **parameters;
  void **extra;
} txc_cuda_node;

/// Handles are pointers to structs of the driver's. Names are those of cuda.h;
/// _v2 is what it makes of them.
typedef struct txc_cuda_driver {
  txc_cuda_result (*cuInit)(unsigned flags);
  txc_cuda_result (*cuGetErrorString)(txc_cuda_result, const char **);
  txc_cuda_result (*cuDeviceGetCount)(int *count);
  txc_cuda_result (*cuDeviceGet)(int *device, int number);
  txc_cuda_result (*cuDeviceGetAttribute)(int *value, int attribute,
                                          int device);
  txc_cuda_result (*cuDevicePrimaryCtxRetain)(void **context, int device);
  txc_cuda_result (*cuDevicePrimaryCtxRelease_v2)(int device);
  txc_cuda_result (*cuCtxPushCurrent_v2)(void *context);
  txc_cuda_result (*cuCtxPopCurrent_v2)(void **context);
  txc_cuda_result (*cuModuleLoadDataEx)(void **module, const void *image,
                                        unsigned count, int *options,
                                        void **values);
  txc_cuda_result (*cuModuleUnload)(void *module);
  txc_cuda_result (*cuModuleGetFunction)(void **function, void *module,
                                         const char *name);
  txc_cuda_result (*cuMemAlloc_v2)(txc_cuda_address *, size_t bytes);
  txc_cuda_result (*cuMemFree_v2)(txc_cuda_address);
  txc_cuda_result (*cuMemcpyHtoDAsync_v2)(txc_cuda_address to, const void *from,
                                          size_t bytes, void *stream);
  txc_cuda_result (*cuMemcpyDtoHAsync_v2)(void *to, txc_cuda_address from,
                                          size_t bytes, void *stream);
  txc_cuda_result (*cuMemcpyDtoDAsync_v2)(txc_cuda_address to,
                                          txc_cuda_address from, size_t bytes,
                                          void *stream);
  txc_cuda_result (*cuMemsetD8Async)(txc_cuda_address, unsigned char value,
                                     size_t bytes, void *stream);
  txc_cuda_result (*cuStreamCreate)(void **stream, unsigned flags);
  txc_cuda_result (*cuStreamDestroy_v2)(void *stream);
  txc_cuda_result (*cuStreamSynchronize)(void *stream);
  txc_cuda_result (*cuLaunchKernel)(void *function, unsigned gridX,
                                    unsigned gridY, unsigned gridZ,
                                    unsigned blockX, unsigned blockY,
                                    unsigned blockZ, unsigned sharedBytes,
                                    void *stream, void **parameters,
                                    void **extra);
  txc_cuda_result (*cuGraphCreate)(void **graph, unsigned flags);
  txc_cuda_result (*cuGraphDestroy)(void *graph);
  txc_cuda_result (*cuGraphAddKernelNode)(void **node, void *graph,
                                          void *const *dependencies,
                                          size_t count, const txc_cuda_node *);
  txc_cuda_result (*cuGraphInstantiateWithFlags)(void **executable, void *graph,
                                                 unsigned long long flags);
  txc_cuda_result (*cuGraphExecDestroy)(void *executable);
  txc_cuda_result (*cuGraphExecKernelNodeSetParams)(void *executable,
                                                    void *node,
                                                    const txc_cuda_node *);
  txc_cuda_result (*cuGraphLaunch)(void *executable, void *stream);
} txc_cuda_driver;

/// A model on a GPU: what its sessions share.
typedef struct txc_cuda_model {
  txc_cuda_driver driver;
  int32_t device;
  int32_t sm; ///< Its compute capability: 80 is 8.0.
  void *context;
  void *module;
  txc_cuda_address weights;
  /// One for each kernel of the program.
  void *functions[];
} txc_cuda_model;

/// Finds the driver and its functions. Error: NO_DEVICE.
txc_status txc_cuda_find_driver(txc_cuda_driver *driver, txc_message *message);

/// OK, or the status and sentence of an error: "`what`: …".
txc_status txc_cuda_check(const txc_cuda_driver *driver, txc_cuda_result result,
                          const char *what, txc_message *message);

txc_status txc_cuda_open(txc_model *model, int32_t number,
                         txc_message *message);
void txc_cuda_close(txc_model *model);

#endif // TXC_RUNTIME_CUDA_H
