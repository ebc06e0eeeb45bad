//===- DriverStream.cpp - Stream, event and graph entry points --*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// cuStream…, cuEvent… and cuGraph…. A graph is what a stream was given while
/// it captured, in that order.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Driver.h"

#include <chrono>

using namespace ptxsim;

static double getMilliseconds() {
  using namespace std::chrono;
  return duration<double, std::milli>(steady_clock::now().time_since_epoch())
      .count();
}

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

PTXSIM_EXPORT CUresult cuStreamCreate(CUstream *stream, unsigned) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  *stream = new CUstream_st();
  held.driver.streams.insert(*stream);
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuStreamCreateWithPriority(CUstream *stream,
                                                  unsigned flags, int) {
  return cuStreamCreate(stream, flags);
}
PTXSIM_EXPORT CUresult cuStreamDestroy_v2(CUstream stream) {
  DriverLock held;
  if (!held.driver.streams.erase(stream))
    return CUDA_ERROR_INVALID_HANDLE;
  if (stream->isCaptureOrigin)
    delete stream->capture;
  delete stream;
  return CUDA_SUCCESS;
}

static CUresult waitFor(CUstream stream) {
  DriverLock held;
  stream = held.driver.resolve(stream);
  if (stream != &held.driver.defaultStream &&
      !held.driver.streams.count(stream))
    return CUDA_ERROR_INVALID_HANDLE;
  if (stream->capture)
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  held.driver.finish();
  return held.driver.check();
}
PTXSIM_EXPORT CUresult cuStreamSynchronize(CUstream stream) {
  return waitFor(stream);
}
PTXSIM_EXPORT CUresult cuStreamQuery(CUstream stream) {
  return waitFor(stream);
}

PTXSIM_EXPORT CUresult cuLaunchHostFunc(CUstream stream, CUhostFn function,
                                        void *data) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  return held.driver.submit(stream, [=] {
    function(data);
    return CUDA_SUCCESS;
  });
}

//===----------------------------------------------------------------------===//
// Events
//===----------------------------------------------------------------------===//

PTXSIM_EXPORT CUresult cuEventCreate(CUevent *event, unsigned) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  *event = new CUevent_st();
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuEventDestroy_v2(CUevent event) {
  delete event;
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuEventRecord(CUevent event, CUstream stream) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  event->capture = held.driver.resolve(stream)->capture;
  if (event->capture)
    return CUDA_SUCCESS;
  event->time = getMilliseconds();
  event->isRecorded = true;
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuEventRecordWithFlags(CUevent event, CUstream stream,
                                              unsigned) {
  return cuEventRecord(event, stream);
}
PTXSIM_EXPORT CUresult cuEventSynchronize(CUevent event) {
  DriverLock held;
  if (event->capture)
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  held.driver.finish();
  return held.driver.check();
}
PTXSIM_EXPORT CUresult cuEventQuery(CUevent event) {
  return cuEventSynchronize(event);
}
PTXSIM_EXPORT CUresult cuEventElapsedTime(float *milliseconds, CUevent start,
                                          CUevent end) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  if (!start->isRecorded || !end->isRecorded)
    return CUDA_ERROR_INVALID_HANDLE;
  *milliseconds = float(end->time - start->time);
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuEventElapsedTime_v2(float *milliseconds, CUevent start,
                                             CUevent end) {
  return cuEventElapsedTime(milliseconds, start, end);
}
/// Joins the capture in which the event was recorded.
PTXSIM_EXPORT CUresult cuStreamWaitEvent(CUstream stream, CUevent event,
                                         unsigned) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  stream = held.driver.resolve(stream);
  if (event->capture && !stream->capture)
    stream->capture = event->capture;
  return CUDA_SUCCESS;
}

//===----------------------------------------------------------------------===//
// Graphs
//===----------------------------------------------------------------------===//

PTXSIM_EXPORT CUresult cuStreamBeginCapture_v2(CUstream stream, int) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  stream = held.driver.resolve(stream);
  if (stream == &held.driver.defaultStream)
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  if (!held.driver.streams.count(stream))
    return CUDA_ERROR_INVALID_HANDLE;
  if (stream->capture)
    return CUDA_ERROR_INVALID_VALUE;
  stream->capture = new CUgraph_st();
  stream->isCaptureOrigin = true;
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuStreamEndCapture(CUstream stream, CUgraph *graph) {
  DriverLock held;
  stream = held.driver.resolve(stream);
  if (!stream->isCaptureOrigin)
    return stream->capture ? CUDA_ERROR_STREAM_CAPTURE_UNMATCHED
                           : CUDA_ERROR_INVALID_VALUE;
  *graph = stream->capture;
  for (CUstream other : held.driver.streams)
    if (other->capture == *graph)
      other->capture = nullptr;
  stream->isCaptureOrigin = false;
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuStreamIsCapturing(CUstream stream, int *status) {
  DriverLock held;
  *status = held.driver.resolve(stream)->capture != nullptr;
  return CUDA_SUCCESS;
}

PTXSIM_EXPORT CUresult cuGraphCreate(CUgraph *graph, unsigned) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  *graph = new CUgraph_st();
  return CUDA_SUCCESS;
}

/// What a node waits for has been added before it, so adding gives an order.
PTXSIM_EXPORT CUresult cuGraphAddKernelNode(
    CUgraphNode *node, CUgraph graph, const CUgraphNode * /*dependencies*/,
    size_t /*count*/, const CUDA_KERNEL_NODE_PARAMS_v1 *launch) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  GraphNode work;
  if (CUresult result = makeLaunch(held.driver, *launch, work))
    return result;
  auto name = std::make_unique<CUgraphNode_st>();
  name->index = graph->nodes.size();
  *node = name.get();
  graph->names.push_back(std::move(name));
  graph->nodes.push_back(std::move(work));
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult
cuGraphExecKernelNodeSetParams(CUgraphExec executable, CUgraphNode node,
                               const CUDA_KERNEL_NODE_PARAMS_v1 *launch) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  if (node->index >= executable->nodes.size())
    return CUDA_ERROR_INVALID_VALUE;
  return makeLaunch(held.driver, *launch, executable->nodes[node->index]);
}

PTXSIM_EXPORT CUresult cuGraphDestroy(CUgraph graph) {
  delete graph;
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuGraphGetNodes(CUgraph graph, void **nodes,
                                       size_t *count) {
  if (nodes)
    return CUDA_ERROR_NOT_SUPPORTED;
  *count = graph->nodes.size();
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuGraphInstantiateWithFlags(CUgraphExec *executable,
                                                   CUgraph graph,
                                                   unsigned long long) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  *executable = new CUgraphExec_st{graph->nodes};
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuGraphInstantiate_v2(CUgraphExec *executable,
                                             CUgraph graph, void **, char *,
                                             size_t) {
  return cuGraphInstantiateWithFlags(executable, graph, 0);
}
PTXSIM_EXPORT CUresult cuGraphExecDestroy(CUgraphExec executable) {
  delete executable;
  return CUDA_SUCCESS;
}
PTXSIM_EXPORT CUresult cuGraphUpload(CUgraphExec, CUstream) {
  DriverLock held;
  return held.driver.check();
}
PTXSIM_EXPORT CUresult cuGraphLaunch(CUgraphExec executable, CUstream stream) {
  DriverLock held;
  if (CUresult result = held.driver.check())
    return result;
  // Captured inside of another capture: its nodes join that one.
  for (const GraphNode &node : executable->nodes)
    if (CUresult result = held.driver.submit(stream, node))
      return result;
  return CUDA_SUCCESS;
}
