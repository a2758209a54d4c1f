"""PyTorch on a convolutional network for 28x28 pictures, for side-by-side timing with `nnc bench specs/mnist-cnn.nn`.

conv 32 3x3 relu, maxpool, conv 64 3x3 relu, maxpool, dropout .5, flatten, dense 10, crossentropy, Adam, batch 128,
float32; 8,000 pictures of random numbers, or the first 8,000 of MNIST's 10,000 with `--mnist FOLDER`, then the accuracy on
the last 2,000.

    pip install torch==2.15.0
    python cnn.py --threads 2 [--epochs 3] [--rows 8000] [--mnist FOLDER] [--seed 0]
"""

import argparse
import gzip
import statistics
import time
from pathlib import Path

import torch
from torch import nn

ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
ap.add_argument("--threads", type=int, default=1)
ap.add_argument("--epochs", type=int, default=3)
ap.add_argument("--rows", type=int, default=8_000)
ap.add_argument("--mnist", type=Path)
ap.add_argument("--seed", type=int, default=0)
args = ap.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(args.seed)

if args.mnist:
    images = gzip.decompress((args.mnist / "t10k-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((args.mnist / "t10k-labels-idx1-ubyte.gz").read_bytes())
    x = torch.frombuffer(bytearray(images[16:]), dtype=torch.uint8).reshape(-1, 1, 28, 28).float() / 255
    y = torch.frombuffer(bytearray(labels[8:]), dtype=torch.uint8).long()
    (x, rest_x), (y, rest_y) = (x[:8_000], x[8_000:]), (y[:8_000], y[8_000:])
else:
    x, y = torch.rand(args.rows, 1, 28, 28), torch.randint(0, 10, (args.rows,))
net = nn.Sequential(
    nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.5),
    nn.Flatten(), nn.Linear(1600, 10))
adam = torch.optim.Adam(net.parameters(), lr=0.001, eps=1e-7)
crossentropy = nn.CrossEntropyLoss()


def epoch():
    start = time.perf_counter()
    for at in torch.randperm(len(x)).split(128):
        adam.zero_grad()
        loss = crossentropy(net(x[at]), y[at])
        loss.backward()
        adam.step()
    return time.perf_counter() - start


seconds = statistics.median(epoch() for _ in range(args.epochs))
told = f"cnn, torch {torch.__version__}, {args.threads} thread(s): {seconds:.2f} s per epoch of {len(x):,}"
if args.mnist:
    net.eval()
    with torch.no_grad():
        right = (net(rest_x).argmax(1) == rest_y).float().mean().item()
    told += f"; {right:.2%} of the last 2,000 right after {args.epochs} epochs"
print(told)
