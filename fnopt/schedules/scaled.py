"""A schedule times a number or another schedule."""

from typing import Annotated, Any

from jax import Array

from fnopt.numbers import REAL
from fnopt.schedules._base import Base, schedule, value_at


@schedule
class Scaled(Base):
    """``schedule`` times ``by``; made by ``schedule.scaled(…)``."""

    schedule: Annotated[Any, REAL]
    by: Annotated[Any, REAL]

    inside = ("schedule", "by")

    def at(self, n: Array) -> Array:
        """schedule(N) · by(N)."""
        return value_at(self.schedule, n) * value_at(self.by, n)
