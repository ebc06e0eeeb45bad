"""Evaluates a float32 or float16 model in float64: what rounding explains."""
import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

import microsoft_ops

NARROW = (TensorProto.FLOAT, TensorProto.FLOAT16)
DOUBLE = TensorProto.DOUBLE


class DequantizeLinear(OpRun):
    """onnx.reference has it from opset 19 on."""

    def _run(self, x, scale, zero_point=None, axis=1, **_):
        if scale.size > 1:
            shape = [1] * x.ndim
            shape[axis] = scale.size
            scale = scale.reshape(shape)
            if zero_point is not None:
                zero_point = zero_point.reshape(shape)
        return (microsoft_ops.dequantize(x, scale, zero_point),)


class QuantizeLinear(OpRun):
    """onnx.reference's computes in float32."""

    def _run(self, x, scale, zero_point, **_):
        if scale.size > 1:
            raise NotImplementedError("QuantizeLinear with an axis")
        return (microsoft_ops.quantize(x, scale, zero_point),)


def widen_tensor(tensor):
    if tensor.data_type in NARROW:
        wide = numpy_helper.to_array(tensor).astype(np.float64)
        tensor.CopyFrom(numpy_helper.from_array(wide, tensor.name))


def widen_node(node):
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.TENSOR:
            widen_tensor(attribute.t)
        elif attribute.type == onnx.AttributeProto.GRAPH:
            widen_graph(attribute.g)
        elif attribute.name in ("to", "softmax_precision",
                                "dtype") and attribute.i in NARROW:
            attribute.i = DOUBLE
        elif attribute.name in ("value_float", "value_floats"):
            values = (attribute.f if attribute.name == "value_float"
                      else attribute.floats)
            array = numpy_helper.from_array(np.array(values, np.float64))
            attribute.CopyFrom(onnx.helper.make_attribute("value", array))


def widen_graph(graph):
    for tensor in graph.initializer:
        widen_tensor(tensor)
    for node in graph.node:
        widen_node(node)
    for value in [*graph.input, *graph.output, *graph.value_info]:
        if value.type.tensor_type.elem_type in NARROW:
            value.type.tensor_type.elem_type = DOUBLE


def evaluator(path):
    """A function from inputs to outputs, both by name."""
    model = onnx.load(path)
    widen_graph(model.graph)
    reference = ReferenceEvaluator(
        model, new_ops=[DequantizeLinear, QuantizeLinear,
                        *microsoft_ops.OPERATORS])

    def run(inputs):
        wide = {k: v.astype(np.float64) if v.dtype.kind == "f" else v
                for k, v in inputs.items()}
        return dict(zip(reference.output_names, reference.run(None, wide)))

    return run
