"""Half a cosine down, with a warm-up before it."""

from typing import Annotated, Any

import jax.numpy as jnp
from jax import Array

from fnopt.numbers import NONNEGATIVE, REAL
from fnopt.schedules._fields import Number, schedule
from fnopt.schedules._shape import arc, progress
from fnopt.schedules.combinators import Schedule


@schedule
class Cosine(Schedule):
    """See :func:`cosine`."""

    peak: Annotated[Any, REAL]
    steps: Annotated[Any, NONNEGATIVE]
    warmup: Annotated[Any, NONNEGATIVE] = 0.0
    floor: Annotated[Any, REAL] = 0.0

    def at(self, n: Array) -> Array:
        """The share of the warm-up that is done, times the arc over the steps after it."""
        rest = jnp.maximum(self.steps - self.warmup, 0)
        return progress(n, self.warmup) * arc(self.peak, self.floor, progress(n - self.warmup, rest))


def cosine(peak: Number, steps: Number, warmup: Number = 0.0, floor: Number = 0.0) -> Cosine:
    """From 0 to ``peak`` in a straight line over ``warmup``, then half a cosine down to ``floor`` at ``steps``.

    After the warm-up: floor + (peak − floor) (1 + cos(π (N − warmup)/(steps − warmup)))/2.

    Args:
        peak: the highest value, at N = ``warmup``.
        steps: in [0, inf); all of them, warm-up included. From there on it is ``floor``; at 0 from the first step.
        warmup: in [0, inf); at 0 it starts at ``peak``. One longer than ``steps`` is finished, then comes ``floor``.
        floor: the lowest value, in the units of ``peak``.

    Source: Loshchilov and Hutter, "SGDR", 2017, https://arxiv.org/abs/1608.03983, without the restarts.

    >>> lr = cosine(peak=0.1, steps=30, warmup=10)
    >>> [round(float(lr(step)), 4) for step in (0, 5, 10, 20, 30, 99)]
    [0.0, 0.05, 0.1, 0.05, 0.0, 0.0]
    """
    return Cosine(peak, steps, warmup, floor).checked()
