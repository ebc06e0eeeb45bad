//===- LaneMapTest.cpp - which lane holds which element ------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/warp/MmaAtoms.h"
#include "gtest/gtest.h"
#include <set>

using namespace mlir;
using namespace txc::warp;

namespace {

using Coordinate = std::pair<int64_t, int64_t>;

class LaneMaps : public testing::Test {
protected:
  LaneMaps() { context.getOrLoadDialect<WarpDialect>(); }

  static Coordinate getCoordinate(FragmentType type, int64_t lane,
                                  int64_t number) {
    AffineMap map = getLaneMap(type, number);
    Attribute argument =
        IntegerAttr::get(IndexType::get(type.getContext()), lane);
    SmallVector<Attribute> results;
    EXPECT_TRUE(succeeded(map.constantFold(argument, results)));
    return {cast<IntegerAttr>(results[0]).getInt(),
            cast<IntegerAttr>(results[1]).getInt()};
  }

  MLIRContext context;
};

class LaneMapTest : public LaneMaps,
                    public testing::WithParamInterface<Atom> {};

INSTANTIATE_TEST_SUITE_P(
    Atoms, LaneMapTest,
    testing::Values(Atom::f16_m16n8k16, Atom::bf16_m16n8k16, Atom::tf32_m16n8k8,
                    Atom::s8_m16n8k32, Atom::s8u8_m16n8k32, Atom::u8s8_m16n8k32,
                    Atom::u8_m16n8k32));

/// Every element of a fragment is in one place.
TEST_P(LaneMapTest, CoversTheFragmentOnce) {
  const MmaAtom &atom = getMmaAtom(GetParam());
  struct Shape {
    Role role;
    int64_t rows, columns;
  };
  for (Shape shape : {Shape{Role::lhs, atom.m, atom.k},
                      {Role::rhs, atom.k, atom.n},
                      {Role::acc, atom.m, atom.n}}) {
    auto type = FragmentType::get(&context, shape.role, GetParam());
    std::set<Coordinate> seen;
    for (int64_t lane = 0; lane < 32; ++lane)
      for (int64_t i = 0; i < getLaneElementCount(type); ++i) {
        Coordinate at = getCoordinate(type, lane, i);
        EXPECT_TRUE(at.first >= 0 && at.first < shape.rows && at.second >= 0 &&
                    at.second < shape.columns);
        EXPECT_TRUE(seen.insert(at).second);
      }
    EXPECT_EQ(static_cast<int64_t>(seen.size()), shape.rows * shape.columns);
  }
}

/// Lanes 0, 6 and 31 as the layouts of CUTLASS 4's CuTe atoms
/// SM80_16x8x16_F32F16F16F32_TN, SM80_16x8x8_F32TF32TF32F32_TN and
/// SM80_16x8x32_S32S8S8S32_TN state them (theirs of the right operand are (n,
/// k)).
TEST_F(LaneMaps, AgreeWithCute) {
  struct Case {
    Atom atom;
    Role role;
    int64_t lane;
    std::vector<Coordinate> elements;
  };
  for (const Case &expected : {
           Case{Atom::f16_m16n8k16,
                Role::lhs,
                0,
                {{0, 0},
                 {0, 1},
                 {8, 0},
                 {8, 1},
                 {0, 8},
                 {0, 9},
                 {8, 8},
                 {8, 9}}},
           Case{Atom::f16_m16n8k16,
                Role::lhs,
                6,
                {{1, 4},
                 {1, 5},
                 {9, 4},
                 {9, 5},
                 {1, 12},
                 {1, 13},
                 {9, 12},
                 {9, 13}}},
           Case{Atom::f16_m16n8k16,
                Role::rhs,
                31,
                {{6, 7}, {7, 7}, {14, 7}, {15, 7}}},
           Case{Atom::f16_m16n8k16,
                Role::acc,
                6,
                {{1, 4}, {1, 5}, {9, 4}, {9, 5}}},
           Case{Atom::tf32_m16n8k8,
                Role::lhs,
                31,
                {{7, 3}, {15, 3}, {7, 7}, {15, 7}}},
           Case{Atom::tf32_m16n8k8, Role::rhs, 6, {{2, 1}, {6, 1}}},
           Case{Atom::s8_m16n8k32,
                Role::lhs,
                6,
                {{1, 8},
                 {1, 9},
                 {1, 10},
                 {1, 11},
                 {9, 8},
                 {9, 9},
                 {9, 10},
                 {9, 11},
                 {1, 24},
                 {1, 25},
                 {1, 26},
                 {1, 27},
                 {9, 24},
                 {9, 25},
                 {9, 26},
                 {9, 27}}},
           Case{Atom::s8_m16n8k32,
                Role::rhs,
                31,
                {{12, 7},
                 {13, 7},
                 {14, 7},
                 {15, 7},
                 {28, 7},
                 {29, 7},
                 {30, 7},
                 {31, 7}}},
           Case{Atom::tf32_m16n8k8,
                Role::acc,
                31,
                {{7, 6}, {7, 7}, {15, 6}, {15, 7}}},
       }) {
    auto type = FragmentType::get(&context, expected.role, expected.atom);
    ASSERT_EQ(getLaneElementCount(type),
              static_cast<int64_t>(expected.elements.size()));
    for (size_t i = 0; i < expected.elements.size(); ++i)
      EXPECT_EQ(getCoordinate(type, expected.lane, static_cast<int64_t>(i)),
                expected.elements[i]);
  }
}

} // namespace
