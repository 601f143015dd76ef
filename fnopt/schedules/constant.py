"""The same value at every step."""

from typing import Annotated, Any

import jax.numpy as jnp
from jax import Array

from fnopt.numbers import REAL
from fnopt.schedules._fields import Number, schedule
from fnopt.schedules.combinators import Schedule


@schedule
class Constant(Schedule):
    """See :func:`constant`."""

    value: Annotated[Any, REAL]

    def at(self, n: Array) -> Array:
        """Value, whatever n."""
        return jnp.broadcast_to(self.value, n.shape)


def constant(value: Number) -> Constant:
    """``value`` at every step: a number as a schedule, for code that wants one.

    Args:
        value: any number.

    >>> float(constant(0.5)(100))
    0.5
    """
    return Constant(value).checked()
