"""Scores of 200 models at once beside a loop over them with scikit-learn: 10,000 examples, 10 classes.

    python -m benchmarks.metrics_race [models] [examples]

Each score is one program of ``jit(vmap(score))``, compiled before the clock starts; both sides get the same arrays in
their own form, and each is run in turn with the other. Prints, for each score, the medians, the ratio with its bar (20
for scores without a sort, 1.5 for those with one) and the largest relative difference; exits 1 below a bar or above
1e-6 (1e-5 for areas, sums of 10,000 steps in float32).
"""

import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import sklearn.metrics as sk

from fnopt import metrics

CLASSES, ROUNDS = 10, 3
FIRST = 20  # models of a timed loop of scikit-learn: it is linear in the models
PLAIN, SORTED = 20.0, 1.5


class Race(NamedTuple):
    """A score on both sides, of labels ("called"), probabilities ("chances") or one score an example ("scores")."""

    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    of: str
    bar: float
    bound: float = 1e-6


EACH = list(range(CLASSES))


def one_hot(t):
    """A 0/1 column a class."""
    return np.eye(CLASSES, dtype=int)[t]


def their_report(report):
    """F1 by class."""
    return [report[str(k)]["f1-score"] for k in EACH]


RACES = {
    "accuracy": Race(metrics.accuracy, sk.accuracy_score, "called", PLAIN),
    "balanced_accuracy": Race(
        lambda t, p: metrics.balanced_accuracy(t, p, classes=CLASSES), sk.balanced_accuracy_score, "called", PLAIN
    ),
    "confusion_matrix": Race(
        lambda t, p: metrics.confusion_matrix(t, p, classes=CLASSES), sk.confusion_matrix, "called", PLAIN
    ),
    "f1 macro": Race(
        lambda t, p: metrics.f1(t, p, average="macro", classes=CLASSES),
        lambda t, p: sk.f1_score(t, p, average="macro"),
        "called",
        PLAIN,
    ),
    "matthews_corrcoef": Race(
        lambda t, p: metrics.matthews_corrcoef(t, p, classes=CLASSES), sk.matthews_corrcoef, "called", PLAIN
    ),
    "classification_report": Race(
        lambda t, p: metrics.classification_report(t, p, classes=CLASSES).each.f1,
        lambda t, p: their_report(sk.classification_report(t, p, output_dict=True)),
        "called",
        PLAIN,
    ),
    "log_loss": Race(metrics.log_loss, lambda t, p: sk.log_loss(t, p, labels=EACH), "chances", PLAIN),
    "brier of 10": Race(
        metrics.brier,
        lambda t, p: sk.brier_score_loss(t, p, labels=EACH, scale_by_half=False),
        "chances",
        PLAIN,
    ),
    "hinge of 10": Race(metrics.hinge, lambda t, p: sk.hinge_loss(t, p, labels=EACH), "chances", PLAIN),
    "d2_log_loss": Race(metrics.d2_log_loss, lambda t, p: sk.d2_log_loss_score(t, p, labels=EACH), "chances", PLAIN),
    "roc_auc one against rest": Race(
        lambda t, p: metrics.roc_auc(t, p),
        lambda t, p: sk.roc_auc_score(t, p, multi_class="ovr"),
        "chances",
        SORTED,
        1e-5,
    ),
    "average_precision macro": Race(
        lambda t, p: metrics.average_precision(t, p),
        lambda t, p: sk.average_precision_score(one_hot(t), p, average="macro"),
        "chances",
        SORTED,
        1e-5,
    ),
    "ndcg": Race(
        lambda t, p: metrics.ndcg(jax.nn.one_hot(t, CLASSES), p),
        lambda t, p: sk.ndcg_score(one_hot(t), p),
        "chances",
        SORTED,
    ),
}


def one_by_one(score, truth, models):
    """A score of each model in turn."""
    return [score(truth, x) for x in models]


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """How long a call takes, and what it gives."""
    start = time.perf_counter()
    found = jax.block_until_ready(call())
    return time.perf_counter() - start, found


def main(models: int = 200, examples: int = 10_000) -> int:
    """Prints the table; 1 where a figure is short."""
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    truth = rng.integers(0, CLASSES, examples)
    logits = rng.normal(size=(models, examples, CLASSES)).astype(np.float32) + np.eye(CLASSES, dtype=np.float32)[truth]
    chances = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    chances /= chances.astype(float).sum(axis=2, keepdims=True)
    data = {"chances": chances.astype(np.float32), "called": logits.argmax(axis=2).astype(np.int32)}
    device = {name: jnp.asarray(x) for name, x in data.items()}
    t, some, short = jnp.asarray(truth, jnp.int32), min(FIRST, models), False
    print(
        f"{models} models, {examples:,} examples, {CLASSES} classes; scikit-learn over {some} of them, times "
        f"{models / some:g}"
    )
    for name, race in RACES.items():
        many = partial(jax.jit(jax.vmap(race.ours, in_axes=(None, 0))), t, device[race.of])
        loop = partial(one_by_one, race.theirs, truth, data[race.of][:some])
        jax.block_until_ready(many())
        times = [(seconds(many), seconds(loop)) for _ in range(ROUNDS)]
        ours = float(np.median([a[0] for a, _ in times]))
        theirs = float(np.median([b[0] for _, b in times])) * models / some
        found, wanted = np.asarray(times[0][0][1], np.float64)[:some], np.asarray(times[0][1][1], np.float64)
        least = 1.0 if name.startswith("d2") else 1e-2  # D² is 1 less a share of about 1
        apart = float(np.max(np.abs(found - wanted) / np.maximum(np.abs(wanted), least)))
        low = theirs / ours < race.bar or not apart <= race.bound
        short |= low
        print(
            f"{name:28s} ours {ours:8.4f} s   scikit-learn {theirs:8.3f} s   {theirs / ours:7.1f} × (bar {race.bar:g})"
            f"   difference {apart:.1e}" + ("   SHORT" if low else ""),
            flush=True,
        )
    return int(short)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
