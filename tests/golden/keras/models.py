"""50 steps of whole models, from Keras 3.15.0 on TensorFlow, in float32 and float64.

    v/bin/python models.py            # writes models/ beside this file, about two minutes
    v/bin/python models.py frozen     # one of them

One safetensors file per model: `x` and `y`, the rows in their order; `weight/PATH` and `state/PATH`, what training
starts from; `loss/f32` and `loss/f64` [50], the mean loss of each step's batch before its update; `after/PATH`, the
weights and running statistics after the 50 steps in float32. Batches are taken in order, the last one of an epoch is
partial; then the first comes again. The metadata's `golden` is JSON: `case`, `keras`, `nn`, `batch`, `classes` (of y),
`input_classes` (of x, or null), `versions`.

In float64 every hyperparameter is a numpy.float64 (see traces.py).
"""

import common

keras, tf = common.pin("3.15.0")

import sys  # noqa: E402

import numpy as np  # noqa: E402
from layers import transformer, transformer_pack  # noqa: E402

L = keras.layers
STEPS = 50


def mlp():
    return keras.Sequential([keras.Input((6,)), L.Dense(16, "relu"), L.Dense(8, "tanh"), L.Dense(3, "softmax")])


def cnn(n):
    return keras.Sequential([
        keras.Input((8, 8, 1)), L.Conv2D(4, 3, padding="same", use_bias=False),
        L.BatchNormalization(momentum=n(0.9), epsilon=n(1e-3)), L.ReLU(), L.MaxPooling2D(),
        L.Conv2D(6, 3, activation="relu"), L.Flatten(), L.Dense(3, "softmax"),
    ])


def lstm():
    return keras.Sequential([keras.Input((6, 3)), L.LSTM(8, return_sequences=True), L.LSTM(5), L.Dense(1)])


def gru():
    return keras.Sequential([
        keras.Input((7,), dtype="int32"), L.Embedding(5, 4), L.GRU(8, return_sequences=True), L.Dense(5, "softmax")
    ])


def block():
    x = keras.Input((6, 8))
    return keras.Model(x, L.Dense(2)(transformer(x, 2, 8, True)))


def names(*pairs):
    return lambda ws: dict(zip([f"{layer}.{w}" for layer, own in pairs for w in own], ws, strict=True))


def block_names(ws):
    return transformer_pack(8)(ws[:-2]) | {"dense1.w": ws[-2], "dense1.b": ws[-1]}


CASES = {
    "mlp": dict(
        build=lambda n: mlp(), rows=20, batch=8, x=(6,), classes=3, loss="sparse_categorical_crossentropy",
        opt=lambda n: keras.optimizers.Adam(n(0.01), n(0.9), n(0.999), n(1e-7)),
        pack=names(("dense1", "wb"), ("dense2", "wb"), ("dense3", "wb")),
        nn="dense 16 relu\ndense 8 tanh\ndense 3 softmax\nloss crossentropy\noptimizer adam lr=0.01",
    ),
    "cnn": dict(
        build=cnn, rows=20, batch=8, x=(8, 8, 1), classes=3, loss="sparse_categorical_crossentropy",
        opt=lambda n: keras.optimizers.SGD(n(0.02), momentum=n(0.9)),
        pack=names(("conv1", "k"), ("batchnorm1", ("scale", "shift")), ("conv2", "kb"), ("dense1", "wb")),
        moving=("batchnorm1.running_mean", "batchnorm1.running_var"),
        nn="conv 4 3x3 same bias=no\nbatchnorm momentum=0.9\nrelu\nmaxpool 2x2\nconv 6 3x3 relu\nflatten\ndense 3 softmax\n"
           "loss crossentropy\noptimizer sgd lr=0.02 momentum=0.9",
    ),
    "lstm": dict(
        build=lambda n: lstm(), rows=12, batch=5, x=(6, 3), classes=None, y=(1,), loss="mean_squared_error",
        opt=lambda n: keras.optimizers.Adam(n(0.01), n(0.9), n(0.999), n(1e-7)),
        pack=names(("lstm1", "wub"), ("lstm2", "wub"), ("dense1", "wb")),
        nn="lstm 8 sequence\nlstm 5\ndense 1\nloss mse\noptimizer adam lr=0.01",
    ),
    "gru": dict(
        build=lambda n: gru(), rows=12, batch=5, x=(7,), input_classes=5, classes=5, y=(7,),
        loss="sparse_categorical_crossentropy",
        opt=lambda n: keras.optimizers.RMSprop(n(0.01), n(0.9), epsilon=n(1e-7), global_clipnorm=0.5),
        pack=names(("embed1", ("table",)), ("gru1", "wub"), ("dense1", "wb")),
        nn="embed 4\ngru 8 sequence\ndense 5 softmax\nloss crossentropy\noptimizer rmsprop lr=0.01\nclip 0.5",
    ),
    "transformer": dict(
        build=lambda n: block(), rows=12, batch=5, x=(6, 8), classes=None, y=(6, 2), loss="mean_squared_error",
        opt=lambda n: keras.optimizers.AdamW(n(0.005), n(0.1), n(0.9), n(0.999), n(1e-7)), exclude=("bias", "gamma", "beta"),
        pack=block_names, nn="transformer 2 causal\ndense 2\nloss mse\noptimizer adamw lr=0.005 decay=0.1",
    ),
}


def frozen(n):
    model = keras.Sequential([
        keras.Input((6, 6, 2)), L.Conv2D(4, 3), L.BatchNormalization(momentum=n(0.9), epsilon=n(1e-3)), L.ReLU(),
        L.Conv2D(5, 3, activation="relu"), L.Flatten(), L.Dense(3, "softmax"),
    ])
    model.layers[0].trainable = model.layers[1].trainable = False
    return model


CASES["frozen"] = dict(
    build=frozen, rows=20, batch=8, x=(6, 6, 2), classes=3, loss="sparse_categorical_crossentropy",
    opt=lambda n: keras.optimizers.AdamW(n(0.01), n(0.1), n(0.9), n(0.999), n(1e-7), global_clipnorm=0.5),
    exclude=("bias", "gamma", "beta"), pack=names(("second", "kb"), ("head", "wb")),
    frozen=("base.k", "base.b", "bn.scale", "bn.shift", "bn.running_mean", "bn.running_var"),
    nn="base = conv 4 3x3\nbn = batchnorm momentum=0.9\nrelu\nsecond = conv 5 3x3 relu\nflatten\nhead = dense 3 softmax\n"
       "freeze base bn\nloss crossentropy\noptimizer adamw lr=0.01 decay=0.1\nclip 0.5",
)


def run(c, floatx, x, y, start, moving):
    keras.backend.clear_session()
    keras.config.set_floatx(floatx)
    n = np.float64 if floatx == "float64" else float
    model = c["build"](n)
    if start is None:
        return [v.shape for v in model.trainable_variables], [v.shape for v in model.non_trainable_variables if "seed" not in v.path]
    for v, w in zip(model.trainable_variables, start, strict=True):
        v.assign(w)
    still = [v for v in model.non_trainable_variables if "seed" not in v.path]
    for v, w in zip(still, moving, strict=True):
        v.assign(w)
    opt = c["opt"](n)
    opt.build(model.trainable_variables)
    if "exclude" in c:
        opt.exclude_from_weight_decay(var_list=[v for v in model.trainable_variables if v.path.split("/")[-1] in c["exclude"]])
    loss_fn = keras.losses.get(c["loss"])
    losses, at = [], 0
    for _ in range(STEPS):
        part = slice(at, min(at + c["batch"], len(x)))
        at = part.stop % len(x)
        xb = tf.constant(x[part] if c.get("input_classes") else x[part].astype(floatx))
        yb = tf.constant(y[part] if c["classes"] else y[part].astype(floatx))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(loss_fn(yb, model(xb, training=True)))
        # Dense: Keras takes the norm of an embedding's gradient without adding up rows of the same class.
        grads = [tf.convert_to_tensor(g) for g in tape.gradient(loss, [v.value for v in model.trainable_variables])]
        opt.apply(grads, model.trainable_variables)
        losses.append(float(loss))
    return np.array(losses), [v.numpy() for v in model.trainable_variables], [v.numpy() for v in still]


def main():
    for i, (name, c) in enumerate(CASES.items()):
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        rng = np.random.default_rng(40 + i)
        rows = c["rows"]
        if c.get("input_classes"):
            x = rng.integers(0, c["input_classes"], (rows, *c["x"])).astype("int32")
        else:
            x = rng.standard_normal((rows, *c["x"])).astype("float32")
        shape = (rows, *c.get("y", ()))
        y = rng.integers(0, c["classes"], shape).astype("int32") if c["classes"] else rng.standard_normal(shape).astype("float32")
        shapes, still = run(c, "float32", x, y, None, None)
        start = []
        for s in shapes:
            scale = 1 / np.sqrt(np.prod(s[:-1])) if len(s) > 1 else 0.1
            start.append((scale * rng.standard_normal(s)).astype("float32"))
        moving = [np.zeros(s, "float32") if j % 2 == 0 else np.ones(s, "float32") for j, s in enumerate(still)]
        if "frozen" in c:  # Weights that are no starting point, and statistics that are none of the rows'.
            moving = [rng.uniform(0.2, 0.9, s).astype("float32") for s in still]
        single, after, stat = run(c, "float32", x, y, start, moving)
        double, after64, _ = run(c, "float64", x, y, start, moving)
        keras.config.set_floatx("float32")
        tensors = {"x": x, "y": y, "loss/f32": single.astype("float32"), "loss/f64": double}
        tensors |= {f"weight/{k}": v for k, v in c["pack"](start).items()}
        if "frozen" not in c:
            tensors |= {f"state/{k}": v for k, v in zip(c.get("moving", ()), moving, strict=True)}
        tensors |= {f"after/{k}": v for k, v in c["pack"](after).items()}
        if "frozen" in c:
            own = dict(zip(c["frozen"], moving, strict=True))
            tensors |= {("state/" if "running" in k else "weight/") + k: v for k, v in own.items()}
            assert all((a == b).all() for a, b in zip(stat, moving, strict=True))
            tensors |= {f"after/{k}": v for k, v in own.items()}
        else:
            tensors |= {f"after/{k}": v for k, v in zip(c.get("moving", ()), stat, strict=True)}
        meta = {"case": name, "keras": "see models.py", "nn": c["nn"], "batch": c["batch"], "classes": c["classes"],
                "input_classes": c.get("input_classes"), "versions": f"keras {keras.__version__}, tensorflow {tf.__version__}"}
        common.write_tensors(common.path("models", f"{name}.safetensors"), tensors, meta)
        d = max(abs(a - b).max() for a, b in zip(after, after64))
        print(f"{name:12} loss {double[0]:.4f} to {double[-1]:.4f}; float32 from float64: loss {abs(single - double).max():.1e}, weights {d:.1e}")


if __name__ == "__main__":
    main()
