//===- Driver.cpp - A simulated CUDA driver ---------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Initialization, launches and reports. See Driver.h.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Driver.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

using namespace ptxsim;

Driver &Driver::get() {
  // Never destroyed: programs call the driver until the very end.
  static auto *driver = new Driver();
  return *driver;
}

static std::string getVariable(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

CUresult Driver::initialize() {
  if (isInitialized)
    return CUDA_SUCCESS;
  std::string sm = getVariable("PTXSIM_SM"), copy = getVariable("PTXSIM_COPY"),
              threads = getVariable("PTXSIM_THREADS"),
              checks = getVariable("PTXSIM_CHECKS"),
              steps = getVariable("PTXSIM_STEPS"),
              streams = getVariable("PTXSIM_STREAMS"),
              bytes = getVariable("PTXSIM_MEMORY");
  options.countersPath = getVariable("PTXSIM_COUNTERS");
  if (!sm.empty())
    options.sm = static_cast<int>(std::strtol(sm.c_str(), nullptr, 10));
  if (options.sm < 70 || options.sm > 129 ||
      (!copy.empty() && copy != "late" && copy != "eager") ||
      (!streams.empty() && streams != "lazy" && streams != "eager")) {
    report("PTXSIM_SM must be 70 or more, PTXSIM_COPY late or eager, "
           "PTXSIM_STREAMS lazy or eager");
    return CUDA_ERROR_NO_DEVICE;
  }
  options.launch.copyMode = copy == "eager" ? CopyMode::Eager : CopyMode::Late;
  options.isLazy = streams == "lazy";
  if (!bytes.empty())
    options.memory = std::strtoull(bytes.c_str(), nullptr, 10);
  options.launch.checkShared = checks != "0";
  options.launch.stepLimit =
      steps.empty() ? 0 : std::strtoull(steps.c_str(), nullptr, 10);
  options.launch.threads = threads.empty()
                               ? std::thread::hardware_concurrency()
                               : std::strtol(threads.c_str(), nullptr, 10);
  isInitialized = true;
  return CUDA_SUCCESS;
}

static thread_local std::vector<CUcontext> contexts;

std::vector<CUcontext> &ptxsim::getContexts() { return contexts; }

CUresult Driver::check(bool needsContext) {
  if (!isInitialized)
    return CUDA_ERROR_NOT_INITIALIZED;
  if (needsContext && (contexts.empty() || !contexts.back()))
    return CUDA_ERROR_INVALID_CONTEXT;
  return fault;
}

CUstream Driver::resolve(CUstream stream) {
  // 1 and 2 are the legacy and the per-thread default stream.
  return reinterpret_cast<uintptr_t>(stream) <= 2 ? &defaultStream : stream;
}

CUresult Driver::submit(CUstream stream, GraphNode work) {
  stream = resolve(stream);
  if (stream != &defaultStream && !streams.count(stream))
    return CUDA_ERROR_INVALID_HANDLE;
  if (stream->capture)
    stream->capture->nodes.push_back(std::move(work));
  else if (options.isLazy)
    putOff.push_back(std::move(work));
  else
    return work();
  return CUDA_SUCCESS;
}

void Driver::finish() {
  std::vector<GraphNode> works = std::exchange(putOff, {});
  for (const GraphNode &work : works)
    if (CUresult result = work(); result && !fault)
      fault = result;
}

void Driver::report(const std::string &text) {
  lastReport = text;
  std::string path = getVariable("PTXSIM_LOG");
  std::FILE *file = path.empty() ? stderr : std::fopen(path.c_str(), "a");
  if (!file)
    return;
  std::fprintf(file, "ptxsim: %s\n", text.c_str());
  if (file != stderr)
    std::fclose(file);
}

uint64_t Driver::getSharedLimit() const {
  switch (options.sm) {
  case 70:
    return 96 << 10;
  case 75:
    return 64 << 10;
  case 80:
  case 87:
    return 163 << 10;
  case 86:
  case 89:
  case 120:
    return 99 << 10;
  default:
    return 227 << 10;
  }
}

static CUresult getResult(FaultKind kind) {
  switch (kind) {
  case FaultKind::None:
    return CUDA_SUCCESS;
  case FaultKind::OutOfBounds:
    return CUDA_ERROR_ILLEGAL_ADDRESS;
  case FaultKind::Misaligned:
    return CUDA_ERROR_MISALIGNED_ADDRESS;
  case FaultKind::Deadlock:
    return CUDA_ERROR_LAUNCH_TIMEOUT;
  case FaultKind::Trap:
  case FaultKind::Invalid:
    return CUDA_ERROR_ILLEGAL_INSTRUCTION;
  default:
    return CUDA_ERROR_LAUNCH_FAILED;
  }
}

CUresult Driver::launchKernel(CUfunction function, const LaunchConfig &config) {
  if (fault)
    return fault;
  ++function->launches;
  Fault found;
  if (!launch(*function->program, config, memory, &function->counters, found)) {
    report(found.format());
    fault = getResult(found.kind);
  }
  // As with hardware, whoever waits hears of it.
  return CUDA_SUCCESS;
}

void Driver::writeCounters(CUmod_st &module) {
  if (options.countersPath.empty())
    return;
  std::FILE *file = std::fopen(options.countersPath.c_str(), "a");
  if (!file)
    return;
  for (const auto &function : module.functions) {
    if (!function->launches)
      continue;
    const Program &program = *function->program;
    std::fprintf(file, "kernel %s launches %llu\n", program.name.c_str(),
                 static_cast<unsigned long long>(function->launches));
    for (size_t i = 0; i < function->counters.size(); ++i) {
      const OpCounters &counters = function->counters[i];
      const Statement &statement = *program.origin[i];
      if (counters.issued)
        std::fprintf(
            file,
            "%d %s issued %llu requests %llu transfers %llu minimum %llu\n",
            statement.line, statement.getText().c_str(),
            static_cast<unsigned long long>(counters.issued),
            static_cast<unsigned long long>(counters.requests),
            static_cast<unsigned long long>(counters.transfers),
            static_cast<unsigned long long>(counters.minimum));
    }
  }
  std::fclose(file);
}
