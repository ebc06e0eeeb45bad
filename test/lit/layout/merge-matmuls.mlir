// RUN: txc-opt %s -txc-merge-matmuls -split-input-file | FileCheck %s

// Queries, keys and values are slices of one product; no bias is one of zeros.
// CHECK-LABEL: @siblings
// CHECK-SAME:    (%[[X:.*]]: tensor<5x6xf32>)
// CHECK-DAG:     %[[Q:.*]] = tx.weight "q"
// CHECK-DAG:     %[[K:.*]] = tx.weight "k"
// CHECK-DAG:     %[[V:.*]] = tx.weight "v"
// CHECK-DAG:     %[[VT:.*]] = tx.transpose %[[V]] [1, 0]
// CHECK-DAG:     %[[QB:.*]] = tx.weight "qb"
// CHECK-DAG:     %[[W:.*]] = tx.concat %[[Q]], %[[K]], %[[VT]] 1
// CHECK:         %[[P:.*]] = tx.matmul %[[X]], %[[W]] : {{.*}} to tensor<5x8xf32>
// CHECK-NOT:     tx.matmul
// CHECK-DAG:     %[[VB:.*]] = tx.weight "vb"
// CHECK-DAG:     %[[ZERO:.*]] = tx.constant dense<0.000000e+00> : tensor<2xf32>
// CHECK:         %[[B:.*]] = tx.concat %[[QB]], %[[ZERO]], %[[VB]] 0
// CHECK:         %[[Y:.*]] = tx.add %[[P]], %[[B]]
// CHECK:         %[[R0:.*]] = tx.slice %[[Y]] [#tx.expr<0>, #tx.expr<0>] [1, 1] : {{.*}} to tensor<5x4xf32>
// CHECK:         %[[R1:.*]] = tx.slice %[[Y]] [#tx.expr<0>, #tx.expr<4>] [1, 1] : {{.*}} to tensor<5x2xf32>
// CHECK:         %[[R2:.*]] = tx.slice %[[Y]] [#tx.expr<0>, #tx.expr<6>] [1, 1] : {{.*}} to tensor<5x2xf32>
// CHECK:         return %[[R0]], %[[R1]], %[[R2]]
func.func @siblings(%x: tensor<5x6xf32>) -> (tensor<5x4xf32>, tensor<5x2xf32>, tensor<5x2xf32>) {
  %wq = tx.weight "q" : tensor<6x4xf32>
  %bq = tx.weight "qb" : tensor<4xf32>
  %q0 = tx.matmul %x, %wq : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  %q = tx.add %bq, %q0 : tensor<4xf32>, tensor<5x4xf32>
  %wk = tx.weight "k" : tensor<6x2xf32>
  %k = tx.matmul %x, %wk : tensor<5x6xf32>, tensor<6x2xf32> to tensor<5x2xf32>
  %wv = tx.weight "v" : tensor<2x6xf32>
  %tv = tx.transpose %wv [1, 0] : tensor<2x6xf32>
  %v0 = tx.matmul %x, %tv : tensor<5x6xf32>, tensor<6x2xf32> to tensor<5x2xf32>
  %bv = tx.weight "vb" : tensor<2xf32>
  %v = tx.add %v0, %bv : tensor<5x2xf32>, tensor<2xf32>
  return %q, %k, %v : tensor<5x4xf32>, tensor<5x2xf32>, tensor<5x2xf32>
}

// -----

// What would be an epilogue keeps products apart, also behind a reshape.
// CHECK-LABEL: @epilogue
// CHECK-COUNT-2: tx.matmul
// CHECK-NOT:     tx.slice
func.func @epilogue(%x: tensor<5x6xf32>) -> tensor<20xf32> {
  %w = tx.weight "gate" : tensor<6x4xf32>
  %w2 = tx.weight "up" : tensor<6x4xf32>
  %g = tx.matmul %x, %w : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  %u = tx.matmul %x, %w2 : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  %gr = tx.reshape %g : tensor<5x4xf32> to tensor<20xf32>
  %ur = tx.reshape %u : tensor<5x4xf32> to tensor<20xf32>
  %y = tx.mul %gr, %ur : tensor<20xf32>, tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

// A weight that something else reads would be stored twice.
// CHECK-LABEL: @tied
// CHECK-COUNT-2: tx.matmul
// CHECK-NOT:     tx.slice
func.func @tied(%x: tensor<5x6xf32>) -> (tensor<5x4xf32>, tensor<5x4xf32>, tensor<4x6xf32>) {
  %w = tx.weight "w" : tensor<4x6xf32>
  %t = tx.transpose %w [1, 0] : tensor<4x6xf32>
  %w2 = tx.weight "w2" : tensor<6x4xf32>
  %y = tx.matmul %x, %t : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  %z = tx.matmul %x, %w2 : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  return %y, %z, %w : tensor<5x4xf32>, tensor<5x4xf32>, tensor<4x6xf32>
}

// -----

// Layers that share all their weights share the merged one.
// CHECK-LABEL: @shared
// CHECK-COUNT-2: tx.matmul {{.*}} tensor<6x8xf32>
// CHECK-NOT:     tx.matmul
func.func @shared(%x: tensor<5x6xf32>, %y: tensor<5x6xf32>)
    -> (tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>) {
  %w = tx.weight "w" : tensor<6x4xf32>
  %w2 = tx.weight "w2" : tensor<6x4xf32>
  %a = tx.matmul %x, %w : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  %b = tx.matmul %x, %w2 : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  %c = tx.matmul %y, %w : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  %d = tx.matmul %y, %w2 : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  return %a, %b, %c, %d : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>
}

// -----

// Products with another one between them are needed at different times.
// CHECK-LABEL: @apart
// CHECK-COUNT-3: tx.matmul
// CHECK-NOT:     tx.slice
func.func @apart(%x: tensor<5x6xf32>, %y: tensor<5x6xf32>)
    -> (tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>) {
  %w = tx.weight "w" : tensor<6x4xf32>
  %w2 = tx.weight "w2" : tensor<6x4xf32>
  %w3 = tx.weight "w3" : tensor<6x4xf32>
  %a = tx.matmul %x, %w : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  %b = tx.matmul %y, %w2 : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  %c = tx.matmul %x, %w3 : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  return %a, %b, %c : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>
}

// -----

// The largest of each row is no second weight.
// CHECK-LABEL: @summary
// CHECK:         tx.reduce max
// CHECK:         tx.concat
// CHECK:         tx.matmul %{{.*}} to tensor<5x64xf32>
func.func @summary(%x: tensor<5x6xf32>) -> (tensor<5x32xf32>, tensor<5x32xf32>, tensor<5x6xf32>) {
  %w0 = tx.weight "w0" : tensor<6x32xf32>
  %w1 = tx.weight "w1" : tensor<6x32xf32>
  %abs = tx.abs %w0 : tensor<6x32xf32>
  %rows = tx.reduce max %abs [1] : tensor<6x32xf32>
  %largest = tx.reshape %rows : tensor<6x1xf32> to tensor<6xf32>
  %scaled = tx.mul %w0, %rows : tensor<6x32xf32>, tensor<6x1xf32>
  %y0 = tx.matmul %x, %scaled : tensor<5x6xf32>, tensor<6x32xf32> to tensor<5x32xf32>
  %y1 = tx.matmul %x, %w1 : tensor<5x6xf32>, tensor<6x32xf32> to tensor<5x32xf32>
  %z = tx.mul %x, %largest : tensor<5x6xf32>, tensor<6xf32>
  return %y0, %y1, %z : tensor<5x32xf32>, tensor<5x32xf32>, tensor<5x6xf32>
}

// -----

// Sums of bytes become numbers as one: the zero of the left factor meets sums
// of all columns, one scale is a vector, the other one number, and what one
// product has for all columns is repeated.
// CHECK-LABEL: @bytes
// CHECK-SAME:    (%[[X:.*]]: tensor<5x256xui8>, %[[ZERO:.*]]: tensor<ui8>
// CHECK-DAG:     %[[Q:.*]] = tx.weight "q"
// CHECK-DAG:     %[[K:.*]] = tx.weight "k"
// CHECK:         %[[W:.*]] = tx.concat %[[Q]], %[[K]] 1
// CHECK:         %[[SUM:.*]] = tx.matmul %[[X]], %[[W]] : {{.*}} to tensor<5x6xi32>
// CHECK:         %[[Z32:.*]] = tx.cast %[[ZERO]]
// CHECK:         %[[COLUMNS:.*]] = tx.concat {{.*}} 0 : tensor<4xi32>, tensor<2xi32>
// CHECK:         %[[ZEROS:.*]] = tx.mul %[[Z32]], %[[COLUMNS]]
// CHECK:         %[[PLACES:.*]] = tx.sub %[[SUM]], %[[ZEROS]]
// CHECK:         %[[REAL:.*]] = tx.cast %[[PLACES]]
// CHECK-DAG:     %[[ONE:.*]] = tx.constant dense<5.000000e-01> : tensor<2xf32>
// CHECK:         %[[SCALE:.*]] = tx.concat %{{.*}}, %[[ONE]] 0
// CHECK:         %[[SCALED:.*]] = tx.mul %[[REAL]], %[[SCALE]]
// CHECK:         %[[Y:.*]] = tx.maximum %[[SCALED]], %{{.*}} : tensor<5x6xf32>, tensor<f32>
// CHECK:         tx.slice %[[Y]] [#tx.expr<0>, #tx.expr<0>] [1, 1] : {{.*}} to tensor<5x4xf32>
// CHECK:         tx.slice %[[Y]] [#tx.expr<0>, #tx.expr<4>] [1, 1] : {{.*}} to tensor<5x2xf32>
func.func @bytes(%x: tensor<5x256xui8>, %zero: tensor<ui8>) -> (tensor<5x4xf32>, tensor<5x2xf32>) {
  %least = tx.constant dense<-1.0> : tensor<f32>
  %ones = tx.constant dense<1> : tensor<1x256xi8>
  %q = tx.weight "q" : tensor<256x4xi8>
  %k = tx.weight "k" : tensor<256x2xi8>
  %qs = tx.weight "qs" : tensor<4xf32>
  %ks = tx.constant dense<0.5> : tensor<f32>
  %q0 = tx.matmul %x, %q : tensor<5x256xui8>, tensor<256x4xi8> to tensor<5x4xi32>
  // Comes too late for a product here.
  %z32 = tx.cast %zero : tensor<ui8> to tensor<i32>
  %qc = tx.matmul %ones, %q : tensor<1x256xi8>, tensor<256x4xi8> to tensor<1x4xi32>
  %qz = tx.mul %z32, %qc : tensor<i32>, tensor<1x4xi32>
  %q1 = tx.sub %q0, %qz : tensor<5x4xi32>, tensor<1x4xi32>
  %q2 = tx.cast %q1 : tensor<5x4xi32> to tensor<5x4xf32>
  %q3 = tx.mul %q2, %qs : tensor<5x4xf32>, tensor<4xf32>
  %q4 = tx.maximum %q3, %least : tensor<5x4xf32>, tensor<f32>
  %k0 = tx.matmul %x, %k : tensor<5x256xui8>, tensor<256x2xi8> to tensor<5x2xi32>
  %kc = tx.matmul %ones, %k : tensor<1x256xi8>, tensor<256x2xi8> to tensor<1x2xi32>
  %kz = tx.mul %z32, %kc : tensor<i32>, tensor<1x2xi32>
  %k1 = tx.sub %k0, %kz : tensor<5x2xi32>, tensor<1x2xi32>
  %k2 = tx.cast %k1 : tensor<5x2xi32> to tensor<5x2xf32>
  %k3 = tx.mul %k2, %ks : tensor<5x2xf32>, tensor<f32>
  %k4 = tx.maximum %k3, %least : tensor<5x2xf32>, tensor<f32>
  return %q4, %k4 : tensor<5x4xf32>, tensor<5x2xf32>
}

// -----

// Other steps on the way to numbers keep products apart.
// CHECK-LABEL: @unlike
// CHECK-COUNT-2: tx.matmul
// CHECK-NOT:     tx.slice
func.func @unlike(%x: tensor<5x64xi8>) -> (tensor<5x4xf32>, tensor<5x4xf32>) {
  %two = tx.constant dense<2> : tensor<i32>
  %w0 = tx.weight "w0" : tensor<64x4xi8>
  %w1 = tx.weight "w1" : tensor<64x4xi8>
  %q0 = tx.matmul %x, %w0 : tensor<5x64xi8>, tensor<64x4xi8> to tensor<5x4xi32>
  %q1 = tx.add %q0, %two : tensor<5x4xi32>, tensor<i32>
  %q2 = tx.cast %q1 : tensor<5x4xi32> to tensor<5x4xf32>
  %k0 = tx.matmul %x, %w1 : tensor<5x64xi8>, tensor<64x4xi8> to tensor<5x4xi32>
  %k1 = tx.sub %k0, %two : tensor<5x4xi32>, tensor<i32>
  %k2 = tx.cast %k1 : tensor<5x4xi32> to tensor<5x4xf32>
  return %q2, %k2 : tensor<5x4xf32>, tensor<5x4xf32>
}
