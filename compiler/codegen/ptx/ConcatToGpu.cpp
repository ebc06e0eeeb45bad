//===- ConcatToGpu.cpp - joining tensors on a GPU ------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/ptx/ConcatToGpu.h"
#include "compiler/codegen/KernelFunction.h"

using namespace mlir;
using namespace txc;
using namespace txc::ptx;
using kernel::CallOp;
using tx::SymExprAttr;

bool txc::ptx::isConcat(CallOp call) {
  return call.getCallee() == "txc_concat";
}

/// Of an operand: elements at one index of the dims before the axis.
static SymExprAttr getRun(CallOp call, unsigned operand, int64_t bytes) {
  return tx::floorDiv(cast<SymExprAttr>(call.getParameters()[operand + 1]),
                      bytes);
}

void txc::ptx::emitConcat(GpuFunction &function, CallOp call) {
  ImplicitLocOpBuilder &b = function.getBuilder();
  Type scalar = getScalarType(call->getResult(0).getType());
  // Booleans are bytes.
  int64_t bytes = (scalar.getIntOrFloatBitWidth() + 7) / 8;
  Type code = b.getIntegerType(static_cast<unsigned>(bytes * 8));
  SymExprAttr most = tx::getConstantExpr(call.getContext(), 0), pitch = most;
  for (unsigned i = 0; i < call->getNumOperands(); ++i) {
    SymExprAttr run = getRun(call, i, bytes);
    most = tx::max(most, tx::mul(run, call.getTasks()));
    pitch = tx::add(pitch, run);
  }
  Value number = function.add(
      function.mul(function.getBlock(), function.index(kConcatThreads)),
      function.getThread());
  Value result = function.getBuffer(call->getNumOperands());
  SymExprAttr offset = tx::getConstantExpr(call.getContext(), 0);
  for (unsigned i = 0; i < call->getNumOperands(); ++i) {
    SymExprAttr run = getRun(call, i, bytes);
    Value count = function.getValue(tx::mul(run, call.getTasks()));
    function.ifThen(function.isLess(number, count), [&] {
      Value length = function.getValue(run);
      Value row =
          function.mul(function.div(number, length), function.getValue(pitch));
      Value place =
          function.add(function.rem(number, length), function.getValue(offset));
      function.store(function.load(function.getBuffer(i), number, code), result,
                     function.add(row, place));
    });
    offset = tx::add(offset, run);
  }
  function.finish({tx::ceilDiv(most, kConcatThreads)});
}
