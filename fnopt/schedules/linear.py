"""A straight line, then level."""

from typing import Annotated, Any

from jax import Array

from fnopt.numbers import NONNEGATIVE, REAL
from fnopt.schedules._fields import Number, schedule
from fnopt.schedules._shape import progress
from fnopt.schedules.combinators import Schedule


@schedule
class Linear(Schedule):
    """See :func:`linear`."""

    start: Annotated[Any, REAL]
    end: Annotated[Any, REAL]
    steps: Annotated[Any, NONNEGATIVE]

    def at(self, n: Array) -> Array:
        """(1 − p) start + p end, with p the share of the steps done: exact at both ends."""
        share = progress(n, self.steps)
        return (1 - share) * self.start + share * self.end


def linear(start: Number, end: Number, steps: Number) -> Linear:
    """From ``start`` to ``end`` in a straight line over ``steps``, then ``end``; up as well as down.

    Args:
        start: at step 0.
        end: from ``steps`` on.
        steps: in [0, inf); at 0 it is ``end`` from the first step.

    >>> warmup = linear(0.0, 0.1, steps=4)
    >>> [round(float(warmup(step)), 4) for step in (0, 1, 4, 9)]
    [0.0, 0.025, 0.1, 0.1]
    """
    return Linear(start, end, steps).checked()
