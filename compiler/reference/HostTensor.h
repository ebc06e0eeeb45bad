//===- HostTensor.h - a tensor in this process's memory ---------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The values of the reference interpreter: numbers in their own element type,
/// row-major and without gaps, in memory that is owned, shared or borrowed.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_REFERENCE_HOSTTENSOR_H
#define TXC_COMPILER_REFERENCE_HOSTTENSOR_H

#include "compiler/reference/ElementFormat.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace txc {

/// Copies of a tensor share its bytes until one is written (a write to bytes
/// that are shared or borrowed copies them first), so copying and reshaping are
/// cheap. Several threads may read the same tensor; a tensor that one thread
/// writes must have no copy that another one writes or destroys meanwhile.
///
/// An element takes the bytes that ElementFormat says: a byte also for i1 (0 or
/// 1) and 4-bit integers.
class HostTensor {
public:
  HostTensor() = default;

  /// A tensor of zeros. An error if the element type has no ElementFormat, a
  /// dim is negative, or there is not that much memory.
  static llvm::Expected<HostTensor> allocate(mlir::Type elementType,
                                             llvm::ArrayRef<int64_t> dims);

  /// A tensor over bytes of the caller, which must stay as they are while this
  /// tensor or a copy of it is in use; `owner`, if given, keeps them alive. An
  /// error if `bytes` has not the size that type and dims say.
  static llvm::Expected<HostTensor>
  borrow(mlir::Type elementType, llvm::ArrayRef<int64_t> dims,
         llvm::ArrayRef<char> bytes, std::shared_ptr<void> owner = nullptr);

  /// A tensor of the elements that lie in `packed` as in an ONNX file: integers
  /// below a byte without gaps, the first in the lowest bits; a byte for i1.
  /// What needs no unpacking is borrowed.
  static llvm::Expected<HostTensor>
  unpack(mlir::Type elementType, llvm::ArrayRef<int64_t> dims,
         llvm::ArrayRef<char> packed, std::shared_ptr<void> owner = nullptr);
  /// The reverse, to `packed` of getPackedSize() bytes.
  void pack(llvm::MutableArrayRef<char> packed) const;
  int64_t getPackedSize() const;

  /// The same elements in bytes of its own. An error if there is not that much
  /// memory.
  llvm::Expected<HostTensor> copy() const;

  /// A copy of an attribute's elements.
  static llvm::Expected<HostTensor> fromAttr(mlir::DenseElementsAttr attr);
  /// An attribute with a copy of the elements.
  mlir::DenseElementsAttr toAttr() const;

  mlir::Type getElementType() const { return elementType; }
  const ElementFormat &getFormat() const { return *format; }
  bool isFloat() const { return format->isFloat(); }
  llvm::ArrayRef<int64_t> getDims() const { return dims; }
  int64_t getDim(int64_t axis) const { return dims[axis]; }
  int64_t getRank() const { return static_cast<int64_t>(dims.size()); }
  int64_t getNumElements() const { return numElements; }
  int64_t getElementSize() const { return format->getByteSize(); }
  /// Number of elements between neighbours along each dim.
  llvm::SmallVector<int64_t> getStrides() const;
  mlir::RankedTensorType getType() const;

  llvm::ArrayRef<char> getBytes() const {
    return {data, static_cast<size_t>(numElements * getElementSize())};
  }
  /// Requires bytes of its own, as here for all that write: neither borrowed
  /// nor shared with a copy. See copy().
  llvm::MutableArrayRef<char> getMutableBytes();

  /// The same elements (shared) under dims with the same product.
  HostTensor withDims(llvm::ArrayRef<int64_t> newDims) const;

  /// The element at a row-major place; conversions as in ElementFormat.
  double getDouble(int64_t place) const {
    return format->loadDouble(data + place * getElementSize());
  }
  int64_t getInt(int64_t place) const {
    return format->loadInt(data + place * getElementSize());
  }
  void setDouble(int64_t place, double value,
                 Overflow overflow = Overflow::Ieee);
  void setInt(int64_t place, int64_t value);

  /// The elements at `first`, `first + step`, …, as many as `values` has room
  /// for. `T` is double or int64_t here and below; a step of 0 repeats one.
  template <typename T>
  void read(int64_t first, int64_t step, llvm::MutableArrayRef<T> values) const;
  /// Writes the elements at `first`, `first + step`, ….
  template <typename T>
  void write(int64_t first, int64_t step, llvm::ArrayRef<T> values);

private:
  static llvm::Expected<HostTensor> describe(mlir::Type elementType,
                                             llvm::ArrayRef<int64_t> dims);
  llvm::Error allocateBytes();

  mlir::Type elementType;
  std::optional<ElementFormat> format;
  llvm::SmallVector<int64_t, 4> dims;
  int64_t numElements = 0;
  const char *data = nullptr;
  /// Null for bytes of the caller.
  std::shared_ptr<void> owner;
  bool isBorrowed = false;
};

} // namespace txc

#endif // TXC_COMPILER_REFERENCE_HOSTTENSOR_H
