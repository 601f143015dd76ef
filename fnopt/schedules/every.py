"""Any schedule counted in epochs."""

from typing import Annotated, Any, TypeVar

import jax
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import FRACTION, POSITIVE
from fnopt.schedules._base import Base, Number, schedule
from fnopt.schedules._shape import whole

T = TypeVar("T")


@schedule
class Every(Base):
    """A schedule counted in epochs; made by ``schedule.every(…)``."""

    schedule: Any  # what is counted in epochs
    steps_per_epoch: Annotated[Any, POSITIVE] = None
    staircase: Annotated[Any, FRACTION] = 1.0

    inside = ("schedule",)

    def __call__(self, step: ArrayLike) -> Array:
        """The schedule's value in the epoch that ``step`` lies in.

        Raises:
            ValueError: while the length of an epoch is not known.
        """
        if self.steps_per_epoch is None:
            raise ValueError(
                "this schedule counts epochs and does not know their length; write schedule.every(steps_per_epoch), "
                "or give it to fit, which fills the length in"
            )
        return super().__call__(step)

    def at(self, n: Array) -> Array:
        """The schedule at N = n/steps_per_epoch, rounded down as far as staircase says."""
        exact = n / self.steps_per_epoch
        return self.schedule(exact + self.staircase * (whole(n, self.steps_per_epoch) - exact))

    def every(self, steps_per_epoch: Number | None = None, staircase: Number = 1.0) -> "Every":
        """The same schedule with another length of an epoch."""
        return self.schedule.every(steps_per_epoch, staircase)

    def checked(self) -> "Every":
        """As of any schedule; ValueError too where a part of it counts epochs already."""
        if not isinstance(self.schedule, Base):
            raise TypeError(f"`schedule` of Every must be a schedule, got {self.schedule!r}")
        if _counts_epochs(self.schedule):
            raise ValueError(
                "a part of this schedule counts epochs already; write .every(…) once, after the parts are combined"
            )
        length = self.steps_per_epoch
        return Every(
            schedule=self.schedule.checked(),
            steps_per_epoch=None if length is None else self._number("steps_per_epoch", length),
            staircase=self._number("staircase", self.staircase),
        )

    def filled(self, steps_per_epoch: Number) -> "Every":
        """The same with the length of an epoch, where it waits for one."""
        part = super().filled(steps_per_epoch)
        if part.steps_per_epoch is not None:
            return part
        return Every(part.schedule, steps_per_epoch, part.staircase).checked()


def _counts_epochs(schedule: Base) -> bool:
    parts = (getattr(schedule, name) for name in schedule.inside)
    return isinstance(schedule, Every) or any(isinstance(part, Base) and _counts_epochs(part) for part in parts)


def filled(x: T, steps_per_epoch: Number) -> T:
    """``x`` made ready for training: the length of an epoch is filled in where a schedule waits for it.

    A ``plateau`` that has seen nothing yet gets the memory that it is to train with. Everything else is as it was.

    Args:
        x: a schedule, a number, or a pytree of them.
        steps_per_epoch: in (0, inf).

    Raises:
        ValueError, TypeError: for a schedule with a concrete number out of its range: a search puts plain numbers into
            the fields, and here they are checked.

    >>> from fnopt.schedules import exponential
    >>> filled(exponential(0.1, 0.5).every(), 20)
    Every(schedule=Exponential(value=0.1, rate=0.5), steps_per_epoch=20, staircase=1)
    >>> filled(0.1, 20)
    0.1
    """

    def one(part: Any) -> Any:
        if not isinstance(part, Base):
            return part
        part.checked()
        return part.filled(steps_per_epoch)

    return jax.tree.map(one, x, is_leaf=lambda part: isinstance(part, Base))
