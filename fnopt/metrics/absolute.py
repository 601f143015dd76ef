"""Regression scores from absolute errors."""

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import paired
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import mean, median

TINY = 2.0**-52  # scikit-learn's least divisor: float64's step at 1, whatever the type at work


@exact("truth", "prediction")
def mean_absolute_error(truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """The mean of |y - ŷ|.

    Arguments, returns and errors are those of :func:`fnopt.metrics.mean_squared_error`.

    >>> float(mean_absolute_error([1.0, 2.0], [1.0, 4.0]))
    1.0
    """
    return _mean_absolute_error(*paired(truth, prediction, weight))


@jax.jit
def _mean_absolute_error(y: Array, p: Array, w: Array) -> Array:
    return mean(jnp.abs(y - p), w).mean()


@exact("truth", "prediction")
def median_absolute_error(truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """The median of |y - ŷ|: half of the weight lies on each side.

    Where a value and the next one share the middle, their mean. Arguments, returns and errors are those of
    :func:`fnopt.metrics.mean_squared_error`.

    >>> float(median_absolute_error([0.0, 0.0, 0.0], [1.0, -2.0, 9.0]))
    2.0
    """
    return _median_absolute_error(*paired(truth, prediction, weight))


@jax.jit
def _median_absolute_error(y: Array, p: Array, w: Array) -> Array:
    return median(jnp.abs(y - p), w).mean()


@exact("truth", "prediction")
def max_error(truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """The largest |y - ŷ| of an example whose weight is not 0; weights do not matter else.

    Arguments, returns and errors are those of :func:`fnopt.metrics.mean_squared_error`.

    >>> float(max_error([1.0, 2.0, 3.0], [1.0, 4.0, 9.0], weight=[1, 1, 0]))
    2.0
    """
    return _max_error(*paired(truth, prediction, weight))


@jax.jit
def _max_error(y: Array, p: Array, w: Array) -> Array:
    total = jnp.sum(w)
    worst = jnp.max(jnp.abs(y - p), axis=0)  # 0 where the weight is 0
    return jnp.where((total == 0) | jnp.isnan(total), jnp.nan, worst.mean())


@exact("truth", "prediction")
def mean_absolute_percentage_error(
    truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None
) -> Array:
    """The mean of |y - ŷ| / |y|: a share, not times 100.

    |y| is taken as at least 2⁻⁵², as in scikit-learn: 0 counts 0 where ŷ is 0 too, else it counts enormously.
    Arguments, returns and errors are those of :func:`fnopt.metrics.mean_squared_error`.

    >>> float(mean_absolute_percentage_error([4.0, 2.0], [3.0, 3.0]))
    0.375
    """
    return _mean_absolute_percentage_error(*paired(truth, prediction, weight, differences=False))


@jax.jit
def _mean_absolute_percentage_error(y: Array, p: Array, w: Array) -> Array:
    return mean(jnp.abs(y - p) / jnp.maximum(jnp.abs(y), TINY), w).mean()
