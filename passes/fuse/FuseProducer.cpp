//===- FuseProducer.cpp - maps into the phases that read them ------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "passes/fuse/Fuse.h"

using namespace mlir;
using namespace txc;
using kernel::MapOp;
using kernel::NestInterface;
using tx::SymExprAttr;

/// An element may be computed again for each of its readers if that costs no
/// more than reading it.
constexpr unsigned kCheapBodyOps = 3;

/// A body that is longer is not repeated within one element: along a chain of
/// phases that each read the one before at two points it would double.
constexpr unsigned kRepeatedBodyOps = 64;

/// Each fusion copies both bodies, so a chain of n phases would take n^2 steps,
/// and what one point holds in registers has an end long before this.
constexpr unsigned kMaxBodyOps = 192;

static bool isCheap(MapOp op) {
  unsigned ops = 0;
  for (Operation &inner : op.getBodyBlock().without_terminator()) {
    if (isa<kernel::FetchOp>(inner) ||
        inner.getDialect()->getNamespace() ==
            math::MathDialect::getDialectNamespace())
      return false;
    ops += !isa<arith::ConstantOp, kernel::IndexOp, kernel::SizeOp>(inner);
  }
  return ops <= kCheapBodyOps;
}

/// The producer's iteration dims in terms of its (single) result's dims;
/// nothing if an element does not tell its point.
static std::optional<SmallVector<AffineExpr>> invertResultMap(MapOp op) {
  AffineMap map = cast<NestInterface>(*op).getResultMap(0);
  MLIRContext *context = op.getContext();
  SmallVector<AffineExpr> dims(map.getNumDims());
  for (auto [r, expr] : llvm::enumerate(map.getResults()))
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      dims[dim.getPosition()] = getAffineDimExpr(r, context);
  for (auto [d, expr] : llvm::enumerate(dims)) {
    if (expr)
      continue;
    if (!op.getSize(d).isConstant(1))
      return std::nullopt;
    expr = getAffineConstantExpr(0, context);
  }
  return dims;
}

/// The terms `factor * dim` that `expr` is the sum of; false if it is no such
/// sum.
static bool collectTerms(AffineExpr expr,
                         SmallVectorImpl<std::pair<int64_t, unsigned>> &terms) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    terms.emplace_back(1, dim.getPosition());
    return true;
  }
  if (isa<AffineConstantExpr>(expr))
    return true;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  if (expr.getKind() == AffineExprKind::Add)
    return collectTerms(binary.getLHS(), terms) &&
           collectTerms(binary.getRHS(), terms);
  auto dim = dyn_cast<AffineDimExpr>(binary.getLHS());
  auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (expr.getKind() != AffineExprKind::Mul || !dim || !factor)
    return false;
  terms.emplace_back(factor.getValue(), dim.getPosition());
  return true;
}

/// Whether `expr` is known to have one value at several points, as the place in
/// a sliding window has, place + tap.
static bool overlaps(NestInterface consumer, AffineExpr expr) {
  SmallVector<std::pair<int64_t, unsigned>> terms;
  if (!collectTerms(expr, terms))
    return false;
  llvm::sort(terms);
  int64_t reach = 0;
  for (auto [factor, dim] : terms) {
    if (factor <= reach)
      return true;
    std::optional<int64_t> size = consumer.getSize(dim).getConstant();
    if (!size)
      return false;
    reach += factor * (*size - 1);
  }
  return false;
}

/// Whether every point of the consumer reads another element.
static bool readsEachElementOnce(NestInterface consumer, AffineMap map) {
  if (llvm::any_of(map.getResults(),
                   [&](AffineExpr expr) { return overlaps(consumer, expr); }))
    return false;
  for (unsigned d = 0; d < map.getNumDims(); ++d)
    if (!map.isFunctionOfDim(d) && !consumer.getSize(d).isConstant(1))
      return false;
  return true;
}

/// Whether all inputs that come from the producer are its value at one point.
static bool readsByOneMap(NestInterface consumer, MapOp producer) {
  AffineMap map;
  for (auto [i, input] : llvm::enumerate(consumer.getInputs())) {
    if (input.getDefiningOp() != producer)
      continue;
    if (map && map != consumer.getInputMap(i))
      return false;
    map = consumer.getInputMap(i);
  }
  return true;
}

namespace {
/// Rebuilds a consumer with a producer's body inlined at the inputs that read
/// it.
class ProducerFusion {
public:
  ProducerFusion(RewriterBase &rewriter, NestInterface consumer, MapOp producer,
                 ArrayRef<AffineExpr> producerDims)
      : rewriter(rewriter), consumer(consumer), producer(producer),
        producerDims(producerDims), context(consumer.getContext()) {}

  void run();

private:
  AffineMap remapSymbols(AffineMap map, unsigned offset) const;
  unsigned addInput(Value input, AffineMap map, Type scalarType);
  SmallVector<unsigned> addProducerInputs(AffineMap readMap,
                                          unsigned symbolOffset);
  void addOperands();
  Operation *createOp();
  void buildBody(Operation *fused);
  Value expandPosition(Location loc, AffineExpr expr, unsigned numDims);
  Value inlineProducer(AffineMap readMap, ArrayRef<Value> arguments,
                       ArrayRef<Value> tables);

  RewriterBase &rewriter;
  NestInterface consumer;
  MapOp producer;
  ArrayRef<AffineExpr> producerDims;
  MLIRContext *context;

  SmallVector<Value> inputs, tables;
  SmallVector<AffineMap> maps;
  SmallVector<Type> scalarTypes;
  SmallVector<Attribute> symbols;
  /// For each input of the consumer: the fused op's input that it is, or the
  /// ones that the producer's value is computed from.
  SmallVector<SmallVector<unsigned>> sources;
};
} // namespace

/// The map with the fused op's symbols; its own begin at `offset`.
AffineMap ProducerFusion::remapSymbols(AffineMap map, unsigned offset) const {
  SmallVector<AffineExpr> symbolExprs;
  for (unsigned s = 0; s < map.getNumSymbols(); ++s)
    symbolExprs.push_back(getAffineSymbolExpr(offset + s, context));
  SmallVector<AffineExpr> exprs;
  for (AffineExpr expr : map.getResults())
    exprs.push_back(expr.replaceSymbols(symbolExprs));
  return AffineMap::get(map.getNumDims(), symbols.size(), exprs, context);
}

/// The number of the fused op's input that reads `input` by `map`: one that is
/// there is shared, so that what reads a value twice does not read it four
/// times after the next fusion.
unsigned ProducerFusion::addInput(Value input, AffineMap map, Type scalarType) {
  for (auto [i, known] : llvm::enumerate(llvm::zip(inputs, maps)))
    if (known == std::tuple(input, map))
      return i;
  inputs.push_back(input);
  maps.push_back(map);
  scalarTypes.push_back(scalarType);
  return inputs.size() - 1;
}

/// The producer's inputs for its value at the point that `readMap` names.
SmallVector<unsigned> ProducerFusion::addProducerInputs(AffineMap readMap,
                                                        unsigned symbolOffset) {
  SmallVector<AffineExpr> point;
  for (AffineExpr dim : producerDims)
    point.push_back(dim.replaceDims(readMap.getResults()));
  SmallVector<unsigned> numbers;
  for (auto [i, input] : llvm::enumerate(producer.getInputs())) {
    AffineMap inner = remapSymbols(
        cast<NestInterface>(*producer).getInputMap(i), symbolOffset);
    SmallVector<AffineExpr> exprs;
    for (AffineExpr expr : inner.getResults())
      exprs.push_back(expr.replaceDims(point));
    AffineMap map = simplifyAffineMap(
        AffineMap::get(readMap.getNumDims(), symbols.size(), exprs, context));
    numbers.push_back(
        addInput(input, map, producer.getBodyBlock().getArgument(i).getType()));
  }
  return numbers;
}

/// The consumer's inputs but those from the producer, and in their place the
/// producer's.
void ProducerFusion::addOperands() {
  llvm::append_range(symbols, consumer.getSymbols());
  unsigned producerOffset = symbols.size();
  llvm::append_range(symbols, producer.getSymbols());
  for (auto [i, input] : llvm::enumerate(consumer.getInputs())) {
    AffineMap map = remapSymbols(consumer.getInputMap(i), 0);
    if (input.getDefiningOp() == producer)
      sources.push_back(addProducerInputs(map, producerOffset));
    else
      sources.push_back({addInput(
          input, map, consumer.getBodyBlock().getArgument(i).getType())});
  }
  llvm::append_range(tables, consumer.getTables());
  llvm::append_range(tables, producer.getTables());
  for (unsigned r = 0; r < consumer->getNumResults(); ++r)
    maps.push_back(remapSymbols(consumer.getResultMap(r), 0));
}

Operation *ProducerFusion::createOp() {
  Location loc = rewriter.getFusedLoc({producer.getLoc(), consumer.getLoc()});
  ArrayAttr symbolAttr = rewriter.getArrayAttr(symbols);
  ArrayAttr mapAttr = rewriter.getAffineMapArrayAttr(maps);
  if (isa<MapOp>(*consumer))
    return MapOp::create(rewriter, loc, consumer->getResultTypes(), inputs,
                         tables, consumer.getSizes(), symbolAttr, mapAttr);
  return kernel::RowsOp::create(rewriter, loc, consumer->getResultTypes(),
                                inputs, tables, consumer.getSizes(), symbolAttr,
                                mapAttr, consumer.getNumRowDims());
}

/// A position, from just the dims and sizes that it takes: what is left over
/// would be inlined again with each further phase.
Value ProducerFusion::expandPosition(Location loc, AffineExpr expr,
                                     unsigned numDims) {
  Type type = rewriter.getIndexType();
  SmallVector<Value> dims(numDims), sizes(symbols.size());
  for (unsigned d = 0; d < numDims; ++d)
    if (expr.isFunctionOfDim(d))
      dims[d] = kernel::IndexOp::create(rewriter, loc, type, d);
  for (auto [s, symbol] : llvm::enumerate(symbols))
    if (expr.isFunctionOfSymbol(s))
      sizes[s] = kernel::SizeOp::create(rewriter, loc, type,
                                        cast<SymExprAttr>(symbol));
  return affine::expandAffineExpr(rewriter, loc, expr, dims, sizes);
}

/// The producer's value at the point that `readMap` (consumer dims to result
/// dims) names.
Value ProducerFusion::inlineProducer(AffineMap readMap,
                                     ArrayRef<Value> arguments,
                                     ArrayRef<Value> tableArguments) {
  IRMapping mapping;
  Block &body = producer.getBodyBlock();
  unsigned numScalars = producer.getInputs().size();
  for (unsigned i = 0; i < numScalars; ++i)
    mapping.map(body.getArgument(i), arguments[i]);
  for (auto [i, table] : llvm::enumerate(tableArguments))
    mapping.map(body.getArgument(numScalars + i), table);
  Location loc = producer.getLoc();
  SmallVector<Value> positions(producerDims.size());
  for (Operation &op : body.without_terminator()) {
    auto index = dyn_cast<kernel::IndexOp>(op);
    if (!index) {
      rewriter.clone(op, mapping);
      continue;
    }
    Value &position = positions[index.getDim()];
    if (!position)
      position = expandPosition(
          loc, producerDims[index.getDim()].replaceDims(readMap.getResults()),
          readMap.getNumDims());
    mapping.map(index.getResult(), position);
  }
  return mapping.lookup(body.getTerminator()->getOperand(0));
}

void ProducerFusion::buildBody(Operation *fused) {
  Block *block = rewriter.createBlock(&fused->getRegion(0));
  Block &old = consumer.getBodyBlock();
  Location loc = consumer.getLoc();
  IRMapping mapping;
  auto addArgument = [&](Type type) -> Value {
    return block->addArgument(type, loc);
  };
  SmallVector<Value> scalars = llvm::map_to_vector(scalarTypes, addArgument);
  auto addTables = [&](Block &from, unsigned numScalars) {
    return llvm::map_to_vector(
        from.getArguments().drop_front(numScalars),
        [&](BlockArgument table) { return addArgument(table.getType()); });
  };
  unsigned numScalars = consumer.getInputs().size();
  for (auto [i, table] : llvm::enumerate(addTables(old, numScalars)))
    mapping.map(old.getArgument(numScalars + i), table);
  SmallVector<Value> producerTables =
      addTables(producer.getBodyBlock(), producer.getInputs().size());
  // What several inputs read at one point is computed once.
  SmallVector<std::pair<AffineMap, Value>> computed;
  for (unsigned i = 0; i < numScalars; ++i) {
    if (consumer.getInputs()[i].getDefiningOp() != producer) {
      mapping.map(old.getArgument(i), scalars[sources[i].front()]);
      continue;
    }
    AffineMap map = remapSymbols(consumer.getInputMap(i), 0);
    auto *known = llvm::find_if(
        computed, [&](const auto &entry) { return entry.first == map; });
    if (known == computed.end()) {
      auto arguments = llvm::map_to_vector(
          sources[i], [&](unsigned number) { return scalars[number]; });
      computed.emplace_back(map,
                            inlineProducer(map, arguments, producerTables));
      known = &computed.back();
    }
    mapping.map(old.getArgument(i), known->second);
  }
  for (Operation &op : old)
    rewriter.clone(op, mapping);
}

void ProducerFusion::run() {
  addOperands();
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(consumer);
  Operation *fused = createOp();
  buildBody(fused);
  rewriter.replaceOp(consumer, fused->getResults());
  rewriter.eraseOp(producer);
}

LogicalResult txc::fuseProducer(RewriterBase &rewriter,
                                NestInterface consumer) {
  for (auto [i, input] : llvm::enumerate(consumer.getInputs())) {
    auto producer = input.getDefiningOp<MapOp>();
    if (!producer || producer->getNumResults() != 1)
      continue;
    bool isOnlyReader =
        llvm::all_of(producer->getUsers(), [&](Operation *user) {
          return user == consumer.getOperation();
        });
    bool isTable = llvm::is_contained(consumer.getTables(), input);
    // A loop around the consumer would do it again each time.
    bool isElsewhere = producer->getBlock() != consumer->getBlock();
    if (!isOnlyReader || isTable || isElsewhere)
      continue;
    std::optional<SmallVector<AffineExpr>> dims = invertResultMap(producer);
    if (!dims)
      continue;
    if (!readsEachElementOnce(consumer, consumer.getInputMap(i)) &&
        !isCheap(producer))
      continue;
    if (!readsByOneMap(consumer, producer) &&
        llvm::range_size(producer.getBodyBlock()) > kRepeatedBodyOps)
      continue;
    if (llvm::range_size(producer.getBodyBlock()) +
            llvm::range_size(consumer.getBodyBlock()) >
        kMaxBodyOps)
      continue;
    ProducerFusion(rewriter, consumer, producer, *dims).run();
    return success();
  }
  return rewriter.notifyMatchFailure(
      consumer, "no input comes from a map that this phase alone reads");
}
