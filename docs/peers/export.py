"""What exported networks say and how long they take: C, onnxruntime and nnc on the same rows.

Trains small networks on rows of random numbers, and a table with words, gaps and units; exports each; asks each export about
1,000 rows, one by one; and prints the largest difference from `nnc predict` (relative from 1 on), the time of a row (best of
20 rounds, one thread), and the sizes of files and memory. onnxruntime is timed twice: by `run`, as one calls it from Python,
and with bound memory, which is the least that Python allows.

    pip install onnxruntime numpy
    python export.py --nnc ../../target/release/nnc [--cc "gcc -O3 -march=native"] [--folder /tmp/export]
"""

import argparse
import ctypes
import json
import random
import re
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

END = "loss mse; optimizer adam; batch 50"
NETS = {
    "XOR": (2, "dense 16 relu; dense 1 sigmoid"),
    "MLP 784-128-10": (784, "dense 128 relu; dense 10 softmax; dense 1"),
    "batchnorm": (64, "dense 64; batchnorm; relu; dense 1"),
    "CNN 28x28": (
        784,
        "reshape 28x28x1; conv 16 3x3 relu; maxpool 2x2; conv 32 3x3 relu; maxpool 2x2; flatten; dense 10 softmax; dense 1",
    ),
    "ResNet block": (
        768,
        "reshape 16x16x3; conv 16 3x3 same\nstart = it\nconv 16 3x3 same; batchnorm; relu; conv 16 3x3 same; batchnorm; add start; relu\nglobal_avgpool; dense 1",
    ),
    "LSTM 50x16, 64": (800, "reshape 50x16; lstm 64; dense 1"),
    "GRU 50x16, 64": (800, "reshape 50x16; gru 64; dense 1"),
    "GPT block 32x64": (2048, "reshape 32x64; positions; transformer 4 causal; layernorm; mean(it, axis=0); dense 1"),
}
ROWS = 1000


def numbers(path, columns):
    random.seed(1)
    with open(path, "w") as f:
        f.write(",".join(f"x{i}" for i in range(columns)) + ",y\n")
        for _ in range(ROWS):
            row = [random.uniform(-1, 1) for _ in range(columns)]
            f.write(",".join(f"{x:.4f}" for x in row) + f",{sum(row[:5]):.4f}\n")


def words(path):
    random.seed(2)
    with open(path, "w") as f:
        f.write("kind,size,height,price\n")
        for i in range(ROWS):
            kind, size = random.choice(["small", "big", "huge", ""]), random.choice(["", f"{random.uniform(0, 9):.2f}"])
            f.write(f"{kind},{size},{random.uniform(1, 9):.3f},{random.uniform(100, 900):.1f}\n")


def rows_of(path):
    lines = Path(path).read_text().splitlines()
    names = lines[0].split(",")
    return names[:-1], [line.split(",")[:-1] for line in lines[1:]]


def said(nnc, folder):
    text = subprocess.run([nnc, "predict", "net.nn", "--json"], cwd=folder, capture_output=True, text=True, check=True).stdout
    return np.array([np.ravel(r.get("output.values", r["output"])) for r in json.loads(text)["rows"]], float)


class C:
    """The exported C, compiled, by its header."""

    def __init__(self, folder, cc):
        subprocess.run([*cc.split(), "-shared", "-fPIC", "-o", "model.so", "model.c", "-lm"], cwd=folder, check=True)
        header = (folder / "model.h").read_text()
        body = re.search(r"typedef struct \{\n(.*?)\} model_row;", header, re.S).group(1)
        kinds = {"double": ctypes.c_double, "const char *": ctypes.c_char_p}
        fields = re.findall(r"^ +(double|const char \*) ?(\w+);", body, re.M)

        class Row(ctypes.Structure):
            _fields_ = [(name, kinds[kind]) for kind, name in fields]

        answer = re.search(r"typedef struct \{\n(.*?)\} model_answer;", header, re.S).group(1)
        self.size = int(re.search(r"double output\[(\d+)\]", answer).group(1))
        self.Row, self.kinds = Row, [kind for kind, _ in fields]
        self.library = ctypes.CDLL(str(folder / "model.so"))
        work = int(re.search(r"#define MODEL_WORK (\d+)", header).group(1))
        self.work_bytes = 4 * work
        self.work = (ctypes.c_float * work)()
        self.answer = (ctypes.c_double * (self.size + 8))()

    def row(self, cells):
        value = {"double": lambda c: float(c) if c else float("nan"), "const char *": lambda c: c.encode() or None}
        return self.Row(*[value[kind](c) for kind, c in zip(self.kinds, cells)])

    def say(self, row):
        wrong = self.library.model_predict(ctypes.byref(row), self.answer, self.work)
        assert wrong == 0, wrong
        return list(self.answer[: self.size])


TIMER = """
#include <stdio.h>
#include <time.h>
#include "model.h"
static float x[%d], y[%d], work[MODEL_WORK];
int main(void)
{
    double best = 1e9;
    for (int i = 0; i < %d; i++) x[i] = (float)((i * 37 %% 101) - 50) / 50;
    for (int round = 0; round < 20; round++) {
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        for (int i = 0; i < 200; i++) {
            x[i %% %d] += 1e-6f;
            model_run(x, y, work);
        }
        clock_gettime(CLOCK_MONOTONIC, &b);
        double t = ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec)) / 200;
        if (t < best) best = t;
    }
    printf("%%.3f\\n", best / 1000);
    return 0;
}
"""


def best(call, times=200):
    out = 1e9
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(times):
            call()
        out = min(out, (time.perf_counter() - start) / times)
    return out * 1e6


def difference(a, b):
    a, b = np.asarray(a, float), np.asarray(b, float)
    return float(np.max(np.abs(a - b) / np.maximum(1, np.abs(b))))


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--nnc", default="../../target/release/nnc")
    ap.add_argument("--cc", default="gcc -O3 -march=native")
    ap.add_argument("--folder")
    args = ap.parse_args()
    nnc = str(Path(args.nnc).resolve())
    top = Path(args.folder or tempfile.mkdtemp())
    print("| network | C | onnxruntime | C, µs | onnxruntime, µs (`run` / bound) | model.c, weights, memory | model.onnx |")
    print("|---|---|---|---|---|---|---|")
    table = "words, gaps, units"
    for name in [table, *NETS]:
        folder = top / re.sub(r"\W+", "-", name)
        folder.mkdir(parents=True, exist_ok=True)
        if name == table:
            words(folder / "rows.csv")
            columns = None
            data = 'data "rows.csv" { target price standardize; input kind one_hot missing=mode; input size standardize missing=mean indicator; input height log }'
            body = "dense 16 relu; dense 1"
        else:
            columns, body = NETS[name]
            numbers(folder / "rows.csv", columns)
            data = 'data "rows.csv" { target y; input rest }'
        (folder / "net.nn").write_text(f"{data}\n{body}\n{END}\n")
        run = lambda *a: subprocess.run([nnc, *a], cwd=folder, check=True, capture_output=True)
        run("train", "net.nn", "-q", "--epochs", "1", "--no-report")
        run("export", "c", "net.nn", "-o", "model.c")
        run("export", "onnx", "net.nn", "-o", "model.onnx")
        wanted = said(nnc, folder)
        heads, rows = rows_of(folder / "rows.csv")

        c = C(folder, args.cc)
        theirs = [c.say(c.row(cells)) for cells in rows]
        c_difference = difference(theirs, wanted)

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
        kinds = {i.name: i.type for i in session.get_inputs()}

        def fed(cells):
            out = {}
            for head, cell in zip(heads, cells):
                if kinds[head] == "tensor(string)":
                    out[head] = np.array([cell], object)
                else:
                    out[head] = np.array([float(cell) if cell else np.nan])
            return out

        answers = [session.run(["output"], fed(cells))[0].ravel() for cells in rows]
        onnx_difference = difference(answers, wanted)

        # Times are those of the network alone: nobody feeds 784 columns by name.
        run("export", "onnx", "net.nn", "-o", "plain.onnx", "--no-preprocessing")
        plain = onnxruntime.InferenceSession(str(folder / "plain.onnx"), options, providers=["CPUExecutionProvider"])
        given = plain.get_inputs()[0]
        width = [d if isinstance(d, int) else 1 for d in given.shape]
        x = np.random.default_rng(0).uniform(-1, 1, width).astype(np.float32)
        by_run = best(lambda: plain.run(None, {given.name: x}))
        binding = plain.io_binding()
        binding.bind_cpu_input(given.name, x)
        binding.bind_output(plain.get_outputs()[0].name)
        bound = best(lambda: plain.run_with_iobinding(binding))

        size = int(np.prod(width))
        (folder / "timer.c").write_text(TIMER % (size, c.size, size, size))
        subprocess.run([*args.cc.split(), "-o", "timer", "timer.c", "model.c", "-lm"], cwd=folder, check=True)
        c_time = float(subprocess.run(["./timer"], cwd=folder, capture_output=True, text=True, check=True).stdout)

        kb = lambda n: f"{n / 1024:.1f}"
        weights = (folder / "plain.onnx").stat().st_size
        print(
            f"| {name} | {c_difference:.0e} | {onnx_difference:.0e} | {c_time:.2f} | {by_run:.2f} / {bound:.2f} "
            f"| {kb((folder / 'model.c').stat().st_size)} kB, memory {kb(c.work_bytes)} kB | {kb(weights)} kB |",
            flush=True,
        )


main()
