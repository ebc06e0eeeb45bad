//===- Warp.cpp - the warp dialect ---------------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/warp/Warp.h"
#include "dialects/warp/MmaAtoms.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace txc::warp;

#include "dialects/warp/WarpDialect.cpp.inc"
#include "dialects/warp/WarpEnums.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/warp/WarpTypes.cpp.inc"

void WarpDialect::initialize() {
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "dialects/warp/WarpOps.cpp.inc"
      >();
}

void WarpDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/warp/WarpTypes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

Type TileType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type elementType;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(elementType) || parser.parseGreater())
    return {};
  if (shape.size() != 2) {
    parser.emitError(loc, "a tile is a matrix, found rank ") << shape.size();
    return {};
  }
  return parser.getChecked<TileType>(parser.getContext(), shape[0], shape[1],
                                     elementType);
}

void TileType::print(AsmPrinter &printer) const {
  printer << "<" << getRows() << "x" << getColumns() << "x" << getElementType()
          << ">";
}

LogicalResult TileType::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t rows, int64_t columns,
                               Type elementType) {
  if (!elementType.isF16() && !elementType.isBF16() && !elementType.isF32())
    return emitError() << "a tile holds f16, bf16 or f32, found "
                       << elementType;
  int64_t rowBytes = columns * (elementType.getIntOrFloatBitWidth() / 8);
  if (rows < 1 || rows % 8 != 0)
    return emitError() << "a tile has groups of 8 rows, found " << rows;
  if (rowBytes < kChunkBytes || !llvm::isPowerOf2_64(rowBytes))
    return emitError() << "a row of a tile has a power of two of bytes, at "
                          "least 16, found "
                       << rowBytes;
  return success();
}

LogicalResult CopyOp::verify() {
  TileType tile = getTile().getType();
  int64_t height = static_cast<int64_t>(getHeight());
  int64_t threads = static_cast<int64_t>(getThreads());
  if (height < 1 || height > tile.getRows())
    return emitOpError("copies ")
           << height << " rows to a tile of " << tile.getRows();
  int64_t pieces =
      height * (getAligned() ? tile.getRowChunks() : tile.getColumns());
  if (threads < 1 || pieces % threads != 0)
    return emitOpError("can't share ")
           << pieces << (getAligned() ? " chunks" : " elements") << " among "
           << threads << " threads";
  return success();
}

//===----------------------------------------------------------------------===//
// Fragments
//===----------------------------------------------------------------------===//

LogicalResult LoadFragmentOp::verify() {
  FragmentType fragment = getFragment().getType();
  if (fragment.getRole() == Role::acc)
    return emitOpError("loads operands, not accumulators");
  Type expected = getTileElementType(fragment.getAtom(), getContext());
  if (getTile().getType().getElementType() != expected)
    return emitOpError("expected a tile of ")
           << expected << ", found " << getTile().getType();
  return success();
}

static LogicalResult verifyAccumulator(Operation *op, FragmentType fragment) {
  if (fragment.getRole() != Role::acc)
    return op->emitOpError("expected an accumulator, found ") << fragment;
  return success();
}

LogicalResult FillOp::verify() {
  return verifyAccumulator(*this, getFragment().getType());
}

LogicalResult MmaOp::verify() {
  FragmentType lhs = getLhs().getType(), rhs = getRhs().getType();
  FragmentType acc = getAcc().getType();
  if (lhs.getRole() != Role::lhs || rhs.getRole() != Role::rhs ||
      acc.getRole() != Role::acc)
    return emitOpError("expected fragments lhs, rhs and acc, found ")
           << lhs << ", " << rhs << " and " << acc;
  if (lhs.getAtom() != rhs.getAtom() || lhs.getAtom() != acc.getAtom())
    return emitOpError("fragments of one product have one atom");
  return success();
}

static LogicalResult verifyNumber(Operation *op, FragmentType fragment,
                                  uint64_t number) {
  uint64_t count = static_cast<uint64_t>(getLaneElementCount(fragment));
  if (number >= count)
    return op->emitOpError("a lane has ")
           << count << " elements, found number " << number;
  return success();
}

LogicalResult ElementOp::verify() {
  if (failed(verifyAccumulator(*this, getFragment().getType())))
    return failure();
  return verifyNumber(*this, getFragment().getType(), getNumber());
}

LogicalResult CoordinateOp::verify() {
  return verifyNumber(*this, getFragment(), getNumber());
}

#define GET_OP_CLASSES
#include "dialects/warp/WarpOps.cpp.inc"
