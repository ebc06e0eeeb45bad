//===- Driver.h - A simulated CUDA driver -----------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// State behind the driver's entry points. There is one device; streams are in
/// order and done at once, so that waiting is checking for errors, or, if they
/// are lazy, when somebody waits. A fault in a kernel stays, as with hardware:
/// every later call that waits returns it.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_DRIVER_H
#define TXC_TOOLS_PTXSIM_DRIVER_H

#include "tools/ptxsim/Cuda.h"
#include "tools/ptxsim/Launch.h"
#include "tools/ptxsim/LoadedModule.h"

#include <functional>
#include <mutex>
#include <set>

struct CUctx_st {
  int references = 0;
  bool isPrimary = false;
};

struct CUmod_st;

struct CUfunc_st {
  CUmod_st *module = nullptr;
  const ptxsim::Program *program = nullptr;
  uint64_t maxDynamicShared = 48 << 10;
  ptxsim::Counters counters;
  uint64_t launches = 0;
};

struct CUmod_st {
  std::unique_ptr<ptxsim::LoadedModule> loaded;
  std::vector<std::unique_ptr<CUfunc_st>> functions;
};

/// Work of a stream, in its order.
using GraphNode = std::function<CUresult()>;

/// Names a node for who set it, in the graph and in what is made of it.
struct CUgraphNode_st {
  size_t index;
};
struct CUgraph_st {
  std::vector<GraphNode> nodes;
  std::vector<std::unique_ptr<CUgraphNode_st>> names;
};
struct CUgraphExec_st {
  std::vector<GraphNode> nodes;
};

struct CUstream_st {
  /// Where work goes instead of being done.
  CUgraph capture = nullptr;
  bool isCaptureOrigin = false;
};
struct CUevent_st {
  double time = 0;
  bool isRecorded = false;
  CUgraph capture = nullptr;
};

namespace ptxsim {

/// From the environment, read at cuInit.
struct DriverOptions {
  int sm = 80;
  LaunchConfig launch;
  /// Of device memory.
  uint64_t memory = uint64_t(16) << 30;
  /// Streams begin their work when somebody waits.
  bool isLazy = false;
  /// Where counters are written when a module is unloaded; none if empty.
  std::string countersPath;
};

class Driver {
public:
  static Driver &get();

  CUresult initialize();
  /// The first reason not to go on: not initialized, no context, a fault.
  CUresult check(bool needsContext = true);
  /// Does the work, or adds it to the graph that the stream captures.
  CUresult submit(CUstream stream, GraphNode work);
  /// Does what lazy streams have put off.
  void finish();
  CUresult launchKernel(CUfunction function, const LaunchConfig &config);
  void report(const std::string &text);
  void writeCounters(CUmod_st &module);
  CUstream resolve(CUstream stream);
  /// Shared memory of a block that can be asked for.
  uint64_t getSharedLimit() const;

  std::recursive_mutex mutex;
  bool isInitialized = false;
  DriverOptions options;
  Memory memory;
  CUresult fault = CUDA_SUCCESS;
  CUctx_st primary;
  CUstream_st defaultStream;
  std::set<CUmodule> modules;
  std::set<CUstream> streams;
  /// Of all streams; one order of them is as good as another.
  std::vector<GraphNode> putOff;
  std::string lastReport;
};

/// Holds the driver for the length of an entry point.
struct DriverLock {
  DriverLock() : driver(Driver::get()), lock(driver.mutex) {}
  Driver &driver;
  std::lock_guard<std::recursive_mutex> lock;
};

/// A launch as work of a stream, or the reason why it can't be one.
CUresult makeLaunch(Driver &driver, const CUDA_KERNEL_NODE_PARAMS_v1 &launch,
                    GraphNode &work);

/// Contexts of this thread; the last one is current.
std::vector<CUcontext> &getContexts();

} // namespace ptxsim

#define PTXSIM_EXPORT extern "C" __attribute__((visibility("default")))

#endif // TXC_TOOLS_PTXSIM_DRIVER_H
