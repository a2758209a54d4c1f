"""Trains a program with several seeds and tells mean and standard deviation of a figure.

python docs/published/seeds.py FIGURE SEEDS [--eval FILE] -- nnc train PROGRAM …

FIGURE is `loss`, `epochs`, a metric, and `test_` or `val_` before it; after `--eval`, one of that file.
SEEDS is a number of seeds, counted from 0. In FILE and the command `{}` stands for the seed.
"""

import json
import math
import pathlib
import subprocess
import sys
import tempfile


def figure(report, name):
    for part in ["test", "val"]:
        if name.startswith(part + "_"):
            report, name = report[part], name[len(part) + 1:]
    return report[name] if name in report else report["metrics"][name]


def told(command):
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)


mine, command = sys.argv[1:sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1:]
name, seeds = mine[0], int(mine[1])
judged = mine[mine.index("--eval") + 1] if "--eval" in mine else None
values, seconds = [], 0
with tempfile.TemporaryDirectory() as runs:
    for seed in range(seeds):
        run = str(pathlib.Path(runs) / str(seed))
        words = [word.replace("{}", str(seed)) for word in command]
        report = told([*words, "--seed", str(seed), "--json", "--out", run])
        seconds += report["seconds"]
        if judged:
            report = told([command[0], "eval", run, "--data", judged.replace("{}", str(seed)), "--json"])
        values.append(figure(report, name))
        print(f"seed {seed}: {values[-1]:.5g}", file=sys.stderr, flush=True)
mean = sum(values) / seeds
deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / max(seeds - 1, 1))
print(f"{name} {mean:.5g} ± {deviation:.2g} over {seeds} seeds ({min(values):.5g} to {max(values):.5g}); {seconds / seeds:.3g} s each")
