"""Metrics over several batches, the last one partial, from Keras 3.15.0 on TensorFlow, in float64.

    v/bin/python metrics.py            # writes metrics.json beside this file, a few seconds

A list of cases: `case`, `keras`, `nn` (an expression of `output` and `target`), `classes` (of how many the target is
one, or null), `output` and `target` (a list for each sample), `batches` (their sizes), `weights` (where samples have them),
`value`. Keras' metric is updated
batch by batch. What Keras lacks (specificity, perplexity, confusion, macro averages) is written out in numpy.
"""

import json

import common

keras, tf = common.pin("3.15.0")

import numpy as np  # noqa: E402

M = keras.metrics
CASES = []
BATCHES = [4, 4, 3]


def case(name, text, nn, output, target, classes=None, onehot=0, value=None, batches=None, weights=None):
    if value is None:
        metric = eval(text, {"M": M, "np": np})
        at = 0
        for n in batches or BATCHES:
            y = target[at : at + n]
            if onehot:
                y = np.eye(onehot)[y]
            single = "TopK" in text  # TensorFlow has it in single precision only
            more = {} if weights is None else {"sample_weight": weights[at : at + n]}
            metric.update_state(y, output[at : at + n].astype("float32" if single else "float64"), **more)
            at += n
        value = np.asarray(metric.result()).astype("float64").tolist()
    more = {} if weights is None else {"weights": weights.tolist()}
    CASES.append(
        {"case": name, "keras": text.replace("M.", "keras.metrics."), "nn": nn, "classes": classes,
         "output": np.asarray(output, "float64").tolist(), "target": np.asarray(target).tolist(),
         "batches": batches or BATCHES, **more, "value": value}
    )


def macro(name, score, truth, k):
    """By numpy: for each class against the others, then the mean."""
    said = score.argmax(1)
    out = []
    for c in range(k):
        tp = ((said == c) & (truth == c)).sum()
        fp = ((said == c) & (truth != c)).sum()
        fn = ((said != c) & (truth == c)).sum()
        tn = ((said != c) & (truth != c)).sum()
        a, b = {"precision": (tp, tp + fp), "recall": (tp, tp + fn), "f1": (2 * tp, 2 * tp + fp + fn), "specificity": (tn, tn + fp)}[name]
        out.append(a / b if b else 0.0)
    return float(np.mean(out))


def main():
    keras.config.set_floatx("float64")
    rng = np.random.default_rng(5)
    n = sum(BATCHES)
    yes = rng.integers(0, 2, (n, 1))
    p = np.clip(0.5 + 0.25 * (2 * yes - 1) + 0.3 * rng.standard_normal((n, 1)), 0.01, 0.99)
    p[3] = 0.5  # not above the threshold
    p = np.round(p, 4)
    for name, text, nn in [
        ("precision", "M.Precision()", "precision(output, target)"),
        ("precision-threshold", "M.Precision(thresholds=0.3)", "precision(output, target, 0.3)"),
        ("recall", "M.Recall()", "recall(output, target)"),
        ("auc", "M.AUC()", "auc(output, target)"),
        ("auc-steps", "M.AUC(num_thresholds=7)", "auc(output, target, 7)"),
        ("pr_auc", "M.AUC(curve='PR')", "pr_auc(output, target)"),
        ("binary_accuracy", "M.BinaryAccuracy()", "binary_accuracy(output, target)"),
    ]:
        case(name, text, nn, p, yes)
        case(name + "-class", text, nn, p, yes[:, 0], classes=2) if name != "binary_accuracy" else None
    case("f1", "M.F1Score(threshold=0.5, average='macro')", "f1(output, target)", p, yes)
    two = np.concatenate([1 - p, p], 1)
    case("precision-two", "by hand: M.Precision() of the second", "precision(output, target)", two, yes[:, 0], classes=2,
         value=float(((two[:, 1] > two[:, 0]) & (yes[:, 0] == 1)).sum() / (two[:, 1] > two[:, 0]).sum()))
    case("auc-two", "M.AUC() of the second", "auc(output, target)", two, yes[:, 0], classes=2,
         value=[c for c in CASES if c["case"] == "auc"][0]["value"])
    tn, fp = ((p <= 0.5) & (yes == 0)).sum(), ((p > 0.5) & (yes == 0)).sum()
    case("specificity", "by hand", "specificity(output, target)", p, yes, value=float(tn / (tn + fp)))
    case("nothing-found", "M.Precision()", "precision(output, target)", p * 0.1, yes)
    both = [[int(((yes == i) & ((p > 0.5) == j)).sum()) for j in (0, 1)] for i in (0, 1)]
    case("confusion-binary", "by hand", "confusion(output, target)", p, yes, value=both)

    k = 3
    truth = rng.integers(0, k, n)
    z = rng.standard_normal((n, k)) + 1.2 * np.eye(k)[truth]
    q = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    for name in ("precision", "recall", "f1", "specificity"):
        case(name + "-classes", "by hand, macro", f"{name}(output, target)", q, truth, classes=k, value=macro(name, q, truth, k))
    case("f1-classes-keras", "M.F1Score(average='macro')", "f1(output, target)", q, truth, classes=k, onehot=k)
    case("f1-classes-micro", "M.F1Score(average='micro')", "f1(output, target, average=micro)", q, truth, classes=k, onehot=k)
    case("auc-classes", "M.AUC()", "auc(output, target)", q, truth, classes=k, onehot=k)
    case("pr_auc-classes", "M.AUC(curve='PR')", "pr_auc(output, target)", q, truth, classes=k, onehot=k)
    case("accuracy", "M.SparseCategoricalAccuracy()", "accuracy(output, target)", q, truth, classes=k)
    case("top_k", "M.SparseTopKCategoricalAccuracy(k=2)", "top_k(output, target, 2)", q, truth, classes=k)
    loss = -np.log(q[np.arange(n), truth])
    case("perplexity", "by hand", "perplexity(output, target)", q, truth, classes=k, value=float(np.exp(loss.mean())))
    table = [[int(((truth == i) & (q.argmax(1) == j)).sum()) for j in range(k)] for i in range(k)]
    case("confusion", "by hand", "confusion(output, target)", q, truth, classes=k, value=table)

    many = (rng.random((n, 4)) < 0.4).astype(int)
    r = np.round(np.clip(0.35 + 0.3 * many + 0.25 * rng.standard_normal((n, 4)), 0, 1), 4)
    case("precision-labels-micro", "M.Precision()", "precision(output, target, average=micro)", r, many)
    case("recall-labels-micro", "M.Recall()", "recall(output, target, average=micro)", r, many)
    case("f1-labels", "M.F1Score(threshold=0.5, average='macro')", "f1(output, target)", r, many)
    case("auc-labels", "M.AUC()", "auc(output, target)", r, many)

    y = rng.standard_normal((n, 2)) * [1, 5] + [0, 20]
    o = y + rng.standard_normal((n, 2)) * [0.4, 2]
    y, o = np.round(y, 3), np.round(o, 3)
    own = np.random.default_rng(6)  # its own stream, so that the cases above keep their numbers
    case("iou", "M.BinaryIoU(target_class_ids=[1], threshold=0.5001)", "iou(output, target)", p, yes)
    case("iou-classes", "M.OneHotMeanIoU(num_classes=3)", "iou(output, target)", q, truth, classes=k, onehot=k)
    rare = np.where(truth == 2, 0, truth)
    less = q * [1, 1, 0.01]
    case("iou-absent", "M.OneHotMeanIoU(num_classes=3)", "iou(output, target)", less, rare, classes=k, onehot=k)
    edges = own.standard_normal((n, 3))
    y1 = own.standard_normal((n, 1))
    inside = (y1[:, 0] >= edges.min(1)) & (y1[:, 0] <= edges.max(1))
    case("coverage", "by hand", "coverage(output, target)", edges, y1, value=float(inside.mean()))
    z = 2 * own.standard_normal((n, 4))
    rank = own.integers(0, 5, n)
    off = np.abs((z > 0).sum(1) - rank)
    case("ordinal_mae", "by hand", "ordinal_mae(output, target)", z, rank, classes=5, value=float(off.mean()))
    case("ordinal_accuracy", "by hand", "ordinal_accuracy(output, target)", z, rank, classes=5, value=float((off == 0).mean()))
    case("rmse", "M.RootMeanSquaredError()", "rmse(output, target)", o, y)
    case("r2", "M.R2Score()", "r2(output, target)", o, y)
    case("mae", "M.MeanAbsoluteError()", "mae(output, target)", o, y)
    case("mse", "M.MeanSquaredError()", "mse(output, target)", o, y)
    w = np.round(np.random.default_rng(7).uniform(0, 3, n), 3)
    w[2] = 0
    for name, text, nn, a, b, k, hot in [
        ("binary_accuracy", "M.BinaryAccuracy()", "binary_accuracy(output, target, weight=w)", p, yes, None, 0),
        ("accuracy", "M.SparseCategoricalAccuracy()", "accuracy(output, target, weight=w)", q, truth, k, 0),
        ("precision", "M.Precision()", "precision(output, target, weight=w)", p, yes, None, 0),
        ("recall", "M.Recall()", "recall(output, target, weight=w)", p, yes, None, 0),
        ("auc", "M.AUC()", "auc(output, target, weight=w)", p, yes, None, 0),
        ("auc-classes", "M.AUC()", "auc(output, target, weight=w)", q, truth, k, k),
        ("pr_auc", "M.AUC(curve='PR')", "pr_auc(output, target, weight=w)", p, yes, None, 0),
        ("mae", "M.MeanAbsoluteError()", "mae(output, target, weight=w)", o, y, None, 0),
        ("mse", "M.MeanSquaredError()", "mse(output, target, weight=w)", o, y, None, 0),
        ("rmse", "M.RootMeanSquaredError()", "rmse(output, target, weight=w)", o, y, None, 0),
        ("r2", "M.R2Score()", "r2(output, target, weight=w)", o, y, None, 0),
    ]:
        case(f"weighted-{name}", text, nn, a, b, classes=k, onehot=hot, weights=w)
    common.write_text(common.path("metrics.json"), "[\n" + ",\n".join(json.dumps(c) for c in CASES) + "\n]\n")
    for c in CASES:
        print(f"{c['case']:24} {c['value']}")


if __name__ == "__main__":
    main()
