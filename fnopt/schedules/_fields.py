"""The fields of schedules: numbers that are leaves, checked, compared, drawn and shown."""

from dataclasses import dataclass, fields
from typing import Annotated, Any, TypeVar, dataclass_transform, get_origin, get_type_hints

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from fnopt._types import Searchable

Number = ArrayLike | Searchable  # a number, or a space to draw it from
C = TypeVar("C", bound=type)


@dataclass_transform(frozen_default=True, eq_default=False)
def schedule(cls: C) -> C:
    """Make a class a frozen dataclass whose fields are leaves; two of one class have the same tree structure.

    A field's range stands in its annotation: ``rate: Annotated[Any, FRACTION]``.
    """
    hints = get_type_hints(cls, include_extras=True)
    cls.ranges = {name: hint.__metadata__[0] for name, hint in hints.items() if get_origin(hint) is Annotated}
    return jax.tree_util.register_dataclass(dataclass(frozen=True, eq=False, repr=False)(cls))


def values(x: Any) -> tuple[Any, ...]:
    """The fields of a schedule as values that can be compared and hashed."""
    return tuple(_value(getattr(x, field.name)) for field in fields(x))


def _value(x: Any) -> Any:
    if isinstance(x, Tracer):
        return id(x)
    if isinstance(x, tuple):
        return tuple(map(_value, x))
    if isinstance(x, jax.Array | np.ndarray | np.generic):
        return x.item() if np.ndim(x) == 0 else (np.shape(x), np.asarray(x).tobytes())
    return x


def time(step: ArrayLike) -> Array:
    """A step in the default float type."""
    return jnp.asarray(step).astype(jnp.result_type(float))


def is_space(x: Any) -> bool:
    """Whether a field is still to be drawn."""
    return isinstance(x, Searchable)


def drawn(x: Any) -> Array:
    """A field as a strongly typed scalar, so that the value never changes type."""
    if is_space(x):
        raise TypeError(f"{x!r} is still to be drawn; give the schedule to fo.caviar in a space, or put a number here")
    return jnp.asarray(x, jnp.result_type(float))


def shown(x: Any) -> str:
    """A concrete number as one writes it, anything else as it shows itself."""
    if isinstance(x, tuple):
        return f"({', '.join(map(shown, x))}{',' * (len(x) == 1)})"
    try:
        return f"{float(x):g}"
    except (TypeError, ValueError):
        return repr(x)
