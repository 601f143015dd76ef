"""What all schedules share: fields that are numbers, checked when made and again when called, and the count of time."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Self,
    TypeVar,
    dataclass_transform,
    get_origin,
    get_type_hints,
)

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from fnopt._types import Searchable
from fnopt.numbers import Range, as_number

if TYPE_CHECKING:
    from fnopt.schedules.clipped import Clipped
    from fnopt.schedules.every import Every
    from fnopt.schedules.scaled import Scaled
    from fnopt.schedules.stretched import Stretched
    from fnopt.schedules.then import Then
    from fnopt.schedules.warmed import Warmed

Number = ArrayLike | Searchable  # a number, or a space to draw it from
C = TypeVar("C", bound="type[Base]")


@dataclass_transform(frozen_default=True, eq_default=False)
def schedule(cls: C) -> C:
    """Make a class a frozen dataclass whose fields are leaves; two of one class have the same tree structure.

    A field's range stands in its annotation: ``rate: Annotated[Any, FRACTION]``.
    """
    hints = get_type_hints(cls, include_extras=True)
    cls.ranges = {name: hint.__metadata__[0] for name, hint in hints.items() if get_origin(hint) is Annotated}
    return jax.tree_util.register_dataclass(dataclass(frozen=True, eq=False, repr=False)(cls))


def _values(made: Any) -> tuple[Any, ...]:
    """The fields of a schedule as values that can be compared and hashed."""
    return tuple(_value(getattr(made, field.name)) for field in fields(made))


def _value(x: Any) -> Any:
    if isinstance(x, Tracer):
        return id(x)
    if isinstance(x, tuple):
        return tuple(map(_value, x))
    if isinstance(x, jax.Array | np.ndarray | np.generic):
        return x.item() if np.ndim(x) == 0 else (np.shape(x), np.asarray(x).tobytes())
    return x


class Base:
    """A schedule whose fields are numbers; :meth:`at` is its formula."""

    ranges: ClassVar[Mapping[str, Range]]  # of each field
    inside: ClassVar[tuple[str, ...]] = ()  # fields that may be a schedule as well as a number

    def __eq__(self, other: object) -> bool:
        """Whether both are of one kind with equal numbers; a traced number equals itself alone."""
        if type(self) is not type(other):
            return NotImplemented
        return self is other or _values(self) == _values(other)

    def __hash__(self) -> int:
        return hash((type(self), *_values(self)))

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
        scalars = jax.tree.map(_drawn, self.checked(), is_leaf=_is_space)
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
        from fnopt.schedules.every import Every

        return Every(self, steps_per_epoch, staircase).checked()

    def then(self, second: "Number | Base", after: Number) -> "Then":
        """This schedule for ``after`` steps, then another one (or a number), which counts from there.

        >>> from fnopt.schedules import constant, exponential
        >>> lr = constant(0.1).then(exponential(0.1, 0.5), after=2)
        >>> [round(float(lr(step)), 4) for step in range(5)]
        [0.1, 0.1, 0.1, 0.05, 0.025]
        """
        from fnopt.schedules.then import Then

        return Then(self, second, after).checked()

    def scaled(self, by: "Number | Base") -> "Scaled":
        """This schedule times a number or another schedule.

        >>> from fnopt.schedules import exponential, linear
        >>> [round(float(exponential(0.8, 0.5).scaled(linear(0.0, 1.0, 2))(step)), 4) for step in range(4)]
        [0.0, 0.2, 0.2, 0.1]
        """
        from fnopt.schedules.scaled import Scaled

        return Scaled(self, by).checked()

    def clipped(self, low: Number | None = None, high: Number | None = None) -> "Clipped":
        """This schedule, never below ``low`` or above ``high``; None for no bound.

        >>> from fnopt.schedules import exponential
        >>> [round(float(exponential(0.8, 0.5).clipped(low=0.3)(step)), 4) for step in range(3)]
        [0.8, 0.4, 0.3]
        """
        from fnopt.schedules.clipped import Clipped

        return Clipped(self, low, high).checked()

    def stretched(self, by: Number) -> "Stretched":
        """The same course over ``by`` times as many steps: at N the value that this schedule has at N/by.

        Args:
            by: in (0, inf); 2 is half as fast.

        >>> from fnopt.schedules import linear
        >>> [round(float(linear(0.0, 1.0, 2).stretched(2.0)(step)), 4) for step in range(5)]
        [0.0, 0.25, 0.5, 0.75, 1.0]
        """
        from fnopt.schedules.stretched import Stretched

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
        from fnopt.schedules.warmed import Warmed

        return Warmed(self, steps, start).checked()

    def checked(self) -> Self:
        """A copy with each field a scalar array; ValueError or TypeError, naming the field, where it cannot be one."""
        return type(self)(**{f.name: self._number(f.name, getattr(self, f.name)) for f in fields(self)})  # pyright: ignore[reportArgumentType]

    def filled(self, steps_per_epoch: Number) -> Self:
        """What :func:`fnopt.schedules.filled` makes of this one: itself, where nothing in it waits to be filled in."""
        parts = {name: getattr(self, name) for name in self.inside}
        new = {name: x.filled(steps_per_epoch) for name, x in parts.items() if isinstance(x, Base)}
        changed = {name: x for name, x in new.items() if x is not parts[name]}
        return replace(self, **changed) if changed else self  # pyright: ignore[reportArgumentType]

    def _number(self, name: str, x: Any) -> Any:
        if name in self.inside and isinstance(x, Base):
            return x.checked()
        if isinstance(x, tuple):
            return tuple(self._number(name, part) for part in x)
        if callable(x) and not isinstance(x, Searchable):
            raise TypeError(f"`{name}` of {type(self).__name__} must be a number or a space, got {x!r}")
        return as_number(name, x, self.ranges[name])

    def __repr__(self) -> str:
        parts = (f"{f.name}={_shown(getattr(self, f.name))}" for f in fields(self))  # pyright: ignore[reportArgumentType]
        return f"{type(self).__name__}({', '.join(parts)})"


def time(step: ArrayLike) -> Array:
    """A step in the default float type."""
    return jnp.asarray(step).astype(jnp.result_type(float))


def value_at(x: Any, n: Array) -> Array:
    """A field that may be a schedule, at ``n``; shape of ``n``.

    >>> value_at(jnp.array(0.5), jnp.zeros(2)).tolist()
    [0.5, 0.5]
    """
    return x(n) if isinstance(x, Base) else jnp.broadcast_to(x, n.shape)


def _is_space(x: Any) -> bool:
    return isinstance(x, Searchable)


def _drawn(x: Any) -> Array:
    """A field as a strongly typed scalar, so that the value never changes type."""
    if _is_space(x):
        raise TypeError(f"{x!r} is still to be drawn; give the schedule to fo.caviar in a space, or put a number here")
    return jnp.asarray(x, jnp.result_type(float))


def _shown(x: Any) -> str:
    """A concrete number as one writes it, anything else as it shows itself."""
    if isinstance(x, tuple):
        return f"({', '.join(map(_shown, x))}{',' * (len(x) == 1)})"
    try:
        return f"{float(x):g}"
    except (TypeError, ValueError):
        return repr(x)
