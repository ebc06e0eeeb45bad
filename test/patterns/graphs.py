"""Small ONNX graphs drawn at random: a model and some sets of inputs."""
import random

import numpy as np
import onnx
from onnx import helper, numpy_helper

IR_VERSION = 8


class Graph:
    """Collects nodes; a value is its name.

    sizes: the extent of each named dim, in each set of inputs. free: the names
    whose extents the model does not know; the others are the same in all sets.
    tolerance: how much a result may be off, of the largest expected.
    """

    def __init__(self, sizes, free, opset):
        self.sizes = sizes
        self.free = set(free)
        self.opset = opset
        self.tolerance = 1e-4
        self.nodes = []
        self.constants = {}
        self.inputs = []
        self.outputs = []
        self.feeds = [{} for _ in sizes]

    def derive(self, name, operands, compute):
        """Names a dim that is compute(extents of the operands)."""
        for sizes in self.sizes:
            sizes[name] = compute(*(sizes[o] for o in operands))
        if not self.is_static(operands):
            self.free.add(name)

    def add(self, op_type, *inputs, outputs=1, **attributes):
        """One node; its output, or a list of them."""
        if self.opset < 13 and op_type in ("Squeeze", "Unsqueeze",
                                           "ReduceSum"):
            inputs, axes = inputs[:1], self.constants[inputs[1]]
            attributes["axes"] = axes.tolist()
        names = [f"{op_type.lower()}_{len(self.nodes)}_{i}"
                 for i in range(outputs)]
        self.nodes.append(helper.make_node(op_type, inputs, names,
                                           **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, value, dtype=np.float32):
        name = f"constant_{len(self.constants)}"
        self.constants[name] = np.asarray(value, dtype)
        return name

    def integers(self, *values):
        return self.constant(values, np.int64)

    def shape(self, dims, which=0):
        """The extents of dims (names, or numbers) in one set of inputs."""
        return [self.sizes[which].get(d, d) for d in dims]

    def input(self, dims, make):
        """An input whose values in each set are make(extents)."""
        name = f"input_{len(self.inputs)}"
        for which, feed in enumerate(self.feeds):
            feed[name] = np.asarray(make(self.shape(dims, which)))
        known = [d if d in self.free else self.sizes[0].get(d, d)
                 for d in dims]
        kind = helper.np_dtype_to_tensor_dtype(self.feeds[0][name].dtype)
        self.inputs.append(helper.make_tensor_value_info(name, kind, known))
        return name

    def is_static(self, dims):
        return not self.free.intersection(dims)

    def extent(self, dim, value, axis):
        """A tensor [1] with the extent of a dim, which is value's axis."""
        if self.is_static([dim]):
            return self.integers(*self.shape([dim]))
        return self.add("Gather", self.add("Shape", value),
                        self.integers(axis))

    def unsqueeze(self, x, *axes):
        return self.add("Unsqueeze", x, self.integers(*axes))

    def reduce(self, kind, x, axes, keepdims=1):
        if kind == "ReduceSum":  # Axes are an input since opset 13.
            return self.add(kind, x, self.integers(*axes), keepdims=keepdims)
        return self.add(kind, x, axes=axes, keepdims=keepdims)

    def output(self, value, dtype=np.float32):
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self.outputs.append(helper.make_tensor_value_info(value, kind, None))

    def model(self):
        graph = helper.make_graph(
            self.nodes, "pattern", self.inputs, self.outputs,
            [numpy_helper.from_array(v, n) for n, v in self.constants.items()])
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", self.opset)],
            ir_version=IR_VERSION)
        return onnx.shape_inference.infer_shapes(model)


class Draw(random.Random):
    """Choices, and arrays. A seed gives the same ones everywhere."""

    def __init__(self, seed):
        super().__init__(seed)
        self.arrays = np.random.Generator(np.random.PCG64(self.getrandbits(64)))

    def coin(self):
        return self.random() < 0.5

    def rarely(self):
        return self.random() < 0.12

    def graph(self, extents, sets=2, share=0.4):
        """A graph whose named dims have extents of these. share: how likely a
        dim is free; a number, or one by name."""
        def is_free(name):
            chance = share.get(name, 0) if isinstance(share, dict) else share
            return self.random() < chance

        free = {name for name in extents if is_free(name)}
        sizes = [{n: self.choice(e) for n, e in extents.items()}]
        for _ in range(1, sets if free else 1):
            sizes.append({n: self.choice(e) if n in free else sizes[0][n]
                          for n, e in extents.items()})
        # Before 13, softmax is over all axes from its own one on.
        return Graph(sizes, free, 12 if self.rarely() else 17)

    def normal(self, shape):
        return self.arrays.standard_normal(shape, np.float32)

    def bools(self, shape, share=0.7):
        return self.arrays.random(shape) < share

    def swapped(self, *pair):
        """The two in either order."""
        return pair if self.coin() else pair[::-1]
