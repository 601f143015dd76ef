"""A line search by doubling and bisection, to the weak conditions of Wolfe.

Lewis and Overton, "Nonsmooth optimization via quasi-Newton methods", 2013,
https://doi.org/10.1007/s10107-012-0514-2, algorithm 2.6.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from fnopt._types import Cost, Params
from fnopt.optim._treewise import dot, over, plus, size


class Bracket(NamedTuple):
    """A search under way; all of shape=()."""

    q: Array  # the multiple of lr to try next
    low: Array  # the longest that descended enough; 0 at first
    high: Array  # the shortest that did not; inf at first
    tried: Array  # how many costs have been taken, in the type of the others
    found: Array  # bool


def search(objective: Cost, value: Array | None, p: Params, d: Params, g: Params, h: Any) -> Array:
    """The multiple q of ``h.lr`` to go along ``d``: a power of 2 or a sum of some, 0 where nothing descends.

    A cost that is not finite is too far. What the loop carries comes of comparisons alone, and so has no derivative:
    the loop may end when it is done, and reverse mode still passes through what the step makes of q.

    Args:
        objective: parameters to cost.
        value: the cost at ``p``; None where it is not known.
        p: where to start.
        d: the direction.
        g: the gradient at ``p``.
        h: numbers with lr, c1, c2 and evaluations.
    """
    unit, straight = size(g), size(d)  # slopes are compared in their product, which may be too small for the type
    ahead = over(d, straight)
    slope = dot(over(g, unit), ahead)
    begin = objective(p) if value is None else value.astype(slope.dtype)
    # Near the optimum the cost changes by less than its rounding; there the slopes decide.
    rounding = jnp.finfo(begin.dtype).eps * jnp.abs(begin)

    def attempt(b: Bracket) -> Bracket:
        length = h.lr * b.q
        there, gradient = jax.value_and_grad(objective)(plus(p, length, d))
        rise = dot(over(gradient, unit), ahead)
        descended = (there <= begin + h.c1 * length * (slope * unit * straight) + rounding) & jnp.isfinite(rise)
        found = descended & (rise >= h.c2 * slope)
        low, high = jnp.where(descended, b.q, b.low), jnp.where(descended, b.high, b.q)
        between = jnp.where(jnp.isinf(high), 2 * b.q, (low + high) / 2)
        return Bracket(jnp.where(found, b.q, between), low, high, b.tried + 1, found)

    def going(b: Bracket) -> Array:
        return ~b.found & (b.tried < h.evaluations)

    one = jnp.ones((), slope.dtype)
    first = Bracket(one, 0 * one, one + jnp.inf, 0 * one, jnp.zeros((), bool))
    return jax.lax.while_loop(going, attempt, first).low
