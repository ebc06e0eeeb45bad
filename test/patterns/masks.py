"""What is done to attention scores between the product and the softmax."""
import numpy as np
from onnx import TensorProto

LOWEST = float(np.finfo(np.float32).min)
INFINITE = float("-inf")


class Masks:
    """Draws masks for scores [*batch, S, T].

    queries, keys: values whose axis -2 is S, or T; past: one whose axis -2 is
    P, the number of keys before that of the first query, or None.
    """

    def __init__(self, draw, graph, batch, queries, keys, past):
        self.draw = draw
        self.graph = graph
        self.batch = batch
        # Sums of other fills would round in the order they are added in.
        low = draw.choice([-1e30, -1e9, -1e4])
        self.fills = [INFINITE, INFINITE, LOWEST, LOWEST, low]
        if low == -1e4:  # A row that has it everywhere: f32 has steps of 1e-3.
            graph.tolerance = max(graph.tolerance, 4e-3)
        self.queries = queries
        self.keys = keys
        self.past = past

    def apply(self, scores):
        """The scores with one more mask."""
        draw, graph = self.draw, self.graph
        way = draw.choice(["select"] * 3 + ["add"] * 4 + ["invert", "bias"])
        if way == "bias":
            bias = self.input(draw.normal)
            return graph.add("Add", *draw.swapped(scores, bias))
        condition = self.condition()
        fill = draw.choice(self.fills)
        if way == "invert":  # 0 * -inf is no number.
            fill = max(fill, LOWEST)
        fill = graph.constant(fill)
        if way == "select":
            return self.where(condition, scores, fill)
        if way == "add":
            mask = self.where(condition, graph.constant(0), fill)
            if draw.rarely():
                mask = self.expand(mask)
        else:  # (1 - m) * fill
            numbers = graph.add("Cast", condition, to=TensorProto.FLOAT)
            rest = graph.add("Sub", graph.constant(1), numbers)
            mask = graph.add("Mul", *draw.swapped(rest, fill))
        return graph.add("Add", *draw.swapped(scores, mask))

    def where(self, condition, kept, fill):
        if self.draw.coin():
            return self.graph.add("Where", condition, kept, fill)
        return self.graph.add("Where", self.graph.add("Not", condition), fill,
                              kept)

    def some_dims(self):
        """Dims that broadcast to the scores'."""
        draw = self.draw
        batch = [draw.choice([d, 1]) for d in self.batch]
        places = draw.choice([[1, "T"], [1, "T"], ["S", "T"], ["S", "T"],
                              ["S", 1]])
        dims = batch + places
        while dims[0] == 1 and len(dims) > 1 and draw.coin():
            dims = dims[1:]
        return dims

    def input(self, make):
        return self.graph.input(self.some_dims(), make)

    def condition(self, depth=0):
        """True where a key counts."""
        draw, graph = self.draw, self.graph
        if depth < 2 and draw.random() < 0.35:
            parts = self.condition(depth + 1), self.condition(depth + 1)
            way = draw.choice(["And", "And", "And", "De Morgan", "Or", "Xor",
                               "Where"])
            if way == "De Morgan":
                either = graph.add("Or", *(graph.add("Not", p) for p in parts))
                return graph.add("Not", either)
            if way == "Where":
                return graph.add("Where", parts[0], parts[1],
                                 graph.constant(False, bool))
            return graph.add(way, *parts)
        condition = draw.choice([self.padding, self.padding, self.causal,
                                 self.causal, self.window, self.table,
                                 self.lengths, self.fixed])()
        return self.expand(condition) if draw.rarely() else condition

    def expand(self, value):
        """All of [S, T], also of more dims, where their extents are known."""
        graph = self.graph
        dims = [graph.extent("S", self.queries, -2),
                graph.extent("T", self.keys, -2)]
        if self.batch and graph.is_static(self.batch) and self.draw.coin():
            dims.insert(0, graph.integers(*graph.shape(self.batch)))
        return graph.add("Expand", value, graph.add("Concat", *dims, axis=0))

    def padding(self):
        draw, graph = self.draw, self.graph
        kind = draw.choice(["bool", "int64", "float"])
        if kind == "bool":
            return self.input(draw.bools)
        values = self.input(lambda shape: draw.bools(shape).astype(
            np.int64 if kind == "int64" else np.float32))
        if draw.coin():
            return graph.add("Cast", values, to=TensorProto.BOOL)
        zero = graph.constant(0, np.dtype(kind if kind == "int64"
                                          else np.float32))
        if draw.coin():
            return graph.add("Greater", values, zero)
        return graph.add("Not", graph.add("Equal", values, zero))

    def range(self, dim, value):
        graph = self.graph
        if graph.is_static([dim]) and self.draw.coin():
            return graph.integers(*range(*graph.shape([dim])))
        end = graph.add("Squeeze", graph.extent(dim, value, -2),
                        graph.integers(0))
        return graph.add("Range", graph.constant(0, np.int64), end,
                         graph.constant(1, np.int64))

    def places(self):
        """The places of queries, [S, 1], and of keys, [T]."""
        draw, graph = self.draw, self.graph
        rows = self.range("S", self.queries)
        if draw.coin():
            if self.past and draw.random() < 0.7:
                offset = graph.extent("P", self.past, -2)
            else:
                offset = graph.integers(draw.choice([-2, -1, 1, 2]))
            rows = graph.add("Add", *draw.swapped(rows, offset))
        rows = graph.unsqueeze(rows, 1)
        columns = self.range("T", self.keys)
        if draw.rarely():
            columns = graph.add("Mul", columns, graph.integers(2))
        if draw.coin():
            rows = graph.unsqueeze(rows, 0, 1)
        if draw.coin():
            columns = graph.unsqueeze(columns, 0)
        return rows, columns

    def compare(self, lower, upper):
        """lower <= upper in one of its ways, or nearly."""
        draw, graph = self.draw, self.graph
        if draw.rarely():
            lower, upper = upper, lower
        way = draw.choice(["le", "ge", "not gt", "lt"])
        if way == "le":
            return graph.add("LessOrEqual", lower, upper)
        if way == "ge":
            return graph.add("GreaterOrEqual", upper, lower)
        if way == "not gt":
            return graph.add("Not", graph.add("Greater", lower, upper))
        return graph.add("Less", lower, upper)

    def causal(self):
        rows, columns = self.places()
        return self.compare(columns, rows)

    def window(self):
        """Neighbours on both sides, or the keys up to the query's."""
        draw, graph = self.draw, self.graph
        rows, columns = self.places()
        width = graph.integers(draw.choice([0, 1, 2, 3]))
        first = self.compare(graph.add("Sub", rows, width), columns)
        if draw.coin():
            rows = graph.add("Add", rows, width)
        return graph.add("And", *draw.swapped(
            first, self.compare(columns, rows)))

    def table(self):
        """Rows and columns of a constant triangle, as in GPT-2."""
        draw, graph = self.draw, self.graph
        triangle = np.tri(16, 16, draw.choice([0, 0, 0, 1, -1]), dtype=bool)
        if draw.rarely():
            triangle = triangle.T.copy()
        if self.graph.is_static(["S", "T"]) and draw.coin():
            rows, columns = graph.shape(["S", "T"])
            cut = triangle[:rows, :columns]
            if draw.coin():  # Only one row.
                cut = cut[draw.randrange(len(cut))][None]
            return graph.constant(cut, bool)
        table = graph.constant(triangle[None, None], bool)
        queries = graph.extent("S", self.queries, -2)
        keys = graph.extent("T", self.keys, -2)
        start, end = graph.integers(0), queries
        if self.past:
            start, end = graph.extent("P", self.past, -2), keys
        rows = graph.add("Slice", table, start, end, graph.integers(2))
        return graph.add("Slice", rows, graph.integers(0), keys,
                         graph.integers(3))

    def lengths(self):
        """Keys before the length of each batch."""
        draw, graph = self.draw, self.graph
        dims = self.batch[:1] + [1] * max(len(self.batch) + 1, 2)
        lengths = graph.input(dims, lambda shape: draw.arrays.integers(
            0, 6, shape))
        return self.compare(self.range("T", self.keys), lengths)

    def fixed(self):
        draw, graph = self.draw, self.graph
        dims = self.some_dims()
        if not graph.is_static(dims):
            dims = [1]
        share = draw.choice([0, 1, 0.5, 0.5, 0.8])
        return graph.constant(draw.bools(graph.shape(dims), share), bool)
