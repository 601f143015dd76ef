"""The scores that a run can follow, by task: each from the truth, the network's outputs and the weights."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt import metrics
from fnopt._checks import nearest
from fnopt._types import Score, Trial


def decide(outputs: Array) -> Array:
    """Labels from logits: the largest of several, or the sign of a single one, shape=(m,) int32.

    >>> decide(jnp.array([[0.1, 0.9], [2.0, -1.0]])).tolist()
    [1, 0]
    """
    if single(outputs):
        return (outputs.reshape(outputs.shape[0]) > 0).astype(jnp.int32)
    return jnp.argmax(outputs, axis=-1).astype(jnp.int32)


def probabilities(outputs: Array) -> Array:
    """Class probabilities from logits, shape=(m, classes)."""
    if single(outputs):
        z = outputs.reshape(outputs.shape[0])
        return jnp.stack([jax.nn.sigmoid(-z), jax.nn.sigmoid(z)], axis=-1)
    return jax.nn.softmax(outputs, axis=-1)


def single(outputs: Array) -> bool:
    """Whether one logit stands for two classes."""
    return outputs.ndim == 1 or outputs.shape[-1] == 1


def _classes(outputs: Array) -> int:
    return 2 if single(outputs) else outputs.shape[-1]


def _average(outputs: Array) -> str:
    return "binary" if _classes(outputs) == 2 else "macro"


def _of_labels(metric: Callable[..., Array], averaged: bool = False) -> Callable[[Array, Array, Array], Array]:
    def score(y: Array, outputs: Array, weight: Array) -> Array:
        extra = {"average": _average(outputs)} if averaged else {}
        return metric(y, decide(outputs), weight=weight, classes=_classes(outputs), **extra)

    return score


def _accuracy(y: Array, outputs: Array, weight: Array) -> Array:
    return metrics.accuracy(y, decide(outputs), weight=weight)


def _yes(x: Array) -> Array:
    return (x > 0).astype(jnp.int32)


def _of_values(metric: Callable[..., Array]) -> Callable[[Array, Array, Array], Array]:
    return lambda y, outputs, weight: metric(y, outputs.reshape(y.shape), weight=weight)


def _of_chances(metric: Callable[..., Array]) -> Callable[[Array, Array, Array], Array]:
    return lambda y, outputs, weight: metric(y, probabilities(outputs), weight=weight)


def _averaged(metric: Callable[..., Array], average: str) -> Callable[[Array, Array, Array], Array]:
    def score(y: Array, outputs: Array, weight: Array) -> Array:
        return metric(y, decide(outputs), weight=weight, classes=_classes(outputs), average=average)

    return score


def _ranked(metric: Callable[..., Array], **settings: Any) -> Callable[[Array, Array, Array], Array]:
    """A score of margins: the logit, the difference of two, or log probabilities of several classes."""

    def score(y: Array, outputs: Array, weight: Array) -> Array:
        if single(outputs):  # the logit itself: probabilities tie where they round to 1
            return metric(y, outputs.reshape(outputs.shape[0]), weight=weight)
        if outputs.shape[-1] == 2:
            return metric(y, outputs[:, 1] - outputs[:, 0], weight=weight)
        return metric(y, jax.nn.log_softmax(outputs, axis=-1), weight=weight, **settings)

    return score


def _yes_or_no(metric: Callable[..., Array], **settings: Any) -> Callable[[Array, Array, Array], Array]:
    return lambda y, outputs, weight: metric(_yes(y), _yes(outputs), weight=weight, **settings)


def _of_logits(metric: Callable[..., Array], **settings: Any) -> Callable[[Array, Array, Array], Array]:
    return lambda y, outputs, weight: metric(_yes(y), outputs.reshape(y.shape), weight=weight, **settings)


FORM = "f(y, outputs, weight) -> scalar"  # of a score of one's own
LOSS = Score("loss", None, higher=False)
AVERAGES = ("micro", "macro", "weighted")
RATES = {name: getattr(metrics, name) for name in ("f1", "precision", "recall", "specificity", "jaccard")}


def _table(*scores: Score) -> dict[str, Score]:
    return {score.name: score for score in scores}


# Each is the score of that name in fo.metrics, and so scikit-learn's: rates with average="binary" for two classes,
# "macro" for more and "micro" for labels, or the average that the name ends with; roc_auc and average_precision of
# several classes are "macro", each against others.
SCORES: dict[str, dict[str, Score]] = {
    "classes": _table(
        Score("accuracy", _accuracy),
        Score("balanced_accuracy", _of_labels(metrics.balanced_accuracy)),
        Score("zero_one", lambda y, z, w: metrics.zero_one(y, decide(z), weight=w), higher=False),
        *(Score(name, _of_labels(rate, averaged=True)) for name, rate in RATES.items()),
        *(Score(f"{name}_{a}", _averaged(rate, a)) for name, rate in RATES.items() for a in AVERAGES),
        Score("matthews_corrcoef", _of_labels(metrics.matthews_corrcoef)),
        Score("cohen_kappa", _of_labels(metrics.cohen_kappa)),
        Score("roc_auc", _ranked(metrics.roc_auc)),
        Score("roc_auc_weighted", _ranked(metrics.roc_auc, average="weighted")),
        Score("average_precision", _ranked(metrics.average_precision)),
        *(Score(f"average_precision_{a}", _ranked(metrics.average_precision, average=a)) for a in AVERAGES),
        Score("log_loss", _of_chances(metrics.log_loss), higher=False),
        Score("brier", _of_chances(metrics.brier), higher=False),
        Score("expected_calibration_error", _of_chances(metrics.expected_calibration_error), higher=False),
        Score("d2_log_loss", _of_chances(metrics.d2_log_loss)),
        Score("d2_brier", _of_chances(metrics.d2_brier)),
    ),
    "values": _table(  # of values less their mean, in a unit near their spread: no others are right of these
        Score("r2", _of_values(metrics.r2)),
        Score("mean_squared_error", _of_values(metrics.mean_squared_error), higher=False, unit=2),
        Score("root_mean_squared_error", _of_values(metrics.root_mean_squared_error), higher=False, unit=1),
        Score("mean_absolute_error", _of_values(metrics.mean_absolute_error), higher=False, unit=1),
        Score("median_absolute_error", _of_values(metrics.median_absolute_error), higher=False, unit=1),
        Score("max_error", _of_values(metrics.max_error), higher=False, unit=1),
        Score("mean_pinball", _of_values(metrics.mean_pinball), higher=False, unit=1),
        Score("explained_variance", _of_values(metrics.explained_variance)),
        Score("d2_absolute_error", _of_values(metrics.d2_absolute_error)),
    ),
    "labels": _table(
        Score("accuracy", _yes_or_no(metrics.accuracy)),
        *(Score(name, _yes_or_no(rate, average="micro")) for name, rate in RATES.items()),
        *(
            Score(f"{name}_{a}", _yes_or_no(rate, average=a))
            for name, rate in RATES.items()
            for a in (*AVERAGES, "samples")
        ),
        Score("hamming", _yes_or_no(metrics.hamming), higher=False),
        Score("roc_auc", _of_logits(metrics.roc_auc)),
        Score("average_precision", _of_logits(metrics.average_precision)),
    ),
}

FOLLOWED = {"classes": ("accuracy",), "values": ("mean_squared_error", "r2"), "labels": ("accuracy", "f1")}
EVALUATED = {  # what ``evaluate`` gives of every model; a run's own scores come beside
    "classes": ("accuracy", "balanced_accuracy", "f1", "precision", "recall", "matthews_corrcoef", "roc_auc"),
    "values": (
        "r2",
        "mean_squared_error",
        "root_mean_squared_error",
        "mean_absolute_error",
        "median_absolute_error",
        "explained_variance",
    ),
    "labels": ("accuracy", "f1"),
}


def score_of(task: str, name: str, own: Sequence[Score] = ()) -> Score:
    """The score called ``name``: the loss, one of ``own``, or one of the task; ValueError with the nearest name.

    >>> score_of("classes", "accuracy").higher
    True
    """
    known = {**SCORES[task], **{score.name: score for score in own}, "loss": LOSS}
    if name not in known:
        others = [other for other, some in SCORES.items() if other != task and name in some]
        what = f"; it is a score of {' and of '.join(others)}" if others else nearest(name, known)
        raise ValueError(f"no score {name!r} for {task}{what}")
    return known[name]


def reported(trial: Trial) -> tuple[Score, ...]:
    """What each epoch of a trial reports of a part, in order: the loss, then its metrics.

    >>> [score.name for score in (LOSS, SCORES["classes"]["accuracy"])]
    ['loss', 'accuracy']
    """
    return (LOSS, *trial.metrics)


def in_unit(scores: Sequence[Score], values: Any, unit: float) -> np.ndarray:
    """Scores that were taken in ``unit`` of the target, as the user has them: float64, times ``unit`` to their degree.

    Args:
        scores: which, shape=(scores,).
        values: shape=(…, scores).
        unit: of the target, in the user's; 1 / unit turns the way back.

    >>> some = [score_of("values", name) for name in ("loss", "mean_squared_error", "r2")]
    >>> in_unit(some, [1.0, 3.0, 0.5], 1e20).tolist()
    [1.0, 3e+40, 0.5]
    """
    if not any(score.unit for score in scores):
        return np.asarray(values)
    return np.asarray(values, np.float64) * np.array([unit**score.unit for score in scores])
