#!/usr/bin/env python3
"""Rewrites a BERT with ONNX Runtime's own tools, as people do before they deploy.

  ort_tools.py MODEL.onnx --as=FORM --heads=N -o OUT.onnx

fused           onnxruntime.transformers' optimizer: com.microsoft's operators
fused-float16   and half the bytes
dynamic         quantize_dynamic: DynamicQuantizeLinear, MatMulInteger
fused-dynamic   both: QAttention, QEmbedLayerNormalization
qdq, qoperator  quantize_static of the matrix products, in its two formats
session         what a session saves of its graph after optimizing it
"""
import argparse
import logging
import pathlib
import sys
import tempfile

import onnx
import onnxruntime
from onnxruntime import quantization

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import feeds  # noqa: E402

LEVELS = onnxruntime.GraphOptimizationLevel
QUIET = 3


class Calibration(quantization.CalibrationDataReader):
    """A few batches; the same ones each time."""

    def __init__(self, path):
        generator = feeds.Generator(onnx.load(path, load_external_data=False))
        self.feeds = iter([generator.make(2, length) for length in (7, 24, 40)])

    def get_next(self):
        return next(self.feeds, None)


def fuse(source, out, heads, float16=False):
    from onnxruntime.transformers import optimizer
    model = optimizer.optimize_model(str(source), "bert", num_heads=heads,
                                     hidden_size=0, opt_level=0)
    if float16:
        model.convert_float_to_float16(keep_io_types=True)
    model.save_model_to_file(str(out))


def quantize_dynamic(source, out):
    quantization.quantize_dynamic(
        source, out, weight_type=quantization.QuantType.QUInt8,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})


def quantize_static(source, out, quant_format):
    is_qdq = quant_format == quantization.QuantFormat.QDQ
    kind = quantization.QuantType
    quantization.quantize_static(
        source, out, Calibration(source), quant_format,
        op_types_to_quantize=["MatMul"], per_channel=is_qdq,
        activation_type=kind.QInt8 if is_qdq else kind.QUInt8,
        weight_type=kind.QInt8)


def save_session(source, out, level):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = QUIET
    options.graph_optimization_level = level
    options.optimized_model_filepath = str(out)
    onnxruntime.InferenceSession(source, options)


def rewrite(source, out, form, heads, scratch):
    fused = pathlib.Path(scratch) / "fused.onnx"
    if form in ("fused", "fused-float16"):
        fuse(source, out, heads, float16=form == "fused-float16")
    elif form == "dynamic":
        quantize_dynamic(source, out)
    elif form == "fused-dynamic":
        fuse(source, fused, heads)
        quantize_dynamic(fused, out)
    elif form == "session":
        save_session(source, out, LEVELS.ORT_ENABLE_EXTENDED)
    else:
        quantize_static(source, out, quantization.QuantFormat.QDQ
                        if form == "qdq" else quantization.QuantFormat.QOperator)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--as", dest="form", required=True, choices=[
        "fused", "fused-float16", "dynamic", "fused-dynamic", "qdq",
        "qoperator", "session"])
    parser.add_argument("--heads", type=int, required=True)
    parser.add_argument("-o", dest="out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    logging.disable(logging.WARNING)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        # The tools want one file, and weights that are products' own operands.
        whole = pathlib.Path(scratch) / "whole.onnx"
        plain = pathlib.Path(scratch) / "plain.onnx"
        onnx.save(onnx.load(args.model), whole)
        save_session(whole, plain, LEVELS.ORT_ENABLE_BASIC)
        rewrite(plain, args.out, args.form, args.heads, scratch)


if __name__ == "__main__":
    main()
