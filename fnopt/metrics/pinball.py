"""The regression score of quantiles."""

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import paired
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import mean
from fnopt.numbers import FRACTION, as_number


@exact("truth", "prediction")
def mean_pinball(
    truth: ArrayLike, prediction: ArrayLike, *, level: ArrayLike = 0.5, weight: ArrayLike | None = None
) -> Array:
    """The mean of q (y - ŷ) where the prediction is too low and (1 - q) (ŷ - y) where it is too high.

    Arguments, returns and errors are those of :func:`fnopt.metrics.mean_squared_error`, and ``level``, q in [0, 1],
    which may be traced. Koenker and Bassett, "Regression quantiles", 1978, https://doi.org/10.2307/1913643.

    >>> round(float(mean_pinball([1.0, 2.0], [2.0, 1.0], level=0.75)), 6)
    0.5
    """
    return _mean_pinball(*paired(truth, prediction, weight), as_number("level", level, FRACTION))


@jax.jit
def _mean_pinball(y: Array, p: Array, w: Array, level: Array) -> Array:
    return mean(pinball(y, p, level.astype(y.dtype)), w).mean()


def pinball(y: Array, p: Array, level: Array) -> Array:
    """The loss of each value.

    >>> pinball(jnp.array([2.0, 1.0]), jnp.array([1.0, 2.0]), jnp.array(0.75)).tolist()
    [0.75, 0.25]
    """
    return jnp.maximum(level * (y - p), (level - 1) * (y - p))
