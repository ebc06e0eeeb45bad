//===- ModelDescription.h - What a compiled model is ------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// All that the code generator tells about a model besides its code: what the
/// runtime's program (runtime/abi.h) says, with names of LLVM functions in the
/// place of pointers. Plain data; it refers to no IR.
///
/// "Value" fields are indices into the values that the shape program computes
/// from the symbols; -1 stands for none. Types are those of ONNX's
/// TensorProto.DataType.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_EMIT_MODELDESCRIPTION_H
#define TXC_COMPILER_EMIT_MODELDESCRIPTION_H

#include "runtime/abi.h"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace txc {

/// One axis at the model's interface.
struct DimDescription {
  txc_dim_kind kind = TXC_DIM_CONST;
  /// The extent, the index of a symbol, or a value.
  int64_t value = 0;
  /// It depends on a symbol that is known only while running.
  bool runTime = false;
  /// The dim as people read it: "384", "seq", "past + seq".
  std::string text;
};

struct TensorDescription {
  std::string name;
  txc_type type = TXC_FLOAT32;
  std::vector<DimDescription> dims;
  /// The elements of an integer input that is used as an index have to be in
  /// [low, high). Equal: nothing is known.
  int64_t low = 0;
  int64_t high = 0;
  /// Output: value with its offset in the arena when it is borrowed.
  int32_t arenaOffsetValue = -1;
  /// Output: a dim depends on data, so nobody knows its size before a run.
  bool hasRunTimeDims = false;
};

struct SymbolDescription {
  std::string name;
  int64_t lower = 0;
  int64_t upper = std::numeric_limits<int64_t>::max();
  txc_symbol_source source = TXC_SYMBOL_INPUT;
};

/// A length of state; see txc_sequence_desc.
struct SequenceDescription {
  std::string name;
  int32_t lengthSymbol = -1;
  int32_t capacitySymbol = -1;
  int32_t newLengthValue = -1;
  int32_t rowsValue = -1;
  bool ragged = false;
};

/// A buffer of state and its stored form; see txc_state_desc.
struct StateDescription {
  std::string name;
  txc_type type = TXC_FLOAT32;
  std::vector<DimDescription> dims;
  int32_t rowAxis = -1;
  int32_t sequenceAxis = 0;
  int32_t sequence = 0;
  int64_t outer = 1;
  int64_t block = 1;
  int64_t positionBytes = 0;
};

/// A relation that has to hold before a run; see txc_requirement.
struct RequirementDescription {
  int32_t lhsValue = -1;
  int32_t rhsValue = -1;
  txc_relation relation = TXC_RELATION_EQ;
  int32_t symbol = -1;
  std::string sentence;
};

/// How a phase runs on a GPU; see txc_launch.
struct LaunchDescription {
  int32_t kernel = 0;
  int32_t numBuffers = 0;
  int32_t numValues = 0;
  std::array<int32_t, 3> gridValues = {};
  bool reportsFaults = false;
};

/// A buffer of a phase on the CPU; see txc_transfer.
struct TransferDescription {
  int32_t base = 0;
  int32_t offsetValue = 0;
  int32_t bytesValue = 0;
  bool isResult = false;
};

/// One step of the program; see txc_phase.
struct PhaseDescription {
  txc_phase_kind kind = TXC_PHASE_RUN;
  /// Name of a function in the model's LLVM module with the type
  /// txc_phase_fn. Empty unless the kind is TXC_PHASE_RUN on the CPU.
  std::string function;
  /// In the program of a GPU: how it runs there, or what it copies.
  std::optional<LaunchDescription> launch;
  std::vector<TransferDescription> transfers;
  std::vector<int64_t> record;
  int32_t tasksValue = -1;
  int32_t flopsValue = -1;
  int32_t bytesValue = -1;
  int32_t target = -1;
  int32_t conditionBase = -1;
  int32_t conditionOffsetValue = -1;
  int32_t symbol = -1;
  std::string kernelName;
  /// Names of ONNX nodes, separated by ", ".
  std::string onnxNodes;
};

struct GpuKernelDescription {
  std::string name;
  int64_t threads = 0;
};

/// The code of a program for a GPU; see txc_gpu_program.
struct GpuDescription {
  unsigned sm = 0;
  std::string ptx;
  /// The same as machine code for `sm`; empty: there is none.
  std::string cubin;
  std::vector<GpuKernelDescription> kernels;
};

struct ModelDescription {
  /// The C prefix: a C identifier. The model exports NAME_txc_model.
  std::string name;
  std::vector<TensorDescription> inputs;
  std::vector<TensorDescription> outputs;
  std::vector<SymbolDescription> symbols;
  std::vector<SequenceDescription> sequences;
  std::vector<StateDescription> states;
  std::vector<RequirementDescription> requirements;
  std::vector<PhaseDescription> phases;
  /// Name of the LLVM function `void (ptr symbols, ptr values)` that evaluates
  /// the shape program.
  std::string evaluateFunction;
  int32_t valueCount = 0;
  int32_t arenaBytesValue = -1;
  int32_t scratchBytesValue = -1;
  std::optional<GpuDescription> gpu;
};

} // namespace txc

#endif // TXC_COMPILER_EMIT_MODELDESCRIPTION_H
