"""torch's two ONNX exporters behind one call."""
import contextlib
import os
import warnings

import onnx
import torch


class Positional(torch.nn.Module):
    """Exporters name inputs by position; families call modules by keyword."""

    def __init__(self, module, call):
        super().__init__()
        self.module = module
        self.call = call

    def forward(self, *args):
        return self.call(self.module, *args)


def strip(path):
    """Drops what only describes the exporter's machine and source files."""
    model = onnx.load(path)
    graph = model.graph
    described = [model, graph, *graph.node, *graph.value_info, *graph.input,
                 *graph.output, *graph.initializer]
    for function in model.functions:
        described += [function, *function.node]
    for item in described:
        del item.metadata_props[:]
        item.doc_string = ""
    onnx.save(model, path)


def export(family, path, exporter, opset):
    """Writes `family` to `path` with all its dynamic axes.

    exporter is "ts" (TorchScript tracing) or "dynamo" (torch.export).
    """
    module = Positional(family.module, family.call).eval()
    # An object that is given twice would silently become one graph input.
    example = tuple(t.clone() for t in family.example)
    common = dict(input_names=list(family.inputs),
                  output_names=list(family.outputs), opset_version=opset)
    with torch.no_grad(), warnings.catch_warnings(), \
            open(os.devnull, "w") as null, contextlib.redirect_stdout(null), \
            contextlib.redirect_stderr(null):
        warnings.simplefilter("ignore")
        if exporter == "ts":
            torch.onnx.export(module, example, path, dynamo=False,
                              dynamic_axes=family.inputs | family.outputs,
                              **common)
        else:
            export_dynamo(module, example, path, family.inputs, common)
    strip(path)


def export_dynamo(module, example, path, inputs, common):
    dims = {}

    def dim(name):
        # A sum of two other dims is no symbol of its own.
        if not name.isidentifier():
            return torch.export.Dim.DYNAMIC
        return dims.setdefault(name, torch.export.Dim(name))

    shapes = tuple({axis: dim(name) for axis, name in axes.items()}
                   for axes in inputs.values())
    torch.onnx.export(module, example, path, dynamo=True, external_data=False,
                      dynamic_shapes=(shapes,), verbose=False, **common)
