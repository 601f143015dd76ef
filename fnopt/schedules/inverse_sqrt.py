"""Decay by the inverse root of time."""

from typing import Annotated, Any

import jax.numpy as jnp
from jax import Array

from fnopt.numbers import NONNEGATIVE, REAL
from fnopt.schedules._fields import Number, schedule
from fnopt.schedules.combinators import Schedule


@schedule
class InverseSqrt(Schedule):
    """See :func:`inverse_sqrt`."""

    value: Annotated[Any, REAL]
    k: Annotated[Any, NONNEGATIVE]

    def at(self, n: Array) -> Array:
        """(k / √N) value, with N = n + 1."""
        return self.k / jnp.sqrt(n + 1) * self.value


def inverse_sqrt(value: Number, k: Number) -> InverseSqrt:
    """(k / √N) value, with N counted from 1: the first step, or the first epoch, has k · value.

    Args:
        value: α₀.
        k: in [0, inf); a factor.

    Elsewhere: the schedule of Vaswani et al., "Attention Is All You Need", 2017, https://arxiv.org/abs/1706.03762, has
    a warm-up before the same decay.

    >>> lr = inverse_sqrt(0.1, k=2.0)
    >>> [round(float(lr(step)), 4) for step in (0, 3, 99)]
    [0.2, 0.1, 0.02]
    """
    return InverseSqrt(value, k).checked()
