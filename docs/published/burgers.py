"""Writes points for Burgers' equation u_t + u u_x = 0.01/pi u_xx, as Raissi, Perdikaris and Karniadakis (2019) took them.

python docs/published/burgers.py FOLDER      FOLDER/burgers/train.csv (100 + 10,000 rows), test.csv (25,600)

To learn from: 100 points of the beginning u(x, 0) = -sin(pi x) and of the ends u(-1, t) = u(1, t) = 0, where u is
known, and 10,000 points of a Latin square, where it is not. For the verdict: the solution on 256 places and 100 times,
by Cole and Hopf's formula with the trapezoidal rule. numpy's generator, seed 0.
"""

import pathlib
import sys

import numpy as np

viscosity = 0.01 / np.pi


def solution(x, t):
    """u at places x and one time t."""
    if t == 0:
        return -np.sin(np.pi * x)
    z = np.linspace(-8, 8, 4001)
    y = x[:, None] - np.sqrt(4 * viscosity * t) * z
    exponent = -z ** 2 - np.cos(np.pi * y) / (2 * np.pi * viscosity)
    share = np.exp(exponent - exponent.max(axis=1, keepdims=True))
    return -(share * np.sin(np.pi * y)).sum(axis=1) / share.sum(axis=1)


random = np.random.default_rng(0)
folder = pathlib.Path(sys.argv[1]) / "burgers"
folder.mkdir(parents=True, exist_ok=True)

beginning = [(x, 0, u) for x in np.linspace(-1, 1, 256) for u in [-np.sin(np.pi * x)]]
ends = [(x, t, 0) for x in (-1, 1) for t in np.linspace(0, 0.99, 100)]
places = beginning + ends
known = [places[i] for i in random.choice(len(places), 100, replace=False)]
x, t = ((random.permutation(10_000) + random.random(10_000)) / 10_000 for _ in range(2))
with open(folder / "train.csv", "w") as file:
    print("x,t,u,known", file=file)
    for row in known:
        print(*(f"{number:.9g}" for number in row), 1, sep=",", file=file)
    for row in zip(2 * x - 1, t):
        print(*(f"{number:.9g}" for number in row), 0, 0, sep=",", file=file)
with open(folder / "test.csv", "w") as file:
    print("x,t,u,known", file=file)
    grid = np.linspace(-1, 1, 256)
    for t in np.linspace(0, 0.99, 100):
        for x, u in zip(grid, solution(grid, t)):
            print(*(f"{number:.9g}" for number in (x, t, u)), 1, sep=",", file=file)
