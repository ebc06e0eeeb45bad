#!/usr/bin/env python3
"""Writes the ONNX files beside it with the onnx package (made with 1.23.2).

element-types.onnx: each element type as a pair of initializers with the same
elements, NAME.raw in raw_data and NAME.typed in typed fields, both encoded by
onnx.helper. newest-fields.onnx: every field that Debian's schema of opset 17
does not know.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

HERE = Path(__file__).parent
SKIPPED = {TensorProto.UNDEFINED, TensorProto.STRING}


def element_pairs():
    random = np.random.default_rng(1)
    for name, number in TensorProto.DataType.items():
        if number in SKIPPED:
            continue
        dtype = helper.tensor_dtype_to_np_dtype(number)
        # 7 elements: the last byte of a packed type is not full.
        bits = random.integers(0, 256, (7, dtype.itemsize), dtype=np.uint8)
        values = random.integers(0, 4, 7).astype(dtype)
        if number not in (TensorProto.UINT2, TensorProto.INT2, TensorProto.BOOL):
            values = random.integers(-2, 3, 7).astype(np.float32).astype(dtype)
        if dtype.kind in "iu" and dtype.itemsize > 1:
            values = bits.view(dtype).reshape(7)
        raw = onnx.numpy_helper.from_array(values, f"{name}.raw")
        typed = helper.make_tensor(f"{name}.typed", number, [7], values)
        assert raw.data_type == typed.data_type and not typed.raw_data
        yield from (raw, typed)


def newest_fields():
    node = helper.make_node("F", ["x"], ["y"], "call", domain="local",
                            overload="fast")
    node.metadata_props.add(key="scope", value="layer.0")
    node.device_configurations.add(configuration_id="gpu", pipeline_stage=1)
    attributes = [helper.make_attribute("alpha", 0.5)]
    function = helper.make_function(
        "local", "F", ["x"], ["y"],
        [helper.make_node("Relu", ["x"], ["y"])],
        [helper.make_opsetid("", 28)], ["required"], attributes,
        overload="fast", value_info=[
            helper.make_tensor_value_info("y", TensorProto.FLOAT4E2M1, ["n"])])
    function.metadata_props.add(key="from", value="test")
    graph = helper.make_graph(
        [node], "main",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT6E3M2, ["n"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT4E2M1, ["n"])])
    graph.metadata_props.add(key="graph", value="meta")
    graph.input[0].metadata_props.add(key="input", value="meta")
    graph.initializer.append(
        helper.make_tensor("w", TensorProto.UINT2, [4], [0, 1, 2, 3]))
    graph.initializer[0].metadata_props.add(key="tensor", value="meta")
    model = helper.make_model(
        graph, functions=[function],
        opset_imports=[helper.make_opsetid("", 28),
                       helper.make_opsetid("local", 1)])
    model.configuration.add(name="gpu", num_devices=1)
    return model


def main():
    tensors = list(element_pairs())
    model = helper.make_model(helper.make_graph([], "types", [], [], tensors))
    onnx.save(model, HERE / "element-types.onnx")
    onnx.save(newest_fields(), HERE / "newest-fields.onnx")


if __name__ == "__main__":
    main()
