"""Loss traces of trainings on sequences of different lengths, from Keras 3.15.0 on TensorFlow, in float64.

    v/bin/python sequences.py         # writes sequences/ beside this file, about one minute

`sequences/data.csv` is a table with a row for each step: eleven sequences of 1 to 7 steps of two numbers, a class for
each sequence (`who`), one for each step (`tag`). Keras gets them filled up with zeros behind `Masking`, in batches of
four, so that the last batch is partial; nnc gets the table. Adam, 30 epochs without shuffling.

`last-f64.csv`   Masking, LSTM(5), Dense(3, softmax): the class of the sequence
`tags-f64.csv`   Masking, LSTM(4, return_sequences=True), Dense(2, softmax): the class of every step
`pool-f64.csv`   Masking, Dense(4, tanh), GlobalAveragePooling1D, Dense(3, softmax): the class of the sequence

The figures are those of `fit`'s history; the weights in the `.safetensors` of the same names are the first ones.
"""

import common

keras, tf = common.pin("3.15.0")

import numpy as np  # noqa: E402
from layers import rec  # noqa: E402

keras.config.set_floatx("float64")
L = keras.layers
LENGTHS = [3, 7, 1, 5, 2, 6, 4, 7, 1, 3, 5]
EPOCHS, BATCH = 30, 4


def data():
    """Multiples of 1/64: exact, and short in a file."""
    rng = np.random.default_rng(11)
    x = np.zeros((len(LENGTHS), max(LENGTHS), 2))
    for i, n in enumerate(LENGTHS):
        x[i, :n] = np.round(rng.standard_normal((n, 2)) * 64) / 64
        x[i, :n][(x[i, :n] == 0).all(axis=1)] = 1 / 64  # a step of zeros would be padding to Keras
    who = np.arange(len(LENGTHS)) * 2 % 3
    tag = (np.cumsum(x[..., 0], axis=1) > x[..., 1]).astype("int64")
    return x, who, tag


def trace(name, layers, names, y):
    keras.backend.clear_session()
    x, *_ = data()
    model = keras.Sequential([keras.Input((max(LENGTHS), 2)), L.Masking(0.0), *layers])
    rng = np.random.default_rng(len(name) + 40)
    start = [0.6 * rng.standard_normal(v.shape).astype("float32") for v in model.trainable_variables]
    for v, w in zip(model.trainable_variables, start, strict=True):
        v.assign(w.astype("float64"))
    n = np.float64
    adam = keras.optimizers.Adam(learning_rate=n(0.01), beta_1=n(0.9), beta_2=n(0.999), epsilon=n(1e-7))
    model.compile(optimizer=adam, loss="sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    history = model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0).history
    rows = "".join(f"{i},{float(a)!r},{float(b)!r}\n" for i, (a, b) in enumerate(zip(history["loss"], history["accuracy"]), 1))
    common.write_text(common.path("sequences", f"{name}-f64.csv"), "epoch,loss,accuracy\n" + rows)
    common.write_tensors(common.path("sequences", f"{name}.safetensors"), dict(zip(names, start, strict=True)))
    print(name, history["loss"][-1], history["accuracy"][-1])


def main():
    x, who, tag = data()
    rows = "".join(
        f"{i},{x[i, t, 0]!r},{x[i, t, 1]!r},{'abc'[who[i]]},{'no' if tag[i, t] == 0 else 'yes'}\n".replace("np.float64(", "").replace(")", "")
        for i, n in enumerate(LENGTHS) for t in range(n)
    )
    common.write_text(common.path("sequences", "data.csv"), "id,x1,x2,who,tag\n" + rows)
    trace("last", [L.LSTM(5), L.Dense(3, activation="softmax")], (*rec("lstm"), "dense1.w", "dense1.b"), who)
    trace("tags", [L.LSTM(4, return_sequences=True), L.Dense(2, activation="softmax")],
          (*rec("lstm"), "dense1.w", "dense1.b"), tag)
    trace("pool", [L.Dense(4, activation="tanh"), L.GlobalAveragePooling1D(), L.Dense(3, activation="softmax")],
          ("dense1.w", "dense1.b", "dense2.w", "dense2.b"), who)


if __name__ == "__main__":
    main()
