// RUN: txc-opt %s -txc-warp-to-nvvm -canonicalize -split-input-file | FileCheck %s

// A tile is a global in shared memory; tiles of one function have two names.
// CHECK-DAG:   llvm.mlir.global internal @[[A:tile.*]]() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<4096 x i8>
// CHECK-DAG:   llvm.mlir.global internal @[[B:tile.*]]() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<1024 x i8>
// CHECK-LABEL: @alloc
// CHECK-DAG:     llvm.mlir.addressof @[[A]] : !llvm.ptr<3>
// CHECK-DAG:     llvm.mlir.addressof @[[B]] : !llvm.ptr<3>
llvm.func @alloc(%source: !llvm.ptr<1>, %n: i64) {
  %i = arith.index_cast %n : i64 to index
  %c0 = arith.constant 0 : index
  %a = warp.alloc : !warp.tile<64x32xf16>
  %b = warp.alloc : !warp.tile<16x16xf32>
  warp.copy %source strides(%i, %i) bounds(%i, %i) aligned to %a[%c0] height 64 threads 128 : !llvm.ptr<1> to !warp.tile<64x32xf16>
  warp.copy %source strides(%i, %i) bounds(%i, %i) aligned to %b[%c0] height 16 threads 64 : !llvm.ptr<1> to !warp.tile<16x16xf32>
  llvm.return
}

// -----

// 64 rows of 4 chunks and 128 threads: two copies a thread. The number of bytes
// is what is left of the row, and nothing below the last row.
// CHECK-LABEL: @copy_chunks
// CHECK-SAME:    %[[SOURCE:[^:]*]]: !llvm.ptr<1>, %[[STRIDE64:[^:]*]]: i64, %[[ROWS64:[^:]*]]: i64, %[[COLUMNS64:[^:]*]]: i64
// CHECK-DAG:     %[[ROWS:.*]] = arith.index_cast %[[ROWS64]]
// CHECK-DAG:     %[[COLUMNS:.*]] = arith.index_cast %[[COLUMNS64]]
// CHECK-DAG:     %[[C8:.*]] = arith.constant 8 : index
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK:         arith.xori
// CHECK:         %[[LEFT:.*]] = arith.subi %[[COLUMNS]]
// CHECK:         %[[MOST:.*]] = arith.minsi %[[LEFT]], %[[C8]]
// CHECK:         %[[LEAST:.*]] = arith.maxsi %[[MOST]], %[[C0]]
// CHECK:         %[[INSIDE:.*]] = arith.cmpi slt, %{{.*}}, %[[ROWS]]
// CHECK:         arith.select %[[INSIDE]], %[[LEAST]], %[[C0]]
// CHECK:         nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache =  cg, %{{.*}} : !llvm.ptr<3>, !llvm.ptr<1>, i32
// CHECK:         nvvm.cp.async.shared.global
// CHECK-NOT:     nvvm.cp.async.shared.global
llvm.func @copy_chunks(%source: !llvm.ptr<1>, %stride: i64, %rows: i64, %columns: i64) {
  %s = arith.index_cast %stride : i64 to index
  %r = arith.index_cast %rows : i64 to index
  %c = arith.index_cast %columns : i64 to index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %tile = warp.alloc : !warp.tile<64x32xf16>
  warp.copy %source strides(%s, %c1) bounds(%r, %c) aligned to %tile[%c0] height 64 threads 128 : !llvm.ptr<1> to !warp.tile<64x32xf16>
  llvm.return
}

// -----

// Without alignment words are copied one by one; of those outside none of the
// four bytes, which leaves zeros.
// CHECK-LABEL: @copy_words
// CHECK:         %[[INSIDE:.*]] = arith.select %{{.*}}, %{{.*}}, %[[NONE:.*]] : index
// CHECK:         %[[BYTES:.*]] = arith.muli %[[INSIDE]], %{{.*}} : index
// CHECK:         %[[SIZE:.*]] = arith.index_cast %[[BYTES]] : index to i32
// CHECK:         nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 4, cache =  ca, %[[SIZE]]
llvm.func @copy_words(%source: !llvm.ptr<1>, %n: i64) {
  %i = arith.index_cast %n : i64 to index
  %c0 = arith.constant 0 : index
  %tile = warp.alloc : !warp.tile<8x16xf32>
  warp.copy %source strides(%i, %i) bounds(%i, %i) to %tile[%c0] height 8 threads 128 : !llvm.ptr<1> to !warp.tile<8x16xf32>
  llvm.return
}

// -----

// What is smaller a thread copies element by element, if it is inside. The
// lanes of a warp meet again.
// CHECK-LABEL: @copy_elements
// CHECK:         %[[INSIDE:.*]] = arith.andi
// CHECK:         %[[ELEMENT:.*]] = scf.if %[[INSIDE]] -> (f16) {
// CHECK:           %[[LOADED:.*]] = llvm.load %{{.*}} : !llvm.ptr<1> -> f16
// CHECK:           scf.yield %[[LOADED]]
// CHECK:         } else {
// CHECK:           scf.yield %{{.*}} : f16
// CHECK:         llvm.store %[[ELEMENT]], %{{.*}} : f16, !llvm.ptr<3>
// CHECK-NOT:     llvm.store
// CHECK:         nvvm.bar.warp.sync
llvm.func @copy_elements(%source: !llvm.ptr<1>, %n: i64) {
  %i = arith.index_cast %n : i64 to index
  %c0 = arith.constant 0 : index
  %tile = warp.alloc : !warp.tile<8x16xf16>
  warp.copy %source strides(%i, %i) bounds(%i, %i) to %tile[%c0] height 8 threads 128 : !llvm.ptr<1> to !warp.tile<8x16xf16>
  llvm.return
}

// -----

// An lhs has four registers of two halves. In an m x k tile the two are
// neighbours; in a k x m one ldmatrix transposes.
// CHECK-LABEL: @load_lhs
// CHECK:         nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<row>, num = 4 : i32{{.*}} -> !llvm.struct<(i32, i32, i32, i32)>
// CHECK-COUNT-4: llvm.bitcast %{{.*}} : i32 to vector<2xf16>
// CHECK:         nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<col>, num = 4 : i32
// An rhs has two; here the tile that needs no transposition is n x k.
// CHECK:         nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<col>, num = 2 : i32{{.*}} -> !llvm.struct<(i32, i32)>
// CHECK:         nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<row>, num = 2 : i32
// CHECK:         nvvm.mma.sync A[{{.*}}]  B[{{.*}}]  C[{{.*}}] {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, {{.*}}shape = #nvvm.shape<m = 16, n = 8, k = 16>} : (vector<2xf16>, vector<2xf16>, f32) -> !llvm.struct<(f32, f32, f32, f32)>
llvm.func @load_lhs(%out: !llvm.ptr<1>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %tile = warp.alloc : !warp.tile<64x32xf16>
  %a = warp.load_fragment %tile[%c0, %c0] : !warp.tile<64x32xf16> -> !warp.fragment<lhs, f16_m16n8k16>
  %at = warp.load_fragment %tile[%c0, %c0] transposed : !warp.tile<64x32xf16> -> !warp.fragment<lhs, f16_m16n8k16>
  %b = warp.load_fragment %tile[%c0, %c0] : !warp.tile<64x32xf16> -> !warp.fragment<rhs, f16_m16n8k16>
  %bt = warp.load_fragment %tile[%c0, %c0] transposed : !warp.tile<64x32xf16> -> !warp.fragment<rhs, f16_m16n8k16>
  %c = warp.fill %zero : f32 -> !warp.fragment<acc, f16_m16n8k16>
  %d = warp.mma %a, %b, %c : !warp.fragment<lhs, f16_m16n8k16>, !warp.fragment<rhs, f16_m16n8k16>, !warp.fragment<acc, f16_m16n8k16>
  %e = warp.mma %at, %bt, %d : !warp.fragment<lhs, f16_m16n8k16>, !warp.fragment<rhs, f16_m16n8k16>, !warp.fragment<acc, f16_m16n8k16>
  %x = warp.element %e[1] : !warp.fragment<acc, f16_m16n8k16> -> f32
  llvm.store %x, %out : f32, !llvm.ptr<1>
  llvm.return
}

// -----

// tf32 is loaded element by element and rounded.
// CHECK-LABEL:   @tf32
// CHECK-COUNT-6: nvvm.convert.float.to.tf32 %{{.*}} {rnd = #nvvm.fp_rnd_mode<rna>}
// CHECK:         %[[D:.*]] = nvvm.mma.sync {{.*}}multiplicandAPtxType = #nvvm.mma_type<tf32>{{.*}}shape = #nvvm.shape<m = 16, n = 8, k = 8>
// CHECK:         %[[X:.*]] = llvm.extractvalue %[[D]][2]
// CHECK:         llvm.store %[[X]]
llvm.func @tf32(%out: !llvm.ptr<1>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %tile = warp.alloc : !warp.tile<64x16xf32>
  %a = warp.load_fragment %tile[%c0, %c0] : !warp.tile<64x16xf32> -> !warp.fragment<lhs, tf32_m16n8k8>
  %b = warp.load_fragment %tile[%c0, %c0] transposed : !warp.tile<64x16xf32> -> !warp.fragment<rhs, tf32_m16n8k8>
  %c = warp.fill %zero : f32 -> !warp.fragment<acc, tf32_m16n8k8>
  %d = warp.mma %a, %b, %c : !warp.fragment<lhs, tf32_m16n8k8>, !warp.fragment<rhs, tf32_m16n8k8>, !warp.fragment<acc, tf32_m16n8k8>
  %x = warp.element %d[2] : !warp.fragment<acc, tf32_m16n8k8> -> f32
  llvm.store %x, %out : f32, !llvm.ptr<1>
  llvm.return
}

// -----

// A fragment carried by a loop becomes four values.
// CHECK-LABEL: @loop
// CHECK:         scf.for {{.*}} -> (f32, f32, f32, f32) {
// CHECK:           %[[D:.*]] = nvvm.mma.sync
// CHECK-DAG:       %[[D0:.*]] = llvm.extractvalue %[[D]][0]
// CHECK-DAG:       %[[D3:.*]] = llvm.extractvalue %[[D]][3]
// CHECK:           scf.yield %[[D0]], %{{.*}}, %{{.*}}, %[[D3]] : f32, f32, f32, f32
llvm.func @loop(%n: i64, %out: !llvm.ptr<1>) {
  %end = arith.index_cast %n : i64 to index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %tile = warp.alloc : !warp.tile<64x32xf16>
  %start = warp.fill %zero : f32 -> !warp.fragment<acc, f16_m16n8k16>
  %sum = scf.for %i = %c0 to %end step %c1 iter_args(%c = %start) -> !warp.fragment<acc, f16_m16n8k16> {
    %a = warp.load_fragment %tile[%c0, %c0] : !warp.tile<64x32xf16> -> !warp.fragment<lhs, f16_m16n8k16>
    %b = warp.load_fragment %tile[%c0, %c0] : !warp.tile<64x32xf16> -> !warp.fragment<rhs, f16_m16n8k16>
    %d = warp.mma %a, %b, %c : !warp.fragment<lhs, f16_m16n8k16>, !warp.fragment<rhs, f16_m16n8k16>, !warp.fragment<acc, f16_m16n8k16>
    scf.yield %d : !warp.fragment<acc, f16_m16n8k16>
  }
  %x = warp.element %sum[0] : !warp.fragment<acc, f16_m16n8k16> -> f32
  %y = warp.element %sum[1] : !warp.fragment<acc, f16_m16n8k16> -> f32
  %z = warp.element %sum[2] : !warp.fragment<acc, f16_m16n8k16> -> f32
  %w = warp.element %sum[3] : !warp.fragment<acc, f16_m16n8k16> -> f32
  llvm.store %x, %out : f32, !llvm.ptr<1>
  llvm.store %y, %out : f32, !llvm.ptr<1>
  llvm.store %z, %out : f32, !llvm.ptr<1>
  llvm.store %w, %out : f32, !llvm.ptr<1>
  llvm.return
}

// -----

// Panels of 16 columns: a column is in panel j / 16, there number j mod 16.
// CHECK-LABEL: @copy_panels
// CHECK-SAME:    %[[SOURCE:[^:]*]]: !llvm.ptr<1>, %[[STRIDE64:[^:]*]]: i64
// CHECK-DAG:     %[[STRIDE:.*]] = arith.index_cast %[[STRIDE64]]
// CHECK-DAG:     %[[C16:.*]] = arith.constant 16 : index
// CHECK:         arith.select
// CHECK:         %[[PANEL:.*]] = arith.divui %[[COLUMN:.*]], %[[C16]]
// CHECK:         %[[BASE:.*]] = arith.muli %[[PANEL]], %[[STRIDE]]
// CHECK:         arith.remui %[[COLUMN]], %[[C16]]
// CHECK:         nvvm.cp.async.shared.global
llvm.func @copy_panels(%source: !llvm.ptr<1>, %stride: i64, %rows: i64) {
  %s = arith.index_cast %stride : i64 to index
  %r = arith.index_cast %rows : i64 to index
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %tile = warp.alloc : !warp.tile<16x64xf32>
  warp.copy %source strides(%c16, %s) bounds(%r, %r) aligned to %tile[%c0] height 16 threads 128 {panels = 16 : i64} : !llvm.ptr<1> to !warp.tile<16x64xf32>
  llvm.return
}

// -----

// What rounding to tf32 leaves of an element, rounded; nothing of infinities.
// CHECK-LABEL: @rest
// CHECK-DAG:     %[[INFINITY:.*]] = arith.constant 0x7F800000 : f32
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK:         %[[X:.*]] = llvm.load %{{.*}} : !llvm.ptr<3> -> f32
// CHECK:         %[[CODE:.*]] = nvvm.convert.float.to.tf32 %[[X]]
// CHECK:         %[[ROUNDED:.*]] = arith.bitcast %[[CODE]] : i32 to f32
// CHECK:         %[[REST:.*]] = arith.subf %[[X]], %[[ROUNDED]]
// CHECK:         %[[SIZE:.*]] = math.absf %[[ROUNDED]]
// CHECK:         %[[FINITE:.*]] = arith.cmpf olt, %[[SIZE]], %[[INFINITY]]
// CHECK:         %[[LEFT:.*]] = arith.select %[[FINITE]], %[[REST]], %[[ZERO]]
// CHECK:         nvvm.convert.float.to.tf32 %[[LEFT]]
llvm.func @rest(%x: !llvm.ptr<1>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %tile = warp.alloc : !warp.tile<16x16xf32>
  %a = warp.load_fragment %tile[%c0, %c0] {rest} : <16x16xf32> -> <lhs, tf32_m16n8k8>
  %b = warp.load_fragment %tile[%c0, %c0] : <16x16xf32> -> <rhs, tf32_m16n8k8>
  %acc = warp.fill %zero : f32 -> <acc, tf32_m16n8k8>
  %sum = warp.mma %a, %b, %acc : <lhs, tf32_m16n8k8>, <rhs, tf32_m16n8k8>, <acc, tf32_m16n8k8>
  %e = warp.element %sum[0] : <acc, tf32_m16n8k8> -> f32
  llvm.store %e, %x : f32, !llvm.ptr<1>
  llvm.return
}

// -----

// A factor that is stored as f32 is rounded, two neighbours along k at a time. A
// word of two along k is a register: four columns are one access.
// CHECK-LABEL:   @words
// CHECK-COUNT-4: nvvm.convert.f32x2.to.bf16x2
// CHECK-COUNT-2: llvm.load %{{.*}} : !llvm.ptr<3> -> vector<4xi32>
// CHECK:         nvvm.mma.sync {{.*}}multiplicandAPtxType = #nvvm.mma_type<bf16>
llvm.func @words(%out: !llvm.ptr<1>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %x = warp.alloc : !warp.tile<64x32xf32>
  %w = warp.alloc : !warp.tile<16x64xvector<2xbf16>>
  %a = warp.load_fragment %x[%c0, %c0] : <64x32xf32> -> <lhs, bf16_m16n8k16>
  %b:4 = warp.load_columns %w[%c0, %c0] : <16x64xvector<2xbf16>> -> !warp.fragment<rhs, bf16_m16n8k16>, !warp.fragment<rhs, bf16_m16n8k16>, !warp.fragment<rhs, bf16_m16n8k16>, !warp.fragment<rhs, bf16_m16n8k16>
  %c = warp.fill %zero : f32 -> <acc, bf16_m16n8k16>
  %d = warp.mma %a, %b#3, %c : <lhs, bf16_m16n8k16>, <rhs, bf16_m16n8k16>, <acc, bf16_m16n8k16>
  %e = warp.element %d[0] : <acc, bf16_m16n8k16> -> f32
  llvm.store %e, %out : f32, !llvm.ptr<1>
  llvm.return
}

// -----

// Bytes: sums wrap.
// CHECK-LABEL: @bytes
// CHECK:         nvvm.mma.sync {{.*}}intOverflowBehavior = #nvvm.mma_int_overflow<wrapped>{{.*}}multiplicandAPtxType = #nvvm.mma_type<u8>, multiplicandBPtxType = #nvvm.mma_type<s8>{{.*}}m = 16, n = 8, k = 32
llvm.func @bytes(%out: !llvm.ptr<1>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i32
  %x = warp.alloc : !warp.tile<64x64xi8>
  %a = warp.load_fragment %x[%c0, %c0] : <64x64xi8> -> <lhs, u8s8_m16n8k32>
  %b = warp.load_fragment %x[%c0, %c0] transposed : <64x64xi8> -> <rhs, u8s8_m16n8k32>
  %c = warp.fill %zero : i32 -> <acc, u8s8_m16n8k32>
  %d = warp.mma %a, %b, %c : <lhs, u8s8_m16n8k32>, <rhs, u8s8_m16n8k32>, <acc, u8s8_m16n8k32>
  %e = warp.element %d[0] : <acc, u8s8_m16n8k32> -> i32
  llvm.store %e, %out : i32, !llvm.ptr<1>
  llvm.return
}
