"""PyTorch on a small regression, for side-by-side timing with `nnc bench`.

20 -> 64 relu -> 64 relu -> 1, mse, Adam, 10,000 rows of random numbers, batch 32, shuffled each epoch, float32.

    pip install torch==2.15.0
    python tabular.py --threads 1 [--fused] [--epochs 5] [--json]
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
ap.add_argument("--epochs", type=int, default=5)
ap.add_argument("--rows", type=int, default=10_000)
ap.add_argument("--batch", type=int, default=32)
ap.add_argument("--json", action="store_true")
args = ap.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(0)

x = torch.randn(args.rows, 20)
y = (x[:, :3].prod(1, keepdim=True) + x @ torch.randn(20, 1) / 4).tanh()
net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
adam = torch.optim.Adam(net.parameters(), lr=0.001, eps=1e-7, fused=args.fused)
mse = nn.MSELoss()


def epoch():
    start = time.perf_counter()
    total = torch.zeros(())
    for at in torch.randperm(args.rows).split(args.batch):
        adam.zero_grad()
        loss = mse(net(x[at]), y[at])
        loss.backward()
        adam.step()
        total += loss.detach() * len(at)
    return time.perf_counter() - start, total.item() / args.rows


epoch()  # warm up
times, losses = zip(*(epoch() for _ in range(args.epochs)))
seconds = statistics.median(times)
steps = -(-args.rows // args.batch)
found = {
    "work": "tabular", "torch": torch.__version__, "threads": args.threads, "fused": args.fused,
    "seconds_per_epoch": seconds, "steps_per_second": steps / seconds, "loss": losses[-1],
}
print(json.dumps(found) if args.json else
      f"tabular, torch {torch.__version__}, {args.threads} thread(s): {seconds:.4f} s per epoch, "
      f"{steps / seconds:,.0f} steps/s (median of {args.epochs} epochs)")
