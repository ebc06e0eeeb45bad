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
  if (layout.getLanes() < 1 || layout.getDepth() < 1)
    return emitError() << "a panel needs at least one lane and a depth of 1, "
                       << "found " << layout;
  if (layout.getShift() != 0 && !elementType.isSignlessInteger(8))
    return emitError() << "sums for a shift are of i8, found " << elementType;
  return success();
}

static int64_t getElementBytes(pack::TensorType type) {
  return type.getElementType().getIntOrFloatBitWidth() / 8;
}

int64_t pack::TensorType::getPanelBytes() const {
  PanelsAttr layout = getLayout();
  auto rows =
      static_cast<int64_t>(llvm::alignTo(getShape()[0], layout.getDepth()));
  int64_t sums = layout.getShift() != 0 ? sizeof(int32_t) : 0;
  return layout.getLanes() * (rows * getElementBytes(*this) + sums);
}

int64_t pack::TensorType::getStoredBytes() const {
  auto panels = static_cast<int64_t>(
      llvm::divideCeil(getShape()[1], getLayout().getLanes()));
  return panels * getPanelBytes();
}

/// -shift times the sum of each of `used` columns of a dense i8 matrix.
static void writeShiftedSums(const char *column, int64_t rows, int64_t columns,
                             int64_t used, int64_t shift, char *out) {
  for (int64_t lane = 0; lane < used; ++lane) {
    int32_t sum = 0;
    for (int64_t k = 0; k < rows; ++k)
      sum += static_cast<int8_t>(column[k * columns + lane]);
    auto shifted = static_cast<int32_t>(-shift * sum);
    std::memcpy(out + lane * sizeof shifted, &shifted, sizeof shifted);
  }
}

void pack::TensorType::encode(ArrayRef<char> dense,
                              MutableArrayRef<char> stored) const {
  int64_t rows = getShape()[0], columns = getShape()[1];
  PanelsAttr layout = getLayout();
  int64_t lanes = layout.getLanes(), depth = layout.getDepth();
  int64_t bytes = getElementBytes(*this);
  int64_t sumBytes = layout.getShift() != 0 ? lanes * sizeof(int32_t) : 0;
  llvm::fill(stored, 0);
  char *panel = stored.data();
  for (int64_t n = 0; n < columns; n += lanes, panel += getPanelBytes()) {
    int64_t used = std::min(lanes, columns - n);
    if (sumBytes != 0)
      writeShiftedSums(dense.data() + n, rows, columns, used, layout.getShift(),
                       panel);
    for (int64_t k = 0; k < rows; ++k) {
      const char *from = dense.data() + (k * columns + n) * bytes;
      char *to =
          panel + sumBytes + (k / depth * lanes * depth + k % depth) * bytes;
      if (depth == 1)
        std::memcpy(to, from, used * bytes);
      else
        for (int64_t lane = 0; lane < used; ++lane)
          std::memcpy(to + lane * depth * bytes, from + lane * bytes, bytes);
    }
  }
}
