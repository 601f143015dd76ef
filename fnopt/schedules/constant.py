"""The same value at every step."""

from typing import Annotated, Any

import jax.numpy as jnp
from jax import Array

from fnopt.numbers import REAL
from fnopt.schedules._base import Base, Number, schedule


@schedule
class Constant(Base):
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
