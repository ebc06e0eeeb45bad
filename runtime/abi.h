//===- abi.h - Between generated code and runtime -----------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// What the compiler writes into a .so and the runtime in the same .so reads:
/// the program of a model, and the arguments of its kernels. Both sides come
/// from one build of txc, so nothing here is versioned for itself; what other
/// programs see is in txc.h.
///
/// All fields have fixed widths and natural alignment without hidden padding,
/// so that generated code can spell the structs as LLVM struct types. Structs
/// grow at the end only.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_ABI_H
#define TXC_RUNTIME_ABI_H

#include "runtime/txc.h"

#ifdef __cplusplus
extern "C" {
#endif

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

typedef enum txc_fault_code {
  TXC_FAULT_NONE = 0,
  /// found is the index, limit the exclusive upper bound.
  TXC_FAULT_INDEX_OUT_OF_RANGE = 1,
  TXC_FAULT_DIVISION_BY_ZERO = 2,
  /// A relation between shapes that is known only while running: found and
  /// limit are the two sides.
  TXC_FAULT_SHAPE_REQUIREMENT = 3
} txc_fault_code;

/// Where a kernel says that it met bad data. It belongs to the thread that
/// runs the kernel, so plain stores do: store found and limit, then code; a
/// later fault may overwrite an earlier one. The kernel goes on without
/// touching memory it may not (a gather clamps the index). After the phase the
/// runtime turns the fault into a status and a sentence with the phase's ONNX
/// nodes.
typedef struct txc_fault {
  int32_t code; ///< txc_fault_code; 0 when a kernel begins.
  int32_t reserved;
  int64_t found;
  int64_t limit;
} txc_fault;

/// Indices into bases.
enum {
  TXC_BASE_WEIGHTS = 0, ///< Read-only, aligned to 4096.
  TXC_BASE_ARENA = 1,   ///< Aligned to 4096.
  /// Then inputs, outputs, states, and one row table for each sequence, each
  /// in the order of the program's descriptors. Inputs and outputs have the
  /// alignment of their elements at least, states 64.
  TXC_BASE_FIRST_INPUT = 2
};

/// One row of a sequence's row table: positions [start, start + length) of the
/// row's state are valid.
typedef struct txc_row {
  int64_t start;
  int64_t length;
} txc_row;

/// What a kernel is called with besides its record.
typedef struct txc_kernel_ctx {
  char *const *bases;
  /// Evaluated shape expressions of this run: dims, byte offsets into bases,
  /// task counts, and constants.
  const int64_t *values;
  /// This thread's own, 64-byte aligned, scratch_value bytes of the program.
  /// Contents are undefined when a kernel begins.
  char *scratch;
  txc_fault *fault;
} txc_kernel_ctx;

/// Runs tasks [task_begin, task_end) of a phase's grid. May run at the same
/// time as other ranges of the same phase, on other threads. Must give the
/// same bits however the grid is cut. The record is an array of indices into
/// bases and values; its layout is between kernel and compiler.
typedef void (*txc_phase_fn)(const txc_kernel_ctx *ctx, const int64_t *record,
                             int64_t task_begin, int64_t task_end);

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

typedef enum txc_phase_kind {
  /// fn over values[tasks_value] tasks.
  TXC_PHASE_RUN = 0,
  /// Continue at phase target.
  TXC_PHASE_JUMP = 1,
  /// Continue at phase target when the byte at condition_base +
  /// values[condition_offset_value] is 0, else at the next.
  TXC_PHASE_JUMP_UNLESS = 2,
  /// symbols[symbol] = the int64 at condition_base +
  /// values[condition_offset_value]; all values are evaluated again, and the
  /// arena grows when it has to, keeping its contents. Offsets of buffers that
  /// are live across this phase must not depend on the symbol. Until then the
  /// symbol has its lower bound; a value outside the bounds ends the run with
  /// an error.
  TXC_PHASE_DEFINE_SYMBOL = 3,
  /// Continue at phase target unless values[condition_offset_value] > 0.
  TXC_PHASE_JUMP_UNLESS_POSITIVE = 4,
  /// The end of a branch or an iteration: assigns symbols and copies buffers,
  /// all at once. The record: the number of symbols, for each {symbol, value};
  /// the number of copies, for each {base, offset value, bytes value} it is
  /// from and {base, offset value} it is to. What is assigned or copied is as
  /// the symbols were before; where it is copied to, as they are behind. As
  /// with DEFINE_SYMBOL all values are evaluated again, and of buffers whose
  /// offsets depend on the symbols nothing is kept but what is copied.
  TXC_PHASE_ASSIGN = 5,
  /// record[0] is a requirement, which is checked.
  TXC_PHASE_REQUIRE = 6
} txc_phase_kind;

/// How a phase runs on a GPU. The record has, for each buffer of the kernel, an
/// index into bases and one into values, then an index into values for each
/// i64 parameter.
typedef struct txc_launch {
  int32_t kernel;         ///< Index into the kernels of the txc_gpu_program.
  int32_t buffer_count;   ///< Operands and results.
  int32_t value_count;    ///< Parameters behind them.
  int32_t grid_values[3]; ///< Blocks along x, y and z.
  /// 1: a pointer to a txc_fault is between buffers and values.
  int32_t reports_faults;
  int32_t reserved;
} txc_launch;

/// A buffer that a phase on the CPU reads or writes in the program of a GPU.
typedef struct txc_transfer {
  int32_t base;
  int32_t offset_value;
  int32_t bytes_value;
  int32_t is_result; ///< 0: read.
} txc_transfer;

/// The phase table is an array of these; running off its end ends the run.
/// "value" fields are indices into values; -1: there is none.
typedef struct txc_phase {
  int32_t kind; ///< txc_phase_kind
  int32_t tasks_value;
  txc_phase_fn fn;
  const int64_t *record;
  int32_t flops_value; ///< Of the whole phase; for scheduling and profile.
  int32_t bytes_value; ///< Bytes read and written, each once.
  int32_t target;
  int32_t condition_base;
  int32_t condition_offset_value;
  int32_t symbol;
  const char *kernel_name;
  const char *onnx_nodes; ///< Names, separated by ", ".
  /// In the program of a GPU; NULL: fn runs on the CPU, with transfers.
  const txc_launch *launch;
  const txc_transfer *transfers;
  int32_t transfer_count;
  int32_t reserved;
} txc_phase;

//===----------------------------------------------------------------------===//
// Descriptors
//===----------------------------------------------------------------------===//

/// A dim (txc_dim of txc.h) of kind TXC_DIM_VALUE has an index into values.
typedef struct txc_tensor_desc {
  const char *name;
  const txc_dim *dims;
  int32_t type; ///< txc_type
  int32_t rank;
  /// Range [low, high) of an integer input that is used as an index (the
  /// vocabulary of the gather it feeds). low == high: none.
  int64_t low, high;
  /// Output: where in the arena it is when it is borrowed. Input: -1.
  int32_t arena_offset_value;
  int32_t reserved;
} txc_tensor_desc;

typedef struct txc_symbol_desc {
  const char *name;
  int64_t lower;
  int64_t upper;  ///< INT64_MAX: unbounded.
  int32_t source; ///< txc_symbol_source
  int32_t reserved;
} txc_symbol_desc;

/// A length of state. When a run ends well, rows advance by
/// values[new_length_value] - symbols[length_symbol].
typedef struct txc_sequence_desc {
  const char *name;
  int32_t length_symbol;    ///< Set to the longest row's length before a run.
  int32_t capacity_symbol;  ///< Set when the session is made.
  int32_t new_length_value; ///< -1: a run doesn't change it.
  /// Rows in use in this run (the batch); at most the session's state_rows.
  int32_t rows_value;
  /// 1: kernels read start and length of each row from the row table.
  int32_t ragged;
  int32_t reserved;
} txc_sequence_desc;

/// A buffer of state. Its stored form is [rows][outer][blocks] of
/// `block * position_bytes` bytes, where blocks = ceil(capacity / block):
/// whatever a kernel interleaves stays within a block of positions. So rows
/// and prefixes can be copied without knowing more.
typedef struct txc_state_desc {
  const char *name;
  const txc_dim *dims; ///< Logical, for people.
  int32_t type;
  int32_t rank;
  int32_t row_axis;
  int32_t sequence_axis;
  int32_t sequence; ///< Index of its txc_sequence_desc.
  int32_t reserved;
  int64_t outer;          ///< Heads, say.
  int64_t block;          ///< Positions that are interleaved.
  int64_t position_bytes; ///< Of one position of one outer index.
} txc_state_desc;

typedef enum txc_relation {
  TXC_RELATION_EQ = 0,
  TXC_RELATION_LE = 1,
  TXC_RELATION_NE = 2
} txc_relation;

/// What the symbol of a requirement is that TXC_PHASE_REQUIRE checks.
#define TXC_CHECKED_BY_PHASE (-2)

/// values[lhs] relation values[rhs], checked before the run, or when the
/// symbol it waits for is defined.
typedef struct txc_requirement {
  int32_t lhs_value;
  int32_t rhs_value;
  int32_t relation; ///< txc_relation
  /// A TXC_SYMBOL_RUN_TIME symbol, -1, or TXC_CHECKED_BY_PHASE.
  int32_t symbol;
  /// "node X (Reshape): seq * 384 has to be a multiple of 64"
  const char *sentence;
} txc_requirement;

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// In a section of the .so that is added after the link, or in a file beside.
/// This struct is a symbol of its own (txc_weights_desc), whose bytes are
/// filled in after the link.
typedef struct txc_weights_desc {
  /// NULL: in the .so. Else the file's name, relative to the .so's folder.
  const char *file;
  /// In the .so: from the address of this struct to the first byte.
  int64_t offset;
  uint64_t size; ///< Without the file's header. 0: there are none.
  uint64_t checksum;
  int64_t tensors;
} txc_weights_desc;

#define TXC_WEIGHTS_MAGIC 0x5354484757435854ull /* "TXCWGHTS" */
#define TXC_WEIGHTS_HEADER_BYTES 4096

/// The start of a weights file; the payload begins at
/// TXC_WEIGHTS_HEADER_BYTES, the rest of the header is zero.
typedef struct txc_weights_header {
  uint64_t magic;
  uint64_t version; ///< 1
  uint64_t size;    ///< Of the payload.
  uint64_t checksum;
} txc_weights_header;

#define TXC_CHECKSUM_SEED 0xcbf29ce484222325ull

/// FNV-1a over little-endian 64-bit words, the last one filled with zeros
/// (words, not octets: a multiplication per octet would make opening a large
/// model slow). To continue over several pieces pass the last result as seed;
/// all pieces but the last are multiples of 8 bytes.
static inline uint64_t txc_checksum(uint64_t seed, const void *data,
                                    uint64_t size) {
  const unsigned char *bytes = (const unsigned char *)data;
  uint64_t hash = seed;
  for (uint64_t i = 0; i < size; i += 8) {
    uint64_t word = 0;
    memcpy(&word, bytes + i, size - i < 8 ? (size_t)(size - i) : 8);
    hash = (hash ^ word) * 0x100000001b3ull;
  }
  return hash;
}

//===----------------------------------------------------------------------===//
// GPUs
//===----------------------------------------------------------------------===//

typedef struct txc_gpu_kernel {
  const char *name; ///< In the PTX.
  int32_t threads;  ///< Of a block.
  int32_t reserved;
} txc_gpu_kernel;

/// What runs programs of a kind of GPU (runtime/gpu.h).
struct txc_gpu_backend;

/// The code of a program for a GPU.
typedef struct txc_gpu_program {
  /// Of the runtime. Only programs for a GPU refer to it, so that the linker
  /// leaves it out of other models.
  const struct txc_gpu_backend *backend;
  const char *ptx; ///< Zero-terminated.
  const txc_gpu_kernel *kernels;
  int32_t kernel_count;
  int32_t sm; ///< The least compute capability: 80 is 8.0.
  /// The same kernels as machine code for `sm` and what is compatible with it;
  /// NULL: the driver compiles the PTX.
  const void *cubin;
} txc_gpu_program;

//===----------------------------------------------------------------------===//
// Program
//===----------------------------------------------------------------------===//

/// All of a compiled model. Everything it points to is constant.
typedef struct txc_program {
  uint64_t size; ///< sizeof this struct.
  /// Evaluates shape expressions: writes value_count values. Must not trap for
  /// symbols within their bounds. Sizes and offsets saturate at INT64_MAX: one
  /// that wrapped would pass for a small arena.
  void (*evaluate)(const int64_t *symbols, int64_t *values);
  const txc_tensor_desc *inputs;
  const txc_tensor_desc *outputs;
  const txc_symbol_desc *symbols;
  const txc_sequence_desc *sequences;
  const txc_state_desc *states;
  const txc_requirement *requirements;
  const txc_phase *phases;
  const txc_weights_desc *weights;
  int32_t input_count;
  int32_t output_count;
  int32_t symbol_count;
  int32_t sequence_count;
  int32_t state_count;
  int32_t requirement_count;
  int32_t phase_count;
  int32_t value_count;
  int32_t arena_bytes_value;
  int32_t scratch_bytes_value;
  const char *target;
  /// LLVM feature names separated by spaces, all of CpuFeatures.def; checked
  /// before any generated code runs.
  const char *cpu_features;
  const char *version; ///< Of txc.
  /// Identifies the model and how it was compiled: saved state of another one
  /// is refused.
  uint64_t fingerprint;
  /// The same model for machines that lack what this one requires; NULL: there
  /// is none. All programs of a .so have the same interface and weights.
  const struct txc_program *next;
  const txc_gpu_program *gpu; ///< NULL: a program for CPUs.
} txc_program;

/// The functions that a model table points to; defined by the runtime.
extern const txc_api txc_runtime_api;
/// Programs in PTX by NVIDIA's driver; defined by the runtime.
extern const struct txc_gpu_backend txc_cuda_backend;

#ifdef __cplusplus
}
#endif

#endif // TXC_RUNTIME_ABI_H
