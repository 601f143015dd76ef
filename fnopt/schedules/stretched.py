"""A schedule over more steps, or fewer."""

from typing import Annotated, Any

import jax
import jax.numpy as jnp
from jax import Array

from fnopt.numbers import POSITIVE, REAL
from fnopt.schedules._base import Base, schedule, value_at


@schedule
class Stretched(Base):
    """``schedule`` over ``by`` times as many steps; returned by ``schedule.stretched(…)``."""

    schedule: Annotated[Any, REAL]
    by: Annotated[Any, POSITIVE]

    inside = ("schedule",)

    def at(self, n: Array) -> Array:
        """schedule(N/by), where a quotient that rounding keeps from a whole number counts as that number."""
        exact = n / self.by
        near = jnp.round(exact)
        rounded = jnp.abs(exact - near) <= 2 * jnp.finfo(exact.dtype).eps * jnp.abs(exact)
        return value_at(self.schedule, exact + jax.lax.stop_gradient(jnp.where(rounded, near - exact, 0.0)))
