//===- ModelTableTest.cpp - Tables as the runtime reads them --------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Emits a model whose description uses every field, loads it, and reads the
/// tables back through the C structs of runtime/abi.h. Every number differs, so
/// a field in the wrong place can't go unnoticed.
///
//===----------------------------------------------------------------------===//

#include "EmitTesting.h"
#include "TestModel.h"

#include "compiler/emit/ModelTable.h"
#include "runtime/abi.h"

#include "gtest/gtest.h"

using namespace txc;
using namespace txc::testing;

namespace {

DimDescription makeDim(txc_dim_kind kind, int64_t value,
                       const std::string &text, bool runTime = false) {
  DimDescription dim;
  dim.kind = kind;
  dim.value = value;
  dim.text = text;
  dim.runTime = runTime;
  return dim;
}

void describeState(ModelDescription &model) {
  SequenceDescription sequence;
  sequence.name = "self";
  sequence.lengthSymbol = 1;
  sequence.capacitySymbol = 2;
  sequence.newLengthValue = 11;
  sequence.rowsValue = 12;
  sequence.ragged = true;
  model.sequences = {sequence};
  StateDescription state;
  state.name = "keys.0";
  state.type = TXC_BFLOAT16;
  state.dims = {makeDim(TXC_DIM_CONST, 5, "5"),
                makeDim(TXC_DIM_SYMBOL, 2, "capacity")};
  state.rowAxis = 0;
  state.sequenceAxis = 1;
  state.sequence = 0;
  state.outer = 13;
  state.block = 16;
  state.positionBytes = 128;
  model.states = {state};
}

void describeControlFlow(ModelDescription &model) {
  RequirementDescription requirement;
  requirement.lhsValue = 14;
  requirement.rhsValue = 15;
  requirement.relation = TXC_RELATION_NE;
  requirement.symbol = 3;
  requirement.sentence = "node \"r\": must differ";
  model.requirements = {requirement};
  PhaseDescription jump;
  jump.kind = TXC_PHASE_JUMP_UNLESS;
  jump.target = 2;
  jump.conditionBase = TXC_BASE_ARENA;
  jump.conditionOffsetValue = 16;
  PhaseDescription define;
  define.kind = TXC_PHASE_DEFINE_SYMBOL;
  define.conditionBase = TXC_BASE_FIRST_INPUT;
  define.conditionOffsetValue = 17;
  define.symbol = 3;
  model.phases.push_back(jump);
  model.phases.push_back(define);
}

/// The model of TestModel.h with an example of everything.
void describeAll(ModelDescription &model) {
  model.valueCount = 30;
  model.arenaBytesValue = 20;
  model.scratchBytesValue = 21;
  model.symbols[0].upper = 512;
  for (const char *name : {"length", "capacity", "count"}) {
    SymbolDescription symbol;
    symbol.name = name;
    symbol.source = static_cast<txc_symbol_source>(model.symbols.size());
    model.symbols.push_back(symbol);
  }
  TensorDescription ids;
  ids.name = "ids";
  ids.type = TXC_INT64;
  ids.dims = {makeDim(TXC_DIM_VALUE, 18, "2 * n")};
  ids.low = -30;
  ids.high = 40;
  model.inputs.push_back(ids);
  model.outputs[0].dims[0] = makeDim(TXC_DIM_SYMBOL, 3, "count", true);
  model.outputs[0].arenaOffsetValue = 19;
  model.phases[0].tasksValue = 22;
  model.phases[0].flopsValue = 23;
  model.phases[0].bytesValue = 24;
  describeState(model);
  describeControlFlow(model);
}

class ModelTable : public ::testing::Test {
protected:
  void SetUp() override {
    TestModel model("all");
    describeAll(model.description);
    llvm::Error error = model.emit(folder.getPath(""));
    ASSERT_FALSE(error) << llvm::toString(std::move(error));
    library.emplace(folder.getPath("all.so"));
    table = library->get<const txc_model_table>("all_txc_model");
    program = table->program;
    weights = model.weights.getSize();
  }

  TestFolder folder;
  std::optional<Library> library;
  const txc_model_table *table = nullptr;
  const struct txc_program *program = nullptr;
  uint64_t weights = 0;
};

TEST_F(ModelTable, HasAHead) {
  EXPECT_EQ(table->magic, TXC_MODEL_MAGIC);
  EXPECT_EQ(table->size, sizeof(txc_model_table));
  EXPECT_EQ(table->version, TXC_ABI_VERSION);
  EXPECT_EQ(table->min_reader, TXC_ABI_VERSION);
  EXPECT_EQ(table->api->size, sizeof(txc_api));
  EXPECT_STREQ(table->name, "all");
}

TEST_F(ModelTable, HasAProgram) {
  EXPECT_EQ(program->size, sizeof(struct txc_program));
  EXPECT_EQ(program->input_count, 2);
  EXPECT_EQ(program->output_count, 1);
  EXPECT_EQ(program->symbol_count, 4);
  EXPECT_EQ(program->sequence_count, 1);
  EXPECT_EQ(program->state_count, 1);
  EXPECT_EQ(program->requirement_count, 1);
  EXPECT_EQ(program->phase_count, 3);
  EXPECT_EQ(program->value_count, 30);
  EXPECT_EQ(program->arena_bytes_value, 20);
  EXPECT_EQ(program->scratch_bytes_value, 21);
  EXPECT_STREQ(program->target, "x86-64");
  EXPECT_STREQ(program->cpu_features, "");
  EXPECT_EQ(program->version, getTxcVersion());
  EXPECT_NE(program->fingerprint, 0u);
  int64_t symbols[] = {6, 0, 0, 0};
  int64_t values[30] = {};
  program->evaluate(symbols, values);
  EXPECT_EQ(values[1], 96);
}

TEST_F(ModelTable, DescribesTensors) {
  const txc_tensor_desc &ids = program->inputs[1];
  EXPECT_STREQ(ids.name, "ids");
  EXPECT_EQ(ids.type, TXC_INT64);
  EXPECT_EQ(ids.rank, 1);
  EXPECT_EQ(ids.dims[0].kind, TXC_DIM_VALUE);
  EXPECT_EQ(ids.dims[0].value, 18);
  EXPECT_STREQ(ids.dims[0].text, "2 * n");
  EXPECT_EQ(ids.low, -30);
  EXPECT_EQ(ids.high, 40);
  EXPECT_EQ(ids.arena_offset_value, -1);
  const txc_tensor_desc &output = program->outputs[0];
  EXPECT_STREQ(output.name, "y");
  EXPECT_EQ(output.rank, 2);
  EXPECT_EQ(output.dims[0].kind, TXC_DIM_SYMBOL);
  EXPECT_EQ(output.dims[0].run_time, 1);
  EXPECT_EQ(output.dims[0].value, 3);
  EXPECT_EQ(output.dims[1].run_time, 0);
  EXPECT_EQ(output.dims[1].value, 4);
  EXPECT_EQ(output.arena_offset_value, 19);
}

TEST_F(ModelTable, DescribesSymbols) {
  EXPECT_STREQ(program->symbols[0].name, "n");
  EXPECT_EQ(program->symbols[0].lower, 1);
  EXPECT_EQ(program->symbols[0].upper, 512);
  EXPECT_STREQ(program->symbols[3].name, "count");
  EXPECT_EQ(program->symbols[3].upper, INT64_MAX);
  EXPECT_EQ(program->symbols[3].source, TXC_SYMBOL_RUN_TIME);
}

TEST_F(ModelTable, DescribesState) {
  const txc_sequence_desc &sequence = program->sequences[0];
  EXPECT_STREQ(sequence.name, "self");
  EXPECT_EQ(sequence.length_symbol, 1);
  EXPECT_EQ(sequence.capacity_symbol, 2);
  EXPECT_EQ(sequence.new_length_value, 11);
  EXPECT_EQ(sequence.rows_value, 12);
  EXPECT_EQ(sequence.ragged, 1);
  const txc_state_desc &state = program->states[0];
  EXPECT_STREQ(state.name, "keys.0");
  EXPECT_STREQ(state.dims[1].text, "capacity");
  EXPECT_EQ(state.type, TXC_BFLOAT16);
  EXPECT_EQ(state.rank, 2);
  EXPECT_EQ(state.row_axis, 0);
  EXPECT_EQ(state.sequence_axis, 1);
  EXPECT_EQ(state.sequence, 0);
  EXPECT_EQ(state.outer, 13);
  EXPECT_EQ(state.block, 16);
  EXPECT_EQ(state.position_bytes, 128);
}

TEST_F(ModelTable, DescribesPhases) {
  const txc_phase &run = program->phases[0];
  EXPECT_EQ(run.kind, TXC_PHASE_RUN);
  EXPECT_NE(run.fn, nullptr);
  EXPECT_EQ(run.record[0], TXC_BASE_WEIGHTS);
  EXPECT_EQ(run.record[2], TXC_BASE_FIRST_INPUT + 1);
  EXPECT_EQ(run.tasks_value, 22);
  EXPECT_EQ(run.flops_value, 23);
  EXPECT_EQ(run.bytes_value, 24);
  EXPECT_EQ(run.target, -1);
  EXPECT_STREQ(run.kernel_name, "add_rows_f32");
  EXPECT_STREQ(run.onnx_nodes, "/add, /more \"quoted\"");
  const txc_phase &jump = program->phases[1];
  EXPECT_EQ(jump.kind, TXC_PHASE_JUMP_UNLESS);
  EXPECT_EQ(jump.fn, nullptr);
  EXPECT_EQ(jump.record, nullptr);
  EXPECT_EQ(jump.target, 2);
  EXPECT_EQ(jump.condition_base, TXC_BASE_ARENA);
  EXPECT_EQ(jump.condition_offset_value, 16);
  EXPECT_EQ(jump.symbol, -1);
  const txc_phase &define = program->phases[2];
  EXPECT_EQ(define.kind, TXC_PHASE_DEFINE_SYMBOL);
  EXPECT_EQ(define.condition_base, TXC_BASE_FIRST_INPUT);
  EXPECT_EQ(define.condition_offset_value, 17);
  EXPECT_EQ(define.symbol, 3);
}

TEST_F(ModelTable, DescribesRequirements) {
  const txc_requirement &requirement = program->requirements[0];
  EXPECT_EQ(requirement.lhs_value, 14);
  EXPECT_EQ(requirement.rhs_value, 15);
  EXPECT_EQ(requirement.relation, TXC_RELATION_NE);
  EXPECT_EQ(requirement.symbol, 3);
  EXPECT_STREQ(requirement.sentence, "node \"r\": must differ");
}

TEST_F(ModelTable, DescribesWeights) {
  const txc_weights_desc *desc = program->weights;
  EXPECT_EQ(desc->file, nullptr);
  EXPECT_EQ(desc->size, weights);
  EXPECT_EQ(desc->tensors, 2);
  const char *bytes = reinterpret_cast<const char *>(desc) + desc->offset;
  EXPECT_EQ(desc->checksum, txc_checksum(TXC_CHECKSUM_SEED, bytes, desc->size));
  float first;
  std::memcpy(&first, bytes, sizeof first);
  EXPECT_EQ(first, 10.0F);
}

/// Weights count: state of one fine-tuned model must not enter another.
TEST_F(ModelTable, HasTheFingerprintOfCodeAndWeights) {
  auto getFingerprint = [&](float bias) {
    TestModel model("other", bias);
    llvm::cantFail(model.emit(folder.getPath("")));
    Library other(folder.getPath("other.so"));
    return other.get<const txc_model_table>("other_txc_model")
        ->program->fingerprint;
  };
  EXPECT_EQ(getFingerprint(1.0F), getFingerprint(1.0F));
  EXPECT_NE(getFingerprint(1.0F), getFingerprint(2.0F));
  EXPECT_NE(getFingerprint(10.0F), program->fingerprint);
}

} // namespace
