"""Gathers at indices that are arithmetic on ranges, as exporters slice and
transpose with, and near misses."""
import numpy as np


def build(draw):
    graph = draw.graph({"S": [1, 2, 3], "T": [1, 2, 4], "W": [1, 3],
                        "X": [16, 20], "Y": [16, 18]},
                       share={"S": 0.5, "T": 0.5, "X": 0.2})
    return _Indexing(draw, graph).build()


class _Indexing:
    """x [X, Y, W]; places follow dims S and T."""

    def __init__(self, draw, graph):
        self.draw = draw
        self.graph = graph

    def build(self):
        draw, graph = self.draw, self.graph
        self.x = graph.input(["X", "Y", "W"], draw.normal)
        self.shaped = graph.input(["S", "T"], draw.normal)
        way = draw.choice(["Gather", "Gather", "GatherND", "flat"])
        if way == "Gather":
            y = graph.add("Gather", self.x, self.index(),
                          axis=draw.choice([0, 0, 1]))
        elif way == "GatherND":
            y = graph.add("GatherND", self.x, self.stacked())
        else:  # Row i * Y + j of the first two dims merged.
            flat = graph.add("Reshape", self.x, graph.integers(
                -1, *graph.shape(["W"])))
            rows = graph.add("Mul", self.index(), self.number(
                graph.shape(["Y"])[0]))
            y = graph.add("Gather", flat, graph.add("Add", rows, self.index()))
        graph.output(y)
        return graph

    def number(self, value):
        return self.graph.constant(value, np.int64)

    def range(self, dim, axis):
        graph = self.graph
        end = graph.add("Squeeze", graph.extent(dim, self.shaped, axis),
                        graph.integers(0))
        return graph.add("Range", self.number(0), end, self.number(1))

    def index(self):
        """A tensor that broadcasts to [S, T]."""
        draw, graph = self.draw, self.graph
        index = draw.choice([self.rows, self.columns, self.columns, self.both,
                             lambda: self.number(draw.randrange(4))])()
        if draw.coin():
            index = graph.add("Add", *draw.swapped(index, self.number(
                draw.choice([0, 1, 2, -1]))))
        if draw.rarely():
            index = graph.add("Mul", index, self.number(draw.choice([2, -1])))
        if draw.rarely():
            index = graph.add("Sub", self.number(9), index)
        if draw.rarely():
            index = graph.add("Abs", index)
        return index

    def rows(self):
        return self.graph.unsqueeze(self.range("S", 0), 1)

    def columns(self):
        return self.range("T", 1)

    def both(self):
        return self.graph.add("Add", self.rows(), self.columns())

    def stacked(self):
        """Indices [S, T, 2] into X and Y."""
        graph = self.graph
        shape = graph.add("Shape", self.shaped)
        parts = [graph.unsqueeze(graph.add("Expand", self.index(), shape), -1)
                 for _ in range(2)]
        return graph.add("Concat", *parts, axis=-1)
