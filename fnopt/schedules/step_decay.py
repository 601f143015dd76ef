"""Decay by one factor every so many steps."""

from typing import Annotated, Any

from jax import Array

from fnopt.numbers import FRACTION, POSITIVE, REAL
from fnopt.schedules._fields import Number, schedule
from fnopt.schedules._shape import power, whole
from fnopt.schedules.combinators import Schedule


@schedule
class StepDecay(Schedule):
    """See :func:`step_decay`."""

    value: Annotated[Any, REAL]
    rate: Annotated[Any, FRACTION]
    steps: Annotated[Any, POSITIVE]

    def at(self, n: Array) -> Array:
        """Value · rate^⌊N/steps⌋."""
        return self.value * power(self.rate, whole(n, self.steps))


def step_decay(value: Number, rate: Number, steps: Number) -> StepDecay:
    """value · rate^⌊N/steps⌋: flat, then a drop every ``steps``. The derivative with respect to ``steps`` is 0.

    Args:
        value: before the first drop.
        rate: in [0, 1]; what each drop leaves.
        steps: in (0, inf); from drop to drop.

    Elsewhere: torch calls it ``StepLR``.

    >>> lr = step_decay(0.8, rate=0.5, steps=10)
    >>> [round(float(lr(step)), 4) for step in (0, 9, 10, 20)]
    [0.8, 0.8, 0.4, 0.2]
    """
    return StepDecay(value, rate, steps).checked()
