"""Tests of passes and dialects: txc-opt and FileCheck on small files."""

import os
import sys

import lit.formats

config.name = "txc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.test_source_root = os.path.dirname(__file__)
# CMakeLists.txt gives the two parameters.
config.test_exec_root = os.path.join(lit_config.params["build"], "test", "lit")
tools = [
    os.path.join(lit_config.params["build"], "bin"),
    lit_config.params["llvm_tools"],
]
config.environment["PATH"] = os.pathsep.join(tools + [os.environ["PATH"]])
config.substitutions.append(("%python", sys.executable))
config.substitutions.append(
    ("%txc_lib", os.path.join(lit_config.params["build"], "lib")))
