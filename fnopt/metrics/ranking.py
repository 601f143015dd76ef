"""Scores of an order: whether what matters most stands first."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import floats, library, numbers, refuse, spoil, weights, where_counted
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import mean, ratio


@exact("truth", "score")
def dcg(truth: ArrayLike, score: ArrayLike, *, k: int | None = None, weight: ArrayLike | None = None) -> Array:
    """Discounted cumulative gain: the mean over examples of Σ_r gain(r) / log2(r + 1), ranks r from 1 by falling score.

    Items of equal scores share the mean of their gains, so that no order among them is preferred. Järvelin and
    Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002, https://doi.org/10.1145/582415.582418; ties:
    McSherry and Najork, 2008.

    Args:
        truth: gains, shape=(m, items).
        score: larger stands earlier, shape=(m, items).
        k: how many ranks count; None for all; not traced.
        weight: shape=(m,), not negative; None counts each example once.

    Returns:
        Scalar; NaN where no example counts, and where a score that counts is NaN.

    Raises:
        ValueError: for shapes that differ, and for a ``k`` below 1.

    >>> round(float(dcg([[3.0, 0.0, 2.0]], [[0.9, 0.5, 0.1]])), 6)
    4.0
    """
    t, s, w = _checked(truth, score, weight)
    return _dcg(t, s, w, _ranks(k, t.shape[1]))


@partial(jax.jit, static_argnums=3)
def _dcg(t: Array, s: Array, w: Array, k: int) -> Array:
    return mean(jax.vmap(_gain, in_axes=(0, 0, None))(t, s, k)[:, None], w)[0]


@exact("truth", "score")
def ndcg(truth: ArrayLike, score: ArrayLike, *, k: int | None = None, weight: ArrayLike | None = None) -> Array:
    """:func:`dcg` of each example over the most that it could be, averaged: 1 is the ideal order.

    An example without any gain counts 0. Arguments, returns and errors are those of :func:`dcg`; ValueError also for a
    negative gain, and NaN where it is traced.

    >>> float(ndcg([[3.0, 0.0, 2.0]], [[0.9, 0.1, 0.5]]))
    1.0
    """
    t, s, w = _checked(truth, score, weight)
    w = refuse(w, t < 0, t, "`truth` must not be negative: the ideal order would not be the largest sum")
    return _ndcg(t, s, w, _ranks(k, t.shape[1]))


@partial(jax.jit, static_argnums=3)
def _ndcg(t: Array, s: Array, w: Array, k: int) -> Array:
    got = jax.vmap(_gain, in_axes=(0, 0, None))(t, s, k)
    best = jnp.sort(t, axis=1, descending=True) @ _discount(t.shape[1], k, t.dtype)
    return mean(ratio(got, best, 0)[:, None], w)[0]


def _gain(t: Array, s: Array, k: int) -> Array:
    """The gain of one example: groups of equal scores have their mean gain at each of their ranks."""
    minus, gains = jax.lax.sort((-s, t), num_keys=1)
    group = jnp.cumsum(jnp.concatenate([jnp.zeros(1, bool), minus[1:] != minus[:-1]]).astype(jnp.int32))
    total = jax.ops.segment_sum(gains, group, len(t))
    size = jax.ops.segment_sum(jnp.ones_like(gains), group, len(t))
    return jnp.sum(ratio(total, size, 0)[group] * _discount(len(t), k, t.dtype))


def _discount(items: int, k: int, kind: Any) -> Array:
    rank = jnp.arange(1, items + 1, dtype=kind)
    return jnp.where(rank <= jnp.asarray(k, kind), 1 / jnp.log2(rank + 1), 0)


def _ranks(k: int | None, items: int) -> int:
    if k is None:
        return items
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ValueError(f"`k` is how many ranks count: a whole number of at least 1, not traced; got {k!r}")
    return k


def _checked(truth: ArrayLike, score: ArrayLike, weight: ArrayLike | None) -> tuple[Array, Array, Array]:
    t, s = numbers("truth", truth), numbers("score", score)
    if t.ndim != 2 or t.shape != s.shape:
        raise ValueError(f"`truth` and `score` must have shapes (m, items) both, got {t.shape} and {s.shape}")
    t, s = floats(t), floats(s)
    w = spoil(spoil(weights(weight, len(t)), t != t), s != s)
    return where_counted(w, t, 0), library(s).asarray(where_counted(w, s, 0)), w
