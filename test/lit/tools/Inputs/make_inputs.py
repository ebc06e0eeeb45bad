#!/usr/bin/env python3
"""Writes the ONNX file beside it with the onnx package (made with 1.23.2).

unsupported.onnx: two nodes that txc has no builder for, around one it has.
"""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

HERE = Path(__file__).parent


def unsupported():
    nodes = [
        helper.make_node("Frobnicate", ["x"], ["a"], name="first",
                         domain="com.example"),
        helper.make_node("Add", ["a", "x"], ["b"], name="sum"),
        helper.make_node("StringNormalizer", ["b"], ["y"], name="last"),
    ]
    graph = helper.make_graph(
        nodes, "unsupported",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])])
    return helper.make_model(
        graph, ir_version=10, producer_name="",
        opset_imports=[helper.make_opsetid("", 21),
                       helper.make_opsetid("com.example", 1)])


onnx.save(unsupported(), HERE / "unsupported.onnx")
