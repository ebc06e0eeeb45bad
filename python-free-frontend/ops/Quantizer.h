//===- Quantizer.h - quantization arithmetic for builders -------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The affine map between integers (or narrow floats) and real numbers that
/// ONNX's and com.microsoft's quantized operators share.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_OPS_QUANTIZER_H
#define TXC_PYTHON_FREE_FRONTEND_OPS_QUANTIZER_H

#include "python-free-frontend/NodeContext.h"

namespace txc::frontend {

/// `saturate(round(x / scale) + zeroPoint)` in `type`, halves to even; for a
/// float type the cast of x / scale. `zeroPoint` may be null. Scale and zero
/// point broadcast to x.
mlir::Value quantize(NodeContext &context, mlir::Value x, mlir::Value scale,
                     mlir::Value zeroPoint, mlir::Type type,
                     bool saturate = true);

/// `(x - zeroPoint) * scale` in the scale's type; `zeroPoint` may be null.
mlir::Value dequantize(NodeContext &context, mlir::Value x, mlir::Value scale,
                       mlir::Value zeroPoint);

/// `x - zeroPoint` in i32, exact for types up to 16 bits.
mlir::Value subtractZeroPoint(NodeContext &context, mlir::Value x,
                              mlir::Value zeroPoint);

/// A float tensor as u8 with its scale and zero point: the range of x with 0 in
/// it is mapped to [0, 255] (DynamicQuantizeLinear).
NodeResults quantizeDynamically(NodeContext &context, mlir::Value x);

/// Integers and what they stand for; the zero point may be null.
struct Quantized {
  mlir::Value values, scale, zeroPoint;
};

/// a.scale * b.scale * (a - a's zero point)(b - b's zero point).
mlir::Value createScaledProduct(NodeContext &context, const Quantized &a,
                                const Quantized &b);

/// The same for an x that is quantized in the run, as a whole.
mlir::Value multiplyDynamically(NodeContext &context, mlir::Value x,
                                const Quantized &b);

/// A parameter with one number for each place along `axis` of a tensor of rank
/// `rank`, made to broadcast; scalars stay. Null stays null.
mlir::Value alignToAxis(NodeContext &context, mlir::Value parameter,
                        int64_t axis, int64_t rank);

} // namespace txc::frontend

#endif // TXC_PYTHON_FREE_FRONTEND_OPS_QUANTIZER_H
