"""Reductions, sorting, softmax and norms."""
import numpy as np

from registry import operator


@operator(4)
def reduce(g):
    x = g.number(least=1)
    op = g.choice(["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin",
                   "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare",
                   "ReduceLogSumExp", "ReduceLogSum"])
    axes = g.integers(*g.axes(x.rank))
    if op == "ReduceProd" and x.array.size > 24:
        return  # Whether it overflows before it meets a 0 hangs on the order.
    if g.rarely():
        g.add(op, x, keepdims=g.choice([0, 1]))
    else:
        g.add(op, x, axes, keepdims=g.choice([0, 1]))


@operator()
def reduce_integers(g):
    x = g.integer()
    if x.rank:
        g.add(g.choice(["ReduceSum", "ReduceMax", "ReduceMin"]), x,
              g.integers(*g.axes(x.rank)), keepdims=g.choice([0, 1]))


@operator()
def arg_reduce(g):
    x = g.number(least=1)
    g.add(g.choice(["ArgMax", "ArgMin"]), x, axis=g.axis(x.rank),
          keepdims=g.choice([0, 1]), select_last_index=g.choice([0, 1]))


@operator()
def cumsum(g):
    x = g.number(least=1)
    g.add("CumSum", x, g.constant(g.axis(x.rank), np.int64),
          exclusive=g.choice([0, 1]), reverse=g.choice([0, 1]))


@operator()
def top_k(g):
    x = g.number(least=1)
    axis = g.axis(x.rank)
    g.add("TopK", x, g.integers(g.randint(0, x.shape[axis])), outputs=2,
          axis=axis, largest=g.choice([0, 1]), sorted=1)


@operator(3)
def softmax(g):
    x = g.number(least=1)
    g.add(g.choice(["Softmax", "Softmax", "LogSoftmax", "Hardmax"]), x,
          axis=g.axis(x.rank))


@operator(2)
def norm(g):
    x = g.number(least=2)
    size = x.shape[-1]
    scale = g.constant(g.numbers((size,), x.dtype))
    if g.coin():
        g.add("LayerNormalization", x, scale,
              g.constant(g.numbers((size,), x.dtype)) if g.coin() else None,
              axis=-1, epsilon=1e-2)
    elif g.opset >= 23:
        g.add("RMSNormalization", x, scale, axis=-1, epsilon=1e-2)


@operator()
def channel_norm(g):
    x = g.number(least=3)
    c = x.shape[1]
    scale, bias = (g.constant(g.numbers((c,), x.dtype)) for _ in range(2))
    op = g.choice(["InstanceNormalization", "GroupNormalization",
                   "BatchNormalization"])
    if op == "GroupNormalization":
        g.add(op, x, scale, bias, num_groups=g.choice(
            [d for d in (1, 2, 3, c) if c and c % d == 0] or [1]), epsilon=1e-2)
    elif op == "InstanceNormalization":
        g.add(op, x, scale, bias, epsilon=1e-2)
    else:
        g.add(op, x, scale, bias, g.constant(g.numbers((c,), x.dtype)),
              g.constant(np.abs(g.numbers((c,), x.dtype)) + x.dtype.type(0.5)))
