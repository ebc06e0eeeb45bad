"""Rotary embeddings written out, and near misses."""
import numpy as np


def build(draw):
    graph = draw.graph({"B": [1, 2], "H": [1, 2, 3], "S": [1, 2, 4],
                        "W": [2, 4, 8], "R": [0, 0, 0, 2, 3]},
                       share={"B": 0.5, "S": 0.5})
    return _Rotary(draw, graph).build()


class _Rotary:
    """x [B, H, S, W], of which the first W of W + R elements turn."""

    def __init__(self, draw, graph):
        self.draw = draw
        self.graph = graph
        graph.derive("L", ["W", "R"], lambda w, r: w + r)
        self.width, self.last = graph.shape(["W", "L"])
        self.interleaved = draw.coin()

    def build(self):
        graph, draw = self.graph, self.draw
        whole = graph.input(["B", "H", "S", "L"], draw.normal)
        x = whole
        if self.last != self.width:
            x = self.slice(whole, 0, self.width)
        cos, sin = self.angles()
        y = self.in_parts(x, cos, sin) if draw.coin() else self.in_one(
            x, self.doubled(cos), self.doubled(sin))
        if self.last != self.width:
            start = draw.choice([self.width] * 7 + [0])
            rest = self.slice(whole, start, start + self.last - self.width)
            y = graph.add("Concat", y, rest, axis=-1)
        graph.output(y)
        return graph

    def slice(self, x, start, end, step=1):
        integers = self.graph.integers
        return self.graph.add("Slice", x, integers(start), integers(end),
                              integers(-1), integers(step))

    def angles(self):
        """cos and sin of half the width, or of another one that broadcasts."""
        draw, graph = self.draw, self.graph
        size = 1 if draw.rarely() else self.width // 2
        dims = draw.choice([["S", size], [1, 1, "S", size],
                            ["B", 1, "S", size], [size],
                            ["B", "H", "S", size]])
        if draw.coin():
            angles = graph.input(dims, draw.normal)
            return graph.add("Cos", angles), graph.add("Sin", angles)
        if draw.coin():  # Rows of a table.
            table = draw.normal([8, size])
            rows = graph.input(["B", "S"], lambda shape: draw.arrays.integers(
                0, 8, shape))
            return tuple(graph.unsqueeze(graph.add(
                "Gather", graph.constant(f(table)), rows), 1)
                for f in (np.cos, np.sin))
        return graph.input(dims, draw.normal), graph.input(dims, draw.normal)

    def doubled(self, x):
        draw, graph = self.draw, self.graph
        other = graph.add("Neg", x) if draw.rarely() else x
        if draw.rarely() or not self.interleaved:  # The other order.
            return graph.add("Concat", x, other, axis=-1)
        return self.paired(x, other)

    def paired(self, first, second):
        """The elements of the two in turns, or one behind the other."""
        graph, draw = self.graph, self.draw
        if not self.interleaved:
            return graph.add("Concat", first, second, axis=-1)
        pairs = graph.add("Concat", graph.unsqueeze(first, -1),
                          graph.unsqueeze(second, -1), axis=-1)
        front = graph.add("Slice", graph.add("Shape", pairs),
                          graph.integers(0), graph.integers(-2))
        shape = graph.add("Concat", front, graph.integers(-1), axis=0)
        return graph.add("Reshape", pairs, shape)

    def parts(self, x):
        if self.interleaved:
            parts = [self.slice(x, i, self.width, 2) for i in range(2)]
        elif self.draw.coin():
            parts = self.graph.add("Split", x, outputs=2, axis=-1)
        else:
            half = self.width // 2
            parts = [self.slice(x, 0, half), self.slice(x, half, self.width)]
        return parts[::-1] if self.draw.rarely() else parts

    def product(self, *operands):
        return self.graph.add("Mul", *self.draw.swapped(*operands))

    def in_one(self, x, cos, sin):
        """x cos + rotate(x) sin"""
        draw, graph = self.draw, self.graph
        first, second = self.parts(x)
        if draw.rarely():
            first = graph.add("Neg", first)
        else:
            second = graph.add("Neg", second)
        turned = self.paired(second, first)
        return graph.add("Sub" if draw.rarely() else "Add", *draw.swapped(
            self.product(x, cos), self.product(turned, sin)))

    def in_parts(self, x, cos, sin):
        """[a cos - b sin, b cos + a sin]"""
        draw, graph = self.draw, self.graph
        a, b = self.parts(x)
        first = graph.add("Add" if draw.rarely() else "Sub",
                          self.product(a, cos), self.product(b, sin))
        second = graph.add("Add", *draw.swapped(
            self.product(b, cos), self.product(a, sin)))
        return self.paired(first, second)
