//===- NodeOrder.h - Names and order of a graph's nodes ---------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Checks single assignment and brings nodes into topological order.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_NODEORDER_H
#define TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_NODEORDER_H

#include "python-free-frontend/onnx-file/OnnxModel.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

namespace txc::onnx {

/// Reorders \p nodes of \p graph (whose own list of nodes is not looked at) so
/// that producers come before users, changing nothing where that is so already.
/// A node uses its inputs and the captures of its subgraphs. Names that nothing
/// here produces are left in \p captures, in order of first use; an inner
/// producer hides an outer one.
///
/// Fails on a name with two producers and on a cycle, naming the nodes. Linear
/// in nodes and names but for a heap when the order was wrong; no recursion.
llvm::Error orderNodes(const Graph &graph, llvm::SmallVectorImpl<Node> &nodes,
                       llvm::SmallVectorImpl<llvm::StringRef> &captures);

/// Describes the first use of \p name by \p nodes or their subgraphs.
std::string describeUse(llvm::ArrayRef<Node> nodes, llvm::StringRef name);

} // namespace txc::onnx

#endif // TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_NODEORDER_H
