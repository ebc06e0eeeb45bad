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
    bytes: the copy is asynchronous and complete once the group it was
    committed to (`nvvm.cp.async.commit.group`) has been waited for. Otherwise it
    is complete when the op is. Other threads see it after a barrier.

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

    `row` and `column` are multiples of 8. f32 elements become tf32, rounded to
    nearest, ties away from zero; with `rest` what that leaves of them, rounded
    so as well (0 of what is no finite number).
  }];
  let arguments = (ins Warp_TileType:$tile, Index:$row, Index:$column,
                       UnitAttr:$transposed, UnitAttr:$rest);
  let results = (outs Warp_FragmentType:$fragment);
  let assemblyFormat = [{
    $tile `[` $row `,` $column `]` (`transposed` $transposed^)? attr-dict
    `:` type($tile) `->` type($fragment)
  }];
  let hasVerifier = 1;
}

def Warp_FillOp : Warp_Op<"fill", [Pure]> {
  let summary = "an accumulator with one value in all elements";
  let arguments = (ins F32:$value);
  let results = (outs Warp_FragmentType:$fragment);
  let assemblyFormat = "$value attr-dict `:` type($fragment)";
  let hasVerifier = 1;
}

def Warp_MmaOp : Warp_Op<"mma", [Pure, AllTypesMatch<["acc", "result"]>]> {
  let summary = "result = acc + lhs * rhs";
  let description = [{
    Products are exact; how their sum is rounded is the hardware's (PTX ISA,
    "mma": at least the precision of single).
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
  let results = (outs F32:$element);
  let assemblyFormat = "$fragment `[` $number `]` attr-dict `:` type($fragment)";
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
