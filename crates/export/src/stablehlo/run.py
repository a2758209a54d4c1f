#!/usr/bin/env python3
"""Runs the modules of this folder with JAX: answers rows, or trains.

    python run.py rows.csv                      what the network says of every row, as CSV
    python run.py rows.csv --steps 100          100 steps from the weights of init.safetensors
    python run.py rows.csv --steps 100 --first  the same from first weights, as init.mlir draws them
    python run.py rows.npz --steps 100 --save trained.safetensors

Rows are a .csv file with the columns of manifest.json; an .npz file with an array for each input and target, by its
name; or an .npy file for the only input. It needs jax and numpy.
"""
import argparse
import csv
import datetime
import json
import math
import os
import sys

import jax
import numpy as np
from jax._src.lib import xla_client

jax.config.update("jax_enable_x64", True)
HERE = os.path.dirname(os.path.abspath(__file__))
TYPES = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i1": np.bool_, "ui64": np.uint64}
SAFE = {"F32": np.float32, "F64": np.float64}


class Module:
    """A module, compiled for the first device."""

    def __init__(self, about, folder=HERE):
        self.about, self.batch = about, about["batch"]
        with open(os.path.join(folder, about["file"]), encoding="utf-8") as file:
            text = file.read()
        self.device = jax.devices()[0]
        client = self.device.client
        if hasattr(client, "compile_and_load"):
            devices = xla_client.DeviceList((self.device,))
            self.program = client.compile_and_load(text, devices, xla_client.CompileOptions())
        else:
            self.program = client.compile(text)

    def run(self, values):
        """Results by kind and name. `values` has arrays by role and name; those that are replaced are new then."""
        arguments = []
        for a in self.about["arguments"]:
            key = (a["role"], a["name"])
            value = values[key]
            if not isinstance(value, jax.Array):
                value = np.asarray(value, TYPES[a["dtype"]])
                if list(value.shape) != a["shape"]:
                    raise SystemExit(f"the {a['role']} {a['name']!r} is {a['shape']}, not {list(value.shape)}")
                value = jax.device_put(value, self.device)
            arguments.append(value)
        results = self.program.execute(arguments)
        for a in self.about["arguments"]:
            if a["replaced_by"] is not None:
                values[a["role"], a["name"]] = results[a["replaced_by"]]
        return {(r["kind"], r["name"]): x for r, x in zip(self.about["results"], results)}


def read_weights(path):
    """The tensors of a safetensors file."""
    with open(path, "rb") as file:
        head = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    head.pop("__metadata__", None)
    return {
        name: np.frombuffer(data[slice(*about["data_offsets"])], SAFE[about["dtype"]]).reshape(about["shape"])
        for name, about in head.items()
    }


def write_weights(path, tensors):
    """Writes a safetensors file."""
    head, data = {}, b""
    for name, value in sorted(tensors.items()):
        value = np.ascontiguousarray(value, np.float64 if value.dtype == np.float64 else np.float32)
        ends = [len(data), len(data) + value.nbytes]
        dtype = "F64" if value.dtype == np.float64 else "F32"
        head[name] = {"dtype": dtype, "shape": list(value.shape), "data_offsets": ends}
        data += value.tobytes()
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


def scaled(x, steps):
    for step in steps:
        x = np.log(x) if step == "log" else (x - step["minus"]) / step["over"]
    return x


def unscaled(x, steps):
    for step in reversed(steps):
        x = np.exp(x) if step == "log" else x * step["over"] + step["minus"]
    return x


def part_of(text, part):
    """A part of a date that is written as 2024-03-31, with a time or not."""
    date = datetime.datetime.fromisoformat(text)
    if part == "weekday":
        return float(date.weekday())
    if part == "hour":
        return date.hour + date.minute / 60 + date.second / 3600
    return float(getattr(date, part))


def encoded(rows, column):
    """What a column of the file is for the network: [rows, numbers]."""
    name, part, kind = column["name"], column["part"], column["kind"]
    cells = [(row.get(name) or "").strip() for row in rows]
    if kind == "array":
        raise SystemExit(f"the column {name!r} holds arrays: give them as .npz")
    if kind == "number":
        fill = math.nan if column["fill"] is None else column["fill"]
        number = (lambda c: part_of(c, part)) if part else float
        values = np.array([number(c) if c else fill for c in cells])
        parts = [scaled(values, column["scaling"])]
    else:
        places = {c: i for i, c in enumerate(column["classes"])}
        found = [column["fill"] if c == "" else places.get(c, column["other"]) for c in cells]
        unknown = [c for c, place in zip(cells, found) if place is None]
        if unknown:
            raise SystemExit(f"{name} = {unknown[0]!r} was never seen in training")
        if kind == "class":
            parts = [np.array(found, float)]
        else:
            parts = list(np.eye(len(places))[found].T)
    if column.get("indicator"):
        parts.append(np.array([float(c == "") for c in cells]))
    return np.stack(parts, 1)


def from_csv(path, ports):
    """The arrays of ports from a table."""
    with (sys.stdin if path == "-" else open(path, encoding="utf-8-sig", newline="")) as file:
        head = file.readline()
        comma = max(",;\t", key=head.count)
        names = next(csv.reader([head], delimiter=comma))
        rows = list(csv.DictReader(file, [n.strip() for n in names], delimiter=comma))
    out = {}
    for port in ports:
        if not port["columns"] or any(c["name"] not in map(str.strip, names) for c in port["columns"]):
            continue
        wide = np.concatenate([encoded(rows, c) for c in port["columns"]], 1)
        if port["rows"]:
            count = len(wide) - port["rows"] + 1
            wide = np.stack([wide[i : i + port["rows"]] for i in range(count)])
        out[port["name"]] = wide.reshape([len(wide)] + port["shape"])
    return out


def from_arrays(path, ports):
    """The arrays of ports from .npy and .npz: numbers as in the file where the manifest has their scaling."""
    given = np.load(path)
    if isinstance(given, np.ndarray):
        given = {ports[0]["name"]: given}
    out = {}
    for port in ports:
        if port["name"] in given:
            x = np.asarray(given[port["name"]])
            if [c["kind"] for c in port["columns"]] == ["array"]:
                x = scaled(x.astype(float), port["columns"][0]["scaling"])
            out[port["name"]] = x.reshape([len(x)] + port["shape"])
    return out


def fed(module, data, rows, values):
    """Rows of the data as the arguments of a module; the last row stands in for those that are not there."""
    rows = list(rows) + [rows[-1]] * (module.batch - len(rows))
    for a in module.about["arguments"]:
        role, name = a["role"], a["name"]
        if role in ("input", "target", "sample_weight"):
            partner = name.removesuffix(".partner")
            if name in data:
                values[role, name] = data[name][rows]
            elif role == "target" and partner != name and partner in data:
                values[role, name] = data[partner][rows[1:] + rows[:1]]
            elif role == "sample_weight" or name == "mixed.share":
                values[role, name] = np.ones(a["shape"])
            else:
                raise SystemExit(f"the data has no {role} {name!r}")
    return values


def decoded(answer, values):
    """What an answer says of every row: the label, or numbers in the units of the file, with headings."""
    flat = np.asarray(values, float).reshape(len(values), -1)
    name, classes = answer["name"], answer["classes"]
    if classes:
        if flat.shape[1] == 1:
            place = (flat[:, 0] > 0.5).astype(int)
            return [name, f"{name}.value"], [[classes[p], *row] for p, row in zip(place, flat.tolist())]
        head = [name] + [f"{name}.{c}" for c in classes]
        return head, [[classes[p], *row] for p, row in zip(flat.argmax(1), flat.tolist())]
    if answer["scaling"]:
        flat = np.stack([unscaled(x, s) for x, s in zip(flat.T, answer["scaling"])], 1)
    head = [name] if flat.shape[1] == 1 else [f"{name}.{i}" for i in range(flat.shape[1])]
    return head, flat.tolist()


class Model:
    """The modules of a folder with its weights."""

    def __init__(self, folder=HERE):
        self.folder = folder
        with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
            self.manifest = json.load(file)
        self.made = {}
        self.weights = read_weights(os.path.join(folder, self.manifest["weights"]))
        self.values = {}
        for module in self.manifest["modules"]:
            for a in module["arguments"]:
                if a["role"] in ("weight", "state", "slot"):
                    value = self.weights.get(a["name"], np.zeros(a["shape"]))
                    self.values[a["role"], a["name"]] = jax.numpy.array(value, TYPES[a["dtype"]])
        self.values["seed", "seed"] = np.uint64(self.manifest["seed"])
        self.values["step", "step"] = np.uint64(0)

    def module(self, what, batch=None):
        """The module of this kind, for so many samples if there are several."""
        of = [m for m in self.manifest["modules"] if m["what"] == what and batch in (None, m["batch"])]
        if not of:
            raise SystemExit(f"there is no module {what!r} for {batch} samples")
        name = of[0]["file"]
        if name not in self.made:
            self.made[name] = Module(of[0], self.folder)
        return self.made[name]

    def first(self, seed=None):
        """First weights, states and slots."""
        if seed is not None:
            self.values["seed", "seed"] = np.uint64(seed)
        self.values["step", "step"] = np.uint64(0)
        for (_, name), value in self.module("init").run(dict(self.values)).items():
            for role in ("weight", "state", "slot"):
                if (role, name) in self.values:
                    self.values[role, name] = value

    def predict(self, data):
        """What the network says of all rows, by the names of predictions."""
        module, parts = self.module("predict"), {}
        count = len(next(iter(data.values())))
        for start in range(0, count, module.batch):
            rows = list(range(start, min(start + module.batch, count)))
            for (_, name), x in module.run(fed(module, data, rows, dict(self.values))).items():
                parts.setdefault(name, []).append(np.asarray(x)[: len(rows)])
        return {name: np.concatenate(x) for name, x in parts.items()}

    def steps(self, data, count, start=1):
        """Trains, and gives the mean loss of every step, taken before it. Rows come in their order, again and again."""
        if self.manifest["solver"]:
            raise SystemExit("the step of this network gives gradients; a solver has to change the weights")
        pieces, size = self.manifest["pieces"], self.manifest["batch"]
        total, at = len(next(iter(data.values()))), 0
        for step in range(start, start + count):
            end, total_loss, first = min(at + size * pieces, total), 0.0, at
            for piece, begin in enumerate(range(at, end, size)):
                rows = list(range(begin, min(begin + size, end)))
                module = self.module("step", len(rows))
                self.values["step", "step"] = np.uint64((step - 1) * pieces + piece + 1)
                if pieces > 1:
                    told = {"last": begin + size >= end, "samples": end - first, "step": step}
                    for key, value in told.items():
                        if ("slot", f"accumulate/{key}") in self.values:
                            self.values["slot", f"accumulate/{key}"] = np.float64(value)
                results = module.run(fed(module, data, rows, self.values))
                total_loss += np.asarray(results["loss", "loss"], float).sum()
            yield total_loss / (end - first)
            at = end % total

    def save(self, path):
        """Writes weights, states and slots."""
        kept = {k[1]: np.asarray(v) for k, v in self.values.items() if k[0] in ("weight", "state", "slot")}
        write_weights(path, kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", help="a .csv, .npy or .npz file, or - for a table on stdin")
    parser.add_argument("--steps", type=int, help="train for so many steps, and print the loss of each")
    parser.add_argument("--first", action="store_true", help="begin with first weights")
    parser.add_argument("--seed", type=int, help="draw first weights, and dropout, by this seed")
    parser.add_argument("--save", metavar="FILE", help="write the weights after training")
    asked = parser.parse_args()
    model = Model()
    if asked.seed is not None:
        model.values["seed", "seed"] = np.uint64(asked.seed)
    if asked.first:
        model.first()
    ports = model.manifest["inputs"] + model.manifest["targets"]
    read = from_arrays if asked.rows.endswith((".npy", ".npz")) else from_csv
    data = read(asked.rows, ports)
    if not data:
        raise SystemExit("the rows have none of the inputs of manifest.json")
    if asked.steps is not None:
        for step, loss in enumerate(model.steps(data, asked.steps), 1):
            print(f"{step}\t{float(loss)!r}", flush=True)
        if asked.save:
            model.save(asked.save)
        return
    said = model.predict(data)
    heads, columns = [], []
    for answer in model.manifest["answers"]:
        head, rows = decoded(answer, said[answer["name"]])
        heads += head
        columns.append(rows)
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(heads)
    out.writerows([cell for part in parts for cell in part] for parts in zip(*columns))


if __name__ == "__main__":
    main()
