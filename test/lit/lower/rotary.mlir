// RUN: txc-opt %s -txc-lower-to-kernel -split-input-file | FileCheck %s

// The partner of each element is as far into the other half: all operands are
// read along the row.
// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3 * 32 + d4)>
// CHECK-DAG: #[[PARTNER:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3 * -32 + d4 + 32)>
// CHECK-DAG: #[[ANGLE:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, 0, d2, d4)>
// CHECK-LABEL: @halves
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: {{.*}}, %[[C:[a-z0-9]+]]: {{.*}}, %[[S:[a-z0-9]+]]: {{.*}}) ->
// CHECK:         kernel.map [#tx.expr<2>, #tx.expr<4>, #tx.expr<S>, #tx.expr<2>, #tx.expr<32>] ins(%[[Q]], %[[Q]], %[[C]], %[[S]]
// CHECK-SAME:      maps [#[[X]], #[[PARTNER]], #[[ANGLE]], #[[ANGLE]], #[[X]]]
// CHECK-NOT:     kernel.fetch
func.func @halves(%x: tensor<2x4x?x64xf32, #tx.dims<[2, 4, S, 64]>>, %c: tensor<2x1x?x32xf32, #tx.dims<[2, 1, S, 32]>>, %s: tensor<2x1x?x32xf32, #tx.dims<[2, 1, S, 32]>>) -> tensor<2x4x?x64xf32, #tx.dims<[2, 4, S, 64]>> {
  %y = tx.rotary_embedding %x, %c, %s : tensor<2x4x?x64xf32, #tx.dims<[2, 4, S, 64]>>, tensor<2x1x?x32xf32, #tx.dims<[2, 1, S, 32]>>, tensor<2x1x?x32xf32, #tx.dims<[2, 1, S, 32]>>
  return %y : tensor<2x4x?x64xf32, #tx.dims<[2, 4, S, 64]>>
}

// -----

// Behind the rotated two of five blocks elements pass through.
// CHECK-DAG: #[[PARTNER:.*]] = affine_map<(d0, d1, d2) -> (d0, d1 * -16 + d2 + (d1 floordiv 2) * 32 + 16)>
// CHECK-LABEL: @part
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<3x80xf16>
// CHECK:         kernel.map [#tx.expr<3>, #tx.expr<5>, #tx.expr<16>] ins(%[[X]], %[[X]], {{.*}} #[[PARTNER]],
// CHECK-NEXT:    ^bb0(%[[ELEMENT:[a-z0-9]+]]: f16, %{{.*}}: f16,
// CHECK:         %[[ROTATED:.*]] = arith.truncf
// CHECK:         arith.select %{{.*}}, %[[ROTATED]], %[[ELEMENT]] : f16
func.func @part(%x: tensor<3x80xf16>, %c: tensor<3x16xf16>) -> tensor<3x80xf16> {
  %y = tx.rotary_embedding %x, %c, %c : tensor<3x80xf16>, tensor<3x16xf16>, tensor<3x16xf16>
  return %y : tensor<3x80xf16>
}

// -----

// CHECK-LABEL: @no_whole_blocks
// CHECK:         kernel.fetch
func.func @no_whole_blocks(%x: tensor<3x64xf32>, %c: tensor<3x12xf32>) -> tensor<3x64xf32> {
  %y = tx.rotary_embedding %x, %c, %c : tensor<3x64xf32>, tensor<3x12xf32>, tensor<3x12xf32>
  return %y : tensor<3x64xf32>
}
