//===- KernelCodegen.cpp - x86 code of phases ----------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/KernelCodegen.h"
#include "compiler/codegen/AttentionPhase.h"
#include "compiler/codegen/CallPhase.h"
#include "compiler/codegen/ExpandMath.h"
#include "compiler/codegen/GemmPhase.h"
#include "compiler/codegen/KernelFunction.h"
#include "compiler/codegen/NestGenerator.h"
#include "compiler/codegen/SmallFloats.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace txc;
using kernel::AppendOp;
using kernel::AttentionOp;
using kernel::CallOp;
using kernel::GemmOp;
using kernel::NestInterface;
using tx::SymExprAttr;

/// Whether code can compute with a type, and move it.
static bool hasCode(Type type) {
  Type scalar = getScalarType(type);
  if (auto integer = dyn_cast<IntegerType>(scalar))
    return integer.getWidth() <= 64 && llvm::isPowerOf2_32(integer.getWidth());
  if (isa<FloatType>(scalar))
    return scalar.isF16() || scalar.isBF16() || scalar.isF32() ||
           scalar.isF64() || isSmallFloat(scalar);
  return scalar.isIndex();
}

/// What LLVM would refuse later, in words of its own.
static LogicalResult checkTypes(Operation *phase) {
  Type refused;
  phase->walk([&](Operation *op) {
    for (TypeRange types :
         {TypeRange(op->getOperandTypes()), TypeRange(op->getResultTypes())})
      for (Type type : types)
        if (!hasCode(type))
          refused = getScalarType(type);
  });
  if (refused)
    return phase->emitError("no code can be made for elements of type ")
           << refused;
  // Only nests know of bytes that elements share.
  if (isa<NestInterface>(phase) && !isa<AppendOp>(phase))
    return success();
  for (TypeRange types : {TypeRange(phase->getOperandTypes()),
                          TypeRange(phase->getResultTypes())})
    for (Type type : types)
      if (getPackedBits(getScalarType(type)) != 0)
        return phase->emitError("no code can be made for elements of type ")
               << getScalarType(type)
               << " here; a cast to i8 before and after helps";
  return success();
}

FailureOr<EmittedKernel> txc::emitKernel(OpBuilder &builder, Operation *phase,
                                         StringRef name,
                                         const VectorTarget &target) {
  if (failed(checkTypes(phase)))
    return failure();
  KernelFunction function(builder, phase, name, target);
  LogicalResult emitted =
      llvm::TypeSwitch<Operation *, LogicalResult>(phase)
          .Case([&](GemmOp gemm) { return emitGemm(function, gemm); })
          .Case([&](AttentionOp op) { return emitAttention(function, op); })
          .Case([&](CallOp call) { return emitCall(function, call); })
          .Case([&](NestInterface nest) {
            emitNest(function, nest, function.getOperands());
            return success();
          })
          .Default(
              [](Operation *op) { return op->emitOpError("is not a phase"); });
  EmittedKernel kernel = function.finish();
  if (failed(emitted))
    return failure();
  expandMath(kernel.function, target);
  return kernel;
}

SymExprAttr txc::getTaskCount(Operation *phase, const VectorTarget &target) {
  return llvm::TypeSwitch<Operation *, SymExprAttr>(phase)
      .Case([&](GemmOp gemm) { return getGemmTaskCount(gemm, target); })
      .Case([&](AttentionOp op) { return getAttentionTaskCount(op, target); })
      .Case([&](CallOp call) { return call.getTasks(); })
      .Case([&](NestInterface nest) { return getNestTaskCount(nest, target); });
}

SymExprAttr txc::getScratchBytes(Operation *phase, const VectorTarget &target) {
  return llvm::TypeSwitch<Operation *, SymExprAttr>(phase)
      .Case([&](GemmOp gemm) { return getGemmScratchBytes(gemm, target); })
      .Case(
          [&](AttentionOp op) { return getAttentionScratchBytes(op, target); })
      .Case([&](CallOp call) {
        return tx::getConstantExpr(call.getContext(), 0);
      })
      .Case([&](NestInterface nest) {
        return getNestScratchBytes(nest, target);
      });
}
