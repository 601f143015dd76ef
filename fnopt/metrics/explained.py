"""Regression scores against the best constant: 1 is perfect, 0 no better than it."""

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import paired
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import gain, mean, median, size_of


@exact("truth", "prediction")
def r2(truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """The share of the spread that is predicted: 1 - Σ w (y - ŷ)² / Σ w (y - ȳ)².

    Args:
        truth: shape=(m,), or (m, outputs), of which the score is the mean over outputs.
        prediction: as ``truth``.
        weight: shape=(m,), not negative; None counts each example once.

    Returns:
        Scalar of at most 1. A constant truth gives 1 where all is right, else 0. NaN where no example counts, and
        where a value that counts is NaN.

    Raises:
        ValueError: for shapes that differ, also (m,) against (m, 1).

    >>> float(r2([1.0, 3.0, 5.0], [1.0, 3.0, 3.0]))
    0.5
    """
    return _r2(*paired(truth, prediction, weight))


@jax.jit
def _r2(y: Array, p: Array, w: Array) -> Array:
    return _gain_of_squares(y - p, _centred(y, w), w).mean()


@exact("truth", "prediction")
def explained_variance(truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """:func:`r2` that forgives a constant error: 1 - Var(y - ŷ) / Var(y), with its arguments, 0/0 and errors.

    >>> float(explained_variance([1.0, 3.0, 5.0], [2.0, 4.0, 6.0]))
    1.0
    """
    return _explained_variance(*paired(truth, prediction, weight))


@jax.jit
def _explained_variance(y: Array, p: Array, w: Array) -> Array:
    return _gain_of_squares(_centred(y - p, w), _centred(y, w), w).mean()


@exact("truth", "prediction")
def d2_absolute_error(truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """:func:`r2` in absolute errors: 1 - Σ w |y - ŷ| / Σ w |y - median(y)|, with its arguments, 0/0 and errors.

    >>> float(d2_absolute_error([1.0, 3.0, 5.0], [1.0, 3.0, 3.0]))
    0.5
    """
    return _d2_absolute_error(*paired(truth, prediction, weight))


@jax.jit
def _d2_absolute_error(y: Array, p: Array, w: Array) -> Array:
    return gain(mean(jnp.abs(y - p), w), mean(jnp.abs(y - median(y, w)[None, :]), w)).mean()


def _centred(x: Array, w: Array) -> Array:
    """``x`` less its mean; from its least value, so that a constant gives 0 exactly and no offset costs digits."""
    x = x - jnp.min(jnp.where((w != 0)[:, None], x, jnp.inf), axis=0, keepdims=True)
    return x - mean(x, w)[None, :]


def _gain_of_squares(error: Array, spread: Array, w: Array) -> Array:
    """``1 - Σ w error² / Σ w spread²``, whatever their unit: squares of 1e-22 and of 1e22 are beyond float32."""
    a, b = size_of(error), size_of(spread)
    error, spread = (mean(jnp.square(x / size[None, :]), w) for x, size in ((error, a), (spread, b)))
    return gain(error, spread, a / b)
