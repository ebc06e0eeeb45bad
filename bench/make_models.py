#!/usr/bin/env python3
"""Makes the models of docs/performance.md, and each in its peers' own forms.

  make_models.py [NAME ...]          default: all of them

A folder a model, build/bench/models/NAME, with the files that bench.py's
contenders look for:

  model.onnx          as torch's exporter writes it
  fused.onnx          rewritten by ONNX Runtime's transformer optimizer, from a
                      TorchScript export with eager attention where the optimizer
                      finds attention only in that; for GPT-2, which the
                      optimizer fails at, model.onnx again
  int8-dynamic.onnx   quantize_dynamic of fused.onnx, by channels
  int8-static.onnx    QDQ around the products with weights, by channels
  ctranslate2/        for BERTs; float32, quantized when it is loaded

Needs bench/requirements.txt. MiniLM has its real weights, out of build/models;
the others have random ones, which say nothing about errors of int8.
"""
import argparse
import dataclasses
import json
import logging
import pathlib
import shutil
import sys
import tempfile
import warnings
from typing import Callable

import onnx
import onnxruntime
import torch
import transformers
from onnxruntime import quantization
from onnxruntime.quantization import shape_inference

import contenders
import feeds  # contenders sets its path

sys.path.insert(0, str(contenders.ROOT / "test/models"))
import pooled_model  # noqa: E402

MODELS = contenders.ROOT / "build/bench/models"
MINILM = contenders.ROOT / "build/models/minilm-l6-v2"
OPSET = 20
ROWS = {0: "batch", 1: "length"}
BERT_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


@dataclasses.dataclass
class Model:
    """A torch module's inputs, and what ONNX Runtime's optimizer calls it.

    kind is None where the optimizer can't take today's exports.
    """
    make: Callable[[], torch.nn.Module]
    call: Callable[..., torch.Tensor]
    inputs: dict[str, dict[int, str]]
    example: Callable[[], list[torch.Tensor]]
    kind: str | None
    heads: int
    hidden: int
    # Set where a length is part of the calibration.
    calibration: tuple = ((1, 64),)


class Positional(torch.nn.Module):
    """Exporters pass arguments by position, models take them by name."""

    def __init__(self, model):
        super().__init__()
        self.module, self.call = model.make().eval(), model.call

    def forward(self, *args):
        return self.call(self.module, *args)


def tokens():
    return torch.randint(100, 20000, (2, 24))


def bert_example():
    mask = torch.ones(2, 24, dtype=torch.long)
    mask[1, 20:] = 0
    return [tokens(), mask, torch.zeros(2, 24, dtype=torch.long)]


def call_bert(module, ids, mask, types):
    return module(input_ids=ids, attention_mask=mask,
                  token_type_ids=types).last_hidden_state


def whisper():
    return transformers.WhisperModel(transformers.WhisperConfig(
        d_model=512, encoder_layers=6, decoder_layers=6,
        encoder_attention_heads=8, decoder_attention_heads=8,
        encoder_ffn_dim=2048, decoder_ffn_dim=2048)).encoder


def bert(make, hidden):
    return Model(make, call_bert, dict.fromkeys(BERT_INPUTS, ROWS),
                 bert_example, "bert", 12, hidden)


ALL = {
    "minilm-l6": bert(lambda: transformers.BertModel.from_pretrained(MINILM),
                      384),
    "bert-base": bert(lambda: transformers.BertModel(
        transformers.BertConfig()), 768),
    "gpt2": Model(
        lambda: transformers.GPT2LMHeadModel(transformers.GPT2Config()),
        lambda m, ids: m(input_ids=ids, use_cache=False).logits,
        {"input_ids": ROWS}, lambda: [tokens()], None, 12, 768),
    "vit-base": Model(
        lambda: transformers.ViTModel(transformers.ViTConfig()),
        lambda m, pixels: m(pixel_values=pixels).last_hidden_state,
        {"pixel_values": {}}, lambda: [torch.randn(1, 3, 224, 224)], "vit",
        12, 768, ((1, None),)),
    "whisper-base-encoder": Model(
        whisper, lambda m, features: m(features).last_hidden_state,
        {"input_features": {}}, lambda: [torch.randn(1, 80, 3000)], "bart",
        8, 512, ((1, None),)),
}


def export(model, module, path, script):
    """script: by tracing TorchScript, else by torch.export."""
    arguments = tuple(model.example())
    common = dict(input_names=list(model.inputs), output_names=["output"])
    if script:
        torch.onnx.export(module, arguments, path, dynamo=False,
                          dynamic_axes=model.inputs | {"output": ROWS}
                          if any(model.inputs.values()) else None,
                          opset_version=17, **common)
        return
    dims = {name: torch.export.Dim(name, min=2, max=512)
            for name in ROWS.values()}
    shapes = tuple({axis: dims[name] for axis, name in axes.items()}
                   for axes in model.inputs.values())
    torch.onnx.export(module, arguments, path, dynamo=True,
                      dynamic_shapes=(shapes,), external_data=False,
                      opset_version=OPSET, verbose=False, **common)


def fuse(model, source, out):
    """Returns how many attentions were found."""
    from onnxruntime.transformers import optimizer
    fused = optimizer.optimize_model(
        str(source), model.kind, num_heads=model.heads,
        hidden_size=model.hidden, opt_level=1)
    fused.save_model_to_file(str(out))
    found = fused.get_fused_operator_statistics()
    return found["Attention"] + found["MultiHeadAttention"]


def fuse_best(model, module, folder):
    """Of both exporters' graphs, the one with attention that is found."""
    if not model.kind:
        shutil.copy(folder / "model.onnx", folder / "fused.onnx")
        return
    if fuse(model, folder / "model.onnx", folder / "fused.onnx"):
        return
    for m in module.modules():
        if hasattr(getattr(m, "config", None), "_attn_implementation"):
            m.config._attn_implementation = "eager"
    traced = folder / "traced.onnx"
    export(model, module, traced, script=True)
    fuse(model, traced, folder / "fused.onnx")
    traced.unlink()


class Calibration(quantization.CalibrationDataReader):
    """Random inputs; the same ones each time."""

    def __init__(self, path, shapes):
        generator = feeds.Generator(onnx.load(path, load_external_data=False))
        self.feeds = iter([generator.make(*shape) for shape in shapes])

    def get_next(self):
        return next(self.feeds, None)


def quantize(model, folder):
    quantization.quantize_dynamic(
        folder / "fused.onnx", folder / "int8-dynamic.onnx", per_channel=True,
        weight_type=quantization.QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Gemm", "Attention"],
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})
    plain = folder / "plain.onnx"
    shape_inference.quant_pre_process(folder / "model.onnx", plain,
                                      skip_symbolic_shape=True)
    graph = onnx.load(plain).graph
    weights = {i.name for i in graph.initializer}
    quantization.quantize_static(
        plain, folder / "int8-static.onnx",
        Calibration(plain, model.calibration), per_channel=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Gemm"],
        nodes_to_quantize=[n.name for n in graph.node
                           if n.op_type in ("MatMul", "Gemm")
                           and n.input[1] in weights])
    plain.unlink()


def convert_ctranslate2(module, folder):
    """CTranslate2 reads a checkpoint as transformers saves it."""
    from ctranslate2.converters import TransformersConverter
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint = pathlib.Path(scratch)
        module.save_pretrained(checkpoint)
        config = json.loads((checkpoint / "config.json").read_text())
        # Which its reader wants, and transformers 5 leaves out.
        config["position_embedding_type"] = "absolute"
        (checkpoint / "config.json").write_text(json.dumps(config))
        shutil.copy(MINILM / "tokenizer.json", checkpoint)
        TransformersConverter(scratch).convert(folder / "ctranslate2",
                                               force=True)


def add_mean_pooling(path, out):
    """A sentence encoder's end: the mean over the tokens that are valid."""
    model = onnx.load(path)
    pooled_model.add_pooling(model, "mean")
    out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, out)


def make(name):
    model, folder = ALL[name], MODELS / name
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    module = Positional(model)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        export(model, module, folder / "model.onnx", script=False)
        fuse_best(model, module, folder)
    quantize(model, folder)
    if model.kind == "bert":
        convert_ctranslate2(module.module, folder)
    if name == "minilm-l6":
        for form in ("model", "fused", "int8-dynamic", "int8-static"):
            add_mean_pooling(folder / f"{form}.onnx",
                             MODELS / "minilm-l6-mean" / f"{form}.onnx")
        shutil.copytree(folder / "ctranslate2",
                        MODELS / "minilm-l6-mean/ctranslate2",
                        dirs_exist_ok=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="of " + ", ".join(ALL))
    names = parser.parse_args().names or list(ALL)
    if unknown := set(names) - set(ALL):
        parser.error(f"no model {', '.join(unknown)}")
    logging.disable(logging.WARNING)
    onnxruntime.set_default_logger_severity(3)
    for name in names:
        make(name)
        print(f"{name}: " + ", ".join(
            f"{f.name} {f.stat().st_size / 2**20:.0f} MB"
            for f in sorted((MODELS / name).glob("*.onnx"))), flush=True)


if __name__ == "__main__":
    main()
