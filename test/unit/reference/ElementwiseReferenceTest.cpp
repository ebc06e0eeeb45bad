//===- ElementwiseReferenceTest.cpp - element-wise ops --------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Expected numbers: NumPy in f64; -0 below 0 as in IEEE 754-2019.
//
//===----------------------------------------------------------------------===//

#include "test/unit/reference/ReferenceTesting.h"

using namespace mlir;
using namespace txc;
using namespace txc::test;

using ElementwiseReference = ReferenceTest;

namespace {
struct FloatCase {
  StringRef op;
  std::vector<double> expected;
};
} // namespace

TEST_F(ElementwiseReference, UnaryFloatOps) {
  HostTensor x = vector("f32", {-2.5, -0.75, -0.0, 0.5, 3, kInf, -kInf, kNan});
  const FloatCase cases[] = {
      {"neg", {2.5, 0.75, 0.0, -0.5, -3.0, -kInf, kInf, kNan}},
      {"abs", {2.5, 0.75, 0.0, 0.5, 3.0, kInf, kInf, kNan}},
      {"sign", {-1.0, -1.0, -0.0, 1.0, 1.0, 1.0, -1.0, kNan}},
      {"exp",
       {0.0820849986238988, 0.4723665527410147, 1.0, 1.6487212707001282,
        20.085536923187668, kInf, 0.0, kNan}},
      {"log",
       {kNan, kNan, -kInf, -0.6931471805599453, 1.0986122886681098, kInf, kNan,
        kNan}},
      {"sqrt",
       {kNan, kNan, -0.0, 0.7071067811865476, 1.7320508075688772, kInf, kNan,
        kNan}},
      {"reciprocal",
       {-0.4, -1.3333333333333333, -kInf, 2.0, 0.3333333333333333, 0.0, -0.0,
        kNan}},
      {"sin",
       {-0.5984721441039565, -0.6816387600233341, -0.0, 0.479425538604203,
        0.1411200080598672, kNan, kNan, kNan}},
      {"cos",
       {-0.8011436155469337, 0.7316888688738209, 1.0, 0.8775825618903728,
        -0.9899924966004454, kNan, kNan, kNan}},
      {"tan",
       {0.7470222972386603, -0.9315964599440725, -0.0, 0.5463024898437905,
        -0.1425465430742778, kNan, kNan, kNan}},
      {"asin",
       {kNan, -0.848062078981481, -0.0, 0.5235987755982989, kNan, kNan, kNan,
        kNan}},
      {"acos",
       {kNan, 2.4188584057763776, 1.5707963267948966, 1.0471975511965976, kNan,
        kNan, kNan, kNan}},
      {"atan",
       {-1.1902899496825317, -0.6435011087932844, -0.0, 0.4636476090008061,
        1.2490457723982544, 1.5707963267948966, -1.5707963267948966, kNan}},
      {"sinh",
       {-6.0502044810397875, -0.82231673193583, -0.0, 0.5210953054937474,
        10.017874927409903, kInf, -kInf, kNan}},
      {"cosh",
       {6.132289479663686, 1.2946832846768448, 1.0, 1.1276259652063807,
        10.067661995777765, kInf, kInf, kNan}},
      {"tanh",
       {-0.9866142981514303, -0.6351489523872873, -0.0, 0.46211715726000974,
        0.9950547536867305, 1.0, -1.0, kNan}},
      {"asinh",
       {-1.6472311463710958, -0.6931471805599453, -0.0, 0.48121182505960347,
        1.8184464592320668, kInf, -kInf, kNan}},
      {"acosh", {kNan, kNan, kNan, kNan, 1.762747174039086, kInf, kNan, kNan}},
      {"atanh",
       {kNan, -0.9729550745276566, -0.0, 0.5493061443340549, kNan, kNan, kNan,
        kNan}},
      {"erf",
       {-0.999593047982555, -0.7111556336535151, -0.0, 0.5204998778130465,
        0.9999779095030014, 1.0, -1.0, kNan}},
      {"floor", {-3.0, -1.0, -0.0, 0.0, 3.0, kInf, -kInf, kNan}},
      {"ceil", {-2.0, -0.0, -0.0, 1.0, 3.0, kInf, -kInf, kNan}},
      {"round", {-2.0, -1.0, -0.0, 0.0, 3.0, kInf, -kInf, kNan}},
      {"sigmoid",
       {0.07585818002124355, 0.320821300824607, 0.5, 0.6224593312018546,
        0.9525741268224334, 1.0, 0.0, kNan}},
      {"silu",
       {-0.18964545005310887, -0.24061597561845527, -0.0, 0.3112296656009273,
        2.8577223804673, kInf, kNan, kNan}},
  };
  for (const FloatCase &test : cases) {
    SCOPED_TRACE(test.op.str());
    EXPECT_THAT(values(("tx." + test.op + " %0 : tensor<8xf32>").str(), x),
                nearF32(test.expected));
  }
}

TEST_F(ElementwiseReference, GeluKinds) {
  HostTensor x = vector("f32", {-2.5, -0.75, -0.0, 0.5, 3, -6});
  // math.erfc, math.tanh.
  const FloatCase cases[] = {
      {"erf",
       {-0.015524163314440348, -0.16997051428265114, -0.0, 0.34573123063700656,
        2.99595030590511, -5.919525870226207e-09}},
      {"tanh",
       {-0.015084266089998577, -0.17003944483437972, -0.0, 0.34571400982514394,
        2.996362607918227, -8.43964897967453e-11}},
      {"sigmoid",
       {-0.03498616504857008, -0.1636099424653622, -0.0, 0.35038843660638014,
        2.981928690292214, -0.00022035354978739243}},
  };
  for (const FloatCase &test : cases) {
    SCOPED_TRACE(test.op.str());
    EXPECT_THAT(values(("tx.gelu " + test.op + " %0 : tensor<6xf32>").str(), x),
                nearF32(test.expected));
  }
}

TEST_F(ElementwiseReference, BinaryFloatOps) {
  HostTensor x = vector("f32", {5.5, -5.5, 5.5, -5.5, 0., -0., kInf, kNan, -4});
  HostTensor y = vector("f32", {2, 2, -2, -2, -0., 0, 2, 1, 2});
  const FloatCase cases[] = {
      {"add", {7.5, -3.5, 3.5, -7.5, 0.0, 0.0, kInf, kNan, -2.0}},
      {"sub", {3.5, -7.5, 7.5, -3.5, 0.0, -0.0, kInf, kNan, -6.0}},
      {"mul", {11.0, -11.0, -11.0, 11.0, -0.0, -0.0, kInf, kNan, -8.0}},
      {"div", {2.75, -2.75, -2.75, 2.75, kNan, kNan, kInf, kNan, -2.0}},
      {"rem", {1.5, -1.5, 1.5, -1.5, kNan, kNan, kNan, kNan, -0.0}},
      {"mod", {1.5, 0.5, -0.5, -1.5, kNan, kNan, kNan, kNan, 0.0}},
      {"pow",
       {30.25, 30.25, 0.03305785123966942, 0.03305785123966942, 1.0, 1.0, kInf,
        kNan, 16.0}},
      {"maximum", {5.5, 2.0, 5.5, -2.0, 0.0, 0.0, kInf, kNan, 2.0}},
      {"minimum", {2.0, -5.5, -2.0, -5.5, -0.0, 0.0, 2.0, kNan, -4.0}},
  };
  for (const FloatCase &test : cases) {
    SCOPED_TRACE(test.op.str());
    EXPECT_THAT(
        values(
            ("tx." + test.op + " %0, %1 : tensor<9xf32>, tensor<9xf32>").str(),
            {x, y}),
        nearF32(test.expected));
  }
}

TEST_F(ElementwiseReference, RoundsToNearestEvenOfTheElementType) {
  // f16 has 11 bits: between 2048 and 4096 every second integer.
  HostTensor x = vector("f16", {2048, 2048, 65504});
  HostTensor y = vector("f16", {1, 3, 16});
  EXPECT_THAT(values("tx.add %0, %1 : tensor<3xf16>, tensor<3xf16>", {x, y}),
              same({2048, 2052, kInf}));
}

TEST_F(ElementwiseReference, SignedIntegersWrap) {
  HostTensor x = vector("i8", {127, -128, -7, 7, 100});
  HostTensor y = vector("i8", {1, -1, 2, -2, 3});
  auto run = [&](StringRef op) {
    return values((op + " %0, %1 : tensor<5xi8>, tensor<5xi8>").str(), {x, y});
  };
  EXPECT_THAT(run("tx.add"), same({-128, 127, -5, 5, 103}));
  EXPECT_THAT(run("tx.sub"), same({126, -127, -9, 9, 97}));
  EXPECT_THAT(run("tx.mul"), same({127, -128, -14, -14, 44}));
  EXPECT_THAT(run("tx.div"), same({127, -128, -3, -3, 33}));
  EXPECT_THAT(run("tx.rem"), same({0, 0, -1, 1, 1}));
  EXPECT_THAT(run("tx.mod"), same({0, 0, 1, -1, 1}));
  EXPECT_THAT(run("tx.pow"), same({127, 0, 49, 0, 64}));
  EXPECT_THAT(run("tx.maximum"), same({127, -1, 2, 7, 100}));
  EXPECT_THAT(run("tx.minimum"), same({1, -128, -7, -2, 3}));
  EXPECT_THAT(run("tx.and"), same({1, -128, 0, 6, 0}));
  EXPECT_THAT(run("tx.or"), same({127, -1, -5, -1, 103}));
  EXPECT_THAT(run("tx.xor"), same({126, 127, -5, -7, 103}));
  EXPECT_THAT(values("tx.neg %0 : tensor<5xi8>", {x}),
              same({-127, -128, 7, -7, -100}));
  EXPECT_THAT(values("tx.abs %0 : tensor<5xi8>", {x}),
              same({127, -128, 7, 7, 100}));
  EXPECT_THAT(values("tx.not %0 : tensor<5xi8>", {x}),
              same({-128, 127, 6, -8, -101}));
  EXPECT_THAT(values("tx.sign %0 : tensor<5xi8>", {x}),
              same({1, -1, -1, 1, 1}));
}

TEST_F(ElementwiseReference, UnsignedIntegersCompareAndDivideUnsigned) {
  HostTensor x = counting("ui64", {3}), y = counting("ui64", {3});
  for (auto [place, value] : llvm::enumerate(ArrayRef<int64_t>{-1, 5, 2}))
    x.setInt(place, value);
  for (auto [place, value] : llvm::enumerate(ArrayRef<int64_t>{2, -1, 2}))
    y.setInt(place, value);
  StringRef types = ": tensor<3xui64>, tensor<3xui64>";
  HostTensor quotient = run(("tx.div %0, %1" + types).str(), {x, y});
  EXPECT_EQ(quotient.getInt(0), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(quotient.getInt(1), 0);
  EXPECT_THAT(values(("tx.compare lt %0, %1" + types).str(), {x, y}),
              same({0, 1, 0}));
  EXPECT_EQ(run(("tx.maximum %0, %1" + types).str(), {x, y}).getInt(1), -1);
}

TEST_F(ElementwiseReference, ShiftsByTheWidthOrMoreGiveZero) {
  HostTensor x = vector("i8", {-128, 1, 3, -1});
  HostTensor y = vector("i8", {1, 7, 8, -1});
  StringRef types = ": tensor<4xi8>, tensor<4xi8>";
  EXPECT_THAT(values(("tx.shift_left %0, %1" + types).str(), {x, y}),
              same({0, -128, 0, 0}));
  EXPECT_THAT(values(("tx.shift_right %0, %1" + types).str(), {x, y}),
              same({64, 0, 0, 0}));
}

TEST_F(ElementwiseReference, Booleans) {
  HostTensor x = vector("i1", {0, 0, 1, 1}), y = vector("i1", {0, 1, 0, 1});
  StringRef types = ": tensor<4xi1>, tensor<4xi1>";
  EXPECT_THAT(values(("tx.and %0, %1" + types).str(), {x, y}),
              same({0, 0, 0, 1}));
  EXPECT_THAT(values(("tx.xor %0, %1" + types).str(), {x, y}),
              same({0, 1, 1, 0}));
  EXPECT_THAT(values("tx.not %0 : tensor<4xi1>", {x}), same({1, 1, 0, 0}));
  EXPECT_THAT(values(("tx.compare lt %0, %1" + types).str(), {x, y}),
              same({0, 1, 0, 0}));
}

TEST_F(ElementwiseReference, ComparisonsWithNanAreFalseButForNe) {
  HostTensor x = vector("f32", {1, 2, kNan, -0.0});
  HostTensor y = vector("f32", {2, 2, kNan, 0.0});
  auto run = [&](StringRef predicate) {
    return values(
        ("tx.compare " + predicate + " %0, %1 : tensor<4xf32>, tensor<4xf32>")
            .str(),
        {x, y});
  };
  EXPECT_THAT(run("eq"), same({0, 1, 0, 1}));
  EXPECT_THAT(run("ne"), same({1, 0, 1, 0}));
  EXPECT_THAT(run("lt"), same({1, 0, 0, 0}));
  EXPECT_THAT(run("le"), same({1, 1, 0, 1}));
  EXPECT_THAT(run("gt"), same({0, 0, 0, 0}));
  EXPECT_THAT(run("ge"), same({0, 1, 0, 1}));
  EXPECT_THAT(values("tx.is_nan %0 : tensor<4xf32>", {x}), same({0, 0, 1, 0}));
  HostTensor z = vector("f32", {kInf, -kInf, kNan, 1});
  EXPECT_THAT(values("tx.is_inf %0 : tensor<4xf32>", {z}), same({1, 1, 0, 0}));
}

TEST_F(ElementwiseReference, BroadcastsAsNumpy) {
  HostTensor column = tensor("f32", {2, 1}, {10, 20});
  HostTensor row = vector("f32", {1, 2, 3}), scalar = tensor("f32", {}, {100});
  EXPECT_THAT(
      values("tx.add %0, %1 : tensor<2x1xf32>, tensor<3xf32>", {column, row}),
      same({11, 12, 13, 21, 22, 23}));
  EXPECT_THAT(
      values("tx.sub %0, %1 : tensor<f32>, tensor<3xf32>", {scalar, row}),
      same({99, 98, 97}));
  HostTensor empty = tensor("f32", {0, 1}, {});
  HostTensor sum =
      run("tx.add %0, %1 : tensor<0x1xf32>, tensor<3xf32>", {empty, row});
  EXPECT_THAT(sum.getDims(), ::testing::ElementsAre(0, 3));
}

TEST_F(ElementwiseReference, RowsLongerThanAPiece) {
  HostTensor x = counting("f32", {3, 1500}), y = counting("f32", {1500});
  HostTensor sum =
      run("tx.add %0, %1 : tensor<3x1500xf32>, tensor<1500xf32>", {x, y});
  for (int64_t i = 0; i < 4500; ++i)
    ASSERT_EQ(sum.getInt(i), i + i % 1500) << i;
}

TEST_F(ElementwiseReference, SelectKeepsBits) {
  HostTensor condition = tensor("i1", {2, 1}, {1, 0});
  HostTensor x = vector("bf16", {1, kNan}), y = tensor("bf16", {}, {-0.0});
  EXPECT_THAT(values("tx.select %0, %1, %2 : tensor<2x1xi1>, tensor<2xbf16>, "
                     "tensor<bf16>",
                     {condition, x, y}),
              same({1, kNan, -0.0, -0.0}));
}

TEST_F(ElementwiseReference, CastsToIntegersTruncateAndSaturate) {
  HostTensor x = vector("f32", {1.9, -1.9, 300, -300, kNan, kInf});
  EXPECT_THAT(values("tx.cast %0 : tensor<6xf32> to tensor<6xi8>", {x}),
              same({1, -1, 127, -128, 0, 127}));
  EXPECT_THAT(values("tx.cast %0 : tensor<6xf32> to tensor<6xui8>", {x}),
              same({1, 0, 255, 0, 0, 255}));
  EXPECT_THAT(values("tx.cast %0 : tensor<6xf32> to tensor<6xi1>", {x}),
              same({1, 1, 1, 1, 1, 1}));
  HostTensor y = vector("i32", {255, 256, -1, 128});
  EXPECT_THAT(values("tx.cast %0 : tensor<4xi32> to tensor<4xi8>", {y}),
              same({-1, 0, -1, -128}));
  EXPECT_THAT(values("tx.cast %0 : tensor<4xi32> to tensor<4xi1>", {y}),
              same({1, 1, 1, 1}));
}

/// The numbers are those of onnx.reference 1.23, the same in every opset that
/// has the types.
TEST_F(ElementwiseReference, CastsToIntegersBelowAByteWrap) {
  HostTensor x =
      vector("f32", {-9.5, -8.5, -3, -2.5, -1, 0.7, 3.9, 7.5, 8, 17.5});
  auto cast = [&](StringRef type) {
    return values(
        ("tx.cast %0 : tensor<10xf32> to tensor<10x" + type + ">").str(), {x});
  };
  EXPECT_THAT(cast("i4"), same({7, -8, -3, -2, -1, 0, 3, 7, -8, 1}));
  EXPECT_THAT(cast("ui4"), same({7, 8, 13, 14, 15, 0, 3, 7, 8, 1}));
  EXPECT_THAT(cast("i2"), same({-1, 0, 1, -2, -1, 0, -1, -1, 0, 1}));
  EXPECT_THAT(cast("ui2"), same({3, 0, 1, 2, 3, 0, 3, 3, 0, 1}));
}

TEST_F(ElementwiseReference, CastsOfLargeIntegersRoundOnce) {
  HostTensor x = counting("i64", {3});
  // Just above a tie of f32; rounding to f64 first would make it one.
  x.setInt(0, (int64_t(1) << 62) + (int64_t(1) << 38) + 1);
  x.setInt(1, (int64_t(1) << 62) + (int64_t(1) << 38));
  x.setInt(2, -(int64_t(1) << 62) - (int64_t(1) << 38) - 1);
  EXPECT_THAT(values("tx.cast %0 : tensor<3xi64> to tensor<3xf32>", {x}),
              same({0x1.000002p+62, 0x1p+62, -0x1.000002p+62}));
  HostTensor y = counting("ui64", {1});
  y.setInt(0, -1);
  EXPECT_THAT(values("tx.cast %0 : tensor<1xui64> to tensor<1xf32>", {y}),
              same({0x1p+64}));
  EXPECT_THAT(values("tx.cast %0 : tensor<1xui64> to tensor<1xf64>", {y}),
              same({0x1p+64}));
}

TEST_F(ElementwiseReference, CastsToF8SaturateWhenAsked) {
  HostTensor x = vector("f32", {1e6, -kInf, 448, kNan, 0.1});
  auto cast = [&](StringRef attribute, StringRef type) {
    return values(("tx.cast %0 " + attribute + " : tensor<5xf32> to tensor<5x" +
                   type + ">")
                      .str(),
                  {x});
  };
  EXPECT_THAT(cast("", "f8E4M3FN"), same({kNan, kNan, 448, kNan, 0.1015625}));
  EXPECT_THAT(cast("{saturate}", "f8E4M3FN"),
              same({448, -448, 448, kNan, 0.1015625}));
  EXPECT_THAT(cast("", "f8E5M2"), same({kInf, -kInf, 448, kNan, 0.09375}));
  EXPECT_THAT(cast("{saturate}", "f8E5M2"),
              same({57344, -57344, 448, kNan, 0.09375}));
  EXPECT_THAT(cast("{saturate}", "f8E4M3FNUZ"),
              same({240, -240, 240, kNan, 0.1015625}));
  EXPECT_THAT(cast("", "f8E5M2FNUZ"), same({kNan, kNan, 448, kNan, 0.09375}));
}

TEST_F(ElementwiseReference, FaultsAreDiagnostics) {
  HostTensor x = vector("i32", {1, 2}), y = vector("i32", {1, 0});
  EXPECT_THAT(fault("tx.div %0, %1 : tensor<2xi32>, tensor<2xi32>", {x, y}),
              ::testing::HasSubstr("division by zero at element 1"));
  EXPECT_THAT(fault("tx.mod %0, %1 : tensor<2xi32>, tensor<2xi32>", {x, y}),
              ::testing::HasSubstr("division by zero"));
  EXPECT_THAT(fault("tx.exp %0 : tensor<2xi32>", {x}),
              ::testing::HasSubstr("not defined on 'i32'"));
}
