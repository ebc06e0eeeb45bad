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
  Type scalar = getElementTypeOrSelf(elementType);
  auto word = dyn_cast<VectorType>(elementType);
  int64_t depth = word ? word.getNumElements() : 1;
  bool isKnown = scalar.isF16() || scalar.isBF16() || scalar.isF32() ||
                 scalar.isSignlessInteger(8);
  int64_t bits = isKnown ? scalar.getIntOrFloatBitWidth() * depth : 0;
  if (!isKnown || (word && bits != 32))
    return emitError() << "a tile holds f16, bf16, f32, i8 or words of 32 bits "
                          "of them, found "
                       << elementType;
  int64_t rowBytes = columns * bits / 8;
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

/// Whether elements of a tile can become factors of the atom.
static LogicalResult verifyFactors(Operation *op, FragmentType fragment,
                                   TileType tile, bool isRest) {
  if (fragment.getRole() == Role::acc)
    return op->emitOpError("loads operands, not accumulators");
  Type type = getElementTypeOrSelf(tile.getElementType());
  bool isKnown = false;
  switch (fragment.getAtom()) {
  case Atom::tf32_m16n8k8:
    isKnown = tile.getDepth() == 1;
    break;
  case Atom::f16_m16n8k16:
    isKnown = type.isF16() || type.isF32();
    break;
  case Atom::bf16_m16n8k16:
    isKnown = type.isBF16() || type.isF32();
    break;
  default:
    isKnown = type.isInteger();
  }
  if (!isKnown)
    return op->emitOpError("can't make factors of ")
           << stringifyAtom(fragment.getAtom()) << " from " << tile;
  if (isRest && (fragment.getAtom() != Atom::tf32_m16n8k8 || !type.isF32()))
    return op->emitOpError("only f32 leaves a rest, when it becomes tf32");
  return success();
}

LogicalResult LoadFragmentOp::verify() {
  FragmentType fragment = getFragment().getType();
  TileType tile = getTile().getType();
  if (failed(verifyFactors(*this, fragment, tile, getRest())))
    return failure();
  if (tile.getDepth() != 1)
    return emitOpError("words are loaded by columns");
  if (getSpread() && (!getTransposed() || fragment.getRole() != Role::rhs ||
                      fragment.getAtom() != Atom::tf32_m16n8k8))
    return emitOpError("only columns of a transposed rhs of tf32 are spread");
  bool hasKColumns = (fragment.getRole() == Role::lhs) != getTransposed();
  if (getMmaAtom(fragment.getAtom()).isInteger() && !hasKColumns)
    return emitOpError("bytes have to be neighbours along k");
  return success();
}

LogicalResult LoadColumnsOp::verify() {
  TileType tile = getTile().getType();
  if (getFragments().size() != kSpreadFragments)
    return emitOpError("has 4 fragments, found ") << getFragments().size();
  auto fragment = cast<FragmentType>(getFragments().front().getType());
  for (Type type : getFragments().getTypes())
    if (type != fragment)
      return emitOpError("has fragments of one type");
  if (fragment.getRole() != Role::rhs)
    return emitOpError("loads right operands, found ") << fragment;
  if (failed(verifyFactors(*this, fragment, tile, getRest())))
    return failure();
  if (tile.getDepth() !=
      getMmaAtom(fragment.getAtom()).getElementsPerRegister())
    return emitOpError("an element has to be what a register holds");
  if (tile.getColumns() < kSpreadColumns)
    return emitOpError("loads 32 columns, found ") << tile;
  return success();
}

static LogicalResult verifyAccumulator(Operation *op, FragmentType fragment) {
  if (fragment.getRole() != Role::acc)
    return op->emitOpError("expected an accumulator, found ") << fragment;
  return success();
}

/// Whether it is an accumulator of elements of that type.
static LogicalResult verifySums(Operation *op, FragmentType fragment,
                                Type type) {
  if (failed(verifyAccumulator(op, fragment)))
    return failure();
  Type expected = getSumType(fragment.getAtom(), op->getContext());
  if (type != expected)
    return op->emitOpError("sums are ") << expected << ", found " << type;
  return success();
}

LogicalResult FillOp::verify() {
  return verifySums(*this, getFragment().getType(), getValue().getType());
}

LogicalResult FragmentOp::verify() {
  FragmentType fragment = getFragment().getType();
  int64_t expected = getLaneElementCount(fragment);
  if (getMmaAtom(fragment.getAtom()).isInteger())
    return emitOpError("has no way from f32 to bytes");
  if (static_cast<int64_t>(getElements().size()) != expected)
    return emitOpError("a lane has ")
           << expected << " elements, found " << getElements().size();
  if (getRest() && (fragment.getAtom() != Atom::tf32_m16n8k8 ||
                    fragment.getRole() == Role::acc))
    return emitOpError("only f32 leaves a rest, when it becomes tf32");
  return success();
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
  if (failed(
          verifySums(*this, getFragment().getType(), getElement().getType())))
    return failure();
  return verifyNumber(*this, getFragment().getType(), getNumber());
}

LogicalResult CoordinateOp::verify() {
  return verifyNumber(*this, getFragment(), getNumber());
}

#define GET_OP_CLASSES
#include "dialects/warp/WarpOps.cpp.inc"
