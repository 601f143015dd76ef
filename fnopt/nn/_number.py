"""The numbers of a layer: scalars that are checked where they are used, since a network has no state to hold them."""

from typing import Any

from jax import Array

from fnopt.numbers import Range, as_number


def number(name: str, x: Any, within: Range, dtype: Any) -> Array:
    """``x`` as one scalar of ``dtype``; ValueError out of range when concrete, NaN when traced.

    Raises:
        TypeError: for a schedule or a space, which have no step or draw here.
    """
    scalar = x if callable(x) else as_number(name, x, within)
    if not isinstance(scalar, Array):
        raise TypeError(f"`{name}` must be a number here, got {x!r}; call the schedule with its step first")
    return scalar.astype(dtype)
