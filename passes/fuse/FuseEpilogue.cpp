//===- FuseEpilogue.cpp - maps onto the phases they read -----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/IR/IRMapping.h"
#include "passes/fuse/CollapseDims.h"
#include "passes/fuse/Fuse.h"

using namespace mlir;
using namespace txc;
using kernel::GemmOp;
using kernel::MapOp;
using kernel::NestInterface;
using kernel::RowsOp;

/// The tensor under a chain of reshapes.
static Value peelReshapes(Value value) {
  while (auto reshape = value.getDefiningOp<tx::ReshapeOp>())
    value = reshape.getX();
  return value;
}

/// Whether nothing reads `root`, through reshapes, but `reader`.
static bool isOnlyReadBy(Value root, Operation *reader) {
  return llvm::all_of(root.getUsers(), [&](Operation *user) {
    if (auto reshape = dyn_cast<tx::ReshapeOp>(user))
      return isOnlyReadBy(reshape.getResult(), reader);
    return user == reader;
  });
}

/// A gemm or rows whose single result has one element for each point of its
/// iteration space (without k), in order.
static bool hasFullResult(Operation *op) {
  if (auto gemm = dyn_cast<GemmOp>(op)) {
    if (gemm.getNumResults() != 1)
      return false;
    AffineMap map = gemm.getResultMap(0);
    return map.getNumResults() + 1 == map.getNumDims() &&
           map == AffineMap::getMultiDimIdentityMap(map.getNumDims(),
                                                    op->getContext())
                      .getMajorSubMap(map.getNumResults());
  }
  auto rows = dyn_cast<RowsOp>(op);
  return rows && rows.getNumResults() == 1 &&
         cast<NestInterface>(op).getResultMap(0).isIdentity();
}

/// An affine map over the consumer's dims as one over the producer's, which
/// begin with the same dims, with symbols behind the producer's.
static AffineMap widenMap(AffineMap map, unsigned numDims, unsigned numSymbols,
                          unsigned symbolOffset) {
  SmallVector<AffineExpr> symbols;
  for (unsigned s = 0; s < map.getNumSymbols(); ++s)
    symbols.push_back(getAffineSymbolExpr(symbolOffset + s, map.getContext()));
  SmallVector<AffineExpr> exprs;
  for (AffineExpr expr : map.getResults())
    exprs.push_back(expr.replaceSymbols(symbols));
  return AffineMap::get(numDims, numSymbols, exprs, map.getContext());
}

namespace {
/// The merged operands, maps and symbols of producer and consumer.
struct MergedOperands {
  SmallVector<Value> inputs;
  SmallVector<Attribute> maps;
  SmallVector<Attribute> symbols;
};
} // namespace

/// `leading` maps of the producer that belong to no input (gemm's operands)
/// come first; the consumer's input `skipped` is the producer's result.
static MergedOperands mergeOperands(ArrayAttr producerMaps,
                                    ArrayAttr producerSymbols,
                                    OperandRange producerInputs,
                                    unsigned leading, unsigned numDims,
                                    MapOp consumer, Value skipped) {
  MergedOperands merged;
  llvm::append_range(merged.symbols, producerSymbols);
  unsigned offset = merged.symbols.size();
  llvm::append_range(merged.symbols, consumer.getSymbols());
  auto addMap = [&](Attribute attribute, unsigned symbolOffset) {
    merged.maps.push_back(AffineMapAttr::get(
        widenMap(cast<AffineMapAttr>(attribute).getValue(), numDims,
                 merged.symbols.size(), symbolOffset)));
  };
  llvm::append_range(merged.inputs, producerInputs);
  for (Attribute map :
       producerMaps.getValue().take_front(leading + producerInputs.size()))
    addMap(map, 0);
  unsigned numInputs = consumer.getInputs().size();
  for (unsigned i = 0; i < numInputs; ++i) {
    if (consumer.getInputs()[i] == skipped)
      continue;
    merged.inputs.push_back(consumer.getInputs()[i]);
    addMap(consumer.getMaps()[i], offset);
  }
  for (Attribute map : consumer.getMaps().getValue().drop_front(numInputs))
    addMap(map, offset);
  return merged;
}

/// Fills the fused op's body: the producer's, then the consumer's on what it
/// yields. `numLeading` arguments (gemm's accumulator) and the producer's
/// inputs come first, then the consumer's inputs, then tables of both.
static void buildBody(RewriterBase &rewriter, Region &region, Block &producer,
                      unsigned numProducerScalars, MapOp consumer,
                      Value skipped) {
  OpBuilder::InsertionGuard guard(rewriter);
  Block *block = rewriter.createBlock(&region);
  IRMapping mapping;
  auto forward = [&](Block &from, unsigned i) {
    BlockArgument argument = from.getArgument(i);
    mapping.map(argument,
                block->addArgument(argument.getType(), argument.getLoc()));
  };
  Block &next = consumer.getBodyBlock();
  unsigned numConsumerScalars = consumer.getInputs().size();
  for (unsigned i = 0; i < numProducerScalars; ++i)
    forward(producer, i);
  for (unsigned i = 0; i < numConsumerScalars; ++i)
    if (consumer.getInputs()[i] != skipped)
      forward(next, i);
  for (unsigned i = numProducerScalars; i < producer.getNumArguments(); ++i)
    forward(producer, i);
  for (unsigned i = numConsumerScalars; i < next.getNumArguments(); ++i)
    forward(next, i);
  for (Operation &op : producer.without_terminator())
    rewriter.clone(op, mapping);
  Value element = mapping.lookup(producer.getTerminator()->getOperand(0));
  for (unsigned i = 0; i < numConsumerScalars; ++i)
    if (consumer.getInputs()[i] == skipped)
      mapping.map(next.getArgument(i), element);
  for (Operation &op : next)
    rewriter.clone(op, mapping);
}

static LogicalResult fuseIntoGemm(RewriterBase &rewriter, GemmOp gemm,
                                  MapOp consumer) {
  Block &body = consumer.getBodyBlock();
  bool needsPoint = llvm::any_of(body, [](Operation &op) {
    return isa<kernel::IndexOp, kernel::FetchOp, kernel::CheckOp>(op);
  });
  if (needsPoint || !consumer.getTables().empty())
    return rewriter.notifyMatchFailure(
        consumer, "a gemm's epilogue has no indices and no tables");
  Value element = gemm.getResult(0);
  MergedOperands merged =
      mergeOperands(gemm.getMaps(), gemm.getSymbols(), gemm.getInputs(),
                    /*leading=*/2, gemm.getSizes().size(), consumer, element);
  rewriter.setInsertionPoint(consumer);
  auto fused = GemmOp::create(
      rewriter, rewriter.getFusedLoc({gemm.getLoc(), consumer.getLoc()}),
      consumer.getResultTypes(), gemm.getLhs(), gemm.getRhs(), merged.inputs,
      gemm.getSizes(), rewriter.getArrayAttr(merged.symbols),
      rewriter.getArrayAttr(merged.maps), gemm.getPrecisionAttr());
  buildBody(rewriter, fused.getBody(), gemm.getBodyBlock(),
            1 + gemm.getInputs().size(), consumer, element);
  rewriter.replaceOp(consumer, fused.getResults());
  rewriter.eraseOp(gemm);
  return success();
}

static LogicalResult fuseIntoRows(RewriterBase &rewriter, RowsOp rows,
                                  MapOp consumer) {
  Value element = rows.getResult(0);
  MergedOperands merged =
      mergeOperands(rows.getMaps(), rows.getSymbols(), rows.getInputs(),
                    /*leading=*/0, rows.getSizes().size(), consumer, element);
  SmallVector<Value> tables = llvm::to_vector(rows.getTables());
  llvm::append_range(tables, consumer.getTables());
  rewriter.setInsertionPoint(consumer);
  auto fused = RowsOp::create(
      rewriter, rewriter.getFusedLoc({rows.getLoc(), consumer.getLoc()}),
      consumer.getResultTypes(), merged.inputs, tables, rows.getSizes(),
      rewriter.getArrayAttr(merged.symbols), rewriter.getArrayAttr(merged.maps),
      rows.getRowRank());
  buildBody(rewriter, fused.getBody(), rows.getBodyBlock(),
            rows.getInputs().size(), consumer, element);
  rewriter.replaceOp(consumer, fused.getResults());
  rewriter.eraseOp(rows);
  return success();
}

/// Brings `consumer` to the dims of `producer`'s result, if a reshape lies
/// between them.
static FailureOr<MapOp> alignDims(RewriterBase &rewriter, Value element,
                                  MapOp consumer) {
  SmallVector<tx::SymExprAttr> dims =
      tx::getDims(cast<RankedTensorType>(element.getType()));
  SmallVector<tx::SymExprAttr> sizes =
      llvm::to_vector(consumer.getSizes().getAsRange<tx::SymExprAttr>());
  if (dims == sizes)
    return consumer;
  std::optional<DimGroups> groups = matchDimGroups(dims, sizes);
  if (!groups)
    return rewriter.notifyMatchFailure(
        consumer, "the dims of the producer's result are cut differently");
  return collapseDims(rewriter, consumer, *groups);
}

/// Erases the reshapes of a value, and those of them, that nothing reads.
static void eraseDeadReshapes(RewriterBase &rewriter, Value value) {
  for (Operation *user : llvm::make_early_inc_range(value.getUsers()))
    if (auto reshape = dyn_cast<tx::ReshapeOp>(user)) {
      eraseDeadReshapes(rewriter, reshape.getResult());
      if (reshape->use_empty())
        rewriter.eraseOp(reshape);
    }
}

LogicalResult txc::fuseEpilogue(RewriterBase &rewriter, MapOp consumer) {
  for (auto [i, input] : llvm::enumerate(consumer.getInputs())) {
    Value element = peelReshapes(input);
    Operation *producer = element.getDefiningOp();
    if (!producer || !hasFullResult(producer) ||
        producer->getBlock() != consumer->getBlock())
      continue;
    if (!isOnlyReadBy(element, consumer) ||
        llvm::is_contained(consumer.getTables(), input))
      continue;
    if (!cast<NestInterface>(*consumer).getInputMap(i).isIdentity())
      continue;
    FailureOr<MapOp> aligned = alignDims(rewriter, element, consumer);
    if (failed(aligned))
      continue;
    consumer = *aligned;
    auto nest = cast<NestInterface>(*consumer);
    // Every read of the element is at the point that makes it.
    bool readsInPlace = true;
    for (auto [j, operand] : llvm::enumerate(consumer.getInputs()))
      readsInPlace &= operand != element || nest.getInputMap(j).isIdentity();
    if (!readsInPlace || !llvm::is_contained(consumer.getInputs(), element))
      return rewriter.notifyMatchFailure(
          consumer, "another element of the producer's result is read too");
    OpBuilder::InsertionGuard guard(rewriter);
    eraseDeadReshapes(rewriter, element);
    if (auto gemm = dyn_cast<GemmOp>(producer))
      return fuseIntoGemm(rewriter, gemm, consumer);
    return fuseIntoRows(rewriter, cast<RowsOp>(producer), consumer);
  }
  return rewriter.notifyMatchFailure(
      consumer, "no input is the whole result of a gemm or rows that only this "
                "map reads");
}
