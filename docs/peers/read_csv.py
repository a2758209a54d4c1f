#!/usr/bin/env python3
"""Reading and encoding a table: pandas' C reader beside nnc, in one run.

Both read the file, standardize every column of numbers (mean and deviation of the whole file), turn every column of
words into one column of zeros and ones for each category, and end with one float32 matrix of the inputs.

    cargo build --release -p nnc-data --example read
    python docs/peers/read_csv.py make 1GB big.csv                  # a table to read: 10 numbers, 2 words, a target
    python docs/peers/read_csv.py READ-EXAMPLE FILE TARGET [--times 3]
"""

import argparse
import statistics
import subprocess
import sys
import time

import numpy as np
import pandas as pd


def make(size, path):
    """A file of about this size: one block of random rows again and again."""
    units = {"MB": 10**6, "GB": 10**9}
    want = int(float(size[:-2]) * units[size[-2:]])
    rng = np.random.default_rng(0)
    rows = 200_000
    x = rng.normal(size=(rows, 10)) * 10.0 ** np.arange(-2, 3).repeat(2)
    table = pd.DataFrame({f"x{i}": np.round(x[:, i], 4) for i in range(10)})
    table["shop"] = rng.choice(["north", "south", "east", "west", "centre"], rows)
    table["kind"] = rng.choice([f"kind{i}" for i in range(20)], rows)
    table["y"] = np.round(x @ rng.normal(size=10) / 100 + (table["shop"] == "north"), 3)
    text = table.to_csv(index=False)
    head, body = text.split("\n", 1)
    block, written = body.encode(), len(head) + 1
    with open(path, "wb") as out:
        out.write((head + "\n").encode())
        while written < want:
            out.write(block)
            written += len(block)


def peer(path, target):
    begin = time.perf_counter()
    table = pd.read_csv(path, engine="c")
    read = time.perf_counter() - begin
    inputs = table.drop(columns=target)
    numbers = inputs.select_dtypes("number")
    words = [c for c in inputs.columns if c not in numbers.columns]
    slots = len(numbers.columns) + sum(inputs[c].nunique() for c in words)
    matrix = np.zeros((len(table), slots), dtype=np.float32)
    at = 0
    for c in numbers.columns:
        values = numbers[c].to_numpy()
        matrix[:, at] = (values - values.mean()) / values.std()
        at += 1
    rows = np.arange(len(table))
    for c in words:
        codes, names = pd.factorize(inputs[c], sort=True)
        matrix[rows, at + codes] = 1
        at += len(names)
    return read, time.perf_counter() - begin, matrix.shape


def ours(example, path, target):
    out = subprocess.run([example, path, target, "--copy"], check=True, capture_output=True, text=True).stdout
    words = out.replace(",", "").split()
    return float(words[words.index("s") - 1]), float(words[words.index("s", words.index("s") + 1) - 1]), out.strip()


def main():
    if sys.argv[1:2] == ["make"]:
        return make(sys.argv[2], sys.argv[3])
    parser = argparse.ArgumentParser()
    parser.add_argument("example")
    parser.add_argument("file")
    parser.add_argument("target")
    parser.add_argument("--times", type=int, default=3)
    args = parser.parse_args()
    reads, peers, owns = [], [], []
    for _ in range(args.times):
        own = ours(args.example, args.file, args.target)
        read, whole, shape = peer(args.file, args.target)
        print(f"nnc: {own[2]}; pandas: {shape}, read {read:.3f} s, matrix {whole:.3f} s", flush=True)
        owns.append(own[1])
        reads.append(read)
        peers.append(whole)
    own, whole = statistics.median(owns), statistics.median(peers)
    print(f"median: nnc {own:.3f} s, pandas {whole:.3f} s ({statistics.median(reads):.3f} s reading): {whole / own:.2f} times as fast")


if __name__ == "__main__":
    main()
