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
        """As of any schedule."""
        length = self.steps_per_epoch
        return Every(
            schedule=self.schedule.checked(),
            steps_per_epoch=None if length is None else self._number("steps_per_epoch", length),
            staircase=self._number("staircase", self.staircase),
        )


def filled(x: T, steps_per_epoch: Number) -> T:
    """``x`` with the length of an epoch filled in where a schedule waits for it; everything else as it is.

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
        checked = part.checked()
        if isinstance(part, Every) and part.steps_per_epoch is None:
            return checked.every(steps_per_epoch, part.staircase)
        return part

    return jax.tree.map(one, x, is_leaf=lambda part: isinstance(part, Base))
