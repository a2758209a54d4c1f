"""Trainings as PyTorch does them, in float64: parameter groups, accumulated gradients.

    python -m venv v && v/bin/pip install torch==2.15.0 numpy safetensors
    v/bin/python trainings.py             # writes rates/ and accumulate/ beside this file

Each file: `init/NAME` the weights of the beginning, `losses` those of every epoch (means over the rows, each before its
update), `final/NAME` the weights of the end. The metadata has one key, `golden`: JSON with the program, data included,
under `nn`. Rows come in their order.
"""

import json
import os

import numpy as np
import torch
from safetensors.numpy import save_file

assert torch.__version__.split("+")[0] == "2.15.0", torch.__version__
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
HERE = os.path.dirname(os.path.abspath(__file__))
NET = "base = dense 4 tanh\nmiddle = dense 4 tanh\nhead = dense 1\nloss mse\n"


def net():
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))


def named(model):
    """Our names, and the tensors as they lie in ours: a kernel is [inputs, units]."""
    out = {}
    for name, at in (("base", 0), ("middle", 2), ("head", 4)):
        out[f"{name}.w"] = model[at].weight.detach().numpy().T.copy()
        out[f"{name}.b"] = model[at].bias.detach().numpy().copy()
    return out


def groups(model, lr, decay, rates):
    """As ours: biases do not decay; `rates` by name, the longest that fits."""
    out = []
    for name, at in (("base", 0), ("middle", 2), ("head", 4)):
        for part, p in (("w", model[at].weight), ("b", model[at].bias)):
            factor = rates.get(f"{name}.{part}", rates.get(name, 1.0))
            out.append({"params": [p], "lr": lr * factor, "weight_decay": decay if part == "w" else 0.0})
    return out


# So small that it does not matter where it is added: PyTorch does so after the bias correction, Keras and ours before.
EPS = 1e-30
RATES = {"base": 0.1, "head": 2.0, "head.b": 0.5}
RATE = "rate base 0.1\nrate head 2\nrate head.b 0.5\n"
CASES = {
    "rates/sgd": ("optimizer sgd lr=0.05\n" + RATE, lambda m: torch.optim.SGD(groups(m, 0.05, 0, RATES), 0.05)),
    "rates/sgd-momentum": ("optimizer sgd lr=0.05 momentum=0.9\n" + RATE,
                           lambda m: torch.optim.SGD(groups(m, 0.05, 0, RATES), 0.05, momentum=0.9)),
    "rates/adam": ("optimizer adam lr=0.02 eps=1e-30\n" + RATE, lambda m: torch.optim.Adam(groups(m, 0.02, 0, RATES), 0.02, eps=EPS)),
    "rates/adamw": ("optimizer adamw lr=0.02 decay=0.3 eps=1e-30\n" + RATE,
                    lambda m: torch.optim.AdamW(groups(m, 0.02, 0.3, RATES), 0.02, eps=EPS)),
    "accumulate/sgd": ("optimizer sgd lr=0.1 momentum=0.9\nbatch 3 accumulate=4\n",
                       lambda m: torch.optim.SGD(m.parameters(), 0.1, momentum=0.9)),
    "accumulate/adam-clip": ("optimizer adam lr=0.02 eps=1e-30\nclip 0.1\nschedule cosine\nbatch 3 accumulate=4\n",
                             lambda m: torch.optim.Adam(m.parameters(), 0.02, eps=EPS)),
}


def rows(name, n):
    rng = np.random.default_rng(sum(map(ord, name)))
    return np.round(rng.standard_normal((n, 3)), 3), np.round(rng.standard_normal((n, 1)), 3)


def main():
    for name, (said, optimizer) in CASES.items():
        accumulate = name.startswith("accumulate")
        n, batch, epochs = (29, 3, 5) if accumulate else (11, 4, 8)
        x, y = rows(name, n)
        torch.manual_seed(len(name))
        model = net()
        start = named(model)
        opt = optimizer(model)
        schedule = None
        if "cosine" in said:
            total = epochs * -(-n // (4 * batch))
            schedule = torch.optim.lr_scheduler.LambdaLR(opt, lambda t: 0.5 * (1 + np.cos(np.pi * t / total)))
        losses = []
        for _ in range(epochs):
            seen = 0.0
            for first in range(0, n, batch * (4 if accumulate else 1)):
                last = min(n, first + batch * (4 if accumulate else 1))
                opt.zero_grad()
                # The loop of accumulated gradients: pieces of a batch, each divided by the rows of all of them.
                for at in range(first, last, batch):
                    part = slice(at, min(last, at + batch))
                    error = ((model(torch.tensor(x[part])) - torch.tensor(y[part])) ** 2).sum()
                    (error / (last - first)).backward()
                    seen += error.item()
                if "clip" in said:
                    # Without the 1e-6 that `clip_grad_norm_` adds to the norm.
                    norm = torch.sqrt(sum((p.grad**2).sum() for p in model.parameters()))
                    for p in model.parameters():
                        p.grad *= min(1.0, 0.1 / norm.item())
                opt.step()
                if schedule:
                    schedule.step()
            losses.append(seen / n)
        text = "\n".join(f"  {' '.join(map(repr, a))} -> {b[0]!r}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
        settings = said if accumulate else f"{said}batch {batch}\n"
        meta = {"case": name, "nn": f"data {{\n{text}\n}}\n{NET}{settings}epochs {epochs}\n", "versions": f"torch {torch.__version__}"}
        tensors = {f"init/{k}": v for k, v in start.items()} | {f"final/{k}": v for k, v in named(model).items()}
        tensors["losses"] = np.array(losses)
        file = os.path.join(HERE, f"{name}.safetensors")
        os.makedirs(os.path.dirname(file), exist_ok=True)
        save_file(tensors, file, metadata={"golden": json.dumps(meta)})
        os.chmod(file, 0o644)
        print(f"{name:24} loss {losses[0]:.6f} to {losses[-1]:.6f}")


if __name__ == "__main__":
    main()
