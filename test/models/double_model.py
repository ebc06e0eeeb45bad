"""Evaluates a float32 model in float64: what rounding alone explains."""
import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator

FLOAT, DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE


def widen_tensor(tensor):
    if tensor.data_type == FLOAT:
        wide = numpy_helper.to_array(tensor).astype(np.float64)
        tensor.CopyFrom(numpy_helper.from_array(wide, tensor.name))


def widen_node(node):
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.TENSOR:
            widen_tensor(attribute.t)
        elif attribute.type == onnx.AttributeProto.GRAPH:
            widen_graph(attribute.g)
        elif attribute.name in ("to", "softmax_precision",
                                "dtype") and attribute.i == FLOAT:
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
        if value.type.tensor_type.elem_type == FLOAT:
            value.type.tensor_type.elem_type = DOUBLE


def evaluator(path):
    """A function from inputs to outputs, both by name."""
    model = onnx.load(path)
    widen_graph(model.graph)
    reference = ReferenceEvaluator(model)

    def run(inputs):
        wide = {k: v.astype(np.float64) if v.dtype == np.float32 else v
                for k, v in inputs.items()}
        return dict(zip(reference.output_names, reference.run(None, wide)))

    return run
