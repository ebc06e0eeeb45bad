"""A random valid graph that grows node by node."""
import random

import numpy as np
import onnx
from onnx import helper, numpy_helper

from values import Refused, Value, evaluate, is_float

IR_VERSION = 10
# Odd on purpose, and zero-size now and then.
EXTENTS = (1, 1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 33)
FLOATS = ("float32",) * 8 + ("float16", "float64")
INTEGERS = ("int64", "int64", "int32", "int8", "uint8", "int16", "uint16",
            "uint32", "uint64")
DOUBLE = onnx.TensorProto.DOUBLE


class Graph(random.Random):
    """Draws values and adds nodes. The same seed, the same graph."""

    def __init__(self, seed, opset):
        super().__init__(str(seed))
        self.arrays = np.random.default_rng(self.getrandbits(64))
        self.opset = opset
        self.values = []
        self.inputs = []
        self.constants = []
        self.nodes = []
        self.used = set()

    def coin(self):
        return self.random() < 0.5

    def rarely(self, chance=0.1):
        return self.random() < chance

    # Values

    def extent(self):
        return 0 if self.rarely(0.01) else self.choice(EXTENTS)

    def shape(self, rank=None):
        rank = self.choice((1, 2, 2, 3, 3, 3, 4)) if rank is None else rank
        shape = [self.extent() for _ in range(rank)]
        while np.prod(shape) > 4096:
            shape[self.randrange(rank)] = 1
        return tuple(shape)

    def numbers(self, shape, dtype="float32"):
        dtype = np.dtype(dtype)
        if dtype == bool:
            return self.arrays.random(shape) < 0.6
        if is_float(dtype):
            return (self.arrays.integers(-12, 13, shape) / 4).astype(dtype)
        low = 0 if dtype.kind == "u" else -9
        return self.arrays.integers(low, 10, shape).astype(dtype)

    def input(self, array):
        value = Value(f"input_{len(self.inputs)}", np.asarray(array))
        self.inputs.append(value)
        self.values.append(value)
        return value

    def constant(self, array, dtype=None):
        value = Value(f"constant_{len(self.constants)}",
                      np.asarray(array, dtype), is_constant=True)
        self.constants.append(value)
        return value

    def integers(self, *numbers):
        return self.constant(numbers, np.int64)

    def fresh(self, shape, dtype):
        """An input, or a constant now and then."""
        array = self.numbers(shape, dtype)
        return self.constant(array) if self.rarely(0.25) else self.input(array)

    def pick(self, accepts, dtype="float32", rank=None):
        """A value that a predicate accepts, made new if there is none."""
        found = [v for v in self.values[-12:] if accepts(v)]
        if found and not self.rarely(0.08):
            return self.choice(found)
        return self.fresh(self.shape(rank), dtype)

    def number(self, rank=None, least=0):
        """Floats of a rank, or of a least one."""
        def accepts(v):
            return is_float(v.dtype) and v.rank >= least and (
                rank is None or v.rank == rank)
        if rank is None and least:
            rank_drawn = self.randint(least, max(least, 4))
        else:
            rank_drawn = rank
        return self.pick(accepts, self.choice(FLOATS), rank_drawn)

    def any(self, least=0):
        return self.pick(lambda v: v.rank >= least, self.choice(
            (*FLOATS, *INTEGERS, "bool")),
            self.randint(least, max(least, 4)) if least else None)

    def of_kind(self, kinds, dtypes, least=0):
        return self.pick(lambda v: v.dtype.kind in kinds and v.rank >= least
                         and v.dtype.name in dtypes, self.choice(dtypes),
                         self.randint(max(least, 1), 4))

    def integer(self):
        return self.of_kind("iu", ("int32", "int64"))

    def boolean(self):
        return self.of_kind("b", ("bool",))

    def axis(self, rank):
        return self.randrange(-rank, rank)

    def axes(self, rank):
        chosen = self.sample(range(rank), self.randint(1, rank))
        return [a - rank if self.coin() else a for a in chosen]

    def broadcast_partner(self, value, dtype=None):
        """A value of the same type that broadcasts with it."""
        dtype = dtype or value.dtype

        def fits(v):
            if v.dtype != dtype:
                return False
            pairs = zip(reversed(v.shape), reversed(value.shape))
            return all(a == b or 1 in (a, b) for a, b in pairs)
        found = [v for v in self.values if fits(v)]
        if found and self.random() < 0.7:
            return self.choice(found)
        kept = value.shape[self.randint(0, value.rank):]
        return self.fresh(tuple(1 if self.rarely(0.2) else n for n in kept),
                          dtype)

    # Nodes

    def add(self, op_type, *operands, outputs=1, domain="", **attributes):
        """One node, or Refused. Operands that are None are left out."""
        names = [f"{op_type.lower()}_{len(self.nodes)}_{i}"
                 for i in range(outputs)]
        node = helper.make_node(op_type, [v.name if v else "" for v in operands],
                                names, domain=domain, **attributes)
        given = {v.name: v for v in operands if v}
        model = self.single(node, given.values())
        results, errors = evaluate(model, self.single_wide(node, given.values()),
                                   list(given.values()), self.arrays)
        types = onnx.shape_inference.infer_shapes(
            model, strict_mode=True).graph.value_info
        for result, error, name in zip(results, errors, names):
            kind = next((t.type.tensor_type.elem_type for t in types
                         if t.name == name), None)
            if kind and helper.tensor_dtype_to_np_dtype(kind) != result.dtype:
                raise Refused("the reference gives another type")
            self.values.append(Value(name, result, error))
        self.nodes.append(node)
        self.used.update(given)
        return self.values[-outputs:]

    def model_of(self, nodes, inputs, outputs, constants=()):
        def info(value, shape):
            return helper.make_tensor_value_info(
                value.name, helper.np_dtype_to_tensor_dtype(value.dtype), shape)
        graph = helper.make_graph(
            nodes, "generated", [info(v, v.shape) for v in inputs],
            [info(v, [None] * v.rank) for v in outputs],
            [numpy_helper.from_array(v.array, v.name) for v in constants])
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", self.opset)],
            ir_version=IR_VERSION)

    def single(self, node, operands):
        graph = helper.make_graph(
            [node], "one", [helper.make_tensor_value_info(
                v.name, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
                for v in operands],
            [onnx.ValueInfoProto(name=n) for n in node.output])
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", self.opset)],
            ir_version=IR_VERSION)

    def single_wide(self, node, operands):
        """None for a node whose result would not be the same in float64."""
        if node.op_type in ("Cast", "QuantizeLinear", "DynamicQuantizeLinear"):
            return None
        operands = [Value(v.name, v.array.astype(np.float64))
                    if is_float(v.dtype) else v for v in operands]
        return self.single(node, operands)

    def model(self):
        """The whole graph; what no node reads is an output."""
        made = {name for node in self.nodes for name in node.output}
        outputs = [v for v in self.values
                   if v.name in made and v.name not in self.used]
        return self.model_of(
            self.nodes, [v for v in self.inputs if v.name in self.used],
            outputs, [v for v in self.constants if v.name in self.used]), outputs
