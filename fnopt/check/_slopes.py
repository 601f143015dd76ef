"""Slopes along one direction by differences, and whether there is a kink in the way.

With J(h) = right − left, the difference of the one-sided slopes, J(h) = h f'' + O(h³) where f is smooth, so J(2h) is
2 J(h) but for rounding; a kink of size j at the point itself gives J(h) = j for any h, and one inside the step lies
between. Looked at over h, 2h and 4h, no place of a kink inside the step is missed.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from fnopt.check._float64 import EPSILON

AT = (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0)  # where the function is taken, in units of the step
GRAIN = 32 * EPSILON  # relative error of a value: a loss is a sum of many


class Slopes(NamedTuple):
    """Slopes along one direction, or along several; each number is a scalar, or shape=(directions,)."""

    two_sided: Array  # (f(+h) − f(−h)) / 2h, error O(h²)
    left: Array  # (f(0) − f(−h)) / h, error O(h)
    right: Array
    truncation: Array  # an estimate of the two-sided error: (D(2h) − D(h)) / 3
    noise: Array  # what rounding may do to any of them
    kink: Array  # whether the one-sided slopes disagree beyond what a smooth function does

    def explains(self, slope: Array, tolerance: float) -> Array:
        """Whether there is a kink and ``slope`` lies between the one-sided ones, as a subgradient does."""
        slack = tolerance * jnp.abs(slope) + 2 * self.noise
        low, high = jnp.minimum(self.left, self.right) - slack, jnp.maximum(self.left, self.right) + slack
        return self.kink & (low <= slope) & (slope <= high)

    def differs(self, slope: Array, tolerance: float) -> Array:
        """Whether the two-sided slope and ``slope`` disagree beyond truncation and rounding; NaN always does."""
        smooth = jnp.where(self.kink, 0, self.truncation)  # at a kink the estimate is of the kink
        room = tolerance * (jnp.abs(slope) + jnp.abs(self.two_sided)) + self.noise + 4 * smooth
        return ~(jnp.abs(slope - self.two_sided) <= room)


def along(f: Callable[[Array], Array], scale: Array, h: Array) -> Slopes:
    """Slopes at 0 of a function of one number, with the step h; its terms are about as large as ``scale``."""
    values = jax.lax.map(lambda s: f(s * h), jnp.array(AT, jnp.float64))  # a map compiles the function once
    left, here, right = values[2], values[3], values[4]
    two_sided = (right - left) / (2 * h)
    wider = (values[5] - values[1]) / (4 * h)
    noise = GRAIN * jnp.maximum(jnp.max(jnp.abs(values)), scale) / h
    j1, j2, j4 = ((values[3 + k] + values[3 - k] - 2 * here) / (AT[3 + k] * h) for k in (1, 2, 3))
    allowed = 1e-5 * (jnp.abs(right - here) + jnp.abs(here - left)) / h + 8 * noise
    return Slopes(
        two_sided=two_sided,
        left=(here - left) / h,
        right=(right - here) / h,
        truncation=jnp.abs(wider - two_sided) / 3,
        noise=noise,
        kink=(jnp.abs(j2 - 2 * j1) > allowed) | (jnp.abs(j4 - 2 * j2) > allowed),
    )
