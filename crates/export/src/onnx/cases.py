"""Runs models with their inputs, and prints the largest difference to what is wanted; a line for each.

The folder holds cases.json: a list of {file, inputs: {name: {elem, dims, values}}, wanted: [numbers]}.
"""
import json, sys
import numpy as np
import onnx
import onnxruntime

TYPES = {"float": np.float32, "double": np.float64, "int64": np.int64, "bool": np.bool_}
folder = sys.argv[1]
options = onnxruntime.SessionOptions()
options.log_severity_level = 4
options.intra_op_num_threads = 1
for case in json.load(open(f"{folder}/cases.json")):
    try:
        model = onnx.load(f"{folder}/{case['file']}")
        onnx.checker.check_model(model, full_check=True)
        given = {
            name: np.array(x["values"], np.float64).reshape(x["dims"]).astype(TYPES[x["elem"]])
            for name, x in case["inputs"].items()
        }
        names = [i.name for i in model.graph.input]
        given = {name: x for name, x in given.items() if name in names}
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        said = session.run(None, given)[0]
        said = np.asarray(said, np.float64).ravel()
        wanted = np.array([float(x) for x in case["wanted"]], np.float64)
        if said.shape != wanted.shape:
            print(f"inf {said.shape} instead of {wanted.shape}")
            continue
        with np.errstate(all="ignore"):
            far = np.abs(said - wanted) / np.maximum(1, np.abs(wanted))
        far[(said == wanted) | (np.isnan(said) & np.isnan(wanted))] = 0
        far[np.isnan(far)] = np.inf
        worst = far.max() if far.size else 0.0
        print(f"{worst:.17g} {said[:8].tolist()} {wanted[:8].tolist()}")
    except Exception as e:
        print("inf " + " ".join(str(e).split())[:600])
