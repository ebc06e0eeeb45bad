#!/usr/bin/env python3
"""Writes ONNX's backend tests, from the installed `onnx`, and cases of
com.microsoft's operators as files.

  dump_cases.py OUT_DIR

  OUT_DIR/KIND/NAME/model.onnx          the case
  OUT_DIR/KIND/NAME/dynamic.onnx        with its data inputs' extents removed
  OUT_DIR/KIND/NAME/structure.txt       names of inputs such as axes, shapes
  OUT_DIR/KIND/NAME/test_data_set_N/{input,output}_I.pb
  OUT_DIR/index.tsv                     a line a case, see COLUMNS

Does nothing when OUT_DIR is what this version of the script wrote.
"""
import argparse
import hashlib
import pathlib
import shutil
import sys
import warnings

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.backend.test.loader import load_model_tests

import classify
import contrib_cases

# "real" downloads its models and has no inputs on disk.
KINDS = ("node", "simple", "pytorch-operator", "pytorch-converted")
COLUMNS = ("case", "set", "family", "operator", "opset", "rtol", "atol",
           "reason")

# Inputs whose values say how to compute: axes, shapes, counts. Exporters write
# constants for them. By operator, positions.
STRUCTURE = {
    "AffineGrid": (1,), "BlackmanWindow": (0,), "CenterCropPad": (1,),
    "Col2Im": (1, 2), "ConstantOfShape": (0,), "CumProd": (1,), "CumSum": (1,),
    "DFT": (1, 2), "Expand": (1,), "HammingWindow": (0,), "HannWindow": (0,),
    "Loop": (0, 1), "MaxUnpool": (2,), "MelWeightMatrix": (0, 1, 2, 3, 4),
    "OneHot": (1,), "Pad": (1, 3), "Range": (0, 1, 2), "Reshape": (1,),
    "Resize": (1, 2, 3), "STFT": (1, 3), "Slice": (1, 2, 3, 4), "Split": (1,),
    "Squeeze": (1,), "Tile": (1,), "TopK": (1,), "Trilu": (1,),
    "Unsqueeze": (1,), "Upsample": (1,),
} | {"Reduce" + kind: (1,) for kind in
     "L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare".split()}

# Inputs that are weights in a real model, so that their extents are known:
# filters, scales, bounds.
WEIGHTS = {
    "BatchNormalization": (1, 2, 3, 4), "CausalConvWithState": (1, 2),
    "Clip": (1, 2), "Compress": (1,), "Conv": (1, 2), "ConvInteger": (1, 2, 3),
    "ConvTranspose": (1, 2), "DeformConv": (1, 3), "DequantizeLinear": (1, 2),
    "Dropout": (1, 2), "GRU": (1, 2, 3), "LSTM": (1, 2, 3),
    "MatMulInteger": (2, 3), "OneHot": (2,), "Pad": (2,),
    "QLinearConv": (1, 2, 3, 4, 5, 6, 7), "QLinearMatMul": (1, 2, 4, 5, 6, 7),
    "QuantizeLinear": (1, 2), "RNN": (1, 2, 3),
}


def version():
    """Changes with whatever the files depend on."""
    digest = hashlib.sha256(onnx.__version__.encode())
    for module in (__file__, classify.__file__, contrib_cases.__file__):
        digest.update(pathlib.Path(module).read_bytes())
    return digest.hexdigest()


def operators_of(nodes, found):
    for node in nodes:
        own = node.domain in ("", "ai.onnx")
        found.add(node.op_type if own else f"{node.domain}::{node.op_type}")
        for attribute in node.attribute:
            for graph in [attribute.g, *attribute.graphs]:
                operators_of(graph.node, found)
    return found


def type_name(type_proto):
    kind = type_proto.WhichOneof("value")
    if kind != "tensor_type":
        return (kind or "none").removesuffix("_type")
    tensor = type_proto.tensor_type
    name = TensorProto.DataType.Name(tensor.elem_type).lower()
    return f"{name}:{len(tensor.shape.dim)}"


def inputs_at(model, positions):
    """Names of what nodes of the graph take at positions[operator]."""
    return {node.input[position] for node in model.graph.node
            for position in positions.get(node.op_type, ())
            if position < len(node.input)}


def parameters_of(model):
    """Names of the graph inputs that are parameters or have a default."""
    return ({i.name for i in model.graph.initializer}
            | inputs_at(model, STRUCTURE) | inputs_at(model, WEIGHTS))


def without_extents(model):
    """The model with nothing known of its data inputs but type and rank."""
    dynamic = onnx.ModelProto()
    dynamic.CopyFrom(model)
    parameters = parameters_of(model)
    del dynamic.graph.value_info[:]
    for value in [*dynamic.graph.input, *dynamic.graph.output]:
        if value.name not in parameters:
            for dim in value.type.tensor_type.shape.dim:
                dim.Clear()
    return dynamic


def to_proto(value, info):
    kind = info.type.WhichOneof("value")
    if kind == "map_type":
        return numpy_helper.from_dict(value, info.name)
    if kind == "sequence_type":
        return numpy_helper.from_list(value, info.name)
    if kind == "optional_type":
        return numpy_helper.from_optional(value, info.name)
    if isinstance(value, TensorProto):
        return value
    return numpy_helper.from_array(np.asarray(value), info.name)


def write_data_set(directory, model, inputs, outputs):
    directory.mkdir()
    for prefix, values, infos in (("input", inputs, model.graph.input),
                                  ("output", outputs, model.graph.output)):
        for i, (value, info) in enumerate(zip(values, infos)):
            data = to_proto(value, info).SerializeToString()
            (directory / f"{prefix}_{i}.pb").write_bytes(data)


def model_of(case):
    return case.model or onnx.load(pathlib.Path(case.model_dir) / "model.onnx")


def operator_model(name, models):
    """A case of a function body is about the operator that it expands."""
    return models.get(name.split("_expanded")[0], models[name])


def write_case(case, directory, models):
    model = models[case.name]
    if case.model is None:
        shutil.copytree(case.model_dir, directory)
    else:
        directory.mkdir(parents=True)
        onnx.save(model, directory / "model.onnx")
        for i, (inputs, outputs) in enumerate(case.data_sets):
            write_data_set(directory / f"test_data_set_{i}", model, inputs,
                           outputs)
    onnx.save(without_extents(model), directory / "dynamic.onnx")
    write_structure(model, operator_model(case.name, models), directory)


def write_structure(model, operator, directory):
    names = inputs_at(model, STRUCTURE) | inputs_at(operator, STRUCTURE)
    names -= {i.name for i in model.graph.initializer}
    (directory / "structure.txt").write_text("".join(
        f"{i.name}\n" for i in model.graph.input if i.name in names))


def describe(kind, case, models):
    """The line of the index. models: all of the kind, by case name."""
    model = operator_model(case.name, models)
    operators = sorted(operators_of(model.graph.node, set()))
    types = [type_name(v.type) for v in [*model.graph.input,
                                         *model.graph.output]]
    group, family, operator, reason = classify.classify(
        kind, case.name, operators, types)
    opset = next((o.version for o in models[case.name].opset_import
                  if o.domain in ("", "ai.onnx")), 0)
    return (f"{kind}/{case.name}", group, family, operator, opset, case.rtol,
            case.atol, reason)


def write_contrib(directory):
    """Writes the cases of com.microsoft and returns their lines."""
    for case in contrib_cases.cases():
        model, inputs, outputs = contrib_cases.solve(case)
        target = directory / case.name
        target.mkdir(parents=True)
        onnx.save(model, target / "model.onnx")
        onnx.save(without_extents(model), target / "dynamic.onnx")
        write_structure(model, model, target)
        write_data_set(target / "test_data_set_0", model, inputs, outputs)
        yield (f"contrib/{case.name}", "contrib", case.family, case.operator,
               1, case.rtol, case.atol, "")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    out = parser.parse_args().out
    # The cases compute their expectations with infinities on purpose.
    warnings.simplefilter("ignore", RuntimeWarning)
    stamp = out / "version"
    if stamp.exists() and stamp.read_text() == version():
        return
    shutil.rmtree(out, ignore_errors=True)
    lines = []
    for kind in KINDS:
        cases = load_model_tests(kind=kind)
        models = {c.name: model_of(c) for c in cases}
        for case in cases:
            write_case(case, out / kind / case.name, models)
        lines += [describe(kind, c, models) for c in cases]
    lines += write_contrib(out / "contrib")
    with open(out / "index.tsv", "w") as index:
        for line in [COLUMNS, *lines]:
            print(*line, sep="\t", file=index)
    stamp.write_text(version())
    counts = {s: sum(line[1] == s for line in lines)
              for s in (*classify.RANK, "contrib")}
    print(f"dump_cases.py: {len(lines)} cases in {out}: "
          + ", ".join(f"{n} {s}" for s, n in counts.items()))


if __name__ == "__main__":
    sys.exit(main())
