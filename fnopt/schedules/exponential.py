"""Decay by one factor a step."""

from typing import Annotated, Any

from jax import Array

from fnopt.numbers import FRACTION, REAL
from fnopt.schedules._fields import Number, schedule
from fnopt.schedules._shape import power
from fnopt.schedules.combinators import Schedule


@schedule
class Exponential(Schedule):
    """See :func:`exponential`."""

    value: Annotated[Any, REAL]
    rate: Annotated[Any, FRACTION]

    def at(self, n: Array) -> Array:
        """Value · rate^N."""
        return self.value * power(self.rate, n)


def exponential(value: Number, rate: Number) -> Exponential:
    """value · rate^N, N counted from 0; most often ``exponential(…).every()``, with N in epochs.

    Args:
        value: at N = 0.
        rate: in [0, 1]; γ, what is left after one step. At 0 the value is 0 from N = 1 on.

    >>> lr = exponential(0.8, rate=0.5)
    >>> [round(float(lr(step)), 4) for step in range(3)]
    [0.8, 0.4, 0.2]
    """
    return Exponential(value, rate).checked()
