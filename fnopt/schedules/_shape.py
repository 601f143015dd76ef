"""Shares of a length, whole quotients, powers and arcs that are finite, in value and derivative, at every edge."""

import jax
import jax.numpy as jnp
from jax import Array


def progress(n: Array, length: Array) -> Array:
    """How much of ``length`` is done after ``n``, in [0, 1]; a length of 0 is done at once.

    >>> progress(jnp.array([-1.0, 0.0, 1.0, 9.0]), jnp.array(4.0)).tolist()
    [0.0, 0.0, 0.25, 1.0]
    >>> float(progress(jnp.array(0.0), jnp.array(0.0)))
    1.0
    """
    inside = (n > 0) & (n < length)
    share = jnp.where(inside, n, 0.0) / jnp.where(inside, length, 1.0)
    return jnp.where(inside, share, (n >= length).astype(share.dtype))


def whole(n: Array, length: Array) -> Array:
    """⌊n/length⌋, exact for whole numbers whatever the rounding of the division.

    >>> whole(jnp.array([0.0, 6.0, 7.0]), jnp.array(3.0)).tolist()
    [0.0, 2.0, 2.0]
    """
    quotient = jnp.floor(jax.lax.stop_gradient(n / length))
    quotient = quotient + (jax.lax.stop_gradient((quotient + 1) * length) <= n).astype(n.dtype)
    return quotient - (jax.lax.stop_gradient(quotient * length) > n).astype(n.dtype)


def power(base: Array, exponent: Array) -> Array:
    """``base ** exponent`` for a base ≥ 0 and an exponent ≥ 0, with 0⁰ = 1.

    For an exponent between 0 and 1 the derivative at base 0 is infinite; here it is 0.

    >>> float(jax.grad(power)(0.0, 0.5))
    0.0
    """
    base, exponent = jnp.asarray(base), jnp.asarray(exponent)
    steep = (base == 0) & (exponent < 1)
    return jnp.where(steep, jnp.where(exponent == 0, 1.0, 0.0), jnp.where(steep, 1.0, base) ** exponent)


def arc(start: Array, end: Array, share: Array) -> Array:
    """Half a cosine from ``start`` at share 0 to ``end`` at share 1.

    >>> [round(float(arc(2.0, 0.0, jnp.array(share))), 4) for share in (0.0, 0.5, 1.0)]
    [2.0, 1.0, 0.0]
    """
    return end + (start - end) * (1 + jnp.cos(jnp.pi * share)) / 2
