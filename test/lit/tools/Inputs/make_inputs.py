#!/usr/bin/env python3
"""Writes the ONNX files beside it with the onnx package (made with 1.23.2).

unsupported.onnx: two nodes that txc has no builder for, around one it has.
axes.onnx: a sum whose axes are an input.
narrow.onnx: a search among numbers that share bytes, which no code reads.
bytes.onnx: a product of bytes.
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


def one_node(name, node, inputs, output):
    graph = helper.make_graph(
        [node], name,
        [helper.make_tensor_value_info(*value) for value in inputs],
        [helper.make_tensor_value_info(*output)])
    return helper.make_model(graph, ir_version=10, producer_name="",
                             opset_imports=[helper.make_opsetid("", 24)])


def axes():
    return one_node(
        "axes", helper.make_node("ReduceSum", ["x", "axes"], ["y"],
                                 name="sum", keepdims=0),
        [("x", TensorProto.FLOAT, ["n", 4]), ("axes", TensorProto.INT64, [1])],
        ("y", TensorProto.FLOAT, [None]))


def narrow():
    graph = helper.make_graph(
        [helper.make_node("TopK", ["x", "k"], ["y", "i"], name="node")],
        "narrow",
        [helper.make_tensor_value_info("x", TensorProto.INT4, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.INT4, None)],
        [helper.make_tensor("k", TensorProto.INT64, [1], [2])])
    return helper.make_model(graph, ir_version=10, producer_name="",
                             opset_imports=[helper.make_opsetid("", 24)])


def bytes_product():
    weight = helper.make_tensor("w", TensorProto.INT8, [4, 2], range(8))
    model = one_node(
        "bytes", helper.make_node("MatMulInteger", ["x", "w"], ["y"],
                                  name="product"),
        [("x", TensorProto.UINT8, ["n", 4])],
        ("y", TensorProto.INT32, ["n", 2]))
    model.graph.initializer.append(weight)
    return model


onnx.save(axes(), HERE / "axes.onnx")
onnx.save(narrow(), HERE / "narrow.onnx")
onnx.save(unsupported(), HERE / "unsupported.onnx")
onnx.save(bytes_product(), HERE / "bytes.onnx")
