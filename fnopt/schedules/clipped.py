"""A schedule between bounds."""

from typing import Annotated, Any

import jax.numpy as jnp
from jax import Array
from jax.core import Tracer

from fnopt._types import Searchable
from fnopt.numbers import REAL
from fnopt.schedules._base import Base, schedule, value_at


@schedule
class Clipped(Base):
    """``schedule``, never below ``low`` or above ``high``; made by ``schedule.clipped(…)``."""

    schedule: Annotated[Any, REAL]
    low: Annotated[Any, REAL] = None
    high: Annotated[Any, REAL] = None

    inside = ("schedule",)

    def at(self, n: Array) -> Array:
        """min(max(schedule(N), low), high); at a bound the derivative is the bound's."""
        value = value_at(self.schedule, n)
        if self.low is not None:
            value = jnp.where(value <= self.low, self.low, value)  # NaN passes
        if self.high is not None:
            value = jnp.where(value >= self.high, self.high, value)
        if self.low is not None and self.high is not None:
            value = jnp.where(self.low <= self.high, value, jnp.nan)
        return value

    def checked(self) -> "Clipped":
        """As of any schedule; ValueError too for concrete bounds the wrong way round. A bound may be None."""
        bounds = [(name, getattr(self, name)) for name in ("low", "high")]
        low, high = (None if x is None else self._number(name, x) for name, x in bounds)
        known = [x for x in (low, high) if x is not None and not isinstance(x, Searchable | Tracer)]
        if len(known) == 2 and float(known[0]) > float(known[1]):
            raise ValueError(f"`low` must not be above `high`, got {float(known[0]):g} and {float(known[1]):g}")
        return Clipped(self._number("schedule", self.schedule), low, high)
