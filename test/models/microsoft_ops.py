"""com.microsoft's operators for onnx.reference, in the precision of their inputs.

From their documentation; what no model of the tests has is missing.
"""
import math

import numpy as np
from onnx.reference.op_run import OpRun

erf = np.vectorize(math.erf, otypes=[np.float64])


def normalize(x, scale, bias, epsilon):
    x = x - x.mean(-1, keepdims=True)
    x = x / np.sqrt(np.square(x).mean(-1, keepdims=True) + epsilon)
    return x * scale + (0 if bias is None else bias)


def softmax(x):
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


class MicrosoftOp(OpRun):
    op_domain = "com.microsoft"


class BiasGelu(MicrosoftOp):
    def _run(self, x, bias):
        x = x + bias
        return ((0.5 * x * (1 + erf(x / math.sqrt(2)))).astype(x.dtype),)


class FastGelu(MicrosoftOp):
    def _run(self, x, bias=None):
        x = x if bias is None else x + bias
        cubic = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
        return ((0.5 * x * (1 + np.tanh(cubic))).astype(x.dtype),)


class FusedMatMul(MicrosoftOp):
    def _run(self, a, b, alpha=1.0, transA=0, transB=0, transBatchA=0,
             transBatchB=0):
        if transBatchA or transBatchB:
            raise NotImplementedError("FusedMatMul with transposed batches")
        a = np.swapaxes(a, -1, -2) if transA else a
        b = np.swapaxes(b, -1, -2) if transB else b
        return ((alpha * (a @ b)).astype(a.dtype),)


class SkipLayerNormalization(MicrosoftOp):
    def _run(self, x, skip, gamma, beta=None, bias=None, epsilon=1e-12):
        total = x + skip + (0 if bias is None else bias)
        result = normalize(total, gamma, beta, epsilon).astype(x.dtype)
        return (result, None, None, total)[:max(1, len(self.output))]


class EmbedLayerNormalization(MicrosoftOp):
    def _run(self, ids, segments, words, positions, types, gamma, beta,
             mask=None, position_ids=None, epsilon=1e-12, mask_index_type=0):
        if position_ids is None:
            position_ids = np.arange(ids.shape[1])[None]
        total = words[ids] + positions[position_ids] + types[segments]
        result = normalize(total, gamma, beta, epsilon).astype(words.dtype)
        index = np.zeros(len(ids), np.int32) if mask is None else mask.sum(
            1, dtype=np.int32)
        return (result, index, total)[:len(self.output)]


class Attention(MicrosoftOp):
    def _run(self, x, weights, bias, mask=None, num_heads=None, scale=0.0,
             mask_filter_value=-10000.0, **_):
        batch, length, _ = x.shape
        if mask is not None and mask.shape == (batch,):  # Numbers of tokens.
            mask = np.arange(length) < mask[:, None]
        if mask is None or mask.shape != (batch, length):
            raise NotImplementedError("this form of com.microsoft.Attention")
        hidden = weights.shape[1] // 3
        split = (x @ weights + bias).reshape(batch, length, 3, num_heads, -1)
        q, k, v = split.transpose(2, 0, 3, 1, 4)
        scale = scale or 1 / math.sqrt(hidden // num_heads)
        scores = scale * (q @ k.swapaxes(-1, -2))
        scores = scores + (1 - mask[:, None, None, :]) * mask_filter_value
        result = softmax(scores) @ v
        result = result.transpose(0, 2, 1, 3).reshape(batch, length, hidden)
        return (result.astype(x.dtype),)


def dequantize(x, scale, zero):
    zero = np.zeros((), x.dtype) if zero is None else zero
    return (x.astype(np.int32) - zero.astype(np.int32)) * scale


def quantize(x, scale, zero):
    bounds = np.iinfo(zero.dtype)
    codes = np.rint(x / scale) + zero
    return np.clip(codes, bounds.min, bounds.max).astype(zero.dtype)


class QAttention(Attention):
    def _run(self, x, weights, bias, x_scale, w_scale, mask=None, x_zero=None,
             w_zero=None, past=None, **attributes):
        return super()._run(dequantize(x, x_scale, x_zero),
                            dequantize(weights, w_scale, w_zero), bias, mask,
                            **attributes)


class QEmbedLayerNormalization(EmbedLayerNormalization):
    def _run(self, ids, segments, *parameters, **attributes):
        tables, mask = parameters[:5], parameters[5]
        real = [dequantize(*table) for table in
                zip(tables, parameters[6:11], parameters[11:16])]
        return super()._run(ids, segments, *real, mask, **attributes)


class QLinearBinary(MicrosoftOp):
    def _run(self, a, a_scale, a_zero, b, b_scale, b_zero, scale, zero):
        x = self.compute(dequantize(a, a_scale, a_zero),
                         dequantize(b, b_scale, b_zero))
        return (quantize(x, scale, zero),)


class QLinearAdd(QLinearBinary):
    compute = staticmethod(np.add)


class QLinearMul(QLinearBinary):
    compute = staticmethod(np.multiply)


class QLinearSoftmax(MicrosoftOp):
    def _run(self, x, x_scale, x_zero, scale, zero, axis=-1, opset=None):
        if axis not in (-1, x.ndim - 1):
            raise NotImplementedError("QLinearSoftmax of an inner axis")
        return (quantize(softmax(dequantize(x, x_scale, x_zero)), scale, zero),)


OPERATORS = [Attention, BiasGelu, EmbedLayerNormalization, FastGelu,
             FusedMatMul, QAttention, QEmbedLayerNormalization, QLinearAdd,
             QLinearMul, QLinearSoftmax, SkipLayerNormalization]
