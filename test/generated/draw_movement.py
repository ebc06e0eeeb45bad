"""Nodes that move elements, address them, and make shapes."""
import numpy as np
from onnx import helper

from registry import operator


@operator(2)
def transpose(g):
    x = g.any(least=1)
    g.add("Transpose", x, perm=g.sample(range(x.rank), x.rank))


@operator(3)
def reshape(g):
    x = g.any(least=1)
    factors = [n for n in x.shape]
    for _ in range(g.randint(0, 2)):
        if len(factors) > 1 and g.coin():
            i = g.randrange(len(factors) - 1)
            factors[i:i + 2] = [factors[i] * factors[i + 1]]
        else:
            i = g.randrange(len(factors))
            for d in (2, 3, 4, 1):
                if factors[i] % d == 0 and factors[i]:
                    factors[i:i + 1] = [d, factors[i] // d]
                    break
    if g.coin() and 0 not in factors:
        factors[g.randrange(len(factors))] = -1
    for i, n in enumerate(factors):
        if i < x.rank and n == x.shape[i] and n and g.rarely(0.3):
            factors[i] = 0
    g.add("Reshape", x, g.integers(*factors))


@operator()
def flatten(g):
    x = g.any(least=1)
    g.add("Flatten", x, axis=g.randint(0, x.rank))


@operator()
def squeeze(g):
    x = g.any(least=1)
    ones = [i for i, n in enumerate(x.shape) if n == 1]
    if ones and g.coin():
        g.add("Squeeze", x, g.integers(*g.sample(ones, g.randint(1, len(ones)))))
    else:
        g.add("Unsqueeze", x, g.integers(g.randint(-x.rank - 1, x.rank)))


@operator(2)
def concat(g):
    x = g.any(least=1)
    axis = g.axis(x.rank)
    parts = [x]
    for _ in range(g.randint(1, 2)):
        shape = list(x.shape)
        shape[axis] = g.extent()
        fitting = [v for v in g.values if v.dtype == x.dtype
                   and v.rank == x.rank and all(
                       a == b for i, (a, b) in enumerate(zip(v.shape, x.shape))
                       if i != axis % x.rank)]
        parts.append(g.choice(fitting) if fitting and g.coin()
                     else g.fresh(tuple(shape), x.dtype))
    g.shuffle(parts)
    g.add("Concat", *parts, axis=axis)


@operator()
def split(g):
    x = g.any(least=1)
    axis = g.axis(x.rank)
    size = x.shape[axis]
    cut = g.randint(0, size)
    if g.coin() and size % 2 == 0 and size:
        g.add("Split", x, outputs=2, axis=axis, num_outputs=2)
    else:
        g.add("Split", x, g.integers(cut, size - cut), outputs=2, axis=axis)


@operator(3)
def slices(g):
    x = g.any(least=1)
    axes = g.axes(x.rank)
    starts, ends, steps = [], [], []
    for axis in axes:
        size = x.shape[axis]
        starts.append(g.randint(-size - 1, size))
        ends.append(g.choice([g.randint(-size - 1, size + 2), 2**62, -2**62]))
        steps.append(g.choice([1, 1, 1, 2, 3, -1, -2]))
    g.add("Slice", x, g.integers(*starts), g.integers(*ends),
          g.integers(*axes), g.integers(*steps))


@operator()
def expand(g):
    x = g.any()
    shape = [g.choice([2, 3, 5]) if n == 1 and g.coin() else
             g.choice([n, 1]) for n in x.shape]
    if g.coin():
        shape.insert(0, g.choice([1, 2, 3]))
    g.add("Expand", x, g.integers(*shape))


@operator()
def tile(g):
    x = g.any(least=1)
    g.add("Tile", x, g.integers(*(g.choice([1, 1, 2, 3]) for _ in x.shape)))


@operator()
def pad(g):
    x = g.number(least=1)
    mode = g.choice(["constant", "constant", "edge", "reflect", "wrap"])
    most = [max(0, n - 1) for n in x.shape] if mode != "constant" else [
        3] * x.rank
    if mode == "constant" and g.rarely(0.3):
        most = [-1 if n > 3 else 0 for n in x.shape]
    pads = [g.randint(min(0, m), max(0, min(m, 3))) for m in most * 2]
    g.add("Pad", x, g.integers(*pads),
          g.constant(g.choice([0, 1.5]), x.dtype) if mode == "constant"
          else None, mode=mode)


@operator(2)
def gather(g):
    x = g.any(least=1)
    axis = g.axis(x.rank)
    size = x.shape[axis]
    if not size:
        return
    shape = g.choice([(), (3,), (2, 3), (1,)])
    kind = g.choice([np.int64, np.int32])
    indices = g.arrays.integers(-size, size, shape).astype(kind)
    g.add("Gather", x, g.constant(indices) if g.coin() else g.input(indices),
          axis=axis)


@operator()
def gather_elements(g):
    x = g.any(least=1)
    axis = g.axis(x.rank)
    size = x.shape[axis]
    shape = list(x.shape)
    shape[axis] = g.choice([1, 2, 5])
    if size:
        g.add("GatherElements", x, g.input(g.arrays.integers(
            -size, size, shape)), axis=axis)


@operator()
def gather_nd(g):
    x = g.any(least=2)
    depth = g.randint(1, x.rank)
    if 0 in x.shape:
        return
    indices = np.stack([g.arrays.integers(-n, n, (2, 3))
                        for n in x.shape[:depth]], axis=-1)
    g.add("GatherND", x, g.constant(indices))


@operator()
def scatter(g):
    x = g.number(least=1)
    axis = g.axis(x.rank)
    size = x.shape[axis]
    count = g.randint(1, max(1, size))
    if 0 in x.shape:
        return
    shape = list(x.shape)
    shape[axis] = count
    order = g.arrays.permutation(size)[:count]
    indices = np.broadcast_to(order.reshape(
        [-1 if i == axis % x.rank else 1 for i in range(x.rank)]), shape)
    g.add("ScatterElements", x, g.input(np.ascontiguousarray(indices)),
          g.fresh(tuple(shape), x.dtype), axis=axis,
          reduction=g.choice(["none", "add", "max", "mul"]))


@operator()
def scatter_nd(g):
    x = g.number(least=2)
    if 0 in x.shape:
        return
    rows = g.arrays.permutation(x.shape[0])[:g.randint(1, x.shape[0])]
    g.add("ScatterND", x, g.input(rows[:, None]),
          g.fresh((len(rows), *x.shape[1:]), x.dtype),
          reduction=g.choice(["none", "add"]))


@operator()
def triangle(g):
    x = g.any(least=2)
    g.add("Trilu", x, g.constant(g.randint(-2, 2), np.int64),
          upper=g.choice([0, 1]))


@operator()
def depth_to_space(g):
    x = g.number(rank=4)
    if x.shape[1] % 4 == 0 and g.coin():
        g.add("DepthToSpace", x, blocksize=2, mode=g.choice(["DCR", "CRD"]))
    elif x.shape[2] % 2 == 0 and x.shape[3] % 2 == 0:
        g.add("SpaceToDepth", x, blocksize=2)


@operator()
def shapes(g):
    x = g.any(least=1)
    if g.coin():
        [shape] = g.add("Shape", x, start=g.choice([0, 1, -1]))
        g.add("Cast", shape, to=1)
    else:
        g.add("Size", x)


@operator()
def reshape_by_shape(g):
    x, y = g.any(least=1), g.any(least=1)
    if x.array.size == y.array.size:
        [shape] = g.add("Shape", y)
        g.add("Reshape", x, shape)


@operator()
def ranges(g):
    x = g.any(least=1)
    [shape] = g.add("Shape", x)
    [extent] = g.add("Gather", shape, g.constant(g.randrange(x.rank), np.int64))
    g.add("Range", g.constant(0, np.int64), extent,
          g.constant(g.choice([1, 2]), np.int64))


@operator()
def constant_of_shape(g):
    x = g.any(least=1)
    [shape] = g.add("Shape", x)
    g.add("ConstantOfShape", shape,
          value=helper.make_tensor("value", 1, [1], [1.5]))


@operator()
def one_hot(g):
    indices = g.input(g.arrays.integers(-5, 5, g.shape(g.choice([1, 2]))))
    g.add("OneHot", indices, g.constant(5, np.int64),
          g.constant([0.5, 2], np.float32), axis=g.choice([-1, 0, 1]))


@operator()
def non_zero(g):
    # Of a scalar, the reference and ONNX Runtime differ.
    g.add("NonZero", g.number(least=1))


@operator()
def compress(g):
    x = g.any(least=1)
    axis = g.axis(x.rank)
    g.add("Compress", x, g.input(g.numbers((x.shape[axis],), "bool")),
          axis=axis)
