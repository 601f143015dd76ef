"""A warm-up before any schedule."""

from typing import Annotated, Any

import jax.numpy as jnp
from jax import Array

from fnopt.numbers import NONNEGATIVE, REAL
from fnopt.schedules._base import Base, schedule, value_at
from fnopt.schedules._shape import progress


@schedule
class Warmed(Base):
    """A straight line up to the first value of ``schedule``, then ``schedule``; made by ``schedule.warmed(…)``.

    Source: Goyal et al., "Accurate, Large Minibatch SGD", 2017, https://arxiv.org/abs/1706.02677, section 2.2.
    """

    schedule: Annotated[Any, REAL]
    steps: Annotated[Any, NONNEGATIVE]
    start: Annotated[Any, REAL] = 0.0

    inside = ("schedule",)

    def at(self, n: Array) -> Array:
        """(1 − p) start + p schedule(0), with p the share of the warm-up that is done, then schedule(N − steps)."""
        share, late = progress(n, self.steps), n >= self.steps
        line = (1 - share) * self.start + share * value_at(self.schedule, jnp.zeros_like(n))
        return jnp.where(late, value_at(self.schedule, jnp.where(late, n - self.steps, 0.0)), line)
