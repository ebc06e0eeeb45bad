"""Graphs whose branches and loops a run decides."""
import pathlib
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper, parser

HERE = pathlib.Path(__file__).resolve().parent
SMALL = HERE / "small"
FAMILIES = HERE.parent / "families"
sys.path.insert(0, str(FAMILIES))
import thin  # noqa: E402


class Graph:
    """A model and what it is given.

    inputs and refused are functions of a generator of random numbers: lists of
    inputs, and of inputs with a part of the sentence that refuses them.
    """

    def __init__(self, name, model, inputs, refused=lambda rng: []):
        self.name = name
        self.model = model
        self.inputs = inputs
        self.refused = refused


def parse(text, opset=18):
    model = parser.parse_model(
        f'<ir_version: 9, opset_import: ["" : {opset}]>\n' + text)
    onnx.checker.check_model(model)
    return model


def floats(rng, *dims):
    return rng.standard_normal(dims, dtype=np.float32)


def choices(rng, make):
    """make(rng, size) of some sizes, with c true and false."""
    return [{"c": np.array(c), **make(rng, n)}
            for n in (1, 2, 5, 33) for c in (True, False, True)]


EQUAL_DIMS = """
agraph (bool c, float[n, 4] x) => (float[n, 4] y)
<float[4, 4] w = {1,2,3,4, 5,6,7,8, -1,-2,-3,-4, 0.5,1.5,2.5,3.5}> {
  z = If (c) <
    then_branch = t () => (float[n, 4] p) { h = MatMul(x, w) p = Relu(h) },
    else_branch = e () => (float[n, 4] q) { g = Add(x, x) q = Tanh(g) }>
  y = Softmax(z)
}"""

# The condition is computed, a branch gives what is outside, one gives a weight.
OUTER_VALUES = """
agraph (float[n, 4] x) => (float[n, 4] y, float[4] v)
<float[4] w = {1, 2, 3, 4}, float zero = {0}> {
  sum = ReduceSum <keepdims = 0> (x)
  c = Greater(sum, zero)
  outer = Mul(x, w)
  y, v = If (c) <
    then_branch = t () => (float[n, 4] p, float[4] pv) {
      p = Identity(outer) pv = Identity(w) },
    else_branch = e () => (float[n, 4] q, float[4] qv) {
      q = Neg(outer) qv = Add(w, w) }>
}"""

OTHER_DIMS = """
agraph (bool c, float[n, 4] x, float[m, 4] past)
    => (float[k, 4] y, float[k, 4] z) {
  r = If (c) <
    then_branch = t () => (float[i, 4] p) { p = Concat <axis = 0> (past, x) },
    else_branch = e () => (float[j, 4] q) { q = Mul(x, x) }>
  y = Relu(r)
  z = Softmax(r)
}"""

# Dims that the data decide in one branch; the other has fixed ones.
DATA_DIMS = """
agraph (bool c, float[n, 4] x) => (int64[2, k] where, int64[d] dims) {
  where = If (c) <
    then_branch = t () => (int64[2, i] p) { a = Relu(x) p = NonZero(a) },
    else_branch = e () => (int64[2, 1] q) {
      q = Constant <value = int64[2, 1] {7, 8}> () }>
  dims = Shape(where)
}"""

# What each branch demands of the inputs holds where it runs: m is n + k or n.
REQUIREMENTS = """
agraph (bool c, float[n, 4] x, float[k, 4] past, float[m] mask)
    => (float[total, 4] y) {
  y = If (c) <
    then_branch = t () => (float[i, 4] p) {
      all = Concat <axis = 0> (past, x)
      axes = Constant <value = int64[1] {1}> ()
      column = Unsqueeze(mask, axes)
      p = Sub(all, column) },
    else_branch = e () => (float[j, 4] q) {
      axes2 = Constant <value = int64[1] {1}> ()
      column2 = Unsqueeze(mask, axes2)
      q = Sub(x, column2) }>
}"""

NESTED = """
agraph (bool c, bool d, float[n, 4] x) => (float[k, 4] y) {
  y = If (c) <
    then_branch = t () => (float[i, 4] p) {
      p = If (d) <
        then_branch = tt () => (float[ii, 4] pp) {
          two = Concat <axis = 0> (x, x) pp = Relu(two) },
        else_branch = te () => (float[ij, 4] pq) {
          three = Concat <axis = 0> (x, x, x) pq = Abs(three) }> },
    else_branch = e () => (float[j, 4] q) { q = Neg(x) }>
}"""


def other_dims_inputs(rng):
    return choices(rng, lambda rng, n: {"x": floats(rng, n, 4),
                                        "past": floats(rng, n // 2, 4)})


def requirement_inputs(rng):
    cases = []
    for n, k in ((1, 0), (3, 2), (17, 40)):
        cases.append({"c": np.array(True), "x": floats(rng, n, 4),
                      "past": floats(rng, k, 4), "mask": floats(rng, n + k)})
        cases.append({"c": np.array(False), "x": floats(rng, n, 4),
                      "past": floats(rng, k, 4), "mask": floats(rng, n)})
    return cases


def refused_requirements(rng):
    given = {"x": floats(rng, 3, 4), "past": floats(rng, 2, 4),
             "mask": floats(rng, 4)}
    return [({"c": np.array(True), **given}, "the two sides are"),
            ({"c": np.array(False), **given}, "the two sides are")]


def nested_inputs(rng):
    return [{"c": np.array(c), "d": np.array(d), "x": floats(rng, n, 4)}
            for n in (1, 6) for c in (True, False) for d in (True, False)]


def branches():
    def plain(rng):
        return choices(rng, lambda rng, n: {"x": floats(rng, n, 4)})

    def signs(rng):
        return [{"x": sign * np.abs(floats(rng, n, 4))}
                for n in (1, 3, 50) for sign in (1, -1)]

    return [
        Graph("if-equal-dims", parse(EQUAL_DIMS), plain),
        Graph("if-outer-values", parse(OUTER_VALUES), signs),
        Graph("if-other-dims", parse(OTHER_DIMS), other_dims_inputs),
        Graph("if-data-dims", parse(DATA_DIMS), plain),
        Graph("if-requirements", parse(REQUIREMENTS), requirement_inputs,
              refused_requirements),
        Graph("if-nested", parse(NESTED), nested_inputs),
    ]


# A number of iterations that is data, what is carried, and a stack.
COUNTED = """
agraph (int64 trips, float[n, 4] x) => (float[n, 4] y, float[k, n, 4] all) {
  keep = Constant <value = bool {1}> ()
  y, all = Loop (trips, keep, x) <body = b (int64 i, bool go, float[n, 4] v)
      => (bool go_on, float[n, 4] next, float[n, 4] out) {
    go_on = Identity(go)
    f = Cast <to = 1> (i)
    one = Constant <value = float {1.0}> ()
    g = Add(f, one)
    h = Div(v, g)
    next = Tanh(h)
    out = Add(next, f) }>
}"""

# A condition that the data end, without a bound on the iterations.
CONDITION = """
agraph (float x, float limit) => (float y, int64 count) {
  go0 = Less(x, limit)
  none = Constant <value = int64 {0}> ()
  big = Constant <value = int64 {9223372036854775807}> ()
  y, count = Loop (big, go0, x, none)
    <body = b (int64 i, bool go, float v, int64 c)
        => (bool go_on, float next, int64 more) {
      two = Constant <value = float {2.0}> ()
      next = Mul(v, two)
      one = Constant <value = int64 {1}> ()
      more = Add(i, one)
      go_on = Less(next, limit) }>
}"""

# What is carried grows; the loop may end before its last iteration.
GROWING = """
agraph (int64 trips, float[n] x, float limit)
    => (float[k] y, float[m, 1] sums) {
  yes = Constant <value = bool {1}> ()
  y, sums = Loop (trips, yes, x) <body = b (int64 i, bool go, float[j] v)
      => (bool go_on, float[l] next, float[1] sum) {
    sum = ReduceSum (v)
    next = Concat <axis = 0> (v, sum)
    scalar = ReduceSum <keepdims = 0> (v)
    go_on = Less(scalar, limit) }>
}"""

# Two carried values change places, and an inner loop depends on the outer one.
NESTED_LOOPS = """
agraph (int64 trips, float[n] a, float[n] b) => (float[n] y, float[n] z) {
  yes = Constant <value = bool {1}> ()
  y, z = Loop (trips, yes, a, b)
    <body = o (int64 i, bool go, float[n] p, float[n] q)
        => (bool go_on, float[n] q2, float[n] p2) {
      go_on = Identity(go)
      one = Constant <value = int64 {1}> ()
      inner_trips = Add(i, one)
      half = Constant <value = float {0.5}> ()
      p2 = Loop (inner_trips, go, p)
        <body = u (int64 j, bool going, float[n] v) => (bool on, float[n] w) {
          on = Identity(going)
          s = Mul(v, half)
          w = Add(s, q) }>
      q2 = Identity(q) }>
}"""

# Along other axes and backwards, with a branch within.
SCAN = """
agraph (float[b, 3] h, float[b, t, 3] x, float[t, 3] w)
    => (float[b, 3] last, float[b, t, 3] y, float[t, b, 3] z) {
  last, y, z = Scan (h, x, w) <num_scan_inputs = 2, scan_input_axes = [1, 0],
                              scan_input_directions = [0, 1],
                              scan_output_axes = [1, 0], scan_output_directions = [0, 1],
                              body = s (float[b, 3] state, float[b, 3] xi, float[3] wi)
      => (float[b, 3] next, float[b, 3] out, float[b, 3] other) {
    m = Mul(xi, wi)
    sum = Add(m, state)
    zero = Constant <value = float {0.0}> ()
    total = ReduceSum <keepdims = 0> (sum)
    up = Greater(total, zero)
    next = If (up) <
      then_branch = t () => (float[b, 3] p) { p = Tanh(sum) },
      else_branch = e () => (float[b, 3] q) { q = Neg(sum) }>
    out = Add(next, xi)
    other = Identity(next) }>
}"""


def loops():
    # ONNX Runtime gives a stack of no elements other dims than those had.
    def counted(rng):
        return [{"trips": np.array(n), "x": floats(rng, size, 4)}
                for n, size in ((1, 3), (4, 1), (9, 40))]

    def condition(rng):
        return [{"x": np.array(x, np.float32),
                 "limit": np.array(limit, np.float32)}
                for x, limit in ((1, 100), (5, 2), (0.001, 3e4))]

    def growing(rng):
        return [{"trips": np.array(n), "x": np.abs(floats(rng, size)),
                 "limit": np.array(limit, np.float32)}
                for n, size, limit in ((3, 2, 1e9), (0, 5, 1), (12, 1, 40),
                                       (6, 300, 1e9), (2, 0, 1e9))]

    def nested(rng):
        return [{"trips": np.array(n), "a": floats(rng, size),
                 "b": floats(rng, size)}
                for n, size in ((0, 3), (1, 1), (2, 5), (5, 70))]

    def scanned(rng):
        return [{"h": floats(rng, b, 3), "x": floats(rng, b, t, 3),
                 "w": floats(rng, t, 3)}
                for b, t in ((1, 1), (2, 5), (3, 33))]

    return [
        Graph("loop-counted", parse(COUNTED), counted),
        Graph("loop-condition", parse(CONDITION), condition),
        Graph("loop-growing", parse(GROWING), growing),
        Graph("loop-nested", parse(NESTED_LOOPS), nested),
        Graph("loop-scan", parse(SCAN), scanned),
    ]


# What optimum makes of a decoder and the same decoder with a cache: one If
# whose branches are the decoders, and weights that both share outside of it.

def without_cache(decoder):
    """The decoder for the first tokens: its caches are empty."""
    graph = onnx.GraphProto()
    graph.CopyFrom(decoder)
    caches = [i.name for i in graph.input if i.name.startswith("past")]
    heads, size = (graph.input[-1].type.tensor_type.shape.dim[d].dim_value
                   for d in (1, 3))
    rest = numpy_helper.from_array(np.array([heads, 0, size]), "empty_rest")
    graph.initializer.append(rest)
    graph.node.insert(0, helper.make_node("Shape", ["input_ids"],
                                          ["empty_batch"], start=0, end=1))
    graph.node.insert(1, helper.make_node(
        "Concat", ["empty_batch", "empty_rest"], ["empty_dims"], axis=0))
    for place, name in enumerate(caches):
        graph.node.insert(2 + place, helper.make_node(
            "ConstantOfShape", ["empty_dims"], [name]))
    return graph


def as_branch(graph, prefix, outer):
    """The graph without inputs and weights, its own names prefixed."""
    known = {i.name for i in outer.input} | {i.name for i in outer.initializer}
    branch = onnx.GraphProto()
    branch.CopyFrom(graph)
    branch.name = prefix
    del branch.input[:], branch.initializer[:], branch.value_info[:]

    def rename(names, made):
        for i, name in enumerate(names):
            if name and (name in made or name not in known):
                names[i] = f"{prefix}/{name}"

    made = {name for node in branch.node for name in node.output}
    for node in branch.node:
        if node.name:
            node.name = f"{prefix}/{node.name}"
        rename(node.input, made)
        rename(node.output, made)
    for output in branch.output:
        output.name = f"{prefix}/{output.name}"
    return branch


def merged_decoder(name):
    decoder = onnx.load(SMALL / f"{name}.onnx")
    first = without_cache(decoder.graph)
    merged = onnx.ModelProto()
    merged.CopyFrom(decoder)
    outer = merged.graph
    del outer.node[:], outer.initializer[:], outer.value_info[:]
    weights = {i.name: i for i in [*decoder.graph.initializer,
                                   *first.initializer]}
    outer.initializer.extend(weights.values())
    # The mask is as long as the tokens, with the cached ones or alone.
    mask = next(i for i in outer.input if i.name == "attention_mask")
    mask.type.tensor_type.shape.dim[1].dim_param = "mask_length"
    for output in outer.output[1:]:
        output.type.tensor_type.shape.dim[2].dim_param = "present_length"
    outer.input.append(helper.make_tensor_value_info(
        "use_cache_branch", onnx.TensorProto.BOOL, [1]))
    outer.node.append(helper.make_node(
        "If", ["use_cache_branch"], [o.name for o in outer.output], "If",
        then_branch=as_branch(decoder.graph, "with_past", outer),
        else_branch=as_branch(first, "no_past", outer)))
    onnx.checker.check_model(merged)
    return merged


def decoder_inputs(model):
    def make(rng):
        cases = []
        for batch, past, new in ((1, 0, 5), (1, 5, 1), (2, 0, 7), (2, 7, 3),
                                 (3, 31, 1), (1, 1, 1)):
            cases.append(decoder_case(model, rng, batch, past, new, past > 0))
        # The cache that nobody reads may have any length.
        cases.append(decoder_case(model, rng, 2, 1, 4, False))
        return cases
    return make


def decoder_case(model, rng, batch, past, new, uses_cache):
    total = past + new if uses_cache else new
    inputs = {"input_ids": rng.integers(0, 160, (batch, new)),
              "attention_mask": np.ones((batch, total), np.int64),
              "position_ids": np.arange(total - new, total)[None].repeat(
                  batch, axis=0),
              "use_cache_branch": np.array([uses_cache])}
    for i in model.graph.input:
        if i.name.startswith("past"):
            dims = [d.dim_value for d in i.type.tensor_type.shape.dim]
            inputs[i.name] = floats(rng, batch, dims[1], past, dims[3])
    return inputs


# The same of an encoder-decoder, whose two decoders read other inputs and whose
# later steps have no new keys and values of the encoder.

def share_weights(graphs):
    """All weights; those of one name that differ get names of their own."""
    weights = {}
    for number, graph in enumerate(graphs):
        renamed = {}
        for weight in graph.initializer:
            if weights.setdefault(weight.name, weight) != weight:
                renamed[weight.name] = f"{weight.name}.{number}"
                weight.name = renamed[weight.name]
                weights[weight.name] = weight
        for node in graph.node:
            for i, name in enumerate(node.input):
                node.input[i] = renamed.get(name, name)
    return list(weights.values())


def merged_pair(first, later):
    merged = onnx.ModelProto()
    merged.CopyFrom(later)
    outer = merged.graph
    del outer.node[:], outer.initializer[:], outer.value_info[:]
    outer.initializer.extend(share_weights([first.graph, later.graph]))
    known = {i.name for i in outer.input}
    outer.input.extend(i for i in first.graph.input if i.name not in known)
    outer.input.append(helper.make_tensor_value_info(
        "use_cache_branch", onnx.TensorProto.BOOL, [1]))
    # A first step reads no cache: these have any length then.
    for i in outer.input:
        if ".encoder." in i.name:
            i.type.tensor_type.shape.dim[2].dim_param = "cached_source"
    made = {o.name for o in later.graph.output}
    for output in first.graph.output:
        if output.name not in made:
            heads, size = (output.type.tensor_type.shape.dim[d].dim_value
                           for d in (1, 3))
            nothing = np.zeros((0, heads, 1, size), np.float32)
            later.graph.node.append(helper.make_node(
                "Constant", [], [output.name],
                value=numpy_helper.from_array(nothing)))
    del outer.output[:], later.graph.output[:]
    later.graph.output.extend(first.graph.output)
    for output in first.graph.output:
        rank = len(output.type.tensor_type.shape.dim)
        outer.output.append(helper.make_tensor_value_info(
            output.name, onnx.TensorProto.FLOAT,
            [f"{output.name}.{d}" for d in range(rank)]))
    outer.node.append(helper.make_node(
        "If", ["use_cache_branch"], [o.name for o in outer.output], "If",
        then_branch=as_branch(later.graph, "with_past", outer),
        else_branch=as_branch(first.graph, "no_past", outer)))
    onnx.checker.check_model(merged)
    return merged


def pair_inputs(model):
    def case(rng, batch, source, past, new, uses_cache):
        sizes = {"batch": batch, "source": source, "sequence": new,
                 "past": past, "cached_source": source if uses_cache else 1}
        inputs = {"use_cache_branch": np.array([uses_cache])}
        for i in model.graph.input:
            dims = [sizes[d.dim_param] if d.dim_param else d.dim_value
                    for d in i.type.tensor_type.shape.dim]
            if i.name == "encoder_attention_mask":
                inputs[i.name] = np.ones(dims, np.int64)
                inputs[i.name][0, source - source // 3:] = 0
            elif i.name == "decoder_input_ids":
                inputs[i.name] = rng.integers(0, 160, dims)
            elif i.name != "use_cache_branch":
                inputs[i.name] = floats(rng, *dims)
        return inputs

    def make(rng):
        return [case(rng, *sizes) for sizes in (
            (1, 7, 1, 1, False), (1, 7, 1, 1, True), (2, 12, 9, 1, True),
            (3, 5, 2, 4, True), (2, 33, 1, 6, False), (1, 1, 30, 1, True))]
    return make


def decoders():
    graphs = []
    for exporter in ("ts17", "dynamo18", "dynamo23"):
        model = merged_decoder(f"gpt2-past-{exporter}")
        graphs.append(Graph(f"merged-gpt2-{exporter}", model,
                            decoder_inputs(model)))
    model = merged_pair(*(thin.load(FAMILIES / "graphs" / f"{name}.onnx.xz")
                          for name in ("t5-decoder-ts", "t5-decoder-past-ts")))
    graphs.append(Graph("merged-t5-ts", model, pair_inputs(model)))
    return graphs


def all_graphs():
    return branches() + loops() + decoders()
