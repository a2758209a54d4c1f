"""Writes the sums of Keras' example `addition_rnn`: "12+345" and, as answer, "357 ", with their characters as classes.

python docs/published/addition.py FOLDER [DIGITS]      FOLDER/addition.npz

50,000 different questions of two numbers of up to DIGITS (3) digits; each stands backwards, as in the example with
REVERSE. Class 0 is the blank, 1 is +, and 2 to 11 are the digits. Python's generator, seed 0.
"""

import pathlib
import random
import sys

import numpy as np

digits = int(sys.argv[2]) if len(sys.argv) > 2 else 3
count, characters = {2: 5_000, 3: 50_000}[digits], " +0123456789"
folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
draw = random.Random(0)


def number():
    return int("".join(draw.choice("0123456789") for _ in range(draw.randint(1, digits))))


sums = {}
while len(sums) < count:
    a, b = number(), number()
    sums.setdefault(tuple(sorted((a, b))), f"{a}+{b}")
questions = [question.ljust(2 * digits + 1)[::-1] for question in sums.values()]
answers = [str(a + b).ljust(digits + 1) for a, b in sums]
classes = [np.array([[characters.index(c) for c in text] for text in texts]) for texts in (questions, answers)]
np.savez(folder / "addition.npz", question=classes[0], answer=classes[1])
