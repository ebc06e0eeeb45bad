"""Makes inputs for a transformer from what its graph says about them."""
import zlib

import numpy as np
from onnx import helper


def table_rows(graph):
    """Rows of the table each input is an index into, by the input's name.

    The input may pass through operators that keep its values, the table
    through those that decode it.
    """
    sizes = {i.name: i.dims[0] for i in graph.initializer if i.dims}
    for node in graph.node:
        if node.op_type in ("Cast", "DequantizeLinear", "Mul"):
            if node.input[0] in sizes:
                sizes[node.output[0]] = sizes[node.input[0]]
    source = {i.name: i.name for i in graph.input}
    rows = {}
    for node in graph.node:
        if node.op_type in ("Cast", "Identity", "Reshape", "Unsqueeze"):
            if node.input[0] in source:
                source[node.output[0]] = source[node.input[0]]
        elif node.op_type == "Gather" and node.input[0] in sizes:
            if name := source.get(node.input[1]):
                size = sizes[node.input[0]]
                rows[name] = min(size, rows.get(name, size))
        elif node.op_type in ("EmbedLayerNormalization",
                              "QEmbedLayerNormalization"):
            for index, table in ((0, 2), (1, 4)):
                if name := source.get(node.input[index]):
                    rows[name] = sizes[node.input[table]]
    return rows


class Generator:
    """Inputs of any batch and length. The same arguments, the same values."""

    def __init__(self, model):
        graph = model.graph
        constants = {i.name for i in graph.initializer}
        self.inputs = [i for i in graph.input if i.name not in constants]
        self.rows = table_rows(graph)
        # [batch, length] tokens; images have no length.
        self.has_length = any(len(self.dims(i)) == 2 for i in self.inputs)

    @staticmethod
    def dims(info):
        return info.type.tensor_type.shape.dim

    def make(self, batch, length, ragged=True):
        """One array for each input.

        The first free axis is the batch, any other the length. ragged: the
        rows of a mask are of different lengths, or of those it lists.
        """
        rng = np.random.default_rng([batch, length or 0])
        # One full row, one of a single token where there are enough rows.
        valid = np.maximum(1, rng.integers(0, (length or 0) + 1, batch))
        valid[0] = length or 0
        if batch > 2:
            valid[-1] = 1
        if not ragged:
            valid[:] = length or 0
        elif ragged is not True:
            valid[:] = ragged
        return {i.name: self.values(i, batch, length, valid)
                for i in self.inputs}

    def values(self, info, batch, length, valid):
        free = iter([batch])
        shape = [d.dim_value if d.HasField("dim_value")
                 else next(free, length) for d in self.dims(info)]
        dtype = helper.tensor_dtype_to_np_dtype(
            info.type.tensor_type.elem_type)
        rng = np.random.default_rng([zlib.crc32(info.name.encode()), *shape])
        if np.dtype(dtype).kind == "f":
            return rng.standard_normal(shape).astype(dtype)
        if "mask" in info.name:
            return (np.arange(length) < valid[:, None]).astype(dtype)
        if "position" in info.name:
            return np.broadcast_to(np.arange(length), shape).astype(dtype)
        rows = self.rows.get(info.name)
        if rows is None:
            raise ValueError(f"no table is read at input {info.name}: its "
                             f"range is not known")
        return rng.integers(0, rows, shape).astype(dtype)
