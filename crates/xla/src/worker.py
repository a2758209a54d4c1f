"""Runs StableHLO modules for nnc on the devices of JAX.

nnc starts this and speaks with it over pipes: a line of JSON and the bytes that it announces, in either direction.
Whatever libraries print goes to stderr.
"""
import json
import os
import sys
import traceback

pipe_in = os.fdopen(os.dup(0), "rb")
pipe_out = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)

settings = json.loads(sys.argv[1])
if settings["devices"]:
    # Of the platform "cpu" there are as many devices as are asked for; others have those that they have.
    flag = "--xla_force_host_platform_device_count=%d" % settings["devices"]
    os.environ["XLA_FLAGS"] = (os.environ.get("XLA_FLAGS", "") + " " + flag).strip()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def send(head, *arrays):
    payload = [memoryview(a).cast("B") if a.size else b"" for a in arrays]
    head["bytes"] = sum(len(p) for p in payload)
    pipe_out.write(json.dumps(head).encode() + b"\n")
    for part in payload:
        pipe_out.write(part)
    pipe_out.flush()


try:
    import jax
    import numpy as np
    from jax._src import compiler
    from jax._src.interpreters import mlir
    from jax._src.lib import xla_client
    from jax._src.lib.mlir import ir
    from jax.sharding import Mesh, NamedSharding, PartitionSpec
except Exception as error:  # the environment's mistakes are told in nnc's words
    pipe_out.write(json.dumps({"missing": "%s: %s" % (type(error).__name__, error), "bytes": 0}).encode() + b"\n")
    pipe_out.flush()
    sys.exit(0)

jax.config.update("jax_enable_x64", True)
DTYPES = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i1": np.bool_, "ui64": np.uint64, "i64": np.int64}


class Worker:
    def __init__(self):
        hosts = settings["hosts"]
        if hosts:
            if settings["platform_is_cpu"]:
                jax.config.update("jax_cpu_collectives_implementation", "gloo")
            jax.distributed.initialize(hosts["coordinator"], hosts["count"], hosts["id"])
        devices = jax.devices()
        wanted = settings["devices"] * (hosts["count"] if hosts else 1)
        if wanted and len(devices) < wanted:
            raise RuntimeError("%d devices are asked for, and there are %d" % (wanted, len(devices)))
        devices = devices[: wanted or len(devices)]
        self.dp = settings["dp"] or len(devices) // settings["tp"]
        if self.dp * settings["tp"] != len(devices):
            raise RuntimeError(
                "dp=%d times tp=%d is not the number of devices, %d" % (self.dp, settings["tp"], len(devices))
            )
        self.devices = np.array(devices)
        self.mesh = Mesh(self.devices.reshape(self.dp, settings["tp"]), ("dp", "tp"))
        self.client = devices[0].client
        self.modules = {}
        self.states = {}

    def spec(self, argument, batch):
        """How an argument lies on the devices."""
        dims = argument["dims"]
        axes = [None] * len(dims)
        if argument["role"] in ("input", "target", "sample_weight"):
            if dims and dims[0] == batch and batch % self.dp == 0:
                axes[0] = "dp"
        elif argument["role"] in ("weight", "state", "slot"):
            tp = settings["tp"]
            if tp > 1 and len(dims) > 1 and dims[-1] % tp == 0:
                axes[-1] = "tp"
            if settings["fsdp"] and self.dp > 1:
                free = [a for a in range(len(dims)) if axes[a] is None and dims[a] % self.dp == 0]
                if free:
                    axes[max(free, key=lambda a: dims[a])] = "dp"
        return PartitionSpec(*axes)

    def compile(self, message, text):
        arguments, results = message["arguments"], message["results"]
        batch = message["batch"]
        specs = [self.spec(a, batch) for a in arguments]
        own = {(a["role"], a["name"]): s for a, s in zip(arguments, specs)}
        outs = [own[tuple(r["replaces"])] if r["replaces"] else PartitionSpec() for r in results]
        shardings = [NamedSharding(self.mesh, s) for s in specs]
        out_shardings = [NamedSharding(self.mesh, s) for s in outs]
        count = len(self.devices)
        with mlir.make_ir_context():
            module = ir.Module.parse(text)
            if count > 1:
                i32 = ir.IntegerType.get_signless(32)
                module.operation.attributes["mhlo.num_partitions"] = ir.IntegerAttr.get(i32, count)
                module.operation.attributes["mhlo.num_replicas"] = ir.IntegerAttr.get(i32, 1)
                main = [op for op in module.body.operations if str(op.attributes["sym_name"]) == '"main"'][0]
                for key, all_of, dims in (
                    ("arg_attrs", shardings, [a["dims"] for a in arguments]),
                    ("res_attrs", out_shardings, [r["dims"] for r in results]),
                ):
                    old = main.attributes[key] if key in main.attributes else [{}] * len(all_of)
                    new = []
                    for attrs, sharding, d in zip(old, all_of, dims):
                        entries = {n.name: n.attr for n in attrs} if not isinstance(attrs, dict) else {}
                        op = sharding._to_xla_hlo_sharding(len(d)).to_proto()
                        entries["mhlo.sharding"] = ir.StringAttr.get(op.SerializeToString())
                        new.append(ir.DictAttr.get(entries))
                    main.attributes[key] = ir.ArrayAttr.get(new)
            code = mlir.module_to_bytecode(module)
        ids = np.array([[d.id for d in self.devices]])
        options = compiler.get_compile_options(num_replicas=1, num_partitions=count, device_assignment=ids)
        options.executable_build_options.use_spmd_partitioning = count > 1
        options.executable_build_options.use_shardy_partitioner = False
        loaded = self.client.compile_and_load(code, xla_client.DeviceList(tuple(self.devices)), options)
        self.modules[message["module"]] = (loaded, arguments, results, shardings, out_shardings)

    def put(self, array, sharding):
        """An array of which every process has all, where it belongs."""
        return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])

    def fetch(self, array):
        """An array as a process can read it."""
        if not array.is_fully_addressable and not array.is_fully_replicated:
            array = jax.jit(lambda x: x, out_shardings=NamedSharding(self.mesh, PartitionSpec()))(array)
        return np.ascontiguousarray(np.asarray(array.addressable_data(0) if not array.is_fully_addressable else array))

    def place(self, entry):
        return NamedSharding(self.mesh, self.spec(entry, None))

    def set(self, message, payload):
        state = self.states.setdefault(message["state"], {})
        at = 0
        for entry in message["entries"]:
            array = np.frombuffer(payload, DTYPES[entry["dtype"]], int(np.prod(entry["dims"])), at)
            at += array.nbytes
            array = array.reshape(entry["dims"]).copy()
            state[(entry["role"], entry["name"])] = self.put(array, self.place(entry))
        if settings["verbose"]:
            each = sum(a.addressable_shards[0].data.nbytes for a in state.values())
            print("xla: a state of %d bytes, of which a device keeps %d" % (at, each), file=sys.stderr)

    def run(self, message, payload):
        loaded, arguments, results, shardings, out_shardings = self.modules[message["module"]]
        state = self.states[message["state"]]
        real = DTYPES[message["float"]]
        at, given = 0, []
        for argument, sharding in zip(arguments, shardings):
            role = argument["role"]
            if role in ("weight", "state", "slot"):
                given.append(state[(role, argument["name"])])
                continue
            dtype, dims = DTYPES[argument["dtype"]], argument["dims"]
            if role == "seed":
                array = np.array(message["seed"], np.uint64).astype(dtype)
            elif role == "step":
                array = np.array(message["step"]).astype(dtype)
            else:
                array = np.frombuffer(payload, real, int(np.prod(dims)), at)
                at += array.nbytes
                array = array.reshape(dims).astype(dtype)
            given.append(self.put(array, sharding))
        shards = loaded.execute_sharded(given).disassemble_into_single_device_arrays()
        said = []
        for result, sharding, parts in zip(results, out_shardings, shards):
            array = jax.make_array_from_single_device_arrays(tuple(result["dims"]), sharding, parts)
            if result["replaces"]:
                state[tuple(result["replaces"])] = array
            else:
                said.append(self.fetch(array).astype(real))
        send({}, *said)

    def handle(self, message, payload):
        what = message["do"]
        if what == "compile":
            self.compile(message, payload.decode())
            send({})
        elif what == "set":
            self.set(message, payload)
            send({})
        elif what == "get":
            state = self.states[message["state"]]
            send({}, *[self.fetch(state[(e["role"], e["name"])]) for e in message["entries"]])
        elif what == "copy":
            # Steps give the memory of their arguments away, so that copies have their own.
            self.states[message["to"]] = {k: jax.numpy.copy(v) for k, v in self.states[message["state"]].items()}
            send({})
        elif what == "free":
            self.states.pop(message["state"], None)
            send({})
        elif what == "run":
            self.run(message, payload)


def main():
    try:
        worker = Worker()
    except Exception as error:
        send({"error": "%s" % error})
        return
    device = worker.devices.flat[0]
    send({"platform": device.platform, "device": device.device_kind, "devices": len(worker.devices), "jax": jax.__version__})
    while True:
        line = pipe_in.readline()
        if not line:
            return
        message = json.loads(line)
        payload = pipe_in.read(message["bytes"])
        try:
            worker.handle(message, payload)
        except Exception as error:
            if settings["verbose"]:
                traceback.print_exc()
            send({"error": "%s: %s" % (type(error).__name__, str(error)[:2000])})


main()
