"""Half a cosine down, again and again, each longer than the one before."""

from typing import Annotated, Any

import jax
import jax.numpy as jnp
from jax import Array

from fnopt.numbers import POSITIVE, REAL, Range
from fnopt.schedules._fields import Number, schedule
from fnopt.schedules._shape import arc, progress, whole
from fnopt.schedules.combinators import Schedule

GROWTH = Range(1, float("inf"))


@schedule
class WarmRestarts(Schedule):
    """See :func:`warm_restarts`."""

    peak: Annotated[Any, REAL]
    period: Annotated[Any, POSITIVE]
    multiplier: Annotated[Any, GROWTH] = 1.0
    floor: Annotated[Any, REAL] = 0.0

    def at(self, n: Array) -> Array:
        """An arc over the period that n lies in."""
        start, length = _period(n, self.period, self.multiplier - 1)
        return arc(self.peak, self.floor, progress(jnp.maximum(n - start, 0), length))


def _period(n: Array, first: Array, growth: Array) -> tuple[Array, Array]:
    """Start and length of the period that ``n`` lies in, the lengths being first · (1 + growth)^i.

    Period i starts at first · ((1 + growth)^i − 1)/growth; for growth 0 the limit, to first order in growth, so that
    value and derivative are exact there.
    """
    equal = growth == 0
    log = jnp.log1p(jnp.where(equal, 1.0, growth))
    periods = jax.lax.stop_gradient(jnp.log1p(n * jnp.where(equal, 1.0, growth) / first) / log)
    # A step that is a restart up to rounding belongs to the new period: i is a quotient of two rounded logarithms.
    growing = jnp.floor(periods + 4 * jnp.finfo(n.dtype).eps * (1 + periods))
    i = jnp.where(equal, whole(n, first), growing)
    starts = jnp.where(
        equal,
        i * (1 + growth * (i - 1) / 2),
        jnp.expm1(jnp.where(equal, 0.0, i) * log) / jnp.where(equal, 1.0, growth),
    )
    lengths = jnp.where(equal, 1 + i * growth, jnp.exp(jnp.where(equal, 0.0, i) * log))
    return first * starts, first * lengths


def warm_restarts(peak: Number, period: Number, multiplier: Number = 1.0, floor: Number = 0.0) -> WarmRestarts:
    """Half a cosine from ``peak`` to ``floor`` over a period, then ``peak`` again: SGDR.

    floor + (peak − floor) (1 + cos(π T_cur/T_i))/2, with T_cur steps done in period i, which has T_i = period ·
    multiplier^i. The restarts are those of the number alone: weights and the optimizer's memory go on ("warm").

    Args:
        peak: at each restart.
        period: in (0, inf); T_0, the length of the first period.
        multiplier: in [1, inf); T_mult, each period's length over that of the one before.
        floor: just before each restart.

    Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017,
    https://arxiv.org/abs/1608.03983, equation 5.

    >>> lr = warm_restarts(peak=0.1, period=10, multiplier=2.0)
    >>> [round(float(lr(step)), 4) for step in (0, 5, 10, 20, 30, 50, 70)]
    [0.1, 0.05, 0.1, 0.05, 0.1, 0.05, 0.1]
    """
    return WarmRestarts(peak, period, multiplier, floor).checked()
