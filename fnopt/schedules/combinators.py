"""What all schedules share, and how they combine: one after another, scaled, clipped, stretched, warmed, by epochs.

A combination is a schedule of its own, whose parts are fields. The classes stand in one file, as each refers to the
others.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Annotated, Any, ClassVar, Self, TypeVar

import jax
import jax.numpy as jnp
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from fnopt._types import Searchable
from fnopt.numbers import FRACTION, NONNEGATIVE, POSITIVE, REAL, Range, as_number
from fnopt.schedules._fields import Number, drawn, is_space, schedule, shown, time, values
from fnopt.schedules._shape import progress, whole

T = TypeVar("T")


class Schedule:
    """A schedule whose fields are numbers; :meth:`at` is its formula."""

    ranges: ClassVar[Mapping[str, Range]]  # of each field
    inside: ClassVar[tuple[str, ...]] = ()  # fields that may be a schedule as well as a number

    def __eq__(self, other: object) -> bool:
        """Whether both are of one kind with equal numbers; a traced number equals itself alone."""
        if type(self) is not type(other):
            return NotImplemented
        return self is other or values(self) == values(other)

    def __hash__(self) -> int:
        return hash((type(self), *values(self)))

    def at(self, n: Array) -> Array:
        """The value after ``n`` updates (or epochs); the fields are scalars of the default float type here."""
        raise NotImplementedError

    def __call__(self, step: ArrayLike) -> Array:
        """The value at ``step``: updates done so far, from 0; a scalar of the default float type.

        An array of steps gives an array of values. Where a traced field is out of its range, the value is NaN.

        Raises:
            ValueError: for a concrete field out of its range, which a search can leave behind.
            TypeError: for a field that is still a space.
        """
        scalars = jax.tree.map(drawn, self.checked(), is_leaf=is_space)
        value = scalars.at(time(step))
        valid = jnp.ones((), bool)
        for x in jax.tree.leaves(scalars):
            valid = valid & ~jnp.isnan(x)
        return jnp.where(valid, value, jnp.nan)

    def every(self, steps_per_epoch: Number | None = None, staircase: Number = 1.0) -> "Every":
        """The same schedule counted in epochs instead of updates.

        Args:
            steps_per_epoch: in (0, inf); updates an epoch takes. Left out, ``fit`` fills it in.
            staircase: in [0, 1]; 1 changes the value between epochs only, 0 continuously.

        >>> from fnopt.schedules import exponential
        >>> [round(float(exponential(0.1, 0.5).every(10)(step)), 4) for step in (9, 10)]
        [0.1, 0.05]
        """
        return Every(self, steps_per_epoch, staircase).checked()

    def then(self, second: "Number | Schedule", after: Number) -> "Then":
        """This schedule for ``after`` steps, then another one (or a number), which counts from there.

        >>> from fnopt.schedules import constant, exponential
        >>> lr = constant(0.1).then(exponential(0.1, 0.5), after=2)
        >>> [round(float(lr(step)), 4) for step in range(5)]
        [0.1, 0.1, 0.1, 0.05, 0.025]
        """
        return Then(self, second, after).checked()

    def scaled(self, by: "Number | Schedule") -> "Scaled":
        """This schedule times a number or another schedule.

        >>> from fnopt.schedules import exponential, linear
        >>> [round(float(exponential(0.8, 0.5).scaled(linear(0.0, 1.0, 2))(step)), 4) for step in range(4)]
        [0.0, 0.2, 0.2, 0.1]
        """
        return Scaled(self, by).checked()

    def clipped(self, low: Number | None = None, high: Number | None = None) -> "Clipped":
        """This schedule, never below ``low`` or above ``high``; None for no bound.

        >>> from fnopt.schedules import exponential
        >>> [round(float(exponential(0.8, 0.5).clipped(low=0.3)(step)), 4) for step in range(3)]
        [0.8, 0.4, 0.3]
        """
        return Clipped(self, low, high).checked()

    def stretched(self, by: Number) -> "Stretched":
        """The same course over ``by`` times as many steps: at N the value that this schedule has at N/by.

        Args:
            by: in (0, inf); 2 is half as fast.

        >>> from fnopt.schedules import linear
        >>> [round(float(linear(0.0, 1.0, 2).stretched(2.0)(step)), 4) for step in range(5)]
        [0.0, 0.25, 0.5, 0.75, 1.0]
        """
        return Stretched(self, by).checked()

    def warmed(self, steps: Number, start: Number = 0.0) -> "Warmed":
        """In a straight line from ``start`` to this schedule's first value over ``steps``, then this, from its begin.

        Args:
            steps: in [0, inf); the warm-up, in the unit in which this schedule counts.
            start: the first value, in the units of this schedule's.

        >>> from fnopt.schedules import inverse_time
        >>> [round(float(inverse_time(0.3, 1.0).warmed(2)(step)), 4) for step in range(5)]
        [0.0, 0.15, 0.3, 0.15, 0.1]
        """
        return Warmed(self, steps, start).checked()

    def checked(self) -> Self:
        """A copy with each field a scalar array; ValueError or TypeError, naming the field, where it cannot be one."""
        return type(self)(**{f.name: self._number(f.name, getattr(self, f.name)) for f in fields(self)})  # pyright: ignore[reportArgumentType]

    def filled(self, steps_per_epoch: Number) -> Self:
        """What :func:`fnopt.schedules.filled` makes of this one: itself, where nothing in it waits to be filled in."""
        parts = {name: getattr(self, name) for name in self.inside}
        new = {name: x.filled(steps_per_epoch) for name, x in parts.items() if isinstance(x, Schedule)}
        changed = {name: x for name, x in new.items() if x is not parts[name]}
        return replace(self, **changed) if changed else self  # pyright: ignore[reportArgumentType]

    def _number(self, name: str, x: Any) -> Any:
        if name in self.inside and isinstance(x, Schedule):
            return x.checked()
        if isinstance(x, tuple):
            return tuple(self._number(name, part) for part in x)
        if callable(x) and not isinstance(x, Searchable):
            raise TypeError(f"`{name}` of {type(self).__name__} must be a number or a space, got {x!r}")
        return as_number(name, x, self.ranges[name])

    def __repr__(self) -> str:
        parts = (f"{f.name}={shown(getattr(self, f.name))}" for f in fields(self))  # pyright: ignore[reportArgumentType]
        return f"{type(self).__name__}({', '.join(parts)})"


def value_at(x: Any, n: Array) -> Array:
    """A field that may be a schedule, at ``n``; shape of ``n``.

    >>> value_at(jnp.array(0.5), jnp.zeros(2)).tolist()
    [0.5, 0.5]
    """
    return x(n) if isinstance(x, Schedule) else jnp.broadcast_to(x, n.shape)


@schedule
class Then(Schedule):
    """``first`` for ``after`` steps, then ``second``, counted from there; returned by ``schedule.then(…)``."""

    first: Annotated[Any, REAL]
    second: Annotated[Any, REAL]
    after: Annotated[Any, NONNEGATIVE]

    inside = ("first", "second")

    def at(self, n: Array) -> Array:
        """first(N) where N < after, else second(N − after)."""
        late = n >= self.after
        since = jnp.where(late, n - self.after, 0.0)  # the other branch must be finite too
        return jnp.where(late, value_at(self.second, since), value_at(self.first, n))


@schedule
class Scaled(Schedule):
    """``schedule`` times ``by``; returned by ``schedule.scaled(…)``."""

    schedule: Annotated[Any, REAL]
    by: Annotated[Any, REAL]

    inside = ("schedule", "by")

    def at(self, n: Array) -> Array:
        """schedule(N) · by(N)."""
        return value_at(self.schedule, n) * value_at(self.by, n)


@schedule
class Clipped(Schedule):
    """``schedule``, never below ``low`` or above ``high``; returned by ``schedule.clipped(…)``."""

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


@schedule
class Stretched(Schedule):
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


@schedule
class Warmed(Schedule):
    """A straight line up to the first value of ``schedule``, then ``schedule``; returned by ``schedule.warmed(…)``.

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


@schedule
class Every(Schedule):
    """A schedule counted in epochs; returned by ``schedule.every(…)``."""

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
        if not isinstance(self.schedule, Schedule):
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


def _counts_epochs(schedule: Schedule) -> bool:
    parts = (getattr(schedule, name) for name in schedule.inside)
    return isinstance(schedule, Every) or any(isinstance(part, Schedule) and _counts_epochs(part) for part in parts)


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
        if not isinstance(part, Schedule):
            return part
        part.checked()
        return part.filled(steps_per_epoch)

    return jax.tree.map(one, x, is_leaf=lambda part: isinstance(part, Schedule))
