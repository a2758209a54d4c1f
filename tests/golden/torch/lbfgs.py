"""L-BFGS with the line search to the strong Wolfe conditions, step by step, in double precision.

Each file holds the first weights, the loss after every step, and the last weights; its metadata holds the program.

    python lbfgs.py
"""

import json
import os

import numpy as np
import torch
from safetensors.numpy import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def run(name, nn, weights, loss, steps, **options):
    out = {f"init/{k}": w.detach().numpy().copy() for k, w in weights.items()}
    optimizer = torch.optim.LBFGS(list(weights.values()), line_search_fn="strong_wolfe", **options)

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    losses = []
    for _ in range(steps):
        optimizer.step(closure)
        losses.append(float(loss().detach()))
    out["losses"] = np.array(losses)
    out |= {f"final/{k}": w.detach().numpy().copy() for k, w in weights.items()}
    state = optimizer.state[optimizer._params[0]]
    os.makedirs(os.path.join(HERE, "lbfgs"), exist_ok=True)
    meta = {"case": name, "nn": nn, "torch": f"LBFGS({options})", "versions": f"torch {torch.__version__.split('+')[0]}"}
    file = os.path.join(HERE, "lbfgs", f"{name}.safetensors")
    save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, file, {"golden": json.dumps(meta)})
    print(f"lbfgs/{name:20} {state['n_iter']:4} iterations {state['func_evals']:4} losses {losses[0]:.6g} .. {losses[-1]:.6g}")


def parameter(values):
    return torch.tensor(values, requires_grad=True)


VALLEY = """data { 0 -> 0 }
layer valley of x[n] {
  weight p[4] = zeros
  (1 - p[0])^2 + 100 * (p[1] - p[0]^2)^2 + 90 * (p[3] - p[2]^2)^2 + (1 - p[2])^2 + 0 * sum(x)
}
valley
loss = output + 0 * sum(target)
"""


def valley(p):
    return lambda: (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2 + 90 * (p[3] - p[2] ** 2) ** 2 + (1 - p[2]) ** 2


def valleys():
    for name, words, steps, options in [
        ("valley", "max_iter=1 max_eval=20", 30, {"max_iter": 1, "max_eval": 20}),
        ("valley-defaults", "", 2, {}),
        ("valley-short", "max_iter=3 history_size=2 lr=0.5", 12, {"max_iter": 3, "history_size": 2, "lr": 0.5}),
        ("valley-few", "max_iter=6 max_eval=4", 12, {"max_iter": 6, "max_eval": 4}),
    ]:
        p = parameter([-1.2, 1.0, -3.0, -1.0])
        nn = VALLEY + f"optimizer lbfgs {words}".strip() + f"\nepochs {steps}\n"
        run(name, nn, {"valley1.p": p}, valley(p), steps, **options)


def nets():
    rng = np.random.default_rng(7)
    x = np.round(rng.uniform(-1, 1, (24, 2)), 3)
    y = np.round(np.sin(3 * x[:, 0]) * x[:, 1] + 0.1 * rng.standard_normal(24), 3)
    rows = "; ".join(f"{a!r} {b!r} -> {c!r}" for (a, b), c in zip(x.tolist(), y.tolist()))
    xs, ys = torch.tensor(x), torch.tensor(y).unsqueeze(1)
    for name, words, steps, options in [
        ("net", "max_iter=1 max_eval=20", 25, {"max_iter": 1, "max_eval": 20}),
        ("net-defaults", "", 3, {}),
        ("net-history", "max_iter=4 history_size=5", 6, {"max_iter": 4, "history_size": 5}),
    ]:
        rng = np.random.default_rng(11)
        w = {
            "dense1.w": parameter(np.round(0.7 * rng.standard_normal((2, 6)), 3)),
            "dense1.b": parameter(np.zeros(6)),
            "dense2.w": parameter(np.round(0.7 * rng.standard_normal((6, 1)), 3)),
            "dense2.b": parameter(np.zeros(1)),
        }
        nn = f"data {{ {rows} }}\ndense 6 tanh\ndense 1\nloss mse\noptimizer lbfgs {words}".strip() + f"\nbatch all\nepochs {steps}\n"

        def loss(w=w):
            return ((torch.tanh(xs @ w["dense1.w"] + w["dense1.b"]) @ w["dense2.w"] + w["dense2.b"] - ys) ** 2).mean()

        run(name, nn, w, loss, steps, **options)


valleys()
nets()
