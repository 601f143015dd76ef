"""Up, level, down."""

from typing import Annotated, Any

from jax import Array

from fnopt.numbers import NONNEGATIVE, REAL
from fnopt.schedules._fields import Number, schedule
from fnopt.schedules._shape import progress
from fnopt.schedules.combinators import Schedule


@schedule
class WarmupStableDecay(Schedule):
    """See :func:`warmup_stable_decay`."""

    peak: Annotated[Any, REAL]
    steps: Annotated[Any, NONNEGATIVE]
    warmup: Annotated[Any, NONNEGATIVE]
    decay: Annotated[Any, NONNEGATIVE]
    floor: Annotated[Any, REAL] = 0.0

    def at(self, n: Array) -> Array:
        """The share of the warm-up that is done, times the line down over the last steps."""
        down = progress(n - (self.steps - self.decay), self.decay)
        return progress(n, self.warmup) * ((1 - down) * self.peak + down * self.floor)


def warmup_stable_decay(
    peak: Number, steps: Number, warmup: Number, decay: Number, floor: Number = 0.0
) -> WarmupStableDecay:
    """From 0 to ``peak`` over ``warmup``, level, then in a straight line to ``floor`` over the last ``decay`` steps.

    The level part has no length built in: a run can go on from it with a larger ``steps``.

    Args:
        peak: the level value.
        steps: in [0, inf); all of them. From there on it is ``floor``.
        warmup: in [0, inf); at 0 it starts at ``peak``.
        decay: in [0, inf); where the two overlap, their shares multiply.
        floor: the last value, in the units of ``peak``.

    Source: Hu et al., "MiniCPM", 2024, https://arxiv.org/abs/2404.06395; the straight line down is that of Hägele et
    al., "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations", 2024, https://arxiv.org/abs/2405.18392.

    >>> lr = warmup_stable_decay(peak=0.4, steps=20, warmup=4, decay=8)
    >>> [round(float(lr(step)), 4) for step in (0, 2, 4, 12, 16, 20)]
    [0.0, 0.2, 0.4, 0.4, 0.2, 0.0]
    """
    return WarmupStableDecay(peak, steps, warmup, decay, floor).checked()
