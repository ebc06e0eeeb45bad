// RUN: txc-opt %s -split-input-file -verify-diagnostics

// expected-error @below {{a tile holds f16, bf16, f32, i8 or words of 32 bits of them, found 'f64'}}
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
  %tile = warp.alloc : !warp.tile<8x16xbf16>
  // expected-error @below {{can't make factors of f16_m16n8k16 from '!warp.tile<8x16xbf16>'}}
  %a = warp.load_fragment %tile[%c0, %c0] : !warp.tile<8x16xbf16> -> !warp.fragment<lhs, f16_m16n8k16>
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
  %a = warp.fill %zero : f32 -> !warp.fragment<acc, f16_m16n8k16>
  // expected-error @below {{expected fragments lhs, rhs and acc, found '!warp.fragment<acc, f16_m16n8k16>'}}
  %b = warp.mma %a, %a, %a : !warp.fragment<acc, f16_m16n8k16>, !warp.fragment<acc, f16_m16n8k16>, !warp.fragment<acc, f16_m16n8k16>
  llvm.return
}

// -----

llvm.func @f() {
  %zero = arith.constant 0.0 : f32
  %a = warp.fill %zero : f32 -> !warp.fragment<acc, tf32_m16n8k8>
  // expected-error @below {{a lane has 4 elements, found number 4}}
  %b = warp.element %a[4] : !warp.fragment<acc, tf32_m16n8k8> -> f32
  llvm.return
}

// -----

llvm.func @f() {
  %zero = arith.constant 0.0 : f32
  // expected-error @below {{expected an accumulator, found '!warp.fragment<rhs, tf32_m16n8k8>'}}
  %a = warp.fill %zero : f32 -> !warp.fragment<rhs, tf32_m16n8k8>
  llvm.return
}

// -----

// expected-error @below {{found 'vector<4xbf16>'}}
llvm.func @f(%t: !warp.tile<8x16xvector<4xbf16>>)

// -----

llvm.func @f() {
  %zero = arith.constant 0.0 : f32
  // expected-error @below {{sums are 'i32', found 'f32'}}
  %a = warp.fill %zero : f32 -> !warp.fragment<acc, s8_m16n8k32>
  llvm.return
}

// -----

llvm.func @f() {
  %c0 = arith.constant 0 : index
  %tile = warp.alloc : !warp.tile<32x64xi8>
  // expected-error @below {{bytes have to be neighbours along k}}
  %a = warp.load_fragment %tile[%c0, %c0] : !warp.tile<32x64xi8> -> !warp.fragment<rhs, s8_m16n8k32>
  llvm.return
}

// -----

llvm.func @f() {
  %c0 = arith.constant 0 : index
  %tile = warp.alloc : !warp.tile<16x64xbf16>
  // expected-error @below {{only f32 leaves a rest, when it becomes tf32}}
  %a = warp.load_fragment %tile[%c0, %c0] {rest} : !warp.tile<16x64xbf16> -> !warp.fragment<rhs, tf32_m16n8k8>
  llvm.return
}

// -----

llvm.func @f() {
  %c0 = arith.constant 0 : index
  %tile = warp.alloc : !warp.tile<16x64xbf16>
  // expected-error @below {{an element has to be what a register holds}}
  %a, %b, %c, %d = warp.load_columns %tile[%c0, %c0] : !warp.tile<16x64xbf16> -> !warp.fragment<rhs, bf16_m16n8k16>, !warp.fragment<rhs, bf16_m16n8k16>, !warp.fragment<rhs, bf16_m16n8k16>, !warp.fragment<rhs, bf16_m16n8k16>
  llvm.return
}

// -----

llvm.func @f() {
  %c0 = arith.constant 0 : index
  %tile = warp.alloc : !warp.tile<16x64xf32>
  // expected-error @below {{only columns of a transposed rhs of tf32 are spread}}
  %a = warp.load_fragment %tile[%c0, %c0] {spread} : !warp.tile<16x64xf32> -> !warp.fragment<rhs, tf32_m16n8k8>
  llvm.return
}

// -----

llvm.func @f(%x: f32) {
  // expected-error @below {{a lane has 4 elements, found 1}}
  %a = warp.fragment %x : !warp.fragment<lhs, tf32_m16n8k8>
  llvm.return
}
