"""Scores of float64 data against scikit-learn, over random offsets, units, weights and lengths.

    python -m benchmarks.metrics_exact [cases] [seed]

Prints, for each score, how many cases were tried and the largest relative difference; exits 1 above 1e-12. Offsets are
such that float64 and scikit-learn's own formulas keep twelve digits: these square the rounding of the mean. Shares and
logarithms cancel in scikit-learn (not here), so that their offsets are small.
"""

import sys
import warnings
from collections import defaultdict

import numpy as np
import sklearn.metrics as sk

from fnopt import metrics

LENGTHS = (2, 3, 7, 20, 64, 150, 333, 1000)  # a program each
BOUND = 1e-12

VALUES = {
    "mean_squared_error": sk.mean_squared_error,
    "root_mean_squared_error": sk.root_mean_squared_error,
    "mean_absolute_error": sk.mean_absolute_error,
    "median_absolute_error": sk.median_absolute_error,
    "max_error": lambda y, p, sample_weight: sk.max_error(y, p),
    "r2": sk.r2_score,
    "explained_variance": sk.explained_variance_score,
    "d2_absolute_error": sk.d2_absolute_error_score,
}
SHARES = {
    "mean_absolute_percentage_error": sk.mean_absolute_percentage_error,
    "mean_squared_log_error": sk.mean_squared_log_error,
    "mean_poisson_deviance": sk.mean_poisson_deviance,
}
CHANCES = {"log_loss": sk.log_loss, "brier": sk.brier_score_loss, "roc_auc": sk.roc_auc_score}
LABELS = {
    "accuracy": sk.accuracy_score,
    "zero_one": sk.zero_one_loss,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "matthews_corrcoef": sk.matthews_corrcoef,
    "cohen_kappa": sk.cohen_kappa_score,
    "confusion_matrix": sk.confusion_matrix,
    "precision": sk.precision_score,
    "recall": sk.recall_score,
    "f1": sk.f1_score,
    "jaccard": sk.jaccard_score,
}


def case(rng, kind, m):
    """Truth and prediction of one kind."""
    spread = 10.0 ** rng.uniform(-3, 3)
    if kind is VALUES:
        offset, unit = rng.choice([0, 1, -1]) * spread * 10.0 ** rng.uniform(0, 8), 10.0 ** rng.integers(-25, 26)
        y = rng.normal(size=m)
        p = y + rng.normal(size=m) * 10.0 ** rng.uniform(-2, 1)
        return tuple(unit * (offset + spread * x) for x in (y, p))
    if kind is SHARES:
        y = np.exp(rng.normal(size=m))
        return y, y * np.exp(rng.normal(size=m) * rng.uniform(0.3, 2))
    t = rng.permutation(np.arange(m) % 2)
    if kind is CHANCES:
        s = t + rng.normal(size=m)
        near = 10.0 ** rng.uniform(-9, 0)  # how far from 1 or 0 the probabilities lie
        p = near / (1 + np.exp(-s))
        return t, 1 - p if rng.random() < 0.5 else p
    names = rng.choice([np.int64, np.float64, bool])  # one of the two decides
    return t.astype(rng.choice([np.int32, bool])), np.where(rng.random(m) < 0.7, t, 1 - t).astype(names).tolist()


def main(cases: int = 2000, seed: int = 0) -> int:
    """Prints the table; 1 where a difference is above the bound."""
    warnings.simplefilter("ignore")  # of scikit-learn, where a rate is 0/0
    rng = np.random.default_rng(seed)
    every = [(kind, name) for kind in (VALUES, SHARES, CHANCES, LABELS) for name in kind]
    tried, worst = defaultdict(int), defaultdict(float)
    for i in range(cases):
        kind, name = every[i % len(every)]
        m = int(rng.choice(LENGTHS))
        truth, other = case(rng, kind, m)
        weight = rng.random(m) + 0.1 if rng.random() < 0.5 else None
        ours = getattr(metrics, name)(truth, other, weight=weight)
        theirs = np.asarray(kind[name](truth, other, sample_weight=weight))
        size = np.maximum(abs(theirs), 1e-3 if kind is LABELS or name in ("r2", "explained_variance") else 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            apart = np.where(theirs == ours, 0, abs(ours - theirs) / size)
        tried[name] += 1
        worst[name] = max(worst[name], float(np.nan_to_num(apart, nan=np.inf).max()))
    for _, name in every:
        print(f"{name:32s} {tried[name]:5d} cases   {worst[name]:.1e}")
    print(f"largest of {cases} cases: {max(worst.values()):.1e}")
    return int(max(worst.values()) > BOUND)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
