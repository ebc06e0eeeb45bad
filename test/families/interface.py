"""The inputs of transformers: what their axes are and what they may hold.

Needs no torch: the exporter and the comparison make the same inputs from the
name, the type and the shape that a graph states.
"""
import re
import zlib

import numpy as np

VOCABULARY = 160

# What the free axes are in each comparison. Decoders start, continue and go on
# after a chunk; rows are padded, lengths odd.
SETS = (
    {"batch": 1, "sequence": 5, "past": 6, "source": 7, "samples": 2801,
     "frames": 67, "height": 48, "width": 40},
    {"batch": 3, "sequence": 12, "past": 0, "source": 11, "samples": 3840,
     "frames": 96, "height": 32, "width": 32},
    {"batch": 2, "sequence": 1, "past": 14, "source": 1, "samples": 2250,
     "frames": 51, "height": 56, "width": 72},
    {"batch": 4, "sequence": 33, "past": 3, "source": 23, "samples": 6401,
     "frames": 130, "height": 64, "width": 32},
)
# What exporters trace with: no axis is 0 or 1, and no two have the same size.
EXAMPLE = {"batch": 2, "sequence": 3, "past": 4, "source": 8, "samples": 3200,
           "frames": 80, "height": 40, "width": 48}

AXES = (
    (r"past_key_values\..*\.encoder\.", ("batch", None, "source", None)),
    (r"past_key_values\.", ("batch", None, "past", None)),
    ("pixel_values", ("batch", None, "height", "width")),
    ("input_values", ("batch", "samples", None)),
    ("input_features", ("batch", "frames", "frames")),
    ("encoder_", ("batch", "source", None)),
    ("bbox", ("batch", "sequence", None)),
    ("", ("batch", "sequence")),
)


def axes(name, names):
    """What each axis of an input is; None: fixed by the model.

    names: of all inputs of the model.
    """
    if name == "attention_mask":
        if "input_values" in names:
            return "batch", "samples"
        if "input_features" in names:
            return "batch", "frames"
        if any(n.startswith("past_key_values") for n in names):
            return "batch", "past + sequence"
    return next(a for pattern, a in AXES if re.match(pattern, name))


def size(axis, dims):
    return sum(dims[part] for part in axis.split(" + "))


def shape(name, names, known, dims):
    """known: the sizes that the model fixes, None for the others."""
    return [size(axis, dims) if fixed is None else fixed
            for axis, fixed in zip(axes(name, names), known)]


def mask(shape, past):
    """Ones; the first row is padded where it is long enough for that.

    past: of a decoder, whose padding is on the left; there only in what was
    read before, for a token that sees nothing has no defined result.
    """
    ones = np.ones(shape, np.int64)
    if past is None:
        ones[0, shape[1] - min(3, shape[1] // 3):] = 0
    else:
        ones[0, :min(3, past)] = 0
    return ones


def array(name, names, dtype, shape, dims):
    """The value of one input; the same arguments, the same values."""
    has_past = any(re.match(r"past_key_values\.\d+\.(key|value)", n)
                   for n in names)
    past = dims["past"] if has_past else None
    rng = np.random.default_rng([zlib.crc32(name.encode()), *shape])
    if "mask" in name:
        return mask(shape, past).astype(dtype)
    if name == "position_ids":
        total = mask([dims["batch"], dims["past"] + dims["sequence"]], past)
        positions = np.maximum(total.cumsum(1) - 1, 0)
        return positions[:, -shape[1]:].astype(dtype)
    if name == "token_type_ids":
        later = np.arange(shape[1]) > shape[1] // 2
        return np.broadcast_to(later, shape).astype(dtype)
    if name == "bbox":
        # Left, top, right, bottom of a word on a page.
        return np.sort(rng.integers(0, 60, shape)).astype(dtype)
    if np.dtype(dtype).kind == "f":
        scale = 0.5 if name.startswith("past_key_values") else 1.0
        return (scale * rng.standard_normal(shape)).astype(dtype)
    return rng.integers(3, VOCABULARY, shape).astype(dtype)


def feed(inputs, dims):
    """Arrays for all inputs: name to (type, fixed sizes)."""
    return {name: array(name, inputs, dtype,
                        shape(name, inputs, known, dims), dims)
            for name, (dtype, known) in inputs.items()}
