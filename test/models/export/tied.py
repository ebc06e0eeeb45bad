#!/usr/bin/env python3
"""Makes ../small/tied.onnx and tied.npz: one table read in two ways.

logits = tanh(table[ids] W + b) tableᵀ. The table must be stored once, though a
Gather reads its rows and a MatMul its transpose. The reference is NumPy's, in
float64.
"""
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALL = pathlib.Path(__file__).resolve().parent.parent / "small"
VOCABULARY, HIDDEN = 211, 40


def main():
    random = np.random.default_rng(7)
    table = random.standard_normal((VOCABULARY, HIDDEN), np.float32)
    weight = random.standard_normal((HIDDEN, HIDDEN), np.float32) / 6
    bias = random.standard_normal(HIDDEN, np.float32)

    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["rows"], "embed"),
        helper.make_node("MatMul", ["rows", "weight"], ["product"], "project"),
        helper.make_node("Add", ["product", "bias"], ["sum"], "bias_add"),
        helper.make_node("Tanh", ["sum"], ["hidden"], "activate"),
        helper.make_node("Transpose", ["table"], ["columns"], "tie",
                         perm=[1, 0]),
        helper.make_node("MatMul", ["hidden", "columns"], ["logits"], "head"),
    ]
    shape = ["batch", "sequence"]
    graph = helper.make_graph(
        nodes, "tied",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT,
                                       [*shape, VOCABULARY])],
        [numpy_helper.from_array(a, n) for a, n in
         ((table, "table"), (weight, "weight"), (bias, "bias"))])
    model = helper.make_model(graph, ir_version=8, producer_name="txc tests",
                              opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, SMALL / "tied.onnx")

    arrays = {}
    wide = [a.astype(np.float64) for a in (table, weight, bias)]
    for batch, length in ((1, 1), (1, 9), (3, 5)):
        ids = random.integers(-VOCABULARY, VOCABULARY, (batch, length))
        hidden = np.tanh(wide[0][ids] @ wide[1] + wide[2])
        label = f"batch_{batch}_sequence_{length}"
        arrays[f"{label}/in/ids"] = ids
        arrays[f"{label}/out/logits"] = (hidden @ wide[0].T).astype(np.float32)
    np.savez_compressed(SMALL / "tied.npz", **arrays)


if __name__ == "__main__":
    main()
