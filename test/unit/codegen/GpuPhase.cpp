//===- GpuPhase.cpp - phases on a simulated GPU --------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/GpuPhase.h"
#include "compiler/codegen/ptx/EmitPtx.h"
#include "dialects/kernel/Kernel.h"
#include "tools/ptxsim/Launch.h"
#include "tools/ptxsim/LoadedModule.h"

using namespace llvm;
using namespace mlir;
using namespace txc;
using namespace txc::test;

Expected<std::unique_ptr<GpuPhase>>
GpuPhase::create(const PhaseProgram &program, unsigned sm) {
  Operation *phase = program.getPhase();
  OwningOpRef<ModuleOp> module = ModuleOp::create(phase->getLoc());
  std::string reason;
  ScopedDiagnosticHandler handler(phase->getContext(), [&](Diagnostic &error) {
    reason += error.str();
    return success();
  });
  FailureOr<ptx::GpuKernel> kernel =
      ptx::addGpuKernel(*module, phase, sm, "kernel");
  if (failed(kernel))
    return createStringError(reason);
  FailureOr<std::string> text = ptx::emitPtx(*module, sm);
  if (failed(text))
    return createStringError("the kernel can't be emitted: " + reason);
  auto compiled = std::make_unique<GpuPhase>();
  compiled->kernel = std::move(*kernel);
  compiled->text = std::move(*text);
  return compiled;
}

Expected<txc_fault> GpuPhase::run(ArrayRef<Buffer *> operands,
                                  ArrayRef<Buffer *> results,
                                  const Symbols &symbols) const {
  ptxsim::Memory memory;
  std::string error;
  auto module = ptxsim::LoadedModule::load(text, memory, error);
  if (!module)
    return createStringError(error);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the driver's addresses are so.
  auto at = [](uint64_t address) { return reinterpret_cast<char *>(address); };
  ptxsim::LaunchConfig config;
  auto addParameter = [&](uint64_t value) {
    for (int i = 0; i < 64; i += 8)
      config.parameters.push_back(static_cast<uint8_t>(value >> i));
  };
  SmallVector<Buffer *> buffers(operands);
  append_range(buffers, results);
  SmallVector<uint64_t> addresses;
  for (Buffer *buffer : buffers) {
    auto bytes = static_cast<size_t>(buffer->end() - buffer->begin());
    addresses.push_back(memory.allocate(std::max<size_t>(bytes, 1)));
    std::copy(buffer->begin(), buffer->end(), at(addresses.back()));
    addParameter(addresses.back());
  }
  txc_fault fault = {};
  uint64_t faultAddress = memory.allocate(sizeof fault);
  std::memcpy(at(faultAddress), &fault, sizeof fault);
  if (kernel.reportsFaults)
    addParameter(faultAddress);
  for (tx::SymExprAttr expr : kernel.parameters)
    addParameter(static_cast<uint64_t>(evaluateExpr(expr, symbols)));
  config.block[0] = static_cast<unsigned>(kernel.threads);
  for (auto [i, blocks] : enumerate(kernel.grid)) {
    config.grid[i] = static_cast<unsigned>(evaluateExpr(blocks, symbols));
    if (config.grid[i] == 0)
      return fault;
  }
  ptxsim::Fault found;
  ptxsim::launch(*module->getKernels()[0], config, memory, nullptr, found);
  if (found)
    return createStringError(found.format());
  for (auto [result, address] :
       zip_equal(results, ArrayRef(addresses).drop_front(operands.size())))
    std::copy_n(at(address), result->end() - result->begin(), result->begin());
  std::memcpy(&fault, at(faultAddress), sizeof fault);
  return fault;
}
