"""What bench.py runs side by side: one class each, found by its `name`."""
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test/support"))


class Contender:
    """Loads a model once and runs it many times, in a process of its own.

    Subclasses import what they need in load(), so that one that is not
    installed stops nobody else.
    """
    name = ""
    # For one that rounds more than the model does: the cosine its outputs have
    # to the first contender's at least. Otherwise the error decides.
    least_cosine = None
    # How many times the f32 peak its products can reach: those with weights,
    # and those of attention.
    weights_speed = attention_speed = 1

    def load(self, path, threads):
        """Makes the model ready. Returns facts to print, by name."""
        raise NotImplementedError

    def bind(self, inputs):
        """Takes the inputs, by name, of the runs that follow."""
        raise NotImplementedError

    def run(self):
        """What is timed."""
        raise NotImplementedError

    def outputs(self):
        """The outputs of one run, by name."""
        raise NotImplementedError


class OnnxRuntime(Contender):
    name = "onnxruntime"
    # The form of the model it runs, a file beside the one that is measured.
    form = None

    def load(self, path, threads):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            path.with_name(self.form) if self.form else path, options, providers=["CPUExecutionProvider"])
        self.names = [o.name for o in self.session.get_outputs()]
        return {"version": onnxruntime.__version__}

    def bind(self, inputs):
        self.inputs = inputs

    def run(self):
        return self.session.run(self.names, self.inputs)

    def outputs(self):
        return dict(zip(self.names, self.run()))


class OnnxRuntimeFused(OnnxRuntime):
    name = "onnxruntime-fused"
    form = "fused.onnx"


class OnnxRuntimeInt8(OnnxRuntime):
    name = "onnxruntime-int8"
    form = "int8-dynamic.onnx"
    weights_speed = 4
    least_cosine = 0.9


class OpenVino(Contender):
    name = "openvino"
    precision = "f32"
    form = None

    def load(self, path, threads):
        import openvino
        core = openvino.Core()
        file = path.with_name(self.form) if self.form else path
        model = core.compile_model(file, "CPU", {
            "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": self.precision})
        self.names = [o.get_any_name() for o in model.outputs]
        self.inputs = {i.get_any_name() for i in model.inputs}
        self.request = model.create_infer_request()
        return {"version": openvino.__version__}

    def bind(self, inputs):
        import openvino
        for name in self.inputs:
            self.request.set_tensor(name, openvino.Tensor(inputs[name]))

    def run(self):
        self.request.infer()

    def outputs(self):
        self.run()
        return {name: self.request.get_tensor(name).data.copy()
                for name in self.names}


class OpenVinoBf16(OpenVino):
    name = "openvino-bf16"
    precision = "bf16"
    weights_speed = attention_speed = 2
    least_cosine = 0.99


class OpenVinoInt8(OpenVino):
    """Of a statically quantized model: fast, and not always of use."""
    name = "openvino-int8"
    precision = "bf16"
    form = "int8-static.onnx"
    weights_speed, attention_speed = 4, 2
    least_cosine = 0.5


class CTranslate2(Contender):
    """Encoders like BERT. Takes lists of tokens, so padding costs nothing."""
    name = "ctranslate2"
    kind = "float32"

    def load(self, path, threads):
        import ctranslate2
        import onnx
        self.encoder = ctranslate2.Encoder(
            str(path.with_name("ctranslate2")), device="cpu",
            compute_type=self.kind, inter_threads=1, intra_threads=threads)
        self.output = onnx.load(
            path, load_external_data=False).graph.output[0].name
        return {"version": ctranslate2.__version__}

    def bind(self, inputs):
        self.mask = inputs["attention_mask"]
        self.rows, self.types = (
            [row[:n].tolist() for row, n in zip(inputs[name],
                                                self.mask.sum(1))]
            for name in ("input_ids", "token_type_ids"))

    def run(self):
        return self.encoder.forward_batch(
            self.rows, token_type_ids=self.types).last_hidden_state

    def outputs(self):
        import numpy
        hidden = numpy.array(self.run())
        if self.output == "sentence_embedding":
            valid = self.mask[..., None]
            hidden = ((hidden * valid).sum(1) / valid.sum(1)).astype("f")
        return {self.output: hidden}


class CTranslate2Int8(CTranslate2):
    name = "ctranslate2-int8"
    kind = "int8"
    weights_speed = 4
    least_cosine = 0.9


class Txc(Contender):
    name = "txc"
    options = []

    def load(self, path, threads):
        import compiled_model
        so = (ROOT / "build/bench"
              / f"{path.parent.name}-{path.stem}-{self.name}.so")
        so.parent.mkdir(parents=True, exist_ok=True)
        begin = time.perf_counter()
        done = subprocess.run(
            [ROOT / "build/bin/txc", path, "-o", so, *self.options],
            capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        seconds = time.perf_counter() - begin
        self.model = compiled_model.CompiledModel(so, threads)
        return {"compile": f"{seconds:.2f} s",
                "size": f"{so.stat().st_size / 2**20:.1f} MB"}

    def bind(self, inputs):
        used = {k: v for k, v in inputs.items() if k in self.model.inputs}
        self.used = used
        self.tensors = self.model.bind(used)
        self.results = self.model.borrow()

    def run(self):
        self.model.run_bound(self.tensors, self.results)

    def outputs(self):
        return self.model.run(self.used)


class TxcBf16(Txc):
    name = "txc-bf16"
    weights_speed = attention_speed = 2
    least_cosine = 0.9999
    options = ["-precision=bf16"]


class TxcInt8(Txc):
    name = "txc-int8"
    weights_speed, attention_speed = 4, 2
    least_cosine = 0.995
    options = ["-precision=int8"]


CONTENDERS = {
    c.name: c
    for c in (OnnxRuntime, OnnxRuntimeFused, OnnxRuntimeInt8, Txc, TxcBf16,
              TxcInt8, OpenVino, OpenVinoBf16, OpenVinoInt8, CTranslate2,
              CTranslate2Int8)}
# What the test environment can run; peers have requirements of their own.
DEFAULT = [c.name for c in (OnnxRuntime, Txc, TxcBf16, TxcInt8)]
