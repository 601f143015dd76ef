"""The scores that a run can follow, by task: each from the truth, the network's outputs and the weights."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt import metrics
from fnopt._checks import nearest


class Score(NamedTuple):
    """A score of outputs and whether more of it is better."""

    of: Callable[[Array, Array, Array], Array]  # (truth, outputs, weight) -> scalar
    higher: bool
    unit: int = 0  # the power of the target's unit that it is in: 0 for R², 1 for an error, 2 for its square


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


def _roc_auc(y: Array, outputs: Array, weight: Array) -> Array:
    if single(outputs):
        margin = outputs.reshape(outputs.shape[0])  # the logit itself: probabilities tie where they round to 1
    else:
        margin = outputs[:, 1] - outputs[:, 0] if outputs.shape[-1] == 2 else jax.nn.log_softmax(outputs, axis=-1)
    return metrics.roc_auc(y, margin, weight=weight)


def _accuracy_of_labels(y: Array, outputs: Array, weight: Array) -> Array:
    return metrics.accuracy(_yes(y), _yes(outputs), weight=weight)


def _f1_of_labels(y: Array, outputs: Array, weight: Array) -> Array:
    return metrics.f1(_yes(y), _yes(outputs), weight=weight, average="micro")


def _yes(x: Array) -> Array:
    return (x > 0).astype(jnp.int32)


def _of_values(metric: Callable[..., Array]) -> Callable[[Array, Array, Array], Array]:
    return lambda y, outputs, weight: metric(y, outputs.reshape(y.shape), weight=weight)


# Each is the score of that name in fo.metrics, and so scikit-learn's: f1, precision and recall with average="binary"
# for two classes, "macro" for more and "micro" for labels; roc_auc of several classes is "macro", each against others.
SCORES: dict[str, dict[str, Score]] = {
    "classes": {
        "accuracy": Score(_accuracy, True),
        "balanced_accuracy": Score(_of_labels(metrics.balanced_accuracy), True),
        "f1": Score(_of_labels(metrics.f1, averaged=True), True),
        "precision": Score(_of_labels(metrics.precision, averaged=True), True),
        "recall": Score(_of_labels(metrics.recall, averaged=True), True),
        "matthews_corrcoef": Score(_of_labels(metrics.matthews_corrcoef), True),
        "roc_auc": Score(_roc_auc, True),
    },
    "values": {
        "r2": Score(_of_values(metrics.r2), True),
        "mean_squared_error": Score(_of_values(metrics.mean_squared_error), False, 2),
        "root_mean_squared_error": Score(_of_values(metrics.root_mean_squared_error), False, 1),
        "mean_absolute_error": Score(_of_values(metrics.mean_absolute_error), False, 1),
        "median_absolute_error": Score(_of_values(metrics.median_absolute_error), False, 1),
        "explained_variance": Score(_of_values(metrics.explained_variance), True),
    },
    "labels": {"accuracy": Score(_accuracy_of_labels, True), "f1": Score(_f1_of_labels, True)},
}

FOLLOWED = {"classes": ("accuracy",), "values": ("mean_squared_error", "r2"), "labels": ("accuracy", "f1")}


def score_of(task: str, name: str) -> Score:
    """The score called ``name``, or ValueError with the nearest name of this task.

    >>> score_of("classes", "accuracy").higher
    True
    """
    if name not in SCORES[task]:
        raise ValueError(f"no score {name!r} for {task}{nearest(name, ['loss', *SCORES[task]])}")
    return SCORES[task][name]


def higher_is_better(task: str, name: str) -> bool:
    """Whether more is better; ``loss`` is better when less."""
    return name != "loss" and score_of(task, name).higher


def in_unit(task: str, names: Sequence[str], values: Any, unit: float) -> np.ndarray:
    """Scores that were taken in ``unit`` of the target, as the user has them: float64, times ``unit`` to their degree.

    Args:
        task: whose scores.
        names: of the scores, shape=(scores,).
        values: shape=(…, scores).
        unit: of the target, in the user's; 1 / unit turns the way back.

    >>> in_unit("values", ("loss", "mean_squared_error", "r2"), [1.0, 3.0, 0.5], 1e20).tolist()
    [1.0, 3e+40, 0.5]
    """
    powers = [0 if name == "loss" else score_of(task, name).unit for name in names]
    if not any(powers):
        return np.asarray(values)
    return np.asarray(values, np.float64) * np.array([unit**power for power in powers])
