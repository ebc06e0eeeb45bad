//===- ConvolutionBuilder.h - ONNX's convolution for builders ---*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_PYTHON_FREE_FRONTEND_OPS_CONVOLUTIONBUILDER_H
#define TXC_PYTHON_FREE_FRONTEND_OPS_CONVOLUTIONBUILDER_H

#include "python-free-frontend/NodeContext.h"

namespace txc::frontend {

/// A convolution by the attributes that Conv, ConvInteger and QLinearConv
/// share. `x` and `weights` have the dims of operands 0 and `weightsOperand`.
mlir::Value createConvolution(NodeContext &context, mlir::Value x,
                              mlir::Value weights, unsigned weightsOperand);

} // namespace txc::frontend

#endif // TXC_PYTHON_FREE_FRONTEND_OPS_CONVOLUTIONBUILDER_H
