//===- HostTensor.cpp - a tensor in this process's memory -----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/reference/HostTensor.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>

using namespace mlir;
using namespace txc;
using llvm::Error;
using llvm::Expected;

/// `2x3xf32`.
static std::string describeShape(Type elementType, ArrayRef<int64_t> dims) {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (int64_t dim : dims)
    os << dim << "x";
  os << elementType;
  return text;
}

Expected<HostTensor> HostTensor::describe(Type elementType,
                                          ArrayRef<int64_t> dims) {
  HostTensor tensor;
  tensor.elementType = elementType;
  tensor.format = ElementFormat::get(elementType);
  if (!tensor.format)
    return llvm::createStringError(
        "tensors of " + describeShape(elementType, {}) +
        " are not supported; expected integers of at most 64 bits, f64, f32, "
        "f16, bf16, f8 or f4");
  tensor.dims.assign(dims.begin(), dims.end());
  tensor.numElements = 1;
  bool overflows = false;
  for (int64_t dim : dims)
    overflows |= dim < 0 ||
                 llvm::MulOverflow(tensor.numElements, dim, tensor.numElements);
  int64_t bytes;
  if (overflows ||
      llvm::MulOverflow(tensor.numElements, tensor.getElementSize(), bytes))
    return llvm::createStringError("a tensor of " +
                                   describeShape(elementType, dims) +
                                   " has no size in bytes");
  return tensor;
}

Error HostTensor::allocateBytes() {
  auto size = static_cast<size_t>(numElements * getElementSize());
  // Not operator new, whose failure ends the process.
  void *memory = std::calloc(std::max<size_t>(size, 1), 1);
  if (!memory)
    return llvm::createStringError("not enough memory for a tensor of " +
                                   describeShape(elementType, dims) + ", " +
                                   llvm::Twine(size) + " bytes");
  owner = std::shared_ptr<void>(memory, std::free);
  isBorrowed = false;
  data = static_cast<const char *>(memory);
  return Error::success();
}

Expected<HostTensor> HostTensor::allocate(Type elementType,
                                          ArrayRef<int64_t> dims) {
  Expected<HostTensor> tensor = describe(elementType, dims);
  if (!tensor)
    return tensor;
  if (Error error = tensor->allocateBytes())
    return error;
  return tensor;
}

Expected<HostTensor> HostTensor::borrow(Type elementType,
                                        ArrayRef<int64_t> dims,
                                        ArrayRef<char> bytes,
                                        std::shared_ptr<void> owner) {
  Expected<HostTensor> tensor = describe(elementType, dims);
  if (!tensor)
    return tensor;
  int64_t expected = tensor->numElements * tensor->getElementSize();
  if (static_cast<int64_t>(bytes.size()) != expected)
    return llvm::createStringError("expected " + llvm::Twine(expected) +
                                   " bytes for a tensor of " +
                                   describeShape(elementType, dims) +
                                   ", found " + llvm::Twine(bytes.size()));
  tensor->data = bytes.data();
  tensor->owner = std::move(owner);
  tensor->isBorrowed = true;
  return tensor;
}

/// Whether files hold several elements in a byte.
static bool isPacked(Type elementType) {
  return !elementType.isInteger(1) && elementType.getIntOrFloatBitWidth() < 8;
}

Expected<HostTensor> HostTensor::unpack(Type elementType,
                                        ArrayRef<int64_t> dims,
                                        ArrayRef<char> packed,
                                        std::shared_ptr<void> owner) {
  if (!isPacked(elementType))
    return borrow(elementType, dims, packed, std::move(owner));
  Expected<HostTensor> tensor = allocate(elementType, dims);
  if (!tensor)
    return tensor;
  int64_t bits = tensor->format->getBitWidth();
  int64_t expected = llvm::divideCeil(tensor->numElements * bits, 8);
  if (8 % bits != 0 || static_cast<int64_t>(packed.size()) != expected)
    return llvm::createStringError("expected " + llvm::Twine(expected) +
                                   " bytes for a packed tensor of " +
                                   describeShape(elementType, dims) +
                                   ", found " + llvm::Twine(packed.size()));
  char *target = tensor->getMutableBytes().data();
  auto mask = llvm::maskTrailingOnes<uint8_t>(static_cast<unsigned>(bits));
  for (int64_t i = 0; i < tensor->numElements; ++i) {
    int code = static_cast<uint8_t>(packed[i * bits / 8]) >> (i * bits % 8);
    if (tensor->isFloat())
      target[i] = static_cast<char>(code & mask);
    else
      tensor->format->storeInt(target + i, code);
  }
  return tensor;
}

int64_t HostTensor::getPackedSize() const {
  if (!isPacked(elementType))
    return numElements * getElementSize();
  return static_cast<int64_t>(
      llvm::divideCeil(numElements * format->getBitWidth(), 8));
}

void HostTensor::pack(MutableArrayRef<char> packed) const {
  if (!isPacked(elementType)) {
    llvm::copy(getBytes(), packed.begin());
    return;
  }
  llvm::fill(packed, 0);
  int64_t bits = format->getBitWidth();
  auto mask = llvm::maskTrailingOnes<uint8_t>(static_cast<unsigned>(bits));
  for (int64_t i = 0; i < numElements; ++i) {
    auto code = static_cast<uint8_t>(data[i]) & mask;
    packed[i * bits / 8] |= static_cast<char>(code << (i * bits % 8));
  }
}

Expected<HostTensor> HostTensor::copy() const {
  HostTensor result = *this;
  if (Error error = result.allocateBytes())
    return error;
  llvm::copy(getBytes(), const_cast<char *>(result.data));
  return result;
}

MutableArrayRef<char> HostTensor::getMutableBytes() {
  assert(!isBorrowed && owner.use_count() <= 1 && "would write others' bytes");
  return {const_cast<char *>(data),
          static_cast<size_t>(numElements * getElementSize())};
}

SmallVector<int64_t> HostTensor::getStrides() const {
  SmallVector<int64_t> strides(dims.size(), 1);
  for (int64_t d = getRank() - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * dims[d + 1];
  return strides;
}

RankedTensorType HostTensor::getType() const {
  return RankedTensorType::get(dims, elementType);
}

HostTensor HostTensor::withDims(ArrayRef<int64_t> newDims) const {
  assert(llvm::product_of(newDims) == numElements && "not the same elements");
  HostTensor result = *this;
  result.dims.assign(newDims.begin(), newDims.end());
  return result;
}

void HostTensor::setDouble(int64_t place, double value, Overflow overflow) {
  format->storeDouble(getMutableBytes().data() + place * getElementSize(),
                      value, overflow);
}

void HostTensor::setInt(int64_t place, int64_t value) {
  format->storeInt(getMutableBytes().data() + place * getElementSize(), value);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

template <typename T, typename Element> static T convertTo(Element element) {
  if constexpr (std::is_floating_point_v<Element> && std::is_integral_v<T>)
    return truncateToSigned(element, 64);
  else
    return static_cast<T>(element);
}

/// Element i of a row whose elements lie `stride` bytes apart. The strides are
/// told apart outside of the loops, which vectorize where elements are dense.
template <typename Element, typename Visitor>
static void forEachInRow(int64_t count, int64_t stride, Visitor visit) {
  if (stride == sizeof(Element))
    for (int64_t i = 0; i < count; ++i)
      visit(i, i * static_cast<int64_t>(sizeof(Element)));
  else
    for (int64_t i = 0; i < count; ++i)
      visit(i, i * stride);
}

template <typename T>
void HostTensor::read(int64_t first, int64_t step,
                      MutableArrayRef<T> values) const {
  const char *source = data + first * getElementSize();
  int64_t stride = step * getElementSize();
  auto count = static_cast<int64_t>(values.size());
  bool isNative = format->visitNative([&](auto zero) {
    using Element = decltype(zero);
    forEachInRow<Element>(count, stride, [&](int64_t i, int64_t offset) {
      Element element;
      std::memcpy(&element, source + offset, sizeof(element));
      values[i] = convertTo<T>(element);
    });
  });
  if (isNative)
    return;
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<T, double>)
      values[i] = format->loadDouble(source + i * stride);
    else
      values[i] = format->loadInt(source + i * stride);
  }
}

template <typename T>
void HostTensor::write(int64_t first, int64_t step, ArrayRef<T> values) {
  char *target = getMutableBytes().data() + first * getElementSize();
  int64_t stride = step * getElementSize();
  auto count = static_cast<int64_t>(values.size());
  // The common cases, without the choice of format for each element.
  if constexpr (std::is_same_v<T, double>) {
    if (format->isBfloat16())
      return forEachInRow<uint16_t>(
          count, stride, [&](int64_t i, int64_t offset) {
            uint16_t code = encodeBfloat16(values[i]);
            std::memcpy(target + offset, &code, sizeof(code));
          });
    if (format->visitNative([&](auto zero) {
          using Element = decltype(zero);
          forEachInRow<Element>(count, stride, [&](int64_t i, int64_t offset) {
            Element element = convertDouble<Element>(values[i]);
            std::memcpy(target + offset, &element, sizeof(element));
          });
        }))
      return;
  }
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<T, double>)
      format->storeDouble(target + i * stride, values[i]);
    else
      format->storeInt(target + i * stride, values[i]);
  }
}

template void HostTensor::read(int64_t, int64_t, MutableArrayRef<double>) const;
template void HostTensor::read(int64_t, int64_t,
                               MutableArrayRef<int64_t>) const;
template void HostTensor::write(int64_t, int64_t, ArrayRef<double>);
template void HostTensor::write(int64_t, int64_t, ArrayRef<int64_t>);

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

Expected<HostTensor> HostTensor::fromAttr(DenseElementsAttr attr) {
  Expected<HostTensor> tensor =
      allocate(attr.getElementType(), attr.getType().getShape());
  if (!tensor)
    return tensor;
  char *target = tensor->getMutableBytes().data();
  auto size = static_cast<size_t>(tensor->getElementSize());
  auto append = [&](const APInt &bits) {
    uint64_t word = bits.getZExtValue();
    std::memcpy(target, &word, size);
    target += size;
  };
  if (tensor->isFloat())
    for (const APFloat &value : attr.getValues<APFloat>())
      append(value.bitcastToAPInt());
  else
    for (const APInt &value : attr.getValues<APInt>())
      append(value);
  return tensor;
}

DenseElementsAttr HostTensor::toAttr() const {
  if (auto floatType = dyn_cast<FloatType>(elementType)) {
    SmallVector<APFloat> values;
    for (int64_t i = 0; i < numElements; ++i) {
      uint64_t word = 0;
      std::memcpy(&word, data + i * getElementSize(), getElementSize());
      values.emplace_back(floatType.getFloatSemantics(),
                          APInt(floatType.getWidth(), word));
    }
    return DenseElementsAttr::get(getType(), values);
  }
  SmallVector<APInt> values;
  for (int64_t i = 0; i < numElements; ++i)
    values.emplace_back(format->getBitWidth(), static_cast<uint64_t>(getInt(i)),
                        /*isSigned=*/true,
                        /*implicitTrunc=*/true);
  return DenseElementsAttr::get(getType(), values);
}
