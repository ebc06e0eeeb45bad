//===- NormReferenceTest.cpp - norms and softmax --------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Expected numbers: NumPy in f64.
//
//===----------------------------------------------------------------------===//

#include "test/unit/reference/ReferenceTesting.h"

using namespace mlir;
using namespace txc;
using namespace txc::test;

using NormReference = ReferenceTest;

TEST_F(NormReference, LayerNorm) {
  HostTensor x = tensor("f32", {2, 4}, {1, 2, 4, 8, -1, 0.5, 3, 7});
  HostTensor scale = vector("f32", {1, 2, 0.5, -1});
  HostTensor bias = vector("f32", {0, 1, 2, 3});
  EXPECT_THAT(
      values(
          "tx.layer_norm %0 scale %1 : tensor<4xf32> bias %2 : tensor<4xf32> "
          "{axes = 1, epsilon = 1.0e-5} : tensor<2x4xf32>",
          {x, scale, bias}),
      nearF32({-1.0257545755, -0.305505823359, 2.04662520798, 1.41474292878,
               -1.11440865609, -0.238231840104, 2.10318598668, 1.47284739721}));
  EXPECT_THAT(values("tx.layer_norm %0 {axes = 2, epsilon = 0.5} : "
                     "tensor<2x4xf32>",
                     {x}),
              nearF32({-0.681754158326, -0.351206687622, 0.309888253784,
                       1.6320781366, -1.34284909973, -0.847027893677,
                       -0.020659216919, 1.30153066589}));
}

TEST_F(NormReference, RmsNorm) {
  HostTensor x = tensor("f32", {2, 4}, {1, 2, 4, 8, -1, 0.5, 3, 7});
  HostTensor scale = vector("f32", {1, 2, 0.5, -1});
  EXPECT_THAT(values("tx.rms_norm %0 scale %1 : tensor<4xf32> "
                     "{axes = 1, epsilon = 1.0e-5} : tensor<2x4xf32>",
                     {x, scale}),
              nearF32({0.216930406776, 0.867721627105, 0.433860813552,
                       -1.73544325421, -0.259827833279, 0.259827833279,
                       0.389741749919, -1.81879483295}));
}

TEST_F(NormReference, ScaleAndBiasBroadcastToOuterDims) {
  // Rows normalize to -1 and 1.
  HostTensor x = tensor("f64", {2, 2, 2}, {1, 3, 5, 9, -2, 0, 1, 2});
  HostTensor scale = tensor("f64", {2, 1, 1}, {10, 100});
  HostTensor bias = tensor("f64", {2, 1}, {0.5, 0.25});
  EXPECT_THAT(values("tx.layer_norm %0 scale %1 : tensor<2x1x1xf64> bias %2 : "
                     "tensor<2x1xf64> {axes = 1, epsilon = 0.0} : "
                     "tensor<2x2x2xf64>",
                     {x, scale, bias}),
              same({-9.5, 10.5, -9.75, 10.25, -99.5, 100.5, -99.75, 100.25}));
}

TEST_F(NormReference, Softmax) {
  HostTensor x =
      tensor("f32", {4, 3},
             {1, 2, 4, -kInf, 0, 3, -kInf, -kInf, -kInf, 1000, 0, kNan});
  EXPECT_THAT(values("tx.softmax %0 1 : tensor<4x3xf32>", {x}),
              nearF32({0.0420100661341, 0.114195199385, 0.843794734481, 0,
                       0.0474258731776, 0.952574126822, kNan, kNan, kNan, kNan,
                       kNan, kNan}));
  EXPECT_THAT(values("tx.softmax %0 1 {log} : tensor<4x3xf32>", {x}),
              nearF32({-3.16984601956, -2.16984601956, -0.169846019556, -kInf,
                       -3.04858735157, -0.0485873515737, kNan, kNan, kNan, kNan,
                       kNan, kNan}));
  HostTensor large = vector("f32", {1000, 1000});
  EXPECT_THAT(values("tx.softmax %0 0 : tensor<2xf32>", {large}),
              same({0.5, 0.5}));
}

TEST_F(NormReference, SoftmaxAlongAnOuterAxis) {
  HostTensor x = tensor("f32", {2, 3}, {1, 2, 4, 3, 0, 3});
  EXPECT_THAT(values("tx.softmax %0 0 : tensor<2x3xf32>", {x}),
              nearF32({0.119202922022, 0.880797077978, 0.73105857863,
                       0.880797077978, 0.119202922022, 0.26894142137}));
}
