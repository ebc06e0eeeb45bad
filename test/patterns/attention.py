"""Attention written out in small operators, and near misses."""
import math

import numpy as np
from onnx import TensorProto

import masks

FREE = {"B": 0.5, "S": 0.5, "P": 0.5, "T": 0.5, "D": 0.1, "E": 0.1}


def build(draw):
    graph = draw.graph({"B": [1, 2, 3], "G": [1, 2], "R": [1, 1, 2, 3],
                        "S": [1, 2, 3, 5], "P": [0, 1, 2, 4],
                        "T": [1, 2, 4, 6], "D": [4, 8], "E": [4, 8]},
                       share=FREE)
    graph.derive("H", ["G", "R"], lambda g, r: g * r)
    graph.derive("N", ["B", "H"], lambda b, h: b * h)
    has_past = draw.coin()
    if has_past:
        graph.derive("T", ["P", "S"], lambda p, s: p + s)
    return _Attention(draw, graph, has_past).build()


class _Attention:
    """q [B, H, S, D], k [B, H, T, D], v [B, H, T, E]; batch is what is before
    the last two dims."""

    def __init__(self, draw, graph, has_past):
        self.draw = draw
        self.graph = graph
        self.has_past = has_past
        self.past = None
        # The scores in f16 are coarse; the softmax is in f32.
        self.half = draw.rarely()
        if self.half:
            graph.tolerance = 3e-2
        self.batch = draw.choice([["B", "H"]] * 6 + [["N"], []])

    def build(self):
        draw, graph = self.draw, self.graph
        repeat = "none"
        if len(self.batch) == 2:
            repeat = draw.choice(["expand", "tile", "one"] + ["none"] * 4)
        q = self.heads("S", "D", self.batch)
        k, v = self.keys("D", repeat), self.keys("E", repeat)
        queries, keys = q, k
        q = self.scaled(q, self.dtype)
        kt = self.scaled(self.transposed(k), self.dtype)
        if repeat != "one" and len(self.batch) == 2 and draw.rarely():
            q, kt, v = (self.merged(x) for x in (q, kt, v))
            self.batch = ["N"]
        scores = graph.add("MatMul", q, kt)
        if self.half:
            scores = graph.add("Cast", scores, to=TensorProto.FLOAT)
        scores = self.treated(scores, masks.Masks(
            draw, graph, self.batch, queries, keys, self.past))
        p = self.probabilities(scores)
        if self.half:
            p = graph.add("Cast", p, to=TensorProto.FLOAT16)
        if len(self.batch) == 2 and repeat != "one" and draw.rarely():
            p, v = self.merged(p), self.merged(v)
        y = graph.add("MatMul", p, v)
        graph.output(y, self.dtype)
        if draw.rarely():
            graph.output(scores)
        if draw.rarely():
            graph.output(p, self.dtype)
        return graph

    # Operands

    @property
    def dtype(self):
        return np.float16 if self.half else np.float32

    def input(self, dims):
        return self.graph.input(dims, lambda shape: self.draw.normal(
            shape).astype(self.dtype))

    def heads(self, places, size, batch):
        """[*batch, places, size], perhaps of [B, places, H * size]."""
        draw, graph = self.draw, self.graph
        if len(batch) < 2 or not graph.is_static([size]) or draw.coin():
            return self.input(batch + [places, size])
        heads, width = graph.shape([batch[1], size])
        x = self.input([batch[0], places, heads * width])
        x = graph.add("Reshape", x, graph.integers(0, 0, heads, width))
        return graph.add("Transpose", x, perm=[0, 2, 1, 3])

    def keys(self, size, repeat):
        draw, graph = self.draw, self.graph
        batch = list(self.batch)
        if repeat != "none":
            batch[1] = 1 if repeat == "one" else "G"
        if self.has_past:
            self.past = self.input(batch + ["P", size])
            k = graph.add("Concat", self.past, self.heads("S", size, batch),
                          axis=len(batch))
        else:
            k = self.heads("T", size, batch)
        if repeat in ("one", "none"):
            return k
        # Each head R times, side by side; in the other order it is a near miss.
        repeats, heads = graph.shape(["R", "H"])
        order = 1 if draw.rarely() else 2
        k = graph.unsqueeze(k, order)
        if repeat == "expand":
            shape = [1] * 5
            shape[order] = repeats
            k = graph.add("Expand", k, graph.integers(*shape))
        else:
            k = graph.add("Concat", *[k] * repeats, axis=order)
        return self.reshaped(k, [-1, heads], 3)

    def reshaped(self, x, front, kept):
        """x with `front` before the dims from `kept` on."""
        graph = self.graph
        tail = graph.add("Slice", graph.add("Shape", x), graph.integers(kept),
                         graph.integers(9))
        return graph.add("Reshape", x, graph.add(
            "Concat", graph.integers(*front), tail, axis=0))

    def merged(self, x):
        return self.reshaped(x, [-1], 2)

    def transposed(self, k):
        rank = len(self.batch) + 2
        order = list(range(rank))
        order[-2:] = order[:-3:-1]
        return self.graph.add("Transpose", k, perm=order)

    # Scores

    def scaled(self, x, dtype=np.float32):
        draw, graph = self.draw, self.graph
        way = draw.choice(["none"] * 5 + ["number", "number", "tensor"])
        if way == "none":
            return x
        factor = draw.choice([0.25, 1 / math.sqrt(math.sqrt(8)), -0.5, 2])
        if way == "tensor":  # No number, so it has to stay.
            by = graph.input([1], lambda shape: draw.normal(shape).astype(
                dtype))
        elif draw.coin():
            return graph.add("Div", x, graph.constant(1 / factor, dtype))
        else:
            by = graph.constant(factor, dtype)
        return graph.add("Mul", *draw.swapped(x, by))

    def capped(self, scores):
        graph = self.graph
        cap = self.draw.choice([1.0, 5.0, 30.0])
        inner = self.draw.choice([cap, cap, cap / 2])
        x = graph.add("Div", scores, graph.constant(inner))
        return graph.add("Mul", graph.add("Tanh", x), graph.constant(cap))

    def elsewhere(self, scores, mask):
        """A mask while the batch dims are merged, or in another order."""
        draw, graph = self.draw, self.graph
        if mask.batch != ["B", "H"]:
            return mask.apply(scores)
        front, mask.batch = draw.choice([
            ([-1], ["N"]), ([1, -1], [1, "N"]),
            ([*graph.shape(["H"]), -1], ["H", "B"])])
        scores = mask.apply(self.reshaped(scores, front, 2))
        scores = self.reshaped(scores, [-1, *graph.shape(["H"])], len(front))
        mask.batch = ["B", "H"]
        return scores

    def treated(self, scores, mask):
        draw = self.draw
        steps = [self.scaled]
        if draw.rarely():
            steps.append(self.capped)
        for _ in range(draw.choice([0, 1, 1, 2, 2, 3])):
            steps.append(lambda x: self.elsewhere(x, mask) if draw.rarely()
                         else mask.apply(x))
        if draw.rarely():
            draw.shuffle(steps)
        for step in steps:
            scores = step(scores)
        return scores

    def probabilities(self, scores):
        draw, graph = self.draw, self.graph
        rank = len(self.batch) + 2
        axis = draw.choice([-1, -1, -1, rank - 1])
        if draw.rarely():
            axis = draw.randrange(rank)
        wide = draw.rarely()
        if wide:
            scores = graph.add("Cast", scores, to=TensorProto.DOUBLE)
        p = graph.add("Softmax", scores, axis=axis)
        if wide:
            p = graph.add("Cast", p, to=TensorProto.FLOAT)
        if draw.coin():
            zero = graph.constant(0.5 if draw.rarely() else 0)
            p = graph.add("Where", graph.add("IsNaN", p), zero, p)
        if draw.rarely():  # After the softmax a mask is none.
            p = graph.add("Mul", p, graph.input(["S", "T"], draw.normal))
        return p
