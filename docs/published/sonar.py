"""Writes the sonar returns of Gorman and Sejnowski (1988): 208 rows of 60 numbers, mines and rocks.

python docs/published/sonar.py FOLDER [REPOSITORY]      FOLDER/sonar.csv

REPOSITORY is a clone or an address; without it, it is a copy of the UCI table, read at the commit below.
"""

import pathlib
import subprocess
import sys
import tempfile

commit = "f683e2136eafe92b3713dec10dd2ca4d0727b4af"
source = sys.argv[2] if len(sys.argv) > 2 else "https://github.com/trappmartin/uci_data"
pathlib.Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
with tempfile.TemporaryDirectory() as clone:
    subprocess.run(["git", "clone", "--quiet", "--bare", source, clone], check=True)
    table = subprocess.run(["git", "--git-dir", clone, "show", f"{commit}:sonar.csv"], check=True, capture_output=True).stdout
(pathlib.Path(sys.argv[1]) / "sonar.csv").write_bytes(table)
