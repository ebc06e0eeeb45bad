//===- kernels.cu - ordinary CUDA C++ -------------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
///
/// \file
/// What NvccTest.cpp compiles with nvcc and runs in the simulator: loops that
/// diverge, shared memory, shuffles, atomics, calls, tables, f16, tensor cores
/// and asynchronous copies.
///
//===----------------------------------------------------------------------===//

#include <cuda_fp16.h>
#include <cuda_pipeline.h>

extern "C" {

__global__ void saxpy(float a, const float *x, float *y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    y[i] = a * x[i] + y[i];
}

__global__ void sum(const float *x, float *result, int n) {
  __shared__ float partial[32];
  float value = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n;
       i += gridDim.x * blockDim.x)
    value += x[i];
  for (int offset = 16; offset; offset /= 2)
    value += __shfl_xor_sync(~0u, value, offset);
  if (threadIdx.x % 32 == 0)
    partial[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x < 32) {
    value = threadIdx.x < blockDim.x / 32 ? partial[threadIdx.x] : 0;
    for (int offset = 16; offset; offset /= 2)
      value += __shfl_down_sync(~0u, value, offset);
    if (threadIdx.x == 0)
      atomicAdd(result, value);
  }
}

__global__ void transpose(const int *in, int *out, int rows, int columns) {
  __shared__ int tile[32][33];
  int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
  for (int i = 0; i < 32; i += 8)
    if (x < columns && y + i < rows)
      tile[threadIdx.y + i][threadIdx.x] = in[(y + i) * columns + x];
  __syncthreads();
  x = blockIdx.y * 32 + threadIdx.x;
  y = blockIdx.x * 32 + threadIdx.y;
  for (int i = 0; i < 32; i += 8)
    if (x < rows && y + i < columns)
      out[(y + i) * rows + x] = tile[threadIdx.x][threadIdx.y + i];
}

__global__ void histogram(const unsigned char *bytes, unsigned *counts, int n) {
  __shared__ unsigned local[256];
  local[threadIdx.x] = 0;
  __syncthreads();
  for (int i = threadIdx.x; i < n; i += blockDim.x)
    atomicAdd(&local[bytes[i]], 1u);
  __syncthreads();
  counts[threadIdx.x] = local[threadIdx.x];
}

__global__ void scan(const int *in, int *out) {
  extern __shared__ int values[];
  int i = threadIdx.x;
  values[i] = in[i];
  __syncthreads();
  for (int step = 1; step < blockDim.x; step *= 2) {
    int other = i >= step ? values[i - step] : 0;
    __syncthreads();
    values[i] += other;
    __syncthreads();
  }
  out[i] = values[i];
}

__global__ void mandelbrot(int *iterations, int width) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  float cx = (i % width) * 0.05f - 2, cy = (i / width) * 0.05f - 1;
  float x = 0, y = 0;
  int n = 0;
  while (n < 100 && __fadd_rn(__fmul_rn(x, x), __fmul_rn(y, y)) < 4) {
    float next = __fadd_rn(__fsub_rn(__fmul_rn(x, x), __fmul_rn(y, y)), cx);
    y = __fadd_rn(__fmul_rn(__fmul_rn(2, x), y), cy);
    x = next;
    ++n;
  }
  iterations[i] = n;
}

__global__ void bitonic(unsigned *values) {
  __shared__ unsigned data[256];
  unsigned i = threadIdx.x;
  data[i] = values[i];
  __syncthreads();
  for (unsigned size = 2; size <= 256; size *= 2)
    for (unsigned stride = size / 2; stride; stride /= 2) {
      unsigned other = i ^ stride;
      if (other > i) {
        bool isUp = (i & size) == 0;
        unsigned a = data[i], b = data[other];
        if ((a > b) == isUp) {
          data[i] = b;
          data[other] = a;
        }
      }
      __syncthreads();
    }
  values[i] = data[i];
}

struct Options {
  int first;
  double base;
  float table[4];
};
__device__ __noinline__ double slow(double x, int n) {
  double result = 1;
  for (int i = 0; i < n; ++i)
    result *= x;
  return result + sin(x);
}
__global__ void functions(Options options, double *out, int *words) {
  int i = threadIdx.x;
  switch (options.first + i) {
  case 0:
    out[i] = sin(options.base);
    break;
  case 1:
    out[i] = exp(options.base);
    break;
  case 2:
    out[i] = options.table[i & 3];
    break;
  case 3:
    out[i] = pow(options.base, 3.25);
    break;
  case 4:
    out[i] = tanhf(options.table[1]);
    break;
  case 5:
    out[i] = slow(options.base, i);
    break;
  case 6:
    out[i] = erf(options.base) / sqrt(options.base);
    break;
  default:
    out[i] = slow(1.0 / i, 3) + log(options.base + i);
  }
  words[i] = __popc(i * 0x1234567) + __clz(i) * 100 + __ffs(i) * 10000 +
             __brev(i) % 7 + __byte_perm(i, 77, 0x1040) % 13 +
             (int)(1000000007ll * i / 12345) % 11;
}

__device__ unsigned arrived;
__global__ void lastBlock(const int *in, int *partial, int *result) {
  __shared__ bool isLast;
  partial[blockIdx.x] = in[blockIdx.x] * 2;
  __threadfence();
  if (threadIdx.x == 0)
    isLast = atomicInc(&arrived, gridDim.x) == gridDim.x - 1;
  __syncthreads();
  if (!isLast || threadIdx.x)
    return;
  int sum = 0;
  for (int i = 0; i < gridDim.x; ++i)
    sum += ((volatile int *)partial)[i];
  *result = sum;
}

__global__ void votes(const int *in, unsigned *out) {
  int lane = threadIdx.x, value = in[lane];
  unsigned ballot = __ballot_sync(~0u, value > 10);
  unsigned match = __match_any_sync(~0u, value % 5);
  int most = __reduce_max_sync(~0u, value);
  unsigned odd = 0;
  if (value & 1)
    odd = __popc(__activemask());
  out[lane] = ballot ^ match ^ (most << 8) ^ (odd << 20) ^
              (__all_sync(~0u, value < 1000) ? 1 : 0);
}

__global__ void halves(const __half2 *a, const __half2 *b, __half2 *out,
                       float *norms) {
  int i = threadIdx.x;
  __half2 value = __hfma2(a[i], b[i], __float2half2_rn(0.5f));
  out[i] = __hmax2(value, __float2half2_rn(0.0f));
  float2 wide = __half22float2(value);
  norms[i] = rsqrtf(wide.x * wide.x + wide.y * wide.y + 1) * __expf(-wide.x);
}

// 64x64 of f16 products by one warp, with cp.async, ldmatrix and mma.
__global__ void tensorCores(const __half *a, const __half *b, float *c, int k) {
  __shared__ __align__(16) __half tileA[2][64 * 24], tileB[2][64 * 24];
  int lane = threadIdx.x;
  auto load = [&](int stage, int at) {
    for (int row = lane / 2; row < 64; row += 16) {
      int chunk = lane % 2 * 8;
      __pipeline_memcpy_async(&tileA[stage][row * 24 + chunk],
                              &a[row * k + at + chunk], 16);
      __pipeline_memcpy_async(&tileB[stage][row * 24 + chunk],
                              &b[row * k + at + chunk], 16);
    }
    __pipeline_commit();
  };
  float sums[4][8][4] = {};
  load(0, 0);
  for (int at = 0, stage = 0; at < k; at += 16, stage ^= 1) {
    if (at + 16 < k) {
      load(stage ^ 1, at + 16);
      __pipeline_wait_prior(1);
    } else {
      __pipeline_wait_prior(0);
    }
    __syncwarp();
    unsigned fa[4][4], fb[8][2];
    for (int i = 0; i < 4; ++i) {
      unsigned place = __cvta_generic_to_shared(
          &tileA[stage][(i * 16 + lane % 16) * 24 + lane / 16 * 8]);
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, "
                   "[%4];"
                   : "=r"(fa[i][0]), "=r"(fa[i][1]), "=r"(fa[i][2]),
                     "=r"(fa[i][3])
                   : "r"(place));
    }
    for (int j = 0; j < 8; ++j) {
      unsigned place = __cvta_generic_to_shared(
          &tileB[stage][(j * 8 + lane % 8) * 24 + lane / 8 % 2 * 8]);
      asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                   : "=r"(fb[j][0]), "=r"(fb[j][1])
                   : "r"(place));
    }
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 8; ++j)
        asm volatile(
            "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, "
            "%3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
            : "+f"(sums[i][j][0]), "+f"(sums[i][j][1]), "+f"(sums[i][j][2]),
              "+f"(sums[i][j][3])
            : "r"(fa[i][0]), "r"(fa[i][1]), "r"(fa[i][2]), "r"(fa[i][3]),
              "r"(fb[j][0]), "r"(fb[j][1]));
    __syncwarp();
  }
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 8; ++j)
      for (int v = 0; v < 4; ++v)
        c[(i * 16 + lane / 4 + v / 2 * 8) * 64 + j * 8 + lane % 4 * 2 + v % 2] =
            sums[i][j][v];
}

} // extern "C"
