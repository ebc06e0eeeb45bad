//===- ModelHeader.cpp - MODEL.h --------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Generation of typed C calls.
///
//===----------------------------------------------------------------------===//

#include "compiler/emit/ModelHeader.h"

#include "compiler/emit/CIdentifiers.h"
#include "compiler/emit/ModelTable.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <map>

using namespace llvm;
using namespace txc;

static constexpr unsigned char publicHeader[] = {
#include "compiler/emit/txc.h.inc"
};

/// The C type whose array holds elements of \p type. Types that C lacks are
/// passed as their bits.
static StringRef getCType(txc_type type) {
  switch (type) {
  case TXC_FLOAT32:
    return "float";
  case TXC_FLOAT64:
    return "double";
  case TXC_INT8:
    return "int8_t";
  case TXC_INT16:
    return "int16_t";
  case TXC_INT32:
    return "int32_t";
  case TXC_INT64:
    return "int64_t";
  case TXC_UINT16:
  case TXC_FLOAT16:
  case TXC_BFLOAT16:
    return "uint16_t";
  case TXC_UINT32:
    return "uint32_t";
  case TXC_UINT64:
    return "uint64_t";
  default:
    return "uint8_t";
  }
}

/// The enumerator of txc_type.
static StringRef getTypeEnumerator(txc_type type) {
  switch (type) {
#define TXC_CASE(name)                                                         \
  case name:                                                                   \
    return #name;
    TXC_CASE(TXC_FLOAT32)
    TXC_CASE(TXC_UINT8)
    TXC_CASE(TXC_INT8)
    TXC_CASE(TXC_UINT16)
    TXC_CASE(TXC_INT16)
    TXC_CASE(TXC_INT32)
    TXC_CASE(TXC_INT64)
    TXC_CASE(TXC_STRING)
    TXC_CASE(TXC_BOOL)
    TXC_CASE(TXC_FLOAT16)
    TXC_CASE(TXC_FLOAT64)
    TXC_CASE(TXC_UINT32)
    TXC_CASE(TXC_UINT64)
    TXC_CASE(TXC_COMPLEX64)
    TXC_CASE(TXC_COMPLEX128)
    TXC_CASE(TXC_BFLOAT16)
    TXC_CASE(TXC_FLOAT8E4M3FN)
    TXC_CASE(TXC_FLOAT8E4M3FNUZ)
    TXC_CASE(TXC_FLOAT8E5M2)
    TXC_CASE(TXC_FLOAT8E5M2FNUZ)
    TXC_CASE(TXC_UINT4)
    TXC_CASE(TXC_INT4)
    TXC_CASE(TXC_FLOAT4E2M1)
    TXC_CASE(TXC_FLOAT8E8M0)
    TXC_CASE(TXC_UINT2)
    TXC_CASE(TXC_INT2)
#undef TXC_CASE
  }
  return "TXC_UINT8";
}

/// \p text as it can stand inside a comment.
static std::string makeComment(StringRef text) {
  std::string comment;
  for (char c : text) {
    if (c == '/' && StringRef(comment).ends_with("*"))
      comment += ' ';
    comment += isPrint(c) && c != '\\' ? c : '?';
  }
  return comment;
}

/// "[batch, seq, 384]"
static std::string describeDims(const TensorDescription &tensor) {
  auto texts = map_range(tensor.dims,
                         [](const DimDescription &dim) { return dim.text; });
  return makeComment("[" + join(texts, ", ") + "]");
}

namespace {

/// The parameters of NAME_run and the statements that use them.
class RunFunction {
public:
  explicit RunFunction(const ModelDescription &model);

  void print(raw_ostream &stream) const;

private:
  using DimKey = std::pair<txc_dim_kind, int64_t>;

  void addExtents(const TensorDescription &tensor);
  std::string getExtent(const DimDescription &dim) const;
  void printTensors(raw_ostream &stream, StringRef array,
                    ArrayRef<TensorDescription> tensors,
                    ArrayRef<std::string> names,
                    ArrayRef<std::string> dimNames) const;
  void printParameters(raw_ostream &stream) const;
  void printRunTimeOutputs(raw_ostream &stream, bool isAfterRun) const;

  const ModelDescription &model;
  CIdentifiers identifiers;
  struct Extent {
    std::string identifier;
    std::string text;
  };
  std::vector<Extent> extents;
  std::map<DimKey, std::string> extentOfDim;
  std::vector<std::string> inputNames;
  std::vector<std::string> outputNames;
  /// The local arrays with the inputs' dims.
  std::vector<std::string> inputDimNames;
};

} // namespace

RunFunction::RunFunction(const ModelDescription &model)
    : model(model),
      identifiers({"session", "txc_inputs", "txc_outputs", "txc_result"}) {
  for (const TensorDescription &input : model.inputs)
    addExtents(input);
  for (const TensorDescription &input : model.inputs)
    inputNames.push_back(identifiers.add(input.name));
  for (const TensorDescription &output : model.outputs)
    outputNames.push_back(identifiers.add(output.name));
  for (const std::string &name : inputNames)
    inputDimNames.push_back(identifiers.add(name + "_dims"));
}

void RunFunction::addExtents(const TensorDescription &tensor) {
  for (auto [axis, dim] : enumerate(tensor.dims)) {
    DimKey key(dim.kind, dim.value);
    if (dim.kind == TXC_DIM_CONST || extentOfDim.count(key))
      continue;
    std::string name = dim.kind == TXC_DIM_SYMBOL
                           ? model.symbols[dim.value].name
                           : tensor.name + "_dim" + std::to_string(axis);
    std::string identifier = identifiers.add(name);
    extents.push_back({identifier, dim.text});
    extentOfDim.emplace(key, identifier);
  }
}

std::string RunFunction::getExtent(const DimDescription &dim) const {
  if (dim.kind == TXC_DIM_CONST)
    return std::to_string(dim.value);
  return extentOfDim.at({dim.kind, dim.value});
}

/// Prints an array of txc_tensor, or nothing where it would be empty. Outputs
/// need no dims, and \p dimNames is empty for them.
void RunFunction::printTensors(raw_ostream &stream, StringRef array,
                               ArrayRef<TensorDescription> tensors,
                               ArrayRef<std::string> names,
                               ArrayRef<std::string> dimNames) const {
  if (tensors.empty())
    return;
  stream << "  txc_tensor " << array << "[" << tensors.size() << "];\n";
  for (auto [index, tensor] : enumerate(tensors)) {
    bool hasDims = !dimNames.empty() && !tensor.dims.empty();
    auto extents = map_range(
        tensor.dims, [&](const DimDescription &dim) { return getExtent(dim); });
    if (hasDims)
      stream << "  const int64_t " << dimNames[index] << "[] = {"
             << join(extents, ", ") << "};\n";
    stream << "  " << array << "[" << index << "] = txc_tensor_make("
           << makeCString(tensor.name) << ",\n      "
           << getTypeEnumerator(tensor.type) << ", "
           << (tensor.hasRunTimeDims ? StringRef("NULL") : names[index]) << ", "
           << (hasDims ? tensor.dims.size() : 0) << ", "
           << (hasDims ? StringRef(dimNames[index]) : "NULL") << ");\n";
  }
}

void RunFunction::printParameters(raw_ostream &stream) const {
  stream << "txc_session *session";
  for (const Extent &extent : extents) {
    stream << ",\n    int64_t " << extent.identifier;
    if (extent.identifier != extent.text)
      stream << " /* " << makeComment(extent.text) << " */";
  }
  for (auto [tensor, name] : zip(model.inputs, inputNames))
    stream << ",\n    const " << getCType(tensor.type) << " *" << name << " /* "
           << describeDims(tensor) << " */";
  for (auto [tensor, name] : zip(model.outputs, outputNames))
    stream << ",\n    "
           << (tensor.hasRunTimeDims ? "txc_tensor" : getCType(tensor.type))
           << " *" << name << " /* " << describeDims(tensor) << " */";
}

/// Outputs whose size only a run knows are the caller's txc_tensors, copied
/// before the run and back after it.
void RunFunction::printRunTimeOutputs(raw_ostream &stream,
                                      bool isAfterRun) const {
  for (auto [index, tensor] : enumerate(model.outputs)) {
    if (!tensor.hasRunTimeDims)
      continue;
    const std::string &name = outputNames[index];
    if (isAfterRun)
      stream << "  if (" << name << ")\n    *" << name << " = txc_outputs["
             << index << "];\n";
    else
      stream << "  if (" << name << ")\n    txc_outputs[" << index << "] = *"
             << name << ";\n  txc_outputs[" << index
             << "].name = " << makeCString(tensor.name) << ";\n";
  }
}

void RunFunction::print(raw_ostream &stream) const {
  bool hasRunTimeDims = any_of(
      model.outputs, [](const auto &output) { return output.hasRunTimeDims; });
  stream
      << "/// Runs the model: txc_run with its inputs and outputs in "
         "dense, row-major\n/// arrays. An output that is NULL is not "
         "wanted. Types that C lacks (float16,\n/// bfloat16, …) are passed "
         "as their bits, booleans as 0 or 1.\n"
      << (hasRunTimeDims
              ? "/// The size of some outputs depends on data: a txc_tensor, "
                "for example\n/// txc_tensor_borrow(NULL), has their dims "
                "after the run.\n"
              : "")
      << "static inline txc_status " << model.name << "_run(\n    ";
  printParameters(stream);
  stream << ") {\n";
  printTensors(stream, "txc_inputs", model.inputs, inputNames, inputDimNames);
  printTensors(stream, "txc_outputs", model.outputs, outputNames,
               /*dimNames=*/{});
  printRunTimeOutputs(stream, /*isAfterRun=*/false);
  stream << (hasRunTimeDims ? "  txc_status txc_result =" : "  return")
         << " txc_run(session, "
         << (model.inputs.empty() ? "NULL" : "txc_inputs") << ", "
         << model.inputs.size() << ", "
         << (model.outputs.empty() ? "NULL" : "txc_outputs") << ", "
         << model.outputs.size() << ");\n";
  printRunTimeOutputs(stream, /*isAfterRun=*/true);
  stream << (hasRunTimeDims ? "  return txc_result;\n}\n" : "}\n");
}

std::string txc::makeModelHeader(const ModelDescription &description,
                                 StringRef target) {
  const std::string &name = description.name;
  std::string text;
  raw_string_ostream stream(text);
  stream << "// " << name << ": a model compiled by txc " << getTxcVersion()
         << " for " << target << ".\n"
         << "// Holds all of txc.h and, behind it, calls with the model's own "
            "names.\n\n"
         << toStringRef(ArrayRef(publicHeader)) << "\n"
         << "#ifndef TXC_MODEL_" << name << "\n#define TXC_MODEL_" << name
         << "\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
         << "/// The model's table, for applications that link the model.\n"
         << "extern const txc_model_table " << getModelSymbol(description)
         << ";\n\n"
         << "/// Makes the model that is linked into the application; see "
            "txc_model_create.\n"
         << "static inline txc_status " << name
         << "_open(const txc_open_options *options,\n"
            "    txc_model **model, txc_message *message) {\n"
         << "  return txc_model_create(&" << getModelSymbol(description)
         << ", options, model, message);\n}\n\n";
  RunFunction(description).print(stream);
  stream << "\n#ifdef __cplusplus\n}\n#endif\n\n#endif // TXC_MODEL_" << name
         << "\n";
  return text;
}
