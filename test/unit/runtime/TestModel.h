//===- TestModel.h - Model tables written by hand ---------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// What the compiler would write, for the tests of the runtime: a model whose
/// kernels and shape program are functions of the test.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_RUNTIME_TESTMODEL_H
#define TXC_TEST_UNIT_RUNTIME_TESTMODEL_H

#include "runtime/abi.h"

#include <initializer_list>
#include <list>
#include <string>
#include <vector>

namespace txc::test {

inline txc_dim constant(int64_t extent) {
  return {TXC_DIM_CONST, 0, extent, "constant"};
}
inline txc_dim symbol(int64_t index, const char *text = "symbol") {
  return {TXC_DIM_SYMBOL, 0, index, text};
}
inline txc_dim value(int64_t index, const char *text = "value") {
  return {TXC_DIM_VALUE, 0, index, text};
}
/// A dim known only while running.
inline txc_dim runTime(txc_dim dim) {
  dim.run_time = 1;
  return dim;
}

/// A program under construction. The table points into it, so it outlives the
/// models made of it.
class TestModel {
public:
  TestModel() = default;
  TestModel(const TestModel &) = delete;
  TestModel &operator=(const TestModel &) = delete;

  void addInput(const char *name, int32_t type,
                std::initializer_list<txc_dim> dims) {
    inputs.push_back(tensor(name, type, dims, -1));
  }
  void addOutput(const char *name, int32_t type,
                 std::initializer_list<txc_dim> dims, int32_t arenaOffset) {
    outputs.push_back(tensor(name, type, dims, arenaOffset));
  }
  void addSymbol(const char *name, int64_t lower, int64_t upper,
                 int32_t source = TXC_SYMBOL_INPUT) {
    symbols.push_back({name, lower, upper, source, 0});
  }

  /// A kernel over values[tasks] tasks; its cost is unknown, so that workers
  /// are called whenever there is more than one task.
  txc_phase &addKernel(txc_phase_fn fn, int32_t tasks,
                       const char *nodes = "/node",
                       std::initializer_list<int64_t> record = {}) {
    txc_phase &phase = addPhase(TXC_PHASE_RUN);
    records.emplace_back(record);
    phase.fn = fn;
    phase.tasks_value = tasks;
    phase.record = records.back().data();
    phase.onnx_nodes = nodes;
    return phase;
  }
  void addJump(int32_t target) { addPhase(TXC_PHASE_JUMP).target = target; }
  void addJumpUnless(int32_t target, int32_t base, int32_t offset) {
    txc_phase &phase = addPhase(TXC_PHASE_JUMP_UNLESS);
    phase.target = target;
    phase.condition_base = base;
    phase.condition_offset_value = offset;
  }
  void addDefineSymbol(int32_t symbol, int32_t base, int32_t offset) {
    txc_phase &phase = addPhase(TXC_PHASE_DEFINE_SYMBOL);
    phase.symbol = symbol;
    phase.condition_base = base;
    phase.condition_offset_value = offset;
  }
  void addJumpUnlessPositive(int32_t target, int32_t value) {
    txc_phase &phase = addPhase(TXC_PHASE_JUMP_UNLESS_POSITIVE);
    phase.target = target;
    phase.condition_offset_value = value;
  }
  void addAssign(std::vector<int64_t> record) {
    addPhase(TXC_PHASE_ASSIGN).record =
        records.emplace_back(std::move(record)).data();
  }
  void addRequire(int64_t requirement) {
    addPhase(TXC_PHASE_REQUIRE).record =
        records.emplace_back(std::vector<int64_t>{requirement}).data();
  }

  /// The table, of everything added so far.
  const txc_model_table *table() {
    program.size = sizeof program;
    program.inputs = inputs.data();
    program.input_count = static_cast<int32_t>(inputs.size());
    program.outputs = outputs.data();
    program.output_count = static_cast<int32_t>(outputs.size());
    program.symbols = symbols.data();
    program.symbol_count = static_cast<int32_t>(symbols.size());
    program.sequences = sequences.data();
    program.sequence_count = static_cast<int32_t>(sequences.size());
    program.states = states.data();
    program.state_count = static_cast<int32_t>(states.size());
    program.requirements = requirements.data();
    program.requirement_count = static_cast<int32_t>(requirements.size());
    program.phases = phases.data();
    program.phase_count = static_cast<int32_t>(phases.size());
    return &modelTable;
  }

  std::vector<txc_sequence_desc> sequences;
  std::vector<txc_state_desc> states;
  std::vector<txc_requirement> requirements;
  txc_program program = [] {
    txc_program empty = {};
    empty.arena_bytes_value = -1;
    empty.scratch_bytes_value = -1;
    empty.target = "test";
    empty.cpu_features = "sse2";
    empty.version = "0.0";
    empty.fingerprint = 1;
    return empty;
  }();
  txc_model_table modelTable = {TXC_MODEL_MAGIC,
                                sizeof(txc_model_table),
                                TXC_ABI_VERSION,
                                1,
                                &txc_runtime_api,
                                &program,
                                "test"};

private:
  txc_tensor_desc tensor(const char *name, int32_t type,
                         std::initializer_list<txc_dim> list,
                         int32_t arenaOffset) {
    dims.emplace_back(list);
    return {
        name, dims.back().data(), type, static_cast<int32_t>(list.size()), 0,
        0,    arenaOffset,        0};
  }
  txc_phase &addPhase(txc_phase_kind kind) {
    txc_phase phase = {};
    phase.kind = kind;
    phase.tasks_value = phase.flops_value = phase.bytes_value = -1;
    phase.target = phase.condition_base = phase.condition_offset_value = -1;
    phase.symbol = -1;
    phase.kernel_name = "kernel";
    phase.onnx_nodes = "";
    phases.push_back(phase);
    return phases.back();
  }

  std::vector<txc_tensor_desc> inputs, outputs;
  std::vector<txc_symbol_desc> symbols;
  std::vector<txc_phase> phases;
  std::list<std::vector<txc_dim>> dims;
  std::list<std::vector<int64_t>> records;
};

/// Handles that close themselves; null after a failure, whose status and
/// sentence they keep.
class Model {
public:
  explicit Model(TestModel &source, const txc_open_options *options = nullptr) {
    status = txc_model_create(source.table(), options, &handle, &message);
  }
  ~Model() { txc_close(handle, nullptr); }
  Model(const Model &) = delete;
  Model &operator=(const Model &) = delete;
  operator txc_model *() const { return handle; }

  txc_message message = {};
  txc_status status = TXC_OK;

private:
  txc_model *handle = nullptr;
};

class Session {
public:
  explicit Session(txc_model *model,
                   const txc_session_options *options = nullptr) {
    status = txc_session_create(model, options, &handle, &message);
  }
  ~Session() { txc_session_destroy(handle); }
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;
  operator txc_session *() const { return handle; }
  std::string error() const { return txc_error(handle); }

  txc_message message = {};
  txc_status status = TXC_OK;

private:
  txc_session *handle = nullptr;
};

inline txc_session_options withThreads(int32_t threads) {
  txc_session_options options = txc_session_options_default();
  options.threads = threads;
  return options;
}

} // namespace txc::test

#endif // TXC_TEST_UNIT_RUNTIME_TESTMODEL_H
