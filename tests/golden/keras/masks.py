"""Masked layers, initial and final states, and masked losses, from Keras 3.15.0 on TensorFlow, in float64.

    v/bin/python masks.py            # writes masks/ and masked_models/ beside this file, about one minute
    v/bin/python masks.py lstm       # only the cases whose names contain one of the words

The files of `masks/` are as those of layers.py (inputs, weights, output, cotangent, gradients of
`sum(output * cotangent)`), all tensors F64. Input `x` has steps of zeros: at the end, in the middle, at the beginning.
Those of `masked_models/` are as those of models.py: losses of 6 steps of plain gradient descent (rate 0.1) in batches,
the last one partial, by the loss that `compile` takes, which reads the mask of the prediction.
"""

import argparse
import zlib

import common

keras, tf = common.pin("3.15.0")

import numpy as np  # noqa: E402
from layers import attention, both, rec  # noqa: E402

keras.config.set_floatx("float64")
L = keras.layers
CASES = {}

# Steps that are padding, by sample; four samples of seven steps.
PADDED = {0: [5, 6], 1: [2, 3], 2: [0, 6], 3: []}


def case(name, build, nn, weights=(), shapes=None, pack=None, classes=None, state=(), padded=("x",), keras_text=""):
    CASES[name] = dict(build=build, nn=nn, weights=list(weights), shapes=shapes or {"x": (7, 3)}, pack=pack,
                       classes=classes, state=list(state), padded=padded, keras=keras_text)


def masked(name, layer, nn, weights=(), **kw):
    """`Masking`, then a layer given as Python text."""
    case(name, lambda x: eval(layer)(L.Masking(0.0)(x)), f"masking\n{nn}", weights,
         keras_text=f"keras.layers.Masking(0.0), {layer.replace('L.', 'keras.layers.')}", **kw)


for kind, cls in (("lstm", "LSTM"), ("gru", "GRU"), ("rnn", "SimpleRNN")):
    masked(kind, f"L.{cls}(4)", f"{kind} 4", rec(kind))
    masked(f"{kind}-sequence", f"L.{cls}(4, return_sequences=True)", f"{kind} 4 sequence", rec(kind))
    masked(f"{kind}-backwards", f"L.{cls}(3, return_sequences=True, go_backwards=True)", f"{kind} 3 sequence backwards", rec(kind))
    masked(f"{kind}-both", f"L.Bidirectional(L.{cls}(2, return_sequences=True))", f"{kind} 2 sequence both", both(kind))
    masked(f"{kind}-both-last", f"L.Bidirectional(L.{cls}(2))", f"{kind} 2 both", both(kind))

case("lstm-stacked", lambda x: L.LSTM(2)(L.Dropout(0.5)(L.LSTM(3, return_sequences=True)(L.Masking(0.0)(x)))),
     "masking\nlstm 3 sequence\ndropout 0.5\nlstm 2", rec("lstm") + tuple(f"lstm2.{w}" for w in "wub"))
case("lstm-dense", lambda x: L.LSTM(3)(L.LayerNormalization()(L.Dense(4, activation="tanh")(L.Masking(0.0)(x)))),
     "masking\ndense 4 tanh\nlayernorm\nlstm 3", ("dense1.w", "dense1.b", "layernorm1.scale", "layernorm1.shift", *rec("lstm")))
case("embed", lambda x: L.LSTM(3)(L.Embedding(5, 4, mask_zero=True)(x)), "embed 4 mask_zero\nlstm 3",
     ("embed1.table", *rec("lstm")), shapes={"x": (7,)}, classes=5)
case("embed-mask", lambda x: L.GRU(3)(L.Embedding(5, 4, mask_zero=True)(x)), "embed 4\ngru 3 mask=x",
     ("embed1.table", *rec("gru")), shapes={"x": (7,)}, classes=5)
masked("avgpool", "L.GlobalAveragePooling1D()", "global_avgpool")
case("lstm-avgpool", lambda x: L.GlobalAveragePooling1D()(L.LSTM(3, return_sequences=True)(L.Masking(0.0)(x))),
     "masking\nlstm 3 sequence\nglobal_avgpool", rec("lstm"))
case("batchnorm", lambda x: L.BatchNormalization()(L.Masking(0.0)(x)), "masking\nbatchnorm",
     ("batchnorm1.scale", "batchnorm1.shift"), state=("batchnorm1.running_mean", "batchnorm1.running_var"))

# ---- attention: rows of padding look everywhere alike -------------------------------------------------------------


def attends(heads, d, causal):
    def build(x):
        m = L.Masking(0.0)(x)
        return L.MultiHeadAttention(heads, d // heads)(m, m, use_causal_mask=causal)
    return build


# Heads of a width of 4: Keras casts 1 / sqrt(width) through float32.
case("attention", attends(2, 8, False), "masking\nattention 2", shapes={"x": (7, 8)}, pack=attention("attention1", 8))
case("attention-causal", attends(2, 8, True), "masking\nattention 2 causal", shapes={"x": (7, 8)}, pack=attention("attention1", 8))
case("attention-pooled", lambda x: L.GlobalAveragePooling1D()(attends(1, 4, False)(x)), "masking\nattention 1\nglobal_avgpool",
     shapes={"x": (7, 4)}, pack=attention("attention1", 4))
case("attention-cross", lambda x, y: L.MultiHeadAttention(2, 4)(x, L.Masking(0.0)(y)),
     "m = y -> masking\nx, m -> cross_attention 2", shapes={"x": (3, 8), "y": (7, 8)}, padded=("y",),
     pack=attention("attention1", 8, fused=False))

# ---- states ----------------------------------------------------------------------------------------------------


def coder(cls, cover):
    def build(x, y):
        # Of a layer with several tensors Keras does not find the mask of the first: it is handed over.
        there = {}
        if cover:
            x, y = L.Masking(0.0)(x), L.Masking(0.0)(y)
            there = {"mask": keras.src.backend.get_keras_mask(y)}
        _, *states = cls(4, return_state=True)(x)
        return cls(4, return_sequences=True)(y, initial_state=states, **there)
    return build


def with_states(cls):
    def build(x):
        hs, *states = cls(2, return_sequences=True, return_state=True)(x)
        return L.Concatenate()([L.Flatten()(hs), *states])
    return build


for kind, cls, names in (("lstm", L.LSTM, "h, c"), ("gru", L.GRU, "h"), ("rnn", L.SimpleRNN, "h")):
    # One name for one layer is the layer's.
    ws = rec(kind) + tuple(f"{kind}2.{w}" for w in "wub") if kind == "lstm" else ("h.w", "h.u", "h.b", *rec(kind))
    case(f"{kind}-coder", coder(cls, False), f"{names} = x -> {kind} 4 states\ny -> {kind} 4 sequence start=[{names}]", ws,
         shapes={"x": (7, 3), "y": (5, 2)}, padded=())
    case(f"{kind}-states", with_states(cls), f"hs, {names} = x -> {kind} 2 sequence states\nk = hs -> flatten\nconcat(k, {names})",
         rec(kind), padded=())
case("lstm-coder-masked", coder(L.LSTM, True),
     "a = x -> masking\nb = y -> masking\nh, c = a -> lstm 4 states\nb -> lstm 4 sequence start=[h, c]",
     rec("lstm") + tuple(f"lstm2.{w}" for w in "wub"), shapes={"x": (7, 3), "y": (6, 2)}, padded=("x", "end:y"))


def compute(c, inputs, weights, state, cotangent):
    keras.backend.clear_session()
    shapes = c["shapes"]
    symbolic = [keras.Input(s, dtype="int32" if c["classes"] else None) for s in shapes.values()]
    model = keras.Model(symbolic, c["build"](*symbolic))
    if inputs is None:
        return model
    for v, w in zip(model.trainable_variables, weights, strict=True):
        v.assign(w)
    moving = [v for v in model.non_trainable_variables if "seed" not in v.path]
    for v, s in zip(moving, state, strict=True):
        v.assign(s)
    given = [tf.constant(x) for x in inputs.values()]
    with tf.GradientTape() as tape:
        tape.watch([g for g in given if g.dtype.is_floating])
        y = model(given if len(given) > 1 else given[0], training=bool(c["state"]))
        loss = tf.reduce_sum(y * cotangent)
    floats = [g for g in given if g.dtype.is_floating]
    grads = tape.gradient(loss, floats + [v.value for v in model.trainable_variables], unconnected_gradients="zero")
    grads = [tf.convert_to_tensor(g).numpy() for g in grads]
    return y.numpy(), float(loss), grads[:len(floats)], grads[len(floats):], [v.numpy() for v in moving]


def run(name, c):
    rng = np.random.default_rng(zlib.crc32(f"masks/{name}".encode()))
    inputs = {}
    for n, s in c["shapes"].items():
        x = rng.integers(1, c["classes"], (4, *s)).astype("int32") if c["classes"] else rng.standard_normal((4, *s))
        for p in c["padded"]:
            for i, steps in PADDED.items():
                if p == n:
                    x[i, steps] = 0
                elif p == f"end:{n}":
                    x[i, s[0] - len(steps):] = 0
        inputs[n] = x
    model = compute(c, None, None, None, None)
    weights = [0.6 * rng.standard_normal(v.shape) for v in model.trainable_variables]
    moving = [v for v in model.non_trainable_variables if "seed" not in v.path]
    state = [rng.uniform(0.5, 1.5, v.shape) for v in moving]
    cotangent = rng.standard_normal((4, *model.output.shape[1:]))
    if len(cotangent.shape) == 3 and len(c["padded"]) == len(c["shapes"]):
        # A sum leaves out what a mask leaves out.
        time = cotangent.shape[1]
        for i, steps in PADDED.items():
            if c["padded"][-1].startswith("end:"):
                cotangent[i, time - len(steps):] = 0
            else:
                cotangent[i, [time - 1 - s if "backwards" in name else s for s in steps]] = 0
    y, loss, dx, dw, after = compute(c, inputs, weights, state, cotangent)
    pack = c["pack"] or (lambda ws: dict(zip(c["weights"], ws, strict=True)))
    tensors = {f"input/{n}": x.astype("float64") for n, x in inputs.items()}
    tensors |= {f"weight/{n}": w for n, w in pack(weights).items()}
    tensors |= {f"state/{n}": w for n, w in zip(c["state"], state, strict=True)}
    tensors |= {f"state_after/{n}": w for n, w in zip(c["state"], after, strict=True)}
    tensors |= {"output": y, "cotangent": cotangent}
    if not c["classes"]:
        tensors |= {f"grad/input/{n}": g for n, g in zip(inputs, dx, strict=True)}
    tensors |= {f"grad/{n}": g for n, g in pack(dw).items()}
    assert all(t.dtype == np.float64 for t in tensors.values()), {k: t.dtype for k, t in tensors.items()}
    assert all(np.isfinite(t).all() for t in tensors.values()), name
    meta = {"case": name, "keras": c["keras"] or "see masks.py", "nn": c["nn"], "training": bool(c["state"]), "loss": loss,
            "versions": f"keras {keras.__version__}, tensorflow {tf.__version__}"}
    common.write_tensors(common.path("masks", f"{name}.safetensors"), tensors, meta)


MODELS = {
    "mse": ("MeanSquaredError()", "dense 2", "loss mse", (2,), None),
    "crossentropy": ("SparseCategoricalCrossentropy()", "dense 3 softmax", "loss crossentropy", (), 3),
    "binary": ("BinaryCrossentropy()", "dense 1 sigmoid", "loss binary_crossentropy", (1,), None),
    "huber": ("Huber()", "dense 2", "loss huber", (2,), None),
}


def train(name):
    loss_text, head, loss_nn, width, classes = MODELS[name]
    rng = np.random.default_rng(zlib.crc32(f"masked_models/{name}".encode()))
    x = rng.standard_normal((8, 7, 3))
    for i in range(8):
        x[i, PADDED[i % 4]] = 0
    x[7, 2:] = 0
    shape = (8, 7, *width)
    y = rng.integers(0, classes, shape) if classes else rng.standard_normal(shape)
    if name == "binary":
        y = (y > 0).astype("float64")
    keras.backend.clear_session()
    units = classes or width[0]
    activation = {"crossentropy": "softmax", "binary": "sigmoid"}.get(name)
    model = keras.Sequential([keras.Input((7, 3)), L.Masking(0.0), L.LSTM(4, return_sequences=True),
                              L.Dense(units, activation=activation)])
    start = [0.6 * rng.standard_normal(v.shape) for v in model.trainable_variables]
    for v, w in zip(model.trainable_variables, start, strict=True):
        v.assign(w)
    loss_of = eval(f"keras.losses.{loss_text}")
    losses, batch, at = [], 3, 0
    for _ in range(6):
        n = min(batch, 8 - at)
        with tf.GradientTape() as tape:
            loss = loss_of(tf.constant(y[at:at + n]), model(tf.constant(x[at:at + n]), training=True))
        values = [v.value for v in model.trainable_variables]
        for v, g in zip(model.trainable_variables, tape.gradient(loss, values), strict=True):
            v.assign(v.numpy() - np.float64(0.1) * g.numpy())
        losses.append(float(loss))
        at = (at + n) % 8
    names = (*rec("lstm"), "dense1.w", "dense1.b")
    tensors = {"x": x, "y": y.astype("float64"), "loss/f64": np.array(losses)}
    tensors |= {f"weight/{n}": w for n, w in zip(names, start, strict=True)}
    tensors |= {f"after/{n}": v.numpy() for n, v in zip(names, model.trainable_variables, strict=True)}
    meta = {"case": name, "keras": f"Masking, LSTM, Dense; {loss_text}", "batch": batch, "classes": classes, "input_classes": None,
            "nn": f"masking\nlstm 4 sequence\n{head}\n{loss_nn}\noptimizer sgd lr=0.1\n",
            "versions": f"keras {keras.__version__}, tensorflow {tf.__version__}"}
    common.write_tensors(common.path("masked_models", f"{name}.safetensors"), tensors, meta)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("words", nargs="*")
    words = ap.parse_args().words
    for name, c in CASES.items():
        if not words or any(w in name for w in words):
            run(name, c)
            print("masks/" + name)
    for name in MODELS:
        if not words or any(w in name for w in words):
            train(name)
            print("masked_models/" + name)


if __name__ == "__main__":
    main()
