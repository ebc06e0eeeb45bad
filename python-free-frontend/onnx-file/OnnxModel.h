//===- OnnxModel.h - An ONNX model without its weights' bytes ---*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The tree that OnnxFile builds: ONNX's messages (onnx.proto, IR version 14)
/// as plain structs, where a tensor is a handle to bytes that stay in the file.
///
/// All of it is immutable and owned by the OnnxFile it came from: arrays and
/// nested structs live in that object's arena, strings point into its mapped
/// file. Strings are bytes as found; ONNX says UTF-8 but nothing checks it.
///
/// Domains are normalized: "ai.onnx" reads as "", its other spelling.
///
/// Left out because nothing in a compiler for inference reads them:
/// training_info, device configurations, and doc strings below the model.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_ONNXMODEL_H
#define TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_ONNXMODEL_H

#include "python-free-frontend/onnx-file/ElementType.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>
#include <string>

namespace txc::onnx {

struct Graph;

/// One entry of a metadata_props list.
struct StringPair {
  llvm::StringRef key;
  llvm::StringRef value;
};

/// A tensor whose elements stay where they are. Made only after its sizes were
/// checked: elements times bits per element is what the payload holds.
struct TensorRef {
  enum class Encoding : uint8_t {
    /// [offset, offset + length) of `file` are the dense little-endian bytes.
    Dense,
    /// [offset, offset + length) of `file` are the TensorProto message; its
    /// elements are varints or scattered in it and must be decoded.
    Typed,
  };

  llvm::StringRef name;
  llvm::ArrayRef<int64_t> dims;
  /// Never Undefined. String tensors have a handle, but can't be read.
  ElementType elementType = ElementType::Undefined;
  Encoding encoding = Encoding::Dense;
  /// 0 is the model itself, others are external data; see OnnxFile::filePath.
  uint32_t file = 0;
  uint64_t offset = 0;
  uint64_t length = 0;
  llvm::ArrayRef<StringPair> metadata;

  /// The product of `dims`; 1 for a scalar.
  uint64_t numElements() const;
  /// Bytes of the dense form: elements * bits / 8, rounded up.
  uint64_t denseBytes() const;
};

/// COO form: `values` has N elements, `indices` (of type Int64) are [N] into
/// the flattened tensor or [N, rank]. Their values are not checked: that reads.
struct SparseTensor {
  TensorRef values;
  TensorRef indices;
  llvm::ArrayRef<int64_t> dims;
};

/// One axis of a value's shape. Neither value nor name: an unknown extent.
/// A negative dim_value, which some exporters write for "unknown", reads so.
struct Dim {
  std::optional<int64_t> value;
  llvm::StringRef param;
  llvm::StringRef denotation;
};

struct Type {
  enum class Kind : uint8_t {
    None,
    Tensor,
    SparseTensor,
    Sequence,
    Map,
    Optional,
    Opaque,
  };
  Kind kind = Kind::None;
  /// Tensor and SparseTensor: Undefined when the file does not say.
  ElementType elementType = ElementType::Undefined;
  /// Tensor and SparseTensor: whether the rank is known (rank 0 is a scalar).
  bool hasShape = false;
  llvm::ArrayRef<Dim> dims;
  /// Sequence and Optional: the element; Map: the value.
  const Type *element = nullptr;
  /// Map only.
  ElementType keyType = ElementType::Undefined;
};

struct ValueInfo {
  llvm::StringRef name;
  Type type;
  llvm::ArrayRef<StringPair> metadata;
};

struct Attribute {
  /// Numbers of AttributeProto.AttributeType.
  enum class Kind : uint8_t {
    Undefined = 0,
    Float = 1,
    Int = 2,
    String = 3,
    Tensor = 4,
    Graph = 5,
    Floats = 6,
    Ints = 7,
    Strings = 8,
    Tensors = 9,
    Graphs = 10,
    SparseTensor = 11,
    SparseTensors = 12,
    TypeProto = 13,
    TypeProtos = 14,
  };

  llvm::StringRef name;
  /// Which of the fields below counts. Inferred where the file has no type, as
  /// in IR versions 1 and 2. Undefined only in a function's attribute that has
  /// a name but no default, and in a reference without a type.
  Kind kind = Kind::Undefined;
  /// Inside a function: the name of the function's attribute to take instead.
  llvm::StringRef refAttrName;

  float f = 0;
  int64_t i = 0;
  llvm::StringRef s;
  /// Set for their kind, else null.
  const TensorRef *tensor = nullptr;
  const Graph *graph = nullptr;
  const SparseTensor *sparseTensor = nullptr;
  const Type *type = nullptr;
  llvm::ArrayRef<float> floats;
  llvm::ArrayRef<int64_t> ints;
  llvm::ArrayRef<llvm::StringRef> strings;
  llvm::ArrayRef<const TensorRef *> tensors;
  llvm::ArrayRef<const Graph *> graphs;
  llvm::ArrayRef<const SparseTensor *> sparseTensors;
  llvm::ArrayRef<const Type *> types;
};

struct Node {
  llvm::StringRef name;
  llvm::StringRef opType;
  llvm::StringRef domain;
  llvm::StringRef overload;
  /// An empty name is an optional input or output that is not there.
  llvm::ArrayRef<llvm::StringRef> inputs;
  llvm::ArrayRef<llvm::StringRef> outputs;
  llvm::ArrayRef<Attribute> attributes;
  llvm::ArrayRef<StringPair> metadata;
  /// The position in the file's node list, for messages about nameless nodes.
  uint32_t index = 0;

  /// The attribute called \p attrName, or null.
  const Attribute *findAttribute(llvm::StringRef attrName) const;
};

/// ONNX's quantization_annotation of one tensor: roles ("SCALE_TENSOR",
/// "ZERO_POINT_TENSOR") to names of initializers.
struct TensorAnnotation {
  llvm::StringRef tensorName;
  llvm::ArrayRef<StringPair> parameters;
};

/// A graph in single-assignment form: every name has one producer, and every
/// name used is produced here or is listed in `captures`.
struct Graph {
  llvm::StringRef name;
  /// In topological order, which is the file's own order where that is one.
  llvm::ArrayRef<Node> nodes;
  llvm::ArrayRef<TensorRef> initializers;
  llvm::ArrayRef<SparseTensor> sparseInitializers;
  /// As in the file: an initializer that is listed here too is a default the
  /// caller may override (IR version 3: must be listed, and is a constant to
  /// most runtimes).
  llvm::ArrayRef<ValueInfo> inputs;
  llvm::ArrayRef<ValueInfo> outputs;
  llvm::ArrayRef<ValueInfo> valueInfo;
  llvm::ArrayRef<TensorAnnotation> quantization;
  llvm::ArrayRef<StringPair> metadata;
  /// Names that this graph or its subgraphs take from an enclosing graph, in
  /// order of first use. Empty for the main graph.
  llvm::ArrayRef<llvm::StringRef> captures;
};

struct OpsetImport {
  llvm::StringRef domain;
  int64_t version = 0;
};

/// A function the model defines; (domain, name, overload) is its identity.
struct Function {
  llvm::StringRef name;
  llvm::StringRef domain;
  llvm::StringRef overload;
  llvm::ArrayRef<llvm::StringRef> inputs;
  llvm::ArrayRef<llvm::StringRef> outputs;
  /// Attributes a call must give, by name, and those that have a default.
  llvm::ArrayRef<llvm::StringRef> requiredAttributes;
  llvm::ArrayRef<Attribute> defaultAttributes;
  /// In topological order.
  llvm::ArrayRef<Node> nodes;
  llvm::ArrayRef<OpsetImport> opsetImports;
  llvm::ArrayRef<ValueInfo> valueInfo;
  llvm::ArrayRef<StringPair> metadata;
};

struct Model {
  int64_t irVersion = 0;
  llvm::StringRef producerName;
  llvm::StringRef producerVersion;
  llvm::StringRef domain;
  int64_t modelVersion = 0;
  llvm::StringRef docString;
  llvm::ArrayRef<OpsetImport> opsetImports;
  llvm::ArrayRef<StringPair> metadata;
  llvm::ArrayRef<Function> functions;
  Graph graph;

  /// The imported version of \p domainName ("" or "ai.onnx" for the default
  /// one), or nothing.
  std::optional<int64_t> opsetVersion(llvm::StringRef domainName) const;
  /// The model's own function that a node of these names calls, or null.
  const Function *findFunction(llvm::StringRef domainName,
                               llvm::StringRef functionName,
                               llvm::StringRef overload) const;
};

/// \p name in quotes for a message: at most 120 bytes of it, and no control
/// characters, which names in damaged files have.
std::string quote(llvm::StringRef name);

/// How messages name a node: `node "/layer.0/MatMul" (MatMul)`, or
/// `node #12 (MatMul)` for a nameless one.
std::string describe(const Node &node);

} // namespace txc::onnx

#endif // TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_ONNXMODEL_H
