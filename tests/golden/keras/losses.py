"""Values and gradients of every loss, from Keras 3.15.0 on TensorFlow, in float32.

    python -m venv v && v/bin/pip install keras==3.15.0 tensorflow-cpu==2.21.0 safetensors
    v/bin/python losses.py            # writes losses/ beside this file

One safetensors file per case, all tensors F32, batch first:

    prediction         what the loss is given, or with `through`, what the activation before it is given (logits)
    target             numbers; with `classes` in the metadata, whole numbers counted from 0
    sample_weight      one a sample, where the case has them
    values             the loss of each sample, before weights and the mean
    grad/prediction    the gradient of the batch's loss by `prediction`

The header's metadata has one key, `golden`, with JSON: `case`, `keras`, `nn`, `through` (null, "sigmoid" or
"softmax"), `classes` (null or how many), `loss` (the batch's: sum of values times weights, over the number of
samples, whatever the weights' sum), `note`, `f32_error` (distance from the same in float64, on the scale of the
largest number of each tensor), `versions`.
"""

import zlib

import common

keras, tf = common.pin("3.15.0")

import numpy as np  # noqa: E402

B = 5
CASES = {}


def case(name, text, nn, prediction, target, through=None, classes=None, weights=None, note=""):
    assert name not in CASES
    CASES[name] = dict(text=text, nn=nn, prediction=prediction, target=target, through=through, classes=classes,
                       weights=weights, note=note)


def normal(*shape, scale=1.5):
    return lambda rng: scale * rng.standard_normal((B, *shape))


def uniform(low, high, *shape):
    return lambda rng: rng.uniform(low, high, (B, *shape))


def bits(*shape):
    return lambda rng: rng.integers(0, 2, (B, *shape))


def distribution(k, *space):
    def draw(rng):
        p = rng.uniform(0.05, 1, (B, *space, k))
        return p / p.sum(-1, keepdims=True)

    return draw


def classes(k, *space):
    return lambda rng: rng.integers(0, k, (B, *space))


def rows(*rows):
    return lambda rng: np.array(rows)


# numbers against numbers
for name, text, nn in (
    ("mse", "MeanSquaredError()", "loss mse"),
    ("mae", "MeanAbsoluteError()", "loss mae"),
    ("mape", "MeanAbsolutePercentageError()", "loss mape"),
    ("huber", "Huber()", "loss huber"),
    ("huber-delta", "Huber(delta=0.4)", "loss huber delta=0.4"),
    ("log_cosh", "LogCosh()", "loss log_cosh"),
):
    case(name, text, nn, normal(3), normal(3))
case("mse-one", "MeanSquaredError()", "loss mse", normal(1), normal(1))
case("mse-image", "MeanSquaredError()", "loss mse", normal(2, 3, 2), normal(2, 3, 2),
     note="Keras' values are means over the last axis only; here their mean over the picture, which gives the same loss")
case("mape-zero", "MeanAbsolutePercentageError()", "loss mape", normal(2), rows([0, 1], [1e-9, 2], [-1, 0], [3, -2], [0, 0]),
     note="targets below eps count as eps = 1e-7")
case("msle", "MeanSquaredLogarithmicError()", "loss msle", uniform(0.1, 3, 3), uniform(0, 4, 3))
case("msle-negative", "MeanSquaredLogarithmicError()", "loss msle", rows([-1, 0.5], [2, -0.1], [0.3, 1], [-3, -2], [1, 1]), uniform(0, 2, 2),
     note="negative predictions count as eps = 1e-7: no gradient")
case("log_cosh-large", "LogCosh()", "loss log_cosh", rows([-60, 0.5], [80, 0.1], [5, -20], [0.001, 1], [1, -0.002]), lambda rng: np.zeros((B, 2)))
case("poisson", "Poisson()", "loss poisson", uniform(0.1, 4, 3), lambda rng: rng.integers(0, 5, (B, 3)), note="log(prediction + eps)")
case("cosine", "CosineSimilarity()", "loss cosine", normal(4), normal(4), note="minus the cosine: -1 is best")
case("kl", "KLDivergence()", "loss kl", distribution(4), distribution(4))

# yes or no
case("binary_crossentropy", "BinaryCrossentropy()", "loss binary_crossentropy", uniform(0.03, 0.97, 3), bits(3))
case("binary_crossentropy-soft", "BinaryCrossentropy()", "loss binary_crossentropy", uniform(0.03, 0.97, 3), uniform(0, 1, 3))
case("binary_crossentropy-clip", "BinaryCrossentropy()", "loss binary_crossentropy",
     rows([0.0, 0.5], [1.0, 0.25], [1e-9, 0.75], [0.0, 1.0], [1.0, 0.0]), rows([1, 1], [0, 0], [1, 0], [0, 1], [1, 0]),
     note="probabilities are clipped to [1e-7, 1 - 1e-7]; outside of it the gradient is 0. In float32, 1 - 1e-7 is "
     "0.99999988, so log(1 - p) is -15.94 and not -16.12")
case("binary_crossentropy-smoothing", "BinaryCrossentropy(label_smoothing=0.1)", "loss binary_crossentropy smoothing=0.1",
     uniform(0.03, 0.97, 3), bits(3))
case("binary_crossentropy-sigmoid", "BinaryCrossentropy()", "sigmoid\nloss binary_crossentropy", normal(3, scale=3), bits(3), "sigmoid")
case("binary_crossentropy-sigmoid-large", "BinaryCrossentropy()", "sigmoid\nloss binary_crossentropy",
     rows([-100, 100], [50, -50], [-30, 30], [17, -17], [0.0, 0.01]), rows([1, 0], [1, 0], [1, 1], [0, 0], [1, 0]), "sigmoid",
     note="from the logits, so nothing is clipped: the loss of a wrong 100 is 100")
case("binary_focal", "BinaryFocalCrossentropy()", "loss binary_focal", uniform(0.03, 0.97, 3), bits(3),
     note="gamma 2; Keras does not apply alpha unless apply_class_balancing=True")
case("binary_focal-alpha", "BinaryFocalCrossentropy(apply_class_balancing=True, alpha=0.3, gamma=1.5)",
     "loss binary_focal alpha=0.3 gamma=1.5", uniform(0.03, 0.97, 3), bits(3))

# classes
case("crossentropy", "SparseCategoricalCrossentropy()", "loss crossentropy", distribution(4), classes(4), classes=4,
     note="Keras takes these probabilities for exp of logits: the gradient is that of -log(p/sum(p)), and so is not 0 for "
     "the other classes")
case("crossentropy-one_hot", "CategoricalCrossentropy()", "loss crossentropy", distribution(4), lambda rng: np.eye(4)[rng.integers(0, 4, B)],
     note="p/sum(p) is part of the loss and of its gradient")
case("crossentropy-soft", "CategoricalCrossentropy()", "loss crossentropy", distribution(4), distribution(4), note="p/sum(p) as above")
case("crossentropy-smoothing", "CategoricalCrossentropy(label_smoothing=0.2)", "loss crossentropy smoothing=0.2", distribution(4),
     lambda rng: np.eye(4)[rng.integers(0, 4, B)], note="p/sum(p) as above")
case("crossentropy-softmax", "SparseCategoricalCrossentropy()", "softmax\nloss crossentropy", normal(5, scale=3), classes(5), "softmax", 5)
case("crossentropy-softmax-large", "SparseCategoricalCrossentropy()", "softmax\nloss crossentropy",
     rows([100, -100, 0], [-50, 40, 30], [1000, 999, -1000], [0, 0, 0], [-80, -80, 1]), rows(1, 0, 1, 2, 0), "softmax", 3)
case("crossentropy-softmax-smoothing", "CategoricalCrossentropy(label_smoothing=0.1)", "softmax\nloss crossentropy smoothing=0.1",
     normal(4, scale=3), lambda rng: np.eye(4)[rng.integers(0, 4, B)], "softmax")
case("crossentropy-softmax-time", "SparseCategoricalCrossentropy()", "softmax\nloss crossentropy", normal(3, 4, scale=2), classes(4, 3),
     "softmax", 4, note="a class at every time step; values are the means over time")
case("focal", "CategoricalFocalCrossentropy()", "loss focal", distribution(4), lambda rng: np.eye(4)[rng.integers(0, 4, B)],
     note="alpha 0.25, gamma 2; p/sum(p) is part of it")
case("focal-alpha-gamma", "CategoricalFocalCrossentropy(alpha=0.5, gamma=1.0)", "loss focal alpha=0.5 gamma=1", distribution(3),
     lambda rng: np.eye(3)[rng.integers(0, 3, B)])
case("focal-softmax", "CategoricalFocalCrossentropy()", "softmax\nloss focal", normal(4, scale=2), lambda rng: np.eye(4)[rng.integers(0, 4, B)], "softmax")

# labels in an order; class 0 is none
case("ctc", "CTC()", "softmax\nloss ctc", normal(7, 4, scale=2), rows([1, 2, 3], [2, 2, 0], [3, 0, 0], [1, 1, 1], [0, 0, 0]), "softmax", 4,
     note="a label twice, targets with fewer labels, and one with none")

# margins
case("hinge", "Hinge()", "loss hinge", normal(3), lambda rng: 2 * rng.integers(0, 2, (B, 3)) - 1)
case("hinge-bits", "Hinge()", "loss hinge", normal(3), bits(3), note="targets of 0 and 1 become -1 and 1")
case("squared_hinge", "SquaredHinge()", "loss squared_hinge", normal(3), lambda rng: 2 * rng.integers(0, 2, (B, 3)) - 1)
case("categorical_hinge", "CategoricalHinge()", "loss categorical_hinge", normal(4), lambda rng: np.eye(4)[rng.integers(0, 4, B)])

# areas
case("dice", "Dice(axis=(1, 2, 3))", "loss dice", uniform(0.03, 0.97, 4, 3, 2), bits(4, 3, 2))
case("tversky", "Tversky(alpha=0.7, beta=0.3, axis=(1, 2, 3))", "loss tversky alpha=0.3 beta=0.7", uniform(0.03, 0.97, 4, 3, 1), bits(4, 3, 1),
     note="in the paper alpha weighs false alarms; Keras' code gives misses that weight")

# weights
WEIGHTS = (0.5, 2.0, 0.0, 1.0, 3.0)
case("mse-weights", "MeanSquaredError()", "loss mse", normal(3), normal(3), weights=WEIGHTS,
     note="a column of sample weights; the sum is divided by the 5 samples, not by the sum of the weights")
case("crossentropy-softmax-weights", "SparseCategoricalCrossentropy()", "softmax\nloss crossentropy", normal(4, scale=2), classes(4),
     "softmax", 4, WEIGHTS, note="a column of sample weights")
case("crossentropy-softmax-class_weights", "SparseCategoricalCrossentropy()", "softmax\nloss crossentropy class_weights=[1, 2.5, 0.5]",
     normal(3, scale=2), rows(0, 1, 2, 1, 0), "softmax", 3, (1.0, 2.5, 0.5, 2.5, 1.0),
     note="Keras' fit turns class_weight into these sample weights")


def compute(c, floatx, x, target):
    keras.config.set_floatx(floatx)
    x = tf.constant(x.astype(floatx))
    y = tf.constant(target.astype("int64" if c["classes"] else floatx))
    weights = None if c["weights"] is None else tf.constant(c["weights"], floatx)
    text = f"keras.losses.{c['text']}"
    loss = eval(text, {"keras": keras})
    each = eval(text.removesuffix(")").removesuffix("(") + ("(" if text.endswith("()") else ", ") + "reduction=None)", {"keras": keras})
    with tf.GradientTape() as tape:
        tape.watch(x)
        # Keras' own activations leave the logits on their output, where the crossentropies find them.
        # CTC takes the logits themselves.
        p = getattr(keras.activations, c["through"])(x) if c["through"] and "CTC" not in text else x
        total = loss(y, p, sample_weight=weights)
        values = each(y, p)
    values = values.numpy()
    values = values.reshape(B, -1).mean(1) if values.ndim > 1 else values
    assert values.dtype == floatx
    return values, float(total), tape.gradient(total, x).numpy()


def distance(a, b):
    return float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30))


def main():
    for name, c in CASES.items():
        rng = np.random.default_rng(zlib.crc32(f"losses/{name}".encode()))
        x, target = c["prediction"](rng).astype("float32"), c["target"](rng).astype("float32")
        values, total, grad = compute(c, "float32", x, target)
        exact = compute(c, "float64", x, target)
        keras.config.set_floatx("float32")
        error = max(distance(values, exact[0]), distance(grad, exact[2]))
        weights = np.array(c["weights"] or [1.0] * B)
        assert abs(total - (values * weights).sum() / B) < 1e-5 * max(1, abs(total)), name
        tensors = {"prediction": x, "target": target, "values": values, "grad/prediction": grad}
        if c["weights"]:
            tensors["sample_weight"] = weights.astype("float32")
        assert all(t.dtype == np.float32 and np.isfinite(t).all() for t in tensors.values()), name
        meta = {
            "case": name, "keras": f"keras.losses.{c['text']}", "nn": c["nn"], "through": c["through"], "classes": c["classes"],
            "loss": total, "note": c["note"], "f32_error": float(f"{error:.1e}"),
            "versions": f"keras {keras.__version__}, tensorflow {tf.__version__}",
        }
        common.write_tensors(common.path("losses", f"{name}.safetensors"), tensors, meta)
        print(f"losses/{name:36} loss {total:12.6f}   float32 from float64: {error:.1e}")
        assert error < 1e-5 or name == "binary_crossentropy-clip", name


if __name__ == "__main__":
    main()
