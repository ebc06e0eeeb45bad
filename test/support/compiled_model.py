"""Runs a compiled model on NumPy arrays, through txc_shim."""
import ctypes
import pathlib

import numpy as np
from onnx import helper

MAX_RANK = 8
SHIM = pathlib.Path(__file__).resolve().parents[2] / "build/lib/libtxc_shim.so"


class Tensor(ctypes.Structure):
    """txc_tensor of runtime/txc.h."""
    _fields_ = [("name", ctypes.c_char_p), ("data", ctypes.c_void_p),
                ("capacity", ctypes.c_size_t), ("bytes", ctypes.c_size_t),
                ("type", ctypes.c_int32), ("rank", ctypes.c_int32),
                ("dims", ctypes.c_int64 * MAX_RANK),
                ("borrowed", ctypes.c_int32), ("device", ctypes.c_int32),
                ("reserved", ctypes.c_int32 * 2)]


def load_shim(path):
    library = ctypes.CDLL(str(path))
    signatures = {
        "shim_open": (ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int32,
                                        ctypes.c_int64, ctypes.c_char_p]),
        "shim_close": (None, [ctypes.c_void_p]),
        "shim_tensor": (ctypes.c_char_p,
                        [ctypes.c_void_p, ctypes.c_int32, ctypes.c_size_t,
                         ctypes.POINTER(ctypes.c_int32)]),
        "shim_run": (ctypes.c_char_p,
                     [ctypes.c_void_p, ctypes.POINTER(Tensor), ctypes.c_size_t,
                      ctypes.POINTER(Tensor), ctypes.c_size_t]),
        "shim_reset": (ctypes.c_char_p, [ctypes.c_void_p]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class ModelError(Exception):
    """A call failed; the sentence is the runtime's."""


def raise_if(error):
    if error is not None:
        raise ModelError(error.decode())


class CompiledModel:
    """One model with one session of `threads` threads.

    Where the model has state, the session holds that of `rows` sequences.
    inputs and outputs map names to NumPy types, in the model's order.
    """

    def __init__(self, path, threads=1, rows=8, shim=SHIM):
        self.shim = load_shim(shim)
        message = ctypes.create_string_buffer(512)
        # A path without a slash would be looked for in the library path.
        self.handle = self.shim.shim_open(
            str(pathlib.Path(path).resolve()).encode(), threads, rows, message)
        if not self.handle:
            raise ModelError(message.value.decode())
        self.inputs = self.describe(is_output=0)
        self.outputs = self.describe(is_output=1)

    def close(self):
        if self.handle:
            self.shim.shim_close(self.handle)
            self.handle = None

    def describe(self, is_output):
        tensors, number = {}, ctypes.c_int32()
        while name := self.shim.shim_tensor(self.handle, is_output,
                                            len(tensors),
                                            ctypes.byref(number)):
            tensors[name.decode()] = np.dtype(
                helper.tensor_dtype_to_np_dtype(number.value))
        return tensors

    def bind(self, feeds):
        """Tensors over the arrays of `feeds`, to give to run_bound()."""
        # Kept here: the tensors only point to them.
        self.bound = {name: np.asarray(array, order="C")
                      for name, array in feeds.items()}
        tensors = (Tensor * len(feeds))()
        for tensor, (name, array) in zip(tensors, self.bound.items()):
            tensor.name = name.encode()
            tensor.data, tensor.capacity = array.ctypes.data, array.nbytes
            tensor.type = helper.np_dtype_to_tensor_dtype(array.dtype)
            tensor.rank = array.ndim
            tensor.dims[:array.ndim] = array.shape
        return tensors

    def run_bound(self, inputs, outputs):
        raise_if(self.shim.shim_run(self.handle, inputs, len(inputs), outputs,
                                    len(outputs)))

    def reset(self):
        """Forgets all state."""
        raise_if(self.shim.shim_reset(self.handle))

    def borrow(self):
        """Tensors for all outputs, in memory of the session."""
        tensors = (Tensor * len(self.outputs))()
        for tensor, name in zip(tensors, self.outputs):
            tensor.name = name.encode()
        return tensors

    def run(self, feeds):
        """Copies of all outputs, by name."""
        outputs = self.borrow()
        self.run_bound(self.bind(feeds), outputs)
        return {name: self.copy(tensor, dtype) for tensor, (name, dtype)
                in zip(outputs, self.outputs.items())}

    @staticmethod
    def copy(tensor, dtype):
        shape = tuple(tensor.dims[:tensor.rank])
        size = int(np.prod(shape)) * dtype.itemsize
        data = ctypes.string_at(tensor.data, size) if size else b""
        return np.frombuffer(data, dtype).reshape(shape)
