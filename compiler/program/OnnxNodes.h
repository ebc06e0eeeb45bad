//===- OnnxNodes.h - which ONNX nodes an op comes from ---------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Reads the locations that the front end gives ops and that rewrites fuse.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_PROGRAM_ONNXNODES_H
#define TXC_COMPILER_PROGRAM_ONNXNODES_H

#include "mlir/IR/Location.h"

namespace txc {

struct OnnxNode {
  llvm::StringRef name;
  /// Empty for what is no node but has a name, such as a weight.
  llvm::StringRef opType;

  bool operator==(const OnnxNode &other) const {
    return name == other.name && opType == other.opType;
  }
};

/// The ONNX nodes of a location, each once.
llvm::SmallVector<OnnxNode> getOnnxNodes(mlir::Location loc);

/// Their names, separated by ", ".
std::string joinNames(llvm::ArrayRef<OnnxNode> nodes);

} // namespace txc

#endif // TXC_COMPILER_PROGRAM_ONNXNODES_H
