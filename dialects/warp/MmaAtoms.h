//===- MmaAtoms.h - the matrix instructions --------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The one table of `mma.sync` instructions, and which lane holds which element
/// (PTX ISA, "Matrix Fragments for mma").
///
//===----------------------------------------------------------------------===//

#ifndef TXC_DIALECTS_WARP_MMAATOMS_H
#define TXC_DIALECTS_WARP_MMAATOMS_H

#include "dialects/warp/Warp.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/AffineMap.h"

namespace txc::warp {

/// acc[m x n] += lhs[m x k] * rhs[k x n], with an f32 accumulator.
struct MmaAtom {
  int64_t m, n, k;
  /// Of an lhs or rhs element. A register has 32 bits.
  int64_t operandBits;
  mlir::NVVM::MMATypes operandType;
  /// The oldest GPUs that have it: 80 is sm_80.
  unsigned firstSm;

  int64_t getElementsPerRegister() const { return 32 / operandBits; }
};

const MmaAtom &getMmaAtom(Atom atom);

/// The atom for operands of this type (f16, bf16, f32 as tf32), if there is
/// one.
std::optional<Atom> getAtomFor(mlir::Type elementType);

/// The type that a tile needs for fragments of the atom: f16, bf16 or f32.
mlir::Type getTileElementType(Atom atom, mlir::MLIRContext *context);

/// Registers of a lane for a fragment.
int64_t getRegisterCount(FragmentType fragment);
/// Elements that a lane holds.
int64_t getLaneElementCount(FragmentType fragment);

/// `(lane) -> (row, column)` in the fragment of the lane's element `number`;
/// elements count in register order, the low bits of a register first.
mlir::AffineMap getLaneMap(FragmentType fragment, int64_t number);

} // namespace txc::warp

#endif // TXC_DIALECTS_WARP_MMAATOMS_H
