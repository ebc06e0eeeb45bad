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
    Element (k, n) is number `((n / lanes) * K + k) * lanes + n % lanes`; columns
    from N to the next multiple of `lanes` are zero. With 16 lanes one layout
    serves gemm and gemv (a row of a panel is one AVX-512 or two AVX2 vectors)
    and the gather of a column (stride `lanes`).
  }];
  let parameters = (ins "int64_t":$lanes);
  let assemblyFormat = "`<` $lanes `>`";
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

    /// Writes a dense row-major tensor of this type's shape in its layout.
    /// `dense` and `stored` have the sizes that the type says.
    void encode(::llvm::ArrayRef<char> dense,
                ::llvm::MutableArrayRef<char> stored) const;
  }];
}

#endif // TXC_DIALECTS_PACK_PACKDIALECT_TD
