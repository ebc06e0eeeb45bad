//===- txc.h - Running a compiled model ---------------------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The C interface of a model compiled by txc: the only header an application
/// needs. It is C11, and C++ includes it too.
///
/// A compiled model exports one symbol, `NAME_txc_model`, a table of type
/// txc_model_table. Everything below is a shim over that table, so nothing has
/// to be linked but the model itself (and -ldl before glibc 2.34, for
/// txc_open), and any number of models of any version live in one process.
///
///     txc_model *model;
///     txc_session *session;
///     txc_message why;
///     if (txc_open("model.so", NULL, &model, &why) != TXC_OK) ...
///     if (txc_session_create(model, NULL, &session, &why) != TXC_OK) ...
///     txc_tensor in = txc_tensor_make("ids", TXC_INT64, ids, 2, dims);
///     txc_tensor out = txc_tensor_borrow("logits");
///     if (txc_run(session, &in, 1, &out, 1) != TXC_OK)
///       fprintf(stderr, "%s\n", txc_error(session));
///
/// Ownership: what a txc_*_create or txc_open made, the matching destroy or
/// close ends. Memory that is passed in stays the caller's and is used only
/// during the call, unless a function says otherwise. Strings that come out
/// belong to the model, and live as long as it is open.
///
/// Threads: a txc_model is immutable and may be used from any thread. A
/// txc_session serves one caller at a time; many sessions of one model may run
/// at once. A txc_executor may be shared by sessions that run at once.
///
/// Errors: every call returns a txc_status. No call aborts, exits, prints, or
/// leaves a handle unusable: after a failed call the session can be used
/// again. The sentence that says what was found and what was expected is in
/// txc_error(session), or in the txc_message of a call that has no session.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_H
#define TXC_H

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The version of the table below that this header reads.
#define TXC_ABI_VERSION 1u
/// "TXCM", the first four bytes of a model table.
#define TXC_MODEL_MAGIC 0x4d435854u
/// No tensor at the interface of a model has more axes.
#define TXC_MAX_RANK 8

//===----------------------------------------------------------------------===//
// Status
//===----------------------------------------------------------------------===//

typedef enum txc_status {
  TXC_OK = 0,
  TXC_INVALID_ARGUMENT = 1,    ///< A null or senseless argument.
  TXC_UNKNOWN_NAME = 2,        ///< No input, output, dim … of that name.
  TXC_MISSING_INPUT = 3,       ///< An input without a tensor.
  TXC_TYPE_MISMATCH = 4,       ///< The element type differs from the model's.
  TXC_SHAPE_MISMATCH = 5,      ///< Rank or dims differ from the model's.
  TXC_OUT_OF_BOUNDS = 6,       ///< A dim outside the bounds compiled in.
  TXC_BUFFER_TOO_SMALL = 7,    ///< A tensor's memory is smaller than its dims.
  TXC_OUT_OF_MEMORY = 8,       ///< An allocation failed.
  TXC_STATE_FULL = 9,          ///< The run needs more state than the capacity.
  TXC_INDEX_OUT_OF_RANGE = 10, ///< A value used as an index is out of range.
  TXC_DIVISION_BY_ZERO = 11,   ///< An integer division by zero.
  TXC_REQUIREMENT = 12,        ///< A relation between dims does not hold.
  TXC_UNSUPPORTED_CPU = 13,    ///< The machine lacks what was compiled for.
  TXC_INCOMPATIBLE = 14,       ///< Model and reader are of different versions.
  TXC_IO = 15,                 ///< A file can't be opened, read or mapped.
  TXC_CORRUPT = 16,            ///< Weights or saved state are not as written.
  TXC_IN_USE = 17,             ///< Something made from this handle still lives.
  TXC_SYSTEM = 18,             ///< The operating system refused (threads …).
  TXC_NO_DEVICE = 19,          ///< No such GPU, or no driver for it.
  TXC_DEVICE_FAILURE = 20      ///< A GPU's driver reported an error.
} txc_status;

/// Receives the sentence of a call that has no session. Zero-terminated.
typedef struct txc_message {
  char text[512];
} txc_message;

//===----------------------------------------------------------------------===//
// Types and tensors
//===----------------------------------------------------------------------===//

/// Element types, numbered as in ONNX's TensorProto.DataType.
typedef enum txc_type {
  TXC_FLOAT32 = 1,
  TXC_UINT8 = 2,
  TXC_INT8 = 3,
  TXC_UINT16 = 4,
  TXC_INT16 = 5,
  TXC_INT32 = 6,
  TXC_INT64 = 7,
  TXC_STRING = 8, ///< No model has one; here so that readers can name it.
  TXC_BOOL = 9,
  TXC_FLOAT16 = 10,
  TXC_FLOAT64 = 11,
  TXC_UINT32 = 12,
  TXC_UINT64 = 13,
  TXC_COMPLEX64 = 14,
  TXC_COMPLEX128 = 15,
  TXC_BFLOAT16 = 16,
  TXC_FLOAT8E4M3FN = 17,
  TXC_FLOAT8E4M3FNUZ = 18,
  TXC_FLOAT8E5M2 = 19,
  TXC_FLOAT8E5M2FNUZ = 20,
  TXC_UINT4 = 21, ///< Two an octet, the first in the low nibble.
  TXC_INT4 = 22,
  TXC_FLOAT4E2M1 = 23,
  TXC_FLOAT8E8M0 = 24,
  TXC_UINT2 = 25, ///< Four an octet, the first in the lowest bits.
  TXC_INT2 = 26
} txc_type;

typedef enum txc_memory {
  TXC_HOST = 0,
  /// Of the GPU that the session runs on: data is a CUdeviceptr. Multiples of
  /// 16 are used in place, others are copied.
  TXC_DEVICE = 1
} txc_memory;

/// A dense, row-major tensor in the caller's or the session's memory. The
/// layout of this struct never changes.
typedef struct txc_tensor {
  /// Which input or output; NULL: the one at the same position in the model.
  const char *name;
  /// Input: the elements, only read. Output: where to write, or NULL to get a
  /// pointer into the session's arena, valid until the session's next call
  /// other than a query. Aligned to the elements.
  void *data;
  /// Bytes at data. 0: the caller vouches that there are enough.
  size_t capacity;
  /// Output: set to the bytes of the result.
  size_t bytes;
  int32_t type;               ///< txc_type. Output: 0, or checked; set.
  int32_t rank;               ///< Output: set.
  int64_t dims[TXC_MAX_RANK]; ///< Output: set.
  /// Output: set to 1 when data points into the arena. Such a tensor can be
  /// passed again as it is; it is lent anew.
  int32_t borrowed;
  /// txc_memory: whose memory data is. Also asks for where an output without
  /// data is lent from.
  int32_t device;
  int32_t reserved[2]; ///< 0.
} txc_tensor;

//===----------------------------------------------------------------------===//
// Description of a model
//===----------------------------------------------------------------------===//

typedef enum txc_dim_kind {
  TXC_DIM_CONST = 0,  ///< value is the extent.
  TXC_DIM_SYMBOL = 1, ///< value is the index of a symbol.
  TXC_DIM_VALUE = 2   ///< An expression of symbols; text shows it.
} txc_dim_kind;

/// One axis. The layout of this struct never changes.
typedef struct txc_dim {
  int32_t kind;     ///< txc_dim_kind
  int32_t run_time; ///< 1: depends on a symbol known only while running.
  int64_t value;
  const char *text; ///< "384", "seq", "past + seq"
} txc_dim;

/// Info structs are filled by the model: set `size` to sizeof, the rest is
/// written as far as both sides know it.
typedef struct txc_tensor_info {
  size_t size;
  const char *name;
  int32_t type; ///< txc_type
  int32_t rank;
  const txc_dim *dims;
  /// An input of integers that is used as an index: its values have to be in
  /// [low, high). low == high: nothing is known.
  int64_t low, high;
} txc_tensor_info;

typedef enum txc_symbol_source {
  TXC_SYMBOL_INPUT = 0,          ///< Read from the dims of the inputs.
  TXC_SYMBOL_STATE_LENGTH = 1,   ///< Positions of state before the run.
  TXC_SYMBOL_STATE_CAPACITY = 2, ///< Chosen when the session is made.
  TXC_SYMBOL_RUN_TIME = 3        ///< Known only while running.
} txc_symbol_source;

/// A symbolic dim. A run outside [lower, upper] is an error.
typedef struct txc_symbol_info {
  size_t size;
  const char *name;
  int64_t lower;
  int64_t upper;  ///< INT64_MAX: unbounded.
  int32_t source; ///< txc_symbol_source
  int32_t reserved;
} txc_symbol_info;

/// One buffer of state, such as the keys of one layer.
typedef struct txc_state_info {
  size_t size;
  const char *name;
  int32_t type;
  int32_t rank;
  const txc_dim *dims;
  int32_t row_axis;      ///< The axis of sequences (batch), or -1.
  int32_t sequence_axis; ///< The axis that grows.
  int32_t sequence;      ///< Which txc_sequence_info its length is in.
  int32_t reserved;
} txc_state_info;

/// A length that a run advances, shared by the buffers that grow together
/// (all self-attention layers of a decoder, say).
typedef struct txc_sequence_info {
  size_t size;
  const char *name;
  /// 1: rows have lengths of their own; 0: all rows are equally long.
  int32_t ragged;
  int32_t reserved;
} txc_sequence_info;

typedef struct txc_model_info {
  size_t size;
  const char *name;
  const char *target;       ///< What it was compiled for.
  const char *cpu_features; ///< LLVM feature names, separated by spaces.
  const char *version;      ///< Of the txc that compiled it.
  uint64_t weight_bytes;
  int64_t weight_tensors;
  size_t inputs, outputs, symbols, states, sequences, phases;
} txc_model_info;

typedef struct txc_session_info {
  size_t size;
  int32_t threads; ///< Of a run, the caller's included.
  int32_t reserved;
  uint64_t arena_bytes;
  uint64_t scratch_bytes;
  uint64_t state_bytes;
} txc_session_info;

/// One step of the model's program: one kernel over its task grid.
typedef struct txc_phase_info {
  size_t size;
  const char *kernel; ///< The structural name of the kernel.
  const char *nodes;  ///< The ONNX nodes it computes.
} txc_phase_info;

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

/// Memory of the application's. Both functions may be called from any thread
/// that calls into txc. alignment is a power of two up to 4096.
typedef struct txc_allocator {
  void *user;
  void *(*allocate)(void *user, size_t bytes, size_t alignment);
  void (*release)(void *user, void *memory, size_t bytes);
} txc_allocator;

typedef enum txc_log_level {
  TXC_LOG_INFO = 0,
  TXC_LOG_WARNING = 1
} txc_log_level;

/// Called for what is no error but worth knowing, such as an arena that grows
/// or an affinity that was refused. May be called from a worker.
typedef void (*txc_log_fn)(void *user, txc_log_level level, const char *text);

/// A parallel loop of the application's: calls task(argument, i) once for each
/// i in [0, count), on any threads, and returns when all have returned.
typedef void (*txc_parallel_for_fn)(void *user,
                                    void (*task)(void *argument, size_t i),
                                    void *argument, size_t count);

/// What a phase took. The layout grows at the end; size tells.
typedef struct txc_phase_event {
  size_t size;
  size_t phase; ///< Its index, see txc_model_phase.
  const char *kernel;
  const char *nodes;
  uint64_t begin_ns; ///< On the monotonic clock.
  uint64_t end_ns;
  int64_t tasks;
  int64_t flops;   ///< -1: not known.
  int64_t bytes;   ///< Read and written at least; -1: not known.
  int32_t threads; ///< 1: ran on the calling thread alone.
  int32_t reserved;
} txc_phase_event;

/// Called on the thread that called txc_run, after each phase.
typedef void (*txc_profile_fn)(void *user, const txc_phase_event *event);

/// A named extent: an upper bound that memory is reserved for.
typedef struct txc_dim_value {
  const char *name;
  int64_t value;
} txc_dim_value;

/// Options of txc_open and txc_model_create. Make one with
/// txc_open_options_default().
typedef struct txc_open_options {
  size_t size;
  /// Where the weights file is, for a model compiled with -weights=FILE. NULL:
  /// FILE in the folder of the .so.
  const char *weights_path;
  /// Not 0: read all weights and compare their checksum.
  int32_t verify_weights;
  int32_t reserved;
  /// NULL: malloc. Copied; used for the model's own small structures.
  const txc_allocator *allocator;
  txc_log_fn log;
  void *log_user;
  /// Where the model's sessions run: "cpu", "cuda:N" for the GPU of that
  /// number, "auto" for the first GPU that the model has code for, else the
  /// CPU. NULL: "cpu", or "cuda:0" for a model that has no code for CPUs.
  const char *device;
} txc_open_options;

typedef struct txc_executor txc_executor;

/// Options of txc_session_create. Make one with txc_session_options_default().
typedef struct txc_session_options {
  size_t size;
  /// Threads of a run, the caller's included. 0: one for each physical core
  /// that the process may use, as far as its CPU quota goes. Results have the
  /// same bits for any number. With parallel_for: the most tasks of one call.
  int32_t threads;
  /// For how long a waiting worker spins, while a run is in progress, before
  /// it sleeps. -1: 500. 0 suits machines shared with other busy programs.
  int32_t spin_microseconds;
  /// CPUs for the session's own workers, one each (the caller's thread is left
  /// alone); read by create only. NULL: the scheduler's choice.
  const int32_t *affinity;
  size_t affinity_count;
  /// Workers shared with other sessions, of any model; has to outlive the
  /// session. NULL: the session has its own.
  txc_executor *executor;
  /// The application's threads instead of txc's.
  txc_parallel_for_fn parallel_for;
  void *parallel_for_user;
  /// NULL: malloc. Copied.
  const txc_allocator *allocator;
  txc_profile_fn profile;
  void *profile_user;
  txc_log_fn log;
  void *log_user;
  /// Dims to reserve the arena for, so that the first run doesn't allocate.
  const txc_dim_value *dims;
  size_t dims_count;
  /// Rows and positions that state has room for. 0: 1 row; the upper bound of
  /// the model's capacity, or 2048 positions where there is none.
  int64_t state_rows;
  int64_t state_capacity;
  /// On a GPU: the CUstream of the application's that runs are put on; it has
  /// to outlive the session. A run then returns before it is done, unless an
  /// output is in the host's memory or the model has phases on the CPU, and
  /// what it reads and writes has to stay until the stream has come there.
  /// What kernels report is then the next waiting call's error, see txc_wait.
  /// NULL: a stream of the session's own, and txc_run waits.
  void *stream;
} txc_session_options;

/// Options of txc_executor_create. Make one with
/// txc_executor_options_default().
typedef struct txc_executor_options {
  size_t size;
  int32_t threads; ///< As in txc_session_options, a caller's included.
  int32_t reserved;
  const int32_t *affinity;
  size_t affinity_count;
} txc_executor_options;

//===----------------------------------------------------------------------===//
// The table of a model (what the shims below call through)
//===----------------------------------------------------------------------===//

typedef struct txc_model txc_model;
typedef struct txc_session txc_session;
struct txc_program;
struct txc_model_table;

/// A piece of work for the workers of an executor. Between copies of the
/// runtime only; an application has no use for it.
typedef struct txc_gang {
  size_t size;
  /// Runs on each worker that comes. worker is in [1, threads of executor).
  void (*work)(struct txc_gang *gang, int32_t worker);
  /// At most so many workers come at a time.
  int32_t limit;
  /// The executor's: how many are here, whether it is offered, and the list.
  int32_t workers;
  struct txc_gang *next;
} txc_gang;

/// The functions of one copy of the runtime. Append-only; size tells how many.
typedef struct txc_api {
  uint32_t size;
  uint32_t version;
  txc_status (*model_create)(const struct txc_model_table *table,
                             const txc_open_options *options, txc_model **model,
                             txc_message *message);
  txc_status (*model_close)(txc_model *model, txc_message *message);
  txc_status (*model_info)(const txc_model *, txc_model_info *);
  txc_status (*model_input)(const txc_model *, size_t, txc_tensor_info *);
  txc_status (*model_output)(const txc_model *, size_t, txc_tensor_info *);
  txc_status (*model_symbol)(const txc_model *, size_t, txc_symbol_info *);
  txc_status (*model_state)(const txc_model *, size_t, txc_state_info *);
  txc_status (*model_sequence)(const txc_model *, size_t, txc_sequence_info *);
  txc_status (*model_phase)(const txc_model *, size_t, txc_phase_info *);
  txc_status (*session_create)(txc_model *, const txc_session_options *,
                               txc_session **, txc_message *);
  void (*session_destroy)(txc_session *);
  const char *(*session_error)(const txc_session *);
  txc_status (*session_reserve)(txc_session *, const txc_dim_value *, size_t);
  txc_status (*infer)(txc_session *, const txc_tensor *, size_t, txc_tensor *,
                      size_t);
  txc_status (*run)(txc_session *, const txc_tensor *, size_t, txc_tensor *,
                    size_t);
  txc_status (*state_reset)(txc_session *, int64_t);
  txc_status (*state_length)(txc_session *, size_t, int64_t, int64_t *);
  txc_status (*state_truncate)(txc_session *, size_t, int64_t, int64_t);
  txc_status (*state_copy)(txc_session *, int64_t, txc_session *, int64_t);
  txc_status (*state_save)(txc_session *, void *, size_t *);
  txc_status (*state_load)(txc_session *, const void *, size_t);
  txc_status (*executor_create)(txc_model *, const txc_executor_options *,
                                txc_executor **, txc_message *);
  txc_status (*executor_destroy)(txc_executor *);
  int32_t (*executor_threads)(const txc_executor *);
  void (*executor_attach)(txc_executor *, int32_t);
  void (*executor_offer)(txc_executor *, txc_gang *);
  void (*executor_withdraw)(txc_executor *, txc_gang *);
  void (*executor_drain)(txc_executor *, txc_gang *);
  txc_status (*session_info)(txc_session *, txc_session_info *);
  txc_status (*infer_inputs)(txc_session *, const txc_dim_value *, size_t,
                             txc_tensor *, size_t);
  txc_status (*wait)(txc_session *);
} txc_api;

/// What NAME_txc_model is. Append-only.
typedef struct txc_model_table {
  uint32_t magic;      ///< TXC_MODEL_MAGIC
  uint32_t size;       ///< sizeof this struct, where it was written.
  uint32_t version;    ///< TXC_ABI_VERSION, where it was written.
  uint32_t min_reader; ///< The oldest TXC_ABI_VERSION that can read it.
  const txc_api *api;
  const struct txc_program *program; ///< For the runtime in the same .so.
  const char *name;                  ///< NAME
} txc_model_table;

/// Every handle begins with its functions. library: what txc_open loaded, to
/// be unloaded by txc_close; otherwise NULL.
typedef struct txc_handle {
  const txc_api *api;
  void *library;
} txc_handle;

/// The functions of a handle, for the shims.
static inline const txc_api *txc_api_of(const void *handle) {
  return ((const txc_handle *)handle)->api;
}

static inline txc_status txc_explain(txc_message *message, txc_status status,
                                     const char *text, const char *detail) {
  if (message)
    snprintf(message->text, sizeof message->text, "%s%s", text, detail);
  return status;
}

//===----------------------------------------------------------------------===//
// Options with their defaults
//===----------------------------------------------------------------------===//

static inline txc_open_options txc_open_options_default(void) {
  txc_open_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

static inline txc_session_options txc_session_options_default(void) {
  txc_session_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.spin_microseconds = -1;
  return options;
}

static inline txc_executor_options txc_executor_options_default(void) {
  txc_executor_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

/// A tensor in the caller's memory, for an input or an output. dims may be
/// NULL for an output.
static inline txc_tensor txc_tensor_make(const char *name, txc_type type,
                                         const void *data, int32_t rank,
                                         const int64_t *dims) {
  txc_tensor tensor;
  memset(&tensor, 0, sizeof tensor);
  tensor.name = name;
  // An input is only read; one struct serves inputs and outputs.
  memcpy(&tensor.data, &data, sizeof data);
  tensor.type = type;
  tensor.rank = rank;
  for (int32_t i = 0; dims && i < rank && i < TXC_MAX_RANK; ++i)
    tensor.dims[i] = dims[i];
  return tensor;
}

/// An output whose memory the session lends until its next call.
static inline txc_tensor txc_tensor_borrow(const char *name) {
  txc_tensor tensor;
  memset(&tensor, 0, sizeof tensor);
  tensor.name = name;
  return tensor;
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

/// Makes a model of a table that is linked in or was looked up by the caller.
/// Checks the version, the CPU and the weights; maps the weights. The table
/// has to stay loaded until txc_close. options and message may be NULL.
/// Errors: INCOMPATIBLE, UNSUPPORTED_CPU, IO, CORRUPT, OUT_OF_MEMORY.
static inline txc_status txc_model_create(const txc_model_table *table,
                                          const txc_open_options *options,
                                          txc_model **model,
                                          txc_message *message) {
  if (!table || !model)
    return txc_explain(message, TXC_INVALID_ARGUMENT,
                       "txc_model_create needs a table and a place for the "
                       "model",
                       "");
  *model = NULL;
  if (table->magic != TXC_MODEL_MAGIC)
    return txc_explain(message, TXC_INCOMPATIBLE,
                       "this is not the table of a model compiled by txc", "");
  if (table->min_reader > TXC_ABI_VERSION ||
      table->size < sizeof(txc_model_table) ||
      table->api->size < sizeof(txc_api)) {
    if (message)
      snprintf(message->text, sizeof message->text,
               "the model's table has version %u and can be read from version "
               "%u on, this application's txc.h has version %u; %s",
               (unsigned)table->version, (unsigned)table->min_reader,
               TXC_ABI_VERSION,
               table->min_reader > TXC_ABI_VERSION
                   ? "rebuild the application with the model's txc.h"
                   : "compile the model again with a newer txc");
    return TXC_INCOMPATIBLE;
  }
  return table->api->model_create(table, options, model, message);
}

/// The table of a model in an opened shared object, NULL if it has none. The
/// table's name depends on the model, so this looks through the dynamic
/// symbols (there is one) by way of DT_HASH.
static inline const txc_model_table *txc_find_table(void *library) {
  // dlinfo is declared only with _GNU_SOURCE; a header can't ask for that.
  int (*info)(void *, int, void *) = NULL;
  void *self = dlopen(NULL, RTLD_LAZY);
  void *address = self ? dlsym(self, "dlinfo") : NULL;
  struct link_map *map = NULL;
  memcpy(&info, &address, sizeof info);
  if (info)
    info(library, 2 /* RTLD_DI_LINKMAP */, &map);
  if (self)
    dlclose(self);
  const ElfW(Sym) *symbols = NULL;
  const char *names = NULL;
  const uint32_t *hash = NULL;
  for (const ElfW(Dyn) *d = map ? map->l_ld : NULL; d && d->d_tag != DT_NULL;
       ++d) {
    // glibc has relocated these addresses in place, other loaders have not.
    uintptr_t at = (uintptr_t)d->d_un.d_ptr;
    if (at < (uintptr_t)map->l_addr)
      at += (uintptr_t)map->l_addr;
    if (d->d_tag == DT_SYMTAB)
      symbols = (const ElfW(Sym) *)at;
    else if (d->d_tag == DT_STRTAB)
      names = (const char *)at;
    else if (d->d_tag == DT_HASH)
      hash = (const uint32_t *)at;
  }
  static const char suffix[] = "_txc_model";
  for (uint32_t i = 0; symbols && names && hash && i < hash[1]; ++i) {
    const char *name = names + symbols[i].st_name;
    size_t length = strlen(name);
    if (symbols[i].st_shndx != SHN_UNDEF && length >= sizeof suffix - 1 &&
        strcmp(name + length - (sizeof suffix - 1), suffix) == 0)
      return (const txc_model_table *)dlsym(library, name);
  }
  return NULL;
}

/// Loads a shared object made by txc and makes its model. Errors: IO (the
/// message has the loader's reason), and those of txc_model_create.
static inline txc_status txc_open(const char *path,
                                  const txc_open_options *options,
                                  txc_model **model, txc_message *message) {
  if (!path || !model)
    return txc_explain(message, TXC_INVALID_ARGUMENT,
                       "txc_open needs a path and a place for the model", "");
  *model = NULL;
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return txc_explain(message, TXC_IO, "can't load the model: ", dlerror());
  const txc_model_table *table = txc_find_table(library);
  if (!table) {
    dlclose(library);
    return txc_explain(message, TXC_INCOMPATIBLE,
                       "no model compiled by txc is in ", path);
  }
  txc_status status = txc_model_create(table, options, model, message);
  if (status == TXC_OK)
    ((txc_handle *)(void *)*model)->library = library;
  else
    dlclose(library);
  return status;
}

/// Ends a model, and unloads what txc_open loaded. Errors: IN_USE while a
/// session or an executor made from it lives; the model then stays open.
static inline txc_status txc_close(txc_model *model, txc_message *message) {
  if (!model)
    return TXC_OK;
  void *library = ((txc_handle *)(void *)model)->library;
  txc_status status = txc_api_of(model)->model_close(model, message);
  if (status == TXC_OK && library)
    dlclose(library);
  return status;
}

/// Counts and names. Returns INVALID_ARGUMENT for a null pointer.
static inline txc_status txc_model_describe(const txc_model *model,
                                            txc_model_info *info) {
  return model ? txc_api_of(model)->model_info(model, info)
               : TXC_INVALID_ARGUMENT;
}

/// The next six describe one input, output, symbol, state buffer, sequence or
/// phase. Errors: INVALID_ARGUMENT for an index past the end.
static inline txc_status txc_model_input(const txc_model *model, size_t index,
                                         txc_tensor_info *info) {
  return model ? txc_api_of(model)->model_input(model, index, info)
               : TXC_INVALID_ARGUMENT;
}
static inline txc_status txc_model_output(const txc_model *model, size_t index,
                                          txc_tensor_info *info) {
  return model ? txc_api_of(model)->model_output(model, index, info)
               : TXC_INVALID_ARGUMENT;
}
static inline txc_status txc_model_symbol(const txc_model *model, size_t index,
                                          txc_symbol_info *info) {
  return model ? txc_api_of(model)->model_symbol(model, index, info)
               : TXC_INVALID_ARGUMENT;
}
static inline txc_status txc_model_state(const txc_model *model, size_t index,
                                         txc_state_info *info) {
  return model ? txc_api_of(model)->model_state(model, index, info)
               : TXC_INVALID_ARGUMENT;
}
static inline txc_status txc_model_sequence(const txc_model *model,
                                            size_t index,
                                            txc_sequence_info *info) {
  return model ? txc_api_of(model)->model_sequence(model, index, info)
               : TXC_INVALID_ARGUMENT;
}
static inline txc_status txc_model_phase(const txc_model *model, size_t index,
                                         txc_phase_info *info) {
  return model ? txc_api_of(model)->model_phase(model, index, info)
               : TXC_INVALID_ARGUMENT;
}

//===----------------------------------------------------------------------===//
// Executors
//===----------------------------------------------------------------------===//

/// Makes workers that sessions of any models share. Its code is in the .so of
/// the given model, which can't be closed before the executor is destroyed.
/// Sessions that run at once divide the workers that are free; none waits for
/// another. Errors: OUT_OF_MEMORY, SYSTEM.
static inline txc_status
txc_executor_create(txc_model *model, const txc_executor_options *options,
                    txc_executor **executor, txc_message *message) {
  if (!model || !executor)
    return txc_explain(message, TXC_INVALID_ARGUMENT,
                       "txc_executor_create needs a model and a place for the "
                       "executor",
                       "");
  return txc_api_of(model)->executor_create(model, options, executor, message);
}

/// Ends the workers. Errors: IN_USE while a session uses it.
static inline txc_status txc_executor_destroy(txc_executor *executor) {
  return executor ? txc_api_of(executor)->executor_destroy(executor) : TXC_OK;
}

//===----------------------------------------------------------------------===//
// Sessions
//===----------------------------------------------------------------------===//

/// Makes one caller's arena, state and threads. options and message may be
/// NULL. Errors: INVALID_ARGUMENT, UNKNOWN_NAME and OUT_OF_BOUNDS for the
/// options, OUT_OF_MEMORY, SYSTEM.
static inline txc_status txc_session_create(txc_model *model,
                                            const txc_session_options *options,
                                            txc_session **session,
                                            txc_message *message) {
  if (!model || !session)
    return txc_explain(message, TXC_INVALID_ARGUMENT,
                       "txc_session_create needs a model and a place for the "
                       "session",
                       "");
  return txc_api_of(model)->session_create(model, options, session, message);
}

/// Frees a session, its workers, and what outputs were borrowed from it.
static inline void txc_session_destroy(txc_session *session) {
  if (session)
    txc_api_of(session)->session_destroy(session);
}

/// The sentence of the session's last failed call, "" if none failed. Valid
/// until the session's next call.
static inline const char *txc_error(const txc_session *session) {
  return session ? txc_api_of(session)->session_error(session)
                 : "the session is NULL";
}

/// Allocates what runs with these dims need; dims not named count as their
/// lower bound. Errors: UNKNOWN_NAME, OUT_OF_BOUNDS, OUT_OF_MEMORY.
static inline txc_status txc_reserve(txc_session *session,
                                     const txc_dim_value *dims, size_t count) {
  return session ? txc_api_of(session)->session_reserve(session, dims, count)
                 : TXC_INVALID_ARGUMENT;
}

/// Threads and memory of a session.
static inline txc_status txc_session_describe(txc_session *session,
                                              txc_session_info *info) {
  return session ? txc_api_of(session)->session_info(session, info)
                 : TXC_INVALID_ARGUMENT;
}

/// The inputs that a run with these dims takes: fills type, rank, dims and
/// bytes of the tensors, which are the model's inputs by name or position. Dims
/// not named count as their lower bound, and lengths of state as they are.
/// Errors: UNKNOWN_NAME, OUT_OF_BOUNDS.
static inline txc_status txc_infer_inputs(txc_session *session,
                                          const txc_dim_value *dims,
                                          size_t count, txc_tensor *inputs,
                                          size_t input_count) {
  return session ? txc_api_of(session)->infer_inputs(session, dims, count,
                                                     inputs, input_count)
                 : TXC_INVALID_ARGUMENT;
}

/// What txc_run would give back: checks the inputs as a run does (their data
/// may be NULL) and fills type, rank, dims and bytes of the outputs. A dim
/// known only while running is -1, and bytes are then 0.
static inline txc_status txc_infer(txc_session *session,
                                   const txc_tensor *inputs, size_t input_count,
                                   txc_tensor *outputs, size_t output_count) {
  return session ? txc_api_of(session)->infer(session, inputs, input_count,
                                              outputs, output_count)
                 : TXC_INVALID_ARGUMENT;
}

/// Runs the model. Every input has to be there, each once; outputs that are
/// not asked for are not given back. Memory of outputs may not overlap that of
/// inputs or of one another. Does not allocate at a shape the session
/// has seen or reserved. On failure outputs have no defined contents and state
/// is as before the run.
/// Errors: all those of checking (UNKNOWN_NAME to BUFFER_TOO_SMALL,
/// REQUIREMENT, STATE_FULL), OUT_OF_MEMORY, INDEX_OUT_OF_RANGE,
/// DIVISION_BY_ZERO.
static inline txc_status txc_run(txc_session *session, const txc_tensor *inputs,
                                 size_t input_count, txc_tensor *outputs,
                                 size_t output_count) {
  return session ? txc_api_of(session)->run(session, inputs, input_count,
                                            outputs, output_count)
                 : TXC_INVALID_ARGUMENT;
}

/// Waits for runs that the session has put on the application's stream. Errors:
/// DEVICE_FAILURE, and those of txc_run that kernels report; of several runs
/// that failed, one's.
static inline txc_status txc_wait(txc_session *session) {
  return session ? txc_api_of(session)->wait(session) : TXC_INVALID_ARGUMENT;
}

//===----------------------------------------------------------------------===//
// State
//===----------------------------------------------------------------------===//

/// Every row.
#define TXC_ALL_ROWS ((int64_t)-1)

/// Sets the lengths of a row (or all) to 0, in every sequence. One row alone
/// is possible only where all sequences are ragged.
static inline txc_status txc_state_reset(txc_session *session, int64_t row) {
  return session ? txc_api_of(session)->state_reset(session, row)
                 : TXC_INVALID_ARGUMENT;
}

/// The positions a row holds. TXC_ALL_ROWS: the longest row's.
static inline txc_status txc_state_length(txc_session *session, size_t sequence,
                                          int64_t row, int64_t *length) {
  return session
             ? txc_api_of(session)->state_length(session, sequence, row, length)
             : TXC_INVALID_ARGUMENT;
}

/// Forgets the positions from length on. Errors: INVALID_ARGUMENT for a length
/// above the present one, or one row of a sequence that is not ragged.
static inline txc_status txc_state_truncate(txc_session *session,
                                            size_t sequence, int64_t row,
                                            int64_t length) {
  return session ? txc_api_of(session)->state_truncate(session, sequence, row,
                                                       length)
                 : TXC_INVALID_ARGUMENT;
}

/// Copies a row of all state (TXC_ALL_ROWS for both: all of it) from a session
/// of the same model, which may be the same session: beam search and shared
/// prefixes. Neither may run meanwhile. The error is the target's. Errors:
/// STATE_FULL when the target has too few rows or positions, INVALID_ARGUMENT
/// when the row's length would differ from the others' in a sequence that is
/// not ragged.
static inline txc_status txc_state_copy(txc_session *target, int64_t target_row,
                                        txc_session *source,
                                        int64_t source_row) {
  return target ? txc_api_of(target)->state_copy(target, target_row, source,
                                                 source_row)
                : TXC_INVALID_ARGUMENT;
}

/// Writes all state into memory. *size is its size, and becomes the bytes
/// written (or needed: memory NULL only asks). Errors: BUFFER_TOO_SMALL.
static inline txc_status txc_state_save(txc_session *session, void *memory,
                                        size_t *size) {
  return session ? txc_api_of(session)->state_save(session, memory, size)
                 : TXC_INVALID_ARGUMENT;
}

/// Reads what txc_state_save wrote, in this or another process, by the same
/// compiled model. Errors: CORRUPT, INCOMPATIBLE, STATE_FULL; state is then as
/// before.
static inline txc_status txc_state_load(txc_session *session,
                                        const void *memory, size_t size) {
  return session ? txc_api_of(session)->state_load(session, memory, size)
                 : TXC_INVALID_ARGUMENT;
}

#ifdef __cplusplus
}
#endif

#endif // TXC_H
