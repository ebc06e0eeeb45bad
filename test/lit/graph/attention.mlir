// RUN: txc-opt %s -pass-pipeline='builtin.module(txc-recognize-attention{remarks},canonicalize)' \
// RUN:   -split-input-file -verify-diagnostics | FileCheck %s

// Nothing but softmax(q kᵀ) v.
// CHECK-LABEL: @plain
// CHECK-SAME:    %[[Q:.*]]: tensor<2x4x3x8xf32>, %[[K:.*]]: tensor<2x4x5x8xf32>, %[[V:.*]]: tensor<2x4x5x6xf32>
// CHECK-NEXT:    %[[Y:.*]] = tx.attention %[[Q]], %[[K]], %[[V]] {masked_row = #tx<masked_row nan>, scale = 1.000000e+00 : f64}
// CHECK-NEXT:    return %[[Y]]
func.func @plain(%q: tensor<2x4x3x8xf32>, %k: tensor<2x4x5x8xf32>, %v: tensor<2x4x5x6xf32>) -> tensor<2x4x3x6xf32> {
  %kt = tx.transpose %k [0, 1, 3, 2] : tensor<2x4x5x8xf32>
  %s = tx.matmul %q, %kt : tensor<2x4x3x8xf32>, tensor<2x4x8x5xf32> to tensor<2x4x3x5xf32>
  %p = tx.softmax %s 3 : tensor<2x4x3x5xf32>
  %y = tx.matmul %p, %v : tensor<2x4x3x5xf32>, tensor<2x4x5x6xf32> to tensor<2x4x3x6xf32>
  return %y : tensor<2x4x3x6xf32>
}

// -----

// torch's sdpa: half the scale on each side, -inf for masked keys, rows without
// keys become 0. K comes as [B, T, H, D]; the mask's repetition is dropped.
// CHECK-LABEL: @scaled_masked
// CHECK-SAME:    %[[Q:.*]]: tensor<2x4x3x16xf32>, %[[K:.*]]: tensor<2x5x4x16xf32>, %[[V:.*]]: tensor<2x4x5x16xf32>, %[[M:.*]]: tensor<2x1x1x5xi1>
// CHECK:         %[[KH:.*]] = tx.transpose %[[K]] [0, 2, 1, 3]
// CHECK-NEXT:    %[[Y:.*]] = tx.attention %[[Q]], %[[KH]], %[[V]] mask %[[M]] : tensor<2x1x1x5xi1> {masked_row = #tx<masked_row zero>, scale = 2.500000e-01 : f64}
// CHECK-NEXT:    return %[[Y]]
func.func @scaled_masked(%q: tensor<2x4x3x16xf32>, %k: tensor<2x5x4x16xf32>, %v: tensor<2x4x5x16xf32>,
                         %m: tensor<2x1x1x5xi1>) -> tensor<2x4x3x16xf32> {
  %half = tx.constant dense<0.5> : tensor<f32>
  %zero = tx.constant dense<0.0> : tensor<f32>
  %low = tx.constant dense<0xFF800000> : tensor<1xf32>
  %kt = tx.transpose %k [0, 2, 3, 1] : tensor<2x5x4x16xf32>
  %qs = tx.mul %q, %half : tensor<2x4x3x16xf32>, tensor<f32>
  %ks = tx.mul %kt, %half : tensor<2x4x16x5xf32>, tensor<f32>
  %s = tx.matmul %qs, %ks : tensor<2x4x3x16xf32>, tensor<2x4x16x5xf32> to tensor<2x4x3x5xf32>
  %mb = tx.broadcast %m : tensor<2x1x1x5xi1> to tensor<2x1x3x5xi1>
  %a = tx.select %mb, %zero, %low : tensor<2x1x3x5xi1>, tensor<f32>, tensor<1xf32>
  %sm = tx.add %s, %a : tensor<2x4x3x5xf32>, tensor<2x1x3x5xf32>
  %p = tx.softmax %sm 3 : tensor<2x4x3x5xf32>
  %n = tx.is_nan %p : tensor<2x4x3x5xf32>
  %g = tx.select %n, %zero, %p : tensor<2x4x3x5xi1>, tensor<f32>, tensor<2x4x3x5xf32>
  %y = tx.matmul %g, %v : tensor<2x4x3x5xf32>, tensor<2x4x5x16xf32> to tensor<2x4x3x16xf32>
  return %y : tensor<2x4x3x16xf32>
}

// -----

// A decoder with P keys in its cache: t <= s + P and a padding mask, with the
// lowest float for what is masked. A row without keys is uniform.
// CHECK-LABEL: @causal_past
// CHECK-SAME:    %[[M:[a-z0-9]+]]: tensor<?x1x1x?xi1, {{[^)]*}}) ->
// CHECK:         tx.attention %{{.*}}, %{{.*}}, %{{.*}} mask %[[M]] : {{.*}} {causal = #tx.expr<P>, masked_row = #tx<masked_row uniform>, scale = 1.000000e+00 : f64}
func.func @causal_past(%q: tensor<?x4x?x8xf32, #tx.dims<[B, 4, S, 8]>>, %kt: tensor<?x4x8x?xf32, #tx.dims<[B, 4, 8, P + S]>>,
                       %v: tensor<?x4x?x8xf32, #tx.dims<[B, 4, P + S, 8]>>, %m: tensor<?x1x1x?xi1, #tx.dims<[B, 1, 1, P + S]>>)
    -> tensor<?x4x?x8xf32, #tx.dims<[B, 4, S, 8]>> {
  %zero = tx.constant dense<0.0> : tensor<f32>
  %low = tx.constant dense<-3.40282347E+38> : tensor<f32>
  %past = tx.symbolic #tx.exprs<[P] : tensor<i64>>
  %i = tx.iota : tensor<?xi64, #tx.dims<[S]>>
  %ip = tx.add %i, %past : tensor<?xi64, #tx.dims<[S]>>, tensor<i64>
  %row = tx.reshape %ip : tensor<?xi64, #tx.dims<[S]>> to tensor<1x1x?x1xi64, #tx.dims<[1, 1, S, 1]>>
  %j = tx.iota : tensor<?xi64, #tx.dims<[P + S]>>
  %column = tx.reshape %j : tensor<?xi64, #tx.dims<[P + S]>> to tensor<1x1x1x?xi64, #tx.dims<[1, 1, 1, P + S]>>
  %c = tx.compare le %column, %row : tensor<1x1x1x?xi64, #tx.dims<[1, 1, 1, P + S]>>, tensor<1x1x?x1xi64, #tx.dims<[1, 1, S, 1]>>
  %and = tx.and %c, %m : tensor<1x1x?x?xi1, #tx.dims<[1, 1, S, P + S]>>, tensor<?x1x1x?xi1, #tx.dims<[B, 1, 1, P + S]>>
  %a = tx.select %and, %zero, %low : tensor<?x1x?x?xi1, #tx.dims<[B, 1, S, P + S]>>, tensor<f32>, tensor<f32>
  %s = tx.matmul %q, %kt : tensor<?x4x?x8xf32, #tx.dims<[B, 4, S, 8]>>, tensor<?x4x8x?xf32, #tx.dims<[B, 4, 8, P + S]>> to tensor<?x4x?x?xf32, #tx.dims<[B, 4, S, P + S]>>
  %sm = tx.add %s, %a : tensor<?x4x?x?xf32, #tx.dims<[B, 4, S, P + S]>>, tensor<?x1x?x?xf32, #tx.dims<[B, 1, S, P + S]>>
  %p = tx.softmax %sm 3 : tensor<?x4x?x?xf32, #tx.dims<[B, 4, S, P + S]>>
  %y = tx.matmul %p, %v : tensor<?x4x?x?xf32, #tx.dims<[B, 4, S, P + S]>>, tensor<?x4x?x8xf32, #tx.dims<[B, 4, P + S, 8]>> to tensor<?x4x?x8xf32, #tx.dims<[B, 4, S, 8]>>
  return %y : tensor<?x4x?x8xf32, #tx.dims<[B, 4, S, 8]>>
}

// -----

// Gemma 2: soft cap, causal and a window of 4096 keys, written as `s - t`;
// `s >= 0` says nothing. The condition chooses between scores and -inf.
// CHECK-LABEL: @softcap_window
// CHECK:         tx.attention %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}} {causal = #tx.expr<0>, masked_row = #tx<masked_row nan>, scale = 6.250000e-02 : f64, softcap = 5.000000e+01 : f64, window = 4096 : i64}
func.func @softcap_window(%q: tensor<2x?x8xf32, #tx.dims<[2, S, 8]>>, %k: tensor<2x?x8xf32, #tx.dims<[2, S, 8]>>, %v: tensor<2x?x8xf32, #tx.dims<[2, S, 8]>>)
    -> tensor<2x?x8xf32, #tx.dims<[2, S, 8]>> {
  %low = tx.constant dense<0xFF800000> : tensor<f32>
  %scale = tx.constant dense<0.0625> : tensor<f32>
  %cap = tx.constant dense<50.0> : tensor<f32>
  %zero = tx.constant dense<0> : tensor<i64>
  %width = tx.constant dense<4096> : tensor<i64>
  %i = tx.iota : tensor<?xi64, #tx.dims<[S]>>
  %row = tx.reshape %i : tensor<?xi64, #tx.dims<[S]>> to tensor<?x1xi64, #tx.dims<[S, 1]>>
  %any = tx.compare lt %row, %zero : tensor<?x1xi64, #tx.dims<[S, 1]>>, tensor<i64>
  %future = tx.compare gt %i, %row : tensor<?xi64, #tx.dims<[S]>>, tensor<?x1xi64, #tx.dims<[S, 1]>>
  %distance = tx.sub %row, %i : tensor<?x1xi64, #tx.dims<[S, 1]>>, tensor<?xi64, #tx.dims<[S]>>
  %far = tx.compare ge %distance, %width : tensor<?x?xi64, #tx.dims<[S, S]>>, tensor<i64>
  %0 = tx.or %far, %future : tensor<?x?xi1, #tx.dims<[S, S]>>, tensor<?x?xi1, #tx.dims<[S, S]>>
  %mask = tx.or %0, %any : tensor<?x?xi1, #tx.dims<[S, S]>>, tensor<?x1xi1, #tx.dims<[S, 1]>>
  %kt = tx.transpose %k [0, 2, 1] : tensor<2x?x8xf32, #tx.dims<[2, S, 8]>>
  %s = tx.matmul %q, %kt : tensor<2x?x8xf32, #tx.dims<[2, S, 8]>>, tensor<2x8x?xf32, #tx.dims<[2, 8, S]>> to tensor<2x?x?xf32, #tx.dims<[2, S, S]>>
  %ss = tx.mul %s, %scale : tensor<2x?x?xf32, #tx.dims<[2, S, S]>>, tensor<f32>
  %sd = tx.div %ss, %cap : tensor<2x?x?xf32, #tx.dims<[2, S, S]>>, tensor<f32>
  %st = tx.tanh %sd : tensor<2x?x?xf32, #tx.dims<[2, S, S]>>
  %sc = tx.mul %st, %cap : tensor<2x?x?xf32, #tx.dims<[2, S, S]>>, tensor<f32>
  %sm = tx.select %mask, %low, %sc : tensor<?x?xi1, #tx.dims<[S, S]>>, tensor<f32>, tensor<2x?x?xf32, #tx.dims<[2, S, S]>>
  %p = tx.softmax %sm 2 : tensor<2x?x?xf32, #tx.dims<[2, S, S]>>
  %y = tx.matmul %p, %v : tensor<2x?x?xf32, #tx.dims<[2, S, S]>>, tensor<2x?x8xf32, #tx.dims<[2, S, 8]>> to tensor<2x?x8xf32, #tx.dims<[2, S, 8]>>
  return %y : tensor<2x?x8xf32, #tx.dims<[2, S, 8]>>
}

// -----

// Grouped heads repeated by unsqueeze, broadcast and reshape; softmax in f32.
// CHECK-LABEL: @grouped_half
// CHECK-SAME:    %[[Q:.*]]: tensor<2x6x3x8xf16>, %[[K:.*]]: tensor<2x2x5x8xf16>, %[[V:.*]]: tensor<2x2x5x8xf16>
// CHECK-NEXT:    %[[Y:.*]] = tx.attention %[[Q]], %[[K]], %[[V]] {
// CHECK-NEXT:    return %[[Y]]
func.func @grouped_half(%q: tensor<2x6x3x8xf16>, %k: tensor<2x2x5x8xf16>, %v: tensor<2x2x5x8xf16>) -> tensor<2x6x3x8xf16> {
  %k1 = tx.reshape %k : tensor<2x2x5x8xf16> to tensor<2x2x1x5x8xf16>
  %k2 = tx.broadcast %k1 : tensor<2x2x1x5x8xf16> to tensor<2x2x3x5x8xf16>
  %k3 = tx.reshape %k2 : tensor<2x2x3x5x8xf16> to tensor<2x6x5x8xf16>
  %v1 = tx.reshape %v : tensor<2x2x5x8xf16> to tensor<2x2x1x5x8xf16>
  %v2 = tx.broadcast %v1 : tensor<2x2x1x5x8xf16> to tensor<2x2x3x5x8xf16>
  %v3 = tx.reshape %v2 : tensor<2x2x3x5x8xf16> to tensor<2x6x5x8xf16>
  %kt = tx.transpose %k3 [0, 1, 3, 2] : tensor<2x6x5x8xf16>
  %s = tx.matmul %q, %kt : tensor<2x6x3x8xf16>, tensor<2x6x8x5xf16> to tensor<2x6x3x5xf16>
  %sf = tx.cast %s : tensor<2x6x3x5xf16> to tensor<2x6x3x5xf32>
  %p = tx.softmax %sf 3 : tensor<2x6x3x5xf32>
  %ph = tx.cast %p : tensor<2x6x3x5xf32> to tensor<2x6x3x5xf16>
  %y = tx.matmul %ph, %v3 : tensor<2x6x3x5xf16>, tensor<2x6x5x8xf16> to tensor<2x6x3x8xf16>
  return %y : tensor<2x6x3x8xf16>
}

// -----

// A position bias and a causal mask of -inf: the bias is added, the causal part
// an attribute. -10000 is no mask but a number that is added.
// CHECK-LABEL: @bias_and_causal
// CHECK-SAME:    %{{.*}}: tensor<2x4x3x8xf32>, %{{.*}}: tensor<2x4x8x3xf32>, %{{.*}}: tensor<2x4x3x8xf32>, %[[BIAS:.*]]: tensor<1x4x3x3xf32>, %[[PAD:.*]]: tensor<2x1x1x3xi1>
// CHECK:         %[[A:.*]] = tx.select %[[PAD]]
// CHECK:         %[[SUM:.*]] = tx.add %[[A]], %[[BIAS]]
// CHECK:         tx.attention {{.*}} mask %[[SUM]] : tensor<2x4x3x3xf32> {causal = #tx.expr<0>, masked_row = #tx<masked_row nan>
func.func @bias_and_causal(%q: tensor<2x4x3x8xf32>, %kt: tensor<2x4x8x3xf32>, %v: tensor<2x4x3x8xf32>,
                           %bias: tensor<1x4x3x3xf32>, %pad: tensor<2x1x1x3xi1>) -> tensor<2x4x3x8xf32> {
  %zero = tx.constant dense<0.0> : tensor<f32>
  %inf = tx.constant dense<0xFF800000> : tensor<f32>
  %low = tx.constant dense<-10000.0> : tensor<f32>
  %row = tx.constant dense<[[0], [1], [2]]> : tensor<3x1xi64>
  %column = tx.constant dense<[0, 1, 2]> : tensor<3xi64>
  %past = tx.compare ge %row, %column : tensor<3x1xi64>, tensor<3xi64>
  %causal = tx.select %past, %zero, %inf : tensor<3x3xi1>, tensor<f32>, tensor<f32>
  %padding = tx.select %pad, %zero, %low : tensor<2x1x1x3xi1>, tensor<f32>, tensor<f32>
  %s = tx.matmul %q, %kt : tensor<2x4x3x8xf32>, tensor<2x4x8x3xf32> to tensor<2x4x3x3xf32>
  %s1 = tx.add %padding, %s : tensor<2x1x1x3xf32>, tensor<2x4x3x3xf32>
  %s2 = tx.add %s1, %causal : tensor<2x4x3x3xf32>, tensor<3x3xf32>
  %s3 = tx.add %bias, %s2 : tensor<1x4x3x3xf32>, tensor<2x4x3x3xf32>
  %p = tx.softmax %s3 3 : tensor<2x4x3x3xf32>
  %y = tx.matmul %p, %v : tensor<2x4x3x3xf32>, tensor<2x4x3x8xf32> to tensor<2x4x3x8xf32>
  return %y : tensor<2x4x3x8xf32>
}

// -----

// Two finite fills add up to -inf where both mask: no boolean says that.
// CHECK-LABEL: @two_finite_masks
// CHECK:         tx.attention {{.*}} mask %{{.*}} : tensor<2x1x3x3xf32> {masked_row
func.func @two_finite_masks(%q: tensor<2x4x3x8xf32>, %kt: tensor<2x4x8x3xf32>, %v: tensor<2x4x3x8xf32>,
                            %a: tensor<2x1x1x3xi1>, %b: tensor<3x3xi1>) -> tensor<2x4x3x8xf32> {
  %zero = tx.constant dense<0.0> : tensor<f32>
  %low = tx.constant dense<-3.40282347E+38> : tensor<f32>
  %ma = tx.select %a, %zero, %low : tensor<2x1x1x3xi1>, tensor<f32>, tensor<f32>
  %mb = tx.select %b, %low, %zero : tensor<3x3xi1>, tensor<f32>, tensor<f32>
  %s = tx.matmul %q, %kt : tensor<2x4x3x8xf32>, tensor<2x4x8x3xf32> to tensor<2x4x3x3xf32>
  %s1 = tx.add %s, %ma : tensor<2x4x3x3xf32>, tensor<2x1x1x3xf32>
  %s2 = tx.add %s1, %mb : tensor<2x4x3x3xf32>, tensor<3x3xf32>
  %p = tx.softmax %s2 3 : tensor<2x4x3x3xf32>
  %y = tx.matmul %p, %v : tensor<2x4x3x3xf32>, tensor<2x4x3x8xf32> to tensor<2x4x3x8xf32>
  return %y : tensor<2x4x3x8xf32>
}

// -----

// The outer fill replaces what the inner mask added: a row that both mask is the
// mean of the keys that the outer one masks. Two sums would be -inf.
// CHECK-LABEL: @replaced_after_mask
// CHECK-SAME:    %[[INNER:[a-z0-9]+]]: tensor<2x1x1x3xi1>, %[[OUTER:[a-z0-9]+]]: tensor<3x3xi1>)
// CHECK:         %[[A:.*]] = tx.select %[[INNER]], %[[ZERO:.*]], %[[LOW:.*]] : tensor<2x1x1x3xi1>
// CHECK-NEXT:    %[[B:.*]] = tx.select %[[OUTER]], %[[A]], %{{.*}} : tensor<3x3xi1>
// CHECK:         tx.attention {{.*}} mask %[[B]] : tensor<2x1x3x3xf32> {masked_row
func.func @replaced_after_mask(%q: tensor<2x4x3x8xf32>, %kt: tensor<2x4x8x3xf32>, %v: tensor<2x4x3x8xf32>,
                               %inner: tensor<2x1x1x3xi1>, %outer: tensor<3x3xi1>) -> tensor<2x4x3x8xf32> {
  %inf = tx.constant dense<0xFF800000> : tensor<f32>
  %low = tx.constant dense<-3.40282347E+38> : tensor<f32>
  %s = tx.matmul %q, %kt : tensor<2x4x3x8xf32>, tensor<2x4x8x3xf32> to tensor<2x4x3x3xf32>
  %s1 = tx.select %inner, %s, %inf : tensor<2x1x1x3xi1>, tensor<2x4x3x3xf32>, tensor<f32>
  %s2 = tx.select %outer, %s1, %low : tensor<3x3xi1>, tensor<2x4x3x3xf32>, tensor<f32>
  %p = tx.softmax %s2 3 : tensor<2x4x3x3xf32>
  %y = tx.matmul %p, %v : tensor<2x4x3x3xf32>, tensor<2x4x3x8xf32> to tensor<2x4x3x8xf32>
  return %y : tensor<2x4x3x8xf32>
}

// -----

// A dim M is 2 or 1, which only a run knows: the condition is repeated.
// CHECK-LABEL: @maybe_repeated
// CHECK-SAME:    %[[M:[a-z0-9]+]]: tensor<?xi1, #tx.dims<[M]>>, %[[B:[a-z0-9]+]]: tensor<3x2xf32>)
// CHECK:         %[[R:.*]] = tx.broadcast %[[M]] : tensor<?xi1, #tx.dims<[M]>> to tensor<2xi1>
// CHECK:         %[[A:.*]] = tx.select %[[R]]
// CHECK:         %[[SUM:.*]] = tx.add %[[A]], %[[B]]
// CHECK:         tx.attention {{.*}} mask %[[SUM]] : tensor<3x2xf32>
func.func @maybe_repeated(%q: tensor<2x4x3x8xf32>, %kt: tensor<2x4x8x2xf32>, %v: tensor<2x4x2x8xf32>, %m: tensor<?xi1, #tx.dims<[M]>>,
                          %bias: tensor<3x2xf32>) -> tensor<2x4x3x8xf32> {
  %zero = tx.constant dense<0.0> : tensor<f32>
  %low = tx.constant dense<-3.40282347E+38> : tensor<f32>
  %a = tx.select %m, %zero, %low : tensor<?xi1, #tx.dims<[M]>>, tensor<f32>, tensor<f32>
  %r = tx.broadcast %a : tensor<?xf32, #tx.dims<[M]>> to tensor<2xf32>
  %s = tx.matmul %q, %kt : tensor<2x4x3x8xf32>, tensor<2x4x8x2xf32> to tensor<2x4x3x2xf32>
  %s1 = tx.add %s, %r : tensor<2x4x3x2xf32>, tensor<2xf32>
  %s2 = tx.add %s1, %bias : tensor<2x4x3x2xf32>, tensor<3x2xf32>
  %p = tx.softmax %s2 3 : tensor<2x4x3x2xf32>
  %y = tx.matmul %p, %v : tensor<2x4x3x2xf32>, tensor<2x4x2x8xf32> to tensor<2x4x3x8xf32>
  return %y : tensor<2x4x3x8xf32>
}

// -----

// Masks are added in f32 between an f16 product and the softmax: in f16 their
// fills would be -inf, and in f64 the sum of two would not.
// CHECK-LABEL: @masks_in_f32
// CHECK:         %[[A:.*]] = tx.select {{.*}} : tensor<3x3xi1>, tensor<f32>, tensor<f32>
// CHECK:         %[[B:.*]] = tx.select {{.*}} : tensor<1x3xi1>, tensor<f32>, tensor<f32>
// CHECK:         %[[SUM:.*]] = tx.add %[[A]], %[[B]] : tensor<3x3xf32>, tensor<1x3xf32>
// CHECK:         tx.attention {{.*}} mask %[[SUM]] : tensor<3x3xf32>
func.func @masks_in_f32(%q: tensor<2x4x3x8xf16>, %kt: tensor<2x4x8x3xf16>, %v: tensor<2x4x3x8xf16>, %a: tensor<3x3xi1>, %b: tensor<1x3xi1>)
    -> tensor<2x4x3x8xf16> {
  %zero = tx.constant dense<0.0> : tensor<f32>
  %low = tx.constant dense<-3.40282347E+38> : tensor<f32>
  %ma = tx.select %a, %zero, %low : tensor<3x3xi1>, tensor<f32>, tensor<f32>
  %mb = tx.select %b, %zero, %low : tensor<1x3xi1>, tensor<f32>, tensor<f32>
  %s = tx.matmul %q, %kt : tensor<2x4x3x8xf16>, tensor<2x4x8x3xf16> to tensor<2x4x3x3xf16>
  %s32 = tx.cast %s : tensor<2x4x3x3xf16> to tensor<2x4x3x3xf32>
  %s1 = tx.add %s32, %ma : tensor<2x4x3x3xf32>, tensor<3x3xf32>
  %s2 = tx.add %s1, %mb : tensor<2x4x3x3xf32>, tensor<1x3xf32>
  %s64 = tx.cast %s2 : tensor<2x4x3x3xf32> to tensor<2x4x3x3xf64>
  %p = tx.softmax %s64 3 : tensor<2x4x3x3xf64>
  %p16 = tx.cast %p : tensor<2x4x3x3xf64> to tensor<2x4x3x3xf16>
  %y = tx.matmul %p16, %v : tensor<2x4x3x3xf16>, tensor<2x4x3x8xf16> to tensor<2x4x3x8xf16>
  return %y : tensor<2x4x3x8xf16>
}

// -----

// BART's bmm: heads are in the batch, but the mask is added in four dims.
// CHECK-LABEL: @merged_heads
// CHECK-SAME:    %[[Q:.*]]: tensor<8x3x8xf32>, %[[K:.*]]: tensor<8x5x8xf32>, %[[V:.*]]: tensor<8x5x8xf32>, %[[M:.*]]: tensor<2x1x3x5xf32>
// CHECK-DAG:     %[[Q4:.*]] = tx.reshape %[[Q]] : tensor<8x3x8xf32> to tensor<2x4x3x8xf32>
// CHECK-DAG:     %[[K4:.*]] = tx.reshape %[[K]] : tensor<8x5x8xf32> to tensor<2x4x5x8xf32>
// CHECK-DAG:     %[[V4:.*]] = tx.reshape %[[V]] : tensor<8x5x8xf32> to tensor<2x4x5x8xf32>
// CHECK:         %[[Y:.*]] = tx.attention %[[Q4]], %[[K4]], %[[V4]] mask %[[M]] : tensor<2x1x3x5xf32>
// CHECK-NEXT:    tx.reshape %[[Y]] : tensor<2x4x3x8xf32> to tensor<8x3x8xf32>
func.func @merged_heads(%q: tensor<8x3x8xf32>, %k: tensor<8x5x8xf32>, %v: tensor<8x5x8xf32>, %m: tensor<2x1x3x5xf32>) -> tensor<8x3x8xf32> {
  %kt = tx.transpose %k [0, 2, 1] : tensor<8x5x8xf32>
  %s = tx.matmul %q, %kt : tensor<8x3x8xf32>, tensor<8x8x5xf32> to tensor<8x3x5xf32>
  %s4 = tx.reshape %s : tensor<8x3x5xf32> to tensor<2x4x3x5xf32>
  %sm = tx.add %s4, %m : tensor<2x4x3x5xf32>, tensor<2x1x3x5xf32>
  %p4 = tx.softmax %sm 3 : tensor<2x4x3x5xf32>
  %p = tx.reshape %p4 : tensor<2x4x3x5xf32> to tensor<8x3x5xf32>
  %y = tx.matmul %p, %v : tensor<8x3x5xf32>, tensor<8x5x8xf32> to tensor<8x3x8xf32>
  return %y : tensor<8x3x8xf32>
}

// -----

// The mask is added where there are as many dims, but others: heads in the
// batch, [1, B * H].
// CHECK-LABEL: @mask_of_merged_heads
// CHECK-SAME:    %[[M:[a-z0-9]+]]: tensor<1x8x1x5xf32>)
// CHECK-DAG:     %[[Q1:.*]] = tx.reshape %{{.*}} : tensor<2x4x3x8xf32> to tensor<1x8x3x8xf32>
// CHECK-DAG:     %[[K1:.*]] = tx.reshape %{{.*}} : tensor<2x4x5x8xf32> to tensor<1x8x5x8xf32>
// CHECK:         %[[Y:.*]] = tx.attention %[[Q1]], %[[K1]], %{{.*}} mask %[[M]] : tensor<1x8x1x5xf32>
// CHECK-NEXT:    tx.reshape %[[Y]] : tensor<1x8x3x8xf32> to tensor<2x4x3x8xf32>
func.func @mask_of_merged_heads(%q: tensor<2x4x3x8xf32>, %kt: tensor<2x4x8x5xf32>, %v: tensor<2x4x5x8xf32>, %m: tensor<1x8x1x5xf32>)
    -> tensor<2x4x3x8xf32> {
  %s = tx.matmul %q, %kt : tensor<2x4x3x8xf32>, tensor<2x4x8x5xf32> to tensor<2x4x3x5xf32>
  %s1 = tx.reshape %s : tensor<2x4x3x5xf32> to tensor<1x8x3x5xf32>
  %sm = tx.add %s1, %m : tensor<1x8x3x5xf32>, tensor<1x8x1x5xf32>
  %s2 = tx.reshape %sm : tensor<1x8x3x5xf32> to tensor<2x4x3x5xf32>
  %p = tx.softmax %s2 3 : tensor<2x4x3x5xf32>
  %y = tx.matmul %p, %v : tensor<2x4x3x5xf32>, tensor<2x4x5x8xf32> to tensor<2x4x3x8xf32>
  return %y : tensor<2x4x3x8xf32>
}

// -----

// CodeGen and XLNet scale masked scores, XLNet subtracts its mask.
// CHECK-LABEL: @scaled_sum
// CHECK-SAME:    %[[M:[a-z0-9]+]]: tensor<3x5xf32>, %[[B:[a-z0-9]+]]: tensor<3x5xi1>)
// CHECK-DAG:     %[[MINUS:.*]] = tx.constant dense<-2.000000e+00> : tensor<f32>
// CHECK-DAG:     %[[INF:.*]] = tx.constant dense<0xFF800000> : tensor<f32>
// CHECK:         %[[SCALED:.*]] = tx.mul %[[M]], %[[MINUS]]
// CHECK:         %[[KEPT:.*]] = tx.select %[[B]], %{{.*}}, %[[INF]]
// CHECK:         %[[MASK:.*]] = tx.add %[[SCALED]], %[[KEPT]]
// CHECK:         tx.attention {{.*}} mask %[[MASK]] : tensor<3x5xf32> {{.*}}scale = 2.0
func.func @scaled_sum(%q: tensor<4x3x8xf32>, %kt: tensor<4x8x5xf32>, %v: tensor<4x5x8xf32>, %m: tensor<3x5xf32>, %b: tensor<3x5xi1>) -> tensor<4x3x8xf32> {
  %two = tx.constant dense<2.0> : tensor<f32>
  %low = tx.constant dense<-3.40282347E+38> : tensor<f32>
  %s = tx.matmul %q, %kt : tensor<4x3x8xf32>, tensor<4x8x5xf32> to tensor<4x3x5xf32>
  %sm = tx.sub %s, %m : tensor<4x3x5xf32>, tensor<3x5xf32>
  %sb = tx.select %b, %sm, %low : tensor<3x5xi1>, tensor<4x3x5xf32>, tensor<f32>
  %ss = tx.mul %sb, %two : tensor<4x3x5xf32>, tensor<f32>
  %p = tx.softmax %ss 2 : tensor<4x3x5xf32>
  %y = tx.matmul %p, %v : tensor<4x3x5xf32>, tensor<4x5x8xf32> to tensor<4x3x8xf32>
  return %y : tensor<4x3x8xf32>
}

// -----

// Swin v2: each head has its temperature; the mask of a window is repeated over
// the images when their dims merge.
// CHECK-LABEL: @windows
// CHECK-SAME:    %[[Q:.*]]: tensor<?x4x3x8xf32, #tx.dims<[2 * B, 4, 3, 8]>>, {{.*}} %[[F:[a-z0-9]+]]: tensor<4x1x1xf32>, %[[M:[a-z0-9]+]]: tensor<2x1x3x3xf32>)
// CHECK-DAG:     %[[HOT:.*]] = tx.mul %[[Q]], %[[F]]
// CHECK-DAG:     %[[ALL:.*]] = tx.broadcast %[[M]] : tensor<2x1x3x3xf32> to tensor<?x2x1x3x3xf32, #tx.dims<[B, 2, 1, 3, 3]>>
// CHECK-DAG:     %[[MASK:.*]] = tx.reshape %[[ALL]] : {{.*}} to tensor<?x1x3x3xf32, #tx.dims<[2 * B, 1, 3, 3]>>
// CHECK:         tx.attention %[[HOT]], {{.*}} mask %[[MASK]]
func.func @windows(%q: tensor<?x4x3x8xf32, #tx.dims<[2 * B, 4, 3, 8]>>, %kt: tensor<?x4x8x3xf32, #tx.dims<[2 * B, 4, 8, 3]>>,
                   %v: tensor<?x4x3x8xf32, #tx.dims<[2 * B, 4, 3, 8]>>, %f: tensor<4x1x1xf32>, %m: tensor<2x1x3x3xf32>)
    -> tensor<?x4x3x8xf32, #tx.dims<[2 * B, 4, 3, 8]>> {
  %s = tx.matmul %q, %kt : tensor<?x4x3x8xf32, #tx.dims<[2 * B, 4, 3, 8]>>, tensor<?x4x8x3xf32, #tx.dims<[2 * B, 4, 8, 3]>> to tensor<?x4x3x3xf32, #tx.dims<[2 * B, 4, 3, 3]>>
  %sf = tx.mul %s, %f : tensor<?x4x3x3xf32, #tx.dims<[2 * B, 4, 3, 3]>>, tensor<4x1x1xf32>
  %s5 = tx.reshape %sf : tensor<?x4x3x3xf32, #tx.dims<[2 * B, 4, 3, 3]>> to tensor<?x2x4x3x3xf32, #tx.dims<[B, 2, 4, 3, 3]>>
  %sm = tx.add %s5, %m : tensor<?x2x4x3x3xf32, #tx.dims<[B, 2, 4, 3, 3]>>, tensor<2x1x3x3xf32>
  %s4 = tx.reshape %sm : tensor<?x2x4x3x3xf32, #tx.dims<[B, 2, 4, 3, 3]>> to tensor<?x4x3x3xf32, #tx.dims<[2 * B, 4, 3, 3]>>
  %p = tx.softmax %s4 3 : tensor<?x4x3x3xf32, #tx.dims<[2 * B, 4, 3, 3]>>
  %y = tx.matmul %p, %v : tensor<?x4x3x3xf32, #tx.dims<[2 * B, 4, 3, 3]>>, tensor<?x4x3x8xf32, #tx.dims<[2 * B, 4, 3, 8]>> to tensor<?x4x3x8xf32, #tx.dims<[2 * B, 4, 3, 8]>>
  return %y : tensor<?x4x3x8xf32, #tx.dims<[2 * B, 4, 3, 8]>>
}

// -----

// DeBERTa: a bias where heads are in the batch, a mask where they are not.
// CHECK-LABEL: @mask_and_bias
// CHECK-SAME:    %[[B:[a-z0-9]+]]: tensor<8x3x5xf32>, %[[M:[a-z0-9]+]]: tensor<2x1x3x5xi1>)
// CHECK-DAG:     %[[B4:.*]] = tx.reshape %[[B]] : tensor<8x3x5xf32> to tensor<2x4x3x5xf32>
// CHECK:         %[[MASK:.*]] = tx.select %[[M]], %[[B4]], %{{.*}}
// CHECK:         tx.attention {{.*}} mask %[[MASK]] : tensor<2x4x3x5xf32>
func.func @mask_and_bias(%q: tensor<8x3x8xf32>, %kt: tensor<8x8x5xf32>, %v: tensor<8x5x8xf32>, %b: tensor<8x3x5xf32>, %m: tensor<2x1x3x5xi1>) -> tensor<8x3x8xf32> {
  %low = tx.constant dense<-3.40282347E+38> : tensor<f32>
  %s = tx.matmul %q, %kt : tensor<8x3x8xf32>, tensor<8x8x5xf32> to tensor<8x3x5xf32>
  %sb = tx.add %s, %b : tensor<8x3x5xf32>, tensor<8x3x5xf32>
  %s4 = tx.reshape %sb : tensor<8x3x5xf32> to tensor<2x4x3x5xf32>
  %sm = tx.select %m, %s4, %low : tensor<2x1x3x5xi1>, tensor<2x4x3x5xf32>, tensor<f32>
  %p4 = tx.softmax %sm 3 : tensor<2x4x3x5xf32>
  %p = tx.reshape %p4 : tensor<2x4x3x5xf32> to tensor<8x3x5xf32>
  %y = tx.matmul %p, %v : tensor<8x3x5xf32>, tensor<8x5x8xf32> to tensor<8x3x8xf32>
  return %y : tensor<8x3x8xf32>
}

// -----

// Hiera: heads, and units within an image.
// CHECK-LABEL: @five_dims
// CHECK:         %[[Y:.*]] = tx.attention {{.*}} : tensor<8x5x3x8xf32>
// CHECK-NEXT:    tx.reshape %[[Y]] : tensor<8x5x3x8xf32> to tensor<2x4x5x3x8xf32>
func.func @five_dims(%q: tensor<2x4x5x3x8xf32>, %kt: tensor<2x4x5x8x6xf32>, %v: tensor<2x4x5x6x8xf32>) -> tensor<2x4x5x3x8xf32> {
  %s = tx.matmul %q, %kt : tensor<2x4x5x3x8xf32>, tensor<2x4x5x8x6xf32> to tensor<2x4x5x3x6xf32>
  %p = tx.softmax %s 4 : tensor<2x4x5x3x6xf32>
  %y = tx.matmul %p, %v : tensor<2x4x5x3x6xf32>, tensor<2x4x5x6x8xf32> to tensor<2x4x5x3x8xf32>
  return %y : tensor<2x4x5x3x8xf32>
}

// -----

// CHECK-LABEL: @batch_near_misses
// CHECK-NOT:     tx.attention
func.func @batch_near_misses(%q: tensor<2x4x3x8xf32>, %kt: tensor<2x4x8x5xf32>, %v: tensor<2x4x5x8xf32>, %one: tensor<2x1x8x5xf32>,
                             %v1: tensor<2x1x5x8xf32>, %m: tensor<4x1x1x5xf32>, %n: tensor<2x1x1x5xf32>)
    -> (tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>) {
  // expected-remark @+1 {{not recognized as attention: batch dims are reshaped between two masks}}
  %s = tx.matmul %q, %kt : tensor<2x4x3x8xf32>, tensor<2x4x8x5xf32> to tensor<2x4x3x5xf32>
  %sn = tx.add %s, %n : tensor<2x4x3x5xf32>, tensor<2x1x1x5xf32>
  %s1 = tx.reshape %sn : tensor<2x4x3x5xf32> to tensor<4x2x3x5xf32>
  %sm = tx.add %s1, %m : tensor<4x2x3x5xf32>, tensor<4x1x1x5xf32>
  %s2 = tx.reshape %sm : tensor<4x2x3x5xf32> to tensor<2x4x3x5xf32>
  %p = tx.softmax %s2 3 : tensor<2x4x3x5xf32>
  %y = tx.matmul %p, %v : tensor<2x4x3x5xf32>, tensor<2x4x5x8xf32> to tensor<2x4x3x8xf32>

  // One head for all would have to become two of four batches.
  %t = tx.matmul %q, %one : tensor<2x4x3x8xf32>, tensor<2x1x8x5xf32> to tensor<2x4x3x5xf32>
  %t1 = tx.reshape %t : tensor<2x4x3x5xf32> to tensor<4x2x3x5xf32>
  %tm = tx.add %t1, %m : tensor<4x2x3x5xf32>, tensor<4x1x1x5xf32>
  %t2 = tx.reshape %tm : tensor<4x2x3x5xf32> to tensor<2x4x3x5xf32>
  %p1 = tx.softmax %t2 3 : tensor<2x4x3x5xf32>
  // expected-remark @+1 {{not recognized as attention: keys or values are repeated over the batch}}
  %y1 = tx.matmul %p1, %v1 : tensor<2x4x3x5xf32>, tensor<2x1x5x8xf32> to tensor<2x4x3x8xf32>
  return %y, %y1 : tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>
}

// -----

// CHECK-LABEL: @probabilities_returned
// CHECK-NOT:     tx.attention
func.func @probabilities_returned(%q: tensor<4x3x8xf32>, %kt: tensor<4x8x5xf32>, %v: tensor<4x5x8xf32>)
    -> (tensor<4x3x8xf32>, tensor<4x3x5xf32>) {
  %s = tx.matmul %q, %kt : tensor<4x3x8xf32>, tensor<4x8x5xf32> to tensor<4x3x5xf32>
  %p = tx.softmax %s 2 : tensor<4x3x5xf32>
  // expected-remark @+1 {{not recognized as attention: the probabilities are used elsewhere, as an output for example}}
  %y = tx.matmul %p, %v : tensor<4x3x5xf32>, tensor<4x5x8xf32> to tensor<4x3x8xf32>
  return %y, %p : tensor<4x3x8xf32>, tensor<4x3x5xf32>
}

// -----

// CHECK-LABEL: @near_misses
// CHECK-NOT:     tx.attention
func.func @near_misses(%q: tensor<4x3x8xf32>, %kt: tensor<4x8x5xf32>, %v: tensor<4x5x8xf32>, %f: tensor<1x5xf32>, %b: tensor<3x5xi1>)
    -> (tensor<4x3x8xf32>, tensor<4x3x8xf32>, tensor<4x3x8xf32>, tensor<4x3x8xf32>, tensor<4x3x8xf32>) {
  %tiny = tx.constant dense<1.0e-20> : tensor<f32>
  %low = tx.constant dense<-3.40282347E+38> : tensor<f32>
  %high = tx.constant dense<-10000.0> : tensor<f32>
  %s = tx.matmul %q, %kt : tensor<4x3x8xf32>, tensor<4x8x5xf32> to tensor<4x3x5xf32>
  // expected-remark @+1 {{not recognized as attention: masked scores are scaled such that a mask is none}}
  %sm = tx.select %b, %s, %low : tensor<3x5xi1>, tensor<4x3x5xf32>, tensor<f32>
  %ss = tx.mul %sm, %tiny : tensor<4x3x5xf32>, tensor<f32>
  %p = tx.softmax %ss 2 : tensor<4x3x5xf32>
  %y = tx.matmul %p, %v : tensor<4x3x5xf32>, tensor<4x5x8xf32> to tensor<4x3x8xf32>

  %s1 = tx.matmul %q, %kt : tensor<4x3x8xf32>, tensor<4x8x5xf32> to tensor<4x3x5xf32>
  // expected-remark @+1 {{not recognized as attention: scores are replaced by a number too high to mean no attention}}
  %sm1 = tx.select %b, %s1, %high : tensor<3x5xi1>, tensor<4x3x5xf32>, tensor<f32>
  %p1 = tx.softmax %sm1 2 : tensor<4x3x5xf32>
  %y1 = tx.matmul %p1, %v : tensor<4x3x5xf32>, tensor<4x5x8xf32> to tensor<4x3x8xf32>

  %s2 = tx.matmul %q, %kt : tensor<4x3x8xf32>, tensor<4x8x5xf32> to tensor<4x3x5xf32>
  %p2 = tx.softmax %s2 1 : tensor<4x3x5xf32>
  // expected-remark @+1 {{not recognized as attention: the softmax is not over the keys}}
  %y2 = tx.matmul %p2, %v : tensor<4x3x5xf32>, tensor<4x5x8xf32> to tensor<4x3x8xf32>

  // A factor of each key, and one of each query around a mask.
  %g = tx.constant dense<[[[2.0]], [[3.0]], [[4.0]], [[5.0]]]> : tensor<4x1x1xf32>
  %s3 = tx.matmul %q, %kt : tensor<4x3x8xf32>, tensor<4x8x5xf32> to tensor<4x3x5xf32>
  // expected-remark @+1 {{not recognized as attention: the scores of a query are scaled by more than one number}}
  %sf = tx.mul %s3, %f : tensor<4x3x5xf32>, tensor<1x5xf32>
  %p3 = tx.softmax %sf 2 : tensor<4x3x5xf32>
  %y3 = tx.matmul %p3, %v : tensor<4x3x5xf32>, tensor<4x5x8xf32> to tensor<4x3x8xf32>
  %s4 = tx.matmul %q, %kt : tensor<4x3x8xf32>, tensor<4x8x5xf32> to tensor<4x3x5xf32>
  // expected-remark @+1 {{not recognized as attention: masked scores are capped or scaled by a tensor}}
  %sm4 = tx.add %s4, %f : tensor<4x3x5xf32>, tensor<1x5xf32>
  %sg = tx.mul %sm4, %g : tensor<4x3x5xf32>, tensor<4x1x1xf32>
  %p4 = tx.softmax %sg 2 : tensor<4x3x5xf32>
  %y4 = tx.matmul %p4, %v : tensor<4x3x5xf32>, tensor<4x5x8xf32> to tensor<4x3x8xf32>
  return %y, %y1, %y2, %y3, %y4 : tensor<4x3x8xf32>, tensor<4x3x8xf32>, tensor<4x3x8xf32>, tensor<4x3x8xf32>, tensor<4x3x8xf32>
}
