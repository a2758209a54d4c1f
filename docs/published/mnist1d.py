"""Writes MNIST-1D (Greydanus and Kobak 2024, arXiv:2011.14439) as the paper's generator makes it, seed 42.

pip install --no-deps mnist1d==0.0.2.post1 numpy scipy requests
python docs/published/mnist1d.py FOLDER      FOLDER/mnist1d/train.csv (4,000 rows), test.csv (1,000)

The package is told to make the data instead of downloading them.
"""

import pathlib
import sys

# A script has its own folder on the path, and there `mnist1d` is this file.
sys.path = [folder for folder in sys.path if pathlib.Path(folder).resolve() != pathlib.Path(__file__).resolve().parent]

from mnist1d.data import get_dataset_args, make_dataset  # noqa: E402

folder = pathlib.Path(sys.argv[1]) / "mnist1d"
folder.mkdir(parents=True, exist_ok=True)
made = make_dataset(get_dataset_args())
for part, x, y in [("train", made["x"], made["y"]), ("test", made["x_test"], made["y_test"])]:
    with open(folder / f"{part}.csv", "w") as file:
        print(*(f"x{i}" for i in range(x.shape[1])), "digit", sep=",", file=file)
        for row, digit in zip(x, y):
            print(*(f"{number:.7g}" for number in row), digit, sep=",", file=file)
