"""Loss traces of whole trainings, from Keras 3.15.0 on TensorFlow.

    python -m venv v && v/bin/pip install keras==3.15.0 tensorflow-cpu==2.21.0 safetensors
    v/bin/python traces.py            # writes xor/ and blobs/ beside this file, about four minutes
    v/bin/python traces.py --check    # writes nothing: the files against an independent float64 training in numpy
    v/bin/python traces.py --rounded  # writes nothing: what Keras' rounding of Python floats would do, see below

What is trained
---------------
`xor/`    2 -> 16 relu -> 1 sigmoid; the four rows 00 01 10 11 as one batch (Keras' batch of 32 is larger), in that
          order, 500 epochs, from `xor/init.safetensors`; losses mse and binary_crossentropy; optimizers
          sgd (lr 0.01), momentum (sgd, lr 0.01, momentum 0.9), adam (lr 0.001, 0.9, 0.999, eps 1e-7).
          `xor/<loss>-<optimizer>-<f64|f32>.csv`: epoch,loss,binary_accuracy.
`blobs/`  2 -> 8 tanh -> 3 softmax; the ten rows of `blobs/data.csv` in their order, batch 4 (so the last batch has
          2 rows), 100 epochs, from `blobs/init.safetensors`; sparse_categorical_crossentropy, adam.
          `blobs/crossentropy-adam-<f64|f32>.csv`: epoch,loss,accuracy.

The weights are drawn once by numpy, kept as float32, and start both precisions: they are exact in both. Biases are
zero. Epochs count from 1. Loss and metric are what `fit` puts into its history: the mean over the epoch's samples,
each batch taken before its update. Numbers are printed with repr, so they read back exactly.

relu'(0) matters here: the row 00 meets zero biases, so in the first step every hidden unit sees exactly 0. The
derivative there is 0 in Keras (TensorFlow's Relu), and must be for the traces to agree.

What Keras rounds when floatx is float64
----------------------------------------
* Weights, gradients, the optimizer's slots, the learning rate (a variable of floatx), Adam's epsilon and its
  1-beta_1 and 1-beta_2, the loss, and the trackers behind the history are float64. `main` asserts the dtypes, and
  --check shows the history to be exact: it is not a float32 mean.
* But `ops.cast(number, "float64")` goes through float32 on the TensorFlow backend, if the number is a Python float.
  So SGD(momentum=0.9) multiplies by 0.8999999761581421, and Adam takes the powers of 0.8999999761581421 and
  0.9990000128746033 in its bias correction (while its running means use 0.9 and 0.999). Left alone, this moves the
  losses by up to 9e-8 (momentum), 5.2e-6 (adam, mse) and 7.3e-5 (adam, crossentropy); --rounded measures it. In
  float32 it cannot be avoided: it is the whole distance of the adam float32 traces from the exact ones.
* The cast keeps a numpy.float64 as it is, and numpy.float64 is a float, so the public API suffices: every
  hyperparameter is handed over as numpy.float64(...). Nothing of the constants is then rounded, and the traces are
  those of an exact 0.9, 0.999, 0.01, 0.001, 1e-7.

`jit_compile=False` keeps XLA out, whose own exp and log differ in the last bits. binary_crossentropy and
crossentropy are computed from the logits: Keras on TensorFlow looks behind the sigmoid and the softmax.
"""

import argparse
import csv

import common

keras, tf = common.pin("3.15.0")

import numpy as np  # noqa: E402

XOR_X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float64")
XOR_Y = np.array([[0], [1], [1], [0]], "float64")
LOSSES = ["mse", "binary_crossentropy"]
OPTIMIZERS = ["sgd", "momentum", "adam"]
CLASSES = "abc"


def glorot(rng, n_in, n_out):
    limit = np.sqrt(6 / (n_in + n_out))
    return rng.uniform(-limit, limit, (n_in, n_out)).astype("float32")


def init(seed, n_in, hidden, out):
    rng = np.random.default_rng(seed)
    return {
        "dense1.w": glorot(rng, n_in, hidden),
        "dense1.b": np.zeros(hidden, "float32"),
        "dense2.w": glorot(rng, hidden, out),
        "dense2.b": np.zeros(out, "float32"),
    }


def blobs_rows():
    """Ten rows in the order a b c a b c ...; multiples of 1/64, so exact in float32 and short in a file."""
    rng = np.random.default_rng(7)
    centres = np.array([[-1.0, 0.5], [1.0, 0.75], [0.25, -1.0]])
    label = np.arange(10) % 3
    x = np.round((centres[label] + 0.6 * rng.standard_normal((10, 2))) * 64) / 64
    return x, label


def optimizer(name, exact=True):
    """`exact`: hyperparameters that survive Keras' cast, see above."""
    n = np.float64 if exact else float
    if name == "sgd":
        return keras.optimizers.SGD(learning_rate=n(0.01))
    if name == "momentum":
        return keras.optimizers.SGD(learning_rate=n(0.01), momentum=n(0.9))
    return keras.optimizers.Adam(learning_rate=n(0.001), beta_1=n(0.9), beta_2=n(0.999), epsilon=n(1e-7))


def keras_trace(floatx, weights, sizes, acts, x, y, loss, opt, metric, batch, epochs):
    keras.backend.clear_session()
    keras.config.set_floatx(floatx)
    model = keras.Sequential(
        [keras.Input((sizes[0],)), keras.layers.Dense(sizes[1], acts[0]), keras.layers.Dense(sizes[2], acts[1])]
    )
    model.set_weights([weights[k] for k in ("dense1.w", "dense1.b", "dense2.w", "dense2.b")])
    model.compile(optimizer=opt(), loss=loss, metrics=[metric], jit_compile=False)
    history = model.fit(
        x.astype(floatx), y, batch_size=batch, epochs=epochs, shuffle=False, verbose=0
    ).history
    floats = [v for v in model.variables + model.optimizer.variables if v.path.split("/")[-1] != "iteration"]
    floats += [v for m in model.metrics for v in m.variables]
    assert all(v.dtype == floatx for v in floats), [(v.path, v.dtype) for v in floats]
    return [float(v) for v in history["loss"]], [float(v) for v in history[metric]]


def numpy_trace(weights, acts, x, y, loss, opt, batch, epochs):
    """The same training, written out independently of Keras, in float64 with exact constants."""
    w1, b1, w2, b2 = (weights[k].astype("float64") for k in ("dense1.w", "dense1.b", "dense2.w", "dense2.b"))
    params = [w1, b1, w2, b2]
    m = [np.zeros_like(p) for p in params]
    v = [np.zeros_like(p) for p in params]
    t, losses, metrics = 0, [], []
    for _ in range(epochs):
        total = hits = 0.0
        for at in range(0, len(x), batch):
            xb, yb = x[at : at + batch], y[at : at + batch]
            n = len(xb)
            z1 = xb @ w1 + b1
            h = np.maximum(z1, 0) if acts[0] == "relu" else np.tanh(z1)
            z2 = h @ w2 + b2
            if loss == "crossentropy":
                shifted = z2 - z2.max(axis=1, keepdims=True)
                logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
                total += -logp[np.arange(n), yb].sum()
                hits += (z2.argmax(axis=1) == yb).sum()
                dz2 = (np.exp(logp) - np.eye(z2.shape[1])[yb]) / n
            else:
                p = 1 / (1 + np.exp(-z2))
                hits += ((p > 0.5) == yb).sum()
                if loss == "mse":
                    total += ((p - yb) ** 2).sum()
                    dz2 = 2 * (p - yb) * p * (1 - p) / n
                else:
                    total += (np.maximum(z2, 0) - z2 * yb + np.log1p(np.exp(-np.abs(z2)))).sum()
                    dz2 = (p - yb) / n
            dh = dz2 @ w2.T
            dz1 = dh * (z1 > 0) if acts[0] == "relu" else dh * (1 - h * h)
            grads = [xb.T @ dz1, dz1.sum(axis=0), h.T @ dz2, dz2.sum(axis=0)]
            t += 1
            for i, (p_, g) in enumerate(zip(params, grads)):
                if opt == "sgd":
                    p_ -= 0.01 * g
                elif opt == "momentum":
                    m[i] = 0.9 * m[i] - 0.01 * g
                    p_ += m[i]
                else:
                    m[i] = 0.9 * m[i] + (1 - 0.9) * g
                    v[i] = 0.999 * v[i] + (1 - 0.999) * g * g
                    step = 0.001 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
                    p_ -= step * m[i] / (np.sqrt(v[i]) + 1e-7)
        losses.append(total / len(x))
        metrics.append(hits / len(x))
    return losses, metrics


def jobs(exact=True):
    """(file, numpy trace, Keras trace as a function) of every golden trace."""
    xor = init(2, 2, 16, 1)
    for loss in LOSSES:
        for opt in OPTIMIZERS:
            for bits in (64, 32):
                yield (
                    f"xor/{loss}-{opt}-f{bits}.csv",
                    "binary_accuracy",
                    lambda loss=loss, opt=opt: numpy_trace(
                        xor, ("relu", "sigmoid"), XOR_X, XOR_Y, loss, opt, 32, 500
                    ),
                    lambda loss=loss, opt=opt, bits=bits: keras_trace(
                        f"float{bits}", xor, (2, 16, 1), ("relu", "sigmoid"), XOR_X, XOR_Y.astype(f"float{bits}"),
                        loss, lambda: optimizer(opt, exact), "binary_accuracy", 32, 500,
                    ),
                )
    blobs, (x, label) = init(3, 2, 8, 3), blobs_rows()
    for bits in (64, 32):
        yield (
            f"blobs/crossentropy-adam-f{bits}.csv",
            "accuracy",
            lambda: numpy_trace(blobs, ("tanh", "softmax"), x, label, "crossentropy", "adam", 4, 100),
            lambda bits=bits: keras_trace(
                f"float{bits}", blobs, (2, 8, 3), ("tanh", "softmax"), x, label,
                "sparse_categorical_crossentropy", lambda: optimizer("adam", exact), "accuracy", 4, 100,
            ),
        )


def differences(loss, metric, other_loss, other_metric):
    return max(abs(a - b) for a, b in zip(loss, other_loss)), sum(
        abs(a - b) > 1e-6 for a, b in zip(metric, other_metric)
    )


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--check", action="store_true", help="compare the files with an independent float64 training")
    ap.add_argument("--rounded", action="store_true", help="measure what Keras' rounded 0.9 and 0.999 would do (f64)")
    args = ap.parse_args()

    if args.check:
        worst = 0.0
        for file, metric, reference, _ in jobs():
            with open(common.path(*file.split("/"))) as f:
                rows = list(csv.DictReader(f))
            loss, hits = [float(r["loss"]) for r in rows], [float(r[metric]) for r in rows]
            exact, right = reference()
            assert len(exact) == len(loss)
            d, k = differences(loss, hits, exact, right)
            print(f"{file:40} max |loss - numpy| {d:.2e}   epochs with another {metric}: {k}   last loss {loss[-1]:.6f}")
            if "f64" in file:
                worst = max(worst, d)
                assert d < 1e-9 and k == 0, file
        print(f"float64: at most {worst:.2e}")
        return

    if args.rounded:
        for file, metric, reference, trace in jobs(exact=False):
            if "f64" in file:
                d, _ = differences(*trace(), *reference())
                print(f"{file:40} with Python floats: max |loss - numpy| {d:.2e}")
        return

    common.write_tensors(common.path("xor", "init.safetensors"), init(2, 2, 16, 1))
    common.write_tensors(common.path("blobs", "init.safetensors"), init(3, 2, 8, 3))
    x, label = blobs_rows()
    rows = "".join(f"{a!r},{b!r},{CLASSES[c]}\n" for (a, b), c in zip(x.tolist(), label))
    common.write_text(common.path("blobs", "data.csv"), "x1,x2,class\n" + rows)
    for file, metric, _, trace in jobs():
        loss, hits = trace()
        lines = "".join(f"{i},{a!r},{b!r}\n" for i, (a, b) in enumerate(zip(loss, hits), 1))
        common.write_text(common.path(*file.split("/")), f"epoch,loss,{metric}\n" + lines)
        print(file, "last loss", loss[-1], metric, hits[-1])


if __name__ == "__main__":
    main()
