//===- OnnxNodes.cpp - which ONNX nodes an op comes from -----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/program/OnnxNodes.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace txc;

static void collectNodes(Location loc, SetVector<NameLoc> &nodes) {
  if (auto name = dyn_cast<NameLoc>(loc)) {
    nodes.insert(name);
  } else if (auto fused = dyn_cast<FusedLoc>(loc)) {
    for (Location inner : fused.getLocations())
      collectNodes(inner, nodes);
  } else if (auto call = dyn_cast<CallSiteLoc>(loc)) {
    collectNodes(call.getCallee(), nodes);
  }
}

SmallVector<OnnxNode> txc::getOnnxNodes(Location loc) {
  SetVector<NameLoc> locations;
  collectNodes(loc, locations);
  SmallVector<OnnxNode> nodes;
  for (NameLoc location : locations) {
    auto op = dyn_cast<NameLoc>(location.getChildLoc());
    nodes.push_back({location.getName(), op ? op.getName() : StringRef()});
  }
  return nodes;
}

std::string txc::joinNames(ArrayRef<OnnxNode> nodes) {
  return llvm::join(
      llvm::map_range(nodes, [](const OnnxNode &node) { return node.name; }),
      ", ");
}
