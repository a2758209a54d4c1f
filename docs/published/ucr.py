"""Writes series of the UCR archive that the package `aeon` carries within it; nothing is downloaded.

pip install --no-deps aeon==1.6.0
python docs/published/ucr.py FOLDER NAME…      FOLDER/NAME/train.csv, test.csv

NAME is GunPoint, ItalyPowerDemand, OSULeaf or ArrowHead.
"""

import importlib.util
import pathlib
import sys

package = pathlib.Path(importlib.util.find_spec("aeon").origin).parent
for name in sys.argv[2:]:
    folder = pathlib.Path(sys.argv[1]) / name
    folder.mkdir(parents=True, exist_ok=True)
    for part in ["train", "test"]:
        lines = (package / "datasets/data" / name / f"{name}_{part.upper()}.ts").read_text().splitlines()
        samples = [line.split(":") for line in lines if line and line[0] not in "#@"]
        with open(folder / f"{part}.csv", "w") as file:
            print(*(f"t{i}" for i in range(samples[0][0].count(",") + 1)), "class", sep=",", file=file)
            for series, label in samples:
                print(series, label, sep=",", file=file)
