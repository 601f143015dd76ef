"""One schedule after another."""

from typing import Annotated, Any

import jax.numpy as jnp
from jax import Array

from fnopt.numbers import NONNEGATIVE, REAL
from fnopt.schedules._base import Base, schedule, value_at


@schedule
class Then(Base):
    """``first`` for ``after`` steps, then ``second``, counted from there; made by ``schedule.then(…)``."""

    first: Annotated[Any, REAL]
    second: Annotated[Any, REAL]
    after: Annotated[Any, NONNEGATIVE]

    inside = ("first", "second")

    def at(self, n: Array) -> Array:
        """first(N) where N < after, else second(N − after)."""
        late = n >= self.after
        since = jnp.where(late, n - self.after, 0.0)  # the other branch must be finite too
        return jnp.where(late, value_at(self.second, since), value_at(self.first, n))
