"""Values of a graph under construction: what the specification gives, and by
how much a right answer may differ from it.

Each node is evaluated by onnx.reference when it is added. Inputs are multiples
of 1/4, so that sums and products of a few of them are exact. `error` is 0 for a
value that float64 gives too; otherwise it is found by moving the operands by
their own errors (a first-order propagation with random signs), and adding a
few roundings of the type.
"""
import dataclasses
import warnings

import ml_dtypes
import numpy as np
from onnx.reference import ReferenceEvaluator

# Roundings a node may add, of the largest element: sums of some dozens of
# terms and polynomials of functions stay below that.
ROUNDINGS = 16
# A value that has lost more says nothing about the nodes behind it.
LARGEST_RELATIVE_ERROR = 1e-2
LARGEST_MAGNITUDE = 1e6
UNIT = {np.dtype(np.float64): 2.0**-52, np.dtype(np.float32): 2.0**-23,
        np.dtype(np.float16): 2.0**-10,
        np.dtype(ml_dtypes.bfloat16): 2.0**-7}


# What float64 goes through in float32: a stash_type, constants of the
# function that defines the operator.
FLOAT_INSIDE = ("Erf", "Gelu", "GroupNormalization", "HardSwish",
                "InstanceNormalization", "LayerNormalization",
                "RMSNormalization")


class Refused(Exception):
    """The node tells nothing: invalid, unstable or not a number."""


@dataclasses.dataclass
class Value:
    name: str
    array: np.ndarray
    error: float = 0.0
    # Whether the model knows it when it is compiled.
    is_constant: bool = False

    @property
    def shape(self):
        return self.array.shape

    @property
    def rank(self):
        return self.array.ndim

    @property
    def dtype(self):
        return self.array.dtype


def is_float(dtype):
    return np.dtype(dtype) in UNIT


def magnitude(array):
    return float(np.abs(array.astype(np.float64)).max(initial=0))


def run(evaluator, names, arrays):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        results = evaluator.run(None, dict(zip(names, arrays)))
    return [np.asarray(r) for r in results]


def widened(arrays):
    return [a.astype(np.float64) if is_float(a.dtype) else a for a in arrays]


def move(value, signs):
    """The value off by its error; what may be 0 is 0 where signs is None."""
    if not value.error:
        return value.array
    wide = value.array.astype(np.float64)
    if signs is None:
        moved = np.where(np.abs(wide) <= value.error, 0, wide)
    else:
        moved = wide + value.error * signs.choice([-1.0, 1.0], wide.shape)
    return moved.astype(value.dtype)


def spread(evaluator, names, operands, results, signs):
    """How far the results move when the operands move by their errors."""
    moved = [move(value, signs) for value in operands]
    found = run(evaluator, names, moved)
    if any(a.shape != b.shape for a, b in zip(found, results)):
        raise Refused("its shape hangs on roundings")
    return [magnitude(a.astype(np.float64) - b.astype(np.float64))
            for a, b in zip(found, results)]


def is_exact_in(array, exact):
    """Whether no rounding took place, as far as float64 can tell.

    What has few binary places was not rounded to them.
    """
    wide = array.astype(np.float64)
    return (np.array_equal(exact, wide)
            and np.array_equal(np.round(wide * 1024) / 1024, wide))


def evaluate(model, wide_model, operands, signs):
    """The results of a model of one node, and their errors.

    wide_model is the same in float64, or None if it has no such form. Raises
    Refused.
    """
    names = [v.name for v in operands]
    arrays = [v.array for v in operands]
    try:
        evaluator = ReferenceEvaluator(model)
        results = run(evaluator, names, arrays)
        is_exact = all(v.error == 0 for v in operands)
        exact = (run(ReferenceEvaluator(wide_model), names, widened(arrays))
                 if wide_model and is_exact else None)
        spreads = [0.0] * len(results) if is_exact else [
            max(s) for s in zip(*(
                spread(evaluator, names, operands, results, way)
                for way in (signs, signs, signs, None)))]
    except Refused:
        raise
    except Exception as error:  # Whatever it says, there is no reference.
        raise Refused(str(error)) from error
    errors = []
    for i, result in enumerate(results):
        largest = magnitude(result)
        if not np.isfinite(largest) or largest > LARGEST_MAGNITUDE:
            raise Refused("it is not finite, or huge")
        if not is_float(result.dtype):
            if spreads[i]:
                raise Refused("it hangs on roundings")
            errors.append(0.0)
            continue
        if exact and is_exact_in(result, exact[i]):
            errors.append(0.0)
            continue
        unit = UNIT[result.dtype]
        if model.graph.node[0].op_type in FLOAT_INSIDE:
            unit = max(unit, UNIT[np.dtype(np.float32)])
        if "Normalization" in model.graph.node[0].op_type:
            unit *= 4  # Differences to a mean, over a root of their squares.
        error = 2 * spreads[i] + ROUNDINGS * unit * max(
            largest, *(magnitude(a) for a in arrays if is_float(a.dtype)), 0)
        if error > LARGEST_RELATIVE_ERROR * max(largest, 1e-3):
            raise Refused("it is nothing but roundings")
        errors.append(error)
    return results, errors
