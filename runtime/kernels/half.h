//===- half.h - f16 and bf16 as numbers ---------------------------*- C -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_RUNTIME_KERNELS_HALF_H
#define TXC_RUNTIME_KERNELS_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t txc_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float txc_from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline float txc_bf16_to_f32(uint16_t half) {
  return txc_from_bits((uint32_t)half << 16);
}

/// Rounds to nearest, ties to even.
static inline uint16_t txc_f32_to_bf16(float x) {
  uint32_t bits = txc_bits(x);
  if (x != x)
    return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float txc_f16_to_f32(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16;
  uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
  if (magnitude >= 31u << 23) // Infinity and NaN.
    return txc_from_bits(sign | magnitude | 0x7f800000);
  // The biases differ by 112; the product makes denormals normal.
  float scaled = txc_from_bits(magnitude) * 0x1p112f;
  return txc_from_bits(sign | txc_bits(scaled));
}

/// Rounds to nearest, ties to even.
static inline uint16_t txc_f32_to_f16(float x) {
  uint32_t bits = txc_bits(x);
  uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
  uint32_t magnitude = bits & 0x7fffffff;
  if (x != x)
    return (uint16_t)(sign | 0x7e00);
  if (magnitude >= 0x477ff000) // 65520 and above round to infinity.
    return (uint16_t)(sign | 0x7c00);
  if (magnitude < 113u << 23) {
    // 0.5 has the ulp of denormal halves: the addition rounds to it.
    uint32_t pushed = txc_bits(txc_from_bits(magnitude) + 0.5f);
    return (uint16_t)(sign | (pushed - txc_bits(0.5f)));
  }
  magnitude += 0xfff - (112u << 23) + (magnitude >> 13 & 1);
  return (uint16_t)(sign | magnitude >> 13);
}

#endif // TXC_RUNTIME_KERNELS_HALF_H
