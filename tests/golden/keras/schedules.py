"""The values of every learning rate schedule, from Keras 3.15.0 on TensorFlow, in float64.

    python -m venv v && v/bin/pip install keras==3.15.0 tensorflow-cpu==2.21.0 safetensors
    v/bin/python schedules.py         # writes schedules.json beside this file

A list of objects: `case`, `keras`, `nn`, `lr` (the base rate), `note`, `from` (whose numbers they are: "keras", or
"formula" where Keras has no such schedule), and `values`, the learning rate at the steps 0, 1, 2, ... Numbers read
back exactly. The first step of training is step 0.

Hyperparameters are numpy.float64, so that Keras computes in float64 with exact constants (see traces.py); every case
is compared here with its formula in plain Python, to 1e-12, and with what Keras does in float32 (Python floats, the
ordinary use), to 1e-6.

`plateau` is the callback ReduceLROnPlateau, fed with the losses under `losses`, one for an epoch; `values[i]` is the rate
after epoch i. `one_cycle` is PyTorch's OneCycleLR (anneal_strategy "cos", two phases); its formula was compared with
torch 2.15 to 1e-12 (`--torch` does it again).
"""

import argparse
import ast
import json
import math
import sys

import common

if "--torch" in sys.argv:  # PyTorch and TensorFlow do not always bear each other in one process
    keras = tf = None
else:
    keras, tf = common.pin("3.15.0")

import numpy as np  # noqa: E402

CASES = []


def case(name, text, nn, lr, steps, formula, note="", **more):
    CASES.append(dict(name=name, text=text, nn=nn, lr=lr, steps=steps, formula=formula, note=note, more=more))


def cosine(lr, steps, alpha=0.0):
    return lambda t: lr * ((1 - alpha) * 0.5 * (1 + math.cos(math.pi * min(t, steps) / steps)) + alpha)


def restarts(lr, first, t_mul, m_mul, alpha):
    def at(t):
        length, cycle = first, 0
        while t >= length:
            t, length, cycle = t - length, length * t_mul, cycle + 1
        return lr * ((1 - alpha) * 0.5 * m_mul**cycle * (1 + math.cos(math.pi * t / length)) + alpha)

    return at


def polynomial(lr, steps, end, power, cycle=False):
    def at(t):
        n = steps * max(1, math.ceil(t / steps)) if cycle else steps
        return (lr - end) * (1 - min(t, n) / n) ** power + end

    return at


def one_cycle(top, total, start=0.3, div=25.0, final=1e4):
    def between(a, b, x):
        return b + (a - b) / 2 * (1 + math.cos(math.pi * x))

    def at(t):
        peak = start * total - 1
        if t <= peak:
            return between(top / div, top, t / peak)
        return between(top, top / div / final, (t - peak) / (total - 1 - peak))

    return at


def warm(warmup, schedule):
    return lambda lr, target: lambda t: lr + (target - lr) * t / warmup if t < warmup else schedule(t - warmup)


case("constant", None, "", 0.01, 6, lambda t: 0.01)
case("exponential", "ExponentialDecay(0.1, decay_steps=7, decay_rate=0.5)", "schedule exponential steps=7 rate=0.5", 0.1, 30,
     lambda t: 0.1 * 0.5 ** (t / 7))
case("exponential-stairs", "ExponentialDecay(0.1, decay_steps=7, decay_rate=0.96, staircase=True)",
     "schedule exponential steps=7 rate=0.96 staircase", 0.1, 30, lambda t: 0.1 * 0.96 ** (t // 7))
case("inverse_time", "InverseTimeDecay(0.1, decay_steps=4, decay_rate=0.5)", "schedule inverse_time steps=4 rate=0.5", 0.1, 30,
     lambda t: 0.1 / (1 + 0.5 * t / 4))
case("inverse_time-stairs", "InverseTimeDecay(0.1, decay_steps=4, decay_rate=0.5, staircase=True)",
     "schedule inverse_time steps=4 rate=0.5 staircase", 0.1, 30, lambda t: 0.1 / (1 + 0.5 * (t // 4)))
case("polynomial", "PolynomialDecay(0.1, decay_steps=20)", "schedule polynomial steps=20", 0.1, 30, polynomial(0.1, 20, 1e-4, 1),
     "the end is 0.0001, the power 1")
case("polynomial-power", "PolynomialDecay(0.1, decay_steps=20, end_learning_rate=0.01, power=2.0)",
     "schedule polynomial steps=20 end=0.01 power=2", 0.1, 30, polynomial(0.1, 20, 0.01, 2))
case("polynomial-cycle", "PolynomialDecay(0.1, decay_steps=8, end_learning_rate=0.01, power=0.5, cycle=True)",
     "schedule polynomial steps=8 end=0.01 power=0.5 cycle", 0.1, 30, polynomial(0.1, 8, 0.01, 0.5, True))
case("step", "PiecewiseConstantDecay([5, 12, 20], [0.1, 0.05, 0.01, 0.001])", "schedule step at=[5, 12, 20] to=[0.1, 0.05, 0.01, 0.001]",
     0.1, 26, lambda t: 0.1 if t <= 5 else 0.05 if t <= 12 else 0.01 if t <= 20 else 0.001, "a boundary still has the rate before it")
case("cosine", "CosineDecay(0.1, decay_steps=25)", "schedule cosine steps=25", 0.1, 31, cosine(0.1, 25))
case("cosine-floor", "CosineDecay(0.1, decay_steps=25, alpha=0.1)", "schedule cosine steps=25 floor=0.1", 0.1, 31, cosine(0.1, 25, 0.1))
case("cosine-warmup", "CosineDecay(0.0, decay_steps=20, warmup_target=0.1, warmup_steps=5)", "schedule cosine steps=25 warmup=5", 0.1, 31,
     warm(5, cosine(0.1, 20))(0.0, 0.1), "Keras counts decay_steps after the warm-up; the warm-up begins at the rate 0, at step 0")
case("cosine-warmup-floor", "CosineDecay(0.01, decay_steps=20, alpha=0.2, warmup_target=0.1, warmup_steps=6)", "", 0.1, 31,
     warm(6, cosine(0.1, 20, 0.2))(0.01, 0.1), "the warm-up begins at 0.01")
case("restarts", "CosineDecayRestarts(0.1, first_decay_steps=5)", "schedule cosine_restarts steps=5", 0.1, 40, restarts(0.1, 5, 2, 1, 0),
     "cycles of 5, 10, 20, ... steps")
case("restarts-equal", "CosineDecayRestarts(0.1, first_decay_steps=6, t_mul=1.0, m_mul=0.8, alpha=0.1)",
     "schedule cosine_restarts steps=6 t_mul=1 m_mul=0.8 floor=0.1", 0.1, 40, restarts(0.1, 6, 1, 0.8, 0.1))
case("restarts-growing", "CosineDecayRestarts(0.1, first_decay_steps=4, t_mul=1.5, m_mul=0.9)",
     "schedule cosine_restarts steps=4 t_mul=1.5 m_mul=0.9", 0.1, 40, restarts(0.1, 4, 1.5, 0.9, 0))
case("one_cycle", None, "schedule one_cycle steps=40", 0.1, 40, one_cycle(0.1, 40),
     "PyTorch's OneCycleLR(max_lr=0.1, total_steps=40): starts at max/25, the top is at step 0.3*40 - 1, ends at max/25/10000")
case("one_cycle-wide", None, "schedule one_cycle steps=20 start=0.5 div=10 final=100", 0.2, 20, one_cycle(0.2, 20, 0.5, 10, 100))

LOSSES = [1.0, 0.9, 0.8, 0.79999, 0.81, 0.8, 0.85, 0.7, 0.7, 0.7, 0.6999, 0.7, 0.7, 0.7, 0.7, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]
PLATEAUS = [
    ("plateau", "ReduceLROnPlateau(monitor='loss', factor=0.5, patience=3)", "schedule plateau factor=0.5 patience=3"),
    ("plateau-cooldown", "ReduceLROnPlateau(monitor='loss', factor=0.1, patience=2, cooldown=2, min_lr=0.0005)",
     "schedule plateau factor=0.1 patience=2 cooldown=2 min=0.0005"),
    ("plateau-delta", "ReduceLROnPlateau(monitor='loss', factor=0.5, patience=2, min_delta=0.15)",
     "schedule plateau factor=0.5 patience=2 min_delta=0.15"),
]


def build(text, number):
    S = keras.optimizers.schedules
    tree = ast.parse(text, mode="eval")

    class Numbers(ast.NodeTransformer):
        def visit_Constant(self, node):
            return ast.Call(ast.Name("n", ast.Load()), [node], []) if isinstance(node.value, float) else node

    tree = ast.fix_missing_locations(Numbers().visit(tree))
    schedule = eval(compile(tree, "keras", "eval"), {k: getattr(S, k) for k in dir(S) if k[0] != "_"} | {"n": number})
    for name in ("end_learning_rate", "power", "alpha", "_t_mul", "_m_mul"):
        if isinstance(getattr(schedule, name, None), float):
            setattr(schedule, name, number(getattr(schedule, name)))
    return schedule


def plateau(text):
    keras.config.set_floatx("float64")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(np.float64(0.1)), loss="mse")
    callback = eval(f"keras.callbacks.{text}", {"keras": keras})
    callback.set_model(model)
    callback.on_train_begin()
    values = []
    for epoch, loss in enumerate(LOSSES):
        callback.on_epoch_end(epoch, {"loss": loss})
        values.append(float(model.optimizer.learning_rate))
    keras.config.set_floatx("float32")
    return values


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--torch", action="store_true", help="compare one_cycle with PyTorch (which must be installed)")
    args = ap.parse_args()
    if args.torch:
        import torch

        for c in CASES:
            if c["name"].startswith("one_cycle"):
                more = dict(pct_start=0.5, div_factor=10, final_div_factor=100) if "wide" in c["name"] else {}
                opt = torch.optim.SGD([torch.zeros(1)], lr=c["lr"])
                s = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=c["lr"], total_steps=c["steps"], **more)
                for t in range(c["steps"]):
                    assert abs(s.get_last_lr()[0] - c["formula"](t)) < 1e-12, (c["name"], t)
                    opt.step()
                    if t + 1 < c["steps"]:
                        s.step()
                print(c["name"], "as in torch", torch.__version__)
        return

    out = []
    for c in CASES:
        exact = [float(c["formula"](t)) for t in range(c["steps"])]
        entry = {"case": c["name"], "keras": None, "nn": c["nn"], "lr": c["lr"], "note": c["note"], "from": "formula", "values": exact}
        if c["text"]:
            # the step as Keras' optimizers hand it over, an int64
            schedule, ordinary = build(c["text"], np.float64), build(c["text"], float)
            keras.config.set_floatx("float64")
            values = [schedule(tf.constant(t, "int64")) for t in range(c["steps"])]
            keras.config.set_floatx("float32")
            assert all(v.dtype == "float64" for v in values), c["name"]
            values = [float(v) for v in values]
            single = [float(ordinary(tf.constant(t, "int64"))) for t in range(c["steps"])]
            d32 = max(abs(a - b) for a, b in zip(single, exact))
            d = max(abs(a - b) for a, b in zip(values, exact))
            entry |= {"keras": f"keras.optimizers.schedules.{c['text']}", "from": "keras", "values": values}
            print(f"{c['name']:24} from its formula {d:.1e}, in float32 {d32:.1e}")
            assert d < 1e-12 and d32 < 1e-6, c["name"]
        out.append(entry)
    for name, text, nn in PLATEAUS:
        values = plateau(text)
        out.append({"case": name, "keras": f"keras.callbacks.{text}", "nn": nn, "lr": 0.1, "note": "one value an epoch, after it",
                    "from": "keras", "losses": LOSSES, "values": values})
        print(name, values)
    lines = ",\n".join(json.dumps(e) for e in out)
    common.write_text(common.path("schedules.json"), f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
