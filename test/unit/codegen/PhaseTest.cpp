//===- PhaseTest.cpp - phases against their definition -------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/PhaseTest.h"
#include "test/unit/codegen/GpuPhase.h"

using namespace mlir;
using namespace txc;
using namespace txc::test;

NumberTensor PhaseTest::makeRandom(Type type, const Symbols &symbols) {
  NumberTensor tensor{evaluateDims(type, symbols), {}};
  int64_t count = 1;
  for (int64_t dim : tensor.dims)
    count *= dim;
  auto packed = dyn_cast<pack::TensorType>(type);
  Type element = packed ? packed.getElementType() : getElementTypeOrSelf(type);
  std::uniform_int_distribution<int64_t> integers(0, indexLimit - 1);
  // Sixteenths are exact in every float type.
  std::uniform_int_distribution<int> sixteenths(-16, 16);
  for (int64_t i = 0; i < count; ++i) {
    if (isa<FloatType>(element))
      tensor.elements.push_back(
          BoundedNumber::ofFloat(sixteenths(random) / 16.0));
    else if (element.isInteger(1))
      tensor.elements.push_back(BoundedNumber::ofInteger(integers(random) & 1));
    else
      tensor.elements.push_back(BoundedNumber::ofInteger(integers(random)));
  }
  return tensor;
}

/// Whether `got` is a possible value of `expected`.
static bool isWithin(const BoundedNumber &got, const BoundedNumber &expected) {
  if (got.integer != expected.integer)
    return false;
  if (std::isnan(expected.value) || std::isinf(expected.value))
    return std::isnan(expected.value) ? std::isnan(got.value)
                                      : got.value == expected.value;
  // The bound itself is computed with roundings.
  return std::abs(got.value - expected.value) <= expected.error * 1.001;
}

PhaseTest::Run PhaseTest::compileForGpu(const PhaseProgram &program) {
  auto compiled = GpuPhase::create(program);
  if (!compiled) {
    std::string reason = llvm::toString(compiled.takeError());
    EXPECT_TRUE(StringRef(reason).starts_with("a GPU kernel has no code for"))
        << reason;
    return nullptr;
  }
  std::shared_ptr<GpuPhase> phase = std::move(*compiled);
  return [this, phase](ArrayRef<Buffer *> operands, ArrayRef<Buffer *> results,
                       const Symbols &symbols) {
    auto found = phase->run(operands, results, symbols);
    ASSERT_TRUE(bool(found)) << llvm::toString(found.takeError());
    fault = *found;
  };
}

PhaseTest::Run PhaseTest::compile(const PhaseProgram &program) {
  if (isGpu())
    return compileForGpu(program);
  auto compiled = CompiledPhase::create(program, cpu());
  EXPECT_TRUE(bool(compiled)) << llvm::toString(compiled.takeError());
  if (!compiled || !cpu().canRun)
    return nullptr;
  std::shared_ptr<CompiledPhase> phase = std::move(*compiled);
  return [this, phase](ArrayRef<Buffer *> operands, ArrayRef<Buffer *> results,
                       const Symbols &symbols) {
    fault = phase->run(operands, results, symbols, pieces);
  };
}

void PhaseTest::expectDefinition(StringRef text, ArrayRef<Symbols> cases) {
  auto program = PhaseProgram::parse(text);
  ASSERT_TRUE(bool(program)) << llvm::toString(program.takeError());
  Operation *phase = (*program)->getPhase();
  Run run = compile(**program);
  if (!run)
    return;
  for (const Symbols &symbols : cases) {
    testing::Message trace;
    trace << (isGpu() ? "GPU" : cpu().name);
    for (const auto &[name, value] : symbols)
      trace << ", " << name << " = " << value;
    SCOPED_TRACE(trace);
    std::vector<NumberTensor> operands;
    for (Type type : phase->getOperandTypes())
      operands.push_back(makeRandom(type, symbols));
    if (adjustOperands)
      adjustOperands(operands);
    int faults = 0;
    std::vector<NumberTensor> expected =
        evaluatePhase(phase, operands, symbols, faults);

    std::vector<std::unique_ptr<Buffer>> buffers;
    std::vector<Buffer *> inputs, outputs;
    for (auto [type, operand] :
         llvm::zip_equal(phase->getOperandTypes(), operands)) {
      buffers.push_back(encode(type, operand, guard));
      inputs.push_back(buffers.back().get());
    }
    for (auto [type, result] :
         llvm::zip_equal(phase->getResultTypes(), expected)) {
      buffers.push_back(encode(type, result, guard));
      outputs.push_back(buffers.back().get());
      std::fill(outputs.back()->begin(), outputs.back()->end(), char(0x5a));
    }
    run(inputs, outputs, symbols);
    if (HasFatalFailure())
      return;
    EXPECT_EQ(fault.code != TXC_FAULT_NONE, faults != 0);
    for (size_t i = 0; i < expected.size(); ++i) {
      auto type = cast<RankedTensorType>(phase->getResultTypes()[i]);
      NumberTensor got = decode(type, *outputs[i], symbols);
      for (size_t j = 0; j < expected[i].elements.size(); ++j)
        ASSERT_TRUE(isWithin(got.elements[j], expected[i].elements[j]))
            << "element " << j << " of result " << i << " is "
            << got.elements[j].value << " or " << got.elements[j].integer
            << ", not " << expected[i].elements[j].value << " ± "
            << expected[i].elements[j].error << " or "
            << expected[i].elements[j].integer;
    }
  }
}

std::string test::getCpuName(const testing::TestParamInfo<size_t> &info) {
  if (info.param == kGpuParameter)
    return "gpu";
  std::string name = testCpus()[info.param].name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
