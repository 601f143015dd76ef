"""The regression score of counts."""

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import paired, refuse
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import mean


@exact("truth", "prediction")
def mean_poisson_deviance(truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """How unlikely counts are under predicted rates: the mean of 2 (y log(y/ŷ) - y + ŷ), with 0 log 0 = 0.

    Arguments and returns are those of :func:`fnopt.metrics.mean_squared_error`; ValueError also where y < 0 or ŷ <= 0,
    and NaN where these are traced. Nelder and Wedderburn, 1972, https://doi.org/10.2307/2344614.

    >>> float(mean_poisson_deviance([0.0, 2.0], [1.0, 2.0]))
    1.0
    """
    y, p, w = paired(truth, prediction, weight, differences=False)
    w = refuse(w, y < 0, y, "`truth` must not be negative")
    w = refuse(w, p <= 0, p, "`prediction` must be above 0")
    return _mean_poisson_deviance(y, p, w)


@jax.jit
def _mean_poisson_deviance(y: Array, p: Array, w: Array) -> Array:
    return mean(poisson_deviance(y, p), w).mean()


def poisson_deviance(y: Array, p: Array) -> Array:
    """The deviance of each count."""
    # With x = ŷ/y - 1 it is 2 y (x - log(1 + x)): near 0 the plain form is a difference of large numbers.
    x = (p - y) / jnp.where(y > 0, y, 1)
    near = (y > 0) & is_near(x)
    some = (y > 0) & ~near
    surprise = jnp.where(some, y * log_ratio(jnp.where(some, y, p), p), 0)
    return 2 * jnp.where(near, y * beyond_log(jnp.where(near, x, 0)), surprise - y + p)


def is_near(x: Array) -> Array:
    """Where 1 + x is in [1/2, 2], so that the plain forms of deviances lose digits and :func:`beyond_log` has them."""
    return (x >= -0.5) & (x <= 1)


def log_ratio(y: Array, p: Array) -> Array:
    """log(y/p) of positive numbers, whose quotient may be too large or too small for their type.

    >>> float(log_ratio(jnp.float32(1e-30), jnp.float32(1e30)).round(3))
    -138.155...
    """
    quotient = y / p
    plain = (quotient > 0) & (quotient < jnp.inf)
    return jnp.where(plain, jnp.log(jnp.where(plain, quotient, 1)), jnp.log(y) - jnp.log(p))


def beyond_log(x: Array) -> Array:
    r"""``x - log(1 + x)`` for 1 + x in [1/2, 2], by log(1 + x) = 2 artanh r with r = x / (2 + x), \|r\| ≤ 1/3."""
    r = x / (2 + x)
    square, tail = jnp.square(r), jnp.zeros_like(r)
    for k in range(35, 1, -2):  # (1/9)^17 is below the rounding of float64
        tail = tail * square + 1 / k
    return r * (x - 2 * square * tail)
