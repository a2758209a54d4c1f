"""Weights of PyTorch models, with inputs and what the models say of them.

    python -m venv v && v/bin/pip install torch==2.15.0 numpy safetensors
    v/bin/python imports.py           # writes the other files beside this one, a few seconds

For each model: NAME.safetensors, its state_dict; NAME.npz, inputs and the output `y` in our order of axes; NAME.nn, the
program that says the same. A model of characters has NAME.txt in five windows, and `y` in NAME.y.safetensors. Running statistics, scales and biases are random everywhere, so that nothing passes by being
0 or 1. `nnc import NAME.safetensors NAME.nn --from torch` must make a model whose predictions are `y`.
"""

import os

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

assert torch.__version__.split("+")[0] == "2.15.0", torch.__version__
HERE = os.path.dirname(os.path.abspath(__file__))
torch.set_num_threads(1)


def randomise(model, seed):
    g = torch.Generator().manual_seed(seed)
    for name, t in model.state_dict().items():
        if not t.dtype.is_floating_point:
            continue
        if name.endswith("running_var"):
            t.copy_(0.5 + torch.rand(t.shape, generator=g))
        elif t.dim() > 1:
            t.copy_(torch.randn(t.shape, generator=g) / np.sqrt(t[0].numel()))
        else:
            t.copy_(0.3 + 0.3 * torch.randn(t.shape, generator=g))


def channels_last(x):
    return np.ascontiguousarray(np.moveaxis(x.numpy(), 1, -1)) if x.dim() > 2 else x.numpy()


def write(name, model, inputs, program, order=channels_last, classes=None):
    """`order` brings inputs and output into our order of axes; with `classes`, inputs are windows of characters."""
    seed = sum(map(ord, name))
    randomise(model, seed)
    model.eval()
    g = torch.Generator().manual_seed(seed + 1)
    at = lambda ending: os.path.join(HERE, f"{name}.{ending}")  # noqa: E731
    if classes:
        [window] = inputs["x"]
        text = torch.randint(0, classes, (5 * window + 1,), generator=g)
        text[:classes] = torch.arange(classes)  # every character is there
        xs = {"x": text[:-1].view(5, window)}
    else:
        xs = {n: torch.randn((5, *s), generator=g) for n, s in inputs.items()}
    with torch.no_grad():
        y = model(*xs.values())
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, at("safetensors"))
    os.chmod(at("safetensors"), 0o644)
    if classes:
        save_file({"y": y.contiguous()}, at("y.safetensors"))
        os.chmod(at("y.safetensors"), 0o644)
        data, loss = f'text "{name}.txt" window={window}', "loss crossentropy_logits"
        with open(at("txt"), "w") as f:
            f.write("".join("abcdefghij"[c] for c in text))
    else:
        np.savez(at("npz"), **{n: order(x) for n, x in xs.items()}, y=order(y))
        ports = "; ".join(f"input {n}" for n in xs)
        data, loss = f'npz "{name}.npz" {{ {ports}; target y }}', "loss mse"
    with open(at("nn"), "w") as f:
        f.write(f"data {data}\n{program.strip()}\n{loss}\n")


same = lambda x: x.numpy()  # noqa: E731


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True)
        self.back = nn.GRU(8, 5, batch_first=True)
        self.old = nn.RNN(5, 6, batch_first=True)
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        x = self.rnn(x)[0]
        x = self.back(x)[0]
        return self.head(self.old(x)[1][-1])


class Block(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(d)
        self.attn = nn.MultiheadAttention(d, heads, batch_first=True)
        self.norm2 = nn.LayerNorm(d)
        self.fc1 = nn.Linear(d, 4 * d)
        self.fc2 = nn.Linear(4 * d, d)

    def forward(self, x):
        mask = torch.triu(torch.full((x.shape[1], x.shape[1]), float("-inf")), 1)
        a = self.norm1(x)
        x = x + self.attn(a, a, a, attn_mask=mask, need_weights=False)[0]
        return x + self.fc2(nn.functional.gelu(self.fc1(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(7, 8)
        self.places = nn.Parameter(torch.zeros(1, 6, 8))
        self.blocks = nn.ModuleList(Block(8, 2) for _ in range(2))
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 7, bias=False)

    def forward(self, x):
        x = self.tokens(x) + self.places
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class Cross(nn.Module):
    """Names without an order, two layers of one shape, and a buffer that is no weight."""

    def __init__(self):
        super().__init__()
        self.look = nn.MultiheadAttention(6, 2, kdim=4, vdim=4, batch_first=True)
        self.left = nn.Linear(6, 6)
        self.right = nn.Linear(6, 6)
        self.register_buffer("mask", torch.ones(3, 3))

    def forward(self, x, memory):
        x = self.look(x, memory, memory, need_weights=False)[0]
        return self.right(torch.tanh(self.left(x)))


def main():
    write("mlp", nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 3)), {"x": (4,)},
          "dense 8 relu\ndense 8 tanh\ndense 3")
    write("conv", nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.PReLU(8), nn.Conv2d(8, 6, 3, groups=2), nn.GroupNorm(3, 6),
        nn.Flatten(), nn.BatchNorm1d(36), nn.Linear(36, 5),
    ), {"x": (3, 10, 8)}, """
conv 8 3x3 same bias=no; batchnorm eps=1e-5; relu; maxpool 2x2
depthwise 3x3 same; prelu
conv 6 3x3 groups=2; groupnorm 3 eps=1e-5
flatten; batchnorm eps=1e-5
dense 5""")
    write("sequence", nn.Sequential(
        nn.Conv1d(2, 4, 3, dilation=2), nn.ReLU(), nn.ConvTranspose1d(4, 3, 3, stride=2), nn.Flatten(), nn.Linear(45, 2)
    ), {"x": (2, 11)}, "conv 4 kernel=3 dilation=2 relu\nconv_transposed 3 kernel=3 stride=2\nflatten\ndense 2")
    write("decoder", nn.Sequential(
        nn.Linear(3, 8), nn.Unflatten(1, (2, 2, 2)), nn.ConvTranspose2d(2, 4, 3, stride=2), nn.ReLU(), nn.Conv2d(4, 1, 2)
    ), {"x": (3,)}, "dense 8\nreshape 2x2x2\ntranspose [1, 2, 0]\nconv_transposed 4 3x3 stride=2 relu\nconv 1 2x2")
    write("recurrent", Recurrent(), {"x": (6, 3)}, """
repeat 2 { lstm 4 sequence both }
gru 5 sequence
rnn 6
dense 2""", same)
    write("gpt", Gpt(), {"x": (6,)}, """
embed 8
positions
repeat 2 { transformer 2 causal eps=1e-5 }
layernorm eps=1e-5
dense 7 bias=no""", same, 7)
    write("cross", Cross(), {"x": (3, 6), "memory": (5, 4)}, """
input x 3x6
input memory 5x4
x, memory -> cross_attention 2 -> dense 6 tanh -> dense 6""", same)


if __name__ == "__main__":
    main()
