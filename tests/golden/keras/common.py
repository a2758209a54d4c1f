"""What the golden scripts share: the pinned versions, one thread, files that come out the same twice."""

import json
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # the plain kernels, so that another machine sums in the same order
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

HERE = os.path.dirname(os.path.abspath(__file__))


def pin(keras_version):
    """Imports Keras on TensorFlow, asserts the version, and returns (keras, tensorflow)."""
    import keras
    import tensorflow as tf

    assert keras.__version__ == keras_version, (
        f"these goldens are Keras {keras_version}'s, this is {keras.__version__}: "
        f"pip install keras=={keras_version} tensorflow-cpu==2.21.0 safetensors"
    )
    assert keras.backend.backend() == "tensorflow", keras.backend.backend()
    if not tf.__version__.startswith("2.21."):
        print(f"note: the files were written with TensorFlow 2.21, this is {tf.__version__}", file=sys.stderr)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return keras, tf


def path(*parts):
    p = os.path.join(HERE, *parts)
    os.makedirs(os.path.dirname(p), exist_ok=True)
    return p


def write_tensors(file, tensors, meta=None):
    """Safetensors. The metadata is one JSON text under the key `golden`: with several keys their order is random."""
    import numpy as np
    from safetensors.numpy import save_file

    tensors = {k: np.ascontiguousarray(v) for k, v in tensors.items()}
    header = {"golden": json.dumps(meta, sort_keys=False)} if meta is not None else None
    save_file(tensors, file, metadata=header)
    os.chmod(file, 0o644)


def write_text(file, text):
    with open(file, "w", newline="\n") as f:
        f.write(text)
