"""Matrix products, convolutions, pools; quantization and products of integers."""
import numpy as np

from registry import operator


@operator(5)
def matmul(g):
    x = g.number(least=1)
    n = g.extent()
    shape = [x.shape[-1], n]
    if g.coin() and x.rank > 2:
        shape = [*(g.choice([1, d]) for d in x.shape[:-2]), *shape]
    elif g.rarely():
        shape = [x.shape[-1]]
    g.add("MatMul", x, g.fresh(tuple(shape), x.dtype))


@operator(2)
def gemm(g):
    x = g.number(rank=2)
    a, b = g.choice([0, 1]), g.choice([0, 1])
    k, m, n = x.shape[1 - a], x.shape[a], g.extent()
    c = g.choice([None, (n,), (1, n), (m, 1), (m, n), ()])
    g.add("Gemm", x, g.fresh((n, k) if b else (k, n), x.dtype),
          None if c is None else g.fresh(c, x.dtype), transA=a, transB=b,
          alpha=g.choice([1.0, 0.5]), beta=g.choice([1.0, 2.0]))


@operator()
def einsum(g):
    x = g.number(rank=3)
    b, i, j = x.shape
    equation, shape = g.choice([("bij,bjk->bik", (b, j, 3)),
                                ("bij,kj->bki", (5, j)),
                                ("bij,bij->b", (b, i, j)),
                                ("bij,j->ib", (j,))])
    g.add("Einsum", x, g.fresh(shape, x.dtype), equation=equation)


@operator(2)
def convolution(g):
    x = g.number(rank=g.choice([3, 4]))
    c, spatial = x.shape[1], x.rank - 2
    groups = g.choice([1, 1, c]) or 1
    kernel = [g.choice([1, 2, 3]) for _ in range(spatial)]
    w = g.constant(g.numbers((groups * g.choice([1, 2, 5]), c // groups,
                              *kernel), x.dtype))
    bias = g.constant(g.numbers(w.shape[:1], x.dtype)) if g.coin() else None
    g.add("Conv", x, w, bias, group=groups,
          strides=[g.choice([1, 2]) for _ in kernel],
          dilations=[g.choice([1, 1, 2]) for _ in kernel],
          pads=[g.choice([0, 1]) for _ in kernel * 2])


@operator()
def pool(g):
    x = g.number(rank=g.choice([3, 4]))
    spatial = x.rank - 2
    if g.rarely(0.3):
        # The reference's GlobalMaxPool loses all spatial dims but one.
        g.add("GlobalAveragePool", x)
        return
    g.add(g.choice(["MaxPool", "AveragePool"]), x,
          kernel_shape=[g.choice([1, 2, 3])] * spatial,
          strides=[g.choice([1, 2]) for _ in range(spatial)],
          ceil_mode=g.choice([0, 0, 1]))


@operator()
def quantize(g):
    x = g.number(least=1)
    if x.dtype != np.float32:
        return
    kind = g.choice([np.uint8, np.int8])
    scale = g.constant(0.25, np.float32)
    zero = g.constant(g.choice([0, 3]), kind)
    [q] = g.add("QuantizeLinear", x, scale, zero)
    if g.coin():
        g.add("DequantizeLinear", q, scale, zero)


@operator()
def matmul_integer(g):
    x = g.of_kind("iu", ("uint8", "int8"), least=2)
    w = g.constant(g.numbers((x.shape[-1], g.extent()), g.choice(
        ["int8", "uint8"])))
    g.add("MatMulInteger", x, w,
          g.constant(g.choice([0, 2]), x.dtype) if g.coin() else None)
