//===- onnx_file_fuzzer.cpp - Fuzz target of the ONNX file layer *- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Scans the input as an ONNX file and, where it is one, checks what OnnxFile.h
/// promises of a model and reads all its tensors. A broken promise traps.
///
//===----------------------------------------------------------------------===//

#include "python-free-frontend/onnx-file/OnnxFile.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace txc::onnx;

static void require(bool holds) {
  if (!holds)
    __builtin_trap();
}

namespace {
class ModelChecker {
public:
  explicit ModelChecker(const OnnxFile &file) : file(file) {}

  void check(const Model &model) {
    check(model.graph);
    require(model.graph.captures.empty());
    for (const Function &function : model.functions) {
      llvm::DenseSet<llvm::StringRef> known(function.inputs.begin(),
                                            function.inputs.end());
      check(function.nodes, known);
      for (llvm::StringRef output : function.outputs)
        require(known.contains(output));
    }
  }

private:
  void check(const Graph &graph) {
    llvm::DenseSet<llvm::StringRef> known(graph.captures.begin(),
                                          graph.captures.end());
    for (const ValueInfo &input : graph.inputs)
      known.insert(input.name);
    for (const TensorRef &tensor : graph.initializers) {
      check(tensor);
      known.insert(tensor.name);
    }
    for (const SparseTensor &tensor : graph.sparseInitializers) {
      check(tensor);
      known.insert(tensor.values.name);
    }
    check(graph.nodes, known);
    for (const ValueInfo &output : graph.outputs)
      require(known.contains(output.name));
  }

  /// Every name is produced before it is used.
  void check(llvm::ArrayRef<Node> nodes,
             llvm::DenseSet<llvm::StringRef> &known) {
    for (const Node &node : nodes) {
      for (llvm::StringRef input : node.inputs)
        require(input.empty() || known.contains(input));
      for (const Attribute &attribute : node.attributes)
        check(attribute, known);
      for (llvm::StringRef output : node.outputs)
        require(output.empty() || known.insert(output).second);
    }
  }

  void check(const Attribute &attribute,
             const llvm::DenseSet<llvm::StringRef> &known) {
    if (attribute.tensor)
      check(*attribute.tensor);
    for (const TensorRef *tensor : attribute.tensors)
      check(*tensor);
    if (attribute.sparseTensor)
      check(*attribute.sparseTensor);
    for (const SparseTensor *tensor : attribute.sparseTensors)
      check(*tensor);
    llvm::SmallVector<const Graph *> graphs(attribute.graphs);
    if (attribute.graph)
      graphs.push_back(attribute.graph);
    for (const Graph *graph : graphs) {
      for (llvm::StringRef capture : graph->captures)
        require(known.contains(capture));
      check(*graph);
    }
  }

  void check(const SparseTensor &tensor) {
    check(tensor.values);
    check(tensor.indices);
  }

  void check(const TensorRef &tensor) {
    llvm::Expected<TensorData> data = file.read(tensor);
    if (!data)
      return llvm::consumeError(data.takeError());
    require(data->bytes().size() == tensor.denseBytes());
    // The sanitizer sees a view that leaves its file.
    uint8_t sum = 0;
    for (uint8_t byte : data->bytes())
      sum ^= byte;
    volatile uint8_t use = sum;
    (void)use;
  }

  const OnnxFile &file;
};
} // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef bytes(reinterpret_cast<const char *>(data), size);
  llvm::Expected<std::unique_ptr<OnnxFile>> file =
      OnnxFile::parse({bytes, "input"});
  if (file) {
    ModelChecker(**file).check((*file)->model());
    return 0;
  }
  // One line, and not as long as the input can make it.
  std::string message = llvm::toString(file.takeError());
  require(!message.empty() && message.size() < 20000 &&
          !llvm::StringRef(message).contains('\n'));
  return 0;
}
