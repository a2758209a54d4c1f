"""Trainings in stages, from Keras 3.15.0 on TensorFlow, in float64: `trainable`, a new `compile`, `fit` once more.

    python -m venv v && v/bin/pip install keras==3.15.0 tensorflow-cpu==2.21.0 safetensors
    v/bin/python stages.py                # writes stages/ beside this file

`stages/NAME.safetensors`: `init/NAME` the weights and states of the beginning, `losses` those of every epoch over all
stages (means over the rows, each before its update), `final/NAME` the weights and states of the end. The metadata has
one key, `golden`: JSON with the program, data included, under `nn`. Rows come in their order (`shuffle=False`).
"""

import common

keras, tf = common.pin("3.15.0")

import numpy as np  # noqa: E402

N = np.float64
L, O = keras.layers, keras.optimizers  # noqa: E741

ROWS = 11


def adam(lr):
    return O.Adam(N(lr), N(0.9), N(0.999), N(1e-7))


def adamw(lr, decay):
    return O.AdamW(N(lr), N(decay), N(0.9), N(0.999), N(1e-7))


def sgd(lr, momentum):
    return O.SGD(N(lr), N(momentum))


def net():
    return keras.Sequential([
        keras.Input((3,)), L.Dense(4, "tanh"), L.BatchNormalization(momentum=N(0.9), epsilon=N(1e-3)),
        L.Dense(4, "tanh"), L.Dense(1),
    ])


NET = "base = dense 4 tanh\nbn = batchnorm momentum=0.9\nmiddle = dense 4 tanh\nhead = dense 1\nloss mse\n"
LAYERS = {"base": "wb", "bn": ("scale", "shift", "running_mean", "running_var"), "middle": "wb", "head": "wb"}

# Of every stage: the frozen layers, the optimizer, epochs, batch.
CASES = {
    "thaw": dict(
        nn="freeze base bn\noptimizer sgd lr=0.1 momentum=0.9\nbatch 4\nepochs 3\n"
           "then { optimizer adam lr=0.005; epochs 4 }\n",
        stages=[(["base", "bn"], lambda: sgd(0.1, 0.9), 3, 4), ([], lambda: adam(0.005), 4, 4)],
    ),
    # The same optimizer with the same options begins anew all the same.
    "anew": dict(
        nn="freeze base bn middle\noptimizer adam lr=0.02\nbatch 4\nepochs 3\nthen { freeze base; epochs 2 }\nthen { epochs 3 }\n",
        stages=[(["base", "bn", "middle"], lambda: adam(0.02), 3, 4), (["base"], lambda: adam(0.02), 2, 4),
                ([], lambda: adam(0.02), 3, 4)],
    ),
    # From all layers to fewer, with batches of another size.
    "fewer": dict(
        nn="optimizer adam lr=0.02\nbatch 5\nepochs 2\nthen {\n  freeze base bn\n  optimizer adamw lr=0.01 decay=0.1\n"
           "  batch 3\n  epochs 3\n}\n",
        stages=[([], lambda: adam(0.02), 2, 5), (["base", "bn"], lambda: adamw(0.01, 0.1), 3, 3)],
    ),
}


def weights(model):
    own = [layer for layer in model.layers if layer.weights]
    return {f"{name}.{part}": v for (name, parts), layer in zip(LAYERS.items(), own, strict=True)
            for part, v in zip(parts, layer.weights, strict=True)}


def main():
    keras.config.set_floatx("float64")
    for i, (name, case) in enumerate(CASES.items()):
        rng = np.random.default_rng(70 + i)
        x = np.round(rng.standard_normal((ROWS, 3)), 3)
        y = np.round(rng.standard_normal((ROWS, 1)), 3)
        model = net()
        own = weights(model)
        for key, v in own.items():
            start = rng.uniform(0.3, 0.9, v.shape) if key in ("bn.running_var", "bn.scale") else 0.6 * rng.standard_normal(v.shape)
            v.assign(start)
        tensors = {f"init/{k}": v.numpy() for k, v in own.items()}
        losses = []
        layers = dict(zip(LAYERS, [layer for layer in model.layers if layer.weights], strict=True))
        for frozen, optimizer, epochs, batch in case["stages"]:
            for key, layer in layers.items():
                layer.trainable = key not in frozen
            still = {k: v.numpy() for k, v in own.items() if k.split(".")[0] in frozen}
            opt = optimizer()
            model.compile(opt, "mean_squared_error")
            opt.build(model.trainable_variables)
            if isinstance(opt, O.AdamW):
                keep = [v for v in model.trainable_variables if v.path.split("/")[-1] in ("bias", "gamma", "beta")]
                opt.exclude_from_weight_decay(var_list=keep)
            losses += model.fit(x, y, batch, epochs, verbose=0, shuffle=False).history["loss"]
            assert all((own[k].numpy() == v).all() for k, v in still.items()), name
        tensors |= {f"final/{k}": v.numpy() for k, v in own.items()}
        tensors["losses"] = np.array(losses)
        rows = "\n".join(f"  {' '.join(map(repr, a.tolist()))} -> {b[0]!r}" for a, b in zip(x, y.tolist(), strict=True))
        meta = {"case": name, "nn": f"data {{\n{rows}\n}}\n{NET}{case['nn']}", "versions": f"keras {keras.__version__}"}
        common.write_tensors(common.path("stages", f"{name}.safetensors"), tensors, meta)
        print(f"{name:8} loss {losses[0]:.6f} to {losses[-1]:.6f}")


if __name__ == "__main__":
    main()
