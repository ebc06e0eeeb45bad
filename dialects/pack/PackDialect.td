//===- PackDialect.td - how numbers are stored -------------*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_PACK_PACKDIALECT_TD
#define TXC_DIALECTS_PACK_PACKDIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"

def Pack_Dialect : Dialect {
  let name = "pack";
  let cppNamespace = "::txc::pack";
  let summary = "How the numbers of a stored tensor lie in memory";
  let description = [{
    A stored tensor has the type `!pack.tensor<384x1536xf32, #pack.panels<16>>`:
    its logical dims and element type, and how they are stored. Only `kernel` ops
    take it; it lowers to bytes. No pass changes it after `layout`.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let extraClassDeclaration = [{
    void registerAttributes();
    void registerTypes();
  }];
}

def Pack_PanelsAttr : AttrDef<Pack_Dialect, "Panels"> {
  let mnemonic = "panels";
  let summary = "a K x N matrix in panels of `lanes` columns";
  let description = [{
    Panel n / lanes holds column n. A row of a panel has `depth` neighbours along
    k of each of its columns side by side, as dot product instructions take them:
    element (k, n) is in row k / depth, there number
    `(n % lanes) * depth + k % depth`. Columns from N and rows from K to the next
    multiples are zero. With 16 lanes of 32 bits one layout serves gemm and gemv
    (a row of a panel is one AVX-512 or two AVX2 vectors) and, for a depth of 1,
    the gather of a column (stride `lanes`).

    With a `shift` each panel begins with `lanes` more numbers, i32:
    `sum over k of element (k, n) * (0 - shift)`. Added to a sum of products
    whose left factors are all too large by `shift`, they correct it.
  }];
  let parameters = (ins "int64_t":$lanes,
                        DefaultValuedParameter<"int64_t", "1">:$depth,
                        DefaultValuedParameter<"int64_t", "0">:$shift);
  let assemblyFormat =
      "`<` $lanes (`,` `depth` $depth^)? (`,` `shift` $shift^)? `>`";
}

def Pack_TensorType : TypeDef<Pack_Dialect, "Tensor"> {
  let mnemonic = "tensor";
  let summary = "a stored tensor: logical dims, element type, layout";
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape,
                        "::mlir::Type":$elementType,
                        "::txc::pack::PanelsAttr":$layout);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Bytes that `encode` writes.
    int64_t getStoredBytes() const;
    /// Bytes of one panel, the sums of a shift among them.
    int64_t getPanelBytes() const;

    /// Writes a dense row-major tensor of this type's shape in its layout.
    /// `dense` and `stored` have the sizes that the type says.
    void encode(::llvm::ArrayRef<char> dense,
                ::llvm::MutableArrayRef<char> stored) const;
  }];
}

#endif // TXC_DIALECTS_PACK_PACKDIALECT_TD
