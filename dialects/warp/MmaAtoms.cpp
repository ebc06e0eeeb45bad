//===- MmaAtoms.cpp - the matrix instructions ----------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/warp/MmaAtoms.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace txc::warp;
using NVVM::MMATypes;

// By number of Atom.
static constexpr MmaAtom kAtoms[] = {
    // m   n  k  bits  lhs             rhs             first sm
    {16, 8, 16, 16, MMATypes::f16, MMATypes::f16, 80},
    {16, 8, 16, 16, MMATypes::bf16, MMATypes::bf16, 80},
    {16, 8, 8, 32, MMATypes::tf32, MMATypes::tf32, 80},
    {16, 8, 32, 8, MMATypes::s8, MMATypes::s8, 80},
    {16, 8, 32, 8, MMATypes::s8, MMATypes::u8, 80},
    {16, 8, 32, 8, MMATypes::u8, MMATypes::s8, 80},
    {16, 8, 32, 8, MMATypes::u8, MMATypes::u8, 80},
};

const MmaAtom &txc::warp::getMmaAtom(Atom atom) {
  return kAtoms[static_cast<unsigned>(atom)];
}

std::optional<Atom> txc::warp::getAtomFor(Type lhs, Type rhs) {
  if (lhs.isInteger(8) && rhs.isInteger(8)) {
    if (lhs.isUnsignedInteger())
      return rhs.isUnsignedInteger() ? Atom::u8_m16n8k32 : Atom::u8s8_m16n8k32;
    return rhs.isUnsignedInteger() ? Atom::s8u8_m16n8k32 : Atom::s8_m16n8k32;
  }
  if (lhs != rhs)
    return std::nullopt;
  if (lhs.isF16())
    return Atom::f16_m16n8k16;
  if (lhs.isBF16())
    return Atom::bf16_m16n8k16;
  if (lhs.isF32())
    return Atom::tf32_m16n8k8;
  return std::nullopt;
}

Type txc::warp::getSumType(Atom atom, MLIRContext *context) {
  if (getMmaAtom(atom).isInteger())
    return IntegerType::get(context, 32);
  return Float32Type::get(context);
}

int64_t txc::warp::getRegisterCount(FragmentType fragment) {
  const MmaAtom &atom = getMmaAtom(fragment.getAtom());
  constexpr int64_t lanes = 32;
  switch (fragment.getRole()) {
  case Role::lhs:
    return atom.m * atom.k * atom.operandBits / (32 * lanes);
  case Role::rhs:
    return atom.k * atom.n * atom.operandBits / (32 * lanes);
  case Role::acc:
    return atom.m * atom.n / lanes;
  }
  llvm_unreachable("a fragment without role");
}

int64_t txc::warp::getLaneElementCount(FragmentType fragment) {
  int64_t perRegister =
      fragment.getRole() == Role::acc
          ? 1
          : getMmaAtom(fragment.getAtom()).getElementsPerRegister();
  return getRegisterCount(fragment) * perRegister;
}

/// Lanes come in 8 groups of 4. A group has a row of lhs and acc, and a column
/// of rhs; a lane of it has adjacent elements along the other dim. Further
/// registers are 8 rows below or half the atom to the right.
AffineMap txc::warp::getLaneMap(FragmentType fragment, int64_t number) {
  const MmaAtom &atom = getMmaAtom(fragment.getAtom());
  AffineExpr lane = getAffineDimExpr(0, fragment.getContext());
  AffineExpr group = lane.floorDiv(4), inGroup = lane % 4;
  if (fragment.getRole() == Role::acc)
    return AffineMap::get(1, 0,
                          {group + 8 * (number / 2), inGroup * 2 + number % 2},
                          fragment.getContext());
  int64_t perRegister = atom.getElementsPerRegister();
  int64_t index = number / perRegister, part = number % perRegister;
  bool isLhs = fragment.getRole() == Role::lhs;
  AffineExpr k =
      inGroup * perRegister + part + atom.k / 2 * (isLhs ? index / 2 : index);
  if (isLhs)
    return AffineMap::get(1, 0, {group + 8 * (index % 2), k},
                          fragment.getContext());
  return AffineMap::get(1, 0, {k, group}, fragment.getContext());
}

/// The two columns of a lane, 2 i and 2 i + 1, are 16 apart: then the four
/// lanes of a group have 16 neighbours in their fragments' first columns, and
/// eight lanes that load at a time find their four columns in eight different
/// banks of 16 bytes.
AffineExpr txc::warp::getSpreadColumn(AffineExpr column, int64_t fragment) {
  return (column % 2) * 16 + column.floorDiv(2) * 4 + fragment;
}

AffineExpr txc::warp::getSpreadRow(AffineExpr column) {
  return (column % 2) * 4 + column.floorDiv(2);
}
