"""Quantile loss: predict a quantile instead of the mean."""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.losses._outputs import each_example, pair
from fnopt.numbers import FRACTION, scalar


def quantile(prediction: ArrayLike, target: ArrayLike, level: ArrayLike = 0.5) -> Array:
    """q (y − f) where the prediction is too low, (1 − q)(f − y) where too high; the best constant is the q-quantile.

    The mean over the outputs of an example; the subgradient at f = y is ½ − q.

    Args:
        prediction: f, shape=(m,) or (m, outputs).
        target: y, the same shape.
        level: q in [0, 1]; 0.5 is half the absolute error.

    Returns:
        shape=(m,), in at least float32.

    Raises:
        ValueError: for another shape, and for a concrete level out of range; a traced one becomes NaN.

    Source: Koenker and Bassett, "Regression Quantiles", 1978, https://doi.org/10.2307/1913643; also called pinball.

    >>> quantile(jnp.array([1.0, 3.0]), jnp.array([2.0, 2.0]), level=0.75).tolist()
    [0.75, 0.25]
    """
    f, y = pair("quantile", prediction, target)
    q = scalar("level", level, FRACTION, f.dtype)
    return each_example(jnp.maximum(q * (y - f), (q - 1) * (y - f)))
