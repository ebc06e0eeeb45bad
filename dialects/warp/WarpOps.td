//===- WarpOps.td - what warps do --------------------------*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_WARP_WARPOPS_TD
#define TXC_DIALECTS_WARP_WARPOPS_TD

include "dialects/warp/WarpDialect.td"
include "mlir/Dialect/LLVMIR/LLVMTypes.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Warp_Op<string mnemonic, list<Trait> traits = []>
    : Op<Warp_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

def Warp_AllocOp : Warp_Op<"alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "a tile of the block, for as long as the kernel runs";
  let results = (outs Warp_TileType:$tile);
  let assemblyFormat = "attr-dict `:` type($tile)";
}

def Warp_CopyOp : Warp_Op<"copy", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "the block copies a window of global memory to rows of a tile";
  let description = [{
        tile[row + i, j] = source[i * rowStride + j * columnStride]
                             if i < rows and j < columns, else 0

    for all 0 <= i < height and all columns j of the tile. Strides count
    elements; `rows` and `columns` may be less than 1, and nothing outside of
    them is read. `threads` is the number of threads in the block.

    With `aligned` the column stride is 1 and each row begins at a multiple of 16
    bytes. These copies, and those of elements of 4 bytes, are asynchronous:
    complete once the group they were committed to
    (`nvvm.cp.async.commit.group`) has been waited for. Others are complete when
    the op is. Other threads see them after a barrier.

    A source in `panels` of p columns (#pack.panels) has column j at
    `(j floordiv p) * columnStride + j mod p`; chunks of 16 bytes lie in one panel.
  }];
  let arguments = (ins LLVM_PointerInAddressSpace<1>:$source, Index:$rowStride,
                       Index:$columnStride, Index:$rows, Index:$columns,
                       Warp_TileType:$tile, Index:$row, I64Attr:$height,
                       I64Attr:$threads, UnitAttr:$aligned,
                       OptionalAttr<I64Attr>:$panels);
  let assemblyFormat = [{
    $source `strides` `(` $rowStride `,` $columnStride `)`
    `bounds` `(` $rows `,` $columns `)` (`aligned` $aligned^)?
    `to` $tile `[` $row `]` `height` $height `threads` $threads attr-dict
    `:` type($source) `to` type($tile)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Fragments
//===----------------------------------------------------------------------===//

def Warp_LoadFragmentOp : Warp_Op<"load_fragment", [MemoryEffects<[MemRead]>]> {
  let summary = "a fragment of a tile";
  let description = [{
        fragment[i, j] = tile[row + i, column + j],
        transposed:      tile[row + j, column + i]

    `row` and `column` are multiples of 8. Elements become the atom's type: f32
    is rounded to bf16 or f16 to nearest even, to tf32 to nearest, ties away from
    zero; with `rest` it is what rounding to tf32 leaves of them, rounded so as
    well (0 of what is no finite number). f16, bf16 and i8 are exact as tf32.
    Bytes are neighbours along k.

    With `spread` the columns j of a transposed rhs are `(j mod 2) * 4 + j floordiv
    2` of the tile's rows: an accumulator of such columns has, lane by lane, the
    elements of an lhs of tf32.
  }];
  let arguments = (ins Warp_TileType:$tile, Index:$row, Index:$column,
                       UnitAttr:$transposed, UnitAttr:$rest, UnitAttr:$spread);
  let results = (outs Warp_FragmentType:$fragment);
  let assemblyFormat = [{
    $tile `[` $row `,` $column `]` (`transposed` $transposed^)? attr-dict
    `:` type($tile) `->` type($fragment)
  }];
  let hasVerifier = 1;
}

def Warp_LoadColumnsOp : Warp_Op<"load_columns", [MemoryEffects<[MemRead]>]> {
  let summary = "four fragments of 32 columns, by one access a register";
  let description = [{
    The rhs of a k x n tile of words, or of what becomes tf32:

        fragments[f][i, j] = tile[row + i, column + 16 (j mod 2) + 4 (j floordiv 2) + f]

    (an i of words counts their elements: `(row + i floordiv depth)[i mod depth]`).
    So a lane's four are neighbours in the tile, and its elements of the
    accumulators are two times four neighbours; see `getSpreadColumn`. `row` is a
    multiple of 4, `column` of 32. Elements become the atom's as in
    `load_fragment`.
  }];
  let arguments = (ins Warp_TileType:$tile, Index:$row, Index:$column,
                       UnitAttr:$rest);
  let results = (outs Variadic<Warp_FragmentType>:$fragments);
  let assemblyFormat = [{
    $tile `[` $row `,` $column `]` attr-dict `:` type($tile) `->` type($fragments)
  }];
  let hasVerifier = 1;
}

def Warp_FillOp : Warp_Op<"fill", [Pure]> {
  let summary = "an accumulator with one value in all elements";
  let arguments = (ins AnyTypeOf<[F32, I32]>:$value);
  let results = (outs Warp_FragmentType:$fragment);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($fragment)";
  let hasVerifier = 1;
}

def Warp_MmaOp : Warp_Op<"mma", [Pure, AllTypesMatch<["acc", "result"]>]> {
  let summary = "result = acc + lhs * rhs";
  let description = [{
    Products are exact. Sums of integers wrap; how one of floats is rounded is the
    hardware's (PTX ISA, "mma": at least the precision of single).
  }];
  let arguments = (ins Warp_FragmentType:$lhs, Warp_FragmentType:$rhs,
                       Warp_FragmentType:$acc);
  let results = (outs Warp_FragmentType:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `,` $acc attr-dict `:` type($lhs) `,` type($rhs) `,` type($acc)
  }];
  let hasVerifier = 1;
}

def Warp_ElementOp : Warp_Op<"element", [Pure]> {
  let summary = "one of the accumulator's elements that this lane holds";
  let arguments = (ins Warp_FragmentType:$fragment, I64Attr:$number);
  let results = (outs AnyTypeOf<[F32, I32]>:$element);
  let assemblyFormat = [{
    $fragment `[` $number `]` attr-dict `:` type($fragment) `->` type($element)
  }];
  let hasVerifier = 1;
}

def Warp_FragmentOp : Warp_Op<"fragment", [Pure]> {
  let summary = "a fragment of elements, each lane giving its own";
  let description = [{
    `elements` are in the order of the lane's numbers, f32; a factor's are rounded
    as by `load_fragment`.
  }];
  let arguments = (ins Variadic<F32>:$elements, UnitAttr:$rest);
  let results = (outs Warp_FragmentType:$fragment);
  let assemblyFormat = "$elements attr-dict `:` type($fragment)";
  let hasVerifier = 1;
}

def Warp_CoordinateOp : Warp_Op<"coordinate", [Pure]> {
  let summary = "where in a fragment this lane's element of that number is";
  let arguments = (ins TypeAttrOf<Warp_FragmentType>:$fragment, I64Attr:$number);
  let results = (outs Index:$row, Index:$column);
  let assemblyFormat = "$fragment `[` $number `]` attr-dict";
  let hasVerifier = 1;
}

#endif // TXC_DIALECTS_WARP_WARPOPS_TD
