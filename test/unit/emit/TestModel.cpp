//===- TestModel.cpp - A small model for tests of emission ----------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Code and tables of the model, and their emission.
///
//===----------------------------------------------------------------------===//

#include "TestModel.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace txc;
using namespace txc::testing;

const char txc::testing::addRowsCode[] = R"(
  ; record: indices into bases of weights, input and output
  define void @add_rows(ptr %ctx, ptr %record, i64 %begin, i64 %end) {
  entry:
    %bases = load ptr, ptr %ctx
    %record1 = getelementptr i64, ptr %record, i64 1
    %record2 = getelementptr i64, ptr %record, i64 2
    %wi = load i64, ptr %record
    %xi = load i64, ptr %record1
    %yi = load i64, ptr %record2
    %wp = getelementptr ptr, ptr %bases, i64 %wi
    %xp = getelementptr ptr, ptr %bases, i64 %xi
    %yp = getelementptr ptr, ptr %bases, i64 %yi
    %w = load ptr, ptr %wp
    %x = load ptr, ptr %xp
    %y = load ptr, ptr %yp
    %b = load <4 x float>, ptr %w, align 16
    %empty = icmp sge i64 %begin, %end
    br i1 %empty, label %exit, label %loop
  loop:
    %i = phi i64 [ %begin, %entry ], [ %next, %loop ]
    %from = getelementptr [4 x float], ptr %x, i64 %i
    %to = getelementptr [4 x float], ptr %y, i64 %i
    %a = load <4 x float>, ptr %from, align 4
    %sum = fadd <4 x float> %a, %b
    store <4 x float> %sum, ptr %to, align 4
    %next = add i64 %i, 1
    %more = icmp slt i64 %next, %end
    br i1 %more, label %loop, label %exit
  exit:
    ret void
  }

  ; values: n, bytes of the output, 0, 4 n
  define void @evaluate(ptr %symbols, ptr %values) {
    %n = load i64, ptr %symbols
    %bytes = mul i64 %n, 16
    %flops = mul i64 %n, 4
    store i64 %n, ptr %values
    %v1 = getelementptr i64, ptr %values, i64 1
    store i64 %bytes, ptr %v1
    %v2 = getelementptr i64, ptr %values, i64 2
    store i64 0, ptr %v2
    %v3 = getelementptr i64, ptr %values, i64 3
    store i64 %flops, ptr %v3
    ret void
  }
)";

/// The values that `evaluate` writes.
enum : int32_t { rowsValue, bytesValue, zeroValue, flopsValue, valueCount };

static TensorDescription makeTensor(const std::string &name) {
  TensorDescription tensor;
  tensor.name = name;
  DimDescription rows;
  rows.kind = TXC_DIM_SYMBOL;
  rows.text = "n";
  DimDescription columns;
  columns.value = 4;
  columns.text = "4";
  tensor.dims = {rows, columns};
  return tensor;
}

static PhaseDescription makePhase() {
  PhaseDescription phase;
  phase.function = "add_rows";
  phase.record = {TXC_BASE_WEIGHTS, TXC_BASE_FIRST_INPUT,
                  TXC_BASE_FIRST_INPUT + 1};
  phase.tasksValue = rowsValue;
  phase.flopsValue = flopsValue;
  phase.bytesValue = bytesValue;
  phase.kernelName = "add_rows_f32";
  phase.onnxNodes = "/add, /more \"quoted\"";
  return phase;
}

static void addWeights(WeightsImage &weights, float bias) {
  weights.add(
      4 * sizeof(float), "w", [bias](llvm::MutableArrayRef<char> bytes) {
        for (int i = 0; i < 4; ++i) {
          float value = bias + static_cast<float>(i);
          std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
        }
        return llvm::Error::success();
      });
  weights.add(100001, "large", [](llvm::MutableArrayRef<char> bytes) {
    for (size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<char>(i % 251);
    return llvm::Error::success();
  });
}

TestModel::TestModel(const std::string &name, float bias) {
  setCode(addRowsCode);
  description.name = name;
  description.inputs = {makeTensor("x")};
  description.outputs = {makeTensor("y")};
  description.outputs.front().arenaOffsetValue = zeroValue;
  SymbolDescription symbol;
  symbol.name = "n";
  symbol.lower = 1;
  description.symbols = {symbol};
  description.phases = {makePhase()};
  description.evaluateFunction = "evaluate";
  description.valueCount = valueCount;
  description.arenaBytesValue = bytesValue;
  description.scratchBytesValue = zeroValue;
  addWeights(weights, bias);
}

void TestModel::setCode(llvm::StringRef ir) {
  llvm::SMDiagnostic diagnostic;
  module = llvm::parseAssemblyString(ir, diagnostic, context);
  if (!module)
    diagnostic.print("test model", llvm::errs());
}

llvm::Error TestModel::emit(const std::string &folder) {
  options.outputPath = folder + "/" + description.name + ".so";
  options.headerPath = folder + "/" + description.name + ".h";
  Target parsed = llvm::cantFail(Target::parse(target));
  ProgramCode program = {std::move(module), &description, &parsed};
  return emitSharedObject(program, weights, options);
}
