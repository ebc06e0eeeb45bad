// RUN: txc-opt %s -txc-outline-weights -txc-lower-to-kernel -txc-reduce-precision=precision=bf16 -txc-choose-layouts -split-input-file | FileCheck %s --check-prefixes=CHECK,BF16
// RUN: txc-opt %s -txc-outline-weights -txc-lower-to-kernel -txc-reduce-precision=precision=int8 -txc-choose-layouts -split-input-file | FileCheck %s --check-prefixes=CHECK,INT8

// INT8: #[[COLUMN:[a-z0-9]+]] = affine_map<(d0, d1, d2) -> (0, d1)>

// The weight is stored narrower, by a recipe of its own; its scales are another
// input of the gemm.
// CHECK-LABEL: @weight
// BF16:         %[[W:.*]] = kernel.stored @recipe_bf16 : !pack.tensor<6x4xbf16, #pack.panels<16, depth 2>>
// BF16:         kernel.gemm {{.*}}, %[[W]] : {{.*}} precision bf16 ->
// BF16-NEXT:      ^bb0(%[[SUM:.*]]: f32):
// BF16-NEXT:      kernel.yield %[[SUM]]
// INT8-DAG:     %[[W:.*]] = kernel.stored @recipe_int8 : !pack.tensor<6x4xi8, #pack.panels<16, depth 4, shift 1>>
// INT8-DAG:     %[[SCALES:.*]] = kernel.stored @recipe_scales : tensor<1x4xf32>
// INT8:         kernel.gemm {{.*}}, %[[W]] : {{.*}} ins(%[[SCALES]] : tensor<1x4xf32>) maps [{{#[a-z0-9]+, #[a-z0-9]+}}, #[[COLUMN]], #{{[a-z0-9]+}}] precision int8 ->
// INT8-NEXT:      ^bb0(%[[SUM:.*]]: f32, %[[SCALE:.*]]: f32):
// INT8-NEXT:      %[[SCALED:.*]] = arith.mulf %[[SUM]], %[[SCALE]]
// INT8-NEXT:      kernel.yield %[[SCALED]]
func.func @weight(%x: tensor<5x6xf32>) -> tensor<5x4xf32> {
  %w = tx.weight "w" : tensor<6x4xf32>
  %y = tx.matmul %x, %w : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  return %y : tensor<5x4xf32>
}

// BF16:       func.func private @recipe_bf16
// BF16:         %[[F32:.*]] = tx.weight "w"
// BF16-NEXT:    tx.cast %[[F32]] : tensor<6x4xf32> to tensor<6x4xbf16>

// INT8:       func.func private @recipe_int8
// INT8:         %[[F32:.*]] = tx.weight "w"
// INT8:         %[[ABS:.*]] = tx.abs %[[F32]]
// INT8:         %[[MAX:.*]] = tx.reduce max %[[ABS]] [0]
// INT8:         %[[STEP:.*]] = tx.div %[[MAX]]
// INT8:         %[[SCALE:.*]] = tx.maximum %[[STEP]]
// INT8:         %[[SCALED:.*]] = tx.div %[[F32]], %[[SCALE]]
// INT8:         %[[ROUNDED:.*]] = tx.round %[[SCALED]]
// INT8:         tx.cast %[[ROUNDED]] : tensor<6x4xf32> to tensor<6x4xi8>

// INT8:       func.func private @recipe_scales
// INT8:         %[[STEP:.*]] = tx.div
// INT8:         %[[SCALE:.*]] = tx.maximum %[[STEP]]
// INT8:         return %[[SCALE]] : tensor<1x4xf32>

// -----

// Products of two tensors of the run stay f32.
// CHECK-LABEL: @tensors
// CHECK:         kernel.gemm {{.*}} -> tensor<5x4xf32>
// CHECK-NOT:     precision
func.func @tensors(%x: tensor<5x6xf32>, %y: tensor<6x4xf32>) -> tensor<5x4xf32> {
  %z = tx.matmul %x, %y : tensor<5x6xf32>, tensor<6x4xf32> to tensor<5x4xf32>
  return %z : tensor<5x4xf32>
}

// -----

// A classifier of two classes is faster in f32.
// CHECK-LABEL: @classes
// CHECK:         kernel.gemm {{.*}} -> tensor<5x2xf32>
// CHECK-NOT:     precision
func.func @classes(%x: tensor<5x6xf32>) -> tensor<5x2xf32> {
  %w = tx.weight "w" : tensor<6x2xf32>
  %z = tx.matmul %x, %w : tensor<5x6xf32>, tensor<6x2xf32> to tensor<5x2xf32>
  return %z : tensor<5x2xf32>
}

// -----

// A tied embedding: the gather still reads f32.
// CHECK-LABEL: @tied
// CHECK-DAG:     kernel.stored @{{.*}} : tensor<100x8xf32>
// CHECK-DAG:     kernel.stored @{{.*}} : !pack.tensor<8x100x
func.func @tied(%ids: tensor<5xi64>) -> tensor<5x100xf32> {
  %table = tx.weight "table" : tensor<100x8xf32>
  %x = tx.gather %table, %ids 0 : tensor<100x8xf32>, tensor<5xi64>
  %t = tx.transpose %table [1, 0] : tensor<100x8xf32>
  %y = tx.matmul %x, %t : tensor<5x8xf32>, tensor<8x100xf32> to tensor<5x100xf32>
  return %y : tensor<5x100xf32>
}

// -----

// Attention has bf16, whatever the products with weights have.
// CHECK-LABEL: @attention
// CHECK:         kernel.attention {{.*}} precision bf16 {
func.func @attention(%q: tensor<1x2x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>) -> tensor<1x2x5x8xf32> {
  %o = tx.attention %q, %k, %v {scale = 1.0, masked_row = #tx<masked_row zero>} : tensor<1x2x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>
  return %o : tensor<1x2x5x8xf32>
}

// -----

// A GELU that only a narrower product reads may be approximate; not one that an
// output is made of.
// CHECK-LABEL: func.func @gelu(
// CHECK:         math.erf %{{.*}} fastmath<afn>
// CHECK:         math.erf
// CHECK-NOT:     fastmath
// CHECK:         return
func.func @gelu(%x: tensor<5x4xf32>, %y: tensor<5x4xf32>) -> (tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>) {
  %w = tx.weight "w" : tensor<4x4xf32>
  %g = tx.gelu erf %x : tensor<5x4xf32>
  %a = tx.matmul %g, %w : tensor<5x4xf32>, tensor<4x4xf32> to tensor<5x4xf32>
  %h = tx.gelu erf %y : tensor<5x4xf32>
  %b = tx.matmul %h, %w : tensor<5x4xf32>, tensor<4x4xf32> to tensor<5x4xf32>
  return %a, %b, %h : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>
}

// -----

// A weight of bytes has its scale behind the product already.
// CHECK-LABEL: func.func @bytes(
// BF16:         %[[W:.*]] = kernel.stored @recipe_bf16 : !pack.tensor<4x4xbf16
// BF16:         kernel.gemm {{.*}}, %[[W]] : {{.*}} precision bf16
// INT8:         %[[W:.*]] = kernel.stored @recipe_clamped : !pack.tensor<4x4xi8
// INT8-NOT:     recipe_scales
// INT8:         kernel.gemm {{.*}}, %[[W]] : {{.*}} precision int8
// INT8:       func.func private @recipe_clamped
// INT8:         %[[LEAST:.*]] = tx.constant dense<-127> : tensor<i8>
// INT8:         tx.maximum %{{.*}}, %[[LEAST]] : tensor<4x4xi8>, tensor<i8>
func.func @bytes(%x: tensor<5x4xf32>) -> tensor<5x4xf32> {
  %w = tx.weight "w" : tensor<4x4xi8>
  %a = tx.matmul %x, %w : tensor<5x4xf32>, tensor<4x4xi8> to tensor<5x4xf32>
  return %a : tensor<5x4xf32>
}

// -----

// An f16 becomes f32 at the end of what makes it, with the dims that the product
// reads.
// CHECK-LABEL: func.func @half(
// CHECK:         %[[X:.*]] = kernel.map
// CHECK:           arith.extf %{{.*}} : f16 to f32
// CHECK-NOT:     kernel.map
// BF16:         kernel.gemm [{{.*}}](%[[X]] : tensor<10x4xf32>, %{{.*}} : !pack.tensor<4x4xbf16{{.*}} precision bf16 -> tensor<10x4xf16>
// INT8:         kernel.gemm [{{.*}}](%[[X]] : tensor<10x4xf32>, %{{.*}} : !pack.tensor<4x4xi8{{.*}} precision int8 -> tensor<10x4xf16>
// BF16:       func.func private @recipe_bf16
// BF16:         tx.cast %{{.*}} : tensor<4x4xf16> to tensor<4x4xbf16>
// INT8:       func.func private @recipe_int8
// INT8:         %[[WIDE:.*]] = tx.cast %{{.*}} : tensor<4x4xf16> to tensor<4x4xf32>
// INT8:         tx.abs %[[WIDE]]
func.func @half(%x: tensor<10x4xf16>) -> tensor<10x4xf16> {
  %w = tx.weight "w" : tensor<4x4xf16>
  %n = tx.neg %x : tensor<10x4xf16>
  %a = tx.matmul %n, %w : tensor<10x4xf16>, tensor<4x4xf16> to tensor<10x4xf16>
  return %a : tensor<10x4xf16>
}
