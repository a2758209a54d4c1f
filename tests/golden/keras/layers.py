"""Forward values and gradients of every layer and activation, from Keras 3.15.0 on TensorFlow, in float32.

    python -m venv v && v/bin/pip install keras==3.15.0 tensorflow-cpu==2.21.0 safetensors
    v/bin/python layers.py            # writes layers/ and activations/ beside this file, about one minute
    v/bin/python layers.py conv lstm  # only the cases whose names contain one of the words

One safetensors file per case, all tensors F32, batch first:

    input/NAME            the inputs; class inputs (embed) are whole numbers
    weight/PATH           the weights, random everywhere, biases and scales too
    state/PATH            running statistics before
    state_after/PATH      ... and after the step (cases with training: true)
    output                the layer's output
    cotangent             r, a fixed random tensor of the output's shape; L = sum(output * r)
    grad/input/NAME       dL/dinput (not for class inputs)
    grad/PATH             dL/dweight

The header's metadata has one key, `golden`, with JSON: `case`, `keras` (class and configuration, as Python),
`nn` (the program that should say the same, from the input of the file), `training`, `loss` (L, which reads back
exactly), `weights` (for each of ours, what it is in Keras, with Keras' shape), `note`, and `versions`.

Weights are stored in the layout of the .nn prelude; where that is not Keras' own (attention's q, k and v side by
side in one matrix, depthwise kernels as grouped ones) `weights` says so.

Every case is computed a second time in float64 from the same float32 numbers; a case where float32 lies more than
1e-5 of a tensor's largest number away from that fails here, so a test may ask for 1e-5 on that scale (see
`distance`). The distance found is `f32_error` in the metadata.
"""

import argparse
import zlib

import common

keras, tf = common.pin("3.15.0")

import numpy as np  # noqa: E402

L = keras.layers
CASES = {}


def case(name, build, shapes, nn, keras_text, weights=(), state=(), training=False, pack=None, data=None, note=""):
    """`build(*inputs)` makes Keras layers on symbolic inputs.

    weights: our paths, in the order of Keras' weights; or with `pack`, a function from Keras' list of weights to
    {our path: array}, linear, so that it serves for the gradients too.
    """
    folder = "activations" if name.startswith("activation-") else "layers"
    name = name.removeprefix("activation-")
    assert (folder, name) not in CASES, name
    CASES[folder, name] = dict(
        build=build, shapes=shapes, nn=nn, keras=keras_text, weights=list(weights), state=list(state),
        training=training, pack=pack, data=data or {}, note=note,
    )


def layer(text):
    """A builder from Keras' text, which then is what the metadata shows: no second copy that could differ."""
    return lambda *xs: eval(text, {"keras": keras, "L": L})(xs[0] if len(xs) == 1 else list(xs))


def simple(name, text, shape, nn, weights=(), **kw):
    """One layer, one input."""
    case(name, layer(text), {"x": shape}, nn, text.replace("L.", "keras.layers."), weights, **kw)


def merge(name, text, shapes, nn, **kw):
    case(name, layer(text), shapes, nn, text.replace("L.", "keras.layers."), **kw)


# ---- dense -----------------------------------------------------------------------------------------------------
WB = ("dense1.w", "dense1.b")
simple("dense", "L.Dense(5)", (4,), "dense 5", WB)
simple("dense-relu", "L.Dense(6, activation='relu')", (3,), "dense 6 relu", WB)
simple("dense-nobias", "L.Dense(3, use_bias=False)", (7,), "dense 3 bias=no", WB[:1])
simple("dense-one", "L.Dense(1)", (1,), "dense 1", WB)
simple("dense-time", "L.Dense(4, activation='tanh')", (5, 3), "dense 4 tanh", WB,
       note="the same layer at every time step (Keras users write TimeDistributed(Dense))")

# ---- convolutions ----------------------------------------------------------------------------------------------
KB = ("conv1.k", "conv1.b")
simple("conv1d", "L.Conv1D(4, 3)", (7, 2), "conv 4 kernel=3", KB)
simple("conv1d-same-even", "L.Conv1D(3, 4, padding='same')", (7, 2), "conv 3 kernel=4 same", KB,
       note="an even kernel: the odd one of the zeros goes to the end")
simple("conv1d-same-stride", "L.Conv1D(3, 3, strides=2, padding='same')", (8, 2), "conv 3 kernel=3 same stride=2", KB)
simple("conv1d-stride-tail", "L.Conv1D(2, 3, strides=3)", (10, 1), "conv 2 kernel=3 stride=3", KB)
simple("conv1d-causal", "L.Conv1D(3, 3, padding='causal')", (6, 2), "conv 3 kernel=3 causal", KB)
simple("conv1d-causal-dilation", "L.Conv1D(3, 2, padding='causal', dilation_rate=3)", (9, 2),
       "conv 3 kernel=2 causal dilation=3", KB)
simple("conv1d-groups", "L.Conv1D(6, 3, groups=2)", (5, 4), "conv 6 kernel=3 groups=2", KB)
simple("conv1d-one", "L.Conv1D(1, 1)", (1, 1), "conv 1 kernel=1", KB)
simple("conv2d", "L.Conv2D(4, 3)", (6, 5, 2), "conv 4 3x3", KB)
simple("conv2d-relu-nobias", "L.Conv2D(3, 3, activation='relu', use_bias=False)", (5, 5, 1),
       "conv 3 3x3 relu bias=no", KB[:1])
simple("conv2d-same", "L.Conv2D(3, 3, padding='same')", (5, 4, 2), "conv 3 3x3 same", KB)
simple("conv2d-same-even", "L.Conv2D(2, (2, 4), padding='same')", (5, 6, 2), "conv 2 2x4 same", KB)
simple("conv2d-same-stride", "L.Conv2D(4, 3, strides=2, padding='same')", (7, 6, 2), "conv 4 3x3 same stride=2", KB,
       note="height 7 pads both sides, width 6 only the end")
simple("conv2d-stride-tail", "L.Conv2D(2, 3, strides=2)", (8, 6, 1), "conv 2 3x3 stride=2", KB)
simple("conv2d-stride-rect", "L.Conv2D(2, (3, 2), strides=(2, 1))", (7, 5, 3), "conv 2 3x2 stride=2x1", KB)
simple("conv2d-dilation", "L.Conv2D(3, 3, dilation_rate=2)", (8, 7, 2), "conv 3 3x3 dilation=2", KB)
simple("conv2d-same-dilation", "L.Conv2D(2, 3, padding='same', dilation_rate=(2, 3))", (6, 7, 1),
       "conv 2 3x3 same dilation=2x3", KB)
simple("conv2d-groups", "L.Conv2D(6, 3, groups=3)", (5, 4, 3), "conv 6 3x3 groups=3", KB)
simple("conv2d-1x1", "L.Conv2D(5, 1)", (3, 2, 4), "conv 5 1x1", KB)
simple("conv2d-1x1-stride", "L.Conv2D(3, 1, strides=2)", (5, 4, 2), "conv 3 1x1 stride=2", KB)
simple("conv2d-whole", "L.Conv2D(3, (4, 1))", (4, 1, 2), "conv 3 4x1", KB, note="the kernel is the picture: output 1x1")

simple("convt1d", "L.Conv1DTranspose(3, 3)", (5, 2), "conv_transposed 3 kernel=3", ("conv_transposed1.k", "conv_transposed1.b"))
simple("convt1d-same-stride", "L.Conv1DTranspose(2, 3, strides=2, padding='same')", (5, 3),
       "conv_transposed 2 kernel=3 same stride=2", ("conv_transposed1.k", "conv_transposed1.b"))
TK = ("conv_transposed1.k", "conv_transposed1.b")
NOTE_T = "Keras' kernel is (h, w, out, in)"
simple("convt2d", "L.Conv2DTranspose(3, 3)", (4, 3, 2), "conv_transposed 3 3x3", TK, note=NOTE_T)
simple("convt2d-stride", "L.Conv2DTranspose(2, 3, strides=2)", (3, 4, 3), "conv_transposed 2 3x3 stride=2", TK, note=NOTE_T)
simple("convt2d-same-stride", "L.Conv2DTranspose(2, 3, strides=2, padding='same')", (3, 4, 2),
       "conv_transposed 2 3x3 same stride=2", TK, note=NOTE_T)
simple("convt2d-same-2x2", "L.Conv2DTranspose(3, 2, strides=2, padding='same', activation='relu')", (3, 2, 2),
       "conv_transposed 3 2x2 relu same stride=2", TK, note=NOTE_T)
simple("convt2d-small-kernel", "L.Conv2DTranspose(2, 2, strides=3)", (3, 2, 1), "conv_transposed 2 2x2 stride=3", TK,
       note=NOTE_T + "; the stride is larger than the kernel, the gaps hold the bias")


def grouped(*names):
    """Depthwise kernels (..., in, multiplier) as the kernels (..., 1, in*multiplier) of a grouped convolution."""

    def pack(ws):
        k = ws[0]
        first = k.reshape(*k.shape[:-2], 1, k.shape[-2] * k.shape[-1])
        return dict(zip(names, [first, *ws[1:]], strict=True))

    return pack


NOTE_D = "Keras' kernel (h, w, in, multiplier) reshaped to (h, w, 1, in*multiplier), that of groups=in"
DK = grouped("depthwise1.k", "depthwise1.b")
simple("depthwise1d", "L.DepthwiseConv1D(3, depth_multiplier=2)", (6, 2), "depthwise kernel=3 multiplier=2", pack=DK, note=NOTE_D)
simple("depthwise2d", "L.DepthwiseConv2D(3)", (5, 4, 3), "depthwise 3x3", pack=DK, note=NOTE_D)
simple("depthwise2d-same-stride", "L.DepthwiseConv2D(3, strides=2, padding='same', depth_multiplier=2)", (5, 6, 2),
       "depthwise 3x3 same stride=2 multiplier=2", pack=DK, note=NOTE_D)
SK = grouped("separable1.depthwise", "separable1.pointwise", "separable1.b")
simple("separable1d", "L.SeparableConv1D(4, 3, padding='same')", (6, 2), "separable 4 kernel=3 same", pack=SK, note=NOTE_D)
simple("separable2d", "L.SeparableConv2D(4, 3, depth_multiplier=2, activation='relu')", (5, 4, 2),
       "separable 4 3x3 relu multiplier=2", pack=SK, note=NOTE_D)
simple("separable2d-same-stride", "L.SeparableConv2D(3, (3, 2), strides=2, padding='same')", (5, 5, 3),
       "separable 3 3x2 same stride=2", pack=SK, note=NOTE_D)

# ---- pooling ---------------------------------------------------------------------------------------------------
for kind, keras_kind in (("maxpool", "MaxPooling"), ("avgpool", "AveragePooling")):
    simple(f"{kind}1d", f"L.{keras_kind}1D(2)", (7, 2), f"{kind} 2")
    simple(f"{kind}1d-same", f"L.{keras_kind}1D(3, strides=2, padding='same')", (6, 3), f"{kind} 3 same stride=2")
    simple(f"{kind}2d", f"L.{keras_kind}2D(2)", (5, 4, 3), f"{kind} 2x2", note="the odd row is dropped")
    simple(f"{kind}2d-same", f"L.{keras_kind}2D(2, padding='same')", (5, 3, 2), f"{kind} 2x2 same",
           note="the window at the edge averages only what is there" if kind == "avgpool" else "")
    simple(f"{kind}2d-overlap", f"L.{keras_kind}2D(3, strides=2)", (7, 5, 2), f"{kind} 3x3 stride=2")
    simple(f"{kind}2d-rect", f"L.{keras_kind}2D((2, 3), strides=(1, 2), padding='same')", (4, 6, 1),
           f"{kind} 2x3 same stride=1x2")
simple("global_avgpool1d", "L.GlobalAveragePooling1D()", (5, 3), "global_avgpool")
simple("global_avgpool2d", "L.GlobalAveragePooling2D()", (3, 4, 3), "global_avgpool")
simple("global_maxpool1d", "L.GlobalMaxPooling1D()", (5, 3), "global_maxpool")
simple("global_maxpool2d", "L.GlobalMaxPooling2D()", (3, 4, 3), "global_maxpool")

# ---- shapes ----------------------------------------------------------------------------------------------------
simple("upsample1d", "L.UpSampling1D(3)", (3, 2), "upsample 3")
simple("upsample2d", "L.UpSampling2D(2)", (3, 2, 2), "upsample 2x2")
simple("upsample2d-rect", "L.UpSampling2D((3, 1))", (2, 3, 1), "upsample 3x1")
simple("upsample2d-bilinear", "L.UpSampling2D(2, interpolation='bilinear')", (3, 4, 2), "upsample 2x2 bilinear",
       note="half-pixel centres, the edge repeated")
simple("pad1d", "L.ZeroPadding1D((1, 2))", (3, 2), "pad 1 2")
simple("pad2d", "L.ZeroPadding2D(1)", (2, 3, 2), "pad 1x1")
simple("pad2d-uneven", "L.ZeroPadding2D(((1, 0), (2, 3)))", (2, 3, 1), "pad 1x2 0x3", note="before 1x2, after 0x3")
simple("crop1d", "L.Cropping1D((1, 2))", (6, 2), "crop 1 2")
simple("crop2d", "L.Cropping2D(1)", (4, 5, 2), "crop 1x1")
simple("crop2d-uneven", "L.Cropping2D(((1, 0), (2, 1)))", (4, 5, 1), "crop 1x2 0x1", note="before 1x2, after 0x1")
simple("flatten", "L.Flatten()", (2, 3, 2), "flatten")
simple("reshape", "L.Reshape((4, 3))", (2, 6), "reshape 4x3")
simple("permute", "L.Permute((3, 1, 2))", (2, 3, 4), "permute 3 1 2", note="axes counted from 1, without the batch")
simple("repeat", "L.RepeatVector(3)", (4,), "repeat_vector 3", note="[4] becomes [3, 4]; `repeat` is a statement of the language")

# ---- normalisation ---------------------------------------------------------------------------------------------
BN = dict(weights=("batchnorm1.scale", "batchnorm1.shift"), state=("batchnorm1.running_mean", "batchnorm1.running_var"))
simple("batchnorm-train", "L.BatchNormalization()", (3,), "batchnorm", training=True, **BN)
simple("batchnorm-eval", "L.BatchNormalization()", (3,), "batchnorm", **BN)
simple("batchnorm2d-train", "L.BatchNormalization(momentum=0.9, epsilon=1e-5)", (3, 2, 4),
       "batchnorm momentum=0.9 eps=1e-5", training=True, **BN)
simple("batchnorm2d-eval", "L.BatchNormalization()", (3, 2, 4), "batchnorm", **BN)
simple("batchnorm1d-train", "L.BatchNormalization()", (5, 2), "batchnorm", training=True, **BN)
LN = ("layernorm1.scale", "layernorm1.shift")
simple("layernorm", "L.LayerNormalization()", (7,), "layernorm", LN)
simple("layernorm-time", "L.LayerNormalization(epsilon=1e-5)", (3, 4), "layernorm eps=1e-5", LN)
GN = ("groupnorm1.scale", "groupnorm1.shift")
simple("groupnorm", "L.GroupNormalization(groups=2)", (3, 2, 4), "groupnorm 2", GN)
simple("groupnorm-vector", "L.GroupNormalization(groups=3)", (6,), "groupnorm 3", GN)
simple("groupnorm-each", "L.GroupNormalization(groups=-1)", (4, 3), "groupnorm 3", GN,
       note="one group for each channel: instance normalisation")
simple("rmsnorm", "L.RMSNormalization()", (6,), "rmsnorm", ("rmsnorm1.scale",))
simple("rmsnorm-time", "L.RMSNormalization()", (3, 5), "rmsnorm", ("rmsnorm1.scale",))

# ---- random layers: nothing outside training ---------------------------------------------------------------------
NOTE_R = "outside training; inside, the random numbers cannot be compared"
simple("dropout-eval", "L.Dropout(0.5)", (5,), "dropout 0.5", note=NOTE_R)
simple("spatial_dropout-eval", "L.SpatialDropout2D(0.3)", (2, 3, 2), "spatial_dropout 0.3", note=NOTE_R)
simple("gaussian_noise-eval", "L.GaussianNoise(0.2)", (5,), "gaussian_noise 0.2", note=NOTE_R)

# ---- sequences -------------------------------------------------------------------------------------------------
simple("embed", "L.Embedding(6, 3)", (5,), "embed 3", ("embed1.table",), data={"x": 6}, note="classes below 6, some repeated, one unused")
simple("embed-one", "L.Embedding(4, 5)", (), "embed 5", ("embed1.table",), data={"x": 4}, note="one class a sample")


class Positions(keras.layers.Layer):
    """Keras itself has no layer of learned positions (KerasHub's PositionEmbedding does this)."""

    def build(self, shape):
        self.p = self.add_weight(shape=shape[1:], name="p")

    def call(self, x):
        return x + self.p


case("positions", lambda x: Positions()(x), {"x": (4, 3)}, "positions", "x + weight (no layer of Keras' own)", ("positions1.p",))


def rec(kind):
    return (f"{kind}1.w", f"{kind}1.u", f"{kind}1.b")


NOTE_LSTM = "gates in the order i, f, c, o"
NOTE_GRU = "gates in the order z, r, h; bias row 0 for the input, row 1 for the recurrent product (reset_after)"
simple("rnn", "L.SimpleRNN(4)", (5, 3), "rnn 4", rec("rnn"))
simple("rnn-sequence-relu", "L.SimpleRNN(3, activation='relu', return_sequences=True)", (4, 2), "rnn 3 relu sequence", rec("rnn"))
simple("lstm", "L.LSTM(4)", (5, 3), "lstm 4", rec("lstm"), note=NOTE_LSTM)
simple("lstm-sequence", "L.LSTM(5, return_sequences=True)", (4, 2), "lstm 5 sequence", rec("lstm"), note=NOTE_LSTM)
simple("lstm-one", "L.LSTM(1)", (1, 1), "lstm 1", rec("lstm"), note=NOTE_LSTM)
simple("lstm-backwards", "L.LSTM(3, return_sequences=True, go_backwards=True)", (4, 2), "lstm 3 sequence backwards", rec("lstm"),
       note=NOTE_LSTM + "; Keras leaves the outputs in the order they were computed in, last time step first")
simple("gru", "L.GRU(4)", (5, 3), "gru 4", rec("gru"), note=NOTE_GRU)
simple("gru-sequence", "L.GRU(3, return_sequences=True)", (4, 2), "gru 3 sequence", rec("gru"), note=NOTE_GRU)
simple("gru-one", "L.GRU(1)", (1, 2), "gru 1", rec("gru"), note=NOTE_GRU)


def both(kind):
    return tuple(f"{kind}1.{d}.{w}" for d in ("forward", "backward") for w in "wub")


NOTE_BI = "; forward beside backward, the backward outputs turned round to fit"
simple("rnn-both", "L.Bidirectional(L.SimpleRNN(2, return_sequences=True))", (3, 2), "rnn 2 sequence both", both("rnn"), note=NOTE_BI[2:])
simple("lstm-both", "L.Bidirectional(L.LSTM(3, return_sequences=True))", (4, 2), "lstm 3 sequence both", both("lstm"), note=NOTE_LSTM + NOTE_BI)
simple("lstm-both-last", "L.Bidirectional(L.LSTM(3))", (4, 2), "lstm 3 both", both("lstm"),
       note=NOTE_LSTM + "; the last state forwards beside the last state backwards, which is that at the first time step")
simple("gru-both", "L.Bidirectional(L.GRU(2, return_sequences=True))", (4, 3), "gru 2 sequence both", both("gru"), note=NOTE_GRU + NOTE_BI)
case("lstm-stacked", lambda x: L.LSTM(2)(L.LSTM(3, return_sequences=True)(x)), {"x": (4, 2)}, "lstm 3 sequence\nlstm 2",
     "keras.layers.LSTM(3, return_sequences=True), keras.layers.LSTM(2)",
     tuple(f"lstm{i}.{w}" for i in (1, 2) for w in "wub"), note=NOTE_LSTM)

# ---- attention -------------------------------------------------------------------------------------------------
QKV = "Keras' query, key and value kernels (d, heads, e) as [d, heads*e], side by side; its output kernel (heads, e, d) as [heads*e, d]"


def attention(prefix, d, fused=True):
    """Keras' weights q, qb, k, kb, v, vb, o, ob in the layout of the prelude."""

    def pack(ws):
        q, qb, k, kb, v, vb, o, ob = ws
        q, k, v = (w.reshape(w.shape[0], -1) for w in (q, k, v))
        qb, kb, vb = (b.reshape(-1) for b in (qb, kb, vb))
        out = o.reshape(-1, d)
        if fused:
            return {
                f"{prefix}.dense1.w": np.concatenate([q, k, v], 1),
                f"{prefix}.dense1.b": np.concatenate([qb, kb, vb]),
                f"{prefix}.dense2.w": out,
                f"{prefix}.dense2.b": ob,
            }
        names = [f"{prefix}.{n}.{w}" for n in "qkvo" for w in "wb"]
        return dict(zip(names, [q, qb, k, kb, v, vb, out, ob]))

    return pack


def self_attention(name, heads, d, time, causal):
    text = f"keras.layers.MultiHeadAttention(num_heads={heads}, key_dim={d // heads})(x, x{', use_causal_mask=True' if causal else ''})"
    case(name, lambda x: L.MultiHeadAttention(heads, d // heads)(x, x, use_causal_mask=causal), {"x": (time, d)},
         f"attention {heads}{' causal' if causal else ''}", text, pack=attention("attention1", d), note=QKV)


self_attention("attention", 2, 6, 4, False)
self_attention("attention-one-head", 1, 3, 5, False)
self_attention("attention-causal", 2, 4, 5, True)
case("attention-cross", lambda x, m: L.MultiHeadAttention(2, 2)(x, m), {"x": (3, 4), "memory": (5, 4)},
     "input x 3x4\ninput memory 5x4\nx -> attention 2 memory", "keras.layers.MultiHeadAttention(num_heads=2, key_dim=2)(x, memory)",
     pack=attention("attention1", 4, fused=False), note="queries from x, keys and values from memory; " + QKV.replace(", side by side", ""))


def transformer(x, heads, d, causal):
    a = L.LayerNormalization()(x)
    x = L.Add()([L.MultiHeadAttention(heads, d // heads)(a, a, use_causal_mask=causal), x])
    h = L.LayerNormalization()(x)
    return L.Add()([L.Dense(d)(L.Dense(4 * d, activation="gelu")(h)), x])


def transformer_pack(d):
    def pack(ws):
        t = "transformer1"
        out = {f"{t}.layernorm1.scale": ws[0], f"{t}.layernorm1.shift": ws[1]}
        out |= attention(f"{t}.attention1", d)(ws[2:10])
        names = ["layernorm2.scale", "layernorm2.shift", "dense1.w", "dense1.b", "dense2.w", "dense2.b"]
        return out | {f"{t}.{n}": w for n, w in zip(names, ws[10:], strict=True)}

    return pack


for suffix, causal in (("", False), ("-causal", True)):
    case("transformer" + suffix, lambda x, causal=causal: transformer(x, 2, 4, causal), {"x": (5, 4)},
         "transformer 2" + (" causal" if causal else ""),
         "y = x + MultiHeadAttention(2, 2)(LayerNormalization()(x)); y + Dense(4)(Dense(16, activation='gelu')(LayerNormalization()(y)))",
         pack=transformer_pack(4), note="layer norm first (pre-norm), exact gelu; " + QKV)

# ---- joins -----------------------------------------------------------------------------------------------------
for kind, name in (("Add", "add"), ("Subtract", "subtract"), ("Multiply", "multiply"), ("Average", "average"),
                   ("Maximum", "maximum"), ("Concatenate", "concat")):
    merge(name, f"L.{kind}()", {"a": (2, 3), "b": (2, 3)}, f"input a 2x3\ninput b 2x3\na, b -> {name}")
merge("add-three", "L.Add()", {"a": (4,), "b": (4,), "c": (4,)}, "input a 4\ninput b 4\ninput c 4\na, b, c -> add")
merge("average-three", "L.Average()", {"a": (4,), "b": (4,), "c": (4,)}, "input a 4\ninput b 4\ninput c 4\na, b, c -> average")
merge("maximum-three", "L.Maximum()", {"a": (4,), "b": (4,), "c": (4,)}, "input a 4\ninput b 4\ninput c 4\na, b, c -> maximum")
merge("concat-uneven", "L.Concatenate()", {"a": (2, 1), "b": (2, 3)}, "input a 2x1\ninput b 2x3\na, b -> concat")
merge("concat-axis", "L.Concatenate(axis=1)", {"a": (1, 3), "b": (2, 3)}, "input a 1x3\ninput b 2x3\na, b -> concat axis=0",
      note="Keras counts the batch as axis 0, we do not")
merge("dot", "L.Dot(axes=1)", {"a": (4,), "b": (4,)}, "input a 4\ninput b 4\na, b -> dot", note="the result is one number a sample, shape [1]")
merge("dot-normalize", "L.Dot(axes=1, normalize=True)", {"a": (4,), "b": (4,)}, "input a 4\ninput b 4\na, b -> dot normalize",
      note="the cosine of the angle")

# ---- activations -------------------------------------------------------------------------------------------------
# Three rows of ordinary numbers and one of large ones; none sits on a kink.
EXTREMES = [-80.0, -20.0, -7.5, -0.001, 0.001, 7.5, 20.0, 80.0]


def activation(name, text, nn=None, extremes=EXTREMES, shape=(8,), weights=(), note=""):
    call = f"keras.activations.{text}(x)" if not text.startswith("L.") else text.replace("L.", "keras.layers.") + "(x)"
    fn = eval(f"lambda x: {call}" if "lambda" not in text else text, {"keras": keras})
    if not text.startswith("L."):
        plain = fn
        fn = lambda x: L.Lambda(plain)(x)  # noqa: E731  (mish does not take symbolic tensors)
    case("activation-" + name, fn, {"x": shape}, nn or name, call if "lambda" not in text else text.removeprefix("lambda x: "),
         weights, data={"extremes": extremes} if extremes else {}, note=note)


for name in ("linear", "relu", "relu6", "elu", "selu", "silu", "mish", "softplus", "softsign", "tanh", "sigmoid",
             "hard_sigmoid", "hard_silu", "softmax", "log_softmax", "gelu"):
    activation(name, name)
activation("exponential", "exponential", "exponential", [-80.0, -20.0, -7.5, -0.001, 0.001, 3.0, 5.0, 7.5])
activation("leaky_relu", "leaky_relu", note="slope 0.2, the default of Keras' activation; its layer LeakyReLU has 0.3")
activation("leaky_relu-slope", "lambda x: keras.activations.leaky_relu(x, negative_slope=0.05)", "leaky_relu slope=0.05")
activation("elu-alpha", "lambda x: keras.activations.elu(x, alpha=0.5)", "elu alpha=0.5")
activation("gelu-tanh", "lambda x: keras.activations.gelu(x, approximate=True)", "gelu tanh")
activation("glu", "lambda x: keras.activations.glu(x, axis=-1)", "glu", note="the first half times the sigmoid of the second: [8] becomes [4]")
activation("softmax-time", "softmax", "softmax", None, (3, 5))
activation("log_softmax-time", "log_softmax", "log_softmax", None, (3, 1), note="over one number: 0 everywhere, gradient 0")
activation("prelu", "L.PReLU()", "prelu", weights=("prelu1.slope",), note="one slope for each feature")
activation("prelu-shared", "L.PReLU(shared_axes=[1, 2])", "prelu", None, (2, 3, 4), weights=("prelu1.slope",),
           note="one slope for each channel; Keras' alpha is (1, 1, 4)")


# ---- running them ------------------------------------------------------------------------------------------------
def compute(c, floatx, inputs, keras_weights, state, cotangent):
    keras.backend.clear_session()
    keras.config.set_floatx(floatx)
    symbols = [
        keras.Input(s, dtype="int32" if n in c["data"] else floatx, name=n) for n, s in c["shapes"].items()
    ]
    model = keras.Model(symbols, c["build"](*symbols))
    trainable, moving = model.trainable_variables, model.non_trainable_variables
    moving = [v for v in moving if "seed" not in v.path]
    if inputs is None:
        return model, trainable, moving
    for v, w in zip(trainable, keras_weights, strict=True):
        v.assign(w)
    for v, w in zip(moving, state, strict=True):
        v.assign(w)
    xs = [tf.constant(x.astype("int32" if n in c["data"] else floatx)) for n, x in inputs.items()]
    with tf.GradientTape() as tape:
        for x in xs:
            if x.dtype.is_floating:
                tape.watch(x)
        y = model(xs if len(xs) > 1 else xs[0], training=c["training"])
        loss = tf.reduce_sum(y * tf.cast(cotangent, y.dtype))
    assert y.dtype == floatx, y.dtype
    sources = [x for x in xs if x.dtype.is_floating] + [v.value for v in trainable]
    grads = [tf.convert_to_tensor(g).numpy() for g in tape.gradient(loss, sources, unconnected_gradients="zero")]
    split = len(grads) - len(trainable)
    return y.numpy(), float(loss), grads[:split], grads[split:], [v.numpy() for v in moving]


def distance(found, exact):
    """Of float32 tensors from float64 ones: the worst number, on the scale of its tensor's largest.

    The scale is at least a hundredth of the largest number of all: attention's key bias has the gradient 0, and what
    is computed for it is rounding noise.
    """
    largest = max(np.abs(b).max() for b in exact)
    return max(
        float(np.abs(a - b).max() / max(np.abs(b).max(), 0.01 * largest, 1e-30)) for a, b in zip(found, exact, strict=True)
    )


def run(folder, name, c):
    rng = np.random.default_rng(zlib.crc32(f"{folder}/{name}".encode()))
    batch = 4 if folder == "activations" else 3
    inputs = {}
    for n, s in c["shapes"].items():
        if n in c["data"]:
            x = rng.integers(0, c["data"][n] - 1, (batch, *s))
        else:
            x = rng.standard_normal((batch, *s))
            if folder == "activations":
                x *= 2
            if "extremes" in c["data"]:
                x[-1] = c["data"]["extremes"]
        inputs[n] = x.astype("float32")
    model, trainable, moving = compute(c, "float32", None, None, None, None)
    weights = [(0.6 * rng.standard_normal(v.shape)).astype("float32") for v in trainable]
    state = [(rng.uniform(0.5, 1.5, v.shape)).astype("float32") for v in moving]
    shape = (batch, *model.output.shape[1:])
    cotangent = rng.standard_normal(shape).astype("float32")
    about = [(v.path.split("/", 1)[-1], list(v.shape)) for v in trainable]

    y, loss, dx, dw, after = compute(c, "float32", inputs, weights, state, cotangent)
    exact = compute(c, "float64", inputs, weights, state, cotangent)
    keras.config.set_floatx("float32")
    error = max(distance([y], [exact[0]]), distance(dx + dw, exact[2] + exact[3]) if dx + dw else 0.0)
    if c["training"]:
        error = max(error, distance(after, exact[4]))

    pack = c["pack"] or (lambda ws: dict(zip(c["weights"], ws, strict=True)))
    ours = pack(weights)
    tensors = {f"input/{n}": x for n, x in inputs.items()}
    tensors |= {f"weight/{n}": w for n, w in ours.items()}
    tensors |= {f"state/{n}": w for n, w in zip(c["state"], state, strict=True)}
    if c["training"]:
        tensors |= {f"state_after/{n}": w for n, w in zip(c["state"], after, strict=True)}
    tensors |= {"output": y, "cotangent": cotangent}
    float_inputs = [n for n in inputs if n not in c["data"]]
    tensors |= {f"grad/input/{n}": g for n, g in zip(float_inputs, dx, strict=True)}
    tensors |= {f"grad/{n}": g for n, g in pack(dw).items()}
    assert all(t.dtype == np.float32 for t in tensors.values())
    assert all(np.isfinite(t).all() for t in tensors.values()), name
    meta = {
        "case": name, "keras": c["keras"], "nn": c["nn"], "training": c["training"], "loss": loss,
        "weights": dict(zip(ours, [f"{n} {s}" for n, s in about])) if not c["pack"] else [f"{n} {s}" for n, s in about],
        "note": c["note"], "f32_error": float(f"{error:.1e}"),
        "versions": f"keras {keras.__version__}, tensorflow {tf.__version__}",
    }
    common.write_tensors(common.path(folder, f"{name}.safetensors"), tensors, meta)
    return error


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("words", nargs="*")
    args = ap.parse_args()
    worst, bad = 0.0, []
    for (folder, name), c in CASES.items():
        if args.words and not any(w in name for w in args.words):
            continue
        error = run(folder, name, c)
        worst = max(worst, error)
        if error > 1e-5:
            bad.append((name, error))
        print(f"{folder}/{name:28} float32 from float64: {error:.1e}")
    print(f"at most {worst:.1e} of a tensor's largest number")
    assert not bad, bad


if __name__ == "__main__":
    main()
