#!/usr/bin/env python3
"""Puts the pooling of a sentence encoder behind a model.

    pooled_model.py MODEL.onnx POOLED.onnx [--pooling mean|cls|max] [--keep]

The output, one row a token, becomes `sentence_embedding`, one row a sentence:
`mean` is sentence-transformers' mean over the tokens that attention_mask
counts, `max` their maximum, `cls` the first token's row. Weights that lie beside
MODEL.onnx stay there, so POOLED.onnx belongs into the same folder.
"""
import argparse
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def pool(graph, pooling, opset):
    """Nodes and initializers that continue the graph's first output."""
    tokens = graph.output[0].name
    constants = {"pool_axis": np.array([1], np.int64),
                 "pool_last": np.array([2], np.int64),
                 "pool_first": np.array(0, np.int64),
                 "pool_least": np.array(1e-9, np.float32),
                 "pool_none": np.array(-1e9, np.float32)}
    node = helper.make_node
    if pooling == "cls":
        nodes = [node("Gather", [tokens, "pool_first"], ["sentence_embedding"],
                      name="pool/Gather", axis=1)]
    else:
        nodes = [
            node("Shape", [tokens], ["pool_shape"], name="pool/Shape"),
            node("Unsqueeze", ["attention_mask", "pool_last"],
                 ["pool_column"], name="pool/Unsqueeze"),
            node("Expand", ["pool_column", "pool_shape"], ["pool_wide"],
                 name="pool/Expand")]
    if pooling == "mean":
        nodes += [
            node("Cast", ["pool_wide"], ["pool_mask"], name="pool/Cast",
                 to=TensorProto.FLOAT),
            node("Mul", [tokens, "pool_mask"], ["pool_kept"], name="pool/Mul"),
            node("ReduceSum", ["pool_kept", "pool_axis"], ["pool_sum"],
                 name="pool/ReduceSum", keepdims=0),
            node("ReduceSum", ["pool_mask", "pool_axis"], ["pool_counts"],
                 name="pool/ReduceSum_1", keepdims=0),
            node("Clip", ["pool_counts", "pool_least"], ["pool_count"],
                 name="pool/Clip"),
            node("Div", ["pool_sum", "pool_count"], ["sentence_embedding"],
                 name="pool/Div")]
    elif pooling == "max":
        nodes += [
            node("Cast", ["pool_wide"], ["pool_mask"], name="pool/Cast",
                 to=TensorProto.BOOL),
            node("Where", ["pool_mask", tokens, "pool_none"], ["pool_kept"],
                 name="pool/Where"),
            # Axes are an input from opset 18 on.
            node("ReduceMax", ["pool_kept", "pool_axis"],
                 ["sentence_embedding"], name="pool/ReduceMax", keepdims=0)
            if opset >= 18 else
            node("ReduceMax", ["pool_kept"], ["sentence_embedding"],
                 name="pool/ReduceMax", axes=[1], keepdims=0)]
    used = {name for n in nodes for name in n.input}
    return nodes, [numpy_helper.from_array(v, k) for k, v in constants.items()
                   if k in used]


def add_pooling(model, pooling, keep=False):
    graph = model.graph
    dims = graph.output[0].type.tensor_type.shape.dim
    width = dims[2].dim_value
    opset = next(o.version for o in model.opset_import if not o.domain)
    nodes, constants = pool(graph, pooling, opset)
    graph.node.extend(nodes)
    graph.initializer.extend(constants)
    batch = dims[0].dim_param or dims[0].dim_value
    sentence = helper.make_tensor_value_info(
        "sentence_embedding", TensorProto.FLOAT, [batch, width])
    if not keep:
        del graph.output[:]
    graph.output.append(sentence)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("pooled", type=pathlib.Path)
    parser.add_argument("--pooling", default="mean",
                        choices=["mean", "cls", "max"])
    parser.add_argument("--keep", action="store_true",
                        help="keep the rows of the tokens as an output")
    arguments = parser.parse_args()
    model = onnx.load(arguments.model, load_external_data=False)
    add_pooling(model, arguments.pooling, arguments.keep)
    onnx.save(model, arguments.pooled)


if __name__ == "__main__":
    main()
