"""Decay by the inverse of time."""

from typing import Annotated, Any

from jax import Array

from fnopt.numbers import NONNEGATIVE, REAL
from fnopt.schedules._fields import Number, schedule
from fnopt.schedules.combinators import Schedule


@schedule
class InverseTime(Schedule):
    """See :func:`inverse_time`."""

    value: Annotated[Any, REAL]
    rate: Annotated[Any, NONNEGATIVE]

    def at(self, n: Array) -> Array:
        """Value / (1 + rate N)."""
        return self.value / (1 + self.rate * n)


def inverse_time(value: Number, rate: Number) -> InverseTime:
    """value / (1 + rate N), N counted from 0: half of ``value`` is left at N = 1/rate.

    Args:
        value: at N = 0.
        rate: in [0, inf); γ, usually at most 1.

    Source: Robbins and Monro, "A Stochastic Approximation Method", 1951, https://doi.org/10.1214/aoms/1177729586:
    steps that shrink like 1/N still add up to any distance. Keras calls it ``InverseTimeDecay``.

    >>> lr = inverse_time(0.3, rate=1.0)
    >>> [round(float(lr(step)), 4) for step in range(3)]
    [0.3, 0.15, 0.1]
    """
    return InverseTime(value, rate).checked()
