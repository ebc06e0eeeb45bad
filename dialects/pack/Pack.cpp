//===- Pack.cpp - the pack dialect ---------------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/pack/Pack.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace txc;
using namespace txc::pack;

#include "dialects/pack/PackDialect.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/pack/PackAttrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/pack/PackTypes.cpp.inc"

void PackDialect::initialize() {
  registerAttributes();
  registerTypes();
}

void PackDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/pack/PackAttrs.cpp.inc"
      >();
}

void PackDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/pack/PackTypes.cpp.inc"
      >();
}

Type pack::TensorType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type elementType;
  PanelsAttr layout;
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(elementType) || parser.parseComma() ||
      parser.parseAttribute(layout) || parser.parseGreater())
    return {};
  return parser.getChecked<pack::TensorType>(parser.getContext(), shape,
                                             elementType, layout);
}

void pack::TensorType::print(AsmPrinter &printer) const {
  printer << "<";
  printer.printDimensionList(getShape());
  printer << "x" << getElementType() << ", " << getLayout() << ">";
}

LogicalResult
pack::TensorType::verify(function_ref<InFlightDiagnostic()> emitError,
                         ArrayRef<int64_t> shape, Type elementType,
                         PanelsAttr layout) {
  if (shape.size() != 2)
    return emitError() << "panels store a matrix, found rank " << shape.size();
  if (!elementType.isIntOrFloat() ||
      elementType.getIntOrFloatBitWidth() % 8 != 0)
    return emitError() << "panels store whole bytes, found " << elementType;
  if (layout.getLanes() < 1)
    return emitError() << "a panel needs at least one lane";
  return success();
}

int64_t pack::TensorType::getStoredBytes() const {
  int64_t lanes = getLayout().getLanes();
  int64_t columns = static_cast<int64_t>(llvm::alignTo(getShape()[1], lanes));
  return getShape()[0] * columns *
         (getElementType().getIntOrFloatBitWidth() / 8);
}

void pack::TensorType::encode(ArrayRef<char> dense,
                              MutableArrayRef<char> stored) const {
  int64_t rows = getShape()[0], columns = getShape()[1];
  int64_t lanes = getLayout().getLanes();
  int64_t bytes = getElementType().getIntOrFloatBitWidth() / 8;
  char *out = stored.data();
  for (int64_t panel = 0; panel < columns; panel += lanes) {
    int64_t used = std::min(lanes, columns - panel);
    for (int64_t k = 0; k < rows; ++k, out += lanes * bytes) {
      std::memcpy(out, dense.data() + (k * columns + panel) * bytes,
                  used * bytes);
      std::memset(out + used * bytes, 0, (lanes - used) * bytes);
    }
  }
}
