"""How many examples were called right."""

import math
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import (
    equal,
    floats,
    label_pair,
    labelled,
    labels,
    numbers,
    ranked,
    single_label,
    spoil,
    weights,
    whole,
    within,
)
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import ratio
from fnopt.metrics.confusion import Counts, counts, total
from fnopt.numbers import Range, as_number


@exact("truth", "prediction")
def accuracy(truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """The share of examples called right: (TP + TN) / (P + N); with several labels, those right in every one.

    Args:
        truth: integer labels, shape=(m,), or 0/1 columns, shape=(m, labels).
        prediction: as ``truth``.
        weight: shape=(m,), not negative; None counts each example once.

    Returns:
        Scalar in [0, 1]; NaN where no example counts.

    Raises:
        ValueError: for shapes that differ, and for labels that are no whole numbers.

    >>> float(accuracy([0, 1, 0, 1], [1, 1, 1, 0]))
    0.25
    """
    t, p, w = label_pair(truth, prediction, weight)
    return share(equal(t, p).reshape(len(w), -1).all(axis=-1), w, weight is None)


@exact("truth", "prediction")
def zero_one(truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """The share of examples called wrong: 1 - :func:`accuracy`, with its arguments and errors.

    >>> float(zero_one([0, 1, 0, 1], [1, 1, 1, 0]))
    0.75
    """
    return 1 - accuracy(truth, prediction, weight=weight)


@exact("truth", "prediction")
def balanced_accuracy(
    truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None, classes: int | None = None
) -> Array:
    """The mean over classes of the share called right, each class alike however rare: recall, averaged.

    Classes that do not occur in the truth are left out, as scikit-learn does; NaN where no example counts. Brodersen,
    "The balanced accuracy and its posterior distribution", 2010, https://doi.org/10.1109/ICPR.2010.764.

    Args:
        truth: labels 0..classes-1, shape=(m,).
        prediction: as ``truth``.
        weight: shape=(m,), not negative; None counts each example once.
        classes: how many; from the labels where they are known, else 2.

    Raises:
        ValueError: for shapes that differ, labels out of range, and labels in columns.

    >>> float(balanced_accuracy([0, 0, 0, 1], [0, 0, 0, 0]))
    0.5
    """
    return _mean_recall(counts(single_label(labelled(truth, prediction, weight, classes))))


@jax.jit
def _mean_recall(c: Counts) -> Array:
    there = c.tp + c.fn
    return ratio(jnp.sum(ratio(c.tp, there)), jnp.sum((there != 0).astype(there.dtype)), jnp.nan)


@exact("score")
def top_k_accuracy(truth: ArrayLike, score: ArrayLike, *, k: ArrayLike = 2, weight: ArrayLike | None = None) -> Array:
    """The share of examples whose class is among the ``k`` with the highest scores.

    Of equal scores the later class stands first, as in scikit-learn.

    Args:
        truth: labels 0..classes-1, shape=(m,).
        score: larger is likelier, shape=(m, classes).
        k: how many may be named, at least 1; may be traced.
        weight: shape=(m,), not negative; None counts each example once.

    Returns:
        Scalar in [0, 1]; NaN where no example counts, and where a score that counts is NaN.

    Raises:
        ValueError: for shapes that do not fit, labels out of range, and a ``k`` below 1.

    >>> float(top_k_accuracy([0, 1], [[0.5, 0.3, 0.2], [0.6, 0.1, 0.3]], k=2))
    0.5
    """
    t, s = labels("truth", truth), floats(ranked(numbers("score", score)))
    if t.ndim != 1 or s.ndim != 2 or len(t) != len(s):
        raise ValueError(f"`truth` and `score` must have shapes (m,) and (m, classes), got {t.shape} and {s.shape}")
    w = whole("truth", t, weights(weight, len(t)))
    t, w = within("truth", t, w, s.shape[1], "`score` has a column for each class")
    k = as_number("k", k, Range(1, math.inf))
    w = spoil(spoil(w, s != s), jnp.broadcast_to(k != k, t.shape))
    return share(_among(t, s, k), w, weight is None)


@jax.jit
def _among(t: Array, s: Array, k: Array) -> Array:
    own = jnp.take_along_axis(s, t[:, None], axis=1)
    later = jnp.arange(s.shape[1], dtype=jnp.int32)[None, :] > t[:, None]
    ahead = jnp.sum(((s > own) | ((s == own) & later)).astype(s.dtype), axis=1)
    return ahead < k.astype(s.dtype)


@partial(jax.jit, static_argnums=2)
def share(right: Array, w: Array, alike: bool) -> Array:
    """The share of the weight that is right; where all examples count alike, of their number."""
    count = total(right, w, alike)
    return ratio(count, total(jnp.ones_like(right), w, alike), jnp.nan)
