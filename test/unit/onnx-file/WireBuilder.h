//===- WireBuilder.h - Writes ONNX files byte by byte -----------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Builds protobuf messages for tests, whole or broken on purpose. It shares no
/// code with the reader and knows no more of ONNX than field numbers.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_ONNX_FILE_WIREBUILDER_H
#define TXC_TEST_UNIT_ONNX_FILE_WIREBUILDER_H

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace txc::onnx {

/// A message under construction; its methods append one field each.
class Wire {
public:
  Wire &varint(uint32_t field, uint64_t value) {
    raw(field << 3 | 0);
    return raw(value);
  }
  Wire &string(uint32_t field, const std::string &contents) {
    raw(field << 3 | 2);
    raw(contents.size());
    buffer += contents;
    return *this;
  }
  Wire &message(uint32_t field, const Wire &contents) {
    return string(field, contents.buffer);
  }
  Wire &fixed32(uint32_t field, float value) {
    raw(field << 3 | 5);
    return plain(value);
  }
  Wire &fixed64(uint32_t field, double value) {
    raw(field << 3 | 1);
    return plain(value);
  }
  Wire &packed(uint32_t field, const std::vector<int64_t> &values) {
    Wire contents;
    for (int64_t value : values)
      contents.raw(static_cast<uint64_t>(value));
    return message(field, contents);
  }
  /// A varint without a tag.
  Wire &raw(uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      buffer += static_cast<char>(value | 0x80);
    buffer += static_cast<char>(value);
    return *this;
  }
  /// The bytes of a number without a tag.
  template <typename T> Wire &plain(T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    buffer.append(bytes, sizeof(T));
    return *this;
  }
  Wire &append(const Wire &other) {
    buffer += other.buffer;
    return *this;
  }

  const std::string &bytes() const { return buffer; }

private:
  std::string buffer;
};

using Names = std::vector<std::string>;

inline Wire stringPair(const std::string &key, const std::string &value) {
  return Wire().string(1, key).string(2, value);
}

/// NodeProto; its attributes are messages.
inline Wire node(const std::string &opType, const Names &inputs,
                 const Names &outputs, const std::vector<Wire> &attributes = {},
                 const std::string &name = "") {
  Wire wire;
  for (const std::string &input : inputs)
    wire.string(1, input);
  for (const std::string &output : outputs)
    wire.string(2, output);
  if (!name.empty())
    wire.string(3, name);
  wire.string(4, opType);
  for (const Wire &attribute : attributes)
    wire.message(5, attribute);
  return wire;
}

/// AttributeProto of type GRAPH.
inline Wire graphAttribute(const std::string &name, const Wire &graph) {
  return Wire().string(1, name).message(6, graph).varint(20, 5);
}

/// TensorProto without elements.
inline Wire tensor(const std::string &name, int64_t dataType,
                   const std::vector<int64_t> &dims) {
  Wire wire;
  for (int64_t dim : dims)
    wire.varint(1, static_cast<uint64_t>(dim));
  return wire.varint(2, static_cast<uint64_t>(dataType)).string(8, name);
}

/// TensorProto whose elements are external data.
inline Wire externalTensor(
    const std::string &name, int64_t dataType, const std::vector<int64_t> &dims,
    const std::vector<std::pair<std::string, std::string>> &entries) {
  Wire wire = tensor(name, dataType, dims);
  for (const auto &[key, value] : entries)
    wire.message(13, stringPair(key, value));
  return wire.varint(14, 1);
}

/// What GraphProto has, as messages.
struct GraphParts {
  std::vector<Wire> nodes;
  std::vector<Wire> initializers;
  Names inputs;
  Names outputs;
};

inline Wire graph(const GraphParts &parts) {
  Wire wire;
  for (const Wire &node : parts.nodes)
    wire.message(1, node);
  wire.string(2, "main");
  for (const Wire &initializer : parts.initializers)
    wire.message(5, initializer);
  for (const std::string &input : parts.inputs)
    wire.message(11, Wire().string(1, input));
  for (const std::string &output : parts.outputs)
    wire.message(12, Wire().string(1, output));
  return wire;
}

inline Wire opsetImport(const std::string &domain, uint64_t version) {
  return Wire().string(1, domain).varint(2, version);
}

/// ModelProto of IR version 10 with opset 21.
inline Wire model(const Wire &graph) {
  return Wire().varint(1, 10).message(7, graph).message(8, opsetImport("", 21));
}

} // namespace txc::onnx

#endif // TXC_TEST_UNIT_ONNX_FILE_WIREBUILDER_H
