"""Scores against scikit-learn on random cases with weights, ties, absent classes, one class alone and few examples.

    python -m benchmarks.metrics_cases [cases a score] [seed]

Each case is scored in float64 and in float32, and 64 models of one table at once, in float32, under ``jit`` and
``vmap``. Prints, for each score, the cases and the largest relative difference of the three; exits 1 above 1e-12 and
1e-6. D², R² and explained variance are 1 less a share of about 1, so that their difference is absolute. Scores are
multiples of 1/8, so that they tie alike in both types; probabilities and values are rounded to float32 first.

Without a row, and with weights that are all 0, there is nothing to compare with: scikit-learn refuses. There a score
has to be NaN or an error, or, where scikit-learn has a convention for 0/0, that; the last column counts them.
"""

import sys
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import sklearn.metrics as sk
from sklearn.calibration import calibration_curve

from fnopt import metrics

LENGTHS = (2, 3, 7, 20, 64, 150, 333, 1000)  # a program each
BOUNDS = {"float64": 1e-12, "float32": 1e-6, "vmap": 1e-6}
MODELS, ROWS = 64, 150  # under vmap


class Kind(NamedTuple):
    """A score, its oracle and its data."""

    ours: Callable[..., Any]  # pure, of arrays
    theirs: Callable[..., Any]
    data: Callable[..., Any]
    weighted: bool = True
    read: Callable[..., Any] = lambda *found: flat(found)  # what ours gives, in the form of theirs


def flat(found):
    """All numbers of a tree, end to end; a single one as it is."""
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(found)]
    return leaves[0] if len(leaves) == 1 else np.hstack([leaf.ravel() for leaf in leaves])


def binary(rng, m):
    """Labels of two classes, one of which may be absent, and scores that tie."""
    t = (rng.random(m) < rng.choice([0.0, 0.02, 0.3, 0.5, 1.0])).astype(int)
    return t, np.round(8 * (t + rng.normal(size=m) * rng.uniform(0.3, 2))) / 8


def both(rng, m):
    """The same where both classes are there."""
    t, s = binary(rng, m)
    t[:2] = [0, 1]
    return t, s


def chances(rng, m):
    """Labels and probabilities, of two classes or of four."""
    if rng.random() < 0.5:
        t, s = both(rng, m)
        return t, np.float32(1 / (1 + np.exp(-s))).astype(float)
    t = rng.integers(0, 4, m)
    t[:2] = [0, 3]
    p = np.exp(rng.normal(size=(m, 4)) + np.eye(4)[t])
    return t, p / p.sum(axis=1, keepdims=True)


def margins(rng, m):
    """Labels of four classes, some absent, and a column of scores each."""
    t = rng.choice(rng.permutation(4)[: rng.integers(1, 5)], m)
    return t, np.round(8 * (rng.normal(size=(m, 4)) + np.eye(4)[t])) / 8


def columns(rng, m):
    """0/1 columns, some of them without a 1, and scores that tie."""
    t = (rng.random((m, 3)) < rng.choice([0.0, 0.2, 0.5], 3)).astype(int)
    return t, np.round(8 * (t + rng.normal(size=(m, 3)))) / 8


def called(rng, m):
    """0/1 columns and what they were called."""
    t = columns(rng, m)[0]
    return t, np.where(rng.random((m, 3)) < 0.8, t, 1 - t)


def labels(rng, m):
    """Labels of four classes, some absent from truth or prediction."""
    t = rng.choice(rng.permutation(4)[: rng.integers(1, 5)], m)
    return t, np.where(rng.random(m) < 0.6, t, rng.integers(0, 4, m))


def calls(rng, m):
    """Labels of two classes, which both occur."""
    t = both(rng, m)[0]
    return t, np.where(rng.random(m) < 0.7, t, 1 - t)


def values(rng, m):
    """Values and predictions of any unit."""
    y = rng.normal(size=m)
    scale = 10.0 ** rng.integers(-6, 7)
    return tuple(np.float32(scale * x).astype(float) for x in (y, y + rng.normal(size=m) * rng.uniform(0.05, 2)))


def positive(rng, m):
    """Values and predictions above 0."""
    y = np.exp(rng.normal(size=m))
    return tuple(np.float32(x).astype(float) for x in (y, y * np.exp(rng.normal(size=m) * rng.uniform(0.3, 1))))


def gains(rng, m):
    """Gains of six items, and scores that tie."""
    t = rng.integers(0, 4, (m, 6))
    return t, np.round(t + 2 * rng.normal(size=(m, 6)))


def distinct(*points):
    """Points of a curve, each once, in order."""
    rows = np.stack([np.asarray(x, np.float64) for x in points], axis=1)
    keep = np.r_[True, (np.abs(np.diff(rows, axis=0)) > 1e-6).any(axis=1)]
    return rows[keep].ravel()


def read_pr(curve):
    """Precision and recall, from recall 0 on."""
    return distinct(*curve[:2])


def their_pr(t, s, sample_weight=None):
    """scikit-learn's, in our order."""
    precision, recall, _ = sk.precision_recall_curve(t, s, sample_weight=sample_weight)
    return distinct(precision[::-1], recall[::-1])


def read_det(curve):
    """Both error rates, from the first false positive, or the last threshold without one, on."""
    fpr, fnr, _ = (np.asarray(x) for x in curve)
    first = np.flatnonzero(fpr == 0)[-1]
    last = np.flatnonzero(fnr > 0)[-1] + 1 if (fnr > 0).any() else 0
    return distinct(fpr[first : max(last, first) + 1][::-1], fnr[first : max(last, first) + 1][::-1])


def their_det(t, s, sample_weight=None):
    """scikit-learn's."""
    fpr, fnr, _ = sk.det_curve(t, s, sample_weight=sample_weight)
    return distinct(fpr, fnr)


def read_bins(curve):
    """Bins that are not empty."""
    there = np.asarray(curve.weight) > 0
    return np.r_[np.asarray(curve.truth)[there], np.asarray(curve.prediction)[there]]


def their_bins(strategy):
    """scikit-learn's."""
    return lambda t, p, sample_weight=None: np.hstack(calibration_curve(t, p, n_bins=10, strategy=strategy))


def read_report(report):
    """The report's rates, end to end."""
    return np.hstack([np.asarray(x) for rates in (report.each, report.macro, report.weighted) for x in rates[:3]])


def their_report(t, p, sample_weight=None):
    """scikit-learn's."""
    more = dict(sample_weight=sample_weight, labels=[0, 1, 2, 3], zero_division=0)
    parts = [sk.precision_recall_fscore_support(t, p, average=a, **more)[:3] for a in (None, "macro", "weighted")]
    return np.hstack([x for some in parts for x in some])


def one_hot(t, s, average, sample_weight=None):
    """Average precision of columns made from labels."""
    return sk.average_precision_score(np.eye(4, dtype=int)[t], s, average=average, sample_weight=sample_weight)


def of(name, **more):
    """A score of ours with settings."""
    return lambda t, p, weight=None: getattr(metrics, name)(t, p, weight=weight, **more)


def sk_of(name, **more):
    """scikit-learn's."""
    return lambda t, p, sample_weight=None: getattr(sk, name)(t, p, sample_weight=sample_weight, **more)


def their_error(t, p, sample_weight=None):
    """Σ_bins |Σ w (hit − confidence)| / Σ w of ten bins, each above its lower edge up to its upper one."""
    p, w = np.asarray(p), np.ones(len(t)) if sample_weight is None else sample_weight
    p = np.stack([1 - p, p], axis=1) if p.ndim == 1 else p
    sure, hit = p.max(axis=1), p.argmax(axis=1) == t
    bins = np.clip(np.ceil(10 * sure).astype(int) - 1, 0, 9)
    return np.abs(np.bincount(bins, w * (hit - sure), minlength=10)).sum() / w.sum()


def two(data):
    """Cases of ``data`` with a single column."""

    def case(rng, m):
        while (found := data(rng, m))[1].ndim == 2:
            pass
        return found

    return case


TABLE = {
    "average_precision": Kind(of("average_precision"), sk_of("average_precision_score"), binary),
    **{
        f"average_precision {a} of 4": Kind(
            of("average_precision", average=a),
            lambda t, s, sample_weight=None, a=a: one_hot(t, s, a, sample_weight),
            margins,
        )
        for a in ("macro", "micro", "weighted")
    },
    "average_precision of columns": Kind(of("average_precision"), sk_of("average_precision_score"), columns),
    "precision_recall_curve": Kind(of("precision_recall_curve"), their_pr, both, read=read_pr),
    "det_curve": Kind(of("det_curve"), their_det, both, read=read_det),
    "calibration_curve uniform": Kind(
        of("calibration_curve", strategy="uniform"), their_bins("uniform"), two(chances), False, read_bins
    ),
    "calibration_curve quantile": Kind(
        of("calibration_curve", strategy="quantile"), their_bins("quantile"), two(chances), False, read_bins
    ),
    "hinge": Kind(of("hinge"), sk_of("hinge_loss"), both),
    "hinge of 4": Kind(of("hinge"), sk_of("hinge_loss", labels=[0, 1, 2, 3]), margins),
    "hamming": Kind(of("hamming"), sk_of("hamming_loss"), called),
    "likelihood_ratios": Kind(
        of("likelihood_ratios"),
        lambda t, p, sample_weight=None: np.array(sk.class_likelihood_ratios(t, p, sample_weight=sample_weight)),
        calls,
    ),
    "dcg": Kind(of("dcg", k=3), sk_of("dcg_score", k=3), gains),
    "ndcg": Kind(of("ndcg"), sk_of("ndcg_score"), gains),
    "mean_pinball": Kind(of("mean_pinball", level=0.3), sk_of("mean_pinball_loss", alpha=0.3), values),
    "d2_pinball": Kind(of("d2_pinball", level=0.3), sk_of("d2_pinball_score", alpha=0.3), values),
    "mean_gamma_deviance": Kind(of("mean_gamma_deviance"), sk_of("mean_gamma_deviance"), positive),
    **{
        f"d2_tweedie {power}": Kind(of("d2_tweedie", power=power), sk_of("d2_tweedie_score", power=power), positive)
        for power in (0, 1, 1.5, 2, 3)
    },
    "d2_log_loss": Kind(of("d2_log_loss"), sk_of("d2_log_loss_score"), two(chances)),
    "d2_brier": Kind(of("d2_brier"), sk_of("d2_brier_score"), two(chances)),
    "multilabel_confusion_matrix": Kind(
        of("multilabel_confusion_matrix"), sk_of("multilabel_confusion_matrix"), called
    ),
    "multilabel_confusion_matrix by example": Kind(
        of("multilabel_confusion_matrix", samplewise=True),
        sk_of("multilabel_confusion_matrix", samplewise=True),
        called,
    ),
    "classification_report": Kind(of("classification_report", classes=4), their_report, labels, read=read_report),
    "expected_calibration_error": Kind(of("expected_calibration_error", bins=10), their_error, chances),
    "accuracy": Kind(of("accuracy"), sk_of("accuracy_score"), labels),
    "balanced_accuracy": Kind(of("balanced_accuracy", classes=4), sk_of("balanced_accuracy_score"), labels),
    "cohen_kappa": Kind(of("cohen_kappa", classes=4), sk_of("cohen_kappa_score"), calls),
    "matthews_corrcoef": Kind(of("matthews_corrcoef", classes=4), sk_of("matthews_corrcoef"), labels),
    "confusion_matrix": Kind(of("confusion_matrix", classes=4), sk_of("confusion_matrix", labels=[0, 1, 2, 3]), labels),
    "roc_auc": Kind(of("roc_auc"), sk_of("roc_auc_score"), both),
    "log_loss": Kind(
        of("log_loss"),
        lambda t, p, sample_weight=None: sk.log_loss(
            t, p, sample_weight=sample_weight, labels=range(4 if p.ndim == 2 else 2)
        ),
        chances,
    ),
    "brier": Kind(of("brier"), sk_of("brier_score_loss"), two(chances)),
    **{
        name: Kind(of(name), sk_of(theirs), values)
        for name, theirs in {
            "mean_squared_error": "mean_squared_error",
            "mean_absolute_error": "mean_absolute_error",
            "median_absolute_error": "median_absolute_error",
            "r2": "r2_score",
            "explained_variance": "explained_variance_score",
            "d2_absolute_error": "d2_absolute_error_score",
        }.items()
    },
    **{
        f"{name} {average}": Kind(
            of(name, average=average, classes=4),
            sk_of(f"{name}_score", average=average, labels=[0, 1, 2, 3], zero_division=0),
            labels,
        )
        for name in ("precision", "recall", "f1", "jaccard")
        for average in ("micro", "macro", "weighted")
    },
    **{
        f"{name} samples": Kind(
            of(name, average="samples"), sk_of(f"{name}_score", average="samples", zero_division=0), called
        )
        for name in ("precision", "recall", "f1", "jaccard")
    },
}


def difference(ours, theirs, least):
    """The largest relative difference, of values below ``least`` relative to that; equal NaN are equal."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if ours.shape != theirs.shape:
        return np.inf
    size = np.maximum(np.abs(theirs), least)
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.where((theirs == ours) | (np.isnan(ours) & np.isnan(theirs)), 0, np.abs(ours - theirs) / size)
    return float(np.nan_to_num(apart, nan=np.inf).max(initial=0))


def as_float32(x):
    """The same for scores in float32."""
    return jnp.asarray(x, jnp.float32 if np.issubdtype(np.asarray(x).dtype, np.floating) else jnp.int32)


def of_many(kind, rng, least):
    """The largest difference of 64 models at once under ``jit`` and ``vmap``, half of the times weighted."""
    worst = 0.0
    for weighted in (False, True) if kind.weighted else (False,):
        shape, cases = None, []
        while len(cases) < MODELS:  # chances are of two classes or of four
            truth, other = kind.data(rng, ROWS)
            shape = shape or other.shape
            if other.shape == shape:
                cases.append((truth, other, rng.integers(1, 9, ROWS) / 4))
        arrays = [as_float32(np.stack(some)) for some in zip(*cases, strict=True)]
        many = jax.jit(jax.vmap(lambda t, p, w, weighted=weighted: kind.ours(t, p, weight=w if weighted else None)))
        found = many(*arrays)
        for i, (truth, other, weight) in enumerate(cases):
            theirs = kind.theirs(truth, other, sample_weight=weight if weighted else None)
            worst = max(worst, difference(kind.read(jax.tree.map(lambda x, i=i: x[i], found)), theirs, least))
    return worst


def of_nothing(kind, rng):
    """What a score says without a row, and with weights of 0: "NaN", "error", "0" or what else."""
    truth, other = kind.data(rng, ROWS)
    said = []
    for t, p, weight in ((truth[:0], other[:0], None), (truth, other, np.zeros(ROWS))):
        if weight is not None and not kind.weighted:
            continue
        try:
            value = np.asarray(flat(kind.ours(t, p, weight=weight)), np.float64)
            said.append("NaN" if np.isnan(value).any() else "0" if not value.any() else f"{value.ravel()[0]:.3g}")
        except ValueError:
            said.append("error")
    return " ".join(said)


def main(cases: int = 200, seed: int = 0) -> int:
    """Prints the table; 1 where a difference is above its bound."""
    warnings.simplefilter("ignore")  # of scikit-learn, where a score is not defined
    short = []
    for name, kind in TABLE.items():
        rng, worst = np.random.default_rng(seed), dict.fromkeys(BOUNDS, 0.0)
        least = 1.0 if name.startswith(("d2", "r2", "explained")) else 1e-2
        for _ in range(cases):
            truth, other = kind.data(rng, int(rng.choice(LENGTHS)))
            weighted = kind.weighted and rng.random() < 0.5
            weight = rng.integers(1, 9, len(truth)) / 4 if weighted else None
            theirs = kind.theirs(truth, other, sample_weight=weight)
            narrow = None if weight is None else as_float32(weight)
            found = {
                "float64": kind.ours(truth, other.tolist(), weight=weight),
                "float32": kind.ours(as_float32(truth), as_float32(other), weight=narrow),
            }
            for type_, value in found.items():
                worst[type_] = max(worst[type_], difference(kind.read(value), theirs, least))
        worst["vmap"] = of_many(kind, rng, least)
        far = [type_ for type_, bound in BOUNDS.items() if worst[type_] > bound]
        short += far
        print(
            f"{name:40s} {cases:5d} cases   "
            + "   ".join(f"{type_} {value:.1e}" for type_, value in worst.items())
            + f"   of nothing: {of_nothing(kind, rng)}"
            + ("   FAR" if far else ""),
            flush=True,
        )
    return int(bool(short))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
