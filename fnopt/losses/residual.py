"""Losses of a residual r = prediction − target: squared, absolute, and two that turn from the one to the other."""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.losses._outputs import each_example, pair
from fnopt.numbers import POSITIVE, scalar
from fnopt.tree import absolute


def squared_error(prediction: ArrayLike, target: ArrayLike) -> Array:
    """r², the mean over the outputs of an example; the gradient is 2r.

    Args:
        prediction: shape=(m,) or (m, outputs).
        target: the same shape.

    Returns:
        shape=(m,), in at least float32. Their sum is Σ(f − y)², their mean the mean squared error.

    Raises:
        ValueError: for another shape.

    >>> squared_error(jnp.array([1.0, 4.0]), jnp.array([1.0, 2.0])).tolist()
    [0.0, 4.0]
    """
    f, y = pair("squared_error", prediction, target)
    return each_example(jnp.square(f - y))


def absolute_error(prediction: ArrayLike, target: ArrayLike) -> Array:
    """|r|, the mean over the outputs of an example; the subgradient at 0 is 0. The best constant is the median.

    Args:
        prediction: shape=(m,) or (m, outputs).
        target: the same shape.

    Returns, raises: as :func:`squared_error`.

    >>> absolute_error(jnp.array([1.0, 4.0]), jnp.array([1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    f, y = pair("absolute_error", prediction, target)
    return each_example(absolute(f - y))


def huber(prediction: ArrayLike, target: ArrayLike, delta: ArrayLike = 1.0) -> Array:
    """r²/2 where |r| ≤ δ, else δ (|r| − δ/2), the mean over the outputs of an example.

    Args:
        prediction: shape=(m,) or (m, outputs).
        target: the same shape.
        delta: δ in (0, inf), the largest slope: outliers pull no harder.

    Returns, raises: as :func:`squared_error`; ValueError too for a concrete δ out of range, a traced one becomes NaN.

    Source: Huber, "Robust Estimation of a Location Parameter", 1964, https://doi.org/10.1214/aoms/1177703732.

    >>> huber(jnp.array([0.5, 4.0]), jnp.zeros(2)).tolist()
    [0.125, 3.5]
    """
    f, y = pair("huber", prediction, target)
    size = absolute(f - y)
    near = jnp.minimum(size, scalar("delta", delta, POSITIVE, f.dtype))
    return each_example(near * (size - near / 2))


def log_cosh(prediction: ArrayLike, target: ArrayLike) -> Array:
    """log cosh r, about r²/2 near 0 and |r| − log 2 far off; the gradient is tanh r.

    Args:
        prediction: shape=(m,) or (m, outputs).
        target: the same shape.

    Returns, raises: as :func:`squared_error`.

    >>> [round(float(l), 4) for l in log_cosh(jnp.array([0.0, 1.0]), jnp.zeros(2))]
    [0.0, 0.4338]
    """
    f, y = pair("log_cosh", prediction, target)
    size = absolute(f - y)
    small = size < 1  # there the usual form loses all digits: it is a difference of two logarithms
    near = jnp.log1p(2 * jnp.square(jnp.sinh(jnp.where(small, size, 0) / 2)))
    far = size + jnp.log1p(jnp.exp(-2 * size)) - jnp.log(2.0).astype(size.dtype)
    return each_example(jnp.where(small, near, far))
