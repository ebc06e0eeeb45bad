"""Cases of com.microsoft's operators, with ONNX Runtime's outputs.

One node each. What a model has as weights are initializers, the rest inputs;
numbers are drawn from a generator seeded by the case's name. ONNX Runtime is
one more implementation of these operators, not their definition; where it runs
a case with and without its graph optimizations, both have to agree.
"""
import dataclasses
import zlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

F16, F32, I32, I64 = np.float16, np.float32, np.int32, np.int64
S8, U8 = np.int8, np.uint8


@dataclasses.dataclass
class Case:
    name: str
    operator: str
    family: str
    # (name, array or None, whether it is an initializer), in operand order
    operands: list = dataclasses.field(default_factory=list)
    attributes: dict = dataclasses.field(default_factory=dict)
    outputs: tuple = ("Y",)
    domain: str = "com.microsoft"
    rtol: float = 1e-3
    atol: float = 1e-4

    def __post_init__(self):
        self.random = np.random.default_rng(zlib.crc32(self.name.encode()))

    def normal(self, *shape, dtype=F32, scale=1):
        return (self.random.standard_normal(shape) * scale).astype(dtype)

    def integers(self, dtype, *shape):
        limits = np.iinfo(dtype)
        return self.random.integers(limits.min, limits.max + 1,
                                    shape).astype(dtype)

    def input(self, array):
        return self._add(array, False)

    def weight(self, array):
        return self._add(array, True)

    def none(self, count=1):
        for _ in range(count):
            self._add(None, False)

    def _add(self, array, is_weight):
        array = None if array is None else np.asarray(array)
        name = "" if array is None else f"x{len(self.operands)}"
        self.operands.append((name, array, is_weight))
        return array

    def loosen(self, rtol, atol):
        self.rtol, self.atol = rtol, atol


def scalar(value, dtype=F32):
    return np.array(value, dtype)


def split_heads(x, heads):
    batch, length, _ = x.shape
    return np.ascontiguousarray(
        x.reshape(batch, length, heads, -1).transpose(0, 2, 1, 3))


def rope_tables(length, size, dtype=F32):
    frequencies = 1 / (10000 ** (np.arange(size // 2) * 2 / size))
    angles = np.arange(length)[:, None] * frequencies
    return np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)


def kept_keys(rows, keys):
    """How many keys each row has: every other row lacks two."""
    return np.array([keys - row % 2 * 2 for row in range(rows)], I32)


def key_mask(kind, rows, queries, keys):
    lengths = kept_keys(rows, keys)
    starts = np.array([row % 2 for row in range(rows)], I32)
    mask = (np.arange(keys) < lengths[:, None]).astype(I32)
    return {None: None, "lengths": lengths,
            "ends_starts": np.concatenate([lengths, starts]), "2d": mask,
            "3d": np.broadcast_to(mask[:, None],
                                  (rows, queries, keys)).copy()}[kind]


# -- Attention ---------------------------------------------------------------

def group_query(tag, rows=1, queries=6, past=0, heads=4, groups=2, size=16,
                dtype=F32, rotary=None, packed=False, capacity=None,
                lengths=None, positions=False, bias=False, sink=False,
                **attributes):
    """past: keys of earlier runs, a number a row in `lengths`; capacity:
    places of the cache."""
    case = Case(f"gqa_{tag}", "GroupQueryAttention", "attention")
    q, k, v = (case.normal(rows, queries, n * size, dtype=dtype)
               for n in (heads, groups, groups))
    if packed:
        case.input(np.concatenate([q, k, v], -1))
        case.none(2)
    else:
        for x in (q, k, v):
            case.input(x)
    pasts = np.array(lengths or [past] * rows)
    capacity = capacity or past
    for _ in range(2):
        cache = case.normal(rows, groups, capacity, size, dtype=dtype)
        for row, length in enumerate(pasts):
            cache[row, :, length:] = 0
        case.input(cache if capacity else None)
    totals = (pasts + queries).astype(I32)
    case.input(totals - 1)
    case.weight(scalar(totals.max(), I32))
    tables = rope_tables(64, size, dtype) if rotary else (None, None)
    for table in tables:
        case.weight(table)
    places = pasts[:, None] + np.arange(queries)
    case.input(places.astype(I64) if positions else None)
    case.input(case.normal(1, heads, queries, totals.max(), dtype=dtype)
               if bias else None)
    case.weight(case.normal(heads, dtype=dtype) if sink else None)
    case.attributes = {"num_heads": heads, "kv_num_heads": groups, **attributes}
    if rotary:
        case.attributes |= {"do_rotary": 1,
                            "rotary_interleaved": int(rotary == "interleaved")}
    case.outputs = ("output", "present_key", "present_value")
    if dtype == F16:
        case.loosen(1e-2, 5e-3)
    return case


def multi_head(tag, rows=2, queries=5, keys=None, heads=2, size=8,
               value_size=None, past=0, dtype=F32, split_keys=False, bias=False,
               mask=None, score_bias=None, **attributes):
    case = Case(f"mha_{tag}", "MultiHeadAttention", "attention")
    keys, value_size = keys or queries, value_size or size
    q = case.normal(rows, queries, heads * size, dtype=dtype)
    k = case.normal(rows, keys, heads * size, dtype=dtype)
    v = case.normal(rows, keys, heads * value_size, dtype=dtype)
    case.input(q)
    for x in (k, v):
        case.input(split_heads(x, heads) if split_keys else x)
    width = heads * (2 * size + value_size)
    case.weight(case.normal(width, dtype=dtype) if bias else None)
    case.input(key_mask(mask, rows, queries, past + keys))
    case.input(case.normal(*score_bias, queries, past + keys, dtype=dtype)
               if score_bias else None)
    for last in (size, value_size):
        case.input(case.normal(rows, heads, past, last, dtype=dtype)
                   if past else None)
    case.attributes = {"num_heads": heads, **attributes}
    if past:
        case.outputs = ("output", "present_key", "present_value")
    if dtype == F16:
        case.loosen(1e-2, 5e-3)
    return case


def packed_attention(tag, rows=2, queries=5, heads=2, size=8, width=16, past=0,
                     mask=None, score_bias=False, **attributes):
    case = Case(f"attention_{tag}", "Attention", "attention")
    columns = sum(attributes.get("qkv_hidden_sizes", [heads * size] * 3))
    case.input(case.normal(rows, queries, width))
    case.weight(case.normal(width, columns, scale=0.4))
    case.weight(case.normal(columns))
    case.input(key_mask(mask, rows, queries, past + queries))
    case.input(case.normal(2, rows, heads, past, size) if past else None)
    case.input(case.normal(rows, heads, queries, past + queries)
               if score_bias else None)
    case.attributes = {"num_heads": heads, **attributes}
    if past:
        case.outputs = ("output", "present")
    return case


def quantized_attention(tag, rows=2, queries=4, heads=2, size=8, past=0,
                        mask=None, **attributes):
    case = Case(f"qattention_{tag}", "QAttention", "attention")
    width = heads * size
    case.input(case.integers(U8, rows, queries, width))
    case.weight(case.integers(S8, width, 3 * width))
    case.weight(case.normal(3 * width))
    case.input(scalar(0.02))
    case.weight(scalar(0.005))
    case.input(key_mask(mask, rows, queries, past + queries))
    case.input(scalar(128, U8))
    case.weight(scalar(3, S8))
    case.input(case.normal(2, rows, heads, past, size) if past else None)
    case.attributes = {"num_heads": heads, **attributes}
    if past:
        case.outputs = ("output", "present")
    return case


def rotary(tag, split=False, turned=None, offset=False, dtype=F32, **attributes):
    case = Case(f"rotary_{tag}", "RotaryEmbedding", "attention")
    rows, length, heads, size = 2, 4, 2, 16
    x = case.normal(rows, length, heads * size, dtype=dtype)
    case.input(split_heads(x, heads) if split else x)
    places = np.arange(length, dtype=I64)
    case.input(np.array([3], I64) if offset else np.stack([places, places + 5]))
    for table in rope_tables(32, turned or size, dtype):
        case.weight(table)
    case.attributes = attributes
    if turned:
        case.attributes |= {"rotary_embedding_dim": turned, "num_heads": heads}
    if dtype == F16:
        case.loosen(1e-2, 5e-3)
    return case


def attention_cases():
    yield group_query("prompt")
    yield group_query("prompt_mha", groups=4)
    yield group_query("prompt_mqa", groups=1)
    yield group_query("prompt_b2", rows=2, queries=5)
    yield group_query("prompt_rotary", rotary="halves")
    yield group_query("prompt_rotary_interleaved", rotary="interleaved")
    yield group_query("prompt_packed", packed=True)
    yield group_query("prompt_packed_rotary", packed=True, rotary="halves")
    yield group_query("prompt_window", queries=10, local_window_size=4)
    yield group_query("prompt_softcap", softcap=2.0)
    yield group_query("prompt_smooth_softmax", smooth_softmax=1)
    yield group_query("prompt_sink", sink=True)
    yield group_query("prompt_scale", scale=0.5)
    yield group_query("prompt_bias", bias=True)
    yield group_query("prompt_fp16_rotary", rotary="halves", dtype=F16)
    yield group_query("prompt_head96", size=96, queries=3)
    decode = {"queries": 1, "past": 7}
    yield group_query("decode", **decode)
    yield group_query("decode_rotary", rotary="halves", **decode)
    yield group_query("decode_rotary_b2", rows=2, rotary="halves", **decode)
    yield group_query("decode_packed_rotary", packed=True, rotary="halves",
                      **decode)
    yield group_query("decode_window", queries=1, past=12, rotary="halves",
                      local_window_size=4)
    yield group_query("decode_softcap", softcap=2.0, **decode)
    yield group_query("decode_sink_window", queries=1, past=12, sink=True,
                      rotary="halves", local_window_size=4)
    yield group_query("decode_smooth_softmax", smooth_softmax=1, **decode)
    yield group_query("decode_ragged_b2", rows=2, capacity=8, lengths=[7, 4],
                      rotary="halves", **decode)
    yield group_query("decode_long_cache", capacity=16, rotary="halves",
                      **decode)
    yield group_query("decode_positions", positions=True, rotary="halves",
                      **decode)
    yield group_query("decode_fp16", dtype=F16, rotary="halves", **decode)
    yield group_query("chunk_rotary", queries=4, past=7, rotary="halves")

    yield multi_head("basic")
    yield multi_head("cross", keys=7)
    yield multi_head("cross_split", keys=7, split_keys=True)
    yield multi_head("bias", bias=True)
    for mask in ("lengths", "2d", "3d"):
        yield multi_head(f"mask_{mask}", mask=mask)
    yield multi_head("score_bias", score_bias=(2, 2))
    yield multi_head("score_bias_one_row", score_bias=(1, 2))
    yield multi_head("score_bias_one", score_bias=(1, 1))
    yield multi_head("past", queries=3, past=4)
    yield multi_head("decode_mask", queries=1, past=6, mask="2d")
    yield multi_head("unidirectional", unidirectional=1)
    yield multi_head("value_size", value_size=12)
    yield multi_head("fp16_scale", dtype=F16, scale=0.3)

    yield packed_attention("basic")
    for mask in ("lengths", "ends_starts", "2d", "3d"):
        yield packed_attention(f"mask_{mask}", mask=mask)
    yield packed_attention("causal", unidirectional=1)
    yield packed_attention("causal_mask_2d", mask="2d", unidirectional=1)
    yield packed_attention("past", past=4, queries=3, unidirectional=1)
    yield packed_attention("decode_mask", past=6, queries=1, mask="2d")
    yield packed_attention("score_bias", score_bias=True)
    yield packed_attention("sizes", qkv_hidden_sizes=[16, 16, 24])

    yield quantized_attention("basic")
    yield quantized_attention("mask", mask="lengths")
    yield quantized_attention("causal", unidirectional=1)
    yield quantized_attention("past", past=3, unidirectional=1)

    yield rotary("3d")
    yield rotary("4d", split=True)
    yield rotary("interleaved", interleaved=1)
    yield rotary("partial", turned=8)
    yield rotary("offset", offset=True)
    yield rotary("fp16", dtype=F16)


# -- Norms and activations ---------------------------------------------------

def skip_norm(tag, simplified=False, beta=True, bias=False, wants_sum=False,
              dtype=F32, skip_shape=(2, 4, 32)):
    operator = f"Skip{'Simplified' * simplified}LayerNormalization"
    case = Case(f"{'simplified_' * simplified}skip_norm_{tag}", operator,
                "normalization")
    case.input(case.normal(2, 4, 32, dtype=dtype))
    case.input(case.normal(*skip_shape, dtype=dtype))
    case.weight(case.normal(32, dtype=dtype))
    if not simplified:
        case.weight(case.normal(32, dtype=dtype) if beta else None)
    case.weight(case.normal(32, dtype=dtype) if bias else None)
    case.attributes = {"epsilon": 1e-5}
    if wants_sum:
        case.outputs = ("output", "", "", "sum")
    if dtype == F16:
        case.loosen(1e-2, 1e-2)
    return case


def simplified_norm(tag, *shape):
    # In ONNX's own domain, as ONNX Runtime writes it.
    case = Case(f"simplified_norm_{tag}", "SimplifiedLayerNormalization",
                "normalization", domain="")
    case.input(case.normal(*shape))
    case.weight(case.normal(shape[-1]))
    case.attributes = {"axis": -1, "epsilon": 1e-6, "stash_type": 1}
    return case


def embed_norm(tag, segments=True, mask=True, wants_sum=False,
               positions=False):
    case = Case(f"embed_norm_{tag}", "EmbedLayerNormalization",
                "normalization")
    rows, length, width, words = 2, 5, 16, 30
    case.input(case.random.integers(0, words, (rows, length)).astype(I32))
    case.input(case.random.integers(0, 2, (rows, length)).astype(I32)
               if segments else None)
    case.weight(case.normal(words, width))
    case.weight(case.normal(12, width))
    case.weight(case.normal(2, width) if segments else None)
    case.weight(case.normal(width))
    case.weight(case.normal(width))
    case.input(key_mask("2d", rows, length, length) if mask else None)
    places = np.arange(2, 2 + length, dtype=I32)
    case.input(np.stack([places] * rows) if positions else None)
    case.attributes = {"epsilon": 1e-5}
    case.outputs = ("output", "mask_index") + ("sum",) * wants_sum
    return case


def quantized_embed_norm():
    case = Case("q_embed_norm", "QEmbedLayerNormalization", "normalization")
    rows, length, width, words = 2, 5, 16, 30
    case.input(case.random.integers(0, words, (rows, length)).astype(I32))
    case.input(case.random.integers(0, 2, (rows, length)).astype(I32))
    for shape in (words, width), (12, width), (2, width), (width,), (width,):
        case.weight(case.random.integers(0, 256, shape).astype(U8))
    case.input(key_mask("2d", rows, length, length))
    for scale in (0.01, 0.02, 0.03, 0.015, 0.005):
        case.weight(np.array(scale, F32))
    for zero in (128, 120, 130, 100, 127):
        case.weight(np.array(zero, U8))
    case.attributes = {"epsilon": 1e-5}
    case.outputs = ("output", "mask_index")
    return case


def activation(name, operator, shape, bias=False, dtype=F32, **attributes):
    case = Case(name, operator, "activation")
    case.input(case.normal(*shape, dtype=dtype, scale=2))
    if bias:
        case.weight(case.normal(shape[-1], dtype=dtype))
    case.attributes = attributes
    if dtype == F16:
        case.loosen(1e-2, 2e-3)
    return case


def norm_cases():
    yield skip_norm("basic")
    yield skip_norm("bias", bias=True)
    yield skip_norm("sum", wants_sum=True, bias=True)
    yield skip_norm("no_beta", beta=False)
    yield skip_norm("fp16", dtype=F16)
    yield skip_norm("skip2d", skip_shape=(4, 32))
    yield skip_norm("basic", simplified=True)
    yield skip_norm("sum", simplified=True, bias=True, wants_sum=True)
    yield skip_norm("fp16", simplified=True, dtype=F16)
    yield simplified_norm("3d", 2, 4, 32)
    yield simplified_norm("4d", 2, 3, 4, 16)
    yield embed_norm("basic")
    yield embed_norm("no_segments", segments=False)
    yield embed_norm("sum", wants_sum=True)
    yield embed_norm("positions", positions=True, mask=False)
    yield quantized_embed_norm()
    yield activation("bias_gelu", "BiasGelu", (3, 4, 16), bias=True)
    yield activation("gelu", "Gelu", (3, 40))
    yield activation("fast_gelu", "FastGelu", (3, 40))
    yield activation("fast_gelu_bias", "FastGelu", (3, 40), bias=True)
    yield activation("fast_gelu_fp16", "FastGelu", (3, 40), dtype=F16)
    yield activation("quick_gelu", "QuickGelu", (3, 40), alpha=1.702)
    yield activation("quick_gelu_silu", "QuickGelu", (3, 40), alpha=1.0)
    trilu = Case("trilu", "Trilu", "other", attributes={"upper": 0})
    trilu.input(trilu.normal(4, 5))
    yield trilu


# -- Products ----------------------------------------------------------------

def fused_matmul(tag, left, right, **attributes):
    case = Case(f"fused_matmul_{tag}", "FusedMatMul", "matmul")
    case.input(case.normal(*left))
    case.input(case.normal(*right))
    case.attributes = attributes
    return case


def fused_gemm(tag, weights, **attributes):
    case = Case(f"fused_gemm_{tag}", "FusedGemm", "matmul")
    case.input(case.normal(3, 8))
    case.weight(case.normal(*weights))
    case.weight(case.normal(5))
    case.attributes = attributes
    return case


def fused_conv(tag, addend=False, **attributes):
    case = Case(f"fused_conv_{tag}", "FusedConv", "conv")
    case.input(case.normal(2, 4, 7, 6))
    case.weight(case.normal(6, 4, 3, 3, scale=0.3))
    case.weight(case.normal(6))
    case.input(case.normal(2, 6, 7, 6) if addend else None)
    case.attributes = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1],
                       **attributes}
    return case


def dynamic_quantize_matmul(tag, dtype=S8, zero=True, bias=False,
                            columns=()):
    case = Case(f"dynamic_quantize_matmul_{tag}", "DynamicQuantizeMatMul",
                "quantization")
    case.input(case.normal(4, 32))
    case.weight(case.integers(dtype, 32, 12))
    case.weight((case.random.random(columns) * 0.02 + 0.005).astype(F32))
    case.weight((case.integers(dtype, *columns) // 4).astype(dtype)
                if zero else None)
    case.weight(case.normal(12) if bias else None)
    # It rounds the activations to 8 bits; halves may fall either way.
    case.loosen(1e-2, 0.3)
    return case


def dynamic_quantize_lstm(tag, steps=5, batch=2, size=6, hidden=4,
                          direction="forward", dtype=S8, columns=False,
                          lengths=None, peepholes=False, initial=False,
                          **attributes):
    case = Case(f"dynamic_quantize_lstm_{tag}", "DynamicQuantizeLSTM",
                "quantization", outputs=("Y", "Y_h", "Y_c"))
    directions = 2 if direction == "bidirectional" else 1
    case.input(case.normal(steps, batch, size))
    for rows in (size, hidden):
        case.weight(case.integers(dtype, directions, rows, 4 * hidden))
    case.weight(case.normal(directions, 8 * hidden, scale=0.1))
    case.input(None if lengths is None else np.array(lengths, I32))
    for _ in range(2):
        case.input(case.normal(directions, batch, hidden) if initial else None)
    case.weight(case.normal(directions, 3 * hidden) if peepholes else None)
    shape = (directions, 4 * hidden) if columns else (directions,)
    for _ in range(2):
        case.weight((case.random.random(shape) * 0.005 + 0.002).astype(F32))
        case.weight((case.integers(dtype, *shape) // 8).astype(dtype)
                    if not columns else np.zeros(shape, dtype))
    case.attributes = {"direction": direction, "hidden_size": hidden,
                       **attributes}
    # It rounds x and the states to 8 bits.
    case.loosen(1e-2, 2e-2)
    return case


def matmul_integer_to_float(tag, left=U8, right=S8, zeros=True, bias=False,
                            columns=()):
    case = Case(f"matmul_integer_to_float_{tag}", "MatMulIntegerToFloat",
                "quantization", atol=1e-3)
    case.input(case.integers(left, 4, 32))
    case.weight(case.integers(right, 32, 12))
    case.input(scalar(0.02))
    case.weight((case.random.random(columns) * 0.02 + 0.005).astype(F32))
    case.input(scalar(100 if left == U8 else 5, left) if zeros else None)
    case.weight(case.integers(right, *columns) if zeros else None)
    case.weight(case.normal(12) if bias else None)
    return case


def pack(places, bits):
    """Along the last axis, the first place in the lowest bits."""
    in_byte = 8 // bits
    padding = [(0, 0)] * (places.ndim - 1) + [(0, -places.shape[-1] % in_byte)]
    places = np.pad(places, padding).reshape(*places.shape[:-1], -1, in_byte)
    shifts = np.arange(in_byte, dtype=U8) * bits
    return np.bitwise_or.reduce(places.astype(U8) << shifts, axis=-1)


def matmul_nbits(bits=4, block=32, zero=None, rows=3, k=64, columns=24,
                 bias=False, dtype=F32, batch=(), **attributes):
    tag = f"{bits}bits_{block}_{zero}_{rows}x{k}"
    tag += "_bias" * bias + "_fp16" * (dtype == F16) + "_batch" * bool(batch)
    tag += "".join(f"_accuracy{v}" for v in attributes.values())
    case = Case(f"matmul_nbits_{tag}", "MatMulNBits", "weight-only")
    blocks = -(-k // block)
    case.input(case.normal(*batch, rows, k, dtype=dtype))
    case.weight(pack(case.random.integers(0, 2 ** bits,
                                          (columns, blocks, block)), bits))
    case.weight((case.random.random((columns, blocks)) * 0.1).astype(dtype))
    zeros = case.random.integers(0, 2 ** bits, (columns, blocks))
    case.weight({None: None, "packed": pack(zeros, bits),
                 "float": (zeros + 0.25).astype(dtype)}[zero])
    case.weight(None)
    case.weight(case.normal(columns, dtype=dtype) if bias else None)
    case.attributes = {"K": k, "N": columns, "bits": bits, "block_size": block,
                       **attributes}
    if dtype == F16:
        case.loosen(1e-2, 0.1)
    if attributes:
        case.loosen(1e-2, 0.3)
    return case


def gather_quantized(tag, bits=4, block=16, zero=False, dtype=F32):
    case = Case(f"gather_block_quantized_{tag}", "GatherBlockQuantized",
                "weight-only")
    words, width = 20, 32
    blocks = width // block
    case.weight(pack(case.random.integers(0, 2 ** bits, (words, width)), bits))
    case.input(case.random.integers(0, words, (2, 3)).astype(I64))
    case.weight((case.random.random((words, blocks)) * 0.1).astype(dtype))
    zeros = case.random.integers(0, 2 ** bits, (words, blocks))
    case.weight(pack(zeros, bits) if zero else None)
    case.attributes = {"block_size": block, "bits": bits, "quantize_axis": 1,
                       "gather_axis": 0}
    if dtype == F16:
        case.loosen(1e-2, 5e-3)
    return case


def product_cases():
    yield fused_matmul("alpha", (3, 8), (8, 5), alpha=0.5)
    yield fused_matmul("trans_a", (8, 3), (8, 5), transA=1)
    yield fused_matmul("trans_b", (2, 3, 8), (2, 5, 8), transB=1)
    yield fused_matmul("trans_both", (2, 8, 3), (2, 5, 8), transA=1, transB=1,
                       alpha=0.25)
    yield fused_matmul("trans_batch", (3, 2, 8), (2, 8, 5), transBatchA=1)
    yield fused_gemm("relu", (8, 5), activation="Relu")
    yield fused_gemm("leaky", (5, 8), activation="LeakyRelu",
                     activation_alpha=0.1, transB=1)
    yield fused_conv("relu", activation="Relu")
    yield fused_conv("addend", addend=True, activation="Relu")
    yield fused_conv("leaky", activation="LeakyRelu", activation_params=[0.2])
    yield fused_conv("clip", activation="Clip", activation_params=[-0.5, 1.0])
    yield fused_conv("hard_sigmoid", activation="HardSigmoid",
                     activation_params=[0.3, 0.4])
    yield dynamic_quantize_matmul("zero")
    yield dynamic_quantize_matmul("bias", zero=False, bias=True)
    yield dynamic_quantize_matmul("columns", columns=(12,))
    yield dynamic_quantize_matmul("uint8", dtype=U8)
    yield dynamic_quantize_lstm("forward")
    yield dynamic_quantize_lstm("reverse", direction="reverse", initial=True)
    yield dynamic_quantize_lstm("both", direction="bidirectional", dtype=U8)
    yield dynamic_quantize_lstm("columns", direction="bidirectional",
                                columns=True, lengths=(5, 3))
    yield dynamic_quantize_lstm("peepholes", peepholes=True)
    yield matmul_integer_to_float("zero")
    yield matmul_integer_to_float("no_zero", zeros=False)
    yield matmul_integer_to_float("columns", bias=True, columns=(12,))
    yield matmul_integer_to_float("s8s8", left=S8)
    yield matmul_integer_to_float("u8u8", right=U8)
    for bits in (2, 4, 8):
        yield matmul_nbits(bits)
        yield matmul_nbits(bits, zero="packed")
    for bits in (2, 4):
        yield matmul_nbits(bits, zero="float")
    for block in (16, 64, 128):
        yield matmul_nbits(4, block, k=128, zero="packed")
        yield matmul_nbits(8, block, k=128)
    yield matmul_nbits(4, zero="packed", rows=1, k=128)
    yield matmul_nbits(4, zero="packed", k=80)
    yield matmul_nbits(4, bias=True)
    yield matmul_nbits(4, dtype=F16)
    yield matmul_nbits(4, zero="packed", batch=(2,))
    yield matmul_nbits(4, k=128, accuracy_level=4)
    yield gather_quantized("4bits")
    yield gather_quantized("4bits_zero", zero=True)
    yield gather_quantized("8bits", bits=8)
    yield gather_quantized("8bits_zero", bits=8, zero=True)
    yield gather_quantized("2bits", bits=2)
    yield gather_quantized("4bits_fp16", block=32, dtype=F16, zero=True)


# -- Quantized tensors: one step off is allowed ------------------------------

def quantized(name, operator):
    return Case(name, operator, "quantization", rtol=0, atol=1)


def quantized_binary(operator, dtype):
    case = quantized(f"{operator.lower()}_{np.dtype(dtype).name}", operator)
    zeros = (3, -5, 7) if dtype == S8 else (120, 130, 110)
    for shape, scale, zero in (((3, 16), 0.02, zeros[0]),
                               ((16,), 0.03, zeros[1])):
        case.input(case.integers(dtype, *shape))
        case.weight(scalar(scale))
        case.weight(scalar(zero, dtype))
    case.weight(scalar(0.05))
    case.weight(scalar(zeros[2], dtype))
    return case


def quantized_unary(operator, dtype, scale=1 / 256, **attributes):
    case = quantized(f"{operator.lower()}_{np.dtype(dtype).name}", operator)
    case.input(case.integers(dtype, 3, 16))
    case.weight(scalar(0.04))
    case.weight(scalar(3 if dtype == S8 else 128, dtype))
    case.weight(scalar(scale))
    case.weight(scalar(np.iinfo(dtype).min, dtype))
    case.attributes = attributes
    return case


def quantized_gemm():
    case = quantized("qgemm_uint8", "QGemm")
    case.input(case.integers(U8, 4, 16))
    case.weight(scalar(0.02))
    case.weight(scalar(128, U8))
    case.weight(case.integers(S8, 16, 8))
    case.weight(scalar(0.01))
    case.weight(scalar(0, S8))
    case.weight(case.random.integers(-2000, 2000, 8).astype(I32))
    case.weight(scalar(0.1))
    case.weight(scalar(120, U8))
    return case


def quantized_concat():
    case = quantized("qlinearconcat_uint8", "QLinearConcat")
    case.weight(scalar(0.04))
    case.weight(scalar(100, U8))
    for rows, scale, zero in ((3, 0.02, 120), (2, 0.05, 90)):
        case.input(case.integers(U8, rows, 5))
        case.weight(scalar(scale))
        case.weight(scalar(zero, U8))
    case.attributes = {"axis": 0}
    return case


def quantized_where():
    case = quantized("qlinearwhere_uint8", "QLinearWhere")
    case.input(case.random.integers(0, 2, (3, 1)).astype(bool))
    for shape, scale, zero in (((3, 5), 0.02, 120), ((5,), 0.05, 90)):
        case.input(case.integers(U8, *shape))
        case.weight(scalar(scale))
        case.weight(scalar(zero, U8))
    case.weight(scalar(0.04))
    case.weight(scalar(100, U8))
    return case


def quantized_global_pool(tag, **attributes):
    case = quantized(f"qlinearglobalaveragepool_{tag}",
                     "QLinearGlobalAveragePool")
    case.input(case.integers(U8, 2, 4, 5, 3))
    for scale, zero in ((0.02, 120), (0.01, 110)):
        case.weight(scalar(scale))
        case.weight(scalar(zero, U8))
    case.attributes = attributes
    return case


def quantized_cases():
    yield quantized_concat()
    yield quantized_where()
    yield quantized_global_pool("first", channels_last=0)
    yield quantized_global_pool("last", channels_last=1)
    for dtype in (U8, S8):
        yield quantized_binary("QLinearAdd", dtype)
        yield quantized_binary("QLinearMul", dtype)
        yield quantized_unary("QLinearSoftmax", dtype, opset=13, axis=-1)
        yield quantized_unary("QLinearSigmoid", dtype)
    yield quantized_unary("QLinearLeakyRelu", U8, scale=0.04, alpha=0.1)
    yield quantized_gemm()
    case = quantized("quantize_uint16", "QuantizeLinear")
    case.input(case.normal(3, 16))
    case.weight(scalar(0.001))
    case.weight(scalar(30000, np.uint16))
    yield case
    case = Case("dequantize_int16", "DequantizeLinear", "quantization")
    case.input(case.integers(np.int16, 3, 16))
    case.weight(scalar(0.001))
    case.weight(scalar(100, np.int16))
    yield case


# -- Models ------------------------------------------------------------------

def make_model(case, outputs=None):
    """outputs: arrays that say the types; None leaves them out."""
    def info(name, array):
        return helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)

    names = [name for name, _, _ in case.operands]
    while not names[-1]:
        names.pop()
    node = helper.make_node(case.operator, names, list(case.outputs),
                            domain=case.domain, **case.attributes)
    wanted = [name for name in case.outputs if name]
    graph = helper.make_graph(
        [node], case.name,
        [info(n, a) for n, a, w in case.operands if n and not w],
        [onnx.ValueInfoProto(name=n) for n in wanted] if outputs is None
        else [info(n, a) for n, a in zip(wanted, outputs)],
        [numpy_helper.from_array(a, n) for n, a, w in case.operands
         if n and w])
    return helper.make_model(
        graph, ir_version=10,
        opset_imports=[helper.make_opsetid("", 17),
                       helper.make_opsetid("com.microsoft", 1)])


def run_reference(case, optimize):
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    if not optimize:
        options.graph_optimization_level = \
            ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(make_model(case).SerializeToString(),
                                   options, providers=["CPUExecutionProvider"])
    return session.run(None, {n: a for n, a, w in case.operands
                              if n and not w})


def solve(case):
    """(model, inputs, outputs) of a case. Raises if the reference is at odds
    with itself."""
    outputs = run_reference(case, optimize=True)
    for a, b in zip(outputs, run_reference(case, optimize=False)):
        np.testing.assert_allclose(a, b, rtol=case.rtol, atol=case.atol)
        assert np.isfinite(a.astype(np.float64)).all(), case.name
    inputs = [a for n, a, w in case.operands if n and not w]
    return make_model(case, outputs), inputs, outputs


def cases():
    for group in (attention_cases, norm_cases, product_cases,
                  quantized_cases):
        yield from group()
