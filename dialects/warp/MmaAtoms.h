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

/// acc[m x n] += lhs[m x k] * rhs[k x n], with an accumulator of f32 or i32.
struct MmaAtom {
  int64_t m, n, k;
  /// Of an lhs or rhs element. A register has 32 bits.
  int64_t operandBits;
  mlir::NVVM::MMATypes lhsType, rhsType;
  /// The oldest GPUs that have it: 80 is sm_80.
  unsigned firstSm;

  int64_t getElementsPerRegister() const { return 32 / operandBits; }
  /// Factors are bytes, sums i32.
  bool isInteger() const { return operandBits == 8; }
};

const MmaAtom &getMmaAtom(Atom atom);

/// The atom for operands of these types (bytes of any signs; two of f16, bf16,
/// or f32 as tf32), if there is one.
std::optional<Atom> getAtomFor(mlir::Type lhs, mlir::Type rhs);

/// The type of an accumulator's elements.
mlir::Type getSumType(Atom atom, mlir::MLIRContext *context);

/// Registers of a lane for a fragment.
int64_t getRegisterCount(FragmentType fragment);
/// Elements that a lane holds.
int64_t getLaneElementCount(FragmentType fragment);

/// `(lane) -> (row, column)` in the fragment of the lane's element `number`;
/// elements count in register order, the low bits of a register first.
mlir::AffineMap getLaneMap(FragmentType fragment, int64_t number);

/// Fragments of a `warp.load_columns`, and the columns they are of.
constexpr int64_t kSpreadFragments = 4;
constexpr int64_t kSpreadColumns = 32;

/// Which of the columns is column \p column of fragment \p fragment.
mlir::AffineExpr getSpreadColumn(mlir::AffineExpr column, int64_t fragment);

/// Which row of the tile is column \p column of a fragment that
/// `warp.load_fragment` loads spread.
mlir::AffineExpr getSpreadRow(mlir::AffineExpr column);

} // namespace txc::warp

#endif // TXC_DIALECTS_WARP_MMAATOMS_H
