//===- OnnxModel.cpp - Accessors of the ONNX tree ---------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Look-ups and sizes of the structs of OnnxModel.h.
///
//===----------------------------------------------------------------------===//

#include "python-free-frontend/onnx-file/OnnxModel.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace txc::onnx;

uint64_t TensorRef::numElements() const {
  uint64_t count = 1;
  for (int64_t dim : dims)
    count *= static_cast<uint64_t>(dim);
  return count;
}

uint64_t TensorRef::denseBytes() const {
  return divideCeil(numElements() * elementTypeBits(elementType), 8);
}

const Attribute *Node::findAttribute(StringRef attrName) const {
  const auto *found = find_if(
      attributes, [&](const Attribute &attr) { return attr.name == attrName; });
  return found == attributes.end() ? nullptr : found;
}

std::optional<int64_t> Model::opsetVersion(StringRef domainName) const {
  if (domainName == "ai.onnx")
    domainName = "";
  const auto *found = find_if(opsetImports, [&](const OpsetImport &import) {
    return import.domain == domainName;
  });
  if (found == opsetImports.end())
    return std::nullopt;
  return found->version;
}

const Function *Model::findFunction(StringRef domainName,
                                    StringRef functionName,
                                    StringRef overload) const {
  if (domainName == "ai.onnx")
    domainName = "";
  const auto *found = find_if(functions, [&](const Function &function) {
    return function.domain == domainName && function.name == functionName &&
           function.overload == overload;
  });
  return found == functions.end() ? nullptr : found;
}

/// \p name without what would break a line of output or confuse a terminal.
/// Bytes from 0x80 on pass: they are UTF-8.
static std::string printable(StringRef name) {
  constexpr size_t maxLength = 120;
  std::string text;
  for (char c : name.take_front(maxLength)) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f)
      text += "\\x" + utohexstr(byte, /*LowerCase=*/true, /*Width=*/2);
    else
      text += c;
  }
  return name.size() > maxLength ? text + "…" : text;
}

std::string txc::onnx::quote(StringRef name) {
  return '"' + printable(name) + '"';
}

std::string txc::onnx::describe(const Node &node) {
  std::string name =
      node.name.empty() ? "#" + std::to_string(node.index) : quote(node.name);
  return "node " + name + " (" + printable(node.opType) + ")";
}
