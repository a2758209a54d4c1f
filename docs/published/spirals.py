"""Writes the two spirals of the CMU benchmark (Lang and Witbrock 1988), by the program of its description.

python docs/published/spirals.py FOLDER      FOLDER/spirals.csv (194 rows)
"""

import math
import pathlib
import sys

pathlib.Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
with open(pathlib.Path(sys.argv[1]) / "spirals.csv", "w") as file:
    print("x,y,inside", file=file)
    for i in range(97):
        angle, radius = i * math.pi / 16, 6.5 * (104 - i) / 104
        x, y = radius * math.sin(angle), radius * math.cos(angle)
        print(f"{x:.5f},{y:.5f},1", file=file)
        print(f"{-x:.5f},{-y:.5f},0", file=file)
