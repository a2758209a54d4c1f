"""PyTorch on the XOR network, for side-by-side timing with `nnc bench`.

2 -> 16 relu -> 1 sigmoid, mse, Adam, the four rows as one batch, 500 epochs, float32.

    pip install torch==2.15.0
    python xor.py --threads 1 [--fused] [--repeats 5] [--json]
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn

ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
ap.add_argument("--threads", type=int, default=1)
ap.add_argument("--fused", action="store_true", help="PyTorch's fused Adam")
ap.add_argument("--epochs", type=int, default=500)
ap.add_argument("--repeats", type=int, default=5)
ap.add_argument("--json", action="store_true")
args = ap.parse_args()
torch.set_num_threads(args.threads)

x = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
y = torch.tensor([[0.0], [1], [1], [0]])


def run(epochs, seed):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())
    adam = torch.optim.Adam(net.parameters(), lr=0.001, eps=1e-7, fused=args.fused)
    mse = nn.MSELoss()
    start = time.perf_counter()
    for _ in range(epochs):
        adam.zero_grad()
        loss = mse(net(x), y)
        loss.backward()
        adam.step()
    return time.perf_counter() - start, loss.item()


run(50, 0)  # warm up
times, losses = zip(*(run(args.epochs, seed) for seed in range(args.repeats)))
seconds = statistics.median(times)
found = {
    "work": "xor", "torch": torch.__version__, "threads": args.threads, "fused": args.fused,
    "steps_per_second": args.epochs / seconds, "seconds": seconds, "loss": losses[0],
}
print(json.dumps(found) if args.json else
      f"xor, torch {torch.__version__}, {args.threads} thread(s): {args.epochs / seconds:,.0f} steps/s, "
      f"{seconds:.3f} s for {args.epochs} epochs (median of {args.repeats})")
