//===- WarpToNvvm.cpp - instructions of warps ----------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/ptx/WarpToNvvm.h"
#include "dialects/warp/MmaAtoms.h"
#include "dialects/warp/Warp.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Transforms/DialectConversion.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace txc;
using namespace txc::warp;

static constexpr int64_t kLanes = 32;
static constexpr unsigned kSharedSpace = 3;

//===----------------------------------------------------------------------===//
// Threads and addresses
//===----------------------------------------------------------------------===//

namespace {
/// The operands of warp.copy.
struct Window {
  Value source, rowStride, columnStride, rows, columns;
  TileType tile;
  /// Columns of a panel; 0: there are none.
  int64_t panels = 0;
};

/// Shorthands for the index arithmetic of addresses.
struct CodeBuilder : ImplicitLocOpBuilder {
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(*this, value);
  }
  Value add(Value lhs, Value rhs) {
    return arith::AddIOp::create(*this, lhs, rhs);
  }
  Value add(Value lhs, int64_t rhs) { return add(lhs, index(rhs)); }
  Value mul(Value lhs, Value rhs) {
    return arith::MulIOp::create(*this, lhs, rhs);
  }
  Value mul(Value lhs, int64_t rhs) { return mul(lhs, index(rhs)); }
  Value div(Value lhs, int64_t rhs) {
    return arith::DivUIOp::create(*this, lhs, index(rhs));
  }
  Value rem(Value lhs, int64_t rhs) {
    return arith::RemUIOp::create(*this, lhs, index(rhs));
  }
  Value isLess(Value lhs, Value rhs) {
    return arith::CmpIOp::create(*this, arith::CmpIPredicate::slt, lhs, rhs);
  }
  Value toInteger(Value value, unsigned bits) {
    return arith::IndexCastOp::create(*this, getIntegerType(bits), value);
  }
  Value getThread() {
    Value id = NVVM::ThreadIdXOp::create(*this, getI32Type());
    return arith::IndexCastUIOp::create(*this, getIndexType(), id);
  }
  Value getLane() { return rem(getThread(), kLanes); }

  Value getSourceElement(const Window &window, Value row, Value column);
  Value getTileElement(TileType type, Value tile, Value row, Value column);
  std::pair<Value, Value> getCoordinate(FragmentType fragment, int64_t number);
};
} // namespace

/// The address of a window's element in global memory.
Value CodeBuilder::getSourceElement(const Window &window, Value row,
                                    Value column) {
  Value offset = mul(row, window.rowStride);
  if (window.panels != 0) {
    Value panel = div(column, window.panels);
    offset = add(offset, mul(panel, window.columnStride));
    offset = add(offset, rem(column, window.panels));
  } else {
    offset = add(offset, mul(column, window.columnStride));
  }
  return LLVM::GEPOp::create(*this, window.source.getType(),
                             window.tile.getElementType(), window.source,
                             ValueRange{toInteger(offset, 64)});
}

/// The address of a tile's element; see TileType for the permutation.
Value CodeBuilder::getTileElement(TileType type, Value tile, Value row,
                                  Value column) {
  int64_t permuted = std::min<int64_t>(8, type.getRowChunks());
  Value chunk = div(column, type.getChunkElements());
  Value key = rem(div(row, 8 / permuted), permuted);
  chunk = arith::XOrIOp::create(*this, chunk, key);
  Value inChunk = rem(column, type.getChunkElements());
  Value offset =
      add(mul(row, type.getRowBytes()), mul(chunk, TileType::kChunkBytes));
  offset = add(offset, mul(inChunk, type.getElementBytes()));
  return LLVM::GEPOp::create(*this, tile.getType(), getI8Type(), tile,
                             ValueRange{toInteger(offset, 32)});
}

std::pair<Value, Value> CodeBuilder::getCoordinate(FragmentType fragment,
                                                   int64_t number) {
  auto coordinate = affine::expandAffineMap(
      *this, getLoc(), getLaneMap(fragment, number), getLane());
  assert(coordinate && "lane maps have constant divisors");
  return {(*coordinate)[0], (*coordinate)[1]};
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

namespace {
struct AllocPattern : OpConversionPattern<AllocOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(AllocOp op, OneToNOpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto module = op->getParentOfType<ModuleOp>();
    TileType tile = op.getTile().getType();
    auto bytes =
        LLVM::LLVMArrayType::get(rewriter.getI8Type(), tile.getBytes());
    // Swizzled rows are of at most 128 bytes: all banks.
    constexpr uint64_t alignment = 128;
    LLVM::GlobalOp global;
    {
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPointToStart(module.getBody());
      global = LLVM::GlobalOp::create(
          rewriter, op.getLoc(), bytes, /*isConstant=*/false,
          LLVM::Linkage::Internal, getUnusedName(module), Attribute(),
          alignment, kSharedSpace);
    }
    rewriter.replaceOpWithNewOp<LLVM::AddressOfOp>(op, global);
    return success();
  }

private:
  static std::string getUnusedName(ModuleOp module) {
    unsigned number = 0;
    auto isUsed = [&](StringRef name) {
      return SymbolTable::lookupSymbolIn(module, name) != nullptr;
    };
    return SymbolTable::generateSymbolName<16>("tile", isUsed, number)
        .str()
        .str();
  }
};

struct CopyPattern : OpConversionPattern<CopyOp> {
  using OpConversionPattern::OpConversionPattern;

  /// Thread t copies the pieces t, t + threads, …: neighbours in a warp read
  /// neighbours in memory.
  LogicalResult
  matchAndRewrite(CopyOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    CodeBuilder b(op.getLoc(), rewriter);
    TileType type = op.getTile().getType();
    Value tile = adaptor.getTile().front();
    Window window{adaptor.getSource().front(),
                  adaptor.getRowStride().front(),
                  adaptor.getColumnStride().front(),
                  adaptor.getRows().front(),
                  adaptor.getColumns().front(),
                  type,
                  static_cast<int64_t>(op.getPanels().value_or(0))};
    bool isAsynchronous = op.getAligned() || type.getElementBytes() == 4;
    int64_t pieceElements = op.getAligned() ? type.getChunkElements() : 1;
    int64_t rowPieces = type.getColumns() / pieceElements;
    auto threads = static_cast<int64_t>(op.getThreads());
    int64_t pieces = static_cast<int64_t>(op.getHeight()) * rowPieces;
    Value thread = b.getThread();
    for (int64_t first = 0; first < pieces; first += threads) {
      Value piece = b.add(thread, first);
      Value row = b.div(piece, rowPieces);
      Value column = b.mul(b.rem(piece, rowPieces), pieceElements);
      Value target = b.getTileElement(
          type, tile, b.add(adaptor.getRow().front(), row), column);
      if (isAsynchronous)
        copyPiece(b, window, row, column, pieceElements, target);
      else
        copyElement(b, window, row, column, target);
    }
    // Lanes took different ways; the instructions of a whole warp come next.
    if (!isAsynchronous)
      NVVM::SyncWarpOp::create(
          b, arith::ConstantIntOp::create(b, b.getI32Type(), -1).getResult());
    rewriter.eraseOp(op);
    return success();
  }

private:
  /// The hardware fills what is not read with zeros.
  static void copyPiece(CodeBuilder &b, const Window &window, Value row,
                        Value column, int64_t elements, Value target) {
    TileType type = window.tile;
    Value zero = b.index(0);
    Value left = arith::SubIOp::create(b, window.columns, column);
    left = arith::MinSIOp::create(b, left, b.index(elements));
    left = arith::MaxSIOp::create(b, left, zero);
    Value isInside = b.isLess(row, window.rows);
    left = arith::SelectOp::create(b, isInside, left, zero);
    Value bytes = b.toInteger(b.mul(left, type.getElementBytes()), 32);
    int64_t pieceBytes = elements * type.getElementBytes();
    // Only whole chunks may pass by L1.
    auto cache = pieceBytes == TileType::kChunkBytes
                     ? NVVM::LoadCacheModifierKind::CG
                     : NVVM::LoadCacheModifierKind::CA;
    NVVM::CpAsyncOp::create(b, target, b.getSourceElement(window, row, column),
                            static_cast<uint32_t>(pieceBytes), cache, bytes);
  }

  static void copyElement(CodeBuilder &b, const Window &window, Value row,
                          Value column, Value target) {
    Type type = window.tile.getElementType();
    Value isRow = b.isLess(row, window.rows);
    Value isColumn = b.isLess(column, window.columns);
    Value isInside = arith::AndIOp::create(b, isRow, isColumn);
    auto element = scf::IfOp::create(b, type, isInside, /*withElse=*/true);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(element.thenBlock());
      Value source = b.getSourceElement(window, row, column);
      scf::YieldOp::create(b, LLVM::LoadOp::create(b, type, source).getRes());
      b.setInsertionPointToStart(element.elseBlock());
      auto zero = cast<TypedAttr>(b.getZeroAttr(type));
      scf::YieldOp::create(b, arith::ConstantOp::create(b, zero).getResult());
    }
    LLVM::StoreOp::create(b, element.getResult(0), target);
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// Fragments
//===----------------------------------------------------------------------===//

/// Of a lane, as nvvm.mma.sync takes them.
static Type getRegisterType(FragmentType fragment) {
  MLIRContext *context = fragment.getContext();
  if (fragment.getRole() == Role::acc)
    return getSumType(fragment.getAtom(), context);
  if (fragment.getAtom() == Atom::f16_m16n8k16)
    return VectorType::get(2, Float16Type::get(context));
  return IntegerType::get(context, 32);
}

static Type getStructType(Type element, int64_t count) {
  return LLVM::LLVMStructType::getLiteral(element.getContext(),
                                          SmallVector<Type>(count, element));
}

/// `count` elements from an address on, which is a multiple of their bytes.
static SmallVector<Value> loadNeighbours(CodeBuilder &b, Value address,
                                         Type element, int64_t count) {
  auto type = VectorType::get(count, element);
  Value vector = LLVM::LoadOp::create(b, type, address);
  SmallVector<Value> elements;
  for (int64_t i = 0; i < count; ++i)
    elements.push_back(LLVM::ExtractElementOp::create(
        b, vector, arith::ConstantIntOp::create(b, b.getI32Type(), i)));
  return elements;
}

static SmallVector<Value> unpack(CodeBuilder &b, Value structure,
                                 int64_t count) {
  SmallVector<Value> values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back(LLVM::ExtractValueOp::create(b, structure, i));
  return values;
}

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

static Value roundToTf32(CodeBuilder &b, Value element) {
  return NVVM::ConvertFloatToTF32Op::create(b, b.getI32Type(), element,
                                            NVVM::FPRoundingMode::RNA);
}

/// element - rounded, which is exact; 0 where the rounded one is not finite.
static Value getRest(CodeBuilder &b, Value element, Value rounded) {
  Type f32 = b.getF32Type();
  rounded = arith::BitcastOp::create(b, f32, rounded);
  Value rest = arith::SubFOp::create(b, element, rounded);
  Value infinity = arith::ConstantOp::create(
      b, b.getF32FloatAttr(std::numeric_limits<float>::infinity()));
  Value isFinite = arith::CmpFOp::create(
      b, arith::CmpFPredicate::OLT, math::AbsFOp::create(b, rounded), infinity);
  Value zero = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
  return arith::SelectOp::create(b, isFinite, rest, zero);
}

/// An element of a tile as a register of tf32, or the rest that leaves.
static Value makeTf32(CodeBuilder &b, Value element, bool isRest) {
  Type type = element.getType(), f32 = b.getF32Type();
  if (!type.isF32()) {
    element = isa<IntegerType>(type)
                  ? arith::SIToFPOp::create(b, f32, element).getResult()
                  : arith::ExtFOp::create(b, f32, element).getResult();
    return arith::BitcastOp::create(b, b.getI32Type(), element);
  }
  Value rounded = roundToTf32(b, element);
  return isRest ? roundToTf32(b, getRest(b, element, rounded)) : rounded;
}

/// One instruction, whose first operand is the upper half.
template <typename ConvertOp>
static Value roundPair(CodeBuilder &b, Type type, ValueRange elements) {
  return ConvertOp::create(b, type, elements[1], elements[0],
                           /*random_bits=*/Value(), NVVM::FPRoundingMode::RN,
                           NVVM::SaturationMode::NONE, /*relu=*/false);
}

/// The register of a fragment that holds these elements, f32 of which there are
/// as many as it has.
static Value makeRegister(CodeBuilder &b, FragmentType fragment,
                          ValueRange elements, bool isRest) {
  if (fragment.getRole() == Role::acc)
    return elements.front();
  if (fragment.getAtom() == Atom::tf32_m16n8k8)
    return makeTf32(b, elements.front(), isRest);
  bool isHalf = fragment.getAtom() == Atom::f16_m16n8k16;
  auto type =
      VectorType::get(2, isHalf ? Type(b.getF16Type()) : Type(b.getBF16Type()));
  Value pair = isHalf
                   ? roundPair<NVVM::ConvertF32x2ToF16x2Op>(b, type, elements)
                   : roundPair<NVVM::ConvertF32x2ToBF16x2Op>(b, type, elements);
  Type registerType = getRegisterType(fragment);
  return type == registerType
             ? pair
             : LLVM::BitcastOp::create(b, registerType, pair).getResult();
}

namespace {
struct LoadFragmentPattern : OpConversionPattern<LoadFragmentOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(LoadFragmentOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    CodeBuilder b(op.getLoc(), rewriter);
    Value tile = adaptor.getTile().front();
    FragmentType fragment = op.getFragment().getType();
    bool isWhole =
        getMmaAtom(fragment.getAtom()).operandBits ==
        op.getTile().getType().getElementType().getIntOrFloatBitWidth();
    bool hasWords = fragment.getAtom() == Atom::tf32_m16n8k8;
    Value row = adaptor.getRow().front(), column = adaptor.getColumn().front();
    SmallVector<Value> registers = isWhole && !hasWords
                                       ? loadMatrices(b, op, tile, row, column)
                                       : loadElements(b, op, tile, row, column);
    rewriter.replaceOpWithMultiple(op,
                                   ArrayRef<ValueRange>(ValueRange(registers)));
    return success();
  }

private:
  /// ldmatrix: register q is a matrix of 8 rows of 16 bytes, whose places in
  /// the tile are the addresses of lanes 8q to 8q + 7 (those of further lanes
  /// are not used).
  static SmallVector<Value> loadMatrices(CodeBuilder &b, LoadFragmentOp op,
                                         Value tile, Value firstRow,
                                         Value firstColumn) {
    FragmentType fragment = op.getFragment().getType();
    bool isLhs = fragment.getRole() == Role::lhs;
    int64_t count = getRegisterCount(fragment);
    int64_t chunk = op.getTile().getType().getChunkElements();
    Value lane = b.getLane();
    Value matrix = b.rem(b.div(lane, 8), count);
    // Registers of rhs follow k; those of lhs alternate between m and k.
    Value outer = isLhs ? b.mul(b.rem(matrix, 2), 8) : b.index(0);
    Value k = b.mul(isLhs ? b.div(matrix, 2) : matrix, chunk);
    // ldmatrix gives a lane neighbours of a row; it needs those along k.
    bool hasKColumns = isLhs != op.getTransposed();
    Value row = hasKColumns ? outer : k, column = hasKColumns ? k : outer;
    row = b.add(firstRow, b.add(row, b.rem(lane, 8)));
    column = b.add(firstColumn, column);

    auto layout = hasKColumns ? NVVM::MMALayout::row : NVVM::MMALayout::col;
    Type integer = b.getI32Type();
    Value address = b.getTileElement(op.getTile().getType(), tile, row, column);
    Value loaded = NVVM::LdMatrixOp::create(
        b, getStructType(integer, count), address, static_cast<uint32_t>(count),
        layout, NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8),
        NVVM::LdStMatrixEltType::B16);
    SmallVector<Value> registers = unpack(b, loaded, count);
    Type type = getRegisterType(fragment);
    if (type != integer)
      for (Value &value : registers)
        value = LLVM::BitcastOp::create(b, type, value);
    return registers;
  }

  /// ldmatrix knows whole factors of up to 16 bits only, so each lane loads its
  /// own.
  static SmallVector<Value> loadElements(CodeBuilder &b, LoadFragmentOp op,
                                         Value tile, Value firstRow,
                                         Value firstColumn) {
    FragmentType fragment = op.getFragment().getType();
    TileType type = op.getTile().getType();
    int64_t perRegister =
        getMmaAtom(fragment.getAtom()).getElementsPerRegister();
    bool hasKColumns = (fragment.getRole() == Role::lhs) != op.getTransposed();
    auto getElement = [&](int64_t number) {
      auto [row, column] = b.getCoordinate(fragment, number);
      if (op.getSpread())
        column = affine::expandAffineExpr(
            b, b.getLoc(), getSpreadRow(b.getAffineDimExpr(0)), column, {});
      if (op.getTransposed())
        std::swap(row, column);
      return b.getTileElement(type, tile, b.add(firstRow, row),
                              b.add(firstColumn, column));
    };
    SmallVector<Value> registers;
    for (int64_t q = 0; q < getRegisterCount(fragment); ++q) {
      SmallVector<Value> elements;
      if (perRegister == 1 || !hasKColumns) {
        for (int64_t i = 0; i < perRegister; ++i)
          elements.push_back(LLVM::LoadOp::create(
              b, type.getElementType(), getElement(q * perRegister + i)));
      } else {
        elements = loadNeighbours(b, getElement(q * perRegister),
                                  type.getElementType(), perRegister);
      }
      registers.push_back(makeRegister(b, fragment, elements, op.getRest()));
    }
    return registers;
  }
};

struct LoadColumnsPattern : OpConversionPattern<LoadColumnsOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(LoadColumnsOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    CodeBuilder b(op.getLoc(), rewriter);
    TileType type = op.getTile().getType();
    auto fragment = cast<FragmentType>(op.getFragments().front().getType());
    bool isTf32 = fragment.getAtom() == Atom::tf32_m16n8k8;
    SmallVector<SmallVector<Value>> fragments(kSpreadFragments);
    for (int64_t q = 0; q < getRegisterCount(fragment); ++q) {
      auto [k, column] = b.getCoordinate(fragment, q * type.getDepth());
      // Of the lane's column in the first fragment.
      AffineExpr spread = getSpreadColumn(b.getAffineDimExpr(0), 0);
      column = affine::expandAffineExpr(b, b.getLoc(), spread, column, {});
      Value row = b.add(adaptor.getRow().front(), b.div(k, type.getDepth()));
      Value address =
          b.getTileElement(type, adaptor.getTile().front(), row,
                           b.add(adaptor.getColumn().front(), column));
      Type element = isTf32 ? type.getElementType() : b.getI32Type();
      SmallVector<Value> loaded =
          loadNeighbours(b, address, element, kSpreadFragments);
      Type registerType = getRegisterType(fragment);
      for (auto [registers, value] : llvm::zip_equal(fragments, loaded)) {
        if (isTf32)
          value = makeTf32(b, value, op.getRest());
        else if (value.getType() != registerType)
          value = LLVM::BitcastOp::create(b, registerType, value);
        registers.push_back(value);
      }
    }
    rewriter.replaceOpWithMultiple(op, std::move(fragments));
    return success();
  }
};

struct FragmentPattern : OpConversionPattern<FragmentOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(FragmentOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    CodeBuilder b(op.getLoc(), rewriter);
    FragmentType fragment = op.getFragment().getType();
    int64_t count = getRegisterCount(fragment);
    int64_t perRegister = getLaneElementCount(fragment) / count;
    SmallVector<Value> elements;
    for (ValueRange element : adaptor.getElements())
      elements.push_back(element.front());
    SmallVector<Value> registers;
    for (int64_t q = 0; q < count; ++q)
      registers.push_back(makeRegister(
          b, fragment, ArrayRef(elements).slice(q * perRegister, perRegister),
          op.getRest()));
    rewriter.replaceOpWithMultiple(op,
                                   ArrayRef<ValueRange>(ValueRange(registers)));
    return success();
  }
};

struct FillPattern : OpConversionPattern<FillOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(FillOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    SmallVector<Value> registers(getRegisterCount(op.getFragment().getType()),
                                 adaptor.getValue().front());
    rewriter.replaceOpWithMultiple(op,
                                   ArrayRef<ValueRange>(ValueRange(registers)));
    return success();
  }
};

struct MmaPattern : OpConversionPattern<MmaOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(MmaOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    CodeBuilder b(op.getLoc(), rewriter);
    FragmentType acc = op.getAcc().getType();
    const MmaAtom &atom = getMmaAtom(acc.getAtom());
    int64_t count = getRegisterCount(acc);
    std::array<NVVM::MMATypes, 2> types = {atom.lhsType, atom.rhsType};
    std::array<NVVM::MMALayout, 2> layouts = {NVVM::MMALayout::row,
                                              NVVM::MMALayout::col};
    Value product = NVVM::MmaOp::create(
        b, getStructType(getRegisterType(acc), count), adaptor.getLhs(),
        adaptor.getRhs(), adaptor.getAcc(), {atom.m, atom.n, atom.k},
        /*b1Op=*/std::nullopt,
        atom.isInteger() ? std::optional(NVVM::MMAIntOverflow::wrapped)
                         : std::nullopt,
        types, layouts);
    SmallVector<Value> sums = unpack(b, product, count);
    rewriter.replaceOpWithMultiple(op, ArrayRef<ValueRange>(ValueRange(sums)));
    return success();
  }
};

struct ElementPattern : OpConversionPattern<ElementOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(ElementOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, adaptor.getFragment()[op.getNumber()]);
    return success();
  }
};

struct CoordinatePattern : OpConversionPattern<CoordinateOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(CoordinateOp op, OneToNOpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    CodeBuilder b(op.getLoc(), rewriter);
    auto [row, column] = b.getCoordinate(cast<FragmentType>(op.getFragment()),
                                         static_cast<int64_t>(op.getNumber()));
    rewriter.replaceOp(op, {row, column});
    return success();
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// Conversion
//===----------------------------------------------------------------------===//

static void addTypes(TypeConverter &converter) {
  converter.addConversion([](Type type) { return type; });
  converter.addConversion([](TileType type) -> Type {
    return LLVM::LLVMPointerType::get(type.getContext(), kSharedSpace);
  });
  converter.addConversion(
      [](FragmentType type,
         SmallVectorImpl<Type> &types) -> std::optional<LogicalResult> {
        types.append(getRegisterCount(type), getRegisterType(type));
        return success();
      });
}

LogicalResult txc::convertWarpToNvvm(ModuleOp module) {
  MLIRContext *context = module.getContext();
  TypeConverter converter;
  addTypes(converter);
  ConversionTarget target(*context);
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  target.addIllegalDialect<WarpDialect>();
  RewritePatternSet patterns(context);
  patterns.add<AllocPattern, CopyPattern, LoadFragmentPattern,
               LoadColumnsPattern, FragmentPattern, FillPattern, MmaPattern,
               ElementPattern, CoordinatePattern>(converter, context);
  scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                       target);
  return applyPartialConversion(module, target, std::move(patterns));
}

namespace {
struct WarpToNvvmPass : PassWrapper<WarpToNvvmPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(WarpToNvvmPass)

  StringRef getArgument() const override { return "txc-warp-to-nvvm"; }
  StringRef getDescription() const override {
    return "Turn fragments and tiles into registers and shared memory";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<WarpDialect, NVVM::NVVMDialect, LLVM::LLVMDialect,
                    arith::ArithDialect, math::MathDialect, scf::SCFDialect>();
  }
  void runOnOperation() override {
    if (failed(convertWarpToNvvm(getOperation())))
      signalPassFailure();
  }
};
} // namespace

std::unique_ptr<Pass> txc::createWarpToNvvmPass() {
  return std::make_unique<WarpToNvvmPass>();
}
