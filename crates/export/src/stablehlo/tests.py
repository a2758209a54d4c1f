"""Runs the modules of a folder: each line of cases.txt is a number, and the types of its arguments."""
import os
import sys

os.environ["JAX_PLATFORMS"] = "cpu"
import jax
import numpy as np
from jax._src.lib import xla_client

jax.config.update("jax_enable_x64", True)
TYPES = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "ui64": np.uint64}
folder = sys.argv[1]
device = jax.local_devices()[0]
devices = xla_client.DeviceList((device,))
for line in open(os.path.join(folder, "cases.txt")):
    number, *types = line.split()
    text = open(os.path.join(folder, number + ".mlir"), encoding="utf-8").read()
    arguments = []
    for i, ty in enumerate(types):
        dtype, _, dims = ty.partition(":")
        values = np.fromfile(os.path.join(folder, f"{number}_{i}.bin"), TYPES[dtype])
        arguments.append(jax.device_put(values.reshape([int(n) for n in dims.split(",") if n])))
    try:
        program = device.client.compile_and_load(text, devices, xla_client.CompileOptions())
        results = program.execute(arguments)
    except Exception as e:
        print(f"{number}: {str(e)[:2000]}", file=sys.stderr)
        continue
    flat = [np.asarray(r).astype(np.float64).ravel() for r in results]
    np.concatenate(flat).tofile(os.path.join(folder, number + ".out"))
