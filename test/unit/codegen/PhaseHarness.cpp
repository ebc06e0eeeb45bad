//===- PhaseHarness.cpp - compiles and runs phases in a test -------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/PhaseHarness.h"
#include "compiler/codegen/PhaseAbi.h"
#include "compiler/codegen/ptx/EmitPtx.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Parser/Parser.h"

using namespace llvm;
using namespace mlir;
using namespace txc;
using namespace txc::test;

Expected<std::unique_ptr<PhaseProgram>> PhaseProgram::parse(StringRef text) {
  auto program = std::make_unique<PhaseProgram>();
  program->context = makeKernelContext();
  DialectRegistry registry;
  ptx::registerPtxDialects(registry);
  program->context->appendDialectRegistry(registry);
  program->context->loadAllAvailableDialects();
  program->module = parseSourceString<ModuleOp>(text, program->context.get());
  if (!program->module)
    return createStringError("the phase doesn't parse");
  program->module->walk(
      [&](kernel::PhaseInterface phase) { program->phase = phase; });
  if (!program->phase)
    return createStringError("there is no phase");
  return program;
}

int64_t test::evaluateExpr(tx::SymExprAttr expr, const Symbols &symbols) {
  llvm::DenseMap<StringAttr, int64_t> values;
  for (const auto &[name, value] : symbols)
    values[StringAttr::get(expr.getContext(), name)] = value;
  std::optional<int64_t> value = tx::evaluate(expr, values);
  if (!value) {
    errs() << "can't evaluate " << expr.str() << "\n";
    std::abort();
  }
  return *value;
}

Expected<std::unique_ptr<CompiledPhase>>
CompiledPhase::create(const PhaseProgram &program, const TestCpu &cpu) {
  Operation *phase = program.getPhase();
  OpBuilder builder(phase->getContext());
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder.getUnknownLoc());
  builder.setInsertionPointToEnd(module->getBody());
  FailureOr<EmittedKernel> kernel =
      emitKernel(builder, phase, "kernel", cpu.target);
  if (failed(kernel))
    return createStringError("the phase is not emitted");
  convertToPhaseAbi(kernel->function);
  kernel->function->setAttr("llvm.emit_c_interface", builder.getUnitAttr());

  auto compiled = std::make_unique<CompiledPhase>();
  compiled->exprs = kernel->exprs;
  compiled->tasks = txc::getTaskCount(phase, cpu.target);
  compiled->scratchBytes = getScratchBytes(phase, cpu.target);
  auto jit = KernelJit::create(*module, cpu);
  if (!jit)
    return jit.takeError();
  compiled->jit = std::move(*jit);
  using Function = std::remove_pointer_t<txc_phase_fn>;
  auto function = compiled->jit->lookup<Function>("kernel");
  if (!function)
    return function.takeError();
  compiled->function = *function;
  return compiled;
}

PhaseCall::PhaseCall(ArrayRef<Buffer *> operands, ArrayRef<Buffer *> results,
                     ArrayRef<int64_t> exprs, int64_t scratchBytes)
    : values{0}, scratch(scratchBytes) {
  // Every buffer is a base of its own, at offset values[0] = 0.
  for (ArrayRef<Buffer *> buffers : {operands, results}) {
    for (Buffer *buffer : buffers) {
      record.push_back(static_cast<int64_t>(bases.size()));
      record.push_back(0);
      bases.push_back(buffer->data());
    }
  }
  for (int64_t value : exprs) {
    record.push_back(static_cast<int64_t>(values.size()));
    values.push_back(value);
  }
  std::fill(scratch.begin(), scratch.end(), char(0xff));
  context = {bases.data(), values.data(), scratch.data(), &fault};
}

std::unique_ptr<PhaseCall>
CompiledPhase::prepare(ArrayRef<Buffer *> operands, ArrayRef<Buffer *> results,
                       const Symbols &symbols) const {
  std::vector<int64_t> values;
  for (tx::SymExprAttr expr : exprs)
    values.push_back(evaluateExpr(expr, symbols));
  return std::make_unique<PhaseCall>(
      operands, results, values,
      alignTo(evaluateExpr(scratchBytes, symbols), 64));
}

txc_fault CompiledPhase::run(ArrayRef<Buffer *> operands,
                             ArrayRef<Buffer *> results, const Symbols &symbols,
                             int64_t pieces) const {
  std::unique_ptr<PhaseCall> call = prepare(operands, results, symbols);
  int64_t count = getTaskCount(symbols);
  // As in the runtime, no range is empty.
  pieces = std::min(pieces, count);
  for (int64_t i = 0; i < pieces; ++i)
    runTasks(*call, count * i / pieces, count * (i + 1) / pieces);
  return call->fault;
}
