"""Compares a worker's outputs with a case's, as ONNX's own runner does."""
import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.runner import Runner


def load(path, info):
    data = path.read_bytes()
    kind = info.type.WhichOneof("value")
    if kind == "sequence_type":
        return numpy_helper.to_list(onnx.SequenceProto.FromString(data))
    if kind == "optional_type":
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(data))
    return numpy_helper.to_array(onnx.TensorProto.FromString(data))


def comparable(array):
    """Types NumPy can't compare become float32, which holds each exactly."""
    if not isinstance(array, np.ndarray) or array.dtype == object:
        return array
    if array.dtype.name in np.sctypeDict or array.dtype.name == "bfloat16":
        return array
    return array.astype(np.float32)


def difference(case, out, rtol, atol):
    """None, or what differs between two directories of data sets."""
    infos = onnx.load(case / "model.onnx").graph.output
    for data_set in sorted(case.glob("test_data_set_*")):
        expected, found = [], []
        for i in range(len(list(data_set.glob("output_*.pb")))):
            name = f"output_{i}.pb"
            if not (out / data_set.name / name).exists():
                return f"{data_set.name}: no {name}"
            want = load(data_set / name, infos[i])
            got = load(out / data_set.name / name, infos[i])
            if getattr(want, "dtype", None) != getattr(got, "dtype", None):
                return f"output {i} is {got.dtype}, expected {want.dtype}"
            expected.append(comparable(want))
            found.append(comparable(got))
        try:
            Runner.assert_similar_outputs(expected, found, rtol, atol)
        except (AssertionError, TypeError) as error:
            return " ".join(str(error).split())[:200]
    return None
