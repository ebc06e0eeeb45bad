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
      if (op.getAligned())
        copyChunk(b, window, row, column, target);
      else
        copyElement(b, window, row, column, target);
    }
    // Lanes took different ways; the instructions of a whole warp come next.
    if (!op.getAligned())
      NVVM::SyncWarpOp::create(
          b, arith::ConstantIntOp::create(b, b.getI32Type(), -1).getResult());
    rewriter.eraseOp(op);
    return success();
  }

private:
  /// The hardware fills what is not read with zeros.
  static void copyChunk(CodeBuilder &b, const Window &window, Value row,
                        Value column, Value target) {
    TileType type = window.tile;
    Value zero = b.index(0);
    Value left = arith::SubIOp::create(b, window.columns, column);
    left = arith::MinSIOp::create(b, left, b.index(type.getChunkElements()));
    left = arith::MaxSIOp::create(b, left, zero);
    Value isInside = b.isLess(row, window.rows);
    left = arith::SelectOp::create(b, isInside, left, zero);
    Value bytes = b.toInteger(b.mul(left, type.getElementBytes()), 32);
    NVVM::CpAsyncOp::create(b, target, b.getSourceElement(window, row, column),
                            TileType::kChunkBytes,
                            NVVM::LoadCacheModifierKind::CG, bytes);
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
    return Float32Type::get(context);
  if (fragment.getAtom() == Atom::f16_m16n8k16)
    return VectorType::get(2, Float16Type::get(context));
  return IntegerType::get(context, 32);
}

static Type getStructType(Type element, int64_t count) {
  return LLVM::LLVMStructType::getLiteral(element.getContext(),
                                          SmallVector<Type>(count, element));
}

static SmallVector<Value> unpack(CodeBuilder &b, Value structure,
                                 int64_t count) {
  SmallVector<Value> values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back(LLVM::ExtractValueOp::create(b, structure, i));
  return values;
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
    bool hasHalves = getMmaAtom(fragment.getAtom()).operandBits == 16;
    Value row = adaptor.getRow().front(), column = adaptor.getColumn().front();
    SmallVector<Value> registers = hasHalves
                                       ? loadMatrices(b, op, tile, row, column)
                                       : loadElements(b, op, tile, row, column);
    rewriter.replaceOpWithMultiple(op,
                                   ArrayRef<ValueRange>(ValueRange(registers)));
    return success();
  }

private:
  /// ldmatrix: register q is an 8 x 8 matrix, whose rows in the tile are at the
  /// addresses of lanes 8q to 8q + 7 (those of further lanes are not used).
  static SmallVector<Value> loadMatrices(CodeBuilder &b, LoadFragmentOp op,
                                         Value tile, Value firstRow,
                                         Value firstColumn) {
    FragmentType fragment = op.getFragment().getType();
    bool isLhs = fragment.getRole() == Role::lhs;
    int64_t count = getRegisterCount(fragment);
    Value lane = b.getLane();
    Value matrix = b.rem(b.div(lane, 8), count);
    // Registers of rhs follow k; those of lhs alternate between m and k.
    Value row = b.mul(isLhs ? b.rem(matrix, 2) : matrix, 8);
    Value column = isLhs ? b.mul(b.div(matrix, 2), 8) : b.index(0);
    if (op.getTransposed())
      std::swap(row, column);
    row = b.add(firstRow, b.add(row, b.rem(lane, 8)));
    column = b.add(firstColumn, column);

    // ldmatrix gives a lane two neighbours of a row. A lane's pair lies along
    // k, which is the row of an lhs.
    bool hasPairsInRows = isLhs != op.getTransposed();
    auto layout = hasPairsInRows ? NVVM::MMALayout::row : NVVM::MMALayout::col;
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

  /// ldmatrix knows 16-bit elements only, so each lane loads its own.
  static SmallVector<Value> loadElements(CodeBuilder &b, LoadFragmentOp op,
                                         Value tile, Value firstRow,
                                         Value firstColumn) {
    FragmentType fragment = op.getFragment().getType();
    SmallVector<Value> registers;
    for (int64_t q = 0; q < getRegisterCount(fragment); ++q) {
      auto [row, column] = b.getCoordinate(fragment, q);
      if (op.getTransposed())
        std::swap(row, column);
      Value address =
          b.getTileElement(op.getTile().getType(), tile, b.add(firstRow, row),
                           b.add(firstColumn, column));
      Value element = LLVM::LoadOp::create(b, b.getF32Type(), address);
      Value rounded = roundToTf32(b, element);
      if (op.getRest())
        rounded = roundToTf32(b, getRest(b, element, rounded));
      registers.push_back(rounded);
    }
    return registers;
  }

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
    Value isFinite =
        arith::CmpFOp::create(b, arith::CmpFPredicate::OLT,
                              math::AbsFOp::create(b, rounded), infinity);
    Value zero = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
    return arith::SelectOp::create(b, isFinite, rest, zero);
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
    std::array<NVVM::MMATypes, 2> types = {atom.operandType, atom.operandType};
    std::array<NVVM::MMALayout, 2> layouts = {NVVM::MMALayout::row,
                                              NVVM::MMALayout::col};
    Value product = NVVM::MmaOp::create(
        b, getStructType(getRegisterType(acc), count), adaptor.getLhs(),
        adaptor.getRhs(), adaptor.getAcc(), {atom.m, atom.n, atom.k},
        /*b1Op=*/std::nullopt, /*intOverflow=*/std::nullopt, types, layouts);
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
  patterns.add<AllocPattern, CopyPattern, LoadFragmentPattern, FillPattern,
               MmaPattern, ElementPattern, CoordinatePattern>(converter,
                                                              context);
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
