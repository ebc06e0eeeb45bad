//===- cuda_launch.c - Launches, alone and as graphs ----------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See cuda_session.h.
///
//===----------------------------------------------------------------------===//

#include "runtime/cuda_session.h"

struct launch_graph {
  void *graph;
  void *executable;
  int32_t count; ///< Of nodes.
  size_t bytes;
  /// Of each node: its phase, its handle, and what it was last set to.
  int32_t *phases;
  void **nodes;
  unsigned (*grids)[3];
  uint64_t *parameters; ///< Of all nodes, one behind the other.
};

int32_t txc_cuda_parameters(const txc_phase *phase) {
  const txc_launch *launch = phase->launch;
  return launch ? launch->buffer_count + launch->value_count +
                      launch->reports_faults
                : 0;
}

//===----------------------------------------------------------------------===//
// Gathering
//===----------------------------------------------------------------------===//

static txc_status set_grid(txc_session *session, unsigned *grid) {
  const txc_phase *phase = session->phase;
  static const int64_t limits[3] = {INT32_MAX, UINT16_MAX, UINT16_MAX};
  int64_t sizes[3];
  bool fits = true;
  for (int32_t i = 0; i < 3; ++i) {
    sizes[i] = session->values[phase->launch->grid_values[i]];
    fits &= sizes[i] <= limits[i];
    grid[i] = (unsigned)sizes[i];
  }
  if (fits)
    return TXC_OK;
  return txc_fail(&session->message, TXC_OUT_OF_BOUNDS,
                  "these dims are too large for a GPU in %s: %lld x %lld x "
                  "%lld blocks",
                  phase->onnx_nodes, (long long)sizes[0], (long long)sizes[1],
                  (long long)sizes[2]);
}

txc_status txc_cuda_gather(txc_session *session) {
  cuda_session *cuda = session->gpu;
  const txc_phase *phase = session->phase;
  const txc_launch *launch = phase->launch;
  int32_t number = (int32_t)(phase - session->model->program->phases);
  txc_status status = TXC_OK;
  // Back in a loop: a phase has one place for its parameters.
  if (cuda->gathered_count &&
      number <= cuda->gathered[cuda->gathered_count - 1])
    status = txc_cuda_launch(session);
  if (status == TXC_OK)
    status = set_grid(session, cuda->grids[number]);
  if (status != TXC_OK)
    return status;
  uint64_t *parameter = cuda->parameters + cuda->first_parameter[number];
  const int64_t *record = phase->record;
  for (int32_t i = 0; i < launch->buffer_count; ++i, record += 2)
    *parameter++ =
        cuda->bases[record[0]] + (uint64_t)session->values[record[1]];
  if (launch->reports_faults)
    *parameter++ = cuda->faults + sizeof(txc_fault) * (uint64_t)number;
  for (int32_t i = 0; i < launch->value_count; ++i)
    *parameter++ = (uint64_t)session->values[record[i]];
  cuda->gathered[cuda->gathered_count++] = number;
  return cuda->one_by_one || session->options.profile ? txc_cuda_launch(session)
                                                      : TXC_OK;
}

//===----------------------------------------------------------------------===//
// Launching
//===----------------------------------------------------------------------===//

/// "kernel k3 (/encoder/MatMul)", for messages.
static const char *name_phase(const txc_phase *phase, char *text,
                              size_t bytes) {
  snprintf(text, bytes, "kernel %s of %s", phase->kernel_name,
           phase->onnx_nodes);
  return text;
}

static txc_cuda_node describe(const txc_session *session, int32_t number) {
  const cuda_session *cuda = session->gpu;
  const txc_program *program = session->model->program;
  int32_t kernel = program->phases[number].launch->kernel;
  const unsigned *grid = cuda->grids[number];
  txc_cuda_node node = {
      .function = txc_cuda_model_of(session)->functions[kernel],
      .grid = {grid[0], grid[1], grid[2]},
      .block = {(unsigned)program->gpu->kernels[kernel].threads, 1, 1},
      .parameters = cuda->pointers + cuda->first_parameter[number],
  };
  return node;
}

/// One launch. Waits for it where each is waited for.
static txc_status launch_one(txc_session *session, int32_t number) {
  const cuda_session *cuda = session->gpu;
  const txc_cuda_driver *driver = txc_cuda_driver_of(session);
  txc_cuda_node node = describe(session, number);
  txc_cuda_result result = driver->cuLaunchKernel(
      node.function, node.grid[0], node.grid[1], node.grid[2], node.block[0],
      node.block[1], node.block[2], node.shared_bytes, cuda->stream,
      node.parameters, NULL);
  if (result == 0 && (cuda->one_by_one || session->options.profile))
    result = driver->cuStreamSynchronize(cuda->stream);
  char what[384];
  return txc_cuda_check_call(
      session, result,
      name_phase(&session->model->program->phases[number], what, sizeof what));
}

static void destroy(txc_session *session, launch_graph *graph) {
  const txc_cuda_driver *driver = txc_cuda_driver_of(session);
  if (graph->executable)
    driver->cuGraphExecDestroy(graph->executable);
  if (graph->graph)
    driver->cuGraphDestroy(graph->graph);
  txc_release(&session->allocator, graph, graph->bytes);
}

void txc_cuda_destroy_graphs(txc_session *session) {
  const cuda_session *cuda = session->gpu;
  for (int32_t i = 0; i < session->model->program->phase_count; ++i)
    if (cuda->graphs[i])
      destroy(session, cuda->graphs[i]);
}

/// Makes room for what has been gathered; NULL without memory.
static launch_graph *allocate(txc_session *session) {
  const cuda_session *cuda = session->gpu;
  const txc_phase *phases = session->model->program->phases;
  size_t count = (size_t)cuda->gathered_count, parameters = 0;
  for (size_t i = 0; i < count; ++i)
    parameters += (size_t)txc_cuda_parameters(&phases[cuda->gathered[i]]);
  size_t bytes =
      sizeof(launch_graph) +
      (sizeof(void *) + sizeof(unsigned[3]) + sizeof(int32_t)) * count +
      sizeof(uint64_t) * parameters;
  launch_graph *graph = txc_allocate_zero(&session->allocator, bytes, 64);
  if (!graph)
    return NULL;
  // Eight octets first, so that all are aligned.
  graph->bytes = bytes;
  graph->parameters = (uint64_t *)(graph + 1);
  graph->nodes = (void **)(graph->parameters + parameters);
  graph->grids = (unsigned (*)[3])(graph->nodes + count);
  graph->phases = (int32_t *)(graph->grids + count);
  return graph;
}

/// Copies what a node is set to; false when it was so.
static bool note(const txc_session *session, launch_graph *graph, int32_t index,
                 uint64_t *parameters) {
  const cuda_session *cuda = session->gpu;
  int32_t number = cuda->gathered[index];
  size_t bytes =
      sizeof *parameters *
      (size_t)txc_cuda_parameters(&session->model->program->phases[number]);
  const uint64_t *now = cuda->parameters + cuda->first_parameter[number];
  const unsigned *grid = cuda->grids[number];
  size_t grid_bytes = sizeof graph->grids[index];
  if (memcmp(parameters, now, bytes) == 0 &&
      memcmp(graph->grids[index], grid, grid_bytes) == 0)
    return false;
  memcpy(parameters, now, bytes);
  memcpy(graph->grids[index], grid, grid_bytes);
  return true;
}

/// A chain of what has been gathered.
static txc_cuda_result fill(const txc_session *session, launch_graph *graph) {
  const cuda_session *cuda = session->gpu;
  const txc_cuda_driver *driver = txc_cuda_driver_of(session);
  uint64_t *parameters = graph->parameters;
  txc_cuda_result result = driver->cuGraphCreate(&graph->graph, 0);
  for (int32_t i = 0; i < cuda->gathered_count && result == 0; ++i) {
    int32_t number = cuda->gathered[i];
    txc_cuda_node node = describe(session, number);
    result = driver->cuGraphAddKernelNode(&graph->nodes[i], graph->graph,
                                          i ? &graph->nodes[i - 1] : NULL,
                                          i != 0, &node);
    graph->phases[graph->count++] = number;
    note(session, graph, i, parameters);
    parameters += txc_cuda_parameters(&session->model->program->phases[number]);
  }
  if (result == 0)
    result = driver->cuGraphInstantiateWithFlags(&graph->executable,
                                                 graph->graph, 0);
  return result;
}

/// Sets the nodes anew that differ from what has been gathered.
static txc_cuda_result update(const txc_session *session, launch_graph *graph) {
  const cuda_session *cuda = session->gpu;
  uint64_t *parameters = graph->parameters;
  txc_cuda_result result = 0;
  for (int32_t i = 0; i < cuda->gathered_count && result == 0; ++i) {
    int32_t number = cuda->gathered[i];
    if (note(session, graph, i, parameters)) {
      txc_cuda_node node = describe(session, number);
      result = txc_cuda_driver_of(session)->cuGraphExecKernelNodeSetParams(
          graph->executable, graph->nodes[i], &node);
    }
    parameters += txc_cuda_parameters(&session->model->program->phases[number]);
  }
  return result;
}

static bool is_same(const cuda_session *cuda, const launch_graph *graph) {
  return graph->count == cuda->gathered_count &&
         memcmp(graph->phases, cuda->gathered,
                sizeof *graph->phases * (size_t)graph->count) == 0;
}

static txc_status launch_graph_of(txc_session *session) {
  const cuda_session *cuda = session->gpu;
  launch_graph **place = &cuda->graphs[cuda->gathered[0]];
  txc_cuda_result result;
  if (*place && is_same(cuda, *place)) {
    result = update(session, *place);
  } else {
    if (*place)
      destroy(session, *place);
    *place = allocate(session);
    if (!*place)
      return txc_fail(&session->message, TXC_OUT_OF_MEMORY,
                      "no memory for a graph");
    result = fill(session, *place);
  }
  if (result == 0)
    result = txc_cuda_driver_of(session)->cuGraphLaunch((*place)->executable,
                                                        cuda->stream);
  // What is in doubt is made anew by the next run.
  if (result != 0) {
    destroy(session, *place);
    *place = NULL;
  }
  return txc_cuda_check_call(session, result, "launching kernels as a graph");
}

txc_status txc_cuda_launch(txc_session *session) {
  cuda_session *cuda = session->gpu;
  txc_status status = TXC_OK;
  if (cuda->gathered_count > 1)
    status = launch_graph_of(session);
  else if (cuda->gathered_count == 1)
    status = launch_one(session, cuda->gathered[0]);
  cuda->gathered_count = 0;
  return status;
}
