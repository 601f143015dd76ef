"""Roots, ratios and corrections that stay finite, in value and in derivative, where the plain formula would not.

A rule gives its value back in a form that stays finite under plain differentiation: in the forward part of a loop that
is differentiated in reverse mode, JAX keeps what a rule computed and drops the rule: a second derivative is of that.
"""

import jax
import jax.numpy as jnp
from jax import Array


@jax.custom_jvp
def root(x: Array) -> Array:
    """Square root with derivative 0 at 0 (not infinity), so that a dead unit cannot make a hypergradient NaN.

    >>> import jax
    >>> float(jax.grad(root)(0.0))
    0.0
    """
    return jnp.sqrt(x)


@root.defjvp
def _(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (x,), (dx,) = primals, tangents
    zero = x == 0
    safe = jnp.sqrt(jnp.where(zero, 1, x))
    return jnp.where(zero, 0, safe), jnp.where(zero, 0, dx / (2 * safe))


@jax.custom_jvp
def ratio(a: Array, b: Array) -> Array:
    """``a / b`` where ``b`` is not 0, else 0 for a finite ``a``: with no scale to divide by, the step is nought.

    NaN where ``b`` is infinite: a scale that has overflowed would make all steps nought from then on, in silence.
    (Choosing what to divide by is cheaper than choosing between quotients, which would be a tenth of a step of AdaMax.)

    The derivative (ȧ − (a/b) ḃ)/b leaves b² out, which is 0 for a small b long before b is. Where ``a`` is 0, so is the
    derivative: an entry at rest has the slope 1/eps of a step in the sign of the gradient, and a few such steps are
    beyond any float.

    >>> ratio(jnp.array([1.0, 0.0]), jnp.array([2.0, 0.0])).tolist()
    [0.5, 0.0]
    """
    b = jnp.asarray(b)
    return (a + 0 * b) / jnp.where(b == 0, jnp.inf, b)  # 0 · ∞ is NaN


@ratio.defjvp
def _(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    (a, b), (da, db) = primals, tangents
    moves = (a != 0) & (b != 0)
    quotient = jnp.where(moves, ratio(a, b), jax.lax.stop_gradient(ratio(a, b)))
    return quotient, jnp.where(moves, (da - quotient * db) / jnp.where(moves, b, 1), 0)


@jax.custom_jvp
def over(a: Array, b: Array) -> Array:
    """:func:`ratio` where ``b`` is one scale for several entries of ``a``: a division a scale, and not one an entry.

    >>> over(jnp.array([[2.0, 4.0], [1.0, 3.0]]), jnp.array([[2.0], [0.0]])).tolist()
    [[1.0, 2.0], [0.0, 0.0]]
    """
    return a * ratio(1.0, b)


@over.defjvp
def _(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    quotient, slope = jax.jvp(ratio, primals, tangents)
    return quotient + jax.lax.stop_gradient(over(*primals) - quotient), slope


def one_minus_power(b: Array, t: Array) -> Array:
    """``1 − b^t`` to full relative precision, for ``b`` in [0, 1): what divides a running mean that began at 0.

    In float32 the plain form loses three and more of its seven digits near 1, where decays are searched. ``t`` counts
    from 1 and has no derivative.

    >>> round(float(one_minus_power(jnp.float32(0.75), jnp.float32(2))), 6)
    0.4375
    """
    return -_power_minus_one(jnp.asarray(b), jnp.asarray(t))


@jax.custom_jvp
def _power_minus_one(b: Array, t: Array) -> Array:
    """``b^t − 1``."""
    return jnp.expm1(t * jnp.log1p(b - 1))


@_power_minus_one.defjvp
def _(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    (b, t), (db, _) = primals, tangents
    zero = b == 0
    above = jnp.where(zero, 1, b)
    # At 0 the power is b at the first step, and has no slope later.
    value = jnp.where(zero, jnp.where(t == 1, b, 0) - 1, jnp.expm1(t * jnp.log1p(above - 1)))
    return value, jnp.where(zero, (t == 1).astype(b.dtype), t * above ** (t - 1)) * db
