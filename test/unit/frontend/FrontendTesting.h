//===- FrontendTesting.h - Small ONNX models for tests ----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Models written byte by byte, and what the importer makes of them as text.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_FRONTEND_FRONTENDTESTING_H
#define TXC_TEST_UNIT_FRONTEND_FRONTENDTESTING_H

#include "dialects/tx/Tx.h"
#include "mlir/IR/MLIRContext.h"
#include "python-free-frontend/ImportOnnx.h"
#include "test/unit/onnx-file/WireBuilder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace txc::frontend {

using onnx::Names;
using onnx::Wire;

constexpr int64_t kFloat = 1, kInt64 = 7, kString = 8, kBool = 9;

/// ValueInfoProto of a tensor. A dim is a number, a name, or "?".
inline Wire value(const std::string &name, int64_t type, const Names &dims) {
  Wire shape;
  for (const std::string &dim : dims) {
    int64_t size;
    if (!llvm::StringRef(dim).getAsInteger(10, size))
      shape.message(1, Wire().varint(1, static_cast<uint64_t>(size)));
    else
      shape.message(1, dim == "?" ? Wire() : Wire().string(2, dim));
  }
  Wire tensor = Wire().varint(1, static_cast<uint64_t>(type)).message(2, shape);
  return Wire().string(1, name).message(2, Wire().message(1, tensor));
}

inline Wire intAttribute(const std::string &name, int64_t number) {
  return Wire()
      .string(1, name)
      .varint(3, static_cast<uint64_t>(number))
      .varint(20, 2);
}

inline Wire intsAttribute(const std::string &name,
                          const std::vector<int64_t> &numbers) {
  return Wire().string(1, name).packed(8, numbers).varint(20, 7);
}

inline Wire ints(const std::string &name, const std::vector<int64_t> &values) {
  return onnx::tensor(name, kInt64, {static_cast<int64_t>(values.size())})
      .packed(7, values);
}

/// Zeros.
inline Wire floats(const std::string &name, const std::vector<int64_t> &dims) {
  size_t count = 1;
  for (int64_t dim : dims)
    count *= static_cast<size_t>(dim);
  return onnx::tensor(name, kFloat, dims).string(9, std::string(4 * count, 0));
}

/// GraphProto.
struct TestGraph {
  std::vector<Wire> nodes, inputs, initializers;
  Names outputs;
  /// Behind those that only have a name.
  std::vector<Wire> typedOutputs;

  Wire wire() const {
    Wire result;
    for (const Wire &node : nodes)
      result.message(1, node);
    result.string(2, "main");
    for (const Wire &initializer : initializers)
      result.message(5, initializer);
    for (const Wire &input : inputs)
      result.message(11, input);
    for (const std::string &output : outputs)
      result.message(12, Wire().string(1, output));
    for (const Wire &output : typedOutputs)
      result.message(12, output);
    return result;
  }
};

/// An imported model, or why it was refused.
class Imported {
public:
  /// \p rest is appended to the model's bytes. The context, if not given, is
  /// one of its own.
  explicit Imported(const TestGraph &graph, const ImportOptions &options = {},
                    const Wire &rest = {}, mlir::MLIRContext *context = nullptr)
      : bytes(onnx::model(graph.wire()).append(rest).bytes()) {
    auto parsed = onnx::OnnxFile::parse({bytes, "m.onnx"});
    if (!parsed) {
      ADD_FAILURE() << llvm::toString(parsed.takeError());
      return;
    }
    auto result = importOnnx(context ? *context : ownContext,
                             std::move(*parsed), options, weights, problems);
    if (succeeded(result))
      module = std::move(*result);
  }

  /// The module, or the problems, a line each.
  std::string text() {
    std::string result;
    llvm::raw_string_ostream os(result);
    if (module)
      module->print(os);
    for (const ImportProblem &problem : problems)
      os << formatProblem("m.onnx", problem) << "\n";
    return result;
  }

  mlir::MLIRContext ownContext{mlir::MLIRContext::Threading::DISABLED};
  std::string bytes;
  WeightStore weights;
  std::vector<ImportProblem> problems;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace txc::frontend

#endif // TXC_TEST_UNIT_FRONTEND_FRONTENDTESTING_H
