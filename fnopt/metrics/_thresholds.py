"""What curves over a threshold share: scores in order, and the weight of each class at or above each."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import (
    all_count,
    floats,
    labels,
    library,
    numbers,
    spoil,
    weights,
    where_counted,
    whole,
    within,
)
from fnopt.metrics._order import order_of, taken
from fnopt.metrics._ratio import ratio, relative


def checked(truth: ArrayLike, score: Any, weight: ArrayLike | None) -> tuple[Array, Array, Array]:
    """What :func:`scored` gives, with NaN weights where a score that counts is NaN: no sort can hide it."""
    t, s, w = scored(truth, score, weight)
    return t, s, spoil(w, s != s)


def scored(truth: ArrayLike, score: Any, weight: ArrayLike | None) -> tuple[Array, Array, Array]:
    """Labels, scores and weights that fit each other; rows of weight 0 score as the least that counts."""
    t, s = labels("truth", truth), numbers("score", score)
    of_classes = t.ndim == 1 and s.ndim == 2
    if len(t) != len(s) or s.ndim > 2 or (not of_classes and t.shape != s.shape) or (of_classes and s.shape[1] < 2):
        raise ValueError(
            "`truth` and `score` must have shapes (m,) and (m,), (m,) and (m, classes), or (m, labels) both; "
            f"got {t.shape} and {s.shape}"
        )
    s, given = floats(s), weights(weight, len(t))
    cure = "several classes need a column of `score` each"
    t, w = within("truth", t, whole("truth", t, given), s.shape[1] if of_classes else 2, cure)
    if all_count(given):
        return t, s, w
    least = where_counted(given, s, np.inf).min(axis=0, keepdims=True)
    return t, where_counted(given, s, library(s, given).broadcast_to(least, s.shape)), w


def one_column(truth: ArrayLike, score: Any, weight: ArrayLike | None) -> tuple[Array, Array, Array]:
    """The same where a curve is asked for, which is of one score an example."""
    t, s, w = checked(truth, score, weight)
    if s.ndim != 1:
        raise ValueError(f"a curve is of one score an example, shape (m,), got {s.shape}; take one column at a time")
    return t, s, w


def cumulated(truth: Array, score: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Thresholds, and the weight of negatives and positives at or above each, shape=(m + 1,) each."""
    order = order_of(-score)
    minus, positive, w = taken(-score, order), taken(truth, order) == 1, taken(relative(weight), order)
    neg, pos = jnp.where(positive, 0, w), jnp.where(positive, w, 0)
    last = jnp.concatenate([minus[1:] != minus[:-1], jnp.ones(1, bool)])  # of those with its score
    total = jnp.cumsum(jnp.stack([neg, pos]), axis=1)
    # The least that follows is the next last one's; rising whatever rounding did to the sums.
    fp, tp = jax.lax.cummin(jnp.where(last[None, :], total, jnp.inf), axis=1, reverse=True)
    return _start(jnp.inf, -minus), _start(0, fp), _start(0, tp)


def _start(first: float, x: Array) -> Array:
    return jnp.concatenate([jnp.full(1, first, x.dtype), x])


def columns(t: Array, classes: int) -> Array:
    """Labels as 0/1 columns, shape=(m, classes); columns as they are.

    >>> columns(jnp.array([1, 0]), 2).tolist()
    [[0, 1], [1, 0]]
    """
    return t if t.ndim == 2 else (t[:, None] == jnp.arange(classes, dtype=jnp.int32)[None, :]).astype(jnp.int32)


def mean_of_columns(each: Array, there: Array, average: str | None) -> Array:
    """The scores of columns as one: their mean, their mean by the weight of positives, or all; a NaN is left out.

    It is NaN where a score that counts was NaN, which shows in ``there``.
    """
    if average is None:
        return each
    defined = ~jnp.isnan(each)
    share = jnp.where(defined, there if average == "weighted" else jnp.ones_like(there), 0)
    mean = ratio(jnp.sum(share * jnp.where(defined, each, 0)), jnp.sum(share), jnp.nan)
    return jnp.where(jnp.isnan(jnp.sum(there)), jnp.nan, mean)
