//===- sweep.c - Errors of compiled functions ----------------------*- C
//-*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Compares functions of f32 in compiled models with libm's in f64:
///
///     sweep all|sample MODEL.so...
///
/// A model has one input of one dim; each output is the function that its name
/// says, of every element. `all` takes all 2^32 floats, `sample` 64 of each
/// 2^16 neighbours. For each model and output it prints
///
///     MODEL.so NAME ERROR AT
///
/// where ERROR is the greatest error in ulp, `inf` for a NaN, an infinity or a
/// zero that is wrong.
///
/// `all` takes libm's vectors for the functions that have them, which are
/// within 4 ulp of f64; libm itself is within 1. An ulp of f32 is 2^29 of f64,
/// so what is printed is right to 1e-8.
///
//===----------------------------------------------------------------------===//

#include "runtime/txc.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum { MaxModels = 8, MaxOutputs = 32, MaxThreads = 64, Chunk = 1 << 14 };

//===----------------------------------------------------------------------===//
// References
//===----------------------------------------------------------------------===//

static double rsqrt(double x) { return 1 / sqrt(x); }
static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
// NaN at -inf, as ONNX's formulas have it.
static double silu(double x) { return x * sigmoid(x); }
// erfc keeps the left tail, where 1 + erf would not.
static double gelu(double x) {
  return 0.5 * x * erfc(-x * 0.70710678118654752440);
}
static double gelu_tanh(double x) {
  return x * sigmoid(2 * 0.79788456080286535588 * (x + 0.044715 * x * x * x));
}

typedef struct function {
  const char *name;
  double (*reference)(double);
  /// The unit of the error is an ulp of the argument, not of the result: in the
  /// left tail 1 + erf has lost its digits, and the product is next to nothing.
  bool is_relative_to_argument;
} function;

static const function functions[] = {
    {"Exp", exp, false},          {"Tanh", tanh, false},
    {"Erf", erf, false},          {"Sigmoid", sigmoid, false},
    {"Rsqrt", rsqrt, false},      {"Sqrt", sqrt, false},
    {"Log", log, false},          {"Sin", sin, false},
    {"Cos", cos, false},          {"Tan", tan, false},
    {"Asin", asin, false},        {"Acos", acos, false},
    {"Atan", atan, false},        {"Sinh", sinh, false},
    {"Cosh", cosh, false},        {"Asinh", asinh, false},
    {"Acosh", acosh, false},      {"Atanh", atanh, false},
    {"Silu", silu, true},         {"Gelu", gelu, true},
    {"GeluTanh", gelu_tanh, true}};

#ifdef HAVE_LIBMVEC
// The vector functions of glibc, by the names of the vector function ABI.
typedef double four_doubles __attribute__((vector_size(32)));
four_doubles _ZGVdN4v_exp(four_doubles);
four_doubles _ZGVdN4v_tanh(four_doubles);
four_doubles _ZGVdN4v_erf(four_doubles);

__attribute__((target("avx2"))) static void
map_vectors(four_doubles (*vector)(four_doubles), const float *x,
            double *exact) {
  for (int i = 0; i < Chunk; i += 4) {
    four_doubles wide = {x[i], x[i + 1], x[i + 2], x[i + 3]};
    wide = vector(wide);
    memcpy(exact + i, &wide, sizeof wide);
  }
}

__attribute__((target("avx2"))) static bool
evaluate_vectors(const function *of, const float *x, double *exact) {
  if (!__builtin_cpu_supports("avx2"))
    return false;
  if (of->reference == exp)
    map_vectors(_ZGVdN4v_exp, x, exact);
  else if (of->reference == tanh)
    map_vectors(_ZGVdN4v_tanh, x, exact);
  else if (of->reference == erf)
    map_vectors(_ZGVdN4v_erf, x, exact);
  else
    return false;
  return true;
}
#else
static bool evaluate_vectors(const function *of, const float *x,
                             double *exact) {
  (void)of, (void)x, (void)exact;
  return false;
}
#endif

static void evaluate(const function *of, bool use_vectors, const float *x,
                     double *exact) {
  if (use_vectors && evaluate_vectors(of, x, exact))
    return;
  for (int i = 0; i < Chunk; ++i)
    exact[i] = of->reference(x[i]);
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

static uint64_t bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static double from_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/// An infinity counts as 2^128, the number that f32 would have next.
static double clamp(double x) {
  x = x > 0x1p128 ? 0x1p128 : x;
  return x < -0x1p128 ? -0x1p128 : x;
}

/// In ulp of \p scale, which has f32's denormals. Without branches, for
/// vectors.
static double error_of(float got, double exact, double scale) {
  uint64_t exponent = (bits_of(clamp(scale)) & ~(UINT64_C(1) << 63)) >> 52;
  exponent = exponent < 1023 - 126 ? 1023 - 126 : exponent;
  double per_ulp = from_bits((2 * 1023 + 23 - exponent) << 52);
  double error = fabs(clamp(got) - clamp(exact)) * per_ulp;
  // Both NaN is right; a zero has the sign it should have.
  bool got_nan = got != got, exact_nan = exact != exact;
  bool wrong_sign =
      exact == 0 && got == 0 && ((bits_of(got) ^ bits_of(exact)) >> 63) != 0;
  bool is_wrong = got_nan != exact_nan || wrong_sign;
  error = got_nan && exact_nan ? 0 : error;
  return is_wrong ? (double)INFINITY : error;
}

typedef struct worst {
  double error;
  float at;
} worst;

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3",
                             "default"))) static void
add_errors(const function *of, const float *x, const float *got,
           const double *exact, worst *sum) {
  static _Thread_local double errors[Chunk];
  bool by_argument = of->is_relative_to_argument;
  for (int i = 0; i < Chunk; ++i)
    errors[i] = error_of(got[i], exact[i], by_argument ? x[i] : exact[i]);
  double most = 0;
  for (int i = 0; i < Chunk; ++i)
    most = errors[i] > most ? errors[i] : most;
  if (most <= sum->error)
    return;
  for (int i = 0; i < Chunk; ++i)
    if (errors[i] == most)
      *sum = (worst){most, x[i]};
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

static _Noreturn void fail(const char *path, const char *what) {
  fprintf(stderr, "%s: %s\n", path, what);
  exit(1);
}

static const char *paths[MaxModels];
static txc_model *models[MaxModels];
static int model_count;
static const function *outputs[MaxOutputs];
static size_t output_count;
static bool is_sample;
static uint32_t chunk_count;

static void open_models(void) {
  for (int m = 0; m < model_count; ++m) {
    txc_message message = {.text = ""};
    if (txc_open(paths[m], NULL, &models[m], &message) != TXC_OK)
      fail(paths[m], message.text);
  }
  txc_tensor_info info = {.size = sizeof info};
  for (; txc_model_output(models[0], output_count, &info) == TXC_OK;
       ++output_count) {
    if (output_count == MaxOutputs)
      fail(paths[0], "too many outputs");
    for (size_t f = 0; f < sizeof functions / sizeof *functions; ++f)
      if (strcmp(functions[f].name, info.name) == 0)
        outputs[output_count] = &functions[f];
    if (!outputs[output_count])
      fail(info.name, "no such function");
  }
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

typedef struct worker {
  pthread_t thread;
  txc_session *sessions[MaxModels];
  worst sums[MaxModels][MaxOutputs];
} worker;

static worker workers[MaxThreads];
static atomic_uint next_chunk;

/// The arguments of a chunk: neighbours, or of a sample the ends and the inside
/// of 2^16 neighbours each.
static void fill(uint32_t chunk, float *x) {
  enum { PerGroup = 64 };
  for (uint32_t i = 0; i < Chunk; ++i) {
    uint32_t bits = chunk * Chunk + i;
    if (is_sample) {
      uint32_t group = bits / PerGroup, within = bits % PerGroup;
      // An odd multiplier visits all residues.
      uint32_t low = within == 0   ? 0
                     : within == 1 ? 0xffff
                                   : bits * UINT32_C(2654435761) >> 16;
      bits = group << 16 | low;
    }
    memcpy(x + i, &bits, sizeof bits);
  }
}

static void run_chunk(worker *self, uint32_t chunk) {
  static _Thread_local float x[Chunk];
  static _Thread_local double exact[MaxOutputs][Chunk];
  fill(chunk, x);
  for (size_t o = 0; o < output_count; ++o)
    evaluate(outputs[o], !is_sample, x, exact[o]);
  const int64_t dim = Chunk;
  txc_tensor input = txc_tensor_make(NULL, TXC_FLOAT32, x, 1, &dim);
  for (int m = 0; m < model_count; ++m) {
    txc_tensor results[MaxOutputs];
    for (size_t o = 0; o < output_count; ++o)
      results[o] = txc_tensor_borrow(NULL);
    if (txc_run(self->sessions[m], &input, 1, results, output_count) != TXC_OK)
      fail(paths[m], txc_error(self->sessions[m]));
    for (size_t o = 0; o < output_count; ++o)
      add_errors(outputs[o], x, results[o].data, exact[o], &self->sums[m][o]);
  }
}

static void *run_worker(void *argument) {
  worker *self = argument;
  txc_session_options options = txc_session_options_default();
  options.threads = 1;
  for (int m = 0; m < model_count; ++m) {
    txc_message message = {.text = ""};
    if (txc_session_create(models[m], &options, &self->sessions[m], &message) !=
        TXC_OK)
      fail(paths[m], message.text);
  }
  for (uint32_t chunk;
       (chunk = atomic_fetch_add(&next_chunk, 1)) < chunk_count;)
    run_chunk(self, chunk);
  for (int m = 0; m < model_count; ++m)
    txc_session_destroy(self->sessions[m]);
  return NULL;
}

int main(int argc, char **argv) {
  is_sample = argc > 1 && strcmp(argv[1], "sample") == 0;
  if (argc < 3 || argc > 2 + MaxModels ||
      (!is_sample && strcmp(argv[1], "all") != 0)) {
    fprintf(stderr, "usage: sweep all|sample MODEL.so... (at most %d)\n",
            MaxModels);
    return 2;
  }
  model_count = argc - 2;
  for (int m = 0; m < model_count; ++m)
    paths[m] = argv[m + 2];
  open_models();
  chunk_count = (is_sample ? UINT32_C(1) << 22 : 0) / Chunk;
  if (!is_sample)
    chunk_count = (uint32_t)((UINT64_C(1) << 32) / Chunk);

  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  int threads = cores < 1 ? 1 : cores > MaxThreads ? MaxThreads : (int)cores;
  for (int t = 0; t < threads; ++t)
    if (pthread_create(&workers[t].thread, NULL, run_worker, &workers[t]) != 0)
      fail(argv[0], "no thread");
  for (int t = 0; t < threads; ++t)
    pthread_join(workers[t].thread, NULL);
  for (int m = 0; m < model_count; ++m)
    for (size_t o = 0; o < output_count; ++o) {
      worst sum = {0, 0};
      for (int t = 0; t < threads; ++t)
        if (workers[t].sums[m][o].error > sum.error)
          sum = workers[t].sums[m][o];
      printf("%s %s %.4f %a\n", paths[m], outputs[o]->name, sum.error,
             (double)sum.at);
    }
  return 0;
}
