#!/usr/bin/env python3
"""Reads what ptxas made of GPU kernels: how busy tensor cores can be.

  gpu-utilisation.py MODEL.onnx... --txc TXC [--target sm80]
  gpu-utilisation.py --products --txc TXC        plain products of each type
  gpu-utilisation.py KERNELS.cubin

A line for each loop that multiplies: instructions, matrix products, loads from
shared memory, asynchronous copies, the sum of the stall counts that ptxas wrote
into the instructions, and U, the share of that time in which the warp's tensor
core is at work. Without ptxas it says so and exits with 77.

The machine code of sm_70 to sm_90 has 16 bytes an instruction: the operation in
its low 12 bits, and from bit 105 on how many cycles the warp waits before its
next one. U counts 8 cycles for each product, which is what all of m16n8k16 (f16,
bf16), m16n8k8 (tf32) and m16n8k32 (s8) take of a quarter of an SM. What a warp
waits for memory and what other warps of the quarter do meanwhile is not in it.
"""
import argparse
import collections
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

SKIPPED = 77
CYCLES_OF_PRODUCT = 8
BRANCH = 0x947
# Operations by their low 12 bits; forms of one differ in where operands are.
NAMES = {0x23c: "mma", 0x237: "mma", 0x83b: "ldsm", 0xfae: "ldgsts",
         0x984: "lds", 0x388: "sts", 0x988: "sts", 0x981: "ldg", 0x387: "stl",
         0x983: "ldl"}
COLUMNS = ("mma", "ldsm", "lds", "ldgsts")

Instruction = collections.namedtuple("Instruction", "name stall target")
Loop = collections.namedtuple("Loop", "kernel instructions counts stall")


def sections(image):
    """Name to bytes of an ELF file's sections."""
    table, = struct.unpack_from("<Q", image, 40)
    size, count, names = struct.unpack_from("<HHH", image, 58)
    headers = [struct.unpack_from("<IIQQQQ", image, table + i * size)
               for i in range(count)]
    strings = headers[names][4]

    def name(offset):
        start = strings + offset
        return image[start:image.index(b"\0", start)].decode()
    return {name(h[0]): image[h[4]:h[4] + h[5]] for h in headers}


def decode(text):
    result = []
    for at in range(0, len(text) - 15, 16):
        low, high = struct.unpack_from("<QQ", text, at)
        word = low | high << 64
        operation = word & 0xfff
        target = None
        if operation == BRANCH:
            # In units of 4 bytes from the next instruction on, signed.
            offset = word >> 34 & (1 << 48) - 1
            offset -= (offset >> 47) << 48
            target = at // 16 + 1 + offset * 4 // 16
        result.append(Instruction(NAMES.get(operation), word >> 105 & 15,
                                  target))
    return result


def loops(kernel, code):
    """The innermost loops that multiply matrices."""
    found = []
    for end, instruction in enumerate(code):
        start = instruction.target
        if start is None or start > end:
            continue
        body = code[start:end + 1]
        counts = collections.Counter(i.name for i in body)
        inner = any(i.target is not None and start < i.target <= start + n
                    for n, i in enumerate(body[:-1]))
        if counts["mma"] and not inner:
            found.append(Loop(kernel, len(body), counts,
                              sum(i.stall for i in body)))
    return found


def read_cubin(image):
    return [loop for name, text in sections(image).items()
            if name.startswith(".text.")
            for loop in loops(name.removeprefix(".text."), decode(text))]


def utilisation(loop):
    return CYCLES_OF_PRODUCT * loop.counts["mma"] / loop.stall


def find_ptxas():
    return shutil.which("ptxas") or shutil.which(
        "ptxas", path="/usr/local/cuda/bin")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"gpu-utilisation.py: {' '.join(map(str, command))}: "
                 f"{done.stderr.strip() or done.stdout.strip()}")
    return done.stdout + done.stderr


def registers(report):
    """Registers and bytes of spills by kernel, from what ptxas -v says."""
    name, result = None, {}
    for line in report.splitlines():
        if found := re.search(r"Compiling entry function '(\w+)'", line):
            name = found[1]
        elif found := re.search(r"(\d+) bytes spill stores", line):
            spilled = int(found[1])
        elif found := re.search(r"Used (\d+) registers", line):
            result[name] = int(found[1]), spilled
    return result


def assemble(ptxas, txc, model, target, scratch):
    ptx, cubin = scratch / "model.ptx", scratch / "model.cubin"
    run(txc, model, f"-target={target}", "-emit=ptx", "-o", ptx)
    report = run(ptxas, f"-arch={target.replace('sm', 'sm_')}", "-v", ptx,
                 "-o", cubin)
    return cubin.read_bytes(), registers(report)


def write_product(path, element):
    """A product of two matrices that tiles divide."""
    from onnx import TensorProto, checker, helper, save
    kind = getattr(TensorProto, element)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["a", "b"], ["c"])], "product",
        [helper.make_tensor_value_info("a", kind, [1024, 1024]),
         helper.make_tensor_value_info("b", kind, [1024, 1024])],
        [helper.make_tensor_value_info("c", kind, [1024, 1024])])
    model = helper.make_model(graph, ir_version=10,
                              opset_imports=[helper.make_opsetid("", 21)])
    checker.check_model(model)
    save(model, path)


def print_table(rows):
    print("| model | kernel | instructions | " + " | ".join(COLUMNS)
          + " | stalls | U | registers | spilled |")
    print("|" + "---|" * (len(COLUMNS) + 7))
    for model, loop, used, spilled in rows:
        counts = " | ".join(str(loop.counts[column]) for column in COLUMNS)
        print(f"| {model} | {loop.kernel} | {loop.instructions} | {counts} | "
              f"{loop.stall} | {utilisation(loop):.1%} | {used} | {spilled} |")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--txc")
    parser.add_argument("--target", default="sm80")
    parser.add_argument("--products", action="store_true")
    parser.add_argument("--floor", action="append", default=[],
                        metavar="MODEL=PERCENT",
                        help="fail where a loop of the model is below")
    args = parser.parse_args()
    ptxas = find_ptxas()
    if not ptxas:
        print("NOT READ: there is no ptxas on PATH nor in /usr/local/cuda/bin")
        return SKIPPED
    rows = []
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        if args.products:
            for element in ("FLOAT", "FLOAT16", "BFLOAT16"):
                args.files.append(scratch / f"{element.lower()}.onnx")
                write_product(args.files[-1], element)
        for file in args.files:
            if file.suffix == ".cubin":
                image, used = file.read_bytes(), {}
            else:
                image, used = assemble(ptxas, args.txc, file, args.target,
                                       scratch)
            rows += [(file.stem, loop, *used.get(loop.kernel, ("", "")))
                     for loop in read_cubin(image)]
    print_table(rows)
    failed = 0
    for floor in args.floor:
        model, percent = floor.split("=")
        reached = [utilisation(loop) * 100 for stem, loop, *_ in rows
                   if stem == model]
        if not reached or min(reached) < float(percent):
            print(f"FAILED: {model} reaches {min(reached, default=0):.1f} %, "
                  f"the floor is {percent} %")
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
