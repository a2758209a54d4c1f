"""100 steps of every optimizer, from Keras 3.15.0 on TensorFlow, in float64 and float32.

    python -m venv v && v/bin/pip install keras==3.15.0 tensorflow-cpu==2.21.0 safetensors
    v/bin/python optimizers.py            # writes optimizers/ beside this file, about one minute
    v/bin/python optimizers.py --check    # writes nothing: the f64 files against the rules written out in numpy

`optimizers/problem.safetensors` (F32): two weights `init/w` [3, 4] and `init/b` [4], and for each of the steps 1..100
their gradients, `grad/w` [100, 3, 4] and `grad/b` [100, 4]. The gradients are given, they do not depend on the weights:
the loss of step t is sum(w * grad_w[t]) + sum(b * grad_b[t]). They hold what optimizers stumble over: a column that is
0 for the first 30 steps, sizes from 1e-4 to 30, steps where all is 0.

`optimizers/NAME-f64.safetensors` and `-f32`: `w` [10, 3, 4] and `b` [10, 4] after the steps 10, 20, ... 100; with a
moving average, also `ema/w` and `ema/b`. The metadata has one key, `golden`: JSON with `case`, `keras`, `nn`, `note`,
`versions`.

Precision. Keras on TensorFlow casts Python floats through float32, in float64 too (see traces.py). In float64 every
hyperparameter is therefore a numpy.float64, which the cast leaves alone. One constant cannot be handed over: Nadam's
0.96 is written in its source; one of its two uses becomes 0.9599999785423279, which moves the weights by 1.6e-9 in
these 100 steps. `exact_nadam` puts that right by giving Nadam a cast that keeps Python floats. --check then agrees
for every optimizer. The f32 files are what Keras does with ordinary Python floats.

Weight decay takes every variable in Keras; ours leaves biases alone. `adamw` excludes b through Keras' own
exclude_from_weight_decay, `adamw-all` does not.
"""

import argparse
import ast
import contextlib
import types

import common

keras, tf = common.pin("3.15.0")

import numpy as np  # noqa: E402
from keras.src.optimizers import nadam as nadam_module  # noqa: E402
from safetensors import safe_open  # noqa: E402

O = keras.optimizers  # noqa: E741
STEPS, EVERY = 100, 10


def problem():
    rng = np.random.default_rng(11)
    t = np.arange(STEPS)
    shapes = {"w": (3, 4), "b": (4,)}
    p = {f"init/{n}": rng.standard_normal(s).astype("float32") for n, s in shapes.items()}
    for n, s in shapes.items():
        # A slow pull with a direction for each number, some noise, and very different sizes.
        size = 10.0 ** rng.uniform(-4, 1.5, s)
        g = size * (np.cos(t.reshape(-1, *[1] * len(s)) / 9 + rng.uniform(0, 6, s)) + 0.5 * rng.standard_normal((STEPS, *s)))
        g[:30, ..., 1] = 0
        g[[50, 77]] = 0
        p[f"grad/{n}"] = g.astype("float32")
    return p


# The rules written out: weight, gradient, step from 1, slots (zeros at first), hyperparameters; the result is the new weight.
def sgd(w, g, t, s, h):
    if not h["momentum"]:
        return w - h["lr"] * g
    s["m"] = h["momentum"] * s["m"] - h["lr"] * g
    return w + h["momentum"] * s["m"] - h["lr"] * g if h["nesterov"] else w + s["m"]


def adam(w, g, t, s, h):
    s["m"] = h["b1"] * s["m"] + (1 - h["b1"]) * g
    s["v"] = h["b2"] * s["v"] + (1 - h["b2"]) * g * g
    v = s["v"]
    if h["amsgrad"]:
        v = s["top"] = np.maximum(s["top"], v)
    return w - h["lr"] * np.sqrt(1 - h["b2"] ** t) / (1 - h["b1"] ** t) * s["m"] / (np.sqrt(v) + h["eps"])


def nadam(w, g, t, s, h):
    now, then = (h["b1"] * (1 - 0.5 * 0.96**i) for i in (t, t + 1))
    s["product"] = (1 if t == 1 else s["product"]) * now
    s["m"] = h["b1"] * s["m"] + (1 - h["b1"]) * g
    s["v"] = h["b2"] * s["v"] + (1 - h["b2"]) * g * g
    m = then * s["m"] / (1 - s["product"] * then) + (1 - now) * g / (1 - s["product"])
    return w - h["lr"] * m / (np.sqrt(s["v"] / (1 - h["b2"] ** t)) + h["eps"])


def adamax(w, g, t, s, h):
    s["m"] = h["b1"] * s["m"] + (1 - h["b1"]) * g
    s["u"] = np.maximum(h["b2"] * s["u"], abs(g))
    return w - h["lr"] * s["m"] / ((1 - h["b1"] ** t) * (s["u"] + h["eps"]))


def adagrad(w, g, t, s, h):
    s["a"] = (h["start"] if t == 1 else s["a"]) + g * g
    return w - h["lr"] * g / np.sqrt(s["a"] + h["eps"])


def adadelta(w, g, t, s, h):
    s["g"] = h["rho"] * s["g"] + (1 - h["rho"]) * g * g
    d = -np.sqrt(s["d"] + h["eps"]) * g / np.sqrt(s["g"] + h["eps"])
    s["d"] = h["rho"] * s["d"] + (1 - h["rho"]) * d * d
    return w + h["lr"] * d


def rmsprop(w, g, t, s, h):
    s["v"] = h["rho"] * s["v"] + (1 - h["rho"]) * g * g
    below = s["v"] + h["eps"]
    if h["centered"]:
        s["mean"] = h["rho"] * s["mean"] + (1 - h["rho"]) * g
        below = below - s["mean"] ** 2
    s["m"] = h["momentum"] * s["m"] + h["lr"] * g / np.sqrt(below)
    return w - s["m"]


def lion(w, g, t, s, h):
    new = w - h["lr"] * np.sign(h["b1"] * s["m"] + (1 - h["b1"]) * g)
    s["m"] = h["b2"] * s["m"] + (1 - h["b2"]) * g
    return new


SGD = dict(lr=0.01, momentum=0, nesterov=False)
ADAM = dict(lr=0.001, b1=0.9, b2=0.999, eps=1e-7, amsgrad=False)
RMS = dict(lr=0.001, rho=0.9, momentum=0, eps=1e-7, centered=False)
CASES = {}


def case(name, text, nn, rule, numbers, note="", decay_bias=True, **extra):
    CASES[name] = dict(text=text, nn=nn, rule=rule, numbers=numbers, note=note, decay_bias=decay_bias, extra=extra)


case("sgd", "SGD(learning_rate=0.01)", "sgd", sgd, SGD)
case("sgd-momentum", "SGD(learning_rate=0.01, momentum=0.9)", "sgd momentum=0.9", sgd, SGD | dict(momentum=0.9))
case("sgd-nesterov", "SGD(learning_rate=0.02, momentum=0.8, nesterov=True)", "sgd lr=0.02 momentum=0.8 nesterov", sgd,
     dict(lr=0.02, momentum=0.8, nesterov=True))
case("sgd-decay", "SGD(learning_rate=0.01, weight_decay=0.1)", "sgd decay=0.1", sgd, SGD, decay=0.1, decay_bias=False,
     note="b is excluded, as ours leaves biases alone")
case("adam", "Adam(learning_rate=0.001)", "adam", adam, ADAM)
case("adam-eps", "Adam(learning_rate=0.03, beta_1=0.8, beta_2=0.95, epsilon=0.01)", "adam lr=0.03 beta1=0.8 beta2=0.95 eps=0.01", adam,
     dict(lr=0.03, b1=0.8, b2=0.95, eps=0.01, amsgrad=False), "a large eps shows where it stands")
case("amsgrad", "Adam(learning_rate=0.01, beta_2=0.9, amsgrad=True)", "amsgrad lr=0.01 beta2=0.9", adam, ADAM | dict(lr=0.01, b2=0.9, amsgrad=True))
case("adamw", "AdamW(learning_rate=0.01, weight_decay=0.1)", "adamw lr=0.01 decay=0.1", adam, ADAM | dict(lr=0.01), decay=0.1, decay_bias=False,
     note="b is excluded, as ours leaves biases alone")
case("adamw-default", "AdamW()", "adamw", adam, ADAM, decay=0.004, decay_bias=False, note="b is excluded; the default decay is 0.004")
case("adamw-all", "AdamW(learning_rate=0.01, weight_decay=0.1)", "", adam, ADAM | dict(lr=0.01), decay=0.1,
     note="Keras' own default: b decays too; ours differs on purpose")
case("nadam", "Nadam(learning_rate=0.001)", "nadam", nadam, ADAM)
case("adamax", "Adamax(learning_rate=0.001)", "adamax", adamax, ADAM)
case("adagrad", "Adagrad(learning_rate=0.001)", "adagrad", adagrad, dict(lr=0.001, start=0.1, eps=1e-7))
case("adagrad-fast", "Adagrad(learning_rate=0.1, initial_accumulator_value=0.0, epsilon=0.001)", "adagrad lr=0.1 start=0.0 eps=0.001", adagrad,
     dict(lr=0.1, start=0.0, eps=0.001))
case("adadelta", "Adadelta(learning_rate=0.001)", "adadelta", adadelta, dict(lr=0.001, rho=0.95, eps=1e-7))
case("adadelta-fast", "Adadelta(learning_rate=1.0, rho=0.9, epsilon=0.0001)", "adadelta lr=1.0 rho=0.9 eps=0.0001", adadelta,
     dict(lr=1.0, rho=0.9, eps=1e-4))
case("rmsprop", "RMSprop(learning_rate=0.001)", "rmsprop", rmsprop, RMS)
case("rmsprop-momentum", "RMSprop(learning_rate=0.001, momentum=0.5)", "rmsprop momentum=0.5", rmsprop, RMS | dict(momentum=0.5))
case("rmsprop-centered", "RMSprop(learning_rate=0.001, epsilon=0.001, centered=True)", "rmsprop eps=0.001 centered", rmsprop,
     RMS | dict(eps=0.001, centered=True))
case("lion", "Lion(learning_rate=0.001)", "lion", lion, dict(lr=0.001, b1=0.9, b2=0.99), "sign(0) is 0")
case("clip-value", "SGD(learning_rate=0.01, clipvalue=0.5)", "sgd", sgd, SGD, "each number of a gradient", clip=("value", 0.5))
case("clip-norm", "SGD(learning_rate=0.01, clipnorm=1.5)", "sgd", sgd, SGD, "each weight's gradient by its own norm", clip=("norm", 1.5))
case("clip-global", "SGD(learning_rate=0.01, global_clipnorm=2.0)", "sgd\nclip 2.0", sgd, SGD, "the norm over all gradients", clip=("global", 2.0))
case("clip-global-adamw", "AdamW(learning_rate=0.01, weight_decay=0.1, global_clipnorm=2.0)", "adamw lr=0.01 decay=0.1\nclip 2.0", adam,
     ADAM | dict(lr=0.01), "the order: clip, decay, step; b is excluded from decay", decay=0.1, decay_bias=False, clip=("global", 2.0))
case("ema", "SGD(learning_rate=0.01, use_ema=True, ema_momentum=0.9)", "sgd", sgd, SGD, ema=0.9,
     note="ema/* are the averages; they start as a copy of the weights after step 1, and the weights go their own way")
case("ema-overwrite", "Adam(learning_rate=0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=7)", "", adam, ADAM | dict(lr=0.01),
     "every 7 steps the weights become the averages", ema=0.9, overwrite=7)
case("sgd-exponential", "SGD(learning_rate=S.ExponentialDecay(initial_learning_rate=0.05, decay_steps=20, decay_rate=0.5))",
     "sgd lr=0.05\nschedule exponential steps=20 rate=0.5", sgd, SGD, "the schedule's step is 0 in the first step",
     lr=lambda t: 0.05 * 0.5 ** ((t - 1) / 20))


@contextlib.contextmanager
def exact_nadam():
    ops = keras.ops
    shim = types.SimpleNamespace(**{k: getattr(ops, k) for k in dir(ops) if not k.startswith("_")})
    shim.cast = lambda x, dtype: ops.cast(np.float64(x) if isinstance(x, float) else x, dtype)
    kept, nadam_module.ops = nadam_module.ops, shim
    try:
        yield
    finally:
        nadam_module.ops = kept


def make(c, n):
    """Keras' optimizer from its text; every number that is a float goes through n, defaults too."""
    tree = ast.parse(c["text"], mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, float):
            node.value = ast.Call(ast.Name("n", ast.Load()), [node.value], [])
    scope = {k: getattr(O, k) for k in dir(O) if not k.startswith("_")} | {"S": O.schedules, "n": n}
    if c["text"].endswith("()"):  # the defaults, spelled out for the same reason
        assert c["text"] == "AdamW()"
        return O.AdamW(n(0.001), n(0.004), n(0.9), n(0.999), n(1e-7))
    found = eval(compile(ast.fix_missing_locations(tree), "keras", "eval"), scope)
    for k in ("beta_1", "beta_2", "epsilon", "rho", "initial_accumulator_value"):  # defaults left out of the text
        if hasattr(found, k):
            setattr(found, k, n(getattr(found, k)))
    return found


def keras_run(c, floatx, p):
    keras.backend.clear_session()
    keras.config.set_floatx(floatx)
    exact = floatx == "float64"
    with exact_nadam() if exact and "Nadam" in c["text"] else contextlib.nullcontext():
        opt = make(c, np.float64 if exact else float)
        variables = [keras.Variable(p[f"init/{k}"], dtype=floatx, name=k) for k in ("w", "b")]
        opt.build(variables)
        if not c["decay_bias"]:
            opt.exclude_from_weight_decay(var_list=[variables[1]])
        out = {k: [] for k in ("w", "b")} | ({"ema/w": [], "ema/b": []} if opt.use_ema else {})
        for t in range(STEPS):
            opt.apply([tf.constant(p[f"grad/{k}"][t], floatx) for k in ("w", "b")])
            if (t + 1) % EVERY == 0:
                for k, v in zip(("w", "b"), variables):
                    out[k].append(v.numpy().copy())
                if opt.use_ema:
                    for k, v in zip(("ema/w", "ema/b"), opt._model_variables_moving_average):
                        out[k].append(v.numpy().copy())
    keras.config.set_floatx("float32")
    out = {k: np.stack(v) for k, v in out.items()}
    assert all(v.dtype == floatx for v in out.values())
    return out


def numpy_run(c, p):
    """The same, independently of Keras, in float64."""
    names, e = ("w", "b"), c["extra"]
    w = {k: p[f"init/{k}"].astype("float64") for k in names}
    slots = {k: {s: np.zeros_like(w[k]) for s in ("m", "v", "u", "a", "g", "d", "top", "mean")} for k in names}
    average, out = {}, {k: [] for k in (*names, "ema/w", "ema/b")}
    for t in range(1, STEPS + 1):
        g = {k: p[f"grad/{k}"][t - 1].astype("float64") for k in names}
        kind, limit = e.get("clip", (None, None))
        if kind == "value":
            g = {k: np.clip(x, -limit, limit) for k, x in g.items()}
        elif kind == "norm":
            g = {k: x * min(1, limit / max(np.sqrt((x * x).sum()), 1e-300)) for k, x in g.items()}
        elif kind == "global":
            norm = np.sqrt(sum((x * x).sum() for x in g.values()))
            g = {k: x * min(1, limit / max(norm, 1e-300)) for k, x in g.items()}
        h = dict(c["numbers"])
        if "lr" in e:
            h["lr"] = e["lr"](t)
        for k in names:
            if "decay" in e and (k == "w" or c["decay_bias"]):
                w[k] = w[k] - w[k] * e["decay"] * h["lr"]
            w[k] = c["rule"](w[k], g[k], t, slots[k], h)
            if "ema" in e:
                average[k] = w[k] if t == 1 else e["ema"] * average[k] + (1 - e["ema"]) * w[k]
                if "overwrite" in e and t % e["overwrite"] == 0:
                    w[k] = average[k].copy()
        if t % EVERY == 0:
            for k in names:
                out[k].append(w[k].copy())
                if "ema" in e:
                    out[f"ema/{k}"].append(average[k].copy())
    return {k: np.stack(v) for k, v in out.items() if v}


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--check", action="store_true")
    args = ap.parse_args()
    p = problem()
    if not args.check:
        common.write_tensors(common.path("optimizers", "problem.safetensors"), p)
    worst = 0.0
    for name, c in CASES.items():
        reference = numpy_run(c, p)
        for floatx in ("float64", "float32"):
            file = common.path("optimizers", f"{name}-f{floatx[5:]}.safetensors")
            if args.check:
                with safe_open(file, "np") as f:
                    found = {k: f.get_tensor(k) for k in f.keys()}
            else:
                found = keras_run(c, floatx, p)
                meta = {"case": name, "keras": f"keras.optimizers.{c['text']}", "nn": f"optimizer {c['nn']}" if c["nn"] else "",
                        "note": c["note"], "versions": f"keras {keras.__version__}, tensorflow {tf.__version__}"}
                common.write_tensors(file, found, meta)
            assert found.keys() == reference.keys(), (found.keys(), reference.keys())
            d = max(abs(found[k] - reference[k]).max() for k in found)
            moved = max(abs(found[k][-1] - p[f"init/{k}"]).max() for k in ("w", "b"))
            print(f"{name + '-f' + floatx[5:]:24} from numpy {d:.2e}   largest way {moved:.3g}")
            if floatx == "float64":
                worst = max(worst, d)
                assert d < 1e-10, name
    print(f"float64: at most {worst:.2e}")


if __name__ == "__main__":
    main()
