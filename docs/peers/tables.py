#!/usr/bin/env python3
"""nnc and scikit-learn side by side on five tables.

Both train on the same rows and are measured on the same rows held back, with the same network, optimizer, batch size,
number of epochs and preprocessing; only first values and the order of the rows differ. For each seed the rows are
shared out anew (4 to 1; by class where the target is one).

    python docs/peers/tables.py NNC FOLDER-OF-CSV [--seeds 10] [--only iris,tips]

What nnc says is read from `nnc predict` on the raw rows without their target.
"""

import argparse
import pathlib
import statistics
import subprocess
import tempfile
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

SPECS = pathlib.Path(__file__).resolve().parents[2] / "specs"


def scaled(strategy="mean"):
    return make_pipeline(SimpleImputer(strategy=strategy), StandardScaler())


def hot():
    return make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))


def log_standard():
    return make_pipeline(FunctionTransformer(np.log, np.exp), StandardScaler())


TABLES = {
    "iris": dict(
        target="species", layers=(16,), lr=0.01, epochs=100, batch=16,
        columns=[(scaled(), ["sepal_length", "sepal_width", "petal_length", "petal_width"])],
    ),
    "penguins": dict(
        target="species", layers=(16,), lr=0.005, epochs=50, batch=32,
        columns=[
            (scaled(), ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]),
            (hot(), ["island", "sex"]),
        ],
    ),
    "titanic": dict(
        target="survived", layers=(32,), lr=0.003, epochs=30, batch=32,
        columns=[
            (scaled("median"), ["age"]),
            (MissingIndicator(), ["age"]),
            (scaled(), ["sibsp", "parch", "fare"]),
            (hot(), ["pclass", "sex", "embarked"]),
        ],
    ),
    "tips": dict(
        target="tip", layers=(16,), lr=0.005, epochs=60, batch=16, number=True,
        columns=[(scaled(), ["total_bill", "size"]), (hot(), ["sex", "smoker", "day", "time"])],
    ),
    "diamonds": dict(
        target="price", layers=(64, 64), lr=0.001, epochs=10, batch=128, number=True, log=True,
        columns=[
            (scaled(), ["carat", "depth", "table", "x", "y", "z"]),
            (hot(), ["cut", "color", "clarity"]),
        ],
    ),
}


def peer(table, train, test, seed):
    """Predictions of scikit-learn, and the seconds of its fit."""
    encode = ColumnTransformer([(str(i), step, names) for i, (step, names) in enumerate(table["columns"])])
    options = dict(
        hidden_layer_sizes=table["layers"], solver="adam", learning_rate_init=table["lr"], batch_size=table["batch"],
        max_iter=table["epochs"], alpha=0.0, epsilon=1e-7, random_state=seed, tol=0.0,
        n_iter_no_change=table["epochs"] + 1,
    )
    if table.get("number"):
        model = make_pipeline(encode, MLPRegressor(**options))
        if table.get("log"):
            model = TransformedTargetRegressor(model, transformer=log_standard())
    else:
        model = make_pipeline(encode, MLPClassifier(**options))
    target = table["target"]
    begin = time.perf_counter()
    model.fit(train.drop(columns=target), train[target])
    seconds = time.perf_counter() - begin
    return model.predict(test.drop(columns=target)), seconds


def ours(nnc, name, table, train, test, seed, folder):
    """Predictions of nnc, and the seconds of the whole `nnc train`, reading included."""
    target = table["target"]
    train.to_csv(folder / "train.csv", index=False)
    test.drop(columns=target).to_csv(folder / "test.csv", index=False)
    lines = (SPECS / f"{name}.nn").read_text().splitlines()
    spec = folder / f"{name}.nn"
    spec.write_text("\n".join(line for line in lines if not line.startswith("split ")) + "\n")
    run = folder / "run"
    begin = time.perf_counter()
    subprocess.run(
        [nnc, "train", spec, "--data", folder / "train.csv", "--seed", str(seed), "--out", run, "-q"],
        check=True, capture_output=True,
    )
    seconds = time.perf_counter() - begin
    said = subprocess.run(
        [nnc, "predict", run, "--data", folder / "test.csv"], check=True, capture_output=True, text=True
    ).stdout
    (folder / "said.csv").write_text(said)
    said = pd.read_csv(folder / "said.csv").iloc[:, 0].to_numpy()
    if target == "survived":
        said = (said > 0.5).astype(int)
    return said, seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("nnc")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", default=",".join(TABLES))
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    print("| table | measure | nnc | scikit-learn | nnc, s | scikit-learn, s |")
    print("|---|---|---|---|---|---|")
    for name in args.only.split(","):
        table = TABLES[name]
        data = pd.read_csv(args.folder / f"{name}.csv", keep_default_na=True)
        target, number = table["target"], table.get("number")
        scores, seconds = ([], []), ([], [])
        for seed in range(args.seeds):
            stratify = None if number else data[target]
            train, test = train_test_split(data, test_size=0.2, random_state=seed, stratify=stratify)
            with tempfile.TemporaryDirectory() as folder:
                results = (
                    ours(args.nnc, name, table, train, test, seed, pathlib.Path(folder)),
                    peer(table, train, test, seed),
                )
            for i, (said, took) in enumerate(results):
                truth = test[target].to_numpy()
                if table.get("log"):
                    # The data has a few impossible diamonds (z = 31.8 mm): in dollars one of them outweighs all others.
                    right = np.abs(np.log(said) - np.log(truth)).mean() * 100
                else:
                    right = np.abs(said - truth).mean() if number else (said == truth).mean() * 100
                scores[i].append(float(right))
                seconds[i].append(took)
        measure = "mean error of the logarithm, %" if table.get("log") else "mean error" if number else "accuracy, %"

        def show(values):
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            digits = 1 if not number else 2 if table.get("log") else 3
            return f"{statistics.mean(values):.{digits}f} ± {spread:.{digits}f}"

        times = [f"{statistics.median(s):.3f}" for s in seconds]
        print(f"| {name} | {measure} | {show(scores[0])} | {show(scores[1])} | {times[0]} | {times[1]} |", flush=True)


if __name__ == "__main__":
    main()
