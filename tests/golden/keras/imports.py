"""Weights of Keras models, with inputs and what the models say of them, from Keras 3.15.0 on TensorFlow.

    v/bin/python imports.py           # writes imports/ beside this file, half a minute

For each model: imports/NAME.safetensors, its variables by their paths; NAME.npz, inputs and the output `y`; NAME.nn, the
program that says the same. `nnc import NAME.safetensors NAME.nn --from keras` must make a model that predicts `y`.
"""

import common

keras, tf = common.pin("3.15.0")

import numpy as np  # noqa: E402

L = keras.layers


def write(name, model, program, classes=None):
    """With `classes`, the input is windows of characters, NAME.txt, and `y` in NAME.y.safetensors."""
    rng = np.random.default_rng(sum(map(ord, name)))
    for v in model.variables:
        if "seed" in v.path:
            continue
        n = np.prod(v.shape[:-1]) if len(v.shape) > 1 else 1
        w = rng.standard_normal(v.shape) / np.sqrt(n) if len(v.shape) > 1 else 0.3 + 0.3 * rng.standard_normal(v.shape)
        v.assign(rng.uniform(0.5, 1.5, v.shape) if "variance" in v.path else w)
    at = lambda ending: common.path("imports", f"{name}.{ending}")  # noqa: E731
    if classes:
        window = model.inputs[0].shape[1]
        text = rng.integers(0, classes, 5 * window + 1)
        text[:classes] = np.arange(classes)  # every character is there
        xs = {"x": text[:-1].reshape(5, window)}
    else:
        xs = {t.name: rng.standard_normal((5, *t.shape[1:])).astype("float32") for t in model.inputs}
    y = model(list(xs.values()) if len(xs) > 1 else list(xs.values())[0], training=False).numpy()
    common.write_tensors(at("safetensors"), {v.path: v.numpy() for v in model.variables})
    if classes:
        common.write_tensors(at("y.safetensors"), {"y": y})
        common.write_text(at("txt"), "".join("abcdefghij"[c] for c in text))
        data, loss = f'text "{name}.txt" window={window}', "loss crossentropy_logits"
    else:
        np.savez(at("npz"), **xs, y=y)
        ports = "; ".join(f"input {n}" for n in xs)
        data, loss = f'npz "{name}.npz" {{ {ports}; target y }}', "loss mse"
    common.write_text(at("nn"), f"data {data}\n{program.strip()}\n{loss}\n")


def main():
    write("conv", keras.Sequential([
        keras.Input((10, 8, 3), name="x"), L.Conv2D(8, 3, padding="same", use_bias=False), L.BatchNormalization(), L.ReLU(),
        L.MaxPooling2D(), L.DepthwiseConv2D(3, padding="same", depth_multiplier=2), L.PReLU(shared_axes=[1, 2]),
        L.SeparableConv2D(6, 3), L.GroupNormalization(3), L.Conv2DTranspose(4, 3, strides=2, padding="same"), L.Flatten(),
        L.Dense(5), L.RMSNormalization(), L.Dense(5),
    ]), """
conv 8 3x3 same bias=no; batchnorm; relu; maxpool 2x2
depthwise 3x3 same multiplier=2; prelu
separable 6 3x3; groupnorm 3; conv_transposed 4 3x3 same stride=2
flatten; dense 5; rmsnorm; dense 5""")
    write("recurrent", keras.Sequential([
        keras.Input((6, 3), name="x"), L.Bidirectional(L.LSTM(4, return_sequences=True)),
        L.Bidirectional(L.LSTM(4, return_sequences=True)), L.GRU(5, return_sequences=True), L.SimpleRNN(6), L.Dense(2),
    ]), "repeat 2 { lstm 4 sequence both }\ngru 5 sequence\nrnn 6\ndense 2")
    def blocks(h):
        for _ in range(2):
            a = L.LayerNormalization()(h)
            h = L.Add()([L.MultiHeadAttention(2, 4)(a, a, use_causal_mask=True), h])
            b = L.LayerNormalization()(h)
            h = L.Add()([L.Dense(8)(L.Dense(32, activation="gelu")(b)), h])
        return h

    x, m = keras.Input((6, 8), name="x"), keras.Input((5, 8), name="memory")
    h = blocks(x)
    h = L.MultiHeadAttention(2, 4)(h, m)  # made after those of the blocks: Keras counts layers as they are made
    write("attention", keras.Model([x, m], L.Dense(3)(L.LayerNormalization()(h))), """
input x 6x8
input memory 5x8
h = x -> transformer 2 causal -> transformer 2 causal
h, memory -> cross_attention 2 -> layernorm -> dense 3""")
    x = keras.Input((6,), dtype="int32", name="x")
    h = blocks(L.Embedding(7, 8)(x))
    write("gpt", keras.Model(x, L.Dense(7)(L.LayerNormalization()(h))), """
embed 8
repeat 2 { transformer 2 causal }
layernorm
dense 7""", 7)


if __name__ == "__main__":
    main()
