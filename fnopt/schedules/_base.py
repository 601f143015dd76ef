"""What all schedules share: fields that are numbers, checked when made and again when called, and the count of time."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
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
from jax import Array
from jax.typing import ArrayLike

from fnopt._types import Searchable
from fnopt.numbers import Range, as_number

if TYPE_CHECKING:
    from fnopt.schedules.every import Every

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


class Base:
    """A schedule whose fields are numbers; :meth:`at` is its formula."""

    ranges: ClassVar[Mapping[str, Range]]  # of each field

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

    def checked(self) -> Self:
        """A copy with each field a scalar array; ValueError or TypeError, naming the field, where it cannot be one."""
        return type(self)(**{f.name: self._number(f.name, getattr(self, f.name)) for f in fields(self)})  # pyright: ignore[reportArgumentType]

    def _number(self, name: str, x: Any) -> Any:
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
