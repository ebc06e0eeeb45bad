"""How far one output is from another."""
import numpy as np


def relative_error(found, expected):
    """The largest error, relative to the RMS of what is expected."""
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return np.inf
    if not expected.size:
        return 0.0
    if expected.dtype.kind != "f":
        return 0.0 if np.array_equal(found, expected) else np.inf
    wide = expected.astype(np.float64)
    with np.errstate(invalid="ignore"):  # Infinity less infinity.
        error = np.atleast_1d(np.abs(found - wide))
    # Infinities and NaNs have to be in the same places.
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    error[np.atleast_1d(same)] = 0
    if not np.isfinite(error).all():
        return np.inf
    finite = wide[np.isfinite(wide)]
    rms = np.sqrt(np.mean(np.square(finite))) if finite.size else 0.0
    return float(error.max() / max(rms, np.finfo(np.float32).tiny))


def cosine(found, expected):
    """Of the angle between the two as vectors; 1 for two of zeros."""
    if found.shape != expected.shape:
        return 0.0
    x, y = (a.astype(np.float64).ravel() for a in (found, expected))
    norms = np.linalg.norm(x) * np.linalg.norm(y)
    return float(x @ y / norms) if norms else float(not (x.any() or y.any()))
