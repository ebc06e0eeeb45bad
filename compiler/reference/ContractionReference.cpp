//===- ContractionReference.cpp - matrix products -------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// tx.matmul. Elements are decoded a row at a time, never a whole weight; each
/// result is summed in ascending k.
//
//===----------------------------------------------------------------------===//

#include "compiler/reference/Evaluation.h"
#include "compiler/reference/ScalarMath.h"

using namespace mlir;
using namespace txc;
using namespace txc::reference;

namespace {
/// A row-major matrix inside a tensor.
struct Matrix {
  const HostTensor *tensor;
  int64_t first;
  int64_t rows, columns;
};
} // namespace

/// `result[first…] = lhs * rhs`. A block of the result stays in the cache while
/// the rows of `rhs` stream past it.
template <typename T>
static void multiply(Matrix lhs, Matrix rhs, HostTensor &result,
                     int64_t first) {
  constexpr int64_t blockRows = 64, blockColumns = 256;
  int64_t depth = lhs.columns, columns = rhs.columns;
  std::vector<T> lhsBlock(blockRows * depth), rhsRow(blockColumns);
  std::vector<T> sums(blockRows * blockColumns);
  for (int64_t m = 0; m < lhs.rows; m += blockRows) {
    int64_t height = std::min(blockRows, lhs.rows - m);
    lhs.tensor->read<T>(
        lhs.first + m * depth, 1,
        MutableArrayRef<T>(lhsBlock).take_front(height * depth));
    for (int64_t n = 0; n < columns; n += blockColumns) {
      int64_t width = std::min(blockColumns, columns - n);
      std::fill(sums.begin(), sums.end(), T(0));
      for (int64_t k = 0; k < depth; ++k) {
        rhs.tensor->read<T>(rhs.first + k * columns + n, 1,
                            MutableArrayRef<T>(rhsRow).take_front(width));
        for (int64_t i = 0; i < height; ++i) {
          T factor = lhsBlock[i * depth + k];
          T *row = &sums[i * blockColumns];
          for (int64_t j = 0; j < width; ++j)
            row[j] = plus(row[j], times(factor, rhsRow[j]));
        }
      }
      for (int64_t i = 0; i < height; ++i)
        result.write<T>(first + (m + i) * columns + n, 1,
                        ArrayRef<T>(&sums[i * blockColumns], width));
    }
  }
}

Results txc::reference::evaluate(tx::MatmulOp, const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  const HostTensor &lhs = evaluation.operand(0), &rhs = evaluation.operand(1);
  int64_t m = lhs.getDims().end()[-2], k = lhs.getDims().back();
  int64_t n = rhs.getDims().back();
  // A batch's place is the number of matrices before it.
  ArrayRef<int64_t> batch = result->getDims().drop_back(2);
  StridedLoop loop(batch,
                   {getBroadcastStrides(lhs.getDims().drop_back(2), batch),
                    getBroadcastStrides(rhs.getDims().drop_back(2), batch),
                    getRowMajorStrides(batch)});
  loop.forEachRow([&](ArrayRef<int64_t> places) {
    for (int64_t i = 0; i < loop.getRowLength(); ++i) {
      Matrix a = {&lhs, (places[0] + i * loop.getRowStep(0)) * m * k, m, k};
      Matrix b = {&rhs, (places[1] + i * loop.getRowStep(1)) * k * n, k, n};
      int64_t first = (places[2] + i * loop.getRowStep(2)) * m * n;
      if (result->isFloat())
        multiply<double>(a, b, *result, first);
      else
        multiply<int64_t>(a, b, *result, first);
    }
  });
  return single(std::move(*result));
}
