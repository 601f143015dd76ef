"""Up and down in straight lines, again and again."""

from typing import Annotated, Any

import jax.numpy as jnp
from jax import Array

from fnopt.numbers import FRACTION, POSITIVE, REAL
from fnopt.schedules._fields import Number, schedule
from fnopt.schedules._shape import power, whole
from fnopt.schedules.combinators import Schedule


@schedule
class Cyclic(Schedule):
    """See :func:`cyclic`."""

    low: Annotated[Any, REAL]
    high: Annotated[Any, REAL]
    half: Annotated[Any, POSITIVE]
    rate: Annotated[Any, FRACTION] = 1.0

    def at(self, n: Array) -> Array:
        """low + (high − low) (1 − |n/half − 2i − 1|) rate^i in cycle i."""
        cycle = whole(n, 2 * self.half)
        height = 1 - jnp.abs(n / self.half - 2 * cycle - 1)
        return self.low + (self.high - self.low) * height * power(self.rate, cycle)


def cyclic(low: Number, high: Number, half: Number, rate: Number = 1.0) -> Cyclic:
    """From ``low`` to ``high`` and back, ``half`` steps each way; cycle i is rate^i as high.

    Args:
        low: at the start of each cycle.
        high: in the middle of the first. Below ``low`` it goes down first, as momentum does under a rising rate.
        half: in (0, inf); half the length of a cycle.
        rate: in [0, 1]; 1 is the paper's "triangular", 0.5 its "triangular2".

    Source: Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, https://arxiv.org/abs/1506.01186; of
    momentum: "A disciplined approach to neural network hyper-parameters: Part 1", 2018, https://arxiv.org/abs/1803.09820.

    >>> lr = cyclic(0.1, 0.5, half=4, rate=0.5)
    >>> [round(float(lr(step)), 4) for step in (0, 2, 4, 8, 12)]
    [0.1, 0.3, 0.5, 0.1, 0.3]
    """
    return Cyclic(low, high, half, rate).checked()
