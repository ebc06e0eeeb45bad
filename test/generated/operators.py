"""How a node of each operator is drawn: its operands and attributes, from what
the operator's specification demands of them.

A function takes a Graph, adds one node and returns nothing. Where what it drew
is invalid after all, Graph.add refuses it.
"""
import numpy as np
from onnx import helper

from values import is_float

OPERATORS = []


def operator(weight=1):
    def register(function):
        OPERATORS.extend([function] * weight)
        return function
    return register


# Element by element

UNARY = ("Abs Neg Relu Sigmoid Tanh Exp Sqrt Erf Reciprocal Softplus Softsign "
         "Sin Cos Atan Floor Ceil Round Sign Identity Elu Selu LeakyRelu "
         "HardSigmoid HardSwish Mish Gelu ThresholdedRelu Celu Log Sinh Asinh "
         "IsNaN").split()


@operator(3)
def unary(g):
    op = g.choice(UNARY)
    if op in ("Abs", "Neg", "Sign") and g.rarely(0.3):
        g.add(op, g.integer())
    elif op == "Gelu":
        g.add(op, g.number(), approximate=g.choice(["none", "tanh"]))
    else:
        g.add(op, g.number())


@operator(4)
def binary(g):
    x = g.integer() if g.rarely(0.2) else g.number()
    op = g.choice(["Add", "Sub", "Mul", "Div", "Pow", "Min", "Max"])
    if op in ("Div", "Pow") and not is_float(x.dtype):
        op = "Mul"
    y = g.broadcast_partner(x)
    if op == "Div":
        y = g.constant(np.where(y.array == 0, 1, y.array))
    if op == "Pow":
        y = g.constant(g.choice([2, 3, 1, 0.5]), x.dtype)
    g.add(op, *((x, y) if g.coin() or op in ("Div", "Pow") else (y, x)))


@operator()
def integer_division(g):
    x = g.integer()
    y = g.broadcast_partner(x)
    y = g.constant(np.where(y.array == 0, 3, y.array).astype(x.dtype))
    if g.coin():
        g.add("Mod", x, y, fmod=g.choice([0, 1]))
    else:
        # The specification truncates; the reference floors.
        g.add("Div", g.constant(np.abs(x.array)), g.constant(np.abs(y.array)))


@operator()
def many(g):
    x = g.number()
    g.add(g.choice(["Sum", "Mean", "Max", "Min"]), x, g.broadcast_partner(x),
          g.broadcast_partner(x))


@operator()
def compare(g):
    x = g.integer() if g.coin() else g.number()
    g.add(g.choice(["Equal", "Greater", "Less", "GreaterOrEqual",
                    "LessOrEqual"]), x, g.broadcast_partner(x))


@operator()
def logic(g):
    x = g.boolean()
    if g.rarely(0.3):
        g.add("Not", x)
    else:
        g.add(g.choice(["And", "Or", "Xor"]), x, g.broadcast_partner(x))


@operator()
def bits(g):
    x = g.of_kind("iu", ("int32", "int64", "uint8", "uint32"))
    if g.rarely(0.3):
        g.add("BitwiseNot", x)
    elif x.dtype.kind == "u" and g.coin():
        shift = g.constant(g.arrays.integers(0, 8, x.shape), x.dtype)
        g.add("BitShift", x, shift, direction=g.choice(["LEFT", "RIGHT"]))
    else:
        g.add(g.choice(["BitwiseAnd", "BitwiseOr", "BitwiseXor"]), x,
              g.broadcast_partner(x))


@operator(2)
def where(g):
    x = g.any()
    g.add("Where", g.broadcast_partner(x, np.dtype(bool)), x,
          g.broadcast_partner(x))


@operator()
def clip(g):
    x = g.number()
    g.add("Clip", x, g.constant(-1.25, x.dtype) if g.coin() else None,
          g.constant(0.75, x.dtype))


@operator(2)
def cast(g):
    x = g.any()
    to = g.choice(["float32", "float16", "float64", "int64", "int32", "bool",
                   "uint8", "int8"])
    if np.dtype(to).kind in "iu" and is_float(x.dtype):
        limits = np.iinfo(to)
        wide = x.array.astype(np.float64)
        inside = (wide >= limits.min) & (wide <= limits.max)
        if not inside.all():  # Not defined.
            return
    g.add("Cast", x, to=helper.np_dtype_to_tensor_dtype(np.dtype(to)))


@operator()
def p_relu(g):
    x = g.number(least=1)
    g.add("PRelu", x, g.constant(g.numbers(x.shape[-1:], x.dtype)))


# Movement

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


# Reductions

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


# Products

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


# Quantization

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
