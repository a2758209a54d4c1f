"""PyTorch on the two character models of specs/charlstm.nn and specs/gpt.nn: speed, and the loss after some steps.

lstm: embed 64, LSTM 128, dense; 64 characters, batch 32, Adam lr=0.002, gradients clipped to a norm of 1.
gru:  the same with GRU 128 (specs/charlstm.nn with `gru` for `lstm`).
gpt:  width 128, 4 heads, 4 pre-norm blocks, gelu 4x, learned positions, the embedding again as output weights; 128
      characters, batch 16, AdamW lr=0.001 decay=0.004.

The text's windows do not overlap; the last 5% of them are kept apart, and the loss told is theirs.

    pip install torch==2.15.0
    python text.py lstm|gru|gpt shakespeare.txt --threads 2 [--steps 200] [--seed 0] [--window 64]
"""

import argparse
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
ap.add_argument("model", choices=["lstm", "gru", "gpt"])
ap.add_argument("text", type=Path)
ap.add_argument("--threads", type=int, default=1)
ap.add_argument("--steps", type=int, default=200)
ap.add_argument("--seed", type=int, default=0)
ap.add_argument("--window", type=int, help="characters of a sample")
args = ap.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(args.seed)

text = args.text.read_text()
letters = sorted(set(text))
codes = torch.tensor([letters.index(c) for c in text])
window, batch = (128, 16) if args.model == "gpt" else (64, 32)
window = args.window or window
count = (len(codes) - 1) // window
x, y = codes[: count * window].view(count, window), codes[1 : count * window + 1].view(count, window)
held = max(1, round(count * 0.05))
(x, held_x), (y, held_y) = (x[:-held], x[-held:]), (y[:-held], y[-held:])


class Recurrent(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.embed = nn.Embedding(k, 64)
        nn.init.uniform_(self.embed.weight, -0.05, 0.05)
        kind = nn.LSTM if args.model == "lstm" else nn.GRU
        self.recurrent = kind(64, 128, batch_first=True)
        for name, p in self.recurrent.named_parameters():
            if name.startswith("weight_ih"):
                nn.init.xavier_uniform_(p)
            elif name.startswith("weight_hh"):
                nn.init.orthogonal_(p)
            else:
                nn.init.zeros_(p)
        if args.model == "lstm":
            with torch.no_grad():
                self.recurrent.bias_ih_l0[128:256] = 1.0
        self.out = nn.Linear(128, k)
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        return self.out(self.recurrent(self.embed(x))[0])


class Block(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(d, eps=1e-3), nn.LayerNorm(d, eps=1e-3)
        self.qkv, self.mix = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)
        for layer in (self.qkv, self.mix, self.up, self.down):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = (z.view(b, t, self.heads, -1).transpose(1, 2) for z in self.qkv(self.norm1(x)).split(d, -1))
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.mix(seen.transpose(1, 2).reshape(b, t, d))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self, k, d=128, heads=4, depth=4):
        super().__init__()
        self.tokens = nn.Embedding(k, d)
        nn.init.uniform_(self.tokens.weight, -0.05, 0.05)
        self.positions = nn.Parameter(torch.randn(window, d) * 0.02)
        self.blocks = nn.Sequential(*(Block(d, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(d, eps=1e-3)

    def forward(self, x):
        return self.norm(self.blocks(self.tokens(x) + self.positions)) @ self.tokens.weight.T


if args.model != "gpt":
    net = Recurrent(len(letters))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.002, eps=1e-7)
else:
    net = Gpt(len(letters))
    wide = [p for p in net.parameters() if p.dim() >= 2]
    narrow = [p for p in net.parameters() if p.dim() < 2]
    groups = [{"params": wide, "weight_decay": 0.004}, {"params": narrow, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.001, eps=1e-7)


def loss_of(x, y):
    return F.cross_entropy(net(x).flatten(0, 1), y.flatten())


order = torch.cat([torch.randperm(len(x)) for _ in range(1 + args.steps * batch // len(x))])
losses, start = [], time.perf_counter()
for step in range(args.steps):
    at = order[step * batch : (step + 1) * batch]
    optimizer.zero_grad()
    loss = loss_of(x[at], y[at])
    loss.backward()
    if args.model != "gpt":
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    losses.append(loss.item())
seconds = time.perf_counter() - start
net.eval()
with torch.no_grad():
    parts = [loss_of(a, b).item() * len(a) for a, b in zip(held_x.split(64), held_y.split(64))]
last = sum(losses[-20:]) / len(losses[-20:])
print(f"{args.model}, torch {torch.__version__}, {args.threads} thread(s), {sum(p.numel() for p in net.parameters()):,} weights: "
      f"{args.steps / seconds:.1f} steps/s; after {args.steps} steps a loss of {last:.3f} (mean of the last 20 steps), "
      f"{sum(parts) / len(held_x):.3f} on what was kept apart")
