"""One cycle up and down."""

from typing import Annotated, Any

import jax.numpy as jnp
from jax import Array

from fnopt.numbers import FRACTION, NONNEGATIVE, POSITIVE, REAL
from fnopt.schedules._fields import Number, schedule
from fnopt.schedules._shape import arc, progress
from fnopt.schedules.combinators import Schedule


@schedule
class OneCycle(Schedule):
    """See :func:`one_cycle`."""

    peak: Annotated[Any, REAL]
    steps: Annotated[Any, NONNEGATIVE]
    rise: Annotated[Any, FRACTION] = 0.3
    divide: Annotated[Any, POSITIVE] = 25.0
    final_divide: Annotated[Any, POSITIVE] = 1e4

    def at(self, n: Array) -> Array:
        """An arc up to the peak at rise · steps, an arc down to the end at steps."""
        top = self.rise * self.steps
        start = self.peak / self.divide
        end = start / self.final_divide
        up = arc(start, self.peak, progress(n, top))
        down = arc(self.peak, end, progress(n - top, self.steps - top))
        return jnp.where(n < top, up, down)


def one_cycle(
    peak: Number, steps: Number, rise: Number = 0.3, divide: Number = 25.0, final_divide: Number = 1e4
) -> OneCycle:
    """Half a cosine up from peak/divide to ``peak``, half a cosine down to peak/divide/final_divide.

    Args:
        peak: the highest value, at N = rise · steps.
        steps: in [0, inf); the whole cycle. From there on it is the last value.
        rise: in [0, 1]; the share of the steps before the peak.
        divide: in (0, inf); the peak over the first value.
        final_divide: in (0, inf); the first value over the last.

    Elsewhere: torch's ``OneCycleLR`` is one step shorter on each side: its peak is at rise · steps − 1 and its end at
    steps − 1.

    Source: Smith and Topin, "Super-Convergence", 2018, https://arxiv.org/abs/1708.07120.

    >>> lr = one_cycle(peak=1.0, steps=10, rise=0.4, divide=10.0, final_divide=10.0)
    >>> [round(float(lr(step)), 4) for step in (0, 2, 4, 7, 10)]
    [0.1, 0.55, 1.0, 0.505, 0.01]
    """
    return OneCycle(peak, steps, rise, divide, final_divide).checked()
