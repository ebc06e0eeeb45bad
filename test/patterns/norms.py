"""Layer and RMS norms written out, and what only resembles them."""
import numpy as np
from onnx import TensorProto


def build(draw):
    names = "ABCD"[:draw.choice([2, 3, 3, 4])]
    # Equal extents, so that what is aligned with the wrong dim still runs.
    extents = [2, 3, 5, 8] if draw.random() < 0.7 else [4]
    graph = draw.graph({name: extents for name in names})
    return _Norm(draw, graph, list(names)).build()


class _Norm:
    def __init__(self, draw, graph, dims):
        self.draw = draw
        self.graph = graph
        self.dims = dims
        last = len(dims) - 1
        self.dtype = np.float16 if draw.rarely() else np.float32
        self.axes = draw.choice([[last]] * 4 + [[last - 1, last], [last - 1],
                                                [0]])

    def build(self):
        draw, graph = self.draw, self.graph
        x = graph.input(self.dims, lambda shape: (
            3 * draw.normal(shape) + 1).astype(self.dtype))
        if self.dtype == np.float16:  # As Llama: a norm in f32 between casts.
            x = graph.add("Cast", x, to=TensorProto.FLOAT)
            graph.tolerance = 4e-3
        difference = None
        if draw.random() < 0.6:
            difference = graph.add("Sub", x, self.mean(x))
        numerator = squared = difference or x
        if draw.rarely():
            numerator = x
        if draw.rarely():
            squared = x
        elif difference and draw.coin():  # Computed again.
            squared = graph.add("Sub", x, self.mean(x))
        y = self.divide(numerator, self.mean(self.square(squared)))
        if self.dtype == np.float16:
            y = graph.add("Cast", y, to=TensorProto.FLOAT16)
        for _ in range(draw.choice([0, 1, 2, 2, 3])):
            y = graph.add(draw.choice(["Mul", "Mul", "Add"]),
                          *draw.swapped(y, self.parameter()))
        graph.output(y, self.dtype)
        return graph

    def mean(self, x):
        draw, graph, axes = self.draw, self.graph, self.axes
        if draw.rarely():
            axes = [draw.randrange(len(self.dims))]
        if draw.rarely():
            return self.drop_and_restore("ReduceMean", x, axes)
        if draw.random() < 0.8 or not graph.is_static(
                [self.dims[a] for a in axes]):
            return graph.reduce("ReduceMean", x, axes)
        count = 1
        for extent in graph.shape([self.dims[a] for a in axes]):
            count *= extent
        if draw.rarely():  # The unbiased one.
            count = max(count - 1, 1)
        return graph.add("Div", graph.reduce("ReduceSum", x, axes),
                         graph.constant(count))

    def drop_and_restore(self, kind, x, axes):
        """Without keepdims; what is not put back is aligned with other dims."""
        y = self.graph.reduce(kind, x, axes, keepdims=0)
        kept = [d for i, d in enumerate(self.dims) if i not in axes]
        tail = self.dims[len(axes):]
        fits = all(self.graph.shape(kept, i) == self.graph.shape(tail, i)
                   for i in range(len(self.graph.sizes)))
        return y if fits and self.draw.coin() else self.graph.unsqueeze(
            y, *axes)

    def square(self, x):
        draw, graph = self.draw, self.graph
        if draw.rarely():  # No square.
            return draw.choice([
                lambda: graph.add("Mul", x, graph.add("Abs", x)),
                lambda: graph.add("Pow", graph.add("Abs", x),
                                  graph.constant(3.0))])()
        if draw.coin():
            return graph.add("Mul", x, x)
        return graph.add("Pow", x, graph.constant(2.0))

    def divide(self, numerator, variance):
        draw, graph = self.draw, self.graph
        epsilon = graph.constant(
            draw.choice([1e-5, 1e-5, 1e-12, 0.5, [0.25]]))
        where = draw.choice(["inside"] * 5 + ["outside", "none", "floor"])
        if where == "inside":
            variance = graph.add("Add", *draw.swapped(variance, epsilon))
        elif where == "floor":
            variance = graph.add("Max", variance, epsilon)
        way = draw.choice(["div", "reciprocal", "power", "inverse"])
        if way == "power" and where != "outside":
            root = graph.add("Pow", variance, graph.constant(
                -0.25 if draw.rarely() else -0.5))
            return graph.add("Mul", *draw.swapped(numerator, root))
        deviation = graph.add("Sqrt", variance)
        if where == "outside":
            deviation = graph.add("Add", deviation, epsilon)
        if way == "div" or draw.rarely():
            pair = [numerator, deviation]
            return graph.add("Div", *(pair[::-1] if draw.rarely() else pair))
        inverse = (graph.add("Reciprocal", deviation) if way == "reciprocal"
                   else graph.add("Div", graph.constant(1), deviation))
        return graph.add("Mul", *draw.swapped(numerator, inverse))

    def parameter(self):
        """A scale or a bias: along the last dims, or along others."""
        draw, graph = self.draw, self.graph
        kept = draw.choice([self.axes] * 4 + [[], [0], [len(self.dims) - 1],
                                              range(len(self.dims))])
        dims = [d if i in kept else 1 for i, d in enumerate(self.dims)]
        while dims and dims[0] == 1 and draw.coin():
            dims = dims[1:]
        if graph.is_static(dims) and draw.coin():
            return graph.constant(draw.normal(graph.shape(dims)), self.dtype)
        return graph.input(dims, lambda shape: draw.normal(shape).astype(
            self.dtype))
