"""Values and gradients of losses that Keras lacks, from PyTorch, in float64 written as float32; and Rprop.

    python -m venv v && v/bin/pip install torch==2.15.0 numpy safetensors
    v/bin/python losses.py            # writes losses/ and optimizers/ beside this file, a few seconds

The files are made as those of ../keras/losses.py and ../keras/optimizers.py: prediction, target, values, grad/prediction,
and the weights after every tenth of 100 steps with the gradients of ../keras/optimizers/problem.safetensors. What
PyTorch has no function for is written out here, and the score of a normal law is compared with its integral.
"""

import json
import os
import zlib

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch.nn import functional as F

assert torch.__version__.split("+")[0] == "2.15.0", torch.__version__
HERE = os.path.dirname(os.path.abspath(__file__))
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
B = 5


def write(file, tensors, meta):
    meta["versions"] = f"torch {torch.__version__.split('+')[0]}"
    tensors = {k: np.ascontiguousarray(v) for k, v in tensors.items()}
    save_file(tensors, os.path.join(HERE, file), metadata={"golden": json.dumps(meta)})


def gaussian_nll(y, t):
    mean, spread = y.chunk(2, -1)
    return F.gaussian_nll_loss(mean, t, spread.exp(), full=True, reduction="none")


def gaussian_crps(y, t):
    mean, spread = y.chunk(2, -1)
    law = torch.distributions.Normal(torch.zeros(()), torch.ones(()))
    deviation = (spread / 2).exp()
    z = (t - mean) / deviation
    score = deviation * (z * (2 * law.cdf(z) - 1) + 2 * law.log_prob(z).exp() - 1 / torch.pi**0.5)
    x = torch.linspace(-60, 60, 2_000_001)  # the definition: the integral of the squared distance of two steps
    m, d, at = mean[0, 0].detach(), deviation[0, 0].detach(), t[0, 0]
    integral = torch.trapezoid((law.cdf((x - m) / d) - (x >= at).double()) ** 2, x)
    assert abs(integral - score[0, 0].detach()) < 1e-4, (integral, score[0, 0])
    return score


def mixture_nll(y, t):
    weights, means, spread = y.chunk(3, -1)
    laws = torch.distributions.Normal(means, spread.exp())
    law = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(logits=weights), laws)
    return -law.log_prob(t[..., 0])


def quantile(*levels):
    def loss(y, t):
        level = torch.tensor(levels)[:, None]
        e = t.unsqueeze(-2) - y.reshape(*t.shape[:-1], len(levels), t.shape[-1])
        return torch.maximum(level * e, (level - 1) * e)

    return loss


def contrastive(margin):
    def loss(y, t):
        a, b = y.chunk(2, -1)
        apart = F.pairwise_distance(a, b)[:, None]
        return t * apart**2 + (1 - t) * (margin - apart).clamp(min=0) ** 2

    return loss


def triplet(margin):
    return lambda y, t: F.triplet_margin_loss(*y.chunk(3, -1), margin=margin, reduction="none")


def ordinal(y, t):
    # coral_pytorch.losses.coral_loss of one sample, importance weights 1
    levels = (t.long().unsqueeze(-1) > torch.arange(y.shape[-1])).double()
    return -torch.sum(F.logsigmoid(y) * levels + (F.logsigmoid(y) - y) * (1 - levels), dim=-1)


def normal(*shape):
    return lambda rng: 1.5 * rng.standard_normal((B, *shape))


def whole(k, *shape):
    return lambda rng: rng.integers(0, k, (B, *shape))


CASES = [
    ("gaussian_nll", "torch.nn.GaussianNLLLoss(full=True)", "loss gaussian_nll", gaussian_nll, normal(2), normal(1), None),
    ("gaussian_nll-two", "the same, two targets", "loss gaussian_nll", gaussian_nll, normal(4), normal(2), None),
    ("gaussian_nll-time", "the same at every step", "loss gaussian_nll", gaussian_nll, normal(3, 2), normal(3, 1), None),
    ("gaussian_crps", "by hand", "loss gaussian_crps", gaussian_crps, normal(2), normal(1), None),
    ("mixture_nll", "torch.distributions.MixtureSameFamily", "loss mixture_nll", mixture_nll, normal(9), normal(1), None),
    ("mixture_nll-one", "the same of one law", "loss mixture_nll", mixture_nll, normal(3), normal(1), None),
    ("quantile", "by hand", "loss quantile", quantile(0.1, 0.5, 0.9), normal(3), normal(1), None),
    ("quantile-levels", "by hand", "loss quantile levels=[0.05,0.3]", quantile(0.05, 0.3), normal(6), normal(3), None),
    ("contrastive", "by hand on pairwise_distance", "a, b = split(it, 2)\nloss = contrastive(a, b, target, margin=2.5)",
     contrastive(2.5), normal(6), whole(2, 1), None),
    ("triplet", "torch.nn.TripletMarginLoss(margin=2)",
     "a, p, n = split(it, 3)\nloss = triplet(a, p, n, margin=2) + 0 * sum(target)", triplet(2.0), normal(9), normal(1), None),
    ("ordinal", "coral_loss", "loss ordinal", ordinal, normal(4), whole(5), 5),
    ("ordinal-time", "the same at every step", "loss ordinal", ordinal, normal(3, 2), whole(3, 3), 3),
]


def losses():
    for name, text, nn, loss, prediction, target, classes in CASES:
        rng = np.random.default_rng(zlib.crc32(f"torch/losses/{name}".encode()))
        x, t = prediction(rng).astype("float32"), target(rng).astype("float32")
        y = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        values = loss(y, torch.tensor(t, dtype=torch.float64)).reshape(B, -1).mean(1)
        values.mean().backward()
        tensors = {"prediction": x, "target": t, "values": values.detach().numpy().astype("float32"),
                   "grad/prediction": y.grad.numpy().astype("float32")}
        assert all(np.isfinite(v).all() for v in tensors.values()), name
        if not nn.startswith("loss "):
            nn = "linear\n" + nn
        write(f"losses/{name}.safetensors", tensors,
              {"case": name, "keras": text, "nn": nn, "through": None, "classes": classes, "loss": float(values.detach().mean()), "note": ""})
        print(f"losses/{name:24} {float(values.detach().mean()):12.6f}")


def optimizers():
    problem = load_file(os.path.join(HERE, "../keras/optimizers/problem.safetensors"))
    for name, nn, options in [
        ("rprop", "optimizer rprop", {}),
        ("rprop-limits", "optimizer rprop lr=0.1 shorter=0.3 longer=1.5 least=0.01 most=0.5",
         {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (0.01, 0.5)}),
    ]:
        out = {}
        for n in ("w", "b"):
            w = torch.nn.Parameter(torch.tensor(problem[f"init/{n}"], dtype=torch.float64))
            step, after = torch.optim.Rprop([w], **options), []
            for t, g in enumerate(problem[f"grad/{n}"]):
                w.grad = torch.tensor(g, dtype=torch.float64)
                step.step()
                if t % 10 == 9:
                    after.append(w.detach().numpy().copy())
            out[n] = np.stack(after)
        write(f"optimizers/{name}-f64.safetensors", out, {"case": name, "keras": f"torch.optim.Rprop({options})", "nn": nn, "note": ""})
        print(f"optimizers/{name}")


losses()
optimizers()
