// RUN: txc-opt %s -txc-gemm-to-warp -canonicalize -split-input-file | FileCheck %s

// A dynamic number of rows is a parameter after the buffers. Both operands have
// rows of a multiple of 16 bytes. The weights' rows run along n.
// CHECK-LABEL: llvm.func @gemm_0
// CHECK-SAME:    (%[[X:[^:]*]]: !llvm.ptr<1> {llvm.noalias, llvm.readonly}, %[[W:[^:]*]]: !llvm.ptr<1> {llvm.noalias, llvm.readonly}, %[[BIAS:[^:]*]]: !llvm.ptr<1> {llvm.noalias, llvm.readonly}, %[[RESULT:[^:]*]]: !llvm.ptr<1> {llvm.noalias}, %[[M64:[^:]*]]: i64)
// CHECK-SAME:    nvvm.kernel, nvvm.minctasm = 2 : i32, nvvm.reqntid = array<i32: 128, 1, 1>
// CHECK-SAME:    warp.grid = [#tx.expr<floordiv(M + 63, 64)>, #tx.expr<2>, #tx.expr<1>]
// CHECK-SAME:    warp.parameters = [#tx.expr<M>]
// CHECK:         %[[M:.*]] = arith.index_cast %[[M64]] : i64 to index
// CHECK:         %[[XTILE:.*]] = warp.alloc : <256x32xf16>
// CHECK:         %[[WTILE:.*]] = warp.alloc : <128x64xf16>
// Three k-tiles are under way before the loop.
// CHECK-COUNT-6: warp.copy {{.*}} aligned to
// CHECK:         scf.for
// CHECK:           nvvm.cp.async.wait.group 2
// CHECK:           nvvm.barrier0
// CHECK:           warp.copy {{.*}} aligned to %[[XTILE]]{{.*}} height 64 threads 128
// CHECK:           warp.copy {{.*}} aligned to %[[WTILE]]{{.*}} height 32 threads 128
// CHECK:           nvvm.cp.async.commit.group
// CHECK-COUNT-2:   warp.load_fragment %[[XTILE]][%{{.*}}, %{{.*}}] :
// CHECK-COUNT-4:   warp.load_fragment %[[WTILE]][%{{.*}}, %{{.*}}] :
// CHECK-COUNT-8:   warp.mma
// The body, once for each of the lane's 32 sums. Two neighbours are inside or
// outside together, as the columns are even.
// CHECK:         warp.coordinate !warp.fragment<acc, f16_m16n8k16>[0]
// CHECK:         %[[SUM:.*]] = warp.element
// CHECK:         scf.if
// CHECK:           %[[B:.*]] = llvm.load %{{.*}} : !llvm.ptr<1> -> f32
// CHECK:           %[[BIASED:.*]] = arith.addf %[[SUM]], %[[B]] : f32
// CHECK:           %[[HALF:.*]] = arith.truncf %[[BIASED]] : f32 to f16
// CHECK:           llvm.load
// CHECK:           llvm.store %[[HALF]]
// CHECK:           llvm.store
// CHECK-COUNT-15: scf.if
// CHECK-NOT:      scf.if
!x = tensor<?x64xf16, #tx.dims<[M, 64]>>
!r = tensor<?x96xf16, #tx.dims<[M, 96]>>
func.func @main(%x: !x, %w: tensor<64x96xf16>, %bias: tensor<96xf32>) -> !r {
  %r = kernel.gemm [#tx.expr<M>, #tx.expr<96>, #tx.expr<64>] (%x : !x, %w : tensor<64x96xf16>)
      ins(%bias : tensor<96xf32>)
      maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
            affine_map<(m, n, k) -> (n)>, affine_map<(m, n, k) -> (m, n)>] -> !r {
  ^bb0(%acc: f32, %b: f32):
    %s = arith.addf %acc, %b : f32
    %h = arith.truncf %s : f32 to f16
    kernel.yield %h : f16
  }
  return %r : !r
}

// -----

// Rows of 20 f32 are aligned, rows of 33 are not. Scores of heads: the right
// operand's rows run along k, so its fragments are transposed.
// CHECK-LABEL: llvm.func @gemm_0
// CHECK-SAME:    warp.grid = [#tx.expr<floordiv(S + 63, 64)>, #tx.expr<floordiv(T + 63, 64)>, #tx.expr<6>]
// CHECK:         scf.for
// CHECK:           warp.copy {{.*}}) aligned to %[[X:.*]][
// CHECK:           warp.copy {{.*}}) to %[[Y:.*]][
// CHECK:           warp.load_fragment %[[X]][%{{.*}}, %{{.*}}] : <256x16xf32> -> <lhs, tf32_m16n8k8>
// CHECK:           warp.load_fragment %[[Y]][%{{.*}}, %{{.*}}] transposed : <256x16xf32> -> <rhs, tf32_m16n8k8>
!x = tensor<2x3x?x20xf32, #tx.dims<[2, 3, S, 20]>>
!y = tensor<2x3x?x33xf32, #tx.dims<[2, 3, T, 33]>>
!r = tensor<2x3x?x?xf32, #tx.dims<[2, 3, S, T]>>
func.func @main(%x: !x, %y: !y) -> !r {
  %r = kernel.gemm [#tx.expr<2>, #tx.expr<3>, #tx.expr<S>, #tx.expr<T>, #tx.expr<20>] (%x : !x, %y : !y)
      maps [affine_map<(b, h, m, n, k) -> (b, h, m, k)>, affine_map<(b, h, m, n, k) -> (b, h, n, k)>,
            affine_map<(b, h, m, n, k) -> (b, h, m, n)>] -> !r {
  ^bb0(%acc: f32):
    kernel.yield %acc : f32
  }
  return %r : !r
}

// -----

// A weight in panels is copied from where it lies: 16 columns are neighbours, the
// next panel is 32 x 16 elements away. A product of f32 is three of tf32: with
// what rounding leaves of either factor, then of the rounded ones.
// CHECK-LABEL: llvm.func @gemm_0
// CHECK-DAG:     %[[LANES:.*]] = arith.constant 16 : index
// CHECK-DAG:     %[[PANEL:.*]] = arith.constant 512 : index
// CHECK:         scf.for
// CHECK:           warp.copy {{.*}} aligned to %[[X:.*]][%
// CHECK:           warp.copy {{.*}} strides(%[[LANES]], %[[PANEL]]) {{.*}} aligned to %[[W:.*]][%{{.*}} {panels = 16 : i64}
// CHECK:           %[[ROW:.*]] = warp.load_fragment %[[X]][%{{.*}}, %{{.*}}] : <256x16xf32>
// CHECK:           %[[COLUMNS:.*]]:4 = warp.load_columns %[[W]][%{{.*}}, %{{.*}}] : <64x64xf32>
// CHECK:           %[[ROWREST:.*]] = warp.load_fragment %[[X]][%{{.*}}, %{{.*}}] {rest}
// CHECK:           %[[FIRST:.*]] = warp.mma %[[ROWREST]], %[[COLUMNS]]#0
// CHECK:           %[[RESTS:.*]]:4 = warp.load_columns %[[W]][%{{.*}}, %{{.*}}] {rest}
// CHECK:           %[[SECOND:.*]] = warp.mma %[[ROW]], %[[RESTS]]#0, %[[FIRST]]
// CHECK:           warp.mma %[[ROW]], %[[COLUMNS]]#0, %[[SECOND]]
// A lane has four neighbours of a row of the result.
// CHECK:         scf.if
// CHECK-COUNT-4:   llvm.store
// CHECK-NEXT:    }
!x = tensor<?x32xf32, #tx.dims<[M, 32]>>
!w = !pack.tensor<32x40xf32, #pack.panels<16>>
!r = tensor<?x40xf32, #tx.dims<[M, 40]>>
func.func @main(%x: !x, %w: !w) -> !r {
  %r = kernel.gemm [#tx.expr<M>, #tx.expr<40>, #tx.expr<32>] (%x : !x, %w : !w)
      maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
            affine_map<(m, n, k) -> (m, n)>] -> !r {
  ^bb0(%acc: f32):
    kernel.yield %acc : f32
  }
  return %r : !r
}

// -----

// f32 by bf16: panels of words that hold two neighbours along k. Stages of the
// wider left operand are larger, so there is one less.
// CHECK-LABEL: llvm.func @gemm_0
// CHECK:         %[[X:.*]] = warp.alloc : <192x32xf32>
// CHECK:         %[[W:.*]] = warp.alloc : <48x64xvector<2xbf16>>
// CHECK:         scf.for
// CHECK:           warp.copy {{.*}} aligned to %[[W]][%{{.*}} height 16 threads 128 {panels = 16 : i64}
// CHECK:           warp.load_fragment %[[X]][%{{.*}}, %{{.*}}] : <192x32xf32> -> <lhs, bf16_m16n8k16>
// CHECK:           warp.load_columns %[[W]][%{{.*}}, %{{.*}}] : <48x64xvector<2xbf16>>
// CHECK-NOT:       rest
// CHECK:           warp.mma
!x = tensor<?x33xf32, #tx.dims<[M, 33]>>
!w = !pack.tensor<33x40xbf16, #pack.panels<16, depth 2>>
!r = tensor<?x40xf32, #tx.dims<[M, 40]>>
func.func @main(%x: !x, %w: !w) -> !r {
  %r = kernel.gemm [#tx.expr<M>, #tx.expr<40>, #tx.expr<33>] (%x : !x, %w : !w)
      maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
            affine_map<(m, n, k) -> (m, n)>] precision bf16 -> !r {
  ^bb0(%acc: f32):
    kernel.yield %acc : f32
  }
  return %r : !r
}

// -----

// f16 is exact as tf32: a product with f32 is two.
// CHECK-LABEL: llvm.func @gemm_0
// CHECK:         warp.load_fragment %{{.*}} -> <lhs, tf32_m16n8k8>
// CHECK:         warp.load_columns %{{.*}} : <64x64xf16>
// CHECK:         warp.load_fragment %{{.*}} {rest}
// CHECK-NOT:     warp.load_columns {{.*}} {rest}
// CHECK:         scf.yield
!x = tensor<?x32xf32, #tx.dims<[M, 32]>>
!w = !pack.tensor<32x40xf16, #pack.panels<16>>
!r = tensor<?x40xf32, #tx.dims<[M, 40]>>
func.func @main(%x: !x, %w: !w) -> !r {
  %r = kernel.gemm [#tx.expr<M>, #tx.expr<40>, #tx.expr<32>] (%x : !x, %w : !w)
      maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
            affine_map<(m, n, k) -> (m, n)>] -> !r {
  ^bb0(%acc: f32):
    kernel.yield %acc : f32
  }
  return %r : !r
}

// -----

// Bytes without a sign by a weight in words of four, after the sums of which a
// panel has its words.
// CHECK-LABEL: llvm.func @gemm_0
// CHECK:         warp.alloc : <256x64xi8>
// CHECK:         warp.alloc : <64x64xvector<4xi8>>
// CHECK:         warp.fill %{{.*}} : i32
// CHECK:         warp.load_columns {{.*}} -> !warp.fragment<rhs, u8s8_m16n8k32>
!x = tensor<?x64xui8, #tx.dims<[M, 64]>>
!w = !pack.tensor<64x40xi8, #pack.panels<16, depth 4, shift 1>>
!r = tensor<?x40xi32, #tx.dims<[M, 40]>>
func.func @main(%x: !x, %w: !w) -> !r {
  %r = kernel.gemm [#tx.expr<M>, #tx.expr<40>, #tx.expr<64>] (%x : !x, %w : !w)
      maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
            affine_map<(m, n, k) -> (m, n)>] -> !r {
  ^bb0(%acc: i32):
    kernel.yield %acc : i32
  }
  return %r : !r
}
