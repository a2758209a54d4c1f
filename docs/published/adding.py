"""Writes the adding problem of Hochreiter and Schmidhuber (1997), in the form of Arjovsky et al. (2016).

python docs/published/adding.py FOLDER [LENGTH]      FOLDER/adding/train.npz, test.npz

A sample is LENGTH (100) pairs: a number from 0 to 1, and a mark, which is 1 once in each half. The answer is the sum
of the two marked numbers. 40,000 samples to learn from, 2,000 for the verdict; numpy's generator, seed 0.
"""

import pathlib
import sys

import numpy as np

length = int(sys.argv[2]) if len(sys.argv) > 2 else 100
folder = pathlib.Path(sys.argv[1]) / "adding"
folder.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(0)
for part, count in [("train", 40_000), ("test", 2_000)]:
    x = np.zeros((count, length, 2), np.float32)
    x[:, :, 0] = random.random((count, length))
    rows = np.arange(count)
    first, second = random.integers(0, length // 2, count), random.integers(length // 2, length, count)
    x[rows, first, 1] = x[rows, second, 1] = 1
    np.savez(folder / f"{part}.npz", pairs=x, sum=(x[:, :, 0] * x[:, :, 1]).sum(axis=1, keepdims=True))
