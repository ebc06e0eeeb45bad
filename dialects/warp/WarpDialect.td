//===- WarpDialect.td - the warp dialect -------------------*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_WARP_WARPDIALECT_TD
#define TXC_DIALECTS_WARP_WARPDIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Warp_Dialect : Dialect {
  let name = "warp";
  let cppNamespace = "::txc::warp";
  let summary = "How a warp of a GPU computes one kernel";
  let description = [{
    Tiles are matrices in the shared memory of a block, fragments are matrices
    spread over the registers of a warp's 32 lanes. All threads of the block
    execute `warp.copy`, all lanes of a warp the other ops. Synchronisation
    (`nvvm.barrier0`, `nvvm.cp.async.*`), loops (`scf`) and addresses in global
    memory (`llvm`) are upstream's.
  }];
  let useDefaultTypePrinterParser = 1;
  let extraClassDeclaration = [{ void registerTypes(); }];
}

class Warp_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::txc::warp";
  let genSpecializedAttr = 0;
}

// MmaAtoms.h has what is known of each.
def Warp_Atom : Warp_Enum<"Atom", "a matrix instruction", [
  I32EnumAttrCase<"f16_m16n8k16", 0>, I32EnumAttrCase<"bf16_m16n8k16", 1>,
  I32EnumAttrCase<"tf32_m16n8k8", 2>, I32EnumAttrCase<"s8_m16n8k32", 3>,
  I32EnumAttrCase<"s8u8_m16n8k32", 4>, I32EnumAttrCase<"u8s8_m16n8k32", 5>,
  I32EnumAttrCase<"u8_m16n8k32", 6>]>;

def Warp_Role : Warp_Enum<"Role", "which matrix of a product", [
  I32EnumAttrCase<"lhs", 0>, I32EnumAttrCase<"rhs", 1>,
  I32EnumAttrCase<"acc", 2>]>;

class Warp_Type<string name, string typeMnemonic>
    : TypeDef<Warp_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def Warp_FragmentType : Warp_Type<"Fragment", "fragment"> {
  let summary = "a matrix in the registers of a warp";
  let description = [{
    The lhs (m x k), rhs (k x n) or accumulator (m x n) of the atom. Which lane
    holds which elements is `getLaneMap` of MmaAtoms.h.
  }];
  let parameters = (ins EnumParameter<Warp_Role>:$role,
                        EnumParameter<Warp_Atom>:$atom);
  let assemblyFormat = "`<` $role `,` $atom `>`";
}

def Warp_TileType : Warp_Type<"Tile", "tile"> {
  let summary = "a matrix in shared memory";
  let description = [{
    Row-major. Chunks of 16 bytes are permuted within their row, so that neither
    the eight rows that one phase of ldmatrix reads nor the copies that fill them
    meet in a bank: chunk c of row r is stored as chunk

        c xor ((r / (8 / C)) mod C)      with C = min(8, chunks in a row).

    A ring of stages is a tile with the rows of all stages. Elements that are
    vectors of 32 bits are *words*: what a panel with a depth (#pack.panels) has
    of one column, neighbours along k.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns,
                        "::mlir::Type":$elementType);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    static constexpr int64_t kChunkBytes = 16;

    /// Neighbours along k in an element: more than 1 if these are words.
    int64_t getDepth() const {
      auto word = ::llvm::dyn_cast<::mlir::VectorType>(getElementType());
      return word ? word.getNumElements() : 1;
    }
    int64_t getElementBytes() const {
      return getDepth() *
             ::mlir::getElementTypeOrSelf(getElementType()).getIntOrFloatBitWidth() / 8;
    }
    int64_t getRowBytes() const { return getColumns() * getElementBytes(); }
    int64_t getBytes() const { return getRows() * getRowBytes(); }
    int64_t getChunkElements() const { return kChunkBytes / getElementBytes(); }
    int64_t getRowChunks() const { return getRowBytes() / kChunkBytes; }
  }];
}

#endif // TXC_DIALECTS_WARP_WARPDIALECT_TD
