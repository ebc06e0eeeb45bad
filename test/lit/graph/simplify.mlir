// RUN: txc-opt %s -txc-simplify -split-input-file | FileCheck %s

// CHECK-LABEL: @neutral
// CHECK-SAME:    %[[X:.*]]: tensor<4xf32>
// CHECK-NEXT:    return %[[X]]
func.func @neutral(%x: tensor<4xf32>) -> tensor<4xf32> {
  %zero = tx.constant dense<0.0> : tensor<f32>
  %one = tx.constant dense<1.0> : tensor<1xf32>
  %0 = tx.add %x, %zero : tensor<4xf32>, tensor<f32>
  %1 = tx.mul %one, %0 : tensor<1xf32>, tensor<4xf32>
  %2 = tx.div %1, %one : tensor<4xf32>, tensor<1xf32>
  %3 = tx.sub %2, %zero : tensor<4xf32>, tensor<f32>
  return %3 : tensor<4xf32>
}

// -----

// 0 - x is no neutral element, nor is 1 / x.
// CHECK-LABEL: @not_neutral
// CHECK:         tx.sub
// CHECK:         tx.reciprocal
func.func @not_neutral(%x: tensor<4xf32>) -> tensor<4xf32> {
  %zero = tx.constant dense<0.0> : tensor<f32>
  %one = tx.constant dense<1.0> : tensor<f32>
  %0 = tx.sub %zero, %x : tensor<f32>, tensor<4xf32>
  %1 = tx.div %one, %0 : tensor<f32>, tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

// Adding a zero of more dims repeats x.
// CHECK-LABEL: @neutral_broadcast
// CHECK-NEXT:    %[[Y:.*]] = tx.broadcast %{{.*}} : tensor<4xf32> to tensor<2x4xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @neutral_broadcast(%x: tensor<4xf32>) -> tensor<2x4xf32> {
  %zero = tx.constant dense<0.0> : tensor<2x1xf32>
  %0 = tx.add %x, %zero : tensor<4xf32>, tensor<2x1xf32>
  return %0 : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: @powers
// CHECK-SAME:    %[[X:.*]]: tensor<4xf32>
// CHECK-DAG:     %[[SQUARE:.*]] = tx.mul %[[X]], %[[X]]
// CHECK-DAG:     %[[QUARTER:.*]] = tx.constant dense<2.500000e-01>
// CHECK:         tx.mul %[[SQUARE]], %[[QUARTER]]
func.func @powers(%x: tensor<4xf32>) -> tensor<4xf32> {
  %two = tx.constant dense<2.0> : tensor<f32>
  %four = tx.constant dense<4.0> : tensor<f32>
  %0 = tx.pow %x, %two : tensor<4xf32>, tensor<f32>
  %1 = tx.div %0, %four : tensor<4xf32>, tensor<f32>
  return %1 : tensor<4xf32>
}

// -----

// Multiplying by 1/3 would round twice.
// CHECK-LABEL: @division
// CHECK:         tx.div
func.func @division(%x: tensor<4xf32>) -> tensor<4xf32> {
  %three = tx.constant dense<3.0> : tensor<f32>
  %0 = tx.div %x, %three : tensor<4xf32>, tensor<f32>
  return %0 : tensor<4xf32>
}

// -----

// CHECK-LABEL: @casts
// CHECK-SAME:    %[[X:.*]]: tensor<4xf16>, %[[Y:.*]]: tensor<4xf32>
// CHECK-NEXT:    %[[LOW:.*]] = tx.cast %[[Y]] : tensor<4xf32> to tensor<4xf16>
// CHECK-NEXT:    %[[BACK:.*]] = tx.cast %[[LOW]]
// CHECK-NEXT:    return %[[X]], %[[BACK]]
func.func @casts(%x: tensor<4xf16>, %y: tensor<4xf32>)
    -> (tensor<4xf16>, tensor<4xf32>) {
  %0 = tx.cast %x : tensor<4xf16> to tensor<4xf32>
  %1 = tx.cast %0 : tensor<4xf32> to tensor<4xf16>
  %2 = tx.cast %y : tensor<4xf32> to tensor<4xf16>
  %3 = tx.cast %2 : tensor<4xf16> to tensor<4xf32>
  return %1, %3 : tensor<4xf16>, tensor<4xf32>
}

// -----

// CHECK-LABEL: @mean
// CHECK-SAME:    %[[X:.*]]: tensor<2x5x3xf32>
// CHECK-DAG:     %[[MEAN:.*]] = tx.reduce mean %[[X]] [0, 2]
// CHECK-DAG:     %[[SUM:.*]] = tx.reduce sum %[[X]] [0, 2]
// CHECK:         %[[SEVENTH:.*]] = tx.div %[[SUM]]
// CHECK-NEXT:    return %[[MEAN]], %[[SEVENTH]]
func.func @mean(%x: tensor<2x5x3xf32>) -> (tensor<1x5x1xf32>, tensor<1x5x1xf32>) {
  %six = tx.constant dense<6.0> : tensor<f32>
  %seven = tx.constant dense<7.0> : tensor<f32>
  %0 = tx.reduce sum %x [0, 2] : tensor<2x5x3xf32>
  %1 = tx.div %0, %six : tensor<1x5x1xf32>, tensor<f32>
  %2 = tx.div %0, %seven : tensor<1x5x1xf32>, tensor<f32>
  return %1, %2 : tensor<1x5x1xf32>, tensor<1x5x1xf32>
}

// -----

// CHECK-LABEL: @inverted_mask
// CHECK-SAME:    %[[M:.*]]: tensor<4xi1>
// CHECK-DAG:     %[[ZERO:.*]] = tx.constant dense<-0.000000e+00>
// CHECK-DAG:     %[[LOW:.*]] = tx.constant dense<-1.000000e+04>
// CHECK:         tx.select %[[M]], %[[ZERO]], %[[LOW]]
func.func @inverted_mask(%m: tensor<4xi1>) -> tensor<4xf32> {
  %one = tx.constant dense<1.0> : tensor<f32>
  %low = tx.constant dense<-1.0e+4> : tensor<f32>
  %0 = tx.cast %m : tensor<4xi1> to tensor<4xf32>
  %1 = tx.sub %one, %0 : tensor<f32>, tensor<4xf32>
  %2 = tx.mul %1, %low : tensor<4xf32>, tensor<f32>
  return %2 : tensor<4xf32>
}

// -----

// CHECK-LABEL: @transpose_as_reshape
// CHECK:         tx.reshape %{{.*}} : tensor<?x1x8xf32, #tx.dims<[B, 1, 8]>> to tensor<1x?x8xf32, #tx.dims<[1, B, 8]>>
// CHECK:         tx.transpose
func.func @transpose_as_reshape(%x: tensor<?x1x8xf32, #tx.dims<[B, 1, 8]>>)
    -> (tensor<1x?x8xf32, #tx.dims<[1, B, 8]>>, tensor<8x?x1xf32, #tx.dims<[8, B, 1]>>) {
  %0 = tx.transpose %x [1, 0, 2] : tensor<?x1x8xf32, #tx.dims<[B, 1, 8]>>
  %1 = tx.transpose %x [2, 0, 1] : tensor<?x1x8xf32, #tx.dims<[B, 1, 8]>>
  return %0, %1 : tensor<1x?x8xf32, #tx.dims<[1, B, 8]>>, tensor<8x?x1xf32, #tx.dims<[8, B, 1]>>
}

// -----

// The way of torch's exporter to transpose keys.
// CHECK-LABEL: @transpose_unmerged
// CHECK-SAME:    %[[K:.*]]: tensor
// CHECK-NEXT:    %[[T:.*]] = tx.transpose %[[K]] [0, 1, 3, 2]
// CHECK-NEXT:    return %[[T]]
func.func @transpose_unmerged(%k: tensor<?x4x?x12xf32, #tx.dims<[B, 4, S, 12]>>)
    -> tensor<?x4x12x?xf32, #tx.dims<[B, 4, 12, S]>> {
  %0 = tx.reshape %k : tensor<?x4x?x12xf32, #tx.dims<[B, 4, S, 12]>> to tensor<?x?x12xf32, #tx.dims<[B * 4, S, 12]>>
  %1 = tx.transpose %0 [0, 2, 1] : tensor<?x?x12xf32, #tx.dims<[B * 4, S, 12]>>
  %2 = tx.reshape %1 : tensor<?x12x?xf32, #tx.dims<[B * 4, 12, S]>> to tensor<?x4x12x?xf32, #tx.dims<[B, 4, 12, S]>>
  return %2 : tensor<?x4x12x?xf32, #tx.dims<[B, 4, 12, S]>>
}

// -----

// The last reshape splits 4 * 6 as 6 * 4: that is done first.
// CHECK-LABEL: @transpose_split_otherwise
// CHECK-NEXT:    %[[X:.*]] = tx.reshape %{{.*}} : tensor<4x6x5xf32> to tensor<6x4x5xf32>
// CHECK-NEXT:    tx.transpose %[[X]] [2, 0, 1]
func.func @transpose_split_otherwise(%x: tensor<4x6x5xf32>) -> tensor<5x6x4xf32> {
  %0 = tx.reshape %x : tensor<4x6x5xf32> to tensor<24x5xf32>
  %1 = tx.transpose %0 [1, 0] : tensor<24x5xf32>
  %2 = tx.reshape %1 : tensor<5x24xf32> to tensor<5x6x4xf32>
  return %2 : tensor<5x6x4xf32>
}

// -----

// CHECK-LABEL: @selects
// CHECK-SAME:    %[[M:.*]]: tensor<4xi1>, %[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>
// CHECK-NEXT:    %[[S:.*]] = tx.select %[[M]], %[[Y]], %[[X]]
// CHECK-NEXT:    return %[[S]], %[[X]]
func.func @selects(%m: tensor<4xi1>, %x: tensor<4xf32>, %y: tensor<4xf32>)
    -> (tensor<4xf32>, tensor<4xf32>) {
  %true = tx.constant dense<true> : tensor<i1>
  %0 = tx.not %m : tensor<4xi1>
  %1 = tx.select %0, %x, %y : tensor<4xi1>, tensor<4xf32>, tensor<4xf32>
  %2 = tx.select %true, %x, %y : tensor<i1>, tensor<4xf32>, tensor<4xf32>
  return %1, %2 : tensor<4xf32>, tensor<4xf32>
}

// -----

// The mask is computed on its few elements, and repeated by the addition.
// CHECK-LABEL: @broadcasts
// CHECK-SAME:    %[[M:.*]]: tensor<1x4xi1>, %[[X:.*]]: tensor<8x4xf32>
// CHECK:         %[[S:.*]] = tx.select %[[M]], %{{.*}}, %{{.*}} : tensor<1x4xi1>
// CHECK-NEXT:    tx.add %[[X]], %[[S]] : tensor<8x4xf32>, tensor<1x4xf32>
func.func @broadcasts(%m: tensor<1x4xi1>, %x: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %zero = tx.constant dense<0.0> : tensor<f32>
  %low = tx.constant dense<-1.0e+9> : tensor<f32>
  %0 = tx.broadcast %m : tensor<1x4xi1> to tensor<8x4xi1>
  %1 = tx.select %0, %zero, %low : tensor<8x4xi1>, tensor<f32>, tensor<f32>
  %2 = tx.add %x, %1 : tensor<8x4xf32>, tensor<8x4xf32>
  return %2 : tensor<8x4xf32>
}

// -----

// Only a run knows whether A is 1.
// CHECK-LABEL: @broadcast_decided_by_run
// CHECK:         tx.broadcast
// CHECK-NEXT:    tx.add
func.func @broadcast_decided_by_run(%x: tensor<?xf32, #tx.dims<[A]>>, %y: tensor<?xf32, #tx.dims<[C]>>)
    -> tensor<?xf32, #tx.dims<[C]>> {
  %0 = tx.broadcast %x : tensor<?xf32, #tx.dims<[A]>> to tensor<?xf32, #tx.dims<[C]>>
  %1 = tx.add %0, %y : tensor<?xf32, #tx.dims<[C]>>, tensor<?xf32, #tx.dims<[C]>>
  return %1 : tensor<?xf32, #tx.dims<[C]>>
}

// -----

// What torch's masks begin with: every place is at least 0, and below S.
// CHECK-LABEL: @comparisons
// CHECK-SAME:    %[[M:.*]]: tensor<?xi1
// CHECK:         %[[LESS:.*]] = tx.compare lt
// CHECK-NEXT:    return %[[M]], %[[LESS]]
func.func @comparisons(%m: tensor<?xi1, #tx.dims<[S]>>) -> (tensor<?xi1, #tx.dims<[S]>>, tensor<?xi1, #tx.dims<[S]>>) {
  %zero = tx.constant dense<0> : tensor<i64>
  %four = tx.constant dense<4> : tensor<i64>
  %size = tx.symbolic #tx.exprs<[S] : tensor<i64>>
  %i = tx.iota : tensor<?xi64, #tx.dims<[S]>>
  %0 = tx.compare ge %i, %zero : tensor<?xi64, #tx.dims<[S]>>, tensor<i64>
  %1 = tx.compare ge %i, %size : tensor<?xi64, #tx.dims<[S]>>, tensor<i64>
  %2 = tx.or %m, %1 : tensor<?xi1, #tx.dims<[S]>>, tensor<?xi1, #tx.dims<[S]>>
  %3 = tx.and %0, %2 : tensor<?xi1, #tx.dims<[S]>>, tensor<?xi1, #tx.dims<[S]>>
  %4 = tx.compare lt %i, %four : tensor<?xi64, #tx.dims<[S]>>, tensor<i64>
  return %3, %4 : tensor<?xi1, #tx.dims<[S]>>, tensor<?xi1, #tx.dims<[S]>>
}

// -----

// Trilu of booleans.
// CHECK-LABEL: @select_as_logic
// CHECK-SAME:    %[[C:.*]]: tensor<3x4xi1>, %[[X:.*]]: tensor<4xi1>
// CHECK:         %[[AND:.*]] = tx.and %[[C]], %[[X]]
// CHECK-NEXT:    %[[OR:.*]] = tx.or %[[C]], %[[X]]
// CHECK-NEXT:    return %[[C]], %[[AND]], %[[OR]]
func.func @select_as_logic(%c: tensor<3x4xi1>, %x: tensor<4xi1>) -> (tensor<3x4xi1>, tensor<3x4xi1>, tensor<3x4xi1>) {
  %true = tx.constant dense<true> : tensor<i1>
  %false = tx.constant dense<false> : tensor<i1>
  %0 = tx.select %c, %true, %false : tensor<3x4xi1>, tensor<i1>, tensor<i1>
  %1 = tx.select %c, %x, %false : tensor<3x4xi1>, tensor<4xi1>, tensor<i1>
  %2 = tx.select %c, %true, %x : tensor<3x4xi1>, tensor<i1>, tensor<4xi1>
  return %0, %1, %2 : tensor<3x4xi1>, tensor<3x4xi1>, tensor<3x4xi1>
}

// -----

// Of a table that is stored as bytes only the rows that are read are widened.
// CHECK-LABEL: @gather_of_quantized
// CHECK-SAME:    %[[IDS:.*]]: tensor<3x5xi64>, %[[S:.*]]: tensor<100x1xf32>
// CHECK:         %[[W:.*]] = tx.weight "w"
// CHECK:         %[[BYTES:.*]] = tx.gather %[[W]], %[[IDS]] 0
// CHECK:         %[[ROWS:.*]] = tx.cast %[[BYTES]] : tensor<3x5x8xi8> to tensor<3x5x8xf32>
// CHECK:         %[[SCALES:.*]] = tx.gather %[[S]], %[[IDS]] 0
// CHECK:         tx.mul %[[ROWS]], %[[SCALES]]
func.func @gather_of_quantized(%ids: tensor<3x5xi64>, %s: tensor<100x1xf32>) -> tensor<3x5x8xf32> {
  %w = tx.weight "w" : tensor<100x8xi8>
  %0 = tx.cast %w : tensor<100x8xi8> to tensor<100x8xf32>
  %1 = tx.mul %0, %s : tensor<100x8xf32>, tensor<100x1xf32>
  %2 = tx.gather %1, %ids 0 : tensor<100x8xf32>, tensor<3x5xi64>
  return %2 : tensor<3x5x8xf32>
}
