"""Counts the floating point operations of a model's contractions.

Only those: their share of a transformer's work is what a share of the FMA peak
is about. A multiply-add counts as two.
"""
import dataclasses
import math

import onnx
import onnxruntime
from onnx import helper


def matmul(node, shapes, output):
    return 2 * math.prod(output) * shapes[0][-1]


def gemm(node, shapes, output):
    transposed = next((a.i for a in node.attribute if a.name == "transA"), 0)
    return 2 * math.prod(output) * shapes[0][0 if transposed else 1]


def convolution(node, shapes, output):
    return 2 * math.prod(output) * math.prod(shapes[1][1:])


def transposed_convolution(node, shapes, output):
    return 2 * math.prod(shapes[0]) * math.prod(shapes[1][1:])


def attention(node, shapes, output):
    """Scores and their product with the values; none are skipped."""
    query, keys = shapes[:2]
    length = keys[-2]
    if len(shapes) > 4 and shapes[4]:
        length += shapes[4][-2]  # Keys of the past.
    return 2 * length * (math.prod(query) + math.prod(output))


COUNTERS = {"MatMul": matmul, "Gemm": gemm, "Conv": convolution,
            "ConvTranspose": transposed_convolution, "Attention": attention}


@dataclasses.dataclass
class Operations:
    """Those of products with weights, and of products of activations."""
    weights: int = 0
    attention: int = 0

    def __add__(self, other):
        return Operations(self.weights + other.weights,
                          self.attention + other.attention)

    @property
    def all(self):
        return self.weights + self.attention


def constants(graph):
    """Names of the weights, and of what is computed from them alone."""
    found = {i.name for i in graph.initializer}
    for node in graph.node:
        if all(name in found for name in node.input):
            found.update(node.output)
    return found


def count(path, inputs):
    """Operations of one run on `inputs`: ONNX Runtime tells all shapes."""
    model = onnx.load(path, load_external_data=False)
    graph = model.graph
    counted = [n for n in graph.node
               if n.op_type in COUNTERS and n.domain == ""]
    fixed = constants(graph)
    names = {name for n in counted for name in [*n.input, n.output[0]] if name}
    del graph.output[:]
    for name in sorted(names):
        graph.node.append(helper.make_node("Shape", [name], [f"{name}.shape"]))
        graph.output.append(onnx.ValueInfoProto(name=f"{name}.shape"))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Given as bytes, a model has no directory to find its weights in.
    copy = path.with_name(f".{path.name}.shapes")
    try:
        onnx.save(model, copy)
        session = onnxruntime.InferenceSession(copy, options)
    finally:
        copy.unlink(missing_ok=True)
    results = session.run([f"{n}.shape" for n in sorted(names)], inputs)
    shapes = dict(zip(sorted(names), (r.tolist() for r in results)))
    operations = Operations()
    for node in counted:
        number = COUNTERS[node.op_type](
            node, [shapes.get(i, []) for i in node.input],
            shapes[node.output[0]])
        operations += (Operations(number) if fixed & set(node.input)
                       else Operations(0, number))
    return operations
