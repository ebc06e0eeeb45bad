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

/// Whether every point of the consumer reads another element.
static bool readsEachElementOnce(NestInterface consumer, AffineMap map) {
  for (unsigned d = 0; d < map.getNumDims(); ++d)
    if (!map.isFunctionOfDim(d) && !consumer.getSize(d).isConstant(1))
      return false;
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
  void addOperands();
  Operation *createOp();
  void buildBody(Operation *fused);
  Value inlineProducer(AffineMap readMap, ArrayRef<Value> arguments,
                       ArrayRef<Value> tables);

  RewriterBase &rewriter;
  NestInterface consumer;
  MapOp producer;
  ArrayRef<AffineExpr> producerDims;
  MLIRContext *context;

  SmallVector<Value> inputs, tables;
  SmallVector<AffineMap> maps;
  SmallVector<Attribute> symbols;
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

/// The consumer's inputs but those from the producer, and in their place the
/// producer's.
void ProducerFusion::addOperands() {
  llvm::append_range(symbols, consumer.getSymbols());
  unsigned producerOffset = symbols.size();
  llvm::append_range(symbols, producer.getSymbols());
  auto producerNest = cast<NestInterface>(*producer);
  for (auto [i, input] : llvm::enumerate(consumer.getInputs())) {
    AffineMap map = consumer.getInputMap(i);
    if (input.getDefiningOp() != producer) {
      inputs.push_back(input);
      maps.push_back(remapSymbols(map, 0));
      continue;
    }
    AffineMap read = remapSymbols(map, 0);
    SmallVector<AffineExpr> point;
    for (AffineExpr dim : producerDims)
      point.push_back(dim.replaceDims(read.getResults()));
    for (auto [j, producerInput] : llvm::enumerate(producer.getInputs())) {
      AffineMap inner =
          remapSymbols(producerNest.getInputMap(j), producerOffset);
      SmallVector<AffineExpr> exprs;
      for (AffineExpr expr : inner.getResults())
        exprs.push_back(expr.replaceDims(point));
      inputs.push_back(producerInput);
      maps.push_back(simplifyAffineMap(
          AffineMap::get(map.getNumDims(), symbols.size(), exprs, context)));
    }
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
  for (Operation &op : body.without_terminator()) {
    auto index = dyn_cast<kernel::IndexOp>(op);
    if (!index) {
      rewriter.clone(op, mapping);
      continue;
    }
    SmallVector<Value> dims, symbolValues;
    for (unsigned d = 0; d < readMap.getNumDims(); ++d)
      dims.push_back(
          kernel::IndexOp::create(rewriter, loc, rewriter.getIndexType(), d));
    for (Attribute symbol : symbols)
      symbolValues.push_back(kernel::SizeOp::create(
          rewriter, loc, rewriter.getIndexType(), cast<SymExprAttr>(symbol)));
    AffineExpr expr =
        producerDims[index.getDim()].replaceDims(readMap.getResults());
    mapping.map(
        index.getResult(),
        affine::expandAffineExpr(rewriter, loc, expr, dims, symbolValues));
  }
  return mapping.lookup(body.getTerminator()->getOperand(0));
}

void ProducerFusion::buildBody(Operation *fused) {
  Block *block = rewriter.createBlock(&fused->getRegion(0));
  Block &old = consumer.getBodyBlock();
  Location loc = consumer.getLoc();
  IRMapping mapping;
  auto addArguments = [&](Block &from, unsigned begin, unsigned count) {
    SmallVector<Value> arguments;
    for (unsigned i = begin; i < begin + count; ++i)
      arguments.push_back(
          block->addArgument(from.getArgument(i).getType(), loc));
    return arguments;
  };
  unsigned numScalars = consumer.getInputs().size();
  SmallVector<std::pair<unsigned, SmallVector<Value>>> inlined;
  for (unsigned i = 0; i < numScalars; ++i) {
    if (consumer.getInputs()[i].getDefiningOp() == producer)
      inlined.emplace_back(i, addArguments(producer.getBodyBlock(), 0,
                                           producer.getInputs().size()));
    else
      mapping.map(old.getArgument(i), addArguments(old, i, 1).front());
  }
  SmallVector<Value> ownTables =
      addArguments(old, numScalars, consumer.getTables().size());
  for (auto [i, table] : llvm::enumerate(ownTables))
    mapping.map(old.getArgument(numScalars + i), table);
  SmallVector<Value> producerTables =
      addArguments(producer.getBodyBlock(), producer.getInputs().size(),
                   producer.getTables().size());
  for (auto &[input, arguments] : inlined)
    mapping.map(old.getArgument(input),
                inlineProducer(remapSymbols(consumer.getInputMap(input), 0),
                               arguments, producerTables));
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
    if (!isOnlyReader || isTable)
      continue;
    std::optional<SmallVector<AffineExpr>> dims = invertResultMap(producer);
    if (!dims)
      continue;
    if (!readsEachElementOnce(consumer, consumer.getInputMap(i)) &&
        !isCheap(producer))
      continue;
    ProducerFusion(rewriter, consumer, producer, *dims).run();
    return success();
  }
  return rewriter.notifyMatchFailure(
      consumer, "no input comes from a map that this phase alone reads");
}
