"""Nodes that compute each element on its own."""
import numpy as np
from onnx import helper

from registry import operator
from values import is_float


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
