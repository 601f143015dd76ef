"""Regression scores from squared errors."""

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import paired, refuse
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import mean, root, size_of


@exact("truth", "prediction")
def mean_squared_error(truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """The mean of (y - ŷ)².

    In the square of the unit: traced or in float32 it overflows for errors of 1e20 and is 0 for those of 1e-23, where
    :func:`root_mean_squared_error` and :func:`fnopt.metrics.r2` are still right.

    Args:
        truth: shape=(m,), or (m, outputs), of which the score is the mean over outputs.
        prediction: as ``truth``.
        weight: shape=(m,), not negative; None counts each example once.

    Returns:
        Scalar of at least 0; NaN where no example counts, and where a value that counts is NaN.

    Raises:
        ValueError: for shapes that differ, also (m,) against (m, 1).

    >>> float(mean_squared_error([1.0, 2.0], [1.0, 4.0]))
    2.0
    """
    return _mean_squared_error(*paired(truth, prediction, weight))


@jax.jit
def _mean_squared_error(y: Array, p: Array, w: Array) -> Array:
    return mean(jnp.square(y - p), w).mean()


@exact("truth", "prediction")
def root_mean_squared_error(truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """The root of the mean of (y - ŷ)², in the unit of y; its derivative at no error at all is 0.

    The roots of several outputs are averaged. Arguments, returns and errors are those of :func:`mean_squared_error`.

    >>> float(root_mean_squared_error([1.0, 2.0], [-1.0, 4.0]))
    2.0
    """
    return _root_mean_squared_error(*paired(truth, prediction, weight))


@jax.jit
def _root_mean_squared_error(y: Array, p: Array, w: Array) -> Array:
    size = size_of(y - p)
    return (size * root(mean(jnp.square((y - p) / size[None, :]), w))).mean()


@exact("truth", "prediction")
def mean_squared_log_error(truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """The mean of (log(1 + y) - log(1 + ŷ))², for values above -1.

    Arguments and returns are those of :func:`mean_squared_error`; ValueError also for values of -1 and below, and NaN
    where these are traced.

    >>> float(mean_squared_log_error([0.0, 3.0], [0.0, 3.0]))
    0.0
    """
    y, p, w = paired(truth, prediction, weight, differences=False)
    w = refuse(w, y <= -1, y, "`truth` must be above -1")
    w = refuse(w, p <= -1, p, "`prediction` must be above -1")
    return _mean_squared_log_error(y, p, w)


@jax.jit
def _mean_squared_log_error(y: Array, p: Array, w: Array) -> Array:
    # Near each other the difference of two logarithms would have few digits left.
    near = jnp.abs(y - p) < (1 + p) / 2
    apart = jnp.log1p(jnp.where(near, y - p, 0) / (1 + p))
    return mean(jnp.square(jnp.where(near, apart, jnp.log1p(y) - jnp.log1p(p))), w).mean()
