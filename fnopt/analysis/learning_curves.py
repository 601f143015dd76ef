"""What a learning curve says: where it turned, whether it was still falling, where it rose or jumped."""

from typing import Any, NamedTuple

import numpy as np

LATE = 0.95  # of the epochs: a least value after this share is at the end
EARLY = 0.75  # of the epochs, which a curve that still falls must have left behind
FALL = 0.02  # by this share
RISE = 0.05  # of the least value: a curve that ends so much above it has turned
TAIL = 0.1  # of the epochs, whose mean stands for the end
LARGE = 0.1  # of the first cost
ROUNDING = 1e-5  # of a cost in float32: a smaller rise is none


class Turn(NamedTuple):
    """Where a loss had its minimum, and how it went on from there."""

    epoch: int  # from 1
    least: float
    end: float  # mean of the last tenth of the epochs
    last: int  # epochs in all
    early: float  # least value in the first three quarters

    @property
    def turned(self) -> bool:
        """Whether it ends a twentieth or more above its least."""
        return self.epoch < self.last and self.end - self.least > RISE * abs(self.least)

    @property
    def improving(self) -> bool:
        """Whether its least is in the last twentieth, and 2 % below that of the first three quarters."""
        return self.last > 3 and self.epoch > LATE * self.last and self.early - self.least > FALL * abs(self.early)


def turn_of(loss: Any) -> Turn | None:
    """Where a loss turned; None where no value is finite.

    >>> turn = turn_of([3.0, 1.0, 2.0, 4.0])
    >>> turn.epoch, turn.turned, turn.improving
    (2, True, False)
    """
    values = np.asarray(loss, np.float64).reshape(-1)
    finite = np.where(np.isfinite(values), values, np.inf)
    if not len(values) or not np.isfinite(finite.min()):
        return None
    least = int(np.argmin(finite))
    tail = finite[-max(int(TAIL * len(values)), 1) :]
    early = finite[: max(int(EARLY * len(values)), 1)]
    return Turn(least + 1, float(finite[least]), float(tail.mean()), len(values), float(early.min()))


class Rise(NamedTuple):
    """The rises of a cost from one epoch to the next."""

    times: int
    steps: int  # from epoch to epoch, in all
    factor: float  # the greatest: the cost over that of the epoch before
    jump: float  # the greatest of those that lead to a tenth of the first cost or more: lower ones are wavelets
    epoch: int  # where that was, from 1


def rises_of(cost: Any) -> Rise:
    """How often a cost rose from one epoch to the next, and by which factors; one that is not finite is infinite.

    >>> rises_of([4.0, 2.0, 3.0, 0.1, 0.2])
    Rise(times=2, steps=4, factor=2.0, jump=1.5, epoch=3)
    """
    values = np.asarray(cost, np.float64).reshape(-1)
    values = np.where(np.isfinite(values), values, np.inf)
    before, after = values[:-1], values[1:]
    if not len(before):
        return Rise(0, 0, 1.0, 1.0, 1)
    sound = np.isfinite(before) & (before > 0)
    factors = np.where(sound, after / np.where(sound, before, 1.0), 1.0)
    up = (after - np.where(sound, before, after) > ROUNDING * np.abs(after)) & sound
    jumps = np.where(after >= LARGE * values[0], factors, 1.0)
    worst = int(np.argmax(jumps))
    return Rise(int(up.sum()), len(before), float(factors.max()), float(jumps[worst]), worst + 2)


def value_at(curve: Any, epoch: int | None) -> float:
    """A curve's value after this epoch (from 1; None: the last), or at the nearest epoch where it was taken.

    >>> import math
    >>> value_at([1.0, math.nan, 3.0, 4.0], 2), value_at([1.0, 2.0], None)
    (1.0, 2.0)
    """
    values = np.asarray(curve, np.float64).reshape(-1)
    there = np.flatnonzero(np.isfinite(values))
    if not len(there):
        return float("nan")
    wanted = len(values) if epoch is None else epoch
    return float(values[there[np.argmin(np.abs(there + 1 - wanted))]])
