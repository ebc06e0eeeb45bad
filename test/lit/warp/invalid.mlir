// RUN: txc-opt %s -split-input-file -verify-diagnostics

// expected-error @below {{a tile holds f16, bf16 or f32, found 'f64'}}
llvm.func @f(%t: !warp.tile<8x16xf64>)

// -----

// expected-error @below {{a row of a tile has a power of two of bytes, at least 16, found 48}}
llvm.func @f(%t: !warp.tile<8x24xf16>)

// -----

// expected-error @below {{a tile has groups of 8 rows, found 12}}
llvm.func @f(%t: !warp.tile<12x16xf16>)

// -----

// expected-error @below {{a tile is a matrix, found rank 3}}
llvm.func @f(%t: !warp.tile<8x8x16xf16>)

// -----

llvm.func @f(%source: !llvm.ptr<1>) {
  %c0 = arith.constant 0 : index
  %tile = warp.alloc : !warp.tile<8x16xf16>
  // expected-error @below {{copies 16 rows to a tile of 8}}
  warp.copy %source strides(%c0, %c0) bounds(%c0, %c0) to %tile[%c0] height 16 threads 32 : !llvm.ptr<1> to !warp.tile<8x16xf16>
  llvm.return
}

// -----

llvm.func @f(%source: !llvm.ptr<1>) {
  %c0 = arith.constant 0 : index
  %tile = warp.alloc : !warp.tile<8x16xf16>
  // expected-error @below {{can't share 16 chunks among 32 threads}}
  warp.copy %source strides(%c0, %c0) bounds(%c0, %c0) aligned to %tile[%c0] height 8 threads 32 : !llvm.ptr<1> to !warp.tile<8x16xf16>
  llvm.return
}

// -----

llvm.func @f() {
  %c0 = arith.constant 0 : index
  %tile = warp.alloc : !warp.tile<8x16xf32>
  // expected-error @below {{expected a tile of 'f16', found '!warp.tile<8x16xf32>'}}
  %a = warp.load_fragment %tile[%c0, %c0] : !warp.tile<8x16xf32> -> !warp.fragment<lhs, f16_m16n8k16>
  llvm.return
}

// -----

llvm.func @f() {
  %c0 = arith.constant 0 : index
  %tile = warp.alloc : !warp.tile<8x16xf16>
  // expected-error @below {{loads operands, not accumulators}}
  %a = warp.load_fragment %tile[%c0, %c0] : !warp.tile<8x16xf16> -> !warp.fragment<acc, f16_m16n8k16>
  llvm.return
}

// -----

llvm.func @f() {
  %zero = arith.constant 0.0 : f32
  %a = warp.fill %zero : !warp.fragment<acc, f16_m16n8k16>
  // expected-error @below {{expected fragments lhs, rhs and acc, found '!warp.fragment<acc, f16_m16n8k16>'}}
  %b = warp.mma %a, %a, %a : !warp.fragment<acc, f16_m16n8k16>, !warp.fragment<acc, f16_m16n8k16>, !warp.fragment<acc, f16_m16n8k16>
  llvm.return
}

// -----

llvm.func @f() {
  %zero = arith.constant 0.0 : f32
  %a = warp.fill %zero : !warp.fragment<acc, tf32_m16n8k8>
  // expected-error @below {{a lane has 4 elements, found number 4}}
  %b = warp.element %a[4] : !warp.fragment<acc, tf32_m16n8k8>
  llvm.return
}

// -----

llvm.func @f() {
  %zero = arith.constant 0.0 : f32
  // expected-error @below {{expected an accumulator, found '!warp.fragment<rhs, tf32_m16n8k8>'}}
  %a = warp.fill %zero : !warp.fragment<rhs, tf32_m16n8k8>
  llvm.return
}
