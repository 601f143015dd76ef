"""A power of the time that is left."""

from typing import Annotated, Any

from jax import Array

from fnopt.numbers import NONNEGATIVE, REAL
from fnopt.schedules._fields import Number, schedule
from fnopt.schedules._shape import power, progress
from fnopt.schedules.combinators import Schedule


@schedule
class Polynomial(Schedule):
    """See :func:`polynomial`."""

    start: Annotated[Any, REAL]
    end: Annotated[Any, REAL]
    steps: Annotated[Any, NONNEGATIVE]
    power: Annotated[Any, NONNEGATIVE]

    def at(self, n: Array) -> Array:
        """End + (start − end) (1 − p)^power, with p the share of the steps done."""
        return self.end + (self.start - self.end) * power(1 - progress(n, self.steps), self.power)


def polynomial(start: Number, end: Number, steps: Number, power: Number) -> Polynomial:
    """end + (start − end) (1 − N/steps)^power over ``steps``, then ``end``.

    Args:
        start: at step 0.
        end: from ``steps`` on.
        steps: in [0, inf).
        power: in [0, inf); 1 is a straight line, 2 falls fast first, 0 stays at ``start``.

    >>> lr = polynomial(1.0, 0.0, steps=4, power=2.0)
    >>> [round(float(lr(step)), 4) for step in (0, 2, 4, 9)]
    [1.0, 0.25, 0.0, 0.0]
    """
    return Polynomial(start, end, steps, power).checked()
