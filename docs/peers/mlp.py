"""PyTorch on an MLP of MNIST's shape, for side-by-side timing with `nnc bench`.

784 -> 512 relu -> 256 relu -> 10, crossentropy, Adam, 60,000 rows of random numbers, batch 128, shuffled each epoch,
float32. An epoch is 144 GFLOP.

    pip install torch==2.15.0
    python mlp.py --threads 2 [--fused] [--epochs 3] [--rows 60000] [--json]
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
ap.add_argument("--epochs", type=int, default=3)
ap.add_argument("--rows", type=int, default=60_000)
ap.add_argument("--batch", type=int, default=128)
ap.add_argument("--json", action="store_true")
args = ap.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(0)

x = torch.rand(args.rows, 784)
y = torch.randint(0, 10, (args.rows,))
net = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))
adam = torch.optim.Adam(net.parameters(), lr=0.001, eps=1e-7, fused=args.fused)
crossentropy = nn.CrossEntropyLoss()


def epoch():
    start = time.perf_counter()
    total = torch.zeros(())
    for at in torch.randperm(args.rows).split(args.batch):
        adam.zero_grad()
        loss = crossentropy(net(x[at]), y[at])
        loss.backward()
        adam.step()
        total += loss.detach() * len(at)
    return time.perf_counter() - start, total.item() / args.rows


epoch()  # warm up
times, losses = zip(*(epoch() for _ in range(args.epochs)))
seconds = statistics.median(times)
steps = -(-args.rows // args.batch)
flop = 6 * args.rows * (784 * 512 + 512 * 256 + 256 * 10) - 2 * args.rows * 784 * 512  # no gradient for the input
found = {
    "work": "mlp", "torch": torch.__version__, "threads": args.threads, "fused": args.fused,
    "seconds_per_epoch": seconds, "steps_per_second": steps / seconds, "gflops": flop / seconds / 1e9, "loss": losses[-1],
}
print(json.dumps(found) if args.json else
      f"mlp, torch {torch.__version__}, {args.threads} thread(s): {seconds:.3f} s per epoch, "
      f"{steps / seconds:,.0f} steps/s, {flop / seconds / 1e9:.0f} GFLOP/s (median of {args.epochs} epochs)")
