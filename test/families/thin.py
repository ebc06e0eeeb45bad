"""Graphs without their weights, and weights made up again.

A test of a family is about its graph. Weights are random anyway, so a thin
model keeps of every large float tensor only what to draw it from: name, shape,
mean and deviation.
"""
import lzma
import zlib

import numpy as np
import onnx
from onnx import external_data_helper, numpy_helper

# Smaller tensors may be tables that a computation relies on, as may those with
# few different numbers.
LEAST_ELEMENTS = 64
MARK = "normal "


def is_noise(values):
    if (values.dtype != np.float32 or values.size < LEAST_ELEMENTS
            or not np.isfinite(values).all()):
        return False
    return np.unique(values).size > min(values.size // 2, 1000)


def remove_weights(model):
    """Replaces the weights of an onnx.ModelProto by their moments."""
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if is_noise(values):
            tensor.ClearField("raw_data")
            tensor.ClearField("float_data")
            tensor.doc_string = (f"{MARK}{values.mean():.6g} "
                                 f"{values.std():.6g}")


def add_weights(model):
    for tensor in model.graph.initializer:
        if not tensor.doc_string.startswith(MARK):
            continue
        mean, deviation = map(float, tensor.doc_string[len(MARK):].split())
        rng = np.random.default_rng(zlib.crc32(tensor.name.encode()))
        values = mean + deviation * rng.standard_normal(tuple(tensor.dims))
        tensor.raw_data = values.astype("<f4").tobytes()
        tensor.doc_string = ""


def save(model, path):
    with lzma.open(path, "wb", preset=9 | lzma.PRESET_EXTREME) as file:
        file.write(model.SerializeToString(deterministic=True))


def load(path):
    with lzma.open(path) as file:
        model = onnx.load_from_string(file.read())
    add_weights(model)
    return model
